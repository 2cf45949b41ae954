/* SPDX-License-Identifier: Apache-2.0
 *
 * consider.c - what another policy would do at the draws that this one makes: with the past as it was.
 *
 * DESIGN
 *   The other one is asked about the very input of the decision: the customer, what they were shown
 *   and by which policy, the budgets, the queue. Nothing follows from its answer, so each decision is
 *   one look by itself. Rejected: a replay under the other policy; its own past would be what the
 *   log knows no outcome of.
 */
#include "spine/spine.h"

#include <string.h>

#include "decide/decide.h"
#include "nouns/shortlists.h"
#include "policy/policy_load.h"
#include "profile/subject_io.h"

void
engine_show_draws(struct engine *engine, struct policy *other, draws_fn fn, void *ctx)
{
	engine->other = other;
	engine->on_draws = fn;
	engine->on_draws_ctx = ctx;
	if (other == NULL)
		return;
	levers_apply(engine, other);
	policy_bar(other, marks_off_in(engine->conf->country), engine->catalog);
}

/* A visit's first draw in a place, with a card on its shortlist. */
static bool
counts(const struct visit *visit, const struct decision *decision)
{
	for (size_t i = 0; i < decision->slot_count; i++) {
		const struct slot *slot = &decision->slots[i];

		if (slot->has_p && slot->shortlist_count > 1 &&
		    !visit_drew(visit, (int)slot->placement, slot->slot))
			return true;
	}
	return false;
}

void
consider(struct engine *engine, const struct visit *visit, const struct decision *decision)
{
	struct decide_input input = *decision->input;
	struct decision other;
	struct arena *arena;

	if (engine->on_draws == NULL || !counts(visit, decision))
		return;
	arena = arena_new();
	input.sources.policy = engine->other;
	input.arms = NULL;
	input.arm_count = 0;
	input.arm_withholds = false;
	input.draws = NULL;
	/* A new bundle begins with its own chances: what was learned is of the old one's. */
	if (strcmp(engine->other->hash, engine->policy->hash) != 0)
		input.learned = NULL;
	input.day_cost_max = looking_cost_max(engine, engine->other);
	if (input.returns != NULL)
		input.returns = policy_action(engine->other, input.returns->id);
	if (decision->input->returns == NULL || input.returns != NULL) {
		decide(arena, &input, &other);
		engine->on_draws(engine->on_draws_ctx, decision, &other);
	}
	arena_free(arena);
}
