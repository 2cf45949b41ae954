/* SPDX-License-Identifier: Apache-2.0
 *
 * learner.c - the store's own correction of headquarters' chances.
 *
 * DESIGN
 *   "This store takes 0.7 of what the model expects": y outcomes where P were
 *   expected, pulled to the ratio of the level above as if κ more had been
 *   expected there, (y + κμ) / (P + κ). κ is chosen by the past: each day's
 *   increments are scored by the ratios in force before them, as a Poisson
 *   likelihood against 1 (prequential: Dawid 1984), and headquarters alone
 *   stays until another is ahead by two. So a wrong learner switches itself off.
 *
 *   Whole numbers: the same on every machine, and k stores merged are one.
 *   Divisions and shifts floor.
 *   Rejected: a ratio for both arms together, fixed κ, estimated variances:
 *   each was simulated and earned less.
 */
#include "learn/learner.h"

#include "aisle/base.h"
#include "core/fmath.h"

/* What another κ must be ahead by, of headquarters alone. */
#define AHEAD (2 * Q16_ONE)
#define DEPTHS_MAX 64

static int64_t
floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

static int64_t
floor_shift(int64_t x, int bits)
{
	return floor_div(x, INT64_C(1) << bits);
}

int64_t
q16_of(double p)
{
	CHECK(p >= 0 && p <= 1);
	return (int64_t)(p * (double)Q16_ONE);
}

int32_t
learner_ratio(int64_t y, int64_t p, int32_t mu, enum learner_kappa kappa, struct learner_clip clip)
{
	int64_t k = (kappa == LEARNER_80 ? 80 : 20) * Q16_ONE, ratio;

	CHECK(y >= 0 && y <= LEARNER_SUM_MAX && p >= 0 && p <= LEARNER_SUM_MAX && mu >= 0);
	if (kappa == LEARNER_HQ_ALONE)
		return (int32_t)Q16_ONE;
	ratio = (y * Q16_ONE + k * mu) / (p + k);
	return ratio < clip.low ? clip.low : ratio > clip.high ? clip.high : (int32_t)ratio;
}

void
learner_ratios(struct learner_node *nodes, size_t count, enum learner_kappa kappa,
    struct learner_clip clip)
{
	for (size_t i = count; i-- > 0;) {
		int32_t above = nodes[i].above;

		CHECK(above < (int32_t)i && above >= -1);
		if (above >= 0) {
			nodes[above].y = learner_sum(nodes[above].y, nodes[i].y);
			nodes[above].p = learner_sum(nodes[above].p, nodes[i].p);
		}
	}
	for (size_t i = 0; i < count; i++) {
		int32_t mu = nodes[i].above < 0 ? (int32_t)Q16_ONE : nodes[nodes[i].above].ratio;

		nodes[i].ratio = learner_ratio(nodes[i].y, nodes[i].p, mu, kappa, clip);
	}
}

int64_t
learner_log(int32_t ratio)
{
	double x, floor;

	CHECK(ratio > 0);
	x = (double)Q16_ONE * fmath_log((double)ratio / (double)Q16_ONE) + 0.5;
	floor = (double)(int64_t)x;
	return (int64_t)floor - (floor > x);
}

int64_t
learner_score(int64_t y, int64_t p, int32_t ratio)
{
	return floor_shift(y * learner_log(ratio), 16) - floor_shift(p * (ratio - Q16_ONE), 16);
}

enum learner_kappa
learner_choose(int64_t score_80, int64_t score_20)
{
	enum learner_kappa chosen = LEARNER_HQ_ALONE;

	if (score_80 > AHEAD)
		chosen = LEARNER_80;
	if (score_20 > (chosen == LEARNER_80 ? score_80 : AHEAD))
		chosen = LEARNER_20;
	return chosen;
}

int64_t
learner_decayed(int64_t x)
{
	return x - floor_shift(x, 4);
}

int64_t
learner_rebased(int64_t p, int64_t rebase)
{
	CHECK(p >= 0 && p <= LEARNER_SUM_MAX && rebase >= 0 && rebase <= 4 * Q16_ONE);
	p = p * rebase / Q16_ONE;
	return p > LEARNER_SUM_MAX ? LEARNER_SUM_MAX : p;
}

int64_t
learner_sum(int64_t a, int64_t b)
{
	CHECK(a >= 0 && a <= LEARNER_SUM_MAX && b >= 0 && b <= LEARNER_SUM_MAX);
	return a + b > LEARNER_SUM_MAX ? LEARNER_SUM_MAX : a + b;
}

double
learner_chance(double p, int32_t ratio)
{
	p = p * (double)ratio / (double)Q16_ONE;
	return p > LEARNER_P_MAX ? LEARNER_P_MAX : p;
}

void
learner_monotone(double *p, const double *weights, size_t count)
{
	double value[DEPTHS_MAX], weight[DEPTHS_MAX];
	size_t length[DEPTHS_MAX], blocks = 0, at = 0;

	CHECK(count <= DEPTHS_MAX);
	for (size_t i = 0; i < count; i++) {
		value[blocks] = p[i];
		weight[blocks] = weights[i];
		length[blocks++] = 1;
		while (blocks > 1 && value[blocks - 2] > value[blocks - 1]) {
			double w = weight[blocks - 2] + weight[blocks - 1];

			/* Two that nobody stands behind: their middle. */
			value[blocks - 2] = w > 0 ? (value[blocks - 2] * weight[blocks - 2] +
							value[blocks - 1] * weight[blocks - 1]) /
				w
						  : (value[blocks - 2] + value[blocks - 1]) / 2;
			weight[blocks - 2] = w;
			length[blocks - 2] += length[blocks - 1];
			blocks--;
		}
	}
	for (size_t b = 0; b < blocks; b++)
		for (size_t n = 0; n < length[b]; n++)
			p[at++] = value[b];
}
