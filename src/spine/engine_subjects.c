/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_subjects.c - customers in memory: a cache of their rows, with headquarters' profile on
 * top.
 *
 * LIMITS
 *   Over SUBJECTS_CACHED the cache gives up what a turn did not use.
 */
#include "spine/spine.h"

#include <stdlib.h>

#include "core/id.h"
#include "core/log.h"
#include "core/metrics.h"
#include "policy/policy_load.h"
#include "profile/subject_io.h"

static int
load_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	struct subject *subject = ctx;

	(void)n;
	(void)at_ms;
	if (subject_add_log(subject, kind, body, len) != 0)
		log_warning("a history row cannot be read and is left out kind=%d", kind);
	return 0;
}

static void
load_profile(struct engine *engine, struct subject *subject)
{
	struct buf buf = { 0 };

	if (engine->profile_get != NULL &&
	    engine->profile_get(engine->profile_ctx, &subject->id, &buf) == 0) {
		if (subject_apply_profile(subject, buf.data, buf.len) != 0) {
			metrics_add(METRIC_PROFILES_UNREADABLE, 1);
			log_warning("a profile row cannot be read and is left out");
		}
	}
	buf_done(&buf);
}

/* What HQ says of a card that was merged into this one. What the customer has said themselves of
 * consent came along when it was merged, and stands. */
static void
load_former_profile(struct engine *engine, struct subject *subject, const struct id *id)
{
	struct subject *former = subject_new(id);

	load_profile(engine, former);
	subject_merge_profile(subject, former);
	for (int i = 0; i < CONSENT_COUNT; i++) {
		struct consent *consent = &subject->consent[i];

		if (consent->at_ms == 0 && former->consent[i].state > consent->state)
			consent->state = former->consent[i].state;
	}
	subject_free(former);
}

/* A contact about an action of ours counts for its group and issue, too. */
static void
name_told(const struct engine *engine, struct subject *subject)
{
	for (size_t i = 0; subject->told_count > 0 && i < subject->contacts.count; i++) {
		struct contact *row = &subject->contacts.rows[i];
		const struct action *action = !row->told || row->action == NULL
		    ? NULL
		    : policy_action(engine->policy, row->action);

		if (action == NULL || row->group != NULL)
			continue;
		row->group = mem_strdup(action->group);
		row->issue = mem_strdup(action->issue);
	}
}

static struct subject *
load_subject(struct engine *engine, const struct id *id)
{
	struct subject *subject = subject_new(id);
	struct buf buf = { 0 };
	int rc;

	if (keys_forgotten(engine->keys, id)) {
		subject->forgotten = true;
		return subject;
	}
	rc = store_get(engine->store, STORE_SUBJECT, id, &buf, NULL);
	engine_check(engine, rc);
	/* Between two turns nothing is set aside: what is known then is not kept for the next one. */
	if (rc != 0 && rc != AISLE_E_NONE)
		engine->subjects_doubtful = true;
	if (rc == 0 && subject_decode(subject, buf.data, buf.len) != 0)
		log_warning("a subject's row cannot be read and is left out");
	/* HQ's part comes on top: it yields where the customer has spoken since. */
	buf_clear(&buf);
	buf_done(&buf);
	if (!id_is_zero(&subject->merged_into))
		return subject;
	load_profile(engine, subject);
	for (size_t i = 0; i < subject->merged_count; i++)
		load_former_profile(engine, subject, &subject->merged[i]);
	engine_check(engine,
	    store_log_each(engine->store, STORE_LOG_SUBJECT, id, load_log, subject));
	if (engine->policy != NULL)
		name_told(engine, subject);
	return subject;
}

static size_t
subject_bucket(const struct id *id)
{
	return ((size_t)id->b[0] << 8 | id->b[1]) % SUBJECT_BUCKETS;
}

