/* SPDX-License-Identifier: Apache-2.0
 *
 * test_train_fit.c - the learner, its measures and its calibration, against known answers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/train_calibrate.h"
#include "tools/train_fit.h"
#include "tools/train_measure.h"

#define NONE __builtin_nan("")
#define TRACE 1e-9 /* a ridge that changes nothing one could see */

static void
assert_near(double a, double b, double within)
{
	if (!(fabs(a - b) <= within))
		fail_msg("%.17g, expected %.17g", a, b);
}

static double
logit(double p)
{
	return log(p / (1 - p));
}

/* Small numbers of their own, the same everywhere. */
static double
next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (double)(*state >> 8) / 16777216.0;
}

/* ---- the learner ---- */

static void
without_columns_the_bias_is_the_log_odds(void **state)
{
	uint8_t y[10] = { 1, 1, 1, 0, 0, 0, 0, 0, 0, 0 };
	struct fit_rows rows = { &(double){ 0 }, y, 10, 0, false };
	struct fit fit;

	(void)state;
	fit_logistic(&rows, 1, &fit);
	assert_near(fit.bias, logit(0.3), 1e-9);
}

/* A yes-or-no column: 2 of 10 without it, 6 of 8 with it. The weight is the log of the odds ratio.
 */
static void
one_binary_column_gives_the_log_odds_ratio(void **state)
{
	double x[18];
	uint8_t y[18];
	struct fit_rows rows = { x, y, 18, 1, false };
	struct fit fit;

	(void)state;
	for (int i = 0; i < 18; i++) {
		x[i] = i < 10 ? 0 : 1;
		y[i] = i < 2 || i >= 12;
	}
	fit_logistic(&rows, TRACE, &fit);
	assert_near(fit.bias, logit(0.2), 1e-6);
	assert_near(fit.weight[0], logit(0.75) - logit(0.2), 1e-6);
}

/* Three groups, one of them without a value: each gets its own share back. */
static void
a_missing_value_has_a_chance_of_its_own(void **state)
{
	double x[30];
	uint8_t y[30];
	struct fit_rows rows = { x, y, 30, 1, false };
	struct fit fit;

	(void)state;
	for (int i = 0; i < 30; i++) {
		x[i] = i < 10 ? 0 : i < 20 ? 4 : NONE;
		y[i] = i < 2 || (i >= 10 && i < 17) || (i >= 20 && i < 21);
	}
	fit_logistic(&rows, TRACE, &fit);
	assert_near(fit_chance(fit_margin(&fit, &x[0])), 0.2, 1e-6);
	assert_near(fit_chance(fit_margin(&fit, &x[10])), 0.7, 1e-6);
	assert_near(fit_chance(fit_margin(&fit, &x[20])), 0.1, 1e-6);
	/* In the model's own terms: bias + weight · stand-in. */
	assert_near(fit_chance(fit.bias + fit.weight[0] * fit.missing[0]), 0.1, 1e-6);
}

static void
missing_in_four_rows_stands_for_the_mean_and_in_five_for_itself(void **state)
{
	for (int missing = 4; missing <= 5; missing++) {
		double x[40];
		uint8_t y[40];
		struct fit_rows rows = { x, y, 40, 1, false };
		struct fit fit;
		double sum = 0;

		for (int i = 0; i < 40; i++) {
			x[i] = i < missing ? NONE : i;
			sum += i < missing ? 0 : i;
			y[i] = i < missing || i % 3 == 0;
		}
		fit_logistic(&rows, 0.1, &fit);
		if (missing == 4)
			assert_near(fit.missing[0], sum / 36, 1e-12);
		else
			assert_true(fabs(fit.missing[0] - sum / 35) > 1);
	}
	(void)state;
}

static void
a_column_that_never_varies_has_no_weight(void **state)
{
	double x[12];
	uint8_t y[12];
	struct fit_rows rows = { x, y, 12, 1, false };
	struct fit fit;

	(void)state;
	for (int i = 0; i < 12; i++) {
		x[i] = 0.1;
		y[i] = i < 3;
	}
	fit_logistic(&rows, 1, &fit);
	assert_true(fit.weight[0] == 0 && fit.spread[0] == 0);
	assert_near(fit.bias, logit(0.25), 1e-9);
}

