/* SPDX-License-Identifier: Apache-2.0
 *
 * publish.c - what the store's broker is given: the outbox, and our status.
 */
#include "daemon/daemon.h"

#include <stdlib.h>

#include "core/log.h"

#define PUBLISH_WINDOW 1000 /* publishes that the broker has not acknowledged, in memory */

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
