/* SPDX-License-Identifier: Apache-2.0
 *
 * shrink.c - uplift that does not fool itself.
 *
 * DESIGN
 *   Two noisy models of one chance make a difference that is mostly noise, and
 *   the largest of many is the one that flatters most. On the logit scale the
 *   pair is a middle and a difference; a logistic regression of the outcome on
 *   both, by randomised treatment, says how far each may be believed
 *   (recalibration: Cox 1958; the best linear predictor of an effect:
 *   Chernozhukov and others, arXiv 1712.04802), and what each action says is
 *   pooled with the others (DerSimonian and Laird 1986).
 *
 *     y ~ b₀ + b₁(mid − m̄) + b₂(W − ½) + b₃(W − ½)(d − d̄)
 *     a = b₀ − m̄, β = b₁, δ = b₂ − d̄, λ = b₃
 *
 *   Newton with a ridge towards (m̄, 1, d̄, 1): "the model is right" is where it
 *   starts and what it says of no rows.
 */
#include "learn/shrink.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"

#define CHANCE_MIN 1e-6
#define RIDGE 0.01
#define NEWTON_EXACT 1e-10
#define NEWTON_STEPS_MAX 200

static double
logit(double p)
{
	p = p < CHANCE_MIN ? CHANCE_MIN : p > 1.0 - CHANCE_MIN ? 1.0 - CHANCE_MIN : p;
	return fmath_log(p / (1.0 - p));
}

static double
sigmoid(double x)
{
	return 1.0 / (1.0 + fmath_exp(-x));
}

void
shrink_apply(const struct shrink *shrink, double p1, double p0, double *ret_p1, double *ret_p0)
{
	double l1 = logit(p1), l0 = logit(p0);
	double middle = shrink->mid + shrink->a + shrink->beta * ((l1 + l0) / 2 - shrink->mid);
	double effect = shrink->d + shrink->delta + shrink->lambda * (l1 - l0 - shrink->d);

	*ret_p1 = sigmoid(middle + effect / 2);
	*ret_p0 = sigmoid(middle - effect / 2);
}

/* ---- one action: four numbers by Newton ---- */

struct problem {
	const struct shrink_row *rows;
	size_t count;
	double mid, d;
	double centre[4];
};

static void
terms_of(const struct problem *problem, const struct shrink_row *row, double x[4])
{
	double l1 = logit(row->p1), l0 = logit(row->p0);
	double half = row->treated ? 0.5 : -0.5;

	x[0] = 1;
	x[1] = (l1 + l0) / 2 - problem->mid;
	x[2] = half;
	x[3] = half * (l1 - l0 - problem->d);
}

static double
dot(const double a[4], const double b[4])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}

/* Gradient and the upper triangle of the Hessian of the penalised log-likelihood at b. */
static double
slopes(const struct problem *problem, const double b[4], double gradient[4], double hessian[4][4])
{
	double likelihood = 0;

	memset(hessian, 0, sizeof(double[4][4]));
	for (int i = 0; i < 4; i++) {
		double away = b[i] - problem->centre[i];

		gradient[i] = -RIDGE * away;
		hessian[i][i] = RIDGE;
		likelihood -= RIDGE / 2 * away * away;
	}
	for (size_t r = 0; r < problem->count; r++) {
		double x[4], eta, p, w;

		terms_of(problem, &problem->rows[r], x);
		eta = dot(b, x);
		p = sigmoid(eta);
		w = p * (1.0 - p);
		/* ln p or ln(1 − p), where the larger is not lost in the smaller. */
		eta = problem->rows[r].y ? eta : -eta;
		likelihood -= eta > 0 ? fmath_log(1.0 + fmath_exp(-eta))
				      : fmath_log(1.0 + fmath_exp(eta)) - eta;
		for (int i = 0; i < 4; i++) {
			gradient[i] += ((double)problem->rows[r].y - p) * x[i];
			for (int j = i; j < 4; j++)
				hessian[i][j] += w * x[i] * x[j];
		}
	}
	return likelihood;
}

/* Cholesky's factor of a positive definite matrix, of which the upper triangle is given. */
static void
factor(double h[4][4], double l[4][4])
{
	memset(l, 0, sizeof(double[4][4]));
	for (int j = 0; j < 4; j++)
		for (int i = j; i < 4; i++) {
			double sum = h[j][i];

			for (int k = 0; k < j; k++)
				sum -= l[i][k] * l[j][k];
			l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
		}
}

static void
solve(double l[4][4], const double right[4], double x[4])
{
	for (int i = 0; i < 4; i++) {
		x[i] = right[i];
		for (int k = 0; k < i; k++)
			x[i] -= l[i][k] * x[k];
		x[i] /= l[i][i];
	}
	for (int i = 3; i >= 0; i--) {
		for (int k = i + 1; k < 4; k++)
			x[i] -= l[k][i] * x[k];
		x[i] /= l[i][i];
	}
}

/* b is where it begins and ends; l the factor of the last Hessian. */
static void
newton(const struct problem *problem, double b[4], double l[4][4])
{
	double gradient[4], hessian[4][4];
	double now = slopes(problem, b, gradient, hessian);

	for (int n = 0; n < NEWTON_STEPS_MAX; n++) {
		double step[4], next[4], largest = 0, then, whole = 1;

		factor(hessian, l);
		solve(l, gradient, step);
		for (int i = 0; i < 4; i++)
			largest = fmax(largest, fabs(step[i]));
		/* A full step may jump over the top; half of it, and half again, does not. */
		for (;;) {
			for (int i = 0; i < 4; i++)
				next[i] = b[i] + whole * step[i];
			then = slopes(problem, next, gradient, hessian);
			if (then >= now || whole * largest < NEWTON_EXACT)
				break;
			whole = whole / 2;
		}
		memcpy(b, next, sizeof(next));
		now = then;
		if (whole * largest < NEWTON_EXACT)
			break;
	}
	factor(hessian, l);
}

