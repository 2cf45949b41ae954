/* SPDX-License-Identifier: Apache-2.0
 *
 * train_measure.h - how good chances are: log loss, Brier score, AUC, calibration in ten bins; and
 * the one rule that a model must beat. Pure.
 */
#ifndef AISLE_TOOLS_TRAIN_MEASURE_H
#define AISLE_TOOLS_TRAIN_MEASURE_H

#include "tools/train_fit.h"

#define MEASURE_BINS 10

struct measure_bin {
	size_t rows;
	double predicted, observed; /* means */
};
struct measure {
	size_t rows, yes;
	double log_loss, brier;
	double auc; /* ties count half; 0.5 where only one kind is there */
	struct measure_bin bins[MEASURE_BINS]; /* as many rows each, by rising chance; the last ones
						  empty with few rows */
	size_t bin_count;
};
void measure_chances(const double *p, const uint8_t *y, size_t rows, struct measure *ret);

/* How much smaller the log loss of p is than that of q, a row, and the standard error of that. who:
 * whose row it is (0 ≤ who < people): rows of one customer are alike and count as one observation
 * of their sum. NULL: every row is its own. */
void measure_gain(const double *p, const double *q, const uint8_t *y, const int32_t *who,
    size_t rows, size_t people, double *ret_gain, double *ret_error);
/* Is it better than `than`, by so many standard errors and so much of its log loss, in figures of four
 * decimals, as cards write them? gain, error: of measure_gain(). */
#define MEASURE_ERRORS 2
#define MEASURE_PERCENT 1
bool measure_beats(const struct measure *than, double gain, double error);

/* "column at most cut": one chance for yes, one for no, one for missing. */
struct one_rule {
	size_t column;
	double cut;
	double p_low, p_high, p_missing;
};
/* The column and cut (one of its deciles) of the least log loss on these rows. */
void one_rule_find(const struct fit_rows *rows, struct one_rule *ret);
double one_rule_chance(const struct one_rule *rule, const double *x);

#endif
