/* SPDX-License-Identifier: Apache-2.0
 *
 * shrink.h - a pair of chances with and without the action, recalibrated so that the difference
 * does not flatter: estimated at headquarters, applied in the store.
 */
#ifndef AISLE_LEARN_SHRINK_H
#define AISLE_LEARN_SHRINK_H

#include <stdbool.h>
#include <stddef.h>

#include "aisle/base.h"
#include "aisle/shrink.h"

#define SHRINK_ACTIONS_MAX 2000
/* An action with less behind it takes what all have in common. */
#define SHRINK_ROWS_MIN 500
#define SHRINK_OUTCOMES_MIN 50

/* Without randomised rows: the difference keeps seven tenths of its spread about its mean. */
#define SHRINK_DEFAULT_LAMBDA 0.7

/* p1, p0 in 0..1 become p1', p0'; arguments may be the results. */
void shrink_apply(const struct shrink *shrink, double p1, double p0, double *ret_p1,
    double *ret_p0);

struct shrink_row {
	double p1, p0;
	bool treated, y;
};

/* What the rows of one action say, before other actions are heard. */
struct shrink_fit {
	struct shrink shrink;
	double se[4]; /* of a, beta, delta, lambda */
	size_t rows;
	size_t outcomes[2]; /* untreated, treated */
};

/* false: no rows, or one arm only: nothing can be said. */
bool shrink_estimate(const struct shrink_row *rows, size_t count, struct shrink_fit *ret);

/* The default, about the means of these rows; whether they were treated does not count. */
struct shrink shrink_default(const struct shrink_row *rows, size_t count);
/* Too little behind it to speak for itself? */
bool shrink_is_thin(const struct shrink_fit *fit);

/* DerSimonian and Laird (1986): k values with their standard errors become values that have
 * heard each other; k = 1 hears centre. values and out may be one. Variance between actions and
 * common mean come back. */
struct pooled {
	double between, mean;
};
struct pooled shrink_pool(const double *values, const double *se, size_t k, double centre,
    double *out);

/* Pools all four over the actions, gives the common mean to those with little behind them, and
 * keeps λ in 0..1 and β in ¼..1.25. fits' shrink is what the bundle gets. */
void shrink_together(struct shrink_fit *fits, size_t k);

#endif
