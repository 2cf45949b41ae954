/* SPDX-License-Identifier: Apache-2.0
 *
 * came.c - what came of an action that was listed: was it on a screen, or one of its group, and were
 * its goods bought?
 *
 * DESIGN
 *   Worked out anew from the till's lines, the customer's purchases and the
 *   contacts, whatever was shown: of who was shown nothing the same is asked as
 *   of who was. That is why nothing here is credited to a card (outcome.c).
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "nouns/shortlists.h"
#include "nouns/marks.h"
#include "nouns/match.h"
#include "nouns/net.h"
#include "policy/policy_load.h"
#include "profile/subject_io.h"

void
came_begin(struct engine *engine, struct visit *visit, struct came_look *ret)
{
	*ret = (struct came_look){ .engine = engine, .visit = visit };
	ret->subject = visit->has_subject ? engine_subject(engine, &visit->subject) : NULL;
	ret->net = net_lines(visit);
}

void
came_done(struct came_look *look)
{
	free(look->net);
}

int64_t
came_over_ms(const struct visit *visit)
{
	return visit->closed_ms != 0 ? visit->closed_ms : visit->last_ms;
}

/* ---- its goods ---- */

bool
came_is_told(const struct action *action)
{
	/* What a family would have named is not on record with those that were not drawn. */
	if (action->family != FAMILY_NONE)
		return false;
	return action->goal == GOAL_BOUGHT || (action->goal == GOAL_REDEEMED && action->has_offer);
}

static bool
is_good(const struct action *action, const char *category, const char *brand, const char *item)
{
	const struct offer *offer = &action->offer;

	if (action->goal == GOAL_BOUGHT)
		return match_goods(&action->goal_item, category, brand, item);
	return (!offer->include.set || match_goods(&offer->include, category, brand, item)) &&
	    !(offer->exclude.set && match_goods(&offer->exclude, category, brand, item));
}

/* An offer is for what was scanned before it, too; advice is not. */
static bool
in_basket(const struct came_look *look, const struct shortlist *list, const struct listing *listing,
    const struct action *action)
{
	const struct visit *visit = look->visit;
	struct marks marks = engine_marks(look->engine);

	if (visit->state != VISIT_CLOSED || visit->training)
		return false;
	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];

		if (look->net[i].qty_milli == 0 || line_mark(&marks, line) != MARK_NONE ||
		    (action->goal == GOAL_BOUGHT && line->added_ms <= list->at_ms) ||
		    (listing->due_ms != 0 && line->added_ms > listing->due_ms))
			continue;
		if (is_good(action, line->category, line->brand, line_item(line)))
			return true;
	}
	return false;
}

static bool
in_purchase(const struct purchase *purchase, const struct action *action, const struct marks *marks)
{
	for (size_t i = 0; i < purchase->line_count; i++) {
		const struct purchase_line *line = &purchase->lines[i];

		if (goods_mark(marks, line->category, line->mark) == MARK_NONE &&
		    is_good(action, line->category, line->brand, line->item))
			return true;
	}
	return false;
}

static bool
bought_later(const struct came_look *look, const struct shortlist *list,
    const struct listing *listing, const struct action *action)
{
	struct marks marks = engine_marks(look->engine);

	for (size_t i = 0; look->subject != NULL && i < look->subject->purchase_count; i++) {
		const struct purchase *purchase = &look->subject->purchases[i];

		if (purchase->at_ms > list->at_ms && purchase->at_ms <= listing->due_ms &&
		    !id_equal(&purchase->visit, &look->visit->id) &&
		    in_purchase(purchase, action, &marks))
			return true;
	}
	return false;
}

static int64_t
redeemed_minor(const struct visit *visit, const struct action *action)
{
	int64_t minor = 0;

	for (size_t i = 0; i < visit->card_count; i++) {
		const struct card *card = &visit->cards[i];

		if (card->redeemed && !card_of_former(visit, card) &&
		    strcmp(card->action, action->id) == 0)
			minor += card->redeemed_minor - card->returned_minor;
	}
	return minor;
}

/* ---- on a screen ---- */

/* Nobody looks at it any more. */
static bool
is_gone(enum outcome outcome)
{
	return outcome == OUTCOME_DISMISSED || outcome == OUTCOME_SNOOZED ||
	    outcome == OUTCOME_OVERRIDDEN || outcome == OUTCOME_EXPIRED ||
	    outcome == OUTCOME_WITHDRAWN;
}

/* Its card may have been read, and something listed, before its basket was opened. */
static int64_t
began_ms(const struct visit *visit)
{
	int64_t first_ms = visit->shortlists[0].at_ms;

	return first_ms < visit->opened_ms ? first_ms : visit->opened_ms;
}

/* What was sent was shown, unless its tablet said that it was not; and still is, of what this visit was shown before. */
static bool
is_on_screen(const struct came_look *look, const struct contacts *contacts, size_t index,
    int64_t from_ms)
{
	const struct contact *sent = &contacts->rows[index];

	if (sent->at_ms < from_ms && sent->at_ms < began_ms(look->visit))
		return false;
	for (size_t i = index + 1; i < contacts->count; i++) {
		const struct contact *row = &contacts->rows[i];

		if ((row->outcome == OUTCOME_NOT_SHOWN ||
			(is_gone(row->outcome) && row->at_ms <= from_ms &&
			    sent->at_ms < from_ms)) &&
		    id_equal(&row->prompt, &sent->prompt))
			return false;
	}
	return true;
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

static void
look_at_screens(const struct came_look *look, const struct shortlist *list,
    const struct listing *listing, const struct action *action, struct came *ret)
{
	const struct contacts *contacts =
	    look->subject != NULL ? &look->subject->contacts : &look->visit->contacts;
	int64_t over_ms = came_over_ms(look->visit);
	int64_t end_ms = listing->due_ms > over_ms ? listing->due_ms : over_ms;

	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *row = &contacts->rows[i];
		bool own = same(row->action, action->id);

		if (row->outcome != OUTCOME_DECIDED || row->withheld || row->told ||
		    row->at_ms > end_ms || !same(row->group, action->group) ||
		    !is_on_screen(look, contacts, i, list->at_ms))
			continue;
		ret->shown = ret->shown || own;
		ret->other = ret->other || !own;
	}
}

struct came
came_of(const struct came_look *look, const struct shortlist *list, const struct listing *listing,
    const struct action *action)
{
	struct came came = { 0 };

	look_at_screens(look, list, listing, action, &came);
	if (!came_is_told(action))
		return came;
	if (action->goal == GOAL_REDEEMED)
		came.amount_minor = redeemed_minor(look->visit, action);
	came.bought = came.amount_minor > 0 || in_basket(look, list, listing, action) ||
	    (listing->due_ms != 0 && bought_later(look, list, listing, action));
	return came;
}
