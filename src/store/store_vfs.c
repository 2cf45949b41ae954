/* SPDX-License-Identifier: Apache-2.0
 *
 * store_vfs.c - between SQLite and the disk: writes that follow each other
 * become one, and each page of the database carries a sum.
 *
 * DESIGN
 *   SQLite writes each page of its log with two system calls, 24 bytes and a
 *   page; at twenty pages a turn that is most of what a turn costs. This layer
 *   over another VFS keeps what is written until something else is asked of
 *   the file: a write elsewhere, a read, a sync, its size. So the order in
 *   which bytes reach the file is SQLite's own, and a sync has all of them.
 *
 *   A write that fails is kept and tried again by the next call, which reports
 *   it if it fails too: what SQLite was told is written is never dropped. Only
 *   reading elsewhere goes on.
 *
 *   The last 8 bytes of a page are SipHash-2-4 over the rest, with the page's
 *   place as its key. A page that does not match is SQLITE_CORRUPT to whoever
 *   reads it, so a flipped bit cannot make a row vanish unnoticed. The sum is
 *   made as the page goes into the database file. The log has sums of its own,
 *   which SQLite looks at when it opens the log and not when it reads a page
 *   of it or copies it into the database, with a sum that would then be right:
 *   so that is done here. It is against accidents: against hands, rows are
 *   sealed.
 *
 *   In SQLite's hands and in the log that place is empty, so a page that a stock
 *   sqlite3 took from the log into the file has no sum, which no accident
 *   makes of one: it is taken as it is, told of, and gets its sum when the
 *   store looks at its pages.
 *
 *   No shared memory: the store locks its file for itself, and SQLite then
 *   keeps the index of the log on the heap.
 */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "store/store_internal.h"

/* A block of the disk. Larger writes save little more, and the kernel then keeps, and counts as written, blocks
 * of their size. */
#define BLOCK_BYTES 4096
#define HEADER_PAGE_SIZE 16 /* where SQLite's header says it, big-endian: fileformat2.html, 1.3 */
#define HEADER_RESERVED 20  /* bytes at the end of each page that are not SQLite's */
#define VFS_NAME_SIZE 64
#define VFS_MAX 4 /* the default one, and those of the tests */

static int64_t foreign; /* pages without a sum that were read */

struct file {
	sqlite3_file base;
	bool has_sums; /* it is the database */
	bool is_log;
	bool
	    doubtful; /* a page of the log was written over; its sums are made anew before the next sync */
	sqlite3_int64 written_to;
	int pending_len;
	sqlite3_int64 pending_at;
	sqlite3_file *real;	      /* behind this struct */
	uint8_t pending[BLOCK_BYTES]; /* never over the end of a block */
};

static int
flush(struct file *file)
{
	int rc = SQLITE_OK;
	if (file->pending_len > 0)
		rc = file->real->pMethods->xWrite(file->real, file->pending, file->pending_len,
		    file->pending_at);
	if (rc == SQLITE_OK)
		file->pending_len = 0;
	return rc;
}

/* ---- sums ---- */

_Static_assert(STORE_PAGE_SUM == crypto_shorthash_siphash24_BYTES, "sum");

static void
page_sum(const uint8_t *page, sqlite3_int64 at, uint8_t ret_sum[static STORE_PAGE_SUM])
{
	uint8_t key[crypto_shorthash_siphash24_KEYBYTES] = "aislepag";
	for (int i = 0; i < 8; i++)
		key[8 + i] = (uint8_t)((uint64_t)at >> (8 * i));
	crypto_shorthash_siphash24(ret_sum, page, STORE_PAGE_BYTES - STORE_PAGE_SUM, key);
}

static bool
is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

/* In the place of the sum there is none: another program took the log into the file. */
static bool
is_foreign(const uint8_t *page)
{
	return is_zero(page + STORE_PAGE_BYTES - STORE_PAGE_SUM, STORE_PAGE_SUM) &&
	    !is_zero(page, STORE_PAGE_BYTES);
}

