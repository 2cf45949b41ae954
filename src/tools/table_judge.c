/* SPDX-License-Identifier: Apache-2.0
 *
 * table_judge.c - a table asked as a store would ask it, on later baskets.
 */
#include "tools/table_judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"
#include "recommend/table_layout.h"

#define SAID_EACH 3 /* picks of a basket that calibrate */
#define SAID_MIN 200
#define STEP_MIN 40
#define FIRST 5

/* ---- marks ---- */

void
table_marks_done(struct table_marks *marks)
{
	free(marks->list);
	*marks = (struct table_marks){ 0 };
}

static void
marks_init(struct table_marks *marks, size_t count)
{
	*marks = (struct table_marks){ mem_calloc(count + 1, sizeof(*marks->list)), count };
	for (size_t i = 0; i < count; i++)
		marks->list[i] = NAN;
}

double
table_marks_mean(const struct table_marks *marks)
{
	double sum = 0;
	size_t n = 0;

	for (size_t i = 0; i < marks->count; i++) {
		if (isnan(marks->list[i]))
			continue;
		sum += marks->list[i];
		n++;
	}
	return n > 0 ? sum / (double)n : 0;
}

double
table_marks_above(const struct table_marks *a, const struct table_marks *b)
{
	double sum = 0, square = 0, mean, n = 0;

	CHECK(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		double d = a->list[i] - b->list[i];

		if (isnan(d))
			continue;
		sum += d;
		square += d * d;
		n++;
	}
	if (n < 2 || square <= 0)
		return 0;
	mean = sum / n;
	return mean / sqrt((square / n - mean * mean + 1e-12) / (n - 1));
}

/* ---- the open basket ---- */

