/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_room.c - what leaves a state that grows, by its age and under [state] max_mib:
 * what goes first, what never.
 */
#include "store_fixture.h"

#include "store/store_internal.h"
#include "core/when.h"
#include "spine/engine_state.h"

#define NOW INT64_C(1795255200000) /* 2026-11-21T10:00:00Z */
#define KEPT_MS (35 * D_MS)	   /* [privacy] decision_days */
#define MAX_MIB 2
#define BODY 3000
#define PASSES 400 /* a few rows go at a time */

struct room {
	char dir[64];
	struct conf conf;
	struct engine *engine;
	uint32_t serial;
	size_t padded;
	char body[BODY];
};

static int
set_up(void **state)
{
	struct room *room = calloc(1, sizeof(*room));
	struct engine_options options = { .conf = &room->conf, .state_dir = room->dir };
	struct err err = { 0 };

	snprintf(room->dir, sizeof(room->dir), "/tmp/aisle-room-XXXXXX");
	assert_non_null(mkdtemp(room->dir));
	log_set_level((enum log_level)0);
	conf_init(&room->conf);
	room->conf.store_id = mem_strdup("0042");
	room->conf.state_max_mib = MAX_MIB;
	room->conf.decision_days = 35;
	room->conf.retain_ms = 365 * D_MS;
	if (engine_open(&options, &room->engine, &err) != 0)
		fail_msg("%s", err.text);
	*state = room;
	return 0;
}

static int
tear_down(void **state)
{
	struct room *room = *state;

	engine_close(room->engine);
	conf_done(&room->conf);
	remove_dir(room->dir);
	free(room);
	return 0;
}

/* ---- rows ---- */

/* A body that nothing can make smaller. */
static const void *
body_of(struct room *room)
{
	noise(room->body, BODY);
	return room->body;
}

static struct id
put(struct room *room, enum store_table table, int64_t at_ms, int flag, size_t len)
{
	const void *body = body_of(room);
	struct store *store = room->engine->store;
	struct id key = ulid_of(at_ms, ++room->serial);

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_put(store, table, &key, NULL, at_ms, flag, body, len), 0);
	assert_int_equal(store_settle(store), 0);
	assert_int_equal(store_commit(store), 0);
	return key;
}

static bool
is_there(struct room *room, enum store_table table, struct id key)
{
	struct buf body = { 0 };
	int rc = store_get(room->engine->store, table, &key, &body, NULL);

	buf_done(&body);
	return rc == 0;
}

static int
count_row(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	(void)key, (void)subject, (void)at_ms, (void)body, (void)len;
	++*(int *)ctx;
	return 0;
}

static int
rows_of(struct room *room, enum store_table table)
{
	int rows = 0;

	assert_int_equal(store_each(room->engine->store, table, -1, count_row, &rows), 0);
	return rows;
}

static int64_t
bound(const struct room *room)
{
	return room->engine->store->pages_max / 8 * 7;
}

/* What is in meta has no age and no turn to go; past the turn's row, it grows by a page at a time. */
static void
pad(struct room *room, size_t len)
{
	struct store *store = room->engine->store;
	char *bytes = calloc(1, len);

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_meta_write(store, "pad", bytes, len), 0);
	assert_int_equal(store_commit(store), 0);
	free(bytes);
}

/* Young rows, oldest first, until just so many pages are used; the first of them. */
static struct id
fill(struct room *room, enum store_table table, int64_t pages)
{
	struct store *store = room->engine->store;
	struct id first = { 0 };

	while (store_pages_used(store) + 20 < pages) {
		struct id key = put(room, table, NOW - H_MS + room->serial, 0, BODY);

		if (id_is_zero(&first))
			first = key;
	}
	while (store_pages_used(store) < pages)
		pad(room, room->padded += 100);
	assert_int_equal(store_pages_used(store), pages);
	return first;
}

static int
make_room(struct room *room)
{
	int removed = 0;

	for (int i = 0; i < PASSES; i++) {
		int rc = room_make(room->engine, NOW);

		assert_true(rc >= 0);
		removed += rc;
	}
	return removed;
}

/* ---- by age ---- */

static void
a_decision_of_its_last_day_stays_and_an_older_one_goes(void **state)
{
	struct room *room = *state;
	struct id last = put(room, STORE_DECISION, NOW - KEPT_MS, 0, 10);
	struct id older = put(room, STORE_DECISION, NOW - KEPT_MS - 1, 0, 10);

	assert_int_equal(make_room(room), 1);
	assert_true(is_there(room, STORE_DECISION, last));
	assert_false(is_there(room, STORE_DECISION, older));
}

