/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_contact.c - caps and suppression: how often, how soon, and for how long not.
 */
#include "policy/policy_internal.h"

#include <string.h>

#define CAPS_MAX 64

static const char *const scope_names[6] = { "all", "self", "action", "group", "issue",
	"placement" };
static const char *const per_names[5] = { "customer", "action", "group", "issue", "placement" };
static const enum contact_scope per_scopes[5] = { SCOPE_ALL, SCOPE_ACTION, SCOPE_GROUP, SCOPE_ISSUE,
	SCOPE_PLACEMENT };
static const char *const clock_names[3] = { "rolling", "business-day", "own-gap" };

/* "group" is the candidate's own; "group:coffee" is that one, whoever the candidate is. */
static enum contact_scope
read_scope(struct compile *c, const struct at *at, enum contact_scope dflt, const char **ret_value)
{
	const char *text = json_string_value(at->json);
	const char *colon = text != NULL ? strchr(text, ':') : NULL;

	*ret_value = NULL;
	if (text == NULL)
		return dflt;
	for (size_t i = 0; i < ARRAY_LEN(scope_names); i++) {
		size_t len = strlen(scope_names[i]);

		if (strcmp(text, scope_names[i]) == 0)
			return i == SCOPE_SELF ? SCOPE_ACTION : (enum contact_scope)i;
		if (colon != NULL && i >= SCOPE_ACTION && (size_t)(colon - text) == len &&
		    strncmp(text, scope_names[i], len) == 0 && id_valid(colon + 1)) {
			*ret_value = keep(c, colon + 1);
			return (enum contact_scope)i;
		}
	}
	mistake(c, at,
	    "\"%.64s\" is no scope, expected all, action, group, issue or placement, or one of "
	    "them "
	    "with a name, as in group:coffee",
	    text);
	return dflt;
}

static void
read_cap_window(struct compile *c, const struct at *at, struct cap *cap)
{
	struct at within = at_member(at, "within"), gaps = at_member(at, "gaps");

	if (cap->clock == CLOCK_OWN_GAP) {
		cap->gap_times = read_number(c, at, "gaps", 0.01, 1000, 1);
		if (gaps.json == NULL)
			mistake(c, at,
			    "\"gaps\" is missing, expected how many of the customer's own purchase "
			    "gaps");
		if (within.json != NULL)
			mistake(c, &within,
			    "\"within\" says nothing with clock own-gap, expected \"gaps\" alone");
		return;
	}
	cap->within_ms = read_duration(c, at, "within", 1, DURATION_MAX, D_MS);
	if (within.json == NULL)
		mistake(c, at, "\"within\" is missing, expected a duration such as \"7d\"");
	else if (cap->clock == CLOCK_BUSINESS_DAY && cap->within_ms % D_MS != 0)
		mistake(c, &within,
		    "a business-day cap counts days, expected whole ones such as \"1d\"");
	if (gaps.json != NULL)
		mistake(c, &gaps,
		    "\"gaps\" says nothing here, expected it with clock own-gap only");
}

static void
read_cap(struct compile *c, const struct at *at, bool own, struct cap *cap)
{
	static const struct member members[] = {
		{ "per", T_STRING },
		{ "scope", T_STRING },
		{ "outcome", T_STRING | T_REQUIRED },
		{ "max", T_INT | T_REQUIRED },
		{ "within", T_STRING },
		{ "clock", T_STRING },
		{ "gaps", T_NUMBER },
	};
	struct at scope = at_member(at, "scope");
	enum contact_scope dflt = own ? SCOPE_ACTION : SCOPE_ALL;
	int per, clock;

	cap->outcome = OUTCOME_SHOWN;
	if (!READ_MEMBERS(c, at, members))
		return;
	per = read_choice(c, at, "per", per_names, ARRAY_LEN(per_names));
	if (per > 0) {
		dflt = per_scopes[per];
		if (scope.json != NULL)
			mistake(c, &scope,
			    "\"per\" says the scope already, expected \"per\":\"customer\" with "
			    "\"scope\"");
	}
	cap->scope = read_scope(c, &scope, dflt, &cap->scope_value);
	cap->outcome = read_outcome(c, at, "outcome", &cap->outcome_reason);
	cap->max = (int)read_int(c, at, "max", 0, 1000000, 0);
	clock = read_choice(c, at, "clock", clock_names, ARRAY_LEN(clock_names));
	cap->clock = clock > 0 ? (enum cap_clock)clock : CLOCK_ROLLING;
	read_cap_window(c, at, cap);
}

size_t
caps_read(struct compile *c, const struct at *at, bool own, struct cap **ret_caps)
{
	size_t count = json_array_size(at->json);

	if (count > CAPS_MAX) {
		mistake(c, at, "%zu caps, expected at most %d", count, CAPS_MAX);
		count = CAPS_MAX;
	}
	*ret_caps = arena_alloc(c->arena, count * sizeof(**ret_caps));
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(at, i);

		read_cap(c, &here, own, &(*ret_caps)[i]);
	}
	return count;
}

static void
read_suppression(struct compile *c, const struct at *at, struct suppression *rule)
{
	static const struct member members[] = {
		{ "after", T_OBJECT | T_REQUIRED },
		{ "scope", T_STRING | T_REQUIRED },
		{ "for", T_STRING },
	};
	static const struct member after_members[] = {
		{ "outcome", T_STRING | T_REQUIRED },
		{ "count", T_INT | T_REQUIRED },
		{ "within", T_STRING | T_REQUIRED },
	};
	struct at after = at_member(at, "after"), scope = at_member(at, "scope");
	const char *value;

	rule->outcome = OUTCOME_DISMISSED;
	rule->count = 1;
	if (!READ_MEMBERS(c, at, members))
		return;
	if (json_object_get(at->json, "for") == NULL)
		mistake(c, at,
		    "the suppression has no end, expected \"for\" with a duration such as \"30d\"");
	rule->scope = read_scope(c, &scope, SCOPE_ALL, &value);
	if (value != NULL)
		mistake(c, &scope,
		    "a suppression is of the outcome's own action, group or issue, expected no "
		    "name");
	rule->for_ms = read_duration(c, at, "for", 1, DURATION_MAX, D_MS);
	if (!json_is_object(after.json) || !READ_MEMBERS(c, &after, after_members))
		return;
	rule->outcome = read_outcome(c, &after, "outcome", &rule->outcome_reason);
	rule->count = (int)read_int(c, &after, "count", 1, 1000, 1);
	rule->within_ms = read_duration(c, &after, "within", 1, DURATION_MAX, D_MS);
}

void
contact_read(struct compile *c, const struct at *at)
{
	static const struct member members[] = { { "caps", T_ARRAY }, { "suppress", T_ARRAY } };
	struct at caps = at_member(at, "caps"), suppress = at_member(at, "suppress");
	struct policy *policy = c->policy;
	size_t count = json_array_size(suppress.json);

	if (at->json == NULL || !READ_MEMBERS(c, at, members))
		return;
	policy->cap_count = caps_read(c, &caps, false, &policy->caps);
	if (count > CAPS_MAX) {
		mistake(c, &suppress, "%zu suppressions, expected at most %d", count, CAPS_MAX);
		count = CAPS_MAX;
	}
	policy->suppressions = arena_alloc(c->arena, (count + 1) * sizeof(*policy->suppressions));
	policy->suppression_count = count;
	for (size_t i = 0; i < count; i++) {
		struct at here = at_index(&suppress, i);

		read_suppression(c, &here, &policy->suppressions[i]);
	}
}
