/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer_sweep.c - what lies in the folder of transfers is bounded: those of now, and the newest beside them.
 */
#include "sync/transfer.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOUND_MAX 64

struct found {
	char hash[65];
	int64_t when_ns, bytes;
};

/* "{hash}.part" or "{hash}.map"; of any other name with a hash, the hash. */
static bool
read_name(const char *name, char ret_hash[static 65], bool *ret_part)
{
	ret_hash[0] = '\0';
	if (strlen(name) < 64 || strspn(name, "0123456789abcdef") != 64)
		return false;
	memcpy(ret_hash, name, 64);
	ret_hash[64] = '\0';
	*ret_part = strcmp(name + 64, ".part") == 0;
	return *ret_part || strcmp(name + 64, ".map") == 0;
}

static bool
is_kept(const char *hash, const char *const *keep, size_t keep_count)
{
	for (size_t i = 0; i < keep_count; i++)
		if (strcmp(keep[i], hash) == 0)
			return true;
	return false;
}

static void
remove_both(int folder, const char *hash)
{
	char name[72];

	snprintf(name, sizeof(name), "%s.map", hash);
	(void)unlinkat(folder, name, 0);
	snprintf(name, sizeof(name), "%s.part", hash);
	(void)unlinkat(folder, name, 0);
}

/* What is neither kept nor a file with its map goes at once. */
static size_t
look(int folder, DIR *entries, const char *const *keep, size_t keep_count,
    struct found found[static FOUND_MAX])
{
	const struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(entries)) != NULL) {
		char hash[65], map[72];
		struct stat info;
		bool part;

		if (entry->d_name[0] == '.')
			continue;
		bool ours = read_name(entry->d_name, hash, &part);
		/* Also what was made of it, such as a policy's image. */
		if (is_kept(hash, keep, keep_count))
			continue;
		if (!ours) {
			(void)unlinkat(folder, entry->d_name, 0);
			continue;
		}
		snprintf(map, sizeof(map), "%s.%s", hash, part ? "map" : "part");
		if (faccessat(folder, map, F_OK, 0) != 0 || (part && count == FOUND_MAX) ||
		    fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
			remove_both(folder, hash);
			continue;
		}
		if (!part)
			continue;
		memcpy(found[count].hash, hash, sizeof(hash));
		found[count].bytes = info.st_size;
		found[count++].when_ns =
		    (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
	}
	return count;
}

static int
newest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return (x->when_ns < y->when_ns) - (x->when_ns > y->when_ns);
}

void
transfer_sweep(const char *dir, const char *const *keep, size_t keep_count, int64_t keep_bytes)
{
	struct found *found = mem_calloc(FOUND_MAX, sizeof(*found));
	DIR *entries = opendir(dir);
	size_t count = entries != NULL ? look(dirfd(entries), entries, keep, keep_count, found) : 0;

	qsort(found, count, sizeof(*found), newest_first);
	for (size_t i = 0; i < count; i++) {
		keep_bytes += found[i].bytes;
		if (keep_count + i >= TRANSFER_FILES_MAX || keep_bytes > TRANSFER_FOLDER_BYTES_MAX)
			remove_both(dirfd(entries), found[i].hash);
	}
	if (entries != NULL)
		closedir(entries);
	free(found);
}