static uint64_t
mixed(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

size_t
table_judge_hidden(size_t basket, size_t count, size_t hidden[static TABLE_HIDDEN_MAX])
{
	size_t first = (size_t)(mixed(basket + UINT64_C(0x9e3779b97f4a7c15)) % count), n;

	for (n = 0; n < count && n < TABLE_HIDDEN_MAX; n++)
		hidden[n] = (first + n) % count;
	return n;
}

static double
rank_of(const struct table_scores *scores, uint32_t items, uint32_t hidden)
{
	int64_t own = table_score(scores, hidden);
	size_t rank = 1;

	for (uint32_t i = 0; i < items; i++) {
		int64_t score;

		if (i == hidden || table_scanned(scores, i))
			continue;
		score = table_score(scores, i);
		rank += score > own || (score == own && i < hidden);
	}
	return (double)rank;
}

void
table_judge_open(const struct table *table, const struct table_part *part, size_t from, size_t to,
    struct table_marks *ret)
{
	struct arena *arena = arena_new();
	uint32_t scanned[TABLE_DATA_BASKET_MAX];

	marks_init(ret, to - from);
	for (size_t b = from; b < to; b++) {
		size_t count, hidden[TABLE_HIDDEN_MAX], n;
		const uint32_t *uses = table_part_basket(part, b, &count);
		double sum = 0;

		if (count < 2)
			continue;
		n = table_judge_hidden(b, count, hidden);
		for (size_t h = 0; h < n; h++) {
			size_t kept = 0;

			for (size_t i = 0; i < count; i++)
				if (i != hidden[h])
					scanned[kept++] = uses[i];
			arena_reset(arena);
			sum += 1.0 /
			    rank_of(table_scores_new(arena, table, scanned, kept), part->count,
				uses[hidden[h]]);
		}
		ret->list[b - from] = sum / (double)n;
	}
	arena_free(arena);
}

/* ---- the next basket ---- */

struct visit_key {
	int32_t customer;
	uint32_t basket;
};

static int
compare_visits(const void *a, const void *b)
{
	const struct visit_key *x = a, *y = b;

	if (x->customer != y->customer)
		return x->customer < y->customer ? -1 : 1;
	return x->basket < y->basket ? -1 : x->basket > y->basket;
}

void
table_visits_make(struct table_visits *visits, const struct table_data *data)
{
	struct visit_key *keys = mem_calloc(data->count + 1, sizeof(*keys));

	*visits = (struct table_visits){ .list = mem_calloc(data->count + 1, sizeof(uint32_t)),
		.before = mem_calloc(data->count + 1, sizeof(uint32_t)),
		.place = mem_calloc(data->count + 1, sizeof(uint32_t)) };
	for (size_t b = 0; b < data->count; b++) {
		visits->before[b] = UINT32_MAX;
		if (data->list[b].customer >= 0 && data->list[b].count > 0)
			keys[visits->count++] =
			    (struct visit_key){ data->list[b].customer, (uint32_t)b };
	}
	qsort(keys, visits->count, sizeof(*keys), compare_visits);
	for (size_t i = 0; i < visits->count; i++) {
		uint32_t b = keys[i].basket;

		visits->list[i] = b;
		visits->place[b] = (uint32_t)i;
		visits->before[b] = i > 0 && keys[i - 1].customer == keys[i].customer
		    ? visits->before[visits->list[i - 1]] + 1
		    : 0;
	}
	free(keys);
}

void
table_visits_done(struct table_visits *visits)
{
	free(visits->list);
	free(visits->before);
	free(visits->place);
	*visits = (struct table_visits){ 0 };
}

size_t
table_habits(struct arena *arena, const struct table *table, const struct table_part *part,
    const struct table_visits *visits, size_t basket, struct table_own *ret)
{
	uint32_t before = visits->before[basket];
	struct table_visit *list;

	if (before == UINT32_MAX || before == 0)
		return 0;
	list = arena_room(arena, before * sizeof(*list));
	for (uint32_t v = 0; v < before; v++) {
		uint32_t b = visits->list[visits->place[basket] - before + v];

		list[v].at_ms = part->data->list[b].at_ms;
		list[v].items = table_part_basket(part, b, &list[v].count);
	}
	return table_own(arena, table, list, before, part->data->list[basket].at_ms, ret);
}

static bool
has(const uint32_t *uses, size_t count, uint32_t item)
{
	for (size_t i = 0; i < count; i++)
		if (uses[i] == item)
			return true;
	return false;
}

static double
discount(size_t place)
{
	return 0.69314718055994530942 / fmath_log((double)place + 2);
}

static double
order_of(const struct table_own *own, size_t found, const uint32_t *uses, size_t count)
{
	double gain = 0, best = 0;

	/* Nothing was bought. */
	if (count == 0)
		return 0;
	for (size_t i = 0; i < FIRST; i++) {
		if (i < found && has(uses, count, own[i].item))
			gain += discount(i);
		if (i < count)
			best += discount(i);
	}
	return gain / best;
}

/* Is this one of the baskets that are asked about? */
static bool
is_asked(size_t basket, size_t from, size_t to, size_t max)
{
	size_t all = to - from;

	return all <= max || (all > 0 && mixed(basket) % all < max);
}

void
table_judge_next(const struct table *table, const struct table_part *part, size_t from, size_t to,
    size_t max, struct table_next *ret)
{
	struct arena *arena = arena_new();
	struct table_visits visits;

	table_visits_make(&visits, part->data);
	marks_init(&ret->first, to - from);
	marks_init(&ret->order, to - from);
	for (size_t b = from; b < to; b++) {
		struct table_own own[TABLE_OWN_MAX];
		size_t count, found;
		const uint32_t *uses = table_part_basket(part, b, &count);

		arena_reset(arena);
		if (count == 0 || !is_asked(b, from, to, max) ||
		    (found = table_habits(arena, table, part, &visits, b, own)) == 0)
			continue;
		ret->first.list[b - from] = has(uses, count, own[0].item);
		ret->order.list[b - from] = order_of(own, found, uses, count);
	}
	table_visits_done(&visits);
	arena_free(arena);
}

/* ---- calibration ---- */

static void
say(struct table_said **list, size_t *count, size_t *capacity, int64_t score, bool came)
{
	*list = mem_grow(*list, *count, capacity, sizeof(**list));
	(*list)[(*count)++] = (struct table_said){ score, came };
}

void
table_say_open(const struct table *table, const struct table_part *part, size_t from, size_t to,
    struct table_said **ret, size_t *ret_count)
{
	struct arena *arena = arena_new();
	uint32_t scanned[TABLE_DATA_BASKET_MAX];
	size_t capacity = 0;

	*ret = NULL;
	*ret_count = 0;
	for (size_t b = from; b < to; b++) {
		struct table_pick picks[SAID_EACH];
		size_t count, kept = 0, picked;
		const uint32_t *uses = table_part_basket(part, b, &count);

		for (size_t i = 0; i < count; i++)
			if (mixed(b * 1000003 + i) % 2 == 0)
				scanned[kept++] = uses[i];
		if (kept == 0)
			continue;
		arena_reset(arena);
		picked = table_top(table_scores_new(arena, table, scanned, kept), true, NULL, NULL,
		    picks, SAID_EACH);
		for (size_t i = 0; i < picked; i++)
			say(ret, ret_count, &capacity, picks[i].score,
			    has(uses, count, picks[i].item));
	}
	arena_free(arena);
}

void
table_say_next(const struct table *table, const struct table_part *part, size_t from, size_t to,
    size_t max, struct table_said **ret, size_t *ret_count)
{
	struct arena *arena = arena_new();
	struct table_visits visits;
	size_t capacity = 0;

	*ret = NULL;
	*ret_count = 0;
	table_visits_make(&visits, part->data);
	for (size_t b = from; b < to; b++) {
		struct table_own own[TABLE_OWN_MAX];
		size_t count, found;
		const uint32_t *uses = table_part_basket(part, b, &count);

		if (!is_asked(b, from, to, max))
			continue;
		arena_reset(arena);
		found = table_habits(arena, table, part, &visits, b, own);
		for (size_t i = 0; i < found && i < SAID_EACH; i++)
			say(ret, ret_count, &capacity, own[i].score, has(uses, count, own[i].item));
	}
	table_visits_done(&visits);
	arena_free(arena);
}

static int
compare_said(const void *a, const void *b)
{
	const struct table_said *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	return (int)x->came - (int)y->came;
}

/* A run of what was said: its mean score, and how much of it came. */
struct pool {
	double score;
	size_t said, came;
};

static bool
falls(const struct pool *a, const struct pool *b)
{
	return a->came * b->said >= b->came * a->said;
}

static size_t
pools_of(const struct table_said *said, size_t count, struct pool *pools)
{
	size_t each = count / 24 > STEP_MIN ? count / 24 : STEP_MIN, found = 0;

	for (size_t i = 0; i < count;) {
		struct pool pool = { 0 };

		/* Equal scores stay together, and what is left at the end joins the last. */
		while (i < count &&
		    (pool.said < each || said[i].score == said[i - 1].score || count - i < each)) {
			pool.score += (double)said[i].score;
			pool.came += said[i].came;
			pool.said++;
			i++;
		}
		pools[found++] = pool;
		while (found > 1 && falls(&pools[found - 2], &pools[found - 1])) {
			pools[found - 2].score += pools[found - 1].score;
			pools[found - 2].said += pools[found - 1].said;
			pools[found - 2].came += pools[found - 1].came;
			found--;
		}
	}
	return found;
}

void
table_calibrate(struct table_made *made, struct table_said *said, size_t count)
{
	struct pool *pools;
	size_t found;

	free(made->steps);
	made->steps = mem_calloc(TABLE_STEPS_MAX, sizeof(*made->steps));
	made->parts.steps = made->steps;
	made->parts.step_count = 0;
	if (count < SAID_MIN)
		return;
	qsort(said, count, sizeof(*said), compare_said);
	pools = mem_calloc(count / STEP_MIN + 2, sizeof(*pools));
	found = pools_of(said, count, pools);
	for (size_t i = 0; i < found && i < TABLE_STEPS_MAX; i++) {
		struct table_step *step = &made->steps[made->parts.step_count];
		/* A little towards rarely: of few nothing is certain. */
		double p = ((double)pools[i].came + 0.5) / ((double)pools[i].said + 2);

		step->score = (int64_t)(pools[i].score / (double)pools[i].said);
		step->chance = (uint32_t)(p * TABLE_SURE);
		if (made->parts.step_count > 0 &&
		    (step->score <= step[-1].score || step->chance < step[-1].chance))
			continue;
		made->parts.step_count++;
	}
	free(pools);
}
