/* SPDX-License-Identifier: Apache-2.0
 *
 * card_item.h - what a card is about: its action's goods, or those that an action of a family named.
 */
#ifndef AISLE_NOUNS_CARD_ITEM_H
#define AISLE_NOUNS_CARD_ITEM_H

#include "aisle/policy.h"
#include "aisle/visit.h"

/* The goods that the card's outcome is about; of a family in room, with the card's texts. */
const struct match *card_goal(const struct card *card, const struct action *action,
    struct match *room);

#endif