/* Without a ridge the weight would be infinite. With ridge r the optimum has r·b = Σ (y - p)·z. */
static void
separable_rows_end_where_the_ridge_holds_them(void **state)
{
	double x[8] = { -1, -1, -1, -1, 1, 1, 1, 1 };
	uint8_t y[8] = { 0, 0, 0, 0, 1, 1, 1, 1 };
	struct fit_rows rows = { x, y, 8, 1, false };
	struct fit fit;

	(void)state;
	for (double ridge = 0.01; ridge < 200; ridge *= 10) {
		fit_logistic(&rows, ridge, &fit);
		/* Mean 0 and spread 1: the weight is the standardised one. 8·(1 - p(b)) = ridge·b.
		 */
		assert_near(8 * (1 - fit_chance(fit.weight[0])), ridge * fit.weight[0], 1e-7);
		assert_near(fit.bias, 0, 1e-9);
	}
}

static void
fill_random(double *x, uint8_t *y, size_t rows, size_t columns, uint32_t seed)
{
	for (size_t i = 0; i < rows; i++) {
		double margin = -0.5;

		for (size_t j = 0; j < columns; j++) {
			double v = next(&seed) * (double)(1 + 10 * j) - 3;

			x[i * columns + j] = next(&seed) < 0.15 ? NONE : v;
			margin += x[i * columns + j] == x[i * columns + j]
			    ? 0.3 * v / (double)(1 + 5 * j)
			    : 0.4;
		}
		y[i] = next(&seed) < 1 / (1 + exp(-margin));
	}
}

static void
the_gradient_is_the_slope_of_the_objective(void **state)
{
	enum { ROWS = 60, COLUMNS = 3, TERMS = 1 + 2 * COLUMNS };
	double x[ROWS * COLUMNS], b[TERMS], gradient[TERMS], h = 1e-6;
	uint8_t y[ROWS];
	struct fit_rows rows = { x, y, ROWS, COLUMNS, false };

	(void)state;
	fill_random(x, y, ROWS, COLUMNS, 7);
	for (int r = 0; r < TERMS; r++)
		b[r] = 0.3 * r - 0.8;
	fit_objective(&rows, 2, b, gradient);
	for (int r = 0; r < TERMS; r++) {
		double up, down, old = b[r];

		b[r] = old + h;
		up = fit_objective(&rows, 2, b, NULL);
		b[r] = old - h;
		down = fit_objective(&rows, 2, b, NULL);
		b[r] = old;
		assert_near(gradient[r], (up - down) / (2 * h), 1e-5);
	}
}

/* Means and terms are worked out here once more: at the end the slope is nothing in every
 * direction. */
static void
the_end_is_where_the_slope_is_nothing(void **state)
{
	enum { ROWS = 400, COLUMNS = 4, TERMS = 1 + 2 * COLUMNS };
	double x[ROWS * COLUMNS], b[TERMS], gradient[TERMS];
	uint8_t y[ROWS];
	struct fit_rows rows = { x, y, ROWS, COLUMNS, false };
	struct fit fit;

	(void)state;
	for (uint32_t seed = 1; seed <= 5; seed++) {
		fill_random(x, y, ROWS, COLUMNS, seed);
		fit_logistic(&rows, 3, &fit);
		b[0] = fit.bias;
		for (int j = 0; j < COLUMNS; j++) {
			double sum = 0, there = 0;

			for (int i = 0; i < ROWS; i++) {
				double v = x[i * COLUMNS + j];

				sum += v == v ? v : 0;
				there += v == v;
			}
			b[0] += fit.weight[j] * sum / there;
			b[1 + 2 * j] = fit.weight[j] * fit.spread[j];
			b[2 + 2 * j] = fit.weight[j] * (fit.missing[j] - sum / there);
		}
		fit_objective(&rows, 3, b, gradient);
		for (int r = 0; r < TERMS; r++)
			assert_near(gradient[r], 0, 1e-9);
	}
}

static void
the_same_rows_give_the_same_bits(void **state)
{
	enum { ROWS = 300, COLUMNS = 4 };
	double x[ROWS * COLUMNS];
	uint8_t y[ROWS];
	struct fit_rows rows = { x, y, ROWS, COLUMNS, false };
	struct fit a, b;

	(void)state;
	fill_random(x, y, ROWS, COLUMNS, 12);
	memset(&a, 1, sizeof(a));
	memset(&b, 2, sizeof(b));
	fit_logistic(&rows, 1, &a);
	fit_logistic(&rows, 1, &b);
	assert_memory_equal(a.weight, b.weight, sizeof(a.weight));
	assert_true(a.bias == b.bias && a.steps == b.steps);
	/* From this machine; CI runs it on the others too. */
	assert_true(a.bias == 0x1.a6c4f577f51cp+0 && a.weight[2] == 0x1.0d73eefbb5539p-10);
}

