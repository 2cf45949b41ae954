/* SPDX-License-Identifier: Apache-2.0
 *
 * net.h - what of a basket's lines stays when the goods that came back are taken off.
 *
 * DESIGN
 *   A pure function of the lines and of what came back, whichever was heard of
 *   first: a late line, a void and a return give the same in any order. What
 *   came back is taken from the line that it names best: of the same article
 *   one of the same quantity and amount, else of the same quantity, else from
 *   the lowest line number on. Of a line that came back in part its share by
 *   quantity goes, rounded half away from zero; of a whole one all of it.
 *   Rejected: lines reduced as returns arrive; a late line would be another.
 */
#ifndef AISLE_NOUNS_NET_H
#define AISLE_NOUNS_NET_H

#include <stddef.h>

#include "aisle/visit.h"

/* What is left of a line; all 0: voided, or all of it came back. */
struct net_line {
	int64_t qty_milli, amount_minor, margin_minor, discount_minor;
};

/* One for each line of the visit, in their order; to be freed. */
struct net_line *net_lines(const struct visit *visit);
/* How much there is of an article; item is borrowed. */
struct net_goods {
	const char *item;
	int64_t qty_milli;
};
/* Ascending by item_compare, each article once; how many there are. */
size_t net_unite(struct net_goods *goods, size_t count);
/* What is left, as net_unite makes it; to be freed. */
struct net_goods *net_goods(const struct visit *visit, const struct net_line *net,
    size_t *ret_count);
/* NULL: none */
struct net_goods *net_goods_of(struct net_goods *goods, size_t count, const char *item);
/* of whole, what stands for part of of: whole × part / of, rounded half away from zero */
int64_t net_share(int64_t whole, int64_t part, int64_t of);

#endif
