/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog.h - the chain's articles, as one read-only table: what a till did not say of a line.
 *
 * DESIGN
 *   One run of bytes, made at headquarters and read where it lies: nothing is built in memory
 *   when it is opened. An article is found by a number of 64 bits, of its GTIN or the hash of its
 *   sku, in an ascending row of them; what a text says is compared once more. What is wrong in the
 *   bytes is found when they are opened, so that a look-up has nothing to check.
 *
 * LAYOUT, little-endian
 *   "AISLART1"; u32 keys, articles, sets, entries, pictures, bytes of texts, 0, 0
 *   u64 key, ascending: a GTIN as a number, or bit 63 and 63 bits of BLAKE2b-64 of a sku
 *   u32 article of each key
 *   32 bytes an article: u32 sku, name, category, brand (texts); i32 margin; u32 picture (from 1;
 *     0: none); u16 set of marks; u8 kind of margin; u8 0; u32 0
 *   u32 first entry of each set, and of what follows the last; set 0 is empty
 *   4 bytes an entry: mark, 0, country in two letters (0 0: everywhere)
 *   32 bytes a picture: BLAKE2b-256 of its bytes, ascending
 *   texts, each with a zero byte; the first is ""
 */
#ifndef AISLE_NOUNS_CATALOG_H
#define AISLE_NOUNS_CATALOG_H

#include "aisle/policy.h"
#include "core/buf.h"

#define CATALOG_ARTICLES_MAX 100000
#define CATALOG_KEYS_MAX (4 * CATALOG_ARTICLES_MAX)
#define CATALOG_TEXT_MAX 256	    /* bytes of a sku, a name, a category, a brand */
#define CATALOG_SETS_MAX 4096	    /* different sets of marks */
#define CATALOG_SET_ENTRIES_MAX 512 /* in one */
#define CATALOG_PICTURES_MAX 8000
#define CATALOG_BYTES_MAX (16u << 20)
#define CATALOG_PIECE_MAX 100000000 /* minor units of margin a piece, either sign */
#define CATALOG_SHARE_ONE 100000    /* 100 %, in thousandths of a percent */
#define CATALOG_SHARE_MAX CATALOG_SHARE_ONE
#define CATALOG_SHARE_MIN (-10 * CATALOG_SHARE_ONE)
#define CATALOG_QTY_MAX INT64_C(1000000000) /* thousandths: a million pieces */

enum catalog_margin { CATALOG_MARGIN_NONE, CATALOG_MARGIN_PIECE, CATALOG_MARGIN_SHARE };

struct catalog_is {
	char name[129], hash[65]; /* hash: of the bundle */
	int64_t version;
};

struct catalog;
/* bytes are borrowed for as long as it lives, and go with it by release (NULL: they stay). country:
 * of the store, whose marks count; NULL: those of all. AISLE_E_DAMAGED: err says what is wrong; the
 * bytes are the caller's still. */
int catalog_open(const void *bytes, size_t len, const char *country,
    void (*release)(const void *bytes, size_t len), struct catalog **ret, struct err *err)
    AISLE_MUST_CHECK;
/* Of bytes that catalog_open took once: nothing is looked at but what their size depends on. */
int catalog_open_again(const void *bytes, size_t len, const char *country,
    void (*release)(const void *bytes, size_t len), struct catalog **ret, struct err *err)
    AISLE_MUST_CHECK;
void catalog_free(struct catalog *catalog); /* NULL is fine */
void catalog_name(struct catalog *catalog, const struct catalog_is *is);
const struct catalog_is *catalog_is(const struct catalog *catalog);
size_t catalog_count(const struct catalog *catalog);
size_t catalog_codes(const struct catalog *catalog);
size_t catalog_pictures(const struct catalog *catalog);
const void *catalog_table(const struct catalog *catalog); /* its bytes */
size_t catalog_bytes(const struct catalog *catalog);
/* hash: 64 hex digits */
bool catalog_has_picture(const struct catalog *catalog, const char *hash);

struct catalog_article {
	const char *category, *brand, *name; /* as the events have them; NULL: not said */
	enum mark mark;
	enum catalog_margin margin_kind;
	int32_t margin;		/* minor units a piece, or a share */
	const uint8_t *picture; /* 32 bytes of hash; NULL: none */
};
/* By what a code or a sku says: any writing of a GTIN is that GTIN. "" or NULL: nothing is said.
 * The article is named by its sku, else by its GTIN (nouns/match.h). */
bool catalog_find(const struct catalog *catalog, const char *text, struct catalog_article *ret);
/* Of a whole line, in minor units, rounded half away from zero: what a piece brings times the quantity,
 * or the share of the amount before discounts; less the discounts. false: it has none. */
bool catalog_margin(const struct catalog_article *article, int64_t qty_milli, int64_t amount_minor,
    int64_t discount_minor, int64_t *ret_minor);

/* ---- catalog_fill.c ---- */

struct arena;
/* What is not said of the item, in it and in data, which is its JSON; marks are added. Texts are the
 * catalog's. false: it has no such article. */
bool catalog_fill(const struct catalog *catalog, struct arena *arena, struct event_item *item,
    struct json_t *data, bool is_line);

/* ---- made (catalog_pack.c) ---- */

struct catalog_mark {
	enum mark mark;
	char country[3]; /* "": everywhere */
};
struct catalog_row {
	const char *sku;	  /* NULL: none */
	const char *const *gtins; /* beside it; in any writing */
	size_t gtin_count;
	const char *category, *brand, *name; /* NULL: not said */
	const struct catalog_mark *marks;
	size_t mark_count;
	enum catalog_margin margin_kind;
	int32_t margin;
	const uint8_t *picture; /* 32 bytes; NULL: none */
};
/* The same bytes for the same rows. AISLE_E_INVALID: two rows have a code in common:
 * ret_clash says which. AISLE_E_FULL: err says of what there is too much. */
struct catalog_clash {
	size_t row, former;
	const char *code;
};
int catalog_pack(const struct catalog_row *rows, size_t count, struct buf *out,
    struct catalog_clash *ret_clash, struct err *err) AISLE_MUST_CHECK;
/* of a GTIN in any writing, else of a sku */
uint64_t catalog_key(const char *text);

#endif
