/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_turn.c - a turn as one row: what a kill leaves, what a fold keeps, what damage and erasure take.
 */
#include "store_fixture.h"

#include "store/store_internal.h"

/* ---- a store that is killed: its files as they lie there ---- */

static void
copy_file(const struct fixture *from, const struct fixture *to, const char *name)
{
	char command[400];

	snprintf(command, sizeof(command), "cp %s/%s %s/ 2>/dev/null || true", from->dir, name,
	    to->dir);
	assert_int_equal(system(command), 0);
}

static void
kill_copy(const struct fixture *f, struct fixture *left)
{
	static const char *const names[] = { "state.db", "state.db-wal", "keys.db", "keys.db-wal" };

	*left =
	    (struct fixture){ .dir = "/tmp/aisle-turn-XXXXXX", .recording_mib = f->recording_mib };
	assert_non_null(mkdtemp(left->dir));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		copy_file(f, left, names[i]);
}

static void
bury(struct fixture *left)
{
	fixture_close(left);
	remove_dir(left->dir);
}

static void
tamper(const struct fixture *f, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(path_in(f, "state.db"), &db, SQLITE_OPEN_READWRITE,
			     store_vfs(NULL)),
	    SQLITE_OK);
	sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* ---- rows ---- */

static void
put(struct fixture *f, enum store_table table, const struct id *key, const struct id *subject,
    int flag, const char *text)
{
	assert_int_equal(store_put(f->store, table, key, subject, 1000, flag, text, strlen(text)),
	    0);
}

static void
put_alone(struct fixture *f, const struct id *key, const char *text)
{
	begin(f);
	put(f, STORE_VISIT, key, NULL, 1, text);
	commit(f);
}

/* NULL: it is not there. */
static void
assert_body(struct fixture *f, enum store_table table, const struct id *key, const char *text)
{
	struct buf body = { 0 };
	int error = store_get(f->store, table, key, &body, NULL);

	assert_int_equal(error, text != NULL ? 0 : AISLE_E_NONE);
	if (text != NULL)
		assert_string_equal(body.data, text);
	buf_done(&body);
}

static int64_t
number_of(struct fixture *f, const char *sql)
{
	int64_t n = -1;
	struct err err = { 0 };

	assert_int_equal(store_read_number(f->store, sql, &n, &err), 0);
	return n;
}

struct list {
	char text[400];
};

AISLE_PRINTF(2, 3)
static void
say(struct list *list, const char *format, ...)
{
	size_t len = strlen(list->text);
	va_list args;

	va_start(args, format);
	vsnprintf(list->text + len, sizeof(list->text) - len, format, args);
	va_end(args);
}

static int
take_row(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	(void)key, (void)subject, (void)at_ms;
	say(ctx, "%.*s ", (int)len, (const char *)body);
	return 0;
}

static int
take_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	(void)at_ms;
	say(ctx, "%lld:%d:%.*s ", (long long)n, kind, (int)len, (const char *)body);
	return 0;
}

static int
count_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	(void)n, (void)kind, (void)at_ms, (void)body, (void)len;
	++*(int *)ctx;
	return 0;
}

static int
take_outbox(void *ctx, int64_t id, const char *topic, bool retain, const void *payload, size_t len)
{
	(void)id;
	say(ctx, "%s:%d:%.*s ", topic, retain, (int)len, (const char *)payload);
	return 0;
}

static int
take_uplink(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	(void)at_ms;
	say(ctx, "%lld:%s:%.*s ", (long long)seq, type, (int)len, (const char *)body);
	return 0;
}

static int
take_recorded(void *ctx, int64_t n, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	(void)n, (void)subject, (void)at_ms;
	say(ctx, "%.*s ", body != NULL ? (int)len : 4, body != NULL ? (const char *)body : "hole");
	return 0;
}

#define ROWS(want, call) \
	do { \
		struct list list = { "" }; \
		assert_true((call) >= 0); \
		assert_string_equal(list.text, want); \
	} while (0)

/* One of each; what is read of it is assert_each. */
static void
write_each(struct fixture *f)
{
	struct id visit = ulid_of(5, 1), anna = id_of(1), name = id_of(2), value = id_of(3);

	begin(f);
	put(f, STORE_VISIT, &visit, &anna, 1, "visit");
	put(f, STORE_DECISION, &visit, NULL, 0, "decision");
	assert_int_equal(store_log_add(f->store, STORE_LOG_SUBJECT, &anna, &anna, 7, 1, "a", 1), 0);
	assert_int_equal(store_log_add(f->store, STORE_LOG_SUBJECT, &anna, &anna, 8, 1, "b", 1), 0);
	assert_int_equal(store_seen_put(f->store, &name, &value, 77), 0);
	assert_int_equal(store_ref_put(f->store, &name, &visit, 77), 0);
	assert_int_equal(store_meta_set(f->store, "floor", "42", 2), 0);
	assert_int_equal(store_timer_add(f->store, 9000, "card/x/9000"), 0);
	assert_int_equal(store_outbox_add(f->store, "t/1", &anna, true, "pay", 3, NULL), 0);
	assert_int_equal(store_uplink_add(f->store, LANE_MONEY, "sale", 1, &anna, "{}", 2), 0);
	assert_int_equal(store_recording_add(f->store, 1000, &anna, "heard", 5), 0);
	commit(f);
}

