/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_seen.c - names of events that were here: many of them, after a start, a rollback, damage, and from the
 * schema before.
 */
#include "store_fixture.h"

#include <sqlite3.h>

#include "core/id.h"
#include "store/store_internal.h"

static struct id
event_name(uint64_t n)
{
	char text[32];
	const char *parts[] = { text };

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return hash_parts(parts, 1);
}

static void
put_name(struct fixture *f, uint64_t n)
{
	struct id name = event_name(n), digest = id_of(n);

	assert_int_equal(store_seen_put(f->store, &name, &digest, 1000 + (int64_t)n), 0);
}

static void
put_names(struct fixture *f, uint64_t from, uint64_t to)
{
	begin(f);
	for (uint64_t n = from; n < to; n++) {
		put_name(f, n);
		/* As folds of some turns do. */
		if (n % 20 == 19)
			assert_int_equal(store_settle(f->store), 0);
	}
	assert_int_equal(store_settle(f->store), 0);
	commit(f);
}

static void
assert_name(struct fixture *f, uint64_t n, bool there)
{
	struct id name = event_name(n), digest = id_of(n), got;
	int64_t at_ms = 0;
	int error = store_seen_get(f->store, &name, &got, &at_ms);

	if (error != (there ? 0 : AISLE_E_NONE))
		fail_msg("name %llu: %d", (unsigned long long)n, error);
	if (!there)
		return;
	assert_true(id_equal(&got, &digest));
	assert_int_equal(at_ms, 1000 + (int64_t)n);
}

static void
change(struct fixture *f, const char *sql)
{
	char path[160];
	sqlite3 *db;

	fixture_close(f);
	snprintf(path, sizeof(path), "%s/state.db", f->dir);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, store_vfs(NULL)),
	    SQLITE_OK);
	sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* How many of the first so many. */
static int
known(struct fixture *f, uint64_t count)
{
	int known = 0;

	for (uint64_t n = 0; n < count; n++) {
		struct id name = event_name(n), got;
		int64_t at_ms;

		known += store_seen_get(f->store, &name, &got, &at_ms) == 0;
	}
	return known;
}

#define MANY 30000 /* more than the first three tables hold */

static void
many_names_are_known_and_no_others_before_and_after_a_start(void **state)
{
	struct fixture *f = *state;

	put_names(f, 0, MANY);
	assert_true(f->store->seen.count >= 4);
	for (int starts = 0; starts < 2; starts++) {
		for (uint64_t n = 0; n < 2 * MANY; n += 1 + n % 3)
			assert_name(f, n, n < MANY);
		fixture_reopen(f);
	}
}

static void
a_name_written_again_counts_as_it_was_written_last(void **state)
{
	struct fixture *f = *state;
	struct id name = event_name(1), second = id_of(77), got;
	int64_t at_ms;

	put_names(f, 0, 100);
	begin(f);
	assert_int_equal(store_seen_put(f->store, &name, &second, 5000), 0);
	assert_int_equal(store_settle(f->store), 0);
	commit(f);
	for (int starts = 0; starts < 2; starts++) {
		assert_int_equal(store_seen_get(f->store, &name, &got, &at_ms), 0);
		assert_true(id_equal(&got, &second));
		assert_int_equal(at_ms, 5000);
		fixture_reopen(f);
	}
}

static int64_t
slots_used(const struct fixture *f)
{
	int64_t used = 0;

	for (size_t i = 0; i < f->store->seen.count; i++)
		used += (int64_t)f->store->seen.tables[i].used;
	return used;
}

/* On a full disk a turn is tried for days. */
static void
a_fold_that_is_rolled_back_again_and_again_takes_no_memory(void **state)
{
	struct fixture *f = *state;
	int64_t before;

	put_names(f, 0, 50);
	before = slots_used(f);
	for (int i = 0; i < 10; i++) {
		begin(f);
		for (uint64_t n = 50; n < 250; n++)
			put_name(f, n);
		assert_int_equal(store_settle(f->store), 0);
		assert_name(f, 60, true);
		store_rollback(f->store);
		assert_name(f, 60, false);
	}
	assert_in_range(slots_used(f), before, before + 200);
	put_names(f, 300, 500);
	assert_name(f, 60, false);
	for (uint64_t n = 300; n < 500; n++)
		assert_name(f, n, true);
}

