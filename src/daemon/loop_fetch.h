/* SPDX-License-Identifier: Apache-2.0
 *
 * loop_fetch.h - one artifact on its way in, and what is asked for of it. Of loop_fetch.c and fetch_ask.c.
 */
#ifndef AISLE_DAEMON_LOOP_FETCH_H
#define AISLE_DAEMON_LOOP_FETCH_H

#include "daemon/daemon.h"
#include "sync/transfer.h"

#define FETCH_WINDOW 8 /* chunk topics at a time */

struct fetch {
	struct artifact artifact;
	struct fetch_terms terms;
	fetch_fn done;
	void *ctx;
	struct transfer *transfer; /* NULL: not its turn yet */
	int64_t offset_s;
	bool working; /* transfer_step() has something to do */
	bool whole, told;
	enum refusal refused; /* to be told, and it is over */
	struct err err;
	enum refusal why; /* the last chunk that was refused, until a good one comes */
	int bad;	  /* chunks that were refused, in a row */
	int begun_again;  /* from its start */

	/* What was asked for and has not come. */
	int asked[FETCH_WINDOW]; /* of what is retained */
	size_t asked_count;
	bool listens;		   /* to the answers to what is asked for */
	int want_from, want_count; /* of what is asked for */
	int64_t pace_ms;	   /* monotonic: not before is more asked for */
	int64_t again_ms;	   /* monotonic: then it is asked for again */
	int64_t backoff_ms;
};

/* What is missing, as much as may be under way. */
void fetch_ask(struct daemon *daemon, struct fetch *fetch);
void fetch_ask_nothing(struct daemon *daemon, struct fetch *fetch);
void fetch_ask_later(struct daemon *daemon, struct fetch *fetch); /* nothing for now */
void fetch_forget_want(struct fetch *fetch);
bool fetch_asks(const struct fetch *fetch);
/* Chunk number came; is_new: for the first time. */
void fetch_answered(struct daemon *daemon, struct fetch *fetch, int number, bool is_new,
    size_t len);

#endif
