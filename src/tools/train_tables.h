/* SPDX-License-Identifier: Apache-2.0
 *
 * train_tables.h - the baskets of the recorded events as what tables are counted from.
 */
#ifndef AISLE_TOOLS_TRAIN_TABLES_H
#define AISLE_TOOLS_TRAIN_TABLES_H

#include "policy/policy_tables.h"
#include "tools/table_train.h"
#include "tools/train_baskets.h"

#define TRAIN_LEVEL 2 /* steps of a category, as elsewhere in training */

struct train_tables {
	struct table_data articles, groups; /* a basket each of baskets->list */
	struct train_index types, brands;
	size_t named, lines;	/* those with a name */
	double *spent, *pieces; /* per article, what its price is the mean of */
	size_t priced;
	struct table_trained made[FAMILY_COUNT];
	int level; /* of basket and own: 0 where articles have names that a card can say */
};
void train_tables_init(struct train_tables *tables);
void train_tables_done(struct train_tables *tables);
/* The basket that train_baskets_take() has just taken. */
void train_tables_take(struct train_tables *tables, const struct train_baskets *baskets,
    const struct feature_row *row);
/* It is that many baskets on; and what came back is not in it. */
void train_tables_returned(struct train_tables *tables, size_t basket, const struct visit *visit,
    const struct marks *marks);
/* Once all are in. agreed: per customer; who did not is nobody. */
void train_tables_make(struct train_tables *tables, const bool *agreed);
/* Is one of them more than plain counting? */
bool train_tables_any(const struct train_tables *tables);
/* A line each, for who waits. */
void train_tables_summary(const struct train_tables *tables, struct buf *out);
/* The section of the card. */
void train_tables_card(const struct train_tables *tables, struct buf *out);

#endif
