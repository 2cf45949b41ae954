/* SPDX-License-Identifier: Apache-2.0
 *
 * federation.c - what stores learned, added up at headquarters.
 *
 * DESIGN
 *   Stores send the week's increments, never decayed values: sums of whole
 *   numbers in any order are the same sums, and headquarters decays once. A
 *   store that says yes to everything, or never, is not outvoted but left out:
 *   its log ratio is held against the others' median, with their own spread
 *   (1.4826 MAD, less what counting alone spreads) and its own counting noise.
 */
#include "learn/federation.h"

#include <math.h>
#include <stdlib.h>

#include "aisle/base.h"
#include "core/fmath.h"
#include "learn/learner.h"

#define MAD_TO_SD 1.4826
#define UNLIKE 4.0

bool
federation_add(struct federation_sum *sum, const struct federation_sum *more)
{
	if (more->n < 0 || more->y < 0 || more->p < 0 || more->n > LEARNER_SUM_MAX - sum->n ||
	    more->y > LEARNER_SUM_MAX - sum->y || more->p > LEARNER_SUM_MAX - sum->p)
		return false;
	sum->n += more->n;
	sum->y += more->y;
	sum->p += more->p;
	return true;
}

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* values end up sorted */
static double
median(double *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), ascending);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

struct federation_spread
federation_unlike(const double *y, const double *p, size_t count, double *ret_z)
{
	double *scratch = mem_calloc(count, sizeof(double));
	double *logs = mem_calloc(count, sizeof(double));
	struct federation_spread s;
	double mad, noise, spread;

	CHECK(count > 0);
	for (size_t i = 0; i < count; i++)
		scratch[i] = logs[i] = fmath_log((y[i] + 1) / (p[i] + 1));
	s.median = median(scratch, count);
	for (size_t i = 0; i < count; i++)
		scratch[i] = fabs(logs[i] - s.median);
	mad = MAD_TO_SD * median(scratch, count);
	for (size_t i = 0; i < count; i++)
		scratch[i] = 1 / (p[i] + 1);
	noise = median(scratch, count);
	spread = mad * mad - noise;
	s.tau2 = spread > 0 ? spread : 0;
	for (size_t i = 0; i < count; i++)
		ret_z[i] = (logs[i] - s.median) / sqrt(s.tau2 + 1 / (p[i] + 1));
	free(logs);
	free(scratch);
	return s;
}

static unsigned
odd_of(const struct federation_store *store, double usual_p, double all_p)
{
	double n = (double)store->sum.n * (double)Q16_ONE;
	double y = (double)store->sum.y, p = (double)store->sum.p;
	unsigned odd = 0;

	odd |= y > n ? ODD_MORE_YES_THAN_ROWS : 0;
	odd |= p > n ? ODD_MORE_EXPECTED_THAN_ROWS : 0;
	odd |= y * 8 < p || y > p * 8 ? ODD_RATIO : 0;
	odd |= p > 20 * usual_p ? ODD_SIZE : 0;
	odd |= fabs(store->z) > UNLIKE ? ODD_UNLIKE : 0;
	odd |= p * 4 > all_p ? ODD_DOMINANT : 0;
	return odd;
}

struct federation_spread
federation_judge(struct federation_store *stores, size_t count)
{
	double *y = mem_calloc(count, 3 * sizeof(double)), *p = y + count, *z = p + count;
	double all_p = 0, usual_p;
	struct federation_spread spread;

	CHECK(count > 0);
	for (size_t i = 0; i < count; i++) {
		y[i] = (double)stores[i].sum.y / (double)Q16_ONE;
		p[i] = (double)stores[i].sum.p / (double)Q16_ONE;
		all_p += (double)stores[i].sum.p;
	}
	spread = federation_unlike(y, p, count, z);
	usual_p = median(p, count) * (double)Q16_ONE;
	for (size_t i = 0; i < count; i++) {
		stores[i].z = z[i];
		stores[i].odd = odd_of(&stores[i], usual_p, all_p);
	}
	free(y);
	return spread;
}
