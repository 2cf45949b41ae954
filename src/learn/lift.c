/* SPDX-License-Identifier: Apache-2.0
 *
 * lift.c - did an arm earn more than another?
 *
 * DESIGN
 *   The unit is the customer, absent ones count 0. What a customer spent in the
 *   weeks before takes away two fifths of the noise, whatever the arm (CUPED).
 *   Looking each week at an interval made for one look raises false alarms from
 *   one in twenty to one in six: until the planned end there is a sequence,
 *   wider, that holds at every look; after it the narrow interval, once.
 *
 *   Stores are weighted by their customers. Weights by precision cover less
 *   than they promise, because a store where nothing happens is precise.
 */
#include "learn/lift.h"

#include <math.h>

#include "aisle/base.h"
#include "core/fmath.h"
#include "learn/distribution.h"

/* 1.9599640 + 0.8416212: found four times in five, if all were normal. */
#define Z_80 2.8015852
#define RATIO_PRIOR 1000.0

void
lift_add(struct lift_sums *sums, double y, double x)
{
	struct lift_sums one = { 1, y, y * y, x, x * x, x * y };

	lift_add_sums(sums, &one);
}

void
lift_add_sums(struct lift_sums *sums, const struct lift_sums *more)
{
	sums->n += more->n;
	sums->y += more->y;
	sums->yy += more->yy;
	sums->x += more->x;
	sums->xx += more->xx;
	sums->xy += more->xy;
}

/* Sums of squares and products about the arm's own means. */
struct centred {
	double yy, xx, xy;
};

static struct centred
centre(const struct lift_sums *arm)
{
	struct centred c = { 0 };

	if (arm->n > 0) {
		c.yy = arm->yy - arm->y * arm->y / arm->n;
		c.xx = arm->xx - arm->x * arm->x / arm->n;
		c.xy = arm->xy - arm->x * arm->y / arm->n;
	}
	return c;
}

double
lift_theta(const struct lift_sums *arms, size_t count)
{
	double xy = 0, xx = 0;

	for (size_t i = 0; i < count; i++) {
		struct centred c = centre(&arms[i]);

		xy += c.xy;
		xx += c.xx;
	}
	return xx > 0 ? xy / xx : 0;
}

static double
variance_of_mean(const struct lift_sums *arm, double theta)
{
	struct centred c = centre(arm);
	double rest = c.yy - 2 * theta * c.xy + theta * theta * c.xx;

	return (rest > 0 ? rest : 0) / ((arm->n - 1) * arm->n);
}

struct lift
lift_between(const struct lift_sums *treated, const struct lift_sums *control, double theta)
{
	double vt, vc, v, freedom;
	struct lift lift;

	CHECK(treated->n >= 2 && control->n >= 2);
	vt = variance_of_mean(treated, theta);
	vc = variance_of_mean(control, theta);
	v = vt + vc;
	lift.diff = treated->y / treated->n - control->y / control->n -
	    theta * (treated->x / treated->n - control->x / control->n);
	lift.se = sqrt(v);
	freedom = vt * vt / (treated->n - 1) + vc * vc / (control->n - 1);
	lift.df = freedom > 0 ? v * v / freedom : treated->n + control->n - 2;
	return lift;
}

double
lift_half_width(const struct lift *lift, double alpha)
{
	return student_quantile(alpha, lift->df) * lift->se;
}

struct lift_ratio
lift_ratio(const struct lift_sums *arm)
{
	struct lift_ratio r = { 0, 0 };
	double rest;

	CHECK(arm->n >= 2);
	if (!(fabs(arm->x) > 0))
		return r;
	r.ratio = arm->y / arm->x;
	rest = arm->yy - 2 * r.ratio * arm->xy + r.ratio * r.ratio * arm->xx;
	r.se = sqrt((rest > 0 ? rest : 0) / ((arm->n - 1) * arm->n)) / fabs(arm->x / arm->n);
	return r;
}

double
lift_sequence_tuning(double alpha)
{
	double l = -2 * fmath_log(alpha);

	return l + fmath_log(l + 1);
}

