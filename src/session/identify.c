/* SPDX-License-Identifier: Apache-2.0
 *
 * identify.c - whose basket is it: cards that join, wait, replace and leave.
 *
 * DESIGN
 *   A card that names its basket waits for that one; a card that names none
 *   joins the one that was open at its station when it was read, or began there
 *   next (whose.c), else waits for it. Each
 *   kind gives way only to a card of its own kind: at a row of self-checkouts, a
 *   named card of one customer does not send away another. Where no basket is,
 *   each card is a visit of its own, and the newest takes the next basket.
 *   A basket with a customer of its own never takes a card that waits when it
 *   is recalled: the wait is for "the next one".
 *
 *   All by the times of card and basket. A card is tied to a basket as soon as
 *   both are known, and to another one if what is heard later says so.
 */
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "session/session_call.h"

/* A card was shown here. A visit that only a return or a balance began waits for nobody's basket:
 * the next one may be another customer's. */
static bool
waits_for_any(const struct visit *visit)
{
	return visit->state == VISIT_WAITING && visit->basket == NULL && visit->identified_ms != 0;
}

static bool
not_over(const struct visit *visit)
{
	return !visit_over(visit);
}

static bool
is_of(const struct visit *visit, const struct id *subject)
{
	return visit->has_subject && id_equal(&visit->subject, subject);
}

/* Of a card and a basket's beginning. */
static bool
is_near(int64_t card_at_ms, int64_t began_at_ms)
{
	int64_t apart_ms = began_at_ms - card_at_ms;

	return apart_ms < CARD_WAIT_MS && apart_ms > -CARD_WAIT_MS;
}

/* Who waits for this basket by its number: at its till, or at its station. */
static bool
is_from_here(const struct call *call, const struct visit *visit)
{
	return visit->terminal[0] != '\0' ? strcmp(visit->terminal, call->event->origin) == 0
					  : strcmp(visit->station, call->station) == 0;
}

static bool
waits_for_it(const void *call, const struct visit *visit)
{
	return visit->state == VISIT_WAITING && is_from_here(call, visit);
}

static bool
missed_it(const void *call, const struct visit *visit)
{
	return visit->missed && is_from_here(call, visit);
}

static struct visit *
waiting_by_name(const struct call *call)
{
	return sessions_of_number(call->sessions, call->event->basket, waits_for_it, call);
}

struct search {
	const struct call *call;
	struct visit *best;
};

/* Of two cards the one that the next basket is for: the newest before it, else the first after. */
static bool
is_better(const struct visit *card, const struct visit *than, int64_t began_at_ms)
{
	bool before = card->card_at_ms <= began_at_ms;

	if (than == NULL || before != (than->card_at_ms <= began_at_ms))
		return than == NULL || before;
	return before ? card->card_at_ms >= than->card_at_ms : card->card_at_ms < than->card_at_ms;
}

/* A card is another basket's already that the one which begins now would have had: it began later than
 * this one, and had waited for the card; or it stood there longer when the card was read. */
static bool
is_rather_of(const struct visit *visit, int64_t began_at_ms)
{
	if (visit->basket == NULL || visit->began_at_ms == 0 || visit->card_named ||
	    !visit->has_subject)
		return false;
	return visit->card_at_ms > began_at_ms
	    ? visit->began_at_ms < began_at_ms || visit->began_at_ms > visit->card_at_ms
	    : visit->began_at_ms > began_at_ms;
}

static void
look_at_card(void *ctx, struct visit *visit)
{
	struct search *search = ctx;
	const struct event *event = search->call->event;
	bool missed = visit->missed && visit->basket == NULL;

	if ((!missed && !waits_for_any(visit) && !is_rather_of(visit, event->time_ms)) ||
	    !is_near(visit->card_at_ms, event->time_ms) ||
	    strcmp(visit->station, search->call->station) != 0)
		return;
	/* It began and ended before the card was read. */
	if ((event->type == EV_BASKET_CLOSED || event->type == EV_BASKET_CANCELLED) &&
	    visit->card_at_ms > event->time_ms)
		return;
	/* Another card was read there before this basket began. */
	if (missed && visit->ended_at_ms != 0 && visit->ended_at_ms <= event->time_ms)
		return;
	if (is_better(visit, search->best, event->time_ms))
		search->best = visit;
}

/* The card at the event's station that is of whatever basket comes, or of this one rather than of its
 * own; NULL. */
static struct visit *
waiting_for_any(const struct call *call)
{
	struct search search = { .call = call };

	sessions_each(call->sessions, look_at_card, &search);
	return search.best;
}

