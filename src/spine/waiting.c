/* SPDX-License-Identifier: Apache-2.0
 *
 * waiting.c - the waiting room: events that came faster than their station's rate, on disk.
 *
 * DESIGN
 *   A till that was offline hands over hours in seconds, and none of it may be
 *   lost, nor keep another till waiting. So the rate is an order and not a
 *   brake: what is within it is applied at once; what is beyond it, and all
 *   that comes after it from the same station, waits as a row of its station's
 *   queue. Queues are taken round robin when nothing else is ready, a row and
 *   its effects in one transaction.
 *
 *   An event waits as it was read, its card number already a subject. It was
 *   whole when it came, and is not refused for its clock when it is taken.
 *   Rejected: keeping the message as it came, for the card number in it.
 *
 *   How they lie on disk is waiting_queue.c.
 *
 * LIMITS
 *   [limits] waiting_mib of event bytes, and a quarter of [state] max_mib.
 *   Beyond it the newest events of the longest queue are lost.
 */
#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/metrics.h"
#include "spine/waiting_queue.h"

/* "station/7", "care", "tablet/t1": who shares a rate, and a queue. */
void
waiting_name(const struct engine *engine, const struct route *route,
    char out[static RATE_NAME_SIZE])
{
	if (route->channel == CHANNEL_CARE)
		snprintf(out, RATE_NAME_SIZE, "care");
	else if (route->channel == CHANNEL_TABLET)
		snprintf(out, RATE_NAME_SIZE, "tablet/%s", route->origin);
	else
		snprintf(out, RATE_NAME_SIZE, "station/%s",
		    conf_station(engine->conf, route->origin));
}

/* ---- what does not fit ---- */

static int64_t
bytes_max(const struct engine *engine)
{
	int64_t quarter = (int64_t)engine->conf->state_max_mib << 18;
	int64_t bytes = (int64_t)engine->conf->waiting_mib << 20;

	return engine->options.state_dir != NULL && quarter < bytes ? quarter : bytes;
}

void
waiting_lost(struct engine *engine, const struct route *route, const char *topic,
    struct rejected *rejected, const void *payload, size_t len)
{
	rejected->reason = REJECT_RATE;
	snprintf(rejected->detail, sizeof(rejected->detail),
	    "more of this station waits than [limits] waiting_mib leaves room for");
	metrics_add(METRIC_LIMIT_WAITING, 1);
	refuse_message(engine, route, topic, rejected, payload, len);
}

static void
name_row(const char *name, const json_t *root, char out[static 129])
{
	const char *text = json_string_value(json_object_get(root, name));

	snprintf(out, 129, "%s", text != NULL ? text : "");
}

static void
lose_newest(struct engine *engine, struct waiting_queue *queue)
{
	struct buf text = { 0 };
	struct rejected rejected = { 0 };
	struct route route;

	if (waiting_take_newest(engine, queue, &text)) {
		json_t *root = json_read(text.data, text.len, "event", NULL);
		const char *topic = json_string_value(json_object_get(root, "topic"));

		name_row("source", root, rejected.source);
		name_row("id", root, rejected.id);
		rejected.receipt = json_is_true(json_object_get(root, "receipt"));
		if (topic != NULL && route_parse_tail(topic, &route) == 0)
			waiting_lost(engine, &route,
			    arena_printf(engine->arena, "%s/%s", engine->topic_root, topic),
			    &rejected, text.data, text.len);
		json_decref(root);
	}
	buf_done(&text);
}

/* Room for len bytes more of this queue, at the cost of a longer one. */
static bool
make_room(struct engine *engine, int64_t key, int64_t len)
{
	struct waiting *waiting = &engine->waiting;

	while (waiting->bytes + len > bytes_max(engine) && engine->failed == 0) {
		const struct waiting_queue *own = waiting_queue_find(waiting, key);
		struct waiting_queue *longest = NULL;

		for (size_t i = 0; i < waiting->count; i++) {
			if (longest == NULL || waiting->queues[i].bytes > longest->bytes)
				longest = &waiting->queues[i];
		}
		if (longest == NULL || longest->bytes <= (own != NULL ? own->bytes : 0) + len)
			return false;
		lose_newest(engine, longest);
		waiting_queue_end(waiting, longest);
	}
	return true;
}

/* ---- what comes ---- */

static void
event_text(const struct route *route, const struct event *event, struct buf *out)
{
	static const char *const channels[] = { "pos", "loyalty", "care", "tablet" };
	struct json_writer *w = JSON_OBJECT(out);
	char digest[2 * sizeof(event->digest) + 1];

	hash_hex(digest, event->digest.b, sizeof(event->digest.b));
	if (route->channel == CHANNEL_CARE)
		json_add_str(w, "topic", "care/event");
	else
		json_addf(w, "topic", "%s/%s/event", NAME_OF(channels, route->channel),
		    route->origin);
	json_add_str(w, "digest", digest);
	json_add_str(w, "specversion", "1.0");
	json_add_str(w, "source", event->source);
	json_add_str(w, "id", event->id);
	json_add_str(w, "type", event_type_name(event->type));
	json_add_when(w, "time", event->time_ms);
	if (event->receipt)
		json_add_bool(w, "receipt", true);
	json_add_tree(w, "data", event->data);
	json_end(w);
}

bool
waiting_add(struct engine *engine, const struct route *route, const char *name,
    const struct event *event)
{
	struct waiting *waiting = &engine->waiting;
	struct buf text = { 0 };
	const struct id *subject = event->has_subject ? &event->subject : NULL;
	int64_t key = waiting_key(name), len;
	bool fits;

	event_text(route, event, &text);
	buf_addc(&text, '\n');
	len = (int64_t)text.len;
	fits = make_room(engine, key, len);
	if (subject != NULL && keys_forgotten(engine->keys, subject))
		subject = NULL;
	if (fits && engine->failed == 0)
		waiting_add_line(engine, waiting_queue_make(waiting, key), subject, &text);
	buf_done(&text);
	return fits;
}

bool
waiting_digest(const json_t *root, struct id *ret_digest)
{
	const char *text = json_string_value(json_object_get(root, "digest"));

	return text != NULL && subject_parse(text, ret_digest);
}
