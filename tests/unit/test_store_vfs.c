/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_vfs.c - joined writes reach the file whole and in order, also
 * after one that failed; a page that is not what was written is not read.
 */
#include "store_fixture.h"

#include "store/store_internal.h"

/* A VFS whose writes fail when told; what it does else is the default one's. */
struct failing_file {
	sqlite3_file base;
	sqlite3_file *real;
};
static bool is_full;
static int writes;
static sqlite3_vfs *real_vfs;

static int
failing_write(sqlite3_file *base, const void *bytes, int len, sqlite3_int64 at)
{
	struct failing_file *file = (struct failing_file *)base;
	writes++;
	return is_full ? SQLITE_FULL : file->real->pMethods->xWrite(file->real, bytes, len, at);
}

static int
failing_read(sqlite3_file *base, void *bytes, int len, sqlite3_int64 at)
{
	struct failing_file *file = (struct failing_file *)base;
	return file->real->pMethods->xRead(file->real, bytes, len, at);
}

static int
failing_sync(sqlite3_file *base, int flags)
{
	struct failing_file *file = (struct failing_file *)base;
	return file->real->pMethods->xSync(file->real, flags);
}

static int
failing_size(sqlite3_file *base, sqlite3_int64 *ret)
{
	struct failing_file *file = (struct failing_file *)base;
	return file->real->pMethods->xFileSize(file->real, ret);
}

static int
failing_close(sqlite3_file *base)
{
	struct failing_file *file = (struct failing_file *)base;
	return file->real->pMethods->xClose(file->real);
}

/* clang-format off */
static const sqlite3_io_methods failing_methods = {
	.iVersion = 1, .xClose = failing_close, .xRead = failing_read, .xWrite = failing_write, .xSync = failing_sync,
	.xFileSize = failing_size,
};
/* clang-format on */

static int
failing_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
	struct failing_file *file = (struct failing_file *)base;
	(void)vfs;
	file->real = (sqlite3_file *)(file + 1);
	base->pMethods = &failing_methods;
	return real_vfs->xOpen(real_vfs, name, file->real, flags, ret_flags);
}

static sqlite3_file *
open_file(const struct fixture *f, int kind)
{
	static sqlite3_vfs failing;
	static char path[128];
	int flags;
	snprintf(path, sizeof(path), "%s/file", f->dir);
	if (real_vfs == NULL) {
		real_vfs = sqlite3_vfs_find(NULL);
		failing = *real_vfs;
		failing.iVersion = 1;
		failing.zName = "failing";
		failing.szOsFile = (int)sizeof(struct failing_file) + real_vfs->szOsFile;
		failing.xOpen = failing_open;
		assert_int_equal(sqlite3_vfs_register(&failing, 0), SQLITE_OK);
	}
	sqlite3_vfs *vfs = sqlite3_vfs_find(store_vfs("failing"));
	assert_non_null(vfs);
	assert_string_equal(vfs->zName, "joined-failing");
	sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
	assert_int_equal(vfs->xOpen(vfs, path, file,
			     kind | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &flags),
	    SQLITE_OK);
	writes = 0;
	return file;
}

static void
close_file(sqlite3_file *file)
{
	is_full = false;
	assert_int_equal(file->pMethods->xClose(file), SQLITE_OK);
	free(file);
}

static void
assert_on_disk(const struct fixture *f, const char *want, size_t len)
{
	char path[128], *got = malloc(len + 1);
	snprintf(path, sizeof(path), "%s/file", f->dir);
	int fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, got, len + 1), (ssize_t)len);
	assert_memory_equal(got, want, len);
	close(fd);
	free(got);
}

static void
writes_that_follow_each_other_are_one_a_block(void **state)
{
	struct fixture *f = *state;
	sqlite3_file *file = open_file(f, SQLITE_OPEN_TEMP_DB);
	static char bytes[10000];
	noise(bytes, sizeof(bytes));
	for (int at = 0; at < 10000; at += 100)
		assert_int_equal(file->pMethods->xWrite(file, bytes + at, 100, at), SQLITE_OK);
	assert_int_equal(writes, 2); /* the third block is not full */
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_int_equal(writes, 3);
	assert_on_disk(f, bytes, sizeof(bytes));
	/* Elsewhere, and then over it: the later one is what stays. */
	assert_int_equal(file->pMethods->xWrite(file, "old", 3, 9000), SQLITE_OK);
	assert_int_equal(file->pMethods->xWrite(file, "x", 1, 0), SQLITE_OK);
	assert_int_equal(file->pMethods->xWrite(file, "new", 3, 9000), SQLITE_OK);
	char got[3];
	assert_int_equal(file->pMethods->xRead(file, got, 3, 9000), SQLITE_OK);
	assert_memory_equal(got, "new", 3);
	memcpy(bytes + 9000, "new", 3);
	bytes[0] = 'x';
	close_file(file);
	assert_on_disk(f, bytes, sizeof(bytes));
}

