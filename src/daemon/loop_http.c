/* SPDX-License-Identifier: Apache-2.0
 *
 * loop_http.c - what tablets and operators ask of the running store.
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/id.h"
#include "core/json.h"
#include "core/metrics.h"

static int64_t
host_now_ms(void *ctx)
{
	return daemon_now_ms(ctx);
}

static int
host_stations(void *ctx, struct buf *out)
{
	struct daemon *daemon = ctx;

	return query_stations(daemon->engine, out);
}

static int
host_station(void *ctx, const char *station, struct buf *out)
{
	struct daemon *daemon = ctx;

	return query_station(daemon->engine, station, out);
}

static int
host_decision(void *ctx, const char *id, struct buf *out)
{
	struct daemon *daemon = ctx;

	return query_decision(daemon->engine, id, out);
}

static void
hear_tablet(void *ctx, const char *tablet)
{
	struct daemon *daemon = ctx;

	engine_heard_tablet(daemon->engine, tablet, daemon_now_ms(daemon));
}

void
daemon_hear_tablets(struct daemon *daemon)
{
	daemon->hear_ms = daemon_mono_ms() + MIN_MS;
	if (daemon->http != NULL)
		http_each_tablet(daemon->http, hear_tablet, daemon);
}

static int
host_report(void *ctx, struct buf *out)
{
	struct daemon *daemon = ctx;
	struct json_writer *w = JSON_OBJECT(out);
	struct buf report = { 0 };
	int rc;

	daemon_hear_tablets(daemon);
	rc = query_report(daemon->engine, daemon_now_ms(daemon), &report);
	/* What the engine cannot know comes behind. */
	json_add_members(w, report.data, report.len);
	json_add_str(w, "broker", mqtt_connected(daemon->mqtt) ? "connected" : "away");
	json_add_str(w, "hq", daemon_hq_text(daemon));
	json_end(w);
	buf_done(&report);
	return rc;
}

static int
host_status(void *ctx, struct buf *out)
{
	daemon_status_json(ctx, "online", out);
	return 0;
}

int64_t
daemon_state_bytes(const struct daemon *daemon)
{
	static const char *const files[] = { "state.db", "state.db-wal", "keys.db", "keys.db-wal" };
	int64_t bytes = 0;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[600];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", daemon->conf.state_dir, files[i]);
		if (stat(path, &st) == 0)
			bytes += st.st_size;
	}
	return bytes;
}

static void
count_http(const struct http_counts *counts)
{
	metrics_set(METRIC_HTTP_REQUESTS, counts->requests);
	metrics_set(METRIC_HTTP_REFUSED, counts->refused);
	metrics_set(METRIC_HTTP_UNAUTHORIZED, counts->unauthorized);
	metrics_set(METRIC_HTTP_MALFORMED, counts->malformed);
	metrics_set(METRIC_HTTP_SLOW, counts->slow);
	metrics_set(METRIC_HTTP_EVICTED, counts->evicted);
	metrics_set(METRIC_HTTP_STREAMS_CUT, counts->streams_cut);
	metrics_set(METRIC_HTTP_PAIR_FAILED, counts->pair_failed);
}

static int
host_metrics(void *ctx, bool openmetrics, struct buf *out)
{
	struct daemon *daemon = ctx;
	int64_t days, written;

	metrics_set(METRIC_STREAMS, daemon->http != NULL ? (int64_t)http_streams(daemon->http) : 0);
	metrics_set(METRIC_IN_FLIGHT, (int64_t)mqtt_in_flight(daemon->mqtt));
	metrics_set(METRIC_STATE_BYTES, daemon_state_bytes(daemon));
	days = daemon_days_fit(daemon);
	metrics_set(METRIC_DAYS_FIT, days < 0 ? 0 : days);
	written = daemon_bytes_written();
	metrics_set(METRIC_WRITTEN, written < 0 ? 0 : written);
	if (daemon->http != NULL)
		count_http(http_counts(daemon->http));
	metrics_write(out, openmetrics);
	return 0;
}

