/* SPDX-License-Identifier: Apache-2.0
 *
 * file.c - small files as a whole.
 */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One byte more than may be, to see that there are more. */
static int
read_from(int fd, const char *path, size_t max, struct buf *out, struct err *err)
{
	size_t begin = out->len;

	buf_reserve(out, max + 2);
	for (;;) {
		ssize_t got = read(fd, out->data + out->len, max + 1 - (out->len - begin));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_at(err, AISLE_E_IO, path, 0, 0, "%s", strerror(errno));
		out->len += (size_t)got;
		out->data[out->len] = '\0';
		if (got == 0)
			return 0;
		if (out->len - begin > max)
			return err_at(err, AISLE_E_INVALID, path, 0, 0,
			    "too big, expected at most %zu bytes", max);
	}
}

int
file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	if (strcmp(path, "-") == 0)
		return read_from(STDIN_FILENO, "stdin", max, out, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_at(err, errno == ENOENT ? AISLE_E_NONE : AISLE_E_IO, path, 0, 0, "%s",
		    strerror(errno));
	int rc = read_from(fd, path, max, out, err);

	close(fd);
	return rc;
}

static bool
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, bytes, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes += put;
		len -= (size_t)put;
	}
	return true;
}

static bool
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = mem_strdup(slash != NULL ? path : ".");

	if (slash != NULL)
		folder[slash == path ? 1 : slash - path] = '\0';
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A file system that cannot sync folders says so with EINVAL. */
	bool good = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);

	if (fd >= 0)
		close(fd);
	free(folder);
	return good;
}

/* Where the file system knows no rename that replaces nothing, a link does the same. */
static bool
rename_fresh(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	return errno != EEXIST && link(from, to) == 0 && unlink(from) == 0;
}

static int
code_of(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG ? AISLE_E_FULL : AISLE_E_IO;
}

/* Into what is there and stays: a pipe, a terminal, a device. */
static int
write_into(const char *path, const void *bytes, size_t len, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || !write_all(fd, bytes, len))
		rc = err_at(err, code_of(errno), path, 0, 0, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static bool
is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int
file_replaceable(const char *path, struct err *err)
{
	return is_special(path) ? err_at(err, AISLE_E_INVALID, path, 0, 0,
				      "is a pipe or a device, expected the name of a file")
				: 0;
}

int
file_write(const char *path, const void *bytes, size_t len, int mode, bool fresh, struct err *err)
{
	struct buf temp = { 0 };
	int rc = 0;

	if (!fresh && is_special(path))
		return write_into(path, bytes, len, err);
	/* A link is a way to the file, as /dev/stdout is: the file is what is replaced. */
	char *place = fresh ? NULL : realpath(path, NULL);

	if (place != NULL)
		path = place;
	buf_addf(&temp, "%s.XXXXXX", path);
	int fd = mkostemp(temp.data, O_CLOEXEC);
	bool good =
	    fd >= 0 && fchmod(fd, (mode_t)mode) == 0 && write_all(fd, bytes, len) && fsync(fd) == 0;

	good = good && (fresh ? rename_fresh(temp.data, path) : rename(temp.data, path) == 0);
	good = good && sync_folder(path);
	if (!good)
		rc = fresh && errno == EEXIST
		    ? err_at(err, AISLE_E_REFUSED, path, 0, 0,
			  "there is one already, expected a new name")
		    : err_at(err, code_of(errno), path, 0, 0, "%s", strerror(errno));
	if (fd >= 0) {
		close(fd);
		if (rc != 0)
			unlink(temp.data);
	}
	buf_done(&temp);
	free(place);
	return rc;
}

int
file_move(const char *from, const char *to, struct err *err)
{
	int fd = open(from, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fsync(fd) != 0 || rename(from, to) != 0 || !sync_folder(to))
		rc = err_set(err, AISLE_E_IO, "%s: %s", to, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

void
file_settle(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)sync_file_range(fd, 0, 0,
	    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	close(fd);
}

bool
file_write_at(int fd, const void *bytes, size_t len, int64_t at)
{
	const char *from = bytes;

	while (len > 0) {
		ssize_t put = pwrite(fd, from, len, (off_t)at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put == 0)
			errno = EIO;
		if (put <= 0)
			return false;
		from += put;
		at += put;
		len -= (size_t)put;
	}
	return true;
}

bool
file_read_at(int fd, void *bytes, size_t len, int64_t at)
{
	char *to = bytes;

	while (len > 0) {
		ssize_t got = pread(fd, to, len, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = 0;
		if (got <= 0)
			return false;
		to += got;
		at += got;
		len -= (size_t)got;
	}
	return true;
}
