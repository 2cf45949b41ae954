/* SPDX-License-Identifier: Apache-2.0
 *
 * mqtt.c - the store's own broker through libmosquitto on our event loop.
 *
 * DESIGN
 *   libmosquitto queues the PUBACK of a QoS 1 message before it hands the
 *   message over. Told that it is used from several threads, it only queues;
 *   mosquitto_loop_write alone sends. So: read until nothing is readable or
 *   the turn is full, commit, then write. A daemon that dies in between gets
 *   the message again. Rejected: working in the callback (measured elsewhere:
 *   killed daemons lose acknowledged messages). mqtt_wire.c is beneath: few reads,
 *   one write a turn.
 *
 *   Every connection is a new client object: what the old one had queued dies
 *   with it, and the outbox on disk is the only list of what must arrive.
 *
 * INVARIANTS
 *   While host->pending() nothing is written to the socket.
 */
#include "ingest/mqtt_internal.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "core/metrics.h"
#include "ingest/mqtt_wire.h"

#define BACKOFF_S_MIN 1
#define BACKOFF_S_MAX 10
#define GOOD_S 10
#define READS_MAX 1024 /* packets at once: who sends without an end keeps nobody waiting */

struct in_flight {
	int mid;
	int64_t outbox_id;
};

struct mqtt {
	struct event_base *base;
	struct mqtt_options options;
	struct mosquitto *mosq;
	struct event *read_event, *write_event, *again_event, *second_event, *retry_event;
	char *password;
	struct mqtt_topics topics;
	bool up, broken;
	bool wired; /* the library's bytes come by mqtt_wire.c; those of TLS cannot */
	int backoff_s, refused_backoff_s;
	int up_s;	     /* how long it is up, as far as GOOD_S */
	const char *refused; /* what it sent, until it was up for GOOD_S without */
	struct in_flight *in_flight;
	size_t in_flight_count, in_flight_capacity;
};

static void connect_now(struct mqtt *mqtt);

/* ---- connection lost ---- */

static void
close_client(struct mqtt *mqtt)
{
	if (mqtt->read_event != NULL)
		event_free(mqtt->read_event);
	if (mqtt->write_event != NULL)
		event_free(mqtt->write_event);
	mqtt->read_event = mqtt->write_event = NULL;
	event_del(mqtt->again_event);
	if (mqtt->wired)
		mqtt_wire_close();
	mqtt->wired = false;
	if (mqtt->mosq != NULL)
		mosquitto_destroy(mqtt->mosq);
	mqtt->mosq = NULL;
	mqtt->in_flight_count = 0;
	mqtt->up_s = 0;
	mqtt->broken = false;
	if (mqtt->up) {
		mqtt->up = false;
		metrics_set(METRIC_MQTT_UP, 0);
		mqtt->options.host->disconnected(mqtt->options.host->ctx);
	}
}

static void
lost(struct mqtt *mqtt, const char *why)
{
	struct timeval wait = { .tv_sec = mqtt->backoff_s };

	log_warning("broker connection lost why=\"%s\" retry_s=%d", why, mqtt->backoff_s);
	close_client(mqtt);
	event_add(mqtt->retry_event, &wait);
	mqtt->backoff_s = mqtt->backoff_s * 2 > BACKOFF_S_MAX ? BACKOFF_S_MAX : mqtt->backoff_s * 2;
}

/* Who says hello and then nonsense is asked less and less often. */
static void
refuse(struct mqtt *mqtt, const char *what)
{
	metrics_add(METRIC_BROKER_REFUSED, 1);
	log_error("the broker sent what no broker sends: %s", what);
	mqtt->refused = what;
	mqtt->backoff_s = mqtt->refused_backoff_s;
	lost(mqtt, "what it sent is refused");
	mqtt->refused_backoff_s = mqtt->backoff_s;
}

/* ---- callbacks of the library: they only note what happened ---- */

