/* SPDX-License-Identifier: Apache-2.0
 *
 * basket.c - what the till says about a basket, in whatever order it comes.
 *
 * DESIGN
 *   A basket is its number at the terminal that opened it, until it is closed or
 *   cancelled; opened again after that it is a new one. An event is of the newest
 *   basket of its number that began not after the event, else of the oldest: what
 *   is late by an hour does not fall into the next customer's basket.
 *
 *   The first event of a basket, whichever it is, begins its visit and binds
 *   it to the terminal. One table says what each event means in each state;
 *   what comes late or twice falls into a cell that changes nothing. The state
 *   is what happened last, by the time of the events: one that is older than
 *   what brought the basket into its state does not change it.
 *
 *   - A line event after `suspended` resumes the basket: the till is at it.
 *   - A line added after `tender-started` returns to OPEN: the customer has
 *     added something. A void does not: that happens while they pay.
 *   - `cancelled` after `closed` is a post-void. It wins in either order, so
 *     that a voided sale is never a purchase; the spine takes the purchase
 *     out of the history again (in_history).
 */
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "session/session_call.h"

enum step {
	NOTHING,
	OPENED,
	KNOWN,
	LINE,
	LATE,
	VAIN,
	SUSPEND,
	RESUME,
	HEARD,
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
	[EV_BASKET_OPENED]           = { NOTHING, OPENED,  OPENED,   OPENED,  KNOWN,   KNOWN },
	[EV_BASKET_ITEM_ADDED]       = { NOTHING, LINE,    LINE,     LINE,    LATE,    VAIN },
	[EV_BASKET_ITEM_VOIDED]      = { NOTHING, LINE,    LINE,     LINE,    LATE,    VAIN },
	[EV_BASKET_SUSPENDED]        = { NOTHING, SUSPEND, NOTHING,  SUSPEND, NOTHING, NOTHING },
	[EV_BASKET_RESUMED]          = { NOTHING, HEARD,   RESUME,   NOTHING, NOTHING, NOTHING },
	[EV_BASKET_TENDER_STARTED]   = { NOTHING, TENDER,  TENDER,   NOTHING, NOTHING, NOTHING },
	[EV_BASKET_PAYMENT_DECLINED] = { NOTHING, DECLINE, DECLINE,  DECLINE, NOTHING, NOTHING },
	[EV_BASKET_CANCELLED]        = { NOTHING, CANCEL,  CANCEL,   CANCEL,  CANCEL,  NOTHING },
	[EV_BASKET_CLOSED]           = { NOTHING, CLOSE,   CLOSE,    CLOSE,   NOTHING, NOTHING },
};
/* clang-format on */

#define LATE_MS (5 * MIN_MS) /* a line of so much after the close is still of the sale */

/* ---- lines ---- */

/* Nothing is older than what brought the basket into its state, but what is of the same time came
 * after it. */
static bool
is_news(const struct call *call, const struct visit *visit)
{
	return call->event->time_ms >= visit->state_at_ms;
}

static void
into_state(const struct call *call, struct visit *visit, enum visit_state state)
{
	visit->state = state;
	visit->state_at_ms = call->event->time_ms;
	visit->paying_at_ms = state == VISIT_TENDER ? visit->state_at_ms : 0;
}

/* Of whatever was added, also what is void or an older version by now: the till was at it. */
static void
line_goes_on(const struct call *call, struct visit *visit)
{
	if (!is_news(call, visit))
		return;
	if (visit->state == VISIT_SUSPENDED) {
		visit->state = VISIT_OPEN;
		call->ret->effects |= EFFECT_RESUMED;
	}
	if (call->event->type == EV_BASKET_ITEM_ADDED)
		into_state(call, visit, VISIT_OPEN);
}

/* A line of that number, a new one if need be. NULL: there are too many; refused. */
static struct line *
some_line(const struct call *call, struct visit *visit, int64_t number)
{
	struct line *line = visit_line(visit, number);

	if (line != NULL)
		return line;
	line = visit_add_line(visit, number);
	if (line != NULL && visit->rest_at_ms != 0)
		line_void_rest(line, visit->rest_at_ms);
	if (line != NULL)
		return line;
	call->ret->reject = REJECT_BAD_VALUE;
	snprintf(call->ret->detail, sizeof(call->ret->detail),
	    "/data/line: the basket has %d lines already, no more are kept", VISIT_LINES_MAX);
	return NULL;
}

static bool
is_excepted(const struct event *event, int64_t number)
{
	for (size_t i = 0; i < event->except_count; i++)
		if (event->except[i] == number)
			return true;
	return false;
}

/* A line that is named and not heard of yet is known by its number: the void is none of its. */
static void
know_excepted(struct visit *visit, const struct event *event)
{
	for (size_t i = 0; i < event->except_count; i++) {
		struct line *line = visit_line(visit, event->except[i]);

		if (line == NULL) {
			line = visit_add_line(visit, event->except[i]);
			if (line == NULL)
				return; /* its own event says so */
			if (visit->rest_at_ms != 0)
				line_void_rest(line, visit->rest_at_ms);
		}
		if (!line->void_said && line->item[0] == '\0' && line->sku == NULL)
			line->voided = true;
	}
}

