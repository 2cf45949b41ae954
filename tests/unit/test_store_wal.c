/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_wal.c - a log that was left behind by a kill: whole, half, or with a flipped bit.
 */
#include "store_fixture.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "store/store_internal.h"

#define COMMITS 12
#define FRAME_BYTES (24 + STORE_PAGE_BYTES)

static void
copy(const char *from_dir, const char *to_dir, const char *name)
{
	static char bytes[8 << 20];
	char path[160];
	snprintf(path, sizeof(path), "%s/%s", from_dir, name);
	int in = open(path, O_RDONLY);
	assert_true(in >= 0);
	ssize_t len = read(in, bytes, sizeof(bytes));
	close(in);
	snprintf(path, sizeof(path), "%s/%s", to_dir, name);
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(out, bytes, (size_t)len), len);
	close(out);
}

/* What a kill leaves after so many commits: a folder of its own. ret_end: where the log ends. */
static void
leave(struct fixture *f, struct fixture *left, off_t *ret_end)
{
	begin(f);
	assert_int_equal(store_meta_set(f->store, "first", "1", 1), 0);
	commit(f);
	store_checkpoint(f->store);
	for (uint32_t i = 0; i < COMMITS; i++) {
		struct id key = ulid_of(1000 + i, i);
		begin(f);
		assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, i, 0, "x", 1), 0);
		assert_int_equal(store_settle(f->store), 0);
		commit(f);
	}
	assert_true(store_wal_bytes(f->store) > 0);
	*ret_end = 32 + store_wal_bytes(f->store);
	*left = (struct fixture){ .dir = "/tmp/aisle-left-XXXXXX" };
	assert_non_null(mkdtemp(left->dir));
	static const char *const names[] = { "state.db", "state.db-wal", "keys.db", "keys.db-wal" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		copy(f->dir, left->dir, names[i]);
}

static void
change(const struct fixture *left, off_t at, int bit)
{
	char path[160], byte;
	snprintf(path, sizeof(path), "%s/state.db-wal", left->dir);
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = (char)(byte ^ 1 << bit);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

static int
visits(struct fixture *f)
{
	int count = 0;
	struct buf body = { 0 };
	for (uint32_t i = 0; i < COMMITS; i++) {
		struct id key = ulid_of(1000 + i, i);
		count += store_get(f->store, STORE_VISIT, &key, &body, NULL) == 0;
	}
	buf_done(&body);
	return count;
}

/* Opened twice: what is told, is told once. */
static void
assert_left(struct fixture *f, struct fixture *left, int want_visits, bool lost, bool told)
{
	char before[17], after[17];
	store_epoch(f->store, before);
	for (int i = 0; i < 2; i++) {
		fixture_open(left);
		if (want_visits >= 0)
			assert_int_equal(visits(left), want_visits);
		store_epoch(left->store, after);
		assert_int_equal(strcmp(before, after) != 0, i == 0 && lost);
		memcpy(before, after, sizeof(before));
		assert_int_equal(store_damaged(left->store), told);
		fixture_close(left);
	}
	remove_dir(left->dir);
}

static void
a_log_that_is_whole_is_taken_in_without_a_word(void **state)
{
	struct fixture left;
	off_t end;
	leave(*state, &left, &end);
	assert_left(*state, &left, COMMITS, false, false);
}

static void
a_flipped_bit_in_the_log_is_told_and_begins_a_new_epoch(void **state)
{
	struct fixture left;
	off_t end;
	int kept = -1;
	/* In a page, in a frame's head, and in the log's own head: its sum, its salt. */
	const off_t places[] = { 32 + 24 + 100, 32 + FRAME_BYTES + 3, 32 + FRAME_BYTES + 17, 25, 17,
		32 + 3 * FRAME_BYTES + 9 };
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct fixture *f = *state;
		leave(f, &left, &end);
		change(&left, places[i], (int)(i % 8));
		assert_left(f, &left, kept, true, true);
		fixture_close(f);
		remove_dir(f->dir);
		assert_int_equal(mkdir(f->dir, 0700), 0);
		fixture_open(f);
	}
}

