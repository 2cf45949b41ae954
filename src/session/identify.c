/* SPDX-License-Identifier: Apache-2.0
 *
 * identify.c - whose basket is it: cards that join, wait, replace and leave.
 *
 * DESIGN
 *   A card that names its basket waits for that one; a card that names none
 *   joins the basket that is open at its station, unless a customer who is known
 *   is paying there, else the next one that began within CARD_WAIT_MS of it. Each
 *   kind gives way only to a card of its own kind: at a row of self-checkouts, a
 *   named card of one customer does not send away another. Where no basket is,
 *   each card is a visit of its own, and the newest takes the next basket.
 *   A basket with a customer of its own never takes a card that waits when it
 *   is recalled: the wait is for "the next one".
 *
 *   All by the times of card and basket. A card is tied to a basket as soon as
 *   both are known; if the till's late word then shows that the basket had ended
 *   long before, or that its customer was paying, the card is set free again.
 */
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "session/session_call.h"

/* The till is at it; of one that a card named first nothing else has been heard yet. */
static bool
in_hand(const struct visit *visit)
{
	return visit->state == VISIT_OPEN || visit->state == VISIT_TENDER ||
	    (visit->state == VISIT_WAITING && visit->basket != NULL);
}

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

static void
look_at_card(void *ctx, struct visit *visit)
{
	struct search *search = ctx;
	int64_t began_at_ms = search->call->event->time_ms;
	bool missed = visit->missed && visit->basket == NULL;

	if ((!missed && !waits_for_any(visit)) || !is_near(visit->card_at_ms, began_at_ms) ||
	    strcmp(visit->station, search->call->station) != 0)
		return;
	/* Another card was read there before this basket began. */
	if (missed && visit->ended_at_ms != 0 && visit->ended_at_ms <= began_at_ms)
		return;
	if (is_better(visit, search->best, began_at_ms))
		search->best = visit;
}

/* The card that waits at the event's station for whatever basket comes; NULL. */
static struct visit *
waiting_for_any(const struct call *call)
{
	struct search search = { .call = call };

	sessions_each(call->sessions, look_at_card, &search);
	return search.best;
}

struct visit *
identify_waiting(const struct call *call)
{
	struct visit *visit = waiting_by_name(call), *fresh;

	if (visit == NULL)
		visit = sessions_of_number(call->sessions, call->event->basket, missed_it, call);
	if (visit == NULL)
		visit = waiting_for_any(call);
	if (visit == NULL || !visit->missed)
		return visit;
	/* Its wait is over and on record; the basket that it was for has been late. */
	fresh = call_new_visit(call);
	visit->missed = false;
	call->ret->also = visit;
	identify_as(call, fresh, &visit->subject, visit->card_at_ms, visit->card_named);
	return fresh;
}

void
identify_as(const struct call *call, struct visit *visit, const struct id *subject, int64_t at_ms,
    bool named)
{
	if (visit->has_subject && !id_equal(&visit->subject, subject)) {
		call->ret->effects |= EFFECT_REPLACED;
		call->ret->former = visit->subject;
		visit->former = named ? (struct id){ { 0 } } : visit->subject;
		free(visit->language);
		visit->language = NULL;
	}
	visit->has_subject = true;
	visit->subject = *subject;
	visit->identified_ms = call->event->now_ms;
	visit->card_at_ms = at_ms;
	visit->card_named = named;
	call->ret->effects |= EFFECT_IDENTIFIED;
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

/* The basket's customer was known and paying, or the basket was over, when this card was read: it is
 * the next customer's. The event makes no other visit. */
void
identify_set_free(const struct call *call, struct visit *visit, int64_t before_ms)
{
	struct visit *waiting;
	struct id none = { { 0 } };

	if (!visit->has_subject || visit->card_named || visit->card_at_ms <= before_ms ||
	    call->ret->effects & EFFECT_OPENED)
		return;
	waiting = call_new_visit(call);
	waiting->has_subject = true;
	waiting->subject = visit->subject;
	waiting->card_at_ms = visit->card_at_ms;
	waiting->identified_ms = call->event->now_ms;
	call->ret->also = waiting;
	call->ret->also_effects = EFFECT_IDENTIFIED;
	call->ret->effects |= EFFECT_REPLACED;
	call->ret->former = visit->subject;
	free(visit->language);
	visit->language = NULL;
	visit->has_subject = !id_equal(&visit->former, &none);
	visit->subject = visit->former;
	visit->former = none;
	visit->card_at_ms = visit->has_subject ? before_ms : 0;
	visit->card_named = visit->has_subject; /* not to be set free again */
	if (visit->has_subject)
		call->ret->effects |= EFFECT_IDENTIFIED;
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

/* A card that comes after the basket's close: the purchase is theirs, unless it is another's. */
static void
identify_late(const struct call *call, struct visit *visit)
{
	call->ret->visit = visit;
	if (visit->state != VISIT_CLOSED || visit->has_subject) {
		call->ret->effects = EFFECT_IGNORED;
		return;
	}
	set_subject(call, visit);
	call->ret->effects |= EFFECT_LATE_LINES;
}

static void
join(const struct call *call, struct visit *visit)
{
	if (is_older(call, visit)) {
		call->ret->visit = visit;
		call->ret->effects = EFFECT_IGNORED;
		return;
	}
	set_subject(call, visit);
	take_waiting(call);
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

	if (visit != NULL && visit_over(visit)) {
		identify_late(call, visit);
	} else if (visit != NULL) {
		join(call, visit);
	} else if ((visit = waiting_by_name(call)) != NULL) {
		if (is_used(visit))
			join(call, visit);
		else
			wait_again(call, visit);
	} else {
		visit = sessions_newest(call->sessions, call->station, waits_for_any);
		if (visit == NULL || is_older(call, visit)) {
			wait_anew(call, mem_strdup(event->basket));
			return;
		}
		if (!is_of(visit, &event->subject)) {
			wait_instead(call, visit, mem_strdup(event->basket));
			return;
		}
		visit->basket = mem_strdup(event->basket);
		if (event->channel == CHANNEL_POS)
			visit_set_text(visit->terminal, event->origin);
		sessions_touch(call->sessions, visit);
		set_subject(call, visit);
	}
}

/* May a card that names no basket join the one that is in hand? */
static bool
is_theirs(const struct call *call, const struct visit *visit)
{
	const struct event *event = call->event;

	if (visit->began_at_ms - event->time_ms >= CARD_WAIT_MS)
		return false;
	return visit->state != VISIT_TENDER || !visit->has_subject || is_of(visit, &event->subject);
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
	visit = sessions_newest(call->sessions, call->station, in_hand);
	if (visit != NULL && is_theirs(call, visit)) {
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
