/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_check.c - what a check of all rows says of one row of each table that is not what was written.
 */
#include "store_fixture.h"

#include <sqlite3.h>

#include "store/store_check.h"
#include "store/store_internal.h"

#define EACH 40 /* rows */

static void
fill(struct fixture *f)
{
	f->recording_mib = 1;
	fixture_reopen(f);
	begin(f);
	for (int i = 1; i <= EACH; i++) {
		struct id key = id_of(i), other = id_of(1000 + i), subject = id_of(2000 + i);

		for (int table = 0; table < STORE_COUNT; table++)
			assert_int_equal(store_put(f->store, (enum store_table)table, &key,
					     &subject, i, i % 2, "body", 4),
			    0);
		for (int log = 0; log < STORE_LOG_COUNT; log++)
			assert_int_equal(store_log_add(f->store, (enum store_log)log, &key,
					     log == STORE_LOG_SUBJECT ? &key : &subject, 1, i,
					     "row", 3),
			    0);
		assert_int_equal(store_seen_put(f->store, &key, &other, i), 0);
		/* A row of names for each. */
		assert_int_equal(store_settle(f->store), 0);
		assert_int_equal(store_ref_put(f->store, &key, &other, i), 0);
		char id[32];
		snprintf(id, sizeof(id), "card/a/%d", i);
		assert_int_equal(store_timer_add(f->store, i, id), 0);
		assert_int_equal(store_outbox_add(f->store, "aisle/v1/1/x", &subject, false, "p", 1,
				     NULL),
		    0);
		assert_int_equal(store_uplink_add(f->store, LANE_DECISION, "decision", i, &subject,
				     "{}", 2),
		    0);
		assert_int_equal(store_waiting_add(f->store, (INT64_C(1) << 40) + i, &subject, 1,
				     "event", 5),
		    0);
		assert_int_equal(store_recording_add(f->store, i, &subject, "event", 5), 0);
		assert_int_equal(store_dead_add(f->store, i, "t", "bad-value", "d", &subject, "p",
				     1),
		    0);
	}
	commit(f);
}

static void
check(struct fixture *f, struct store_checked *checked)
{
	char path[160];
	struct err err = { 0 };

	*checked = (struct store_checked){ 0 };
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/state.db", f->dir);
	assert_int_equal(store_check_pages(path, checked), 0);
	assert_int_equal(checked->bad_pages, 0);
	assert_true(checked->pages > 0);
	fixture_open(f);
	assert_int_equal(store_check_rows(f->store, checked, &err), 0);
	assert_int_equal(checked->count, STORE_CHECK_TABLES);
}

static void
what_was_written_is_sound_and_a_check_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_checked checked;

	fill(f);
	for (int i = 0; i < 2; i++) {
		check(f, &checked);
		for (size_t t = 0; t < checked.count; t++) {
			assert_int_equal(checked.tables[t].rows, EACH);
			assert_int_equal(checked.tables[t].damaged, 0);
		}
		assert_int_equal(checked.uplink, EACH);
		assert_int_equal(checked.outbox, EACH);
	}
}

static void
who_was_forgotten_is_no_damage(void **state)
{
	struct fixture *f = *state;
	struct store_checked checked;
	struct id subject = id_of(2001);

	fill(f);
	begin(f);
	assert_int_equal(store_forget(f->store, &subject), 0);
	commit(f);
	assert_int_equal(keys_destroy(f->keys, &subject), 0);
	check(f, &checked);
	for (size_t t = 0; t < checked.count; t++)
		assert_int_equal(checked.tables[t].damaged, 0);
}

/* Of each table a row is changed, then every one: as many are found as the sums and seals can prove. */
static void
a_row_that_does_not_open_is_counted_in_its_table(void **state)
{
	struct fixture *f = *state;
	/* clang-format off */
	static const struct {
		const char *table, *change;
	} cases[] = {
		{ "visit", "at = at + 1" }, { "subject", "subject = zeroblob(16)" }, { "decision", "body = zeroblob(60)" },
		{ "tablet", "flag = flag + 2" }, { "return", "body = zeroblob(9)" }, { "log_subject", "kind = 2" },
		{ "log_outcome", "at = at + 1" }, { "seen", "body = zeroblob(48)" }, { "ref", "value = zeroblob(16)" },
		{ "timer", "sum = sum + 1" }, { "outbox", "topic = 'aisle/v1/1/y'" }, { "uplink", "at = at + 1" },
		{ "waiting", "bytes = bytes + 1" }, { "recording", "at = at + 1" }, { "dead", "detail = 'e'" },
	};
	/* clang-format on */

	_Static_assert(ARRAY_LEN(cases) == STORE_CHECK_TABLES, "each table");
	fill(f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_checked checked;
		char sql[200], path[160];
		sqlite3 *db;

		fixture_close(f);
		snprintf(path, sizeof(path), "%s/state.db", f->dir);
		assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, store_vfs(NULL)),
		    SQLITE_OK);
		snprintf(sql, sizeof(sql),
		    "PRAGMA locking_mode = EXCLUSIVE; UPDATE %s SET %s WHERE rowid = (SELECT "
		    "max(rowid) FROM %s)",
		    cases[i].table, cases[i].change, cases[i].table);
		if (strcmp(cases[i].table, "timer") == 0)
			snprintf(sql, sizeof(sql),
			    "PRAGMA locking_mode = EXCLUSIVE; UPDATE timer SET %s WHERE due = 7",
			    cases[i].change);
		if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
			fail_msg("%s: %s", sql, sqlite3_errmsg(db));
		sqlite3_close(db);
		fixture_open(f);
		check(f, &checked);
		for (size_t t = 0; t < checked.count; t++) {
			bool changed = false;
			for (size_t k = 0; k <= i; k++)
				changed |= strcmp(cases[k].table, checked.tables[t].name) == 0;
			if (checked.tables[t].damaged != changed)
				fail_msg("%s: %d damaged", checked.tables[t].name,
				    (int)checked.tables[t].damaged);
		}
	}
}

/* Read as a text it is the one that was written, and no row is found by that: it would come first for ever. */
static void
a_timer_with_bytes_behind_its_end_is_damaged(void **state)
{
	struct fixture *f = *state;
	struct store_checked checked;
	char path[160], id[128];
	int64_t due_ms = 0;
	sqlite3 *db;

	assert_int_equal(store_timer_add(f->store, 5, "card/a/5"), 0);
	assert_int_equal(store_timer_add(f->store, 6, "card/a/6"), 0);
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/state.db", f->dir);
	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, store_vfs(NULL)),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
			     "PRAGMA locking_mode = EXCLUSIVE; UPDATE timer SET id = id || "
			     "char(0) WHERE due = 5",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	fixture_open(f);
	check(f, &checked);
	for (size_t t = 0; t < checked.count; t++)
		assert_int_equal(checked.tables[t].damaged,
		    strcmp(checked.tables[t].name, "timer") == 0);
	begin(f);
	assert_int_equal(store_timer_first(f->store, &due_ms, id), 0);
	assert_int_equal(due_ms, 6);
	commit(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(what_was_written_is_sound_and_a_check_changes_nothing),
		STORE_TEST(who_was_forgotten_is_no_damage),
		STORE_TEST(a_row_that_does_not_open_is_counted_in_its_table),
		STORE_TEST(a_timer_with_bytes_behind_its_end_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
