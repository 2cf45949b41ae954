/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_plan_releases.c - which release is in force on each topic.
 */
#include "hq/publish_plan_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct in_force *
find_in_force(struct planning *p, const char *topic)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->in_force[i].topic, topic) == 0)
			return &p->in_force[i];
	return NULL;
}

static struct in_force *
add_in_force(struct planning *p, const char *topic)
{
	struct in_force *one;

	p->in_force = mem_grow(p->in_force, p->count, &p->room, sizeof(*p->in_force));
	one = &p->in_force[p->count++];
	*one = (struct in_force){ 0 };
	snprintf(one->topic, sizeof(one->topic), "%s", topic);
	return one;
}

static bool
is_release_topic(const char *topic)
{
	size_t len = strlen(topic);

	return strncmp(topic, TOPIC_HQ "release/", sizeof(TOPIC_HQ "release/") - 1) == 0 ||
	    (strncmp(topic, TOPIC_HQ "store/", sizeof(TOPIC_HQ "store/") - 1) == 0 && len > 8 &&
		strcmp(topic + len - 8, "/release") == 0);
}

/* What is on the broker and HQ's, whether it has expired or not: a store may be fetching it. */
void
plan_kept_releases(struct planning *p)
{
	for (size_t i = 0; i < p->kept->count; i++) {
		const struct kept_text *text = &p->kept->texts[i];
		struct release release;
		char topic[PUBLISH_TOPIC_SIZE];

		if (!is_release_topic(text->topic))
			continue;
		if (release_open(&p->root, text->bytes, text->len, text->topic, p->now_ms, &release,
			NULL, NULL) != 0) {
			plan_note(p, text->topic, "is on the broker and does not verify");
			continue;
		}
		topic_release(topic, &release);
		if (strcmp(topic, text->topic) == 0)
			add_in_force(p, topic)->release = release;
		else
			release_done(&release);
	}
}

/* One of a folder's that is over is its history; one that was named is a mistake. */
static int
left_out(struct planning *p, const struct goods_release *given, const char *why)
{
	if (!p->goods->folder)
		return err_set(p->err, AISLE_E_REFUSED, "%s: %s", given->file.path, why);
	plan_note(p, given->file.path, why);
	return 0;
}

static bool
same_release(const struct release *a, const struct release *b)
{
	return memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

static int
open_given(const struct planning *p, const struct goods_release *given, struct release *ret,
    struct err *why)
{
	return release_open(&p->root, given->file.text, given->file.len, given->file.path,
	    p->now_ms, ret, NULL, why);
}

/* One that the keys of another day have signed is history, if a later one is in force. */
void
plan_unverified(struct planning *p)
{
	for (size_t i = 0; i < p->goods->release_count; i++) {
		const struct goods_release *given = &p->goods->releases[i];
		struct err why = { 0 }, named = { 0 };
		char topic[PUBLISH_TOPIC_SIZE];
		const struct in_force *there;
		struct release release;

		if (open_given(p, given, &release, &why) == 0) {
			release_done(&release);
			continue;
		}
		topic_release(topic, &given->release);
		there = find_in_force(p, topic);
		err_set(&named, why.code, "%s: %s", given->file.path, why.text);
		if (there != NULL && there->release.sequence > given->release.sequence)
			plan_note(p, given->file.path, why.text);
		else
			(void)!plan_mistake(p, &named);
	}
}

int
plan_release(struct planning *p, const struct goods_release *given)
{
	char topic[PUBLISH_TOPIC_SIZE];
	struct in_force *there;
	struct release release;
	struct err err = { 0 };
	bool other;

	if (open_given(p, given, &release, &err) != 0)
		return p->goods->folder ? 0 : left_out(p, given, err.text);
	topic_release(topic, &release);
	there = find_in_force(p, topic);
	other = there != NULL && !same_release(&there->release, &release);
	if (other && there->release.sequence == release.sequence) {
		release_done(&release);
		err_set(&err, AISLE_E_REFUSED,
		    "%s: sequence %" PRId64 " of %s is another release's, expected one above",
		    given->file.path, given->release.sequence, topic);
		return plan_mistake(p, &err);
	}
	if (other && there->release.sequence > release.sequence) {
		char why[120];
		bool from_broker = there->given == NULL;

		release_done(&release);
		snprintf(why, sizeof(why), "sequence %" PRId64 " is below %" PRId64 "%s",
		    given->release.sequence, there->release.sequence,
		    from_broker ? ", which is on the broker" : "");
		if (from_broker)
			return left_out(p, given, why);
		return 0; /* of two that were given the higher one */
	}
	if (release_in_time(&release, p->now_ms, NULL, &err) != 0) {
		release_done(&release);
		return left_out(p, given, err.text);
	}
	if (plan_check_bundles(p, &release, &err) != 0) {
		release_done(&release);
		return plan_mistake(p, &err);
	}
	if (there == NULL)
		there = add_in_force(p, topic);
	else
		release_done(&there->release);
	there->release = release;
	there->given = given;
	return 0;
}

static void
put_release(struct planning *p, const struct in_force *one)
{
	size_t before = p->plan->count;

	plan_text(p, one->topic, one->given->file.text, one->given->file.len);
	if (p->plan->count == before || release_is_own(&one->release))
		return;
	for (int kind = 0; kind < BUNDLE_KINDS; kind++)
		if (one->release.bundles[kind].named)
			memcpy(p->plan->steps[before].needs[kind], one->release.bundles[kind].hash,
			    65);
}

void
plan_put_releases(struct planning *p)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct in_force *one = &p->in_force[i];
		const struct kept_text *there = kept_get(p->kept, one->topic);

		if (one->given != NULL)
			put_release(p, one);
		else
			p->plan->retained += (int64_t)(there->len + strlen(one->topic));
	}
}
