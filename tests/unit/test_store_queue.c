/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_queue.c - outbox ids rise for ever, uplink numbers have no holes,
 * dead letters are bounded, and forgetting leaves nothing to read.
 */
#include <sys/wait.h>

#include "store/store_internal.h"
#include "store_fixture.h"

struct got {
	int64_t ids[4096], at[4096];
	char types[4096][16];
	char bodies[4096][64];
	size_t count, stop_at;
};

static struct got got;

static int
collect_outbox(void *ctx, int64_t id, const char *topic, bool retain, const void *payload,
    size_t len)
{
	(void)ctx, (void)retain;
	got.ids[got.count] = id;
	snprintf(got.types[got.count], 16, "%s", topic);
	snprintf(got.bodies[got.count++], 64, "%.*s", (int)len, (const char *)payload);
	return got.count == got.stop_at;
}

static int
collect_uplink(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body,
    size_t len)
{
	(void)ctx;
	got.ids[got.count] = seq;
	got.at[got.count] = at_ms;
	snprintf(got.types[got.count], 16, "%s", type);
	snprintf(got.bodies[got.count++], 64, "%.*s", (int)len, (const char *)body);
	return got.count == got.stop_at;
}

static void
read_uplink(struct fixture *f, enum lane lane, int64_t after, int max_rows)
{
	got.count = 0;
	got.stop_at = 0;
	assert_int_equal(store_uplink_each(f->store, lane, after, max_rows, collect_uplink, NULL),
	    0);
}

static void
add(struct fixture *f, enum lane lane, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(store_uplink_add(f->store, lane, "t", 5, NULL, "{\"a\":1}", 7), 0);
}

static void
read_outbox(struct fixture *f, int64_t after)
{
	got.count = 0;
	got.stop_at = 0;
	assert_int_equal(store_outbox_each(f->store, after, collect_outbox, NULL), 0);
}

/* ---- outbox ---- */

static void
outbox_rows_come_in_order_until_they_are_deleted(void **state)
{
	struct fixture *f = *state;
	int64_t a, b;
	begin(f);
	assert_int_equal(store_outbox_last(f->store), 0);
	assert_int_equal(store_outbox_add(f->store, "one", NULL, true, "A", 1, &a), 0);
	assert_int_equal(store_outbox_add(f->store, "two", NULL, false, "B", 1, &b), 0);
	commit(f);
	assert_int_equal(b, a + 1);
	fixture_reopen(f);
	read_outbox(f, 0);
	assert_int_equal(got.count, 2);
	assert_string_equal(got.types[0], "one");
	assert_string_equal(got.bodies[1], "B");
	read_outbox(f, a);
	assert_int_equal(got.count, 1);
	begin(f);
	assert_int_equal(store_outbox_delete(f->store, a), 0);
	commit(f);
	read_outbox(f, 0);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.ids[0], b);
}

static void
outbox_ids_rise_over_deletion_restart_and_leases(void **state)
{
	struct fixture *f = *state;
	int64_t id = 0, last = 0;
	for (int round = 0; round < 3; round++) {
		begin(f);
		for (int i = 0; i < 1500; i++) {
			assert_int_equal(store_outbox_add(f->store, "t", NULL, false, "x", 1, &id),
			    0);
			assert_int_equal(id, last + 1);
			last = id;
			assert_int_equal(store_outbox_delete(f->store, id), 0);
		}
		commit(f);
		assert_int_equal(store_outbox_last(f->store), last);
		fixture_reopen(f);
		assert_int_equal(store_outbox_last(f->store), last);
	}
}

