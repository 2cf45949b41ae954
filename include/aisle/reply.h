/* SPDX-License-Identifier: Apache-2.0
 *
 * reply.h - what became of something that was asked of the store: an answer to a card, an order.
 */
#ifndef AISLE_REPLY_H
#define AISLE_REPLY_H

/* Strings are of who replies, until the call returns. */
#include <stdbool.h>

struct reply {
	int status;	    /* in HTTP's terms */
	const char *body;   /* one JSON object; NULL: an error, or none */
	const char *detail; /* of the problem; NULL: none */
	const char *clause; /* of a 409: the gate that is closed; NULL: another reason */
	bool
	    changed; /* the state has something of it that it had not; an answer said again has not */
};

/* Called once, after the commit. */
typedef void (*reply_fn)(void *ctx, const struct reply *reply);

#endif
