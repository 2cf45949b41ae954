/* SPDX-License-Identifier: Apache-2.0
 *
 * exploring.c - what a store's day may spend on looking.
 *
 * DESIGN
 *   A fixed cost a slot is too much where gaps are cents and too little where
 *   they are euros. A share of what the best card is worth beyond the
 *   interruption states a price that is true in both: one per cent of it.
 */
#include "learn/exploring.h"

#include "aisle/base.h"

#define BUNDLE_DECISIONS 200
#define SLOTS_BEFORE_BOUND 100

double
exploring_weigh(const double *priorities, int count, double cost_max, double *ret_p)
{
	double rest = 1, cost = 0;

	CHECK(count > 0 && cost_max > 0);
	for (int i = 1; i < count; i++) {
		double gap = priorities[0] - priorities[i];

		ret_p[i] = 1.0 / (count + (count - 1) * gap / cost_max);
		rest -= ret_p[i];
		cost += ret_p[i] * gap;
	}
	ret_p[0] = rest;
	return cost;
}

double
exploring_worth(double b0, double sum, int64_t n)
{
	return (BUNDLE_DECISIONS * b0 + sum) / (BUNDLE_DECISIONS + (double)n);
}

double
exploring_cost_max(double share, double b0, double sum, int64_t n)
{
	double cost = share * exploring_worth(b0, sum, n);

	return cost > EXPLORING_COST_MIN ? cost : EXPLORING_COST_MIN;
}

void
exploring_count(struct exploring_day *day, double share, double spent, double worth)
{
	double above = worth > 0 ? worth : 0;

	day->spent += spent;
	day->worth += above;
	day->may += share * above;
	day->slots++;
	day->over = day->over || (day->slots >= SLOTS_BEFORE_BOUND && day->spent > 2 * day->may);
}

bool
exploring_exhausted(const struct exploring_day *day)
{
	return day->over;
}
