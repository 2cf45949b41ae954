/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog_layout.h - where what lies in the bytes of catalog.h, for who reads and who writes them.
 */
#ifndef AISLE_NOUNS_CATALOG_LAYOUT_H
#define AISLE_NOUNS_CATALOG_LAYOUT_H

#include "aisle/base.h"

#define CATALOG_MAGIC "AISLART1"
#define CATALOG_HEAD 40
#define CATALOG_ARTICLE 32
#define CATALOG_PICTURE 32
#define CATALOG_SKU (UINT64_C(1) << 63)

/* Counts, the length of the texts, and where each row of them begins. */
struct catalog_layout {
	uint32_t keys, articles, sets, entries, pictures, texts;
	uint64_t key_at, of_key_at, article_at, set_at, entry_at, picture_at, text_at;
};
/* From the counts; where all of it ends. */
uint64_t catalog_lay_out(struct catalog_layout *at);
static inline uint32_t
catalog_u32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	    (uint32_t)at[3] << 24;
}
static inline uint64_t
catalog_u64(const uint8_t *at)
{
	return catalog_u32(at) | (uint64_t)catalog_u32(at + 4) << 32;
}
static inline uint32_t
catalog_u16(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

/* catalog_check.c; the layout fits the length already. AISLE_E_DAMAGED */
int catalog_check(const uint8_t *bytes, const struct catalog_layout *at, struct err *err)
    AISLE_MUST_CHECK;
int catalog_damaged(struct err *err, const char *what); /* says so */

#endif
