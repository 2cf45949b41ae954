/* SPDX-License-Identifier: Apache-2.0
 *
 * witness.c - somebody looks on: customers as they are recognised, cards as they are opened.
 */
#include "spine/spine.h"

#include "core/id.h"

void
engine_show_cards(struct engine *engine, const struct witness *witness)
{
	engine->witness = witness != NULL ? *witness : (struct witness){ 0 };
}

void
witness_seen(struct engine *engine, const struct visit *visit)
{
	if (engine->witness.seen != NULL && !visit->training && !staff_visit(engine, visit))
		engine->witness.seen(engine->witness.ctx, visit);
}

static const struct candidate *
candidate_of(const struct decision *decision, const struct id *prompt, const struct id *prompts)
{
	for (size_t i = 0; i < decision->slot_count; i++) {
		const struct slot *slot = &decision->slots[i];

		if (slot->card < 0 && slot->candidate >= 0 && id_equal(&prompts[i], prompt))
			return &decision->candidates[slot->candidate];
	}
	return NULL;
}

void
witness_opened(struct engine *engine, const struct visit *visit, const struct decision *decision,
    const struct id *prompts)
{
	for (size_t i = 0; engine->witness.opened != NULL && i < visit->card_count; i++) {
		const struct card *card = &visit->cards[i];
		const struct candidate *candidate;

		if (card->state != CARD_OPEN || !id_equal(&card->decision, &decision->id))
			continue;
		candidate = candidate_of(decision, &card->prompt, prompts);
		if (candidate != NULL)
			engine->witness.opened(engine->witness.ctx, visit, card, candidate);
	}
}
