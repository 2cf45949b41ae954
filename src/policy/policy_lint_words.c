/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_lint_words.c - texts that are missing, that nobody approved, or that are there twice.
 */
#include "policy/policy_lint.h"

#include <string.h>

/* "de" serves "de-AT". */
static bool
serves(const char *text, const char *wanted)
{
	size_t len = strlen(text);

	return strncmp(text, wanted, len) == 0 && (wanted[len] == '\0' || wanted[len] == '-');
}

static bool
has_text(const struct action *action, const char *language, int place)
{
	for (size_t i = 0; i < action->treatment_count; i++)
		if ((language == NULL || serves(action->treatments[i].language, language)) &&
		    (place < 0 || action->treatments[i].placement < 0 ||
			action->treatments[i].placement == place))
			return true;
	return false;
}

/* The first language is said where the treatments are read. */
static void
lint_missing(struct compile *c, const struct at *list, const struct action *action)
{
	for (size_t i = 1; i < c->policy->language_count; i++)
		if (!has_text(action, c->policy->languages[i], -1))
			warning(c, list, "no text in \"%s\", expected one in each of \"languages\"",
			    c->policy->languages[i]);
	for (int place = 0; place < PLACE_COUNT; place++)
		if ((action->placements & 1u << place) != 0 && !has_text(action, NULL, place))
			warning(c, list,
			    "no text for placement %s, so it never shows there, expected one",
			    NAME_OF(placement_names, place));
}

static bool
same_words(json_t *a, json_t *b)
{
	json_t *x = json_copy(a), *y = json_copy(b);
	bool same;

	CHECK(x != NULL && y != NULL);
	json_object_del(x, "treatment");
	json_object_del(y, "treatment");
	same = json_equal(x, y) == 1;
	json_decref(x);
	json_decref(y);
	return same;
}

void
lint_words(struct compile *c, const struct at *at, const struct action *action)
{
	struct at list = at_member(at, "treatments");

	lint_missing(c, &list, action);
	for (size_t i = 0; i < action->treatment_count; i++) {
		struct at here = at_index(&list, i), origin = at_member(&here, "origin");
		const char *by = json_string_value(json_object_get(here.json, "approved_by"));
		const char *of = json_string_value(origin.json);

		if (of != NULL && strcmp(of, "human") != 0 && (by == NULL || *by == '\0'))
			warning(c, &origin,
			    "a text that no person wrote and nobody approved, expected "
			    "\"approved_by\"");
		lint_treatment(c, &here, action, &action->treatments[i]);
		for (size_t j = 0; j < i; j++)
			if (same_words(json_array_get(list.json, j), here.json)) {
				warning(c, &here,
				    "these words are there twice under two names, expected others: "
				    "nothing can be learnt from the choice");
				break;
			}
	}
}