static void
assert_each(struct fixture *f)
{
	struct id visit = ulid_of(5, 1), anna = id_of(1), name = id_of(2), value = id_of(3), got;
	struct buf text = { 0 };
	int64_t at_ms;
	char id[128];

	assert_body(f, STORE_VISIT, &visit, "visit");
	assert_body(f, STORE_DECISION, &visit, "decision");
	ROWS("visit ", store_each(f->store, STORE_VISIT, 1, take_row, &list));
	ROWS("1:7:a 2:8:b ", store_log_each(f->store, STORE_LOG_SUBJECT, &anna, take_log, &list));
	assert_int_equal(store_seen_get(f->store, &name, &got, &at_ms), 0);
	assert_true(id_equal(&got, &value) && at_ms == 77);
	assert_int_equal(store_ref_get(f->store, &name, &got), 0);
	assert_true(id_equal(&got, &visit));
	assert_int_equal(store_meta_get(f->store, "floor", &text), 0);
	assert_string_equal(text.data, "42");
	buf_done(&text);
	assert_int_equal(store_timer_first(f->store, &at_ms, id), 0);
	assert_string_equal(id, "card/x/9000");
	ROWS("t/1:1:pay ", store_outbox_each(f->store, 0, take_outbox, &list));
	ROWS("1:sale:{} ", store_uplink_each(f->store, LANE_MONEY, 0, 9, take_uplink, &list));
	ROWS("heard ", store_recording_each(f->store, 0, 0, INT64_MAX, 9, take_recorded, &list));
	assert_int_equal(store_damaged(f->store), 0);
}

/* ---- a kill ---- */

static void
what_a_turn_wrote_is_there_after_a_kill_whichever_table_it_is_of(void **state)
{
	struct fixture *f = *state, left;
	char before[17], after[17];

	fixture_close(f);
	f->recording_mib = 1;
	fixture_open(f);
	write_each(f);
	assert_each(f);
	assert_int_equal(number_of(f, "SELECT COUNT(*) FROM visit"),
	    0); /* it is nowhere else yet */
	kill_copy(f, &left);
	fixture_open(&left);
	store_epoch(f->store, before);
	store_epoch(left.store, after);
	assert_string_equal(before, after);
	assert_each(&left);
	/* Folded it reads the same, and a kill after that has nothing twice. */
	assert_int_equal(store_settle(left.store), 0);
	assert_each(&left);
	assert_int_equal(number_of(&left, "SELECT COUNT(*) FROM visit"), 1);
	struct fixture again;
	kill_copy(&left, &again);
	fixture_open(&again);
	assert_each(&again);
	bury(&again);
	bury(&left);
}

/* What the store is after n turns of churn. */
static void
assert_churned(struct fixture *f, uint32_t turns)
{
	char text[20], id[128];
	struct buf body = { 0 };
	int64_t due_ms;

	for (uint32_t v = 0; v < 7; v++) {
		struct id visit = ulid_of(1, v);
		uint32_t last = turns - 1 - (turns - 1 - v) % 7;

		snprintf(text, sizeof(text), "%u", last);
		assert_body(f, STORE_VISIT, &visit, text);
	}
	assert_int_equal(store_timer_first(f->store, &due_ms, id), 0);
	assert_int_equal(due_ms, 1000 + turns - 1);
	assert_int_equal(store_uplink_count(f->store), turns % 10 + (turns >= 10));
	assert_int_equal(store_outbox_last(f->store) >= turns, 1);
	struct list rows = { "" };
	assert_int_equal(store_outbox_each(f->store, 0, take_outbox, &rows), 0);
	snprintf(id, sizeof(id), "t:0:%u ", turns - 1);
	assert_string_equal(rows.text, id);
	assert_int_equal(store_meta_get(f->store, "turns", &body), 0);
	snprintf(text, sizeof(text), "%u", turns);
	assert_string_equal(body.data, text);
	buf_done(&body);
	assert_int_equal(number_of(f, "SELECT COUNT(*) FROM timer") <= 1, 1);
}

static void
churn(struct fixture *f, uint32_t turn, int64_t *outbox)
{
	struct id visit = ulid_of(1, turn % 7);
	char text[20], id[40];
	int len = snprintf(text, sizeof(text), "%u", turn);

	begin(f);
	put(f, STORE_VISIT, &visit, NULL, 1, text);
	snprintf(id, sizeof(id), "card/%u/", turn - 1);
	if (turn > 0)
		assert_int_equal(store_timer_delete(f->store, 1000 + turn - 1, id), 0);
	snprintf(id, sizeof(id), "card/%u/", turn);
	assert_int_equal(store_timer_add(f->store, 1000 + turn, id), 0);
	assert_int_equal(store_uplink_add(f->store, LANE_MONEY, "x", turn, NULL, text, (size_t)len),
	    0);
	if (turn % 10 == 9)
		assert_int_equal(store_uplink_ack(f->store, LANE_MONEY, turn), 0);
	if (*outbox > 0)
		assert_int_equal(store_outbox_delete(f->store, *outbox), 0);
	assert_int_equal(store_outbox_add(f->store, "t", NULL, false, text, (size_t)len, outbox),
	    0);
	snprintf(text, sizeof(text), "%u", turn + 1);
	assert_int_equal(store_meta_set(f->store, "turns", text, strlen(text)), 0);
	commit(f);
	struct list rows = { "" };
	assert_int_equal(store_uplink_each(f->store, LANE_MONEY, 0, 20, take_uplink, &rows), 0);
}

