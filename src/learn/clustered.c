/* SPDX-License-Identifier: Apache-2.0
 *
 * clustered.c - a mean, or a ratio, over customers who have several rows each.
 */
#include "learn/clustered.h"

#include <math.h>

struct clustered
clustered(const double *sums, const double *weights, size_t groups, size_t stride)
{
	struct clustered c = { .df = groups > 1 ? (double)groups - 1 : 0 };
	double sum = 0, weight = 0, squares = 0;

	for (size_t g = 0; g < groups; g++) {
		sum += sums[g * stride];
		weight += weights[g * stride];
	}
	if (!(fabs(weight) > 0))
		return c;
	c.value = sum / weight;
	for (size_t g = 0; g < groups; g++) {
		double away = sums[g * stride] - c.value * weights[g * stride];

		squares += away * away;
	}
	if (groups > 1)
		c.se = sqrt((double)groups / ((double)groups - 1) * squares) / fabs(weight);
	return c;
}
