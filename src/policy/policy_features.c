/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_features.c - features.json: what a decision may look at.
 */
#include "policy/policy_internal.h"

#include <string.h>

#include "score/features_decl.h"

static const char *const type_names[3] = { "number", "string", "bool" };
static const enum value_tag type_tags[3] = { VALUE_NUMBER, VALUE_STRING, VALUE_BOOL };

static const char *
without_spaces(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text), *out = copy;

	for (const char *p = text; *p != '\0'; p++)
		if (*p != ' ')
			*out++ = *p;
	*out = '\0';
	return copy;
}

static bool
is_sensitive(struct compile *c, const char *name, const char *from, const struct feature *feature)
{
	json_t *list = json_object_get(json_object_get(c->policy->source, "policy"), "sensitive");
	const char *plain = without_spaces(c->scratch, from);
	size_t i;
	json_t *entry;

	json_array_foreach(list, i, entry) {
		const char *text = json_string_value(entry);

		if (text != NULL &&
		    (strcmp(text, name) == 0 ||
			strcmp(without_spaces(c->scratch, text), plain) == 0))
			return true;
	}
	return feature->key == KEY_CATEGORY && !feature->compliance &&
	    policy_mark(c->policy, feature->key_value) == MARK_SENSITIVE;
}

/* Names stand in rules and between {{ and }}: no braces, bars or spaces. */
static bool
name_valid(const char *name)
{
	static const char *const allowed =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";

	return name[0] != '\0' && strlen(name) <= 128 && strspn(name, allowed) == strlen(name);
}

static void
read_default(struct compile *c, const struct at *at, struct feature *feature)
{
	json_t *json = at->json;

	if (json == NULL || json_is_null(json))
		return;
	if (feature->type == VALUE_NUMBER && json_is_number(json))
		feature->dflt = value_number(json_number_value(json));
	else if (feature->type == VALUE_STRING && json_is_string(json))
		feature->dflt = value_string(keep(c, json_string_value(json)));
	else if (feature->type == VALUE_BOOL && json_is_boolean(json))
		feature->dflt = value_bool(json_is_true(json));
	else
		mistake(c, at, "\"default\" is not of the feature's type, expected the same");
}

static void
read_from(struct compile *c, const struct at *at, struct feature *feature)
{
	struct at here = at_member(at, "from");
	const char *from = json_string_value(here.json);
	struct err err = { 0 };
	enum value_tag natural;

	if (from == NULL)
		return;
	if (feature_parse_from(c->arena, from, feature, &err) != 0) {
		mistake(c, &here, "from \"%.100s\", character %d: %s", from, err.column, err.text);
		feature->source = FEATURE_VISIT; /* reads nothing that must be resolved */
		return;
	}
	natural = feature_natural_type(feature);
	if (natural != VALUE_MISSING && natural != feature->type &&
	    json_object_get(at->json, "type") != NULL)
		mistake(c, at, "%.100s gives %s, expected \"type\" to say so", from,
		    natural == VALUE_NUMBER	? "a number"
			: natural == VALUE_BOOL ? "a bool"
						: "a string");
	feature->compliance = read_bool(at, "compliance", false);
	if (feature->compliance && feature->source != FEATURE_BASKET)
		mistake(c, &here,
		    "%.100s is not of the basket, expected \"compliance\" with basket.*", from);
	if (is_sensitive(c, feature->name, from, feature))
		mistake(c, &here, "%.100s is declared sensitive, expected no feature of it", from);
	else if (!feature->compliance && feature->key == KEY_CATEGORY &&
	    policy_mark(c->policy, feature->key_value) == MARK_NO_PROMOTION)
		warning(c, &here,
		    "%.100s counts nothing: the category is declared no_promotion, expected "
		    "another",
		    from);
}

