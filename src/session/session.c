/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c - events to visits: which visit is an event about, and may it say so?
 *
 * DESIGN
 *   One handler a type, every type filled in. A till's number is one of its own
 *   baskets: the terminal is the one of the topic, which the broker vouches for;
 *   what the data say about it is not read.
 */
#include "session/session.h"

#include "session/session_call.h"

static void
apply_nothing(const struct call *call)
{
	(void)call;
}

/* The associate helps the customer in front of them: a return is trouble of the
 * visit at its station, unless it names a basket that is still open. */
static void
apply_return(const struct call *call)
{
	struct visit *visit = call_basket(call);

	if (visit == NULL || visit_over(visit))
		visit = sessions_at_station(call->sessions, call->station);
	if (visit == NULL)
		return;
	visit->returns++;
	call_touch(call, visit);
	call->ret->visit = visit;
}

/* Something about a customer: of interest at the station where they are now. */
static void
apply_subject(const struct call *call)
{
	const struct event *event = call->event;

	if (event->basket != NULL)
		call->ret->visit = call_basket(call);
	else if (event->has_subject)
		call->ret->visit = sessions_by_subject(call->sessions, &event->subject);
}

static void
apply_station(const struct call *call)
{
	call->ret->visit = sessions_at_station(call->sessions, call->station);
}

static void
apply_sensor(const struct call *call)
{
	if (call->event->station != NULL)
		apply_station(call);
}

/* clang-format off */
static void (*const handlers[EV_COUNT])(const struct call *call) = {
#define X(constant, name, from, fields, visit, ...) [EV_##constant] = visit,
	EVENT_TYPES(X)
#undef X
};
/* clang-format on */

void
session_apply(struct sessions *sessions, const struct event *event, const char *station,
    const struct id *visit_id, struct session_result *ret)
{
	struct call call = { sessions, event, station, visit_id, ret };

	CHECK(sessions != NULL && station != NULL && visit_id != NULL);
	CHECK((unsigned)event->type < EV_COUNT);
	*ret = (struct session_result){ .reject = REJECT_NONE };
	handlers[event->type](&call);
}

bool
session_wait_over(const struct visit *visit, int64_t now_ms)
{
	return visit->state == VISIT_WAITING && now_ms - visit->identified_ms >= CARD_WAIT_MS;
}