/* true: what counts has changed. */
static bool
void_rest(struct visit *visit, const struct event *event)
{
	bool changed = false;

	for (size_t i = 0; i < visit->line_count; i++) {
		struct line *line = &visit->lines[i], *old;

		if (is_excepted(event, line->line))
			continue;
		if ((old = parts_old(visit, line, event->time_ms)) != NULL)
			(void)line_void_rest(old, event->time_ms);
		changed = line_void_rest(line, event->time_ms) || changed;
	}
	know_excepted(visit, event);
	if (event->time_ms > visit->rest_at_ms)
		visit->rest_at_ms = event->time_ms;
	return changed;
}

static void
line_changed(const struct call *call, struct visit *visit, bool changed)
{
	if (changed && call->event->type == EV_BASKET_ITEM_VOIDED && !visit_over(visit))
		visit->voids++;
	visit->dirty = true;
	if (visit_over(visit)) {
		call->ret->effects |= changed ? EFFECT_LATE_LINES : 0;
		return;
	}
	call->ret->effects |= changed ? EFFECT_LINES : 0;
	line_goes_on(call, visit);
}

static bool
say_line(struct visit *visit, struct line *line, const struct event *event)
{
	bool changed;

	visit->line_bytes -= line_bytes(line);
	changed = event->type == EV_BASKET_ITEM_ADDED ? line_add(line, event)
						      : line_void(line, event->time_ms);
	visit->line_bytes += line_bytes(line);
	return changed;
}

/* Of one line. false, too, if it was refused. */
static bool
say_one(const struct call *call, struct visit *visit)
{
	const struct event *event = call->event;
	struct line *line = some_line(call, visit, event->item.line), *old;

	if (line == NULL)
		return false;
	if ((old = parts_old(visit, line, event->time_ms)) != NULL)
		(void)say_line(visit, old, event);
	return say_line(visit, line, event);
}

static void
step_line(const struct call *call, struct visit *visit)
{
	const struct event *event = call->event;
	uint64_t mark = articles_lift(visit, event);
	bool changed = false;

	switch (event->void_of) {
	case VOID_REST: changed = void_rest(visit, event); break;
	case VOID_ARTICLE: articles_void(visit, event); break;
	case VOID_LINE: changed = say_one(call, visit); break;
	}
	changed = articles_settle(visit, mark, changed);
	if (call->ret->reject == REJECT_NONE)
		line_changed(call, visit, changed);
}

/* ---- the basket itself ---- */

/* What `opened` alone says. */
static void
learn_opened(const struct call *call, struct visit *visit)
{
	const struct event *event = call->event;

	visit->opened = true;
	if (event->training && !visit->training)
		call->ret->effects |= EFFECT_TRAINING;
	visit->training = visit->training || event->training;
	if (event->associate == NULL)
		return;
	free(visit->associate);
	visit->associate = mem_strdup(event->associate);
}

static void
step_opened(const struct call *call, struct visit *visit)
{
	bool suspended = visit->state == VISIT_SUSPENDED && is_news(call, visit);
	bool moved = (call->ret->effects & EFFECT_MOVED) != 0;

	if (visit->opened && !suspended && !moved) {
		/* Who was paying may have gone. */
		if (visit->state == VISIT_TENDER && visit->open_count > 1 && is_news(call, visit))
			into_state(call, visit, VISIT_OPEN);
		return;
	}
	learn_opened(call, visit);
	if (!suspended)
		return;
	into_state(call, visit, VISIT_OPEN);
	call->ret->effects |= EFFECT_RESUMED;
	identify_absorb(call, visit);
}

static bool
voided_since(const struct visit *visit, int64_t at_ms)
{
	for (size_t i = 0; i < visit->line_count; i++) {
		if (visit->lines[i].void_said && visit->lines[i].void_ms > at_ms)
			return true;
	}
	return false;
}

static void
step_suspended(const struct call *call, struct visit *visit)
{
	if (!is_news(call, visit))
		return;
	into_state(call, visit, VISIT_SUSPENDED);
	/* A void after it resumed it, though that was heard before. */
	if (voided_since(visit, call->event->time_ms)) {
		visit->state = VISIT_OPEN;
		return;
	}
	call->ret->effects |= EFFECT_SUSPENDED;
	recall_late(call, visit);
}

static void
step_tender(const struct call *call, struct visit *visit)
{
	if (!is_news(call, visit))
		return;
	if (visit->state == VISIT_SUSPENDED)
		call->ret->effects |= EFFECT_RESUMED;
	into_state(call, visit, VISIT_TENDER);
	call->ret->effects |= EFFECT_TENDER;
	identify_paying(call, visit);
}

