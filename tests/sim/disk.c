/* SPDX-License-Identifier: Apache-2.0
 *
 * disk.c - the disk under SQLite: what is written is noted, and fails when it is told to.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sodium.h>
#include <sqlite3.h>

#include "folder.h"
#include "trace.h"

static struct {
	sqlite3_vfs *real;
	struct chance chance;
	int64_t calls, fail_at;
	bool full, for_good;
	char folder[128]; /* that may be full */
	int64_t room;	  /* bytes that its files may have together; < 0: no end of it */
} disk = { .room = -1 };

/* ---- chance ---- */

uint64_t
chance_next(struct chance *chance)
{
	uint64_t x = chance->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

uint64_t
chance_below(struct chance *chance, uint64_t n)
{
	return n > 0 ? chance_next(chance) % n : 0;
}

static void
draw_bytes(void *bytes, size_t len)
{
	uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)chance_next(&disk.chance);
}

static uint32_t
draw_word(void)
{
	return (uint32_t)chance_next(&disk.chance);
}

static const char *
draw_name(void)
{
	return "of the seed";
}

void
disk_seed(uint64_t seed)
{
	disk.chance.state = seed;
	sqlite3_randomness(0, NULL);
}

/* ---- what fails ---- */

static bool
trips(void)
{
	disk.calls++;
	return disk.fail_at > 0 && disk.calls >= disk.fail_at &&
	    (disk.calls == disk.fail_at || disk.for_good);
}

int64_t
disk_calls(void)
{
	return disk.calls;
}

void
disk_fail(int64_t n, bool full, bool for_good)
{
	disk_mend();
	disk.fail_at = n;
	disk.full = full;
	disk.for_good = for_good;
}

void
disk_fill(const char *folder, int64_t bytes)
{
	disk_mend();
	snprintf(disk.folder, sizeof(disk.folder), "%s", folder);
	disk.room = folder_bytes(folder) + bytes;
}

void
disk_mend(void)
{
	disk.calls = disk.fail_at = 0;
	disk.room = -1;
}

/* How much of what would make a file longer has room. */
static int64_t
room_for(int64_t more)
{
	int64_t left;

	if (disk.room < 0 || more <= 0)
		return more;
	left = disk.room - folder_bytes(disk.folder);
	return left < 0 ? 0 : left < more ? left : more;
}

/* ---- a file ---- */

struct file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct */
	const char *path;   /* of SQLite, as long as the file is open */
};

#define REAL(f) (((struct file *)(f))->real)
#define PASS(f, method, ...) REAL(f)->pMethods->method(REAL(f), ##__VA_ARGS__)

static int
file_close(sqlite3_file *base)
{
	return PASS(base, xClose);
}

static int
file_read(sqlite3_file *base, void *bytes, int len, sqlite3_int64 at)
{
	return trips() ? SQLITE_IOERR_READ : PASS(base, xRead, bytes, len, at);
}

static int
file_write(sqlite3_file *base, const void *bytes, int len, sqlite3_int64 at)
{
	struct file *file = (struct file *)base;
	sqlite3_int64 size = 0;
	int fits = len, rc = SQLITE_OK;

	if (trips())
		return disk.full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	if (disk.room >= 0 && PASS(base, xFileSize, &size) == SQLITE_OK && at + len > size) {
		int64_t more = at + len - size;

		fits -= (int)(more - room_for(more));
	}
	if (fits > 0)
		rc = PASS(base, xWrite, bytes, fits, at);
	if (rc == SQLITE_OK && fits > 0)
		trace_write(file->path, bytes, (size_t)fits, at);
	return rc == SQLITE_OK && fits < len ? SQLITE_FULL : rc;
}

static int
file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	int rc = trips() ? SQLITE_IOERR_TRUNCATE : PASS(base, xTruncate, size);

	if (rc == SQLITE_OK)
		trace_truncate(((struct file *)base)->path, size);
	return rc;
}

static int
file_sync(sqlite3_file *base, int flags)
{
	int rc = trips() ? SQLITE_IOERR_FSYNC : PASS(base, xSync, flags);

	if (rc == SQLITE_OK)
		trace_sync(((struct file *)base)->path);
	return rc;
}

static int
file_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
	return trips() ? SQLITE_IOERR_FSTAT : PASS(base, xFileSize, ret_size);
}

static int
file_lock(sqlite3_file *base, int level)
{
	return PASS(base, xLock, level);
}

static int
file_unlock(sqlite3_file *base, int level)
{
	return PASS(base, xUnlock, level);
}

static int
file_reserved(sqlite3_file *base, int *ret)
{
	return PASS(base, xCheckReservedLock, ret);
}

static int
file_control(sqlite3_file *base, int op, void *arg)
{
	/* Room that is taken ahead is no more than a hint; here each byte that is written is seen. */
	if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE)
		return SQLITE_OK;
	return PASS(base, xFileControl, op, arg);
}

