/* SPDX-License-Identifier: Apache-2.0
 *
 * goods_seen.c - which categories and brands the lines of recorded events are of.
 */
#include "tools/goods_seen.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/unicode.h"
#include "ingest/envelope.h"
#include "tools/recorded.h"

static void
see(json_t *set, const char *name)
{
	if (name != NULL && *name != '\0')
		CHECK(json_object_set_new(set, name, json_true()) == 0);
}

/* "grocery/coffee" is of "grocery", too. */
static void
see_path(json_t *set, struct arena *arena, const char *path)
{
	char *copy = arena_strdup(arena, path != NULL ? path : "");

	see(set, copy);
	for (char *slash; (slash = strrchr(copy, '/')) != NULL;) {
		*slash = '\0';
		see(set, copy);
	}
}

static void
see_event(const struct event *event, struct arena *arena, json_t *categories, json_t *brands)
{
	if (event->type != EV_BASKET_ITEM_ADDED)
		return;
	see_path(categories, arena, unicode_path_key(arena, event->item.category));
	see(brands, unicode_key(arena, event->item.brand));
}

static int
see_all(FILE *events, json_t *categories, json_t *brands, struct err *err)
{
	static const uint8_t no_pepper[32];
	const struct envelope_rules rules = { .pepper = no_pepper,
		.clock_past_ms = INT64_MAX / 4,
		.clock_ahead_ms = INT64_MAX / 4,
		.recorded = true };
	char *line = mem_alloc(RECORDED_LINE_MAX + 1);
	struct arena *arena = arena_new();
	unsigned unknown = 0;
	size_t len;
	int rc = recorded_start(events, err), got = 0;

	while (rc == 0 && (got = recorded_line(events, line, &len)) == 1) {
		struct rejected rejected;
		struct event *event = NULL;
		struct route route;
		int64_t now_ms;

		if (len <= EVENT_BYTES_MAX &&
		    envelope_parse_recorded(arena, &rules, line, len, &route, &now_ms, &event,
			&rejected, &unknown) == 0)
			see_event(event, arena, categories, brands);
		else
			event = NULL; /* feed check says what is wrong with it */
		event_done(event);
		arena_reset(arena);
	}
	if (got < 0)
		rc = err_set(err, got, "a line is longer than an event, expected one event a line");
	arena_free(arena);
	free(line);
	return rc;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct policy_names
sorted(struct arena *arena, json_t *set)
{
	struct policy_names names = { 0 };
	const char **name = arena_alloc(arena, (json_object_size(set) + 1) * sizeof(*name));
	const char *key;
	json_t *value;

	json_object_foreach(set, key, value)
		name[names.count++] = arena_strdup(arena, key);
	qsort(name, names.count, sizeof(*name), by_text);
	names.name = name;
	return names;
}

int
goods_seen(FILE *events, struct arena *arena, struct policy_goods *ret_goods, struct err *err)
{
	json_t *categories = json_object(), *brands = json_object();
	int rc;

	CHECK(categories != NULL && brands != NULL);
	rc = see_all(events, categories, brands, err);
	if (rc == 0 && json_object_size(categories) == 0)
		rc = err_set(err, AISLE_E_INVALID,
		    "no line of a basket with a category in it, expected recorded events of a "
		    "till");
	if (rc == 0)
		*ret_goods = (struct policy_goods){ .categories = sorted(arena, categories),
			.brands = sorted(arena, brands) };
	json_decref(categories);
	json_decref(brands);
	return rc;
}
