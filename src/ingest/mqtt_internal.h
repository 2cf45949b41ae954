/* SPDX-License-Identifier: Apache-2.0
 *
 * mqtt_internal.h - what mqtt.c leaves to others: what it listens to, and what a message says.
 */
#ifndef AISLE_INGEST_MQTT_INTERNAL_H
#define AISLE_INGEST_MQTT_INTERNAL_H

#include <mosquitto.h>

#include "ingest/mqtt.h"

/* mqtt_topics.c */
struct mqtt_topics {
	char **filters;
	struct asked *asked; /* of them, as the broker was asked for them */
	size_t count;
};
void mqtt_topics_done(struct mqtt_topics *topics);
void mqtt_topics_ask(struct mqtt_topics *topics, struct mosquitto *mosq); /* of a new connection */
void mqtt_topics_refused(struct mqtt_topics *topics, int mid);
/* Whoever is told may listen to other topics instead: then it begins anew with those. */
void mqtt_topics_tell(struct mqtt_topics *topics, const struct mqtt_host *host);
/* mosq NULL: there is no connection. filters are copied. */
void mqtt_topics_set(struct mqtt_topics *topics, struct mosquitto *mosq, const char *const *filters,
    size_t count);

/* mqtt_connect.c: the password file's first line, the caller wipes and frees it; a MQTT 5 session that outlives us. */
int mqtt_password(const struct conf *conf, char **ret_password, struct err *err) AISLE_MUST_CHECK;
int mqtt_connect(struct mosquitto *mosq, const struct conf *conf); /* a MOSQ_ERR */

/* mqtt_message.c: handed to the host, with the attributes that it has by MQTT 5. */
void mqtt_message(const struct mqtt_host *host, const struct mosquitto_message *message,
    const mosquitto_property *properties);

#endif
