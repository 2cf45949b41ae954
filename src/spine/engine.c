/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.c - what every file of the spine stands on: a store error remembered, an id derived.
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

struct marks
engine_marks(const struct engine *engine)
{
	return marks_of(engine->policy, marks_off_in(engine->conf->country));
}

bool
engine_may_tell(const struct engine *engine, const struct event *event)
{
	struct marks marks = engine_marks(engine);

	for (size_t i = 0; i < event->item_count; i++) {
		if (item_mark(&marks, &event->items[i]) != MARK_SENSITIVE)
			return true;
	}
	return false;
}