static int
check_page(const uint8_t *page, sqlite3_int64 at)
{
	uint8_t sum[STORE_PAGE_SUM];
	page_sum(page, at, sum);
	if (memcmp(page + STORE_PAGE_BYTES - STORE_PAGE_SUM, sum, sizeof(sum)) == 0)
		return SQLITE_OK;
	if (!is_foreign(page))
		return SQLITE_CORRUPT;
	foreign++;
	return SQLITE_OK;
}

bool
store_vfs_whole(const uint8_t page[static STORE_PAGE_BYTES], int64_t at)
{
	int64_t before = foreign;
	bool whole = check_page(page, at) == SQLITE_OK;
	foreign = before;
	return whole;
}

/* Before SQLite knows the size of a page it looks at the header alone, and before it knows of the log, which may have
 * the page whole where a checkpoint was cut off. So it is told what a page of ours is like; whoever then reads the page
 * from here has its sum checked. */
static int
read_header(struct file *file, uint8_t *bytes, int len)
{
	uint8_t page[STORE_PAGE_BYTES];
	int rc = file->real->pMethods->xRead(file->real, page, sizeof(page), 0);
	if (rc == SQLITE_OK && check_page(page, 0) != SQLITE_OK) {
		page[HEADER_PAGE_SIZE] = STORE_PAGE_BYTES >> 8;
		page[HEADER_PAGE_SIZE + 1] = STORE_PAGE_BYTES & 0xff;
		page[HEADER_RESERVED] = STORE_PAGE_SUM;
	}
	if (rc == SQLITE_OK || rc == SQLITE_IOERR_SHORT_READ)
		memcpy(bytes, page, (size_t)len);
	return rc;
}

static int
read_pages(struct file *file, uint8_t *bytes, int len, sqlite3_int64 at)
{
	int rc = file->real->pMethods->xRead(file->real, bytes, len, at);
	for (int i = 0; rc == SQLITE_OK && i < len; i += STORE_PAGE_BYTES) {
		rc = check_page(bytes + i, at + i);
		if (rc == SQLITE_OK)
			memset(bytes + i + STORE_PAGE_BYTES - STORE_PAGE_SUM, 0, STORE_PAGE_SUM);
	}
	return rc;
}

/* Of the log: a page, by the sum in its frame, which goes on from that of the frame before it or of the log's head. */
static int
read_frame(struct file *file, void *bytes, sqlite3_int64 at, int64_t frame)
{
	uint8_t both[STORE_WAL_HEAD + 2 * STORE_WAL_FRAME];
	int before = frame == 0 ? STORE_WAL_HEAD : STORE_WAL_FRAME; /* bytes of it */
	int sum_at = frame == 0 ? STORE_WAL_HEAD - 8 : STORE_WAL_FRAME_HEAD - 8;
	int rc = file->real->pMethods->xRead(file->real, both, before + STORE_WAL_FRAME,
	    at - STORE_WAL_FRAME_HEAD - before);
	if (rc != SQLITE_OK)
		return rc;
	memcpy(bytes, both + before + STORE_WAL_FRAME_HEAD, STORE_PAGE_BYTES);
	return store_wal_holds(both + sum_at, both + before) ? SQLITE_OK : SQLITE_CORRUPT;
}

/* ---- a file ---- */