/* A process that makes and delivers so many, and is killed. */
static int64_t
killed_after(struct fixture *f, int rows)
{
	int64_t id = 0;
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	fixture_close(f);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct err err = { 0 };
		int rc = fixture_try_open(f, &err);

		rc = rc == 0 ? store_begin(f->store) : rc;
		for (int i = 0; rc == 0 && i < rows; i++) {
			rc = store_outbox_add(f->store, "t", NULL, false, "x", 1, &id);
			rc = rc == 0 ? store_outbox_delete(f->store, id) : rc;
		}
		rc = rc == 0 ? store_commit(f->store) : rc;
		id = rc == 0 ? id : -1;
		_exit(write(ends[1], &id, sizeof(id)) == sizeof(id) ? 0 : 1);
	}
	assert_int_equal(read(ends[0], &id, sizeof(id)), sizeof(id));
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(ends[0]);
	close(ends[1]);
	fixture_open(f);
	return id;
}

static void
outbox_ids_rise_over_a_kill_though_every_row_was_delivered(void **state)
{
	static const int rows[] = { 1, STORE_OUTBOX_LEASE - 1, STORE_OUTBOX_LEASE,
		STORE_OUTBOX_LEASE + 1, 1 };
	struct fixture *f = *state;
	int64_t last = 0, id = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t killed = killed_after(f, rows[i]);

		assert_true(killed >= last + rows[i]);
		begin(f);
		assert_int_equal(store_outbox_add(f->store, "t", NULL, false, "x", 1, &id), 0);
		assert_true(id > killed);
		assert_true(id <= killed + STORE_OUTBOX_LEASE);
		assert_int_equal(store_outbox_delete(f->store, id), 0);
		commit(f);
		last = id;
	}
}

/* ---- uplink ---- */

static void
each_lane_counts_from_one_without_gaps(void **state)
{
	struct fixture *f = *state;
	begin(f);
	for (int lane = 0; lane < LANE_COUNT; lane++)
		add(f, lane, 3 + lane);
	commit(f);
	fixture_reopen(f);
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		read_uplink(f, lane, 0, 100);
		assert_int_equal(got.count, 3 + lane);
		for (size_t i = 0; i < got.count; i++)
			assert_int_equal(got.ids[i], i + 1);
	}
	assert_int_equal(store_uplink_count(f->store), 3 + 4 + 5 + 6);
	read_uplink(f, LANE_MONEY, 1, 2);
	assert_int_equal(got.count, 2);
	assert_int_equal(got.ids[0], 2);
	read_uplink(f, LANE_MONEY, 4, 2);
	assert_int_equal(got.count, 0);
}

static void
numbers_go_on_after_everything_was_acknowledged_and_a_restart(void **state)
{
	struct fixture *f = *state;
	begin(f);
	add(f, LANE_DECISION, 5);
	commit(f);
	read_uplink(f, LANE_DECISION, 0, 5);
	begin(f);
	assert_int_equal(store_uplink_ack(f->store, LANE_DECISION, 5), 0);
	commit(f);
	assert_int_equal(store_uplink_count(f->store), 0);
	fixture_reopen(f);
	assert_int_equal(store_uplink_count(f->store), 0);
	begin(f);
	add(f, LANE_DECISION, 1);
	commit(f);
	read_uplink(f, LANE_DECISION, 0, 5);
	assert_int_equal(got.count, 1);
	assert_int_equal(got.ids[0], 6);
}

static void
an_acknowledgement_beyond_what_was_given_out_is_refused(void **state)
{
	struct fixture *f = *state;
	begin(f);
	add(f, LANE_DECISION, 5);
	assert_int_equal(store_uplink_ack(f->store, LANE_DECISION, 1), AISLE_E_REFUSED);
	commit(f);
	read_uplink(f, LANE_DECISION, 0, 3);
	begin(f);
	assert_int_equal(store_uplink_ack(f->store, LANE_DECISION, 4), AISLE_E_REFUSED);
	assert_int_equal(store_uplink_count(f->store), 5);
	assert_int_equal(store_uplink_ack(f->store, LANE_DECISION, 3), 0);
	assert_int_equal(store_uplink_ack(f->store, LANE_DECISION, 3), 0);
	assert_int_equal(store_uplink_ack(f->store, LANE_DECISION, 0), 0);
	commit(f);
	assert_int_equal(store_uplink_count(f->store), 2);
	/* After a restart: what exists may have been given out before. */
	fixture_reopen(f);
	begin(f);
	assert_int_equal(store_uplink_ack(f->store, LANE_DECISION, 6), AISLE_E_REFUSED);
	assert_int_equal(store_uplink_ack(f->store, LANE_DECISION, 5), 0);
	commit(f);
	assert_int_equal(store_uplink_count(f->store), 0);
}

