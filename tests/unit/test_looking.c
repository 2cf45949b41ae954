/* SPDX-License-Identifier: Apache-2.0
 *
 * test_looking.c - what a day's draws may cost, where the policy says a share.
 *
 * The card gains 0.5 · 200 − 0.25 · 200 = 50, nothing 3: each visit's first draw is worth 47.
 */
#include "spine_story.h"

#include <math.h>

#define WORTH 47.0

static int bundles;

/* A bundle of its own. */
static void
share_of(const char *explore)
{
	memset(&parts, 0, sizeof(parts));
	a_policy(arena_printf(texts, "{'explore':%s}", explore));
	an_action("k", "{}");
	in_force();
	snprintf(engine->policy->hash, sizeof(engine->policy->hash), "%d", ++bundles);
}

static double
cost_max(void)
{
	json_t *json = json_loads(record.data, 0, NULL);
	double cost = json_number_value(json_object_get(json, "cost_max"));

	assert_true(json_is_number(json_object_get(json, "cost_max")));
	json_decref(json);
	return cost;
}

/* The chance of nothing, beside the one card. */
static double
p_nothing(void)
{
	json_t *json = json_loads(record.data, 0, NULL), *slot, *one;
	double p = -1;
	size_t i;

	slot = json_array_get(json_object_get(json, "slots"), 0);
	json_array_foreach(json_object_get(slot, "shortlist"), i, one) {
		if (strcmp(text_of(one, "action"), "nothing") == 0)
			p = json_number_value(json_object_get(one, "p"));
	}
	json_decref(json);
	return p;
}

/* So many visits, each of two lines. */
static void
visits(const char *prefix, int many)
{
	for (int i = 0; i < many; i++) {
		const char *basket = arena_printf(texts, "%s%d", prefix, i);

		now_ms += S_MS;
		open_basket(basket);
		scan(basket, "c", 100);
		scan(basket, "c", 100);
		close_basket(basket, 200);
	}
}

static void
a_day_costs_a_share_of_what_the_days_before_were_worth(void **state)
{
	(void)state;
	share_of("{'share':0.1,'worth':20}");
	visits("a", 3);
	assert_true(cost_max() == 0.1 * 20);
	assert_true(p_nothing() == 1 / (2 + 1 / (0.1 * 20) * WORTH));
	visits("b", 2);
	assert_true(cost_max() == 0.1 * 20);
	/* Five visits, not ten decisions. */
	now_ms += D_MS;
	visits("c", 1);
	assert_true(cost_max() == 0.1 * ((200 * 20 + 5 * WORTH) / 205));
	assert_heard(LANE_TELEMETRY, "explored");
	assert_non_null(strstr(heard_last, "\"slots\":5,"));
	assert_non_null(strstr(heard_last, "\"worth\":235,\"bound\":false}"));
}

static void
a_policy_that_says_nothing_explores_by_one_per_cent(void **state)
{
	(void)state;
	share_of("null");
	assert_true(engine->policy->explore_share == 0.01 && engine->policy->shortlist == 8);
	visits("a", 200);
	assert_true(cost_max() == 0.01); /* nothing is known yet */
	now_ms += D_MS;
	visits("b", 1);
	assert_true(fabs(cost_max() - 0.01 * (200 * 0.0 + 200 * WORTH) / 400) < 1e-12);
}

static void
what_a_store_knows_stands_for_the_next_bundles_first_draws(void **state)
{
	double known;

	(void)state;
	share_of("{'share':0.1,'worth':20}");
	visits("a", 50);
	known = (200 * 20 + 50 * WORTH) / 250;
	share_of("{'share':0.2}");
	visits("b", 1);
	assert_true(fabs(cost_max() - 0.2 * known) < 1e-12);
	now_ms += D_MS;
	visits("c", 1);
	assert_true(fabs(cost_max() - 0.2 * (200 * known + WORTH) / 201) < 1e-12);
}

static void
a_day_that_cost_twice_its_share_takes_the_best_until_tomorrow(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	share_of("{'share':0.1,'worth':10000}");
	visits("a", 100);
	assert_true(cost_max() == 0); /* of the second line of the hundredth */
	/* What is not explored costs nothing, and so many draws would bear what was spent. */
	visits("b", 300);
	assert_true(engine->looking.day.spent < 2 * engine->looking.day.may);
	assert_true(cost_max() == 0 && p_nothing() == 0);
	assert_string_equal(fate_in_record("k"), "offered");
	now_ms += D_MS;
	visits("c", 1);
	assert_true(cost_max() > 100);
	assert_heard(LANE_TELEMETRY, "explored");
	assert_non_null(strstr(heard_last, "\"bound\":true"));
}

static void
ninety_nine_slots_are_too_few_to_say(void **state)
{
	(void)state;
	share_of("{'share':0.1,'worth':10000}");
	visits("a", 99);
	visits("b", 1);
	/* The hundredth was drawn by the day's price, whatever came after it. */
	assert_true(engine->looking.day.slots == 100);
	share_of("{'share':0.1,'worth':20}");
	visits("c", 1);
	assert_true(cost_max() == 0);
}

static void
a_restart_forgets_nothing_of_it(void **state)
{
	struct looking before;

	(void)state;
	share_of("{'share':0.1,'worth':20}");
	visits("a", 5);
	open_basket("open");
	scan("open", "c", 100);
	before = engine->looking;
	restart();
	assert_true(engine->looking.day_sum == before.day_sum &&
	    engine->looking.day_count == before.day_count &&
	    engine->looking.day_ms == before.day_ms && engine->looking.b0 == before.b0 &&
	    engine->looking.day.spent == before.day.spent &&
	    engine->looking.day.worth == before.day.worth &&
	    engine->looking.day.may == before.day.may && engine->looking.day.slots == 6 &&
	    engine->looking.day.over == before.day.over);
	/* Nor that this visit was counted. */
	scan("open", "c", 100);
	assert_int_equal(engine->looking.day.slots, 6);
}

static void
a_stated_cost_stays_what_it_was(void **state)
{
	(void)state;
	share_of("{'unit':100,'cost_max':2}");
	visits("a", 1);
	assert_null(strstr(record.data, "\"cost_max\""));
	assert_true(p_nothing() == 1 / (2 + 1 * 100 / 2.0 * (50.0 / 100 - 3.0 / 100)));
	assert_int_equal(engine->looking.day.slots, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(a_day_costs_a_share_of_what_the_days_before_were_worth),
		SPINE_TEST(a_policy_that_says_nothing_explores_by_one_per_cent),
		SPINE_TEST(what_a_store_knows_stands_for_the_next_bundles_first_draws),
		SPINE_TEST(a_day_that_cost_twice_its_share_takes_the_best_until_tomorrow),
		SPINE_TEST(ninety_nine_slots_are_too_few_to_say),
		SPINE_TEST_ON_DISK(a_restart_forgets_nothing_of_it),
		SPINE_TEST(a_stated_cost_stays_what_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
