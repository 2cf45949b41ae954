/* SPDX-License-Identifier: Apache-2.0
 *
 * returned.c - outcomes that goods which came back take away again: bought, redeemed.
 *
 * A card whose goods all came back was followed by nothing: its row "returned" makes the count of
 * bought or redeemed go without it (nouns/contact.h). Of those that came back in part the amount is
 * on record.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "nouns/marks.h"
#include "nouns/match.h"
#include "nouns/net.h"
#include "policy/policy_load.h"
#include "profile/subject_io.h"

/* What this change took of a sale. */
struct change {
	struct visit *visit;
	const struct net_line *before;
	struct net_line *after;
};

static const struct action *
action_of(const struct engine *engine, const char *id)
{
	return engine->policy != NULL && id != NULL ? policy_action(engine->policy, id) : NULL;
}

/* ---- redeemed ---- */

static void
redeemed_back(struct engine *engine, const struct change *change, struct card *card)
{
	const struct action *action = action_of(engine, card->action);
	int64_t before_minor = 0, after_minor = 0, left_minor, back_minor;

	if (action == NULL || !card->redeemed || card->elsewhere)
		return;
	for (size_t i = 0; i < change->visit->line_count; i++) {
		if (!match_offer(&action->offer, &change->visit->lines[i]))
			continue;
		before_minor += change->before[i].amount_minor;
		after_minor += change->after[i].amount_minor;
	}
	if (after_minor >= before_minor)
		return;
	left_minor = card->redeemed_minor - card->returned_minor;
	back_minor = net_share(left_minor, before_minor - after_minor, before_minor);
	if (back_minor <= 0 && after_minor > 0)
		return;
	card->returned_minor += back_minor;
	outcome_record_returned(engine, change->visit, card, back_minor, after_minor <= 0);
}

/* ---- bought ---- */

static bool
is_goal_of(const struct card *card, const struct action *action, const struct line *line)
{
	struct match room;

	return match_line(card_goal(card, action, &room), line);
}

/* What the goods of its goal cost that came back now. */
static int64_t
goal_back(const struct card *card, const struct action *action, const struct change *change)
{
	int64_t back_minor = 0;

	for (size_t i = 0; i < change->visit->line_count; i++) {
		if (is_goal_of(card, action, &change->visit->lines[i]))
			back_minor +=
			    change->before[i].amount_minor - change->after[i].amount_minor;
	}
	return back_minor;
}

/* Did goods of its goal come back? Of a family that is asked of its card. */
static bool
lost_goal(const struct action *action, const struct change *change)
{
	if (action == NULL || action->goal != GOAL_BOUGHT)
		return false;
	for (size_t i = 0; i < change->visit->line_count; i++) {
		if (change->before[i].qty_milli > change->after[i].qty_milli &&
		    (action->family != FAMILY_NONE ||
			match_line(&action->goal_item, &change->visit->lines[i])))
			return true;
	}
	return false;
}

/* In the visit, else in the one that its prompt names; NULL: it is not kept. */
static struct card *
card_of(struct engine *engine, const struct id *prompt, struct visit **visit)
{
	struct card *card = visit_card(*visit, prompt);
	char text[ID_TEXT_SIZE];

	if (card != NULL)
		return card;
	id_text(prompt, text);
	*visit = engine_visit_by_ref(engine, "prompt", text);
	return *visit != NULL ? visit_card(*visit, prompt) : NULL;
}

/* Their prompts first: what is recorded changes the rows. */
static void
bought_back(struct engine *engine, const struct change *change, const struct contacts *contacts)
{
	struct id *prompts = arena_alloc(engine->arena, (contacts->count + 1) * sizeof(*prompts));
	size_t count = 0;

	for (size_t i = 0; i < contacts->count; i++) {
		if (contacts->rows[i].outcome == OUTCOME_BOUGHT &&
		    lost_goal(action_of(engine, contacts->rows[i].action), change) &&
		    !contacts_returned(contacts, &contacts->rows[i].prompt))
			prompts[count++] = contacts->rows[i].prompt;
	}
	for (size_t i = 0; i < count; i++) {
		struct visit *visit = change->visit;
		struct card *card = card_of(engine, &prompts[i], &visit);

		if (card == NULL || outcome_goal_met(engine, visit, card))
			continue;
		engine_touch(engine, visit);
		outcome_record_returned(engine, visit, card,
		    goal_back(card, action_of(engine, card->action), change), true);
	}
}

void
returned_of_sale(struct engine *engine, struct visit *visit, const struct net_line *before)
{
	struct change change = { visit, before, net_lines(visit) };
	const struct id *subject = visit_subject(visit);

	if (visit->state == VISIT_CANCELLED || visit->training)
		memset(change.after, 0, visit->line_count * sizeof(*change.after));
	for (size_t i = 0; i < visit->card_count; i++)
		redeemed_back(engine, &change, &visit->cards[i]);
	bought_back(engine, &change,
	    subject != NULL ? &engine_subject(engine, subject)->contacts : &visit->contacts);
	free(change.after);
	settle_earlier(engine, visit);
	if (engine->on_returned != NULL) {
		struct marks marks = engine_marks(engine);

		engine->on_returned(engine->on_returned_ctx, visit, &marks);
	}
}
