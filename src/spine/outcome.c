/* SPDX-License-Identifier: Apache-2.0
 *
 * outcome.c - what came of a card: to the ledger, to the customer's contacts, to headquarters.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "nouns/match.h"
#include "policy/policy_load.h"
#include "profile/subject_io.h"

static void
add_contact(struct engine *engine, struct visit *visit, const struct id *of,
    const struct card *card, enum outcome outcome, const char *reason)
{
	struct contact row = {
		.prompt = card->prompt,
		.decision = card->decision,
		.outcome = outcome,
		.at_ms = engine->now_ms,
		.withheld = card->withheld,
		.placement = card->placement,
		.action = card->action,
		.group = card->group,
		.issue = card->issue,
		.reason = (char *)reason,
	};
	struct subject *subject = of != NULL ? engine_subject(engine, of) : NULL;
	struct buf buf = { 0 };

	if (subject != NULL && subject->forgotten)
		return;
	if (subject == NULL) {
		contacts_add(&visit->contacts, &row);
		return;
	}
	contacts_add(&subject->contacts, &row);
	contact_encode(&row, &buf);
	engine_check(engine,
	    store_log_add(engine->store, STORE_LOG_SUBJECT, &subject->id, &subject->id,
		SUBJECT_LOG_CONTACT, row.at_ms, buf.data, buf.len));
	buf_done(&buf);
}

/* The outcome object: with "decision" it is what HQ gets, without it a line of the Decision's
 * "outcomes". */
static void
outcome_json(const struct card *card, enum outcome outcome, const char *reason, bool has_amount,
    int64_t amount_minor, int64_t at_ms, bool with_decision, const struct instead *instead,
    struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	if (with_decision)
		json_add_id(w, "decision", &card->decision);
	json_add_id(w, "prompt", &card->prompt);
	if (outcome == OUTCOME_OVERRIDDEN && reason != NULL)
		json_addf(w, "outcome", "%s:%s", outcome_name(outcome), reason);
	else
		json_add_str(w, "outcome", outcome_name(outcome));
	json_add_when(w, "at", at_ms);
	if (has_amount)
		json_add_int(w, "amount", amount_minor);
	if (reason != NULL && outcome != OUTCOME_OVERRIDDEN)
		json_add_str(w, "reason", reason);
	if (instead != NULL) {
		json_add_str(w, "by", "person");
		json_add_object(w, "instead");
		json_add_str(w, "action", instead->action);
		if (instead->depth != 0)
			json_add_int(w, "depth", instead->depth);
		if (instead->prompt != NULL)
			json_add_id(w, "prompt", instead->prompt);
		json_end(w);
	}
	json_end(w);
}

static enum lane
lane_of(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_APPLIED:
	case OUTCOME_REFUSED:
	case OUTCOME_REDEEMED:
	case OUTCOME_REVERSED: return LANE_MONEY;
	default: return LANE_DECISION;
	}
}

static void
record(struct engine *engine, struct visit *visit, const struct id *of, struct card *card,
    enum outcome outcome, const char *reason, bool has_amount, int64_t amount_minor,
    const struct instead *instead)
{
	const struct id *subject = of != NULL && !keys_forgotten(engine->keys, of) ? of : NULL;
	struct buf json = { 0 };

	add_contact(engine, visit, of, card, outcome, reason);
	tally_outcome(engine, card, outcome, amount_minor);
	/* The decision record itself says what was decided. */
	if (outcome == OUTCOME_DECIDED)
		return;
	outcome_json(card, outcome, reason, has_amount, amount_minor, engine->now_ms, false,
	    instead, &json);
	engine_check(engine,
	    store_log_add(engine->store, STORE_LOG_OUTCOME, &card->decision, subject, (int)outcome,
		engine->now_ms, json.data, json.len));
	if (engine->uplink == UPLINK_RECORDS) {
		buf_clear(&json);
		outcome_json(card, outcome, reason, has_amount, amount_minor, engine->now_ms, true,
		    instead, &json);
		engine_uplink(engine, lane_of(outcome), "outcome", subject, &json);
	}
	buf_done(&json);
}

void
outcome_record(struct engine *engine, struct visit *visit, struct card *card, enum outcome outcome,
    const char *reason, bool has_amount, int64_t amount_minor)
{
	record(engine, visit, visit_subject(visit), card, outcome, reason, has_amount, amount_minor,
	    NULL);
}

void
outcome_record_of(struct engine *engine, struct visit *visit, const struct id *subject,
    struct card *card, enum outcome outcome, const char *reason)
{
	record(engine, visit, subject, card, outcome, reason, false, 0, NULL);
}

void
outcome_record_instead(struct engine *engine, struct visit *visit, struct card *card,
    enum outcome outcome, const char *reason, const struct instead *instead)
{
	record(engine, visit, visit_subject(visit), card, outcome, reason, false, 0, instead);
}

/* ---- goals ---- */

/* The tablet said that it did not show it: nobody followed its advice. */
bool
card_not_shown(const struct card *card)
{
	return card->shown_ms != 0 && !card->shown;
}

