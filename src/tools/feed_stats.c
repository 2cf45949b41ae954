/* SPDX-License-Identifier: Apache-2.0
 *
 * feed_stats.c - what a feed check counts.
 *
 * DESIGN
 *   It follows baskets in its own few lines instead of running the engine:
 *   what is asked here is whether the feed is complete and consistent, and
 *   the engine is built to go on when it is not.
 *
 * LIMITS
 *   FEED_NAMES_MAX event names, baskets, lines, stations and sources each:
 *   ten days of a large store. Beyond that, new ones are not followed.
 */
#include "tools/feed_stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"

#define FEED_NAMES_MAX (1u << 19)
#define CARD_WAITS_MS (120 * S_MS)
#define AHEAD_MS (5 * S_MS)
#define BEHIND_MS (60 * S_MS)

enum {
	OPENED = 1 << 0,
	CLOSED = 1 << 1,
	CANCELLED = 1 << 2,
	TRAINING = 1 << 3,
	IDENTIFIED = 1 << 4,
	TENDERED = 1 << 5,
	VOIDED = 1 << 6,
};

/* One name: of an event (digest), a basket (sum, total), a line (amount), a station (basket,
 * card_ms) or a source (last). */
struct entry {
	struct id key;
	struct id ref; /* digest; basket of a station */
	int64_t a, b;  /* sum, total · amount · time of a waiting card · last time */
	unsigned flags;
	bool used;
};

struct feed_map {
	struct entry *entries;
	size_t count, capacity; /* a power of two */
};

static struct feed_map *
map_new(void)
{
	struct feed_map *map = mem_calloc(1, sizeof(*map));

	map->capacity = 1024;
	map->entries = mem_calloc(map->capacity, sizeof(*map->entries));
	return map;
}

static void
map_free(struct feed_map *map)
{
	if (map != NULL)
		free(map->entries);
	free(map);
}

/* The place of a key, used or free: keys are hashes, so their first bytes spread well enough. */
static struct entry *
map_place(struct feed_map *map, const struct id *key)
{
	uint64_t hash;
	size_t i;

	memcpy(&hash, key->b, sizeof(hash));
	i = (size_t)hash & (map->capacity - 1);
	while (map->entries[i].used && !id_equal(&map->entries[i].key, key))
		i = (i + 1) & (map->capacity - 1);
	return &map->entries[i];
}

static void
map_grow(struct feed_map *map)
{
	struct feed_map larger = { .capacity = map->capacity * 2, .count = map->count };

	larger.entries = mem_calloc(larger.capacity, sizeof(*larger.entries));
	for (size_t i = 0; i < map->capacity; i++) {
		if (map->entries[i].used)
			*map_place(&larger, &map->entries[i].key) = map->entries[i];
	}
	free(map->entries);
	*map = larger;
}

/* Found or made (*ret_new); NULL: the table is full. Valid until the next one is made. */
static struct entry *
map_get(struct feed_stats *stats, struct feed_map *map, const struct id *key, bool *ret_new)
{
	struct entry *entry = map_place(map, key);

	*ret_new = !entry->used;
	if (entry->used)
		return entry;
	if (map->count >= FEED_NAMES_MAX) {
		stats->full = true;
		return NULL;
	}
	if (map->count * 2 >= map->capacity) {
		map_grow(map);
		entry = map_place(map, key);
	}
	map->count++;
	entry->used = true;
	entry->key = *key;
	return entry;
}

static struct id
key_of(const char *a, const char *b)
{
	const char *parts[2] = { a, b };

	return hash_parts(parts, b != NULL ? 2 : 1);
}

/* true: counted as a double, or as another event under the same name. */
static bool
is_double(struct feed_stats *stats, int64_t line, const struct event *event)
{
	struct id key = key_of(event->source, event->id);
	struct entry *entry;
	bool is_new;

	entry = map_get(stats, stats->seen, &key, &is_new);
	if (entry == NULL)
		return false;
	if (is_new) {
		entry->ref = event->digest;
		return false;
	}
	if (id_equal(&entry->ref, &event->digest)) {
		stats->doubles++;
	} else {
		if (stats->conflicts++ == 0)
			stats->conflict_line = line;
	}
	return true;
}

static void
add_clock(struct feed_stats *stats, const struct event *event, bool has_recordedtime)
{
	struct id key = key_of(event->source, NULL);
	int64_t behind_ms = event->now_ms - event->time_ms;
	struct entry *entry;
	bool is_new;

	if (has_recordedtime) {
		stats->recorded++;
		stats->off_clock += behind_ms < -AHEAD_MS || behind_ms > BEHIND_MS;
		if (-behind_ms > stats->ahead_ms)
			stats->ahead_ms = -behind_ms;
		if (behind_ms > stats->behind_ms)
			stats->behind_ms = behind_ms;
	}
	entry = map_get(stats, stats->sources, &key, &is_new);
	if (entry == NULL)
		return;
	if (!is_new && event->time_ms < entry->a)
		stats->out_of_order++;
	else
		entry->a = event->time_ms;
}

static struct entry *
basket_of(struct feed_stats *stats, const char *basket)
{
	struct id key = key_of(basket, NULL);
	bool is_new;

	return map_get(stats, stats->baskets_by_id, &key, &is_new);
}

/* The basket that is open at a station, and a card that waits there for one. */
static struct entry *
station_of(struct feed_stats *stats, const struct event *event)
{
	struct id key = key_of(event->station != NULL ? event->station : event->origin, NULL);
	bool is_new;

	return map_get(stats, stats->stations, &key, &is_new);
}

