/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog_pack.c - rows of articles to the bytes that catalog.c reads.
 */
#include "nouns/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nouns/catalog_layout.h"

struct key {
	uint64_t key;
	uint32_t row;
	const char *code;
};

/* Bytes that are kept once, by hashing with open addresses: texts, and sets of marks. */
struct once {
	uint32_t *cells; /* 1 + what stands for them; 0: none */
	size_t size;	 /* a power of two */
};

struct pack {
	const struct catalog_row *rows;
	size_t count;
	struct catalog_layout at;
	struct key *keys;
	uint8_t (*pictures)[CATALOG_PICTURE];
	struct buf texts, sets, entries, articles;
	struct once text_cells;
	struct err *err;
};

static int
too_much(struct pack *pack, const char *what, long long max)
{
	return err_set(pack->err, AISLE_E_FULL, "too many %s, expected at most %lld", what, max);
}

/* ---- codes ---- */

static int
compare_key(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int
take_keys(struct pack *pack, struct catalog_clash *ret_clash)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < pack->count; i++)
		count += pack->rows[i].gtin_count + (pack->rows[i].sku != NULL);
	if (count > CATALOG_KEYS_MAX)
		return too_much(pack, "codes", CATALOG_KEYS_MAX);
	pack->keys = mem_calloc(count + 1, sizeof(*pack->keys));
	count = 0;
	for (uint32_t i = 0; i < pack->count; i++) {
		const struct catalog_row *row = &pack->rows[i];

		for (size_t k = row->sku != NULL ? 0 : 1; k <= row->gtin_count; k++) {
			const char *code = k == 0 ? row->sku : row->gtins[k - 1];

			pack->keys[count++] = (struct key){ catalog_key(code), i, code };
		}
	}
	qsort(pack->keys, count, sizeof(*pack->keys), compare_key);
	for (size_t i = 0; i < count; i++) {
		const struct key *key = &pack->keys[i],
				 *last = kept > 0 ? &pack->keys[kept - 1] : NULL;

		if (last != NULL && last->key == key->key && last->row != key->row) {
			*ret_clash = (struct catalog_clash){ key->row, last->row, key->code };
			return err_set(pack->err, AISLE_E_INVALID,
			    "two articles have the code %.64s", key->code);
		}
		if (last == NULL || last->key != key->key)
			pack->keys[kept++] = *key;
	}
	pack->at.keys = (uint32_t)kept;
	return 0;
}

/* ---- images ---- */

static int
compare_picture(const void *a, const void *b)
{
	return memcmp(a, b, CATALOG_PICTURE);
}

static int
take_pictures(struct pack *pack)
{
	size_t count = 0, kept = 0;

	pack->pictures = mem_calloc(pack->count + 1, sizeof(*pack->pictures));
	for (size_t i = 0; i < pack->count; i++) {
		if (pack->rows[i].picture != NULL)
			memcpy(pack->pictures[count++], pack->rows[i].picture, CATALOG_PICTURE);
	}
	qsort(pack->pictures, count, sizeof(*pack->pictures), compare_picture);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 ||
		    memcmp(pack->pictures[kept - 1], pack->pictures[i], CATALOG_PICTURE) != 0)
			memmove(pack->pictures[kept++], pack->pictures[i], CATALOG_PICTURE);
	}
	if (kept > CATALOG_PICTURES_MAX)
		return too_much(pack, "images", CATALOG_PICTURES_MAX);
	pack->at.pictures = (uint32_t)kept;
	return 0;
}

/* From 1; 0: none. */
static uint32_t
picture_of(const struct pack *pack, const struct catalog_row *row)
{
	const uint8_t(*found)[CATALOG_PICTURE];

	if (row->picture == NULL)
		return 0;
	found = bsearch(row->picture, pack->pictures, pack->at.pictures, CATALOG_PICTURE,
	    compare_picture);
	CHECK(found != NULL);
	return (uint32_t)(found - (const uint8_t(*)[CATALOG_PICTURE])pack->pictures) + 1;
}

/* ---- texts ---- */

static uint32_t
text_of(struct pack *pack, const char *text)
{
	struct once *once = &pack->text_cells;
	size_t cell, len = text != NULL ? strlen(text) : 0;
	uint32_t at;

	if (len == 0)
		return 0;
	CHECK(len <= CATALOG_TEXT_MAX);
	for (cell = catalog_key(text) & (once->size - 1); once->cells[cell] != 0;
	     cell = (cell + 1) & (once->size - 1)) {
		if (strcmp(pack->texts.data + once->cells[cell], text) == 0)
			return once->cells[cell];
	}
	at = (uint32_t)pack->texts.len;
	once->cells[cell] = at;
	buf_add(&pack->texts, text, len + 1);
	return at;
}

/* ---- marks ---- */

static int
compare_mark(const void *a, const void *b)
{
	const struct catalog_mark *x = a, *y = b;

	return x->mark != y->mark ? (x->mark < y->mark ? -1 : 1) : strcmp(x->country, y->country);
}

static bool
is_set(const struct pack *pack, uint32_t set, const void *bytes, size_t len)
{
	const uint8_t *starts = (const uint8_t *)pack->sets.data;
	uint32_t from = catalog_u32(starts + 4 * (size_t)set),
		 to = set + 1 < pack->at.sets ? catalog_u32(starts + 4 * (size_t)set + 4)
					      : (uint32_t)pack->entries.len / 4;

	return (to - from) * 4 == len &&
	    (len == 0 || memcmp(pack->entries.data + 4 * (size_t)from, bytes, len) == 0);
}