static int
file_write(sqlite3_file *base, const void *bytes, int len, sqlite3_int64 at)
{
	struct file *file = (struct file *)base;
	const uint8_t *next = bytes;
	/* A page of the log without its head before it: one that this transaction wrote already. */
	if (file->is_log && len == STORE_PAGE_BYTES && at != file->written_to)
		file->doubtful = true;
	file->written_to = at + len;
	/* Elsewhere; or a block is full that could not be written. */
	if (file->pending_len > 0 &&
	    (at != file->pending_at + file->pending_len || at % BLOCK_BYTES == 0)) {
		int rc = flush(file);
		if (rc != SQLITE_OK)
			return rc;
	}
	/* SQLite writes its database by whole pages, so a page with a sum lies within a block. */
	while (len > 0) {
		int room = BLOCK_BYTES - (int)(at % BLOCK_BYTES);
		int part = len < room ? len : room;
		if (file->pending_len == 0)
			file->pending_at = at;
		uint8_t *copy = file->pending + file->pending_len;
		memcpy(copy, next, (size_t)part);
		if (file->has_sums && part == STORE_PAGE_BYTES && at % STORE_PAGE_BYTES == 0)
			page_sum(copy, at, copy + STORE_PAGE_BYTES - STORE_PAGE_SUM);
		file->pending_len += part;
		if (part == room) {
			int rc = flush(file);
			if (rc != SQLITE_OK)
				return rc;
		}
		next += part, at += part, len -= part;
	}
	return SQLITE_OK;
}

static int
file_read(sqlite3_file *base, void *bytes, int len, sqlite3_int64 at)
{
	struct file *file = (struct file *)base;
	int rc = flush(file);
	/* A full disk can be read. */
	if (rc != SQLITE_OK && at < file->pending_at + file->pending_len &&
	    file->pending_at < at + len)
		return rc;
	if (file->has_sums && at == 0 && len < STORE_PAGE_BYTES)
		return read_header(file, bytes, len);
	if (file->has_sums && at % STORE_PAGE_BYTES == 0 && len % STORE_PAGE_BYTES == 0)
		return read_pages(file, bytes, len, at);
	int64_t frame =
	    file->is_log && !file->doubtful && len == STORE_PAGE_BYTES ? store_wal_frame(at) : -1;
	if (frame >= 0)
		return read_frame(file, bytes, at, frame);
	return file->real->pMethods->xRead(file->real, bytes, len, at);
}

static int
file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	struct file *file = (struct file *)base;
	int rc = flush(file);
	return rc != SQLITE_OK ? rc : file->real->pMethods->xTruncate(file->real, size);
}

static int
file_sync(sqlite3_file *base, int flags)
{
	struct file *file = (struct file *)base;
	int rc = flush(file);
	file->doubtful = false;
	return rc != SQLITE_OK ? rc : file->real->pMethods->xSync(file->real, flags);
}

static int
file_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
	struct file *file = (struct file *)base;
	int rc = flush(file);
	return rc != SQLITE_OK ? rc : file->real->pMethods->xFileSize(file->real, ret_size);
}

static int
file_close(sqlite3_file *base)
{
	struct file *file = (struct file *)base;
	int flushed = flush(file);
	int rc = file->real->pMethods->xClose(file->real);
	return flushed != SQLITE_OK ? flushed : rc;
}

static int
file_control(sqlite3_file *base, int op, void *arg)
{
	struct file *file = (struct file *)base;
	int rc = flush(file);
	return rc != SQLITE_OK ? rc : file->real->pMethods->xFileControl(file->real, op, arg);
}

static int
file_lock(sqlite3_file *base, int level)
{
	struct file *file = (struct file *)base;
	return file->real->pMethods->xLock(file->real, level);
}

static int
file_unlock(sqlite3_file *base, int level)
{
	struct file *file = (struct file *)base;
	int rc = flush(file);
	int unlocked = file->real->pMethods->xUnlock(file->real, level);
	return rc != SQLITE_OK ? rc : unlocked;
}

static int
file_check_lock(sqlite3_file *base, int *ret_reserved)
{
	struct file *file = (struct file *)base;
	return file->real->pMethods->xCheckReservedLock(file->real, ret_reserved);
}

static int
file_sector_size(sqlite3_file *base)
{
	struct file *file = (struct file *)base;
	return file->real->pMethods->xSectorSize(file->real);
}

