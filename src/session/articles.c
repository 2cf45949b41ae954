/* SPDX-License-Identifier: Apache-2.0
 *
 * articles.c - voids that name an article and no line: which line is it?
 *
 * DESIGN
 *   The newest of the article that counted when the void happened, one of its
 *   quantity first. A line may be heard of after the void that is about it, or
 *   turn out to have been void by then; so the voids are kept, and with each change of
 *   the lines they are taken back and asked again, in the order of their times.
 *   One whose line has a newer version since stays that line's: what it took is
 *   gone either way.
 *
 * LIMITS
 *   VISIT_ARTICLE_VOIDS_MAX; of more the oldest stays with the line that it took.
 */
#include <string.h>

#include "nouns/match.h"
#include "session/session_call.h"

static bool
is_of(const struct line *line, const struct article_void *gone)
{
	return line_is_known(line) && strcmp(line_item(line), gone->article) == 0;
}

/* Did it count then? Of its versions the newest is known, and since when there is one. */
static bool
counted_at(const struct line *line, int64_t at_ms)
{
	if (line->first_ms > at_ms)
		return false;
	if (line->taken_ms != 0)
		return line->time_ms <= at_ms && line->time_ms > line->taken_ms;
	if (line->void_said && line->void_ms <= at_ms)
		return line->time_ms <= at_ms && !line->voided;
	return line->void_said || !line->voided;
}

static int64_t
since(const struct line *line, int64_t at_ms)
{
	return line->time_ms <= at_ms ? line->time_ms : line->first_ms;
}

static int64_t
qty_at(const struct line *line, int64_t at_ms)
{
	return line->time_ms <= at_ms ? line->qty_milli : line->first_qty_milli;
}

static struct line *
line_of(const struct visit *visit, const struct article_void *gone)
{
	struct line *newest = NULL;
	bool same = false;

	for (size_t i = 0; i < visit->line_count; i++) {
		struct line *line = &visit->lines[i];
		bool quantity = qty_at(line, gone->at_ms) == gone->qty_milli;

		if (!is_of(line, gone) || !counted_at(line, gone->at_ms) || (same && !quantity))
			continue;
		if (newest == NULL || quantity > same ||
		    since(line, gone->at_ms) >= since(newest, gone->at_ms)) {
			newest = line;
			same = quantity;
		}
	}
	return newest;
}

static bool
takes(const struct article_void *gone, const struct line *line)
{
	return line != NULL && line->taken_ms == gone->at_ms && line->time_ms <= gone->at_ms;
}

/* What counts, in a number. Two versions may have one time. */
static uint64_t
mark_of(const struct visit *visit)
{
	uint64_t mark = 0;

	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];
		const int64_t says[] = { line->line, line->time_ms, line->added_ms, line->qty_milli,
			line->amount_minor, line->discount_minor, line->margin_minor };
		uint64_t of_line = 0;

		for (size_t k = 0; !line->voided && k < ARRAY_LEN(says); k++)
			of_line = of_line * 1000003 + (uint64_t)says[k];
		mark += of_line;
	}
	return mark;
}

uint64_t
articles_lift(struct visit *visit, const struct event *event)
{
	uint64_t mark;

	if (visit->article_void_count == 0 && event->void_of != VOID_ARTICLE)
		return 0;
	mark = mark_of(visit);
	for (size_t i = 0; i < visit->article_void_count; i++) {
		struct article_void *gone = &visit->article_voids[i];

		if (event->type == EV_BASKET_ITEM_ADDED && gone->line == event->item.line &&
		    event->time_ms >= gone->at_ms && takes(gone, visit_line(visit, gone->line)))
			gone->used = true;
	}
	for (size_t i = 0; i < visit->line_count; i++) {
		struct line *line = &visit->lines[i];

		if (line->taken_ms == 0)
			continue;
		line->taken_ms = 0;
		line->voided = line->void_own;
	}
	return mark;
}

static void
take(struct line *line, struct article_void *gone)
{
	gone->line = line->line;
	line->taken_ms = gone->at_ms;
	line->void_own = line->voided;
	line->voided = line->voided || line->time_ms <= gone->at_ms;
}

bool
articles_settle(struct visit *visit, uint64_t mark, bool changed)
{
	if (visit->article_void_count == 0)
		return changed;
	for (size_t i = 0; i < visit->article_void_count; i++) {
		struct article_void *gone = &visit->article_voids[i];
		struct line *line = gone->used ? NULL : line_of(visit, gone);

		if (line != NULL)
			take(line, gone);
	}
	return mark != mark_of(visit);
}

void
articles_void(struct visit *visit, const struct event *event)
{
	const char *article = event->item.sku != NULL ? event->item.sku : event->item.item;

	if (visit->article_void_count == VISIT_ARTICLE_VOIDS_MAX) {
		struct article_void *oldest = &visit->article_voids[0];
		struct line *line = oldest->used ? NULL : line_of(visit, oldest);

		if (line != NULL)
			line_void(line, oldest->at_ms);
		visit_drop_article_void(visit, 0);
	}
	visit_add_article_void(visit, article, event->item.qty_milli, event->time_ms);
}

/* What took its line's place is another basket's now. */
static void
use_again(struct visit *visit)
{
	for (size_t i = 0; i < visit->article_void_count; i++) {
		struct article_void *gone = &visit->article_voids[i];
		const struct line *line = visit_line(visit, gone->line);

		if (gone->used && line != NULL && line->time_ms < gone->at_ms)
			gone->used = false;
	}
}

void
articles_take(struct visit *into, struct visit *from, int64_t since_ms)
{
	use_again(from);
	for (size_t i = 0; i < from->article_void_count;) {
		const struct article_void *gone = &from->article_voids[i];

		if (gone->at_ms < since_ms || into->article_void_count == VISIT_ARTICLE_VOIDS_MAX) {
			i++;
			continue;
		}
		visit_add_article_void(into, gone->article, gone->qty_milli, gone->at_ms);
		visit_drop_article_void(from, i);
	}
}
