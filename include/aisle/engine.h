/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.h - the engine as a library: a store's events in, decisions out.
 *
 * The very engine of aisled, without broker, HTTP, headquarters and clock: its time is the time of
 * the events. The same events under the same bundle give the same bytes as `aislectl replay`.
 *
 *     pkg-config --static --cflags --libs aisle
 *
 * What holds of every function here:
 *   - Text is UTF-8 and ends in a zero byte; lengths are bytes without it. Times are milliseconds
 *     since 1970-01-01T00:00:00Z. Amounts of money, in JSON, are integers of the currency's minor
 *     unit (cents).
 *   - int is 0, or one of <aisle/error.h>, all negative; aisle_error() then says it in words.
 *   - What is given to a function is read while it runs and is the caller's. What a function gives
 *     back belongs to the engine, until the call that its comment names.
 *   - All engines of a process belong to one thread at a time; there may be several of them.
 *   - Out of memory ends the process with status 71, a bug inside the engine aborts it: neither
 *     loses what a state folder holds. Errors of the engine itself are said on stderr.
 *   - Names that begin with aisle_ or AISLE_ are the library's.
 */
#ifndef AISLE_ENGINE_H
#define AISLE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aisle/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct aisle_engine;

/* All zero is a store in memory that has the policy's currency. */
struct aisle_options {
	const char *config;   /* an aisled.conf: zone, currency, stations, …; NULL: defaults */
	const char *store;    /* the store's id; NULL: the configuration's, without one "0" */
	const char *state;    /* folder that the store is kept in, made if absent; NULL: memory */
	const char *profiles; /* a profiles bundle of `aislectl profiles build`; NULL: none */
	/* 32 bytes, from which card numbers become subjects; copied and wiped with the engine.
	 * NULL: the file that the configuration names, without one the state folder's own. */
	const uint8_t *pepper;
	/* Decisions are given out once by aisle_next() and not kept for aisle_query(): for long
	 * recordings in memory, where a decision takes about 4 KiB. */
	bool forget_decisions;
};

/* Opens a store. *ret_engine is set in any case: after an error ask it why, then close it.
 * AISLE_E_CONFIG: the configuration, the store's id or the pepper's file is wrong. AISLE_E_INVALID: profiles is not
 * such a bundle; AISLE_E_DAMAGED: it is not as it was built, or the state folder's keys do not open. AISLE_E_NONE: the
 * pepper's file is not there. AISLE_E_IO: profiles cannot be read, the state folder cannot be used, or is in use;
 * AISLE_E_FULL: there is no room for it. AISLE_E_REFUSED: another version wrote it. */
int aisle_open(const struct aisle_options *options, struct aisle_engine **ret_engine);

/* NULL is fine. What was fed is on the disk already. */
void aisle_close(struct aisle_engine *engine);

/* What was wrong with the last call that failed, for a person: a line, or of a policy with mistakes
 * a line each with file, line and column. Never NULL. Until the next call. */
const char *aisle_error(const struct aisle_engine *engine);

/* Puts the policy of a bundle file (`aislectl bundle build`) in force; without one the store
 * learns and decides nothing. Cards that are open and that a later policy does not know are
 * withdrawn: see aisle_next(). AISLE_E_NONE: no such file. AISLE_E_INVALID: not a bundle,
 * or its policy has mistakes. AISLE_E_DAMAGED: not as it was built. AISLE_E_REFUSED: it is of another currency, or does
 * not know the store's zone. AISLE_E_FULL: no memory for it. After any of these the one before is in force.
 * AISLE_E_IO: it cannot be read; or it is in force and what was to be withdrawn could not be written, then as of
 * aisle_feed(). */
int aisle_set_bundle(struct aisle_engine *engine, const char *path);

/* Puts a catalog (`aislectl catalog build`) in force: what events do not say of an article is looked up
 * in it from now on. path NULL: none any more. AISLE_E_NONE, AISLE_E_INVALID, AISLE_E_DAMAGED, AISLE_E_REFUSED,
 * AISLE_E_IO: as of a bundle; the one before is in force. */
int aisle_set_catalog(struct aisle_engine *engine, const char *path);

/* Events of a recording, a CloudEvent a line, all of them applied together: in one transaction, on
 * the disk if there is a state folder; an event that leads to more than a row may hold is set aside as a dead letter,
 * and its call takes a transaction for each. Cutting them otherwise changes no decision. An empty line is
 * nothing, the last one needs no newline. Time goes with the events and never back. An event that
 * cannot be used, a line that is no event too, is no error: it is an AISLE_DEAD_LETTER. One that
 * was there before counts once.
 * AISLE_E_INVALID: a line of more than 1 MiB, none was applied. AISLE_E_IO, AISLE_E_FULL, AISLE_E_DAMAGED: the disk
 * would not take them. What aisle_next() gives was applied, and the rest was not: feed the same events again. A store
 * in memory is lost then, close it. */
int aisle_feed(struct aisle_engine *engine, const char *events, size_t len);

/* Time passes without an event: what is due by then happens (cards expire, snoozed ones come back).
 * In the past it is nothing. Errors as of aisle_feed(). */
int aisle_advance(struct aisle_engine *engine, int64_t now_ms);

enum aisle_kind {
	AISLE_DECISION,	   /* one look at all candidates: docs/deciding.md */
	AISLE_GUIDANCE,	   /* what a station's tablet shows from now on: docs/tablet.md */
	AISLE_WITHDRAW,	   /* what it shows no more */
	AISLE_COMMAND,	   /* to a till: docs/integrating-a-till.md */
	AISLE_RECEIPT,	   /* to a till: what was wrong with its events */
	AISLE_DEAD_LETTER, /* an event that could not be used, and why */
};

struct aisle_output {
	enum aisle_kind kind;
	const char *json; /* one object */
	size_t len;
	const char *topic;   /* where aisled would publish it; NULL: a decision */
	const char *station; /* of guidance and its withdrawal; else NULL */
};

/* What the last call of aisle_set_bundle(), aisle_feed() or aisle_advance() made, one at a time in
 * its order. false: that was all. Until the next of those calls. */
bool aisle_next(struct aisle_engine *engine, struct aisle_output *ret_output);

enum aisle_query {
	AISLE_QUERY_DECISION, /* by its id, with what came of it and what moved its scores */
	AISLE_QUERY_STATIONS, /* which there are, and how much is open at each; name NULL */
	AISLE_QUERY_STATION,  /* by its name: the guidance that is open there */
	AISLE_QUERY_REPORT,   /* the figures of the business day; name NULL */
};

/* The JSON that GET /v1/decisions/{decision}, /v1/stations, /v1/stations/{station} and /v1/report
 * give (docs/http.md). It changes nothing. AISLE_E_NONE: there is no such decision, or none any
 * more. AISLE_E_INVALID: no such query, or it needs a name. AISLE_E_IO: the store is not open. Until the next call. */
int aisle_query(struct aisle_engine *engine, enum aisle_query query, const char *name,
    const char **ret_json, size_t *ret_len);

/* "0.1.0": of the library that was linked. */
const char *aisle_version(void);

#ifdef __cplusplus
}
#endif

#endif