static void
a_last_transaction_that_is_half_there_is_what_a_power_cut_leaves(void **state)
{
	struct fixture left;
	off_t end;
	char path[160];
	leave(*state, &left, &end);
	snprintf(path, sizeof(path), "%s/state.db-wal", left.dir);
	assert_int_equal(truncate(path, end - FRAME_BYTES / 2), 0);
	assert_left(*state, &left, COMMITS - 1, false, false);
}

/* Its numbers may have been seen, so they are not used again; but it is nothing to report. */
static void
a_last_transaction_whose_first_frame_did_not_arrive_begins_a_new_epoch(void **state)
{
	struct fixture left;
	off_t end;
	leave(*state, &left, &end);
	change(&left, end - FRAME_BYTES + 30, 0);
	assert_left(*state, &left, COMMITS - 1, true, false);
}

static sqlite3 *
raw_open(const char *dir)
{
	sqlite3 *db;
	char path[160];
	snprintf(path, sizeof(path), "%s/raw.db", dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL), 0);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return db;
}

static sqlite3 *
raw_make(const char *dir)
{
	sqlite3 *db = raw_open(dir);
	char sql[120];
	snprintf(sql, sizeof(sql),
	    "PRAGMA journal_mode = DELETE; PRAGMA page_size = %d; VACUUM; CREATE TABLE t(x)",
	    STORE_PAGE_BYTES);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	return raw_open(dir);
}

/* One transaction of at least so many pages. */
static void
raw_write(sqlite3 *db, int pages)
{
	char sql[120];
	snprintf(sql, sizeof(sql), "INSERT INTO t VALUES(randomblob(%d))",
	    pages * STORE_PAGE_BYTES);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static off_t
raw_flip_first_frame(const char *dir, off_t frame)
{
	char path[160], byte;
	struct stat st;
	snprintf(path, sizeof(path), "%s/raw.db-wal", dir);
	int fd = open(path, O_RDWR);
	off_t at = 32 + frame * FRAME_BYTES + 24;
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = (char)~byte;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	return (st.st_size - 32) / FRAME_BYTES;
}

static void
what_a_former_cut_left_behind_a_half_transaction_is_no_damage(void **state)
{
	struct fixture *f = *state;
	char wal[160];
	int64_t begun, now;
	snprintf(wal, sizeof(wal), "%s/raw.db-wal", f->dir);
	sqlite3 *db = raw_make(f->dir);
	raw_write(db, 1);
	assert_int_equal(store_wal_lost(wal, &begun), 0);
	raw_write(db, 9);
	sqlite3_close(db);
	/* The first frame of the long one did not arrive; a short one is written over its front, whose first does not either. */
	off_t frames = raw_flip_first_frame(f->dir, begun);
	assert_int_equal(store_wal_lost(wal, &now), 1);
	assert_int_equal(now, begun);
	db = raw_open(f->dir);
	raw_write(db, 3);
	sqlite3_close(db);
	assert_int_equal(store_wal_lost(wal, &now), 1);
	assert_true(now > begun && now < frames);
	/* The last one of the short one, behind which the long one's end is whole; then its first one as well. */
	assert_int_equal(raw_flip_first_frame(f->dir, now - 1), frames);
	assert_int_equal(store_wal_lost(wal, &now), 1);
	assert_int_equal(now, begun);
	assert_int_equal(raw_flip_first_frame(f->dir, begun), frames);
	assert_int_equal(store_wal_lost(wal, &now), 1);
	assert_int_equal(now, begun);
}

/* A block of the disk, and more than a transaction behind it. */
static void
a_stretch_of_noise_in_the_log_is_damage(void **state)
{
	struct fixture *f = *state;
	char wal[160];
	uint8_t noise[4096];
	int64_t frames, now;
	struct stat st;
	snprintf(wal, sizeof(wal), "%s/raw.db-wal", f->dir);
	memset(noise, 0xa5, sizeof(noise));
	sqlite3 *db = raw_make(f->dir);
	for (int i = 0; i < 20; i++)
		raw_write(db, 2);
	sqlite3_close(db);
	assert_int_equal(store_wal_lost(wal, &frames), 0);
	int fd = open(wal, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, noise, sizeof(noise), st.st_size / 2 / 4096 * 4096), 4096);
	close(fd);
	assert_true(store_wal_lost(wal, &now) > 1);
	assert_true(now < frames);
}

