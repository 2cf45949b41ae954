/* SPDX-License-Identifier: Apache-2.0
 *
 * source_mqtt.c - batches by an MQTT broker.
 *
 * DESIGN
 *   libmosquitto acknowledges a message before it shows it. In its threaded
 *   mode it only queues what it would send, and mosquitto_loop_write sends it. So: read
 *   until nothing more is there or the turn is full, commit, queue our own
 *   acknowledgements to the stores, and only then write. Killed in between, the
 *   broker delivers again, and the primary key takes doubles.
 *
 *   When a commit fails nothing may be written any more: the socket is shut down, and the
 *   queued PUBACKs die with it.
 *
 *   Collectors share a subscription where the broker has MQTT 5. Its session is kept for a
 *   minute, for mosquitto deals batches to members that are away too: what waits for one
 *   that does not come back is sent again by the store. Any other broker is asked in MQTT 3.1.1
 *   for everything: several collectors then do the same work, harmlessly.
 *
 * LIMITS
 *   No reading while 64 acknowledgements wait for the broker: one call of libmosquitto reads as many messages as there
 *   are acknowledgements, and a turn has to stay small.
 */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "hq/probe.h"
#include "hq/source.h"
#include "sync/wan.h"

#define EVERYTHING "aisle/v1/hq/store/+/up/+"
#define SHARED "$share/collect/" EVERYTHING
#define SESSION_S 60
#define ACKS_WAITING_MAX 64
#define PROBE_MS 10000
#define LEAVE_MS 500

struct mqtt {
	struct source base;
	struct wan wan;
	struct wan_backoff backoff;
	char host[WAN_HOST_SIZE], client_id[24];
	struct mosquitto *client;
	struct turn *turn; /* while it is being filled; else nothing is taken */
	bool shared;	   /* asked for a shared subscription */
	bool spoke;	   /* the broker answered, in this version of MQTT */
	bool down;	   /* another version, or a plain subscription, from the next connect on */
	int probe, acks_waiting;
	int64_t connect_at_ms, probe_end_ms;
};

static void
lost(struct mqtt *mqtt, const char *why)
{
	/* Who hangs up on MQTT 5 without a word may know 3.1.1 alone. */
	if (mqtt->wan.session_s > 0 && !mqtt->spoke && why == NULL)
		mqtt->down = true;
	if (mqtt->base.state != SOURCE_REFUSED)
		mqtt->base.state = SOURCE_AWAY;
	mqtt->connect_at_ms = wan_now_ms();
	if (mqtt->down)
		return;
	mqtt->connect_at_ms += wan_backoff_next(&mqtt->backoff);
	if (mqtt->base.why == NULL)
		mqtt->base.why = why != NULL ? why : "lost";
}

static void
on_connect(struct mosquitto *client, void *ctx, int rc, int flags,
    const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;
	uint8_t shared = 1;
	(void)flags;
	if (rc == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION && mqtt->wan.session_s > 0) {
		mqtt->down = true;
		return;
	}
	mqtt->spoke = true;
	if (rc != 0) {
		log_warning("collect: refused broker=%s reason=\"%s\"", mqtt->base.url,
		    mqtt->wan.session_s > 0 ? mosquitto_reason_string(rc)
					    : mosquitto_connack_string(rc));
		mqtt->base.state = SOURCE_REFUSED;
		mqtt->base.why = "refused";
		return;
	}
	mosquitto_property_read_byte(properties, MQTT_PROP_SHARED_SUB_AVAILABLE, &shared, false);
	mqtt->shared = mqtt->shared && shared != 0;
	if (mqtt->shared) /* what the session may have had of an earlier version */
		mosquitto_unsubscribe(client, NULL, EVERYTHING);
	mosquitto_subscribe(client, NULL, mqtt->shared ? SHARED : EVERYTHING, 1);
}

static void
on_subscribe(struct mosquitto *client, void *ctx, int mid, int count, const int *granted)
{
	struct mqtt *mqtt = ctx;
	(void)mid;
	if (count > 0 && granted[0] >= 128) {
		log_warning("collect: subscription refused broker=%s shared=%d", mqtt->base.url,
		    mqtt->shared);
		if (mqtt->shared) {
			mqtt->shared = false;
			mosquitto_subscribe(client, NULL, EVERYTHING, 1);
			return;
		}
		mqtt->base.state = SOURCE_REFUSED;
		mqtt->base.why = "subscription refused";
		return;
	}
	mqtt->base.state = SOURCE_READY;
	mqtt->backoff.ms = 0;
	log_info("collect: connected broker=%s shared=%d", mqtt->base.url, mqtt->shared);
}

