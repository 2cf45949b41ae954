/* SPDX-License-Identifier: Apache-2.0
 *
 * table_own.c - what this customer is likely to buy today, from when he bought it before.
 *
 * DESIGN
 *   P_i = (c + a·q_i)/(N + a) · d(t/g) · f_i: c of his N visits with it, older ones counting less
 *   (decay^age, age in visits); q_i the share of all baskets with it; d by the time since he bought
 *   it over the gap between such visits, his own drawn towards everybody's:
 *   g = ((c-1)·g_own + 2·g_item)/(c+1); f_i how much more than that everybody buys it. d from the
 *   second purchase on.
 *   Rejected: to rank by the rhythm alone; it loses to counting by half.
 */
#include "recommend/table_layout.h"

#include <string.h>

#include "core/arena.h"

static const double bounds[TABLE_RHYTHM - 1] = { .15, .3, .5, .7, .9, 1.1, 1.4, 2, 3, 5 };

#define STRONG 0.5 /* of such a habit he needs no telling for half as long again */

struct habit {
	uint32_t item; /* + 1; 0: free */
	uint32_t visits;
	double weight;
	int64_t first_ms, last_ms;
};

struct habits {
	struct habit *list;
	size_t slots;
	double all; /* N */
};

int
table_rhythm_bin(double times_gap)
{
	int bin = 0;

	while (bin < TABLE_RHYTHM - 1 && times_gap >= bounds[bin])
		bin++;
	return bin;
}

bool
table_waits(const struct table_own *own, double lines, double usual, double patience)
{
	return lines < patience * usual * (own->chance >= STRONG ? 1.5 : 1);
}

static struct habit *
habit_of(struct habits *habits, uint32_t item)
{
	size_t at = (item * UINT32_C(2654435769) >> 8) & (habits->slots - 1);

	while (habits->list[at].item != 0 && habits->list[at].item != item + 1)
		at = (at + 1) & (habits->slots - 1);
	return &habits->list[at];
}

static void
gather(struct arena *arena, const struct table *table, const struct table_visit *visits,
    size_t count, struct habits *habits)
{
	double weight = 1, decay = (double)table->at.decay / TABLE_SURE;
	size_t uses = 0;

	for (size_t v = 0; v < count; v++)
		uses += visits[v].count;
	for (habits->slots = 16; habits->slots < 2 * uses;)
		habits->slots *= 2;
	habits->list = arena_alloc(arena, habits->slots * sizeof(*habits->list));
	for (size_t v = count; v-- > 0;) {
		for (size_t i = 0; i < visits[v].count; i++) {
			struct habit *habit = habit_of(habits, visits[v].items[i]);

			CHECK(visits[v].items[i] < table->at.items);
			if (habit->item == 0)
				habit->last_ms = visits[v].at_ms;
			habit->item = visits[v].items[i] + 1;
			habit->first_ms = visits[v].at_ms;
			habit->visits++;
			habit->weight += weight;
		}
		habits->all += weight;
		weight *= decay;
	}
}

static double
rhythm_of(const struct table *table, const struct habit *habit, int64_t now_ms)
{
	double theirs = (double)table_u32(table_row_at(table, habit->item - 1) + 12) * MIN_MS, own,
	       gap, visits = habit->visits;

	if (habit->visits < 2)
		return 1;
	own = (double)(habit->last_ms - habit->first_ms) / (visits - 1);
	gap = theirs > 0 ? ((visits - 1) * own + 2 * theirs) / (visits + 1) : own;
	if (!(gap > 0))
		return 1;
	return (double)table_u16(table->bytes + 40 +
		   2 * table_rhythm_bin((double)(now_ms - habit->last_ms) / gap)) /
	    TABLE_UNIT;
}

static int64_t
score_of(const struct table *table, const struct habits *habits, const struct habit *habit,
    int64_t now_ms)
{
	const uint8_t *row = table_row_at(table, habit->item - 1);
	double prior = table->at.prior,
	       share = table->at.baskets == 0
	    ? 0
	    : (double)table_u32(row + 8) / (double)table->at.baskets,
	       p = (habit->weight + prior * share) / (habits->all + prior) *
	    rhythm_of(table, habit, now_ms) * ((double)table_u16(row + 16) / TABLE_UNIT);

	return p >= 1 ? TABLE_OWN_ONE : (int64_t)(p * (double)TABLE_OWN_ONE);
}

static size_t
insert(struct table_own *list, size_t count, const struct table_own *own)
{
	size_t at = count;

	while (at > 0 &&
	    (list[at - 1].score < own->score ||
		(list[at - 1].score == own->score && list[at - 1].item > own->item)))
		at--;
	if (at == TABLE_OWN_MAX)
		return count;
	if (count == TABLE_OWN_MAX)
		count--;
	memmove(&list[at + 1], &list[at], (count - at) * sizeof(*list));
	list[at] = *own;
	return count + 1;
}

size_t
table_own(struct arena *arena, const struct table *table, const struct table_visit *visits,
    size_t count, int64_t now_ms, struct table_own *ret)
{
	struct habits habits = { 0 };
	size_t found = 0;

	CHECK(table->at.kind == TABLE_OWN);
	if (count > TABLE_VISITS_MAX) {
		visits += count - TABLE_VISITS_MAX;
		count = TABLE_VISITS_MAX;
	}
	gather(arena, table, visits, count, &habits);
	for (size_t i = 0; i < habits.slots; i++) {
		const struct habit *habit = &habits.list[i];
		struct table_own own;

		if (habit->item == 0)
			continue;
		own = (struct table_own){ .item = habit->item - 1,
			.visits = habit->visits,
			.last_ms = habit->last_ms,
			.score = score_of(table, &habits, habit, now_ms) };
		found = insert(ret, found, &own);
	}
	for (size_t i = 0; i < found; i++)
		ret[i].chance = table->at.steps > 0 ? table_chance(table, ret[i].item, ret[i].score)
						    : (double)ret[i].score / (double)TABLE_OWN_ONE;
	return found;
}
