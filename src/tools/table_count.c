/* SPDX-License-Identifier: Apache-2.0
 *
 * table_count.c - counts of baskets, to tables.
 *
 * DESIGN
 *   Pairs are counted a row at a time: all baskets with an item, all that is in them. Of each row
 *   only the most frequent pairs are kept, and none that fewer than three baskets hold: rarer ones
 *   are chance, and ruin the table. fmath_log() has the same bits everywhere, so have the tables.
 */
#include "tools/table_count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmath.h"
#include "recommend/table_layout.h"

#define ROW_PAIRS_MAX 200

static int16_t
as_i16(double v)
{
	v = floor(v * TABLE_SHARE + 0.5);
	return (int16_t)(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
}

/* ---- rows ---- */

/* q_i: baskets of two and more, each 1/(|b|-1); with fewer its item would say nothing. */
static double *
shares_of(const struct table_part *part)
{
	double *q = mem_calloc(part->count + 1, sizeof(*q)), all = 0;

	for (size_t b = part->from; b < part->to; b++) {
		size_t count;
		const uint32_t *uses = table_part_basket(part, b, &count);

		for (size_t i = 0; count >= 2 && i < count; i++)
			q[uses[i]] += 1.0 / (double)(count - 1);
	}
	for (uint32_t i = 0; i < part->count; i++)
		all += q[i];
	for (uint32_t i = 0; i < part->count && all > 0; i++)
		q[i] /= all;
	return q;
}

void
table_made_init(struct table_made *made, const struct table_part *part, enum table_kind kind,
    int level)
{
	double *q = shares_of(part);

	*made = (struct table_made){ .rows = mem_calloc(part->count + 1, sizeof(*made->rows)),
		.first = mem_calloc(part->count + 1, sizeof(*made->first)) };
	for (uint32_t i = 0; i < part->count; i++) {
		uint32_t item = part->item[i];

		made->rows[i] = (struct table_row){ .text = part->data->items.keys[item].bytes,
			.name = part->data->goods[item].name,
			.baskets = part->baskets[i],
			.factor = TABLE_UNIT,
			.ln_share = as_i16(q[i] > 0 ? fmath_log(q[i]) : -32) };
	}
	free(q);
	made->parts = (struct table_parts){ .kind = kind,
		.level = level,
		.power = 1,
		.baskets = (uint32_t)(part->to - part->from),
		.decay = TABLE_SURE,
		.prior = 1,
		.patience = 100,
		.rows = made->rows,
		.row_count = part->count,
		.first = made->first };
	for (int i = 0; i < TABLE_RHYTHM; i++)
		made->parts.rhythm[i] = TABLE_UNIT;
	if (kind == TABLE_GROUPS) {
		made->pairs =
		    mem_calloc((size_t)part->count * part->count + 1, sizeof(*made->pairs));
		made->parts.pairs = made->pairs;
	}
}

void
table_made_done(struct table_made *made)
{
	free(made->rows);
	free(made->pairs);
	free(made->first);
	free(made->cells);
	free(made->steps);
	*made = (struct table_made){ 0 };
}

void
table_made_plain(struct table_made *made)
{
	uint32_t count = made->parts.row_count;

	if (made->pairs != NULL)
		memset(made->pairs, 0, (size_t)count * count * sizeof(*made->pairs));
	memset(made->first, 0, (count + 1) * sizeof(*made->first));
	free(made->cells);
	made->cells = NULL;
	made->parts.cells = NULL;
	/* By plain counting: the order of the shares would be another. */
	for (uint32_t i = 0; i < count; i++)
		made->rows[i].ln_share =
		    as_i16(fmath_log((double)made->rows[i].baskets / made->parts.baskets));
}

/* ---- groups ---- */

void
table_made_pairs(struct table_made *made, const struct table_part *part)
{
	uint32_t n = part->count;
	double *together = mem_calloc((size_t)n * n + 1, sizeof(*together)), *q = shares_of(part);

	for (size_t b = part->from; b < part->to; b++) {
		size_t count;
		const uint32_t *uses = table_part_basket(part, b, &count);

		for (size_t j = 0; count >= 2 && j < count; j++)
			for (size_t i = 0; i < count; i++)
				if (i != j)
					together[(size_t)uses[j] * n + uses[i]] +=
					    1.0 / (double)(count - 1);
	}
	for (uint32_t j = 0; j < n; j++) {
		double *row = together + (size_t)j * n, all = 0;

		for (uint32_t i = 0; i < n; i++)
			all += row[i];
		for (uint32_t i = 0; i < n; i++)
			made->pairs[(size_t)j * n + i] =
			    row[i] > 0 ? as_i16(fmath_log((row[i] + 1) / (all * q[i] + 1))) : 0;
	}
	free(together);
	free(q);
}

/* ---- pairs ---- */

static int
compare_pairs(const void *a, const void *b)
{
	const struct table_pair *x = a, *y = b;

	if (x->both != y->both)
		return x->both > y->both ? -1 : 1;
	return x->with < y->with ? -1 : x->with > y->with;
}

/* The baskets of each item: begin[i]..begin[i + 1] of list. */
static uint32_t *
baskets_by_item(const struct table_part *part, uint32_t **ret_begin)
{
	uint32_t *begin = mem_calloc(part->count + 2, sizeof(*begin)), all = 0,
		 *fill = mem_calloc(part->count + 1, sizeof(*fill)), *list;

	for (uint32_t i = 0; i < part->count; i++) {
		begin[i] = fill[i] = all;
		all += part->baskets[i];
	}
	begin[part->count] = all;
	list = mem_calloc((size_t)all + 1, sizeof(*list));
	for (size_t b = part->from; b < part->to; b++) {
		size_t count;
		const uint32_t *uses = table_part_basket(part, b, &count);

		for (size_t i = 0; i < count; i++)
			list[fill[uses[i]]++] = (uint32_t)b;
	}
	free(fill);
	*ret_begin = begin;
	return list;
}

struct row_counts {
	uint32_t *both, *seen;
	double *weighed;
	size_t seen_count;
	struct table_pair *kept;
};

static void
count_row(const struct table_part *part, const uint32_t *baskets, uint32_t count, uint32_t own,
    struct row_counts *row)
{
	row->seen_count = 0;
	for (uint32_t b = 0; b < count; b++) {
		size_t uses_count;
		const uint32_t *uses = table_part_basket(part, baskets[b], &uses_count);

		for (size_t i = 0; i < uses_count; i++) {
			if (uses[i] == own)
				continue;
			if (row->both[uses[i]]++ == 0)
				row->seen[row->seen_count++] = uses[i];
			row->weighed[uses[i]] += 1.0 / (double)(uses_count - 1);
		}
	}
}

static size_t
keep_row(struct row_counts *row)
{
	size_t kept = 0;

	for (size_t i = 0; i < row->seen_count; i++) {
		uint32_t with = row->seen[i];

		if (row->both[with] >= TABLE_BOTH_MIN)
			row->kept[kept++] =
			    (struct table_pair){ with, row->both[with], row->weighed[with] };
		row->both[with] = 0;
		row->weighed[with] = 0;
	}
	qsort(row->kept, kept, sizeof(*row->kept), compare_pairs);
	return kept < ROW_PAIRS_MAX ? kept : ROW_PAIRS_MAX;
}

void
table_pairs_make(struct table_pairs *pairs, const struct table_part *part)
{
	size_t n = part->count, count = 0, capacity = 0;
	uint32_t *begin, *baskets = baskets_by_item(part, &begin);
	struct row_counts row = { .both = mem_calloc(n + 1, sizeof(*row.both)),
		.seen = mem_calloc(n + 1, sizeof(*row.seen)),
		.weighed = mem_calloc(n + 1, sizeof(*row.weighed)),
		.kept = mem_calloc(n + 1, sizeof(*row.kept)) };

	*pairs = (struct table_pairs){ .first = mem_calloc(n + 1, sizeof(*pairs->first)) };
	for (uint32_t j = 0; j < n; j++) {
		size_t kept;

		count_row(part, baskets + begin[j], begin[j + 1] - begin[j], j, &row);
		kept = keep_row(&row);
		for (size_t i = 0; i < kept; i++) {
			pairs->list = mem_grow(pairs->list, count, &capacity, sizeof(*pairs->list));
			pairs->list[count++] = row.kept[i];
		}
		pairs->first[j + 1] = (uint32_t)count;
	}
	free(row.both);
	free(row.seen);
	free(row.weighed);
	free(row.kept);
	free(begin);
	free(baskets);
}

void
table_pairs_done(struct table_pairs *pairs)
{
	free(pairs->first);
	free(pairs->list);
	*pairs = (struct table_pairs){ 0 };
}

/* ---- neighbours ---- */

int
table_near_compare(const void *a, const void *b)
{
	const struct table_near *x = a, *y = b;

	if (x->weight > y->weight || x->weight < y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

static int
compare_cells(const void *a, const void *b)
{
	const struct table_cell *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

void
table_made_cells(struct table_made *made, struct table_near **rows, const size_t *counts)
{
	uint32_t n = made->parts.row_count, at = 0;
	double most = 0;

	free(made->cells);
	made->cells = mem_calloc((size_t)n * TABLE_ROW_MAX + 1, sizeof(*made->cells));
	for (uint32_t j = 0; j < n; j++)
		if (counts[j] > 0 && rows[j][0].weight > most)
			most = rows[j][0].weight;
	for (uint32_t j = 0; j < n; j++) {
		uint32_t from = at;

		for (size_t i = 0; i < counts[j] && i < TABLE_ROW_MAX; i++) {
			double weight = floor(rows[j][i].weight / most * 65535 + 0.5);

			if (weight >= 1)
				made->cells[at++] = (struct table_cell){ (uint16_t)rows[j][i].item,
					(uint16_t)weight };
		}
		/* Rounded they may be equal. */
		qsort(made->cells + from, at - from, sizeof(*made->cells), compare_cells);
		made->first[j + 1] = at;
	}
	made->parts.cells = made->cells;
}

static double
power(double base, double exponent)
{
	return exponent > 0 ? fmath_exp(exponent * fmath_log(base)) : 1;
}

void
table_made_neighbours(struct table_made *made, const struct table_part *part,
    const struct table_pairs *pairs, const struct table_how *how)
{
	uint32_t n = part->count;
	struct table_near **rows = mem_calloc(n + 1, sizeof(*rows)),
			  *list = mem_calloc(pairs->first[n] + 1, sizeof(*list));
	size_t *counts = mem_calloc(n + 1, sizeof(*counts));

	made->parts.power = how->e;
	for (uint32_t j = 0; j < n; j++) {
		double own = power(part->baskets[j], how->a);

		rows[j] = list + pairs->first[j];
		counts[j] = pairs->first[j + 1] - pairs->first[j];
		for (size_t i = 0; i < counts[j]; i++) {
			const struct table_pair *pair = &pairs->list[pairs->first[j] + i];
			double both = how->by_length ? pair->weighed : pair->both,
			       sure = (double)pair->both / (pair->both + 2.0);

			rows[j][i] = (struct table_near){ pair->with,
				both * sure /
				    (own * power(part->baskets[pair->with], 1 - how->a)) };
		}
		qsort(rows[j], counts[j], sizeof(**rows), table_near_compare);
	}
	table_made_cells(made, rows, counts);
	free(rows);
	free(list);
	free(counts);
}
