/* SPDX-License-Identifier: Apache-2.0
 *
 * test_tally.c - figures: of the day by hour and by action across a reload, and how they are told;
 * of the hour for headquarters.
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
#include "spine/spine.h"

#define T0 INT64_C(1795255200000) /* 2026-11-21T10:00:00Z */

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
count_card(struct engine *engine, const struct card *card, enum outcome outcome, int64_t amount)
{
	struct buf buf = { 0 };

	assert_int_equal(store_begin(engine->store), 0);
	tally_outcome(engine, card, outcome, NULL, amount);
	tally_save(engine, &buf);
	assert_int_equal(store_commit(engine->store), 0);
	buf_done(&buf);
}

static void
count(struct engine *engine, const char *action, enum outcome outcome, bool withheld,
    int64_t amount)
{
	struct card card = { .action = (char *)(uintptr_t)action, .withheld = withheld };

	count_card(engine, &card, outcome, amount);
}

static json_t *
report_at(struct engine *engine, int64_t now_ms)
{
	struct buf out = { 0 };
	struct err err = { 0 };
	json_t *json;

	assert_int_equal(query_report(engine, now_ms, &out), 0);
	json = json_read(out.data, out.len, "report", &err);
	if (json == NULL)
		fail_msg("%s: %s", err.text, out.data);
	buf_done(&out);
	return json;
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
	assert_int_equal(store_uplink_each(engine->store, LANE_TELEMETRY, 0, 10, take_row, &record),
	    0);
	assert_string_equal(json_string_value(json_object_get(record, "from")),
	    "2026-11-21T10:00:00.000Z");
	assert_string_equal(json_string_value(json_object_get(record, "until")),
	    "2026-11-21T11:00:00.000Z");
	assert_int_equal(number(record, "decisions"), 0);
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

/* It ends behind the rows, within one, within a name, within the first number. */
static void
an_hour_that_is_cut_is_read_as_far_as_it_goes(void **state)
{
	struct engine *engine = open_engine();
	struct buf whole = { 0 };
	size_t rows = 0;

	(void)state;
	clock_at(engine, T0);
	count(engine, "coffee", OUTCOME_SHOWN, false, 0);
	count(engine, "bread", OUTCOME_SHOWN, false, 0);
	assert_int_equal(store_meta_get(engine->store, "hour", &whole), 0);
	for (size_t len = whole.len + 1; len-- > 0;) {
		assert_int_equal(store_begin(engine->store), 0);
		assert_int_equal(store_meta_set(engine->store, "hour", whole.data, len), 0);
		assert_int_equal(store_commit(engine->store), 0);
		tally_drop(engine);
		tally_load(engine);
		assert_true(len == whole.len ? engine->hour_count == 2
					     : engine->hour_count <= rows);
		rows = engine->hour_count;
		for (size_t i = 0; i < rows; i++)
			assert_string_equal(engine->hour[i].action, i == 0 ? "coffee" : "bread");
	}
	assert_int_equal(rows, 0);
	buf_done(&whole);
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

/* ---- the day, by hour and by action ---- */

static void
assert_hours(struct engine *engine, const char *expected)
{
	json_t *report = report_at(engine, engine->now_ms);
	struct buf out = { 0 };

	json_write(json_object_get(report, "hours"), &out);
	assert_string_equal(out.data, expected);
	buf_done(&out);
	json_decref(report);
}

#define HOUR(h, s, a) "{\"hour\":" #h ",\"shown\":" #s ",\"accepted\":" #a "}"

static void
a_day_is_told_by_hour_from_the_first_with_something_to_the_last(void **state)
{
	struct engine *engine = open_engine();

	(void)state;
	clock_at(engine, T0);
	assert_hours(engine, "[]");
	count(engine, "coffee", OUTCOME_DECIDED, false, 0);
	assert_hours(engine, "[]");
	count(engine, "coffee", OUTCOME_SHOWN, false, 0);
	assert_hours(engine, "[" HOUR(10, 1, 0) "]");
	clock_at(engine, T0 + H_MS - 1);
	count(engine, "coffee", OUTCOME_SHOWN, false, 0);
	clock_at(engine, T0 + 2 * H_MS);
	count(engine, "coffee", OUTCOME_ACCEPTED, false, 0);
	count(engine, "coffee", OUTCOME_SHOWN, true, 0); /* withheld: nobody saw it */
	assert_hours(engine, "[" HOUR(10, 2, 0) "," HOUR(11, 0, 0) "," HOUR(12, 0, 1) "]");
	/* the last hour of a day that is cut at four */
	clock_at(engine, T0 + 18 * H_MS - 1);
	count(engine, "bread", OUTCOME_SHOWN, false, 0);
	assert_int_equal(engine->today.hours[23].shown, 1);
	clock_at(engine, T0 + 18 * H_MS);
	count(engine, "bread", OUTCOME_SHOWN, false, 0);
	assert_hours(engine, "[" HOUR(4, 1, 0) "]");
	engine_close(engine);
}

static void
an_hour_is_one_of_the_clock_also_where_the_day_is_cut_within_it(void **state)
{
	struct engine *engine;

	(void)state;
	conf.day_cut_minute = 4 * 60 + 30;
	engine = open_engine();
	clock_at(engine, T0 - 5 * H_MS); /* 05:00 */
	count(engine, "coffee", OUTCOME_SHOWN, false, 0);
	clock_at(engine, T0 - 4 * H_MS - 1);
	count(engine, "coffee", OUTCOME_SHOWN, false, 0);
	assert_hours(engine, "[" HOUR(5, 2, 0) "]");
	/* 04:29 the next morning is still this day's: its 25th hour of the clock */
	clock_at(engine, T0 + 18 * H_MS + 29 * MIN_MS);
	count(engine, "coffee", OUTCOME_SHOWN, false, 0);
	assert_int_equal(engine->today.hours[1].shown, 2);
	assert_int_equal(engine->today.hours[24].shown, 1);
	engine_close(engine);
}

static void
the_hour_that_autumn_has_twice_is_one_and_the_day_keeps_its_last(void **state)
{
	struct engine *engine = open_engine();
	int64_t cut = INT64_C(1792893600000); /* 2026-10-25T02:00:00Z, after the change: 03:00 */

	(void)state;
	engine->zone = zone_new("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_non_null(engine->zone);
	clock_at(engine, cut - 90 * MIN_MS); /* 02:30 in summer time */
	count(engine, "coffee", OUTCOME_SHOWN, false, 0);
	clock_at(engine, cut - 30 * MIN_MS); /* 02:30 again */
	count(engine, "coffee", OUTCOME_SHOWN, false, 0);
	assert_hours(engine, "[" HOUR(2, 2, 0) "]");
	clock_at(engine, cut + H_MS - 1);
	count(engine, "coffee", OUTCOME_ACCEPTED, false, 0);
	assert_hours(engine, "[" HOUR(2, 2, 0) "," HOUR(3, 0, 1) "]");
	zone_free(engine->zone);
	engine->zone = NULL;
	engine_close(engine);
}

static void
a_day_is_told_by_action_and_read_again_as_it_was(void **state)
{
	struct engine *engine = open_engine();
	struct card redeemed = { .action = (char *)(uintptr_t) "coffee", .redeemed = true };
	json_t *before, *after, *actions;

	(void)state;
	clock_at(engine, T0);
	for (int i = 0; i < 70; i++)
		count(engine, "coffee", OUTCOME_SHOWN, false, 0);
	count(engine, "coffee", OUTCOME_ACCEPTED, false, 0);
	count(engine, "coffee", OUTCOME_REDEEMED, false, 1250);
	count(engine, "coffee", OUTCOME_REDEEMED, false, 45);
	count_card(engine, &redeemed, OUTCOME_REVERSED, 45);
	count(engine, "coffee", OUTCOME_REVERSED, false, 45); /* nothing was paid with it */
	clock_at(engine, T0 + 3 * H_MS);
	count(engine, "bread", OUTCOME_DECIDED, false, 0);
	count(engine, "bread", OUTCOME_OVERRIDDEN, false, 0);
	before = report_at(engine, T0 + 3 * H_MS);
	actions = json_object_get(before, "actions");
	assert_int_equal(json_array_size(actions), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(actions, 0),
				"action")),
	    "coffee");
	assert_int_equal(number(json_array_get(actions, 0), "shown"), 70);
	assert_int_equal(number(json_array_get(actions, 0), "redeemed"), 2);
	assert_int_equal(number(json_array_get(actions, 0), "redeemed_minor"), 1250);
	assert_int_equal(number(json_array_get(actions, 1), "prompts"), 1);
	assert_int_equal(number(json_array_get(actions, 1), "overridden"), 1);
	assert_null(json_object_get(json_array_get(actions, 1), "redeemed_minor"));
	assert_null(json_object_get(before, "others"));
	assert_int_equal(number(before, "redeemed_minor"), 1250);
	tally_drop(engine);
	assert_int_equal(engine->today.action_count, 0);
	tally_load(engine);
	after = report_at(engine, T0 + 3 * H_MS);
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	engine_close(engine);
}

static void
the_256th_action_of_a_day_has_a_row_and_those_after_it_share_one(void **state)
{
	struct engine *engine = open_engine();
	struct buf row = { 0 };
	json_t *report;
	char name[32];

	(void)state;
	clock_at(engine, T0);
	for (int i = 0; i < 256; i++) {
		snprintf(name, sizeof(name), "action-%d", i);
		count(engine, name, OUTCOME_SHOWN, false, 0);
	}
	report = report_at(engine, T0);
	assert_int_equal(json_array_size(json_object_get(report, "actions")), 256);
	assert_null(json_object_get(report, "others"));
	json_decref(report);
	for (int i = 255; i < 300; i++) {
		snprintf(name, sizeof(name), "action-%d", i);
		count(engine, name, OUTCOME_SHOWN, false, 0);
	}
	tally_drop(engine);
	tally_load(engine);
	count(engine, "action-299", OUTCOME_ACCEPTED, false, 0);
	report = report_at(engine, T0);
	assert_int_equal(json_array_size(json_object_get(report, "actions")), 256);
	assert_int_equal(number(json_object_get(report, "others"), "shown"), 44);
	assert_int_equal(number(json_object_get(report, "others"), "accepted"), 1);
	assert_int_equal(number(json_array_get(json_object_get(report, "actions"), 255), "shown"),
	    2);
	json_decref(report);
	/* bounded on disk too: a turn writes the first row and the shelves that it changed */
	assert_int_equal(store_meta_get(engine->store, "today/32", &row), 0);
	assert_int_equal(store_meta_get(engine->store, "today/33", &row), AISLE_E_NONE);
	buf_done(&row);
	engine_close(engine);
}

static void
a_turn_writes_some_two_hundred_bytes_of_a_usual_day(void **state)
{
	static const char *const actions[] = { "coffee-off", "bread-off", "enrol", "tea-cake",
		"parking-hint", "wine-pairing", "return-help", "points-double", "cheese-board",
		"birthday" };
	struct engine *engine = open_engine();
	struct buf row = { 0 };

	(void)state;
	for (int hour = 0; hour < 12; hour++) {
		clock_at(engine, T0 + (hour - 2) * H_MS);
		for (int i = 0; i < 400; i++) {
			const char *action = actions[i % 10];

			count(engine, action, OUTCOME_DECIDED, false, 0);
			count(engine, action, OUTCOME_SHOWN, false, 0);
			count(engine, action,
			    i % 3 == 0	     ? OUTCOME_ACCEPTED
				: i % 3 == 1 ? OUTCOME_DISMISSED
					     : OUTCOME_SNOOZED,
			    false, 0);
			if (i % 3 == 0)
				count(engine, action, OUTCOME_REDEEMED, false, 145);
		}
	}
	assert_int_equal(store_meta_get(engine->store, "today", &row), 0);
	assert_in_range(row.len, 30, 60);
	buf_clear(&row);
	assert_int_equal(store_meta_get(engine->store, "today/0", &row), 0);
	assert_in_range(row.len, 100, 300);
	buf_done(&row);
	engine_close(engine);
}

static int64_t
unanswered(struct engine *engine)
{
	json_t *report = report_at(engine, engine->now_ms);
	int64_t n = number(report, "unanswered");

	json_decref(report);
	return n;
}

static void
unanswered_is_what_went_while_it_was_open_and_no_tablet_denied(void **state)
{
	struct engine *engine = open_engine();
	struct card card = { .action = (char *)(uintptr_t) "coffee", .sent_ms = T0 };

	(void)state;
	clock_at(engine, T0);
	count_card(engine, &card, OUTCOME_EXPIRED, 0);
	count_card(engine, &card, OUTCOME_WITHDRAWN, 0);
	assert_int_equal(unanswered(engine), 2);
	/* accepted, and then the sale was cancelled: it was answered */
	card.state = CARD_ASKED;
	card.answer = ANSWER_ACCEPT;
	count_card(engine, &card, OUTCOME_WITHDRAWN, 0);
	assert_int_equal(unanswered(engine), 2);
	/* denied, then expired: one of those that were not shown */
	card = (struct card){ .action = card.action, .sent_ms = T0, .shown_ms = T0 };
	count_card(engine, &card, OUTCOME_NOT_SHOWN, 0);
	count_card(engine, &card, OUTCOME_EXPIRED, 0);
	assert_int_equal(unanswered(engine), 2);
	/* expired, then denied: likewise */
	card.shown_ms = 0;
	count_card(engine, &card, OUTCOME_EXPIRED, 0);
	assert_int_equal(unanswered(engine), 3);
	card.state = CARD_GONE;
	card.shown_ms = T0;
	count_card(engine, &card, OUTCOME_NOT_SHOWN, 0);
	assert_int_equal(unanswered(engine), 2);
	/* one that went yesterday is not taken off today's */
	card.sent_ms = T0 - 6 * H_MS - 1;
	count_card(engine, &card, OUTCOME_NOT_SHOWN, 0);
	assert_int_equal(unanswered(engine), 2);
	/* shown, and ran out */
	card = (struct card){ .action = card.action, .sent_ms = T0, .shown_ms = T0, .shown = true };
	count_card(engine, &card, OUTCOME_EXPIRED, 0);
	assert_int_equal(unanswered(engine), 3);
	engine_close(engine);
}

static void
put_today(struct engine *engine, const char *name, const void *row, size_t len)
{
	assert_int_equal(store_begin(engine->store), 0);
	assert_int_equal(store_meta_set(engine->store, name, row, len), 0);
	assert_int_equal(store_commit(engine->store), 0);
	tally_drop(engine);
	tally_load(engine);
}

static void
a_day_is_read_whole_and_not_at_all_when_it_is_cut(void **state)
{
	struct engine *engine = open_engine();
	struct buf row = { 0 }, rack = { 0 };

	(void)state;
	clock_at(engine, T0);
	count(engine, "coffee", OUTCOME_SHOWN, false, 0);
	count(engine, "bread", OUTCOME_REDEEMED, false, 300);
	assert_int_equal(store_meta_get(engine->store, "today", &row), 0);
	assert_int_equal(store_meta_get(engine->store, "today/0", &rack), 0);
	for (size_t len = 0; len < row.len; len++) {
		put_today(engine, "today", row.data, len);
		assert_int_equal(engine->today.start_ms, 0);
		assert_int_equal(engine->today.action_count, 0);
	}
	put_today(engine, "today", row.data, row.len);
	assert_int_equal(engine->today.action_count, 2);
	for (size_t len = 0; len < rack.len; len++) {
		put_today(engine, "today/0", rack.data, len);
		assert_int_equal(engine->today.action_count, 0);
	}
	put_today(engine, "today/0", rack.data, rack.len);
	assert_int_equal(engine->today.action_count, 2);
	assert_string_equal(engine->today.actions[1].action, "bread");
	assert_int_equal(engine->today.actions[1].redeemed_minor, 300);
	/* Left over from another day. */
	rack.data[0] ^= 2;
	put_today(engine, "today/0", rack.data, rack.len);
	assert_int_equal(engine->today.action_count, 0);
	buf_done(&rack);
	buf_done(&row);
	engine_close(engine);
}

static void
a_report_without_a_policy_says_so_and_what_is_stopped(void **state)
{
	struct engine *engine = open_engine();
	struct input stop = { .kind = INPUT_STOP, .now_ms = T0, .text = "coffee", .flag = true };
	json_t *report;

	(void)state;
	clock_at(engine, T0);
	report = report_at(engine, T0);
	assert_true(json_is_null(json_object_get(report, "policy")));
	assert_int_equal(json_array_size(json_object_get(report, "stopped")), 0);
	assert_string_equal(json_string_value(json_object_get(report, "currency")), conf.currency);
	assert_string_equal(json_string_value(json_object_get(report, "zone")), "UTC");
	assert_null(json_object_get(report, "day_budget"));
	json_decref(report);
	assert_int_equal(turn_run(engine, &stop, 1), 0);
	report = report_at(engine, T0);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(report,
										 "stopped"),
								  0),
				"action")),
	    "coffee");
	json_decref(report);
	engine_close(engine);
}