static void
on_connect(struct mosquitto *mosq, void *ctx, int rc, int flags,
    const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;

	(void)flags;
	(void)properties;
	if (rc != 0) {
		log_error("the broker refused the connection rc=%d", rc);
		mqtt->broken = true;
		return;
	}
	mqtt_topics_ask(&mqtt->topics, mosq);
	mqtt->up = true;
	mqtt->backoff_s = BACKOFF_S_MIN;
	metrics_set(METRIC_MQTT_UP, 1);
}

static void
on_subscribe(struct mosquitto *mosq, void *ctx, int mid, int count, const int *granted,
    const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;

	(void)mosq;
	(void)properties;
	if (count > 0 && granted[0] >= 128)
		mqtt_topics_refused(&mqtt->topics, mid);
}

static void
on_message(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *message,
    const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;

	(void)mosq;
	mqtt_message(mqtt->options.host, message, properties);
}

static void
on_publish(struct mosquitto *mosq, void *ctx, int mid, int reason,
    const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;

	(void)mosq;
	(void)properties;
	for (size_t i = 0; i < mqtt->in_flight_count; i++) {
		int64_t id = mqtt->in_flight[i].outbox_id;

		if (mqtt->in_flight[i].mid != mid)
			continue;
		mqtt->in_flight[i] = mqtt->in_flight[--mqtt->in_flight_count];
		if (reason >= 128)
			log_error("the broker refused a message reason=%d outbox=%lld", reason,
			    (long long)id);
		if (id != 0)
			mqtt->options.host->delivered(mqtt->options.host->ctx, id);
		return;
	}
}

static void
on_disconnect(struct mosquitto *mosq, void *ctx, int rc, const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;

	(void)mosq;
	(void)rc;
	(void)properties;
	mqtt->broken = true;
}

/* ---- the loop ---- */

static bool
unsent(const struct mqtt *mqtt)
{
	return mosquitto_want_write(mqtt->mosq) || (mqtt->wired && mqtt_wire_unsent() > 0);
}

static void
want(struct mqtt *mqtt)
{
	if (mqtt->write_event != NULL && mqtt->mosq != NULL && unsent(mqtt) &&
	    !mqtt->options.host->pending(mqtt->options.host->ctx))
		event_add(mqtt->write_event, NULL);
}

/* All that the library has queued, in as few writes as there are pieces of mqtt_wire.c's. */
static int
write_out(struct mqtt *mqtt)
{
	int rc = mosquitto_want_write(mqtt->mosq) ? mosquitto_loop_write(mqtt->mosq, 1)
						  : MOSQ_ERR_SUCCESS;

	if (rc == MOSQ_ERR_SUCCESS && mqtt->wired && mqtt_wire_flush() != 0)
		rc = MOSQ_ERR_ERRNO;
	return rc;
}

void
mqtt_release(struct mqtt *mqtt)
{
	/* Whoever asks: with inputs that no turn has committed yet, their PUBACKs would leave too. */
	if (mqtt->mosq == NULL || mqtt->broken ||
	    mqtt->options.host->pending(mqtt->options.host->ctx))
		return;
	if (write_out(mqtt) != MOSQ_ERR_SUCCESS)
		mqtt->broken = true;
	else
		want(mqtt);
}

static void
on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct mqtt *mqtt = ctx;

	(void)fd;
	(void)what;
	mqtt_release(mqtt);
	if (mqtt->broken)
		lost(mqtt, "write failed");
}

static bool
readable(const struct mqtt *mqtt, int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	if (mqtt->wired)
		return mqtt_wire_more();
	return fd >= 0 && poll(&poll_fd, 1, 0) == 1;
}

