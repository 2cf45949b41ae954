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
#include "nouns/net.h"
#include "nouns/visit.h"
#include "policy/policy_load.h"
#include "profile/subject_io.h"

/* Does it end what was taken? amount_minor: of what is taken back. */
static enum contact_ends
ends_what(const struct card *card, enum outcome outcome, int64_t amount_minor)
{
	switch (outcome) {
	case OUTCOME_REFUSED: return ENDS_TAKEN;
	case OUTCOME_REVERSED:
		return amount_minor >= card->redeemed_minor ? ENDS_TAKEN : ENDS_NOTHING;
	case OUTCOME_WITHDRAWN: return card->answer == ANSWER_ACCEPT ? ENDS_TAKEN : ENDS_NOTHING;
	default: return ENDS_NOTHING;
	}
}

static void
add_contact_at(struct engine *engine, struct visit *visit, const struct id *of,
    const struct card *card, enum outcome outcome, const char *reason, enum contact_ends ends,
    int64_t at_ms)
{
	struct contact row = {
		.prompt = card->prompt,
		.decision = card->decision,
		.outcome = outcome,
		.at_ms = at_ms,
		.withheld = card->withheld,
		.ends = ends,
		.placement = card->placement,
		.action = card->action,
		.group = card->group,
		.issue = card->issue,
		.reason = (char *)reason,
	};
	struct subject *subject = of != NULL ? engine_subject(engine, of) : NULL;
	struct buf buf = { 0 };

	/* Nor is what was a forgotten customer's a contact of who comes next. */
	if (subject != NULL ? subject->forgotten : card_of_former(visit, card))
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

static void
add_contact(struct engine *engine, struct visit *visit, const struct id *of,
    const struct card *card, enum outcome outcome, const char *reason, enum contact_ends ends)
{
	add_contact_at(engine, visit, of, card, outcome, reason, ends, engine->now_ms);
}

/* ---- who ---- */

void
person_key(const struct engine *engine, const char *role, const char *id,
    char ret_hex[static SUBJECT_TEXT_SIZE])
{
	struct buf text = { 0 };
	uint8_t digest[16];

	/* A role, a zero byte, the id: no card number has a zero byte. */
	buf_add(&text, role, strlen(role) + 1);
	buf_adds(&text, id);
	hash_bytes(digest, sizeof(digest), text.data, text.len, keys_pepper(engine->keys), 32);
	hash_hex(ret_hex, digest, sizeof(digest));
	buf_done(&text);
}

static void
add_key(const struct engine *engine, const char *role, const char *id, struct json_writer *w)
{
	char hex[SUBJECT_TEXT_SIZE];

	if (id == NULL)
		return;
	person_key(engine, role, id, hex);
	json_add_str(w, role, hex);
}

static void
add_instead(const struct instead *instead, struct json_writer *w)
{
	json_add_str(w, "by", "person");
	json_add_object(w, "instead");
	json_add_str(w, "action", instead->action);
	if (instead->depth != 0)
		json_add_int(w, "depth", instead->depth);
	if (instead->prompt != NULL)
		json_add_id(w, "prompt", instead->prompt);
	json_end(w);
}

/* The note never leaves the store. */
static void
add_person(const struct engine *engine, const struct person *person, bool with_note,
    struct json_writer *w)
{
	if (person->instead != NULL)
		add_instead(person->instead, w);
	json_opt_str(w, "tablet", person->tablet);
	add_key(engine, "associate", person->associate, w);
	add_key(engine, "manager", person->manager, w);
	if (person->over != 0) {
		json_add_list(w, "over");
		for (int gate = 0; gate < FATE_COUNT; gate++)
			if ((person->over & 1u << gate) != 0)
				json_add_str(w, NULL, door_gate_name((enum fate)gate));
		json_end(w);
	}
	if (with_note)
		json_opt_str(w, "note", person->note);
}

/* ---- the record ---- */

/* The outcome object: with "decision" it is what HQ gets, without it a line of the Decision's
 * "outcomes". */
static void
outcome_json(const struct engine *engine, const struct card *card, enum outcome outcome,
    const char *reason, bool has_amount, int64_t amount_minor, bool with_decision,
    const struct person *person, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	if (with_decision)
		json_add_id(w, "decision", &card->decision);
	json_add_id(w, "prompt", &card->prompt);
	if (outcome == OUTCOME_OVERRIDDEN && reason != NULL)
		json_addf(w, "outcome", "%s:%s", outcome_name(outcome), reason);
	else
		json_add_str(w, "outcome", outcome_name(outcome));
	json_add_when(w, "at", engine->now_ms);
	if (has_amount)
		json_add_int(w, "amount", amount_minor);
	if (reason != NULL && outcome != OUTCOME_OVERRIDDEN)
		json_add_str(w, "reason", reason);
	if (person != NULL)
		add_person(engine, person, !with_decision, w);
	json_end(w);
}

static enum lane
lane_of(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_APPLIED:
	case OUTCOME_REFUSED:
	case OUTCOME_REDEEMED:
	case OUTCOME_REVERSED:
	case OUTCOME_RETURNED: return LANE_MONEY;
	default: return LANE_DECISION;
	}
}

