/* SPDX-License-Identifier: Apache-2.0
 *
 * identify.c - whose basket is it: cards that join, wait, replace and leave.
 *
 * DESIGN
 *   A card that names its basket waits for that one wherever it opens; a card
 *   that names none waits CARD_WAIT_MS for the next one at its station. Each
 *   kind gives way only to a card of its own kind: at a row of
 *   self-checkouts, a named card of one customer does not send away another.
 *   A basket with a customer of its own never takes a card that waits when it
 *   is recalled: the wait is for "the next one".
 */
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "session/session_call.h"

static bool
in_hand(const struct visit *visit)
{
	return visit->state == VISIT_OPEN || visit->state == VISIT_TENDER;
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

struct visit *
identify_waiting(const struct call *call)
{
	struct visit *visit = sessions_newest(call->sessions, call->station, waits_for_any);

	if (visit == NULL || session_wait_over(visit, call->event->now_ms))
		return NULL;
	return visit;
}

static void
set_subject(const struct call *call, struct visit *visit, const struct id *subject)
{
	if (visit->has_subject && !id_equal(&visit->subject, subject)) {
		call->ret->effects |= EFFECT_REPLACED;
		call->ret->former = visit->subject;
		free(visit->language);
		visit->language = NULL;
	}
	visit->has_subject = true;
	visit->subject = *subject;
	visit->identified_ms = call->event->now_ms;
	call->ret->effects |= EFFECT_IDENTIFIED;
	call->ret->visit = visit;
	call_touch(call, visit);
}

void
identify_absorb(const struct call *call, struct visit *visit)
{
	struct visit *waiting = identify_waiting(call);

	if (waiting == NULL || visit->has_subject)
		return;
	set_subject(call, visit, &waiting->subject);
	call->ret->gone = waiting;
}

static void
wait_anew(const struct call *call, char *basket)
{
	struct visit *visit = call_new_visit(call);

	visit->basket = basket;
	set_subject(call, visit, &call->event->subject);
	sessions_touch(call->sessions, visit);
}

/* Another card where one waits: one customer has left, the next has come. */
static void
wait_again(const struct call *call, struct visit *waiting)
{
	char *basket;

	if (is_of(waiting, &call->event->subject)) {
		set_subject(call, waiting, &call->event->subject);
		return;
	}
	basket = waiting->basket;
	waiting->basket = NULL;
	sessions_touch(call->sessions, waiting);
	call->ret->gone = waiting;
	call->ret->effects |= EFFECT_LEFT;
	wait_anew(call, basket);
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
	set_subject(call, visit, &call->event->subject);
	call->ret->effects |= EFFECT_LATE_LINES;
}

static void
identify_basket(const struct call *call)
{
	const struct event *event = call->event;
	struct visit *visit = sessions_by_basket(call->sessions, event->basket);

	if (visit == NULL) {
		visit = sessions_newest(call->sessions, call->station, waits_for_any);
		if (visit == NULL || !is_of(visit, &event->subject)) {
			wait_anew(call, mem_strdup(event->basket));
			return;
		}
		visit->basket = mem_strdup(event->basket);
		sessions_touch(call->sessions, visit);
		set_subject(call, visit, &event->subject);
	} else if (visit->state == VISIT_WAITING) {
		wait_again(call, visit);
	} else if (visit_over(visit)) {
		identify_late(call, visit);
	} else {
		set_subject(call, visit, &event->subject);
		take_waiting(call);
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
	visit = sessions_newest(call->sessions, call->station, in_hand);
	if (visit != NULL) {
		set_subject(call, visit, &call->event->subject);
		take_waiting(call);
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

static void
merge_one(void *ctx, struct visit *visit)
{
	struct merge *merge = ctx;
	const struct event *event = merge->call->event;

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
