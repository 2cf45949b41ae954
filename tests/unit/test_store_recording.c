/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_recording.c - what the store keeps of what its turns were told, and the state of the schema before.
 */
#include "store_fixture.h"

#include "failing_disk.h"

#include <sys/wait.h>

#include "store/store_internal.h"

#define BODY 400 /* bytes that do not pack */
#define START_MS INT64_C(1795000000000)

struct heard {
	int64_t first, last, at_ms, rows, holes, named, stop_after;
	bool same; /* each body is the one that was added at its time */
};

static void
body_of(int64_t at_ms, char body[static BODY])
{
	struct id id;

	for (size_t at = 0; at < BODY; at += sizeof(id.b)) {
		id = id_of((uint64_t)at_ms * BODY + at);
		memcpy(body + at, id.b, sizeof(id.b));
	}
}

static int
hear(void *ctx, int64_t n, const struct id *subject, int64_t at_ms, const void *body, size_t len)
{
	struct heard *heard = ctx;
	char expected[BODY];

	heard->named += !id_is_zero(subject);
	body_of(at_ms, expected);
	assert_true(n > heard->last && at_ms >= heard->at_ms);
	heard->first = heard->first == 0 ? n : heard->first;
	heard->last = n;
	heard->at_ms = at_ms;
	heard->rows++;
	heard->holes += body == NULL;
	heard->same =
	    heard->same && (body == NULL || (len == BODY && memcmp(body, expected, BODY) == 0));
	return heard->rows == heard->stop_after;
}

static struct heard
all(struct fixture *f, int64_t after, int64_t from_ms, int64_t to_ms, int max_rows)
{
	struct heard heard = { .same = true };

	assert_int_equal(store_recording_each(f->store, after, from_ms, to_ms, max_rows, hear,
			     &heard),
	    0);
	assert_true(heard.same);
	return heard;
}

static void
add(struct fixture *f, int64_t at_ms, const struct id *subject)
{
	char body[BODY];

	body_of(at_ms, body);
	assert_int_equal(store_recording_add(f->store, at_ms, subject, body, BODY), 0);
}

static void
record(struct fixture *f, int64_t at_ms, int count)
{
	begin(f);
	for (int i = 0; i < count; i++)
		add(f, at_ms + i, NULL);
	commit(f);
}

static int
setup(void **state)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	f->recording_mib = 1;
	fixture_reopen(f);
	return 0;
}

static void
rows_come_back_in_their_order_also_after_a_start(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(all(f, 0, 0, INT64_MAX, 100).rows, 0);
	assert_int_equal(store_recording_last(f->store), 0);
	record(f, START_MS, 20);
	fixture_reopen(f);
	record(f, START_MS + 20, 20);
	struct heard heard = all(f, 0, 0, INT64_MAX, 100);
	assert_int_equal(heard.rows, 40);
	assert_int_equal(heard.holes, 0);
	assert_int_equal(heard.first, store_recording_first(f->store));
	assert_int_equal(heard.last, store_recording_last(f->store));
}

static void
from_and_to_and_a_number_to_go_on_from_bound_what_is_read(void **state)
{
	struct fixture *f = *state;

	record(f, START_MS, 100);
	assert_int_equal(all(f, 0, START_MS + 10, START_MS + 19, 100).rows, 10);
	assert_int_equal(all(f, 0, START_MS + 99, INT64_MAX, 100).rows, 1);
	assert_int_equal(all(f, 0, START_MS + 100, INT64_MAX, 100).rows, 0);
	assert_int_equal(all(f, 0, 0, START_MS - 1, 100).rows, 0);
	assert_int_equal(all(f, 0, 0, START_MS, 100).rows, 1);
	struct heard first = all(f, 0, START_MS + 10, INT64_MAX, 30);
	assert_int_equal(first.rows, 30);
	assert_int_equal(all(f, first.last, START_MS + 10, INT64_MAX, 100).rows, 60);
	assert_int_equal(all(f, store_recording_last(f->store), 0, INT64_MAX, 100).rows, 0);
	struct heard stopped = { .same = true, .stop_after = 3 };
	assert_int_equal(store_recording_each(f->store, 0, 0, INT64_MAX, 100, hear, &stopped), 0);
	assert_int_equal(stopped.rows, 3);
}

static void
the_oldest_make_room_for_the_newest(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 40; i++)
		record(f, START_MS + 100 * i, 100);
	struct heard heard = all(f, 0, 0, INT64_MAX, 10000);
	assert_int_equal(heard.at_ms, START_MS + 3999);
	/* A MiB of 400 bytes and what is beside them, and at most a piece more. */
	assert_in_range(heard.rows, (1 << 20) / (BODY + 100),
	    ((1 << 20) + (64 << 10)) / (BODY + 32) + 1);
	assert_in_range(heard.last - heard.first, (1 << 20) - 1000, (1 << 20) + (64 << 10));
	fixture_reopen(f);
	assert_int_equal(store_recording_first(f->store), heard.first);
}

