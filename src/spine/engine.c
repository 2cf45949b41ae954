/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.c - what every file of the spine stands on: a store error remembered, an id derived, an
 * output appended.
 */
#include "spine/spine.h"

#include "core/id.h"
#include "core/when.h"

void
engine_check(struct engine *engine, int rc)
{
	if (rc == AISLE_E_DAMAGED || rc == AISLE_E_NONE || rc == 0)
		return;
	if (engine->failed == 0)
		engine->failed = rc;
}

struct id
engine_id(const struct engine *engine, const char *purpose)
{
	static const uint8_t none[32];

	return id_derive(engine->policy != NULL ? engine->policy->salt_id : none, engine->now_ms,
	    engine->source, engine->id, purpose);
}

int64_t
engine_day_start(const struct engine *engine, int64_t ms)
{
	return zone_day_start(engine->zone, ms, engine->conf->day_cut_minute);
}

int64_t
engine_output(struct engine *engine, enum output_kind kind, const char *station,
    const char *topic_tail, const struct id *subject, const char *payload, size_t len)
{
	struct output *output;
	int64_t id = 0;
	char *topic = arena_printf(engine->arena, "%s/%s", engine->topic_root, topic_tail);

	if (engine->options.dry)
		return 0;
	if (subject != NULL && keys_forgotten(engine->keys, subject))
		subject = NULL;
	engine_check(engine,
	    store_outbox_add(engine->store, topic, subject, false, payload, len, &id));
	if (engine->output_count == engine->output_capacity) {
		engine->output_capacity =
		    engine->output_capacity == 0 ? 64 : 2 * engine->output_capacity;
		engine->outputs =
		    mem_realloc(engine->outputs, engine->output_capacity * sizeof(*output));
	}
	output = &engine->outputs[engine->output_count++];
	*output = (struct output){
		.kind = kind,
		.id = id,
		.topic = topic,
		.station = arena_strdup(engine->arena, station),
		.payload = arena_strndup(engine->arena, payload, len),
		.len = len,
	};
	return id;
}
