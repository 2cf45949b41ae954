/* SPDX-License-Identifier: Apache-2.0
 *
 * listing.c - what a decision's draws leave in the visit, until it is known what came of them
 * (settle.c).
 *
 * LIMITS
 *   VISIT_LISTINGS_MAX of a visit. A draw that has no room left leaves nothing: of one that is
 *   counted there is all or none.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/id.h"
#include "core/metrics.h"
#include "nouns/shortlists.h"

static bool
is_new(const struct visit *visit, const struct decision *decision, const struct slot *slot,
    const struct shortlisted *one)
{
	return one->candidate >= 0 &&
	    !visit_listed(visit, (int)slot->placement, slot->slot,
		decision->candidates[one->candidate].action->id);
}

static size_t
new_ones(const struct visit *visit, const struct decision *decision, const struct slot *slot)
{
	size_t count = 0;

	for (size_t i = 0; i < slot->shortlist_count; i++)
		count += is_new(visit, decision, slot, &slot->shortlist[i]);
	return count;
}

/* Its names are the policy's; they are copied. */
static struct listing
listing_of(const struct decision *decision, const struct slot *slot, const struct shortlisted *one)
{
	const struct candidate *candidate = &decision->candidates[one->candidate];
	const struct action *action = candidate->action;
	bool drawn = slot->candidate == one->candidate;
	const char *treatment = drawn && slot->treatment != NULL ? slot->treatment->name : NULL;

	return (struct listing){
		.action = (char *)(uintptr_t)action->id,
		.treatment = (char *)(uintptr_t)treatment,
		.depth = candidate->depth,
		.p = one->p,
		/* As the models have them: by what came of these it is seen how far to believe them. */
		.p1 = candidate->raw1,
		.p0 = candidate->raw0,
		.margin = candidate->margin,
		.cost = candidate->cost,
		.drawn = drawn,
		.withheld = decision_withholds(decision, action),
		.due_ms = action->goal != GOAL_NONE && action->goal_within_ms > 0
		    ? decision->at_ms + action->goal_within_ms
		    : 0,
	};
}

/* Of 64 hex digits; zero: it is from no file. */
static void
bundle_id(const char *hex, struct id ret[static 2])
{
	static const char digits[] = "0123456789abcdef";

	memset(ret, 0, 2 * sizeof(*ret));
	for (size_t i = 0; strlen(hex) == 64 && i < 32; i++) {
		const char *high = strchr(digits, hex[2 * i]),
			   *low = strchr(digits, hex[2 * i + 1]);

		if (high == NULL || low == NULL)
			return;
		ret[i / 16].b[i % 16] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
}

static void
note_slot(struct visit *visit, const struct decision *decision, const struct slot *slot)
{
	const struct policy *policy = decision->input->sources.policy;
	struct shortlist head = {
		.decision = decision->id,
		.visit = visit->id,
		.placement = (int)slot->placement,
		.slot = slot->slot,
		.at_ms = decision->at_ms,
		.cost_max = decide_cost_max(decision->input),
		.counted = !visit_drew(visit, (int)slot->placement, slot->slot),
		.nothing = slot->candidate < 0,
	};
	struct listing rows[SHORTLIST_LISTINGS_MAX];
	struct shortlist *list;
	size_t count = 0;

	CHECK(slot->shortlist_count <= ARRAY_LEN(rows) + 1);
	for (size_t i = 0; i < slot->shortlist_count; i++) {
		if (slot->shortlist[i].candidate < 0)
			head.p_nothing = slot->shortlist[i].p;
		else if (is_new(visit, decision, slot, &slot->shortlist[i]))
			rows[count++] = listing_of(decision, slot, &slot->shortlist[i]);
	}
	bundle_id(policy->hash, head.bundle);
	list = visit_add_shortlist(visit, &head);
	for (size_t i = 0; i < count; i++)
		shortlist_add(list, &rows[i]);
}

void
listing_note(struct engine *engine, struct visit *visit, const struct decision *decision)
{
	/* Nobody will ask. */
	if (!engine->settles || decision->input->staff)
		return;
	for (size_t i = 0; i < decision->slot_count; i++) {
		const struct slot *slot = &decision->slots[i];
		size_t count = slot->has_p ? new_ones(visit, decision, slot) : 0;

		if (count == 0)
			continue;
		if (visit_listings(visit) + count > VISIT_LISTINGS_MAX) {
			metrics_add(METRIC_LIMIT_LISTINGS, 1);
			continue;
		}
		note_slot(visit, decision, slot);
	}
}
