/* SPDX-License-Identifier: Apache-2.0
 *
 * release_step.h - where a release stands in this store, and what comes next. Pure.
 */
#ifndef AISLE_DAEMON_RELEASE_STEP_H
#define AISLE_DAEMON_RELEASE_STEP_H

#include "aisle/base.h"

/* X(constant, wire name) */
/* clang-format off */
#define RELEASE_STATES(X) \
	X(NONE, "none") X(WAITING, "waiting") X(FETCHING, "fetching") X(STAGED, "staged") \
	X(EXAMINING, "examining") X(PROBATION, "probation") X(GOOD, "good") \
	X(REFUSED, "refused") X(ROLLED_BACK, "rolled-back")
/* clang-format on */
enum release_state {
#define X(constant, name) RELEASE_##constant,
	RELEASE_STATES(X)
#undef X
	    RELEASE_STATES_COUNT
};
const char *release_state_name(enum release_state state);
/* RELEASE_STATES_COUNT: none is called that. */
enum release_state release_state_by_name(const char *name);

enum release_event {
	RELEASE_ACCEPTED, /* a newer one: signed, for us, in time */
	RELEASE_FETCHED,  /* all that it names is here */
	RELEASE_BEGUN,	  /* the exam */
	RELEASE_SWITCHED, /* it is in force, to be watched */
	RELEASE_KEPT, /* in force with nothing to watch or to go back to, or watched long enough */
	RELEASE_FAILED, /* before it was in force */
	RELEASE_HELD,	/* not now: the disk is full, no process */
	RELEASE_AGAIN,	/* after a hold, or a restart */
	RELEASE_BACK,	/* a guard, and the one before it is in force again */
	RELEASE_EVENTS_COUNT
};

/* What it is after event. Of what cannot happen in this state: the state as it is. */
enum release_state release_step(enum release_state state, enum release_event event);
/* Is there something under way that a newer release ends? */
bool release_is_running(enum release_state state);

#endif
