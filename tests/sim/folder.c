/* SPDX-License-Identifier: Apache-2.0
 *
 * folder.c - folders of the simulated disk, as they lie in memory: past what is noted and what fails.
 */
#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"

#define FOLDERS_MAX 8

static char base[64], made[FOLDERS_MAX][FOLDER_PATH];
static size_t made_count;

void
folder_begin(const char *program)
{
	snprintf(base, sizeof(base), "%s/aisle-%s-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", program);
	CHECK(mkdtemp(base) != NULL);
}

void
folder_new(const char *name, char ret_path[static FOLDER_PATH])
{
	CHECK(made_count < FOLDERS_MAX);
	snprintf(ret_path, FOLDER_PATH, "%s/%s", base, name);
	CHECK(mkdir(ret_path, 0700) == 0);
	memcpy(made[made_count++], ret_path, FOLDER_PATH);
}

void
folder_end(void)
{
	while (made_count > 0) {
		folder_clear(made[--made_count]);
		rmdir(made[made_count]);
	}
	rmdir(base);
}

void
folder_file(const char *folder, const char *name, struct buf *out)
{
	char path[256];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	buf_reserve(out, (size_t)st.st_size);
	CHECK(read(fd, out->data, (size_t)st.st_size) == st.st_size);
	out->len = (size_t)st.st_size;
	close(fd);
}

void
folder_put(const char *folder, const char *name, const struct buf *bytes)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, bytes->data, bytes->len) == (ssize_t)bytes->len);
	close(fd);
}

void
folder_clear(const char *folder)
{
	DIR *entries = opendir(folder);

	if (entries == NULL)
		return;
	for (struct dirent *e; (e = readdir(entries)) != NULL;) {
		if (e->d_name[0] != '.')
			unlinkat(dirfd(entries), e->d_name, 0);
	}
	closedir(entries);
}

int64_t
folder_size(const char *folder, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

int64_t
folder_bytes(const char *folder)
{
	DIR *entries = opendir(folder);
	int64_t bytes = 0;
	struct stat st;

	if (entries == NULL)
		return 0;
	for (struct dirent *e; (e = readdir(entries)) != NULL;) {
		if (e->d_name[0] != '.' && fstatat(dirfd(entries), e->d_name, &st, 0) == 0)
			bytes += st.st_size;
	}
	closedir(entries);
	return bytes;
}

void
folder_copy(const char *from, const char *to)
{
	DIR *entries = opendir(from);
	struct buf bytes = { 0 };

	CHECK(entries != NULL);
	folder_clear(to);
	for (struct dirent *e; (e = readdir(entries)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		buf_clear(&bytes);
		folder_file(from, e->d_name, &bytes);
		folder_put(to, e->d_name, &bytes);
	}
	closedir(entries);
	buf_done(&bytes);
}

bool
folder_flip(const char *folder, const char *name, int64_t byte, int bit)
{
	char path[256];
	uint8_t value = 0;
	bool there;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	there = pread(fd, &value, 1, byte) == 1;
	value ^= (uint8_t)(1 << bit);
	there = there && pwrite(fd, &value, 1, byte) == 1;
	close(fd);
	return there;
}
