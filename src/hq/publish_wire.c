/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_wire.c - a connection to one broker.
 *
 * DESIGN
 *   MQTT does not say when all that is retained has come. A broker sends it with its answer to the subscription or
 *   at once behind it; so all has come when nothing more did for a moment. Chunks are asked for by their topics, a few
 *   at a time: of a wildcard over a large bundle brokers drop the most.
 */
#include "hq/publish_wire.h"

#include <mosquitto.h>
#include <sodium.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "hq/publish_goods.h"

#define QUIET_MS 700	   /* nothing more came */
#define QUIET_CHUNK_MS 500 /* the same, of chunks */
#define UNDER_WAY_MAX 16
#define SILENT_MS 60000 /* without an acknowledgement */
#define TEXT_BYTES_MAX (1u << 20)

static const char chunk_start[] = TOPIC_HQ "artifact/";

static void
on_connect(struct mosquitto *client, void *ctx, int rc)
{
	struct wire *wire = ctx;

	(void)client;
	if (rc != 0)
		wire->refused = mosquitto_connack_string(rc);
	wire->connected = rc == 0;
}

static void
on_disconnect(struct mosquitto *client, void *ctx, int rc)
{
	struct wire *wire = ctx;

	(void)client;
	(void)rc;
	wire->connected = false;
}

static void
on_subscribe(struct mosquitto *client, void *ctx, int mid, int count, const int *granted)
{
	struct wire *wire = ctx;

	(void)client;
	(void)mid;
	wire->granted++;
	wire->heard_ms = wan_now_ms();
	for (int i = 0; i < count; i++)
		if (granted[i] >= 128)
			wire->refused = "it may not read what is retained";
}

static void
on_publish(struct mosquitto *client, void *ctx, int mid)
{
	struct wire *wire = ctx;

	(void)client;
	(void)mid;
	wire->heard_ms = wan_now_ms();
	if (wire->waiting > 0)
		wire->waiting--;
}

/* "aisle/v1/hq/artifact/HASH/N" */
static void
take_chunk(struct wire *wire, const struct mosquitto_message *message)
{
	const char *hash = message->topic + sizeof(chunk_start) - 1;
	long long n = -1;
	int64_t at;

	if (wire->chunk_hash[0] == '\0') {
		if (wire->kept != NULL)
			kept_put(wire->kept, message->topic, "", 0);
		return;
	}
	if (strncmp(hash, wire->chunk_hash, 64) != 0 || sscanf(hash + 64, "/%lld", &n) != 1)
		return;
	at = n - wire->chunk_from;
	if (at < 0 || at >= WIRE_CHUNKS)
		return;
	buf_clear(&wire->chunks[at]);
	buf_add(&wire->chunks[at], message->payload, (size_t)message->payloadlen);
	wire->chunk_got |= 1 << at;
}

static void
on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
	struct wire *wire = ctx;
	size_t len = message->payloadlen > 0 ? (size_t)message->payloadlen : 0,
	       topic = strlen(message->topic);

	(void)client;
	wire->heard_ms = wan_now_ms();
	if (topic > 5 && strcmp(message->topic + topic - 5, "/want") == 0) {
		if (wire->want != NULL && !message->retain)
			wire->want(wire->want_ctx, message->topic, message->payload, len);
	} else if (topic >= PUBLISH_TOPIC_SIZE || len == 0 || len > TEXT_BYTES_MAX) {
		return;
	} else if (strncmp(message->topic, chunk_start, sizeof(chunk_start) - 1) == 0) {
		if (topic >= sizeof(chunk_start) - 1 + 64)
			take_chunk(wire, message);
	} else if (wire->kept != NULL) {
		kept_put(wire->kept, message->topic, message->payload, len);
	}
}

int
wire_new(struct wire *wire, const struct broker_options *broker, size_t which, struct err *err)
{
	uint8_t bytes[4];
	char hex[9];
	int rc;

	*wire = (struct wire){ .url = broker->urls[which] };
	wire->wan = (struct wan){ .client_id = wire->client_id,
		.user = broker->user,
		.password_file = broker->password_file,
		.ca = broker->ca,
		.cert = broker->cert,
		.key = broker->key,
		.clean = true };
	if (!wan_url(wire->url, &wire->wan, wire->host))
		return err_set(err, AISLE_E_INVALID, "bad broker %s, expected mqtt[s]://HOST:PORT",
		    wire->url);
	randombytes_buf(bytes, sizeof(bytes));
	hash_hex(hex, bytes, sizeof(bytes));
	snprintf(wire->client_id, sizeof(wire->client_id), "aisle-publish-%s", hex);
	rc = wan_new(&wire->wan, wire, &wire->client, err);
	if (rc != 0)
		return rc;
	mosquitto_connect_callback_set(wire->client, on_connect);
	mosquitto_disconnect_callback_set(wire->client, on_disconnect);
	mosquitto_subscribe_callback_set(wire->client, on_subscribe);
	mosquitto_publish_callback_set(wire->client, on_publish);
	mosquitto_message_callback_set(wire->client, on_message);
	return 0;
}

void
wire_free(struct wire *wire)
{
	if (wire->client != NULL)
		mosquitto_destroy(wire->client);
	for (int i = 0; i < WIRE_CHUNKS; i++)
		buf_done(&wire->chunks[i]);
	wire->client = NULL;
}

static int
lost(const struct wire *wire, const char *what, struct err *err)
{
	return err_set(err, AISLE_E_IO, "%s: %s", wire->url,
	    wire->refused != NULL ? wire->refused : what);
}

