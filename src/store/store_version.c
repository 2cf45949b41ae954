/* SPDX-License-Identifier: Apache-2.0
 *
 * store_version.c - whose file is it? Asked of its bytes, before SQLite, or anybody who would mend it, opens it.
 *
 * DESIGN
 *   A file of another schema is left as it is, whatever is the matter with it: what could be read of it by tables that are
 *   known here is not what is in it. SQLite's answer comes too late: a mark of damage is acted upon before, and closing the
 *   file takes its log in.
 *
 *   A first page of our size that is not what was written there says nothing: one bit makes a 7 of a 5.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/store_internal.h"

#define PAGE_SIZE 16 /* in SQLite's header, big-endian: fileformat2.html, 1.3 */
#define RESERVED 20
#define USER_VERSION 60

static uint32_t
word(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int
version_of(const uint8_t page[static STORE_PAGE_BYTES])
{
	uint32_t version = word(page + USER_VERSION);

	return version <= INT32_MAX ? (int)version : -1;
}

static bool
read_at(int fd, void *bytes, size_t len, off_t at)
{
	return pread(fd, bytes, len, at) == (ssize_t)len;
}

/* The first page as the last transaction of the log left it. */
static bool
in_log(const char *path, int *ret_version)
{
	uint8_t frame[STORE_WAL_FRAME];
	int64_t frames = 0;
	bool found = false;

	(void)store_wal_lost(path, &frames);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	for (int64_t n = frames - 1; n >= 0 && !found; n--) {
		off_t at = STORE_WAL_HEAD + (off_t)n * STORE_WAL_FRAME;

		found = read_at(fd, frame, STORE_WAL_FRAME_HEAD, at) && word(frame) == 1 &&
		    read_at(fd, frame, sizeof(frame), at);
	}
	close(fd);
	if (found)
		*ret_version = version_of(frame + STORE_WAL_FRAME_HEAD);
	return found;
}

int
store_file_version(const char *path)
{
	uint8_t page[STORE_PAGE_BYTES];
	char log[4200];
	int version = -1;

	snprintf(log, sizeof(log), "%s-wal", path);
	if (in_log(log, &version))
		return version;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	bool whole = read_at(fd, page, sizeof(page), 0) && memcmp(page, "SQLite format 3", 16) == 0;
	bool ours = page[PAGE_SIZE] << 8 == STORE_PAGE_BYTES && page[PAGE_SIZE + 1] == 0 &&
	    page[RESERVED] == STORE_PAGE_SUM;
	close(fd);
	if (!whole || (ours && !store_vfs_whole(page, 0)))
		return -1;
	return version_of(page);
}

int
store_refuse_other(const char *dir, struct err *err)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/state.db", dir);
	int version = store_file_version(path);
	if (version <= 0 || version == STORE_SCHEMA || version == STORE_SCHEMA_BEFORE)
		return 0;
	return err_set(err, AISLE_E_REFUSED,
	    "%s: made by %s aisled (schema %d, this one knows %d); unchanged", path,
	    version > STORE_SCHEMA ? "a newer" : "an older", version, STORE_SCHEMA);
}
