/* SPDX-License-Identifier: Apache-2.0
 *
 * clustered.h - a mean, or a ratio, over customers who have several rows each.
 */
#ifndef AISLE_LEARN_CLUSTERED_H
#define AISLE_LEARN_CLUSTERED_H

#include <stddef.h>

/* V = Σsum / Σweight; se² = G/(G−1) · Σ_g(sum_g − V·weight_g)² / (Σweight)². A mean of rows has
 * their number as its weight, a ratio its denominator. */
struct clustered {
	double value, se;
	double df; /* G − 1 */
};
/* The two numbers of customer g are at sums[g·stride] and weights[g·stride]: they may lie in
 * records. No weight at all: 0 and 0. */
struct clustered clustered(const double *sums, const double *weights, size_t groups, size_t stride);

#endif
