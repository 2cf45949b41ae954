/* SPDX-License-Identifier: Apache-2.0
 *
 * ballast.c - room kept for erasures on a full disk.
 */
#include "store/ballast.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PLENTY (16 * INT64_C(1048576)) /* room that must be left to make it */

static bool
has_plenty(const char *dir)
{
	struct statvfs fs;
	return statvfs(dir, &fs) == 0 && (int64_t)fs.f_bavail * (int64_t)fs.f_frsize >= PLENTY;
}

static void
ballast_path(const char *dir, char *path, size_t size)
{
	snprintf(path, size, "%s/ballast", dir);
}

void
ballast_make(const char *dir)
{
	char path[4096];
	ballast_path(dir, path, sizeof(path));
	struct stat st;
	if (stat(path, &st) == 0 && st.st_size >= BALLAST_BYTES)
		return;
	if (!has_plenty(dir))
		return;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	/* Blocks, not a hole. A half-made one is as good as it is long. */
	if (posix_fallocate(fd, 0, BALLAST_BYTES) != 0)
		unlink(path);
	close(fd);
}

void
ballast_release(const char *dir)
{
	char path[4096];
	ballast_path(dir, path, sizeof(path));
	unlink(path);
}
