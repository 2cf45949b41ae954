/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_plan.c - what is to be done on one broker.
 *
 * DESIGN
 *   The newest root that our own files lead to decides; what a broker retains is believed only as far as it verifies
 *   against that. A mistake at HQ goes no further than this file: all is verified before the first byte is sent.
 *   Where files were named, one mistake stops all. In a folder only what is wrong stays behind: a stop has to go out
 *   whatever lies beside it.
 *
 *   A store hears a release the moment it is on the broker, so its chunks are there before; and what the last
 *   release named goes only after the new one has come.
 */
#include "hq/publish_plan_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hq/publish_lists.h"

/* ---- orders ---- */

static int
take_orders_of(struct planning *p, const char *topic)
{
	const struct kept_text *there = kept_get(p->kept, topic);
	struct buf list = { 0 };
	struct err why = { 0 };
	size_t count;
	int rc = orders_merge(&p->root, p->goods, topic, there != NULL ? there->bytes : "",
	    there != NULL ? there->len : 0, p->now_ms, &list, &count, p->notes, &p->plan->wrong,
	    &why);

	if (rc == 0 && (count > 0 || there != NULL))
		plan_text(p, topic, list.data, list.len);
	else if (rc != 0)
		rc = plan_mistake(p, &why); /* the list stays as it is */
	buf_done(&list);
	return rc;
}

static int
take_orders(struct planning *p)
{
	static const char start[] = TOPIC_HQ "store/";
	int rc = take_orders_of(p, TOPIC_STOP);

	for (size_t i = 0; rc == 0 && i < p->kept->count; i++) {
		const char *topic = p->kept->texts[i].topic;
		size_t len = strlen(topic);

		if (strncmp(topic, start, sizeof(start) - 1) == 0 && len > 6 &&
		    strcmp(topic + len - 6, "/order") == 0)
			rc = take_orders_of(p, topic);
	}
	for (size_t i = 0; rc == 0 && i < p->goods->order_count; i++) {
		char topic[PUBLISH_TOPIC_SIZE], earlier[PUBLISH_TOPIC_SIZE];
		bool taken;

		topic_orders(topic, &p->goods->orders[i].order);
		taken = strcmp(topic, TOPIC_STOP) == 0 || kept_get(p->kept, topic) != NULL;
		for (size_t j = 0; !taken && j < i; j++) {
			topic_orders(earlier, &p->goods->orders[j].order);
			taken = strcmp(earlier, topic) == 0;
		}
		if (!taken)
			rc = take_orders_of(p, topic);
	}
	return rc;
}

/* ---- all of it ---- */

/* Too much in all: in a folder roots and orders go all the same. */
static int
keep_bound(struct planning *p, size_t urgent)
{
	struct plan *plan = p->plan;
	struct err why = { 0 };
	int rc;

	if (plan->retained <= PLAN_RETAINED_MAX)
		return 0;
	err_set(&why, AISLE_E_FULL,
	    "%.1f MiB would be retained in all, expected at most %" PRId64
	    ": fewer channels, or smaller bundles",
	    (double)plan->retained / (1 << 20), PLAN_RETAINED_MAX >> 20);
	rc = plan_mistake(p, &why);
	while (plan->count > urgent)
		free(plan->steps[--plan->count].payload);
	return rc;
}

static int
make(struct planning *p)
{
	bool something;
	size_t urgent;
	int rc = plan_roots(p);

	something = p->goods->release_count + p->goods->order_count > 0;
	if (rc == 0 && something)
		rc = root_in_force(&p->root, p->now_ms, NULL, p->err);
	/* A stop waits for no bundle. */
	if (rc == 0 && root_in_force(&p->root, p->now_ms, NULL, NULL) == 0)
		rc = take_orders(p);
	if (rc != 0)
		return rc;
	urgent = p->plan->count;
	plan_kept_releases(p);
	for (size_t i = 0; rc == 0 && i < p->goods->release_count; i++)
		rc = plan_release(p, &p->goods->releases[i]);
	if (rc != 0)
		return rc;
	if (p->goods->folder)
		plan_unverified(p);
	plan_bundles(p);
	plan_put_releases(p);
	plan_forget(p);
	return keep_bound(p, urgent);
}

int
plan_make(struct goods *goods, const struct kept *kept, int64_t now_ms, struct plan *ret,
    struct buf *notes, struct err *err)
{
	struct plan plan = { 0 };
	struct planning *p = mem_zero(sizeof(*p));
	int rc;

	*p = (struct planning){ .goods = goods,
		.kept = kept,
		.now_ms = now_ms,
		.plan = &plan,
		.notes = notes,
		.err = err };
	rc = make(p);
	for (size_t i = 0; i < p->count; i++)
		release_done(&p->in_force[i].release);
	free(p->in_force);
	free(p);
	if (rc != 0)
		plan_done(&plan);
	else
		*ret = plan;
	return rc;
}

void
plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->steps[i].payload);
	free(plan->steps);
	free(plan->grants);
	*plan = (struct plan){ 0 };
}

const struct artifact_file *
plan_grant(const struct plan *plan, const char *store, const char *hash)
{
	for (size_t i = 0; i < plan->grant_count; i++) {
		const struct grant *grant = &plan->grants[i];

		if (strcmp(grant->artifact->hash, hash) == 0 &&
		    (grant->store[0] == '\0' || strcmp(grant->store, store) == 0))
			return grant->artifact;
	}
	return NULL;
}