static void
the_oldest_leave_with_their_row_and_give_their_memory_back(void **state)
{
	struct fixture *f = *state;
	int removed = 0, sum = 0;

	put_names(f, 0, MANY);
	size_t tables = f->store->seen.count;
	do {
		begin(f);
		removed =
		    store_prune(f->store, 1000 + MANY, 5000, INT64_MAX / 2, INT64_MAX / 2, 20);
		assert_in_range(removed, 0, 20);
		sum += removed;
		commit(f);
	} while (removed > 0);
	/* 20 names a row, of which the newest says when it goes: those of 24,980 to 24,999 are all older. */
	assert_int_equal(sum, (MANY - 5000) / 20);
	for (uint64_t n = 0; n < MANY; n += 7)
		assert_name(f, n, n >= MANY - 5000);
	assert_true(f->store->seen.count < tables);
	fixture_reopen(f);
	assert_name(f, MANY - 5001, false);
	assert_name(f, MANY - 5000, true);
}

/* What a transaction removed may come back. */
static void
names_whose_removal_is_rolled_back_are_known(void **state)
{
	struct fixture *f = *state;

	put_names(f, 0, 5000);
	for (int i = 0; i < 20; i++) {
		begin(f);
		/* 20 names a row: 250 rows. */
		for (int k = 0; k < 7; k++)
			assert_int_equal(store_prune(f->store, 1 << 20, 1, INT64_MAX / 2,
					     INT64_MAX / 2, 32),
			    32);
		store_rollback(f->store);
	}
	for (uint64_t n = 0; n < 5000; n++)
		assert_name(f, n, true);
}

