/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_diff.c - two policies beside each other: which cards came, went and changed, and what else is not as it was.
 *
 * DESIGN
 *   The sources are compared, member by member, and not what they compiled to: so nothing that differs can be forgotten,
 *   also a member that this file has never heard of. Words are for those that people ask about (policy_diff_words.c).
 *   Lists are sets of elements where their order means nothing; treatments, models, features and experiments are found
 *   again by their names.
 *
 * LIMITS
 *   1,000 changes of 200 lines of 400 bytes; how many were left out is said.
 */
#include "tools/policy_diff_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists whose elements have names ---- */

static const json_t *
find(const json_t *list, const json_t *like, const char *name, const char *second)
{
	const json_t *element;
	size_t i;

	json_array_foreach(list, i, element) {
		if (diff_same(json_object_get(element, name), json_object_get(like, name)) &&
		    (second == NULL ||
			diff_same(json_object_get(element, second), json_object_get(like, second))))
			return element;
	}
	return NULL;
}

/* Treatments, into the lines of their action: "plain (en).headline". */
static void
compare_treatments(struct diff *d, const json_t *was, const json_t *now)
{
	const json_t *element;
	size_t i;

	json_array_foreach(was, i, element) {
		if (find(now, element, "treatment", "language") == NULL)
			diff_line(d, "treatments", element, NULL);
	}
	json_array_foreach(now, i, element) {
		const json_t *before = find(was, element, "treatment", "language");
		char path[DIFF_PATH_SIZE];

		snprintf(path, sizeof(path), "%s (%s)",
		    json_string_value(json_object_get(element, "treatment")),
		    json_string_value(json_object_get(element, "language")));
		if (before == NULL)
			diff_line(d, "treatments", NULL, element);
		else
			diff_compare(d, path, before, element);
	}
}

typedef void (*extra_fn)(struct diff *d, const char *name, const json_t *was, const json_t *now,
    void *ctx);

static void
compare_named(struct diff *d, const char *of, const char *member, const json_t *was,
    const json_t *now, extra_fn extra, void *ctx)
{
	const json_t *lists[2] = { was, now }, *element;

	for (size_t side = 0; side < 2; side++) {
		size_t i;

		json_array_foreach(lists[side], i, element) {
			const json_t *other = find(lists[1 - side], element, member, NULL);
			const json_t *before = side == 0 ? element : other,
				     *after = side == 0 ? other : element;
			const char *name = json_string_value(json_object_get(element, member));

			if (side == 1 && other != NULL)
				continue; /* was compared from the other side */
			diff_begin(d);
			diff_compare(d, "", after == NULL ? NULL : before, after);
			if (extra != NULL)
				extra(d, name, before, after, ctx);
			diff_end(d, of, name,
			    before == NULL	? "came"
				: after == NULL ? "went"
						: "changed",
			    NULL);
		}
	}
}

/* ---- cards ---- */

/* The first headline, as the author wrote it. */
static const char *
headline(const json_t *action)
{
	const json_t *treatment = json_array_get(json_object_get(action, "treatments"), 0);

	return json_string_value(json_object_get(treatment, "headline"));
}

static const char *
offer_type(const json_t *action)
{
	return json_string_value(json_object_get(json_object_get(action, "offer"), "type"));
}

static void
compare_action(struct diff *d, const char *name, const json_t *was, const json_t *now)
{
	json_t *before = was != NULL ? json_copy((json_t *)was) : NULL,
	       *after = now != NULL ? json_copy((json_t *)now) : NULL;
	const json_t *old_treatments = json_object_get(was, "treatments"),
		     *new_treatments = json_object_get(now, "treatments");

	d->was_words.offer_type = offer_type(was);
	d->now_words.offer_type = offer_type(now);
	json_object_del(before, "treatments");
	json_object_del(after, "treatments");
	/* What is in the name already. */
	json_object_del(before, "action");
	json_object_del(after, "action");
	diff_begin(d);
	if (now != NULL) {
		diff_compare(d, "", before, after);
		compare_treatments(d, old_treatments, new_treatments);
	}
	diff_end(d, "card", name,
	    was == NULL	      ? "came"
		: now == NULL ? "went"
			      : "changed",
	    headline(now != NULL ? now : was));
	d->was_words.offer_type = d->now_words.offer_type = NULL;
	json_decref(before);
	json_decref(after);
}

static void
compare_actions(struct diff *d)
{
	const json_t *was = json_object_get(d->was, "actions"),
		     *now = json_object_get(d->now, "actions");
	size_t count;
	const char **names = diff_names(was, now, &count);

	for (size_t i = 0; i < count; i++) {
		const json_t *before = json_object_get(was, names[i]),
			     *after = json_object_get(now, names[i]);

		if (!diff_same(before, after))
			compare_action(d, names[i], before, after);
	}
	free(names);
}

/* ---- what else there is ---- */

/* Who is told another thing than before, though their own file is as it was. */
static void
add_readers(struct diff *d, const char *name, const json_t *was, const json_t *now, void *ctx)
{
	struct buf list = { 0 }, quoted = { 0 };
	const char *action;
	json_t *value;
	int count = 0;

	(void)ctx;
	if (now == NULL || diff_same(was, now))
		return;
	buf_json_str(&quoted, name);
	json_object_foreach(json_object_get(d->now, "actions"), action, value) {
		struct buf text = { 0 };

		json_canonical(value, &text);
		if (strstr(text.data, quoted.data) != NULL && count++ < 8)
			buf_addf(&list, "%s%s", list.len > 0 ? ", " : "", action);
		buf_done(&text);
	}
	if (count > 8)
		buf_addf(&list, " and %d more", count - 8);
	if (count > 0)
		diff_text(d, "read by", NULL, list.data);
	buf_done(&list);
	buf_done(&quoted);
}

