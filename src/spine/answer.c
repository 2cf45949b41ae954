/* SPDX-License-Identifier: Apache-2.0
 *
 * answer.c - the human gate: shown, accept, dismiss, snooze, override.
 *
 * INVARIANTS
 *   The same answer again gets the same reply; another one gets 409. A limit on
 *   what is taken is asked when it is taken, not only when it is shown.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/metrics.h"
#include "policy/policy_load.h"
#include "deliver/guidance.h"

#define SNOOZE_MS (5 * MIN_MS) /* without "until" */

static const char gone[] = "this prompt has expired or was withdrawn";

static void
refuse(struct reply *reply, int status, const char *detail)
{
	reply->status = status;
	reply->detail = detail;
}

/* The card that a tablet means; NULL with a 404 or 410 in reply. */
static struct card *
find_card(struct engine *engine, const struct event *event, struct visit **ret_visit,
    struct reply *reply)
{
	struct visit *visit = engine_visit_by_ref(engine, "prompt", event->prompt);
	struct card *card = NULL;
	struct id prompt, guidance;

	if (visit != NULL && id_parse(event->prompt, &prompt))
		card = visit_card(visit, &prompt);
	/* It is gone and has left the visit since: places.c. */
	if (visit != NULL && (card == NULL || card->concealed)) {
		refuse(reply, 410, gone);
		return NULL;
	}
	if (card == NULL || card->withheld || !id_parse(event->guidance, &guidance) ||
	    !id_equal(&guidance, &card->guidance)) {
		refuse(reply, 404, "no such prompt in this guidance");
		return NULL;
	}
	*ret_visit = visit;
	return card;
}

static void
reply_to(struct engine *engine, const struct event *event, int64_t at_ms, struct reply *reply)
{
	struct buf body = { 0 };
	struct json_writer *w = JSON_OBJECT(&body);

	json_add_str(w, "guidance", event->guidance);
	json_add_str(w, "prompt", event->prompt);
	if (event->decision != NULL)
		json_add_str(w, "decision", event->decision);
	else
		json_add_bool(w, "shown", event->shown);
	json_add_when(w, "at", at_ms);
	json_end(w);
	reply->status = 200;
	reply->body = arena_strdup(engine->arena, body.data);
	buf_done(&body);
}

void
answer_shown(struct engine *engine, const struct event *event, struct reply *reply)
{
	struct visit *visit;
	struct card *card = find_card(engine, event, &visit, reply);

	if (card == NULL)
		return;
	if (card->shown_ms != 0) {
		if (card->shown != event->shown)
			refuse(reply, 409, "this prompt was already reported the other way");
		else
			reply_to(engine, event, card->shown_ms, reply);
		return;
	}
	card->shown = event->shown;
	card->shown_ms = engine->now_ms;
	engine_touch(engine, visit);
	outcome_record_by(engine, visit, card, event->shown ? OUTCOME_SHOWN : OUTCOME_NOT_SHOWN,
	    NULL, &(struct person){ .tablet = event->tablet });
	reply_to(engine, event, card->shown_ms, reply);
	reply->changed = true;
}

/* ---- decided ---- */

static void
answer_body(const struct event *event, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_str(w, "decision", event->decision);
	if (event->reason != NULL)
		json_add_str(w, "reason", event->reason);
	if (event->instead_action != NULL) {
		json_add_str(w, "instead", event->instead_action);
		json_add_int(w, "depth", event->instead_depth);
	}
	json_opt_when(w, "until", event->until_ms);
	json_end(w);
}

static enum card_answer
answer_of(const char *decision)
{
	if (strcmp(decision, "accept") == 0)
		return ANSWER_ACCEPT;
	if (strcmp(decision, "dismiss") == 0)
		return ANSWER_DISMISS;
	if (strcmp(decision, "snooze") == 0)
		return ANSWER_SNOOZE;
	return ANSWER_OVERRIDE;
}

/* What is known of who answers; the manager once they have proved it. */
static struct person
person_of(const struct visit *visit, const struct event *event)
{
	return (struct person){ .tablet = event->tablet,
		.associate = event->associate != NULL ? event->associate : visit->associate,
		.note = event->note };
}

