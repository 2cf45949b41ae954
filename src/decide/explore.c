/* SPDX-License-Identifier: Apache-2.0
 *
 * explore.c - inverse-gap weighting, and a draw that is fixed for the visit.
 *
 * DESIGN
 *   Foster and Rakhlin, "Beyond UCB" (2020), SquareCB: the best of K takes the
 *   rest, each other one p = 1 / (K + γ·(ŷ_best − ŷ)), ŷ = priority / unit.
 *   With γ = (K − 1)·unit / cost_max the expected loss of a slot is at most
 *   cost_max: each of the K − 1 others loses p·Δ < unit/γ. Where the policy
 *   states a share, cost_max is the day's (spine/looking.c).
 *
 *   The winner is the smallest −log(u) / p: an exponential race, which gives
 *   each candidate exactly its p. u hangs on visit, slot and action alone, so
 *   a visit's draw does not change from line to line unless p does.
 *   Rejected: a fresh draw a decision; cards would flicker with every scan,
 *   and scanning again would be a way to fish for a better offer.
 */
#include "decide/run.h"

#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"
#include "core/id.h"
#include "decide/memo.h"

double
decide_cost_max(const struct decide_input *input)
{
	const struct policy *policy = input->sources.policy;

	if (policy->greedy)
		return 0;
	return policy->explore_share > 0 ? input->day_cost_max : policy->cost_max;
}

static bool
is_greedy(const struct policy *policy, double cost_max)
{
	return policy->greedy || (policy->gamma < 0 && !(cost_max > 0)) ||
	    !(policy->explore_unit > 0);
}

void
explore_weigh(const struct policy *policy, double cost_max, struct shortlisted *list, size_t count)
{
	double k = (double)count;
	double gamma = policy->gamma;
	double rest = 1.0;

	CHECK(count > 0);
	if (is_greedy(policy, cost_max)) {
		for (size_t i = 0; i < count; i++)
			list[i].p = i == 0 ? 1.0 : 0.0;
		return;
	}
	if (gamma < 0)
		gamma = (k - 1.0) * policy->explore_unit / cost_max;
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
	char visit_text[ID_TEXT_SIZE], slot_text[3] = { 0 };
	const char *parts[5] = { visit_text, placement_names[place], slot_text, action, treatment };

	CHECK(slot >= 1 && slot <= 99);
	id_text(visit, visit_text);
	if (slot > 9)
		slot_text[0] = (char)('0' + slot / 10);
	slot_text[slot > 9] = (char)('0' + slot % 10);
	return chance(policy->salt_explore, "explore", parts, treatment != NULL ? 5 : 4);
}

/* ---- what was drawn before ---- */

struct draw_cache *
draw_cache_new(void)
{
	return mem_zero(sizeof(struct draw_cache));
}

void
draw_cache_free(struct draw_cache *cache)
{
	free(cache);
}

void
draw_cache_empty(struct draw_cache *cache)
{
	memset(cache, 0, sizeof(*cache));
}

/* Where it may be; another one there gives way. Addresses choose the place, never the value. */
static struct draw *
draw_at(struct draw_cache *cache, const struct draw *want)
{
	uint64_t mix;

	memcpy(&mix, want->visit.b + 8, sizeof(mix));
	mix ^= (uint64_t)(uintptr_t)want->action ^ (uint64_t)(uintptr_t)want->treatment << 16;
	mix += (uint64_t)(want->place * 32 + want->slot);
	return &cache->draws[(mix * UINT64_C(0x9e3779b97f4a7c15)) >> 53];
}

double
explore_u(const struct run *run, enum placement place, int slot, const char *action,
    const char *treatment)
{
	struct draw want = { run->visit->id, action, treatment, (int)place, slot, 0 };
	struct draw *draw;

	if (run->draws == NULL)
		return explore_chance(run->policy, &run->visit->id, place, slot, action, treatment);
	draw = draw_at(run->draws, &want);
	if (draw->action == action && draw->treatment == treatment && draw->place == want.place &&
	    draw->slot == slot && id_equal(&draw->visit, &want.visit))
		return draw->u;
	want.u = explore_chance(run->policy, &run->visit->id, place, slot, action, treatment);
	*draw = want;
	return want.u;
}

static const char nothing_name[] = NOTHING_NAME;

size_t
explore_draw(const struct run *run, const struct shortlisted *list, size_t count,
    enum placement place, int slot)
{
	size_t best = 0;
	double best_time = 0;

	if (is_greedy(run->policy, run->cost_max) || count == 1)
		return 0;
	for (size_t i = 0; i < count; i++) {
		const char *name = list[i].candidate == NOTHING
		    ? nothing_name
		    : run->decision->candidates[list[i].candidate].action->id;
		double u = explore_u(run, place, slot, name, NULL);
		double time = -fmath_log(u) / list[i].p; /* u = 0: infinite, it loses */

		if (i == 0 || time < best_time) {
			best = i;
			best_time = time;
		}
	}
	return best;
}
