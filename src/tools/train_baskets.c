/* SPDX-License-Identifier: Apache-2.0
 *
 * train_baskets.c - every closed basket of the recorded events.
 *
 * DESIGN
 *   Taken from the engine's own visit as it closes: voided lines, training
 *   sales and doubles are gone by then, and who did not agree is nobody.
 *   A category is the first two steps of its path ("grocery/coffee"): finer
 *   ones are too rare to learn from. Marked ones are not taken at all.
 */
#include "tools/train_baskets.h"

#include <stdlib.h>
#include <string.h>

#include "aisle/visit.h"
#include "nouns/marks.h"
#include "nouns/net.h"

#define CATEGORY_STEPS 2
#define BASKET_CATEGORIES_MAX 256
#define NAME_LEN_MAX 256 /* of a value in "from" */

void
train_baskets_init(struct train_baskets *baskets)
{
	*baskets = (struct train_baskets){ .categories.max = TRAIN_CATEGORIES_MAX,
		.customers.max = TRAIN_CUSTOMERS_MAX,
		.visits.max = TRAIN_BASKETS_MAX };
}

void
train_baskets_done(struct train_baskets *baskets)
{
	train_index_done(&baskets->categories);
	train_index_done(&baskets->customers);
	train_index_done(&baskets->visits);
	free(baskets->list);
	free(baskets->uses);
	train_baskets_init(baskets);
}

size_t
train_category_len(const char *path)
{
	size_t len = 0;

	for (int step = 0; step < CATEGORY_STEPS && path[len] != '\0'; step++)
		len += strcspn(path + len + (step > 0), "/") + (step > 0);
	return len;
}

static int
compare_rank(const void *a, const void *b)
{
	const struct train_rank *x = a, *y = b;

	if (x->baskets != y->baskets)
		return x->baskets > y->baskets ? -1 : 1;
	return (int)x->category - (int)y->category;
}

struct train_rank *
train_baskets_rank(const struct train_baskets *baskets, bool known, int64_t until_ms)
{
	size_t count = baskets->categories.count;
	struct train_rank *rank = mem_calloc(count + 1, sizeof(*rank));

	for (size_t c = 0; c < count; c++)
		rank[c].category = (uint16_t)c;
	for (size_t b = 0; b < baskets->count && baskets->list[b].at_ms < until_ms; b++) {
		const struct train_basket *basket = &baskets->list[b];

		for (uint16_t i = 0; (!known || basket->customer >= 0) && i < basket->count; i++)
			rank[baskets->uses[basket->first + i]].baskets++;
	}
	qsort(rank, count, sizeof(*rank), compare_rank);
	return rank;
}

const char *
train_category(const struct train_baskets *baskets, size_t category)
{
	CHECK(category < baskets->categories.count);
	return baskets->categories.keys[category].bytes;
}

/* What "from" cannot say cannot be a feature: it knows no quotes, and blanks at an end are not its own. */
static bool
can_be_named(const char *path, size_t len)
{
	return len > 0 && len <= NAME_LEN_MAX && path[0] != '/' && path[len - 1] != '/' &&
	    path[0] != ' ' && path[len - 1] != ' ' && memmem(path, len, "//", 2) == NULL &&
	    strcspn(path, "=,()\t\"\\") >= len;
}

/* Does a marked category lie below it? Then it is a small part of what it says. */
static bool
holds_marked(const struct marks *marks, const char *path, size_t len)
{
	for (size_t i = 0; i < marks->count; i++)
		if (strncmp(marks->list[i].category, path, len) == 0 &&
		    marks->list[i].category[len] == '/')
			return true;
	return false;
}

