/* SPDX-License-Identifier: Apache-2.0
 *
 * watch.h - is what answers here sound? What must hold before the service manager's watchdog is
 * fed.
 */
#ifndef AISLE_DAEMON_WATCH_H
#define AISLE_DAEMON_WATCH_H

#include "spine/engine.h"

/* A decision whose outcome is known: a policy of its own, one line in a basket. */
struct watch {
	struct policy *policy;
	struct arena *arena;
	struct visit visit;
	struct line line;
};

/* AISLE_E_INVALID: the policy does not compile. watch_done takes one that is all zero. */
int watch_init(struct watch *watch, struct err *err) AISLE_MUST_CHECK;
void watch_done(struct watch *watch);
/* NULL: sound; else what is not, in words. turn: what the last turn_run returned. */
const char *watch_look(struct watch *watch, struct engine *engine, int turn);

#endif
