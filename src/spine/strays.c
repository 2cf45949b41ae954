/* SPDX-License-Identifier: Apache-2.0
 *
 * strays.c - goods that came back and whose sale has not been heard of: they wait for it.
 *
 * A row each, sealed under their customer's key where a card came with them, and a copy in memory:
 * a sale that closes asks all of them.
 *
 * LIMITS
 *   STRAY_WAIT_MS; STRAYS_MAX at once, and STRAYS_ALIKE_MAX that a station says of one number or
 *   one card, for a sale that closes asks each of them; the oldest goes first.
 *
 * Row: u8 version, the stray's fields, number of items, each one's fields (codec.c).
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/log.h"
#include "core/metrics.h"
#include "nouns/codec.h"
#include "nouns/match.h"

#define STRAY_VERSION 2
#define STRAYS_MAX 4096
#define STRAYS_ALIKE_MAX 32
#define FLAG_WAITS 1

/* clang-format off */
static const struct field stray_fields[] = {
	FIELD(struct stray, ID, id),
	FIELD(struct stray, ID, ret),
	FIELD(struct stray, STR, number),
	FIELD(struct stray, STR, basket),
	FIELD(struct stray, STR, terminal),
	FIELD(struct stray, STR, station),
	FIELD(struct stray, BOOL, has_subject),
	FIELD(struct stray, ID, subject),
	FIELD(struct stray, BOOL, noted),
	FIELD(struct stray, I64, at_ms),
	FIELD(struct stray, I64, time_ms),
	FIELD(struct stray, I64, sold_ms),
	FIELD(struct stray, I64, unsold_minor),
	FIELD(struct stray, I64, sent_minor),
};

static const struct field item_fields[] = {
	FIELD(struct stray_item, STR, item),
	FIELD(struct stray_item, STR, category),
	FIELD(struct stray_item, I64, qty_milli),
	FIELD(struct stray_item, I64, amount_minor),
	FIELD_TO(struct stray_item, mark, MARK_SENSITIVE + 1),
};
/* clang-format on */

void
stray_free(struct stray *stray)
{
	if (stray == NULL)
		return;
	for (size_t i = 0; i < stray->item_count; i++)
		codec_done(item_fields, ARRAY_LEN(item_fields), &stray->items[i]);
	free(stray->items);
	codec_done(stray_fields, ARRAY_LEN(stray_fields), stray);
	free(stray);
}

struct stray *
stray_new(const struct engine *engine, const struct event *event, const char *station,
    const struct id *ret)
{
	struct stray *stray = mem_zero(sizeof(*stray));

	*stray = (struct stray){
		.id = engine_id(engine, "return"),
		.ret = *ret,
		/* codec_own makes them its own. */
		.number = (char *)(uintptr_t)event->ret,
		.basket = (char *)(uintptr_t)event->basket,
		.terminal = (char *)(uintptr_t)event->terminal,
		.station = (char *)(uintptr_t)station,
		.has_subject = event->has_subject,
		.subject = event->subject,
		.at_ms = engine->now_ms,
		.time_ms = event->time_ms,
		.sold_ms = event->sold_ms,
	};
	codec_own(stray_fields, ARRAY_LEN(stray_fields), stray);
	stray->items = mem_calloc(event->item_count + 1, sizeof(*stray->items));
	for (size_t i = 0; i < event->item_count; i++) {
		const struct event_item *from = &event->items[i];
		struct stray_item *item = &stray->items[stray->item_count++];

		*item = (struct stray_item){
			.item = (char *)(uintptr_t)article_of(from->item, from->sku),
			.category = (char *)(uintptr_t)from->category,
			.qty_milli = from->qty_milli,
			.amount_minor = from->amount_minor,
			.mark = from->mark,
		};
		codec_own(item_fields, ARRAY_LEN(item_fields), item);
	}
	return stray;
}

bool
stray_is_home(const struct stray *stray)
{
	for (size_t i = 0; i < stray->item_count; i++) {
		if (stray->items[i].qty_milli > 0)
			return false;
	}
	return true;
}

/* ---- rows ---- */

void
stray_save(struct engine *engine, const struct stray *stray)
{
	const struct id *subject =
	    stray->has_subject && !keys_forgotten(engine->keys, &stray->subject) ? &stray->subject
										 : NULL;
	struct buf row = { 0 };

	buf_u8(&row, STRAY_VERSION);
	codec_write(stray_fields, ARRAY_LEN(stray_fields), stray, &row);
	buf_i64(&row, (int64_t)stray->item_count);
	for (size_t i = 0; i < stray->item_count; i++)
		codec_write(item_fields, ARRAY_LEN(item_fields), &stray->items[i], &row);
	engine_check(engine,
	    store_put(engine->store, STORE_RETURN, &stray->id, subject, stray->at_ms, FLAG_WAITS,
		row.data, row.len));
	buf_wipe(&row);
}

