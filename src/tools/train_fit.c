/* SPDX-License-Identifier: Apache-2.0
 *
 * train_fit.c - logistic regression with a ridge, by Newton's method.
 *
 * DESIGN
 *   Columns are centred and scaled, so that one ridge suits all of them; what
 *   is absent is a column of its own, because who has no rhythm yet is another
 *   customer than one of average rhythm. Both fold back into the model's own
 *   format: with weight w and mean m, a missing value stands for m + c/w and
 *   so brings exactly the absence's coefficient c.
 *
 *   The ridge makes the objective strictly convex in all but the bias, which
 *   rows of both kinds bound; a step that does not lower it is halved. Sums
 *   run in the order of the rows: the same bits on every machine.
 *
 *   Rejected: stochastic gradients (no exact end, so no same bytes) and
 *   coordinate descent for a lasso (fewer features, but none that are
 *   correlated can be read off).
 */
#include "tools/train_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"

#define TERMS_MAX (1 + 2 * FIT_COLUMNS_MAX)
#define STEPS_MAX 60
#define HALVINGS_MAX 40
#define STEP_SMALL 1e-10
#define STEP_NEAR \
	1e-4 /* so near the end Newton doubles its digits each time, and the objective is all      \
		rounding */
#define ABSENT_MIN 5 /* rows that must be without, and with, a value for absence to be a column */
#define WEIGHT_SMALL 1e-9 /* below it c/w says nothing */

/* How raw columns become terms: 0 the bias, 1+2j the standardised value, 2+2j its absence. */
struct scale {
	size_t columns;
	double mean[FIT_COLUMNS_MAX], spread[FIT_COLUMNS_MAX];
	bool absent[FIT_COLUMNS_MAX];
};

struct newton {
	const struct fit_rows *rows;
	const struct scale *scale;
	double ridge;
	size_t terms;
	double b[TERMS_MAX], gradient[TERMS_MAX];
	double *hessian; /* terms × terms, its lower half */
};

static bool
is_missing(double x)
{
	return x != x;
}

double
fit_chance(double margin)
{
	return 1 / (1 + fmath_exp(-margin));
}

/* log(1 + exp(x)) without overflow. */
static double
softplus(double x)
{
	return x > 0 ? x + fmath_log(1 + fmath_exp(-x)) : fmath_log(1 + fmath_exp(x));
}

static void
scale_column(const struct fit_rows *rows, size_t j, struct scale *scale)
{
	double sum = 0, squares = 0, first = 0;
	size_t there = 0;
	bool varies = false;

	for (size_t i = 0; i < rows->rows; i++) {
		double x = rows->x[i * rows->columns + j];

		if (is_missing(x))
			continue;
		if (there++ == 0)
			first = x;
		varies |= x < first || x > first;
		sum += x;
	}
	scale->mean[j] = there > 0 ? sum / (double)there : 0;
	for (size_t i = 0; i < rows->rows; i++) {
		double x = rows->x[i * rows->columns + j];

		if (!is_missing(x))
			squares += (x - scale->mean[j]) * (x - scale->mean[j]);
	}
	scale->spread[j] = varies ? sqrt(squares / (double)there) : 0;
	scale->absent[j] =
	    there >= ABSENT_MIN && rows->rows - there >= ABSENT_MIN && scale->spread[j] > 0;
}

/* Counts, days and sums of money have long tails: by their logarithm the one who bought most does
 * not decide. Once, before the steps. */
static double *
log_of(const struct fit_rows *rows)
{
	double *x = mem_alloc((rows->rows * rows->columns + 1) * sizeof(*x));

	for (size_t i = 0; i < rows->rows * rows->columns; i++)
		x[i] = fmath_signed_log1p(rows->x[i]);
	return x;
}

static void
make_scale(const struct fit_rows *rows, struct scale *scale)
{
	scale->columns = rows->columns;
	for (size_t j = 0; j < rows->columns; j++)
		scale_column(rows, j, scale);
}

/* The terms of a row. */
static void
terms_of(const struct scale *scale, const double *x, double *z)
{
	z[0] = 1;
	for (size_t j = 0; j < scale->columns; j++) {
		bool missing = is_missing(x[j]);

		z[1 + 2 * j] = missing || !(scale->spread[j] > 0)
		    ? 0
		    : (x[j] - scale->mean[j]) / scale->spread[j];
		z[2 + 2 * j] = missing && scale->absent[j] ? 1 : 0;
	}
}