static void
a_closed_visit_goes_with_its_decisions_and_an_open_one_stays(void **state)
{
	struct room *room = *state;
	struct id last = put(room, STORE_VISIT, NOW - KEPT_MS, 0, 10);
	struct id older = put(room, STORE_VISIT, NOW - KEPT_MS - 1, 0, 10);
	struct id open = put(room, STORE_VISIT, NOW - 2 * KEPT_MS, 1, 10);

	assert_int_equal(make_room(room), 1);
	assert_true(is_there(room, STORE_VISIT, last));
	assert_false(is_there(room, STORE_VISIT, older));
	assert_true(is_there(room, STORE_VISIT, open));
}

static void
a_closed_visit_stays_for_four_days_however_soon_decisions_go(void **state)
{
	struct room *room = *state;
	struct id last = put(room, STORE_VISIT, NOW - 4 * D_MS, 0, 10);
	struct id older = put(room, STORE_VISIT, NOW - 4 * D_MS - 1, 0, 10);

	room->conf.decision_days = 1;
	assert_int_equal(make_room(room), 1);
	assert_true(is_there(room, STORE_VISIT, last));
	assert_false(is_there(room, STORE_VISIT, older));
}

static void
a_customer_and_a_tablet_have_no_age(void **state)
{
	struct room *room = *state;
	struct id subject = put(room, STORE_SUBJECT, NOW - 4000 * D_MS, 0, 10);
	struct id tablet = put(room, STORE_TABLET, NOW - 4000 * D_MS, 0, 10);

	assert_int_equal(make_room(room), 0);
	assert_true(is_there(room, STORE_SUBJECT, subject));
	assert_true(is_there(room, STORE_TABLET, tablet));
}

static void
a_visit_waits_a_day_longer_than_the_longest_outcome_of_its_policy(void **state)
{
	struct room *room = *state;
	struct action actions[2] = { { .goal_within_ms = 7 * D_MS },
		{ .goal_within_ms = D_MS, .has_offer = true, .offer = { .until_ms = 14 * D_MS } } };
	struct policy policy = { .actions = actions, .action_count = 2 };
	struct id last = put(room, STORE_VISIT, NOW - 15 * D_MS, 0, 10);
	struct id older = put(room, STORE_VISIT, NOW - 15 * D_MS - 1, 0, 10);

	room->engine->policy = &policy;
	room->conf.decision_days = 1;
	assert_int_equal(make_room(room), 1);
	assert_true(is_there(room, STORE_VISIT, last));
	assert_false(is_there(room, STORE_VISIT, older));
	/* But no longer than anything about a customer is kept. */
	room->conf.retain_ms = 10 * D_MS;
	assert_int_equal(make_room(room), 1);
	assert_false(is_there(room, STORE_VISIT, last));
	room->engine->policy = NULL;
}

static int
count_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	(void)n, (void)kind, (void)at_ms, (void)body, (void)len;
	++*(int *)ctx;
	return 0;
}

static void
add_log(struct room *room, enum store_log log, const struct id *key, int64_t at_ms)
{
	struct store *store = room->engine->store;

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_log_add(store, log, key, NULL, 1, at_ms, "x", 1), 0);
	assert_int_equal(store_settle(store), 0);
	assert_int_equal(store_commit(store), 0);
}

static void
outcomes_are_kept_with_their_decisions_and_a_customers_rows_as_long_as_retain_says(void **state)
{
	static const int64_t ages_ms[STORE_LOG_COUNT] = {
		[STORE_LOG_SUBJECT] = 365 * D_MS, [STORE_LOG_OUTCOME] = KEPT_MS
	};
	struct room *room = *state;
	struct id key = id_of(7);

	for (int log = 0; log < STORE_LOG_COUNT; log++) {
		int rows = 0;

		add_log(room, (enum store_log)log, &key, NOW - ages_ms[log]);
		add_log(room, (enum store_log)log, &key, NOW - ages_ms[log] - 1);
		make_room(room);
		assert_int_equal(store_log_each(room->engine->store, (enum store_log)log, &key,
				     count_log, &rows),
		    0);
		assert_int_equal(rows, 1);
	}
}

/* ---- under [state] max_mib ---- */

static void
at_the_bound_young_decisions_stay_and_above_it_the_oldest_go(void **state)
{
	struct room *room = *state;
	struct id first = fill(room, STORE_DECISION, bound(room)), newest;
	int before = rows_of(room, STORE_DECISION);

	assert_int_equal(make_room(room), 0);
	assert_true(is_there(room, STORE_DECISION, first));
	fill(room, STORE_DECISION, bound(room) + 1);
	newest = put(room, STORE_DECISION, NOW, 0, 10);
	assert_true(make_room(room) > 0);
	assert_false(is_there(room, STORE_DECISION, first));
	assert_true(is_there(room, STORE_DECISION, newest));
	/* No more than what brings it below the bound again, a few rows at a time. */
	assert_true(store_pages_used(room->engine->store) <= bound(room));
	assert_true(rows_of(room, STORE_DECISION) > before / 2);
}

