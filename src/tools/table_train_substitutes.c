/* SPDX-License-Identifier: Apache-2.0
 *
 * table_train_substitutes.c - what a customer takes instead: of the same product type.
 *
 * DESIGN
 *   s_ij = (x_ij + 5·π_j·f_ij) / (x_i + 5): x_ij how often somebody whose last one of the type was i took
 *   j next, and half as much what went the other way; π_j its share of the type; f_ij nearer the
 *   nearer the price, and where size, maker or class are known and the same.
 *   Rejected: that siblings are not bought together; they are, more than strangers.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"
#include "tools/table_judge.h"
#include "tools/table_train.h"

#define PRIOR 5.0
#define SIBLINGS_MAX 400 /* of a type that are looked at, the most bought */
#define WINS 1.645
#define SWITCHES_MIN 100

/* From one article of a type to another: a customer's next. */
struct change {
	uint32_t from, to;
	size_t basket;
};
struct changes {
	struct change *list; /* in order of from, to */
	size_t count, capacity;
};

struct siblings {
	uint32_t *begin, *list; /* by type; the most bought first */
	double *all;		/* baskets of a type */
	uint32_t types;
};

/* ---- what followed what ---- */

struct purchase {
	int32_t customer;
	uint32_t type, basket, item;
};

static int
compare_purchases(const void *a, const void *b)
{
	const struct purchase *x = a, *y = b;

	if (x->customer != y->customer)
		return x->customer < y->customer ? -1 : 1;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->basket != y->basket)
		return x->basket < y->basket ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

static int
compare_changes(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->basket < y->basket ? -1 : x->basket > y->basket;
}

static uint32_t
type_of(const struct table_part *part, uint32_t number)
{
	return part->data->goods[part->item[number]].type;
}

static void
find_changes(const struct table_part *part, struct changes *ret)
{
	const struct table_data *data = part->data;
	struct purchase *list = NULL;
	size_t count = 0, capacity = 0;

	*ret = (struct changes){ 0 };
	for (size_t b = 0; b < data->count; b++) {
		size_t uses_count;
		const uint32_t *uses = table_part_basket(part, b, &uses_count);

		for (size_t i = 0; data->list[b].customer >= 0 && i < uses_count; i++) {
			uint32_t type = type_of(part, uses[i]);

			if (type == 0)
				continue;
			list = mem_grow(list, count, &capacity, sizeof(*list));
			list[count++] =
			    (struct purchase){ data->list[b].customer, type, (uint32_t)b, uses[i] };
		}
	}
	if (count > 1)
		qsort(list, count, sizeof(*list), compare_purchases);
	for (size_t i = 1; i < count; i++) {
		const struct purchase *a = &list[i - 1], *b = &list[i];

		if (a->customer != b->customer || a->type != b->type || a->item == b->item ||
		    a->basket == b->basket)
			continue;
		ret->list = mem_grow(ret->list, ret->count, &ret->capacity, sizeof(*ret->list));
		ret->list[ret->count++] = (struct change){ a->item, b->item, b->basket };
	}
	if (ret->count > 1)
		qsort(ret->list, ret->count, sizeof(*ret->list), compare_changes);
	free(list);
}

