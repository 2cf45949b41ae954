/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_sensitive.c - what no rule, feature or text may use, and goods that no offer may touch.
 */
#include "policy/policy_internal.h"

#include <string.h>

#include "core/unicode.h"
#include "nouns/match.h"

#define CATEGORY "category="
#define CATEGORY_LEN (sizeof(CATEGORY) - 1)

/* "category=beer" to the category; NULL: something else. */
static const char *
category_named(const char *text)
{
	return text != NULL && strncmp(text, CATEGORY, CATEGORY_LEN) == 0 ? text + CATEGORY_LEN
									  : NULL;
}

static void
add_mark(struct compile *c, const char *category, enum mark mark)
{
	struct policy *policy = c->policy;

	policy->marks[policy->mark_count++] =
	    (struct marked){ keep(c, unicode_path_key(c->scratch, category)), mark };
}

/* "profile.health", "history.count(…)", or a feature's name. */
static bool
is_source(const struct compile *c, const char *text)
{
	static const char *const roots[] = { "profile", "local", "basket", "history", "visit",
		"store", "time", "event", "action", "model", "wallet", "contacts", "journeys" };
	const json_t *features =
	    json_object_get(json_object_get(c->policy->source, "features"), "features");
	size_t len = strcspn(text, "."), i;
	json_t *feature;

	for (i = 0; text[len] == '.' && i < ARRAY_LEN(roots); i++)
		if (strlen(roots[i]) == len && strncmp(roots[i], text, len) == 0)
			return true;
	json_array_foreach(features, i, feature) {
		const char *name = json_string_value(json_object_get(feature, "name"));

		if (name != NULL && strcmp(name, text) == 0)
			return true;
	}
	return false;
}

/* What is misspelt here would leave free what the law wants left alone. */
static void
read_sensitive(struct compile *c, const struct at *at)
{
	for (size_t i = 0; i < json_array_size(at->json); i++) {
		struct at here = at_index(at, i);
		const char *text = json_string_value(here.json), *category = category_named(text);

		if (text == NULL || *text == '\0' || (category != NULL && *category == '\0'))
			mistake(c, &here,
			    "not a source, expected one such as \"profile.health\" or "
			    "\"category=beer\"");
		else if (category != NULL)
			add_mark(c, category, MARK_SENSITIVE);
		else if (!is_source(c, text))
			mistake(c, &here,
			    "\"%.100s\" is no feature and no source, expected one such as "
			    "\"profile.health\" or \"category=beer\"",
			    text);
	}
}

static void
read_no_promotion(struct compile *c, const struct at *at)
{
	for (size_t i = 0; i < json_array_size(at->json); i++) {
		struct at here = at_index(at, i);
		const char *category = category_named(json_string_value(here.json));

		if (category == NULL || *category == '\0')
			mistake(c, &here,
			    "not a category, expected one such as \"category=services/lottery\"");
		else
			add_mark(c, category, MARK_NO_PROMOTION);
	}
}

void
marks_read(struct compile *c, const struct at *at)
{
	struct at sensitive = at_member(at, "sensitive"), no = at_member(at, "no_promotion");
	size_t count = json_array_size(sensitive.json) + json_array_size(no.json);

	c->policy->marks = arena_alloc(c->arena, (count + 1) * sizeof(*c->policy->marks));
	read_sensitive(c, &sensitive);
	read_no_promotion(c, &no);
}

enum mark
policy_mark(const struct policy *policy, const char *category)
{
	enum mark mark = MARK_NONE;

	for (size_t i = 0; category != NULL && i < policy->mark_count; i++)
		if (policy->marks[i].mark > mark &&
		    category_within(category, policy->marks[i].category))
			mark = policy->marks[i].mark;
	return mark;
}
