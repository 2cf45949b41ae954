/* SPDX-License-Identifier: Apache-2.0
 *
 * table_import.h - a list of pairs that somebody else made, as a table. Pure.
 */
#ifndef AISLE_RECOMMEND_TABLE_IMPORT_H
#define AISLE_RECOMMEND_TABLE_IMPORT_H

#include "recommend/table.h"

/* CSV with the columns item, other, score and, if it likes, name (of other): how much an item speaks
 * for another. The 20 largest of each item stay. Scores of at most 1 are chances; others are an order
 * alone, and their chance is 0. A GTIN in any writing is that GTIN. AISLE_E_INVALID: err says where. */
int table_import(const char *text, size_t len, const char *file, enum table_kind kind,
    struct buf *out, struct err *err) AISLE_MUST_CHECK;

#endif
