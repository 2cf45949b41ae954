/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_plan_roots.c - the chain of roots, ours and what a broker has of it.
 */
#include "hq/publish_plan_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct goods_root *
given_root(const struct planning *p, int64_t version)
{
	for (size_t i = 0; i < p->goods->root_count; i++)
		if (p->goods->roots[i].root.version == version)
			return &p->goods->roots[i];
	return NULL;
}

static const struct kept_text *
kept_root(const struct planning *p, int64_t version)
{
	char topic[PUBLISH_TOPIC_SIZE];

	topic_root(topic, version);
	return kept_get(p->kept, topic);
}

/* The lowest of our own. Where the broker has the one before it, it must follow from that: else stores would never take
 * it. Who gives both settles what the one before it is. */
static int
first_given(struct planning *p)
{
	const struct goods_root *first = &p->goods->roots[0];
	const struct goods_text *file = &first->file;
	const struct kept_text *before = kept_root(p, first->root.version - 1);
	int rc;

	if (before == NULL)
		return root_open(file->text, file->len, file->path, &p->root, NULL, p->err);
	rc = root_open(before->bytes, before->len, before->topic, &p->root, NULL, p->err);
	if (rc == 0)
		rc = root_next(&p->root, file->text, file->len, file->path, &p->root, NULL, p->err);
	return rc;
}

/* Where the chain begins; without a root of our own with the lowest of the broker's. */
static int
first_root(struct planning *p)
{
	static const char start[] = TOPIC_HQ "root/";
	const struct kept_text *lowest = NULL;
	int64_t version = INT64_MAX;

	if (p->goods->root_count > 0)
		return first_given(p);
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

static int
put_root(struct planning *p, const struct goods_root *given, const struct kept_text *there)
{
	char topic[PUBLISH_TOPIC_SIZE];

	topic_root(topic, p->root.version);
	if (given != NULL)
		plan_text(p, topic, given->file.text, given->file.len);
	else
		p->plan->retained += (int64_t)(there->len + strlen(topic));
	return 0;
}

/* From the first to the newest that our files, or the broker's, lead to. */
int
plan_roots(struct planning *p)
{
	int rc = first_root(p);

	if (rc == 0)
		put_root(p, given_root(p, p->root.version), kept_root(p, p->root.version));
	while (rc == 0) {
		const struct goods_root *given = given_root(p, p->root.version + 1);
		const struct kept_text *there = kept_root(p, p->root.version + 1);

		if (given == NULL && there == NULL)
			break;
		if (given != NULL) {
			struct err why = { 0 };

			rc = root_next(&p->root, given->file.text, given->file.len,
			    given->file.path, &p->root, NULL, &why);
			if (rc != 0)
				err_set(p->err, rc, "%s: %s", given->file.path, why.text);
		} else if (root_next(&p->root, there->bytes, there->len, there->topic, &p->root,
			       NULL, NULL) != 0) {
			plan_note(p, there->topic,
			    "does not follow from the root before it, and is left alone");
			break;
		}
		if (rc == 0)
			put_root(p, given, there);
	}
	if (rc == 0 && p->goods->root_count > 0 &&
	    p->goods->roots[p->goods->root_count - 1].root.version > p->root.version)
		rc = err_set(p->err, AISLE_E_REFUSED,
		    "%s: root %" PRId64 " follows on nothing, expected root %" PRId64 " too",
		    p->goods->roots[p->goods->root_count - 1].file.path,
		    p->goods->roots[p->goods->root_count - 1].root.version, p->root.version + 1);
	p->plan->root_version = p->root.version;
	return rc;
}
