/* SPDX-License-Identifier: Apache-2.0
 *
 * train_fit.h - the learner: logistic regression with a ridge, by Newton's method. Pure; the same
 * bits on every machine.
 */
#ifndef AISLE_TOOLS_TRAIN_FIT_H
#define AISLE_TOOLS_TRAIN_FIT_H

#include "aisle/base.h"

#define FIT_COLUMNS_MAX 64

/* Rows of numbers; NaN is a missing one. Borrowed. */
struct fit_rows {
	const double *x;  /* rows × columns */
	const uint8_t *y; /* 0 or 1 */
	size_t rows, columns;
	bool log1p; /* each number counts by its fmath_signed_log1p() */
};

/* margin = bias + Σ weight·value, a missing value standing for `missing`: the model format's own
 * terms. log1p: the value by its logarithm, `missing` as it is. */
struct fit {
	size_t columns;
	bool log1p;
	double bias;
	double weight[FIT_COLUMNS_MAX];
	double missing[FIT_COLUMNS_MAX];
	double spread[FIT_COLUMNS_MAX]; /* standard deviation of what was there; 0: it never varied,
					   its weight is 0 */
	double objective;		/* mean log loss + ridge, at the end */
	int steps;
};

/* Minimises Σ log loss + ridge/2 · Σ b², b the weights of standardised columns; the bias goes free.
 * ridge > 0; rows > 0; columns up to FIT_COLUMNS_MAX. */
void fit_logistic(const struct fit_rows *rows, double ridge, struct fit *ret);
double fit_margin(const struct fit *fit, const double *x);
double fit_chance(double margin); /* 1/(1+exp(-margin)) */
/* Gradient of the same objective at any point, over what fit_logistic optimises: for tests. b has
 * the bias, then a pair per column: of the standardised value, and of its absence. */
double fit_objective(const struct fit_rows *rows, double ridge, const double *b,
    double *ret_gradient);

#endif
