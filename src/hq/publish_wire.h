/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_wire.h - a connection to one broker: what it retains is read, what is given is acknowledged.
 */
#ifndef AISLE_HQ_PUBLISH_WIRE_H
#define AISLE_HQ_PUBLISH_WIRE_H

#include "core/buf.h"
#include "hq/publish_kept.h"
#include "hq/publish.h"
#include "sync/wan.h"

#define WIRE_CHUNKS 8 /* topics of chunks that are asked for at a time */

struct wire {
	const char *url;
	struct wan wan;
	char host[WAN_HOST_SIZE], client_id[24];
	struct mosquitto *client;
	bool connected;
	const char *refused; /* why the broker wants nothing of us */
	int granted;	     /* answers to subscriptions */
	int waiting;	     /* published, not acknowledged */
	int64_t heard_ms;    /* when something came last */
	struct kept *kept;   /* where texts go that come; NULL: nowhere */
	struct buf chunks[WIRE_CHUNKS];
	char chunk_hash[65]; /* "": none is read */
	int64_t chunk_from;
	int chunk_got; /* bits */
	void (*want)(void *ctx, const char *topic, const void *payload, size_t len);
	void *want_ctx;
};

int wire_new(struct wire *wire, const struct broker_options *broker, size_t which, struct err *err)
    AISLE_MUST_CHECK;
void wire_free(struct wire *wire);
/* Until it is connected, or 15 s. */
int wire_connect(struct wire *wire, struct err *err) AISLE_MUST_CHECK;
void wire_leave(struct wire *wire);
/* Whatever there is to be read and written, for so long at most. AISLE_E_IO: the connection is lost. */
int wire_pump(struct wire *wire, int ms) AISLE_MUST_CHECK;
/* All that is retained on these filters, into kept. Of chunks the topic alone. */
int wire_read(struct wire *wire, const char *const *filters, size_t count, struct kept *kept,
    struct err *err) AISLE_MUST_CHECK;
/* Chunks from … of this bundle, at most WIRE_CHUNKS: bits of those that are there, as they are, in chunks[]. */
int wire_chunks(struct wire *wire, const char *hash, int64_t from, int count, int *ret_got,
    struct err *err) AISLE_MUST_CHECK;
/* Sent once not too much is under way; acknowledged by wire_settle(). */
int wire_put(struct wire *wire, const char *topic, const void *bytes, size_t len, bool retain,
    struct err *err) AISLE_MUST_CHECK;
int wire_settle(struct wire *wire, struct err *err) AISLE_MUST_CHECK;
int wire_listen(struct wire *wire, const char *filter, struct err *err) AISLE_MUST_CHECK;

#endif