static void
above_the_bound_what_is_over_a_quarter_of_its_time_goes_before_the_young(void **state)
{
	struct room *room = *state;
	struct id quarter = put(room, STORE_DECISION, NOW - KEPT_MS / 4, 0, 10);
	struct id older = put(room, STORE_DECISION, NOW - KEPT_MS / 4 - 1, 0, 10);
	struct id visit = put(room, STORE_VISIT, NOW - KEPT_MS / 4, 0, 10);
	struct id old_visit = put(room, STORE_VISIT, NOW - KEPT_MS / 4 - 1, 0, 10);
	struct id open = put(room, STORE_VISIT, NOW - 40 * D_MS, 1, 10);

	fill(room, STORE_DECISION, bound(room));
	assert_int_equal(make_room(room), 0);
	fill(room, STORE_DECISION, bound(room) + 1);
	assert_int_equal(room_make(room->engine, NOW), 2);
	assert_true(is_there(room, STORE_DECISION, quarter));
	assert_false(is_there(room, STORE_DECISION, older));
	assert_true(is_there(room, STORE_VISIT, visit));
	assert_false(is_there(room, STORE_VISIT, old_visit));
	assert_true(is_there(room, STORE_VISIT, open));
}

static void
seen_ids_go_by_their_age_alone(void **state)
{
	struct room *room = *state;
	struct store *store = room->engine->store;
	struct id last = id_of(1), older = id_of(2), digest = id_of(3), got;
	int64_t at_ms;

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_seen_put(store, &older, &digest, NOW - 4 * D_MS - 1), 0);
	assert_int_equal(store_settle(store), 0);
	assert_int_equal(store_seen_put(store, &last, &digest, NOW - 4 * D_MS), 0);
	assert_int_equal(store_commit(store), 0);
	fill(room, STORE_DECISION, bound(room) + 1);
	make_room(room);
	assert_int_equal(store_seen_get(store, &last, &got, &at_ms), 0);
	assert_int_equal(store_seen_get(store, &older, &got, &at_ms), AISLE_E_NONE);
}

static void
customers_and_tablets_never_go_however_little_room_there_is(void **state)
{
	struct room *room = *state;
	struct id subject = put(room, STORE_SUBJECT, NOW - 4000 * D_MS, 0, 10);
	struct id tablet = put(room, STORE_TABLET, NOW - 4000 * D_MS, 0, 10);

	fill(room, STORE_SUBJECT, bound(room) + 1);
	assert_int_equal(make_room(room), 0);
	assert_true(is_there(room, STORE_SUBJECT, subject));
	assert_true(is_there(room, STORE_TABLET, tablet));
}

/* ---- what waits for headquarters ---- */

struct lane_rows {
	int rows;
	int64_t given_up;
};

static int
count_record(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct lane_rows *lane = ctx;

	(void)at_ms, (void)body, (void)len;
	if (strcmp(type, "gap") == 0)
		lane->given_up = seq;
	else
		lane->rows++;
	return 0;
}

static struct lane_rows
waiting(struct room *room, enum lane lane)
{
	struct lane_rows rows = { 0 };

	assert_int_equal(store_uplink_each(room->engine->store, lane, 0, 1 << 20, count_record,
			     &rows),
	    0);
	return rows;
}

static void
add_record(struct room *room, enum lane lane)
{
	const void *body = body_of(room);
	struct store *store = room->engine->store;

	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_uplink_add(store, lane, "x", NOW, NULL, body, BODY), 0);
	assert_int_equal(store_settle(store), 0);
	assert_int_equal(store_commit(store), 0);
}

static void
add_records(struct room *room, enum lane lane, int count)
{
	for (int i = 0; i < count; i++)
		add_record(room, lane);
}

static void
telemetry_is_given_up_first_then_decisions_and_never_consent_or_money(void **state)
{
	struct room *room = *state;

	for (int lane = 0; lane < LANE_COUNT; lane++)
		add_records(room, (enum lane)lane, 40);
	fill(room, STORE_DECISION, bound(room) - 200);
	add_records(room, LANE_MONEY, 16);
	assert_int_equal(waiting(room, LANE_TELEMETRY).rows, 40);
	/* Above the bound now; looked at every few records. */
	fill(room, STORE_DECISION, bound(room) + 1);
	add_records(room, LANE_MONEY, 16);
	assert_int_equal(waiting(room, LANE_TELEMETRY).rows, 0);
	assert_int_equal(waiting(room, LANE_TELEMETRY).given_up, 40);
	assert_int_equal(waiting(room, LANE_DECISION).rows, 40);
	fill(room, STORE_DECISION, bound(room) + 1);
	add_records(room, LANE_CONSENT, 24);
	assert_int_equal(waiting(room, LANE_DECISION).rows, 0);
	assert_int_equal(waiting(room, LANE_DECISION).given_up, 40);
	make_room(room);
	assert_int_equal(waiting(room, LANE_CONSENT).rows, 64);
	assert_int_equal(waiting(room, LANE_CONSENT).given_up, 0);
	assert_int_equal(waiting(room, LANE_MONEY).rows, 72);
	assert_int_equal(waiting(room, LANE_MONEY).given_up, 0);
}

