/* SPDX-License-Identifier: Apache-2.0
 *
 * waiting_queue.h - the queues of the waiting room, for waiting.c alone.
 */
#ifndef AISLE_SPINE_WAITING_QUEUE_H
#define AISLE_SPINE_WAITING_QUEUE_H

#include "spine/spine.h"

/* Events, each with the end of its line. */
struct lines {
	struct buf text;
	size_t at; /* what was taken */
	int64_t events;
};

struct waiting_queue {
	int64_t key;
	int64_t first, next; /* rows first … next-1, a few of them perhaps gone */
	int64_t events, bytes;
	struct lines head; /* of row first */
	bool head_read;
	bool
	    head_gone; /* this turn took of it: its row is no more, and what is left is to be written */
	struct lines tail; /* came in this turn, not written yet */
};

int64_t waiting_key(const char *name);
struct waiting_queue *waiting_queue_find(const struct waiting *waiting, int64_t key); /* NULL */
struct waiting_queue *waiting_queue_make(struct waiting *waiting, int64_t key);
void waiting_queue_end(struct waiting *waiting, struct waiting_queue *queue); /* if it is empty */
/* text: an event with the end of its line. subject: whose key it lies under; NULL: nobody's. */
void waiting_add_line(struct engine *engine, struct waiting_queue *queue, const struct id *subject,
    const struct buf *text);
/* false: a row does not open and is dropped, or the store failed */
bool waiting_take_newest(struct engine *engine, struct waiting_queue *queue, struct buf *out);

#endif