static void
save_subject(struct engine *engine, struct subject *subject, struct buf *buf)
{
	if (!subject->dirty || subject->forgotten)
		return;
	buf_clear(buf);
	subject_encode(subject, buf);
	engine_check(engine,
	    store_put(engine->store, STORE_SUBJECT, &subject->id, &subject->id, engine->now_ms, 0,
		buf->data, buf->len));
	subject->dirty = false;
}

void
subject_replace_purchase(struct engine *engine, struct subject *subject, int64_t at_ms,
    const struct buf *row)
{
	int rc = store_log_drop(engine->store, STORE_LOG_SUBJECT, &subject->id,
	    SUBJECT_LOG_PURCHASE, row->data, PURCHASE_NAME_BYTES);

	engine_check(engine, rc);
	engine_check(engine,
	    store_log_add(engine->store, STORE_LOG_SUBJECT, &subject->id, &subject->id,
		SUBJECT_LOG_PURCHASE, at_ms, row->data, row->len));
}

static struct subject_slot *
add_slot(struct engine *engine, const struct id *id)
{
	struct subject_slot **head = &engine->subjects[subject_bucket(id)],
			    *slot = mem_zero(sizeof(*slot));

	slot->subject = load_subject(engine, id);
	slot->next = *head;
	*head = slot;
	engine->subject_count++;
	return slot;
}

/* What is past its time is not there, whether or not it has left the disk: what is known of a customer hangs on no
 * restart, nor on when there was time to tidy up. */
struct subject *
engine_subject(struct engine *engine, const struct id *id)
{
	struct subject_slot *slot = engine->subjects[subject_bucket(id)];

	while (slot != NULL && !id_equal(&slot->subject->id, id))
		slot = slot->next;
	if (slot == NULL)
		slot = add_slot(engine, id);
	slot->used = true;
	subject_expire(slot->subject, engine->now_ms - engine->conf->retain_ms);
	subject_expire_told(slot->subject, engine->now_ms - SUBJECT_TOLD_MS);
	return slot->subject;
}

void
engine_forget_subject(struct engine *engine, const struct id *id)
{
	struct subject_slot *slot = engine->subjects[subject_bucket(id)];

	while (slot != NULL && !id_equal(&slot->subject->id, id))
		slot = slot->next;
	if (slot == NULL)
		return;
	subject_free(slot->subject);
	slot->subject = subject_new(id);
	slot->subject->forgotten = true;
}

struct subject *
engine_person(struct engine *engine, const struct id *id)
{
	struct subject *subject = engine_subject(engine, id);

	/* A merge forwards every card that the merged one was before: one step is enough. */
	if (!subject->forgotten && !id_is_zero(&subject->merged_into))
		subject = engine_subject(engine, &subject->merged_into);
	return subject;
}

const struct subject *
engine_remembered(struct engine *engine, const struct id *id)
{
	const struct subject *subject = id != NULL ? engine_subject(engine, id) : NULL;

	if (subject == NULL || subject->forgotten ||
	    !consent_granted(subject, CONSENT_PROFILE, engine->now_ms))
		return NULL;
	return subject;
}

void
engine_drop_subjects(struct engine *engine)
{
	for (size_t i = 0; i < SUBJECT_BUCKETS; i++) {
		struct subject_slot *slot, *next;

		for (slot = engine->subjects[i]; slot != NULL; slot = next) {
			next = slot->next;
			subject_free(slot->subject);
			free(slot);
		}
		engine->subjects[i] = NULL;
	}
	engine->subject_count = 0;
	engine->subjects_doubtful = false;
}

void
engine_save_subjects(struct engine *engine, struct buf *buf)
{
	bool evict = engine->subject_count > SUBJECTS_CACHED;

	for (size_t i = 0; i < SUBJECT_BUCKETS && engine->subject_count > 0; i++) {
		struct subject_slot **at = &engine->subjects[i], *slot;

		while ((slot = *at) != NULL) {
			save_subject(engine, slot->subject, buf);
			if (slot->used || !evict) {
				slot->used = false;
				at = &slot->next;
				continue;
			}
			*at = slot->next;
			subject_free(slot->subject);
			free(slot);
			engine->subject_count--;
		}
	}
}
