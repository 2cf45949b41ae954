/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_round.h - the steps of a plan, taken on a broker in their order.
 */
#ifndef AISLE_HQ_PUBLISH_ROUND_H
#define AISLE_HQ_PUBLISH_ROUND_H

#include <signal.h>

#include "hq/publish_plan.h"
#include "hq/publish_wire.h"

struct round {
	int64_t texts, chunks, chunks_there; /* sent, sent, found whole */
	int64_t bytes, bytes_all, began_ms, told_ms;
};
#define ROUND_AGAIN 1

/* Each step is acknowledged before the next begins. What stops the round is found before anything is sent; of a folder
 * roots and orders go first, for a stop waits for no bundle. urgent: is there something that does not wait for one that is under way?
 * Then ROUND_AGAIN: what was sent stays, and another plan is to be made. NULL: nothing is urgent. */
struct round_urgent {
	bool (*is)(void *ctx);
	void *ctx;
};
int round_take(struct wire *wire, struct round *round, const struct plan *plan, bool folder,
    const struct kept *kept, const struct round_urgent *urgent, const volatile sig_atomic_t *stop,
    struct err *err) AISLE_MUST_CHECK;

#endif
