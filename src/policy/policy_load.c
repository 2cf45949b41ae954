/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_load.c - the policy compiler's spine: parts to one tree, the tree to a struct policy.
 *
 * DESIGN
 *   Two steps, so that an experiment's arm is just the same tree with a patch:
 *   the parts become policy->source, and everything else is read from there. The
 *   texts are kept by the caller and looked at again only to say where a mistake is.
 *
 * INVARIANTS
 *   A policy that is returned has no mistakes; a policy with mistakes is never seen.
 */
#include "policy/policy_load.h"

#include <stdlib.h>
#include <string.h>

#include "policy/policy_internal.h"
#include "policy/policy_tables.h"
#include "score/model.h"

static const struct {
	const char *file, *member;
	bool required;
} files[] = {
	{ "policy.json", "policy", true },
	{ "features.json", "features", true },
	{ "models/models.json", "models", false },
	{ "contact.json", "contact", false },
	{ "experiments.json", "experiments", false },
	{ "zones.json", "zones", false },
	{ "tables/tables.json", "tables", false },
	{ "shrink.json", "shrink", false },
};

/* ---- parts to tree ---- */

static json_t *
read_part(struct compile *c, const struct policy_part *part)
{
	struct err err = { 0 };
	json_t *json = json_read(part->bytes, part->len, part->name, &err);

	if (json == NULL)
		mistake_line(c, part->name, &err);
	return json;
}

static bool
is_action_file(const char *name)
{
	size_t len = strlen(name);

	return strncmp(name, "actions/", 8) == 0 && len > 13 &&
	    strcmp(name + len - 5, ".json") == 0 && strchr(name + 8, '/') == NULL;
}

/* A misspelt contact.json must not be silently no caps. */
static void
check_unknown(struct compile *c, const struct policy_part *part)
{
	size_t len = strlen(part->name);
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (strcmp(part->name, files[i].file) == 0)
			return;
	if (strncmp(part->name, "models/", 7) == 0 || strncmp(part->name, "images/", 7) == 0)
		return;
	if (len < 5 || strcmp(part->name + len - 5, ".json") != 0)
		return;
	err_set(&err, AISLE_E_INVALID,
	    "unknown file, expected policy.json, features.json, actions/*.json, "
	    "models/models.json, contact.json, experiments.json or shrink.json");
	mistake_line(c, part->name, &err);
}

static void
gather_action(struct compile *c, const struct policy_part *part, json_t *actions, json_t *names)
{
	json_t *json = read_part(c, part);
	struct at at = at_root(part->name, json), id = at_member(&at, "action");
	const char *key = part->name;

	if (json == NULL)
		return;
	/* Without a name of its own it goes by its file, and is reported where it is read. */
	if (json_is_string(id.json) && id_valid(json_string_value(id.json)))
		key = json_string_value(id.json);
	if (json_object_get(actions, key) != NULL)
		mistake(c, &id, "action \"%.64s\" is there twice, expected it in %.100s only", key,
		    json_string_value(json_object_get(names, key)));
	else if (json_object_size(actions) == POLICY_ACTIONS_MAX)
		mistake(c, &at, "too many actions, expected at most %d", POLICY_ACTIONS_MAX);
	else {
		json_object_set(actions, key, json);
		json_object_set_new(names, key, json_string(part->name));
	}
	json_decref(json);
}

static int
compare_parts(const void *a, const void *b)
{
	const struct policy_part *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* In order of name, so that the report does not depend on how the folder was read. */
static void
gather_actions(struct compile *c, json_t *actions, json_t *names)
{
	const struct policy_part **sorted = mem_calloc(c->parts->count + 1, sizeof(*sorted));
	size_t count = 0;

	for (size_t i = 0; i < c->parts->count; i++) {
		if (is_action_file(c->parts->part[i].name))
			sorted[count++] = &c->parts->part[i];
		else
			check_unknown(c, &c->parts->part[i]);
	}
	qsort(sorted, count, sizeof(*sorted), compare_parts);
	for (size_t i = 0; i < count; i++)
		gather_action(c, sorted[i], actions, names);
	free(sorted);
}

static json_t *
gather(struct compile *c)
{
	json_t *source = json_object(), *actions = json_object(), *names = json_object();

	CHECK(source != NULL && actions != NULL && names != NULL);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct policy_part *part = part_find(c->parts, files[i].file);
		struct err err = { 0 };
		json_t *json;

		if (part != NULL && (json = read_part(c, part)) != NULL)
			json_object_set_new(source, files[i].member, json);
		if (part != NULL || !files[i].required)
			continue;
		err_set(&err, AISLE_E_INVALID,
		    "there is no such file, expected it in every policy");
		mistake_line(c, files[i].file, &err);
	}
	gather_actions(c, actions, names);
	json_object_set_new(source, "actions", actions);
	json_object_set_new(source, "files", names);
	return source;
}

/* ---- tree to policy ---- */

static void
keep_clauses(struct compile *c)
{
	struct policy *policy = c->policy;

	policy->clauses =
	    arena_alloc(c->arena, (policy->clause_count + 1) * sizeof(*policy->clauses));
	if (c->clause != NULL)
		memcpy(policy->clauses, c->clause, policy->clause_count * sizeof(*policy->clauses));
	free(c->clause);
	c->clause = NULL;
}

static void
check_actions(struct compile *c)
{
	struct err err = { 0 };

	if (c->policy->action_count > 0 || c->mistakes > 0)
		return;
	err_set(&err, AISLE_E_INVALID,
	    "there is no action, expected at least one actions/NAME.json");
	mistake_line(c, "actions", &err);
}

