/* SPDX-License-Identifier: Apache-2.0
 *
 * united.c - what was said, agreed and paid in a basket that turns out to be part of a recalled sale
 * goes on in the sale; and of one that turns out to be two, in the one that it was said in.
 *
 * The till may have closed the basket by then. What lives on of it are its cards, with the names
 * that lead to them, and whose tokens were paid with in it.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "nouns/shortlists.h"

static void
name_by_id(struct engine *engine, const char *kind, const struct id *id, struct visit *sale)
{
	char text[ID_TEXT_SIZE];

	if (id_is_zero(id))
		return;
	id_text(id, text);
	engine_ref(engine, kind, text, sale);
}

/* What was paid in part was paid in the sale. */
static void
paid_in_sale(struct card *card, const struct id *part, const struct visit *sale)
{
	if (id_equal(&card->paid_in, part))
		card->paid_in = sale->id;
}

static bool
has_money(const struct card *card)
{
	return card->redeemed || card->voided || card_taken(card);
}

/* It becomes a card of the other, under the names that lead to it. false: there is no room. */
static bool
take_card(struct engine *engine, struct visit *into, struct visit *from, size_t index)
{
	struct card *card = visit_take_card(into, from, index);

	if (card == NULL)
		return false;
	paid_in_sale(card, &from->id, into);
	if (card->elsewhere)
		engine_paid_moves(engine, &card->paid_in, from, into);
	name_by_id(engine, "prompt", &card->prompt, into);
	name_by_id(engine, "token", &card->token, into);
	name_by_id(engine, "guidance", &card->guidance, into);
	return true;
}

/* Where there is no room for all of them, those with money come first. */
static void
take_cards(struct engine *engine, struct visit *sale, struct visit *part, bool with_money)
{
	for (size_t i = 0; i < part->card_count;) {
		if (with_money && !has_money(&part->cards[i]))
			i++;
		else if (!take_card(engine, sale, part, i))
			return;
	}
}

/* Tokens of other visits that were paid with in it. */
static void
take_paid(struct engine *engine, struct visit *sale, const struct visit *part)
{
	for (int n = 1; n <= part->paid_tokens; n++) {
		struct visit *home = engine_paid_home(engine, &part->id, n);

		if (home == NULL || home == part)
			continue;
		for (size_t i = 0; i < home->card_count; i++)
			paid_in_sale(&home->cards[i], &part->id, sale);
		engine_touch(engine, home);
		if (home != sale)
			engine_ref_paid(engine, sale, home);
	}
	sale->elsewhere_minor += part->elsewhere_minor;
}

/* A token of the one that was paid with in the other is of the sale itself now. */
static void
own_tokens(struct visit *sale)
{
	for (size_t i = 0; i < sale->card_count; i++) {
		struct card *card = &sale->cards[i];

		if (!card->elsewhere || !id_equal(&card->paid_in, &sale->id))
			continue;
		card->elsewhere = false;
		sale->elsewhere_minor -= card->redeemed_minor;
	}
	if (sale->elsewhere_minor < 0)
		sale->elsewhere_minor = 0;
}

void
united_take(struct engine *engine, struct visit *sale, struct visit *part)
{
	take_cards(engine, sale, part, true);
	take_cards(engine, sale, part, false);
	take_paid(engine, sale, part);
	part->elsewhere_minor = 0;
	part->paid_tokens = 0;
	own_tokens(sale);
	visit_unite_shortlists(sale, part);
	sale->decisions += part->decisions;
	if (id_is_zero(&sale->counted))
		sale->counted = part->counted;
	for (size_t i = 0; i < part->contacts.count; i++)
		contacts_add(&sale->contacts, &part->contacts.rows[i]);
	contacts_done(&part->contacts);
	/* What was sold in it is sold in the other, and what came back of it comes back of that. */
	for (size_t i = 0; i < part->back_count; i++)
		visit_add_back(sale, &part->backs[i].ret, part->backs[i].item,
		    part->backs[i].qty_milli, part->backs[i].amount_minor);
	engine_touch(engine, sale);
}

/* ---- one that was two: by arrival, for that is what a card's times are ---- */

/* Tokens of other visits that the rest was paid with. */
static void
part_paid(struct engine *engine, struct visit *rest, struct visit *former)
{
	for (int n = 1; n <= former->paid_tokens; n++) {
		struct visit *home = engine_paid_home(engine, &former->id, n);
		bool any = false;

		for (size_t i = 0; home != NULL && home != rest && i < home->card_count; i++) {
			struct card *card = &home->cards[i];

			if (!card->elsewhere || !id_equal(&card->paid_in, &former->id) ||
			    card->spent_ms < rest->opened_ms)
				continue;
			card->paid_in = rest->id;
			former->elsewhere_minor -= card->redeemed_minor;
			rest->elsewhere_minor += card->redeemed_minor;
			any = true;
		}
		if (!any)
			continue;
		engine_touch(engine, home);
		engine_ref_paid(engine, rest, home);
	}
}

void
united_part(struct engine *engine, struct visit *rest, struct visit *former)
{
	for (size_t i = 0; i < former->card_count;) {
		if (former->cards[i].sent_ms < rest->opened_ms ||
		    !take_card(engine, rest, former, i))
			i++;
	}
	visit_part_shortlists(rest, former, rest->opened_ms);
	part_paid(engine, rest, former);
	/* It was the rest that was cancelled: what this one was paid with stands. */
	if (rest->state == VISIT_CANCELLED && former->state == VISIT_CLOSED && !former->training)
		till_unvoid(engine, former);
	if (visit_over(rest))
		return;
	/* Who stands there goes on looking at it. */
	rest->guidance = former->guidance;
	rest->guidance_at_ms = former->guidance_at_ms;
	former->guidance = (struct id){ { 0 } };
	name_by_id(engine, "guidance", &rest->guidance, rest);
}
