/* SPDX-License-Identifier: Apache-2.0
 *
 * test_lift.c - intervals on customers whose truth is known: how often they cover, how often
 * looking each week raises a false alarm, and where nothing may be said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "bell_fixture.h"

#include "aisle/base.h"
#include "core/fmath.h"
#include "learn/drift.h"
#include "learn/lift.h"
#include "learn/off_policy.h"

#define RUNS 400
#define CUSTOMERS 300
#define WEEKS 8

struct look {
	struct lift_sums arms[2];
};

/* A household: many absent weeks, a purse of its own, which shows in the weeks before too. */
static void
household(struct look looks[WEEKS], bool treated, double effect)
{
	double purse = fmath_exp(6 + 0.6 * bell()), x = 0, y = 0;

	for (int w = 0; w < WEEKS; w++)
		x += dice() < 0.6 ? purse * fmath_exp(0.5 * bell()) : 0;
	for (int w = 0; w < WEEKS; w++) {
		y += dice() < 0.6 ? purse * fmath_exp(0.5 * bell()) : 0;
		y += treated ? effect : 0;
		lift_add(&looks[w].arms[treated], y, x);
	}
}

static void
intervals_cover_and_sequences_may_be_looked_at(void **state)
{
	int covered = 0, ever = 0, peeking = 0;

	(void)state;
	seed = 7;
	for (int run = 0; run < RUNS; run++) {
		struct look looks[WEEKS] = { 0 };
		bool alarm = false, peeked = false;
		struct lift lift;

		for (int i = 0; i < CUSTOMERS; i++)
			household(looks, i % 3 != 0, 40);
		for (int w = 0; w < WEEKS; w++) {
			double theta = lift_theta(looks[w].arms, 2), truth = 40 * (w + 1);
			struct lift_sequence q;

			lift = lift_between(&looks[w].arms[1], &looks[w].arms[0], theta);
			q = lift_sequence(lift.diff, lift.se, w + 1, 60, LIFT_ALPHA);
			alarm |= fabs(q.per_week - 40) > q.half_width;
			peeked |= fabs(lift.diff - truth) > 1.96 * lift.se;
		}
		covered += fabs(lift.diff - 40 * WEEKS) <= lift_half_width(&lift, LIFT_ALPHA);
		ever += alarm;
		peeking += peeked;
	}
	assert_true(covered >= 0.93 * RUNS && covered <= 0.975 * RUNS);
	assert_true(ever <= 0.05 * RUNS);
	assert_true(peeking > 0.1 * RUNS);
}

static void
arms_without_spread_have_no_width(void **state)
{
	struct lift_sums a = { 0 }, b = { 0 };
	struct lift_sums arms[2];
	struct lift lift;

	(void)state;
	for (int i = 0; i < 3; i++) {
		lift_add(&a, 5, 2);
		lift_add(&b, 5, 2);
	}
	arms[0] = a;
	arms[1] = b;
	assert_true(lift_theta(arms, 2) == 0);
	lift = lift_between(&a, &b, 0);
	assert_true(lift.diff == 0 && lift.se == 0 && lift.df == 4);
	assert_true(lift_half_width(&lift, 0.05) == 0);
	b.x = 0;
	assert_true(lift_ratio(&b).ratio == 0);
}

