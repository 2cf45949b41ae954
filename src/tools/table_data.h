/* SPDX-License-Identifier: Apache-2.0
 *
 * table_data.h - baskets as lists of items, for tables to be counted from. Pure.
 */
#ifndef AISLE_TOOLS_TABLE_DATA_H
#define AISLE_TOOLS_TABLE_DATA_H

#include "tools/train_index.h"

#define TABLE_DATA_BASKETS_MAX 500000
#define TABLE_DATA_ITEMS_MAX 500000
#define TABLE_DATA_USES_MAX 16000000
#define TABLE_DATA_BASKET_MAX 256 /* different items; larger ones are nobody's household */

struct table_basket {
	int64_t at_ms;
	int32_t customer; /* -1: nobody */
	uint32_t first, count;
};
/* What is known of an item beside its text; 0: not known. */
struct table_good {
	uint32_t type, brand, size, class; /* equal numbers are equal */
	double price;			   /* mean, minor units a piece */
	char *name;			   /* NULL: none */
};
struct table_data {
	struct table_basket *list; /* in order of time */
	size_t count, capacity;
	uint32_t *uses; /* items, each once a basket */
	size_t use_count, use_capacity;
	struct train_index items;
	struct table_good *goods; /* per item */
	size_t good_capacity;
	bool full; /* one of the bounds was met */
};
void table_data_init(struct table_data *data);
void table_data_done(struct table_data *data);
/* -1: there are too many */
int32_t table_data_item(struct table_data *data, const char *text, size_t len);
/* items: doubles are dropped; they are put in order. One that is too large counts as empty. */
void table_data_add(struct table_data *data, int64_t at_ms, int32_t customer, uint32_t *items,
    size_t count);

/* Of a basket's items those that are in the list; the others were taken back. */
void table_data_keep(struct table_data *data, size_t basket, const uint32_t *items, size_t count);

/* Baskets from..to, and their items numbered by how many baskets have them. */
struct table_part {
	const struct table_data *data;
	size_t from, to;
	uint32_t count;	   /* items */
	uint32_t *item;	   /* of data, by number */
	uint32_t *number;  /* of each item of data; UINT32_MAX: none of these baskets has it */
	uint32_t *baskets; /* with it, by number */
	/* Of all baskets of data, those items that have a number: */
	uint32_t *uses, *first; /* first: data->count + 1 */
};
/* At most max items, the most bought. */
void table_part_make(struct table_part *part, const struct table_data *data, size_t from, size_t to,
    uint32_t max);
void table_part_done(struct table_part *part);
static inline const uint32_t *
table_part_basket(const struct table_part *part, size_t basket, size_t *ret_count)
{
	*ret_count = part->first[basket + 1] - part->first[basket];
	return part->uses + part->first[basket];
}
/* Where the last sixth of from..to begins. */
size_t table_last_sixth(size_t from, size_t to);

#endif
