/* SPDX-License-Identifier: Apache-2.0
 *
 * test_learner.c - the store's ratios at their edges, over weeks, and merged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "learn/exploring.h"
#include "learn/federation.h"
#include "learn/learner.h"

static void
a_ratio_stays_within_its_bounds_and_alone_is_one(void **state)
{
	struct learner_clip narrow = { 60000, 70000 };

	(void)state;
	assert_int_equal(learner_ratio(0, LEARNER_SUM_MAX, 65536, LEARNER_20, LEARNER_CLIP), 16384);
	assert_int_equal(learner_ratio(LEARNER_SUM_MAX, 0, 65536, LEARNER_20, LEARNER_CLIP),
	    262144);
	assert_int_equal(learner_ratio(LEARNER_SUM_MAX, 0, 65536, LEARNER_80, narrow), 70000);
	assert_int_equal(learner_ratio(9 * Q16_ONE, Q16_ONE, 65536, LEARNER_HQ_ALONE, LEARNER_CLIP),
	    65536);
	assert_int_equal(learner_ratio(0, 0, 50000, LEARNER_20, LEARNER_CLIP), 50000);
	/* (0 + 20·65536·65536) div (1 + 20·65536) floors */
	assert_int_equal(learner_ratio(0, 1, 65536, LEARNER_20, LEARNER_CLIP), 65535);
}

static void
a_logarithm_rounds_to_the_nearest(void **state)
{
	(void)state;
	assert_int_equal(learner_log(65536), 0);
	assert_int_equal(learner_log(262144), 90852);
	assert_int_equal(learner_log(16384), -90852);
	assert_int_equal(learner_log(65537), 1);
	assert_int_equal(learner_log(65535), -1);
}

static void
shifts_floor_below_zero_too(void **state)
{
	(void)state;
	assert_int_equal(learner_decayed(-1), 0);
	assert_int_equal(learner_decayed(-17), -15);
	assert_int_equal(learner_decayed(15), 15);
	assert_int_equal(learner_decayed(16), 15);
	assert_int_equal(learner_score(0, 1, 65535), 1); /* −(−1 >> 16) */
	assert_int_equal(learner_score(1, 0, 16384), -2);
}

static void
a_learner_that_is_wrong_switches_itself_off(void **state)
{
	(void)state;
	assert_int_equal(learner_choose(0, 0), LEARNER_HQ_ALONE);
	assert_int_equal(learner_choose(131072, 131072), LEARNER_HQ_ALONE);
	assert_int_equal(learner_choose(131073, 131073), LEARNER_80);
	assert_int_equal(learner_choose(131073, 131074), LEARNER_20);
	assert_int_equal(learner_choose(131072, 131073), LEARNER_20);
}

static void
half_is_forgotten_in_eleven_weeks(void **state)
{
	int64_t x = 1000 * Q16_ONE;

	(void)state;
	for (int week = 0; week < 11; week++)
		x = learner_decayed(x);
	assert_true(x > 480 * Q16_ONE && x < 500 * Q16_ONE);
}

static void
sums_end_at_their_bound(void **state)
{
	(void)state;
	assert_true(learner_sum(LEARNER_SUM_MAX - 1, 1) == LEARNER_SUM_MAX);
	assert_true(learner_sum(LEARNER_SUM_MAX, 1) == LEARNER_SUM_MAX);
	assert_true(learner_rebased(LEARNER_SUM_MAX, 4 * Q16_ONE) == LEARNER_SUM_MAX);
	assert_true(q16_of(1) == Q16_ONE && q16_of(0) == 0 && q16_of(0.99999999) == Q16_ONE - 1);
}

static void
a_chance_has_room_left(void **state)
{
	(void)state;
	assert_true(learner_chance(0.5, 262144) == 0.98);
	assert_true(learner_chance(0.5, 32768) == 0.25);
	assert_true(learner_chance(0.3, 65536) == 0.3);
}

static void
depths_that_rise_stay_and_those_that_fall_share(void **state)
{
	double rising[3] = { 0.1, 0.2, 0.2 }, falling[4] = { 0.4, 0.3, 0.2, 0.1 };
	double weights[4] = { 1, 1, 1, 1 }, none[4] = { 0 };

	(void)state;
	learner_monotone(rising, weights, 3);
	assert_true(rising[0] == 0.1 && rising[1] == 0.2 && rising[2] == 0.2);
	learner_monotone(falling, weights, 4);
	for (int i = 0; i < 4; i++)
		assert_true(fabs(falling[i] - 0.25) < 1e-15);
	falling[0] = 0.3;
	falling[1] = 0.1;
	learner_monotone(falling, none, 2);
	assert_true(falling[0] == 0.2 && falling[1] == 0.2);
	learner_monotone(falling, weights, 0);
}

/* Cells of a store by seed: 3 actions of 2 groups, 2 arms, 2 segments. */
#define CELLS 12

static void
cells_of(struct federation_sum *cells, uint64_t seed)
{
	for (int i = 0; i < CELLS; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		cells[i].n = (int64_t)(seed >> 40) % 900;
		cells[i].y = cells[i].n / 3 * Q16_ONE;
		cells[i].p = (int64_t)(seed >> 20) % (cells[i].n * Q16_ONE + 1);
	}
}

