/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_lists.h - the lists of orders that a broker retains: the chain's, and one of each store.
 */
#ifndef AISLE_HQ_PUBLISH_LISTS_H
#define AISLE_HQ_PUBLISH_LISTS_H

#include "hq/publish_goods.h"

/* What is retained on one topic and the goods' orders for it, as the list that comes in its place: those that no longer
 * verify or have expired are gone, of each (target, what it is about) the highest sequence is left, ascending by sequence.
 * Bounds: ORDERS_CHAIN_MAX, ORDERS_STORE_MAX; AISLE_E_FULL beyond. AISLE_E_REFUSED: a sequence that was used for another
 * order, or one below those that stores have seen. Of a folder what is wrong is left out, said in notes, and counted in left; of a list
 * that is too long a store gets those that it takes first, the chain those that were given last, and stops before lifts. */
int orders_merge(const struct root *root, const struct goods *goods, const char *topic,
    const char *retained, size_t retained_len, int64_t now_ms, struct buf *out, size_t *ret_count,
    struct buf *notes, struct left_out *left, struct err *err) AISLE_MUST_CHECK;

#endif
