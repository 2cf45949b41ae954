/* SPDX-License-Identifier: Apache-2.0
 *
 * feed_map.h - names that a feed check has met. Private to feed check.
 */
#ifndef AISLE_TOOLS_FEED_MAP_H
#define AISLE_TOOLS_FEED_MAP_H

#include "core/id.h"

/* One name: of an event (digest), a number at a terminal or station (its newest basket), a basket
 * (sum, total), a line (amount), a station (basket, card_ms),
 * a source (last) or a token (amount). */
struct entry {
	struct id key;
	struct id
	    ref; /* digest; basket of a number or station; the basket of the number before it */
	int64_t a,
	    b; /* sum, total · baskets of a number · amount · time of a waiting card · last time */
	int64_t c, d; /* began, ended · time of version, of void */
	int64_t off;  /* of a basket: what our offers take off it */
	unsigned flags;
	bool used;
};

struct feed_map {
	struct entry *entries;
	size_t count, capacity; /* a power of two */
};

struct feed_map *feed_map_new(void);
void feed_map_free(struct feed_map *map); /* NULL is fine */

/* The place of a key, used or free. Valid until the next one is made. */
struct entry *feed_map_place(struct feed_map *map, const struct id *key);

/* Found or made (*ret_new); NULL: the table is full. Valid until the next one is made. */
struct entry *feed_map_get(struct feed_map *map, const struct id *key, bool *ret_new);

#endif
