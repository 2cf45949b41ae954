/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_experiments.c - experiments.json: units, shares, arms and their patches.
 */
#include "policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

#define EXPERIMENTS_MAX 32
#define ARMS_MAX 16
#define PLAN_WEEKS_MAX 104
#define PLAN_EFFECT_MIN 0.01 /* minor units */
#define PLAN_EFFECT_MAX 1e9

/* What is decided before an arm is known, or names the policy itself, no arm may change. */
static const char *const fixed_members[] = { "name", "version", "currency", "salts", "control",
	"zones" };

static void
check_patch(struct compile *c, const struct at *at)
{
	static const struct member members[] = { { "policy", T_OBJECT }, { "actions", T_OBJECT },
		{ "contact", T_OBJECT } };
	struct at policy = at_member(at, "policy"), actions = at_member(at, "actions");
	json_t *known = json_object_get(c->policy->source, "actions"), *value;
	const char *key;

	if (!READ_MEMBERS(c, at, members))
		return;
	if (json_object_size(at->json) == 0)
		mistake(c, at,
		    "the patch changes nothing, expected policy, actions or contact in it");
	for (size_t i = 0; i < ARRAY_LEN(fixed_members); i++) {
		struct at here = at_member(&policy, fixed_members[i]);

		if (here.json != NULL)
			mistake(c, &here,
			    "an arm changes \"%s\", expected it to be the same for all",
			    fixed_members[i]);
	}
	json_object_foreach(actions.json, key, value) {
		struct at here = at_member(&actions, key);

		if (json_object_get(known, key) == NULL)
			mistake(c, &here, "no action \"%.64s\" to patch, expected the name of one",
			    key);
	}
}

static const char *
json_text(struct arena *arena, const json_t *json)
{
	struct buf text = { 0 };
	const char *copy;

	json_write(json, &text);
	copy = arena_strndup(arena, text.data, text.len);
	buf_done(&text);
	return copy;
}

static void
read_arm(struct compile *c, const struct at *at, const char *name, struct arm *arm)
{
	static const struct member members[] = {
		{ "weight", T_NUMBER | T_REQUIRED },
		{ "patch", T_OBJECT },
		{ "withhold", T_BOOL },
	};
	struct at patch = at_member(at, "patch");

	*arm = (struct arm){ .name = keep(c, name), .weight = 1 };
	if (!id_valid(name))
		mistake(c, at,
		    "the arm's name is not one, expected 1-128 printable ASCII characters without "
		    "spaces");
	if (!READ_MEMBERS(c, at, members))
		return;
	arm->weight = read_number(c, at, "weight", 1e-9, 1e9, 1);
	arm->withhold = read_bool(at, "withhold", false);
	if (patch.json == NULL)
		return;
	if (arm->withhold)
		mistake(c, &patch, "a withholding arm has a patch, expected one of the two");
	if (json_is_object(patch.json)) {
		arm->patch = json_text(c->arena, patch.json);
		check_patch(c, &patch);
	}
}

static int
compare_arms(const void *a, const void *b)
{
	return strcmp(((const struct arm *)a)->name, ((const struct arm *)b)->name);
}

static void
read_arms(struct compile *c, const struct at *at, struct experiment *experiment)
{
	size_t count = json_object_size(at->json), i = 0;
	const char *name;
	json_t *value;

	if (!json_is_object(at->json))
		return;
	if (count < 1 || count > ARMS_MAX) {
		mistake(c, at, "%zu arms, expected 1 to %d", count, ARMS_MAX);
		return;
	}
	experiment->arms = arena_alloc(c->arena, count * sizeof(*experiment->arms));
	experiment->arm_count = count;
	json_object_foreach(at->json, name, value) {
		struct at here = at_member(at, name);

		read_arm(c, &here, name, &experiment->arms[i++]);
	}
	qsort(experiment->arms, count, sizeof(*experiment->arms), compare_arms);
}

