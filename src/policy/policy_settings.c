/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_settings.c - policy.json: what holds for the whole policy.
 */
#include "policy/policy_internal.h"

#include <string.h>

#include "core/unicode.h"
#include "core/currency.h"
#include "learn/exploring.h"

/* clang-format off */
static const struct member settings_members[] = {
    {"name", T_STRING | T_REQUIRED},
    {"version", T_INT | T_REQUIRED},
    {"currency", T_STRING | T_REQUIRED},
    {"languages", T_ARRAY | T_REQUIRED},
    {"salts", T_OBJECT | T_REQUIRED},
    {"placements", T_OBJECT | T_REQUIRED},
    {"explore", T_OBJECT | T_STRING},
    {"interrupt", T_EXPR},
    {"control", T_OBJECT},
    {"levers", T_OBJECT},
    {"quiet", T_OBJECT},
    {"care", T_OBJECT},
    {"sensitive", T_ARRAY},
    {"no_promotion", T_ARRAY},
    {"forbidden_words", T_OBJECT},
    {"zones", T_ARRAY},
};
/* clang-format on */

/* BCP 47 in outline: letters and digits in groups of up to eight, joined by "-". */
static bool
language_valid(const char *text)
{
	size_t run = 0;

	for (const char *p = text; *p != '\0'; p++) {
		bool alnum = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= '0' && *p <= '9');

		if (!alnum && (*p != '-' || run == 0))
			return false;
		run = alnum ? run + 1 : 0;
		if (run > 8)
			return false;
	}
	return run > 0 && strlen(text) >= 2 && strlen(text) <= 35;
}

static void
read_languages(struct compile *c, const struct at *at)
{
	struct policy *policy = c->policy;

	if (json_is_array(at->json) && json_array_size(at->json) == 0)
		mistake(c, at, "no language, expected at least one");
	for (size_t i = 0; i < json_array_size(at->json); i++) {
		struct at here = at_index(at, i);
		const char *text = json_string_value(here.json);

		if (text == NULL || !language_valid(text)) {
			mistake(c, &here, "not a language, expected a tag such as \"en\"");
			continue;
		}
		if (policy->language_count == POLICY_LANGUAGES_MAX) {
			mistake(c, &here, "too many languages, expected at most %d",
			    POLICY_LANGUAGES_MAX);
			return;
		}
		for (size_t j = 0; j < policy->language_count; j++)
			if (strcmp(policy->languages[j], text) == 0)
				mistake(c, &here,
				    "language \"%s\" is there twice, expected it once", text);
		policy->languages[policy->language_count++] = keep(c, text);
	}
}

static void
read_salts(struct compile *c, const struct at *at)
{
	static const struct member members[] = {
		{ "id", T_STRING | T_REQUIRED },
		{ "control", T_STRING | T_REQUIRED },
		{ "explore", T_STRING | T_REQUIRED },
	};

	if (!json_is_object(at->json) || !READ_MEMBERS(c, at, members))
		return;
	read_salt(c, at, "id", c->policy->salt_id);
	read_salt(c, at, "control", c->policy->salt_control);
	read_salt(c, at, "explore", c->policy->salt_explore);
}

static void
read_placements(struct compile *c, const struct at *at)
{
	static const struct member names[] = {
#define X(constant, name, ...) { name, T_OBJECT },
		PLACEMENTS(X)
#undef X
	};
	static const struct member members[] = {
		{ "slots", T_INT | T_REQUIRED },
		{ "headline_max", T_INT },
		{ "body_max", T_INT },
		{ "say_max", T_INT },
	};

	if (!json_is_object(at->json) || !READ_MEMBERS(c, at, names))
		return;
	if (json_object_size(at->json) == 0)
		mistake(c, at, "no placement, expected at least one");
	for (size_t i = 0; i < PLACE_COUNT; i++) {
		struct at here = at_member(at, placement_names[i]);
		struct placement_rules *rules = &c->policy->places[i];

		if (!json_is_object(here.json) || !READ_MEMBERS(c, &here, members))
			continue;
		rules->present = true;
		rules->slots = (int)read_int(c, &here, "slots", 1, 8, 1);
		rules->headline_max = (int)read_int(c, &here, "headline_max", 1, 1000, 0);
		rules->body_max = (int)read_int(c, &here, "body_max", 1, 4000, 0);
		rules->say_max = (int)read_int(c, &here, "say_max", 1, 4000, 0);
	}
}

