/* SPDX-License-Identifier: Apache-2.0
 *
 * mqtt_connect.c - with which words the store's broker is called.
 */
#include "ingest/mqtt_internal.h"

#include <mqtt_protocol.h>
#include <stdio.h>
#include <string.h>

#include "ingest/mqtt_packet.h"

#define KEEPALIVE_S 30

int
mqtt_password(const struct conf *conf, char **ret_password, struct err *err)
{
	char line[512] = "";
	FILE *file;

	if (conf->mqtt_password_file == NULL)
		return 0;
	file = fopen(conf->mqtt_password_file, "re");
	if (file == NULL || fgets(line, sizeof(line), file) == NULL) {
		if (file != NULL)
			fclose(file);
		return err_set(err, AISLE_E_CONFIG, "[mqtt] password_file %s cannot be read",
		    conf->mqtt_password_file);
	}
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	*ret_password = mem_strdup(line);
	explicit_bzero(line, sizeof(line));
	return 0;
}

int
mqtt_connect(struct mosquitto *mosq, const struct conf *conf)
{
	mosquitto_property *properties = NULL;
	int rc;

	mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 0xFFFFFFFFu);
	mosquitto_property_add_int16(&properties, MQTT_PROP_RECEIVE_MAXIMUM,
	    (uint16_t)conf->turn_events);
	mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE,
	    MQTT_PACKET_BYTES_TOLD);
	rc = mosquitto_connect_bind_v5(mosq,
	    conf->mqtt_socket != NULL ? conf->mqtt_socket : conf->mqtt_host,
	    conf->mqtt_socket != NULL ? 0 : conf->mqtt_port, KEEPALIVE_S, NULL, properties);
	mosquitto_property_free_all(&properties);
	return rc;
}
