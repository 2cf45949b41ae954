/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_packet.c - any bytes as what the store's broker sends, before libmosquitto.
 *
 * What must hold: a packet that goes on is whole, is refused when a byte of it is missing, and goes on also by itself;
 * the library, which is the one that is installed, lives on whatever it is given of them.
 */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fuzz.h"
#include "ingest/mqtt_packet.h"

/* Does what mqtt.c does: reads all that a message says, and asks for topics. */
static void
on_connect(struct mosquitto *mosq, void *ctx, int rc, int flags,
    const mosquitto_property *properties)
{
	(void)ctx;
	(void)flags;
	(void)properties;
	if (rc != 0)
		return;
	mosquitto_subscribe(mosq, NULL, "a/#", 1);
	mosquitto_publish(mosq, NULL, "b", 1, "x", 1, true);
}

static void
on_message(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *message,
    const mosquitto_property *properties)
{
	char *name, *value;
	const mosquitto_property *at = mosquitto_property_read_string_pair(properties,
	    MQTT_PROP_USER_PROPERTY, &name, &value, false);

	(void)mosq;
	(void)ctx;
	CHECK(message->topic != NULL && message->qos <= 1 && message->payloadlen >= 0);
	for (; at != NULL; at = mosquitto_property_read_string_pair(at, MQTT_PROP_USER_PROPERTY,
			       &name, &value, true)) {
		free(name);
		free(value);
	}
}

static void
on_subscribe(struct mosquitto *mosq, void *ctx, int mid, int count, const int *granted,
    const mosquitto_property *properties)
{
	(void)mosq;
	(void)ctx;
	(void)properties;
	CHECK(mid > 0 && count > 0 && granted[0] >= 0);
}

static struct mosquitto *
connected(int listener, const char *path, int *ret_broker)
{
	struct mosquitto *mosq = mosquitto_new("aisled-fuzz", false, NULL);

	mosquitto_int_option(mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_threaded_set(mosq, true);
	mosquitto_connect_v5_callback_set(mosq, on_connect);
	mosquitto_message_v5_callback_set(mosq, on_message);
	mosquitto_subscribe_v5_callback_set(mosq, on_subscribe);
	CHECK(mosquitto_connect_bind_v5(mosq, path, 0, 30, NULL, NULL) == MOSQ_ERR_SUCCESS);
	*ret_broker = accept(listener, NULL, NULL);
	CHECK(*ret_broker >= 0);
	return mosq;
}

static int
listen_once(struct sockaddr_un *address)
{
	char path[FUZZ_PATH_SIZE];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, fuzz_path("broker", path), sizeof(address->sun_path) - 1);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)address, sizeof(*address)) == 0);
	CHECK(listen(fd, 4) == 0 && mosquitto_lib_init() == MOSQ_ERR_SUCCESS);
	return fd;
}

/* Whole packets of those bytes, as the library gets them. */
static size_t
good(const uint8_t *data, size_t size, size_t *ret_count)
{
	bool greeted = false, alone;
	const char *why = NULL;
	size_t at = 0;
	int64_t took;

	*ret_count = 0;
	while ((took = mqtt_packet_check(data + at, size - at, &greeted, &why)) > 0) {
		CHECK((size_t)took <= size - at && greeted && why == NULL);
		alone = data[at] != 0x20;
		CHECK(mqtt_packet_check(data + at, (size_t)took, &alone, &why) == took);
		alone = data[at] != 0x20;
		CHECK(mqtt_packet_check(data + at, (size_t)took - 1, &alone, &why) == 0);
		at += (size_t)took;
		(*ret_count)++;
	}
	CHECK(took == 0 || why != NULL);
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sockaddr_un address;
	static int listener = -1;
	struct mosquitto *mosq;
	size_t count, len = good(data, size, &count);
	int broker;

	if (listener < 0)
		listener = listen_once(&address);
	if (len == 0 || len > 60000) /* what a socket holds at once */
		return 0;
	mosq = connected(listener, address.sun_path, &broker);
	(void)mosquitto_loop_write(mosq, 1);
	CHECK(send(broker, data, len, MSG_NOSIGNAL) == (ssize_t)len);
	shutdown(broker, SHUT_WR);
	for (size_t i = 0; i < count + 2; i++) {
		if (mosquitto_loop_read(mosq, 1) != MOSQ_ERR_SUCCESS ||
		    mosquitto_loop_write(mosq, 1) != MOSQ_ERR_SUCCESS)
			break;
	}
	(void)mosquitto_loop_misc(mosq);
	close(broker);
	mosquitto_destroy(mosq);
	return 0;
}