static size_t
changes_from(const struct changes *changes, uint32_t from, uint32_t to)
{
	size_t low = 0, high = changes->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct change *c = &changes->list[middle];

		if (c->from < from || (c->from == from && c->to < to))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* In baskets of the part alone. */
static double
times(const struct table_part *part, const struct changes *changes, uint32_t from, uint32_t to)
{
	double n = 0;

	for (size_t i = changes_from(changes, from, to);
	     i < changes->count && changes->list[i].from == from && changes->list[i].to == to; i++)
		n += changes->list[i].basket >= part->from && changes->list[i].basket < part->to;
	return n;
}

/* ---- who is alike ---- */

static void
siblings_make(struct siblings *siblings, const struct table_part *part)
{
	uint32_t *fill;

	*siblings = (struct siblings){ 0 };
	for (uint32_t i = 0; i < part->count; i++)
		if (type_of(part, i) >= siblings->types)
			siblings->types = type_of(part, i) + 1;
	siblings->begin = mem_calloc(siblings->types + 2, sizeof(uint32_t));
	siblings->all = mem_calloc(siblings->types + 1, sizeof(double));
	siblings->list = mem_calloc(part->count + 1, sizeof(uint32_t));
	fill = mem_calloc(siblings->types + 2, sizeof(uint32_t));
	for (uint32_t i = 0; i < part->count; i++) {
		siblings->begin[type_of(part, i) + 1]++;
		siblings->all[type_of(part, i)] += part->baskets[i];
	}
	for (uint32_t t = 0; t < siblings->types; t++) {
		siblings->begin[t + 1] += siblings->begin[t];
		fill[t + 1] = siblings->begin[t + 1];
	}
	for (uint32_t i = 0; i < part->count; i++)
		siblings->list[fill[type_of(part, i)]++] = i;
	free(fill);
}

static void
siblings_done(struct siblings *siblings)
{
	free(siblings->begin);
	free(siblings->list);
	free(siblings->all);
}

static double
likeness(const struct table_good *a, const struct table_good *b)
{
	double f = 1;

	if (a->price > 0 && b->price > 0)
		f *= fmath_exp(-fabs(fmath_log(a->price / b->price)));
	if (a->size != 0 && a->size == b->size)
		f *= 1.6;
	if (a->brand != 0 && a->brand == b->brand)
		f *= 1.5;
	if (a->class != 0 && a->class == b->class)
		f *= 1.2;
	return f;
}

/* alike: false is plain counting, the type's most bought. */
static size_t
row_of(const struct table_part *part, const struct changes *changes,
    const struct siblings *siblings, uint32_t i, bool alike, struct table_near *row)
{
	uint32_t type = type_of(part, i);
	size_t count = 0;
	double left = 0;

	if (type == 0)
		return 0;
	for (uint32_t s = siblings->begin[type];
	     s < siblings->begin[type + 1] && count < SIBLINGS_MAX; s++) {
		uint32_t j = siblings->list[s];
		double share = part->baskets[j] / siblings->all[type], x;

		if (j == i)
			continue;
		x = alike ? times(part, changes, i, j) + 0.5 * times(part, changes, j, i) : 0;
		left += x;
		row[count++] = (struct table_near){ j,
			alike ? x +
				PRIOR * share *
				    likeness(&part->data->goods[part->item[i]],
					&part->data->goods[part->item[j]])
			      : share };
	}
	for (size_t r = 0; r < count && alike; r++)
		row[r].weight /= left + PRIOR;
	qsort(row, count, sizeof(*row), table_near_compare);
	return count < TABLE_ROW_MAX ? count : TABLE_ROW_MAX;
}

static void
fill_rows(struct table_made *made, const struct table_part *part, const struct changes *changes,
    bool alike)
{
	struct siblings siblings;
	struct table_near **rows = mem_calloc(part->count + 1, sizeof(*rows)),
			  *list =
			      mem_calloc((size_t)part->count * TABLE_ROW_MAX + 1, sizeof(*list)),
			  *row = mem_calloc(SIBLINGS_MAX, sizeof(*row));
	size_t *counts = mem_calloc(part->count + 1, sizeof(*counts));

	siblings_make(&siblings, part);
	for (uint32_t i = 0; i < part->count; i++) {
		rows[i] = list + (size_t)i * TABLE_ROW_MAX;
		counts[i] = row_of(part, changes, &siblings, i, alike, row);
		memcpy(rows[i], row, counts[i] * sizeof(*row));
	}
	table_made_cells(made, rows, counts);
	siblings_done(&siblings);
	free(rows);
	free(list);
	free(row);
	free(counts);
}

/* ---- judged by the changes behind ---- */

static double
rank_in(const struct table *table, const struct change *change, bool *ret_first)
{
	struct arena *arena = arena_new();
	struct table_pick picks[TABLE_ROW_MAX];
	size_t count = table_top(table_scores_new(arena, table, &change->from, 1), true, NULL, NULL,
	    picks, TABLE_ROW_MAX);
	double rank = 0;

	for (size_t i = 0; i < count && rank <= 0; i++)
		if (picks[i].item == change->to)
			rank = (double)i + 1;
	*ret_first = rank > 0 && rank < 2;
	arena_free(arena);
	return rank > 0 ? 1 / rank : 0;
}

static void
judge_changes(const struct table *table, const struct changes *changes, size_t from, size_t to,
    struct table_next *ret)
{
	ret->order =
	    (struct table_marks){ mem_calloc(changes->count + 1, sizeof(double)), changes->count };
	ret->first =
	    (struct table_marks){ mem_calloc(changes->count + 1, sizeof(double)), changes->count };
	for (size_t i = 0; i < changes->count; i++) {
		bool first = false;

		ret->order.list[i] = changes->list[i].basket < from || changes->list[i].basket >= to
		    ? NAN
		    : rank_in(table, &changes->list[i], &first);
		ret->first.list[i] = isnan(ret->order.list[i]) ? NAN : first;
	}
}

void
table_judge_instead(const struct table *table, const struct table_part *part, size_t from,
    size_t to, struct table_next *ret)
{
	struct changes changes;

	find_changes(part, &changes);
	judge_changes(table, &changes, from, to, ret);
	free(changes.list);
}

void
table_made_instead(struct table_made *made, const struct table_part *part, bool alike)
{
	struct changes changes;

	find_changes(part, &changes);
	fill_rows(made, part, &changes, alike);
	free(changes.list);
}

static void
say_changes(const struct table *table, const struct changes *changes, size_t from, size_t to,
    struct table_said **ret, size_t *ret_count)
{
	struct arena *arena = arena_new();
	size_t capacity = 0;

	*ret = NULL;
	*ret_count = 0;
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->list[i];
		struct table_pick picks[3];
		size_t count;

		if (change->basket < from || change->basket >= to)
			continue;
		arena_reset(arena);
		count = table_top(table_scores_new(arena, table, &change->from, 1), true, NULL,
		    NULL, picks, ARRAY_LEN(picks));
		for (size_t p = 0; p < count; p++) {
			*ret = mem_grow(*ret, *ret_count, &capacity, sizeof(**ret));
			(*ret)[(*ret_count)++] =
			    (struct table_said){ picks[p].score, picks[p].item == change->to };
		}
	}
	arena_free(arena);
}

