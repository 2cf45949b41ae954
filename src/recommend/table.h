/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h - what goes with what, as one read-only run of bytes: looked up while a basket fills. Pure.
 *
 * DESIGN
 *   Made by counting (tools/table_train.h) or from a list of somebody else's, read where it lies.
 *   What is wrong in the bytes is found when they are opened; a look-up has nothing to check.
 *   Scores are integers, so that they are the same everywhere; an item's number is its rank by how
 *   many baskets have it, and of equal scores the smaller number comes first: where a table has
 *   nothing to say it is plain counting.
 *
 * LAYOUT, little-endian
 *   "AISLTAB1"; u8 kind, level, power, 0; u32 items, cells, steps, bytes of texts, baskets
 *   u32 decay (of 65536), prior; u16 rhythm[11] (of 4096); u16 patience (of 100; 0: until
 *   he pays)
 *   u64 key of each text, ascending; u32 item of each key
 *   20 bytes an item: u32 text, name (0: none), baskets with it, gap in minutes (0: not known);
 *     u16 factor (of 4096); i16 ln of its share (1/1024)
 *   TABLE_GROUPS: i16 l_ji, items × items; an odd number of them has one more
 *   TABLE_ARTICLES, TABLE_SUBSTITUTES: u32 first cell of each item, and the end; 4 bytes a cell:
 *     u16 item, u16 weight; a row's by falling weight, then by item
 *   12 bytes a step of the calibration: i64 score, u32 chance (of 65536); both ascending
 *   texts, each with a zero byte; the first is ""
 */
#ifndef AISLE_RECOMMEND_TABLE_H
#define AISLE_RECOMMEND_TABLE_H

#include "aisle/base.h"
#include "core/buf.h"

#define TABLE_ITEMS_MAX 65535
#define TABLE_GROUPS_MAX 512
#define TABLE_ROW_MAX 20   /* cells of an item */
#define TABLE_STEPS_MAX 64 /* of a calibration */
#define TABLE_TEXT_MAX 256 /* bytes of a text */
#define TABLE_LEVEL_MAX 8  /* steps of a category */
#define TABLE_BYTES_MAX (16u << 20)
#define TABLE_SCANNED_MAX 256 /* different items of a basket that count: the first */
#define TABLE_OWN_MAX 64      /* items of a customer that are ranked */
#define TABLE_VISITS_MAX 256  /* of a customer, the newest */
#define TABLE_RHYTHM 11
#define TABLE_PATIENCE_MAX 1000
/* Less is no habit that somebody is reminded of. */
#define TABLE_OWN_VISITS_MIN 2
#define TABLE_OWN_CHANCE_MIN 0.2

enum table_kind {
	TABLE_GROUPS = 1,  /* open basket: every pair */
	TABLE_ARTICLES,	   /* open basket: the strongest neighbours */
	TABLE_OWN,	   /* the customer's own */
	TABLE_SUBSTITUTES, /* instead of one */
};
extern const char *const table_kind_names[5]; /* "", "groups", "articles", … */

struct table;
/* bytes are borrowed for as long as it lives. AISLE_E_DAMAGED: err says what is wrong. */
int table_open(const void *bytes, size_t len, struct table **ret, struct err *err) AISLE_MUST_CHECK;
void table_free(struct table *table); /* NULL is fine */

enum table_kind table_kind(const struct table *table);
/* 0: its items are articles; n: the first n steps of a category */
int table_level(const struct table *table);
uint32_t table_count(const struct table *table);
uint32_t table_baskets(const struct table *table);
/* Of a customer's usual number of lines, how many hundredths there must be before he is reminded; 0: he pays. */
int table_patience_of(const struct table *table);
uint32_t table_cells(const struct table *table);
uint32_t table_steps(const struct table *table);
const void *table_bytes(const struct table *table, size_t *ret_len);
/* -1: it has no such item */
int32_t table_find(const struct table *table, const char *text, size_t len);
const char *table_text(const struct table *table, uint32_t item);
const char *table_name(const struct table *table, uint32_t item); /* NULL: none */
/* The length of a category as far as the level goes; 0: it has not so many steps. */
size_t table_category_len(const char *category, int level);

/* ---- look-up (table_scores.c) ---- */

struct arena;
struct table_pick {
	uint32_t item;
	int64_t score;
	double chance; /* calibrated; of plain counting the share of baskets with it */
};
/* May this item be said? */
typedef bool (*table_may_fn)(const void *ctx, uint32_t item);

/* Items that are scanned, to scores of all others. Memory is the arena's. */
struct table_scores;
struct table_scores *table_scores_new(struct arena *arena, const struct table *table,
    const uint32_t *scanned, size_t count);
int64_t table_score(const struct table_scores *scores, uint32_t item);
bool table_scanned(const struct table_scores *scores, uint32_t item);
/* The first max by falling score, none of them scanned, into picks. related: only what some scanned item names.
 * Returns how many. */
size_t table_top(const struct table_scores *scores, bool related, table_may_fn may, const void *ctx,
    struct table_pick *picks, size_t max);
double table_chance(const struct table *table, uint32_t item, int64_t score);

/* ---- the customer's own (table_own.c) ---- */

/* One visit; of its items those that the table has, each once. */
struct table_visit {
	int64_t at_ms;
	const uint32_t *items;
	size_t count;
};
struct table_own {
	uint32_t item;
	uint32_t visits; /* with it */
	int64_t last_ms;
	int64_t score;
	double chance;
};
#define TABLE_OWN_ONE (INT64_C(1) << 20) /* the score of certainty, before it is calibrated */
/* Visits in order of time, all before now_ms; of more than TABLE_VISITS_MAX the newest. By falling score, at most TABLE_OWN_MAX; returns how many. */
size_t table_own(struct arena *arena, const struct table *table, const struct table_visit *visits,
    size_t count, int64_t now_ms, struct table_own *ret);
/* Is it too early to remind him, with so many lines of his usual number? patience: lines over usual. */
bool table_waits(const struct table_own *own, double lines, double usual, double patience);
/* Which bin of the rhythm. */
int table_rhythm_bin(double times_gap);
/* Of both, that either comes: 1 - (1 - p)(1 - c). */
static inline double
table_joined(double p, double c)
{
	return 1.0 - (1.0 - p) * (1.0 - c);
}

/* ---- made (table_pack.c) ---- */

struct table_row {
	const char *text, *name; /* name NULL: none */
	uint32_t baskets, gap_min;
	uint16_t factor;
	int16_t ln_share;
};
struct table_cell {
	uint16_t item, weight;
};
struct table_step {
	int64_t score;
	uint32_t chance;
};
struct table_parts {
	enum table_kind kind;
	int level, power;
	uint32_t baskets, decay, prior;
	uint16_t rhythm[TABLE_RHYTHM];
	uint16_t patience;
	const struct table_row *rows; /* the order of items: by falling baskets, then by text */
	uint32_t row_count;
	const int16_t *pairs;  /* TABLE_GROUPS */
	const uint32_t *first; /* else, row_count + 1 */
	const struct table_cell *cells;
	const struct table_step *steps;
	uint32_t step_count;
};
/* The same bytes for the same parts. AISLE_E_INVALID: a text stands twice; AISLE_E_FULL. */
int table_pack(const struct table_parts *parts, struct buf *out, struct err *err) AISLE_MUST_CHECK;

#endif
