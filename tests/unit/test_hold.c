/* SPDX-License-Identifier: Apache-2.0
 *
 * test_hold.c - an action's budget: what cards hold of it and redemptions spend, by business day.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/when.h"
#include "store/store_internal.h"
#include "spine/spine.h"

#define DAY0 INT64_C(1795219200000) /* 2026-11-21T00:00:00Z */
#define NOON (DAY0 + 12 * H_MS)
#define DAY1 (DAY0 + D_MS)

static struct conf conf;
static struct engine *engine;

static void
open_engine(void)
{
	struct engine_options options = { .conf = &conf };
	struct err err = { 0 };

	assert_int_equal(engine_open(&options, &engine, &err), 0);
	engine->now_ms = NOON;
}

static int
set_up(void **state)
{
	(void)state;
	conf_init(&conf);
	conf.store_id = mem_strdup("0042");
	conf.day_cut_minute = 0;
	open_engine();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	engine_close(engine);
	conf_done(&conf);
	return 0;
}

static struct card
offer(int64_t hold_minor)
{
	return (struct card){ .action = (char *)(uintptr_t) "a",
		.depth = 10,
		.hold_minor = hold_minor,
		.sent_ms = engine->now_ms };
}

static void
figures(int64_t day_money, int64_t day_units, int64_t all_money, int64_t all_units)
{
	struct budget_use b = hold_today(engine, "a");

	assert_int_equal(b.day_money_minor, day_money);
	assert_int_equal(b.day_units, day_units);
	assert_int_equal(b.all_money_minor, all_money);
	assert_int_equal(b.all_units, all_units);
}

static void
a_hold_is_todays_until_the_day_ends_and_the_campaigns_for_ever(void **state)
{
	struct card card = offer(300);

	(void)state;
	figures(0, 0, 0, 0);
	hold_take(engine, &card);
	figures(300, 1, 300, 1);
	engine->now_ms = DAY1 - 1;
	figures(300, 1, 300, 1);
	engine->now_ms = DAY1;
	figures(0, 0, 300, 1);
}

static void
what_lapses_frees_the_day_that_it_was_held_in_and_no_other(void **state)
{
	struct card today = offer(300), yesterday = offer(200);

	(void)state;
	hold_take(engine, &today);
	hold_take(engine, &yesterday);
	hold_release(engine, &today);
	assert_int_equal(today.hold_minor, -1);
	figures(200, 1, 200, 1);
	hold_release(engine, &today); /* once */
	figures(200, 1, 200, 1);
	engine->now_ms = DAY1;
	today = offer(50);
	hold_take(engine, &today);
	hold_release(engine, &yesterday);
	figures(50, 1, 50, 1);
}

static void
what_is_redeemed_takes_the_place_of_what_was_held(void **state)
{
	struct card card = offer(300);

	(void)state;
	hold_take(engine, &card);
	hold_spend(engine, &card, 120);
	assert_int_equal(card.hold_minor, 120);
	figures(120, 1, 120, 1);
	hold_release(engine, &card); /* taken back */
	figures(0, 0, 0, 0);
}

static void
money_counts_on_the_day_that_it_goes_whenever_it_was_held(void **state)
{
	struct card card = offer(300);

	(void)state;
	hold_take(engine, &card);
	engine->now_ms = DAY1;
	hold_spend(engine, &card, 120);
	figures(120, 0, 120, 1);
}

static void
an_offer_that_was_given_up_and_is_redeemed_after_all_counts_again(void **state)
{
	struct card card = offer(300);

	(void)state;
	hold_take(engine, &card);
	hold_release(engine, &card);
	figures(0, 0, 0, 0);
	hold_spend(engine, &card, 120);
	figures(120, 1, 120, 1);
}

