/* SPDX-License-Identifier: Apache-2.0
 *
 * train_pairs.c - which categories go together.
 *
 * DESIGN
 *   Counted in the baskets before the split, and once more in those after it:
 *   of thousands of pairs the best look good by luck alone, and luck does not
 *   repeat. A rule is worth having where the later lift holds up.
 *   Everybody's baskets count, with a card or without: a pair is about goods.
 *   In order of confidence, how often the second comes with the first. Rejected:
 *   by lift, in which the rarest goods win and nobody buys them either way.
 */
#include "tools/train_pairs.h"

#include <stdlib.h>
#include <string.h>

struct counts {
	uint32_t *one, *both; /* both: size × size, a < b */
	size_t baskets;
};

struct table {
	size_t size;
	int16_t *column;    /* of a category; -1 */
	uint16_t *category; /* of a column */
	struct counts before, after;
};

static void
choose_columns(struct table *table, const struct train_baskets *baskets)
{
	size_t count = baskets->categories.count;
	struct train_rank *rank = train_baskets_rank(baskets, false, INT64_MAX);

	table->size = count < PAIRS_CATEGORIES_MAX ? count : PAIRS_CATEGORIES_MAX;
	table->column = mem_alloc((count + 1) * sizeof(*table->column));
	table->category = mem_alloc((table->size + 1) * sizeof(*table->category));
	for (size_t c = 0; c < count; c++)
		table->column[rank[c].category] = c < table->size ? (int16_t)c : -1;
	for (size_t c = 0; c < table->size; c++)
		table->category[c] = rank[c].category;
	free(rank);
}

static void
count_basket(const struct table *table, const struct train_baskets *baskets,
    const struct train_basket *basket, struct counts *counts)
{
	const uint16_t *uses = baskets->uses + basket->first;

	counts->baskets++;
	for (uint16_t i = 0; i < basket->count; i++) {
		int a = table->column[uses[i]];

		if (a < 0)
			continue;
		counts->one[a]++;
		for (uint16_t k = (uint16_t)(i + 1); k < basket->count; k++) {
			int b = table->column[uses[k]];

			if (b >= 0)
				counts->both[(size_t)(a < b ? a : b) * table->size +
				    (size_t)(a < b ? b : a)]++;
		}
	}
}

static void
counts_make(struct counts *counts, size_t size)
{
	counts->one = mem_calloc(size + 1, sizeof(*counts->one));
	counts->both = mem_calloc(size * size + 1, sizeof(*counts->both));
}

static uint32_t
both_of(const struct table *table, const struct counts *counts, size_t a, size_t b)
{
	return counts->both[(a < b ? a : b) * table->size + (a < b ? b : a)];
}

static double
lift_of(const struct table *table, const struct counts *counts, size_t a, size_t b)
{
	double expected = (double)counts->one[a] * (double)counts->one[b];

	return expected > 0
	    ? (double)both_of(table, counts, a, b) * (double)counts->baskets / expected
	    : 0;
}

/* How many baskets of the later ones the two would share by chance: under five, nothing can be
 * said. */
#define EXPECTED_MIN 5

static void
add_pair(struct train_pairs *pairs, const struct table *table, size_t a, size_t b)
{
	const struct counts *before = &table->before, *after = &table->after;
	double expected = after->baskets == 0
	    ? 0
	    : (double)after->one[a] * (double)after->one[b] / (double)after->baskets;

	pairs->list = mem_realloc(pairs->list, (pairs->count + 1) * sizeof(*pairs->list));
	pairs->list[pairs->count++] = (struct train_pair){ .a = table->category[a],
		.b = table->category[b],
		.with_a = before->one[a],
		.with_b = before->one[b],
		.both = both_of(table, before, a, b),
		.support = (double)both_of(table, before, a, b) / (double)before->baskets,
		.confidence = (double)both_of(table, before, a, b) / (double)before->one[a],
		.lift = lift_of(table, before, a, b),
		.later_both = both_of(table, after, a, b),
		.later_lift = expected >= EXPECTED_MIN ? lift_of(table, after, a, b) : 0 };
}

/* The same whatever the order of sorting: confidence, support, then the columns. */
static int
compare_pairs(const void *a, const void *b)
{
	const struct train_pair *x = a, *y = b;

	if (x->confidence < y->confidence || x->confidence > y->confidence)
		return x->confidence > y->confidence ? -1 : 1;
	if (x->both != y->both)
		return x->both > y->both ? -1 : 1;
	return x->a != y->a ? (int)x->a - (int)y->a : (int)x->b - (int)y->b;
}

void
train_pairs_make(struct train_pairs *pairs, const struct train_baskets *baskets, int64_t split_ms)
{
	struct table table = { 0 };

	*pairs = (struct train_pairs){ 0 };
	choose_columns(&table, baskets);
	counts_make(&table.before, table.size);
	counts_make(&table.after, table.size);
	for (size_t i = 0; i < baskets->count; i++)
		count_basket(&table, baskets, &baskets->list[i],
		    baskets->list[i].at_ms < split_ms ? &table.before : &table.after);
	pairs->baskets = table.before.baskets;
	pairs->later_baskets = table.after.baskets;
	pairs->support_min = (uint32_t)((pairs->baskets + PAIRS_ONE_IN - 1) / PAIRS_ONE_IN);
	if (pairs->support_min < PAIRS_SUPPORT_MIN)
		pairs->support_min = PAIRS_SUPPORT_MIN;
	for (size_t a = 0; a < table.size; a++) {
		for (size_t b = 0; b < table.size; b++) {
			if (a != b && both_of(&table, &table.before, a, b) >= pairs->support_min)
				add_pair(pairs, &table, a, b);
		}
	}
	if (pairs->count > 0)
		qsort(pairs->list, pairs->count, sizeof(*pairs->list), compare_pairs);
	if (pairs->count > PAIRS_MAX)
		pairs->count = PAIRS_MAX;
	free(table.column);
	free(table.category);
	free(table.before.one);
	free(table.before.both);
	free(table.after.one);
	free(table.after.both);
}

void
train_pairs_done(struct train_pairs *pairs)
{
	free(pairs->list);
	*pairs = (struct train_pairs){ 0 };
}