/* ---- measures ---- */

static void
measures_of_four_rows_are_those_worked_out_by_hand(void **state)
{
	const double p[4] = { 0.9, 0.6, 0.6, 0.2 };
	const uint8_t y[4] = { 1, 1, 0, 0 };
	struct measure m;

	(void)state;
	measure_chances(p, y, 4, &m);
	assert_near(m.log_loss, -(log(0.9) + log(0.6) + log(0.4) + log(0.8)) / 4, 1e-12);
	assert_near(m.brier, (0.01 + 0.16 + 0.36 + 0.04) / 4, 1e-12);
	/* Four pairs: three right, one tied. */
	assert_near(m.auc, 3.5 / 4, 1e-12);
	assert_int_equal(m.yes, 2);
	assert_int_equal(m.bin_count, 4);
	assert_near(m.bins[0].predicted, 0.2, 1e-12);
	assert_near(m.bins[3].observed, 1, 1e-12);
}

static void
auc_is_a_half_where_nothing_is_told_apart(void **state)
{
	const double same[4] = { 0.3, 0.3, 0.3, 0.3 };
	const uint8_t y[4] = { 1, 0, 1, 0 }, one[4] = { 1, 1, 1, 1 };
	struct measure m;

	(void)state;
	measure_chances(same, y, 4, &m);
	assert_near(m.auc, 0.5, 0);
	measure_chances(same, one, 4, &m);
	assert_near(m.auc, 0.5, 0);
}

static void
ten_bins_share_the_rows_evenly(void **state)
{
	double p[25];
	uint8_t y[25];
	struct measure m;
	size_t rows = 0;

	(void)state;
	for (int i = 0; i < 25; i++) {
		p[i] = i / 25.0;
		y[i] = i % 2 == 0;
	}
	measure_chances(p, y, 25, &m);
	assert_int_equal(m.bin_count, 10);
	for (int k = 0; k < 10; k++) {
		assert_true(m.bins[k].rows == 2 || m.bins[k].rows == 3);
		rows += m.bins[k].rows;
	}
	assert_int_equal(rows, 25);
}

static void
certain_and_wrong_is_dear_and_finite(void **state)
{
	const double p[2] = { 1, 0 };
	const uint8_t y[2] = { 0, 0 };
	struct measure m;

	(void)state;
	measure_chances(p, y, 2, &m);
	assert_near(m.log_loss, -log(1e-12) / 2, 1e-3);
}

/* Losses ln 2 and ln 4 against ln 4 and ln 4: a mean of ln 2 / 2, and its error from the two
 * differences. */
static void
a_gain_comes_with_its_standard_error(void **state)
{
	const double p[2] = { 0.5, 0.25 }, q[2] = { 0.25, 0.25 };
	const uint8_t y[2] = { 1, 1 };
	double gain, error;

	(void)state;
	measure_gain(p, q, y, NULL, 2, 0, &gain, &error);
	assert_near(gain, log(2) / 2, 1e-12);
	assert_near(error, log(2) / 2, 1e-12);
	measure_gain(p, p, y, NULL, 2, 0, &gain, &error);
	assert_true(gain == 0 && error == 0);
}

