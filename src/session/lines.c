/* SPDX-License-Identifier: Apache-2.0
 *
 * lines.c - the versions and voids of a basket's lines: what happened last wins.
 *
 * DESIGN
 *   Of a line the newest version is kept, and the time of the newest void. That
 *   is enough to say, whatever the order they come in, whether the line counts:
 *   a void cancels every version before it. On equal times what came last wins,
 *   but for a void that came before any version: it cancels the next one of its
 *   own time, since a till's queue may turn the two round.
 *   Rejected: all versions; a till that repeats itself would fill the visit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/metrics.h"
#include "nouns/match.h"
#include "nouns/visit_fields.h"
#include "session/session_call.h"

static void
replace_text(char **text, const char *with)
{
	free(*text);
	*text = with == NULL ? NULL : mem_strdup(with);
}

/* A void may come before its line; then the line is known by its number alone. */
bool
line_is_known(const struct line *line)
{
	return line->item[0] != '\0' || line->sku != NULL;
}

static void
fill(struct line *line, const struct event_item *item, int64_t now_ms)
{
	line->added_ms = now_ms;
	line->qty_milli = item->qty_milli;
	line->amount_minor = item->amount_minor;
	line->margin_minor = item->margin_minor;
	line->has_margin = item->has_margin;
	line->discount_minor = item->discount_minor;
	line->restricted = item->restricted;
	snprintf(line->item, sizeof(line->item), "%s", item->item);
	replace_text(&line->sku, item->sku);
	replace_text(&line->category, item->category == NULL ? "" : item->category);
	replace_text(&line->brand, item->brand);
	replace_text(&line->name, item->name);
	replace_text(&line->batch, item->batch);
	line->best_before = item->best_before;
	replace_text(&line->own, item->own);
	line->mark = item->mark;
}

/* Is a version of that time cancelled by the void on record? It comes after it. */
static bool
is_cancelled(struct line *line, int64_t at_ms)
{
	bool cancelled = line->void_said &&
	    (at_ms < line->void_ms || (at_ms == line->void_ms && line->void_first));

	if (at_ms == line->void_ms)
		line->void_first = false;
	return cancelled;
}

bool
line_add(struct line *line, const struct event *event)
{
	bool counted = line_is_known(line) && !line->voided;

	if (!line_is_known(line) || event->time_ms <= line->first_ms) {
		line->first_ms = event->time_ms;
		line->first_qty_milli = event->item.qty_milli;
	}
	if (line_is_known(line) && event->time_ms < line->time_ms)
		return false;
	fill(line, &event->item, event->now_ms);
	line->time_ms = event->time_ms;
	line->voided = is_cancelled(line, event->time_ms);
	return counted || !line->voided;
}

bool
line_void(struct line *line, int64_t at_ms)
{
	bool was = line->voided;

	if (line->void_said && at_ms < line->void_ms)
		return false;
	if (!line->void_said || at_ms > line->void_ms)
		line->void_first = !line_is_known(line);
	line->void_said = true;
	line->void_ms = at_ms;
	line->voided = !line_is_known(line) || line->time_ms <= at_ms;
	return line->voided && !was;
}

bool
line_void_rest(struct line *line, int64_t at_ms)
{
	if (line_is_known(line))
		return line_void(line, at_ms);
	if (!line->void_said || at_ms > line->void_ms) {
		line->void_said = line->voided = true;
		line->void_first = false;
		line->void_ms = at_ms;
	}
	return false;
}

static void
adopt_void(struct line *line, const struct line *other)
{
	if (!other->void_said || (line->void_said && line->void_ms >= other->void_ms))
		return;
	line->void_said = true;
	line->void_ms = other->void_ms;
	line->void_first = other->void_first;
	line->voided = !line_is_known(line) || line->time_ms < line->void_ms ||
	    (line->time_ms == line->void_ms && other->voided);
}

/* The newer version and the newer void of two, of which from has a version. */
static void
unite(struct line *into, struct line *from)
{
	struct line was = *into;

	if (!line_is_known(into) || from->time_ms >= into->time_ms) {
		*into = *from;
		*from = was;
	}
	adopt_void(into, from);
}

void
lines_take(struct visit *into, struct visit *from)
{
	static const struct event none = { .type = EV_BASKET_ITEM_VOIDED };

	articles_lift(into, &none);
	articles_lift(from, &none);
	for (size_t i = 0; i < from->line_count; i++) {
		struct line *line = &from->lines[i], *to = visit_line(into, line->line);

		if (to == NULL)
			to = visit_add_line(into, line->line);
		if (to == NULL)
			metrics_add(METRIC_LIMIT_LINES, 1);
		else if (line_is_known(line))
			unite(to, line);
		else
			line_void(to, line->void_ms);
		codec_done(line_fields, line_field_count, line);
	}
	from->line_count = 0;
	if (from->rest_at_ms > into->rest_at_ms)
		into->rest_at_ms = from->rest_at_ms;
	articles_take(into, from, 0);
	(void)articles_settle(into, 0, false);
	visit_count_lines(into);
	visit_count_lines(from);
}
