/* SPDX-License-Identifier: Apache-2.0
 *
 * table_scores.c - what is scanned, to scores of what is not.
 *
 * DESIGN
 *   groups: score_i = ln q_i + k^(-1/2) · Σ_j l_ji over the k scanned j, in 1/1024 (log-linear).
 *   articles: A_i = Σ_j w_ji^e over the scanned j; nobody's neighbour has 0, and then the smaller
 *   number, which is the one in more baskets, comes first.
 *   Weights are raised to a scale of 2^48, so that the sum over all of a basket stays below 2^57.
 */
#include "recommend/table_layout.h"

#include <string.h>

#include "core/arena.h"

struct sum {
	uint32_t item; /* + 1; 0: free */
	uint64_t score;
};

struct table_scores {
	const struct table *table;
	uint32_t *scanned; /* ascending */
	size_t count;
	int64_t *dense;	  /* per item; NULL: sums */
	struct sum *sums; /* a power of two of them, at most half full */
	size_t slots;
};

static size_t
slot_of(const struct table_scores *scores, uint32_t item)
{
	size_t at = (item * UINT32_C(2654435769) >> 8) & (scores->slots - 1);

	while (scores->sums[at].item != 0 && scores->sums[at].item != item + 1)
		at = (at + 1) & (scores->slots - 1);
	return at;
}

static uint64_t
raised(uint64_t weight, int power)
{
	uint64_t square = weight * weight;

	return power == 1 ? weight << 32 : power == 2 ? square << 16 : square * (square >> 16);
}

static const uint8_t *
row_of(const struct table *table, uint32_t item, uint32_t *ret_count)
{
	const uint8_t *first = table->bytes + table->at.first_at + 4 * (size_t)item;
	uint32_t from = table_u32(first);

	*ret_count = table_u32(first + 4) - from;
	return table->bytes + table->at.cell_at + (size_t)TABLE_CELL * from;
}

static void
sum_neighbours(struct arena *arena, struct table_scores *scores)
{
	const struct table *table = scores->table;
	size_t cells = 0;
	uint32_t count;

	for (size_t i = 0; i < scores->count; i++) {
		row_of(table, scores->scanned[i], &count);
		cells += count;
	}
	for (scores->slots = 16; scores->slots < 2 * cells;)
		scores->slots *= 2;
	scores->sums = arena_alloc(arena, scores->slots * sizeof(*scores->sums));
	for (size_t i = 0; i < scores->count; i++) {
		const uint8_t *cell = row_of(table, scores->scanned[i], &count);

		for (; count > 0; count--, cell += TABLE_CELL) {
			struct sum *sum = &scores->sums[slot_of(scores, table_u16(cell))];

			sum->item = table_u16(cell) + 1;
			sum->score += raised(table_u16(cell + 2), table->at.power);
		}
	}
}

/* floor(√(2^30 / k)): k^(-1/2) in 1/32768. */
static int64_t
root_of(size_t k)
{
	int64_t of = (INT64_C(1) << 30) / (int64_t)k, root = 0;

	for (int64_t bit = 1 << 15; bit > 0; bit >>= 1)
		if ((root + bit) * (root + bit) <= of)
			root += bit;
	return root;
}

static void
sum_pairs(struct arena *arena, struct table_scores *scores)
{
	const struct table *table = scores->table;
	uint32_t items = table->at.items;
	int64_t root = scores->count > 0 ? root_of(scores->count) : 0;

	scores->dense = arena_alloc(arena, items * sizeof(*scores->dense) + 1);
	for (size_t j = 0; j < scores->count; j++) {
		const uint8_t *pair =
		    table->bytes + table->at.pair_at + 2 * (size_t)items * scores->scanned[j];

		for (uint32_t i = 0; i < items; i++, pair += 2)
			scores->dense[i] += table_i16(pair);
	}
	for (uint32_t i = 0; i < items; i++)
		scores->dense[i] =
		    table_i16(table_row_at(table, i) + 18) + scores->dense[i] * root / 32768;
}

/* Ascending, each once. */
static void
take_scanned(struct arena *arena, struct table_scores *scores, const uint32_t *scanned,
    size_t count)
{
	if (count > TABLE_SCANNED_MAX)
		count = TABLE_SCANNED_MAX;
	scores->scanned = arena_room(arena, (count + 1) * sizeof(*scores->scanned));
	for (size_t i = 0; i < count; i++) {
		size_t at = scores->count;

		CHECK(scanned[i] < scores->table->at.items);
		while (at > 0 && scores->scanned[at - 1] > scanned[i])
			at--;
		if (at > 0 && scores->scanned[at - 1] == scanned[i])
			continue;
		memmove(&scores->scanned[at + 1], &scores->scanned[at],
		    (scores->count - at) * sizeof(*scanned));
		scores->scanned[at] = scanned[i];
		scores->count++;
	}
}

