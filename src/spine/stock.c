/* SPDX-License-Identifier: Apache-2.0
 *
 * stock.c - which articles are not there to be had: by aisle.stock.changed, and by an associate who looked.
 *
 * DESIGN
 *   What was said last stands, by its time. What an associate says stands until the business day ends or the
 *   stock is heard of again: a shelf is filled without anybody telling.
 *
 * LIMITS
 *   STOCK_MAX articles; of more the one that was heard of longest ago goes.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "nouns/match.h"

#define STOCK "stock"

static size_t
place_of(const struct engine *engine, const char *article)
{
	size_t low = 0, high = engine->stock_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(engine->stock[middle].article, article) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
drop(struct engine *engine, size_t at)
{
	free(engine->stock[at].article);
	engine->stock_count--;
	memmove(&engine->stock[at], &engine->stock[at + 1],
	    (engine->stock_count - at) * sizeof(*engine->stock));
}

static size_t
oldest(const struct engine *engine)
{
	size_t found = 0;

	for (size_t i = 1; i < engine->stock_count; i++)
		if (engine->stock[i].at_ms < engine->stock[found].at_ms)
			found = i;
	return found;
}

static void
put(struct engine *engine, const char *article, bool out, int64_t at_ms, int64_t until_ms)
{
	size_t at = place_of(engine, article);

	if (at < engine->stock_count && strcmp(engine->stock[at].article, article) == 0) {
		if (at_ms < engine->stock[at].at_ms)
			return;
	} else {
		if (engine->stock_count == STOCK_MAX)
			drop(engine, oldest(engine));
		at = place_of(engine, article);
		memmove(&engine->stock[at + 1], &engine->stock[at],
		    (engine->stock_count - at) * sizeof(*engine->stock));
		engine->stock[at].article = mem_strdup(article);
		engine->stock_count++;
	}
	engine->stock[at].out = out;
	engine->stock[at].at_ms = at_ms;
	engine->stock[at].until_ms = until_ms;
	engine->stock_dirty = true;
}

void
stock_event(struct engine *engine, const struct event *event)
{
	const char *article = article_of(event->item.item, event->item.sku);

	if (article != NULL && article[0] != '\0' && event->state != NULL)
		put(engine, article, strcmp(event->state, "out") == 0, event->time_ms, 0);
}

void
stock_missed(struct engine *engine, const struct card *card)
{
	if (card->item != NULL && !card->item_is_category)
		put(engine, card->item, true, engine->now_ms,
		    engine_day_start(engine, engine->now_ms) + D_MS);
}

void
stock_fill(struct engine *engine, struct decide_input *input)
{
	const char **out = arena_room(engine->scratch, (engine->stock_count + 1) * sizeof(*out));

	for (size_t i = 0; i < engine->stock_count; i++) {
		const struct stock_item *item = &engine->stock[i];

		if (item->out && (item->until_ms == 0 || engine->now_ms < item->until_ms))
			out[input->out_count++] = item->article;
	}
	input->out = out;
}

/* ---- kept ---- */

void
stock_done(struct engine *engine)
{
	while (engine->stock_count > 0)
		free(engine->stock[--engine->stock_count].article);
}

void
stock_load(struct engine *engine)
{
	struct buf buf = { 0 };

	stock_done(engine); /* after a turn that was undone */
	if (store_meta_get(engine->store, STOCK, &buf) == 0) {
		struct rd rd = rd_init(buf.data, buf.len);
		uint32_t count = rd_u32(&rd);

		for (uint32_t i = 0; i < count && i < STOCK_MAX && rd.ok; i++) {
			char *article = rd_str(&rd);
			bool out = rd_u8(&rd) != 0;
			int64_t at_ms = rd_i64(&rd), until_ms = rd_i64(&rd);

			if (rd.ok && article != NULL)
				put(engine, article, out, at_ms, until_ms);
			free(article);
		}
	}
	engine->stock_dirty = false;
	buf_done(&buf);
}

void
stock_save(struct engine *engine, struct buf *buf)
{
	if (!engine->stock_dirty)
		return;
	buf_clear(buf);
	buf_u32(buf, (uint32_t)engine->stock_count);
	for (size_t i = 0; i < engine->stock_count; i++) {
		buf_str(buf, engine->stock[i].article);
		buf_u8(buf, engine->stock[i].out);
		buf_i64(buf, engine->stock[i].at_ms);
		buf_i64(buf, engine->stock[i].until_ms);
	}
	engine_check(engine, store_meta_set(engine->store, STOCK, buf->data, buf->len));
	engine->stock_dirty = false;
}
