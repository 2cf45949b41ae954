/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow_story.c - sales that were closed, as the events of their tills.
 *
 * Each at the time at which it arrived. An event's id is its place in the order that it was written
 * in, so that it is the same for whoever hears it.
 */
#include "daemon/shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"

/* A sale that is being told, and the event that is being written. */
struct telling {
	struct shadow_story *story;
	const struct visit *visit;
	const char *store, *currency;
	size_t number, order;
	int64_t at_ms;
	struct buf text;
	struct json_writer w;
};

static struct json_writer *
begin(struct telling *t, const char *type, int64_t at_ms)
{
	struct json_writer *w = &t->w;

	t->text = (struct buf){ 0 };
	t->w = (struct json_writer){ .out = &t->text };
	t->at_ms = at_ms;
	json_begin(w);
	json_add_str(w, "specversion", "1.0");
	json_addf(w, "id", "%zu-%zu", t->number, t->order);
	json_addf(w, "source", "/store/%s/pos/%s", t->store, t->visit->terminal);
	json_addf(w, "type", "aisle.%s", type);
	json_add_when(w, "time", at_ms);
	json_add_object(w, "data");
	json_addf(w, "basket", "s%zu", t->number);
	return w;
}

static void
end(struct telling *t)
{
	struct shadow_story *story = t->story;

	json_end_all(&t->w);
	story->events =
	    mem_grow(story->events, story->count, &story->capacity, sizeof(*story->events));
	story->events[story->count++] =
	    (struct shadow_event){ t->at_ms, t->number, t->order++, t->text.data, t->text.len };
}

static void
tell_opened(struct telling *t)
{
	struct json_writer *w = begin(t, "basket.opened", t->visit->opened_ms);

	json_add_str(w, "terminal", t->visit->terminal);
	json_add_str(w, "station", t->visit->station);
	end(t);
}

static void
tell_customer(struct telling *t)
{
	const struct visit *visit = t->visit;
	char subject[SUBJECT_TEXT_SIZE];
	struct json_writer *w = begin(t, "customer.identified",
	    visit->identified_ms > visit->opened_ms ? visit->identified_ms : visit->opened_ms);

	subject_text(&visit->subject, subject);
	json_add_str(w, "subject", subject);
	json_add_str(w, "station", visit->station);
	end(t);
}

static void
tell_line(struct telling *t, const struct line *line)
{
	struct json_writer *w = begin(t, "basket.item-added", line->added_ms);

	json_add_int(w, "line", line->line);
	if (line->sku != NULL)
		json_add_str(w, "sku", line->sku);
	else
		json_add_str(w, "gtin", line->item);
	json_add_str(w, "category", line->category);
	json_opt_str(w, "brand", line->brand);
	json_opt_str(w, "name", line->name);
	json_add_fixed(w, "qty", (double)line->qty_milli / 1000, 3);
	json_add_int(w, "amount", line->amount_minor);
	if (line->has_margin)
		json_add_int(w, "margin", line->margin_minor);
	json_add_str(w, "currency", t->currency);
	end(t);
}

static void
tell_end(struct telling *t)
{
	const struct visit *visit = t->visit;
	struct json_writer *w;

	if (visit->paying_at_ms > visit->opened_ms && visit->paying_at_ms <= visit->closed_ms) {
		(void)begin(t, "basket.tender-started", visit->paying_at_ms);
		end(t);
	}
	w = begin(t, "basket.closed", visit->closed_ms);
	json_add_int(w, "total", visit->total_minor);
	json_add_str(w, "currency", t->currency);
	end(t);
}

void
shadow_story_add(struct shadow_story *story, const struct visit *visit, size_t number,
    const char *store, const char *currency)
{
	struct telling t = { .story = story,
		.visit = visit,
		.number = number,
		.store = store,
		.currency = currency };

	tell_opened(&t);
	if (visit->has_subject)
		tell_customer(&t);
	for (size_t i = 0; i < visit->line_count; i++)
		if (!visit->lines[i].voided)
			tell_line(&t, &visit->lines[i]);
	tell_end(&t);
}

static int
by_time(const void *a, const void *b)
{
	const struct shadow_event *one = a, *other = b;

	if (one->at_ms != other->at_ms)
		return one->at_ms < other->at_ms ? -1 : 1;
	if (one->visit != other->visit)
		return one->visit < other->visit ? -1 : 1;
	return one->order < other->order ? -1 : one->order > other->order;
}

void
shadow_story_sort(struct shadow_story *story)
{
	if (story->count > 0)
		qsort(story->events, story->count, sizeof(*story->events), by_time);
}

void
shadow_story_done(struct shadow_story *story)
{
	for (size_t i = 0; i < story->count; i++)
		free(story->events[i].line);
	free(story->events);
	*story = (struct shadow_story){ 0 };
}