/* A sector ends behind page and size in its head: those are of what lay there before. */
static void
a_head_of_two_halves_ends_no_transaction(void **state)
{
	struct fixture *f = *state;
	char wal[160];
	static const uint8_t former[8] = { 0, 0, 0, 2, 0, 0, 0, 9 };
	uint8_t meant[8];
	int64_t begun, now;
	snprintf(wal, sizeof(wal), "%s/raw.db-wal", f->dir);
	sqlite3 *db = raw_make(f->dir);
	raw_write(db, 1);
	assert_int_equal(store_wal_lost(wal, &begun), 0);
	raw_write(db, 9);
	sqlite3_close(db);
	int fd = open(wal, O_RDWR);
	assert_int_equal(pread(fd, meant, sizeof(meant), 32 + begun * FRAME_BYTES), 8);
	assert_int_equal(pwrite(fd, former, sizeof(former), 32 + begun * FRAME_BYTES), 8);
	assert_int_equal(store_wal_lost(wal, &now), 1);
	assert_int_equal(now, begun);
	assert_int_equal(pwrite(fd, meant, sizeof(meant), 32 + begun * FRAME_BYTES), 8);
	assert_int_equal(store_wal_lost(wal, &now), 0);
	/* One that was to end a transaction counts, although its page is not what was written. */
	off_t at = 32 + (begun - 1) * FRAME_BYTES + 30;
	assert_int_equal(pread(fd, meant, 1, at), 1);
	meant[0] ^= 4;
	assert_int_equal(pwrite(fd, meant, 1, at), 1);
	assert_int_equal(store_wal_lost(wal, &now), 2);
	close(fd);
}

static uint32_t
page_of_frame(const struct fixture *left, off_t frame)
{
	uint8_t bytes[4] = { 0 };
	char path[160];
	snprintf(path, sizeof(path), "%s/state.db-wal", left->dir);
	int fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, bytes, 4, 32 + frame * FRAME_BYTES), 4);
	close(fd);
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	    bytes[3];
}

/* As a cut in the middle of a checkpoint leaves it: neither what was there nor what is in the log. */
static void
tear_page(const struct fixture *left, uint32_t page)
{
	char path[160], noise_of_page[STORE_PAGE_BYTES];
	snprintf(path, sizeof(path), "%s/state.db", left->dir);
	noise(noise_of_page, sizeof(noise_of_page));
	int fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, noise_of_page, sizeof(noise_of_page),
			     (off_t)(page - 1) * STORE_PAGE_BYTES),
	    sizeof(noise_of_page));
	close(fd);
}

static void
a_page_that_a_checkpoint_left_torn_is_read_from_the_log(void **state)
{
	struct fixture left;
	off_t end;
	bool header = false;
	for (off_t frame = 0;; frame++) {
		struct fixture *f = *state;
		leave(f, &left, &end);
		bool any = 32 + frame * FRAME_BYTES < end;
		if (any) {
			uint32_t page = page_of_frame(&left, frame);
			header = header || page == 1;
			tear_page(&left, page);
		}
		assert_left(f, &left, COMMITS, false, false);
		if (!any)
			break;
		fixture_close(f);
		remove_dir(f->dir);
		assert_int_equal(mkdir(f->dir, 0700), 0);
		fixture_open(f);
	}
	assert_true(header);
}

/* What was not in the log when the store was opened was looked at; what is there is newer than the file. */
static void
looking_at_pages_passes_over_those_that_the_log_has(void **state)
{
	struct fixture *f = *state, left;
	off_t end;
	leave(f, &left, &end);
	tear_page(&left, page_of_frame(&left, 0));
	fixture_open(&left);
	for (int i = 0; i < 100; i++)
		store_scrub(left.store, 256);
	assert_false(store_suspect(left.store));
	assert_int_equal(store_damaged(left.store), 0);
	fixture_close(&left);
	remove_dir(left.dir);
}

