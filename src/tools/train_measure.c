/* SPDX-License-Identifier: Apache-2.0
 *
 * train_measure.c - how good chances are.
 *
 * AUC: the share of pairs of a yes and a no in which the yes has the higher
 * chance, from ranks (Mann and Whitney, 1947). Brier: mean squared error
 * (Brier, 1950). A chance is taken as at least 1e-12 away from 0 and 1, so
 * that one certain mistake is dear and not infinite.
 */
#include "tools/train_measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"

#define CHANCE_MIN 1e-12
#define CUTS 9

struct ranked {
	double p;
	uint32_t at;
	uint8_t y;
};

/* Equal chances in the order of the rows: the bins do not depend on qsort. */
static int
compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->p < y->p || x->p > y->p)
		return x->p < y->p ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

static double
loss(double p, uint8_t y)
{
	if (p < CHANCE_MIN)
		p = CHANCE_MIN;
	if (p > 1 - CHANCE_MIN)
		p = 1 - CHANCE_MIN;
	return -fmath_log(y ? p : 1 - p);
}

/* Of the sorted rows: ranks of equal chances are their mean. */
static double
auc(const struct ranked *sorted, size_t rows, size_t yes)
{
	double ranks = 0, pairs = (double)yes * (double)(rows - yes);

	for (size_t i = 0; i < rows;) {
		size_t end = i, yes_here = 0;

		while (end < rows && !(sorted[end].p > sorted[i].p))
			yes_here += sorted[end++].y;
		ranks += (double)yes_here * ((double)(i + 1) + (double)end) / 2;
		i = end;
	}
	return pairs > 0 ? (ranks - (double)yes * ((double)yes + 1) / 2) / pairs : 0.5;
}

static void
fill_bins(const struct ranked *sorted, struct measure *m)
{
	m->bin_count = m->rows < MEASURE_BINS ? m->rows : MEASURE_BINS;
	for (size_t k = 0; k < m->bin_count; k++) {
		size_t from = m->rows * k / m->bin_count, to = m->rows * (k + 1) / m->bin_count;
		struct measure_bin *bin = &m->bins[k];

		bin->rows = to - from;
		for (size_t i = from; i < to; i++) {
			bin->predicted += sorted[i].p;
			bin->observed += sorted[i].y;
		}
		bin->predicted /= (double)bin->rows;
		bin->observed /= (double)bin->rows;
	}
}

void
measure_chances(const double *p, const uint8_t *y, size_t rows, struct measure *ret)
{
	struct ranked *sorted = mem_calloc(rows + 1, sizeof(*sorted));

	*ret = (struct measure){ .rows = rows };
	for (size_t i = 0; i < rows; i++) {
		sorted[i] = (struct ranked){ p[i], (uint32_t)i, y[i] };
		ret->yes += y[i];
		ret->log_loss += loss(p[i], y[i]);
		ret->brier += (p[i] - y[i]) * (p[i] - y[i]);
	}
	if (rows > 0) {
		ret->log_loss /= (double)rows;
		ret->brier /= (double)rows;
	}
	qsort(sorted, rows, sizeof(*sorted), compare);
	ret->auc = auc(sorted, rows, ret->yes);
	fill_bins(sorted, ret);
	free(sorted);
}

void
measure_gain(const double *p, const double *q, const uint8_t *y, const int32_t *who, size_t rows,
    size_t people, double *ret_gain, double *ret_error)
{
	size_t groups = who != NULL ? people : rows, seen = 0;
	double *sums = mem_calloc(groups + 1, sizeof(*sums)),
	       *counts = mem_calloc(groups + 1, sizeof(*counts));
	double sum = 0, squares = 0, mean;

	for (size_t i = 0; i < rows; i++) {
		size_t group = who != NULL ? (size_t)who[i] : i;
		double gain = loss(q[i], y[i]) - loss(p[i], y[i]);

		sum += gain;
		sums[group] += gain;
		counts[group]++;
	}
	mean = rows > 0 ? sum / (double)rows : 0;
	for (size_t g = 0; g < groups; g++) {
		double off = sums[g] - counts[g] * mean;

		squares += off * off;
		seen += counts[g] > 0;
	}
	*ret_gain = mean;
	*ret_error =
	    seen > 1 ? sqrt(squares * (double)seen / (double)(seen - 1)) / (double)rows : 0;
	free(sums);
	free(counts);
}

/* In ten-thousandths, as a card writes it. */
static long
as_written(double x)
{
	return lround(x * 10000);
}

/* An error that is written as 0.0000 and is not: it counts as the least that can be written. */
static long
error_as_written(double error)
{
	long written = as_written(error);

	return written == 0 && error > 0 ? 1 : written;
}

bool
measure_beats(const struct measure *than, double gain, double error)
{
	return as_written(gain) > 0 &&
	    as_written(gain) >= MEASURE_ERRORS * error_as_written(error) &&
	    as_written(gain) * 100 >= MEASURE_PERCENT * as_written(than->log_loss);
}

/* ---- one rule ---- */

struct side {
	double rows, yes;
};

/* Drawn to the base rate by one row, so that a side without a yes is not certain. */
static double
side_chance(const struct side *side, double base)
{
	return (side->yes + base) / (side->rows + 1);
}

static double
side_loss(const struct side *side, double base)
{
	double p = side_chance(side, base);

	return -side->yes * fmath_log(p) - (side->rows - side->yes) * fmath_log(1 - p);
}

static double
try_cut(const struct fit_rows *rows, size_t column, double cut, double base, struct one_rule *ret)
{
	struct side sides[3] = { { 0, 0 }, { 0, 0 }, { 0, 0 } }; /* low, high, missing */

	for (size_t i = 0; i < rows->rows; i++) {
		double x = rows->x[i * rows->columns + column];
		struct side *side = &sides[x != x ? 2 : x > cut ? 1 : 0];

		side->rows++;
		side->yes += rows->y[i];
	}
	*ret = (struct one_rule){ column, cut, side_chance(&sides[0], base),
		side_chance(&sides[1], base), side_chance(&sides[2], base) };
	return side_loss(&sides[0], base) + side_loss(&sides[1], base) + side_loss(&sides[2], base);
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void
one_rule_find(const struct fit_rows *rows, struct one_rule *ret)
{
	double *there = mem_calloc(rows->rows + 1, sizeof(*there)), best = 0, base = 1;
	bool found = false;

	/* Never 0 or 1 itself. */
	for (size_t i = 0; i < rows->rows; i++)
		base += rows->y[i];
	base /= (double)rows->rows + 2;

	for (size_t j = 0; j < rows->columns; j++) {
		size_t count = 0;

		for (size_t i = 0; i < rows->rows; i++) {
			double x = rows->x[i * rows->columns + j];

			if (!(x != x))
				there[count++] = x;
		}
		qsort(there, count, sizeof(*there), compare_doubles);
		for (size_t k = 1; k <= CUTS && count > 0; k++) {
			struct one_rule rule;
			double total = try_cut(rows, j, there[count * k / (CUTS + 1)], base, &rule);

			if (found && !(total < best))
				continue;
			found = true;
			best = total;
			*ret = rule;
		}
	}
	if (!found)
		try_cut(rows, 0, 0, base, ret);
	free(there);
}

double
one_rule_chance(const struct one_rule *rule, const double *x)
{
	double value = x[rule->column];

	return value != value ? rule->p_missing : value > rule->cut ? rule->p_high : rule->p_low;
}
