/* SPDX-License-Identifier: Apache-2.0
 *
 * again.c - a number that its till gives again: where does the basket before end, and what is the
 * next one's?
 *
 * DESIGN
 *   A basket is one until its close or cancellation: an `opened` that comes in
 *   between opens nothing. But that end may be late. So a basket keeps the times
 *   at which it was opened once more, and what its lines were before; an end from
 *   before such a time parts it: what happened since is a basket of its own, with
 *   its lines, its cards and its own end if that was heard of before. Of one time
 *   the end is what came last.
 *   Likewise when the `opened` itself is late, after lines that looked like late
 *   ones of the basket before.
 *   Rejected: a new basket at each `opened`. A till that starts anew in the
 *   middle of a sale would lose half of it.
 *
 * LIMITS
 *   VISIT_OPENS_MAX - 1 times, the newest; a sale that was recalled elsewhere since
 *   is not parted.
 */
#include <string.h>

#include "core/id.h"
#include "core/of_two.h"
#include "session/session_call.h"

/* ---- the times at which it was opened ---- */

void
again_note(const struct call *call, struct visit *visit)
{
	const struct opening opening = { call->event->time_ms, call->event->now_ms,
		call->event->training };
	struct opening *opens = visit->opens;
	size_t at = visit->open_count;

	while (at > 0 && opens[at - 1].at_ms > opening.at_ms)
		at--;
	if (at > 0 && (opens[at - 1].at_ms == opening.at_ms || recall_is(call->event)))
		return;
	if (visit->open_count == VISIT_OPENS_MAX) {
		if (at == 1)
			return;
		if (at == 0) {
			opens[0] = opening;
			return;
		}
		memmove(opens + 1, opens + 2, (--at - 1) * sizeof(*opens));
		opens[at] = opening;
		return;
	}
	memmove(opens + at + 1, opens + at, (visit->open_count++ - at) * sizeof(*opens));
	opens[at] = opening;
}

/* How many of them. */
static size_t
opens_before(const struct visit *visit, int64_t at_ms)
{
	size_t count = 0;

	while (count < visit->open_count && visit->opens[count].at_ms < at_ms)
		count++;
	return count;
}

const struct opening *
again_after(const struct visit *visit, int64_t at_ms)
{
	size_t at = opens_before(visit, at_ms + 1);

	if (at == 0)
		at = 1;
	return at < visit->open_count && visit->left_at_ms <= visit->opens[at].at_ms
	    ? &visit->opens[at]
	    : NULL;
}

bool
again_is(const struct event *event, const struct visit *visit)
{
	if (event->type != EV_BASKET_OPENED || !visit_over(visit))
		return false;
	return visit->opened ? event->time_ms >= visit->ended_at_ms
			     : event->time_ms > visit->ended_at_ms;
}

/* ---- what is whose ---- */

static void
take_read(const struct call *call, struct visit *rest, const struct card_read *card,
    struct session_also *ret)
{
	if (whose_is_newer(rest, card->at_ms))
		ret->effects |=
		    EFFECT_IDENTIFIED & whose_take(rest, card, call->event->now_ms, &ret->former);
	else
		whose_note(rest, card);
}

/* Cards that were read since then. What that means for the two goes into their effects. */
static void
take_reads(const struct call *call, struct session_also *former, struct session_also *rest,
    int64_t at_ms)
{
	struct visit *from = former->visit;
	struct card_read card = { from->subject, from->card_at_ms, from->card_named };

	if (!from->has_subject)
		return;
	if (card.at_ms < at_ms) {
		/* Whoever stood there before has not come again. */
		if (!rest->visit->has_subject) {
			rest->effects |= EFFECT_REPLACED;
			rest->former = card.subject;
		}
		return;
	}
	for (size_t i = 0; i < from->read_count; i++) {
		if (from->reads[i].at_ms >= at_ms)
			take_read(call, rest->visit, &from->reads[i], rest);
	}
	take_read(call, rest->visit, &card, rest);
	former->effects |= whose_give_back(from, at_ms - 1, &former->former);
}

/* The one that began after it goes behind the new one. */
static bool
comes_after(const void *former, const struct visit *visit)
{
	return id_equal(&visit->before, &((const struct visit *)former)->id);
}

