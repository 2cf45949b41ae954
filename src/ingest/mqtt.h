/* SPDX-License-Identifier: Apache-2.0
 *
 * mqtt.h - the store's own broker: messages in, outbox out, acknowledged after the commit.
 */
#ifndef AISLE_INGEST_MQTT_H
#define AISLE_INGEST_MQTT_H

#include <event2/event.h>

#include "core/conf.h"
#include "ingest/envelope.h"

struct mqtt;

struct mqtt_host {
	void *ctx;
	/* A message; everything is borrowed. Queue it: its PUBACK leaves with mqtt_release. */
	void (*message)(void *ctx, const char *topic, const void *payload, size_t len,
	    const struct binary_attributes *attributes);
	/* Room for another message in this turn? */
	bool (*room)(void *ctx);
	/* Nothing more is readable, or there is no room: run the turn (now or after lingering). */
	void (*ready)(void *ctx);
	/* Has input been read that is not on disk yet? Then nothing may be written. */
	bool (*pending)(void *ctx);
	void (*connected)(void *ctx);
	void (*disconnected)(void *ctx);
	/* The broker does not let us hear one of the topics: outside of the library's callbacks. */
	void (*refused)(void *ctx, const char *filter);
	/* The broker acknowledged an outbox row. */
	void (*delivered)(void *ctx, int64_t outbox_id);
};

/* will: the Status payload that the broker publishes (retained) when we are gone. */
struct mqtt_options {
	const struct conf *conf;
	const struct mqtt_host *host;
	const char *status_topic, *will;
};
int mqtt_new(struct event_base *base, const struct mqtt_options *options, struct mqtt **ret_mqtt,
    struct err *err) AISLE_MUST_CHECK;
void mqtt_free(struct mqtt *mqtt);
/* These filters are subscribed to (copied), now and after each connect; what was listened to before
 * is not any more. */
void mqtt_listen(struct mqtt *mqtt, const char *const *topics, size_t count);
/* connects now, and again after each loss (1 s .. 10 s; growing also where it answers, and sends what is refused) */
void mqtt_start(struct mqtt *mqtt);
bool mqtt_connected(const struct mqtt *mqtt);
/* What the broker sent that none may send, and was let go for; NULL: nothing, or it has been good since. */
const char *mqtt_refused(const struct mqtt *mqtt);
size_t mqtt_in_flight(const struct mqtt *mqtt);
/* QoS 1. outbox_id 0: nobody waits for its acknowledgement. false: not connected. */
bool mqtt_publish(struct mqtt *mqtt, int64_t outbox_id, const char *topic, bool retain,
    const void *payload, size_t len);
/* PUBACKs and publishes leave, unless the host has inputs that are not committed yet */
void mqtt_release(struct mqtt *mqtt);
/* after a failed commit: the connection dies with its PUBACKs */
void mqtt_drop(struct mqtt *mqtt);
void mqtt_leave(struct mqtt *mqtt); /* flushes and disconnects in good order */

#endif