static void
end(const struct call *call, struct visit *visit, enum visit_state state)
{
	int64_t at_ms = call->event->time_ms;

	visit->state = state;
	if (visit->ended_at_ms == 0 || at_ms < visit->ended_at_ms)
		visit->ended_at_ms = at_ms;
	identify_ended(call, visit);
}

static void
step_close(const struct call *call, struct visit *visit)
{
	end(call, visit, VISIT_CLOSED);
	if (visit->closed_ms == 0)
		visit->closed_ms = call->event->now_ms;
	visit->sold_ms = call->event->time_ms;
	visit->total_minor = call->event->total_minor;
	call->ret->effects |= EFFECT_CLOSED;
	/* They came before it, and happened too long after it to be of this sale. */
	for (size_t i = 0; i < visit->line_count; i++) {
		if (visit->lines[i].time_ms > visit->ended_at_ms + LATE_MS)
			visit->lines[i].voided = visit->lines[i].void_own = true;
	}
}

static void
take_step(const struct call *call, struct visit *visit, enum step step)
{
	switch (step) {
	case NOTHING: break;
	case OPENED: step_opened(call, visit); break;
	case KNOWN:
		if (!visit->opened)
			learn_opened(call, visit);
		break;
	case LINE: step_line(call, visit); break;
	case LATE:
		if (call->event->time_ms <= visit->ended_at_ms + LATE_MS)
			step_line(call, visit);
		break;
	case VAIN:
		if (visit->open_count > 1) /* unless it was two */
			step_line(call, visit);
		call->ret->effects = 0;
		break;
	case SUSPEND: step_suspended(call, visit); break;
	case RESUME:
		if (!is_news(call, visit))
			break;
		into_state(call, visit, VISIT_OPEN);
		call->ret->effects |= EFFECT_RESUMED;
		identify_absorb(call, visit);
		break;
	case HEARD: /* what it ended may come later */
		if (is_news(call, visit))
			into_state(call, visit, VISIT_OPEN);
		break;
	case TENDER: step_tender(call, visit); break;
	case DECLINE:
		visit->declines++;
		call->ret->effects |= EFFECT_DECLINED;
		break;
	case CANCEL:
		end(call, visit, VISIT_CANCELLED);
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
	if (visit->basket == NULL)
		visit->basket = mem_strdup(call->event->basket);
	visit->state = VISIT_OPEN;
	visit->began_at_ms = visit->state_at_ms = call->event->time_ms;
	visit_set_text(visit->terminal, call->event->origin);
	if (strcmp(visit->station, call->station) != 0) {
		visit_set_text(call->ret->old_station, visit->station);
		visit_set_text(visit->station, call->station);
		call->ret->effects |= EFFECT_MOVED;
	}
	sessions_touch(call->sessions, visit);
	call->ret->effects |= EFFECT_OPENED;
	return visit;
}

static struct visit *
begin_again(const struct call *call, struct visit *former)
{
	struct visit *visit = begin(call);

	again_begun(call, former, visit);
	return visit;
}

static struct visit *
basket_of(const struct call *call)
{
	const struct event *event = call->event;
	struct visit *visit =
	    sessions_basket(call->sessions, event->origin, event->basket, event->time_ms);
	bool recall = recall_is(event);
	struct visit *sale = recall ? recall_take(call, visit) : NULL;

	if (sale != NULL)
		return sale;
	if (visit == NULL)
		visit = begin(call);
	else if (again_is(event, visit) || (recall && recall_may_come(call, visit)))
		visit = begin_again(call, visit);
	if (recall)
		recall_wait(call, visit);
	return visit;
}

/* An end, or an `opened`, that is late: is it of a sale before? */
static void
part(const struct call *call, struct visit *visit)
{
	const struct event *event = call->event;
	const struct opening *opening = NULL;

	if (event->type == EV_BASKET_OPENED)
		again_note(call, visit);
	if (event->type == EV_BASKET_CLOSED || event->type == EV_BASKET_CANCELLED)
		opening = again_after(visit, event->time_ms);
	else if (event->type == EV_BASKET_OPENED && visit_over(visit))
		opening = again_after(visit, visit->ended_at_ms);
	if (opening != NULL)
		again_part(call, visit, opening);
}

void
basket_apply(const struct call *call)
{
	const struct event *event = call->event;
	struct visit *visit = basket_of(call);
	bool opened_before = visit->opened;

	call->ret->visit = visit;
	CHECK((unsigned)event->type < BASKET_EVENTS);
	CHECK(visit->state > VISIT_WAITING && visit->state <= VISIT_CANCELLED);
	if (event->time_ms < visit->began_at_ms)
		visit->began_at_ms = event->time_ms;
	part(call, visit);
	take_step(call, visit, (enum step)steps[event->type][visit->state]);
	if (call->ret->effects == 0 && visit->opened == opened_before)
		call->ret->effects = EFFECT_IGNORED;
	else
		call_touch(call, visit);
}
