/* SPDX-License-Identifier: Apache-2.0
 *
 * recorded.h - the daemon's engine over a file of recorded events: what replay, decide, features
 * and train have in common.
 */
#ifndef AISLE_TOOLS_RECORDED_H
#define AISLE_TOOLS_RECORDED_H

#include <stdio.h>

#include "spine/engine.h"

#define RECORDED_TURN 256 /* events a transaction, unless told otherwise */
/* Of a line: no event is that long. A dump that is one array on one line is not read to its end. */
#define RECORDED_LINE_MAX (1u << 20)

struct recorded_options {
	struct conf *conf;    /* borrowed; a recorded file is never taken for a flood */
	const char *profiles; /* NULL: none */
	const char *state;    /* folder to go on from; NULL: in memory */
	const char *
	    after; /* a copy of a state folder, which stays as it is: what it was told is passed over */
	const uint8_t *pepper; /* 32 bytes, read while opening; NULL: one of its own */
	int turn;	       /* 0: RECORDED_TURN */
	bool store_named; /* conf's store is one that somebody named: events of others are told */
	bool keep_decisions; /* to be asked for, also in memory */
	void (*on_decision)(void *ctx, const char *json, size_t len);
	/* What headquarters would be sent; NULL: none is made. */
	void (*on_record)(void *ctx, enum lane lane, const char *type, int64_t at_ms,
	    const char *json, size_t len);
	void (*on_undone)(void *ctx); /* as of engine_options; NULL */
	void *ctx;
};

struct recorded;
int recorded_open(const struct recorded_options *options, struct recorded **ret, struct err *err)
    AISLE_MUST_CHECK;
void recorded_close(struct recorded *recorded); /* NULL is fine */
struct engine *recorded_engine(struct recorded *recorded);
/* Puts a bundle file in force. policy_currency: the store takes the policy's currency over, as it
 * has none of its own. Mistakes of the policy, if that is what is wrong, are in report. */
int recorded_bundle(struct recorded *recorded, const char *path, bool policy_currency,
    struct buf *report, struct err *err) AISLE_MUST_CHECK;
/* Of the state that it goes on after: its bundle and its catalog in force, as paths; "": none. */
void recorded_in_force(const struct recorded *recorded, struct buf *ret_bundle,
    struct buf *ret_catalog);
/* Likewise a catalog, with the marks of the store's country. */
int recorded_catalog(struct recorded *recorded, const char *path, struct err *err) AISLE_MUST_CHECK;
/* All of it through the engine, a line each. progress: called now and then with the events so far;
 * NULL: not. AISLE_E_INVALID: there is none, a line is too long, or every one was refused. */
int recorded_feed(struct recorded *recorded, FILE *events,
    void (*progress)(void *ctx, int64_t count), void *ctx, struct err *err) AISLE_MUST_CHECK;

const struct policy *recorded_policy(const struct recorded *recorded); /* NULL: none in force */
/* What another policy would do at the draws to come; see engine_show_draws(). */
void recorded_show_draws(struct recorded *recorded, struct policy *other, draws_fn fn, void *ctx);

/* One line more, as a turn of its own. AISLE_E_IO. */
int recorded_tell(struct recorded *recorded, const char *line, size_t len, struct err *err)
    AISLE_MUST_CHECK;

/* Time goes on, behind the last event, to the end of its business day. */
int recorded_end_day(struct recorded *recorded, struct err *err) AISLE_MUST_CHECK;
/* Actions on shortlists whose windows have not ended by now. */
int64_t recorded_unsettled(struct recorded *recorded);
const char *recorded_lane(enum lane lane); /* its name */

/* Once, before the first line: a byte-order mark is passed over; of compressed or UTF-16 bytes
 * AISLE_E_INVALID, and err says what to do. */
int recorded_start(FILE *events, struct err *err) AISLE_MUST_CHECK;
/* The next line without its end, *ret_len bytes and a zero byte: 1; 0: no more; AISLE_E_INVALID: it
 * is longer than RECORDED_LINE_MAX. */
int recorded_line(FILE *events, char line[static RECORDED_LINE_MAX + 1], size_t *ret_len);

int64_t recorded_count(const struct recorded *recorded); /* events fed so far */

/* What was refused of them, a line each kind: what, how often, and the first line of it. Of kinds
 * beyond RECORDED_KINDS only the number. Behind them what was taken and looks wrong: events of another store, or
 * out of order. */
#define RECORDED_KINDS 8
#define RECORDED_LATE_MS H_MS /* an event so much older than the newest before it is told, too */
void recorded_refusals(const struct recorded *recorded, struct buf *out);

#endif