/* A purchase is credited to the last card shown for it: is there a later one with the same goal? */
static bool
is_last_card_for(const struct policy *policy, const struct visit *visit, const struct card *card,
    const struct line *line)
{
	for (size_t i = 0; i < visit->card_count; i++) {
		const struct card *other = &visit->cards[i];
		const struct action *action = policy_action(policy, other->action);

		if (other == card || other->sent_ms <= card->sent_ms ||
		    other->sent_ms >= line->added_ms || action == NULL || card_not_shown(other))
			continue;
		if (action->goal == GOAL_BOUGHT &&
		    match_goods(&action->goal_item, line->category, line->brand, line_item(line)))
			return false;
	}
	return true;
}

/* Training, cancelled and voided sales are no purchases. */
static bool
is_sale(const struct visit *visit)
{
	return visit->state != VISIT_CANCELLED && !visit->training;
}

/* A line scanned before the card never counts. */
static bool
bought_in_basket(const struct policy *policy, const struct visit *visit, const struct card *card,
    const struct action *action, int64_t *ret_amount)
{
	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];

		if (line->voided || line->added_ms <= card->sent_ms)
			continue;
		if (!match_goods(&action->goal_item, line->category, line->brand, line_item(line)))
			continue;
		if (!is_last_card_for(policy, visit, card, line))
			continue;
		*ret_amount = line->amount_minor;
		return true;
	}
	return false;
}

bool
outcome_earned(struct engine *engine, const struct visit *visit, const struct card *card)
{
	const struct action *action = policy_action(engine->policy, card->action);
	int64_t amount_minor;

	return action != NULL && !card_not_shown(card) &&
	    bought_in_basket(engine->policy, visit, card, action, &amount_minor);
}

static bool
bought_later(struct engine *engine, const struct visit *visit, const struct card *card,
    const struct action *action, int64_t *ret_amount)
{
	const struct subject *subject =
	    visit->has_subject ? engine_subject(engine, &visit->subject) : NULL;

	if (subject == NULL)
		return false;
	for (size_t i = 0; i < subject->purchase_count; i++) {
		const struct purchase *purchase = &subject->purchases[i];

		if (purchase->at_ms <= card->sent_ms || purchase->at_ms > card->outcome_due_ms ||
		    id_equal(&purchase->visit, &visit->id))
			continue;
		for (size_t l = 0; l < purchase->line_count; l++) {
			const struct purchase_line *line = &purchase->lines[l];

			if (match_goods(&action->goal_item, line->category, line->brand,
				line->item)) {
				*ret_amount = line->amount_minor;
				return true;
			}
		}
	}
	return false;
}

void
outcome_close(struct engine *engine, struct visit *visit)
{
	for (size_t i = 0; i < visit->card_count && engine->policy != NULL; i++) {
		struct card *card = &visit->cards[i];
		const struct action *action = policy_action(engine->policy, card->action);
		int64_t amount_minor = 0;

		if (action == NULL || visit->training)
			continue;
		if (action->goal == GOAL_BOUGHT && action->goal_within_ms == 0 &&
		    !card_not_shown(card) &&
		    bought_in_basket(engine->policy, visit, card, action, &amount_minor))
			outcome_record(engine, visit, card, OUTCOME_BOUGHT, NULL, true,
			    amount_minor);
	}
}

void
outcome_window(struct engine *engine, const char *prompt)
{
	struct visit *visit = engine_visit_by_ref(engine, "prompt", prompt);
	const struct action *action;
	struct card *card;
	struct id id;
	int64_t amount_minor = 0;

	if (visit == NULL || !id_parse(prompt, &id) || (card = visit_card(visit, &id)) == NULL)
		return;
	engine_touch(engine, visit);
	if (card->depth != 0 && !card->redeemed)
		hold_release(engine, card);
	action = engine->policy != NULL ? policy_action(engine->policy, card->action) : NULL;
	if (action != NULL && action->goal == GOAL_BOUGHT && !card_not_shown(card) &&
	    ((is_sale(visit) &&
		 bought_in_basket(engine->policy, visit, card, action, &amount_minor)) ||
		bought_later(engine, visit, card, action, &amount_minor)))
		outcome_record(engine, visit, card, OUTCOME_BOUGHT, NULL, true, amount_minor);
}

/* ---- service ---- */

/* The case is closed: credited to the service cards that the customer was shown and that are still
 * in memory or in the contacts of 30 days. */
void
outcome_case_closed(struct engine *engine, const struct subject *subject)
{
	struct subject_visits found = { .subject = &subject->id };

	subject_visits_find(engine, &found);
	for (size_t i = 0; i < found.count; i++) {
		for (size_t c = 0; c < found.visits[i]->card_count; c++) {
			struct card *card = &found.visits[i]->cards[c];

			if (card->kind == KIND_SERVICE) {
				engine_touch(engine, found.visits[i]);
				outcome_record(engine, found.visits[i], card, OUTCOME_CASE_CLOSED,
				    NULL, false, 0);
			}
		}
	}
}
