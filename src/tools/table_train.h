/* SPDX-License-Identifier: Apache-2.0
 *
 * table_train.h - tables from baskets: counted, settled on the last sixth, calibrated there. Pure.
 *
 * Every setting is chosen on the last sixth of the baskets, counted from those before; then the
 * table is counted again from all of them. Where nothing beats plain counting there, it is plain
 * counting, and the result says so.
 */
#ifndef AISLE_TOOLS_TABLE_TRAIN_H
#define AISLE_TOOLS_TABLE_TRAIN_H

#include "core/buf.h"
#include "tools/table_data.h"

#define TABLE_CARRIES_MIN 200 /* baskets of two and more items; with fewer there is no table */

struct table_trained {
	struct buf bytes;  /* as of table_open(); empty: there was not enough */
	char said[400];	   /* which settings, and how much they win; a sentence */
	bool counts_alone; /* nothing beat plain counting */
	double plain, won; /* on the last sixth: of plain counting, of this */
};
void table_trained_done(struct table_trained *trained);

/* Baskets from..to. level: as of table_level(). Dense where there are at most TABLE_GROUPS_MAX groups that
 * matter, else neighbours; whichever is better. */
void table_train_basket(const struct table_data *data, size_t from, size_t to, int level,
    struct table_trained *ret);
void table_train_own(const struct table_data *data, size_t from, size_t to, int level,
    struct table_trained *ret);
void table_train_substitutes(const struct table_data *data, size_t from, size_t to, int level,
    struct table_trained *ret);

/* One way alone: TABLE_GROUPS, or TABLE_ARTICLES; for who measures (tests/bench/recommend.c). */
void table_train_open(const struct table_data *data, size_t from, size_t to, int level, int kind,
    struct table_trained *ret);

#endif