int
wire_pump(struct wire *wire, int ms)
{
	int rc = mosquitto_loop(wire->client, ms, 1);

	if (rc == MOSQ_ERR_SUCCESS && wire->refused == NULL)
		return 0;
	wire->connected = false;
	return AISLE_E_IO;
}

int
wire_connect(struct wire *wire, struct err *err)
{
	const char *why;
	int64_t end;

	wire->refused = NULL;
	wire->connected = false;
	wire->waiting = 0;
	wire->chunk_hash[0] = '\0';
	why = wan_connect(wire->client, &wire->wan);
	if (why != NULL)
		return err_set(err, AISLE_E_IO, "%s: cannot connect: %s", wire->url, why);
	end = wan_now_ms() + INT64_C(1000) * WAN_CONNECT_S;
	while (!wire->connected) {
		if (wire_pump(wire, 100) != 0)
			return lost(wire, "the connection was lost", err);
		if (wan_now_ms() > end)
			return lost(wire, "no answer", err);
	}
	return 0;
}

void
wire_leave(struct wire *wire)
{
	if (!wire->connected)
		return;
	mosquitto_disconnect(wire->client);
	while (mosquitto_want_write(wire->client) && wire_pump(wire, 100) == 0)
		;
	wire->connected = false;
}

/* Until the subscriptions are answered and, if so many are expected, until they are here or nothing more comes. */
static int
wait_retained(struct wire *wire, int answers, int quiet_ms, int all, struct err *err)
{
	int64_t end = wan_now_ms() + SILENT_MS;

	while (wire->granted < answers ||
	    (wire->chunk_got != all && wan_now_ms() - wire->heard_ms < quiet_ms)) {
		if (wire_pump(wire, 50) != 0)
			return lost(wire, "the connection was lost", err);
		if (wire->granted < answers && wan_now_ms() > end)
			return lost(wire, "subscriptions are not answered", err);
	}
	return 0;
}

int
wire_read(struct wire *wire, const char *const *filters, size_t count, struct kept *kept,
    struct err *err)
{
	int rc;

	wire->kept = kept;
	wire->granted = 0;
	wire->chunk_got = 0;
	for (size_t i = 0; i < count; i++)
		mosquitto_subscribe(wire->client, NULL, filters[i], 0);
	rc = wait_retained(wire, (int)count, QUIET_MS, -1, err);
	for (size_t i = 0; i < count; i++)
		mosquitto_unsubscribe(wire->client, NULL, filters[i]);
	wire->kept = NULL;
	if (rc == 0 && kept->full)
		rc = err_set(err, AISLE_E_FULL,
		    "%s: retains more than %d topics or %u MiB, expected a broker for this alone",
		    wire->url, KEPT_TOPICS_MAX, KEPT_BYTES_MAX >> 20);
	return rc;
}

int
wire_chunks(struct wire *wire, const char *hash, int64_t from, int count, int *ret_got,
    struct err *err)
{
	char topics[WIRE_CHUNKS][PUBLISH_TOPIC_SIZE];
	int rc;

	CHECK(count >= 1 && count <= WIRE_CHUNKS && strlen(hash) == 64);
	memcpy(wire->chunk_hash, hash, 65);
	wire->chunk_from = from;
	wire->chunk_got = wire->granted = 0;
	for (int i = 0; i < count; i++) {
		topic_chunk(topics[i], hash, from + i);
		mosquitto_subscribe(wire->client, NULL, topics[i], 0);
	}
	rc = wait_retained(wire, count, QUIET_CHUNK_MS, (1 << count) - 1, err);
	for (int i = 0; i < count; i++)
		mosquitto_unsubscribe(wire->client, NULL, topics[i]);
	wire->chunk_hash[0] = '\0';
	*ret_got = wire->chunk_got;
	return rc;
}

/* Until no more than so many are under way. */
static int
wait_acknowledged(struct wire *wire, int most, struct err *err)
{
	int64_t last = wan_now_ms();
	int waiting = wire->waiting;

	while (wire->waiting > most) {
		if (wire_pump(wire, 50) != 0)
			return lost(wire, "the connection was lost", err);
		if (wire->waiting < waiting) {
			waiting = wire->waiting;
			last = wan_now_ms();
		}
		if (wan_now_ms() - last > SILENT_MS)
			return lost(wire, "does not acknowledge", err);
	}
	return 0;
}

int
wire_put(struct wire *wire, const char *topic, const void *bytes, size_t len, bool retain,
    struct err *err)
{
	int rc = wait_acknowledged(wire, UNDER_WAY_MAX - 1, err);

	if (rc != 0)
		return rc;
	rc = mosquitto_publish(wire->client, NULL, topic, (int)len, len > 0 ? bytes : NULL, 1,
	    retain);
	if (rc != MOSQ_ERR_SUCCESS)
		return err_set(err, AISLE_E_IO, "%s: %s: %s", wire->url, topic,
		    mosquitto_strerror(rc));
	wire->waiting++;
	return 0;
}

int
wire_settle(struct wire *wire, struct err *err)
{
	return wait_acknowledged(wire, 0, err);
}

int
wire_listen(struct wire *wire, const char *filter, struct err *err)
{
	wire->granted = 0;
	mosquitto_subscribe(wire->client, NULL, filter, 0);
	while (wire->granted == 0)
		if (wire_pump(wire, 50) != 0)
			return lost(wire, "the connection was lost", err);
	return 0;
}