static void
the_suppliers_part_is_not_ours(void **state)
{
	struct action action = { .id = "a", .has_offer = true, .offer = { .funded = 0.5 } };
	struct policy policy = { .actions = &action, .action_count = 1 };
	struct card card = offer(300);

	(void)state;
	engine->policy = &policy;
	hold_take(engine, &card);
	hold_spend(engine, &card, 121);
	engine->policy = NULL;
	figures(61, 1, 61, 1);
}

static void
what_is_not_sent_or_costs_nothing_holds_nothing(void **state)
{
	struct card withheld = offer(300), words = offer(0);

	(void)state;
	withheld.withheld = true;
	words.depth = 0;
	hold_take(engine, &withheld);
	hold_take(engine, &words);
	assert_int_equal(words.hold_minor, -1);
	hold_release(engine, &withheld);
	hold_release(engine, &words);
	assert_int_equal(engine->budget_count, 0);
}

static void
a_message_with_a_budget_of_units_is_counted(void **state)
{
	struct action action = { .id = "a",
		.budget = { .per = BUDGET_STORE_DAY, .money_minor = -1, .units = 5 } };
	struct policy policy = { .actions = &action, .action_count = 1 };
	struct card words = offer(0);

	(void)state;
	words.depth = 0;
	engine->policy = &policy;
	hold_take(engine, &words);
	engine->policy = NULL;
	figures(0, 1, 0, 1);
}

static void
the_report_shows_todays_figures_though_nothing_happened_since_midnight(void **state)
{
	struct card card = offer(300);
	struct buf report = { 0 };

	(void)state;
	hold_take(engine, &card);
	assert_int_equal(query_report(engine, DAY1 - 1, &report), 0);
	assert_non_null(strstr(report.data,
	    "{\"action\":\"a\",\"held_or_spent\":300,\"units\":1}"));
	buf_clear(&report);
	assert_int_equal(query_report(engine, DAY1, &report), 0);
	assert_non_null(strstr(report.data, "{\"action\":\"a\",\"held_or_spent\":0,\"units\":0}"));
	buf_done(&report);
	/* To look changes nothing. */
	figures(300, 1, 300, 1);
}

static void
figures_come_back_from_the_state(void **state)
{
	struct card card = offer(300);
	struct buf buf = { 0 };

	(void)state;
	hold_take(engine, &card);
	assert_int_equal(store_begin(engine->store), 0);
	hold_save(engine, &buf);
	assert_int_equal(store_commit(engine->store), 0);
	buf_done(&buf);
	hold_drop(engine);
	figures(0, 0, 0, 0);
	hold_load(engine);
	figures(300, 1, 300, 1);
}

static void
save(void)
{
	struct buf buf = { 0 };

	assert_int_equal(store_begin(engine->store), 0);
	hold_save(engine, &buf);
	assert_int_equal(store_commit(engine->store), 0);
	buf_done(&buf);
}

static void
hold_of(int n)
{
	char name[16];
	struct card card = offer(100 + n);

	snprintf(name, sizeof(name), "a%d", n);
	card.action = name;
	hold_take(engine, &card);
}

static void
assert_held(int n, int64_t money_minor)
{
	char name[16];

	snprintf(name, sizeof(name), "a%d", n);
	assert_int_equal(hold_today(engine, name).day_money_minor, money_minor);
}

static void
only_what_changed_is_written_again_and_all_of_it_comes_back(void **state)
{
	struct buf before = { 0 }, after = { 0 };

	(void)state;
	for (int n = 0; n < 20; n++)
		hold_of(n);
	save();
	/* The first rack is left alone by a change on the second: what stands there stays. */
	assert_int_equal(store_meta_get(engine->store, "budgets/0", &before), 0);
	before.data[before.len - 1] ^= 2;
	assert_int_equal(store_begin(engine->store), 0);
	assert_int_equal(store_meta_set(engine->store, "budgets/0", before.data, before.len), 0);
	assert_int_equal(store_commit(engine->store), 0);
	hold_of(8);
	save();
	assert_int_equal(store_meta_get(engine->store, "budgets/0", &after), 0);
	assert_int_equal(after.len, before.len);
	assert_memory_equal(after.data, before.data, before.len);
	hold_drop(engine);
	hold_load(engine);
	assert_int_equal(engine->budget_count, 20);
	for (int n = 0; n < 20; n++)
		assert_held(n, n == 8 ? 216 : 100 + n);
	buf_done(&before);
	buf_done(&after);
}