static void
add_line(struct feed_stats *stats, const struct event *event, struct entry *basket)
{
	char number[24];
	struct id key;
	struct entry *line;
	bool is_new, added = event->type == EV_BASKET_ITEM_ADDED;

	snprintf(number, sizeof(number), "%" PRId64, event->item.line);
	key = key_of(event->basket, number);
	line = map_get(stats, stats->lines_by_id, &key, &is_new);
	if (line == NULL || basket == NULL)
		return;
	if (basket->flags & CLOSED)
		stats->late_lines++;
	/* a new event for a line replaces it; a void holds also for a line that comes after it */
	if ((line->flags & VOIDED) == 0)
		basket->a -= line->a;
	if (added)
		line->a = event->item.amount_minor;
	else
		line->flags |= VOIDED;
	if ((line->flags & VOIDED) == 0)
		basket->a += line->a;
}

static void
add_item(struct feed_stats *stats, const struct event *event, const struct rejected *rejected)
{
	static const char *const none[] = { "unknown", "uncategorised", "uncategorized", "none",
		"other", "misc" };

	stats->items++;
	stats->with_margin += event->item.has_margin;
	stats->bad_gtins += rejected->bad_gtins;
	stats->restricted += event->item.restricted;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		stats->without_category += strcasecmp(event->item.category, none[i]) == 0;
}

static void
add_basket(struct feed_stats *stats, const struct event *event)
{
	struct entry *station = station_of(stats, event);
	struct entry *basket = basket_of(stats, event->basket);

	if (basket == NULL)
		return;
	if (event->type == EV_BASKET_OPENED)
		basket->flags |= OPENED | (event->training ? TRAINING : 0);
	if (event->type == EV_BASKET_TENDER_STARTED)
		basket->flags |= TENDERED;
	if (event->type == EV_BASKET_CANCELLED)
		basket->flags |= CANCELLED;
	if (event->type == EV_BASKET_CLOSED) {
		basket->flags |= CLOSED;
		basket->b = event->total_minor;
	}
	if (event->type == EV_BASKET_ITEM_ADDED || event->type == EV_BASKET_ITEM_VOIDED)
		add_line(stats, event, basket);
	if (station == NULL)
		return;
	if (station->a != 0 && event->now_ms - station->a <= CARD_WAITS_MS)
		basket->flags |= IDENTIFIED;
	station->a = 0;
	station->ref = basket->flags & (CLOSED | CANCELLED) ? (struct id){ { 0 } } : basket->key;
}

static void
add_card(struct feed_stats *stats, const struct event *event)
{
	struct entry *station;

	if (event->basket != NULL) {
		struct entry *basket = basket_of(stats, event->basket);

		if (basket != NULL)
			basket->flags |= IDENTIFIED;
		return;
	}
	station = station_of(stats, event);
	if (station == NULL)
		return;
	if (id_is_zero(&station->ref))
		station->a = event->now_ms;
	else
		map_place(stats->baskets_by_id, &station->ref)->flags |= IDENTIFIED;
}

static void
add_event(struct feed_stats *stats, const struct event *event, const struct rejected *rejected)
{
	if (event->type == EV_BASKET_ITEM_ADDED)
		add_item(stats, event, rejected);
	if (event->type <= EV_BASKET_CLOSED)
		add_basket(stats, event);
	else if (event->type == EV_CUSTOMER_IDENTIFIED)
		add_card(stats, event);
	if (stats->store != NULL && strncmp(event->source, "/store/", 7) == 0) {
		size_t len = strlen(stats->store);

		stats->other_store += strncmp(event->source + 7, stats->store, len) != 0 ||
		    event->source[7 + len] != '/';
	}
}

static void
add_reject(struct feed_stats *stats, int64_t line, const struct rejected *rejected)
{
	struct feed_reject *reject = &stats->rejects[rejected->reason];

	stats->rejected++;
	if (reject->count++ == 0) {
		reject->first_line = line;
		memcpy(reject->detail, rejected->detail, sizeof(reject->detail));
	}
	if (strncmp(rejected->detail, "/data/category:", strlen("/data/category:")) == 0) {
		stats->items++;
		stats->without_category++;
	}
}

void
feed_stats_init(struct feed_stats *stats, const char *store)
{
	*stats = (struct feed_stats){ .store = store };
	stats->seen = map_new();
	stats->baskets_by_id = map_new();
	stats->lines_by_id = map_new();
	stats->stations = map_new();
	stats->sources = map_new();
}

void
feed_stats_done(struct feed_stats *stats)
{
	map_free(stats->seen);
	map_free(stats->baskets_by_id);
	map_free(stats->lines_by_id);
	map_free(stats->stations);
	map_free(stats->sources);
}

void
feed_stats_add(struct feed_stats *stats, int64_t line, const struct event *event,
    const struct rejected *rejected, bool has_recordedtime)
{
	stats->lines++;
	if (event == NULL) {
		add_reject(stats, line, rejected);
		return;
	}
	stats->events++;
	if (is_double(stats, line, event))
		return;
	add_clock(stats, event, has_recordedtime);
	add_event(stats, event, rejected);
}

void
feed_stats_end(struct feed_stats *stats)
{
	for (size_t i = 0; i < stats->baskets_by_id->capacity; i++) {
		const struct entry *basket = &stats->baskets_by_id->entries[i];

		if (!basket->used)
			continue;
		if (basket->flags & TRAINING) {
			stats->training++;
			continue;
		}
		stats->baskets++;
		stats->unopened += (basket->flags & OPENED) == 0;
		stats->identified += (basket->flags & IDENTIFIED) != 0;
		if (basket->flags & CANCELLED) {
			stats->cancelled++;
		} else if (basket->flags & CLOSED) {
			stats->closed++;
			stats->tendered += (basket->flags & TENDERED) != 0;
			stats->wrong_totals += basket->a != basket->b;
		} else {
			stats->open++;
		}
	}
}