static void
on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct mqtt *mqtt = ctx;
	bool was_up = mqtt->up;
	int reads = 0;

	(void)what;
	mqtt_wire_awake();
	do {
		if (mosquitto_loop_read(mqtt->mosq, 1) != MOSQ_ERR_SUCCESS)
			mqtt->broken = true;
	} while (!mqtt->broken && mqtt->options.host->room(mqtt->options.host->ctx) &&
	    ++reads < READS_MAX && readable(mqtt, fd));
	if (mqtt->broken) {
		/* What was read is not acknowledged any more: it comes again. What was queued is
		 * still good. */
		if (mqtt->wired && mqtt_wire_refused() != NULL)
			refuse(mqtt, mqtt_wire_refused());
		else
			lost(mqtt, "read failed");
		return;
	}
	if (!was_up && mqtt->up)
		mqtt->options.host->connected(mqtt->options.host->ctx);
	mqtt_topics_tell(&mqtt->topics, mqtt->options.host);
	mqtt->options.host->ready(mqtt->options.host->ctx);
	mqtt_release(mqtt);
	if (mqtt->broken)
		lost(mqtt, "write failed");
	/* The turn was full, or enough was read. What is ready elsewhere comes before the next one: an event that was
	 * made active would be handled before the loop looks. */
	else if (mqtt->wired && mqtt_wire_left())
		event_add(mqtt->again_event, &(struct timeval){ 0 });
}

static void
on_again(evutil_socket_t fd, short what, void *ctx)
{
	struct mqtt *mqtt = ctx;

	(void)fd;
	on_readable(mosquitto_socket(mqtt->mosq), what, mqtt);
}

static void
on_second(evutil_socket_t fd, short what, void *ctx)
{
	struct mqtt *mqtt = ctx;

	(void)fd;
	(void)what;
	if (mqtt->mosq == NULL)
		return;
	if (mosquitto_loop_misc(mqtt->mosq) != MOSQ_ERR_SUCCESS || mqtt->broken) {
		lost(mqtt, "no answer");
		return;
	}
	want(mqtt);
	if (mqtt->up && mqtt->up_s < GOOD_S && ++mqtt->up_s == GOOD_S) {
		mqtt->refused = NULL;
		mqtt->refused_backoff_s = BACKOFF_S_MIN;
	}
}

static void
on_retry(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	connect_now(ctx);
}

/* ---- connect ---- */