static enum manager_verdict
tried(struct engine *engine, const char *tablet, const char *pin)
{
	return manager_check(engine, tablet, "mia", pin);
}

static void
wrong_pins(struct engine *engine, const char *tablet, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(tried(engine, tablet, "0000"), MANAGER_NO);
}

static void
five_wrong_pins_lock_the_tablet_they_came_from_and_nobody_else(void **state)
{
	struct engine *engine = open_engine();

	(void)state;
	assert_int_equal(manager_add(engine->store, "mia", "2468", T0), 0);
	clock_at(engine, T0);
	wrong_pins(engine, "t1", 4);
	/* A right one in between starts the count again. */
	assert_int_equal(tried(engine, "t1", "2468"), MANAGER_OK);
	wrong_pins(engine, "t1", 4);
	assert_int_equal(manager_check(engine, "t1", "nobody", "0000"), MANAGER_NO);
	assert_int_equal(tried(engine, "t1", "2468"), MANAGER_LOCKED);
	assert_int_equal(tried(engine, "t2", "2468"), MANAGER_OK);
	clock_at(engine, T0 + 5 * MIN_MS - 1);
	assert_int_equal(tried(engine, "t1", "2468"), MANAGER_LOCKED);
	clock_at(engine, T0 + 5 * MIN_MS);
	assert_int_equal(tried(engine, "t1", "2468"), MANAGER_OK);
	assert_int_equal(manager_remove(engine->store, "mia"), 0);
	assert_int_equal(manager_remove(engine->store, "mia"), AISLE_E_NONE);
	assert_int_equal(tried(engine, "t2", "2468"), MANAGER_NO);
	engine_close(engine);
}

