/* SPDX-License-Identifier: Apache-2.0
 *
 * test_shrink.c - uplift that does not flatter: what is estimated from rows whose truth is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bell_fixture.h"

#include "core/fmath.h"
#include "learn/shrink.h"

static double
sigmoid(double x)
{
	return 1 / (1 + fmath_exp(-x));
}

/* Rows of an action whose models see middle and difference through so much noise each. */
static void
rows_of(struct shrink_row *rows, size_t count, double noise)
{
	for (size_t i = 0; i < count; i++) {
		double middle = -1 + 0.7 * bell(), effect = 0.5 + 0.4 * bell();
		bool treated = dice() < 0.5;
		double p = sigmoid(middle + (treated ? 0.5 : -0.5) * effect);

		rows[i] = (struct shrink_row){ sigmoid(middle + effect / 2 + noise * bell()),
			sigmoid(middle - effect / 2 + noise * bell()), treated, dice() < p };
	}
}

static void
models_that_are_right_are_believed_and_noise_is_not(void **state)
{
	enum { ROWS = 20000 };
	struct shrink_row *rows = mem_calloc(ROWS, sizeof(*rows));
	struct shrink_fit right, noisy;

	(void)state;
	seed = 1;
	rows_of(rows, ROWS, 0);
	assert_true(shrink_estimate(rows, ROWS, &right));
	assert_true(fabs(right.shrink.lambda - 1) < 4 * right.se[3]);
	assert_true(fabs(right.shrink.beta - 1) < 4 * right.se[1]);
	assert_true(fabs(right.shrink.a) < 4 * right.se[0]);
	assert_true(fabs(right.shrink.delta) < 4 * right.se[2]);
	rows_of(rows, ROWS, 0.6);
	assert_true(shrink_estimate(rows, ROWS, &noisy));
	/* 0.4² of 0.4² + 2·0.6² is signal */
	assert_true(fabs(noisy.shrink.lambda - 0.16 / 0.88) < 4 * noisy.se[3]);
	free(rows);
}

static void
nothing_is_said_of_one_arm_alone(void **state)
{
	struct shrink_row rows[3] = { { 0.2, 0.1, true, false }, { 0.3, 0.1, true, true },
		{ 0.2, 0.2, true, false } };
	struct shrink_fit fit;

	(void)state;
	assert_false(shrink_estimate(rows, 0, &fit));
	assert_false(shrink_estimate(rows, 3, &fit));
	rows[1].treated = false;
	assert_true(shrink_estimate(rows, 3, &fit));
}

static void
rows_that_one_line_parts_still_have_finite_numbers(void **state)
{
	struct shrink_row rows[40];
	struct shrink_fit fit;

	(void)state;
	for (int i = 0; i < 40; i++)
		rows[i] = (struct shrink_row){ i < 20 ? 1e-9 : 1, i < 20 ? 0 : 1 - 1e-9, i % 2 == 0,
			i >= 20 };
	assert_true(shrink_estimate(rows, 40, &fit));
	assert_true(isfinite(fit.shrink.a) && isfinite(fit.shrink.beta) &&
	    isfinite(fit.shrink.delta) && isfinite(fit.shrink.lambda));
	for (int i = 0; i < 4; i++)
		assert_true(fit.se[i] > 0 && fit.se[i] < 1e3);
}

static struct shrink_fit
fit_of(double a, double beta, double delta, double lambda, size_t rows, size_t yes)
{
	return (struct shrink_fit){ { -1, 0.5, a, beta, delta, lambda }, { 0.1, 0.1, 0.1, 0.2 },
		rows, { yes, yes } };
}

static void
an_action_with_little_behind_it_takes_what_all_have_in_common(void **state)
{
	struct shrink_fit fits[4] = { fit_of(0.1, 1, 0.4, 0.5, 500, 50),
		fit_of(0.3, 1, -0.4, 0.6, 499, 50), fit_of(0.2, 1, 0.9, 0.4, 500, 49),
		fit_of(0.2, 1, 0, 0.5, 9000, 900) };

	(void)state;
	shrink_together(fits, 4);
	assert_true(fits[1].shrink.delta == fits[2].shrink.delta);
	assert_true(fits[0].shrink.delta > fits[1].shrink.delta);
	assert_true(fits[3].shrink.delta < fits[1].shrink.delta);
	assert_true(fits[0].shrink.mid == -1 && fits[0].shrink.d == 0.5);
}