static int
file_sector(sqlite3_file *base)
{
	return PASS(base, xSectorSize);
}

static int
file_traits(sqlite3_file *base)
{
	return PASS(base, xDeviceCharacteristics);
}

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
	/* clang-format off */
	static const sqlite3_io_methods methods = {
		.iVersion = 1,
		.xClose = file_close,
		.xRead = file_read,
		.xWrite = file_write,
		.xTruncate = file_truncate,
		.xSync = file_sync,
		.xFileSize = file_size,
		.xLock = file_lock,
		.xUnlock = file_unlock,
		.xCheckReservedLock = file_reserved,
		.xFileControl = file_control,
		.xSectorSize = file_sector,
		.xDeviceCharacteristics = file_traits,
	};
	/* clang-format on */
	struct file *file = (struct file *)base;
	int rc;

	(void)vfs;
	base->pMethods = NULL;
	if (trips())
		return SQLITE_CANTOPEN;
	file->real = (sqlite3_file *)(file + 1);
	file->path = name;
	rc = disk.real->xOpen(disk.real, name, file->real, flags, ret_flags);
	if (file->real->pMethods != NULL)
		base->pMethods = &methods;
	if (rc == SQLITE_OK && name != NULL)
		trace_open(name);
	return rc;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	int rc;

	(void)vfs;
	if (trips())
		return SQLITE_IOERR_DELETE;
	rc = disk.real->xDelete(disk.real, name, sync_dir);
	if (rc == SQLITE_OK)
		trace_unlink(name);
	if (rc == SQLITE_OK && sync_dir)
		trace_sync_names();
	return rc;
}

static int
vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
	(void)vfs;
	return trips() ? SQLITE_IOERR_ACCESS : disk.real->xAccess(disk.real, name, flags, ret);
}

static int
vfs_randomness(sqlite3_vfs *vfs, int len, char *ret)
{
	(void)vfs;
	draw_bytes(ret, (size_t)len);
	return len;
}

void
disk_install(void)
{
	static randombytes_implementation drawn = {
		.implementation_name = draw_name, .random = draw_word, .buf = draw_bytes
	};
	static sqlite3_vfs vfs;

	randombytes_set_implementation(&drawn);
	disk.real = sqlite3_vfs_find("unix-none");
	vfs = *disk.real;
	vfs.zName = "disk";
	vfs.szOsFile = (int)sizeof(struct file) + disk.real->szOsFile;
	vfs.xOpen = vfs_open;
	vfs.xDelete = vfs_delete;
	vfs.xAccess = vfs_access;
	vfs.xRandomness = vfs_randomness;
	sqlite3_vfs_register(&vfs, 1);
}

/* ---- what the product asks of the disk itself: the linker's --wrap ---- */

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_statvfs64(const char *path, struct statvfs *ret);
int __wrap_statvfs64(const char *path, struct statvfs *ret);
int __real_posix_fallocate64(int fd, off_t at, off_t len);
int __wrap_posix_fallocate64(int fd, off_t at, off_t len);

static int
no(int error)
{
	errno = error;
	return -1;
}

int
__wrap_rename(const char *from, const char *to)
{
	int rc = trips() ? no(EIO) : __real_rename(from, to);

	if (rc == 0)
		trace_rename(from, to);
	return rc;
}

int
__wrap_link(const char *from, const char *to)
{
	int rc = trips() ? no(EIO) : __real_link(from, to);

	if (rc == 0)
		trace_link(from, to);
	return rc;
}

int
__wrap_unlink(const char *path)
{
	int rc = trips() ? no(EIO) : __real_unlink(path);

	if (rc == 0)
		trace_unlink(path);
	return rc;
}

int
__wrap_fsync(int fd)
{
	char link[64], path[256];
	struct stat st;
	ssize_t len;

	if (trips())
		return no(EIO);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len > 0 && fstat(fd, &st) == 0) {
		path[len] = '\0';
		if (S_ISDIR(st.st_mode))
			trace_sync_names();
		else
			trace_sync(path);
	}
	return __real_fsync(fd);
}

int
__wrap_statvfs64(const char *path, struct statvfs *ret)
{
	int rc = __real_statvfs64(path, ret);

	if (rc == 0 && disk.room >= 0) {
		int64_t left = disk.room - folder_bytes(disk.folder);

		ret->f_bavail = (fsblkcnt_t)(left > 0 ? left / (int64_t)ret->f_frsize : 0);
	}
	return rc;
}

int
__wrap_posix_fallocate64(int fd, off_t at, off_t len)
{
	if (trips() || room_for(len) < len)
		return ENOSPC;
	return __real_posix_fallocate64(fd, at, len);
}
