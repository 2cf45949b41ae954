/* SPDX-License-Identifier: Apache-2.0
 *
 * weights.c - what open baskets hold in memory: of all, and of the tills of a slot.
 *
 * DESIGN
 *   Sums, so that nothing grows with the baskets that are open: a visit is
 *   weighed when it is loaded and at the end of each turn that changed it. Tills
 *   whose names fall into one slot are one sum, which never says less than one of
 *   them holds: beyond a bound bounds.c looks at the baskets themselves.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/id.h"
#include "nouns/shortlists.h"
#include "nouns/visit.h"

#define PROMPT_BYTES 1024 /* of one in memory, with its contacts, beside its words */
#define LISTING_BYTES 192 /* likewise, with its part of its shortlist */

bool
weights_has(const struct visit *visit)
{
	return !visit_over(visit) && visit->basket != NULL;
}

static size_t
bytes_of(const struct visit *visit)
{
	size_t bytes = visit->line_bytes + visit->card_count * PROMPT_BYTES +
	    visit_listings(visit) * LISTING_BYTES;

	for (size_t i = 0; i < visit->card_count; i++)
		bytes += visit->cards[i].json != NULL ? strlen(visit->cards[i].json) : 0;
	return bytes;
}

static size_t
slot_of(const char *terminal)
{
	size_t sum = 0;

	for (; *terminal != '\0'; terminal++)
		sum = 31 * sum + (unsigned char)*terminal;
	return sum % HELD_SLOTS;
}

size_t
weights_at(const struct engine *engine, const char *terminal)
{
	return engine->held_slots[slot_of(terminal)];
}

void
weights_drop(struct engine *engine, struct visit *visit)
{
	engine->held_bytes -= visit->weighed_bytes;
	engine->held_slots[visit->weighed_slot] -= visit->weighed_bytes;
	visit->weighed_bytes = 0;
}

void
weights_take(struct engine *engine, struct visit *visit)
{
	weights_drop(engine, visit);
	if (!weights_has(visit))
		return;
	visit->weighed_bytes = bytes_of(visit);
	visit->weighed_slot = slot_of(visit->terminal);
	engine->held_bytes += visit->weighed_bytes;
	engine->held_slots[visit->weighed_slot] += visit->weighed_bytes;
}
