/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_baskets.c - which basket does a number mean? Those of one number at one terminal, and the
 * cards that were read at a station, brought into memory for the session that chooses.
 *
 * DESIGN
 *   A ref names the newest basket of a number at a terminal, each basket the one
 *   before it. A till's word is looked for from the newest back, to the first that
 *   began not after it: one step, but for what is late. Likewise the cards that
 *   named no basket, at a station.
 *   Rejected: a row per number and day; the day of a till is not the store's.
 *
 *   Nearly always nothing that is over at a station can matter any more: it began, ended and had its card before what is said
 *   now. So the latest of those times is known of each station, and its baskets are left on disk while it is past. It may be
 *   too late, never too early: it is that of those which a walk would meet, and each that is over since goes through
 *   engine_baskets_saved(); where a sale moved it is looked for anew.
 *
 * LIMITS
 *   So many baskets of a number, and cards of a station, are looked at; what is
 *   older is as if it were not kept. Rows are kept as long as visits: room.c.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <string.h>

#include "core/id.h"

#define CARDS_MAX 16
#define LATE_MS S_MS
#define NEAR_MAX 4 /* of what is not late */

static char *
name_at(struct engine *engine, const char *where, const char *number)
{
	return arena_printf(engine->arena, "%s/%s", where, number);
}

static struct visit *
visit_or_none(struct engine *engine, const struct id *id)
{
	return id_is_zero(id) ? NULL : engine_visit(engine, id);
}

struct visit *
engine_basket_before(struct engine *engine, const struct visit *visit, const char *terminal)
{
	return visit_or_none(engine,
	    strcmp(visit->terminal, terminal) == 0 ? &visit->before : &visit->before_from);
}

struct visit *
engine_number_newest(struct engine *engine, const char *number)
{
	return engine_visit_by_ref(engine, "alike", number);
}

struct visit *
engine_number_before(struct engine *engine, const struct visit *visit)
{
	return visit_or_none(engine, &visit->alike);
}

struct visit *
engine_basket_newest(struct engine *engine, const char *terminal, const char *number)
{
	return engine_visit_by_ref(engine, "basket", name_at(engine, terminal, number));
}

struct visit *
engine_basket(struct engine *engine, const char *terminal, const char *number, int64_t at_ms)
{
	struct visit *visit = engine_basket_newest(engine, terminal, number);

	for (int i = 0; i < ENGINE_BASKETS_MAX && visit != NULL; i++) {
		if (visit_at(visit, terminal, at_ms) && visit->began_at_ms <= at_ms)
			break;
		visit = engine_basket_before(engine, visit, terminal);
	}
	return sessions_basket(engine->sessions, terminal, number, at_ms);
}

struct visit *
engine_basket_at_station(struct engine *engine, const char *station, const char *number)
{
	(void)engine_visit_by_ref(engine, "number", name_at(engine, station, number));
	return sessions_number_at(engine->sessions, station, number);
}

/* Cards whose wait is over, and which by their time may be of a basket that begins then. */
static void
load_cards(struct engine *engine, const struct event *event, const char *station)
{
	struct visit *visit;

	(void)engine_visit_by_ref(engine, "card", name_at(engine, event->origin, event->basket));
	(void)engine_visit_by_ref(engine, "card",
	    arena_printf(engine->arena, "@%s/%s", station, event->basket));
	visit = engine_visit_by_ref(engine, "card", station);
	for (int i = 0; i < CARDS_MAX && visit != NULL; i++) {
		if (visit->card_at_ms <= event->time_ms)
			break;
		visit = visit_or_none(engine, &visit->beside);
	}
}

/* In the list of a station: the one before it. NULL: it never stood there. */
static struct id *
along_of(struct visit *visit, const char *station)
{
	if (strcmp(visit->station, station) == 0)
		return &visit->along;
	return strcmp(visit->from_station, station) == 0 ? &visit->along_from : NULL;
}

static struct visit *
station_before(struct engine *engine, struct visit *visit, const char *station)
{
	struct id *before = along_of(visit, station);

	return before != NULL ? visit_or_none(engine, before) : NULL;
}

/* At this station, where it stands now. */
static bool
was_open(const struct visit *visit, const char *station, int64_t at_ms)
{
	if (visit->began_at_ms > at_ms || strcmp(visit->station, station) != 0 ||
	    (visit->from[0] != '\0' && at_ms < visit->left_at_ms))
		return false;
	return visit_over(visit) ? visit->ended_at_ms > at_ms : visit->state != VISIT_SUSPENDED;
}