static int
compare_uses(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Its distinct categories into list, ascending. */
static uint16_t
categories_of(struct train_baskets *baskets, const struct visit *visit, const struct marks *marks,
    uint16_t list[static BASKET_CATEGORIES_MAX])
{
	struct net_line *net = net_lines(visit);
	uint16_t count = 0, kept = 0;

	for (size_t i = 0; i < visit->line_count && count < BASKET_CATEGORIES_MAX; i++) {
		const struct line *line = &visit->lines[i];
		size_t len = net[i].qty_milli == 0 || line->category == NULL
		    ? 0
		    : train_category_len(line->category);
		int32_t category;

		if (len == 0 || line_mark(marks, line) != MARK_NONE ||
		    holds_marked(marks, line->category, len))
			continue;
		if (!can_be_named(line->category, len)) {
			baskets->unnamed++;
			continue;
		}
		category = train_index_add(&baskets->categories, line->category, len);
		if (category >= 0)
			list[count++] = (uint16_t)category;
	}
	free(net);
	qsort(list, count, sizeof(*list), compare_uses);
	for (uint16_t i = 0; i < count; i++) {
		if (kept == 0 || list[i] != list[kept - 1])
			list[kept++] = list[i];
	}
	return kept;
}

static void
make_room(struct train_baskets *baskets, size_t uses)
{
	baskets->list =
	    mem_grow(baskets->list, baskets->count, &baskets->capacity, sizeof(*baskets->list));
	while (baskets->use_count + uses > baskets->use_capacity) {
		baskets->use_capacity =
		    baskets->use_capacity == 0 ? 4096 : baskets->use_capacity * 2;
		baskets->uses =
		    mem_realloc(baskets->uses, baskets->use_capacity * sizeof(*baskets->uses));
	}
}

void
train_baskets_take(void *ctx, const struct feature_row *row)
{
	struct train_baskets *baskets = ctx;
	struct train_basket basket = { .at_ms = row->at_ms, .next_ms = INT64_MAX, .customer = -1 };
	struct marks marks = marks_of(baskets->policy, row->marks_off);
	uint16_t list[BASKET_CATEGORIES_MAX];

	if (train_index_get(&baskets->visits, &row->visit_id, sizeof(row->visit_id)) >= 0)
		return;
	if (row->has_subject)
		basket.customer =
		    train_index_add(&baskets->customers, &row->subject, sizeof(row->subject));
	basket.count = categories_of(baskets, row->visit, &marks, list);
	basket.first = (uint32_t)baskets->use_count;
	if ((row->has_subject && basket.customer < 0) ||
	    baskets->use_count + basket.count > TRAIN_USES_MAX ||
	    train_index_add(&baskets->visits, &row->visit_id, sizeof(row->visit_id)) < 0) {
		baskets->full = true;
		return;
	}
	make_room(baskets, basket.count);
	if (basket.count > 0)
		memcpy(baskets->uses + baskets->use_count, list, basket.count * sizeof(*list));
	baskets->use_count += basket.count;
	baskets->list[baskets->count++] = basket;
}

void
train_baskets_returned(void *ctx, const struct visit *visit, const struct marks *marks)
{
	struct train_baskets *baskets = ctx;
	int32_t index = train_index_get(&baskets->visits, &visit->id, sizeof(visit->id));
	struct train_basket *basket;
	uint16_t list[BASKET_CATEGORIES_MAX], count;
	size_t unnamed = baskets->unnamed; /* those lines were counted */

	if (index < 0)
		return;
	basket = &baskets->list[index];
	count = visit->state == VISIT_CANCELLED ? 0 : categories_of(baskets, visit, marks, list);
	baskets->unnamed = unnamed;
	/* In the place of what it had: what comes back makes it no more. */
	if (count < basket->count)
		basket->count = count;
	memcpy(baskets->uses + basket->first, list, basket->count * sizeof(*list));
}

void
train_baskets_link(struct train_baskets *baskets)
{
	int64_t *next = mem_alloc((baskets->customers.count + 1) * sizeof(*next));

	for (size_t i = 0; i < baskets->customers.count; i++)
		next[i] = INT64_MAX;
	for (size_t i = baskets->count; i-- > 0;) {
		struct train_basket *basket = &baskets->list[i];

		if (basket->customer < 0)
			continue;
		basket->next_ms = next[basket->customer];
		next[basket->customer] = basket->at_ms;
	}
	free(next);
}

bool
train_basket_has(const struct train_baskets *baskets, size_t basket, uint16_t category)
{
	const struct train_basket *b = &baskets->list[basket];
	const uint16_t *uses = baskets->uses + b->first;

	for (uint16_t i = 0; i < b->count && uses[i] <= category; i++) {
		if (uses[i] == category)
			return true;
	}
	return false;
}
