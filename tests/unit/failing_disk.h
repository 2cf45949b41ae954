/* SPDX-License-Identifier: Apache-2.0
 *
 * failing_disk.h - a disk that takes so many writes and then none, under SQLite: as the default one, or by its name.
 */
#ifndef AISLE_TESTS_FAILING_DISK_H
#define AISLE_TESTS_FAILING_DISK_H

#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <sqlite3.h>

#define FAILING_DISK "failing-disk"

static struct {
	sqlite3_vfs *real;
	int left;   /* writes that still go well */
	bool kills; /* the next one ends the process instead */
	bool blind; /* nothing can be read */
} disk;

struct failing_file {
	sqlite3_file base;
	sqlite3_file *real;
};

/* What a write comes to; 0: it is made. */
static int
disk_refuses(void)
{
	if (disk.left == INT_MAX)
		return SQLITE_OK;
	if (disk.left > 0) {
		disk.left--;
		return SQLITE_OK;
	}
	if (disk.kills)
		kill(getpid(), SIGKILL);
	return SQLITE_FULL;
}

#define REAL(file) (((struct failing_file *)(file))->real)
#define PASS(file, method, ...) REAL(file)->pMethods->method(REAL(file), ##__VA_ARGS__)

static int
disk_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
	int rc = disk_refuses();

	return rc != SQLITE_OK ? rc : PASS(file, xWrite, bytes, len, at);
}

static int
disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = disk_refuses();

	return rc != SQLITE_OK ? rc : PASS(file, xTruncate, size);
}

static int
disk_sync(sqlite3_file *file, int flags)
{
	int rc = disk_refuses();

	return rc != SQLITE_OK ? rc : PASS(file, xSync, flags);
}

static int
disk_close(sqlite3_file *file)
{
	return PASS(file, xClose);
}

static int
disk_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
	return disk.blind ? SQLITE_IOERR_READ : PASS(file, xRead, bytes, len, at);
}

static int
disk_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	return PASS(file, xFileSize, ret);
}

static int
disk_lock(sqlite3_file *file, int lock)
{
	return PASS(file, xLock, lock);
}

static int
disk_unlock(sqlite3_file *file, int lock)
{
	return PASS(file, xUnlock, lock);
}

static int
disk_reserved(sqlite3_file *file, int *ret)
{
	return PASS(file, xCheckReservedLock, ret);
}

static int
disk_control(sqlite3_file *file, int op, void *arg)
{
	return PASS(file, xFileControl, op, arg);
}

static int
disk_sector(sqlite3_file *file)
{
	return PASS(file, xSectorSize);
}

static int
disk_traits(sqlite3_file *file)
{
	return PASS(file, xDeviceCharacteristics);
}

static int
disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	static const sqlite3_io_methods methods = { 1, disk_close, disk_read, disk_write,
		disk_truncate, disk_sync, disk_size, disk_lock, disk_unlock, disk_reserved,
		disk_control, disk_sector, disk_traits, NULL, NULL, NULL, NULL, NULL, NULL };
	struct failing_file *wrapped = (struct failing_file *)file;
	int rc;

	(void)vfs;
	wrapped->real = (sqlite3_file *)(wrapped + 1);
	rc = disk.real->xOpen(disk.real, name, wrapped->real, flags, ret_flags);
	file->pMethods = wrapped->real->pMethods != NULL ? &methods : NULL;
	return rc;
}

static void
disk_mend(void)
{
	disk.left = INT_MAX;
	disk.kills = disk.blind = false;
}

/* After so many writes. */
static void
disk_break(int writes)
{
	disk.left = writes;
}

/* by_default: also for those that name none. */
static void
disk_use(bool by_default)
{
	static sqlite3_vfs vfs;

	if (disk.real == NULL) {
		disk.real = sqlite3_vfs_find(NULL);
		vfs = *disk.real;
		vfs.zName = FAILING_DISK;
		vfs.szOsFile = (int)sizeof(struct failing_file) + disk.real->szOsFile;
		vfs.xOpen = disk_open;
	}
	disk_mend();
	sqlite3_vfs_register(&vfs, by_default);
	if (!by_default)
		sqlite3_vfs_register(disk.real, 1);
}

#endif