static void
a_reversed_difference_is_not_turned_round(void **state)
{
	struct shrink_fit fits[2] = { fit_of(0, 3, 0, -0.8, 5000, 500),
		fit_of(0, 0.01, 0, -0.9, 5000, 500) };

	(void)state;
	shrink_together(fits, 2);
	assert_true(fits[0].shrink.lambda == 0 && fits[1].shrink.lambda == 0);
	assert_true(fits[0].shrink.beta == 1.25 && fits[1].shrink.beta == 0.25);
}

static void
one_action_alone_hears_that_the_model_is_right(void **state)
{
	struct shrink_fit fit = fit_of(0.05, 1.05, 0.05, 0.9, 5000, 500);

	(void)state;
	shrink_together(&fit, 1);
	/* within its error of "right": taken as right */
	assert_true(fit.shrink.a == 0 && fit.shrink.beta == 1);
	assert_true(fit.shrink.delta == 0 && fit.shrink.lambda == 1);
}

static void
the_default_keeps_the_middle_and_takes_spread_from_the_difference(void **state)
{
	struct shrink_row rows[2] = { { 0.5, 0.5, false, false }, { 0.6, 0.4, true, true } };
	struct shrink plain;
	double p1, p0;

	(void)state;
	plain = shrink_default(rows, 2);
	assert_true(plain.lambda == 0.7 && plain.beta == 1 && plain.a == 0 && plain.delta == 0);
	assert_true(fabs(plain.mid) < 1e-15 && fabs(plain.d - fmath_log(1.5)) < 1e-12);
	plain.d = 0;
	shrink_apply(&plain, 0.5, 0.5, &p1, &p0);
	assert_true(p1 == 0.5 && p0 == 0.5);
	shrink_apply(&plain, 0.6, 0.4, &p1, &p0);
	assert_true(p1 < 0.6 && p1 > 0.5 && fabs(p1 + p0 - 1) < 1e-15);
	shrink_apply(&plain, 0, 1, &p1, &p0); /* clamped, finite */
	assert_true(p1 > 0 && p0 < 1);
}

/* ---- what it earns, beside believing the models, and beside chance times margin ---- */

#define ACTIONS 6
#define ROWS 2000
#define CUSTOMERS 3000
#define SEEDS 24

struct shop {
	double middle[ACTIONS], effect[ACTIONS], margin[ACTIONS], cost[ACTIONS];
	struct shrink_fit fits[ACTIONS];
};

/* An action's truth for a customer, and what two models see of it. */
static void
draw_customer(const struct shop *shop, int action, double noise, double truth[2],
    struct shrink_row *seen)
{
	double middle = shop->middle[action] + 0.7 * bell();
	double effect = shop->effect[action] + 0.5 * bell();

	truth[1] = sigmoid(middle + effect / 2);
	truth[0] = sigmoid(middle - effect / 2);
	seen->p1 = sigmoid(middle + effect / 2 + noise * bell());
	seen->p0 = sigmoid(middle - effect / 2 + noise * bell());
}

static void
open_shop(struct shop *shop, double noise)
{
	struct shrink_row *rows = mem_calloc(ROWS, sizeof(*rows));
	double truth[2];

	for (int a = 0; a < ACTIONS; a++) {
		shop->middle[a] = -1.4 + 0.4 * bell();
		shop->effect[a] = 0.6 + 0.2 * bell();
		shop->margin[a] = 150 + 300 * dice();
		shop->cost[a] = shop->margin[a] * (0.05 + 0.2 * dice());
		for (int i = 0; i < ROWS; i++) {
			draw_customer(shop, a, noise, truth, &rows[i]);
			rows[i].treated = dice() < 0.5;
			rows[i].y = dice() < truth[rows[i].treated];
		}
		assert_true(shrink_estimate(rows, ROWS, &shop->fits[a]));
	}
	shrink_together(shop->fits, ACTIONS);
	free(rows);
}

