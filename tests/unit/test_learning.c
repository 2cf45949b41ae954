/* SPDX-License-Identifier: Apache-2.0
 *
 * test_learning.c - what was expected of each action and what came: told once a week, of enough people.
 */
#include "spine_story.h"

#define ONE_SLOT "{'placements':{'tablet':{'slots':1}}}"
#define MILK "'kind':'recommend','outcome':{'is':'bought','item':{'category':'milk'}}"
#define LATE_WORD (5 * MIN_MS)
/* From T0, a Saturday at ten, to the Monday's midnight. */
#define TO_MONDAY (38 * H_MS)

static int
say_learned(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct buf *out = ctx;
	json_t *json, *cell;
	size_t i;

	(void)at_ms;
	heard_upto[LANE_TELEMETRY] = seq;
	if (strcmp(type, "learner") != 0)
		return 0;
	json = json_loadb(body, len, 0, NULL);
	assert_non_null(json);
	buf_addf(out, "%s%s %.1s:", out->len > 0 ? "; " : "", text_of(json, "week"),
	    text_of(json, "bundle"));
	json_array_foreach(json_object_get(json, "cells"), i, cell) {
		assert_int_equal(json_array_size(cell), 6);
		assert_string_equal(json_string_value(json_array_get(cell, 1)), "");
		buf_addf(out, " %s %s %lld %lld %lld", json_string_value(json_array_get(cell, 0)),
		    json_string_value(json_array_get(cell, 2)),
		    (long long)json_integer_value(json_array_get(cell, 3)),
		    (long long)json_integer_value(json_array_get(cell, 4)),
		    (long long)json_integer_value(json_array_get(cell, 5)));
	}
	json_decref(json);
	return 0;
}

/* New records: "MONDAY BUNDLE: ACTION ARM ROWS OUTCOMES EXPECTED …; …". */
static const char *
learned(void)
{
	struct buf text = { 0 };
	const char *copy;

	assert_int_equal(store_uplink_each(engine->store, LANE_TELEMETRY,
			     heard_upto[LANE_TELEMETRY], 1000, say_learned, &text),
	    0);
	copy = arena_strdup(texts, text.len > 0 ? text.data : "");
	buf_done(&text);
	return copy;
}
#define assert_learned(text) assert_string_equal(learned(), text)

static void
milk(const char *patch)
{
	memset(&parts, 0, sizeof(parts));
	a_policy(patch);
	an_action("milk", "{" MILK "}");
	in_force();
}

/* A sale that sees the card; subject NULL: a stranger's. */
static void
a_sale(const char *subject, bool buys)
{
	static int number;
	const char *basket = arena_printf(texts, "b%d", number++);

	open_basket(basket);
	if (subject != NULL)
		tell("pos/7/event", "customer.identified",
		    "{'subject':'%s','station':'7','basket':'%s'}", subject, basket);
	scan(basket, "bread", 100);
	now_ms += S_MS;
	if (buys)
		scan(basket, "milk/fresh", 90);
	close_basket(basket, 100);
	now_ms += S_MS;
}

static const char *
person(int n)
{
	return arena_printf(texts, "%032x", n + 1);
}

static void
week_is_over(void)
{
	wait_for(LATE_WORD);
	wait_for(7 * D_MS);
}

static void
what_was_shown_is_told_once_a_week_with_what_was_expected(void **state)
{
	(void)state;
	milk(ONE_SLOT);
	for (int i = 0; i < 12; i++)
		a_sale(NULL, i % 3 == 0);
	wait_for(LATE_WORD);
	assert_learned("");
	wait_for(TO_MONDAY - LATE_WORD - 30 * S_MS);
	assert_learned("");
	wait_for(30 * S_MS);
	/* 12 times ⌊65536 · 0.5⌋ */
	assert_learned("2026-11-16 : milk T 12 4 393216");
	week_is_over();
	assert_learned("");
	assert_int_equal(engine->learning.count, 0);
}

static void
who_is_in_the_control_group_is_not_shown_and_p0_was_expected(void **state)
{
	(void)state;
	milk("{'placements':{'tablet':{'slots':1}},'control':{'share':1}}");
	for (int i = 0; i < 10; i++) {
		grant(person(i), "profile");
		a_sale(person(i), i < 3);
	}
	week_is_over();
	assert_learned("2026-11-16 : milk U 10 3 163840");
}