static int
file_characteristics(sqlite3_file *base)
{
	struct file *file = (struct file *)base;
	return file->real->pMethods->xDeviceCharacteristics(file->real);
}

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
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
};
/* clang-format on */

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
	struct file *file = (struct file *)base;
	sqlite3_vfs *real = vfs->pAppData;
	file->base.pMethods = NULL;
	file->pending_len = 0;
	file->has_sums = flags & SQLITE_OPEN_MAIN_DB;
	file->is_log = flags & SQLITE_OPEN_WAL;
	file->doubtful = false;
	file->written_to = 0;
	file->real = (sqlite3_file *)(file + 1);
	int rc = real->xOpen(real, name, file->real, flags, ret_flags);
	/* SQLite closes what has methods, also after an error. */
	if (file->real->pMethods != NULL)
		base->pMethods = &methods;
	return rc;
}

/* The rest is the other VFS's business; it gets itself as its first argument. */
#define REAL(vfs) ((sqlite3_vfs *)(vfs)->pAppData)

static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	return REAL(vfs)->xDelete(REAL(vfs), name, sync_dir);
}

static int
vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
	return REAL(vfs)->xAccess(REAL(vfs), name, flags, ret);
}

static int
vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *ret)
{
	return REAL(vfs)->xFullPathname(REAL(vfs), name, size, ret);
}

static int
vfs_randomness(sqlite3_vfs *vfs, int len, char *ret)
{
	return REAL(vfs)->xRandomness(REAL(vfs), len, ret);
}

static int
vfs_sleep(sqlite3_vfs *vfs, int us)
{
	return REAL(vfs)->xSleep(REAL(vfs), us);
}

static int
vfs_time(sqlite3_vfs *vfs, double *ret)
{
	return REAL(vfs)->xCurrentTime(REAL(vfs), ret);
}

static int
vfs_last_error(sqlite3_vfs *vfs, int len, char *ret)
{
	return REAL(vfs)->xGetLastError != NULL ? REAL(vfs)->xGetLastError(REAL(vfs), len, ret) : 0;
}

const char *
store_vfs(const char *real_name)
{
	static struct {
		sqlite3_vfs vfs;
		char name[VFS_NAME_SIZE];
	} made[VFS_MAX];
	static size_t count;
	sqlite3_vfs *real = sqlite3_vfs_find(real_name);
	if (real == NULL)
		return real_name; /* the open will say so */
	for (size_t i = 0; i < count; i++)
		if (made[i].vfs.pAppData == real)
			return made[i].name;
	if (count == VFS_MAX)
		return real_name; /* slower, not wrong */
	snprintf(made[count].name, VFS_NAME_SIZE, "joined-%s", real->zName);
	made[count].vfs = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = (int)sizeof(struct file) + real->szOsFile,
		.mxPathname = real->mxPathname,
		.zName = made[count].name,
		.pAppData = real,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_pathname,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time,
		.xGetLastError = vfs_last_error,
	};
	return sqlite3_vfs_register(&made[count].vfs, 0) == SQLITE_OK ? made[count++].name
								      : real_name;
}

int
store_vfs_reserve(sqlite3 *db)
{
	int bytes = STORE_PAGE_SUM;
	return sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

int
store_vfs_check(sqlite3 *db, int64_t first_page, int64_t count, int64_t *ret_bad)
{
	uint8_t page[STORE_PAGE_BYTES];
	sqlite3_file *file = NULL;
	int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	*ret_bad = 0;
	for (int64_t i = first_page; rc == SQLITE_OK && i < first_page + count; i++) {
		int64_t before = foreign;
		rc = file->pMethods->xRead(file, page, sizeof(page), i * STORE_PAGE_BYTES);
		if (rc == SQLITE_OK && foreign != before)
			rc = file->pMethods->xWrite(file, page, sizeof(page), i * STORE_PAGE_BYTES);
		if (rc == SQLITE_IOERR_SHORT_READ)
			return SQLITE_OK; /* the log still has it */
		if (rc == SQLITE_CORRUPT) {
			++*ret_bad;
			rc = SQLITE_OK;
		}
	}
	return rc;
}

int64_t
store_vfs_foreign(void)
{
	return foreign;
}