/* The unit cancels: a share is of money, whatever counts as one. */
static void
read_share(struct compile *c, const struct at *at)
{
	static const char *const others[] = { "cost_max", "gamma", "unit" };
	struct policy *policy = c->policy;

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct at other = at_member(at, others[i]);

		if (other.json != NULL)
			mistake(c, &other, "\"%s\" beside \"share\", expected one of them",
			    others[i]);
	}
	policy->explore_unit = 1;
	policy->explore_share = read_number(c, at, "share", 1e-6, 0.5, EXPLORING_SHARE);
	policy->explore_worth = read_number(c, at, "worth", 0, 1e12, -1);
}

static void
read_explore(struct compile *c, const struct at *at)
{
	static const struct member members[] = {
		{ "share", T_NUMBER },
		{ "worth", T_NUMBER },
		{ "unit", T_NUMBER },
		{ "cost_max", T_NUMBER },
		{ "gamma", T_NUMBER },
		{ "shortlist", T_INT },
	};
	struct policy *policy = c->policy;

	policy->explore_unit = 100;
	policy->shortlist = 8;
	policy->gamma = -1;
	policy->explore_worth = -1;
	if (at->json == NULL) {
		policy->explore_unit = 1;
		policy->explore_share = EXPLORING_SHARE;
		return;
	}
	if (json_is_string(at->json)) {
		policy->greedy = strcmp(json_string_value(at->json), "greedy") == 0;
		if (!policy->greedy)
			mistake(c, at,
			    "\"%.32s\" is unknown, expected \"greedy\" or an object with "
			    "\"share\", \"cost_max\" or \"gamma\"",
			    json_string_value(at->json));
		return;
	}
	if (!json_is_object(at->json) || !READ_MEMBERS(c, at, members))
		return;
	policy->shortlist = (int)read_int(c, at, "shortlist", 1, 64, 8);
	if (json_object_get(at->json, "share") != NULL) {
		read_share(c, at);
		return;
	}
	policy->explore_unit = read_number(c, at, "unit", 1e-6, 1e12, 100);
	policy->cost_max = read_number(c, at, "cost_max", 1e-6, 1e12, 0);
	policy->gamma = read_number(c, at, "gamma", 0, 1e12, -1);
	if (json_object_get(at->json, "cost_max") == NULL &&
	    json_object_get(at->json, "gamma") == NULL)
		mistake(c, at,
		    "exploration has no limit, expected \"share\", \"cost_max\", \"gamma\" or "
		    "\"greedy\"");
}

static void
read_quiet_and_care(struct compile *c, const struct at *quiet, const struct at *care)
{
	static const struct member quiet_members[] = { { "tender", T_BOOL },
		{ "queue_over", T_NUMBER } };
	static const struct member care_members[] = {
		{ "severity", T_INT },
		{ "likely_to_call", T_NUMBER },
		{ "journeys", T_BOOL },
		{ "only", T_ARRAY },
	};
	struct policy *policy = c->policy;
	struct at only = at_member(care, "only");

	policy->quiet_tender = true;
	policy->quiet_queue_over = -1;
	policy->care_likely_to_call = -1;
	policy->care_feature = -1;
	policy->care_only = 1u << KIND_SERVICE | 1u << KIND_RETAIN;
	if (json_is_object(quiet->json) && READ_MEMBERS(c, quiet, quiet_members)) {
		policy->quiet_tender = read_bool(quiet, "tender", true);
		policy->quiet_queue_over = read_number(c, quiet, "queue_over", 0, 1e6, -1);
	}
	if (!json_is_object(care->json) || !READ_MEMBERS(c, care, care_members))
		return;
	policy->care_severity = (int)read_int(c, care, "severity", 1, 3, 0);
	policy->care_journeys = read_bool(care, "journeys", true);
	policy->care_likely_to_call = read_number(c, care, "likely_to_call", 0, 1, -1);
	if (!json_is_array(only.json))
		return;
	policy->care_only = 0;
	for (size_t i = 0; i < json_array_size(only.json); i++) {
		struct at here = at_index(&only, i);
		int kind = choice(c, &here, kind_names, KIND_COUNT);

		if (kind >= 0)
			policy->care_only |= (uint8_t)(1u << kind);
	}
}

