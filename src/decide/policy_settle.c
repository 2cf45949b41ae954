/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_settle.c - what of an action is the same in every decision, worked out once.
 *
 * A decision looks at thousands of actions; what hangs on no customer and no
 * clock it need not work out again for each. No text and no pointer to one:
 * the policy is no larger for it than by a few numbers.
 */
#include "decide/policy_internal.h"
#include "decide/run.h"

static bool
template_plain(const struct template *text)
{
	for (size_t i = 0; i < text->count; i++)
		if (text->parts[i].has_value)
			return false;
	return true;
}

static bool
treatment_plain(const struct treatment *treatment)
{
	if (!template_plain(&treatment->headline) || !template_plain(&treatment->say) ||
	    !template_plain(&treatment->body))
		return false;
	for (size_t i = 0; i < treatment->why_count; i++)
		if (!template_plain(&treatment->why[i]))
			return false;
	for (size_t i = 0; i < treatment->step_count; i++)
		if (!template_plain(&treatment->steps[i]))
			return false;
	return true;
}

static void
settle_action(const struct policy *policy, struct action *action)
{
	action->keys[BY_ACTION] = text_prefix(action->id);
	action->keys[BY_GROUP] = text_prefix(action->group);
	action->keys[BY_ISSUE] = text_prefix(action->issue);
	action->always = action->valid_from_ms == 0 && action->valid_until_ms == INT64_MAX &&
	    action->valid_days == 0x7f && action->valid_minute_from == 0 &&
	    action->valid_minute_until == 1440 && action->stores == NULL;
	action->lever_settled = action->lever_expr.kind == EXPR_CONST;
	if (action->lever_settled)
		action->levers = lever_of(policy, action, action->lever_expr.constant);
	if (action->has_offer)
		offer_settle(&action->offer);
	for (size_t i = 0; i < action->treatment_count; i++)
		action->treatments[i].plain = treatment_plain(&action->treatments[i]);
}

/* n: a type of event, or EV_COUNT for the timer. */
static bool
names(const struct action *action, int n)
{
	return n == EV_COUNT ? action->on_timer : (action->on & UINT32_C(1) << n) != 0;
}

static void
settle_names(struct policy *policy)
{
	for (int n = 0; n <= EV_COUNT; n++) {
		size_t count = 0;

		for (size_t i = 0; i < policy->action_count; i++)
			count += names(&policy->actions[i], n);
		policy->named[n].actions =
		    arena_alloc(policy->memory, (count + 1) * sizeof(*policy->named[n].actions));
		for (size_t i = 0; i < policy->action_count; i++)
			if (names(&policy->actions[i], n))
				policy->named[n].actions[policy->named[n].count++] = (uint16_t)i;
	}
}

void
policy_settle(struct policy *policy)
{
	settle_names(policy);
	for (size_t i = 0; i < policy->action_count; i++)
		settle_action(policy, &policy->actions[i]);
}
