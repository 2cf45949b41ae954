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

#include "core/fmath.h"
#include "learn/shrink.h"

static uint64_t seed;

static double
dice(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(seed >> 11) * 0x1p-53;
}

static double
bell(void)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += dice();
	return sum;
}

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
		cmocka_unit_test(the_default_keeps_the_middle_and_takes_spread_from_the_difference),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