/* A prime, so that the kill comes at any distance from a fold. */
static void
a_thousand_turns_are_the_same_at_whichever_a_kill_comes(void **state)
{
	struct fixture *f = *state;
	int64_t outbox = 0;

	for (uint32_t turn = 0; turn < 1000; turn++) {
		churn(f, turn, &outbox);
		if (turn < 7 || turn % 59 != 0)
			continue;
		struct fixture left;
		kill_copy(f, &left);
		fixture_open(&left);
		assert_churned(&left, turn + 1);
		assert_int_equal(store_damaged(left.store), 0);
		bury(&left);
	}
	assert_churned(f, 1000);
	/* Most of it never reached its table, and the ring is no longer than it was. */
	assert_int_equal(number_of(f, "SELECT COUNT(*) FROM uplink"), 0);
	assert_true(number_of(f, "SELECT COUNT(*) FROM turn") <= 320);
	fixture_reopen(f);
	assert_churned(f, 1000);
	assert_int_equal(number_of(f, "SELECT COUNT(*) FROM visit"), 7);
}

static void
a_turn_with_the_longest_rows_is_read_whole_and_gives_its_room_back(void **state)
{
	struct fixture *f = *state, left;
	struct id keys[3] = { ulid_of(1, 1), ulid_of(1, 2), ulid_of(1, 3) }, anna = id_of(1);
	char *body = malloc(STORE_BODY_MAX);
	struct buf got = { 0 };

	noise(body, STORE_BODY_MAX);
	begin(f);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_int_equal(store_put(f->store, STORE_VISIT, &keys[i], i == 1 ? &anna : NULL,
				     1, 0, body, STORE_BODY_MAX),
		    0);
	commit(f);
	kill_copy(f, &left);
	fixture_open(&left);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		buf_clear(&got);
		assert_int_equal(store_get(left.store, STORE_VISIT, &keys[i], &got, NULL), 0);
		assert_int_equal(got.len, STORE_BODY_MAX);
		assert_memory_equal(got.data, body, STORE_BODY_MAX);
	}
	/* The next turns fold it. */
	put_alone(&left, &keys[0], "short");
	put_alone(&left, &keys[0], "shorter");
	assert_true(number_of(&left, "SELECT COALESCE(SUM(length(body)), 0) FROM turn") < 10000);
	assert_body(&left, STORE_VISIT, &keys[0], "shorter");
	bury(&left);
	buf_done(&got);
	free(body);
}

static void
a_fold_that_was_taken_back_gives_room_back_when_it_comes_again(void **state)
{
	struct fixture *f = *state;
	struct id key = id_of(1), other = id_of(2);
	static char body[100000];

	noise(body, sizeof(body));
	begin(f);
	assert_int_equal(store_put(f->store, STORE_VISIT, &key, NULL, 1000, 1, body, sizeof(body)),
	    0);
	commit(f);
	assert_int_equal(number_of(f, "SELECT COUNT(*) FROM turn WHERE length(body) > 9999"), 1);
	begin(f);
	assert_int_equal(store_settle(f->store), 0);
	store_rollback(f->store);
	assert_int_equal(number_of(f, "SELECT COUNT(*) FROM turn WHERE length(body) > 9999"), 1);
	begin(f);
	put(f, STORE_VISIT, &other, NULL, 1, "x");
	assert_int_equal(store_settle(f->store), 0);
	commit(f);
	assert_int_equal(number_of(f, "SELECT COUNT(*) FROM turn WHERE length(body) > 9999"), 0);
}

/* A recording that goes on after a copy of a state begins with the number that the copy says. */
static void
a_copy_says_the_number_that_is_recorded_next_wherever_its_newest_row_lies(void **state)
{
	struct fixture *f = *state, left;
	struct id anna = id_of(1);

	fixture_close(f);
	f->recording_mib = 1;
	fixture_open(f);
	for (int i = 0; i < 4; i++) {
		begin(f);
		assert_int_equal(store_recording_add(f->store, 1000 + i, i % 2 ? &anna : NULL,
				     "heard heard heard heard heard heard heard heard", 48),
		    0);
		commit(f);
		if (i >= 2)
			assert_int_equal(store_settle(f->store), 0);
		kill_copy(f, &left);
		fixture_open(&left);
		assert_int_equal(store_recording_last(left.store), store_recording_last(f->store));
		assert_int_equal(store_recording_next(left.store), store_recording_next(f->store));
		bury(&left);
	}
}