/* Four times the same two rows: to their owners it is still two observations. */
static void
rows_of_one_customer_are_one_observation(void **state)
{
	const double p[8] = { 0.5, 0.25, 0.5, 0.25, 0.5, 0.25, 0.5, 0.25 };
	const double q[8] = { 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25 };
	const uint8_t y[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	const int32_t who[8] = { 0, 4, 0, 4, 0, 4, 0, 4 };
	double gain, error, alone;

	(void)state;
	measure_gain(p, q, y, who, 8, 5, &gain, &error);
	assert_near(gain, log(2) / 2, 1e-12);
	assert_near(error, log(2) / 2, 1e-12);
	measure_gain(p, q, y, NULL, 8, 0, &gain, &alone);
	assert_true(alone < error / 2);
}

/* Two standard errors and a hundredth of the base rate's loss, both, in the card's four decimals. */
static void
a_model_beats_the_base_rate_by_two_errors_and_by_a_hundredth(void **state)
{
	static const struct {
		double than, gain, error;
		bool beats;
	} cases[] = {
		{ 0.2032, 0.0374, 0.0150, true },
		{ 0.2032, -0.0374, 0.0150, false },
		/* two errors */
		{ 0.2032, 0.0300, 0.0150, true },
		{ 0.2032, 0.0299, 0.0150, false },
		/* a hundredth */
		{ 0.5000, 0.0050, 0.0001, true },
		{ 0.5001, 0.0050, 0.0001, false },
		{ 0.5000, 0.0049, 0.0001, false },
		/* as the card has it */
		{ 0.50004, 0.00496, 0.00252, true },  /* 0.5000, 0.0050 ± 0.0025 */
		{ 0.50004, 0.00496, 0.00256, false }, /* ± 0.0026 */
		{ 0.0010, 0.00004, 0, false },	      /* by 0.0000 */
		{ 0.0090, 0.00006, 0.00005, false },  /* 0.0001 ± 0.0000, which is 0.00005 */
		{ 0.0090, 0.00020, 0.00004, true },
		{ 0, 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct measure than = { .log_loss = cases[i].than };

		if (measure_beats(&than, cases[i].gain, cases[i].error) != cases[i].beats)
			fail_msg("case %zu", i);
	}
}

/* The log of 1 more, and what is missing stands for itself: the same model as over columns of logs. */
static void
by_logarithms_it_is_the_fit_of_the_logarithms(void **state)
{
	double x[60], logs[60];
	uint8_t y[60];
	struct fit_rows rows = { x, y, 60, 1, true }, by_hand = { logs, y, 60, 1, false };
	struct fit fit, expected;

	(void)state;
	for (int i = 0; i < 60; i++) {
		x[i] = i % 7 == 0 ? NAN : i % 11 == 0 ? -i : i * i;
		logs[i] = x[i] < 0 ? -log1p(-x[i]) : log1p(x[i]);
		y[i] = i % 5 < 2 || i > 40;
	}
	fit_logistic(&rows, 3, &fit);
	fit_logistic(&by_hand, 3, &expected);
	assert_true(fit.log1p && !expected.log1p);
	assert_near(fit.weight[0], expected.weight[0], 1e-9);
	assert_near(fit.missing[0], expected.missing[0], 1e-9);
	for (int i = 0; i < 60; i++)
		assert_near(fit_margin(&fit, &x[i]), fit_margin(&expected, &logs[i]), 1e-9);
}

static void
the_one_rule_is_the_cut_that_tells_most(void **state)
{
	double x[80];
	uint8_t y[40];
	struct fit_rows rows = { x, y, 40, 2, false };
	struct one_rule rule;
	uint32_t seed = 3;
	double above[2] = { 0, 30 }, none[2] = { 0, NONE };

	(void)state;
	for (int i = 0; i < 40; i++) {
		x[2 * i] = next(&seed);
		x[2 * i + 1] = i;
		y[i] = i >= 20;
	}
	one_rule_find(&rows, &rule);
	assert_int_equal(rule.column, 1);
	assert_true(rule.cut >= 16 && rule.cut <= 20);
	assert_true(one_rule_chance(&rule, above) > 0.9);
	assert_near(one_rule_chance(&rule, none), 0.5, 0);
}

/* ---- calibration ---- */

/* Of each margin m as many yes as 1/(1+exp(-(a·m+b))) says, to the row. */
static size_t
rows_of(double a, double b, double *margins, uint8_t *y)
{
	size_t count = 0;

	for (int k = -3; k <= 3; k++) {
		int yes = (int)lround(1000 / (1 + exp(-(a * k + b))));

		for (int i = 0; i < 1000; i++) {
			margins[count] = k;
			y[count++] = i < yes;
		}
	}
	return count;
}

static void
platt_finds_the_line_that_the_rows_were_made_with(void **state)
{
	double *margins = calloc(7000, sizeof(*margins));
	uint8_t *y = calloc(7000, 1);
	struct calibration c;
	size_t rows = rows_of(0.5, -1, margins, y);

	(void)state;
	assert_true(calibrate_platt(margins, y, rows, &c));
	assert_near(c.a, 0.5, 0.01);
	assert_near(c.b, -1, 0.01);
	for (size_t i = 0; i < rows; i++)
		margins[i] = -margins[i];
	assert_false(calibrate_platt(margins, y, rows, &c));
	assert_int_equal(c.kind, CALIBRATION_NONE);
	free(margins);
	free(y);
}

static void
isotonic_never_falls_and_pools_what_does(void **state)
{
	/* Shares of yes by margin 1..4: 1 of 4, 3 of 4, 1 of 4, 4 of 4: the middle two become 4
	 * of 8. */
	const double margins[16] = { 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4 };
	const uint8_t y[16] = { 1, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1 };
	struct calibration c;

	(void)state;
	calibrate_isotonic(margins, y, 16, &c);
	assert_int_equal(c.kind, CALIBRATION_ISOTONIC);
	assert_int_equal(c.count, 3);
	/* Each drawn to the base rate 9/16 by one row. */
	assert_near(c.margins[1], 2.5, 1e-12);
	assert_near(c.ps[0], (1 + 0.5625) / 5, 1e-12);
	assert_near(c.ps[1], (4 + 0.5625) / 9, 1e-12);
	assert_near(c.ps[2], (4 + 0.5625) / 5, 1e-12);
	assert_near(calibrate_chance(&c, 0), c.ps[0], 0);
	assert_near(calibrate_chance(&c, 1.75), (c.ps[0] + c.ps[1]) / 2, 1e-12);
	assert_near(calibrate_chance(&c, 9), c.ps[2], 0);
	calibrate_done(&c);
}

/* Every second row of either half, so that both halves are alike. */
static void
shuffle_halves(double *margins, uint8_t *y, size_t rows)
{
	double *m = calloc(rows, sizeof(*m));
	uint8_t *z = calloc(rows, 1);

	for (size_t i = 0; i < rows; i++) {
		size_t to = i % 2 == 0 ? i / 2 : (rows + i) / 2;

		m[to] = margins[i];
		z[to] = y[i];
	}
	memcpy(margins, m, rows * sizeof(*m));
	memcpy(y, z, rows);
	free(m);
	free(z);
}

static void
what_is_right_already_is_left_alone_and_a_bent_line_gets_a_staircase(void **state)
{
	double *margins = calloc(7000, sizeof(*margins));
	uint8_t *y = calloc(7000, 1);
	struct calibration c;
	size_t rows = rows_of(1, 0, margins, y);

	(void)state;
	shuffle_halves(margins, y, rows);
	calibrate_choose(margins, y, rows, &c);
	assert_int_equal(c.kind, CALIBRATION_NONE);
	rows = rows_of(0.4, 1, margins, y);
	shuffle_halves(margins, y, rows);
	calibrate_choose(margins, y, rows, &c);
	assert_int_equal(c.kind, CALIBRATION_PLATT);
	/* A step: no line bends like that. */
	for (size_t i = 0; i < rows; i++)
		y[i] = margins[i] > 0.5 ? i % 20 < 18 : i % 20 < 2;
	calibrate_choose(margins, y, rows, &c);
	assert_int_equal(c.kind, CALIBRATION_ISOTONIC);
	calibrate_done(&c);
	/* Too few for a staircase. */
	calibrate_choose(margins, y, 30, &c);
	assert_true(c.kind != CALIBRATION_ISOTONIC);
	free(margins);
	free(y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_columns_the_bias_is_the_log_odds),
		cmocka_unit_test(one_binary_column_gives_the_log_odds_ratio),
		cmocka_unit_test(a_missing_value_has_a_chance_of_its_own),
		cmocka_unit_test(missing_in_four_rows_stands_for_the_mean_and_in_five_for_itself),
		cmocka_unit_test(a_column_that_never_varies_has_no_weight),
		cmocka_unit_test(separable_rows_end_where_the_ridge_holds_them),
		cmocka_unit_test(the_gradient_is_the_slope_of_the_objective),
		cmocka_unit_test(the_end_is_where_the_slope_is_nothing),
		cmocka_unit_test(the_same_rows_give_the_same_bits),
		cmocka_unit_test(measures_of_four_rows_are_those_worked_out_by_hand),
		cmocka_unit_test(auc_is_a_half_where_nothing_is_told_apart),
		cmocka_unit_test(ten_bins_share_the_rows_evenly),
		cmocka_unit_test(certain_and_wrong_is_dear_and_finite),
		cmocka_unit_test(a_gain_comes_with_its_standard_error),
		cmocka_unit_test(rows_of_one_customer_are_one_observation),
		cmocka_unit_test(a_model_beats_the_base_rate_by_two_errors_and_by_a_hundredth),
		cmocka_unit_test(by_logarithms_it_is_the_fit_of_the_logarithms),
		cmocka_unit_test(the_one_rule_is_the_cut_that_tells_most),
		cmocka_unit_test(platt_finds_the_line_that_the_rows_were_made_with),
		cmocka_unit_test(isotonic_never_falls_and_pools_what_does),
		cmocka_unit_test(
		    what_is_right_already_is_left_alone_and_a_bent_line_gets_a_staircase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
