/* SPDX-License-Identifier: Apache-2.0
 *
 * table_patience.c - how long to wait before a customer is reminded of what is his own.
 *
 * DESIGN
 *   A reminder of what he would have laid on the belt anyway is needless. How many lines he usually
 *   has says how likely that still is; which share of that to wait for is measured: baskets in an
 *   order of chance, once each, of how many the item came later. The shortest wait with at most one
 *   needless in ten is taken; if there is none the reminder waits until he pays.
 */
#include <string.h>

#include "tools/table_judge.h"

#define NEEDLESS_MAX 0.1
#define SAID_MIN 30

static uint64_t
mixed(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void
in_some_order(const uint32_t *uses, size_t count, uint64_t basket, uint32_t *order)
{
	memcpy(order, uses, count * sizeof(*order));
	for (size_t i = count; i-- > 1;) {
		size_t other = mixed(basket * 1009 + i) % (i + 1);
		uint32_t kept = order[i];

		order[i] = order[other];
		order[other] = kept;
	}
}

static bool
is_among(const uint32_t *list, size_t count, uint32_t item)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == item)
			return true;
	return false;
}

/* After k lines: the first of his own that is not there yet. */
static const struct table_own *
first_left(const struct table_own *own, size_t found, const uint32_t *order, size_t k)
{
	for (size_t i = 0; i < found; i++)
		if (!is_among(order, k, own[i].item))
			return &own[i];
	return NULL;
}

static void
remind(const struct table_own *own, size_t found, const uint32_t *order, size_t count, double usual,
    double patience, struct table_needless *ret)
{
	for (size_t k = 1; k < count; k++) {
		const struct table_own *left = first_left(own, found, order, k);

		if (left == NULL || left->visits < TABLE_OWN_VISITS_MIN ||
		    left->chance < TABLE_OWN_CHANCE_MIN)
			return;
		if (table_waits(left, (double)k, usual, patience))
			continue;
		ret->said++;
		ret->needless += is_among(order + k, count - k, left->item);
		return;
	}
}

struct table_needless
table_needless(const struct table *table, const struct table_part *part, size_t from, size_t to,
    double patience)
{
	struct table_needless ret = { 0 };
	struct arena *arena = arena_new();
	struct table_visits visits;

	table_visits_make(&visits, part->data);
	for (size_t b = from; b < to; b++) {
		struct table_own own[TABLE_OWN_MAX];
		uint32_t order[TABLE_DATA_BASKET_MAX];
		size_t count, found, lines = 0;
		const uint32_t *uses = table_part_basket(part, b, &count);

		arena_reset(arena);
		found = count > 1 ? table_habits(arena, table, part, &visits, b, own) : 0;
		if (found == 0)
			continue;
		for (uint32_t v = 1; v <= visits.before[b]; v++)
			lines += part->data->list[visits.list[visits.place[b] - v]].count;
		in_some_order(uses, count, b, order);
		remind(own, found, order, count, (double)lines / visits.before[b], patience, &ret);
	}
	table_visits_done(&visits);
	arena_free(arena);
	return ret;
}

uint16_t
table_patience(const struct table *table, const struct table_part *part, size_t from, size_t to,
    struct table_needless *ret)
{
	static const uint16_t waits[] = { 100, 125, 150, 200, 250 };

	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		*ret = table_needless(table, part, from, to, waits[i] / 100.0);
		if (ret->said < SAID_MIN)
			return i == 0 ? waits[0] : 0; /* not known: as it is in shops where it is */
		if ((double)ret->needless <= NEEDLESS_MAX * (double)ret->said)
			return waits[i];
	}
	return 0;
}
