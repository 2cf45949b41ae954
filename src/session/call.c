/* SPDX-License-Identifier: Apache-2.0
 *
 * call.c - what every handler of an event needs: a visit made, changed, named by a basket's number.
 */
#include <stdio.h>

#include "session/session_call.h"

void
visit_set_text(char *to, const char *from)
{
	snprintf(to, NAME_SIZE, "%s", from);
}

struct visit *
call_new_visit(const struct call *call)
{
	struct id id = *call->visit_id;
	struct visit *visit;

	/* An event may make two. */
	if (sessions_by_id(call->sessions, &id) != NULL)
		id.b[8] ^= 0x80;
	visit = visit_new(&id);

	visit->opened_ms = call->event->now_ms;
	visit_set_text(visit->station, call->station);
	sessions_add(call->sessions, visit);
	call_touch(call, visit);
	return visit;
}

struct session_also *
call_also(const struct call *call, struct visit *visit)
{
	struct session_also *also = &call->ret->also[call->ret->also_count++];

	CHECK(call->ret->also_count <= SESSION_ALSO_MAX);
	*also = (struct session_also){ .visit = visit };
	call_touch(call, visit);
	return also;
}

void
call_touch(const struct call *call, struct visit *visit)
{
	visit->last_ms = call->event->now_ms;
	visit->dirty = true;
}

struct visit *
call_basket(const struct call *call)
{
	const struct event *event = call->event;

	if (event->basket == NULL)
		return NULL;
	if (event->channel == CHANNEL_POS)
		return sessions_basket(call->sessions, event->origin, event->basket,
		    event->time_ms);
	return sessions_number_at(call->sessions, call->station, event->basket);
}