static void
on_publish(struct mosquitto *client, void *ctx, int mid)
{
	struct mqtt *mqtt = ctx;
	(void)client;
	(void)mid;
	if (mqtt->acks_waiting > 0)
		mqtt->acks_waiting--;
}

static void
on_message(struct mosquitto *client, void *ctx, const struct mosquitto_message *message)
{
	struct mqtt *mqtt = ctx;
	(void)client;
	if (mqtt->turn == NULL)
		return; /* comes again after the reconnect */
	if (mqtt->turn->count == TURN_ROOM) {
		log_error("collect: more batches in one turn than expected");
		mqtt->turn->broken = true;
		return;
	}
	turn_take(mqtt->turn, &mqtt->base, NULL, message->topic, message->payload,
	    message->payloadlen > 0 ? (size_t)message->payloadlen : 0);
}

static int
new_client(struct mqtt *mqtt, struct err *err)
{
	mosquitto_destroy(mqtt->client);
	mqtt->client = NULL;
	mqtt->acks_waiting = 0;
	mqtt->shared = mqtt->wan.session_s > 0;
	mqtt->spoke = mqtt->down = false;
	int rc = wan_new(&mqtt->wan, mqtt, &mqtt->client, err);
	if (rc != 0)
		return rc;
	mosquitto_connect_v5_callback_set(mqtt->client, on_connect);
	mosquitto_subscribe_callback_set(mqtt->client, on_subscribe);
	mosquitto_publish_callback_set(mqtt->client, on_publish);
	mosquitto_message_callback_set(mqtt->client, on_message);
	return 0;
}

static void
connect_now(struct mqtt *mqtt)
{
	struct err err = { 0 };
	uint32_t session_s = mqtt->down ? 0 : SESSION_S;
	if (mqtt->down)
		log_notice("collect: no MQTT 5, so collectors do not share broker=%s",
		    mqtt->base.url);
	if (session_s != mqtt->wan.session_s || mqtt->client == NULL) {
		mqtt->wan.session_s = session_s;
		if (new_client(mqtt, &err) != 0) {
			log_error("collect: %s", err.text);
			lost(mqtt, "cannot connect");
			return;
		}
	}
	mqtt->base.state = SOURCE_AWAY;
	if (wan_connect(mqtt->client, &mqtt->wan) != NULL)
		lost(mqtt, "cannot connect");
}

/* The address is asked first: the library's connect blocks. */
static void
tick_away(struct mqtt *mqtt, int64_t now_ms)
{
	if (now_ms < mqtt->connect_at_ms)
		return;
	if (mqtt->probe < 0) {
		mqtt->probe = probe_begin(mqtt->wan.host, mqtt->wan.port);
		mqtt->probe_end_ms = now_ms + PROBE_MS;
	}
	int answer = mqtt->probe >= 0 ? probe_answer(mqtt->probe) : -1;
	if (answer == 0 && now_ms < mqtt->probe_end_ms)
		return;
	if (mqtt->probe >= 0)
		close(mqtt->probe);
	mqtt->probe = -1;
	if (answer == 1) {
		connect_now(mqtt);
	} else {
		log_info("hq: cannot connect broker=%s", mqtt->base.url);
		lost(mqtt, "cannot connect");
	}
}

static bool
connected(const struct mqtt *mqtt)
{
	return mqtt->client != NULL && mosquitto_socket(mqtt->client) >= 0;
}

static void
mqtt_tick(struct source *source, int64_t now_ms)
{
	struct mqtt *mqtt = (struct mqtt *)source;
	if (!connected(mqtt)) {
		tick_away(mqtt, now_ms);
		return;
	}
	int rc = mosquitto_want_write(mqtt->client) ? mosquitto_loop_write(mqtt->client, 1)
						    : MOSQ_ERR_SUCCESS;
	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_loop_misc(mqtt->client);
	if (rc != MOSQ_ERR_SUCCESS || !connected(mqtt))
		lost(mqtt, NULL);
}

static struct pollfd
mqtt_wanted(const struct source *source)
{
	const struct mqtt *mqtt = (const struct mqtt *)source;
	if (!connected(mqtt))
		return (struct pollfd){ .fd = mqtt->probe, .events = POLLOUT };
	bool write = mosquitto_want_write(mqtt->client);
	return (struct pollfd){ .fd = mosquitto_socket(mqtt->client),
		.events = (short)(POLLIN | (write ? POLLOUT : 0)) };
}

