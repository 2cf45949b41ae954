/* SPDX-License-Identifier: Apache-2.0
 *
 * whose.c - whose basket is it, by the times of cards and baskets.
 *
 * DESIGN
 *   A card without basket is of the basket that was open at its station when it
 *   was read, the newest of several; unless a customer who was known was paying
 *   there, then, as where none was open, of the next that began within
 *   CARD_WAIT_MS. Whether card or basket was heard of first is nothing to it: a
 *   basket that is over by now takes the card that was read while it was not.
 *
 *   A basket keeps the cards that gave way to its customer's: when the till's
 *   late word shows that the newest was read after its end, or while another one
 *   paid, the basket is the former's again, and the card is placed anew.
 *
 * LIMITS
 *   VISIT_READS_MAX cards that gave way; of more the oldest is not known.
 */
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "session/session_call.h"

/* ---- the cards of a basket ---- */

void
whose_note(struct visit *visit, const struct card_read *card)
{
	struct card_read *reads = visit->reads;
	size_t at;

	if (visit->read_count == VISIT_READS_MAX) {
		if (card->at_ms < reads[0].at_ms)
			return;
		memmove(reads, reads + 1, --visit->read_count * sizeof(*reads));
	}
	for (at = visit->read_count; at > 0 && reads[at - 1].at_ms > card->at_ms;)
		at--;
	memmove(reads + at + 1, reads + at, (visit->read_count - at) * sizeof(*reads));
	reads[at] = *card;
	visit->read_count++;
}

bool
whose_is_newer(const struct visit *visit, int64_t at_ms)
{
	bool in_time = at_ms <= visit->ended_at_ms, had = visit->card_at_ms <= visit->ended_at_ms;

	if (!visit->has_subject)
		return true;
	if (!visit_over(visit))
		return at_ms >= visit->card_at_ms;
	if (in_time != had)
		return in_time;
	return in_time ? at_ms >= visit->card_at_ms : at_ms < visit->card_at_ms;
}

/* Of one customer's reads in a row the first tells since when the basket is theirs. */
static void
note_former(struct visit *visit)
{
	struct card_read card = { visit->subject, visit->card_at_ms, visit->card_named };

	if (visit->read_count == 0 ||
	    !id_equal(&visit->reads[visit->read_count - 1].subject, &card.subject))
		whose_note(visit, &card);
}

static void
set_card(struct visit *visit, const struct card_read *card)
{
	visit->has_subject = true;
	visit->subject = card->subject;
	visit->card_at_ms = card->at_ms;
	visit->card_named = card->named;
}

unsigned
whose_take(struct visit *visit, const struct card_read *card, int64_t now_ms, struct id *ret_former)
{
	unsigned effects = EFFECT_IDENTIFIED;

	if (visit->has_subject)
		note_former(visit);
	if (visit->has_subject && !id_equal(&visit->subject, &card->subject)) {
		effects |= EFFECT_REPLACED;
		*ret_former = visit->subject;
		free(visit->language);
		visit->language = NULL;
	}
	set_card(visit, card);
	visit->identified_ms = now_ms;
	return effects;
}

static bool
was_read_by(const struct visit *visit, int64_t at_ms)
{
	return visit->read_count > 0 && visit->reads[0].at_ms <= at_ms;
}

unsigned
whose_give_back(struct visit *visit, int64_t by_ms, struct id *ret_former)
{
	struct id former = visit->subject;

	while (visit->read_count > 0 && visit->reads[visit->read_count - 1].at_ms > by_ms)
		visit->read_count--;
	if (visit->read_count > 0) {
		set_card(visit, &visit->reads[--visit->read_count]);
		if (id_equal(&visit->subject, &former))
			return 0;
	} else {
		visit->has_subject = visit->card_named = false;
		visit->subject = (struct id){ { 0 } };
		visit->card_at_ms = 0;
	}
	free(visit->language);
	visit->language = NULL;
	*ret_former = former;
	return EFFECT_REPLACED | (visit->has_subject ? EFFECT_IDENTIFIED : 0);
}

/* ---- the basket of a card ---- */

struct search {
	const char *station;
	int64_t at_ms;
	const struct visit *but;
	struct visit *open, *next;
};

/* Of one that a card named first nothing else has been heard yet. */
static bool
is_basket(const struct visit *visit)
{
	return visit->basket != NULL && (visit->state == VISIT_WAITING || visit->began_at_ms != 0);
}