static void
stand_behind(const struct call *call, struct visit *former, struct visit *rest)
{
	struct visit *after =
	    sessions_of_number(call->sessions, former->basket, comes_after, former);

	rest->before = former->id;
	if (after == NULL || after == rest)
		return;
	after->before = rest->id;
	(void)call_also(call, after);
}

void
again_begun(const struct call *call, struct visit *former, struct visit *next)
{
	struct session_also of_former = { .visit = former }, of_next = { .visit = next };
	int64_t at_ms = call->event->time_ms;

	stand_behind(call, former, next);
	/* What is of one time with the end was said before that. */
	if (at_ms == former->ended_at_ms)
		at_ms++;
	if (parts_take(next, former, at_ms))
		of_former.effects |= EFFECT_LATE_LINES;
	if (former->has_subject && former->card_at_ms >= at_ms)
		take_reads(call, &of_former, &of_next, at_ms);
	if (of_former.effects != 0)
		*call_also(call, former) = of_former;
	call->ret->effects |= EFFECT_AGAIN | of_next.effects;
}

/* ---- one that was two ---- */

static unsigned
take_state(struct visit *rest, struct visit *former)
{
	if (former->state_at_ms < rest->began_at_ms && !visit_over(former))
		return 0;
	if (visit_over(former) && former->ended_at_ms < rest->began_at_ms)
		return 0;
	rest->state = former->state;
	rest->state_at_ms = former->state_at_ms;
	rest->paying_at_ms = former->paying_at_ms;
	rest->ended_at_ms = former->ended_at_ms;
	rest->closed_ms = former->closed_ms;
	rest->sold_ms = former->sold_ms;
	rest->total_minor = former->total_minor;
	former->state = VISIT_OPEN;
	former->state_at_ms = former->began_at_ms;
	former->ended_at_ms = former->paying_at_ms = 0;
	switch (rest->state) {
	case VISIT_SUSPENDED: return EFFECT_SUSPENDED;
	case VISIT_TENDER: return EFFECT_TENDER;
	case VISIT_CLOSED: return EFFECT_CLOSED;
	case VISIT_CANCELLED: return EFFECT_CANCELLED;
	default: return 0;
	}
}

static struct visit *
begin_rest(const struct call *call, const struct visit *former, const struct opening *opening)
{
	struct visit *rest = call_new_visit(call);

	rest->basket = mem_strdup(former->basket);
	if (former->associate != NULL)
		rest->associate = mem_strdup(former->associate);
	visit_set_text(rest->terminal, former->terminal);
	visit_set_text(rest->station, former->station);
	rest->opened = true;
	rest->training = opening->training;
	rest->state = VISIT_OPEN;
	rest->began_at_ms = rest->state_at_ms = opening->at_ms;
	rest->opened_ms = opening->heard_ms;
	sessions_touch(call->sessions, rest);
	return rest;
}

static void
take_opens(struct visit *rest, struct visit *former)
{
	size_t kept = opens_before(former, rest->began_at_ms);

	rest->open_count = former->open_count - kept;
	memcpy(rest->opens, former->opens + kept, rest->open_count * sizeof(*rest->opens));
	former->open_count = kept;
}

/* Its `opened` may have come after the first of its lines. */
static void
open_by_lines(struct visit *rest)
{
	for (size_t i = 0; i < rest->line_count; i++) {
		if (line_is_known(&rest->lines[i]))
			rest->opened_ms = smaller_of(rest->opened_ms, rest->lines[i].added_ms);
	}
}

struct session_also *
again_part(const struct call *call, struct visit *former, const struct opening *opening)
{
	struct session_also *rest = call_also(call, begin_rest(call, former, opening)),
			    of_former = { .visit = former };

	rest->effects = EFFECT_OPENED | EFFECT_AGAIN | take_state(rest->visit, former);
	take_opens(rest->visit, former);
	if (parts_take(rest->visit, former, rest->visit->began_at_ms) && visit_over(former))
		of_former.effects |= EFFECT_LATE_LINES;
	open_by_lines(rest->visit);
	take_reads(call, &of_former, rest, rest->visit->began_at_ms);
	stand_behind(call, former, rest->visit);
	call->ret->effects |= of_former.effects;
	if (of_former.effects & EFFECT_REPLACED)
		call->ret->former = of_former.former;
	return rest;
}
