/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog.c - the chain's articles, read where they lie.
 */
#include "nouns/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "nouns/catalog_layout.h"
#include "nouns/gtin.h"
#include "nouns/visit.h"

struct catalog {
	const uint8_t *bytes;
	size_t len;
	void (*release)(const void *bytes, size_t len);
	struct catalog_layout at;
	uint8_t *mark_of_set; /* in the store's country */
	struct catalog_is is;
};

/* ---- the layout ---- */

uint64_t
catalog_lay_out(struct catalog_layout *at)
{
	uint64_t end = CATALOG_HEAD;

	at->key_at = end;
	end += (uint64_t)at->keys * 8;
	at->of_key_at = end;
	end += (uint64_t)at->keys * 4;
	at->article_at = end;
	end += (uint64_t)at->articles * CATALOG_ARTICLE;
	at->set_at = end;
	end += ((uint64_t)at->sets + 1) * 4;
	at->entry_at = end;
	end += (uint64_t)at->entries * 4;
	at->picture_at = end;
	end += (uint64_t)at->pictures * CATALOG_PICTURE;
	at->text_at = end;
	return end + at->texts;
}

/* ---- opened ---- */

static int
read_head(struct catalog *catalog, struct err *err)
{
	struct catalog_layout *at = &catalog->at;
	const uint8_t *head = catalog->bytes;

	if (catalog->len < CATALOG_HEAD || memcmp(head, CATALOG_MAGIC, 8) != 0)
		return catalog_damaged(err, "not a table of articles");
	at->keys = catalog_u32(head + 8);
	at->articles = catalog_u32(head + 12);
	at->sets = catalog_u32(head + 16);
	at->entries = catalog_u32(head + 20);
	at->pictures = catalog_u32(head + 24);
	at->texts = catalog_u32(head + 28);
	if (at->keys > CATALOG_KEYS_MAX || at->articles > CATALOG_ARTICLES_MAX || at->sets < 1 ||
	    at->sets > CATALOG_SETS_MAX ||
	    at->entries > CATALOG_SETS_MAX * CATALOG_SET_ENTRIES_MAX ||
	    at->pictures > CATALOG_PICTURES_MAX || at->texts < 1)
		return catalog_damaged(err, "more than there may be");
	if (catalog_u64(head + 32) != 0 || catalog_lay_out(at) != catalog->len)
		return catalog_damaged(err, "not as long as its parts");
	return 0;
}

static bool
is_entry(const uint8_t *entry)
{
	bool everywhere = entry[2] == 0 && entry[3] == 0;

	return (entry[0] == MARK_NO_PROMOTION || entry[0] == MARK_SENSITIVE) && entry[1] == 0 &&
	    (everywhere ||
		(entry[2] >= 'A' && entry[2] <= 'Z' && entry[3] >= 'A' && entry[3] <= 'Z'));
}

/* Of the marks of a set that the country has, the stronger. */
static uint8_t
strongest(const uint8_t *entry, uint32_t count, const char *country)
{
	uint8_t mark = MARK_NONE;

	for (; count > 0; count--, entry += 4) {
		if (country != NULL && entry[2] != 0 && memcmp(entry + 2, country, 2) != 0)
			continue;
		if (entry[0] > mark)
			mark = entry[0];
	}
	return mark;
}

static int
read_sets(struct catalog *catalog, const char *country, struct err *err)
{
	const uint8_t *set = catalog->bytes + catalog->at.set_at,
		      *entry = catalog->bytes + catalog->at.entry_at;
	uint32_t sets = catalog->at.sets;

	if (catalog_u32(set) != 0 || catalog_u32(set + 4) != 0 ||
	    catalog_u32(set + 4 * (size_t)sets) != catalog->at.entries)
		return catalog_damaged(err, "its marks have no end");
	for (uint32_t i = 0; i < catalog->at.entries; i++) {
		if (!is_entry(entry + 4 * (size_t)i))
			return catalog_damaged(err, "a mark is none");
	}
	catalog->mark_of_set = mem_zero(sets);
	for (uint32_t i = 0; i < sets; i++) {
		uint32_t from = catalog_u32(set + 4 * (size_t)i),
			 to = catalog_u32(set + 4 * (size_t)i + 4);

		if (to < from || to > catalog->at.entries)
			return catalog_damaged(err, "its marks are not in order");
		catalog->mark_of_set[i] = strongest(entry + 4 * (size_t)from, to - from, country);
	}
	return 0;
}

static int
open_as(bool known, const void *bytes, size_t len, const char *country, struct catalog **ret,
    struct err *err)
{
	struct catalog *catalog = mem_zero(sizeof(*catalog));
	int rc;

	catalog->bytes = bytes;
	catalog->len = len;
	rc = read_head(catalog, err);
	if (rc == 0 && !known)
		rc = catalog_check(catalog->bytes, &catalog->at, err);
	if (rc == 0)
		rc = read_sets(catalog, country, err);
	if (rc == 0)
		*ret = catalog;
	else
		catalog_free(catalog);
	return rc;
}

int
catalog_open(const void *bytes, size_t len, const char *country,
    void (*release)(const void *bytes, size_t len), struct catalog **ret, struct err *err)
{
	int rc = open_as(false, bytes, len, country, ret, err);

	if (rc == 0)
		(*ret)->release = release;
	return rc;
}

int
catalog_open_again(const void *bytes, size_t len, const char *country,
    void (*release)(const void *bytes, size_t len), struct catalog **ret, struct err *err)
{
	int rc = open_as(true, bytes, len, country, ret, err);

	if (rc == 0)
		(*ret)->release = release;
	return rc;
}

