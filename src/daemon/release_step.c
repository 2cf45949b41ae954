/* SPDX-License-Identifier: Apache-2.0
 *
 * release_step.c - the states of a release as a table.
 *
 * What is signed and in time always takes the place of what was there; a release on probation stays
 * in force and is watched meanwhile, and what its successor goes back to is the last that was good. A
 * successor that brings nothing else is on probation in its place.
 */
#include "daemon/release_step.h"

#include <string.h>

static const char *const names[] = {
#define X(constant, name) [RELEASE_##constant] = name,
	RELEASE_STATES(X)
#undef X
};

const char *
release_state_name(enum release_state state)
{
	return NAME_OF(names, state);
}

enum release_state
release_state_by_name(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_LEN(names) && strcmp(names[i], name) != 0)
		i++;
	return (enum release_state)i;
}

/* clang-format off */
#define NONE RELEASE_NONE
#define WAIT RELEASE_WAITING
#define FETCH RELEASE_FETCHING
#define STAGED RELEASE_STAGED
#define EXAM RELEASE_EXAMINING
#define WATCH RELEASE_PROBATION
#define GOOD RELEASE_GOOD
#define REFUSE RELEASE_REFUSED
#define BACK RELEASE_ROLLED_BACK
static const unsigned char table[RELEASE_STATES_COUNT][RELEASE_EVENTS_COUNT] = {
	/*                        ACCEPTED FETCHED BEGUN SWITCHED KEPT  FAILED  HELD  AGAIN  BACK */
	[RELEASE_NONE] =        { FETCH,   NONE,   NONE,   NONE,   NONE,   NONE,   NONE,   NONE,   NONE },
	[RELEASE_WAITING] =     { FETCH,   WAIT,   WAIT,   WAIT,   WAIT,   REFUSE, WAIT,   FETCH,  WAIT },
	[RELEASE_FETCHING] =    { FETCH,   STAGED, FETCH,  WATCH,  GOOD,   REFUSE, WAIT,   FETCH,  FETCH },
	[RELEASE_STAGED] =      { FETCH,   STAGED, EXAM,   STAGED, GOOD,   REFUSE, WAIT,   FETCH,  STAGED },
	[RELEASE_EXAMINING] =   { FETCH,   EXAM,   EXAM,   WATCH,  GOOD,   REFUSE, WAIT,   FETCH,  EXAM },
	[RELEASE_PROBATION] =   { FETCH,   WATCH,  WATCH,  WATCH,  GOOD,   WATCH,  WATCH,  WATCH,  BACK },
	[RELEASE_GOOD] =        { FETCH,   GOOD,   GOOD,   GOOD,   GOOD,   GOOD,   GOOD,   GOOD,   GOOD },
	[RELEASE_REFUSED] =     { FETCH,   REFUSE, REFUSE, REFUSE, REFUSE, REFUSE, REFUSE, REFUSE, REFUSE },
	[RELEASE_ROLLED_BACK] = { FETCH,   BACK,   BACK,   BACK,   BACK,   BACK,   BACK,   BACK,   BACK },
};
/* clang-format on */

enum release_state
release_step(enum release_state state, enum release_event event)
{
	CHECK(state < RELEASE_STATES_COUNT && event < RELEASE_EVENTS_COUNT);
	return (enum release_state)table[state][event];
}

bool
release_is_running(enum release_state state)
{
	return state == RELEASE_WAITING || state == RELEASE_FETCHING || state == RELEASE_STAGED ||
	    state == RELEASE_EXAMINING;
}