/* Its wait is over and on record, or another basket has it: the basket that it is for has been late. */
static struct visit *
take_over(const struct call *call, struct visit *from)
{
	struct visit *fresh = call_new_visit(call);
	struct session_also *also = call_also(call, from);

	from->missed = false;
	identify_as(call, fresh, &from->subject, from->card_at_ms, from->card_named);
	if (from->began_at_ms != 0)
		also->effects = whose_give_back(from, call->event->time_ms, &also->former);
	return fresh;
}

struct visit *
identify_waiting(const struct call *call)
{
	struct visit *visit = waiting_by_name(call);

	if (visit == NULL)
		visit = sessions_of_number(call->sessions, call->event->basket, missed_it, call);
	if (visit == NULL)
		visit = waiting_for_any(call);
	if (visit == NULL || visit->state == VISIT_WAITING)
		return visit;
	return take_over(call, visit);
}

void
identify_as(const struct call *call, struct visit *visit, const struct id *subject, int64_t at_ms,
    bool named)
{
	struct card_read card = { *subject, at_ms, named };

	call->ret->effects |= whose_take(visit, &card, call->event->now_ms, &call->ret->former);
	call->ret->visit = visit;
	call_touch(call, visit);
}

static void
set_subject(const struct call *call, struct visit *visit)
{
	const struct event *event = call->event;

	identify_as(call, visit, &event->subject, event->time_ms, event->basket != NULL);
}

void
identify_absorb(const struct call *call, struct visit *visit)
{
	struct visit *waiting;

	if (visit->has_subject || call->ret->gone != NULL)
		return;
	waiting = sessions_newest(call->sessions, call->station, waits_for_any);
	if (waiting == NULL || !is_near(waiting->card_at_ms, call->event->time_ms))
		return;
	identify_as(call, visit, &waiting->subject, waiting->card_at_ms, false);
	call->ret->gone = waiting;
}

/* basket: owned by the visit from now on; NULL: for any. */
static void
wait_anew(const struct call *call, char *basket)
{
	struct visit *visit = call_new_visit(call);

	visit->basket = basket;
	if (basket != NULL && call->event->channel == CHANNEL_POS)
		visit_set_text(visit->terminal, call->event->origin);
	set_subject(call, visit);
	sessions_touch(call->sessions, visit);
}

/* A newer card has been there: what happened last wins. */
static bool
is_older(const struct call *call, const struct visit *visit)
{
	return visit->has_subject && call->event->time_ms < visit->card_at_ms;
}

/* One customer has left, the next has come. The card that waited is withdrawn, and still is that of a
 * basket that began before the newer one was read. basket: what the newer one waits for, owned; NULL: any. */
static void
wait_instead(const struct call *call, struct visit *waiting, char *basket)
{
	waiting->missed = waiting->basket == NULL;
	if (basket == waiting->basket)
		waiting->basket = NULL;
	waiting->ended_at_ms = call->event->time_ms;
	sessions_touch(call->sessions, waiting);
	call->ret->gone = waiting;
	wait_anew(call, basket);
}

/* Another card where one waits. */
static void
wait_again(const struct call *call, struct visit *waiting)
{
	if (is_older(call, waiting)) {
		call->ret->effects = EFFECT_IGNORED;
		return;
	}
	if (is_of(waiting, &call->event->subject))
		set_subject(call, waiting);
	else
		wait_instead(call, waiting, waiting->basket);
}

/* The same card was scanned before its basket was known. */
static void
take_waiting(const struct call *call)
{
	struct visit *waiting = sessions_newest(call->sessions, call->station, waits_for_any);

	if (waiting != NULL && is_of(waiting, &call->event->subject))
		call->ret->gone = waiting;
}

/* It gave way before it was heard of: it may yet turn out that the newer one is another basket's. */
static void
too_old(const struct call *call, struct visit *visit)
{
	const struct event *event = call->event;
	struct card_read card = { event->subject, event->time_ms, event->basket != NULL };

	whose_note(visit, &card);
	call_touch(call, visit);
	call->ret->visit = visit;
	identify_paying(call, visit);
	if (call->ret->effects == 0)
		call->ret->effects = EFFECT_IGNORED;
}

/* It changes nothing; but of a basket that may be two, each has its own. */
static void
once_more(const struct call *call, struct visit *visit)
{
	struct card_read card = { call->event->subject, call->event->time_ms,
		call->event->basket != NULL };
	struct id none;

	call->ret->effects = EFFECT_IGNORED;
	if (visit->state == VISIT_CANCELLED && visit->open_count < 2)
		return;
	if (!whose_is_newer(visit, card.at_ms))
		whose_note(visit, &card);
	else
		(void)whose_take(visit, &card, call->event->now_ms, &none);
}