/* The first row is that of a state's begin, which has no time. */
static void
what_is_too_old_goes_and_the_begin_with_what_followed_it(void **state)
{
	struct fixture *f = *state;

	record(f, 0, 1);
	record(f, START_MS, 10);
	begin(f);
	assert_int_equal(store_settle(f->store), 0);
	assert_int_equal(store_recording_prune(f->store, START_MS, 100), 0);
	assert_int_equal(store_recording_prune(f->store, START_MS + 1, 1), 1);
	assert_int_equal(store_recording_prune(f->store, START_MS + 1, 100), 1);
	assert_int_equal(store_recording_prune(f->store, START_MS + 1, 100), 0);
	assert_int_equal(store_recording_prune(f->store, START_MS + 6, 3), 3);
	assert_int_equal(store_recording_prune(f->store, START_MS + 6, 3), 2);
	commit(f);
	struct heard heard = all(f, 0, 0, INT64_MAX, 100);
	assert_int_equal(heard.rows, 4);
	assert_int_equal(heard.at_ms, START_MS + 9);
	assert_int_equal(store_recording_first(f->store), heard.first);
}

static void
a_turn_that_is_rolled_back_was_never_recorded(void **state)
{
	struct fixture *f = *state;

	record(f, START_MS, 5);
	int64_t last = store_recording_last(f->store);
	begin(f);
	add(f, START_MS + 5, NULL);
	store_rollback(f->store);
	assert_int_equal(store_recording_last(f->store), last);
	record(f, START_MS + 6, 1);
	assert_int_equal(all(f, 0, 0, INT64_MAX, 100).rows, 6);
}

static void
nothing_is_recorded_where_nothing_is_kept_and_what_was_goes(void **state)
{
	struct fixture *f = *state;

	record(f, START_MS, 10);
	int64_t last = store_recording_last(f->store);
	f->recording_mib = 0;
	fixture_reopen(f);
	record(f, START_MS + 10, 10);
	assert_int_equal(all(f, 0, 0, INT64_MAX, 100).rows, 10);
	begin(f);
	assert_int_equal(store_recording_prune(f->store, 0, 4), 4);
	assert_int_equal(store_recording_prune(f->store, 0, 100), 6);
	assert_int_equal(store_recording_prune(f->store, 0, 100), 0);
	commit(f);
	assert_int_equal(store_recording_last(f->store), 0);
	/* Begun again, no number comes a second time. */
	f->recording_mib = 1;
	fixture_reopen(f);
	record(f, START_MS + 20, 1);
	assert_true(store_recording_last(f->store) > last);
}

static void
of_who_is_forgotten_a_place_remains_and_no_name(void **state)
{
	struct fixture *f = *state;
	struct id ann = id_of(1), ben = id_of(2);

	begin(f);
	add(f, START_MS, NULL);
	add(f, START_MS + 1, &ann);
	add(f, START_MS + 2, &ben);
	commit(f);
	assert_true(dir_contains(f->dir, ann.b, sizeof(ann.b)));
	assert_int_equal(keys_destroy(f->keys, &ann), 0);
	assert_int_equal(all(f, 0, 0, INT64_MAX, 100).holes, 1); /* the key alone is enough */
	assert_int_equal(all(f, 0, 0, INT64_MAX, 100).named, 2);
	begin(f);
	assert_int_equal(store_forget(f->store, &ann), 0);
	add(f, START_MS + 3, &ann);
	commit(f);
	struct heard heard = all(f, 0, 0, INT64_MAX, 100);
	assert_int_equal(heard.rows, 4);
	assert_int_equal(heard.holes, 2);
	assert_int_equal(heard.named, 1);
	store_checkpoint(f->store);
	char sql[] = "SELECT COUNT(*) FROM recording WHERE subject IS NOT NULL";
	int64_t named = 0;
	struct err err = { 0 };
	assert_int_equal(store_read_number(f->store, sql, &named, &err), 0);
	assert_int_equal(named, 1);
}

static void
a_row_that_does_not_open_is_a_hole_and_the_others_are_read(void **state)
{
	struct fixture *f = *state;

	record(f, START_MS, 10);
	assert_int_equal(store_settle(f->store), 0);
	assert_int_equal(sqlite3_exec(f->store->db,
			     "UPDATE recording SET body = zeroblob(60) WHERE at % 10 = 4", NULL,
			     NULL, NULL),
	    SQLITE_OK);
	struct heard heard = all(f, 0, 0, INT64_MAX, 100);
	assert_int_equal(heard.rows, 10);
	assert_int_equal(heard.holes, 1);
	assert_int_equal(all(f, 0, 0, INT64_MAX, 100).rows, 10); /* reading changes nothing */
}

static void
with_little_room_left_the_recording_goes_first(void **state)
{
	struct fixture *f = *state;
	char large[8000];

	noise(large, sizeof(large));
	f->max_mib = 2;
	fixture_reopen(f);
	record(f, START_MS, 200);
	for (uint32_t i = 0; !store_pressed(f->store); i++) {
		struct id key = ulid_of(START_MS, i);

		begin(f);
		assert_int_equal(store_put(f->store, STORE_DECISION, &key, NULL, START_MS, 0, large,
				     sizeof(large)),
		    0);
		commit(f);
	}
	begin(f);
	assert_int_equal(store_recording_prune(f->store, 0, 1000), 199);
	commit(f);
	assert_int_equal(all(f, 0, 0, INT64_MAX, 100).rows, 1);
}

