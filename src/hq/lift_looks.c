/* SPDX-License-Identifier: Apache-2.0
 *
 * lift_looks.c - two arms, summed as of a week: the difference, its interval, and which cap it needs.
 *
 * DESIGN
 *   Each look goes over all customers' weeks again: a cap changes every sum,
 *   and a report is made once a week.
 */
#include "hq/lift_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/distribution.h"

/* ---- sums ---- */

size_t
lift_rows_end(const struct sales *sales, size_t at)
{
	size_t end = at + 1;

	while (end < sales->week_count &&
	    sales->by_week[end].customer == sales->by_week[at].customer)
		end++;
	return end;
}

static void
money_of(const struct lift_work *work, size_t at, size_t end, int weeks, double cap, double *ret_y,
    double *ret_x)
{
	*ret_x = *ret_y = 0;
	for (; at < end && work->sales->by_week[at].week < weeks; at++) {
		const struct sales_week *row = &work->sales->by_week[at];
		double minor = row->minor < cap ? row->minor : cap;

		*(row->week < 0 ? ret_x : ret_y) += minor;
	}
}

void
lift_add_up(struct lift_work *work, int weeks, double cap)
{
	const struct sales *sales = work->sales;

	memset(work->stores, 0, 2 * sales->store_count * sizeof(*work->stores));
	memset(work->total, 0, sizeof(work->total));
	for (size_t at = 0, end; at < sales->week_count; at = end) {
		uint32_t customer = sales->by_week[at].customer;
		uint8_t arm = work->arm[customer];
		double y, x;

		end = lift_rows_end(sales, at);
		if (arm == LIFT_NO_ARM || sales->by_week[at].week >= weeks)
			continue;
		money_of(work, at, end, weeks, cap, &y, &x);
		lift_add(&work->stores[2 * sales->customers[customer].store + arm], y, x);
	}
	for (size_t s = 0; s < sales->store_count; s++)
		for (int arm = 0; arm < 2; arm++)
			lift_add_sums(&work->total[arm], &work->stores[2 * s + arm]);
}

static double
smaller_arm(const struct lift_sums *pair)
{
	return fmin(pair[0].n, pair[1].n);
}

static void
join(struct lift_sums *pair, const struct lift_sums *more)
{
	lift_add_sums(&pair[0], &more[0]);
	lift_add_sums(&pair[1], &more[1]);
}

/* Stores with a small arm are one stratum; where even that is small it joins the last. */
static void
stratify(struct lift_work *work)
{
	struct lift_sums rest[2] = { 0 };
	size_t count = 0;

	for (size_t s = 0; s < work->sales->store_count; s++) {
		const struct lift_sums *pair = &work->stores[2 * s];

		if (smaller_arm(pair) < LIFT_STRATUM_MIN) {
			join(rest, pair);
			continue;
		}
		memcpy(&work->strata[2 * count++], pair, sizeof(rest));
	}
	if (count > 0 && smaller_arm(rest) < LIFT_STRATUM_MIN)
		join(&work->strata[2 * (count - 1)], rest);
	else if (rest[0].n > 0 || rest[1].n > 0)
		memcpy(&work->strata[2 * count++], rest, sizeof(rest));
	work->strata_count = count;
}

/* ---- one look ---- */

static double
residual_variance(const struct lift_sums total[2], double theta, double weeks)
{
	double squares = 0;

	for (int arm = 0; arm < 2; arm++) {
		const struct lift_sums *a = &total[arm];
		double yy = a->yy - a->y * a->y / a->n, xx = a->xx - a->x * a->x / a->n,
		       xy = a->xy - a->x * a->y / a->n;

		squares += yy - 2 * theta * xy + theta * theta * xx;
	}
	return squares / (total[0].n + total[1].n - 2) / (weeks * weeks);
}

/* Pools the strata; degrees of freedom as Welch has them. */
static struct lift_pooled
pool(const struct lift_work *work, double theta, double *ret_df)
{
	struct lift_store *stores = mem_calloc(work->strata_count, sizeof(*stores));
	double n = work->total[0].n + work->total[1].n, variance = 0, freedom = 0;
	struct lift_pooled pooled;

	for (size_t i = 0; i < work->strata_count; i++) {
		const struct lift_sums *pair = &work->strata[2 * i];
		struct lift lift = lift_between(&pair[1], &pair[0], theta);
		double w = (pair[0].n + pair[1].n) / n, v = w * w * lift.se * lift.se;

		stores[i] = (struct lift_store){ pair[0].n + pair[1].n, lift.diff, lift.se };
		variance += v;
		freedom += v * v / lift.df;
	}
	pooled = lift_pool(stores, work->strata_count);
	*ret_df = freedom > 0 ? variance * variance / freedom : 1;
	free(stores);
	return pooled;
}