/* To the ledger and to headquarters. */
static void
put_on_record(struct engine *engine, const struct id *of, struct card *card, enum outcome outcome,
    const char *reason, bool has_amount, int64_t amount_minor, const struct person *person)
{
	const struct id *subject = of != NULL && !keys_forgotten(engine->keys, of) ? of : NULL;
	struct buf json = { 0 };

	tally_outcome(engine, card, outcome, reason, amount_minor);
	/* The decision record itself says what was decided. */
	if (outcome == OUTCOME_DECIDED)
		return;
	outcome_json(engine, card, outcome, reason, has_amount, amount_minor, false, person, &json);
	engine_check(engine,
	    store_log_add(engine->store, STORE_LOG_OUTCOME, &card->decision, subject, (int)outcome,
		engine->now_ms, json.data, json.len));
	if (engine->uplink == UPLINK_RECORDS) {
		buf_clear(&json);
		outcome_json(engine, card, outcome, reason, has_amount, amount_minor, true, person,
		    &json);
		engine_uplink(engine, lane_of(outcome), "outcome", subject, &json);
	}
	buf_done(&json);
}

static void
record(struct engine *engine, struct visit *visit, const struct id *of, struct card *card,
    enum outcome outcome, const char *reason, bool has_amount, int64_t amount_minor,
    const struct person *person)
{
	add_contact(engine, visit, of, card, outcome, reason,
	    ends_what(card, outcome, amount_minor));
	recent_note(engine, visit, card, outcome);
	put_on_record(engine, of, card, outcome, reason, has_amount, amount_minor, person);
}

void
outcome_record_returned(struct engine *engine, struct visit *visit, struct card *card,
    int64_t amount_minor, bool whole)
{
	const struct id *of = card_customer(visit, card);

	/* Of what came back in part the rest was bought all the same. */
	if (whole)
		add_contact(engine, visit, of, card, OUTCOME_RETURNED, NULL, ENDS_TAKEN);
	put_on_record(engine, of, card, OUTCOME_RETURNED, NULL, true, amount_minor, NULL);
}

void
outcome_record(struct engine *engine, struct visit *visit, struct card *card, enum outcome outcome,
    const char *reason, bool has_amount, int64_t amount_minor)
{
	record(engine, visit, card_customer(visit, card), card, outcome, reason, has_amount,
	    amount_minor, NULL);
}

void
outcome_record_of(struct engine *engine, struct visit *visit, const struct id *subject,
    struct card *card, enum outcome outcome, const char *reason, const struct person *person)
{
	record(engine, visit, subject, card, outcome, reason, false, 0, person);
}

void
outcome_record_by(struct engine *engine, struct visit *visit, struct card *card,
    enum outcome outcome, const char *reason, const struct person *person)
{
	record(engine, visit, card_customer(visit, card), card, outcome, reason, false, 0, person);
}