/* What headquarters could tell of each lane: from 1 on, each number once or in a gap. */
static int64_t
assert_no_holes(struct fixture *f, enum lane lane)
{
	int64_t after = 0, expect = 1, gaps = 0;
	do {
		read_uplink(f, lane, after, 1000);
		for (size_t i = 0; i < got.count; i++) {
			int64_t from = got.ids[i];
			const char *text = strstr(got.bodies[i], "\"from\":");
			if (strcmp(got.types[i], "gap") == 0) {
				assert_non_null(text);
				from = strtoll(text + 7, NULL, 10);
				gaps += got.ids[i] - from + 1;
			}
			assert_int_equal(from, expect);
			expect = after = got.ids[i] + 1;
			after--;
		}
	} while (got.count > 0);
	return gaps;
}

static void
without_room_telemetry_goes_first_then_decisions_and_money_never(void **state)
{
	struct fixture *f = *state;
	static char body[1000];
	int64_t added[LANE_COUNT] = { 0 };
	noise(body, sizeof(body));
	fixture_close(f);
	f->max_mib = 4;
	fixture_open(f);
	int64_t telemetry_gone_at = 0, decision_gone_at = 0;
	for (int i = 0; i < 9000; i++) {
		enum lane lane = i % 10 == 0 ? LANE_MONEY
		    : i % 10 == 1	     ? LANE_CONSENT
		    : i % 2 == 0	     ? LANE_TELEMETRY
					     : LANE_DECISION;
		if (lane < LANE_DECISION && i > 6000)
			lane = LANE_TELEMETRY;
		begin(f);
		assert_int_equal(store_uplink_add(f->store, lane, "t", 5, NULL, body, sizeof(body)),
		    0);
		commit(f);
		added[lane]++;
		if (i % 500 == 0) {
			int64_t gone = assert_no_holes(f, LANE_TELEMETRY);
			if (telemetry_gone_at == 0 && gone > 0)
				telemetry_gone_at = i;
			if (decision_gone_at == 0 && assert_no_holes(f, LANE_DECISION) > 0)
				decision_gone_at = i;
		}
	}
	assert_true(telemetry_gone_at > 0);
	assert_true(decision_gone_at == 0 || decision_gone_at >= telemetry_gone_at);
	fixture_reopen(f);
	assert_true(assert_no_holes(f, LANE_TELEMETRY) > 0);
	assert_no_holes(f, LANE_DECISION);
	assert_int_equal(assert_no_holes(f, LANE_MONEY), 0);
	assert_int_equal(assert_no_holes(f, LANE_CONSENT), 0);
	read_uplink(f, LANE_MONEY, added[LANE_MONEY] - 1, 10);
	assert_int_equal(got.count, 1);
}

static void
acknowledging_into_a_gap_leaves_the_gap(void **state)
{
	struct fixture *f = *state;
	static char body[1000];
	noise(body, sizeof(body));
	fixture_close(f);
	f->max_mib = 2;
	fixture_open(f);
	for (int i = 0; i < 4000; i++) {
		begin(f);
		assert_int_equal(store_uplink_add(f->store, LANE_TELEMETRY, "t", 1000 + i, NULL,
				     body, sizeof(body)),
		    0);
		commit(f);
	}
	read_uplink(f, LANE_TELEMETRY, 0, 1);
	assert_string_equal(got.types[0], "gap");
	int64_t last = got.ids[0];
	/* A number keeps its time, with which it may have gone up already. */
	assert_int_equal(got.at[0], 1000 + last - 1);
	begin(f);
	assert_int_equal(store_uplink_ack(f->store, LANE_TELEMETRY, last - 1), 0);
	commit(f);
	read_uplink(f, LANE_TELEMETRY, 0, 1);
	assert_int_equal(got.ids[0], last);
	begin(f);
	assert_int_equal(store_uplink_ack(f->store, LANE_TELEMETRY, last), 0);
	commit(f);
	read_uplink(f, LANE_TELEMETRY, 0, 1);
	assert_int_equal(got.ids[0], last + 1);
	assert_string_equal(got.types[0], "t");
}

