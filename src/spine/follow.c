/* SPDX-License-Identifier: Apache-2.0
 *
 * follow.c - what an open card says of its worth follows its basket.
 *
 * DESIGN
 *   Each decision works out anew what the offers on the screen are worth. Where
 *   that has changed the card is said again under the same prompt: offer, depth
 *   of a tier, the words with an amount in them, what it holds of its budget. A
 *   card whose worth is as it was keeps its words, whatever else they speak of;
 *   one that was an estimate, and is one no more, is said again as well.
 *   An accepted one is fixed: the till was asked for that amount.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "decide/decide.h"

/* The candidate that the card was gated as, if it passed; -1. */
static int
passed_as(const struct decision *decision, const struct card *card)
{
	for (size_t i = 0; i < decision->candidate_count; i++) {
		const struct candidate *c = &decision->candidates[i];

		if (strcmp(c->action->id, card->action) != 0)
			continue;
		return c->scored && c->action->has_offer &&
			(c->fate == FATE_OFFERED || c->fate == FATE_WITHHELD ||
			    c->fate == FATE_OUTRANKED || c->fate == FATE_NOT_DRAWN)
		    ? (int)i
		    : -1;
	}
	return -1;
}

/* Does the card say that its worth is an estimate? The member stands in "offer" alone, and only if so; a text has no quote
 * that is not escaped. */
static bool
says_estimate(const struct card *card)
{
	static const char name[] = "\"estimate\"";
	const char *at = strstr(card->json, name);

	while (at != NULL && at[sizeof(name) - 1] != ':')
		at = strstr(at + 1, name);
	return at != NULL;
}

static bool
is_as_said(const struct decision *decision, const struct candidate *now, const struct card *card)
{
	return card->depth == now->depth && card->worth_minor == now->worth_minor &&
	    (card->json == NULL ||
		says_estimate(card) == offer_estimates(&now->action->offer, decision->basis));
}

static bool
follow(struct engine *engine, struct visit *visit, const struct decision *decision,
    struct card *card)
{
	int at = passed_as(decision, card);
	const struct candidate *now = at >= 0 ? &decision->candidates[at] : NULL;
	struct buf json = { 0 };

	if (now == NULL || is_as_said(decision, now, card))
		return false;
	card->depth = now->depth;
	card->worth_minor = now->worth_minor;
	hold_change(engine, card, now->hold_minor);
	card_limit(engine, decision, now->action, card);
	if (card->json == NULL) /* nobody is shown it */
		return false;
	if (!prompt_again(decision, at, card, &json)) {
		card_withdraw(engine, visit, card, WITHDRAW_GATE);
		return !card->withheld;
	}
	free(card->json);
	card->json = buf_steal(&json);
	if (card->withheld)
		return false;
	card_say_again(engine, visit, card);
	return true;
}

bool
cards_follow(struct engine *engine, struct visit *visit, const struct decision *decision)
{
	bool changed = false;

	for (size_t i = 0; i < visit->card_count; i++)
		if (visit->cards[i].state == CARD_OPEN)
			changed |= follow(engine, visit, decision, &visit->cards[i]);
	return changed;
}
