/* SPDX-License-Identifier: Apache-2.0
 *
 * lift.h - did an arm earn more than another, and could this many customers tell?
 *
 * A customer is one row: y, money from the start to the look, and x, the same in the weeks before.
 * Only sums of them are needed, so that stores can send sums.
 */
#ifndef AISLE_LEARN_LIFT_H
#define AISLE_LEARN_LIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIFT_CUSTOMERS_MIN 100 /* in an arm, for an interval */
#define LIFT_STRATUM_MIN 10    /* stores with a smaller arm form one stratum */
#define LIFT_SKEW_MAX 5.0
#define LIFT_STORES_MIN 8 /* for a sentence about other stores */
#define LIFT_ALPHA 0.05

struct lift_sums {
	double n, y, yy, x, xx, xy;
};
void lift_add(struct lift_sums *sums, double y, double x);
void lift_add_sums(struct lift_sums *sums, const struct lift_sums *more);

struct lift {
	double diff, se, df;
};
/* θ of CUPED (Deng and others 2013, section 3) over all arms, each centred on its own mean. */
double lift_theta(const struct lift_sums *arms, size_t count);
/* Welch's difference of means, treated − control, of y − θx; θ 0: of y. Two in each arm at least. */
struct lift lift_between(const struct lift_sums *treated, const struct lift_sums *control,
    double theta);
/* Half the width of the fixed interval, to be looked at once. */
double lift_half_width(const struct lift *lift, double alpha);

/* Σy/Σx over independent customers (Deng, Knoblich and Lu, arXiv 1803.06336); no x: 0 and 0. */
struct lift_ratio {
	double ratio, se;
};
struct lift_ratio lift_ratio(const struct lift_sums *arm);

/* Before the planned end: an interval that may be looked at each week (Waudby-Smith and others,
 * arXiv 2103.06476, theorem 2.2). planned: the effect in money per customer and week. */
struct lift_sequence {
	double per_week, half_width, r, info, info_planned;
};
double lift_sequence_tuning(double alpha); /* 7.936… at 0.05 */
double lift_sequence_multiplier(double r, double alpha);
struct lift_sequence lift_sequence(double diff_total, double se_total, double weeks, double planned,
    double alpha);

/* ---- several stores ---- */

struct lift_store {
	double n, diff, se; /* one θ for all */
};
struct lift_pooled {
	double diff, se_these, se_other;
	double df_other; /* 0: too few stores for a sentence about others */
};
struct lift_pooled lift_pool(const struct lift_store *stores, size_t count);

/* ---- could it tell? ---- */

/* From the variance of the residual weekly mean after one week and after four. */
struct lift_power {
	double between, within;
};
struct lift_power lift_power(double var_1, double var_4);
double lift_power_se(const struct lift_power *power, double treated, double control, double weeks);
/* Found three times in four. */
double lift_smallest_effect(double se);
/* So many stores like this one, of this many weeks. */
double lift_stores_needed(double se, double planned);
/* So many weeks of this store alone; 0: never. */
double lift_weeks_needed(const struct lift_power *power, double treated, double control,
    double planned);

/* ---- tails, shares ---- */

/* The q-quantile of ascending values, linear between neighbours; count > 0. */
double lift_quantile(const double *ascending, size_t count, double q);
/* Central moments of y − θx by arm, added up: their skewness. */
struct lift_moments {
	double n, m2, m3;
};
void lift_moments_add(struct lift_moments *moments, double centred);
double lift_skew(const struct lift_moments *moments);

/* ln B against the declared shares (Lindon and Malek, arXiv 2011.03567): from ln 100 on, at any
 * time, the arms are not what was drawn and no lift is told. shares add to 1. */
#define LIFT_MISMATCH 4.60517018598809136804
double lift_sample_ratio(const int64_t *n, const double *shares, size_t arms);

#endif