void
catalog_free(struct catalog *catalog)
{
	if (catalog == NULL)
		return;
	if (catalog->release != NULL)
		catalog->release(catalog->bytes, catalog->len);
	free(catalog->mark_of_set);
	free(catalog);
}

/* ---- asked ---- */

void
catalog_name(struct catalog *catalog, const struct catalog_is *is)
{
	catalog->is = *is;
}

const struct catalog_is *
catalog_is(const struct catalog *catalog)
{
	return &catalog->is;
}

size_t
catalog_count(const struct catalog *catalog)
{
	return catalog->at.articles;
}

size_t
catalog_codes(const struct catalog *catalog)
{
	return catalog->at.keys;
}

size_t
catalog_pictures(const struct catalog *catalog)
{
	return catalog->at.pictures;
}

const void *
catalog_table(const struct catalog *catalog)
{
	return catalog->bytes;
}

size_t
catalog_bytes(const struct catalog *catalog)
{
	return catalog->len;
}

static uint64_t
number_of(const char gtin[static 15])
{
	uint64_t number = 0;

	for (int i = 0; i < 14; i++)
		number = number * 10 + (uint64_t)(gtin[i] - '0');
	return number;
}

uint64_t
catalog_key(const char *text)
{
	char gtin[15];
	uint8_t hash[8];

	if (gtin_normalise(text, gtin))
		return number_of(gtin);
	hash_bytes(hash, sizeof(hash), text, strlen(text), NULL, 0);
	return catalog_u64(hash) | CATALOG_SKU;
}

/* The place of key in the ascending row; count: it is not there. */
static uint32_t
place_of(const uint8_t *row, uint32_t count, uint64_t key)
{
	uint32_t from = 0, to = count;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (catalog_u64(row + 8 * (size_t)middle) < key)
			from = middle + 1;
		else
			to = middle;
	}
	return from < count && catalog_u64(row + 8 * (size_t)from) == key ? from : count;
}

static const char *
text_at(const struct catalog *catalog, uint32_t at)
{
	return at == 0 ? NULL : (const char *)catalog->bytes + catalog->at.text_at + at;
}

bool
catalog_find(const struct catalog *catalog, const char *text, struct catalog_article *ret)
{
	const struct catalog_layout *at = &catalog->at;
	const uint8_t *row;
	uint64_t key;
	uint32_t place, picture;

	if (text == NULL || text[0] == '\0')
		return false;
	key = catalog_key(text);
	place = place_of(catalog->bytes + at->key_at, at->keys, key);
	if (place == at->keys)
		return false;
	row = catalog->bytes + at->article_at +
	    (size_t)CATALOG_ARTICLE *
		catalog_u32(catalog->bytes + at->of_key_at + 4 * (size_t)place);
	if ((key & CATALOG_SKU) != 0) {
		const char *sku = text_at(catalog, catalog_u32(row));

		if (sku == NULL || strcmp(sku, text) != 0)
			return false;
	}
	picture = catalog_u32(row + 20);
	*ret = (struct catalog_article){
		.name = text_at(catalog, catalog_u32(row + 4)),
		.category = text_at(catalog, catalog_u32(row + 8)),
		.brand = text_at(catalog, catalog_u32(row + 12)),
		.mark = (enum mark)catalog->mark_of_set[catalog_u16(row + 24)],
		.margin_kind = (enum catalog_margin)row[26],
		.margin = (int32_t)catalog_u32(row + 16),
		.picture = picture == 0
		    ? NULL
		    : catalog->bytes + at->picture_at + (size_t)CATALOG_PICTURE * (picture - 1),
	};
	return true;
}

bool
catalog_has_picture(const struct catalog *catalog, const char *hash)
{
	uint32_t from = 0, to = catalog->at.pictures;
	uint8_t wanted[CATALOG_PICTURE];

	if (strlen(hash) != 2 * sizeof(wanted) || !hash_unhex(wanted, sizeof(wanted), hash))
		return false;
	while (from < to) {
		uint32_t middle = from + (to - from) / 2;
		int order = memcmp(catalog->bytes + catalog->at.picture_at +
			(size_t)CATALOG_PICTURE * middle,
		    wanted, sizeof(wanted));

		if (order == 0)
			return true;
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

static int64_t
rounded(int64_t number, int64_t by)
{
	return number < 0 ? -((-number + by / 2) / by) : (number + by / 2) / by;
}

bool
catalog_margin(const struct catalog_article *article, int64_t qty_milli, int64_t amount_minor,
    int64_t discount_minor, int64_t *ret_minor)
{
	int64_t off = discount_off(discount_minor), before, margin;

	/* As far as a product of two of them is a number. */
	if (article->margin_kind == CATALOG_MARGIN_NONE || off > MONEY_MAX ||
	    qty_milli > CATALOG_QTY_MAX)
		return false;
	before = amount_minor + off;
	if (article->margin_kind == CATALOG_MARGIN_SHARE) {
		margin = rounded(article->margin * before, CATALOG_SHARE_ONE);
	} else {
		margin = rounded(article->margin * qty_milli, 1000);
		/* Goods that are taken back bring what they brought, the other way round. */
		if (before < 0)
			margin = -margin;
	}
	margin -= off;
	if (margin > MONEY_MAX || margin < -MONEY_MAX)
		return false;
	*ret_minor = margin;
	return true;
}
