/* SPDX-License-Identifier: Apache-2.0
 *
 * mqtt_message.c - a message of the broker as the host takes it: CloudEvents' attributes may stand in
 * MQTT 5's properties.
 */
#include "ingest/mqtt_internal.h"

#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>

static void
read_attributes(const mosquitto_property *properties, struct binary_attributes *attributes)
{
	const mosquitto_property *at;
	char *name, *value;

	attributes->count = 0;
	for (at = mosquitto_property_read_string_pair(properties, MQTT_PROP_USER_PROPERTY, &name,
		 &value, false);
	     at != NULL; at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY,
			     &name, &value, true)) {
		if (attributes->count == ARRAY_LEN(attributes->pair)) {
			free(name);
			free(value);
			continue;
		}
		attributes->pair[attributes->count].name = name;
		attributes->pair[attributes->count++].value = value;
	}
}

static void
free_attributes(struct binary_attributes *attributes)
{
	for (size_t i = 0; i < attributes->count; i++) {
		free((char *)attributes->pair[i].name);
		free((char *)attributes->pair[i].value);
	}
}

/* CloudEvents' MQTT binding: structured when the content type says so, and for MQTT 3.1.1, which
 * has none. */
static bool
is_binary_mode(const mosquitto_property *properties, const struct binary_attributes *attributes)
{
	char *type = NULL;
	bool structured;

	if (mosquitto_property_read_string(properties, MQTT_PROP_CONTENT_TYPE, &type, false) ==
	    NULL)
		type = NULL;
	structured = type != NULL && strncmp(type, "application/cloudevents", 23) == 0;
	free(type);
	for (size_t i = 0; !structured && i < attributes->count; i++) {
		if (strcmp(attributes->pair[i].name, "specversion") == 0)
			return true;
	}
	return false;
}

void
mqtt_message(const struct mqtt_host *host, const struct mosquitto_message *message,
    const mosquitto_property *properties)
{
	struct binary_attributes attributes = { 0 };

	if (properties != NULL)
		read_attributes(properties, &attributes);
	host->message(host->ctx, message->topic, message->payload, (size_t)message->payloadlen,
	    properties != NULL && is_binary_mode(properties, &attributes) ? &attributes : NULL);
	free_attributes(&attributes);
}
