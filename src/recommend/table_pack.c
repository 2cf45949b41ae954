/* SPDX-License-Identifier: Apache-2.0
 *
 * table_pack.c - the bytes of a table: the same for the same parts.
 */
#include "recommend/table_layout.h"

#include <stdlib.h>
#include <string.h>

struct key {
	uint64_t key;
	uint32_t item;
};

static void
put_u16(struct buf *out, uint32_t v)
{
	buf_u8(out, (uint8_t)v);
	buf_u8(out, (uint8_t)(v >> 8));
}

static void
put_u64(struct buf *out, uint64_t v)
{
	buf_u32(out, (uint32_t)v);
	buf_u32(out, (uint32_t)(v >> 32));
}

static int
compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static void
put_head(const struct table_parts *parts, const struct table_layout *at, struct buf *out)
{
	buf_add(out, TABLE_MAGIC, 8);
	buf_u8(out, (uint8_t)parts->kind);
	buf_u8(out, (uint8_t)parts->level);
	buf_u8(out, (uint8_t)parts->power);
	buf_u8(out, 0);
	buf_u32(out, at->items);
	buf_u32(out, at->cells);
	buf_u32(out, at->steps);
	buf_u32(out, at->texts);
	buf_u32(out, parts->baskets);
	buf_u32(out, parts->decay);
	buf_u32(out, parts->prior);
	for (int i = 0; i < TABLE_RHYTHM; i++)
		put_u16(out, parts->rhythm[i]);
	put_u16(out, parts->patience);
}

static int
put_keys(const struct table_parts *parts, struct buf *out, struct err *err)
{
	struct key *keys = mem_calloc(parts->row_count + 1, sizeof(*keys));
	int rc = 0;

	for (uint32_t i = 0; i < parts->row_count; i++)
		keys[i] =
		    (struct key){ table_key(parts->rows[i].text, strlen(parts->rows[i].text)), i };
	qsort(keys, parts->row_count, sizeof(*keys), compare_keys);
	for (uint32_t i = 0; i < parts->row_count; i++) {
		put_u64(out, keys[i].key);
		if (i > 0 && keys[i].key == keys[i - 1].key)
			rc = err_set(err, AISLE_E_INVALID, "\"%s\" stands twice in the table",
			    parts->rows[keys[i].item].text);
	}
	for (uint32_t i = 0; i < parts->row_count; i++)
		buf_u32(out, keys[i].item);
	free(keys);
	return rc;
}

/* Rows, and their texts behind one another. */
static void
put_rows(const struct table_parts *parts, struct buf *out)
{
	uint32_t text = 1;

	for (uint32_t i = 0; i < parts->row_count; i++) {
		const struct table_row *row = &parts->rows[i];

		buf_u32(out, text);
		text += (uint32_t)strlen(row->text) + 1;
		buf_u32(out, row->name != NULL ? text : 0);
		text += row->name != NULL ? (uint32_t)strlen(row->name) + 1 : 0;
		buf_u32(out, row->baskets);
		buf_u32(out, row->gap_min);
		put_u16(out, row->factor);
		put_u16(out, (uint16_t)row->ln_share);
	}
}

static void
put_cells(const struct table_parts *parts, const struct table_layout *at, struct buf *out)
{
	if (parts->kind == TABLE_GROUPS) {
		size_t pairs = (size_t)at->items * at->items;

		for (size_t i = 0; i < pairs; i++)
			put_u16(out, (uint16_t)parts->pairs[i]);
		if (pairs % 2 != 0)
			put_u16(out, 0);
	}
	if (parts->kind == TABLE_ARTICLES || parts->kind == TABLE_SUBSTITUTES)
		for (uint32_t i = 0; i <= at->items; i++)
			buf_u32(out, parts->first[i]);
	for (uint32_t i = 0; i < at->cells; i++) {
		put_u16(out, parts->cells[i].item);
		put_u16(out, parts->cells[i].weight);
	}
}

static void
put_tail(const struct table_parts *parts, struct buf *out)
{
	for (uint32_t i = 0; i < parts->step_count; i++) {
		put_u64(out, (uint64_t)parts->steps[i].score);
		buf_u32(out, parts->steps[i].chance);
	}
	buf_addc(out, '\0');
	for (uint32_t i = 0; i < parts->row_count; i++) {
		const struct table_row *row = &parts->rows[i];

		buf_add(out, row->text, strlen(row->text) + 1);
		if (row->name != NULL)
			buf_add(out, row->name, strlen(row->name) + 1);
	}
}

static uint32_t
texts_of(const struct table_parts *parts)
{
	size_t texts = 1;

	for (uint32_t i = 0; i < parts->row_count; i++) {
		texts += strlen(parts->rows[i].text) + 1;
		texts += parts->rows[i].name != NULL ? strlen(parts->rows[i].name) + 1 : 0;
	}
	return texts > UINT32_MAX ? UINT32_MAX : (uint32_t)texts;
}

int
table_pack(const struct table_parts *parts, struct buf *out, struct err *err)
{
	bool sparse = parts->kind == TABLE_ARTICLES || parts->kind == TABLE_SUBSTITUTES;
	struct table_layout at = { .kind = parts->kind,
		.items = parts->row_count,
		.cells = sparse ? parts->first[parts->row_count] : 0,
		.steps = parts->step_count,
		.texts = texts_of(parts) };
	uint32_t most = parts->kind == TABLE_GROUPS ? TABLE_GROUPS_MAX : TABLE_ITEMS_MAX;
	uint64_t bytes = table_lay_out(&at);
	int rc;

	if (at.items > most || bytes > TABLE_BYTES_MAX)
		return err_set(err, AISLE_E_FULL,
		    "a table of %u items and %llu bytes, expected at most %u and %u", at.items,
		    (unsigned long long)bytes, most, TABLE_BYTES_MAX);
	buf_reserve(out, (size_t)bytes);
	put_head(parts, &at, out);
	rc = put_keys(parts, out, err);
	put_rows(parts, out);
	put_cells(parts, &at, out);
	put_tail(parts, out);
	CHECK(rc != 0 || out->len == bytes);
	return rc;
}