bool
shrink_estimate(const struct shrink_row *rows, size_t count, struct shrink_fit *ret)
{
	struct problem problem = { .rows = rows, .count = count };
	struct shrink_fit fit = { .rows = count };
	double b[4], l[4][4], n = (double)count;
	size_t treated = 0;

	for (size_t i = 0; i < count; i++) {
		double l1 = logit(rows[i].p1), l0 = logit(rows[i].p0);

		problem.mid += (l1 + l0) / 2;
		problem.d += l1 - l0;
		treated += rows[i].treated;
		fit.outcomes[rows[i].treated] += rows[i].y;
	}
	if (treated == 0 || treated == count)
		return false;
	problem.mid /= n;
	problem.d /= n;
	problem.centre[0] = b[0] = problem.mid;
	problem.centre[1] = b[1] = 1;
	problem.centre[2] = b[2] = problem.d;
	problem.centre[3] = b[3] = 1;
	newton(&problem, b, l);
	for (int i = 0; i < 4; i++) {
		double unit[4] = { 0 }, column[4];

		unit[i] = 1;
		solve(l, unit, column);
		fit.se[i] = sqrt(column[i]);
	}
	fit.shrink = (struct shrink){ problem.mid, problem.d, b[0] - problem.mid, b[1],
		b[2] - problem.d, b[3] };
	*ret = fit;
	return true;
}

struct shrink
shrink_default(const struct shrink_row *rows, size_t count)
{
	struct shrink shrink = { .beta = 1, .lambda = SHRINK_DEFAULT_LAMBDA };

	for (size_t i = 0; i < count; i++) {
		double l1 = logit(rows[i].p1), l0 = logit(rows[i].p0);

		shrink.mid += (l1 + l0) / 2 / (double)count;
		shrink.d += (l1 - l0) / (double)count;
	}
	return shrink;
}

/* ---- all actions ---- */

static struct pooled
common(const double *values, const double *se, size_t k)
{
	double sum_w = 0, sum_wv = 0, sum_w2 = 0, q = 0, mean, spread;
	struct pooled pooled = { 0 };

	for (size_t i = 0; i < k; i++) {
		double w = 1.0 / (se[i] * se[i]);

		sum_w += w;
		sum_wv += w * values[i];
		sum_w2 += w * w;
	}
	mean = sum_wv / sum_w;
	for (size_t i = 0; i < k; i++)
		q += (values[i] - mean) * (values[i] - mean) / (se[i] * se[i]);
	spread = (q - (double)k + 1.0) / (sum_w - sum_w2 / sum_w);
	pooled.between = spread > 0 ? spread : 0;
	sum_w = sum_wv = 0;
	for (size_t i = 0; i < k; i++) {
		double w = 1.0 / (se[i] * se[i] + pooled.between);

		sum_w += w;
		sum_wv += w * values[i];
	}
	pooled.mean = sum_wv / sum_w;
	return pooled;
}

struct pooled
shrink_pool(const double *values, const double *se, size_t k, double centre, double *out)
{
	struct pooled pooled = { 0, centre };

	CHECK(k > 0);
	if (k == 1) {
		double away = values[0] - centre;

		pooled.between = fmax(0, away * away - se[0] * se[0]);
	} else {
		pooled = common(values, se, k);
	}
	for (size_t i = 0; i < k; i++)
		out[i] = pooled.mean +
		    (values[i] - pooled.mean) * pooled.between / (pooled.between + se[i] * se[i]);
	return pooled;
}

static double *
the_number(struct shrink *shrink, int which)
{
	double *numbers[4] = { &shrink->a, &shrink->beta, &shrink->delta, &shrink->lambda };

	return numbers[which];
}

bool
shrink_is_thin(const struct shrink_fit *fit)
{
	return fit->rows < SHRINK_ROWS_MIN || fit->outcomes[0] < SHRINK_OUTCOMES_MIN ||
	    fit->outcomes[1] < SHRINK_OUTCOMES_MIN;
}

static double
within(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

void
shrink_together(struct shrink_fit *fits, size_t k)
{
	static const double centres[4] = { 0, 1, 0, 1 };
	double *values = mem_calloc(k, sizeof(double));
	double *se = mem_calloc(k, sizeof(double));

	for (int which = 0; which < 4; which++) {
		struct pooled pooled;

		for (size_t i = 0; i < k; i++) {
			values[i] = *the_number(&fits[i].shrink, which);
			se[i] = fits[i].se[which];
		}
		pooled = shrink_pool(values, se, k, centres[which], values);
		for (size_t i = 0; i < k; i++)
			*the_number(&fits[i].shrink, which) =
			    shrink_is_thin(&fits[i]) ? pooled.mean : values[i];
	}
	for (size_t i = 0; i < k; i++) {
		fits[i].shrink.lambda = within(fits[i].shrink.lambda, 0, 1);
		fits[i].shrink.beta = within(fits[i].shrink.beta, 0.25, 1.25);
	}
	free(values);
	free(se);
}
