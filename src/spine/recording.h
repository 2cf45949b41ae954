/* SPDX-License-Identifier: Apache-2.0
 *
 * recording.h - what the turns were told: rows of the store, lines of a file, and back.
 *
 * DESIGN
 *   What was accepted is written down as it was understood, in the turn that it
 *   changed: not the bytes that came, with the card number and the PIN in them.
 *   A line is a CloudEvent that a replay takes like any other recorded event.
 *   What is no event (an order, what was in force, a hole) is a line of a type
 *   of its own, aisle.recording.NAME, that no wire takes.
 *
 * ROWS (varints and texts of core/buf.h)
 *   u8 kind, then
 *   BEGAN: nothing: the state was new
 *   CONTEXT: policy's hash, catalog's hash, u8 flags: what was in force from here on
 *   EVENT, ANSWER, MANAGER_ANSWER: type without "aisle.", u8 channel, origin, source, id, time after the row's own
 *     time, data as JSON. ANSWER: a tablet's over HTTP; MANAGER_ANSWER: a manager's
 *   INTO: a subject: the rest of the merge before it, sealed for the other customer
 *   STOP: action, u8 stopped, until, who (u8 enum order_from), manager
 *   LEVER: name, value as text, until, manager
 */
#ifndef AISLE_SPINE_RECORDING_H
#define AISLE_SPINE_RECORDING_H

#include "spine/engine.h"

#define RECORDING_TYPE "aisle.recording." /* of lines that are no events */

enum recording_kind {
	RECORDING_BEGAN,
	RECORDING_CONTEXT,
	RECORDING_EVENT,
	RECORDING_ANSWER,
	RECORDING_MANAGER_ANSWER,
	RECORDING_INTO,
	RECORDING_STOP,
	RECORDING_LEVER,
	RECORDING_KINDS
};
/* flags of a CONTEXT */
#define RECORDING_UNCERTAIN 1 /* the store's time */
#define RECORDING_GAP 2	      /* for a while before it nothing was recorded */

/* recording.c: rows, within the turn */
void recording_began(struct engine *engine); /* of a new state, while it is loaded */
/* of an event that was accepted; about: whose visit it concerned, besides its own customer */
void recording_event(struct engine *engine, const struct event *event, const struct id *about);
/* over HTTP, of a tablet or a manager */
void recording_answer(struct engine *engine, const struct event *event, const struct id *about,
    bool by_manager);
void recording_order(struct engine *engine, const struct input *input); /* a stop, a lever */

/* recording_marks.c: a line of a type of ours, read. true: it is one. */
struct recording_mark {
	int64_t now_ms;	    /* < 0: it cannot be read, note says why */
	struct input order; /* kind INPUT_STOP, INPUT_LEVER, or INPUT_CLOCK: none */
	bool is_context, uncertain;
	const char *note; /* NULL: nothing that whoever replays has to know */
};
bool recording_is_mark(const char *line, size_t len);
bool recording_mark(struct engine *engine, const struct input *line, struct recording_mark *ret);

#endif