static void
read_one(struct compile *c, const struct at *at, unsigned slot)
{
	static const struct member members[] = {
		{ "name", T_STRING | T_REQUIRED },
		{ "type", T_STRING | T_REQUIRED },
		{ "from", T_STRING | T_REQUIRED },
		{ "default", T_NUMBER | T_STRING | T_BOOL | T_NULL },
		{ "reason", T_OBJECT },
		{ "compliance", T_BOOL },
	};
	struct feature *feature = &c->policy->features[slot];
	struct at name = at_member(at, "name"), dflt = at_member(at, "default");
	int type;

	feature->name = "";
	feature->type = VALUE_NUMBER;
	feature->source = FEATURE_VISIT;
	if (!READ_MEMBERS(c, at, members))
		return;
	if (json_is_string(name.json)) {
		const char *text = keep(c, json_string_value(name.json));

		feature->name = text;
		if (!name_valid(text))
			mistake(c, &name,
			    "\"%.64s\" is not a feature name, expected letters, digits and _ . : -",
			    text);
		else if (strcmp(text, "depth") == 0 || strcmp(text, "worth") == 0)
			mistake(c, &name, "\"%s\" is the offer's in texts, expected another name",
			    text);
		else if (!name_map_add(&c->features, text, slot))
			mistake(c, &name, "feature \"%.64s\" is there twice, expected it once",
			    text);
	}
	type = read_choice(c, at, "type", type_names, 3);
	if (type >= 0)
		feature->type = type_tags[type];
	read_from(c, at, feature);
	read_default(c, &dflt, feature);
	feature->personal = feature->source == FEATURE_PROFILE ||
	    feature->source == FEATURE_LOCAL || feature->source == FEATURE_INCIDENTS ||
	    feature->source == FEATURE_HISTORY || feature->source == FEATURE_WALLET ||
	    feature->source == FEATURE_CONTACTS || feature->source == FEATURE_JOURNEYS;
	feature->per_action = feature->source == FEATURE_ACTION ||
	    (feature->source == FEATURE_HISTORY && feature->scope == SCOPE_SELF);
}

/* The care gate reads profile.likely_to_call whether or not a rule does. */
static void
add_likely_to_call(struct compile *c)
{
	struct policy *policy = c->policy;
	struct feature *feature = &policy->features[policy->feature_count];
	struct err err = { 0 };

	if (policy->care_likely_to_call < 0 || name_map_get(&c->features, "likely_to_call") >= 0)
		return;
	*feature = (struct feature){
		.name = keep(c, "likely_to_call"), .type = VALUE_NUMBER, .personal = true
	};
	if (feature_parse_from(c->arena, "profile.likely_to_call", feature, &err) != 0)
		return;
	name_map_add(&c->features, feature->name, (unsigned)policy->feature_count++);
}

void
features_read(struct compile *c, const struct at *at)
{
	static const struct member members[] = { { "features", T_ARRAY | T_REQUIRED } };
	struct at list = at_member(at, "features");
	struct policy *policy = c->policy;
	size_t count;

	policy->features = arena_alloc(c->arena, sizeof(*policy->features));
	if (!READ_MEMBERS(c, at, members))
		return;
	count = json_array_size(list.json);
	if (count > POLICY_FEATURES_MAX - 1) {
		mistake(c, &list, "%zu features, expected at most %d", count,
		    POLICY_FEATURES_MAX - 1);
		count = POLICY_FEATURES_MAX - 1;
	}
	policy->features = arena_alloc(c->arena, (count + 1) * sizeof(*policy->features));
	policy->feature_count = count;
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(&list, i);

		read_one(c, &here, (unsigned)i);
	}
	add_likely_to_call(c);
}

/* What the history counts may have left the policy since: worth a look, no mistake. */
static void
check_scope(struct compile *c, const struct at *at, const struct feature *feature)
{
	const struct policy *policy = c->policy;

	if (feature->source != FEATURE_HISTORY || feature->scope_value == NULL)
		return;
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];
		const char *value = feature->scope == SCOPE_GROUP ? action->group
		    : feature->scope == SCOPE_ISSUE		  ? action->issue
								  : action->id;

		if (strcmp(value, feature->scope_value) == 0)
			return;
	}
	warning(c, at, "history of \"%.64s\", which no action has, expected a name in use",
	    feature->scope_value);
}

void
features_finish(struct compile *c, const struct at *at)
{
	struct at list = at_member(at, "features");

	for (size_t i = 0; i < json_array_size(list.json) && i < c->policy->feature_count; i++) {
		struct at here = at_index(&list, i);
		struct at from = at_member(&here, "from"), reason = at_member(&here, "reason");

		check_scope(c, &from, &c->policy->features[i]);
		reason_read(c, &reason, (unsigned)i);
	}
}
