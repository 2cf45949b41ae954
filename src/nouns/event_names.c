/* SPDX-License-Identifier: Apache-2.0
 *
 * event_names.c - names on the wire: of event types, of the reasons to refuse one, of an event.
 */
#include "nouns/event_key.h"

#include <string.h>

#include "core/id.h"

/* clang-format off */
static const char *const type_names[EV_COUNT] = {
#define X(constant, name, ...) [EV_##constant] = name,
	EVENT_TYPES(X)
#undef X
};

static const uint8_t ways[EV_COUNT] = {
#define X(constant, name, from, fields, visit, customer, way) [EV_##constant] = WAY_##way,
	EVENT_TYPES(X)
#undef X
};

static const char *const reject_names[REJECT_COUNT] = {
	[REJECT_NONE] = "none",
#define X(constant, name) [REJECT_##constant] = name,
	REJECT_REASONS(X)
#undef X
};
/* clang-format on */

const char *
reject_name(enum reject reject)
{
	return NAME_OF(reject_names, reject);
}

const char *
event_type_name(enum event_type type)
{
	return NAME_OF(type_names, type);
}

enum event_way
event_way(enum event_type type)
{
	CHECK((unsigned)type < EV_COUNT);
	return (enum event_way)ways[type];
}

enum event_type
event_type_by_name(const char *name)
{
	CHECK(name != NULL);
	for (int i = 0; i < EV_COUNT; i++) {
		if (strcmp(type_names[i], name) == 0)
			return (enum event_type)i;
	}
	return EV_NONE;
}

const char *
event_channel_name(enum channel channel)
{
	static const char *const names[] = {
		[CHANNEL_POS] = "pos",
		[CHANNEL_LOYALTY] = "loyalty",
		[CHANNEL_CARE] = "care",
		[CHANNEL_TABLET] = "tablet",
	};

	return NAME_OF(names, channel);
}

struct id
event_key(const struct event *event)
{
	const char *parts[] = { event_channel_name(event->channel), event->origin, event->source,
		event->id };

	return hash_parts(parts, ARRAY_LEN(parts));
}
