/* SPDX-License-Identifier: Apache-2.0
 *
 * publish.c - what the store's broker is given: the outbox, and our status.
 */
#include "daemon/daemon.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"

/* Publishes that the broker has not acknowledged, in memory. Somebody waits for guidance and commands: they do not queue
 * behind receipts and dead letters, of which only a few are under way at a time. Each of the two is in its own order. */
#define URGENT_WINDOW 1000
#define PATIENT_WINDOW 100

static bool
is_patient(const char *topic)
{
	const char *last = strrchr(topic, '/');

	return last != NULL && (strcmp(last, "/receipt") == 0 || strcmp(last, "/dead-letter") == 0);
}

static bool
publish(struct daemon *daemon, struct outgoing *outgoing, int64_t id, const char *topic,
    bool retain, const void *payload, size_t len)
{
	size_t window = outgoing == &daemon->patient ? PATIENT_WINDOW : URGENT_WINDOW;

	if (mqtt_in_flight(daemon->mqtt) >= window ||
	    !mqtt_publish(daemon->mqtt, id, topic, retain, payload, len))
		return false;
	outgoing->given = id;
	return true;
}

void
daemon_publish_output(struct daemon *daemon, const struct output *output)
{
	struct outgoing *outgoing = is_patient(output->topic) ? &daemon->patient : &daemon->urgent;

	if (!outgoing->behind &&
	    !publish(daemon, outgoing, output->id, output->topic, false, output->payload,
		output->len))
		outgoing->behind = true;
}

struct backlog {
	struct daemon *daemon;
	struct outgoing *outgoing;
	bool stopped;
};

static int
publish_row(void *ctx, int64_t id, const char *topic, bool retain, const void *payload, size_t len)
{
	struct backlog *backlog = ctx;
	struct daemon *daemon = backlog->daemon;

	if (is_patient(topic) != (backlog->outgoing == &daemon->patient))
		return 0;
	backlog->stopped = !publish(daemon, backlog->outgoing, id, topic, retain, payload, len);
	return backlog->stopped;
}

static void
catch_up(struct daemon *daemon, struct outgoing *outgoing)
{
	struct store *store = engine_store(daemon->engine);
	struct backlog backlog = { .daemon = daemon, .outgoing = outgoing };

	if (!outgoing->behind || !mqtt_connected(daemon->mqtt))
		return;
	if (store_outbox_each(store, outgoing->given, publish_row, &backlog) < 0)
		log_error("the outbox cannot be read");
	else
		outgoing->behind = backlog.stopped;
}

void
daemon_publish_backlog(struct daemon *daemon)
{
	catch_up(daemon, &daemon->urgent);
	catch_up(daemon, &daemon->patient);
}

bool
daemon_publish_room(const struct daemon *daemon)
{
	return mqtt_connected(daemon->mqtt) && !daemon->urgent.behind && !daemon->patient.behind &&
	    mqtt_in_flight(daemon->mqtt) < PATIENT_WINDOW;
}

void
daemon_publish_again(struct daemon *daemon)
{
	daemon->urgent = daemon->patient = (struct outgoing){ .behind = true };
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
	json_add_str(w, "broker",
	    daemon->mqtt != NULL && mqtt_connected(daemon->mqtt) ? "connected" : "away");
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