/* ---- forgotten ---- */

static void
of_two_customers_in_a_turn_who_is_forgotten_goes_and_the_other_stays(void **state)
{
	struct fixture *f = *state, left;
	struct id anna = id_of(1), ben = id_of(2), of_anna = ulid_of(1, 1), of_ben = ulid_of(1, 2);

	begin(f);
	put(f, STORE_VISIT, &of_anna, &anna, 0, "anna's");
	put(f, STORE_VISIT, &of_ben, &ben, 0, "ben's");
	assert_int_equal(store_uplink_add(f->store, LANE_DECISION, "d", 1, &anna, "{}", 2), 0);
	assert_int_equal(store_uplink_add(f->store, LANE_DECISION, "d", 1, &ben, "{}", 2), 0);
	commit(f);
	/* By their key alone, and killed before the row knows. */
	assert_int_equal(keys_destroy(f->keys, &anna), 0);
	assert_body(f, STORE_VISIT, &of_anna, NULL);
	kill_copy(f, &left);
	fixture_open(&left);
	assert_body(&left, STORE_VISIT, &of_anna, NULL);
	assert_body(&left, STORE_VISIT, &of_ben, "ben's");
	ROWS("1:gap:{\"lane\":\"decision\",\"from\":1,\"to\":1} 2:d:{} ",
	    store_uplink_each(left.store, LANE_DECISION, 0, 9, take_uplink, &list));
	assert_int_equal(store_damaged(left.store), 0);
	bury(&left);
	/* And whole: not their name either, anywhere. */
	begin(f);
	assert_int_equal(store_forget(f->store, &anna), 0);
	commit(f);
	store_checkpoint(f->store);
	assert_int_equal(unlinkat(AT_FDCWD, path_in(f, "keys.db"), 0),
	    0); /* has a stone for them */
	unlinkat(AT_FDCWD, path_in(f, "keys.db-wal"), 0);
	assert_false(dir_contains(f->dir, anna.b, sizeof(anna.b)));
	assert_body(f, STORE_VISIT, &of_ben, "ben's");
	begin(f);
	assert_int_equal(store_put(f->store, STORE_VISIT, &of_anna, &anna, 1, 0, "x", 1),
	    AISLE_E_NONE);
	commit(f);
}

/* ---- read between the tables and what is recent ---- */

static void
rows_are_given_in_the_order_of_their_keys_wherever_they_lie(void **state)
{
	struct fixture *f = *state;
	struct id keys[6];

	for (uint32_t i = 0; i < 6; i++)
		keys[i] = ulid_of(1, i);
	begin(f);
	for (uint32_t i = 0; i < 6; i += 2)
		put(f, STORE_VISIT, &keys[i], NULL, 1, "old");
	assert_int_equal(store_settle(f->store), 0);
	commit(f);
	begin(f);
	put(f, STORE_VISIT, &keys[1], NULL, 1, "b");
	put(f, STORE_VISIT, &keys[2], NULL, 1, "new");
	put(f, STORE_VISIT, &keys[3], NULL, 0, "rests");
	assert_int_equal(store_delete(f->store, STORE_VISIT, &keys[4]), 0);
	put(f, STORE_VISIT, &keys[5], NULL, 1, "f");
	ROWS("old b new f ", store_each(f->store, STORE_VISIT, 1, take_row, &list));
	commit(f);
	ROWS("old b new f ", store_each(f->store, STORE_VISIT, 1, take_row, &list));
	ROWS("old b new rests f ", store_each(f->store, STORE_VISIT, -1, take_row, &list));
	ROWS("rests ", store_each(f->store, STORE_VISIT, 0, take_row, &list));
}

static void
what_is_taken_back_after_a_fold_is_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct id visit = ulid_of(1, 1), anna = id_of(1);

	begin(f);
	put(f, STORE_VISIT, &visit, &anna, 1, "first");
	assert_int_equal(store_log_add(f->store, STORE_LOG_SUBJECT, &anna, &anna, 1, 1, "a", 1), 0);
	assert_int_equal(store_uplink_add(f->store, LANE_MONEY, "x", 1, NULL, "1", 1), 0);
	commit(f);
	ROWS("1:x:1 ", store_uplink_each(f->store, LANE_MONEY, 0, 9, take_uplink, &list));
	for (int i = 0; i < 2; i++) {
		begin(f);
		put(f, STORE_VISIT, &visit, &anna, 1, "second");
		assert_int_equal(store_settle(f->store), 0);
		assert_body(f, STORE_VISIT, &visit, "second");
		assert_int_equal(store_log_forget(f->store, STORE_LOG_SUBJECT, &anna), 0);
		assert_int_equal(store_uplink_ack(f->store, LANE_MONEY, 1), 0);
		assert_int_equal(store_uplink_count(f->store), 0);
		store_rollback(f->store);
		assert_body(f, STORE_VISIT, &visit, "first");
		ROWS("1:1:a ", store_log_each(f->store, STORE_LOG_SUBJECT, &anna, take_log, &list));
		ROWS("1:x:1 ", store_uplink_each(f->store, LANE_MONEY, 0, 9, take_uplink, &list));
	}
}

