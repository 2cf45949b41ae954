/* SPDX-License-Identifier: Apache-2.0
 *
 * stacking.c - what may not stand beside what this decision has chosen, or what was accepted.
 */
#include "decide/run.h"

#include <string.h>

#include "nouns/visit.h"
#include "policy/policy_load.h"

/* Two cards for one thing are one too many. */
bool
item_taken(const struct run *run, size_t i)
{
	const struct family_item *item = run->decision->candidates[i].item;

	if (item == NULL)
		return false;
	for (size_t w = 0; w < run->winner_count; w++) {
		const struct family_item *taken =
		    run->decision->candidates[run->winners[w].candidate].item;

		if (run->winners[w].candidate != (int)i && taken != NULL &&
		    strcmp(taken->text, item->text) == 0)
			return true;
	}
	for (size_t c = 0; c < run->visit->card_count; c++) {
		const struct card *card = &run->visit->cards[c];

		if (card_kept(card) && card->item != NULL && strcmp(card->item, item->text) == 0)
			return true;
	}
	return false;
}

static bool
stack_taken(const struct run *run, const char *stack)
{
	for (size_t i = 0; i < run->winner_count; i++) {
		const struct action *other =
		    run->decision->candidates[run->winners[i].candidate].action;

		if (other->has_offer && other->offer.stack != NULL &&
		    strcmp(other->offer.stack, stack) == 0)
			return true;
	}
	for (size_t i = 0; i < run->visit->card_count; i++) {
		const struct card *card = &run->visit->cards[i];
		const struct action *other;

		if (!card_kept(card))
			continue;
		other = policy_action(run->policy, card->action);
		if (other != NULL && other->has_offer && other->offer.stack != NULL &&
		    strcmp(other->offer.stack, stack) == 0)
			return true;
	}
	return false;
}

bool
stacking_closed(const struct run *run, const struct action *action)
{
	return action->has_offer && action->offer.stack != NULL &&
	    stack_taken(run, action->offer.stack);
}