static bool
readable(int socket)
{
	struct pollfd fd = { .fd = socket, .events = POLLIN };
	return poll(&fd, 1, 0) > 0 && (fd.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

/* All that is there now, up to a turn; false: the connection is lost. Acknowledgements of the
 * broker come in by reading too: with too many on their way, one at a time. */
static bool
read_on(struct mqtt *mqtt, struct turn *turn)
{
	bool one = mqtt->acks_waiting >= ACKS_WAITING_MAX;
	/* What TLS has decrypted already does not show on the socket. */
	if (mqtt->wan.tls && !one && mosquitto_loop_read(mqtt->client, 1) != MOSQ_ERR_SUCCESS)
		return false;
	while (!turn->broken && !turn_full(turn, wan_now_ms())) {
		int socket = mosquitto_socket(mqtt->client);
		if (socket < 0)
			return false;
		if (!readable(socket))
			return true;
		if (mosquitto_loop_read(mqtt->client, 1) != MOSQ_ERR_SUCCESS)
			return false;
		if (one || mqtt->acks_waiting >= ACKS_WAITING_MAX)
			return true;
	}
	return true;
}

static void
mqtt_read(struct source *source, struct turn *turn, int wait_ms)
{
	struct mqtt *mqtt = (struct mqtt *)source;
	(void)wait_ms;
	if (!connected(mqtt))
		return;
	mqtt->turn = turn;
	bool alive = read_on(mqtt, turn);
	mqtt->turn = NULL;
	if (!alive)
		lost(mqtt, NULL);
}

static void
mqtt_acknowledge(struct source *source, const struct taken *taken)
{
	struct mqtt *mqtt = (struct mqtt *)source;
	struct buf payload = { 0 };
	char topic[100];
	if (taken->refused)
		return;
	source_ack(&taken->batch, '/', topic, &payload);
	int rc = mqtt->client != NULL
	    ? mosquitto_publish(mqtt->client, NULL, topic, (int)payload.len, payload.data, 1, false)
	    : MOSQ_ERR_NOT_FOUND;
	buf_done(&payload);
	if (rc == MOSQ_ERR_SUCCESS || rc == MOSQ_ERR_NO_CONN) /* kept for the next connection */
		mqtt->acks_waiting++;
}

/* Without a byte written: what the library holds as PUBACK must not leave. */
static void
mqtt_drop(struct source *source, struct turn *turn)
{
	struct mqtt *mqtt = (struct mqtt *)source;
	(void)turn;
	if (!connected(mqtt))
		return;
	shutdown(mosquitto_socket(mqtt->client), SHUT_RDWR);
	while (connected(mqtt) && mosquitto_loop_read(mqtt->client, 1) == MOSQ_ERR_SUCCESS)
		;
	lost(mqtt, "given up");
}

static bool
mqtt_idle(const struct source *source)
{
	const struct mqtt *mqtt = (const struct mqtt *)source;
	return !connected(mqtt) || (mqtt->acks_waiting == 0 && !mosquitto_want_write(mqtt->client));
}

static void
mqtt_free(struct source *source)
{
	struct mqtt *mqtt = (struct mqtt *)source;
	int64_t end = wan_now_ms() + LEAVE_MS;
	if (connected(mqtt)) {
		mosquitto_disconnect(mqtt->client);
		while (mosquitto_want_write(mqtt->client) && wan_now_ms() < end &&
		    mosquitto_loop_write(mqtt->client, 1) == MOSQ_ERR_SUCCESS)
			;
	}
	if (mqtt->probe >= 0)
		close(mqtt->probe);
	mosquitto_destroy(mqtt->client);
	free(mqtt);
}

int
source_mqtt(const struct broker_options *broker, const char *url, const char *name,
    struct source **ret_source, struct err *err)
{
	static const struct source_kind kind = { mqtt_tick, mqtt_wanted, mqtt_read,
		mqtt_acknowledge, mqtt_drop, mqtt_idle, mqtt_free };
	struct mqtt *mqtt = mem_zero(sizeof(*mqtt));
	mqtt->base = (struct source){ .kind = &kind, .url = url };
	mqtt->probe = -1;
	memcpy(mqtt->client_id, name, strnlen(name, sizeof(mqtt->client_id) - 1));
	mqtt->wan = (struct wan){ .client_id = mqtt->client_id,
		.user = broker->user,
		.password_file = broker->password_file,
		.ca = broker->ca,
		.cert = broker->cert,
		.key = broker->key,
		.ack_late = true,
		.session_s = SESSION_S };
	int rc = wan_url(url, &mqtt->wan, mqtt->host)
	    ? new_client(mqtt, err)
	    : err_set(err, AISLE_E_INVALID,
		  "bad broker %s, expected mqtt[s]://HOST:PORT or nats://HOST:PORT,…", url);
	if (rc != 0) {
		mqtt_free(&mqtt->base);
		return rc;
	}
	*ret_source = &mqtt->base;
	return 0;
}