static void
eight_stores_may_speak_of_others(void **state)
{
	struct lift_store stores[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		stores[i] = (struct lift_store){ 100, i, 2 };
	assert_true(lift_pool(stores, 7).df_other == 0);
	assert_true(lift_pool(stores, 8).df_other == 7);
	assert_true(lift_pool(stores, 8).diff == 3.5);
	assert_true(lift_pool(stores, 1).se_other == 0);
}

static void
a_quantile_lies_between_its_neighbours(void **state)
{
	const double five[5] = { 1, 2, 3, 4, 10 };

	(void)state;
	assert_true(lift_quantile(five, 5, 0) == 1 && lift_quantile(five, 5, 1) == 10);
	assert_true(fabs(lift_quantile(five, 5, 0.9) - 7.6) < 1e-12);
	assert_true(lift_quantile(five, 1, 0.99) == 1);
}

static void
one_large_customer_shows_as_skew(void **state)
{
	struct lift_moments m = { 0 };

	(void)state;
	assert_true(lift_skew(&(struct lift_moments){ .n = 1 }) == 0);
	for (int i = 0; i < 99; i++)
		lift_moments_add(&m, -1);
	lift_moments_add(&m, 99);
	assert_true(lift_skew(&m) > LIFT_SKEW_MAX);
}

static void
more_weeks_help_only_against_what_weeks_differ_by(void **state)
{
	struct lift_power power = lift_power(1000, 400);

	(void)state;
	assert_true(power.within == 800 && power.between == 200);
	assert_true(lift_power(100, 200).within == 0 && lift_power(100, 200).between == 100);
	/* 2.8016²·(200 + 800/w)·(1/100 + 1/100) ≤ 10² at w = 3 */
	assert_true(lift_weeks_needed(&power, 100, 100, 10) == 2);
	assert_true(lift_smallest_effect(lift_power_se(&power, 100, 100, 2)) <= 10);
	assert_true(lift_smallest_effect(lift_power_se(&power, 100, 100, 1)) > 10);
}

static void
a_planted_sample_ratio_fault_is_found_and_a_true_one_is_not(void **state)
{
	const double shares[2] = { 0.5, 0.5 };
	int found_true = 0, found_wrong = 0;

	(void)state;
	seed = 11;
	for (int run = 0; run < 200; run++) {
		int64_t right[2] = { 0 }, wrong[2] = { 0 };
		bool at_right = false, at_wrong = false;

		for (int n = 1; n <= 4000; n++) {
			right[dice() < 0.5]++;
			wrong[dice() < 0.45]++;
			if (n % 50 == 0) {
				at_right |= lift_sample_ratio(right, shares, 2) >= LIFT_MISMATCH;
				at_wrong |= lift_sample_ratio(wrong, shares, 2) >= LIFT_MISMATCH;
			}
		}
		found_true += at_right;
		found_wrong += at_wrong;
	}
	assert_true(found_true <= 3);
	assert_true(found_wrong >= 180);
}

/* ---- off-policy ---- */

static void
a_log_that_cannot_know_refuses(void **state)
{
	struct ope_customer *customers = mem_calloc(400, sizeof(*customers));
	struct ope ope;

	(void)state;
	seed = 3;
	for (int i = 0; i < 400; i++) {
		struct ope_choice choices[3] = { { 0.8, 0.1, 20, 200, 10 },
			{ 0.1, 0.8, 22, 150, 0 }, { 0.1, 0.1, 10, 0, 0 } };
		double u = dice();
		size_t drawn = u < 0.8 ? 0 : u < 0.9 ? 1 : 2;

		ope_add(&customers[i], choices, 3, drawn, choices[drawn].q + 5 * bell());
		ope_add(&customers[i], choices, 3, 0, choices[0].q + 5 * bell());
	}
	ope_conclude(customers, 99, &ope);
	assert_int_equal(ope.refusal, OPE_FEW_CUSTOMERS);
	ope_conclude(customers, 120, &ope);
	assert_int_equal(ope.refusal, OPE_FEW_ROWS);
	/* every second decision was not drawn by the p it states */
	ope_conclude(customers, 400, &ope);
	assert_true(ope.refusal == OPE_FEW_ROWS || ope.refusal == OPE_WEIGHTS_OFF);
	ope_conclude(customers, 0, &ope);
	assert_int_equal(ope.refusal, OPE_UNCOVERED);
	free(customers);
}

static void
robust_intervals_cover(void **state)
{
	enum { G = 500 };
	struct ope_customer *customers = mem_calloc(G, sizeof(*customers));
	int covered = 0, sound = 0;

	(void)state;
	seed = 5;
	for (int run = 0; run < 200; run++) {
		struct ope ope;

		for (int g = 0; g < G; g++) {
			double taste = bell();

			customers[g] = (struct ope_customer){ 0 };
			for (int d = 0; d < 4; d++) {
				/* models are off: q is not what is expected */
				struct ope_choice choices[2] = { { 0.8, 0.3, 25, 90, 0 },
					{ 0.2, 0.7, 25, 0, 0 } };
				size_t drawn = dice() < 0.8 ? 0 : 1;

				ope_add(&customers[g], choices, 2, drawn,
				    (drawn == 0 ? 20 : 30) + 5 * taste + 10 * bell());
			}
		}
		ope_conclude(customers, G, &ope);
		sound += ope.refusal == OPE_SOUND;
		covered += fabs(ope.dr.value - 27) <= 1.965 * ope.dr.se;
	}
	assert_int_equal(sound, 200);
	assert_true(covered >= 182 && covered <= 198);
	free(customers);
}

static void
two_policies_differ_by_what_each_decision_differs(void **state)
{
	struct ope_customer a[2] = { { .n = 2, .dr = 10 }, { .n = 1, .dr = 3 } };
	struct ope_customer b[2] = { { .n = 2, .dr = 4 }, { .n = 1, .dr = 3 } };

	(void)state;
	assert_true(ope_difference(a, b, 2).value == 2);
	assert_true(ope_difference(a, a, 2).se == 0);
}

/* ---- drift ---- */

static void
fifty_stable_rows_raise_no_alarm_and_a_shift_of_hundreds_does(void **state)
{
	int64_t base[10], even[10], shifted[10];

	(void)state;
	for (int i = 0; i < 10; i++) {
		base[i] = 1000;
		even[i] = i % 2 ? 2 : 8;
		shifted[i] = i < 5 ? 10 : 30;
	}
	assert_true(drift_of(base, even, 10).psi > 0.1);
	assert_int_equal(drift_of(base, even, 10).verdict, DRIFT_TOO_FEW);
	assert_int_equal(drift_of(base, shifted, 10).verdict, DRIFT_ALARM);
	assert_int_equal(drift_of(base, base, 10).verdict, DRIFT_NONE);
	for (int i = 0; i < 10; i++)
		shifted[i] = i < 5 ? 72 : 120;
	assert_int_equal(drift_of(base, shifted, 10).verdict, DRIFT_WATCH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_cover_and_sequences_may_be_looked_at),
		cmocka_unit_test(arms_without_spread_have_no_width),
		cmocka_unit_test(eight_stores_may_speak_of_others),
		cmocka_unit_test(a_quantile_lies_between_its_neighbours),
		cmocka_unit_test(one_large_customer_shows_as_skew),
		cmocka_unit_test(more_weeks_help_only_against_what_weeks_differ_by),
		cmocka_unit_test(a_planted_sample_ratio_fault_is_found_and_a_true_one_is_not),
		cmocka_unit_test(a_log_that_cannot_know_refuses),
		cmocka_unit_test(robust_intervals_cover),
		cmocka_unit_test(two_policies_differ_by_what_each_decision_differs),
		cmocka_unit_test(fifty_stable_rows_raise_no_alarm_and_a_shift_of_hundreds_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
