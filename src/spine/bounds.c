/* SPDX-License-Identifier: Apache-2.0
 *
 * bounds.c - how many baskets a till may leave open, what their lines and prompts may hold, how many
 * cards may wait; whose turn it is to go.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/metrics.h"
#include "nouns/visit.h"

#define TILL_BASKETS_MAX 1024

/* Of the lines and prompts of open baskets. */
#define TILL_BYTES ((size_t)8 << 20)
#define ALL_BYTES ((size_t)32 << 20)
#define LINE_BYTES_STEP 4096 /* a basket whose lines grew by so much is looked at */
#define PROMPTS_STEP 4	     /* or that was shown so many more */
#define STATION_WAITING_MAX 64
#define WAITING_MAX 1024 /* at all stations */

/* ---- the baskets of one till ---- */

struct till_baskets {
	const struct visit *opened;
	struct visit *stalest; /* of the others */
	size_t count;
};

static void
look_at_basket(void *ctx, struct visit *visit)
{
	struct till_baskets *till = ctx;

	if (visit_over(visit) || visit->basket == NULL ||
	    strcmp(visit->terminal, till->opened->terminal) != 0)
		return;
	till->count++;
	if (visit != till->opened &&
	    (till->stalest == NULL || visit->last_ms < till->stalest->last_ms))
		till->stalest = visit;
}

/* A till that begins baskets and ends none must not fill memory and state until they are idle:
 * beyond TILL_BASKETS_MAX the one that it has not spoken of for longest is given up. */
void
visit_bound_baskets(struct engine *engine, const struct visit *opened)
{
	struct till_baskets till = { .opened = opened };

	if (sessions_count(engine->sessions) <= TILL_BASKETS_MAX)
		return;
	sessions_each(engine->sessions, look_at_basket, &till);
	if (till.count <= TILL_BASKETS_MAX)
		return;
	metrics_add(METRIC_LIMIT_VISITS, 1);
	visit_give_up(engine, till.stalest);
}

/* ---- the cards that wait ---- */

struct waiting_cards {
	const struct visit *newest;
	struct visit *oldest, *oldest_here; /* of the others */
	size_t count, here;
};

static bool
is_older(const struct visit *visit, const struct visit *than)
{
	return than == NULL || visit->last_ms < than->last_ms;
}

static void
look_at_waiting(void *ctx, struct visit *visit)
{
	struct waiting_cards *waiting = ctx;
	bool here;

	if (visit->state != VISIT_WAITING || visit == waiting->newest)
		return;
	here = strcmp(visit->station, waiting->newest->station) == 0;
	waiting->count++;
	waiting->here += here;
	if (is_older(visit, waiting->oldest))
		waiting->oldest = visit;
	if (here && is_older(visit, waiting->oldest_here))
		waiting->oldest_here = visit;
}

/* Cards that wait for baskets that nobody begins are looked at with every event. Beyond a bound the
 * wait of the oldest is over; its basket finds it on record, should it come after all. */
void
visit_bound_waiting(struct engine *engine, const struct visit *visit)
{
	struct waiting_cards waiting = { .newest = visit };

	if (sessions_count(engine->sessions) <= STATION_WAITING_MAX)
		return;
	sessions_each(engine->sessions, look_at_waiting, &waiting);
	if (waiting.here >= STATION_WAITING_MAX)
		visit_missed(engine, waiting.oldest_here);
	else if (waiting.count >= WAITING_MAX)
		visit_missed(engine, waiting.oldest);
	else
		return;
	metrics_add(METRIC_LIMIT_VISITS, 1);
}

/* ---- what they hold ---- */

/* By the sums, with what this turn has changed: is there certainly? Else all baskets are looked at. */
static bool
is_room(struct engine *engine, const struct visit *grew)
{
	for (size_t i = 0; i < engine->touched_count; i++)
		weights_take(engine, engine->touched[i]);
	return weights_at(engine, grew->terminal) <= TILL_BYTES && engine->held_bytes <= ALL_BYTES;
}

/* The open baskets of a till: what they hold, and the one it has not spoken of for longest. */
struct held {
	const char *terminal;
	struct visit *stalest; /* but for the one that grew; NULL: it has no other */
	size_t bytes;
};

struct all_held {
	const struct visit *grew;
	struct held *tills;
	size_t count, capacity, bytes;
};

static struct held *
held_by(struct all_held *all, const char *terminal)
{
	struct held *held;

	for (size_t i = 0; i < all->count; i++) {
		if (strcmp(all->tills[i].terminal, terminal) == 0)
			return &all->tills[i];
	}
	all->tills = mem_grow(all->tills, all->count, &all->capacity, sizeof(*all->tills));
	held = &all->tills[all->count++];
	*held = (struct held){ .terminal = terminal };
	return held;
}

static void
look_at_bytes(void *ctx, struct visit *visit)
{
	struct all_held *all = ctx;
	struct held *held;
	size_t bytes;

	if (!weights_has(visit))
		return;
	held = held_by(all, visit->terminal);
	bytes = visit->weighed_bytes;
	held->bytes += bytes;
	all->bytes += bytes;
	if (visit != all->grew &&
	    (held->stalest == NULL || visit->last_ms < held->stalest->last_ms))
		held->stalest = visit;
}

/* Whose stalest basket is given up: the till's that holds too much, else of the one that holds the
 * most. NULL: there is room. */
static struct visit *
too_much(struct engine *engine, const struct visit *grew)
{
	struct all_held all = { .grew = grew };
	const struct held *held;
	struct visit *stalest = NULL;

	sessions_each(engine->sessions, look_at_bytes, &all);
	held = held_by(&all, grew->terminal);
	if (held->bytes > TILL_BYTES) {
		stalest = held->stalest;
	} else if (all.bytes > ALL_BYTES) {
		held = NULL;
		for (size_t i = 0; i < all.count; i++) {
			if (all.tills[i].stalest != NULL &&
			    (held == NULL || all.tills[i].bytes > held->bytes))
				held = &all.tills[i];
		}
		stalest = held != NULL ? held->stalest : NULL;
	}
	free(all.tills);
	return stalest;
}

static void
make_room(struct engine *engine, const struct visit *grew)
{
	struct visit *stalest;

	while (!is_room(engine, grew) && (stalest = too_much(engine, grew)) != NULL) {
		metrics_add(METRIC_LIMIT_VISITS, 1);
		visit_give_up(engine, stalest);
	}
}

/* Baskets may be few and long. What they hold hangs on what was said alone, and so it is the same
 * after a restart. */
void
visit_bound_lines(struct engine *engine, const struct event *event, const struct visit *visit)
{
	const struct line *line = visit_line(visit, event->item.line);

	if (visit_over(visit) || line == NULL ||
	    visit->line_bytes / LINE_BYTES_STEP ==
		(visit->line_bytes - line_bytes(line)) / LINE_BYTES_STEP)
		return;
	make_room(engine, visit);
}

void
visit_bound_prompts(struct engine *engine, const struct visit *visit, size_t before)
{
	if (!visit_over(visit) && visit->card_count / PROMPTS_STEP > before / PROMPTS_STEP)
		make_room(engine, visit);
}
