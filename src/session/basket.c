/* SPDX-License-Identifier: Apache-2.0
 *
 * basket.c - what the till says about a basket, in whatever order it comes.
 *
 * DESIGN
 *   The first event of a basket, whichever it is, begins its visit and binds
 *   it to the terminal. One table says what each event means in each state;
 *   what comes late or twice falls into a cell that changes nothing.
 *
 *   - A line event after `suspended` resumes the basket: the till is at it.
 *   - A line added after `tender-started` returns to OPEN: the customer has
 *     added something. A void does not: that happens while they pay.
 *   - `cancelled` after `closed` is a post-void. It wins in either order, so
 *     that a voided sale is never a purchase; the spine takes the purchase
 *     out of the history again (in_history).
 *   - A basket id that was closed or cancelled does not begin again.
 */
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session_call.h"

enum step {
	NOTHING,
	OPENED,
	LINE,
	LATE,
	SUSPEND,
	RESUME,
	TENDER,
	DECLINE,
	CANCEL,
	CLOSE,
};

#define BASKET_EVENTS (EV_BASKET_CLOSED - EV_BASKET_OPENED + 1)
_Static_assert(EV_BASKET_OPENED == 0, "basket events come first");

/* A WAITING visit has become OPEN before this is asked; its column is never read. */
/* clang-format off */
static const uint8_t steps[BASKET_EVENTS][VISIT_CANCELLED + 1] = {
	/*                              WAITING  OPEN     SUSPENDED TENDER   CLOSED   CANCELLED */
	[EV_BASKET_OPENED]           = { NOTHING, OPENED,  OPENED,   OPENED,  NOTHING, NOTHING },
	[EV_BASKET_ITEM_ADDED]       = { NOTHING, LINE,    LINE,     LINE,    LATE,    NOTHING },
	[EV_BASKET_ITEM_VOIDED]      = { NOTHING, LINE,    LINE,     LINE,    LATE,    NOTHING },
	[EV_BASKET_SUSPENDED]        = { NOTHING, SUSPEND, NOTHING,  SUSPEND, NOTHING, NOTHING },
	[EV_BASKET_RESUMED]          = { NOTHING, NOTHING, RESUME,   NOTHING, NOTHING, NOTHING },
	[EV_BASKET_TENDER_STARTED]   = { NOTHING, TENDER,  TENDER,   NOTHING, NOTHING, NOTHING },
	[EV_BASKET_PAYMENT_DECLINED] = { NOTHING, DECLINE, DECLINE,  DECLINE, NOTHING, NOTHING },
	[EV_BASKET_CANCELLED]        = { NOTHING, CANCEL,  CANCEL,   CANCEL,  CANCEL,  NOTHING },
	[EV_BASKET_CLOSED]           = { NOTHING, CLOSE,   CLOSE,    CLOSE,   NOTHING, NOTHING },
};
/* clang-format on */

static void
replace_text(char **text, const char *with)
{
	free(*text);
	*text = with == NULL ? NULL : mem_strdup(with);
}

/* ---- lines ---- */

/* A void may come before its line; then the line is known by its number alone. */
static bool
is_known(const struct line *line)
{
	return line->item[0] != '\0' || line->sku != NULL;
}

static void
fill_line(struct line *line, const struct event_item *item, int64_t now_ms)
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
}

/* true: the lines that count have changed. */
static bool
add_line(struct visit *visit, struct line *line, const struct event *event)
{
	bool cancelled = line->voided && !is_known(line);

	fill_line(line, &event->item, event->now_ms);
	line->voided = cancelled;
	visit->dirty = true;
	return !cancelled;
}

static bool
void_line(struct visit *visit, struct line *line)
{
	if (line->voided)
		return false;
	line->voided = true;
	if (!visit_over(visit))
		visit->voids++;
	return true;
}

static void
step_line(const struct call *call, struct visit *visit)
{
	const struct event *event = call->event;
	struct line *line = visit_line(visit, event->item.line);
	bool added = event->type == EV_BASKET_ITEM_ADDED;

	if (line == NULL)
		line = visit_add_line(visit, event->item.line);
	if (line == NULL) {
		call->ret->reject = REJECT_BAD_VALUE;
		snprintf(call->ret->detail, sizeof(call->ret->detail),
		    "/data/line: the basket has %d lines already, no more are kept",
		    VISIT_LINES_MAX);
		return;
	}
	if (!(added ? add_line(visit, line, event) : void_line(visit, line)))
		return;
	if (visit_over(visit)) {
		call->ret->effects |= EFFECT_LATE_LINES;
		return;
	}
	call->ret->effects |= EFFECT_LINES;
	if (visit->state == VISIT_SUSPENDED) {
		call->ret->effects |= EFFECT_RESUMED;
		visit->state = VISIT_OPEN;
	}
	if (added)
		visit->state = VISIT_OPEN;
}