static int
set_up_client(struct mqtt *mqtt)
{
	const struct conf *conf = mqtt->options.conf;

	mqtt->mosq = mosquitto_new(conf->mqtt_client_id, false, mqtt);
	if (mqtt->mosq == NULL)
		return MOSQ_ERR_NOMEM;
	mosquitto_int_option(mqtt->mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	/* A turn's write may follow another's that is not acknowledged yet: Nagle would hold it back. */
	mosquitto_int_option(mqtt->mosq, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_threaded_set(mqtt->mosq, true);
	mosquitto_connect_v5_callback_set(mqtt->mosq, on_connect);
	mosquitto_message_v5_callback_set(mqtt->mosq, on_message);
	mosquitto_publish_v5_callback_set(mqtt->mosq, on_publish);
	mosquitto_subscribe_v5_callback_set(mqtt->mosq, on_subscribe);
	mosquitto_disconnect_v5_callback_set(mqtt->mosq, on_disconnect);
	mosquitto_int_option(mqtt->mosq, MOSQ_OPT_RECEIVE_MAXIMUM, conf->turn_events);
	if (conf->mqtt_user != NULL)
		mosquitto_username_pw_set(mqtt->mosq, conf->mqtt_user, mqtt->password);
	if (conf->mqtt_ca != NULL)
		mosquitto_tls_set(mqtt->mosq, conf->mqtt_ca, NULL, conf->mqtt_cert, conf->mqtt_key,
		    NULL);
	return mosquitto_will_set_v5(mqtt->mosq, mqtt->options.status_topic,
	    (int)strlen(mqtt->options.will), mqtt->options.will, 1, true, NULL);
}

static void
connect_now(struct mqtt *mqtt)
{
	int fd, rc = set_up_client(mqtt);

	if (rc == MOSQ_ERR_SUCCESS)
		rc = mqtt_connect(mqtt->mosq, mqtt->options.conf);
	fd = rc == MOSQ_ERR_SUCCESS ? mosquitto_socket(mqtt->mosq) : -1;
	if (fd < 0) {
		lost(mqtt, rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc));
		return;
	}
	mqtt->read_event = event_new(mqtt->base, fd, EV_READ | EV_PERSIST, on_readable, mqtt);
	mqtt->write_event = event_new(mqtt->base, fd, EV_WRITE, on_writable, mqtt);
	event_add(mqtt->read_event, NULL);
	mqtt->wired =
	    mqtt->options.conf->mqtt_ca == NULL ? mqtt_wire_open(fd) : mqtt_wire_open_tls(fd);
	if (write_out(mqtt) != MOSQ_ERR_SUCCESS)
		lost(mqtt, "write failed");
}

int
mqtt_new(struct event_base *base, const struct mqtt_options *options, struct mqtt **ret_mqtt,
    struct err *err)
{
	struct mqtt *mqtt = mem_zero(sizeof(*mqtt));
	struct timeval second = { .tv_sec = 1 };
	int rc;

	mqtt->base = base;
	mqtt->options = *options;
	mqtt->backoff_s = mqtt->refused_backoff_s = BACKOFF_S_MIN;
	rc = mqtt_password(options->conf, &mqtt->password, err);
	if (rc != 0) {
		free(mqtt);
		return rc;
	}
	mosquitto_lib_init();
	mqtt->again_event = evtimer_new(base, on_again, mqtt);
	mqtt->retry_event = evtimer_new(base, on_retry, mqtt);
	mqtt->second_event = event_new(base, -1, EV_PERSIST, on_second, mqtt);
	event_add(mqtt->second_event, &second);
	*ret_mqtt = mqtt;
	return 0;
}

void
mqtt_listen(struct mqtt *mqtt, const char *const *topics, size_t count)
{
	mqtt_topics_set(&mqtt->topics, mqtt->up ? mqtt->mosq : NULL, topics, count);
	want(mqtt);
}

void
mqtt_start(struct mqtt *mqtt)
{
	connect_now(mqtt);
}

void
mqtt_free(struct mqtt *mqtt)
{
	if (mqtt == NULL)
		return;
	close_client(mqtt);
	event_free(mqtt->again_event);
	event_free(mqtt->retry_event);
	event_free(mqtt->second_event);
	if (mqtt->password != NULL)
		explicit_bzero(mqtt->password, strlen(mqtt->password));
	free(mqtt->password);
	mqtt_topics_done(&mqtt->topics);
	free(mqtt->in_flight);
	free(mqtt);
}

bool
mqtt_connected(const struct mqtt *mqtt)
{
	return mqtt->up;
}

const char *
mqtt_refused(const struct mqtt *mqtt)
{
	return mqtt->refused;
}

size_t
mqtt_in_flight(const struct mqtt *mqtt)
{
	return mqtt->in_flight_count;
}

bool
mqtt_publish(struct mqtt *mqtt, int64_t outbox_id, const char *topic, bool retain,
    const void *payload, size_t len)
{
	int mid;

	if (!mqtt->up || mqtt->broken)
		return false;
	if (mosquitto_publish_v5(mqtt->mosq, &mid, topic, (int)len, payload, 1, retain, NULL) !=
	    MOSQ_ERR_SUCCESS) {
		mqtt->broken = true;
		return false;
	}
	mqtt->in_flight = mem_grow(mqtt->in_flight, mqtt->in_flight_count,
	    &mqtt->in_flight_capacity, sizeof(*mqtt->in_flight));
	mqtt->in_flight[mqtt->in_flight_count++] = (struct in_flight){ mid, outbox_id };
	return true;
}

void
mqtt_drop(struct mqtt *mqtt)
{
	int fd = mqtt->mosq != NULL ? mosquitto_socket(mqtt->mosq) : -1;

	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	if (mqtt->mosq != NULL)
		lost(mqtt, "the turn could not be committed");
}

void
mqtt_leave(struct mqtt *mqtt)
{
	int fd;

	if (mqtt->mosq == NULL)
		return;
	mosquitto_disconnect_v5(mqtt->mosq, 0, NULL);
	for (int i = 0; i < 100 && unsent(mqtt); i++) {
		if (write_out(mqtt) != MOSQ_ERR_SUCCESS)
			break;
	}
	fd = mosquitto_socket(mqtt->mosq);
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	mqtt->up = false;
	close_client(mqtt);
}
