/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_lint_settings.c - settings that silence a store, draws that are not apart, and what nothing reads.
 */
#include "policy/policy_lint.h"

#include <stdlib.h>
#include <string.h>

#include "learn/exploring.h"

static void
lint_salts(struct compile *c, const struct at *at)
{
	struct at salts = at_member(at, "salts"), explore = at_member(&salts, "explore"),
		  control = at_member(&salts, "control");
	const struct policy *policy = c->policy;

	if (memcmp(policy->salt_explore, policy->salt_control, sizeof(policy->salt_control)) == 0)
		warning(c, &explore,
		    "the same as \"control\", so who explores and who is left alone are not apart, "
		    "expected a salt of its own");
	else if (memcmp(policy->salt_explore, policy->salt_id, sizeof(policy->salt_id)) == 0)
		warning(c, &explore, "the same as \"id\", expected a salt of its own");
	if (memcmp(policy->salt_control, policy->salt_id, sizeof(policy->salt_id)) == 0)
		warning(c, &control, "the same as \"id\", expected a salt of its own");
}

static void
lint_placements(struct compile *c, const struct at *at)
{
	struct at placements = at_member(at, "placements");
	unsigned used = 0;

	for (size_t i = 0; i < c->policy->action_count; i++)
		used |= c->policy->actions[i].placements;
	for (int place = 0; place < PLACE_COUNT; place++) {
		struct at here = at_member(&placements, placement_names[place]);

		if (here.json != NULL && (used & 1u << place) == 0)
			warning(c, &here,
			    "no action has this placement, expected one or none of it");
	}
}

static void
lint_forbidden(struct compile *c, const struct at *at)
{
	struct at words = at_member(at, "forbidden_words");
	const char *key;
	json_t *value;

	json_object_foreach(words.json, key, value) {
		struct at here = at_member(&words, key);

		if (json_array_size(value) == 0)
			warning(c, &here, "no word is forbidden, expected one or none of it");
	}
}

static bool
nobody_passes_care(const struct policy *policy)
{
	for (size_t i = 0; i < policy->action_count; i++)
		if ((policy->care_only & 1u << policy->actions[i].kind) != 0)
			return false;
	return policy->care_severity > 0 || policy->care_journeys ||
	    policy->care_likely_to_call >= 0;
}

void
lint_settings(struct compile *c, const struct at *at)
{
	struct at control = at_member(at, "control"), share = at_member(&control, "share"),
		  levers = at_member(at, "levers"), care = at_member(at, "care"),
		  only = at_member(&care, "only");
	const struct policy *policy = c->policy;
	const char *key;
	json_t *value;

	if (policy->control_share >= 1)
		warning(c, &share,
		    "everybody is left alone, so nothing is ever shown, expected less than 1");
	lint_salts(c, at);
	lint_placements(c, at);
	lint_forbidden(c, at);
	json_object_foreach(levers.json, key, value) {
		struct at here = at_member(&levers, key);

		if (json_is_number(value) && json_number_value(value) == 0)
			warning(c, &here,
			    "a lever of 0, so what it names is never chosen, expected more");
	}
	if (only.json != NULL && nobody_passes_care(policy))
		warning(c, &only, "no action is of these kinds, expected the kind of one");
}

void
note_explore(struct compile *c)
{
	const struct policy *policy = c->policy;
	struct at settings = at_root("policy.json", json_object_get(policy->source, "policy"));
	struct at explore = at_member(&settings, "explore"), share = at_member(&explore, "share");
	double worth = policy->explore_worth > 0 ? policy->explore_worth : 0;

	if (!(policy->explore_share > 0))
		return;
	note(c,
	    share.json != NULL	       ? &share
		: explore.json != NULL ? &explore
				       : &settings,
	    "a slot's exploring costs at most %.6g %% of what the best card is worth beyond the "
	    "interruption, on no day more than %.6g %%; at first %.6g, then by what the store's "
	    "own "
	    "days were worth",
	    100 * policy->explore_share, 200 * policy->explore_share,
	    exploring_cost_max(policy->explore_share, worth, 0, 0));
}

/* ---- what nothing reads ---- */

static void
note_model(const struct policy *policy, const struct expr *expr, bool *models)
{
	if (expr->kind == EXPR_MODEL && expr->index < policy->model_count)
		models[expr->index] = true;
}

static void
note_models(const struct policy *policy, bool *models)
{
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];

		note_model(policy, &action->propensity, models);
		note_model(policy, &action->context, models);
		note_model(policy, &action->margin, models);
		note_model(policy, &action->lever_expr, models);
		if (action->has_uplift)
			models[action->uplift_treated] = models[action->uplift_control] = true;
	}
	note_model(policy, &policy->interrupt, models);
	for (size_t i = 0; i < policy->feature_count; i++)
		if (policy->features[i].source == FEATURE_MODEL)
			models[policy->features[i].model] = true;
}

/* Arms may read what the policy as it is does not. */
void
lint_unused(struct compile *c)
{
	const struct policy *policy = c->policy;
	bool *models = mem_calloc(policy->model_count + 1, sizeof(*models));
	struct at root = at_root("models/models.json", json_object_get(policy->source, "models"));
	struct at list = at_member(&root, "models");

	note_models(policy, models);
	for (size_t i = 0; i < policy->model_count && policy->experiment_count == 0; i++) {
		struct at here = at_index(&list, i), name = at_member(&here, "model");

		if (!models[i])
			warning(c, &name,
			    "nothing reads model \"%.64s\", expected an action or feature that "
			    "does",
			    policy->models[i].name);
	}
	free(models);
}