static bool
has_language(const struct policy *policy, const char *language)
{
	for (size_t i = 0; i < policy->language_count; i++)
		if (strcmp(policy->languages[i], language) == 0)
			return true;
	return false;
}

static void
read_forbidden(struct compile *c, const struct at *at)
{
	const char *key;
	json_t *list;

	json_object_foreach(at->json, key, list) {
		struct at here = at_member(at, key);

		if (!has_language(c->policy, key))
			mistake(c, &here,
			    "language \"%.40s\" is not in \"languages\", expected one of them",
			    key);
		if (!json_is_array(list)) {
			mistake(c, &here, "not a list, expected a list of words");
			continue;
		}
		for (size_t i = 0; i < json_array_size(list); i++) {
			struct at word = at_index(&here, i);

			if (!json_is_string(word.json) || json_string_length(word.json) == 0)
				mistake(c, &word, "not a word, expected a non-empty string");
		}
	}
}

static void
read_zones(struct compile *c, const struct at *at)
{
	for (size_t i = 0; i < json_array_size(at->json); i++) {
		struct at here = at_index(at, i);

		if (!json_is_string(here.json) || json_string_length(here.json) == 0)
			mistake(c, &here, "not a zone, expected a name such as \"Europe/Berlin\"");
	}
}

void
settings_read(struct compile *c, const struct at *at)
{
	struct policy *policy = c->policy;
	struct at languages = at_member(at, "languages"), salts = at_member(at, "salts");
	struct at placements = at_member(at, "placements"), explore = at_member(at, "explore");
	struct at quiet = at_member(at, "quiet"), care = at_member(at, "care");
	struct at control = at_member(at, "control"), currency = at_member(at, "currency");
	struct at zones = at_member(at, "zones");
	struct at forbidden = at_member(at, "forbidden_words");
	static const struct member control_members[] = { { "share", T_NUMBER | T_REQUIRED },
		{ "plan", T_OBJECT } };
	struct at plan = at_member(&control, "plan");

	policy->name = "";
	policy->currency = "";
	read_quiet_and_care(c, &quiet, &care);
	if (!READ_MEMBERS(c, at, settings_members))
		return;
	if (read_id(c, at, "name") != NULL)
		policy->name = read_string(c, at, "name");
	policy->version = read_int(c, at, "version", 1, INT64_C(1) << 53, 1);
	if (json_is_string(currency.json)) {
		policy->currency = keep(c, json_string_value(currency.json));
		policy->currency_digits = currency_digits(policy->currency);
		if (policy->currency_digits < 0)
			mistake(c, &currency, "\"%.8s\" is no currency, expected an ISO 4217 code",
			    policy->currency);
	}
	read_languages(c, &languages);
	read_salts(c, &salts);
	read_placements(c, &placements);
	read_explore(c, &explore);
	if (json_is_object(control.json) && READ_MEMBERS(c, &control, control_members)) {
		policy->control_share = read_number(c, &control, "share", 0, 1, 0);
		experiment_plan_read(c, &plan, &policy->control_plan);
	}
	marks_read(c, at);
	read_forbidden(c, &forbidden);
	read_zones(c, &zones);
}

/* ---- after features and actions ---- */

void
settings_finish(struct compile *c, const struct at *at)
{
	struct at interrupt = at_member(at, "interrupt"), levers = at_member(at, "levers");

	c->policy->interrupt = expr_read(c, &interrupt, 0, 1e12, 3);
	if (expr_per_action(c, &c->policy->interrupt))
		mistake(c, &interrupt,
		    "\"interrupt\" reads a feature of the action, expected features of visit and "
		    "store");
	levers_read(c, &levers);
	if (c->policy->care_likely_to_call >= 0)
		c->policy->care_feature = name_map_get(&c->features, "likely_to_call");
}