static double
dot(const double *a, const double *b, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

/* The objective at b; with its gradient, and with the hessian where there is room for one. */
static double
evaluate(struct newton *n, const double *b, double *gradient, double *hessian)
{
	double z[TERMS_MAX] = { 0 }, total = 0;

	if (gradient != NULL)
		memset(gradient, 0, n->terms * sizeof(*gradient));
	if (hessian != NULL)
		memset(hessian, 0, n->terms * n->terms * sizeof(*hessian));
	for (size_t i = 0; i < n->rows->rows; i++) {
		double margin, p, w;

		terms_of(n->scale, n->rows->x + i * n->rows->columns, z);
		margin = dot(b, z, n->terms);
		total += softplus(n->rows->y[i] ? -margin : margin);
		if (gradient == NULL)
			continue;
		p = fit_chance(margin);
		w = p * (1 - p);
		for (size_t r = 0; r < n->terms; r++) {
			if (z[r] == 0)
				continue;
			gradient[r] += (p - n->rows->y[i]) * z[r];
			for (size_t c = 0; hessian != NULL && c <= r; c++)
				hessian[r * n->terms + c] += w * z[r] * z[c];
		}
	}
	for (size_t r = 1; r < n->terms; r++) {
		total += 0.5 * n->ridge * b[r] * b[r];
		if (gradient != NULL)
			gradient[r] += n->ridge * b[r];
		if (hessian != NULL)
			hessian[r * n->terms + r] += n->ridge;
	}
	return total;
}

/* hessian·step = gradient by L·D·Lᵀ in place; no square root. A pivot of nothing leaves its term
 * alone. */
static void
solve(double *h, size_t n, const double *gradient, double *step)
{
	for (size_t j = 0; j < n; j++) {
		for (size_t k = 0; k < j; k++)
			h[j * n + j] -= h[j * n + k] * h[j * n + k] * h[k * n + k];
		for (size_t i = j + 1; i < n; i++) {
			for (size_t k = 0; k < j; k++)
				h[i * n + j] -= h[i * n + k] * h[j * n + k] * h[k * n + k];
			h[i * n + j] = h[j * n + j] > 0 ? h[i * n + j] / h[j * n + j] : 0;
		}
	}
	for (size_t i = 0; i < n; i++) {
		step[i] = gradient[i];
		for (size_t k = 0; k < i; k++)
			step[i] -= h[i * n + k] * step[k];
	}
	for (size_t i = 0; i < n; i++)
		step[i] = h[i * n + i] > 0 ? step[i] / h[i * n + i] : 0;
	for (size_t i = n; i-- > 0;) {
		for (size_t k = i + 1; k < n; k++)
			step[i] -= h[k * n + i] * step[k];
	}
}

static double
largest(const double *step, size_t count)
{
	double most = 0;

	for (size_t r = 0; r < count; r++) {
		double size = step[r] < 0 ? -step[r] : step[r];

		most = size > most ? size : most;
	}
	return most;
}

/* One Newton step, halved until it helps. Its largest move; 0: nothing helps any more. */
static double
move(struct newton *n, double *objective)
{
	double step[TERMS_MAX] = { 0 }, next[TERMS_MAX] = { 0 }, part = 1, size;

	evaluate(n, n->b, n->gradient, n->hessian);
	solve(n->hessian, n->terms, n->gradient, step);
	size = largest(step, n->terms);
	for (int i = 0; i < HALVINGS_MAX; i++) {
		double now;

		for (size_t r = 0; r < n->terms; r++)
			next[r] = n->b[r] - part * step[r];
		now = evaluate(n, next, NULL, NULL);
		if (now < *objective || size < STEP_NEAR) {
			*objective = now;
			memcpy(n->b, next, n->terms * sizeof(*next));
			return part * size;
		}
		part /= 2;
	}
	return 0;
}

static void
fold(const struct newton *n, struct fit *ret)
{
	const struct scale *scale = n->scale;

	ret->columns = scale->columns;
	ret->bias = n->b[0];
	for (size_t j = 0; j < scale->columns; j++) {
		double b = n->b[1 + 2 * j], w;

		ret->spread[j] = scale->spread[j];
		ret->missing[j] = scale->mean[j];
		ret->weight[j] = 0;
		if (!(scale->spread[j] > 0) || (b < WEIGHT_SMALL && b > -WEIGHT_SMALL))
			continue;
		w = b / scale->spread[j];
		ret->weight[j] = w;
		ret->bias -= w * scale->mean[j];
		if (scale->absent[j])
			ret->missing[j] += n->b[2 + 2 * j] / w;
	}
}

void
fit_logistic(const struct fit_rows *rows, double ridge, struct fit *ret)
{
	struct scale *scale = mem_zero(sizeof(*scale));
	struct newton *n = mem_zero(sizeof(*n));
	struct fit_rows as_read = *rows;
	double objective, *logs = rows->log1p ? log_of(rows) : NULL;

	CHECK(rows->rows > 0 && rows->columns <= FIT_COLUMNS_MAX && ridge > 0);
	if (rows->log1p)
		as_read.x = logs;
	make_scale(&as_read, scale);
	*n = (struct newton){
		.rows = &as_read, .scale = scale, .ridge = ridge, .terms = 1 + 2 * rows->columns
	};
	n->hessian = mem_calloc(n->terms * n->terms, sizeof(*n->hessian));
	objective = evaluate(n, n->b, NULL, NULL);
	*ret = (struct fit){ .log1p = rows->log1p };
	for (ret->steps = 0; ret->steps < STEPS_MAX; ret->steps++) {
		if (!(move(n, &objective) > STEP_SMALL))
			break;
	}
	fold(n, ret);
	ret->objective = objective / (double)rows->rows;
	free(n->hessian);
	free(n);
	free(scale);
	free(logs);
}

double
fit_margin(const struct fit *fit, const double *x)
{
	double margin = fit->bias;

	for (size_t j = 0; j < fit->columns; j++)
		margin += fit->weight[j] *
		    (is_missing(x[j])	 ? fit->missing[j]
			    : fit->log1p ? fmath_signed_log1p(x[j])
					 : x[j]);
	return margin;
}

double
fit_objective(const struct fit_rows *rows, double ridge, const double *b, double *ret_gradient)
{
	struct scale *scale = mem_zero(sizeof(*scale));
	struct newton n = {
		.rows = rows, .scale = scale, .ridge = ridge, .terms = 1 + 2 * rows->columns
	};
	double objective;

	make_scale(rows, scale);
	objective = evaluate(&n, b, ret_gradient, NULL);
	free(scale);
	return objective;
}
