/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_visits.c - visits in memory and on disk: found by id, by basket, by a name; written with
 * the turn.
 *
 * A visit whose basket is over leaves memory with the turn that ended it; the
 * rest are loaded at the start.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/id.h"
#include "core/log.h"
#include "profile/subject_io.h"

enum { VISIT_FLAG_OVER = 0, VISIT_FLAG_LIVE = 1 };

static int
load_visit(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms,
    const void *body, size_t len)
{
	struct engine *engine = ctx;
	struct visit *visit;

	(void)subject;
	(void)at_ms;
	if (visit_decode(body, len, &visit) != 0) {
		char text[ID_TEXT_SIZE];

		id_text(key, text);
		log_warning("visit set aside: its row cannot be read visit=%s", text);
		return 0;
	}
	sessions_add(engine->sessions, visit);
	weights_take(engine, visit);
	return 0;
}

static void
track(struct engine *engine, struct visit *visit)
{
	for (size_t i = 0; i < engine->touched_count; i++) {
		if (engine->touched[i] == visit)
			return;
	}
	engine->touched = mem_grow(engine->touched, engine->touched_count,
	    &engine->touched_capacity, sizeof(visit));
	engine->touched[engine->touched_count++] = visit;
}

/* A card that was merged since is another's. */
static void
whose_now(struct engine *engine, struct visit *visit)
{
	if (visit->has_subject)
		visit->subject = engine_person(engine, &visit->subject)->id;
	for (size_t i = 0; i < visit->read_count; i++)
		visit->reads[i].subject = engine_person(engine, &visit->reads[i].subject)->id;
	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];

		if (!id_is_zero(&card->former))
			card->former = engine_person(engine, &card->former)->id;
	}
}

static struct visit *
load_one_visit(struct engine *engine, const struct id *id)
{
	struct buf buf = { 0 };
	struct visit *visit = NULL;
	int rc = store_get(engine->store, STORE_VISIT, id, &buf, NULL);

	engine_check(engine, rc);
	if (rc == 0 && visit_decode(buf.data, buf.len, &visit) == 0) {
		whose_now(engine, visit);
		sessions_add(engine->sessions, visit);
		track(engine, visit); /* leaves memory with this turn if it is over */
	} else {
		visit = NULL;
	}
	buf_done(&buf);
	return visit;
}

/* What is named by an id of ours stands in the order of its making, beside its neighbours on one
 * page; not a till's name for a basket or a return, nor a station's, which may only look like one. */
static struct id
ref_name(const char *kind, const char *name)
{
	const char *parts[] = { kind, name };
	struct id hash = hash_parts(parts, 2), id;

	bool ours = strcmp(kind, "prompt") == 0 || strcmp(kind, "guidance") == 0 ||
	    strcmp(kind, "token") == 0;

	if (ours && id_parse(name, &id))
		memcpy(hash.b, id.b, 6); /* the time */
	return hash;
}

struct visit *
engine_visit(struct engine *engine, const struct id *id)
{
	struct visit *visit = sessions_by_id(engine->sessions, id);

	return visit != NULL ? visit : load_one_visit(engine, id);
}

struct visit *
engine_visit_by_ref(struct engine *engine, const char *kind, const char *name)
{
	struct id ref = ref_name(kind, name), id;
	int rc = store_ref_get(engine->store, &ref, &id);

	engine_check(engine, rc);
	return rc == 0 ? engine_visit(engine, &id) : NULL;
}

void
engine_ref(struct engine *engine, const char *kind, const char *name, const struct visit *visit)
{
	struct id ref = ref_name(kind, name);

	engine_check(engine, store_ref_put(engine->store, &ref, &visit->id, engine->now_ms));
}

bool
engine_ref_known(struct engine *engine, const char *kind, const char *name)
{
	struct id ref = ref_name(kind, name), id;
	int rc = store_ref_get(engine->store, &ref, &id);

	engine_check(engine, rc);
	return rc == 0 || rc == AISLE_E_DAMAGED;
}

struct id
engine_ref_note(struct engine *engine, const char *kind, const char *name)
{
	struct id ref = ref_name(kind, name);

	engine_check(engine, store_ref_put(engine->store, &ref, &ref, engine->now_ms));
	return ref;
}

void
engine_touch(struct engine *engine, struct visit *visit)
{
	visit->dirty = true;
	track(engine, visit);
}

void
engine_remove_visit(struct engine *engine, struct visit *visit)
{
	/* Nobody can redeem what it held. */
	for (size_t i = 0; i < visit->card_count; i++) {
		if (!visit->cards[i].redeemed)
			hold_release(engine, &visit->cards[i]);
	}
	engine_check(engine, store_delete(engine->store, STORE_VISIT, &visit->id));
	for (size_t i = 0; i < engine->touched_count; i++) {
		if (engine->touched[i] == visit)
			engine->touched[i] = engine->touched[--engine->touched_count];
	}
	weights_drop(engine, visit);
	sessions_remove(engine->sessions, visit);
}

int
engine_load_visits(struct engine *engine)
{
	return store_each(engine->store, STORE_VISIT, VISIT_FLAG_LIVE, load_visit, engine);
}

void
engine_save_visits(struct engine *engine, struct buf *buf)
{
	for (size_t i = 0; i < engine->touched_count; i++) {
		struct visit *visit = engine->touched[i];
		bool over = visit_over(visit);
		const struct id *subject = visit->has_subject ? &visit->subject : NULL;

		if (visit->dirty) {
			if (subject != NULL && keys_forgotten(engine->keys, subject))
				subject = NULL;
			buf_clear(buf);
			visit_encode(visit, buf);
			engine_check(engine,
			    store_put(engine->store, STORE_VISIT, &visit->id, subject,
				visit->last_ms, over ? VISIT_FLAG_OVER : VISIT_FLAG_LIVE, buf->data,
				buf->len));
			visit->dirty = false;
		}
		weights_take(engine, visit);
		engine_baskets_saved(engine, visit);
		if (over)
			sessions_remove(engine->sessions, visit);
	}
	engine->touched_count = 0;
}

/* Counts, and once there is room collects. */
static void
collect_visits_of(void *ctx, struct visit *visit)
{
	struct subject_visits *w = ctx;

	if (!visit->has_subject || !id_equal(&visit->subject, w->subject))
		return;
	if (w->visits != NULL)
		w->visits[w->count] = visit;
	w->count++;
}

/* All of them, however many: a card that is lent to everybody in the queue is withdrawn and
 * forgotten everywhere. */
void
subject_visits_find(struct engine *engine, struct subject_visits *visits)
{
	visits->visits = NULL;
	visits->count = 0;
	sessions_each(engine->sessions, collect_visits_of, visits);
	if (visits->count == 0)
		return;
	visits->visits = arena_alloc(engine->arena, visits->count * sizeof(*visits->visits));
	visits->count = 0;
	sessions_each(engine->sessions, collect_visits_of, visits);
}