struct table_scores *
table_scores_new(struct arena *arena, const struct table *table, const uint32_t *scanned,
    size_t count)
{
	struct table_scores *scores = arena_alloc(arena, sizeof(*scores));

	CHECK(table->at.kind != TABLE_OWN);
	scores->table = table;
	take_scanned(arena, scores, scanned, count);
	if (table->at.kind == TABLE_GROUPS)
		sum_pairs(arena, scores);
	else
		sum_neighbours(arena, scores);
	return scores;
}

int64_t
table_score(const struct table_scores *scores, uint32_t item)
{
	CHECK(item < scores->table->at.items);
	if (scores->dense != NULL)
		return scores->dense[item];
	return (int64_t)scores->sums[slot_of(scores, item)].score;
}

bool
table_scanned(const struct table_scores *scores, uint32_t item)
{
	size_t from = 0, to = scores->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (scores->scanned[middle] < item)
			from = middle + 1;
		else
			to = middle;
	}
	return from < scores->count && scores->scanned[from] == item;
}

/* Where there is nothing to calibrate by, the share of the baskets with it. */
double
table_chance(const struct table *table, uint32_t item, int64_t score)
{
	const uint8_t *step = table->bytes + table->at.step_at;
	uint32_t steps = table->at.steps, i = 0;
	double low, high, along;

	if (steps == 0)
		return table->at.baskets == 0
		    ? 0
		    : (double)table_u32(table_row_at(table, item) + 8) / (double)table->at.baskets;
	while (i < steps && (int64_t)table_u64(step + (size_t)TABLE_STEP * i) <= score)
		i++;
	if (i == 0 || i == steps)
		return (double)table_u32(step + (size_t)TABLE_STEP * (i == 0 ? 0 : i - 1) + 8) /
		    TABLE_SURE;
	step += (size_t)TABLE_STEP * (i - 1);
	low = (double)table_u32(step + 8);
	high = (double)table_u32(step + TABLE_STEP + 8);
	along = (double)(score - (int64_t)table_u64(step)) /
	    (double)((int64_t)table_u64(step + TABLE_STEP) - (int64_t)table_u64(step));
	return (low + (high - low) * along) / TABLE_SURE;
}

/* ---- the best ---- */

static bool
is_before(const struct table_pick *a, const struct table_pick *b)
{
	return a->score != b->score ? a->score > b->score : a->item < b->item;
}

static size_t
insert(struct table_pick *picks, size_t count, size_t max, uint32_t item, int64_t score)
{
	struct table_pick pick = { .item = item, .score = score };
	size_t at = count < max ? count++ : max;

	if (at == max && !is_before(&pick, &picks[max - 1]))
		return count;
	if (at == max)
		at--;
	for (; at > 0 && is_before(&pick, &picks[at - 1]); at--)
		picks[at] = picks[at - 1];
	picks[at] = pick;
	return count;
}

/* Does it come in, and may it? In that order: the second is dear. */
static size_t
offer(const struct table_scores *scores, table_may_fn may, const void *ctx,
    struct table_pick *picks, size_t count, size_t max, uint32_t item, int64_t score)
{
	struct table_pick pick = { .item = item, .score = score };

	if ((count == max && !is_before(&pick, &picks[max - 1])) || table_scanned(scores, item) ||
	    (may != NULL && !may(ctx, item)))
		return count;
	return insert(picks, count, max, item, score);
}

size_t
table_top(const struct table_scores *scores, bool related, table_may_fn may, const void *ctx,
    struct table_pick *picks, size_t max)
{
	const struct table *table = scores->table;
	uint32_t items = table->at.items;
	size_t count = 0;

	if (max == 0)
		return 0;
	for (size_t i = 0; i < scores->slots; i++) {
		const struct sum *sum = &scores->sums[i];

		if (sum->item != 0)
			count = offer(scores, may, ctx, picks, count, max, sum->item - 1,
			    (int64_t)sum->score);
	}
	for (uint32_t i = 0; i < items && scores->dense != NULL; i++)
		count = offer(scores, may, ctx, picks, count, max, i, scores->dense[i]);
	/* What nobody names, by how many baskets have it: that is their order. */
	for (uint32_t i = 0; i < items && scores->dense == NULL && !related && count < max; i++) {
		if (scores->sums[slot_of(scores, i)].item == 0)
			count = offer(scores, may, ctx, picks, count, max, i, 0);
	}
	for (size_t i = 0; i < count; i++)
		picks[i].chance = table_chance(table, picks[i].item, picks[i].score);
	return count;
}