double
lift_sequence_multiplier(double r, double alpha)
{
	return sqrt((1 + 1 / r) * (fmath_log(1 + r) - 2 * fmath_log(alpha)));
}

struct lift_sequence
lift_sequence(double diff_total, double se_total, double weeks, double planned, double alpha)
{
	struct lift_sequence q = { 0 };
	double s = se_total / weeks;

	CHECK(weeks > 0 && planned > 0 && se_total > 0);
	q.per_week = diff_total / weeks;
	q.info = 1 / (s * s);
	q.info_planned = (Z_80 / planned) * (Z_80 / planned);
	q.r = lift_sequence_tuning(alpha) * q.info / q.info_planned;
	q.half_width = s * lift_sequence_multiplier(q.r, alpha);
	return q;
}

struct lift_pooled
lift_pool(const struct lift_store *stores, size_t count)
{
	struct lift_pooled p = { 0 };
	double n = 0, these = 0, other = 0;

	CHECK(count > 0);
	for (size_t i = 0; i < count; i++)
		n += stores[i].n;
	for (size_t i = 0; i < count; i++)
		p.diff += stores[i].n / n * stores[i].diff;
	for (size_t i = 0; i < count; i++) {
		double w = stores[i].n / n, away = stores[i].diff - p.diff;

		these += w * w * stores[i].se * stores[i].se;
		other += w * w * away * away;
	}
	p.se_these = sqrt(these);
	if (count > 1)
		p.se_other = sqrt(other * (double)count / ((double)count - 1));
	p.df_other = count >= LIFT_STORES_MIN ? (double)count - 1 : 0;
	return p;
}

struct lift_power
lift_power(double var_1, double var_4)
{
	struct lift_power power = { 0 };

	power.within = var_1 > var_4 ? (var_1 - var_4) / 0.75 : 0;
	power.between = var_1 > power.within ? var_1 - power.within : 0;
	return power;
}

double
lift_power_se(const struct lift_power *power, double treated, double control, double weeks)
{
	CHECK(treated > 0 && control > 0 && weeks > 0);
	return sqrt((power->between + power->within / weeks) * (1 / treated + 1 / control));
}

double
lift_smallest_effect(double se)
{
	return Z_80 * se;
}

double
lift_stores_needed(double se, double planned)
{
	double root = Z_80 * se / planned;

	return ceil(root * root);
}

double
lift_weeks_needed(const struct lift_power *power, double treated, double control, double planned)
{
	double goal = planned / Z_80;
	double left = goal * goal / (1 / treated + 1 / control) - power->between;

	return left > 0 ? fmax(1, ceil(power->within / left)) : 0;
}

double
lift_quantile(const double *ascending, size_t count, double q)
{
	double at = q * (double)(count - 1);
	size_t low = (size_t)at;

	CHECK(count > 0 && q >= 0 && q <= 1);
	if (low + 1 >= count)
		return ascending[count - 1];
	return ascending[low] + (at - (double)low) * (ascending[low + 1] - ascending[low]);
}

void
lift_moments_add(struct lift_moments *moments, double centred)
{
	moments->n++;
	moments->m2 += centred * centred;
	moments->m3 += centred * centred * centred;
}

double
lift_skew(const struct lift_moments *moments)
{
	double v = moments->m2 / moments->n;

	return v > 0 ? moments->m3 / moments->n / (v * sqrt(v)) : 0;
}

double
lift_sample_ratio(const int64_t *n, const double *shares, size_t arms)
{
	double total = 0, sum = 0;

	for (size_t i = 0; i < arms; i++) {
		double prior = RATIO_PRIOR * shares[i], seen = (double)n[i];

		CHECK(shares[i] > 0 && n[i] >= 0);
		total += seen;
		sum += log_gamma(prior + seen) - log_gamma(prior) - seen * fmath_log(shares[i]);
	}
	return log_gamma(RATIO_PRIOR) - log_gamma(RATIO_PRIOR + total) + sum;
}