static bool
host_ready(void *ctx, struct buf *out)
{
	struct daemon *daemon = ctx;
	bool policy = engine_policy(daemon->engine) != NULL, broker = mqtt_connected(daemon->mqtt);
	int disk = daemon_disk(daemon);
	bool ready = policy && broker && disk == 0,
	     away = daemon->conf.hq_host != NULL && !daemon->hq_up;
	struct json_writer *w = JSON_OBJECT(out);

	json_add_str(w, "status", !ready ? "fail" : away ? "warn" : "pass");
	json_add_list(w, "reasons");
	if (!policy)
		json_add_str(w, NULL, "no-policy");
	/* It is let go after each turn that fails: that is no fault of its own. */
	if (disk != 0)
		json_add_str(w, NULL, disk == AISLE_E_FULL ? "disk-full" : "disk-failing");
	else if (!broker)
		json_add_str(w, NULL, "no-broker");
	if (away)
		json_add_str(w, NULL, "hq-away");
	json_end_all(w);
	return ready;
}

static int
host_guidance_station(void *ctx, const char *guidance, char ret_station[static 33])
{
	struct daemon *daemon = ctx;

	return query_guidance_station(daemon->engine, guidance, ret_station);
}

/* ---- taps ---- */

static void
queue_or_refuse(struct daemon *daemon, const struct input *input)
{
	struct reply busy = { .status = 503, .detail = "the store is busy; try again" };

	if (daemon_queue(daemon, input))
		daemon_soon(daemon);
	else
		input->reply(input->reply_ctx, &busy);
}

static void
host_submit(void *ctx, const char *tablet, const char *manager, const char *guidance,
    const char *prompt, const char *kind, struct json_t *body, reply_fn reply, void *reply_ctx)
{
	struct daemon *daemon = ctx;
	struct input input = { .kind = INPUT_ANSWER,
		.now_ms = daemon_now_ms(daemon),
		.text = tablet,
		.manager = manager,
		.guidance = guidance,
		.prompt = prompt,
		.answer = body,
		/* Borrowed until it is copied: HTTP wipes its own when this returns. */
		.pin = (char *)(uintptr_t)json_string_value(json_object_get(body, "pin")),
		.is_shown = strcmp(kind, "shown") == 0,
		.reply = reply,
		.reply_ctx = reply_ctx };

	queue_or_refuse(daemon, &input);
}

static void
host_sign_in(void *ctx, const char *source, const char *manager, const char *pin, reply_fn reply,
    void *reply_ctx)
{
	struct daemon *daemon = ctx;
	struct input input = { .kind = INPUT_SIGN_IN,
		.now_ms = daemon_now_ms(daemon),
		.text = source,
		.manager = manager,
		.pin = (char *)(uintptr_t)pin,
		.reply = reply,
		.reply_ctx = reply_ctx };

	queue_or_refuse(daemon, &input);
}

static void
host_cancel(void *ctx, void *reply_ctx)
{
	struct daemon *daemon = ctx;

	for (size_t i = 0; i < daemon->input_count; i++) {
		struct input *input = &daemon->inputs[i];

		if (input->reply_ctx == reply_ctx)
			input->reply = NULL;
	}
}

static int64_t
host_last_id(void *ctx)
{
	struct daemon *daemon = ctx;

	return store_outbox_last(engine_store(daemon->engine));
}

/* clang-format off */
const struct http_host daemon_http_host = {
	.now_ms = host_now_ms, .stations = host_stations, .station = host_station,
	.decision = host_decision, .picture = daemon_picture, .report = host_report, .status = host_status,
	.metrics = host_metrics, .ready = host_ready, .guidance_station = host_guidance_station,
	.submit = host_submit, .sign_in = host_sign_in, .order = daemon_manager_orders, .cancel = host_cancel, .tablet_put = daemon_tablet_put,
	.tablet_get = daemon_tablet_get, .last_id = host_last_id,
};
/* clang-format on */