static void
a_cell_of_too_few_people_waits_for_the_next_week(void **state)
{
	(void)state;
	milk(ONE_SLOT);
	grant(ANNA, "profile");
	/* Nine strangers, and one who comes thrice: ten. */
	for (int i = 0; i < 8; i++)
		a_sale(NULL, false);
	for (int i = 0; i < 3; i++)
		a_sale(ANNA, true);
	week_is_over();
	assert_learned("");
	a_sale(NULL, false);
	week_is_over();
	assert_learned("2026-11-23 : milk T 12 3 393216");
}

static void
who_does_not_agree_to_be_remembered_is_not_learned_from(void **state)
{
	(void)state;
	milk(ONE_SLOT);
	for (int i = 0; i < 12; i++)
		a_sale(person(i), false);
	assert_int_equal(engine->learning.count, 0);
	week_is_over();
	assert_learned("");
}

static void
a_card_that_another_of_its_group_took_the_place_of_is_neither(void **state)
{
	(void)state;
	conf.group_min = 2;
	milk(ONE_SLOT);
	an_action("tea",
	    "{'kind':'recommend','margin':100,'outcome':{'is':'bought','item':{'category':'tea'}}"
	    "}");
	in_force();
	for (int i = 0; i < 3; i++)
		a_sale(NULL, false);
	week_is_over();
	assert_learned("2026-11-16 : milk T 3 0 98304");
}

static void
a_week_outlives_a_crash(void **state)
{
	(void)state;
	milk(ONE_SLOT);
	for (int i = 0; i < 6; i++)
		a_sale(NULL, i == 0);
	wait_for(LATE_WORD);
	restart();
	for (int i = 0; i < 6; i++)
		a_sale(NULL, i == 0);
	wait_for(LATE_WORD);
	restart();
	wait_for(7 * D_MS);
	assert_learned("2026-11-16 : milk T 12 2 393216");
	restart();
	week_is_over();
	assert_learned("");
}

static void
who_is_forgotten_is_no_longer_counted_and_their_figures_stay(void **state)
{
	struct input input = { .kind = INPUT_FORGET, .subject = subject_of(ANNA) };

	(void)state;
	conf.group_min = 2;
	milk(ONE_SLOT);
	grant(ANNA, "profile");
	grant(BEN, "profile");
	a_sale(ANNA, true);
	a_sale(BEN, false);
	wait_for(LATE_WORD);
	turn(&input);
	assert_int_equal(engine->learning.actions[0].arms[1].people_count, 1);
	week_is_over();
	assert_learned("");
	a_sale(NULL, false);
	week_is_over();
	assert_learned("2026-11-23 : milk T 3 1 98304");
}

static void
each_bundle_has_cells_of_its_own(void **state)
{
	(void)state;
	conf.group_min = 2;
	milk(ONE_SLOT);
	memset(engine->policy->hash, 'a', 64);
	for (int i = 0; i < 3; i++)
		a_sale(NULL, false);
	wait_for(LATE_WORD);
	/* What was listed before is not this one's. */
	a_sale(NULL, true);
	milk(ONE_SLOT);
	memset(engine->policy->hash, 'b', 64);
	wait_for(LATE_WORD);
	for (int i = 0; i < 2; i++)
		a_sale(NULL, true);
	wait_for(LATE_WORD);
	milk(ONE_SLOT);
	memset(engine->policy->hash, 'a', 64);
	a_sale(NULL, true);
	week_is_over();
	assert_learned("2026-11-16 a: milk T 4 1 131072; 2026-11-16 b: milk T 2 2 65536");
	/* One of a bundle that is in force no more has too few, and goes. */
	a_sale(NULL, true);
	wait_for(LATE_WORD);
	milk(ONE_SLOT);
	memset(engine->policy->hash, 'b', 64);
	week_is_over();
	assert_learned("");
	assert_int_equal(engine->learning.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(what_was_shown_is_told_once_a_week_with_what_was_expected),
		SPINE_TEST(who_is_in_the_control_group_is_not_shown_and_p0_was_expected),
		SPINE_TEST(a_cell_of_too_few_people_waits_for_the_next_week),
		SPINE_TEST(who_does_not_agree_to_be_remembered_is_not_learned_from),
		SPINE_TEST(a_card_that_another_of_its_group_took_the_place_of_is_neither),
		cmocka_unit_test_setup_teardown(a_week_outlives_a_crash, set_up_on_disk, tear_down),
		SPINE_TEST(who_is_forgotten_is_no_longer_counted_and_their_figures_stay),
		SPINE_TEST(each_bundle_has_cells_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
