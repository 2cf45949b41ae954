/* SPDX-License-Identifier: Apache-2.0
 *
 * card_item.c - what a card is about.
 */
#include "nouns/card_item.h"

const struct match *
card_goal(const struct card *card, const struct action *action, struct match *room)
{
	if (action->family == FAMILY_NONE)
		return &action->goal_item;
	*room = (struct match){ .set = card->item != NULL };
	if (card->item_is_category)
		room->category = card->item;
	else
		room->item = card->item;
	return room;
}