static void
what_the_turn_at_hand_writes_over_goes_into_no_table_first(void **state)
{
	struct fixture *f = *state, left;
	struct id visit = ulid_of(1, 1), gone = ulid_of(1, 2), other = ulid_of(1, 3);
	char *long_one = malloc(STORE_RECENT_BYTES);

	noise(long_one, STORE_RECENT_BYTES);
	begin(f);
	put(f, STORE_VISIT, &visit, NULL, 1, "first");
	put(f, STORE_VISIT, &gone, NULL, 1, "first");
	put(f, STORE_VISIT, &other, NULL, 1, "first");
	assert_int_equal(store_put(f->store, STORE_DECISION, &visit, NULL, 1, 0, long_one,
			     STORE_RECENT_BYTES),
	    0);
	commit(f);
	/* It is folded with the next one. */
	begin(f);
	put(f, STORE_VISIT, &visit, NULL, 1, "second");
	assert_int_equal(store_delete(f->store, STORE_VISIT, &gone), 0);
	commit(f);
	assert_int_equal(number_of(f, "SELECT COUNT(*) FROM decision"), 1);
	assert_int_equal(number_of(f, "SELECT COUNT(*) FROM visit"), 1);
	kill_copy(f, &left);
	fixture_open(&left);
	assert_body(&left, STORE_VISIT, &visit, "second");
	assert_body(&left, STORE_VISIT, &gone, NULL);
	assert_body(&left, STORE_VISIT, &other, "first");
	bury(&left);
	free(long_one);
}

static void
what_is_recent_for_longer_than_a_day_is_kept_no_longer_than_its_table_says(void **state)
{
	struct fixture *f = *state;
	struct id decision = ulid_of(1000, 1);

	begin(f);
	put(f, STORE_DECISION, &decision, NULL, 0, "d");
	commit(f);
	begin(f);
	assert_int_equal(store_prune(f->store, 1000 + D_MS, D_MS, D_MS, H_MS, 10), 0);
	assert_int_equal(store_prune(f->store, 1001 + D_MS, D_MS, D_MS, H_MS, 10), 1);
	commit(f);
	assert_body(f, STORE_DECISION, &decision, NULL);
}

static void
a_damaged_timer_goes_and_not_the_one_before_it(void **state)
{
	struct fixture *f = *state, left;
	char id[128];
	int64_t due_ms = 0;

	begin(f);
	assert_int_equal(store_timer_add(f->store, 5000, "card/old/5000"), 0);
	assert_int_equal(store_timer_add(f->store, 6000, "card/older/6000"), 0);
	assert_int_equal(store_settle(f->store), 0);
	commit(f);
	begin(f);
	assert_int_equal(store_timer_add(f->store, 1000, "card/new/1000"), 0);
	commit(f);
	kill_copy(f, &left);
	tamper(&left, "UPDATE timer SET sum = 1 WHERE due = 5000");
	fixture_open(&left);
	begin(&left);
	assert_int_equal(store_timer_first(left.store, &due_ms, id), 0);
	assert_string_equal(id, "card/new/1000");
	assert_int_equal(store_timer_delete(left.store, due_ms, id), 0);
	assert_int_equal(store_timer_first(left.store, &due_ms, id), 0);
	assert_string_equal(id, "card/older/6000");
	assert_int_equal(store_damaged(left.store), 1);
	commit(&left);
	bury(&left);
}

/* As a replay's: in memory, nothing sealed. */
static void
who_is_forgotten_where_nothing_is_sealed_leaves_a_gap_for_each_record(void **state)
{
	const struct store_options options = { .dir = NULL };
	struct fixture f = { .dir = "" };
	struct id anna = id_of(1);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(store_open(&options, &f.store, &err), 0);
	begin(&f);
	for (int i = 0; i < 600; i++)
		assert_int_equal(store_uplink_add(f.store, LANE_DECISION, "d", 1, &anna, "{}", 2),
		    0);
	commit(&f);
	begin(&f);
	assert_int_equal(store_forget(f.store, &anna), 0);
	commit(&f);
	assert_int_equal(store_uplink_count(f.store), 600);
	assert_int_equal(number_of(&f, "SELECT COUNT(*) FROM uplink WHERE type <> 'gap'"), 0);
	ROWS("599:gap:{\"lane\":\"decision\",\"from\":599,\"to\":599} "
	     "600:gap:{\"lane\":\"decision\",\"from\":600,\"to\":600} ",
	    store_uplink_each(f.store, LANE_DECISION, 598, 9, take_uplink, &list));
	store_close(f.store);
}

static void
what_is_sent_keeps_its_id_when_the_lease_is_lost(void **state)
{
	struct fixture *f = *state, left;
	int64_t id = 0, next = 0;

	begin(f);
	assert_int_equal(store_outbox_add(f->store, "t", NULL, false, "one", 3, &id), 0);
	commit(f);
	kill_copy(f, &left);
	tamper(&left, "DELETE FROM meta WHERE name = 'outbox'");
	fixture_open(&left);
	begin(&left);
	assert_int_equal(store_outbox_add(left.store, "t", NULL, false, "two", 3, &next), 0);
	commit(&left);
	assert_true(next > id);
	ROWS("t:0:one t:0:two ", store_outbox_each(left.store, 0, take_outbox, &list));
	bury(&left);
}