static void
interval(const struct lift_comparison *comparison, const struct lift_pooled *pooled,
    struct lift_look *look)
{
	const struct lift_plan *plan = &comparison->plan;
	double half, w = look->week;

	look->per_week = look->diff / w;
	look->fixed = look->week == plan->weeks;
	if (look->fixed)
		half = student_quantile(plan->alpha, look->df) * look->se / w;
	else
		half = lift_sequence(look->diff, look->se, w, plan->effect, plan->alpha).half_width;
	look->low = look->per_week - half;
	look->high = look->per_week + half;
	if (pooled->df_other > 0 && pooled->se_other > 0) {
		half = student_quantile(plan->alpha, pooled->df_other) * pooled->se_other / w;
		look->other_low = look->per_week - half;
		look->other_high = look->per_week + half;
	}
}

bool
lift_look_at(struct lift_work *work, int week, struct lift_look *ret)
{
	struct lift_comparison *comparison = work->comparison;
	struct lift_look look = { .week = week };
	struct lift_pooled pooled;

	lift_add_up(work, week, work->caps[comparison->cap]);
	if (work->total[0].n < LIFT_CUSTOMERS_MIN || work->total[1].n < LIFT_CUSTOMERS_MIN)
		return false;
	stratify(work);
	comparison->theta = lift_theta(work->strata, 2 * work->strata_count);
	pooled = pool(work, comparison->theta, &look.df);
	look.diff = pooled.diff;
	look.se = pooled.se_these;
	look.strata = work->strata_count;
	look.variance = residual_variance(work->total, comparison->theta, week);
	if (!(look.se > 0))
		return false;
	interval(comparison, &pooled, &look);
	*ret = look;
	return true;
}

/* ---- tails ---- */

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of the positive weeks before the start, of both arms. */
static void
find_caps(struct lift_work *work)
{
	const struct sales *sales = work->sales;
	double *values = mem_calloc(sales->week_count, sizeof(*values));
	size_t count = 0;

	for (size_t i = 0; i < sales->week_count; i++) {
		const struct sales_week *row = &sales->by_week[i];

		if (row->week < 0 && row->minor > 0 && work->arm[row->customer] != LIFT_NO_ARM)
			values[count++] = row->minor;
	}
	if (count > 0)
		qsort(values, count, sizeof(*values), ascending);
	work->caps[0] = INFINITY;
	work->caps[1] = count > 0 ? lift_quantile(values, count, 0.999) : INFINITY;
	work->caps[2] = count > 0 ? lift_quantile(values, count, 0.99) : INFINITY;
	free(values);
}

static double
skew_under(struct lift_work *work, int weeks, double cap)
{
	const struct sales *sales = work->sales;
	struct lift_moments moments = { 0 };
	double theta, means[2];

	lift_add_up(work, weeks, cap);
	theta = lift_theta(work->total, 2);
	for (int arm = 0; arm < 2; arm++)
		means[arm] = (work->total[arm].y - theta * work->total[arm].x) / work->total[arm].n;
	for (size_t at = 0, end; at < sales->week_count; at = end) {
		uint8_t arm = work->arm[sales->by_week[at].customer];
		double y, x;

		end = lift_rows_end(sales, at);
		if (arm == LIFT_NO_ARM || sales->by_week[at].week >= weeks)
			continue;
		money_of(work, at, end, weeks, cap, &y, &x);
		lift_moments_add(&moments, y - theta * x - means[arm]);
	}
	return lift_skew(&moments);
}

bool
lift_choose_cap(struct lift_work *work, int weeks)
{
	struct lift_comparison *comparison = work->comparison;
	double whole;

	find_caps(work);
	lift_add_up(work, weeks, INFINITY);
	whole = work->total[0].y + work->total[1].y;
	for (int cap = 0; cap < LIFT_CAPS; cap++) {
		comparison->skew = skew_under(work, weeks, work->caps[cap]);
		comparison->cap = cap;
		if (fabs(comparison->skew) > LIFT_SKEW_MAX)
			continue;
		if (cap > 0) {
			comparison->cap_minor = work->caps[cap];
			comparison->cut =
			    whole > 0 ? 1 - (work->total[0].y + work->total[1].y) / whole : 0;
		}
		return true;
	}
	return false;
}