static void
ratios_of(const struct federation_sum *cells, struct learner_node nodes[21])
{
	/* store; groups; actions; arms; segments */
	static const int32_t above[21] = { -1, 0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5 };

	memset(nodes, 0, 21 * sizeof(nodes[0]));
	for (int i = 0; i < 12; i++)
		nodes[i].above = above[i];
	for (int i = 0; i < 9; i++)
		nodes[12 + i] =
		    (struct learner_node){ .above = 6 + i % 6, .y = cells[i].y, .p = cells[i].p };
	learner_ratios(nodes, 21, LEARNER_80, LEARNER_CLIP);
}

static void
stores_merged_are_one_store_with_all_the_rows(void **state)
{
	struct federation_sum stores[8][CELLS], forth[CELLS] = { 0 }, back[CELLS] = { 0 };
	struct learner_node a[21], b[21];

	(void)state;
	for (int s = 0; s < 8; s++)
		cells_of(stores[s], (uint64_t)s + 1);
	for (int s = 0; s < 8; s++)
		for (int i = 0; i < CELLS; i++) {
			assert_true(federation_add(&forth[i], &stores[s][i]));
			assert_true(federation_add(&back[i], &stores[7 - s][i]));
		}
	assert_memory_equal(forth, back, sizeof(forth));
	for (int i = 0; i < CELLS; i++)
		forth[i].y = learner_decayed(forth[i].y);
	for (int i = 0; i < CELLS; i++)
		back[i].y = learner_decayed(back[i].y);
	ratios_of(forth, a);
	ratios_of(back, b);
	assert_memory_equal(a, b, sizeof(a));
	assert_true(a[0].y > 0 && a[0].ratio != Q16_ONE);
}

static void
what_is_no_sum_is_not_added(void **state)
{
	struct federation_sum sum = { 5, 2, 3 };
	struct federation_sum less = { -1, 0, 0 }, much = { 0, LEARNER_SUM_MAX - 1, 0 };

	(void)state;
	assert_false(federation_add(&sum, &less));
	assert_false(federation_add(&sum, &much));
	assert_true(sum.n == 5 && sum.y == 2 && sum.p == 3);
	much.y = LEARNER_SUM_MAX - 2;
	assert_true(federation_add(&sum, &much));
}

static struct federation_store
store_of(int64_t n, int64_t y, int64_t p)
{
	return (struct federation_store){ .sum = { n, y * Q16_ONE, p * Q16_ONE } };
}

static void
stores_that_say_yes_to_all_or_never_are_left_out(void **state)
{
	struct federation_store stores[10];

	(void)state;
	for (int i = 0; i < 10; i++)
		stores[i] = store_of(1000, 95 + i, 100);
	stores[3] = store_of(1000, 1000, 100);
	stores[4] = store_of(1000, 0, 100);
	stores[5] = store_of(90, 95, 80);
	stores[6] = store_of(100, 95, 101);
	stores[7] = store_of(90000, 2300, 2400);
	(void)federation_judge(stores, 10);
	assert_int_equal(stores[0].odd, 0);
	assert_int_equal(stores[9].odd, 0);
	assert_int_equal(stores[3].odd, ODD_RATIO | ODD_UNLIKE);
	assert_int_equal(stores[4].odd, ODD_RATIO | ODD_UNLIKE);
	assert_int_equal(stores[5].odd, ODD_MORE_YES_THAN_ROWS);
	assert_int_equal(stores[6].odd, ODD_MORE_EXPECTED_THAN_ROWS);
	assert_int_equal(stores[7].odd, ODD_SIZE | ODD_DOMINANT);
	assert_int_equal(ODD_DOMINANT & ODD_LEFT_OUT, 0);
}

static void
a_day_that_looked_too_much_looks_no_more(void **state)
{
	struct exploring_day day = { 0 }, other = { 0 };

	(void)state;
	for (int i = 0; i < 99; i++)
		exploring_count(&day, 0.01, 0.5, 4);
	assert_false(exploring_exhausted(&day)); /* dear, but too few to say */
	exploring_count(&day, 0.01, 0.5, -3);	 /* not worth less than nothing */
	assert_true(day.worth == 396);
	assert_true(exploring_exhausted(&day));
	for (int i = 0; i < 100; i++)
		exploring_count(&other, 0.07, 0.5, 4);
	assert_false(exploring_exhausted(&other));
	assert_true(exploring_cost_max(0.01, 0, 0, 0) == 0.01);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ratio_stays_within_its_bounds_and_alone_is_one),
		cmocka_unit_test(a_logarithm_rounds_to_the_nearest),
		cmocka_unit_test(shifts_floor_below_zero_too),
		cmocka_unit_test(a_learner_that_is_wrong_switches_itself_off),
		cmocka_unit_test(half_is_forgotten_in_eleven_weeks),
		cmocka_unit_test(sums_end_at_their_bound),
		cmocka_unit_test(a_chance_has_room_left),
		cmocka_unit_test(depths_that_rise_stay_and_those_that_fall_share),
		cmocka_unit_test(stores_merged_are_one_store_with_all_the_rows),
		cmocka_unit_test(what_is_no_sum_is_not_added),
		cmocka_unit_test(stores_that_say_yes_to_all_or_never_are_left_out),
		cmocka_unit_test(a_day_that_looked_too_much_looks_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