/* Their own in between, to be able to go on. */
static void
who_has_a_pin_cannot_try_a_colleagues_without_end(void **state)
{
	struct engine *engine = open_engine();

	(void)state;
	assert_int_equal(manager_add(engine->store, "mia", "2468", T0), 0);
	assert_int_equal(manager_add(engine->store, "tom", "1357", T0), 0);
	clock_at(engine, T0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(manager_check(engine, "t1", "tom", "1357"), MANAGER_OK);
		wrong_pins(engine, "t1", 1);
	}
	assert_int_equal(manager_check(engine, "t1", "tom", "1357"), MANAGER_LOCKED);
	assert_int_equal(tried(engine, "t1", "2468"), MANAGER_LOCKED);
	/* Of both there: what one got right leaves the other's. */
	for (int i = 0; i < 2; i++) {
		wrong_pins(engine, "t2", 1);
		assert_int_equal(manager_check(engine, "t2", "tom", "0"), MANAGER_NO);
	}
	assert_int_equal(tried(engine, "t2", "2468"), MANAGER_OK);
	wrong_pins(engine, "t2", 2);
	assert_int_equal(tried(engine, "t2", "2468"), MANAGER_OK);
	assert_int_equal(manager_check(engine, "t2", "tom", "1357"), MANAGER_OK);
	/* One that nobody made good is forgotten after a day, whatever came since. */
	assert_int_equal(manager_check(engine, "t3", "nobody", "0"), MANAGER_NO);
	clock_at(engine, T0 + D_MS - 1);
	wrong_pins(engine, "t3", 3);
	clock_at(engine, T0 + D_MS);
	wrong_pins(engine, "t3", 1);
	assert_int_equal(tried(engine, "t3", "2468"), MANAGER_OK);
	wrong_pins(engine, "t3", 5);
	assert_int_equal(tried(engine, "t3", "2468"), MANAGER_LOCKED);
	engine_close(engine);
}