static void
apply_answer(struct engine *engine, struct visit *visit, struct card *card,
    const struct event *event, struct person *person, const struct choice *choice)
{
	if (event->reason != NULL && strcmp(event->reason, "out-of-stock") == 0 &&
	    (card->answer == ANSWER_DISMISS || card->answer == ANSWER_OVERRIDE))
		stock_missed(engine, card);
	switch (card->answer) {
	case ANSWER_ACCEPT:
		outcome_record_by(engine, visit, card, OUTCOME_ACCEPTED, NULL, person);
		if (engine->policy != NULL && card->depth != 0)
			card->worth_minor = choose_worth(engine, visit, card);
		card_accept_offer(engine, visit, card);
		break;
	case ANSWER_DISMISS:
		card->state = CARD_ANSWERED;
		outcome_record_by(engine, visit, card, OUTCOME_DISMISSED, event->reason, person);
		hold_release(engine, card);
		break;
	case ANSWER_SNOOZE:
		card->state = CARD_ANSWERED;
		card->snooze_until_ms =
		    event->until_ms != 0 ? event->until_ms : engine->now_ms + SNOOZE_MS;
		due_snooze(engine, card);
		outcome_record_by(engine, visit, card, OUTCOME_SNOOZED, NULL, person);
		hold_release(engine, card);
		break;
	default:
		card->state = CARD_ANSWERED;
		hold_release(engine, card);
		if (event->instead_action != NULL)
			instead_apply(engine, visit, card, event, person, choice);
		else
			outcome_record_by(engine, visit, card, OUTCOME_OVERRIDDEN, event->reason,
			    person);
		break;
	}
}

/* Too late: the card is gone, or it is an offer and the customer is paying. An accept is recorded, nothing is sent. */
static bool
too_late(struct engine *engine, struct visit *visit, struct card *card, enum card_answer answer,
    const struct person *person, struct reply *reply)
{
	bool paying = visit->state == VISIT_TENDER || visit->state == VISIT_CLOSED;

	if (card->state == CARD_OPEN && !(paying && card->depth != 0 && answer == ANSWER_ACCEPT) &&
	    engine->now_ms < card->expires_ms)
		return false;
	if (answer == ANSWER_ACCEPT && paying && !card->late) {
		card->late = true;
		engine_touch(engine, visit);
		outcome_record_by(engine, visit, card, OUTCOME_LATE, NULL, person);
		reply->changed = true;
	}
	refuse(reply, 410, paying ? "too late: the customer is paying or has paid" : gone);
	return true;
}

static bool
manager_agrees(struct engine *engine, const struct event *event, struct reply *reply)
{
	if (event->approved)
		return true;
	if (event->pin == NULL) {
		refuse(reply, 403, "a manager's PIN is needed");
		return false;
	}
	switch (manager_check(engine, event->origin, event->manager, event->pin)) {
	case MANAGER_OK: return true;
	case MANAGER_LOCKED:
		refuse(reply, 423,
		    "too many wrong PINs from this tablet: no PIN is taken from it for a while");
		return false;
	default: refuse(reply, 403, "no such manager, or another PIN"); return false;
	}
}

/* What needs a manager: their yes to a card of theirs, and what an associate may not choose
 * instead. A PIN that nothing asked for is looked at all the same: who is on record was there. */
static bool
may_answer(struct engine *engine, struct visit *visit, const struct card *card,
    const struct event *event, enum card_answer answer, struct person *person,
    struct choice *choice, struct reply *reply)
{
	bool instead = answer == ANSWER_OVERRIDE && event->instead_action != NULL, needed;
	bool asked = event->pin != NULL || event->approved;

	if (answer != ANSWER_ACCEPT && card_mandatory(card)) {
		refuse(reply, 409, "it is mandatory: accept is expected, it cannot be put off");
		return false;
	}
	needed = instead ? instead_look(engine, visit, card, event, choice)
			 : card->gate == GATE_MANAGER && answer == ANSWER_ACCEPT;
	if (needed && instead && !choice->listed && (!asked || event->reason == NULL)) {
		refuse(reply, 403,
		    "instead: expected what the card lists under alternatives, or a manager's PIN "
		    "and a reason");
		return false;
	}
	if ((needed || asked) && !manager_agrees(engine, event, reply))
		return false;
	person->manager = needed || asked ? event->manager : NULL;
	return !instead || instead_try(engine, choice, reply);
}

