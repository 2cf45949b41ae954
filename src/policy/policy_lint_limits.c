/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_lint_limits.c - caps, budgets and suppressions that stop everything or nothing.
 */
#include "policy/policy_lint.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static bool
can_have(const struct action *action, enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_APPLIED:
	case OUTCOME_REFUSED:
	case OUTCOME_REDEEMED:
	case OUTCOME_REVERSED: return action->has_offer;
	case OUTCOME_BOUGHT: return action->goal == GOAL_BOUGHT;
	case OUTCOME_RETURNED: return action->has_offer || action->goal == GOAL_BOUGHT;
	case OUTCOME_CASE_CLOSED: return action->goal == GOAL_CASE_CLOSED;
	case OUTCOME_GOAL: return false; /* no event says it */
	default: return true;
	}
}

static bool
any_can_have(const struct policy *policy, enum outcome outcome)
{
	for (size_t i = 0; i < policy->action_count; i++)
		if (can_have(&policy->actions[i], outcome))
			return true;
	return false;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Whatever one refuses, the other has refused: it counts at least the same rows, as long, and allows no more. */
static bool
cap_within(const struct cap *cap, const struct cap *other)
{
	bool wider = other->scope_value == NULL &&
	    (other->scope == SCOPE_ALL || (other->scope == cap->scope && cap->scope_value == NULL));

	return wider && cap->scope != SCOPE_PLACEMENT && cap->outcome == other->outcome &&
	    same_text(cap->outcome_reason, other->outcome_reason) && cap->clock == other->clock &&
	    cap->clock != CLOCK_OWN_GAP && other->within_ms >= cap->within_ms &&
	    other->max <= cap->max;
}

static bool
name_used(const struct policy *policy, enum contact_scope scope, const char *name)
{
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];

		if (strcmp(scope == SCOPE_GROUP	   ? action->group
			    : scope == SCOPE_ISSUE ? action->issue
						   : action->id,
			name) == 0)
			return true;
	}
	return false;
}

static void
lint_scope(struct compile *c, const struct at *at, const struct cap *cap)
{
	struct at scope = at_member(at, "scope");

	if (cap->scope_value != NULL && cap->scope != SCOPE_PLACEMENT &&
	    !name_used(c->policy, cap->scope, cap->scope_value))
		warning(c, &scope,
		    "no action has \"%.64s\", so nothing is counted, expected a name in use",
		    cap->scope_value);
}

static void
lint_own_cap(struct compile *c, const struct at *at, const struct action *action, size_t i)
{
	const struct cap *cap = &action->caps[i];
	struct at max = at_member(at, "max"), outcome = at_member(at, "outcome");

	lint_scope(c, at, cap);
	if (cap->max == 0) {
		warning(c, &max, "at most 0, so the action is dead, expected 1 or more");
		return;
	}
	if (cap->scope == SCOPE_ACTION && cap->scope_value == NULL &&
	    !can_have(action, cap->outcome))
		warning(c, &outcome,
		    "this action never has the outcome, so nothing is counted, expected another");
	for (size_t j = 0; j < c->policy->cap_count; j++)
		if (cap_within(cap, &c->policy->caps[j])) {
			warning(c, at,
			    "a cap of contact.json is never wider, so this one never counts, "
			    "expected a narrower one or none");
			return;
		}
	for (size_t j = 0; j < action->cap_count; j++)
		if (j != i && cap_within(cap, &action->caps[j]) &&
		    (j < i || !cap_within(&action->caps[j], cap))) {
			warning(c, at,
			    "another cap of this action is never wider, so this one never counts, "
			    "expected a narrower one or none");
			return;
		}
}

static void
lint_budget(struct compile *c, const struct at *at, const struct action *action)
{
	struct at budget = at_member(at, "budget"), money = at_member(&budget, "money"),
		  units = at_member(&budget, "units");
	const struct offer *offer = &action->offer;
	int64_t most = offer->max_minor;

	if (action->budget.per == BUDGET_NONE)
		return;
	if (action->budget.units == 0)
		warning(c, &units, "0 units, so the action is dead, expected 1 or more");
	if (action->budget.money_minor < 0 || !action->has_offer || offer->ladder_count == 0)
		return;
	if (offer->type == OFFER_AMOUNT && (most < 0 || offer->ladder[0] < most))
		most = offer->ladder[0];
	most = most < 0 ? 1 : (int64_t)ceil((double)most * (1 - offer->funded));
	if (action->budget.money_minor < most)
		warning(c, &money,
		    "%" PRId64
		    " does not hold one offer, so the action is dead, expected at least %" PRId64,
		    action->budget.money_minor, most);
}

void
lint_limits(struct compile *c, const struct at *at, const struct action *action)
{
	struct at caps = at_member(at, "caps");

	if (action->mandatory && action->cap_count > 0) {
		warning(c, &caps, "caps of a mandatory action are never asked, expected none");
		return;
	}
	for (size_t i = 0; i < action->cap_count; i++) {
		struct at here = at_index(&caps, i);

		lint_own_cap(c, &here, action, i);
	}
	lint_budget(c, at, action);
}

static void
lint_suppression(struct compile *c, const struct at *at, const struct suppression *rule)
{
	struct at after = at_member(at, "after"), outcome = at_member(&after, "outcome");

	if (!any_can_have(c->policy, rule->outcome))
		warning(c, &outcome,
		    "no action ever has the outcome, so nothing is suppressed, expected another");
}

void
lint_contact(struct compile *c, const struct at *at)
{
	struct at caps = at_member(at, "caps"), suppress = at_member(at, "suppress");
	const struct policy *policy = c->policy;

	for (size_t i = 0; i < policy->cap_count; i++) {
		struct at here = at_index(&caps, i), max = at_member(&here, "max"),
			  outcome = at_member(&here, "outcome");

		lint_scope(c, &here, &policy->caps[i]);
		if (policy->caps[i].max == 0)
			warning(c, &max,
			    "at most 0, so what it counts is never shown, expected 1 or more");
		if (!any_can_have(policy, policy->caps[i].outcome))
			warning(c, &outcome,
			    "no action ever has the outcome, so nothing is counted, expected "
			    "another");
		for (size_t j = 0; j < i; j++)
			if (cap_within(&policy->caps[i], &policy->caps[j]))
				warning(c, &here,
				    "a cap before it is never wider, so this one never counts, "
				    "expected a narrower one or none");
	}
	for (size_t i = 0; i < policy->suppression_count; i++) {
		struct at here = at_index(&suppress, i);

		lint_suppression(c, &here, &policy->suppressions[i]);
		for (size_t j = 0; j < i; j++)
			if (json_equal(json_array_get(suppress.json, j), here.json))
				warning(c, &here, "it is there twice, expected it once");
	}
}