/* ---- dead letters ---- */

static int64_t dead_count, dead_first, dead_bytes;

static int
count_dead(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	(void)ctx, (void)at_ms, (void)topic, (void)reason, (void)detail, (void)payload;
	if (dead_count++ == 0)
		dead_first = n;
	dead_bytes += (int64_t)len;
	return 0;
}

static void
read_dead(struct fixture *f)
{
	dead_count = dead_first = dead_bytes = 0;
	assert_int_equal(store_dead_each(f->store, 100000, count_dead, NULL), 0);
}

static void
dead_letters_come_newest_first_and_only_ten_thousand_stay(void **state)
{
	struct fixture *f = *state;
	begin(f);
	for (int i = 0; i < 10001; i++)
		assert_int_equal(store_dead_add(f->store, i, "topic", "not-json", "detail", NULL,
				     "secret-load", 11),
		    0);
	commit(f);
	read_dead(f);
	assert_int_equal(dead_count, 10000);
	assert_int_equal(dead_first, 10001);
	assert_false(dir_contains(f->dir, "secret-load", 11));
	fixture_reopen(f);
	begin(f);
	assert_int_equal(store_dead_add(f->store, 1, "topic", "not-json", "", NULL, NULL, 0), 0);
	commit(f);
	read_dead(f);
	assert_int_equal(dead_count, 10000);
	assert_int_equal(dead_first, 10002);
}

static void
dead_letters_are_bounded_in_bytes(void **state)
{
	struct fixture *f = *state;
	static char load[60000];
	noise(load, sizeof(load));
	begin(f);
	for (int i = 0; i < 300; i++)
		assert_int_equal(store_dead_add(f->store, i, "topic", "too-big", "detail", NULL,
				     load, sizeof(load)),
		    0);
	commit(f);
	read_dead(f);
	assert_true(dead_bytes <= 8 << 20);
	assert_true(dead_bytes > 7 << 20);
	assert_int_equal(dead_first, 300);
}

static void
dead_letters_go_by_their_age_oldest_first(void **state)
{
	struct fixture *f = *state;

	begin(f);
	for (int i = 1; i <= 10; i++)
		assert_int_equal(store_dead_add(f->store, i * D_MS, "topic", "not-json", "", NULL,
				     "x", 1),
		    0);
	assert_int_equal(store_dead_prune(f->store, 4 * D_MS, 2), 2);
	assert_int_equal(store_dead_prune(f->store, 4 * D_MS, 200), 1);
	assert_int_equal(store_dead_prune(f->store, 4 * D_MS, 200), 0);
	commit(f);
	read_dead(f);
	assert_int_equal(dead_count, 7);
	assert_int_equal(dead_first, 10);
}

static void
dead_letters_of_a_customer_go_with_them(void **state)
{
	struct fixture *f = *state;
	struct id subject = { { 1, 2 } }, other = { { 3 } };

	begin(f);
	assert_int_equal(store_dead_add(f->store, 1, "t", "bad-value", "", &subject, "one", 3), 0);
	assert_int_equal(store_dead_add(f->store, 2, "t", "bad-value", "", &other, "other", 5), 0);
	assert_int_equal(store_dead_add(f->store, 3, "t", "bad-value", "", NULL, "nobody", 6), 0);
	commit(f);
	read_dead(f);
	assert_int_equal(dead_count, 3);
	assert_int_equal(dead_bytes, 14);
	begin(f);
	assert_int_equal(store_forget(f->store, &subject), 0);
	commit(f);
	read_dead(f);
	assert_int_equal(dead_count, 2);
	assert_int_equal(dead_bytes, 11);
}

