/* SPDX-License-Identifier: Apache-2.0
 *
 * contact_index.h - the keys of contact rows and the filter over them, for contact_policy.c.
 *
 * Windows end at the newest row, so that keys are made backwards from it, and only of those rows
 * that some window reaches.
 */
#ifndef AISLE_DECIDE_CONTACT_INDEX_H
#define AISLE_DECIDE_CONTACT_INDEX_H

#include "decide/run.h"
#include "nouns/contact.h"

void contact_index_reach_further(struct contact_index *index, int64_t from_ms);

/* Makes the keys of all rows from from_ms on. */
static inline void
contact_index_reach(struct contact_index *index, int64_t from_ms)
{
	if (index->keys_from > 0 && index->contacts->rows[index->keys_from - 1].at_ms >= from_ms)
		contact_index_reach_further(index, from_ms);
}

static inline unsigned
contact_seen_bit(uint64_t key)
{
	return (unsigned)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SEEN_BITS_LOG2));
}

/* false: no row that was reached has this key. */
static inline bool
contact_index_has(const struct contact_index *index, enum contact_by by, uint64_t key)
{
	unsigned bit = contact_seen_bit(key);

	return (index->seen[by][bit / 64] >> bit % 64 & 1) != 0;
}

#endif
