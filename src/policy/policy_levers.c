/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_levers.c - levers: factors on the priority of actions, and where a manager may move them to.
 */
#include "policy/policy_internal.h"

#include <string.h>

#include "policy/policy_load.h"

/* ---- in policy.json ---- */

static bool
lever_target_exists(const struct policy *policy, const char *target)
{
	const char *colon = strchr(target, ':');
	size_t kind = colon != NULL ? (size_t)(colon - target) : 0;

	for (size_t i = 0; colon != NULL && i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];

		if ((kind == 6 && strncmp(target, "action", 6) == 0 &&
			strcmp(action->id, colon + 1) == 0) ||
		    (kind == 5 && strncmp(target, "group", 5) == 0 &&
			strcmp(action->group, colon + 1) == 0) ||
		    (kind == 5 && strncmp(target, "issue", 5) == 0 &&
			strcmp(action->issue, colon + 1) == 0))
			return true;
	}
	return false;
}

static bool
lever_kind_known(const char *target)
{
	static const char *const kinds[] = { "issue:", "group:", "action:" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strncmp(target, kinds[i], strlen(kinds[i])) == 0)
			return id_valid(target + strlen(kinds[i]));
	return false;
}

/* {"value":1.2,"min":0.5,"max":2}, or the value alone, which no manager moves. */
static void
read_lever(struct compile *c, const struct at *at, const char *key, struct lever *lever)
{
	static const struct member members[] = {
		{ "value", T_NUMBER | T_REQUIRED },
		{ "min", T_NUMBER | T_REQUIRED },
		{ "max", T_NUMBER | T_REQUIRED },
	};
	struct at here = at_member(at, key);

	if (json_is_number(here.json))
		lever->value = read_number(c, at, key, 0, 1000, 1);
	else if (json_is_object(here.json) && READ_MEMBERS(c, &here, members)) {
		lever->bounded = true;
		lever->min = read_number(c, &here, "min", 0, 1000, 1);
		lever->max = read_number(c, &here, "max", lever->min, 1000, lever->min);
		lever->value = read_number(c, &here, "value", lever->min, lever->max, lever->min);
	} else if (!json_is_object(here.json))
		mistake(c, &here,
		    "lever \"%.64s\" has the wrong type, expected a number, or value, min and max",
		    key);
	lever->own = lever->value;
}

/* Nothing has the name yet: a lever may be set before its actions come. A warning says so. */
void
levers_read(struct compile *c, const struct at *at)
{
	struct policy *policy = c->policy;
	const char *key;
	json_t *value;

	policy->levers =
	    arena_alloc(c->arena, (json_object_size(at->json) + 1) * sizeof(*policy->levers));
	json_object_foreach(at->json, key, value) {
		struct lever *lever = &policy->levers[policy->lever_count++];
		struct at here = at_member(at, key);

		*lever = (struct lever){ .target = keep(c, key), .value = 1 };
		if (!lever_kind_known(key))
			mistake(c, &here,
			    "lever \"%.64s\" moves nothing, expected issue:, group: or action: and "
			    "a name",
			    key);
		else if (!lever_target_exists(policy, key))
			warning(c, &here,
			    "lever \"%.64s\" moves nothing, expected a name that an action has",
			    key);
		read_lever(c, at, key, lever);
	}
}

/* ---- in force ---- */

static bool
lever_names(const char *target, const struct action *action)
{
	if (strncmp(target, "issue:", 6) == 0)
		return strcmp(target + 6, action->issue) == 0;
	if (strncmp(target, "group:", 6) == 0)
		return strcmp(target + 6, action->group) == 0;
	if (strncmp(target, "action:", 7) == 0)
		return strcmp(target + 7, action->id) == 0;
	return false;
}

double
lever_of(const struct policy *policy, const struct action *action, double own)
{
	double lever = own;

	for (size_t i = 0; i < policy->lever_count; i++)
		if (lever_names(policy->levers[i].target, action))
			lever = lever * policy->levers[i].value;
	return lever;
}

double
levers_most(const struct policy *policy, const struct action *action)
{
	double most = action->lever_expr.constant;

	for (size_t i = 0; i < policy->lever_count; i++) {
		const struct lever *lever = &policy->levers[i];

		if (lever_names(lever->target, action))
			most *= lever->bounded ? lever->max : lever->own;
	}
	return most;
}

void
levers_settle(const struct policy *policy, struct action *action)
{
	if (action->lever_settled)
		action->levers = lever_of(policy, action, action->lever_expr.constant);
}

const struct lever *
policy_lever(const struct policy *policy, const char *target)
{
	for (size_t i = 0; i < policy->lever_count; i++)
		if (strcmp(policy->levers[i].target, target) == 0)
			return &policy->levers[i];
	return NULL;
}

void
policy_levers_move(struct policy *policy, lever_fn value_of, const void *ctx)
{
	for (size_t i = 0; i < policy->lever_count; i++) {
		struct lever *lever = &policy->levers[i];

		lever->value = lever->bounded ? value_of(ctx, lever) : lever->own;
	}
	for (size_t i = 0; i < policy->action_count; i++)
		levers_settle(policy, &policy->actions[i]);
}
