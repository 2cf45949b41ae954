/* SPDX-License-Identifier: Apache-2.0
 *
 * drift.c - the population stability index, without what it shows by chance.
 *
 * DESIGN
 *   PSI of a stable feature is not zero but about (B − 1)(1/N + 1/M): with 50
 *   rows the customary 0.1 is passed three times in four. What is expected by
 *   chance is taken off, and the rest must be improbable as well as large.
 */
#include "learn/drift.h"

#include "aisle/base.h"
#include "core/fmath.h"
#include "learn/distribution.h"

#define ALARM_PSI 0.1
#define ALARM_CHANCE 0.001
#define WATCH_PSI 0.05
#define WATCH_CHANCE 0.01

static double
rows_of(const int64_t *counts, size_t bins)
{
	double n = 0;

	for (size_t i = 0; i < bins; i++)
		n += (double)counts[i];
	return n;
}

static enum drift_verdict
verdict_of(const struct drift *drift, double now, double df)
{
	double chance = chi2_tail(drift->statistic, df);

	if (now < DRIFT_CUSTOMERS_MIN)
		return DRIFT_TOO_FEW;
	if (drift->corrected > ALARM_PSI && chance < ALARM_CHANCE)
		return DRIFT_ALARM;
	return drift->corrected > WATCH_PSI && chance < WATCH_CHANCE ? DRIFT_WATCH : DRIFT_NONE;
}

struct drift
drift_of(const int64_t *base, const int64_t *now, size_t bins)
{
	double n = rows_of(base, bins), m = rows_of(now, bins), h;
	struct drift drift = { .verdict = DRIFT_TOO_FEW };

	CHECK(bins >= 2 && bins <= DRIFT_BINS_MAX);
	if (!(n > 0) || !(m > 0))
		return drift;
	for (size_t i = 0; i < bins; i++) {
		double p = ((double)base[i] + 0.5) / (n + (double)bins / 2);
		double q = ((double)now[i] + 0.5) / (m + (double)bins / 2);

		drift.psi += (p - q) * fmath_log(p / q);
	}
	h = 1 / n + 1 / m;
	drift.bias = ((double)bins - 1) * h;
	drift.corrected = drift.psi - drift.bias;
	drift.statistic = drift.psi / h;
	drift.verdict = verdict_of(&drift, m, (double)bins - 1);
	return drift;
}
