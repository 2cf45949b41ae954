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
 *   FEED_NAMES_MAX (feed_map.c) event names, baskets, lines, stations, sources and tokens each.
 *   Beyond that, new ones are not followed.
 */
#include "tools/feed_stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "nouns/event_key.h"
#include "nouns/match.h"
#include "tools/feed_map.h"

#define CARD_WAITS_MS (120 * S_MS)
#define AHEAD_MS (5 * S_MS)
#define BEHIND_MS (60 * S_MS)
#define FUTURE_MS (300 * S_MS) /* as [limits] clock_ahead */

enum {
	OPENED = 1 << 0,
	CLOSED = 1 << 1,
	CANCELLED = 1 << 2,
	TRAINING = 1 << 3,
	IDENTIFIED = 1 << 4,
	TENDERED = 1 << 5,
	VOIDED = 1 << 6,
	SCANNED = 1 << 7,
	VOID_LAST = 1 << 8, /* of one time, the void is the one that counts */
	UNSUMMED = 1 << 9,  /* a void that names no line: the sum of its lines is not worked out */
};

static struct entry *
name_get(struct feed_stats *stats, struct feed_map *map, const struct id *key, bool *ret_new)
{
	struct entry *entry = feed_map_get(map, key, ret_new);

	stats->full |= entry == NULL;
	return entry;
}

static struct id
key_of(const char *a, const char *b)
{
	const char *parts[2] = { a, b };

	return hash_parts(parts, b != NULL ? 2 : 1);
}

static struct id
key_of_three(const char *a, const char *b, const char *c)
{
	const char *parts[3] = { a, b, c };

	return hash_parts(parts, ARRAY_LEN(parts));
}

/* true: counted as a double, or as another event under the same name. */
static bool
is_double(struct feed_stats *stats, int64_t line, const struct event *event)
{
	struct id key = event_key(event);
	struct entry *entry;
	bool is_new;

	entry = name_get(stats, stats->seen, &key, &is_new);
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
	} else {
		stats->future += event->time_ms > stats->now_ms + FUTURE_MS;
	}
	entry = name_get(stats, stats->sources, &key, &is_new);
	if (entry == NULL)
		return;
	if (!is_new && event->time_ms < entry->a)
		stats->out_of_order++;
	else
		entry->a = event->time_ms;
}

/* ---- which basket ---- */

static struct entry *
basket_new(struct feed_stats *stats, const struct event *event, struct entry *number)
{
	struct id before = number->ref;
	struct entry *basket;
	char count[24];
	bool is_new;

	snprintf(count, sizeof(count), "%" PRId64, number->a);
	number->ref = key_of_three(event->origin, event->basket, count);
	number->a++;
	basket = name_get(stats, stats->baskets_by_id, &number->ref, &is_new);
	if (basket == NULL)
		return NULL;
	basket->ref = before;
	basket->c = event->time_ms;
	basket->flags = number->flags & IDENTIFIED;
	number->flags = 0;
	return basket;
}

static bool
is_over(const struct entry *basket)
{
	return (basket->flags & (CLOSED | CANCELLED)) != 0;
}

/* What a till says is of the newest of its number that began not after it. */
static struct entry *
basket_by_time(struct feed_stats *stats, const struct event *event, struct entry *basket)
{
	while (event->time_ms < basket->c && !id_is_zero(&basket->ref))
		basket = feed_map_place(stats->baskets_by_id, &basket->ref);
	if (event->time_ms < basket->c)
		basket->c = event->time_ms;
	return basket;
}

/* A sale that another till has suspended goes on here. */
static void
recall(struct feed_stats *stats, const struct event *event, struct entry *number)
{
	struct id key = key_of(event->from != NULL ? event->from : "", event->basket);
	const struct entry *sale = feed_map_place(stats->suspended, &key);

	if ((event->type == EV_BASKET_RESUMED || event->from != NULL) && sale->used &&
	    (id_is_zero(&number->ref) ||
		is_over(feed_map_place(stats->baskets_by_id, &number->ref))))
		number->ref = sale->ref;
}

static void
suspend(struct feed_stats *stats, const struct event *event, const struct id *basket)
{
	const char *where[] = { event->origin, "" };

	for (size_t i = 0; i < ARRAY_LEN(where); i++) {
		struct id key = key_of(where[i], event->basket);
		bool is_new;
		struct entry *entry = name_get(stats, stats->suspended, &key, &is_new);

		if (entry != NULL)
			entry->ref = *basket;
	}
}