static void
consent_and_money_alone_fill_it_to_the_last_page_and_none_is_lost(void **state)
{
	struct room *room = *state;
	struct store *store = room->engine->store;
	int taken = 0, rc = 0;

	while (rc == 0) {
		enum lane lane = taken % 2 == 0 ? LANE_CONSENT : LANE_MONEY;

		assert_int_equal(store_begin(store), 0);
		rc = store_uplink_add(store, lane, "x", NOW, NULL, body_of(room), BODY);
		if (rc == 0)
			rc = store_commit(store);
		if (rc != 0)
			store_rollback(store);
		else
			taken++;
	}
	assert_int_equal(rc, AISLE_E_FULL);
	assert_int_equal(make_room(room), 0);
	assert_int_equal(waiting(room, LANE_CONSENT).rows + waiting(room, LANE_MONEY).rows, taken);
	assert_int_equal(waiting(room, LANE_CONSENT).given_up + waiting(room, LANE_MONEY).given_up,
	    0);
}

/* A visit of its own, in a turn of its own. */
static int
add_visit(struct room *room, const struct id *subject, size_t len)
{
	struct store *store = room->engine->store;
	struct id key = ulid_of(NOW + ++room->serial, 1);
	int rc = store_begin(store);

	if (rc == 0)
		rc = store_put(store, STORE_VISIT, &key, subject, NOW, 1, body_of(room), len);
	if (rc == 0)
		rc = store_commit(store);
	if (rc != 0)
		store_rollback(store);
	return rc;
}

/* Bodies of which only one goes into a page: what the turns have of them is shorter than their table will. */
static void
in_a_full_state_somebody_is_forgotten_all_the_same(void **state)
{
	struct room *room = *state;
	struct store *store = room->engine->store;
	struct id anna = id_of(1);
	int rc = 0;

	fill(room, STORE_DECISION, store->pages_max - 1000);
	while (rc == 0)
		rc = add_visit(room, &anna, 200);
	assert_int_equal(rc, AISLE_E_FULL);
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_forget(store, &anna), 0);
	assert_int_equal(store_commit(store), 0);
}

/* What is recent for longer than a day finds no room in its table. */
static void
in_a_full_state_what_is_old_goes_on_the_third_day_too(void **state)
{
	struct room *room = *state;
	struct store *store = room->engine->store;
	struct id old = put(room, STORE_DECISION, NOW - KEPT_MS, 0, 10);
	int rc = 0;

	fill(room, STORE_SUBJECT, store->pages_max - 1000);
	while (rc == 0)
		rc = add_visit(room, NULL, 200);
	assert_int_equal(rc, AISLE_E_FULL);
	assert_true(room_make(room->engine, NOW + 3 * D_MS) > 0);
	assert_false(is_there(room, STORE_DECISION, old));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_decision_of_its_last_day_stays_and_an_older_one_goes),
		TEST(a_closed_visit_goes_with_its_decisions_and_an_open_one_stays),
		TEST(a_closed_visit_stays_for_four_days_however_soon_decisions_go),
		TEST(a_customer_and_a_tablet_have_no_age),
		TEST(a_visit_waits_a_day_longer_than_the_longest_outcome_of_its_policy),
		TEST(
		    outcomes_are_kept_with_their_decisions_and_a_customers_rows_as_long_as_retain_says),
		TEST(at_the_bound_young_decisions_stay_and_above_it_the_oldest_go),
		TEST(above_the_bound_what_is_over_a_quarter_of_its_time_goes_before_the_young),
		TEST(seen_ids_go_by_their_age_alone),
		TEST(customers_and_tablets_never_go_however_little_room_there_is),
		TEST(telemetry_is_given_up_first_then_decisions_and_never_consent_or_money),
		TEST(consent_and_money_alone_fill_it_to_the_last_page_and_none_is_lost),
		TEST(in_a_full_state_somebody_is_forgotten_all_the_same),
		TEST(in_a_full_state_what_is_old_goes_on_the_third_day_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
