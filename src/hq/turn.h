/* SPDX-License-Identifier: Apache-2.0
 *
 * turn.h - what a collector has taken and not committed yet.
 */
#ifndef AISLE_HQ_TURN_H
#define AISLE_HQ_TURN_H

#include "core/buf.h"
#include "hq/batch.h"

/* A turn ends with the first of these. */
#define TURN_ROWS 8192
#define TURN_BATCHES 1024
#define TURN_MS 50
#define TURN_ROOM (2 * TURN_BATCHES) /* one call of libmosquitto may read more than one message */

struct source;

struct taken {
	struct source *source; /* the broker that it came by */
	void *handle;	       /* the source's own word for it */
	struct batch batch;
	struct buf raw; /* as it came; empty where nobody keeps it */
	bool refused;	/* the database does not take it: not acknowledged, not kept */
};
struct turn {
	struct taken *items; /* room for TURN_ROOM */
	size_t count, rows;
	int64_t began_ms;
	bool keep_raw;
	bool broken;   /* something could not be taken: all of it has to come again */
	long long bad; /* batches that could not be read, since the start */
};

/* Reads the batch; false: it is none, which was said, and the source lets the broker forget it. */
bool turn_take(struct turn *turn, struct source *source, void *handle, const char *topic,
    const void *payload, size_t len);
/* Nothing more may be taken; an empty turn is never full. */
bool turn_full(const struct turn *turn, int64_t now_ms);
void turn_clear(struct turn *turn);

#endif
