/* SPDX-License-Identifier: Apache-2.0
 *
 * distribution.h - Student's t, χ² and the normal distribution, as far as intervals and alarms
 * need them.
 */
#ifndef AISLE_LEARN_DISTRIBUTION_H
#define AISLE_LEARN_DISTRIBUTION_H

/* ln Γ(x), x > 0; relative error below 1e-14, absolute near 1 and 2. */
double log_gamma(double x);
/* P(|T| > t) with df > 0 degrees of freedom, t ≥ 0. */
double student_tails(double t, double df);
/* The t with P(|T| > t) = alpha, 0 < alpha < 1: half width of an interval of 1 − alpha. */
double student_quantile(double alpha, double df);
/* P(χ² > x) with df degrees of freedom. */
double chi2_tail(double x, double df);
/* The x with P(χ² > x) = alpha. */
double chi2_quantile(double alpha, double df);
/* The z with P(|Z| > z) = alpha. */
double normal_quantile(double alpha);

#endif
