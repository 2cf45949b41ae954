/* SPDX-License-Identifier: Apache-2.0
 *
 * places.c - the places for cards in a visit: of those that are gone, who leaves.
 *
 * DESIGN
 *   A basket of 200 lines may be shown 400 cards. One that is gone stays while
 *   it still means something: it was answered, so that its action is not asked
 *   again; a till may still speak of its token; its outcome is not settled. Of
 *   cards with one goal the last one shown is credited with what comes, so
 *   that of the earlier ones only those stay that have earned something.
 *   Looked at when there are more than CARDS_AT_EASE, before a decision.
 */
#include "spine/spine.h"

#include <string.h>

#include "core/id.h"
#include "policy/policy_load.h"

#define CARDS_AT_EASE 64

static bool
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_goal(const struct action *a, const struct action *b)
{
	const struct match *x = &a->goal_item, *y = &b->goal_item;

	/* Of a family each card is about something else. */
	if (a->family != FAMILY_NONE || b->family != FAMILY_NONE)
		return false;
	if (a == b)
		return true;
	if (a->goal != b->goal)
		return false;
	for (; x != NULL && y != NULL; x = x->next, y = y->next)
		if (!same(x->category, y->category) || !same(x->brand, y->brand) ||
		    !same(x->item, y->item))
			return false;
	return x == y;
}

/* Is there a later card that will be credited with what comes? */
static bool
superseded(const struct visit *visit, const struct action *const *actions, size_t index)
{
	const struct card *card = &visit->cards[index];

	for (size_t i = index + 1; i < visit->card_count; i++) {
		const struct card *other = &visit->cards[i];

		if (actions[i] != NULL && other->sent_ms > card->sent_ms &&
		    !card_not_shown(other) && same_goal(actions[i], actions[index]))
			return true;
	}
	return false;
}

/* What was answered is not asked again, a snoozed card not before its time. */
static bool
closes_action(const struct card *card, int64_t now_ms)
{
	return card->answer != ANSWER_NONE &&
	    !(card->answer == ANSWER_SNOOZE && card->snooze_until_ms != 0 &&
		now_ms >= card->snooze_until_ms);
}

static bool
means_something(struct engine *engine, const struct visit *visit,
    const struct action *const *actions, size_t index)
{
	const struct card *card = &visit->cards[index];
	const struct action *action = actions[index];

	if (card->state != CARD_GONE || !id_is_zero(&card->token) || card->closed_by != NULL ||
	    closes_action(card, engine->now_ms))
		return true;
	if (action == NULL)
		return false;
	if (card->outcome_due_ms > engine->now_ms)
		return true;
	if (card->kind == KIND_SERVICE)
		return !superseded(visit, actions, index);
	if (action->goal != GOAL_BOUGHT)
		return false;
	/* The last one shown takes the credit: while it stays, no earlier one does. */
	return !superseded(visit, actions, index) ||
	    (action->goal_within_ms == 0 && outcome_earned(engine, visit, card));
}

void
places_clear(struct engine *engine, struct visit *visit)
{
	const struct action **actions;

	if (visit->card_count <= CARDS_AT_EASE)
		return;
	actions = arena_alloc(engine->scratch, visit->card_count * sizeof(const struct action *));
	for (size_t i = 0; i < visit->card_count; i++)
		actions[i] = engine->policy != NULL
		    ? policy_action(engine->policy, visit->cards[i].action)
		    : NULL;
	for (size_t i = visit->card_count; i > 0; i--) {
		if (means_something(engine, visit, actions, i - 1))
			continue;
		visit_drop_card(visit, i - 1);
		memmove(&actions[i - 1], &actions[i],
		    (visit->card_count - (i - 1)) * sizeof(*actions));
	}
}