/* ---- all of it ---- */

struct judged {
	struct table_next marks;
	struct table_said *said;
	size_t said_count;
};

static void
judge(const struct table_part *part, const struct changes *changes, bool alike, size_t from,
    size_t to, int level, struct judged *ret)
{
	struct table_made made;
	struct buf bytes = { 0 };
	struct table *table;
	struct err err = { 0 };

	table_made_init(&made, part, TABLE_SUBSTITUTES, level);
	fill_rows(&made, part, changes, alike);
	CHECK(table_pack(&made.parts, &bytes, &err) == 0);
	CHECK(table_open(bytes.data, bytes.len, &table, &err) == 0);
	judge_changes(table, changes, from, to, &ret->marks);
	say_changes(table, changes, from, to, &ret->said, &ret->said_count);
	table_free(table);
	buf_done(&bytes);
	table_made_done(&made);
}

static void
judged_done(struct judged *judged)
{
	table_marks_done(&judged->marks.first);
	table_marks_done(&judged->marks.order);
	free(judged->said);
}

static void
make_last(const struct table_data *data, size_t from, size_t to, int level, bool alike,
    struct judged *said, struct table_trained *ret)
{
	struct table_part part;
	struct table_made made;
	struct changes changes;
	struct err err = { 0 };

	table_part_make(&part, data, from, to, TABLE_ITEMS_MAX);
	find_changes(&part, &changes);
	table_made_init(&made, &part, TABLE_SUBSTITUTES, level);
	fill_rows(&made, &part, &changes, alike);
	table_calibrate(&made, said->said, said->said_count);
	if (table_pack(&made.parts, &ret->bytes, &err) != 0) {
		buf_done(&ret->bytes);
		snprintf(ret->said, sizeof(ret->said), "%s", err.text);
	}
	free(changes.list);
	table_made_done(&made);
	table_part_done(&part);
}

void
table_train_substitutes(const struct table_data *data, size_t from, size_t to, int level,
    struct table_trained *ret)
{
	size_t split = table_last_sixth(from, to);
	struct table_part part;
	struct changes changes;
	struct judged plain, alike;
	size_t asked = 0;

	*ret = (struct table_trained){ 0 };
	table_part_make(&part, data, from, split, TABLE_ITEMS_MAX);
	find_changes(&part, &changes);
	for (size_t i = 0; i < changes.count; i++)
		asked += changes.list[i].basket >= split && changes.list[i].basket < to;
	if (asked < SWITCHES_MIN) {
		snprintf(ret->said, sizeof(ret->said),
		    "fewer than %d changes from one article of a type to another in the last "
		    "sixth, which carry nothing",
		    SWITCHES_MIN);
	} else {
		judge(&part, &changes, false, split, to, level, &plain);
		judge(&part, &changes, true, split, to, level, &alike);
		ret->plain = table_marks_mean(&plain.marks.order);
		ret->won = table_marks_mean(&alike.marks.order);
		ret->counts_alone =
		    table_marks_above(&alike.marks.order, &plain.marks.order) < WINS;
		snprintf(ret->said, sizeof(ret->said),
		    "%sMRR %.4f by the type's most bought on %zu changes of the last sixth; by "
		    "what was taken instead, price and brand: %.4f",
		    ret->counts_alone ? "plain counting: no gain. " : "", ret->plain, asked,
		    ret->won);
		make_last(data, from, to, level, !ret->counts_alone,
		    ret->counts_alone ? &plain : &alike, ret);
		judged_done(&plain);
		judged_done(&alike);
	}
	free(changes.list);
	table_part_done(&part);
}
