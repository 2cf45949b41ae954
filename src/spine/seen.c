/* SPDX-License-Identifier: Apache-2.0
 *
 * seen.c - is this event known already?
 *
 * DESIGN
 *   Its name is its sender, which the broker vouches for, with source and id,
 *   which it writes itself: no till can claim another's event, nor make it a
 *   double by sending one of its name before it.
 *
 *   Ids derive from source and id alone. Two senders that say the same in one
 *   millisecond would make one visit: the second one's ids derive from its
 *   sender as well.
 */
#include "spine/spine.h"

#include <stdio.h>

#include "core/id.h"
#include "core/log.h"
#include "core/metrics.h"
#include "nouns/event_key.h"

/* true: it was here before (or is a forgery of one that was): done with it. Only what was accepted
 * counts as seen: an event that was refused is refused again, for the same reason if that still
 * holds. */
bool
seen_before(struct engine *engine, const struct event *event, struct rejected *rejected)
{
	struct id name = event_key(event), digest;
	int64_t first_ms;
	int rc = store_seen_get(engine->store, &name, &digest, &first_ms);

	engine_check(engine, rc);
	if (rc == AISLE_E_NONE)
		return false;
	/* Its name is there, so it was here before; when, and with what body, cannot be read any more. */
	if (rc == AISLE_E_DAMAGED) {
		digest = event->digest;
		first_ms = engine->now_ms;
		engine_check(engine,
		    store_seen_put(engine->store, &name, &event->digest, engine->now_ms));
	} else if (rc != 0) {
		return true;
	}
	if (!id_equal(&digest, &event->digest)) {
		rejected->reason = REJECT_BAD_VALUE;
		snprintf(rejected->detail, sizeof(rejected->detail),
		    "source and id were used before for another event; expected a new id");
		log_warning("one id, two bodies source=%s id=%s", LOG_VALUE(event->source),
		    LOG_VALUE(event->id));
		return true;
	}
	metrics_event(event->type, true);
	if (event->receipt)
		receipt_add(engine, event->channel, event->origin, event->source, event->id,
		    first_ms, NULL);
	return true;
}

void
seen_accept(struct engine *engine, const struct event *event)
{
	struct id name = event_key(event);

	engine_check(engine, store_seen_put(engine->store, &name, &event->digest, engine->now_ms));
	metrics_event(event->type, false);
	if (event->receipt)
		receipt_add(engine, event->channel, event->origin, event->source, event->id,
		    engine->now_ms, NULL);
}

const char *
seen_source(struct engine *engine, const struct event *event)
{
	struct seen_now *now = &engine->seen_now;
	const char *parts[] = { event->source, event->id };
	struct id name = hash_parts(parts, 2), key = event_key(event);
	size_t known = now->count < SEEN_NOW_MAX ? now->count : SEEN_NOW_MAX;

	if (now->at_ms != engine->now_ms)
		known = now->count = 0;
	now->at_ms = engine->now_ms;
	for (size_t i = 0; i < known; i++) {
		if (!id_equal(&now->names[i], &name))
			continue;
		return id_equal(&now->keys[i], &key)
		    ? event->source
		    : arena_printf(engine->arena, "%s/%s %s", event_channel_name(event->channel),
			  event->origin, event->source);
	}
	now->names[now->count % SEEN_NOW_MAX] = name;
	now->keys[now->count % SEEN_NOW_MAX] = key;
	now->count++;
	return event->source;
}