/* ---- forgetting ---- */

static int
count_rows(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	(void)key, (void)subject, (void)at_ms, (void)body, (void)len;
	++*(int *)ctx;
	return 0;
}

static int
count_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	(void)n, (void)kind, (void)at_ms, (void)body, (void)len;
	++*(int *)ctx;
	return 0;
}

static void
write_person(struct fixture *f, const struct id *subject, uint32_t n)
{
	struct id visit = ulid_of(1000, n), decision = ulid_of(1001, n);
	int64_t id;
	assert_int_equal(store_put(f->store, STORE_VISIT, &visit, subject, 1, 0, "NEEDLE", 6), 0);
	assert_int_equal(store_put(f->store, STORE_DECISION, &decision, subject, 1, 0, "NEEDLE", 6),
	    0);
	assert_int_equal(store_put(f->store, STORE_SUBJECT, subject, subject, 1, 0, "NEEDLE", 6),
	    0);
	assert_int_equal(store_log_add(f->store, STORE_LOG_SUBJECT, subject, subject, 1, 1,
			     "NEEDLE", 6),
	    0);
	assert_int_equal(store_log_add(f->store, STORE_LOG_OUTCOME, &decision, subject, 1, 1,
			     "NEEDLE", 6),
	    0);
	assert_int_equal(store_outbox_add(f->store, "t", subject, false, "NEEDLE", 6, &id), 0);
	assert_int_equal(store_uplink_add(f->store, LANE_DECISION, "t", 1, subject, "NEEDLE", 6),
	    0);
}

static void
assert_person(struct fixture *f, const struct id *subject, uint32_t n, bool there)
{
	struct id visit = ulid_of(1000, n), decision = ulid_of(1001, n), who;
	struct buf body = { 0 };
	int expect = there ? 0 : AISLE_E_NONE, rows = 0;
	assert_int_equal(store_get(f->store, STORE_VISIT, &visit, &body, &who), expect);
	assert_int_equal(store_get(f->store, STORE_DECISION, &decision, &body, &who), expect);
	assert_int_equal(store_get(f->store, STORE_SUBJECT, subject, &body, &who), expect);
	assert_int_equal(store_log_each(f->store, STORE_LOG_SUBJECT, subject, count_log, &rows), 0);
	assert_int_equal(store_log_each(f->store, STORE_LOG_OUTCOME, &decision, count_log, &rows),
	    0);
	assert_int_equal(rows, there ? 2 : 0);
	assert_int_equal(body.len, there ? 18 : 0);
	buf_done(&body);
}

static void
forget(struct fixture *f, const struct id *subject)
{
	begin(f);
	assert_int_equal(store_forget(f->store, subject), 0);
	assert_int_equal(keys_destroy(f->keys, subject), 0);
	commit(f);
}

static void
a_forgotten_person_is_gone_and_the_next_one_is_not(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1), ben = id_of(2);
	begin(f);
	write_person(f, &anna, 1);
	write_person(f, &ben, 2);
	commit(f);
	forget(f, &anna);
	for (int round = 0; round < 2; round++) {
		assert_person(f, &anna, 1, false);
		assert_person(f, &ben, 2, true);
		read_outbox(f, 0);
		assert_int_equal(got.count, 1);
		read_uplink(f, LANE_DECISION, 0, 10);
		assert_int_equal(got.count, 2);
		assert_string_equal(got.types[0], "gap");
		assert_string_equal(got.bodies[0], "{\"lane\":\"decision\",\"from\":1,\"to\":1}");
		assert_string_equal(got.bodies[1], "NEEDLE");
		assert_int_equal(store_damaged(f->store), 0);
		fixture_reopen(f);
	}
	begin(f);
	struct id visit = ulid_of(2000, 3);
	assert_int_equal(store_put(f->store, STORE_VISIT, &visit, &anna, 1, 0, "x", 1),
	    AISLE_E_NONE);
	store_rollback(f->store);
}

