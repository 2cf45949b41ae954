/* SPDX-License-Identifier: Apache-2.0
 *
 * table_count.h - counts of a part of the baskets, to the parts of a table. Pure.
 */
#ifndef AISLE_TOOLS_TABLE_COUNT_H
#define AISLE_TOOLS_TABLE_COUNT_H

#include "recommend/table.h"
#include "tools/table_data.h"

#define TABLE_BOTH_MIN 3 /* baskets that must hold both */

/* Everything that a table_parts points to, owned. */
struct table_made {
	struct table_parts parts;
	struct table_row *rows;
	int16_t *pairs;
	uint32_t *first;
	struct table_cell *cells;
	struct table_step *steps;
};
/* Rows alone: plain counting. */
void table_made_init(struct table_made *made, const struct table_part *part, enum table_kind kind,
    int level);
void table_made_done(struct table_made *made);
/* The same without neighbours. */
void table_made_plain(struct table_made *made);

/* TABLE_GROUPS: l_ji of the dense log-linear table. */
void table_made_pairs(struct table_made *made, const struct table_part *part);

/* Which pairs come together, of each item the most frequent. */
struct table_pair {
	uint32_t with, both;
	double weighed; /* each basket 1/(|b|-1) */
};
struct table_pairs {
	uint32_t *first; /* items + 1 */
	struct table_pair *list;
};
void table_pairs_make(struct table_pairs *pairs, const struct table_part *part);
void table_pairs_done(struct table_pairs *pairs);

struct table_how {
	double a;	/* 1: confidence; 0.5: cosine */
	int e;		/* 1, 2, 4 */
	bool by_length; /* short baskets weigh more */
};
/* TABLE_ARTICLES: w_ji before the power, the 20 largest of each row. */
void table_made_neighbours(struct table_made *made, const struct table_part *part,
    const struct table_pairs *pairs, const struct table_how *how);

struct table_near {
	uint32_t item;
	double weight;
};
/* Rows of neighbours, each by falling weight, to cells; weights to 65535 of the largest. */
void table_made_cells(struct table_made *made, struct table_near **rows, const size_t *counts);
/* Its order. */
int table_near_compare(const void *a, const void *b);

#endif