static struct entry *
number_of(struct feed_stats *stats, const char *kind, const char *where, const char *basket)
{
	struct id key = key_of_three(kind, where, basket);
	bool is_new;

	return name_get(stats, stats->numbers, &key, &is_new);
}

static struct entry *
basket_of(struct feed_stats *stats, int64_t line, const struct event *event)
{
	const char *station = event->station != NULL ? event->station : event->origin;
	struct entry *number = number_of(stats, "till", event->origin, event->basket), *basket;
	struct id key;

	if (number == NULL)
		return NULL;
	recall(stats, event, number);
	if (id_is_zero(&number->ref)) {
		basket = basket_new(stats, event, number);
	} else {
		basket = basket_by_time(stats, event,
		    feed_map_place(stats->baskets_by_id, &number->ref));
		if (event->type == EV_BASKET_OPENED && is_over(basket) && basket->flags & OPENED &&
		    event->time_ms >= basket->d) {
			if (stats->again++ == 0)
				stats->again_line = line;
			basket = basket_new(stats, event, number);
		}
	}
	if (basket == NULL)
		return NULL;
	key = basket->key;
	number = number_of(stats, "station", station, event->basket);
	if (number != NULL)
		number->ref = key;
	if (event->type == EV_BASKET_SUSPENDED)
		suspend(stats, event, &key);
	return basket;
}

/* The basket that is open at a station, and a card that waits there for one. */
static struct entry *
station_of(struct feed_stats *stats, const struct event *event)
{
	struct id key = key_of(event->station != NULL ? event->station : event->origin, NULL);
	bool is_new;

	return name_get(stats, stats->stations, &key, &is_new);
}

/* What happened last wins: see session/lines.c. */
static bool
line_counts(const struct entry *line)
{
	return (line->flags & SCANNED) != 0 &&
	    ((line->flags & VOIDED) == 0 || line->c > line->d ||
		(line->c == line->d && (line->flags & VOID_LAST) == 0));
}

static void
scan_line(struct entry *line, const struct event *event)
{
	bool first = (line->flags & SCANNED) == 0;

	if (!first && event->time_ms < line->c)
		return;
	line->a = event->item.amount_minor;
	line->c = event->time_ms;
	if (!first || line->c != line->d)
		line->flags &= ~(unsigned)VOID_LAST;
	line->flags |= SCANNED;
}

static void
void_line(struct entry *line, const struct event *event)
{
	if (line->flags & VOIDED && event->time_ms < line->d)
		return;
	line->d = event->time_ms;
	line->flags |= VOIDED | VOID_LAST;
}

static void
add_line(struct feed_stats *stats, const struct event *event, struct entry *basket)
{
	char number[24], name[ID_TEXT_SIZE];
	struct id key;
	struct entry *line;
	bool is_new, added = event->type == EV_BASKET_ITEM_ADDED;

	snprintf(number, sizeof(number), "%" PRId64, event->item.line);
	if (basket == NULL)
		return;
	id_text(&basket->key, name);
	key = key_of(name, number);
	line = name_get(stats, stats->lines_by_id, &key, &is_new);
	if (line == NULL)
		return;
	if (basket->flags & CLOSED)
		stats->late_lines++;
	basket->a -= line_counts(line) ? line->a : 0;
	if (added)
		scan_line(line, event);
	else
		void_line(line, event);
	basket->a += line_counts(line) ? line->a : 0;
}

static void
add_item(struct feed_stats *stats, const struct event *event, const struct rejected *rejected)
{
	stats->items++;
	stats->with_margin += event->item.has_margin;
	stats->bad_gtins += rejected->bad_gtins;
	stats->restricted += event->item.restricted;
	stats->without_category += category_is_none(event->item.category);
}