static void
a_damaged_name_was_here_and_a_check_takes_it_away(void **state)
{
	struct fixture *f = *state;
	struct id name = event_name(1), got;
	int64_t at_ms;
	char hex[33], sql[300];

	put_names(f, 0, 20);
	for (size_t i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", name.b[i]);
	snprintf(sql, sizeof(sql),
	    "UPDATE seen SET body = CAST(substr(body, 1, instr(body, x'%s') + 19) || x'ffff' || "
	    "substr(body, instr(body, x'%s') + 22) AS BLOB)",
	    hex, hex);
	change(f, sql);
	fixture_open(f);
	assert_name(f, 0, true);
	assert_name(f, 2, true);
	begin(f);
	assert_int_equal(store_seen_get(f->store, &name, &got, &at_ms), AISLE_E_DAMAGED);
	assert_int_equal(store_damaged(f->store), 1);
	assert_int_equal(store_seen_check(f->store), 0);
	assert_int_equal(store_damaged(f->store), 2);
	assert_int_equal(store_seen_check(f->store), 0);
	assert_int_equal(store_damaged(f->store), 2);
	assert_name(f, 1, false);
	for (uint64_t n = 2; n < 20; n++)
		assert_name(f, n, true);
	commit(f);
}

static void
a_body_that_is_no_list_of_names_is_counted(void **state)
{
	struct fixture *f = *state;

	put_names(f, 0, 3);
	change(f, "UPDATE seen SET body = substr(body, 1, 100)");
	fixture_open(f);
	assert_int_equal(known(f, 3), 2);
	begin(f);
	assert_int_equal(store_seen_check(f->store), 0);
	assert_int_equal(store_damaged(f->store), 1);
	commit(f);
	assert_int_equal(known(f, 3), 2);
	change(f, "UPDATE seen SET body = x''");
	fixture_open(f);
	assert_int_equal(known(f, 3), 0);
}

static void
a_damaged_page_of_names_is_found_at_the_start_and_costs_its_rows(void **state)
{
	struct fixture *f = *state;
	char path[160];
	static uint8_t bytes[1 << 20];
	struct id name = event_name(500);

	put_names(f, 0, 1000);
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/state.db", f->dir);
	int fd = open(path, O_RDWR);
	ssize_t len = read(fd, bytes, sizeof(bytes));
	const uint8_t *at = memmem(bytes, (size_t)len, name.b, sizeof(name.b));
	assert_non_null(at);
	off_t place = at - bytes;
	assert_int_equal(pwrite(fd, &(uint8_t){ (uint8_t) ~*at }, 1, place), 1);
	close(fd);
	fixture_open(f);
	assert_true(store_damaged(f->store) > 0);
	assert_in_range(known(f, 1000), 900, 999);
}

/* Rows by name, as schema 4 had them: one beside its place, one damaged. */
static void
make_schema_before(struct fixture *f)
{
	struct id beside = event_name(7);
	char sql[4096];
	size_t len;

	put_names(f, 0, 1);
	len = (size_t)snprintf(sql, sizeof(sql),
	    "DROP TABLE recording; DROP TABLE turn; DROP TABLE seen; CREATE TABLE seen(id INTEGER "
	    "PRIMARY "
	    "KEY, rest INTEGER NOT NULL, value BLOB NOT NULL, at INTEGER NOT NULL, sum INTEGER NOT "
	    "NULL) "
	    "STRICT; PRAGMA user_version = 4;");
	beside.b[15] ^= 1;
	for (uint64_t n = 0; n < 10; n++) {
		struct id name = n == 8 ? beside : event_name(n), digest = id_of(n);
		uint8_t bytes[40] = { 0 };
		char hex[33];

		memcpy(bytes, name.b, 16);
		memcpy(bytes + 16, digest.b, 16);
		for (int i = 0; i < 8; i++)
			bytes[32 + i] = (uint8_t)((1000 + n) >> (8 * i));
		for (size_t i = 0; i < 16; i++)
			snprintf(hex + 2 * i, 3, "%02x", digest.b[i]);
		len += (size_t)snprintf(sql + len, sizeof(sql) - len,
		    "INSERT INTO seen VALUES(%lld, %lld, x'%s', %llu, %lld);",
		    (long long)store_slot(&name) + (n == 8), (long long)store_rest(&name), hex,
		    (unsigned long long)(1000 + n),
		    (long long)store_sum("seen", bytes, sizeof(bytes)) + (n == 9));
	}
	assert_true(len < sizeof(sql));
	change(f, sql);
}

static void
assert_taken_over(struct fixture *f)
{
	struct id beside = event_name(7), got;
	int64_t at_ms;

	beside.b[15] ^= 1;
	for (uint64_t n = 0; n < 8; n++)
		assert_name(f, n, true);
	assert_int_equal(store_seen_get(f->store, &beside, &got, &at_ms), 0);
	assert_int_equal(at_ms, 1008);
	assert_name(f, 8, false);
	assert_name(f, 9, false);
}

static void
names_of_the_schema_before_are_taken_over(void **state)
{
	struct fixture *f = *state;

	make_schema_before(f);
	fixture_open(f);
	assert_taken_over(f);
	assert_int_equal(store_damaged(f->store), 0);
}

/* An older aisled met a bad page and was stopped; the one that comes next makes the copy. */
static void
a_damaged_state_of_the_schema_before_is_copied_and_taken_over(void **state)
{
	struct fixture *f = *state;
	struct id visit = id_of(77);
	struct buf body = { 0 };
	char path[192];

	assert_int_equal(store_put(f->store, STORE_VISIT, &visit, NULL, 5, 0, "x", 1), 0);
	make_schema_before(f);
	snprintf(path, sizeof(path), "%s/state.db.suspect", f->dir);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "3\n", 2), 2);
	close(fd);
	for (int starts = 0; starts < 2; starts++) {
		fixture_open(f);
		snprintf(path, sizeof(path), "%s/state.db.damaged", f->dir);
		assert_int_equal(access(path, F_OK), 0);
		assert_taken_over(f);
		buf_clear(&body);
		assert_int_equal(store_get(f->store, STORE_VISIT, &visit, &body, NULL), 0);
		assert_int_equal(store_damaged(f->store), 3);
		fixture_close(f);
	}
	fixture_open(f);
	buf_done(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(many_names_are_known_and_no_others_before_and_after_a_start),
		STORE_TEST(a_name_written_again_counts_as_it_was_written_last),
		STORE_TEST(a_fold_that_is_rolled_back_again_and_again_takes_no_memory),
		STORE_TEST(the_oldest_leave_with_their_row_and_give_their_memory_back),
		STORE_TEST(names_whose_removal_is_rolled_back_are_known),
		STORE_TEST(a_damaged_name_was_here_and_a_check_takes_it_away),
		STORE_TEST(a_body_that_is_no_list_of_names_is_counted),
		STORE_TEST(a_damaged_page_of_names_is_found_at_the_start_and_costs_its_rows),
		STORE_TEST(names_of_the_schema_before_are_taken_over),
		STORE_TEST(a_damaged_state_of_the_schema_before_is_copied_and_taken_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
