/* SPDX-License-Identifier: Apache-2.0
 *
 * table_layout.h - where what lies in the bytes of table.h, for who reads and who writes them.
 */
#ifndef AISLE_RECOMMEND_TABLE_LAYOUT_H
#define AISLE_RECOMMEND_TABLE_LAYOUT_H

#include "recommend/table.h"

#define TABLE_MAGIC "AISLTAB1"
#define TABLE_HEAD 64
#define TABLE_ROW 20
#define TABLE_CELL 4
#define TABLE_STEP 12
#define TABLE_UNIT 4096	 /* of factors and of the rhythm */
#define TABLE_SHARE 1024 /* of logarithms */
#define TABLE_SURE 65536 /* of chances, and of the decay */

struct table_layout {
	enum table_kind kind;
	int level, power;
	uint32_t items, cells, steps, texts, baskets, decay, prior, patience;
	uint64_t key_at, of_key_at, row_at, pair_at, first_at, cell_at, step_at, text_at;
};
struct table {
	const uint8_t *bytes;
	size_t len;
	struct table_layout at;
};

/* From the counts; where all of it ends. */
uint64_t table_lay_out(struct table_layout *at);
/* Of a text, FNV-1a with 64 bits. */
uint64_t table_key(const char *text, size_t len);
/* table_check.c; the layout fits the length already. AISLE_E_DAMAGED */
int table_check(const uint8_t *bytes, const struct table_layout *at, struct err *err)
    AISLE_MUST_CHECK;
/* NULL, or what is wrong with a text. */
const char *table_text_wrong(const char *text, size_t len);
int table_damaged(struct err *err, const char *what); /* says so */

static inline uint32_t
table_u16(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}
static inline int32_t
table_i16(const uint8_t *at)
{
	uint32_t v = table_u16(at);

	return v < 32768 ? (int32_t)v : (int32_t)v - 65536;
}
static inline uint32_t
table_u32(const uint8_t *at)
{
	return table_u16(at) | table_u16(at + 2) << 16;
}
static inline uint64_t
table_u64(const uint8_t *at)
{
	return table_u32(at) | (uint64_t)table_u32(at + 4) << 32;
}
static inline const uint8_t *
table_row_at(const struct table *table, uint32_t item)
{
	return table->bytes + table->at.row_at + (size_t)TABLE_ROW * item;
}

#endif
