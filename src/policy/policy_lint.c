/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_lint.c - a policy that compiles, looked through for what is dead or senseless in it.
 */
#include "policy/policy_lint.h"

#include "policy/policy_load.h"

static struct at
action_at(const struct policy *policy, const struct action *action)
{
	json_t *actions = json_object_get(policy->source, "actions");
	json_t *files = json_object_get(policy->source, "files");

	return at_root(json_string_value(json_object_get(files, action->id)),
	    json_object_get(actions, action->id));
}

int
policy_lint(struct policy *policy, const struct policy_parts *parts, int64_t now_ms,
    const struct policy_goods *goods, struct buf *report)
{
	struct compile c = { .policy = policy, .parts = parts, .report = report };
	struct at settings = at_root("policy.json", json_object_get(policy->source, "policy"));
	struct at shrink = at_root("shrink.json", json_object_get(policy->source, "shrink"));
	struct at contact = at_root("contact.json", json_object_get(policy->source, "contact"));

	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];
		struct at at = action_at(policy, action);

		if (at.part == NULL)
			continue;
		lint_gates(&c, &at, action);
		lint_value(&c, &at, action);
		lint_chances(&c, &at, action);
		lint_offer(&c, &at, action);
		lint_when(&c, &at, action, now_ms);
		lint_limits(&c, &at, action);
		lint_words(&c, &at, action);
		if (goods != NULL)
			lint_goods_of_action(&c, &at, action, goods);
	}
	if (goods != NULL)
		lint_goods_of_features(&c, goods);
	lint_contact(&c, &contact);
	lint_shrink(&c, &shrink);
	lint_settings(&c, &settings);
	lint_unused(&c);
	return c.warnings;
}

void
policy_notes(struct policy *policy, const struct policy_parts *parts, struct buf *report)
{
	struct compile c = { .policy = policy, .parts = parts, .report = report };

	note_explore(&c);
	for (size_t i = 0; i < policy->action_count; i++) {
		struct at at = action_at(policy, &policy->actions[i]);

		if (at.part != NULL && note_constant(&c, &at, &policy->actions[i]))
			break;
	}
}