/* The baskets at a station that began after that time, and one that was open then. For what happens now
 * few that are over are looked through: a sale that was put aside outlives those that began after it. */
static void
walk_station(struct engine *engine, const char *station, int64_t at_ms)
{
	struct visit *visit = engine_visit_by_ref(engine, "along", station);
	int most = engine->now_ms - at_ms > LATE_MS ? CARDS_MAX : NEAR_MAX;

	for (int i = 0; i < most && visit != NULL; i++) {
		if (was_open(visit, station, at_ms))
			break;
		if (visit->began_at_ms > at_ms)
			most = CARDS_MAX;
		visit = station_before(engine, visit, station);
	}
}

/* ---- what is over at a station ---- */

static struct station_over *
find_over(struct engine *engine, const char *station)
{
	for (size_t i = 0; i < engine->over_count; i++) {
		if (strcmp(engine->over[i].station, station) == 0)
			return &engine->over[i];
	}
	return NULL;
}

static void
raise_over(struct station_over *over, const struct visit *visit)
{
	const int64_t times[] = { visit->began_at_ms, visit->ended_at_ms, visit->card_at_ms };

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		if (over->last_ms < times[i])
			over->last_ms = times[i];
	}
}

/* Of all that a walk may meet, also a late one. */
static void
learn_over(struct engine *engine, const char *station)
{
	struct station_over over = { .last_ms = INT64_MIN };
	struct visit *visit;

	if (engine->over_count == STATIONS_OVER_MAX)
		return;
	snprintf(over.station, sizeof(over.station), "%s", station);
	visit = engine_visit_by_ref(engine, "along", station);
	for (int i = 0; i < CARDS_MAX && visit != NULL; i++) {
		if (visit_over(visit))
			raise_over(&over, visit);
		visit = station_before(engine, visit, station);
	}
	engine->over[engine->over_count++] = over;
}

static void
forget_over(struct engine *engine, const char *station)
{
	struct station_over *over = find_over(engine, station);

	if (over != NULL)
		*over = engine->over[--engine->over_count];
}

void
engine_baskets_saved(struct engine *engine, const struct visit *visit)
{
	struct station_over *over;

	if (visit->from_station[0] != '\0') {
		forget_over(engine, visit->station);
		forget_over(engine, visit->from_station);
		return;
	}
	over = visit_over(visit) ? find_over(engine, visit->station) : NULL;
	if (over != NULL)
		raise_over(over, visit);
}

/* visit: whose event it is, NULL: nobody's yet. Its card may be placed anew, at the time that it was read. */
static void
load_station(struct engine *engine, const char *station, const struct visit *visit, int64_t at_ms)
{
	const struct station_over *over = find_over(engine, station);
	int64_t since_ms = at_ms;

	if (visit != NULL && visit->has_subject && visit->card_at_ms < since_ms)
		since_ms = visit->card_at_ms;
	if (over == NULL)
		learn_over(engine, station);
	else if (over->last_ms <= since_ms)
		return;
	walk_station(engine, station, at_ms);
}

void
engine_baskets_load(struct engine *engine, const struct event *event, const char *station)
{
	struct visit *visit;

	if (event->basket == NULL && event->type == EV_CUSTOMER_IDENTIFIED)
		load_station(engine, station, NULL, event->time_ms);
	if (event->basket == NULL)
		return;
	if (event->channel != CHANNEL_POS) {
		(void)engine_basket_at_station(engine, station, event->basket);
		return;
	}
	visit = engine_basket(engine, event->origin, event->basket, event->time_ms);
	if (event->type > EV_BASKET_CLOSED)
		return;
	if (visit == NULL || visit_over(visit))
		load_cards(engine, event, station);
	/* Those that may have a card which is this one's, or take one which is not. */
	if (visit == NULL || visit_over(visit) || visit->has_subject)
		load_station(engine, station, visit, event->time_ms);
	if (event->type == EV_BASKET_SUSPENDED)
		(void)engine_visit_by_ref(engine, "recall", event->basket);
}

/* ---- what is written for it ---- */