struct both_parts {
	const struct policy_parts *was, *now;
};

static const struct policy_part *
part_of(const struct policy_parts *parts, const char *folder, const char *name, const char *end)
{
	char path[DIFF_PATH_SIZE];

	if (name == NULL)
		return NULL;
	snprintf(path, sizeof(path), "%s%s%s", folder, name, end);
	for (size_t i = 0; i < parts->count; i++)
		if (strcmp(parts->part[i].name, path) == 0)
			return &parts->part[i];
	return NULL;
}

static bool
same_part(const struct policy_part *a, const struct policy_part *b)
{
	return a != NULL && b != NULL && a->len == b->len &&
	    memcmp(a->bytes, b->bytes, a->len) == 0;
}

static size_t
exam_rows(const struct policy_part *exam)
{
	const char *at = exam->bytes, *stop = at + exam->len;
	size_t rows = 0;

	for (; at < stop && (at = memchr(at, '\n', (size_t)(stop - at))) != NULL; at++)
		rows++;
	return rows > 0 ? rows - 1 : 0;
}

static void
add_model_files(struct diff *d, const char *name, const json_t *was, const json_t *now, void *ctx)
{
	const struct both_parts *parts = ctx;
	const struct policy_part *before = part_of(parts->was, "models/", name, ".model"),
				 *after = part_of(parts->now, "models/", name, ".model");
	const struct policy_part *exams[2] = {
		part_of(parts->was, "models/", json_string_value(json_object_get(was, "exam")), ""),
		part_of(parts->now, "models/", json_string_value(json_object_get(now, "exam")), ""),
	};

	if (before != NULL && after != NULL && !same_part(before, after))
		diff_text(d, "what it computes", NULL, "other numbers: it was trained anew");
	if (now != NULL && !same_part(exams[0], exams[1]) && exams[1] != NULL) {
		char rows[40];

		snprintf(rows, sizeof(rows), "%zu other rows", exam_rows(exams[1]));
		diff_text(d, "exam", NULL, rows);
	}
}

/* Images and whatever else travels beside the JSON files. */
static void
compare_images(struct diff *d, const struct both_parts *parts)
{
	for (size_t side = 0; side < 2; side++) {
		const struct policy_parts *here = side == 0 ? parts->was : parts->now,
					  *there = side == 0 ? parts->now : parts->was;

		for (size_t i = 0; i < here->count; i++) {
			const char *name = here->part[i].name;
			const struct policy_part *other = part_of(there, name, "", "");

			if (strncmp(name, "images/", 7) != 0 || same_part(&here->part[i], other) ||
			    (side == 1 && other != NULL))
				continue;
			diff_begin(d);
			if (other != NULL)
				diff_text(d, "picture", NULL, "another one");
			diff_end(d, "image", name + 7,
			    other != NULL   ? "changed"
				: side == 0 ? "went"
					    : "came",
			    NULL);
		}
	}
}

static const json_t *
list_of(const json_t *source, const char *file)
{
	return json_object_get(json_object_get(source, file), file);
}

json_t *
policy_diff(const struct policy *was, const struct policy_parts *was_parts,
    const struct policy *now, const struct policy_parts *now_parts)
{
	struct both_parts parts = { was_parts, now_parts };
	struct diff d = {
		.was_words = { was->currency, was->currency_digits, NULL },
		.now_words = { now->currency, now->currency_digits, NULL },
		.was = was->source,
		.now = now->source,
		.changes = json_array(),
	};

	CHECK(d.changes != NULL && d.was != NULL && d.now != NULL);
	compare_actions(&d);
	diff_begin(&d);
	diff_compare(&d, "", json_object_get(d.was, "contact"), json_object_get(d.now, "contact"));
	diff_end(&d, "contact", "contact.json", "changed", NULL);
	diff_begin(&d);
	diff_compare(&d, "", json_object_get(d.was, "shrink"), json_object_get(d.now, "shrink"));
	diff_end(&d, "shrink", "shrink.json", "changed", NULL);
	diff_begin(&d);
	diff_compare(&d, "", json_object_get(d.was, "policy"), json_object_get(d.now, "policy"));
	diff_end(&d, "settings", "policy.json", "changed", NULL);
	compare_named(&d, "experiment", "experiment", list_of(d.was, "experiments"),
	    list_of(d.now, "experiments"), NULL, NULL);
	compare_named(&d, "model", "model", list_of(d.was, "models"), list_of(d.now, "models"),
	    add_model_files, &parts);
	compare_named(&d, "feature", "name", list_of(d.was, "features"), list_of(d.now, "features"),
	    add_readers, NULL);
	compare_images(&d, &parts);
	diff_begin(&d);
	if (!diff_same(json_object_get(d.was, "zones"), json_object_get(d.now, "zones")))
		diff_text(&d, "rules", NULL, "another edition of the time zones");
	diff_end(&d, "zones", "zones.json", "changed", NULL);
	if (d.left_off > 0) {
		char text[40];

		diff_begin(&d);
		snprintf(text, sizeof(text), "%zu", d.left_off);
		diff_text(&d, "differences that are not shown", NULL, text);
		json_array_append_new(d.changes,
		    json_pack("{s:s,s:s,s:s,s:o}", "of", "more", "name", "more", "is", "changed",
			"lines", d.lines));
	}
	return d.changes;
}