/* Earned per customer by the best card of each way: plain, shrunk, chance times margin. */
static void
serve(const struct shop *shop, double noise, double ret_earned[3])
{
	memset(ret_earned, 0, 3 * sizeof(ret_earned[0]));
	for (int i = 0; i < CUSTOMERS; i++) {
		double best[3] = { 0, 0, 0 }, gain[3] = { 0, 0, 0 };

		for (int a = 0; a < ACTIONS; a++) {
			double truth[2], p1, p0, m = shop->margin[a], c = shop->cost[a], worth[3];
			struct shrink_row seen;

			draw_customer(shop, a, noise, truth, &seen);
			shrink_apply(&shop->fits[a].shrink, seen.p1, seen.p0, &p1, &p0);
			worth[0] = seen.p1 * (m - c) - seen.p0 * m;
			worth[1] = p1 * (m - c) - p0 * m;
			worth[2] = seen.p1 * m;
			for (int way = 0; way < 3; way++)
				if (worth[way] > best[way]) {
					best[way] = worth[way];
					gain[way] = truth[1] * (m - c) - truth[0] * m;
				}
		}
		for (int way = 0; way < 3; way++)
			ret_earned[way] += gain[way] / CUSTOMERS;
	}
}

/* Over seeds: mean of shrunk against another way, and its standard error. */
static void
earns(double noise, double ret_mean[2], double ret_se[2], double *ret_plain)
{
	double sum[2] = { 0 }, squares[2] = { 0 };

	*ret_plain = 0;
	for (int s = 0; s < SEEDS; s++) {
		struct shop shop;
		double earned[3];

		open_shop(&shop, noise);
		serve(&shop, noise, earned);
		*ret_plain += earned[0] / SEEDS;
		for (int i = 0; i < 2; i++) {
			double more = earned[1] - earned[2 * i];

			sum[i] += more;
			squares[i] += more * more;
		}
	}
	for (int i = 0; i < 2; i++) {
		ret_mean[i] = sum[i] / SEEDS;
		ret_se[i] = sqrt((squares[i] - sum[i] * sum[i] / SEEDS) / (SEEDS - 1) / SEEDS);
	}
}

static void
it_earns_more_where_models_are_noisy_and_costs_next_to_nothing_where_they_are_right(void **state)
{
	double mean[2], se[2], plain;

	(void)state;
	seed = 20261130;
	earns(0, mean, se, &plain);
	assert_true(mean[0] + 2.1 * se[0] > -0.005 * plain && mean[0] > -0.01 * plain);
	assert_true(mean[1] - 2.1 * se[1] > 0);
	for (int i = 0; i < 3; i++) {
		static const double noises[3] = { 0.3, 0.6, 1 };

		earns(noises[i], mean, se, &plain);
		print_message("noise %.1f: %.2f; shrunk +%.2f (%.2f) on it, +%.2f (%.2f) on p x "
			      "margin\n",
		    noises[i], plain, mean[0], se[0], mean[1], se[1]);
		assert_true(mean[0] - 2.1 * se[0] > 0);
		assert_true(mean[1] - 2.1 * se[1] > 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(models_that_are_right_are_believed_and_noise_is_not),
		cmocka_unit_test(nothing_is_said_of_one_arm_alone),
		cmocka_unit_test(rows_that_one_line_parts_still_have_finite_numbers),
		cmocka_unit_test(an_action_with_little_behind_it_takes_what_all_have_in_common),
		cmocka_unit_test(a_reversed_difference_is_not_turned_round),
		cmocka_unit_test(one_action_alone_hears_that_the_model_is_right),
		cmocka_unit_test(
		    it_earns_more_where_models_are_noisy_and_costs_next_to_nothing_where_they_are_right),
		cmocka_unit_test(the_default_keeps_the_middle_and_takes_spread_from_the_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
