/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_shrink.c - shrink.json: how far each action's two chances may be believed.
 *
 * DESIGN
 *   A file of its own, which headquarters writes anew from what was settled,
 *   while people write the actions: neither edits the other's. What it says of
 *   an action that is no more is passed over, and policy check says so.
 */
#include "policy/policy_lint.h"

#include <string.h>

#define LOGIT_MAX 14.0 /* chances are held a millionth away from 0 and 1 */
#define BETA_MIN 0.25
#define BETA_MAX 1.25

/* "default": nothing randomised was there to estimate it from. */
static const char *const from_names[] = { "default", "settled", "exam" };

static void
read_one(struct compile *c, const struct at *at, struct action *action)
{
	static const struct member members[] = {
		{ "mid", T_NUMBER | T_REQUIRED },
		{ "d", T_NUMBER | T_REQUIRED },
		{ "a", T_NUMBER | T_REQUIRED },
		{ "beta", T_NUMBER | T_REQUIRED },
		{ "delta", T_NUMBER | T_REQUIRED },
		{ "lambda", T_NUMBER | T_REQUIRED },
		{ "rows", T_INT | T_REQUIRED },
		{ "from", T_STRING | T_REQUIRED },
	};
	struct shrink shrink;
	int from;

	if (!READ_MEMBERS(c, at, members))
		return;
	shrink.mid = read_number(c, at, "mid", -LOGIT_MAX, LOGIT_MAX, 0);
	shrink.d = read_number(c, at, "d", -2 * LOGIT_MAX, 2 * LOGIT_MAX, 0);
	shrink.a = read_number(c, at, "a", -2 * LOGIT_MAX, 2 * LOGIT_MAX, 0);
	shrink.beta = read_number(c, at, "beta", BETA_MIN, BETA_MAX, 1);
	shrink.delta = read_number(c, at, "delta", -2 * LOGIT_MAX, 2 * LOGIT_MAX, 0);
	shrink.lambda = read_number(c, at, "lambda", 0, 1, 1);
	(void)read_int(c, at, "rows", 0, INT64_C(1) << 53, 0);
	from = read_choice(c, at, "from", from_names, ARRAY_LEN(from_names));
	if (action == NULL)
		return;
	action->shrink = shrink;
	action->has_shrink = true;
	action->shrink_default = from == 0;
}

static struct action *
action_named(const struct policy *policy, const char *id)
{
	for (size_t i = 0; i < policy->action_count; i++)
		if (strcmp(policy->actions[i].id, id) == 0)
			return &policy->actions[i];
	return NULL;
}

void
shrink_read(struct compile *c, const struct at *at)
{
	static const struct member members[] = { { "shrink", T_OBJECT | T_REQUIRED } };
	struct at list = at_member(at, "shrink");
	json_t *value;
	const char *id;

	if (at->json == NULL || !READ_MEMBERS(c, at, members))
		return;
	json_object_foreach(list.json, id, value) {
		struct at here = at_member(&list, id);

		read_one(c, &here, action_named(c->policy, id));
	}
}

void
lint_shrink(struct compile *c, const struct at *at)
{
	struct at list = at_member(at, "shrink");
	json_t *value;
	const char *id;

	json_object_foreach(list.json, id, value) {
		struct at here = at_member(&list, id), from = at_member(&here, "from");
		const struct action *action = action_named(c->policy, id);

		if (action == NULL)
			warning(c, &here, "no action \"%.64s\", so nothing asks it", id);
		else if (action->shrink_default)
			warning(c, &from,
			    "the difference that the models of \"%.64s\" tell is shrunk by a "
			    "default, expected randomised rows (aislectl hq shrink)",
			    id);
	}
}

void
lint_chances(struct compile *c, const struct at *at, const struct action *action)
{
	struct at uplift = at_member(at, "uplift");

	if (!action->mandatory && action->has_uplift && !action->has_shrink)
		warning(c, &uplift,
		    "two models promise more than comes, and the best card most of all, expected "
		    "its numbers in shrink.json (aislectl hq shrink)");
}

static bool
is_constant(const struct action *action)
{
	return !action->mandatory && !action->has_uplift && !action->has_shrink;
}

bool
note_constant(struct compile *c, const struct at *at, const struct action *action)
{
	struct at incremental = at_member(at, "incremental");
	size_t count = 0;

	for (size_t i = 0; i < c->policy->action_count; i++)
		count += is_constant(&c->policy->actions[i]);
	if (!is_constant(action))
		return false;
	note(c, &incremental,
	    "a constant \"incremental\" makes the gain p * (incremental * margin - cost): of one "
	    "sign "
	    "for everybody, and ranked among customers by the chance, not by what the card "
	    "changes; "
	    "so it is for %zu of %zu actions",
	    count, c->policy->action_count);
	return true;
}
