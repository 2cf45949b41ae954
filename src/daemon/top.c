/* SPDX-License-Identifier: Apache-2.0
 *
 * top.c - what `aislectl top` shows: counters and gauges as they are now.
 *
 * Rates and times are the asker's to make, from two of these: nothing here remembers who looked.
 */
#include "daemon/daemon.h"

#include <string.h>

#include "core/json.h"
#include "core/metrics.h"

static int64_t
sum_of(enum metric first, int count, int step)
{
	int64_t sum = 0;

	for (int i = 0; i < count; i++)
		sum += metrics_get((enum metric)((int)first + i * step));
	return sum;
}

static void
add_counters(struct json_writer *w)
{
	json_add_int(w, "events", sum_of(METRIC_ACCEPTED_BASKET_OPENED, EV_COUNT, 2));
	json_add_int(w, "doubles", sum_of(METRIC_DUPLICATE_BASKET_OPENED, EV_COUNT, 2));
	json_add_int(w, "decisions", metrics_get(METRIC_DECISIONS));
	json_add_int(w, "dead_letters", sum_of(METRIC_REJECTED_TOO_BIG, REJECT_COUNT - 1, 1));
}

/* [[at most so many µs, turns], …], the last without a bound: [null, turns]. */
static void
add_turns(struct json_writer *w)
{
	int64_t us, count;

	json_add_list(w, "turns");
	for (size_t i = 0; metrics_bucket(i, &us, &count); i++) {
		json_add_list(w, NULL);
		if (us < INT64_MAX)
			json_add_int(w, NULL, us);
		else
			json_add_null(w, NULL);
		json_add_int(w, NULL, count);
		json_end(w);
	}
	json_end(w);
}

static void
add_hq(struct daemon *daemon, struct json_writer *w)
{
	json_add_object(w, "hq");
	json_add_str(w, "state", daemon_hq_text(daemon));
	json_add_int(w, "queued", store_uplink_count(engine_store(daemon->engine)));
	json_end(w);
}

static void
add_waiting(struct daemon *daemon, struct json_writer *w)
{
	json_add_object(w, "waiting");
	json_add_int(w, "events", waiting_count(daemon->engine));
	json_add_int(w, "bytes", waiting_bytes(daemon->engine));
	json_end(w);
}

void
daemon_top(struct daemon *daemon, struct control_request *request)
{
	struct buf out = { 0 }, stations = { 0 }, today = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);
	int64_t now_ms = daemon_now_ms(daemon);

	(void)query_stations(daemon->engine, &stations); /* always 0 */
	query_sums(daemon->engine, now_ms, &today);
	json_add_str(w, "store", daemon->conf.store_id);
	json_add_when(w, "at", now_ms);
	json_add_int(w, "up_s", now_ms / 1000 - metrics_get(METRIC_START));
	daemon_policy_json(daemon, w);
	json_add_str(w, "broker", mqtt_connected(daemon->mqtt) ? "connected" : "away");
	add_hq(daemon, w);
	json_add_str(w, "disk", daemon_disk_text(daemon));
	json_add_str(w, "time", daemon->steady.uncertain ? "uncertain" : "certain");
	add_counters(w);
	add_turns(w);
	add_waiting(daemon, w);
	json_add_int(w, "streams", (int64_t)http_streams(daemon->http));
	json_add_int(w, "visits", (int64_t)engine_visit_count(daemon->engine));
	json_add_members(w, stations.data, stations.len);
	json_add_raw(w, "today", today.data, today.len);
	json_end(w);
	control_reply(request, out.data);
	buf_done(&out);
	buf_done(&stations);
	buf_done(&today);
}
