/* SPDX-License-Identifier: Apache-2.0
 *
 * recall.c - a sale that was suspended at one till goes on at another.
 *
 * DESIGN
 *   `resumed`, or `opened` with "from", moves the visit: lines, customer and
 *   what was agreed are in it. What the new till said of its lines before that
 *   was heard has begun a basket there; it becomes part of the sale. A recall
 *   that finds nothing suspended begins a basket and remembers that it is one:
 *   the word that the sale was suspended may still be on its way.
 *   Rejected: a sale that moves at any word of another till. Two tills count
 *   alike, and one would take the other's customer.
 */
#include <stdlib.h>
#include <string.h>

#include "session/session_call.h"

bool
recall_is(const struct event *event)
{
	const char *from = event->from;

	if (from != NULL && strcmp(from, event->origin) == 0)
		return false;
	return event->type == EV_BASKET_RESUMED ||
	    (event->type == EV_BASKET_OPENED && from != NULL);
}

static bool
is_suspended_elsewhere(const void *ctx, const struct visit *visit)
{
	const struct event *event = ctx;

	return visit->state == VISIT_SUSPENDED && strcmp(visit->terminal, event->origin) != 0 &&
	    visit->state_at_ms <= event->time_ms &&
	    (event->from == NULL || strcmp(visit->terminal, event->from) == 0);
}

/* Was it begun by what this recall leads to? A basket with a life of its own is never taken along. */
static bool
is_part(const struct visit *own, int64_t recalled_at_ms)
{
	if (own->recall_at_ms != 0)
		return true;
	return !own->opened && own->state != VISIT_SUSPENDED && own->began_at_ms >= recalled_at_ms;
}

/* The basket own becomes part of sale. */
static void
unite(const struct call *call, struct visit *sale, struct visit *own)
{
	lines_take(sale, own);
	sale->voids += own->voids;
	sale->declines += own->declines;
	sale->returns += own->returns;
	sale->training = sale->training || own->training;
	if (own->has_subject && (!sale->has_subject || own->card_at_ms >= sale->card_at_ms))
		identify_as(call, sale, &own->subject, own->card_at_ms, own->card_named);
	sale->state = own->state;
	sale->paying_at_ms = own->paying_at_ms;
	if (own->state_at_ms > sale->state_at_ms)
		sale->state_at_ms = own->state_at_ms;
	if (visit_over(own)) {
		sale->closed_ms = own->closed_ms;
		sale->sold_ms = own->sold_ms;
		sale->ended_at_ms = own->ended_at_ms;
		sale->total_minor = own->total_minor;
		call->ret->effects |= own->state == VISIT_CLOSED ? EFFECT_CLOSED : EFFECT_CANCELLED;
	}
	sale->before = own->before;
	call->ret->gone = own;
}

static void
move(const struct call *call, struct visit *sale, const char *terminal, const char *station,
    int64_t at_ms)
{
	visit_set_text(call->ret->old_station, sale->station);
	visit_set_text(sale->from, sale->terminal);
	visit_set_text(sale->from_station, sale->station);
	visit_set_text(sale->terminal, terminal);
	visit_set_text(sale->station, station);
	sale->left_at_ms = at_ms;
	sale->parked_at_ms = sale->state_at_ms;
	sale->before_from = sale->before;
	sale->before = (struct id){ { 0 } };
	sale->along_from = sale->along;
	sale->along = (struct id){ { 0 } };
	sale->state = VISIT_OPEN;
	sale->state_at_ms = at_ms;
	sessions_touch(call->sessions, sale);
	call->ret->effects |= EFFECT_MOVED | EFFECT_RESUMED;
}

struct visit *
recall_take(const struct call *call, struct visit *own)
{
	const struct event *event = call->event;
	bool part = own != NULL && is_part(own, event->time_ms);
	struct visit *sale;

	if (own != NULL && !part && (!visit_over(own) || event->time_ms < own->ended_at_ms))
		return NULL;
	sale = sessions_of_number(call->sessions, event->basket, is_suspended_elsewhere, event);
	if (sale == NULL)
		return NULL;
	move(call, sale, event->origin, call->station, event->time_ms);
	if (part)
		unite(call, sale, own);
	else if (own != NULL)
		sale->before = own->id;
	if (!visit_over(sale))
		identify_absorb(call, sale);
	return sale;
}

static bool
is_live_elsewhere(const void *ctx, const struct visit *visit)
{
	const struct event *event = ctx;

	return visit->state != VISIT_WAITING && !visit_over(visit) &&
	    strcmp(visit->terminal, event->origin) != 0 &&
	    (event->from == NULL || strcmp(visit->terminal, event->from) == 0);
}

bool
recall_may_come(const struct call *call, const struct visit *own)
{
	return visit_over(own) && call->event->time_ms >= own->ended_at_ms &&
	    sessions_of_number(call->sessions, call->event->basket, is_live_elsewhere,
		call->event) != NULL;
}

void
recall_wait(const struct call *call, struct visit *visit)
{
	const struct event *event = call->event;
	bool begun = (call->ret->effects & EFFECT_OPENED) != 0;

	if (!begun && !is_part(visit, event->time_ms))
		return;
	visit->recall_at_ms = event->time_ms;
	visit_set_text(visit->recall_from, event->from != NULL ? event->from : "");
	call->ret->effects |= EFFECT_RECALL;
}

static bool
recalls(const void *ctx, const struct visit *visit)
{
	const struct visit *sale = ctx;

	return visit->state != VISIT_WAITING && visit->recall_at_ms != 0 &&
	    visit->recall_at_ms >= sale->state_at_ms &&
	    strcmp(visit->terminal, sale->terminal) != 0 &&
	    (visit->recall_from[0] == '\0' || strcmp(visit->recall_from, sale->terminal) == 0);
}

void
recall_late(const struct call *call, struct visit *sale)
{
	struct visit *own = sessions_of_number(call->sessions, sale->basket, recalls, sale);

	if (own == NULL)
		return;
	call->ret->effects &= ~(unsigned)EFFECT_SUSPENDED;
	move(call, sale, own->terminal, own->station, own->recall_at_ms);
	unite(call, sale, own);
}