static int64_t
began_at(const struct visit *visit)
{
	return visit->state == VISIT_WAITING ? visit->card_at_ms : visit->began_at_ms;
}

/* Or it was put aside, and nobody stood there for it. */
static bool
had_ended(const struct visit *visit, int64_t at_ms)
{
	return (visit_over(visit) && visit->ended_at_ms <= at_ms) ||
	    (visit->state == VISIT_SUSPENDED && visit->state_at_ms <= at_ms) ||
	    (visit->parked_at_ms <= at_ms && at_ms < visit->left_at_ms);
}

/* Of a sale that was recalled, until then where it was suspended. */
static bool
stood_at(const struct visit *visit, const char *station, int64_t at_ms)
{
	if (visit->from[0] != '\0' && at_ms < visit->left_at_ms)
		return strcmp(visit->from_station, station) == 0;
	return strcmp(visit->station, station) == 0;
}

static void
look_at_basket(void *ctx, struct visit *visit)
{
	struct search *search = ctx;
	int64_t began_ms = began_at(visit);

	if (visit == search->but || !is_basket(visit) ||
	    !stood_at(visit, search->station, search->at_ms))
		return;
	if (began_ms > search->at_ms) {
		if (began_ms - search->at_ms < CARD_WAIT_MS &&
		    (search->next == NULL || began_ms < began_at(search->next)))
			search->next = visit;
	} else if (!had_ended(visit, search->at_ms) &&
	    (search->open == NULL || began_ms >= began_at(search->open))) {
		search->open = visit;
	}
}

/* Somebody else was known there, and paying. */
static bool
was_taken(const struct visit *visit, const struct id *subject, int64_t at_ms)
{
	if (visit->paying_at_ms == 0 || visit->paying_at_ms > at_ms || !visit->has_subject ||
	    id_equal(&visit->subject, subject))
		return false;
	return visit->card_at_ms <= at_ms || was_read_by(visit, at_ms);
}

static struct visit *
basket_of_card(const struct call *call, const struct id *subject, int64_t at_ms,
    const struct visit *but)
{
	struct search search = { .station = call->station, .at_ms = at_ms, .but = but };

	sessions_each(call->sessions, look_at_basket, &search);
	if (search.open != NULL && !was_taken(search.open, subject, at_ms))
		return search.open;
	return search.next;
}

struct visit *
whose_basket(const struct call *call)
{
	return basket_of_card(call, &call->event->subject, call->event->time_ms, NULL);
}

/* ---- a card that is of another basket than was thought ---- */

static void
wait_for_any(const struct call *call, const struct card_read *card)
{
	struct visit *waiting = call_new_visit(call);

	set_card(waiting, card);
	waiting->identified_ms = call->event->now_ms;
	call_also(call, waiting)->effects = EFFECT_IDENTIFIED;
}

static void
place(const struct call *call, const struct card_read *card, const struct visit *but)
{
	struct visit *visit = basket_of_card(call, &card->subject, card->at_ms, but);
	struct session_also *also;

	if (visit == NULL) {
		wait_for_any(call, card);
		return;
	}
	also = call_also(call, visit);
	if (visit->state != VISIT_CANCELLED && whose_is_newer(visit, card->at_ms))
		also->effects = whose_take(visit, card, call->event->now_ms, &also->former);
	else
		whose_note(visit, card);
}

/* The event makes no other visit. */
static void
set_free(const struct call *call, struct visit *visit, int64_t by_ms)
{
	struct card_read card = { visit->subject, visit->card_at_ms, visit->card_named };

	call->ret->effects |= whose_give_back(visit, by_ms, &call->ret->former);
	if (!card.named)
		place(call, &card, visit);
}

static bool
was_read_after(const struct call *call, const struct visit *visit, int64_t at_ms)
{
	return visit->has_subject && visit->card_at_ms > at_ms &&
	    !(call->ret->effects & EFFECT_OPENED);
}

void
identify_paying(const struct call *call, struct visit *visit)
{
	if (visit->paying_at_ms != 0 && !visit->card_named &&
	    was_read_after(call, visit, visit->paying_at_ms) &&
	    was_read_by(visit, visit->paying_at_ms))
		set_free(call, visit, visit->paying_at_ms);
}

void
identify_ended(const struct call *call, struct visit *visit)
{
	/* One that names a stranger's basket after its end is the customer's for all that. */
	if (was_read_after(call, visit, visit->ended_at_ms) &&
	    (!visit->card_named || was_read_by(visit, visit->ended_at_ms)))
		set_free(call, visit, visit->ended_at_ms);
}