static void
nothing_of_who_is_forgotten_stays_in_what_bodies_are_packed_in(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1), visit = ulid_of(1, 1);

	begin(f);
	put(f, STORE_VISIT, &visit, &anna, 1, "anna's");
	commit(f);
	assert_int_equal(keys_destroy(f->keys, &anna), 0);
	begin(f);
	assert_int_equal(store_forget(f->store, &anna), 0);
	assert_null(f->store->packed_body.data);
	commit(f);
}

/* Its table has it as it was when nobody had shown their card. */
static void
what_a_customer_took_over_does_not_come_back_as_nobodys_when_they_are_forgotten(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1), visit = ulid_of(1, 1);

	put_alone(f, &visit, "a stranger's");
	assert_int_equal(store_settle(f->store), 0);
	begin(f);
	put(f, STORE_VISIT, &visit, &anna, 0, "anna's");
	commit(f);
	assert_int_equal(keys_destroy(f->keys, &anna), 0);
	begin(f);
	assert_int_equal(store_forget(f->store, &anna), 0);
	commit(f);
	for (int i = 0; i < 2; i++) {
		assert_body(f, STORE_VISIT, &visit, NULL);
		ROWS("", store_each(f->store, STORE_VISIT, 1, take_row, &list));
		fixture_reopen(f);
	}
}

/* ---- damage ---- */

/* Where what a row says ends, before its zeros; or a byte earlier, if it ends with one. */
#define TOLD "(length(rtrim(hex(body), '0')) + 1) / 2"

static void
a_row_that_does_not_open_is_set_aside_and_the_others_are_served(void **state)
{
	static const char *const damage[] = {
		"zeroblob(length(body))",
		"substr(body, 1, " TOLD " - 1)",
		"x''",
		"(SELECT body FROM turn ORDER BY n DESC LIMIT 1)",
	};

	for (size_t i = 0; i < 2 * ARRAY_LEN(damage); i++) {
		struct fixture *f = *state, left;
		struct id keys[3] = { ulid_of(i, 1), ulid_of(i, 2), ulid_of(i, 3) };
		bool newest = i % 2 == 1;
		char sql[200], before[17], after[17];

		for (size_t n = 0; n < 3; n++)
			put_alone(f, &keys[n], "x");
		store_epoch(f->store, before);
		kill_copy(f, &left);
		if (newest && i / 2 == 3) {
			bury(&left);
			continue; /* it is itself */
		}
		snprintf(sql, sizeof(sql), "UPDATE turn SET body = %s WHERE n = %lld",
		    damage[i / 2], (long long)f->store->now.turn_next - (newest ? 1 : 2));
		tamper(&left, sql);
		fixture_open(&left);
		assert_int_equal(store_damaged(left.store), 1);
		assert_body(&left, STORE_VISIT, &keys[0], "x");
		assert_body(&left, STORE_VISIT, &keys[1], newest ? "x" : NULL);
		assert_body(&left, STORE_VISIT, &keys[2], newest ? NULL : "x");
		/* What the newest row said of the lanes nobody else knows. */
		store_epoch(left.store, after);
		assert_int_equal(strcmp(before, after) != 0, newest);
		put_alone(&left, &keys[1], "y");
		fixture_reopen(&left);
		assert_int_equal(store_damaged(left.store), 1);
		assert_body(&left, STORE_VISIT, &keys[1], "y");
		bury(&left);
	}
}

/* Whether a fold came with it or not: what a log has is there once. */
static void
a_damaged_newest_row_lets_nothing_be_folded_twice(void **state)
{
	struct fixture *f = *state;
	struct id decision = ulid_of(1, 1);

	for (int turn = 0; turn < 300; turn++) {
		struct fixture left;
		char sql[100];
		int rows = 0;

		begin(f);
		assert_int_equal(store_log_add(f->store, STORE_LOG_OUTCOME, &decision, NULL, 1, 1,
				     "x", 1),
		    0);
		assert_int_equal(store_uplink_add(f->store, LANE_MONEY, "x", 1, NULL, "1", 1), 0);
		commit(f);
		if (turn < 250)
			continue;
		kill_copy(f, &left);
		snprintf(sql, sizeof(sql),
		    "UPDATE turn SET body = zeroblob(length(body)) WHERE n = %lld",
		    (long long)f->store->now.turn_next - 1);
		tamper(&left, sql);
		/* Killed again before a turn of its own. */
		for (int i = 0; i < 2; i++) {
			struct fixture again;

			fixture_open(&left);
			kill_copy(&left, &again);
			bury(&left);
			left = again;
		}
		fixture_open(&left);
		assert_int_equal(store_damaged(left.store), 1);
		assert_int_equal(store_log_each(left.store, STORE_LOG_OUTCOME, &decision, count_log,
				     &rows),
		    0);
		assert_int_equal(rows, turn);
		bury(&left);
	}
}

