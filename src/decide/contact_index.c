/* SPDX-License-Identifier: Apache-2.0
 *
 * contact_index.c - one look at the contact rows, for all candidates of a decision.
 */
#include "decide/contact_index.h"

#include <string.h>

#include "core/id.h"

/* All that was bought or redeemed with its prompt came back. */
static void
take_back(struct arena *arena, struct contact_index *index, size_t returned)
{
	const struct contacts *contacts = index->contacts;

	if (index->undone == NULL)
		index->undone = arena_alloc(arena, contacts->count);
	for (size_t i = 0; i < returned; i++) {
		const struct contact *row = &contacts->rows[i];

		if ((row->outcome == OUTCOME_BOUGHT || row->outcome == OUTCOME_REDEEMED) &&
		    id_equal(&row->prompt, &contacts->rows[returned].prompt))
			index->undone[i] = 1;
	}
}

struct contact_index
contact_index_make(struct arena *arena, const struct contacts *contacts)
{
	struct contact_index index = { .contacts = contacts, .asked_fresh = SIZE_MAX };
	uint8_t *shown;

	if (contacts == NULL || contacts->count == 0)
		return index;
	shown = arena_alloc(arena, contacts->count);
	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *row = &contacts->rows[i];

		index.outcomes |= 1u << row->outcome;
		if (row->outcome == OUTCOME_DECIDED ||
		    (row->outcome == OUTCOME_SHOWN && id_is_zero(&row->decision)))
			shown[i] = 1;
		if (row->outcome == OUTCOME_RETURNED)
			take_back(arena, &index, i);
		if (row->outcome != OUTCOME_NOT_SHOWN)
			continue;
		/* Its card was decided shortly before. */
		for (size_t j = i; j-- > 0;) {
			if (contacts->rows[j].outcome == OUTCOME_DECIDED &&
			    id_equal(&contacts->rows[j].prompt, &row->prompt)) {
				shown[j] = 0;
				break;
			}
		}
	}
	index.outcomes &= ~(1u << OUTCOME_SHOWN);
	if (memchr(shown, 1, contacts->count) != NULL)
		index.outcomes |= 1u << OUTCOME_SHOWN;
	index.shown = shown;
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
