/* SPDX-License-Identifier: Apache-2.0
 *
 * session_call.h - one call of session_apply, for session.c, basket.c and identify.c.
 */
#ifndef AISLE_SESSION_SESSION_CALL_H
#define AISLE_SESSION_SESSION_CALL_H

#include "session/session.h"

struct call {
	struct sessions *sessions;
	const struct event *event;
	const char *station;
	const struct id *visit_id;
	struct session_result *ret;
};

/* A new visit at the event's station, in state WAITING, in the table. */
struct visit *call_new_visit(const struct call *call);
void call_touch(const struct call *call, struct visit *visit); /* dirty, last_ms */
void visit_set_text(char *to, const char *from); /* station or terminal, cut at NAME_SIZE */

void basket_apply(const struct call *call); /* aisle.basket.* */

void identify_apply(const struct call *call);  /* aisle.customer.identified */
void identify_left(const struct call *call);   /* aisle.customer.left */
void identify_merged(const struct call *call); /* aisle.customer.merged */
/* The card that waits at the event's station for the next basket; NULL. */
struct visit *identify_waiting(const struct call *call);
/* A basket came (back) to a station: an anonymous one takes the card that waits there. */
void identify_absorb(const struct call *call, struct visit *visit);

#endif