static void
a_number_that_no_row_can_have_is_not_counted_on_from(void **state)
{
	struct fixture *f = *state, left;
	struct id visit = ulid_of(1, 1);
	char sql[200];

	put_alone(f, &visit, "v");
	put_alone(f, &visit, "w");
	kill_copy(f, &left);
	snprintf(sql, sizeof(sql), "UPDATE turn SET n = n + (320 << 40) WHERE n = %lld",
	    (long long)f->store->now.turn_next - 1);
	tamper(&left, sql);
	fixture_open(&left);
	assert_body(&left, STORE_VISIT, &visit, "v");
	assert_true(left.store->now.turn_next < 1000);
	put_alone(&left, &visit, "x");
	assert_int_equal(store_settle(left.store), 0);
	bury(&left);
}

/* Of the first section: the floor, and the same first and next of each lane; then one row with a number as its key. */
static void
write_strange(struct fixture *f, int64_t floor, int64_t first, int64_t next, int table,
    int64_t number)
{
	static const struct id nobody;
	int64_t n = f->store->now.turn_next;
	uint8_t row_key[STORE_TURN_KEY_SIZE], key[24] = { 1 };
	struct buf plain = { 0 }, row = { 0 };
	size_t key_len = table == RECENT_LOG ? 24 : 8, len;
	const void *sealed;
	sqlite3_stmt *stmt = NULL;

	buf_i64(&plain, floor);
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		buf_i64(&plain, first);
		buf_i64(&plain, next);
	}
	recent_key64(key + key_len - 8, number);
	buf_u8(&plain, (uint8_t)table);
	buf_i64(&plain, (int64_t)key_len);
	buf_add(&plain, key, key_len);
	buf_i64(&plain, 1);
	buf_i64(&plain, 0);
	buf_i64(&plain, 2);
	buf_add(&plain, "x\0", 2);
	store_turn_key(row_key, n, 0, &nobody);
	begin(f);
	assert_int_equal(store_seal(f->store, "turn", row_key, sizeof(row_key), &nobody, plain.data,
			     plain.len, &sealed, &len),
	    0);
	buf_u32(&row, (uint32_t)(16 + 4 + len));
	buf_id(&row, &nobody);
	buf_u32(&row, (uint32_t)len);
	buf_add(&row, sealed, len);
	commit(f);
	assert_int_equal(sqlite3_prepare_v2(f->store->db,
			     "INSERT OR REPLACE INTO turn(slot, n, body) VALUES(?1, ?2, ?3)", -1,
			     &stmt, NULL),
	    SQLITE_OK);
	sqlite3_bind_int64(stmt, 1, n % STORE_TURNS_RING);
	sqlite3_bind_int64(stmt, 2, n);
	sqlite3_bind_blob64(stmt, 3, row.data, row.len, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
	sqlite3_finalize(stmt);
	buf_done(&plain);
	buf_done(&row);
}

/* It opens, so a store of ours wrote it: in its memory a bit can flip as well. */
static void
a_row_that_says_what_no_store_says_is_set_aside(void **state)
{
	static const struct {
		int64_t floor_behind, first, next;
		int table;
		int64_t number;
		bool good;
	} rows[] = {
		{ 0, 1, 1, RECENT_OUTBOX, 7, true },
		{ 0, 1, 1, RECENT_LOG, 7, true },
		{ 0, 2, 1, RECENT_OUTBOX, 7, false },
		{ 0, -1, 1, RECENT_OUTBOX, 7, false },
		{ 0, 1, INT64_C(1) << 48, RECENT_OUTBOX, 7, false },
		{ 0, INT64_MIN, INT64_MAX, RECENT_OUTBOX, 7, false },
		{ -1, 1, 1, RECENT_OUTBOX, 7, false },
		{ STORE_TURNS_RING, 1, 1, RECENT_OUTBOX, 7, false },
		{ 0, 1, 1, RECENT_OUTBOX, -1, false },
		{ 0, 1, 1, RECENT_OUTBOX, INT64_MAX, false },
		{ 0, 1, 1, RECENT_LOG, INT64_MAX, false },
		{ 0, 1, 1, RECENT_LOG, -1, false },
		{ 0, 1, 1, RECENT_RECORDING, INT64_MAX, false },
	};
	struct fixture *f = *state, left;
	struct id visit = ulid_of(1, 1);

	put_alone(f, &visit, "v");
	assert_int_equal(store_settle(f->store), 0);
	f->store->now.turn_next = f->store->now.turn_floor = 3 * STORE_TURNS_RING;
	put_alone(f, &visit, "w");
	assert_int_equal(store_settle(f->store), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t n = f->store->now.turn_next;

		write_strange(f, n - rows[i].floor_behind, rows[i].first, rows[i].next,
		    rows[i].table, rows[i].number);
		kill_copy(f, &left);
		fixture_open(&left);
		if (store_damaged(left.store) != !rows[i].good)
			fail_msg("row %zu: %lld damaged", i, (long long)store_damaged(left.store));
		assert_body(&left, STORE_VISIT, &visit, "w");
		put_alone(&left, &visit, "x");
		assert_int_equal(store_settle(left.store), 0);
		bury(&left);
	}
}