/* ---- the basket itself ---- */

/* A recalled sale: the basket follows the till that opened it last. */
static void
move(const struct call *call, struct visit *visit)
{
	visit_set_text(call->ret->old_station, visit->station);
	visit_set_text(visit->station, call->station);
	visit_set_text(visit->terminal, call->event->origin);
	sessions_touch(call->sessions, visit);
	call->ret->effects |= EFFECT_MOVED;
	if (visit->state == VISIT_TENDER)
		visit->state = VISIT_OPEN;
}

static void
resume(const struct call *call, struct visit *visit)
{
	visit->state = VISIT_OPEN;
	call->ret->effects |= EFFECT_RESUMED;
}

static void
step_opened(const struct call *call, struct visit *visit)
{
	const struct event *event = call->event;
	bool moved = strcmp(visit->terminal, event->origin) != 0;
	bool suspended = visit->state == VISIT_SUSPENDED;

	if (visit->opened && !moved && !suspended)
		return;
	visit->opened = true;
	visit->training = visit->training || event->training;
	if (event->associate != NULL)
		replace_text(&visit->associate, event->associate);
	if (moved)
		move(call, visit);
	if (suspended)
		resume(call, visit);
	if (moved || suspended)
		identify_absorb(call, visit);
}

static void
step_close(const struct call *call, struct visit *visit)
{
	visit->state = VISIT_CLOSED;
	visit->closed_ms = call->event->now_ms;
	visit->sold_ms = call->event->time_ms;
	visit->total_minor = call->event->total_minor;
	call->ret->effects |= EFFECT_CLOSED;
}

static void
take_step(const struct call *call, struct visit *visit, enum step step)
{
	switch (step) {
	case NOTHING: break;
	case OPENED: step_opened(call, visit); break;
	case LINE:
	case LATE: step_line(call, visit); break;
	case SUSPEND:
		visit->state = VISIT_SUSPENDED;
		call->ret->effects |= EFFECT_SUSPENDED;
		break;
	case RESUME:
		resume(call, visit);
		identify_absorb(call, visit);
		break;
	case TENDER:
		if (visit->state == VISIT_SUSPENDED)
			resume(call, visit);
		visit->state = VISIT_TENDER;
		call->ret->effects |= EFFECT_TENDER;
		break;
	case DECLINE:
		visit->declines++;
		call->ret->effects |= EFFECT_DECLINED;
		break;
	case CANCEL:
		visit->state = VISIT_CANCELLED;
		call->ret->effects |= EFFECT_CANCELLED;
		break;
	case CLOSE: step_close(call, visit); break;
	}
}

/* A visit for a basket that was not heard of: the card that waits here, else a new one. */
static struct visit *
begin(const struct call *call)
{
	struct visit *visit = identify_waiting(call);

	if (visit == NULL)
		visit = call_new_visit(call);
	visit->basket = mem_strdup(call->event->basket);
	return visit;
}

/* The basket of a WAITING visit has come; when the card named it, maybe elsewhere. */
static void
bind(const struct call *call, struct visit *visit)
{
	visit->state = VISIT_OPEN;
	visit_set_text(visit->terminal, call->event->origin);
	if (strcmp(visit->station, call->station) != 0) {
		visit_set_text(call->ret->old_station, visit->station);
		visit_set_text(visit->station, call->station);
		call->ret->effects |= EFFECT_MOVED;
	}
	sessions_touch(call->sessions, visit);
	call->ret->effects |= EFFECT_OPENED;
}

void
basket_apply(const struct call *call)
{
	const struct event *event = call->event;
	struct visit *visit = sessions_by_basket(call->sessions, event->basket);
	bool opened_before;

	if (visit == NULL)
		visit = begin(call);
	if (visit->state == VISIT_WAITING) {
		bind(call, visit);
	} else if (event->type != EV_BASKET_OPENED && strcmp(visit->terminal, event->origin) != 0) {
		call->ret->reject = REJECT_NOT_YOURS;
		snprintf(call->ret->detail, sizeof(call->ret->detail),
		    "/data/basket: is at another terminal");
		return;
	}
	call->ret->visit = visit;
	opened_before = visit->opened;
	CHECK((unsigned)event->type < BASKET_EVENTS);
	CHECK(visit->state > VISIT_WAITING && visit->state <= VISIT_CANCELLED);
	take_step(call, visit, (enum step)steps[event->type][visit->state]);
	if (call->ret->effects == 0 && visit->opened == opened_before)
		call->ret->effects = EFFECT_IGNORED;
	else
		call_touch(call, visit);
}
