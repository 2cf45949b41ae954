/* SPDX-License-Identifier: Apache-2.0
 *
 * source.h - a broker that batches come by. Two kinds: MQTT, and a NATS JetStream stream.
 *
 * Between the first batch that a turn takes from a source and acknowledge() or drop(), the source
 * sends nothing.
 */
#ifndef AISLE_HQ_SOURCE_H
#define AISLE_HQ_SOURCE_H

#include <poll.h>

#include "hq/broker.h"
#include "hq/turn.h"

enum source_state {
	SOURCE_AWAY,	/* connects by itself, again and again */
	SOURCE_READY,	/* batches may come */
	SOURCE_REFUSED, /* the broker said no; tried again all the same */
};

struct source_kind {
	/* Connects when it is due, keeps the session alive, sends what waits. */
	void (*tick)(struct source *source, int64_t now_ms);
	/* What poll() waits for; fd -1: nothing. */
	struct pollfd (*wanted)(const struct source *source);
	/* What is there goes to turn_take(), until the turn is full; one without a descriptor waits
	 * for it. */
	void (*read)(struct source *source, struct turn *turn, int wait_ms);
	/* After the commit: tells the store, then lets the broker forget. */
	void (*acknowledge)(struct source *source, const struct taken *taken);
	/* Nothing of what was taken may be acknowledged: the broker delivers it again. */
	void (*drop)(struct source *source, struct turn *turn);
	/* Everything has left; false: not yet. */
	bool (*idle)(const struct source *source);
	void (*free)(struct source *source);
};
struct source {
	const struct source_kind *kind;
	enum source_state state;
	const char *url;
	const char *why; /* what went wrong last; NULL: nothing yet */
};

/* name: of the collector, to the broker. 0, AISLE_E_INVALID, AISLE_E_IO. */
int source_mqtt(const struct broker_options *broker, const char *url, const char *name,
    struct source **ret_source, struct err *err) AISLE_MUST_CHECK;

/* "nats://HOST:PORT,HOST:PORT": a cluster is one source. Likewise. */
int source_nats(const struct broker_options *broker, const char *url, const char *name,
    struct source **ret_source, struct err *err) AISLE_MUST_CHECK;
/* By the url. */
int source_open(const struct broker_options *broker, const char *url, const char *name,
    struct source **ret_source, struct err *err) AISLE_MUST_CHECK;

/* {"epoch","upto"} into payload, and the topic, separated by separator. */
void source_ack(const struct batch *batch, char separator, char topic[static 100],
    struct buf *payload);

#endif