static void
read_tree(struct compile *c)
{
	json_t *source = c->policy->source;
	struct at settings = at_root("policy.json", json_object_get(source, "policy"));
	struct at features = at_root("features.json", json_object_get(source, "features"));
	struct at models = at_root("models/models.json", json_object_get(source, "models"));
	struct at contact = at_root("contact.json", json_object_get(source, "contact"));
	struct at experiments = at_root("experiments.json", json_object_get(source, "experiments"));
	struct at zones = at_root("zones.json", json_object_get(source, "zones"));
	struct at tables = at_root("tables/tables.json", json_object_get(source, "tables"));
	struct at shrink = at_root("shrink.json", json_object_get(source, "shrink"));

	if (settings.json == NULL || features.json == NULL)
		return; /* reported; without them all the rest would be */
	settings_read(c, &settings);
	pictures_read(c);
	tables_read(c, &tables);
	models_read(c, &models);
	features_read(c, &features);
	models_finish(c, &models);
	actions_read(c);
	features_finish(c, &features);
	settings_finish(c, &settings);
	contact_read(c, &contact);
	experiments_read(c, &experiments);
	zones_read(c, &zones);
	shrink_read(c, &shrink);
	check_actions(c);
}

/* Takes over c->policy->source. */
static int
compile_source(struct compile *c, struct policy **ret_policy)
{
	json_t *experiments = json_object_get(c->policy->source, "experiments");
	struct at at = at_root("experiments.json", experiments);

	read_tree(c);
	keep_clauses(c);
	if (c->mistakes == 0 && !c->patched && experiments != NULL)
		experiments_try(c, &at);
	name_map_done(&c->features);
	name_map_done(&c->models);
	name_map_done(&c->clauses);
	name_map_done(&c->texts);
	arena_free(c->scratch);
	if (c->mistakes > 0) {
		policy_free(c->policy);
		return AISLE_E_INVALID;
	}
	policy_settle(c->policy);
	policy_contexts(c->policy);
	*ret_policy = c->policy;
	return 0;
}

static void
compile_init(struct compile *c, const struct policy_parts *parts, struct buf *report)
{
	*c = (struct compile){
		.parts = parts, .report = report, .arena = arena_new(), .scratch = arena_new()
	};
	c->policy = arena_alloc(c->arena, sizeof(*c->policy));
	c->policy->memory = c->arena;
}

int
policy_compile(const struct policy_parts *parts, struct policy **ret_policy, struct buf *report)
{
	struct compile c;

	compile_init(&c, parts, report);
	c.policy->source = gather(&c);
	return compile_source(&c, ret_policy);
}

/* ---- arms ---- */

static void
apply_patch(json_t *source, const json_t *patch)
{
	static const char *const members[] = { "policy", "actions", "contact" };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_t *part = json_object_get(patch, members[i]);

		if (part != NULL)
			json_object_set_new(source, members[i],
			    json_merge_patch(json_object_get(source, members[i]), part));
	}
}

/* A policy from an image has no source: its parts are read again. */
static json_t *
patched_source(struct compile *c, const struct policy *policy, const char *const *patches,
    size_t count)
{
	json_t *source = policy->source != NULL ? json_copy(policy->source) : gather(c);

	CHECK(source != NULL);
	for (size_t i = 0; i < count; i++) {
		struct err err = { 0 };
		json_t *patch = json_read(patches[i], strlen(patches[i]), "patch", &err);

		if (patch == NULL)
			mistake_line(c, "experiments.json", &err);
		apply_patch(source, patch);
		json_decref(patch);
	}
	return source;
}

static void
first_mistake(const struct buf *report, struct err *err)
{
	const char *line = report->data != NULL ? report->data : "";
	size_t len = strcspn(line, "\n");

	err_set(err, AISLE_E_INVALID, "%.*s", (int)len, line);
}

int
policy_patched(const struct policy *policy, const struct policy_parts *parts,
    const char *const *patches, size_t count, struct policy **ret_policy, struct err *err)
{
	struct buf report = { 0 };
	struct compile c;
	int status;

	compile_init(&c, parts, &report);
	c.patched = true;
	c.policy->source = patched_source(&c, policy, patches, count);
	policy_tables_share(c.policy, policy);
	status = compile_source(&c, ret_policy);
	if (status == 0) {
		memcpy((*ret_policy)->hash, policy->hash, sizeof(policy->hash));
		json_decref((*ret_policy)->source); /* nothing is patched twice */
		(*ret_policy)->source = NULL;
	} else {
		first_mistake(&report, err);
	}
	buf_done(&report);
	return status;
}

void
policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	for (size_t i = 0; policy->models != NULL && i < policy->model_count; i++) {
		model_context_free(policy->models[i].context);
		model_free(policy->models[i].model);
	}
	for (int f = 0; f < FAMILY_COUNT; f++)
		policy_table_drop(policy->tables[f]);
	json_decref(policy->source);
	arena_free(policy->memory);
}

/* ---- look-up ---- */

const struct action *
policy_action(const struct policy *policy, const char *id)
{
	size_t low = 0, high = policy->action_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(policy->actions[middle].id, id);

		if (order == 0)
			return &policy->actions[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int
policy_feature(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->feature_count; i++)
		if (strcmp(policy->features[i].name, name) == 0)
			return (int)i;
	return -1;
}