void
outcome_unused(struct engine *engine, struct visit *visit, const struct card *card)
{
	int64_t from_ms = engine->now_ms;

	/* While the till may still say that it was paid with, it counts as in use. */
	if (visit->state == VISIT_CLOSED && visit->ended_at_ms + LATE_WORD_MS >= from_ms)
		from_ms = visit->ended_at_ms + LATE_WORD_MS + 1;
	add_contact_at(engine, visit, card_customer(visit, card), card, OUTCOME_EXPIRED, NULL,
	    ENDS_UNUSED, from_ms);
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
		struct match room;

		if (other == card || other->sent_ms <= card->sent_ms ||
		    other->sent_ms >= line->added_ms || action == NULL || card_not_shown(other) ||
		    card_of_former(visit, other))
			continue;
		if (action->goal == GOAL_BOUGHT &&
		    match_line(card_goal(other, action, &room), line))
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

/* A line scanned before the card never counts, nor one that came back, nor what another customer
 * buys than was shown the card. */
static bool
bought_in_basket(const struct engine *engine, const struct visit *visit, const struct card *card,
    const struct action *action, int64_t *ret_amount)
{
	bool theirs = !card_of_former(visit, card), bought = false;
	struct net_line *net = theirs && visit->back_count > 0 ? net_lines(visit) : NULL;
	struct marks marks = engine_marks(engine);
	struct match room;
	const struct match *goal = card_goal(card, action, &room);

	for (size_t i = 0; i < visit->line_count && theirs && !bought; i++) {
		const struct line *line = &visit->lines[i];

		if (line->voided || line->added_ms <= card->sent_ms ||
		    line_mark(&marks, line) != MARK_NONE || (net != NULL && net[i].qty_milli == 0))
			continue;
		if (!match_line(goal, line))
			continue;
		if (!is_last_card_for(engine->policy, visit, card, line))
			continue;
		*ret_amount = net != NULL ? net[i].amount_minor : line->amount_minor;
		bought = true;
	}
	free(net);
	return bought;
}

bool
outcome_earned(struct engine *engine, const struct visit *visit, const struct card *card)
{
	const struct action *action = policy_action(engine->policy, card->action);
	int64_t amount_minor;

	return action != NULL && !card_not_shown(card) &&
	    bought_in_basket(engine, visit, card, action, &amount_minor);
}

static bool
bought_later(struct engine *engine, const struct visit *visit, const struct card *card,
    const struct action *action, int64_t *ret_amount)
{
	const struct id *of = card_customer(visit, card);
	const struct subject *subject = of != NULL ? engine_subject(engine, of) : NULL;
	struct marks marks = engine_marks(engine);
	struct match room;
	const struct match *goal = card_goal(card, action, &room);

	if (subject == NULL)
		return false;
	for (size_t i = 0; i < subject->purchase_count; i++) {
		const struct purchase *purchase = &subject->purchases[i];

		if (purchase->at_ms <= card->sent_ms || purchase->at_ms > card->outcome_due_ms ||
		    id_equal(&purchase->visit, &visit->id))
			continue;
		for (size_t l = 0; l < purchase->line_count; l++) {
			const struct purchase_line *line = &purchase->lines[l];

			if (goods_mark(&marks, line->category, line->mark) == MARK_NONE &&
			    match_goods(goal, line->category, line->brand, line->item)) {
				*ret_amount = line->amount_minor;
				return true;
			}
		}
	}
	return false;
}

bool
outcome_goal_met(struct engine *engine, const struct visit *visit, const struct card *card)
{
	const struct action *action =
	    engine->policy != NULL ? policy_action(engine->policy, card->action) : NULL;
	int64_t amount_minor;

	if (action == NULL || action->goal != GOAL_BOUGHT || card_not_shown(card))
		return false;
	return (is_sale(visit) && bought_in_basket(engine, visit, card, action, &amount_minor)) ||
	    (action->goal_within_ms > 0 &&
		bought_later(engine, visit, card, action, &amount_minor));
}

void
outcome_close(struct engine *engine, struct visit *visit)
{
	for (size_t i = 0; i < visit->card_count && engine->policy != NULL; i++) {
		struct card *card = &visit->cards[i];
		const struct action *action = policy_action(engine->policy, card->action);
		int64_t amount_minor = 0;

		if (action == NULL || visit->training || card->bought)
			continue;
		if (action->goal == GOAL_BOUGHT && action->goal_within_ms == 0 &&
		    !card_not_shown(card) &&
		    bought_in_basket(engine, visit, card, action, &amount_minor)) {
			card->bought = true;
			outcome_record(engine, visit, card, OUTCOME_BOUGHT, NULL, true,
			    amount_minor);
		}
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
	/* Of one that did not live on, the basket's close was the end. */
	if (card->until_ms != 0)
		till_lapse_card(engine, visit, card);
	else if (card->depth != 0 && !card->redeemed)
		hold_release(engine, card);
	action = engine->policy != NULL ? policy_action(engine->policy, card->action) : NULL;
	if (action != NULL && action->goal == GOAL_BOUGHT && !card_not_shown(card) &&
	    ((is_sale(visit) && bought_in_basket(engine, visit, card, action, &amount_minor)) ||
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

			if (card->kind == KIND_SERVICE && !card_of_former(found.visits[i], card)) {
				engine_touch(engine, found.visits[i]);
				outcome_record(engine, found.visits[i], card, OUTCOME_CASE_CLOSED,
				    NULL, false, 0);
			}
		}
	}
}
