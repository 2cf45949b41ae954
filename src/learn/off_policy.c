/* SPDX-License-Identifier: Apache-2.0
 *
 * off_policy.c - what another policy would have earned, from the log of this one.
 *
 * DESIGN
 *   Each decision was drawn with a chance on record, so that the log can be
 *   weighed as if another policy had drawn it: w = π/p. The headline is doubly
 *   robust (Dudík and others, arXiv 1103.4601): what the models expect, put
 *   right by what came. Plain weights lean on a few decisions, clipped ones and
 *   the models alone have no interval that holds.
 *
 *   A figure is refused rather than told where the log cannot know it. One
 *   value a decision, with the past as it was.
 */
#include "learn/off_policy.h"

#include <math.h>
#include <stdlib.h>

#include "aisle/base.h"

#define STRIDE(type) (sizeof(type) / sizeof(double))

static double
worst(const struct ope_choice *choice)
{
	return -fmax(choice->margin, choice->cost);
}

void
ope_add(struct ope_customer *customer, const struct ope_choice *choices, size_t count, size_t drawn,
    double reward)
{
	double moved = 0, direct = 0, covered = 0, pi, w;

	CHECK(count > 0 && drawn < count && choices[drawn].p > 0);
	for (size_t i = 0; i < count; i++) {
		if (choices[i].p > 0) {
			covered += choices[i].pi;
			direct += choices[i].pi * choices[i].q;
			continue;
		}
		moved += choices[i].pi;
		customer->low += choices[i].pi * worst(&choices[i]);
		customer->high += choices[i].pi * (choices[i].margin - choices[i].cost);
	}
	direct += moved * choices[count - 1].q;
	pi = choices[drawn].pi + (drawn == count - 1 ? moved : 0);
	w = pi / choices[drawn].p;
	customer->n++;
	customer->w += w;
	customer->w2 += w * w;
	customer->wr += w * reward;
	customer->clipped += fmin(w, OPE_WEIGHT_MAX) * reward;
	customer->direct += direct;
	customer->dr += direct + w * (reward - choices[drawn].q);
	customer->covered += covered;
}

static enum ope_refusal
refusal_of(const struct ope *ope)
{
	if (ope->covered < OPE_COVERED_MIN)
		return OPE_UNCOVERED;
	if (ope->customers < OPE_CUSTOMERS_MIN)
		return OPE_FEW_CUSTOMERS;
	if (ope->n_eff < OPE_ROWS_MIN)
		return OPE_FEW_ROWS;
	if (fabs(ope->weight.value - 1) > OPE_SE_OFF * ope->weight.se)
		return OPE_WEIGHTS_OFF;
	return OPE_SOUND;
}

void
ope_conclude(const struct ope_customer *customers, size_t count, struct ope *ret)
{
	size_t stride = STRIDE(struct ope_customer);
	double n = 0, w = 0, w2 = 0, covered = 0, low = 0, high = 0;
	struct ope ope = { .customers = count };

	for (size_t g = 0; g < count; g++) {
		n += customers[g].n;
		w += customers[g].w;
		w2 += customers[g].w2;
		covered += customers[g].covered;
		low += customers[g].low;
		high += customers[g].high;
	}
	if (count > 0 && n > 0) {
		ope.ips = clustered(&customers->wr, &customers->n, count, stride);
		ope.snips = clustered(&customers->wr, &customers->w, count, stride);
		ope.clipped = clustered(&customers->clipped, &customers->n, count, stride);
		ope.direct = clustered(&customers->direct, &customers->n, count, stride);
		ope.dr = clustered(&customers->dr, &customers->n, count, stride);
		ope.weight = clustered(&customers->w, &customers->n, count, stride);
		ope.covered = covered / n;
		ope.low = low / n;
		ope.high = high / n;
		ope.n_eff = w2 > 0 ? w * w / w2 : 0;
	}
	ope.refusal = refusal_of(&ope);
	*ret = ope;
}

struct clustered
ope_difference(const struct ope_customer *a, const struct ope_customer *b, size_t count)
{
	double *both = mem_calloc(count, 2 * sizeof(double));
	struct clustered c;

	for (size_t g = 0; g < count; g++) {
		CHECK(a[g].n == b[g].n);
		both[2 * g] = a[g].dr - b[g].dr;
		both[2 * g + 1] = a[g].n;
	}
	c = clustered(both, both + 1, count, 2);
	free(both);
	return c;
}

void
realised_add(struct realised_customer *customer, const struct shown_card *cards, size_t count,
    double control)
{
	double realised = 0, promised = 0;

	for (size_t i = 0; i < count; i++) {
		const struct shown_card *card = &cards[i];
		double e = card->p * (1 - control), y = card->y;

		CHECK(e >= 0 && e < 1);
		if (card->shown) {
			realised += y * (card->margin - card->cost) - card->p0 * card->margin;
			promised += card->gain;
		} else {
			realised -= e / (1 - e) * (y - card->p0) * card->margin;
		}
	}
	customer->n++;
	customer->realised += realised;
	customer->promised += promised;
	customer->difference += realised - promised;
}

void
realised_conclude(const struct realised_customer *customers, size_t count, struct realised *ret)
{
	size_t stride = STRIDE(struct realised_customer);
	struct realised realised = { 0 };

	if (count > 0) {
		realised.realised = clustered(&customers->realised, &customers->n, count, stride);
		realised.promised = clustered(&customers->promised, &customers->n, count, stride);
		realised.difference =
		    clustered(&customers->difference, &customers->n, count, stride);
	}
	*ret = realised;
}
