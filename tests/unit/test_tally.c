/* SPDX-License-Identifier: Apache-2.0
 *
 * test_tally.c - figures: of the day across a reload, of the hour for headquarters.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/json.h"
#include "core/when.h"
#include "engine.h"

#define T0 INT64_C(1795255200000)	/* 2026-11-21T10:00:00Z */

static struct conf conf;

static struct engine *
open_engine(void)
{
	struct engine_options options = { .conf = &conf };
	struct engine *engine = NULL;
	struct err err = { 0 };

	assert_int_equal(engine_open(&options, &engine, &err), 0);
	return engine;
}

static int
set_up(void **state)
{
	(void)state;
	conf_init(&conf);
	conf.store_id = mem_strdup("0042");
	conf.hq_host = mem_strdup("hq");
	conf.uplink_aggregates = true;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	conf_done(&conf);
	return 0;
}

static void
clock_at(struct engine *engine, int64_t now_ms)
{
	struct input input = { .kind = INPUT_CLOCK, .now_ms = now_ms };

	assert_int_equal(turn_run(engine, &input, 1), 0);
}

/* What the stages count, in a transaction of its own. */
static void
count(struct engine *engine, const char *action, enum outcome outcome, bool withheld, int64_t amount)
{
	struct card card = { .action = (char *)(uintptr_t)action, .withheld = withheld };
	struct buf buf = { 0 };

	assert_int_equal(store_begin(engine->store), 0);
	tally_outcome(engine, &card, outcome, amount);
	tally_save(engine, &buf);
	assert_int_equal(store_commit(engine->store), 0);
	buf_done(&buf);
}

static int
take_row(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	json_t **ret = ctx;
	struct err err = { 0 };

	assert_int_equal(seq, 1);
	assert_int_equal(at_ms, T0 + H_MS);
	assert_string_equal(type, "aggregate");
	*ret = json_read(body, len, "row", &err);
	return 0;
}

static int64_t
number(const json_t *object, const char *name)
{
	return (int64_t)json_integer_value(json_object_get(object, name));
}

static void
an_hour_goes_up_as_one_record_when_it_is_over(void **state)
{
	struct engine *engine = open_engine();
	json_t *record = NULL, *action;

	(void)state;
	clock_at(engine, T0 + 10 * MIN_MS);
	count(engine, "coffee", OUTCOME_DECIDED, false, 0);
	count(engine, "coffee", OUTCOME_REDEEMED, false, 45);
	count(engine, "coffee", OUTCOME_DECIDED, true, 0);
	count(engine, "bread", OUTCOME_DISMISSED, false, 0);
	clock_at(engine, T0 + H_MS - 1);
	assert_int_equal(store_uplink_count(engine->store), 0);
	/* Read again from disk in between: nothing is lost. */
	tally_drop(engine);
	tally_load(engine);
	clock_at(engine, T0 + H_MS);
	assert_int_equal(store_uplink_count(engine->store), 1);
	assert_int_equal(store_uplink_each(engine->store, LANE_TELEMETRY, 0, 10, take_row, &record), 0);
	assert_string_equal(json_string_value(json_object_get(record, "from")), "2026-11-21T10:00:00.000Z");
	assert_int_equal(json_array_size(json_object_get(record, "actions")), 2);
	action = json_array_get(json_object_get(record, "actions"), 0);
	assert_string_equal(json_string_value(json_object_get(action, "action")), "coffee");
	assert_int_equal(number(action, "decided"), 1);
	assert_int_equal(number(action, "withheld"), 1);
	assert_int_equal(number(action, "redeemed"), 1);
	assert_int_equal(number(action, "redeemed_amount"), 45);
	clock_at(engine, T0 + 5 * H_MS);
	assert_int_equal(store_uplink_count(engine->store), 1);
	json_decref(record);
	engine_close(engine);
}

static void
an_hour_has_room_for_any_number_of_actions(void **state)
{
	struct engine *engine = open_engine();
	char name[32];

	(void)state;
	clock_at(engine, T0);
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "action-%d", i);
		count(engine, name, OUTCOME_SHOWN, false, 0);
	}
	assert_int_equal(engine->hour_count, 512);
	assert_string_equal(engine->hour[511].action, "other");
	assert_int_equal(engine->hour[511].outcomes[OUTCOME_SHOWN], 89);
	engine_close(engine);
}

static void
the_day_begins_anew_at_its_cut(void **state)
{
	struct engine *engine = open_engine();
	struct buf out = { 0 };

	(void)state;
	clock_at(engine, T0);
	count(engine, "coffee", OUTCOME_ACCEPTED, false, 0);
	assert_int_equal(query_report(engine, T0, &out), 0);
	assert_non_null(strstr(out.data, "\"accepted\":1,"));
	tally_drop(engine);
	tally_load(engine);
	buf_clear(&out);
	assert_int_equal(query_report(engine, T0 + H_MS, &out), 0);
	assert_non_null(strstr(out.data, "\"accepted\":1,"));
	/* 04:00 the next morning */
	buf_clear(&out);
	assert_int_equal(query_report(engine, T0 + 18 * H_MS - 1, &out), 0);
	assert_non_null(strstr(out.data, "\"accepted\":1,"));
	buf_clear(&out);
	assert_int_equal(query_report(engine, T0 + 18 * H_MS, &out), 0);
	assert_non_null(strstr(out.data, "\"accepted\":0,"));
	clock_at(engine, T0 + 18 * H_MS);
	count(engine, "coffee", OUTCOME_DISMISSED, false, 0);
	assert_int_equal(engine->today.outcomes[OUTCOME_ACCEPTED], 0);
	assert_int_equal(engine->today.outcomes[OUTCOME_DISMISSED], 1);
	buf_done(&out);
	engine_close(engine);
}

static void
a_pin_is_locked_after_five_wrong_ones_for_five_minutes(void **state)
{
	struct engine *engine = open_engine();

	(void)state;
	assert_int_equal(manager_add(engine->store, "mia", "2468", T0), 0);
	clock_at(engine, T0);
	assert_int_equal(manager_check(engine, "nobody", "2468"), MANAGER_NO);
	assert_int_equal(manager_check(engine, "mia", "2468"), MANAGER_OK);
	for (int i = 0; i < 4; i++)
		assert_int_equal(manager_check(engine, "mia", "0000"), MANAGER_NO);
	/* A right one in between starts the count again. */
	assert_int_equal(manager_check(engine, "mia", "2468"), MANAGER_OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(manager_check(engine, "mia", "0000"), MANAGER_NO);
	assert_int_equal(manager_check(engine, "mia", "2468"), MANAGER_LOCKED);
	clock_at(engine, T0 + 5 * MIN_MS - 1);
	assert_int_equal(manager_check(engine, "mia", "2468"), MANAGER_LOCKED);
	clock_at(engine, T0 + 5 * MIN_MS);
	assert_int_equal(manager_check(engine, "mia", "2468"), MANAGER_OK);
	assert_int_equal(manager_remove(engine->store, "mia"), 0);
	assert_int_equal(manager_remove(engine->store, "mia"), AISLE_E_NONE);
	assert_int_equal(manager_check(engine, "mia", "2468"), MANAGER_NO);
	engine_close(engine);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_hour_goes_up_as_one_record_when_it_is_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_hour_has_room_for_any_number_of_actions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_day_begins_anew_at_its_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pin_is_locked_after_five_wrong_ones_for_five_minutes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