static void
a_rack_that_cannot_be_read_costs_its_own_and_no_other(void **state)
{
	(void)state;
	for (int n = 0; n < 20; n++)
		hold_of(n);
	save();
	assert_int_equal(store_begin(engine->store), 0);
	assert_int_equal(store_meta_set(engine->store, "budgets/1", "", 0), 0);
	assert_int_equal(store_commit(engine->store), 0);
	hold_drop(engine);
	hold_load(engine);
	for (int n = 0; n < 20; n++)
		assert_held(n, n >= 8 && n < 16 ? 0 : 100 + n);
	hold_of(19);
	hold_of(20);
	save();
	hold_drop(engine);
	hold_load(engine);
	assert_held(7, 107);
	assert_held(16, 116);
	assert_held(19, 238);
	assert_held(20, 120);
}

/* Its page was damaged, and the copy that took the file's place has no such row. */
static void
a_rack_that_is_not_there_is_not_the_end(void **state)
{
	struct buf row = { 0 };

	(void)state;
	for (int n = 0; n < 20; n++)
		hold_of(n);
	save();
	assert_int_equal(store_settle(engine->store), 0);
	assert_int_equal(sqlite3_exec(engine->store->db,
			     "DELETE FROM meta WHERE name = 'budgets/1'", NULL, NULL, NULL),
	    SQLITE_OK);
	hold_drop(engine);
	hold_load(engine);
	assert_int_equal(store_meta_get(engine->store, "budgets/1", &row), AISLE_E_NONE);
	for (int n = 0; n < 20; n++)
		assert_held(n, n >= 8 && n < 16 ? 0 : 100 + n);
	buf_done(&row);
}

static int
interrupt(void *ctx)
{
	return ++*(int *)ctx > 0;
}

/* 65,536 racks are asked for only as long as there is an answer. */
static void
a_state_that_cannot_be_read_is_told_at_once(void **state)
{
	int asked = 0;

	(void)state;
	hold_of(1);
	save();
	hold_drop(engine);
	sqlite3_progress_handler(engine->store->db, 1, interrupt, &asked);
	assert_int_equal(hold_load(engine), AISLE_E_IO);
	sqlite3_progress_handler(engine->store->db, 0, NULL, NULL);
	assert_int_equal(asked, 1);
	assert_int_equal(hold_load(engine), 0);
	assert_held(1, 101);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_hold_is_todays_until_the_day_ends_and_the_campaigns_for_ever),
		TEST(what_lapses_frees_the_day_that_it_was_held_in_and_no_other),
		TEST(what_is_redeemed_takes_the_place_of_what_was_held),
		TEST(money_counts_on_the_day_that_it_goes_whenever_it_was_held),
		TEST(an_offer_that_was_given_up_and_is_redeemed_after_all_counts_again),
		TEST(the_suppliers_part_is_not_ours),
		TEST(what_is_not_sent_or_costs_nothing_holds_nothing),
		TEST(a_message_with_a_budget_of_units_is_counted),
		TEST(the_report_shows_todays_figures_though_nothing_happened_since_midnight),
		TEST(figures_come_back_from_the_state),
		TEST(only_what_changed_is_written_again_and_all_of_it_comes_back),
		TEST(a_rack_that_cannot_be_read_costs_its_own_and_no_other),
		TEST(a_rack_that_is_not_there_is_not_the_end),
		TEST(a_state_that_cannot_be_read_is_told_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
