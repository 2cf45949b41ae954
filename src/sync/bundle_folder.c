/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_folder.c - a policy's folder into parts: policy.json and its like, actions/, models/,
 * images/, tables/.
 *
 * Hidden files and other folders are people's own (.git, notes) and stay out of the bundle.
 */
#include "sync/bundle_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const subfolders[] = { "actions", "models", "images", "tables" };

void
folder_done(struct folder *folder)
{
	for (size_t i = 0; i < folder->parts.count; i++) {
		free((char *)(uintptr_t)folder->parts.part[i].name);
		free((void *)(uintptr_t)folder->parts.part[i].bytes);
	}
	free(folder->parts.part);
	*folder = (struct folder){ 0 };
}

/* Takes over bytes, also when it fails. */
int
folder_add(struct folder *folder, const char *name, void *bytes, size_t len, struct err *err)
{
	struct policy_parts *parts = &folder->parts;

	if (parts->count == BUNDLE_PARTS_MAX || folder->bytes + len > BUNDLE_BYTES_MAX / 2 ||
	    strlen(name) > BUNDLE_NAME_MAX) {
		free(bytes);
		return err_at(err, AISLE_E_FULL, name, 0, 0,
		    "too much in the folder, expected at most %d files of %u MiB "
		    "together",
		    BUNDLE_PARTS_MAX, BUNDLE_BYTES_MAX / 2 >> 20);
	}
	parts->part = mem_grow(parts->part, parts->count, &folder->capacity, sizeof(*parts->part));
	parts->part[parts->count++] = (struct policy_part){ mem_strdup(name), bytes, len };
	folder->bytes += len;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct policy_part *)a)->name, ((const struct policy_part *)b)->name);
}

void
folder_sort(struct folder *folder)
{
	if (folder->parts.count > 1)
		qsort(folder->parts.part, folder->parts.count, sizeof(*folder->parts.part),
		    compare);
}

static int
read_all(int fd, char *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(fd, bytes + done, len - done);

		if (n <= 0)
			return AISLE_E_IO;
		done += (size_t)n;
	}
	return 0;
}

static int
read_file(struct folder *folder, const char *path, const char *name, struct err *err)
{
	struct stat st;
	char *bytes;
	int fd;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode)
		    ? 0
		    : err_at(err, AISLE_E_INVALID, name, 0, 0,
			  "a socket, a pipe or a device, expected files and folders only");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		err_at(err, AISLE_E_IO, name, 0, 0, "cannot read: %s", strerror(errno));
		goto fail;
	}
	if ((uint64_t)st.st_size > FOLDER_FILE_BYTES_MAX) {
		err_at(err, AISLE_E_FULL, name, 0, 0, "file of %lld bytes, expected at most %u",
		    (long long)st.st_size, FOLDER_FILE_BYTES_MAX);
		goto fail;
	}
	bytes = mem_alloc((size_t)st.st_size + 1);
	bytes[st.st_size] = '\0';
	if (read_all(fd, bytes, (size_t)st.st_size) != 0) {
		free(bytes);
		err_at(err, AISLE_E_IO, name, 0, 0, "cannot read in full, expected %lld bytes",
		    (long long)st.st_size);
		goto fail;
	}
	close(fd);
	return folder_add(folder, name, bytes, (size_t)st.st_size, err);
fail:
	if (fd >= 0)
		close(fd);
	return err->code;
}

/* sub "" is the folder itself. */
static int
read_level(struct folder *folder, const char *dir, const char *sub, struct err *err)
{
	char path[4096], name[BUNDLE_NAME_MAX + 1];
	struct dirent *entry;
	DIR *d;
	int status = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, sub);
	d = opendir(path);
	if (d == NULL) {
		if (sub[0] != '\0' && errno == ENOENT)
			return 0;
		return err_at(err, errno == ENOENT ? AISLE_E_NONE : AISLE_E_IO, dir, 0, 0,
		    "cannot read the folder: %s", strerror(errno));
	}
	while (status == 0 && (entry = readdir(d)) != NULL) {
		int path_len, name_len;

		if (entry->d_name[0] == '.')
			continue;
		name_len = snprintf(name, sizeof(name), "%s%s%s", sub, sub[0] != '\0' ? "/" : "",
		    entry->d_name);
		path_len = snprintf(path, sizeof(path), "%s/%s", dir, name);
		if (name_len >= (int)sizeof(name) || path_len >= (int)sizeof(path))
			status = err_at(err, AISLE_E_FULL, entry->d_name, 0, 0,
			    "name too long, expected a shorter one");
		else
			status = read_file(folder, path, name, err);
	}
	closedir(d);
	return status;
}

int
folder_read(const char *dir, struct folder *folder, struct err *err)
{
	int status = read_level(folder, dir, "", err);

	for (size_t i = 0; status == 0 && i < ARRAY_LEN(subfolders); i++)
		status = read_level(folder, dir, subfolders[i], err);
	if (status != 0)
		folder_done(folder);
	else
		folder_sort(folder);
	return status;
}
