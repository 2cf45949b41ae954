/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon.h - aisled: the edges (broker, tablets, control socket, link, clock) around the engine.
 */
#ifndef AISLE_DAEMON_H
#define AISLE_DAEMON_H

#include <event2/bufferevent.h>

#include "control.h"
#include "deliver/http.h"
#include "engine.h"
#include "ingest/mapping.h"
#include "ingest/mqtt.h"
#include "profile/profiles.h"
#include "sync/uplink.h"

struct daemon {
	struct event_base *base;
	struct conf conf;
	const char *conf_path;
	struct engine *engine;
	struct profiles *profiles;
	struct mqtt *mqtt;
	struct http *http;
	struct control *control;
	struct mapping *mappings[CONF_MAPPINGS_MAX];
	size_t mapping_count;
	int64_t session;		/* how many times this state was served; tells an old will from a new birth */
	char status_topic[96], will[512];
	struct mqtt_host mqtt_host;
	struct http_host http_host;
	char filters[5][128];		/* what we listen to on the broker, then the mappings' own */
	const char *topics[5 + CONF_MAPPINGS_MAX];

	/* inputs that are not on disk yet */
	struct input *inputs;		/* turn_events + room for the daemon's own */
	size_t input_count, input_max;
	int64_t first_us;		/* monotonic: when the first of them came */
	struct arena *input_arena;
	struct event *turn_event;	/* lingering, and "soon" */
	struct event *clock_event;	/* the next timer of the engine */
	struct event *tick_event, *term_event, *int_event, *hup_event;
	bool turned;			/* since the last tick */
	bool worked;			/* since the last pruning */
	int64_t published;		/* highest outbox id given to the broker's library */
	int64_t *delivered;		/* outbox ids to delete with the next turn */
	size_t delivered_count, delivered_capacity;

	/* headquarters */
	struct uplink *uplink;
	struct bufferevent *link;
	pid_t link_pid;
	bool hq_up;
	int64_t link_retry_ms;		/* monotonic */

	/* a running profiles install */
	struct control_request *install;
	struct event *install_event;
	struct crash *poison;
	bool stopping;
	int exit_code;
};

int daemon_run(const char *conf_path);				/* a sysexits code */
/* A copy is queued; the turn runs when the loop gets to it. false: no room. */
bool daemon_queue(struct daemon *daemon, const struct input *input);
void daemon_turn(struct daemon *daemon);
void daemon_soon(struct daemon *daemon);
int64_t daemon_now_ms(struct daemon *daemon);
int64_t daemon_mono_ms(void);
void daemon_status_json(struct daemon *daemon, const char *state, struct buf *out);
void daemon_publish_status(struct daemon *daemon, const char *state);

/* daemon_http.c */
extern const struct http_host daemon_http_host;
/* daemon_control.c */
void daemon_control(void *ctx, struct control_request *request, const json_t *json, const char *body_path);
int daemon_load_bundle(struct daemon *daemon, struct err *err);	/* the one that the state names, else the last good one */
/* daemon_link.c */
void daemon_link_start(struct daemon *daemon);
void daemon_link_stop(struct daemon *daemon);
void daemon_link_pump(struct daemon *daemon);
void daemon_link_reopened(struct daemon *daemon);	/* the store is another one now: after a failed commit */

#endif
