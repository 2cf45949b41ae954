/* SPDX-License-Identifier: Apache-2.0
 *
 * parts.c - the lines of a basket that may be two: its till has said `opened` again in it, and no end
 * before that is heard of.
 *
 * DESIGN
 *   Until then it is one basket, and its lines are what happened last. What a
 *   line was in an earlier part is kept beside it once something of a later part
 *   takes its place, so that each part has its own should it turn out to be a
 *   sale of its own. Of a basket that was opened once there is nothing to keep.
 *
 * LIMITS
 *   VISIT_LINES_MAX of them; more are not known any more.
 */
#include <string.h>

#include "nouns/visit_fields.h"
#include "session/session_call.h"

/* Of its newest version or void. */
static int64_t
last_ms(const struct line *line)
{
	int64_t version_ms = line_is_known(line) ? line->time_ms : 0;

	return line->void_said && line->void_ms > version_ms ? line->void_ms : version_ms;
}

/* Which part of the basket a time falls into. */
static size_t
part_of(const struct visit *visit, int64_t at_ms)
{
	size_t part = 0;

	for (size_t i = 1; i < visit->open_count; i++)
		part += visit->opens[i].at_ms <= at_ms;
	return part;
}

static struct line *
old_of(struct visit *visit, int64_t number, size_t part)
{
	for (size_t i = 0; i < visit->old_count; i++) {
		struct line *old = &visit->olds[i];

		if (old->line == number && part_of(visit, last_ms(old)) == part)
			return old;
	}
	return NULL;
}

struct line *
parts_old(struct visit *visit, const struct line *line, int64_t at_ms)
{
	size_t part = part_of(visit, at_ms), newest;
	struct line *old;

	if (visit->open_count < 2 || last_ms(line) == 0)
		return NULL;
	newest = part_of(visit, last_ms(line));
	if (part > newest)
		(void)visit_add_old(visit, line->line, line);
	if (part >= newest)
		return NULL;
	old = old_of(visit, line->line, part);
	return old != NULL ? old : visit_add_old(visit, line->line, NULL);
}

/* ---- one that was two ---- */

/* Only its void is of the later part. */
static void
part_void(struct visit *rest, struct line *line)
{
	struct line *fresh = visit_add_line(rest, line->line);

	if (fresh != NULL)
		line_void(fresh, line->void_ms);
	line->void_said = line->void_first = line->voided = false;
	line->void_ms = 0;
}

static void
move_to(struct visit *visit, struct line *line)
{
	struct line *into = visit_line(visit, line->line), was;

	if (into == NULL && (into = visit_add_line(visit, line->line)) == NULL)
		return;
	if (last_ms(into) > last_ms(line))
		return;
	was = *into;
	*into = *line;
	*line = was;
}

/* true: there was any. */
static bool
take_lines(struct visit *rest, struct visit *former, int64_t at_ms)
{
	bool any = false;

	for (size_t i = 0; i < former->line_count;) {
		struct line *line = &former->lines[i];

		if (last_ms(line) < at_ms) {
			i++;
			continue;
		}
		any = true;
		if (line_is_known(line) && line->time_ms < at_ms) {
			part_void(rest, line);
			i++;
			continue;
		}
		/* The end of the former was long before it. */
		if (!line->void_said || line->void_ms < line->time_ms)
			line->voided = !line_is_known(line);
		move_to(rest, line);
		visit_drop_line(former, i);
	}
	return any;
}

static void
take_olds(struct visit *rest, struct visit *former, int64_t at_ms)
{
	for (size_t i = 0; i < former->old_count;) {
		struct line *old = &former->olds[i];

		if (last_ms(old) < at_ms) {
			move_to(former, old);
			i++;
			continue;
		}
		(void)visit_add_old(rest, old->line, old);
		visit_drop_old(former, i);
	}
	while (former->open_count < 2 && former->old_count > 0)
		visit_drop_old(former, former->old_count - 1);
}

bool
parts_take(struct visit *rest, struct visit *former, int64_t at_ms)
{
	static const struct event none = { .type = EV_BASKET_ITEM_VOIDED };
	bool any;

	articles_lift(former, &none);
	articles_lift(rest, &none);
	any = take_lines(rest, former, at_ms);
	take_olds(rest, former, at_ms);
	articles_take(rest, former, at_ms);
	if (former->rest_at_ms >= at_ms) {
		rest->rest_at_ms = former->rest_at_ms;
		former->rest_at_ms = 0;
	}
	(void)articles_settle(former, 0, false);
	(void)articles_settle(rest, 0, false);
	visit_count_lines(former);
	visit_count_lines(rest);
	return any;
}
