/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_diff_tree.c - two JSON values beside each other, member by member, into the lines of a change.
 */
#include "tools/policy_diff_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one change ---- */

void
diff_line(struct diff *d, const char *path, const json_t *was, const json_t *now)
{
	const char *dot = strrchr(path, '.'), *member = dot != NULL ? dot + 1 : path;
	struct buf before = { 0 }, after = { 0 };

	if (json_array_size(d->lines) == POLICY_DIFF_LINES_MAX) {
		d->left_off++;
		return;
	}
	if (was != NULL)
		diff_say(&d->was_words, member, was, &before);
	if (now != NULL)
		diff_say(&d->now_words, member, now, &after);
	json_array_append_new(d->lines,
	    json_pack("{s:s,s:s*,s:s*}", "what", diff_label(path), "was",
		was != NULL ? (before.len > 0 ? before.data : "") : NULL, "now",
		now != NULL ? (after.len > 0 ? after.data : "") : NULL));
	buf_done(&before);
	buf_done(&after);
}

void
diff_text(struct diff *d, const char *what, const char *was, const char *now)
{
	json_array_append_new(d->lines,
	    json_pack("{s:s,s:s*,s:s*}", "what", what, "was", was, "now", now));
}

void
diff_begin(struct diff *d)
{
	d->lines = json_array();
	CHECK(d->lines != NULL);
}

/* Takes the lines over; a change without any, that neither came nor went, is none. */
void
diff_end(struct diff *d, const char *of, const char *name, const char *is, const char *says)
{
	if (json_array_size(d->lines) == 0 && strcmp(is, "changed") == 0) {
		json_decref(d->lines);
	} else if (json_array_size(d->changes) == POLICY_DIFF_CHANGES_MAX) {
		d->left_off++;
		json_decref(d->lines);
	} else {
		json_array_append_new(d->changes,
		    json_pack("{s:s,s:s,s:s,s:s*,s:o}", "of", of, "name", name, "is", is, "says",
			says, "lines", d->lines));
	}
	d->lines = NULL;
}

/* ---- trees ---- */

bool
diff_same(const json_t *a, const json_t *b)
{
	return a == b || (a != NULL && b != NULL && json_equal(a, b));
}

/* Where the order is part of the meaning. */
static bool
is_ordered(const char *path)
{
	return strcmp(path, "languages") == 0 || strcmp(path, "offer.ladder") == 0 ||
	    strcmp(path, "offer.tiers") == 0;
}

static bool
has(const json_t *list, const json_t *wanted)
{
	const json_t *element;
	size_t i;

	json_array_foreach(list, i, element) {
		if (json_equal(element, wanted))
			return true;
	}
	return false;
}

static void
compare_sets(struct diff *d, const char *path, const json_t *was, const json_t *now)
{
	size_t before = json_array_size(d->lines), i;
	const json_t *element;

	json_array_foreach(was, i, element) {
		if (!has(now, element))
			diff_line(d, path, element, NULL);
	}
	json_array_foreach(now, i, element) {
		if (!has(was, element))
			diff_line(d, path, NULL, element);
	}
	if (json_array_size(d->lines) == before)
		diff_line(d, path, was, now); /* the same in another order, or more often */
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of members that either has, sorted; the caller frees. */
const char **
diff_names(const json_t *was, const json_t *now, size_t *ret_count)
{
	const char **names =
	    mem_calloc(json_object_size(was) + json_object_size(now) + 1, sizeof(*names));
	const char *name;
	json_t *value;
	size_t count = 0;

	json_object_foreach((json_t *)was, name, value)
		names[count++] = name;
	json_object_foreach((json_t *)now, name, value) {
		if (json_object_get(was, name) == NULL)
			names[count++] = name;
	}
	qsort(names, count, sizeof(*names), by_text);
	*ret_count = count;
	return names;
}

static void
compare_objects(struct diff *d, const char *path, const json_t *was, const json_t *now)
{
	size_t count;
	const char **names = diff_names(was, now, &count);

	for (size_t i = 0; i < count; i++) {
		char inner[DIFF_PATH_SIZE];

		snprintf(inner, sizeof(inner), "%s%s%s", path, path[0] != '\0' ? "." : "",
		    names[i]);
		diff_compare(d, inner, json_object_get(was, names[i]),
		    json_object_get(now, names[i]));
	}
	free(names);
}

/* A rule is one value: what is in it is no member. */
static bool
is_rule(const char *path)
{
	static const char *const rules[] = { "eligible", "applicable", "suitable", "propensity",
		"context", "lever", "margin", "interrupt", "offer.include", "offer.exclude",
		"outcome.item" };

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strcmp(path, rules[i]) == 0)
			return true;
	return strstr(path, ".patch") != NULL;
}

void
diff_compare(struct diff *d, const char *path, const json_t *was, const json_t *now)
{
	if (diff_same(was, now))
		return;
	if (is_rule(path))
		diff_line(d, path, was, now);
	else if ((json_is_object(was) || was == NULL) && (json_is_object(now) || now == NULL))
		compare_objects(d, path, was, now);
	else if ((json_is_array(was) || was == NULL) && (json_is_array(now) || now == NULL) &&
	    !is_ordered(path))
		compare_sets(d, path, was, now);
	else
		diff_line(d, path, was, now);
}