void
experiment_plan_read(struct compile *c, const struct at *at, struct experiment_plan *plan)
{
	static const struct member members[] = { { "start", T_STRING | T_REQUIRED },
		{ "weeks", T_INT | T_REQUIRED }, { "effect", T_NUMBER | T_REQUIRED } };

	if (at->json == NULL || !READ_MEMBERS(c, at, members))
		return;
	plan->start_ms = read_time(c, at, "start", 0);
	plan->weeks = (int)read_int(c, at, "weeks", 1, PLAN_WEEKS_MAX, 1);
	plan->effect = read_number(c, at, "effect", PLAN_EFFECT_MIN, PLAN_EFFECT_MAX, 1);
}

static void
read_experiment(struct compile *c, const struct at *at, struct experiment *experiment)
{
	static const struct member members[] = {
		{ "experiment", T_STRING | T_REQUIRED },
		{ "unit", T_STRING | T_REQUIRED },
		{ "salt", T_STRING | T_REQUIRED },
		{ "share", T_NUMBER | T_REQUIRED },
		{ "arms", T_OBJECT | T_REQUIRED },
		{ "guardrails", T_ARRAY },
		{ "plan", T_OBJECT },
	};
	struct at arms = at_member(at, "arms"), guardrails = at_member(at, "guardrails");
	struct at plan = at_member(at, "plan");
	int unit;

	experiment->name = "";
	if (!READ_MEMBERS(c, at, members))
		return;
	if (read_id(c, at, "experiment") != NULL)
		experiment->name = read_string(c, at, "experiment");
	unit = read_choice(c, at, "unit", unit_names, ARRAY_LEN(unit_names));
	experiment->unit = unit >= 0 ? (enum unit)unit : UNIT_CUSTOMER;
	read_salt(c, at, "salt", experiment->salt);
	experiment->share = read_number(c, at, "share", 0, 1, 0);
	read_arms(c, &arms, experiment);
	experiment_plan_read(c, &plan, &experiment->plan);
	for (size_t i = 0; i < json_array_size(guardrails.json); i++) {
		struct at here = at_index(&guardrails, i);

		if (!json_is_string(here.json) || !id_valid(json_string_value(here.json)))
			mistake(c, &here, "not a guardrail, expected the name of a measure");
	}
}

static int
compare_experiments(const void *a, const void *b)
{
	return strcmp(((const struct experiment *)a)->name, ((const struct experiment *)b)->name);
}

void
experiments_read(struct compile *c, const struct at *at)
{
	static const struct member members[] = { { "experiments", T_ARRAY | T_REQUIRED } };
	struct at list = at_member(at, "experiments");
	struct policy *policy = c->policy;
	size_t count = json_array_size(list.json);

	if (at->json == NULL || !READ_MEMBERS(c, at, members))
		return;
	if (count > EXPERIMENTS_MAX) {
		mistake(c, &list, "%zu experiments, expected at most %d", count, EXPERIMENTS_MAX);
		count = EXPERIMENTS_MAX;
	}
	policy->experiments = arena_alloc(c->arena, (count + 1) * sizeof(*policy->experiments));
	policy->experiment_count = count;
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(&list, i), name = at_member(&here, "experiment");

		read_experiment(c, &here, &policy->experiments[i]);
		for (size_t j = 0; j < i; j++)
			if (strcmp(policy->experiments[j].name, policy->experiments[i].name) == 0)
				mistake(c, &name,
				    "experiment \"%.64s\" is there twice, expected it once",
				    policy->experiments[i].name);
	}
	qsort(policy->experiments, count, sizeof(*policy->experiments), compare_experiments);
}

/* Every arm's policy must compile as well: an arm that cannot be served is found here, not in the
 * store. */
void
experiments_try(struct compile *c, const struct at *at)
{
	struct at list = at_member(at, "experiments");

	for (size_t i = 0; i < json_array_size(list.json); i++) {
		struct at here = at_index(&list, i), arms = at_member(&here, "arms");
		const char *name;
		json_t *value;

		json_object_foreach(arms.json, name, value) {
			struct at arm = at_member(&arms, name), patch = at_member(&arm, "patch");
			const char *patches[1];
			struct policy *policy;
			struct err err = { 0 };

			if (patch.json == NULL)
				continue;
			patches[0] = json_text(c->scratch, patch.json);
			if (policy_patched(c->policy, c->parts, patches, 1, &policy, &err) == 0)
				policy_free(policy);
			else
				mistake(c, &patch,
				    "with this patch the policy does not compile: %s", err.text);
		}
	}
}