static void
forgetting_takes_the_name_and_the_bytes_from_the_files(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1), stranger = ulid_of(1002, 9);
	begin(f);
	write_person(f, &anna, 1);
	/* Decided before she was known, answered after. */
	assert_int_equal(store_put(f->store, STORE_DECISION, &stranger, NULL, 1, 0, "x", 1), 0);
	assert_int_equal(store_log_add(f->store, STORE_LOG_OUTCOME, &stranger, &anna, 1, 1,
			     "NEEDLE", 6),
	    0);
	commit(f);
	assert_true(dir_contains(f->dir, anna.b, 16));
	/* The uplink row keeps the keyed name until it is acknowledged; here it is. */
	read_uplink(f, LANE_DECISION, 0, 10);
	begin(f);
	assert_int_equal(store_uplink_ack(f->store, LANE_DECISION, 1), 0);
	commit(f);
	forget(f, &anna);
	store_checkpoint(f->store);
	fixture_close(f);
	char path[128];
	snprintf(path, sizeof(path), "%s/keys.db", f->dir);
	unlink(path); /* the tombstone is the one place that names her */
	assert_false(dir_contains(f->dir, anna.b, 16));
}

static void
forgetting_hundreds_of_visits_leaves_none(void **state)
{
	struct fixture *f = *state;
	struct id anna = id_of(1);
	int rows = 0;
	begin(f);
	for (uint32_t i = 0; i < 600; i++) {
		struct id visit = ulid_of(1000 + i, i);
		assert_int_equal(store_put(f->store, STORE_VISIT, &visit, &anna, 1, 0, "x", 1), 0);
	}
	commit(f);
	begin(f);
	assert_int_equal(store_forget(f->store, &anna), 0);
	commit(f);
	assert_int_equal(store_each(f->store, STORE_VISIT, -1, count_rows, &rows), 0);
	assert_int_equal(rows, 0);
}

static void
an_unsealed_store_forgets_what_waits_for_headquarters_as_well(void **state)
{
	(void)state;
	const struct store_options options = { .dir = NULL };
	struct fixture f = { .store = NULL };
	struct err err = { 0 };
	struct id anna = id_of(1), ben = id_of(2);
	assert_int_equal(store_open(&options, &f.store, &err), 0);
	begin(&f);
	write_person(&f, &anna, 1);
	write_person(&f, &ben, 2);
	assert_int_equal(store_forget(f.store, &anna), 0);
	commit(&f);
	assert_person(&f, &anna, 1, false);
	assert_person(&f, &ben, 2, true);
	read_uplink(&f, LANE_DECISION, 0, 10);
	assert_string_equal(got.types[0], "gap");
	assert_string_equal(got.bodies[1], "NEEDLE");
	store_close(f.store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(outbox_rows_come_in_order_until_they_are_deleted),
		STORE_TEST(outbox_ids_rise_over_deletion_restart_and_leases),
		STORE_TEST(outbox_ids_rise_over_a_kill_though_every_row_was_delivered),
		STORE_TEST(each_lane_counts_from_one_without_gaps),
		STORE_TEST(numbers_go_on_after_everything_was_acknowledged_and_a_restart),
		STORE_TEST(an_acknowledgement_beyond_what_was_given_out_is_refused),
		STORE_TEST(without_room_telemetry_goes_first_then_decisions_and_money_never),
		STORE_TEST(acknowledging_into_a_gap_leaves_the_gap),
		STORE_TEST(dead_letters_come_newest_first_and_only_ten_thousand_stay),
		STORE_TEST(dead_letters_are_bounded_in_bytes),
		STORE_TEST(dead_letters_go_by_their_age_oldest_first),
		STORE_TEST(dead_letters_of_a_customer_go_with_them),
		STORE_TEST(a_forgotten_person_is_gone_and_the_next_one_is_not),
		STORE_TEST(forgetting_takes_the_name_and_the_bytes_from_the_files),
		STORE_TEST(forgetting_hundreds_of_visits_leaves_none),
		cmocka_unit_test(an_unsealed_store_forgets_what_waits_for_headquarters_as_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
