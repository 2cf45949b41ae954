/* SPDX-License-Identifier: Apache-2.0
 *
 * train_calibrate.c - Platt scaling and isotonic regression.
 */
#include "tools/train_calibrate.h"

#include <stdlib.h>
#include <string.h>

#include "tools/train_fit.h"
#include "tools/train_measure.h"

#define RIDGE 1e-3
#define POINTS_MAX 64
#define ISOTONIC_YES_MIN \
	40 /* of each kind, in each half: a staircase learns less from a row than two numbers do   \
	    */

double
calibrate_chance(const struct calibration *calibration, double margin)
{
	const double *ms = calibration->margins, *ps = calibration->ps;
	size_t i = 1;

	if (calibration->kind == CALIBRATION_NONE)
		return fit_chance(margin);
	if (calibration->kind == CALIBRATION_PLATT)
		return fit_chance(calibration->a * margin + calibration->b);
	if (!(margin > ms[0]))
		return ps[0];
	if (margin >= ms[calibration->count - 1])
		return ps[calibration->count - 1];
	while (ms[i] <= margin)
		i++;
	return ps[i - 1] +
	    (margin / 2 - ms[i - 1] / 2) / (ms[i] / 2 - ms[i - 1] / 2) * (ps[i] - ps[i - 1]);
}

void
calibrate_done(struct calibration *calibration)
{
	if (calibration->kind == CALIBRATION_ISOTONIC) {
		free((double *)calibration->margins);
		free((double *)calibration->ps);
	}
	*calibration = (struct calibration){ .kind = CALIBRATION_NONE };
}

bool
calibrate_platt(const double *margins, const uint8_t *y, size_t rows, struct calibration *ret)
{
	struct fit_rows one = { .x = margins, .y = y, .rows = rows, .columns = 1 };
	struct fit fit;

	*ret = (struct calibration){ .kind = CALIBRATION_NONE };
	if (rows == 0)
		return false;
	fit_logistic(&one, RIDGE, &fit);
	if (!(fit.weight[0] > 0))
		return false;
	*ret = (struct calibration){ .kind = CALIBRATION_PLATT, .a = fit.weight[0], .b = fit.bias };
	return true;
}

/* ---- isotonic ---- */

struct block {
	double margins, yes, rows; /* sums */
};

struct pair {
	double margin;
	uint8_t y;
	uint32_t at;
};

static int
compare(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->margin < y->margin || x->margin > y->margin)
		return x->margin < y->margin ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

/* Pools neighbours until the share of yes never falls. Returns how many blocks are left. */
static size_t
pool(struct block *blocks, size_t count)
{
	size_t top = 0;

	for (size_t i = 0; i < count; i++) {
		blocks[top++] = blocks[i];
		while (top > 1 &&
		    blocks[top - 2].yes * blocks[top - 1].rows >=
			blocks[top - 1].yes * blocks[top - 2].rows) {
			blocks[top - 2].margins += blocks[top - 1].margins;
			blocks[top - 2].yes += blocks[top - 1].yes;
			blocks[top - 2].rows += blocks[top - 1].rows;
			top--;
		}
	}
	return top;
}

/* Rows into at most POINTS_MAX groups of neighbours; equal margins stay together. */
static size_t
group(const struct pair *sorted, size_t rows, struct block *blocks)
{
	size_t count = 0, size = rows / POINTS_MAX + 1;

	for (size_t i = 0; i < rows; count++) {
		size_t end = i;

		blocks[count] = (struct block){ 0, 0, 0 };
		while (end < rows &&
		    (end < i + size || !(sorted[end].margin > sorted[end - 1].margin))) {
			blocks[count].margins += sorted[end].margin;
			blocks[count].yes += sorted[end].y;
			blocks[count].rows++;
			end++;
		}
		i = end;
	}
	return count;
}

void
calibrate_isotonic(const double *margins, const uint8_t *y, size_t rows, struct calibration *ret)
{
	struct pair *sorted = mem_calloc(rows + 1, sizeof(*sorted));
	struct block *blocks = mem_calloc(POINTS_MAX + 2, sizeof(*blocks));
	double *ms, *ps, base = 0;
	size_t count, kept = 0;

	for (size_t i = 0; i < rows; i++) {
		sorted[i] = (struct pair){ margins[i], y[i], (uint32_t)i };
		base += y[i];
	}
	base = rows > 0 ? base / (double)rows : 0.5;
	qsort(sorted, rows, sizeof(*sorted), compare);
	count = pool(blocks, group(sorted, rows, blocks));
	ms = mem_calloc(count + 1, sizeof(*ms));
	ps = mem_calloc(count + 1, sizeof(*ps));
	for (size_t i = 0; i < count; i++) {
		double margin = blocks[i].margins / blocks[i].rows,
		       p = (blocks[i].yes + base) / (blocks[i].rows + 1);

		/* Drawing towards the base rate can turn the order of two small blocks round. */
		if (kept > 0 && (!(margin > ms[kept - 1]) || p < ps[kept - 1]))
			continue;
		ms[kept] = margin;
		ps[kept++] = p;
	}
	*ret = (struct calibration){
		.kind = CALIBRATION_ISOTONIC, .margins = ms, .ps = ps, .count = kept
	};
	free(sorted);
	free(blocks);
	if (kept == 0)
		calibrate_done(ret);
}

/* ---- which ---- */

static bool
enough_of_each(const uint8_t *y, size_t rows)
{
	size_t yes = 0;

	for (size_t i = 0; i < rows; i++)
		yes += y[i];
	return yes >= ISOTONIC_YES_MIN && rows - yes >= ISOTONIC_YES_MIN;
}

/* Is it better than the best so far on these rows, by more than the standard error of that? Then
 * its chances take the best's place. */
static bool
beats(const struct calibration *calibration, const double *margins, const uint8_t *y, size_t rows,
    double *best)
{
	double *p = mem_calloc(rows + 1, sizeof(*p)), gain, error;

	for (size_t i = 0; i < rows; i++)
		p[i] = calibrate_chance(calibration, margins[i]);
	measure_gain(p, best, y, NULL, rows, 0, &gain, &error);
	if (gain > error)
		memcpy(best, p, rows * sizeof(*p));
	free(p);
	return gain > error;
}

void
calibrate_choose(const double *margins, const uint8_t *y, size_t rows, struct calibration *ret)
{
	size_t half = rows / 2, rest = rows - half;
	double *best = mem_calloc(rest + 1, sizeof(*best));
	struct calibration platt, isotonic;
	int kind = CALIBRATION_NONE;

	*ret = (struct calibration){ .kind = CALIBRATION_NONE };
	for (size_t i = 0; i < rest; i++)
		best[i] = fit_chance(margins[half + i]);
	if (calibrate_platt(margins, y, half, &platt) &&
	    beats(&platt, margins + half, y + half, rest, best))
		kind = CALIBRATION_PLATT;
	if (enough_of_each(y, half) && enough_of_each(y + half, rest)) {
		calibrate_isotonic(margins, y, half, &isotonic);
		if (beats(&isotonic, margins + half, y + half, rest, best))
			kind = CALIBRATION_ISOTONIC;
		calibrate_done(&isotonic);
	}
	free(best);
	if (kind == CALIBRATION_PLATT)
		calibrate_platt(margins, y, rows, ret);
	else if (kind == CALIBRATION_ISOTONIC)
		calibrate_isotonic(margins, y, rows, ret);
}