static void
a_write_that_failed_is_told_kept_and_done_later(void **state)
{
	struct fixture *f = *state;
	sqlite3_file *file = open_file(f, SQLITE_OPEN_TEMP_DB);
	sqlite3_int64 size;
	static char bytes[4096 + 100];
	noise(bytes, sizeof(bytes));
	is_full = true;
	assert_int_equal(file->pMethods->xWrite(file, bytes, 10, 0), SQLITE_OK);
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_FULL);
	assert_int_equal(file->pMethods->xFileSize(file, &size), SQLITE_FULL);
	/* The end of a block: it cannot grow any further, and says so again. */
	assert_int_equal(file->pMethods->xWrite(file, bytes + 10, 4086, 10), SQLITE_FULL);
	assert_int_equal(file->pMethods->xWrite(file, bytes + 4096, 100, 4096), SQLITE_FULL);
	is_full = false;
	assert_int_equal(file->pMethods->xWrite(file, bytes + 4096, 100, 4096), SQLITE_OK);
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
	assert_on_disk(f, bytes, sizeof(bytes));
	close_file(file);
}

static void
a_full_disk_can_be_read_but_where_it_could_not_be_written(void **state)
{
	struct fixture *f = *state;
	sqlite3_file *file = open_file(f, SQLITE_OPEN_TEMP_DB);
	char got[10];
	assert_int_equal(file->pMethods->xWrite(file, "0123456789", 10, 0), SQLITE_OK);
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
	is_full = true;
	assert_int_equal(file->pMethods->xWrite(file, "xy", 2, 10), SQLITE_OK);
	assert_int_equal(file->pMethods->xRead(file, got, 10, 0), SQLITE_OK);
	assert_memory_equal(got, "0123456789", 10);
	assert_int_equal(file->pMethods->xRead(file, got, 2, 9), SQLITE_FULL);
	assert_int_equal(file->pMethods->xRead(file, got, 1, 10), SQLITE_FULL);
	is_full = false;
	assert_int_equal(file->pMethods->xRead(file, got, 3, 9), SQLITE_OK);
	assert_memory_equal(got, "9xy", 3);
	close_file(file);
}

static void
a_page_is_read_only_as_it_was_written_and_where(void **state)
{
	struct fixture *f = *state;
	sqlite3_file *file = open_file(f, SQLITE_OPEN_MAIN_DB);
	char page[STORE_PAGE_BYTES], got[STORE_PAGE_BYTES], path[128];
	noise(page, sizeof(page));
	for (int i = 0; i < 3; i++)
		assert_int_equal(file->pMethods->xWrite(file, page, sizeof(page),
				     i * STORE_PAGE_BYTES),
		    SQLITE_OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(file->pMethods->xRead(file, got, sizeof(got),
				     i * STORE_PAGE_BYTES),
		    SQLITE_OK);
		assert_memory_equal(got, page, STORE_PAGE_BYTES - STORE_PAGE_SUM);
	}
	/* The header alone, as SQLite first reads it. */
	assert_int_equal(file->pMethods->xRead(file, got, 100, 0), SQLITE_OK);
	assert_memory_equal(got, page, 100);
	snprintf(path, sizeof(path), "%s/file", f->dir);
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(got));
	assert_int_equal(pwrite(fd, got, sizeof(got), 2 * STORE_PAGE_BYTES), sizeof(got));
	assert_int_equal(file->pMethods->xRead(file, got, sizeof(got), 2 * STORE_PAGE_BYTES),
	    SQLITE_CORRUPT);
	assert_int_equal(file->pMethods->xRead(file, got, sizeof(got), STORE_PAGE_BYTES),
	    SQLITE_OK);
	for (int bit = 0; bit < STORE_PAGE_BYTES * 8; bit += 37) {
		char byte;
		assert_int_equal(pread(fd, &byte, 1, bit / 8), 1);
		byte = (char)(byte ^ 1 << bit % 8);
		assert_int_equal(pwrite(fd, &byte, 1, bit / 8), 1);
		assert_int_equal(file->pMethods->xRead(file, got, sizeof(got), 0), SQLITE_CORRUPT);
		/* The header alone says what a page of ours is like: the log may have this one whole. */
		assert_int_equal(file->pMethods->xRead(file, got, 100, 0), SQLITE_OK);
		assert_int_equal((uint8_t)got[16] << 8 | (uint8_t)got[17], STORE_PAGE_BYTES);
		assert_int_equal(got[20], STORE_PAGE_SUM);
		byte = (char)(byte ^ 1 << bit % 8);
		assert_int_equal(pwrite(fd, &byte, 1, bit / 8), 1);
	}
	assert_int_equal(file->pMethods->xRead(file, got, sizeof(got), 0), SQLITE_OK);
	close(fd);
	close_file(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_full_disk_can_be_read_but_where_it_could_not_be_written),
		cmocka_unit_test_setup_teardown(writes_that_follow_each_other_are_one_a_block,
		    fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_write_that_failed_is_told_kept_and_done_later,
		    fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_page_is_read_only_as_it_was_written_and_where,
		    fixture_setup, fixture_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
