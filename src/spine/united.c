/* SPDX-License-Identifier: Apache-2.0
 *
 * united.c - what was said, agreed and paid in a basket that turns out to be part of a recalled sale
 * goes on in the sale.
 *
 * The till may have closed the basket by then. What lives on of it are its cards, with the names
 * that lead to them, and whose tokens were paid with in it.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <string.h>

#include "core/id.h"

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

/* Where there is no room for all of them, those with money come first. */
static void
take_cards(struct engine *engine, struct visit *sale, struct visit *part, bool with_money)
{
	for (size_t i = 0; i < part->card_count;) {
		struct card *card;

		if (with_money && !has_money(&part->cards[i])) {
			i++;
			continue;
		}
		if ((card = visit_take_card(sale, part, i)) == NULL)
			return;
		paid_in_sale(card, &part->id, sale);
		if (card->elsewhere)
			engine_paid_moves(engine, &card->paid_in, part, sale);
		name_by_id(engine, "prompt", &card->prompt, sale);
		name_by_id(engine, "token", &card->token, sale);
		name_by_id(engine, "guidance", &card->guidance, sale);
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