/* The last byte is of the last section. */
static void
what_is_left_of_a_row_with_a_damaged_section_is_there_after_a_kill_too(void **state)
{
	struct fixture *f = *state, left, again;
	struct id anna = id_of(1), of_anna = ulid_of(1, 1), other = ulid_of(1, 2);
	char sql[300];

	begin(f);
	put(f, STORE_VISIT, &of_anna, &anna, 1, "anna's");
	put(f, STORE_VISIT, &other, NULL, 1, "nobody's");
	commit(f);
	put_alone(f, &of_anna, "later");
	kill_copy(f, &left);
	snprintf(sql, sizeof(sql),
	    "UPDATE turn SET body = CAST(substr(body, 1, " TOLD
	    " - 1) || x'00' || substr(body, " TOLD " + 1) AS BLOB)"
	    " WHERE n = %lld",
	    (long long)f->store->now.turn_next - 2);
	tamper(&left, sql);
	fixture_open(&left);
	assert_int_equal(store_damaged(left.store), 1);
	assert_body(&left, STORE_VISIT, &other, "nobody's");
	kill_copy(&left, &again);
	fixture_open(&again);
	assert_body(&again, STORE_VISIT, &other, "nobody's");
	assert_body(&again, STORE_VISIT, &of_anna, "later");
	bury(&again);
	/* And nobody's name stays in what was set aside. */
	assert_true(dir_contains(left.dir, anna.b, sizeof(anna.b)));
	assert_int_equal(keys_destroy(left.keys, &anna), 0);
	begin(&left);
	assert_int_equal(store_forget(left.store, &anna), 0);
	commit(&left);
	store_checkpoint(left.store);
	unlinkat(AT_FDCWD, path_in(&left, "keys.db"), 0); /* has a stone for them */
	unlinkat(AT_FDCWD, path_in(&left, "keys.db-wal"), 0);
	assert_false(dir_contains(left.dir, anna.b, sizeof(anna.b)));
	bury(&left);
}

/* As a copy of a file with a damaged page may have it. */
static void
what_is_written_after_the_newest_rows_are_lost_is_read_again(void **state)
{
	struct fixture *f = *state, left, again;
	struct id visit = ulid_of(1, 1);
	char before[17], after[17];

	for (int i = 0; i < 8; i++)
		put_alone(f, &visit, "old");
	assert_int_equal(store_settle(f->store), 0);
	store_epoch(f->store, before);
	kill_copy(f, &left);
	tamper(&left, "DELETE FROM turn WHERE n > 3");
	fixture_open(&left);
	store_epoch(left.store, after);
	assert_string_not_equal(before, after);
	assert_body(&left, STORE_VISIT, &visit, "old");
	put_alone(&left, &visit, "new");
	kill_copy(&left, &again);
	fixture_open(&again);
	assert_body(&again, STORE_VISIT, &visit, "new");
	bury(&again);
	bury(&left);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(what_a_turn_wrote_is_there_after_a_kill_whichever_table_it_is_of),
		STORE_TEST(a_thousand_turns_are_the_same_at_whichever_a_kill_comes),
		STORE_TEST(a_turn_with_the_longest_rows_is_read_whole_and_gives_its_room_back),
		STORE_TEST(a_fold_that_was_taken_back_gives_room_back_when_it_comes_again),
		STORE_TEST(
		    a_copy_says_the_number_that_is_recorded_next_wherever_its_newest_row_lies),
		STORE_TEST(of_two_customers_in_a_turn_who_is_forgotten_goes_and_the_other_stays),
		STORE_TEST(
		    what_a_customer_took_over_does_not_come_back_as_nobodys_when_they_are_forgotten),
		STORE_TEST(nothing_of_who_is_forgotten_stays_in_what_bodies_are_packed_in),
		STORE_TEST(what_is_sent_keeps_its_id_when_the_lease_is_lost),
		STORE_TEST(who_is_forgotten_where_nothing_is_sealed_leaves_a_gap_for_each_record),
		STORE_TEST(a_damaged_timer_goes_and_not_the_one_before_it),
		STORE_TEST(rows_are_given_in_the_order_of_their_keys_wherever_they_lie),
		STORE_TEST(what_is_taken_back_after_a_fold_is_as_it_was),
		STORE_TEST(what_the_turn_at_hand_writes_over_goes_into_no_table_first),
		STORE_TEST(
		    what_is_recent_for_longer_than_a_day_is_kept_no_longer_than_its_table_says),
		STORE_TEST(a_row_that_does_not_open_is_set_aside_and_the_others_are_served),
		STORE_TEST(what_is_written_after_the_newest_rows_are_lost_is_read_again),
		STORE_TEST(what_is_left_of_a_row_with_a_damaged_section_is_there_after_a_kill_too),
		STORE_TEST(a_row_that_says_what_no_store_says_is_set_aside),
		STORE_TEST(a_number_that_no_row_can_have_is_not_counted_on_from),
		STORE_TEST(a_damaged_newest_row_lets_nothing_be_folded_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