/* There are few different ones, and the one before is often the same. */
static int
set_of(struct pack *pack, const struct catalog_row *row, uint32_t *ret_set)
{
	struct catalog_mark marks[CATALOG_SET_ENTRIES_MAX];
	struct buf set = { 0 };
	int rc = 0;

	if (row->mark_count > CATALOG_SET_ENTRIES_MAX)
		return too_much(pack, "marks of an article", CATALOG_SET_ENTRIES_MAX);
	if (row->mark_count > 0) {
		memcpy(marks, row->marks, row->mark_count * sizeof(*marks));
		qsort(marks, row->mark_count, sizeof(*marks), compare_mark);
	}
	for (size_t i = 0; i < row->mark_count; i++) {
		if (i > 0 && compare_mark(&marks[i - 1], &marks[i]) == 0)
			continue;
		buf_u8(&set, (uint8_t)marks[i].mark);
		buf_u8(&set, 0);
		buf_u8(&set, (uint8_t)marks[i].country[0]);
		buf_u8(&set, marks[i].country[0] != '\0' ? (uint8_t)marks[i].country[1] : 0);
	}
	for (*ret_set = pack->at.sets; *ret_set > 0; --*ret_set) {
		if (is_set(pack, *ret_set - 1, set.data, set.len))
			break;
	}
	if (*ret_set > 0) {
		--*ret_set;
	} else if (pack->at.sets == CATALOG_SETS_MAX) {
		rc = too_much(pack, "different sets of marks", CATALOG_SETS_MAX);
	} else {
		*ret_set = pack->at.sets++;
		buf_u32(&pack->sets, (uint32_t)pack->entries.len / 4);
		buf_add(&pack->entries, set.data, set.len);
	}
	buf_done(&set);
	return rc;
}

/* ---- articles ---- */

static int
add_article(struct pack *pack, const struct catalog_row *row)
{
	struct buf *out = &pack->articles;
	uint32_t set;
	int rc = set_of(pack, row, &set);

	if (rc != 0)
		return rc;
	buf_u32(out, text_of(pack, row->sku));
	buf_u32(out, text_of(pack, row->name));
	buf_u32(out, text_of(pack, row->category));
	buf_u32(out, text_of(pack, row->brand));
	buf_u32(out, (uint32_t)row->margin);
	buf_u32(out, picture_of(pack, row));
	buf_u8(out, (uint8_t)set);
	buf_u8(out, (uint8_t)(set >> 8));
	buf_u8(out, (uint8_t)row->margin_kind);
	buf_u8(out, 0);
	buf_u32(out, 0);
	return 0;
}

static void
write_u64(struct buf *out, uint64_t number)
{
	buf_u32(out, (uint32_t)number);
	buf_u32(out, (uint32_t)(number >> 32));
}

static void
write_all(struct pack *pack, struct buf *out)
{
	struct catalog_layout *at = &pack->at;

	buf_adds(out, CATALOG_MAGIC);
	buf_u32(out, at->keys);
	buf_u32(out, at->articles);
	buf_u32(out, at->sets);
	buf_u32(out, at->entries);
	buf_u32(out, at->pictures);
	buf_u32(out, at->texts);
	write_u64(out, 0);
	for (uint32_t i = 0; i < at->keys; i++)
		write_u64(out, pack->keys[i].key);
	for (uint32_t i = 0; i < at->keys; i++)
		buf_u32(out, pack->keys[i].row);
	buf_add(out, pack->articles.data, pack->articles.len);
	buf_add(out, pack->sets.data, pack->sets.len);
	buf_u32(out, at->entries);
	buf_add(out, pack->entries.data, pack->entries.len);
	buf_add(out, pack->pictures, (size_t)at->pictures * CATALOG_PICTURE);
	buf_add(out, pack->texts.data, pack->texts.len);
}

int
catalog_pack(const struct catalog_row *rows, size_t count, struct buf *out,
    struct catalog_clash *ret_clash, struct err *err)
{
	static const struct catalog_row nothing;
	struct pack pack = { .rows = rows, .count = count, .err = err };
	uint32_t none;
	int rc;

	if (count > CATALOG_ARTICLES_MAX)
		return too_much(&pack, "articles", CATALOG_ARTICLES_MAX);
	pack.at.articles = (uint32_t)count;
	for (pack.text_cells.size = 16; pack.text_cells.size < 8 * count;)
		pack.text_cells.size *= 2;
	pack.text_cells.cells = mem_calloc(pack.text_cells.size, sizeof(*pack.text_cells.cells));
	buf_u8(&pack.texts, 0);
	rc = set_of(&pack, &nothing, &none);
	if (rc == 0)
		rc = take_keys(&pack, ret_clash);
	if (rc == 0)
		rc = take_pictures(&pack);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_article(&pack, &rows[i]);
	if (rc == 0) {
		pack.at.entries = (uint32_t)(pack.entries.len / 4);
		pack.at.texts = (uint32_t)pack.texts.len;
		write_all(&pack, out);
		CHECK(out->len == catalog_lay_out(&pack.at));
	}
	free(pack.keys);
	free(pack.pictures);
	free(pack.text_cells.cells);
	buf_done(&pack.texts);
	buf_done(&pack.sets);
	buf_done(&pack.entries);
	buf_done(&pack.articles);
	return rc;
}