/* The log of the open store; what SQLite has in memory is let go, so that it reads. */
static void
change_under(struct fixture *f, off_t at, int bit)
{
	sqlite3_db_release_memory(f->store->db);
	change(f, at, bit);
}

static void
a_bit_that_flips_in_the_log_of_the_open_store_is_found_by_whoever_reads_the_page(void **state)
{
	struct fixture left;
	off_t end;
	int found = 0, frames = 0;
	leave(*state, &left, &end);
	remove_dir(left.dir);
	for (off_t at = 32; at < end; at += FRAME_BYTES, frames++) {
		struct fixture *f = *state;
		int64_t before = store_damaged(f->store);
		change_under(f, at + 24 + 300, (int)(frames % 8));
		int have = visits(f);
		/* It may be a page that the log has a newer one of, or that nobody asked for. */
		assert_true(have == COMMITS || store_damaged(f->store) > before);
		found += store_damaged(f->store) > before;
		change_under(f, at + 24 + 300, (int)(frames % 8));
		assert_int_equal(visits(f), COMMITS);
	}
	assert_true(found > 0);
}

static void
a_checkpoint_takes_no_damaged_page_into_the_file(void **state)
{
	struct fixture left, *f = *state;
	off_t end;
	leave(f, &left, &end);
	remove_dir(left.dir);
	/* The last page of the last commit: none is newer. */
	change_under(f, end - 100, 3);
	store_checkpoint(f->store);
	assert_true(store_suspect(f->store));
	assert_int_equal(store_damaged(f->store), 1);
	fixture_reopen(f);
	assert_true(store_damaged(f->store) > 0);
}

/* Whoever looks into the state of a store that was killed with a sqlite3 of their own takes the log into the file. */
static void
look_with_stock_sqlite(const struct fixture *left)
{
	char path[160];
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/state.db", left->dir);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "SELECT count(*) FROM visit", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
a_state_that_a_stock_sqlite_opened_is_whole_and_gets_its_sums_again(void **state)
{
	struct fixture left;
	off_t end;
	leave(*state, &left, &end);
	look_with_stock_sqlite(&left);
	int64_t before = store_vfs_foreign();
	fixture_open(&left);
	assert_int_equal(visits(&left), COMMITS);
	for (int i = 0; i < 100; i++)
		store_scrub(left.store, 256);
	assert_false(store_suspect(left.store));
	fixture_close(&left);
	int64_t after = store_vfs_foreign();
	assert_true(after > before);
	fixture_open(&left);
	assert_int_equal(visits(&left), COMMITS);
	fixture_close(&left);
	assert_int_equal(store_vfs_foreign(), after);
	leave(*state, &left, &end);
	look_with_stock_sqlite(&left);
	assert_left(*state, &left, COMMITS, false, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_state_that_a_stock_sqlite_opened_is_whole_and_gets_its_sums_again),
		STORE_TEST(a_log_that_is_whole_is_taken_in_without_a_word),
		STORE_TEST(a_flipped_bit_in_the_log_is_told_and_begins_a_new_epoch),
		STORE_TEST(a_page_that_a_checkpoint_left_torn_is_read_from_the_log),
		STORE_TEST(looking_at_pages_passes_over_those_that_the_log_has),
		STORE_TEST(
		    a_bit_that_flips_in_the_log_of_the_open_store_is_found_by_whoever_reads_the_page),
		STORE_TEST(a_checkpoint_takes_no_damaged_page_into_the_file),
		STORE_TEST(a_last_transaction_that_is_half_there_is_what_a_power_cut_leaves),
		STORE_TEST(a_last_transaction_whose_first_frame_did_not_arrive_begins_a_new_epoch),
		STORE_TEST(what_a_former_cut_left_behind_a_half_transaction_is_no_damage),
		STORE_TEST(a_head_of_two_halves_ends_no_transaction),
		STORE_TEST(a_stretch_of_noise_in_the_log_is_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