/* ---- the schema before ---- */

static void
change(const struct fixture *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(path_in(f, "state.db"), &db, SQLITE_OPEN_READWRITE,
			     store_vfs(NULL)),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL),
	    SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static int64_t
number(const struct fixture *f, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int64_t value = -1;

	assert_int_equal(sqlite3_open_v2(path_in(f, "state.db"), &db, SQLITE_OPEN_READWRITE,
			     store_vfs(NULL)),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL),
	    SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return value;
}

static const char to_before[] =
    "DROP TABLE recording; DROP TABLE turn; DROP TABLE seen; CREATE TABLE seen(id INTEGER "
    "PRIMARY KEY, rest INTEGER NOT NULL, value BLOB NOT NULL, at INTEGER NOT NULL, "
    "sum INTEGER NOT NULL) STRICT; PRAGMA user_version = 4";
static const struct id kept = { { 1, 2, 3 } };

/* A state as the version before left it. */
static void
make_before(struct fixture *f)
{
	begin(f);
	assert_int_equal(store_put(f->store, STORE_SUBJECT, &kept, &kept, 1, 0, "who", 3), 0);
	assert_int_equal(store_meta_set(f->store, "bundle", "x", 1), 0);
	commit(f);
	fixture_close(f);
	change(f, to_before);
}

static void
is_taken_over(struct fixture *f)
{
	struct buf body = { 0 };

	assert_false(store_is_new(f->store));
	assert_int_equal(store_damaged(f->store), 0);
	assert_int_equal(store_get(f->store, STORE_SUBJECT, &kept, &body, NULL), 0);
	assert_int_equal(body.len, 3);
	buf_done(&body);
	record(f, START_MS, 1);
	assert_int_equal(all(f, 0, 0, INT64_MAX, 100).rows, 1);
}

static void
the_state_of_the_version_before_is_taken_over_with_its_rows_and_epoch(void **state)
{
	struct fixture *f = *state;
	char epoch[17], now[17];

	store_epoch(f->store, epoch);
	make_before(f);
	fixture_open(f);
	store_epoch(f->store, now);
	assert_string_equal(now, epoch);
	is_taken_over(f);
	fixture_reopen(f);
	assert_int_equal(all(f, 0, 0, INT64_MAX, 100).rows, 1);
	fixture_close(f);
	assert_int_equal(number(f, "PRAGMA user_version"), STORE_SCHEMA);
}

static void
older_and_newer_state_is_refused_unharmed(void **state)
{
	struct fixture *f = *state;
	struct err err = { 0 };

	make_before(f);
	for (int version = 1; version <= 7; version++) {
		char sql[60];

		if (version == 4 || version == STORE_SCHEMA)
			continue;
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
		change(f, sql);
		err = (struct err){ 0 };
		assert_int_equal(fixture_try_open(f, &err), AISLE_E_REFUSED);
		assert_non_null(strstr(err.text,
		    version < 4 ? "an older aisled" : "a newer aisled"));
		assert_int_equal(number(f, "PRAGMA user_version"), version);
		assert_int_equal(number(f,
				     "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'recording'"),
		    0);
	}
}

/* In a child, which the disk kills at its n-th write: true when it got to the end. */
static bool
open_and_die(struct fixture *f, int writes)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct err err = { 0 };

		disk_use(true);
		disk.kills = true;
		disk_break(writes);
		if (fixture_try_open(f, &err) != 0)
			_exit(2);
		_exit(0); /* as a kill would: nothing is closed */
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return !WIFSIGNALED(status);
}

static void
a_kill_at_any_write_leaves_the_one_or_the_other(void **state)
{
	struct fixture *f = *state;
	bool whole = false;
	int writes;

	make_before(f);
	for (writes = 0; !whole; writes++) {
		assert_true(writes < 300);
		whole = open_and_die(f, writes);
		fixture_open(f);
		is_taken_over(f);
		fixture_close(f);
		if (!whole)
			change(f, to_before);
	}
	assert_true(writes > 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(rows_come_back_in_their_order_also_after_a_start),
		T(from_and_to_and_a_number_to_go_on_from_bound_what_is_read),
		T(the_oldest_make_room_for_the_newest),
		T(what_is_too_old_goes_and_the_begin_with_what_followed_it),
		T(a_turn_that_is_rolled_back_was_never_recorded),
		T(nothing_is_recorded_where_nothing_is_kept_and_what_was_goes),
		T(of_who_is_forgotten_a_place_remains_and_no_name),
		T(a_row_that_does_not_open_is_a_hole_and_the_others_are_read),
		T(with_little_room_left_the_recording_goes_first),
		T(the_state_of_the_version_before_is_taken_over_with_its_rows_and_epoch),
		T(older_and_newer_state_is_refused_unharmed),
		T(a_kill_at_any_write_leaves_the_one_or_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