static struct stray *
decode(const void *bytes, size_t len)
{
	struct rd rd = rd_init(bytes, len);
	struct stray *stray = mem_zero(sizeof(*stray));
	bool ok = rd_u8(&rd) == STRAY_VERSION &&
	    codec_read(stray_fields, ARRAY_LEN(stray_fields), stray, &rd);
	int64_t count = ok ? rd_i64(&rd) : 0;

	ok = ok && rd.ok && count >= 0 && count <= EVENT_ITEMS_MAX && stray->number != NULL &&
	    stray->station != NULL;
	stray->items = mem_calloc(ok ? (size_t)count + 1 : 1, sizeof(*stray->items));
	for (int64_t i = 0; ok && i < count; i++) {
		struct stray_item *item = &stray->items[stray->item_count++];

		ok = codec_read(item_fields, ARRAY_LEN(item_fields), item, &rd) &&
		    item->item != NULL && item->category != NULL;
	}
	if (ok && rd_done(&rd))
		return stray;
	stray_free(stray);
	return NULL;
}

/* ---- those that wait ---- */

static void
remember(struct engine *engine, struct stray *stray)
{
	engine->strays = mem_realloc(engine->strays, (engine->stray_count + 1) * sizeof(stray));
	engine->strays[engine->stray_count++] = stray;
}

static bool
is_alike(const struct stray *a, const struct stray *b)
{
	if (strcmp(a->station, b->station) != 0)
		return false;
	if (a->basket != NULL || b->basket != NULL)
		return a->basket != NULL && b->basket != NULL && strcmp(a->basket, b->basket) == 0;
	return a->has_subject && b->has_subject && id_equal(&a->subject, &b->subject);
}

static void
bound_alike(struct engine *engine, const struct stray *stray)
{
	struct stray *oldest = NULL;
	int count = 0;

	for (size_t i = 0; i < engine->stray_count; i++) {
		if (!is_alike(engine->strays[i], stray))
			continue;
		if (count++ == 0)
			oldest = engine->strays[i];
	}
	if (count < STRAYS_ALIKE_MAX)
		return;
	metrics_add(METRIC_LIMIT_RETURNS, 1);
	stray_drop(engine, oldest);
}

void
stray_keep(struct engine *engine, struct stray *stray)
{
	bound_alike(engine, stray);
	if (engine->stray_count == STRAYS_MAX) {
		metrics_add(METRIC_LIMIT_RETURNS, 1);
		stray_drop(engine, engine->strays[0]);
	}
	remember(engine, stray);
	stray_save(engine, stray);
	timer_add(engine, "return", &stray->id, stray->at_ms + STRAY_WAIT_MS);
}

void
stray_drop(struct engine *engine, struct stray *stray)
{
	size_t i = 0;

	while (i < engine->stray_count && engine->strays[i] != stray)
		i++;
	CHECK(i < engine->stray_count);
	engine->stray_count--;
	memmove(engine->strays + i, engine->strays + i + 1,
	    (engine->stray_count - i) * sizeof(*engine->strays));
	engine_check(engine, store_delete(engine->store, STORE_RETURN, &stray->id));
	timer_cancel(engine, "return", &stray->id, stray->at_ms + STRAY_WAIT_MS);
	stray_free(stray);
}

struct stray *
stray_find(const struct engine *engine, const struct id *id)
{
	for (size_t i = 0; i < engine->stray_count; i++) {
		if (id_equal(&engine->strays[i]->id, id))
			return engine->strays[i];
	}
	return NULL;
}

void
strays_forget(struct engine *engine, const struct id *subject)
{
	for (size_t i = engine->stray_count; i > 0; i--) {
		struct stray *stray = engine->strays[i - 1];

		if (stray->has_subject && id_equal(&stray->subject, subject))
			stray_drop(engine, stray);
	}
}

bool
strays_merged(struct engine *engine, const struct id *from, const struct id *into)
{
	bool any = false;

	for (size_t i = 0; i < engine->stray_count; i++) {
		struct stray *stray = engine->strays[i];

		if (!stray->has_subject || !id_equal(&stray->subject, from))
			continue;
		stray->subject = *into;
		stray_save(engine, stray);
		any = true;
	}
	return any;
}

static int
load_one(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	struct stray *stray = decode(body, len);

	(void)key;
	(void)subject;
	(void)at_ms;
	if (stray == NULL)
		log_warning("a return that waits for its sale cannot be read and is left out");
	else
		remember(ctx, stray);
	return 0;
}

int
strays_load(struct engine *engine)
{
	return store_each(engine->store, STORE_RETURN, FLAG_WAITS, load_one, engine);
}

void
strays_drop(struct engine *engine)
{
	for (size_t i = 0; i < engine->stray_count; i++)
		stray_free(engine->strays[i]);
	free(engine->strays);
	engine->strays = NULL;
	engine->stray_count = 0;
}