static void
add_basket(struct feed_stats *stats, int64_t line, const struct event *event)
{
	struct entry *station = station_of(stats, event);
	struct entry *basket = basket_of(stats, line, event);

	if (basket == NULL)
		return;
	if (event->type == EV_BASKET_OPENED)
		basket->flags |= OPENED | (event->training ? TRAINING : 0);
	if (event->type == EV_BASKET_TENDER_STARTED)
		basket->flags |= TENDERED;
	if ((event->type == EV_BASKET_CANCELLED || event->type == EV_BASKET_CLOSED) &&
	    (!is_over(basket) || event->time_ms < basket->d))
		basket->d = event->time_ms;
	if (event->type == EV_BASKET_CANCELLED)
		basket->flags |= CANCELLED;
	if (event->type == EV_BASKET_CLOSED) {
		basket->flags |= CLOSED;
		basket->b = event->total_minor;
	}
	if (event->type == EV_BASKET_ITEM_VOIDED && event->void_of != VOID_LINE)
		basket->flags |= UNSUMMED;
	else if (event->type == EV_BASKET_ITEM_ADDED || event->type == EV_BASKET_ITEM_VOIDED)
		add_line(stats, event, basket);
	if (station == NULL)
		return;
	if (station->a != 0 && event->now_ms - station->a <= CARD_WAITS_MS)
		basket->flags |= IDENTIFIED;
	station->a = 0;
	station->ref = basket->key;
	if (basket->flags & (CLOSED | CANCELLED))
		station->ref = (struct id){ { 0 } };
}

static void
add_card(struct feed_stats *stats, const struct event *event)
{
	struct entry *station, *basket;

	if (event->basket != NULL) {
		bool till = event->channel == CHANNEL_POS;
		struct entry *number = till
		    ? number_of(stats, "till", event->origin, event->basket)
		    : number_of(stats, "station",
			  event->station != NULL ? event->station : event->origin, event->basket);

		if (number == NULL)
			return;
		/* The card came first: its basket will be the next of that number. */
		if (id_is_zero(&number->ref)) {
			number->flags |= IDENTIFIED;
			return;
		}
		basket = feed_map_place(stats->baskets_by_id, &number->ref);
		if (till)
			basket = basket_by_time(stats, event, basket);
		basket->flags |= IDENTIFIED;
		return;
	}
	station = station_of(stats, event);
	if (station == NULL)
		return;
	if (id_is_zero(&station->ref))
		station->a = event->now_ms;
	else
		feed_map_place(stats->baskets_by_id, &station->ref)->flags |= IDENTIFIED;
}

/* A discount of ours on the whole basket stands in no line, only in the total. */
static void
add_offer(struct feed_stats *stats, int64_t line, const struct event *event)
{
	struct id key = key_of(event->token, NULL);
	struct entry *basket = basket_of(stats, line, event), *token;
	int64_t before;
	bool is_new;

	if (basket == NULL || (token = name_get(stats, stats->tokens, &key, &is_new)) == NULL)
		return;
	before = token->a;
	if (event->type == EV_OFFER_APPLIED || event->type == EV_OFFER_REDEEMED)
		token->a = event->amount_minor;
	else if (event->type == EV_OFFER_REFUSED)
		token->a = 0;
	else if (!is_over(basket)) /* later it is a return's money: the total was paid */
		token->a -= token->a < event->amount_minor ? token->a : event->amount_minor;
	basket->off += token->a - before;
}

static void
add_event(struct feed_stats *stats, int64_t line, const struct event *event,
    const struct rejected *rejected)
{
	if (event->type == EV_BASKET_ITEM_ADDED)
		add_item(stats, event, rejected);
	if (event->type <= EV_BASKET_CLOSED)
		add_basket(stats, line, event);
	else if (event->type == EV_CUSTOMER_IDENTIFIED)
		add_card(stats, event);
	else if (event->type >= EV_OFFER_APPLIED && event->type <= EV_OFFER_REVERSED)
		add_offer(stats, line, event);
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
	stats->seen = feed_map_new();
	stats->baskets_by_id = feed_map_new();
	stats->numbers = feed_map_new();
	stats->suspended = feed_map_new();
	stats->lines_by_id = feed_map_new();
	stats->stations = feed_map_new();
	stats->sources = feed_map_new();
	stats->tokens = feed_map_new();
}

void
feed_stats_done(struct feed_stats *stats)
{
	feed_map_free(stats->seen);
	feed_map_free(stats->baskets_by_id);
	feed_map_free(stats->numbers);
	feed_map_free(stats->suspended);
	feed_map_free(stats->lines_by_id);
	feed_map_free(stats->stations);
	feed_map_free(stats->sources);
	feed_map_free(stats->tokens);
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
	add_event(stats, line, event, rejected);
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
			stats->wrong_totals += (basket->flags & UNSUMMED) == 0 &&
			    basket->a != basket->b && basket->a - basket->off != basket->b;
		} else {
			stats->open++;
		}
	}
}
