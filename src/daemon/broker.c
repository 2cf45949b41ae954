/* SPDX-License-Identifier: Apache-2.0
 *
 * broker.c - the connection to the store's broker, and what is heard there.
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/metrics.h"
#include "core/notify.h"

/* ---- what is heard ---- */

static void
on_message(void *ctx, const char *topic, const void *payload, size_t len,
    const struct binary_attributes *attributes)
{
	struct daemon *daemon = ctx;
	struct input input = { .kind = INPUT_MESSAGE,
		.now_ms = daemon_now_ms(daemon),
		.topic = topic,
		.payload = payload != NULL ? payload : "",
		.len = len,
		.attributes = attributes };

	if (!daemon_mapped(daemon, topic, input.payload, len) && !daemon_alike(daemon, topic))
		daemon_queue(daemon, &input);
}

static void
on_refused(void *ctx, const char *filter)
{
	struct daemon *daemon = ctx;

	if (!daemon_is_wide(filter)) {
		log_error("the broker's access list does not let us hear filter=\"%s\"", filter);
		return;
	}
	if (!daemon->narrow)
		log_notice("the broker lets us hear our own topics only: tills with a wrong one "
			   "are not noticed");
	daemon->narrow = true;
	daemon_listen(daemon);
}

static bool
has_room(void *ctx)
{
	const struct daemon *daemon = ctx;

	return daemon->input_count < (size_t)daemon->conf.turn_events;
}

static bool
is_pending(void *ctx)
{
	const struct daemon *daemon = ctx;

	return daemon->input_count > 0;
}

static void
on_ready(void *ctx)
{
	struct daemon *daemon = ctx;
	struct timeval linger = { .tv_sec = daemon->conf.linger_ms / 1000,
		.tv_usec = daemon->conf.linger_ms % 1000 * 1000 };

	if (daemon->input_count == 0)
		return;
	if (daemon->conf.linger_ms > 0 && has_room(daemon)) {
		if (!event_pending(daemon->turn_event, EV_TIMEOUT, NULL))
			event_add(daemon->turn_event, &linger);
		return;
	}
	daemon_turn(daemon);
}

/* ---- the connection ---- */

static void
on_connected(void *ctx)
{
	struct daemon *daemon = ctx;

	log_info("connected to the store's broker");
	daemon_publish_again(daemon);
	daemon_publish_status(daemon, "online");
	daemon_publish_backlog(daemon);
	notify_status("serving, broker connected");
}

static void
on_disconnected(void *ctx)
{
	struct daemon *daemon = ctx;

	daemon_publish_again(daemon);
	/* What it had is not published once more. */
	if (daemon->delivered_count > 0)
		daemon_soon(daemon);
	/* Tablets hear it over their streams: what tills say does not reach us. */
	if (!daemon->stopping)
		daemon_publish_status(daemon, "online");
	notify_status("serving, broker away");
}

static void
on_delivered(void *ctx, int64_t outbox_id)
{
	struct daemon *daemon = ctx;

	daemon->delivered = mem_grow(daemon->delivered, daemon->delivered_count,
	    &daemon->delivered_capacity, sizeof(int64_t));
	daemon->delivered[daemon->delivered_count++] = outbox_id;
	/* There is room for more. */
	if (daemon->urgent.behind || daemon->patient.behind || waiting_count(daemon->engine) > 0)
		daemon_soon(daemon);
}

/* clang-format off */
static const struct mqtt_host mqtt_host_template = {
	.message = on_message, .room = has_room, .ready = on_ready, .pending = is_pending,
	.connected = on_connected, .disconnected = on_disconnected, .delivered = on_delivered,
	.refused = on_refused,
};
/* clang-format on */

int
daemon_open_broker(struct daemon *daemon, struct err *err)
{
	struct mqtt_options options = { .conf = &daemon->conf,
		.host = &daemon->mqtt_host,
		.status_topic = daemon->status_topic };

	daemon->mqtt_host = mqtt_host_template;
	daemon->mqtt_host.ctx = daemon;
	snprintf(daemon->status_topic, sizeof(daemon->status_topic), "%s/status",
	    engine_topic_root(daemon->engine));
	daemon_status_json(daemon, "offline", &daemon->will);
	options.will = daemon->will.data;
	return mqtt_new(daemon->base, &options, &daemon->mqtt, err);
}