/* The same answer again: the clause that closed it. Another one comes too late. */
static void
closed_before(struct engine *engine, const struct card *card, const char *body, struct reply *reply)
{
	if (card->answer_body == NULL || strcmp(card->answer_body, body) != 0) {
		refuse(reply, 410, gone);
		return;
	}
	refuse(reply, 409, "a limit was reached, or it saves too little by now");
	reply->clause = arena_strdup(engine->arena, card->closed_by);
}

static bool
still_saves(struct engine *engine, const struct decide_input *input, const struct action *action,
    const struct card *card)
{
	const struct sources *sources = &input->sources;
	struct offer_value value;

	if (!action->has_offer)
		return true;
	value = offer_value(&action->offer, card->depth,
	    basis_make(engine->scratch, sources->policy, sources->marks_off, sources->visit));
	return offer_saves(&action->offer, &value);
}

/* What is taken is limited when it is taken: it may have been taken at another till since it was
 * shown. */
static bool
may_take(struct engine *engine, struct visit *visit, struct card *card, const char *body,
    const struct person *person, struct reply *reply)
{
	struct decide_input input;
	const struct action *action;
	const char *clause;

	if (engine->policy == NULL)
		return true;
	arena_reset(engine->scratch);
	choose_input(engine, visit, NULL, &input);
	action = policy_action(input.sources.policy, card->action);
	if (action == NULL || action->mandatory)
		return true;
	clause = contact_take_check(engine->scratch, &input, action, card);
	if (clause == NULL && card->depth != 0 && !still_saves(engine, &input, action, card))
		clause = "offer.min_worth";
	if (clause == NULL)
		return true;
	card->closed_by = mem_strdup(clause);
	card->answer_body = mem_strdup(body);
	engine_touch(engine, visit);
	card_withdraw_by(engine, visit, card, WITHDRAW_GATE, person);
	visit_guide(engine, visit, NULL, WITHDRAW_GATE);
	closed_before(engine, card, body, reply);
	reply->changed = true;
	return false;
}

void
answer_decided(struct engine *engine, const struct event *event, struct reply *reply)
{
	enum card_answer answer = answer_of(event->decision);
	struct buf body = { 0 };
	struct visit *visit;
	struct card *card = find_card(engine, event, &visit, reply);
	struct person person;
	struct choice choice;
	struct id prompt;

	if (card == NULL)
		return;
	answer_body(event, &body);
	if (card->closed_by != NULL) {
		closed_before(engine, card, body.data, reply);
		goto out;
	}
	if (card->answer != ANSWER_NONE) {
		if (strcmp(card->answer_body, body.data) == 0)
			reply_to(engine, event, card->answered_ms, reply);
		else
			refuse(reply, 409, "this prompt was answered otherwise before");
		goto out;
	}
	person = person_of(visit, event);
	if (too_late(engine, visit, card, answer, &person, reply) ||
	    !may_answer(engine, visit, card, event, answer, &person, &choice, reply))
		goto out;
	if (answer == ANSWER_ACCEPT && !may_take(engine, visit, card, body.data, &person, reply))
		goto out;
	card->answer = answer;
	card->answered_ms = engine->now_ms;
	card->answer_body = buf_steal(&body);
	timer_cancel(engine, "card", &card->prompt, card->expires_ms);
	prompt = card->prompt;
	apply_answer(engine, visit, card, event, &person, &choice);
	card = visit_card(visit, &prompt); /* another card may have moved it */
	metrics_add(METRIC_ANSWERS_ACCEPT + (answer - ANSWER_ACCEPT), 1);
	engine_touch(engine, visit);
	/* What was taken is not there for the others. */
	if (answer == ANSWER_ACCEPT || answer == ANSWER_OVERRIDE)
		(void)choose_open(engine, visit, event);
	visit_guide(engine, visit, NULL, WITHDRAW_REPLACED);
	reply_to(engine, event, card->answered_ms, reply);
	reply->changed = true;
out:
	buf_done(&body);
}
