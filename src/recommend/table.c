/* SPDX-License-Identifier: Apache-2.0
 *
 * table.c - what goes with what, read where it lies.
 */
#include "recommend/table_layout.h"

#include <stdlib.h>
#include <string.h>

const char *const table_kind_names[5] = { "", "groups", "articles", "own", "substitutes" };

uint64_t
table_lay_out(struct table_layout *at)
{
	uint64_t end = TABLE_HEAD, pairs = (uint64_t)at->items * at->items;
	bool dense = at->kind == TABLE_GROUPS, sparse = !dense && at->kind != TABLE_OWN;

	at->key_at = end;
	end += (uint64_t)at->items * 8;
	at->of_key_at = end;
	end += (uint64_t)at->items * 4;
	at->row_at = end;
	end += (uint64_t)at->items * TABLE_ROW;
	at->pair_at = end;
	end += dense ? (pairs + 1) / 2 * 4 : 0;
	at->first_at = end;
	end += sparse ? ((uint64_t)at->items + 1) * 4 : 0;
	at->cell_at = end;
	end += (uint64_t)at->cells * TABLE_CELL;
	at->step_at = end;
	end += (uint64_t)at->steps * TABLE_STEP;
	at->text_at = end;
	return end + at->texts;
}

uint64_t
table_key(const char *text, size_t len)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * UINT64_C(1099511628211);
	return h;
}

/* ---- opened ---- */

static bool
counts_fit(const struct table_layout *at)
{
	return at->items <= (at->kind == TABLE_GROUPS ? TABLE_GROUPS_MAX : TABLE_ITEMS_MAX) &&
	    at->cells <= at->items * TABLE_ROW_MAX && at->steps <= TABLE_STEPS_MAX &&
	    at->texts >= 1 && at->texts <= TABLE_BYTES_MAX &&
	    (at->cells == 0 || at->kind == TABLE_ARTICLES || at->kind == TABLE_SUBSTITUTES);
}

static int
read_head(struct table *table, struct err *err)
{
	struct table_layout *at = &table->at;
	const uint8_t *head = table->bytes;

	if (table->len < TABLE_HEAD || memcmp(head, TABLE_MAGIC, 8) != 0)
		return table_damaged(err, "not a table of what goes together");
	if (table->len > TABLE_BYTES_MAX)
		return table_damaged(err, "more bytes than there may be");
	if (head[8] < TABLE_GROUPS || head[8] > TABLE_SUBSTITUTES || head[9] > TABLE_LEVEL_MAX ||
	    (head[10] != 1 && head[10] != 2 && head[10] != 4) || head[11] != 0)
		return table_damaged(err, "of a kind that is none");
	at->kind = (enum table_kind)head[8];
	at->level = head[9];
	at->power = head[10];
	at->items = table_u32(head + 12);
	at->cells = table_u32(head + 16);
	at->steps = table_u32(head + 20);
	at->texts = table_u32(head + 24);
	at->baskets = table_u32(head + 28);
	at->decay = table_u32(head + 32);
	at->prior = table_u32(head + 36);
	at->patience = table_u16(head + 62);
	if (!counts_fit(at))
		return table_damaged(err, "more than there may be");
	if (at->decay > TABLE_SURE || at->prior > 1024 || at->patience > TABLE_PATIENCE_MAX)
		return table_damaged(err, "its settings are none");
	if (table_lay_out(at) != table->len)
		return table_damaged(err, "not as long as its parts");
	return 0;
}

int
table_open(const void *bytes, size_t len, struct table **ret, struct err *err)
{
	struct table *table = mem_zero(sizeof(*table));
	int rc;

	table->bytes = bytes;
	table->len = len;
	rc = read_head(table, err);
	if (rc == 0)
		rc = table_check(table->bytes, &table->at, err);
	if (rc == 0)
		*ret = table;
	else
		table_free(table);
	return rc;
}

void
table_free(struct table *table)
{
	free(table);
}

/* ---- asked ---- */

enum table_kind
table_kind(const struct table *table)
{
	return table->at.kind;
}

int
table_level(const struct table *table)
{
	return table->at.level;
}

uint32_t
table_count(const struct table *table)
{
	return table->at.items;
}

uint32_t
table_baskets(const struct table *table)
{
	return table->at.baskets;
}

int
table_patience_of(const struct table *table)
{
	return (int)table->at.patience;
}

uint32_t
table_cells(const struct table *table)
{
	return table->at.cells;
}

uint32_t
table_steps(const struct table *table)
{
	return table->at.steps;
}

const void *
table_bytes(const struct table *table, size_t *ret_len)
{
	*ret_len = table->len;
	return table->bytes;
}

const char *
table_text(const struct table *table, uint32_t item)
{
	CHECK(item < table->at.items);
	return (const char *)table->bytes + table->at.text_at +
	    table_u32(table_row_at(table, item));
}

const char *
table_name(const struct table *table, uint32_t item)
{
	uint32_t at;

	CHECK(item < table->at.items);
	at = table_u32(table_row_at(table, item) + 4);
	return at == 0 ? NULL : (const char *)table->bytes + table->at.text_at + at;
}

int32_t
table_find(const struct table *table, const char *text, size_t len)
{
	const uint8_t *keys = table->bytes + table->at.key_at;
	uint64_t key = table_key(text, len);
	uint32_t from = 0, to = table->at.items, item;
	const char *found;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (table_u64(keys + 8 * (size_t)middle) < key)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == table->at.items || table_u64(keys + 8 * (size_t)from) != key)
		return -1;
	item = table_u32(table->bytes + table->at.of_key_at + 4 * (size_t)from);
	found = table_text(table, item);
	return strncmp(found, text, len) == 0 && found[len] == '\0' ? (int32_t)item : -1;
}

size_t
table_category_len(const char *category, int level)
{
	size_t len = 0;

	for (int step = 0; step < level; step++) {
		if (step > 0 && category[len++] != '/')
			return 0;
		len += strcspn(category + len, "/");
	}
	return len;
}