static void
each_lock_is_twice_as_long_up_to_a_day_until_a_day_without_wrong_pins(void **state)
{
	struct engine *engine = open_engine();
	int64_t now_ms = T0, minutes = 5;

	(void)state;
	assert_int_equal(manager_add(engine->store, "mia", "2468", T0), 0);
	for (int i = 0; i < 12; i++) {
		clock_at(engine, now_ms);
		wrong_pins(engine, "t1", 5);
		clock_at(engine, now_ms + minutes * MIN_MS - 1);
		assert_int_equal(tried(engine, "t1", "2468"), MANAGER_LOCKED);
		now_ms += minutes * MIN_MS;
		clock_at(engine, now_ms);
		assert_int_equal(tried(engine, "t1", "2468"), MANAGER_OK);
		minutes = minutes * 2 > 1440 ? 1440 : minutes * 2;
	}
	now_ms += D_MS;
	clock_at(engine, now_ms);
	wrong_pins(engine, "t1", 5);
	clock_at(engine, now_ms + 5 * MIN_MS);
	assert_int_equal(tried(engine, "t1", "2468"), MANAGER_OK);
	engine_close(engine);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_hour_goes_up_as_one_record_when_it_is_over,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_hour_that_is_cut_is_read_as_far_as_it_goes,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_hour_has_room_for_any_number_of_actions, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(the_day_begins_anew_at_its_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_day_is_told_by_hour_from_the_first_with_something_to_the_last, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    an_hour_is_one_of_the_clock_also_where_the_day_is_cut_within_it, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    the_hour_that_autumn_has_twice_is_one_and_the_day_keeps_its_last, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(a_day_is_told_by_action_and_read_again_as_it_was,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_256th_action_of_a_day_has_a_row_and_those_after_it_share_one, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(a_turn_writes_some_two_hundred_bytes_of_a_usual_day,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    unanswered_is_what_went_while_it_was_open_and_no_tablet_denied, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(a_day_is_read_whole_and_not_at_all_when_it_is_cut,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_report_without_a_policy_says_so_and_what_is_stopped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    five_wrong_pins_lock_the_tablet_they_came_from_and_nobody_else, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(who_has_a_pin_cannot_try_a_colleagues_without_end,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    each_lock_is_twice_as_long_up_to_a_day_until_a_day_without_wrong_pins, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
