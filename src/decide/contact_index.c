/* SPDX-License-Identifier: Apache-2.0
 *
 * contact_index.c - one look at the contact rows, for all candidates of a decision.
 */
#include "decide/contact_index.h"

struct contact_index
contact_index_make(struct arena *arena, const struct contacts *contacts)
{
	struct contact_index index = { .contacts = contacts, .asked_fresh = SIZE_MAX };
	uint8_t *counts;

	if (contacts == NULL || contacts->count == 0)
		return index;
	counts = arena_alloc(arena, contacts->count);
	contacts_net(contacts, counts);
	for (size_t i = 0; i < contacts->count; i++) {
		if (contacts->rows[i].ends != ENDS_UNUSED)
			index.outcomes |= 1u << contacts->rows[i].outcome;
	}
	index.outcomes &= ~(1u << OUTCOME_SHOWN);
	for (size_t i = 0; i < contacts->count; i++) {
		if (counts[i] && contact_is_shown(&contacts->rows[i]))
			index.outcomes |= 1u << OUTCOME_SHOWN;
	}
	index.counts = counts;
	index.keys = arena_room(arena, contacts->count * sizeof(*index.keys));
	index.keys_from = contacts->count;
	return index;
}

void
contact_index_reach_further(struct contact_index *index, int64_t from_ms)
{
	while (index->keys_from > 0 &&
	    index->contacts->rows[index->keys_from - 1].at_ms >= from_ms) {
		const struct contact *row = &index->contacts->rows[--index->keys_from];
		struct contact_key *key = &index->keys[index->keys_from];

		*key = (struct contact_key){ row->at_ms,
			{ text_prefix(row->action), text_prefix(row->group),
			    text_prefix(row->issue) } };
		for (int by = 0; by < BY_COUNT; by++) {
			unsigned bit = contact_seen_bit(key->by[by]);

			index->seen[by][bit / 64] |= UINT64_C(1) << bit % 64;
		}
	}
}