/* A card that is heard of after the basket's close: the purchase is theirs, unless it is another's. */
static void
identify_late(const struct call *call, struct visit *visit)
{
	call->ret->visit = visit;
	if (visit->state != VISIT_CLOSED || is_of(visit, &call->event->subject)) {
		once_more(call, visit);
		return;
	}
	if (!whose_is_newer(visit, call->event->time_ms)) {
		too_old(call, visit);
		return;
	}
	set_subject(call, visit);
	call->ret->effects |= EFFECT_LATE_LINES;
}

static void
join(const struct call *call, struct visit *visit)
{
	if (visit_over(visit)) {
		identify_late(call, visit);
	} else if (is_older(call, visit)) {
		too_old(call, visit);
	} else {
		set_subject(call, visit);
		take_waiting(call);
	}
}

/* The card that waits for any basket waits for this one. */
static void
name_basket(const struct call *call, struct visit *waiting)
{
	waiting->basket = mem_strdup(call->event->basket);
	if (call->event->channel == CHANNEL_POS)
		visit_set_text(waiting->terminal, call->event->origin);
	sessions_touch(call->sessions, waiting);
}

/* The till has used an offer in it: a basket, though nothing else was heard of it. */
static bool
is_used(const struct visit *waiting)
{
	for (size_t i = 0; i < waiting->card_count; i++) {
		if (waiting->cards[i].state == CARD_APPLIED)
			return true;
	}
	return false;
}

static void
identify_basket(const struct call *call)
{
	const struct event *event = call->event;
	struct visit *visit = call_basket(call);

	if (visit != NULL) {
		join(call, visit);
		return;
	}
	if ((visit = waiting_by_name(call)) != NULL) {
		if (is_used(visit))
			join(call, visit);
		else
			wait_again(call, visit);
		return;
	}
	visit = sessions_newest(call->sessions, call->station, waits_for_any);
	if (visit == NULL) {
		wait_anew(call, mem_strdup(event->basket));
	} else if (is_older(call, visit)) {
		/* As if it had come in time, and the other one had joined its basket. */
		name_basket(call, visit);
		too_old(call, visit);
	} else if (!is_of(visit, &event->subject)) {
		wait_instead(call, visit, mem_strdup(event->basket));
	} else {
		name_basket(call, visit);
		set_subject(call, visit);
	}
}

void
identify_apply(const struct call *call)
{
	struct visit *visit;

	CHECK(call->event->has_subject);
	if (call->event->basket != NULL) {
		identify_basket(call);
		return;
	}
	visit = whose_basket(call);
	if (visit != NULL) {
		join(call, visit);
		return;
	}
	visit = sessions_newest(call->sessions, call->station, waits_for_any);
	if (visit != NULL)
		wait_again(call, visit);
	else
		wait_anew(call, NULL);
}

/* A basket keeps its customer: what is paid after they turned to go is theirs. */
void
identify_left(const struct call *call)
{
	const struct event *event = call->event;
	struct visit *visit;

	if (event->has_subject)
		visit = sessions_by_subject(call->sessions, &event->subject);
	else
		visit = sessions_newest(call->sessions, call->station, not_over);
	if (visit == NULL || strcmp(visit->station, call->station) != 0) {
		call->ret->effects = EFFECT_IGNORED;
		return;
	}
	call->ret->effects = EFFECT_LEFT;
	if (visit->state == VISIT_WAITING) {
		call->ret->gone = visit;
		return;
	}
	call->ret->visit = visit;
	call_touch(call, visit);
}

struct merge {
	const struct call *call;
	struct visit *newest;
};

/* What was theirs in a visit that became another customer's. */
static void
merge_former(const struct call *call, struct visit *visit)
{
	for (size_t i = 0; i < visit->read_count; i++) {
		if (!id_equal(&visit->reads[i].subject, &call->event->subject))
			continue;
		visit->reads[i].subject = call->event->into;
		call_touch(call, visit);
	}
	for (size_t i = 0; i < visit->card_count; i++) {
		if (!id_equal(&visit->cards[i].former, &call->event->subject))
			continue;
		visit->cards[i].former = call->event->into;
		call_touch(call, visit);
	}
}

static void
merge_one(void *ctx, struct visit *visit)
{
	struct merge *merge = ctx;
	const struct event *event = merge->call->event;

	merge_former(merge->call, visit);
	if (!is_of(visit, &event->subject))
		return;
	visit->subject = event->into;
	call_touch(merge->call, visit);
	if (!visit_over(visit))
		merge->newest = visit;
}

/* The same person under another card: their visits go on. */
void
identify_merged(const struct call *call)
{
	struct merge merge = { .call = call };

	sessions_each(call->sessions, merge_one, &merge);
	if (merge.newest == NULL)
		return;
	call->ret->visit = merge.newest;
	call->ret->effects = EFFECT_IDENTIFIED;
}
