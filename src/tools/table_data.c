/* SPDX-License-Identifier: Apache-2.0
 *
 * table_data.c - baskets as lists of items.
 */
#include "tools/table_data.h"

#include <stdlib.h>
#include <string.h>

void
table_data_init(struct table_data *data)
{
	*data = (struct table_data){ .items.max = TABLE_DATA_ITEMS_MAX };
}

void
table_data_done(struct table_data *data)
{
	for (size_t i = 0; i < data->items.count; i++)
		free(data->goods[i].name);
	free(data->goods);
	train_index_done(&data->items);
	free(data->list);
	free(data->uses);
	table_data_init(data);
}

int32_t
table_data_item(struct table_data *data, const char *text, size_t len)
{
	size_t before = data->items.count;
	int32_t item = train_index_add(&data->items, text, len);

	if (item < 0) {
		data->full = true;
		return -1;
	}
	if (data->items.count > before) {
		data->goods =
		    mem_grow(data->goods, before, &data->good_capacity, sizeof(*data->goods));
		data->goods[item] = (struct table_good){ 0 };
	}
	return item;
}

static int
compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void
table_data_add(struct table_data *data, int64_t at_ms, int32_t customer, uint32_t *items,
    size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(items, count, sizeof(*items), compare_u32);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || items[kept - 1] != items[i])
			items[kept++] = items[i];
	if (kept > TABLE_DATA_BASKET_MAX)
		kept = 0;
	if (data->count == TABLE_DATA_BASKETS_MAX || data->use_count + kept > TABLE_DATA_USES_MAX) {
		data->full = true;
		return;
	}
	data->list = mem_grow(data->list, data->count, &data->capacity, sizeof(*data->list));
	data->list[data->count++] = (struct table_basket){ .at_ms = at_ms,
		.customer = customer,
		.first = (uint32_t)data->use_count,
		.count = (uint32_t)kept };
	for (size_t i = 0; i < kept; i++) {
		data->uses =
		    mem_grow(data->uses, data->use_count, &data->use_capacity, sizeof(*data->uses));
		data->uses[data->use_count++] = items[i];
	}
}

void
table_data_keep(struct table_data *data, size_t basket, const uint32_t *items, size_t count)
{
	struct table_basket *b = &data->list[basket];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < b->count; i++) {
		uint32_t item = data->uses[b->first + i];
		bool still = false;

		for (size_t j = 0; j < count && !still; j++)
			still = items[j] == item;
		if (still)
			data->uses[b->first + kept++] = item;
	}
	b->count = kept;
}

/* ---- a part of them ---- */

struct ranked {
	uint32_t item, baskets;
	const char *text;
};

static int
compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->baskets != y->baskets)
		return x->baskets > y->baskets ? -1 : 1;
	return strcmp(x->text, y->text);
}

static void
rank(struct table_part *part, uint32_t max)
{
	const struct table_data *data = part->data;
	struct ranked *list = mem_calloc(data->items.count + 1, sizeof(*list));

	for (size_t i = 0; i < data->items.count; i++) {
		list[i].item = (uint32_t)i;
		list[i].text = data->items.keys[i].bytes;
	}
	for (size_t b = part->from; b < part->to; b++)
		for (uint32_t i = 0; i < data->list[b].count; i++)
			list[data->uses[data->list[b].first + i]].baskets++;
	qsort(list, data->items.count, sizeof(*list), compare_ranked);
	while (part->count < data->items.count && part->count < max &&
	    list[part->count].baskets > 0) {
		part->item[part->count] = list[part->count].item;
		part->baskets[part->count] = list[part->count].baskets;
		part->number[list[part->count].item] = part->count;
		part->count++;
	}
	free(list);
}

void
table_part_make(struct table_part *part, const struct table_data *data, size_t from, size_t to,
    uint32_t max)
{
	size_t items = data->items.count + 1, at = 0;

	*part = (struct table_part){ .data = data,
		.from = from,
		.to = to,
		.item = mem_calloc(items, sizeof(*part->item)),
		.number = mem_calloc(items, sizeof(*part->number)),
		.baskets = mem_calloc(items, sizeof(*part->baskets)),
		.uses = mem_calloc(data->use_count + 1, sizeof(*part->uses)),
		.first = mem_calloc(data->count + 1, sizeof(*part->first)) };
	for (size_t i = 0; i < items; i++)
		part->number[i] = UINT32_MAX;
	rank(part, max);
	for (size_t b = 0; b < data->count; b++) {
		for (uint32_t i = 0; i < data->list[b].count; i++) {
			uint32_t number = part->number[data->uses[data->list[b].first + i]];

			if (number != UINT32_MAX)
				part->uses[at++] = number;
		}
		part->first[b + 1] = (uint32_t)at;
	}
}

void
table_part_done(struct table_part *part)
{
	free(part->item);
	free(part->number);
	free(part->baskets);
	free(part->uses);
	free(part->first);
	*part = (struct table_part){ 0 };
}

size_t
table_last_sixth(size_t from, size_t to)
{
	return to - (to - from) / 6;
}
