/* SPDX-License-Identifier: Apache-2.0
 *
 * outlet.c - the two ways out: the outbox to receivers in the store, the uplink to headquarters.
 *
 * DESIGN
 *   A replay has neither: what it makes is listed with the turn and queued for
 *   nobody. That is decided here, once; the rest of the spine asks only how
 *   much goes up, to write no record that nobody takes. What a store learns
 *   from its draws a replay of its day learns as well: it decides by that.
 */
#include "spine/spine.h"

#include <stdlib.h>

void
outlet_init(struct engine *engine)
{
	engine->uplink = UPLINK_NONE;
	if (engine->options.on_record != NULL ||
	    (!engine->options.no_outlets && engine->conf->hq_host != NULL))
		engine->uplink = engine->conf->uplink_aggregates ? UPLINK_SUMS : UPLINK_RECORDS;
	engine->settles = engine->uplink == UPLINK_RECORDS ||
	    (engine->conf->hq_host != NULL && !engine->conf->uplink_aggregates);
}

void
engine_uplink(struct engine *engine, enum lane lane, const char *type, const struct id *subject,
    const struct buf *json)
{
	if (engine->uplink == UPLINK_NONE)
		return;
	if (engine->options.on_record != NULL) {
		engine->options.on_record(engine->options.on_record_ctx, lane, type, engine->now_ms,
		    json->data, json->len);
		return;
	}
	engine_check(engine,
	    store_uplink_add(engine->store, lane, type, engine->now_ms, subject, json->data,
		json->len));
}

static int64_t
into_outbox(struct engine *engine, const char *topic, const struct id *subject, const char *payload,
    size_t len)
{
	int64_t id = 0;

	if (subject != NULL && keys_forgotten(engine->keys, subject))
		subject = NULL;
	engine_check(engine,
	    store_outbox_add(engine->store, topic, subject, false, payload, len, &id));
	return id;
}

static struct output *
next_output(struct engine *engine)
{
	engine->outputs = mem_grow(engine->outputs, engine->output_count, &engine->output_capacity,
	    sizeof(*engine->outputs));
	return &engine->outputs[engine->output_count++];
}

int64_t
engine_output(struct engine *engine, enum output_kind kind, const char *station,
    const char *topic_tail, const struct id *subject, const char *payload, size_t len)
{
	int64_t id = 0;
	char *topic = arena_printf(engine->arena, "%s/%s", engine->topic_root, topic_tail);

	if (!engine->options.no_outlets)
		id = into_outbox(engine, topic, subject, payload, len);
	*next_output(engine) = (struct output){
		.kind = kind,
		.id = id,
		.topic = topic,
		.station = arena_strdup(engine->arena, station),
		.payload = arena_strndup(engine->arena, payload, len),
		.len = len,
	};
	return id;
}

void
engine_ask(struct engine *engine, const char *tablet, const char *station)
{
	*next_output(engine) = (struct output){
		.kind = OUTPUT_HELLO,
		.topic = arena_strdup(engine->arena, tablet),
		.station = arena_strdup(engine->arena, station),
		.payload = "",
	};
}
