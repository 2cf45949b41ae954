/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_plan_roots.c - the chain of roots, ours and what a broker has of it.
 */
#include "hq/publish_plan_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct kept_text *
kept_root(const struct planning *p, int64_t version)
{
	char topic[PUBLISH_TOPIC_SIZE];

	topic_root(topic, version);
	return kept_get(p->kept, topic);
}

/* One of our own. Where the broker has the one before it, it must follow from that: else stores would never take it. Who
 * gives both settles what the one before it is. */
static int
open_given(struct planning *p, const struct goods_root *first, struct err *why)
{
	CHECK(first != NULL);
	const struct goods_text *file = &first->file;
	const struct kept_text *before = kept_root(p, first->root.version - 1);
	int rc;

	if (before == NULL)
		return root_open(file->text, file->len, file->path, &p->root, NULL, why);
	rc = root_open(before->bytes, before->len, before->topic, &p->root, NULL, why);
	if (rc == 0)
		rc = root_next(&p->root, file->text, file->len, file->path, &p->root, NULL, why);
	return rc;
}

/* The lowest of our own that is one; *ret_found NULL: none. */
static int
first_given(struct planning *p, const struct goods_root **ret_found)
{
	int rc = 0;

	*ret_found = NULL;
	for (size_t i = 0; rc == 0 && *ret_found == NULL && i < p->goods->root_count; i++) {
		struct err why = { 0 };

		if (open_given(p, &p->goods->roots[i], &why) == 0)
			*ret_found = &p->goods->roots[i];
		else
			rc = plan_mistake(p, &why);
	}
	return rc;
}

/* Where the chain begins; without a root of our own with the lowest of the broker's. */
static int
first_root(struct planning *p, const struct goods_root **ret_given)
{
	static const char start[] = TOPIC_HQ "root/";
	const struct kept_text *lowest = NULL;
	int64_t version = INT64_MAX;
	int rc = first_given(p, ret_given);

	if (rc != 0 || *ret_given != NULL)
		return rc;
	for (size_t i = 0; i < p->kept->count; i++) {
		const struct kept_text *text = &p->kept->texts[i];
		long long one = 0;

		if (strncmp(text->topic, start, sizeof(start) - 1) == 0 &&
		    sscanf(text->topic + sizeof(start) - 1, "%lld", &one) == 1 && one > 0 &&
		    one < version) {
			version = one;
			lowest = text;
		}
	}
	if (lowest == NULL)
		return err_set(p->err, AISLE_E_REFUSED,
		    "no root was given, and the broker has none: nothing can be verified");
	return root_open(lowest->bytes, lowest->len, lowest->topic, &p->root, NULL, p->err);
}

static void
put_root(struct planning *p, const struct goods_root *given, const struct kept_text *there)
{
	char topic[PUBLISH_TOPIC_SIZE];

	topic_root(topic, p->root.version);
	if (given != NULL)
		plan_text(p, topic, given->file.text, given->file.len);
	else if (there != NULL)
		p->plan->retained += (int64_t)(there->len + strlen(topic));
}

/* *ret_more false: none that follows. */
static int
next_root(struct planning *p, bool *ret_more)
{
	int64_t version = p->root.version + 1;
	const struct kept_text *there = kept_root(p, version);

	*ret_more = true;
	for (size_t i = 0; i < p->goods->root_count; i++) {
		const struct goods_root *given = &p->goods->roots[i];
		struct err why = { 0 }, named = { 0 };

		if (given->root.version != version)
			continue;
		if (root_next(&p->root, given->file.text, given->file.len, given->file.path,
			&p->root, NULL, &why) == 0) {
			put_root(p, given, there);
			return 0;
		}
		err_set(&named, why.code, "%s: %s", given->file.path, why.text);
		if (plan_mistake(p, &named) != 0)
			return named.code;
	}
	*ret_more = there != NULL &&
	    root_next(&p->root, there->bytes, there->len, there->topic, &p->root, NULL, NULL) == 0;
	if (*ret_more)
		put_root(p, NULL, there);
	else if (there != NULL)
		plan_note(p, there->topic,
		    "does not follow from the root before it, and is left alone");
	return 0;
}

/* From the first to the newest that our files, or the broker's, lead to. */
int
plan_roots(struct planning *p)
{
	const struct goods_root *first,
	    *last = p->goods->root_count > 0 ? &p->goods->roots[p->goods->root_count - 1] : NULL;
	int rc = first_root(p, &first);
	bool more = rc == 0;

	if (rc == 0)
		put_root(p, first, kept_root(p, p->root.version));
	while (more && rc == 0)
		rc = next_root(p, &more);
	if (rc == 0 && last != NULL && last->root.version > p->root.version) {
		struct err why = { 0 };

		err_set(&why, AISLE_E_REFUSED,
		    "%s: root %" PRId64 " follows on nothing, expected root %" PRId64 " too",
		    last->file.path, last->root.version, p->root.version + 1);
		rc = plan_mistake(p, &why);
	}
	p->plan->root_version = p->root.version;
	return rc;
}
