/* SPDX-License-Identifier: Apache-2.0
 *
 * explore.c - inverse-gap weighting, and a draw that is fixed for the visit.
 *
 * DESIGN
 *   Foster and Rakhlin, "Beyond UCB" (2020), SquareCB: the best of K takes the
 *   rest, each other one p = 1 / (K + γ·(ŷ_best − ŷ)), ŷ = priority / unit.
 *   With γ = (K − 1)·unit / cost_max the expected loss of a slot is at most
 *   cost_max: each of the K − 1 others loses p·Δ < unit/γ.
 *
 *   The winner is the smallest −log(u) / p: an exponential race, which gives
 *   each candidate exactly its p. u hangs on visit, slot and action alone, so
 *   a visit's draw does not change from line to line unless p does.
 *   Rejected: a fresh draw a decision; cards would flicker with every scan,
 *   and scanning again would be a way to fish for a better offer.
 */
#include "decide/run.h"

#include <stdio.h>

#include "core/fmath.h"
#include "core/id.h"

static bool
is_greedy(const struct policy *policy)
{
	return policy->greedy || (policy->gamma < 0 && !(policy->cost_max > 0)) ||
	       !(policy->explore_unit > 0);
}

void
explore_weigh(const struct policy *policy, struct shortlisted *list, size_t count)
{
	double k = (double)count;
	double gamma = policy->gamma;
	double rest = 1.0;

	CHECK(count > 0);
	if (is_greedy(policy)) {
		for (size_t i = 0; i < count; i++)
			list[i].p = i == 0 ? 1.0 : 0.0;
		return;
	}
	if (gamma < 0)
		gamma = (k - 1.0) * policy->explore_unit / policy->cost_max;
	for (size_t i = 1; i < count; i++) {
		double gap = list[0].priority / policy->explore_unit -
			     list[i].priority / policy->explore_unit;

		list[i].p = 1.0 / (k + gamma * gap);
		rest = rest - list[i].p;
	}
	list[0].p = rest;
}

double
explore_chance(const struct policy *policy, const struct id *visit, enum placement place, int slot,
    const char *action, const char *treatment)
{
	char visit_text[ID_TEXT_SIZE], slot_text[12];
	const char *parts[5] = { visit_text, placement_names[place], slot_text, action, treatment };

	id_text(visit, visit_text);
	snprintf(slot_text, sizeof(slot_text), "%d", slot);
	return chance(policy->salt_explore, "explore", parts, treatment != NULL ? 5 : 4);
}

size_t
explore_draw(const struct run *run, const struct shortlisted *list, size_t count,
    enum placement place, int slot)
{
	size_t best = 0;
	double best_time = 0;

	if (is_greedy(run->policy) || count == 1)
		return 0;
	for (size_t i = 0; i < count; i++) {
		const char *name = list[i].candidate == NOTHING
		    ? NOTHING_NAME
		    : run->decision->candidates[list[i].candidate].action->id;
		double u = explore_chance(run->policy, &run->visit->id, place, slot, name, NULL);
		double time = -fmath_log(u) / list[i].p;	/* u = 0: infinite, it loses */

		if (i == 0 || time < best_time) {
			best = i;
			best_time = time;
		}
	}
	return best;
}
