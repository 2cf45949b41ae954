/* SPDX-License-Identifier: Apache-2.0
 *
 * broker.c - the store's broker: what we hear there, what of the outbox it was given, our
 * status.
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/metrics.h"
#include "core/notify.h"

#define PUBLISH_WINDOW 1000 /* publishes that the broker has not acknowledged, in memory */

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

	if (!daemon_mapped(daemon, topic, input.payload, len))
		daemon_queue(daemon, &input);
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

/* ---- what is said ---- */

int
daemon_publish_row(void *ctx, int64_t id, const char *topic, bool retain, const void *payload,
    size_t len)
{
	struct daemon *daemon = ctx;

	if (mqtt_in_flight(daemon->mqtt) >= PUBLISH_WINDOW ||
	    !mqtt_publish(daemon->mqtt, id, topic, retain, payload, len))
		return 1;
	daemon->published = id;
	return 0;
}

/* What the outbox holds beyond what the library was given. */
void
daemon_publish_backlog(struct daemon *daemon)
{
	if (!mqtt_connected(daemon->mqtt) ||
	    daemon->published >= store_outbox_last(engine_store(daemon->engine)))
		return;
	if (store_outbox_each(engine_store(daemon->engine), daemon->published, daemon_publish_row,
		daemon) < 0)
		log_error("the outbox cannot be read");
}

void
daemon_policy_json(const struct daemon *daemon, struct json_writer *w)
{
	const struct policy *policy = daemon->engine != NULL ? engine_policy(daemon->engine) : NULL;

	if (policy == NULL) {
		json_add_null(w, "policy");
		return;
	}
	json_add_object(w, "policy");
	json_add_str(w, "name", policy->name);
	json_add_int(w, "version", policy->version);
	json_add_str(w, "hash", policy->hash);
	json_end(w);
}

const char *
daemon_hq_text(const struct daemon *daemon)
{
	return daemon->conf.hq_host == NULL ? "none" : daemon->hq_up ? "connected" : "away";
}

void
daemon_status_json(struct daemon *daemon, const char *state, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_str(w, "state", state);
	json_add_int(w, "session", daemon->session);
	json_add_when(w, "at", daemon_now_ms(daemon));
	daemon_policy_json(daemon, w);
	json_add_str(w, "time", daemon->steady.uncertain ? "uncertain" : "certain");
	json_add_str(w, "hq", daemon_hq_text(daemon));
	json_end(w);
}

void
daemon_publish_status(struct daemon *daemon, const char *state)
{
	struct buf json = { 0 };

	daemon_status_json(daemon, state, &json);
	mqtt_publish(daemon->mqtt, 0, daemon->status_topic, true, json.data, json.len);
	if (daemon->http != NULL)
		http_stream(daemon->http, NULL, store_outbox_last(engine_store(daemon->engine)),
		    "status", json.data, json.len);
	buf_done(&json);
}

/* ---- the connection ---- */

static void
on_connected(void *ctx)
{
	struct daemon *daemon = ctx;

	log_info("connected to the store's broker");
	daemon->published = 0;
	daemon_publish_status(daemon, "online");
	daemon_publish_backlog(daemon);
	notify_status("serving, broker connected");
}

static void
on_disconnected(void *ctx)
{
	struct daemon *daemon = ctx;

	daemon->published = INT64_MAX;
	notify_status("serving, broker away");
}

static void
on_delivered(void *ctx, int64_t outbox_id)
{
	struct daemon *daemon = ctx;

	if (daemon->delivered_count == daemon->delivered_capacity) {
		daemon->delivered_capacity =
		    daemon->delivered_capacity == 0 ? 256 : 2 * daemon->delivered_capacity;
		daemon->delivered =
		    mem_realloc(daemon->delivered, daemon->delivered_capacity * sizeof(int64_t));
	}
	daemon->delivered[daemon->delivered_count++] = outbox_id;
}

/* clang-format off */
static const struct mqtt_host mqtt_host_template = {
	.message = on_message, .room = has_room, .ready = on_ready, .pending = is_pending,
	.connected = on_connected, .disconnected = on_disconnected, .delivered = on_delivered,
};
/* clang-format on */

int
daemon_open_broker(struct daemon *daemon, struct err *err)
{
	struct buf will = { 0 };
	struct mqtt_options options = { .conf = &daemon->conf,
		.host = &daemon->mqtt_host,
		.status_topic = daemon->status_topic,
		.will = daemon->will };

	daemon->mqtt_host = mqtt_host_template;
	daemon->mqtt_host.ctx = daemon;
	snprintf(daemon->status_topic, sizeof(daemon->status_topic), "%s/status",
	    engine_topic_root(daemon->engine));
	daemon_status_json(daemon, "offline", &will);
	snprintf(daemon->will, sizeof(daemon->will), "%s", will.data);
	buf_done(&will);
	return mqtt_new(daemon->base, &options, &daemon->mqtt, err);
}
