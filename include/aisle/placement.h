/* SPDX-License-Identifier: Apache-2.0
 *
 * placement.h - where a card may be shown, a row each: all that the rest of the engine knows of
 * one.
 */
#ifndef AISLE_PLACEMENT_H
#define AISLE_PLACEMENT_H

#include "aisle/base.h"
#include "aisle/visit.h"

/* What the till is asked to do. */
enum command_type {
	COMMAND_NONE,
	COMMAND_APPLY_OFFER,
	COMMAND_WITHDRAW_OFFER,
	COMMAND_SHOW_MESSAGE,
	COMMAND_CLEAR_MESSAGE,
	COMMAND_PRINT_MESSAGE
};

struct placement_traits {
	unsigned states;     /* of the checkout that it may show in: bit per enum visit_state */
	bool interrupts;     /* somebody looks up from what they do: not while many wait */
	bool stops_paying;   /* and who is served has to wait for it: not while they pay */
	bool faces_customer; /* nothing personal, no reasons, answered by the customer or nobody */
	bool on_screen;	     /* part of the station's Guidance */
	bool reaches_out;    /* after the visit: needs consent to contact */
	enum command_type show, clear; /* what the till is asked for to show it, to take it away */
};

/* X(constant, wire name, the traits in their order) */
/* clang-format off */
#define SHOWS_IN(state) (1u << VISIT_##state)
#define PLACEMENTS(X) \
	X(TABLET, "tablet", SHOWS_IN(WAITING) | SHOWS_IN(OPEN) | SHOWS_IN(TENDER), \
	    true, true, false, true, false, COMMAND_NONE, COMMAND_NONE) \
	X(TILL, "till", SHOWS_IN(OPEN) | SHOWS_IN(TENDER), \
	    true, true, false, false, false, COMMAND_SHOW_MESSAGE, COMMAND_CLEAR_MESSAGE) \
	X(RECEIPT, "receipt", SHOWS_IN(OPEN) | SHOWS_IN(TENDER) | SHOWS_IN(CLOSED), \
	    false, false, false, false, false, COMMAND_PRINT_MESSAGE, COMMAND_NONE) \
	X(CUSTOMER, "customer", SHOWS_IN(WAITING) | SHOWS_IN(OPEN) | SHOWS_IN(TENDER), \
	    true, false, true, true, false, COMMAND_SHOW_MESSAGE, COMMAND_CLEAR_MESSAGE) \
	X(LATER, "later", SHOWS_IN(WAITING) | SHOWS_IN(OPEN) | SHOWS_IN(SUSPENDED) | SHOWS_IN(TENDER) | SHOWS_IN(CLOSED) | SHOWS_IN(CANCELLED), \
	    false, false, false, false, true, COMMAND_NONE, COMMAND_NONE)
/* clang-format on */

enum placement {
#define X(constant, ...) PLACE_##constant,
	PLACEMENTS(X)
#undef X
	    PLACE_COUNT
};
_Static_assert(PLACE_COUNT <= 8, "a policy keeps an action's placements as bits of a byte");

/* A bit each of those that the customer reads. */
#define X(constant, name, states, interrupts, stops_paying, faces_customer, ...) \
	| ((unsigned)(faces_customer) << PLACE_##constant)
enum { PLACES_FACING_CUSTOMER = 0 PLACEMENTS(X) };
#undef X

extern const char *const placement_names[PLACE_COUNT];
extern const struct placement_traits placement_table[PLACE_COUNT];

#endif