static void
ref_newest(struct engine *engine, const char *kind, const char *name, struct visit *visit)
{
	struct visit *known = engine_visit_by_ref(engine, kind, name);

	if (known == visit || (known != NULL && known->began_at_ms > visit->began_at_ms))
		return;
	if (known != NULL && strcmp(kind, "basket") == 0 && id_is_zero(&visit->before))
		visit->before = known->id;
	engine_ref(engine, kind, name, visit);
}

/* Among those of its station, in the order in which they began. */
static void
ref_station(struct engine *engine, struct visit *visit)
{
	struct visit *known = engine_visit_by_ref(engine, "along", visit->station), *older;
	struct id *before;

	if (known == visit)
		return;
	if (known == NULL || known->began_at_ms <= visit->began_at_ms) {
		if (known != NULL)
			visit->along = known->id;
		engine_ref(engine, "along", visit->station, visit);
		return;
	}
	for (int i = 0; i < CARDS_MAX; i++) {
		older = station_before(engine, known, visit->station);
		if (older == visit)
			return;
		if (older == NULL || older->began_at_ms <= visit->began_at_ms)
			break;
		known = older;
	}
	before = along_of(known, visit->station);
	if (before == NULL)
		return;
	visit->along = *before;
	*before = visit->id;
	engine_touch(engine, known);
}

void
engine_ref_basket(struct engine *engine, struct visit *visit)
{
	ref_newest(engine, "basket", name_at(engine, visit->terminal, visit->basket), visit);
	ref_newest(engine, "number", name_at(engine, visit->station, visit->basket), visit);
	ref_station(engine, visit);
}

void
engine_ref_number(struct engine *engine, struct visit *visit)
{
	struct visit *alike = engine_number_newest(engine, visit->basket);

	if (alike != NULL)
		visit->alike = alike->id;
	engine_ref(engine, "alike", visit->basket, visit);
}

void
engine_unref_number(struct engine *engine, const struct visit *gone, const struct visit *into)
{
	struct visit *visit = engine_number_newest(engine, gone->basket);

	if (visit == gone) {
		visit = visit_or_none(engine, &gone->alike);
		engine_ref(engine, "alike", gone->basket, visit != NULL ? visit : into);
		return;
	}
	for (int i = 0; i < ENGINE_BASKETS_MAX && visit != NULL; i++) {
		if (id_equal(&visit->alike, &gone->id)) {
			visit->alike = gone->alike;
			engine_touch(engine, visit);
			return;
		}
		visit = engine_number_before(engine, visit);
	}
}

void
engine_ref_card(struct engine *engine, struct visit *visit)
{
	struct visit *known;

	if (visit->basket != NULL && visit->terminal[0] != '\0') {
		engine_ref(engine, "card", name_at(engine, visit->terminal, visit->basket), visit);
		return;
	}
	if (visit->basket != NULL) {
		engine_ref(engine, "card",
		    arena_printf(engine->arena, "@%s/%s", visit->station, visit->basket), visit);
		return;
	}
	known = engine_visit_by_ref(engine, "card", visit->station);
	if (known == visit)
		return;
	if (known != NULL)
		visit->beside = known->id;
	/* A basket that begins from now on is not the earlier one's. */
	if (known != NULL && known->missed && known->ended_at_ms == 0) {
		known->ended_at_ms = visit->card_at_ms;
		engine_touch(engine, known);
	}
	engine_ref(engine, "card", visit->station, visit);
}

/* ---- tokens of other baskets ---- */

static char *
paid_name(struct engine *engine, const struct id *basket, int n)
{
	char id[ID_TEXT_SIZE];

	id_text(basket, id);
	return arena_printf(engine->arena, "%s/%d", id, n);
}

void
engine_ref_paid(struct engine *engine, struct visit *basket, const struct visit *home)
{
	engine_ref(engine, "paid", paid_name(engine, &basket->id, ++basket->paid_tokens), home);
	engine_touch(engine, basket);
}

struct visit *
engine_paid_home(struct engine *engine, const struct id *basket, int n)
{
	return engine_visit_by_ref(engine, "paid", paid_name(engine, basket, n));
}

void
engine_paid_moves(struct engine *engine, const struct id *basket, const struct visit *from,
    const struct visit *to)
{
	const struct visit *visit = engine_visit(engine, basket);

	for (int n = 1; visit != NULL && n <= visit->paid_tokens; n++) {
		if (engine_paid_home(engine, basket, n) == from)
			engine_ref(engine, "paid", paid_name(engine, basket, n), to);
	}
}
