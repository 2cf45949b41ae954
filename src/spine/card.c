/* SPDX-License-Identifier: Apache-2.0
 *
 * card.c - the life of a prompt: opened, shown, withdrawn; what the tablet and the till are told.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/metrics.h"
#include "decide/decide.h"
#include "nouns/visit.h"
#include "policy/policy_load.h"
#include "deliver/guidance.h"
#include "profile/subject_io.h"

#define MESSAGE_MS (10 * MIN_MS) /* how long a message to a till is worth sending again */

const char *
withdraw_name(enum withdraw_reason reason)
{
	static const char *const names[] = { "tender", "closed", "cancelled", "expired", "gate",
		"replaced", "customer", "consent", "stopped", "customer", "gate" };

	return NAME_OF(names, reason);
}

bool
visit_has_open(const struct visit *visit)
{
	for (size_t i = 0; i < visit->card_count; i++) {
		if (visit->cards[i].state == CARD_OPEN)
			return true;
	}
	return false;
}

const struct id *
visit_subject(const struct visit *visit)
{
	return visit->has_subject ? &visit->subject : NULL;
}

/* ---- to the till ---- */

static void
command(struct engine *engine, struct visit *visit, const struct id *subject, struct card *card,
    int type, const char *text)
{
	char purpose[32];
	struct buf json = { 0 };
	struct marks marks;
	char *topic = arena_printf(engine->arena, "pos/%s/command", visit->terminal);
	struct id id;
	int64_t expires_ms = engine->now_ms + (type == COMMAND_APPLY_OFFER ? ASK_MS : MESSAGE_MS);

	if (visit->terminal[0] == '\0')
		return;
	snprintf(purpose, sizeof(purpose), "command/%u", ++engine->commands);
	id = engine_id(engine, purpose);
	if (type == COMMAND_APPLY_OFFER)
		card->command = id;
	marks = engine_marks(engine);
	command_json(type, &id, visit, card, &marks, text, expires_ms, &json);
	engine_output(engine, OUTPUT_COMMAND, NULL, topic, subject, json.data, json.len);
	buf_done(&json);
}

void
card_command(struct engine *engine, struct visit *visit, struct card *card, int type,
    const char *text)
{
	command(engine, visit, card_customer(visit, card), card, type, text);
}

/* Some placements are messages through the till. */
static void
card_message(struct engine *engine, struct visit *visit, struct card *card)
{
	enum command_type show;
	json_t *json;
	const char *headline;

	CHECK((unsigned)card->placement < PLACE_COUNT);
	show = placement_table[card->placement].show;
	if (show == COMMAND_NONE)
		return;
	json = json_loads(card->json, 0, NULL);
	headline = json_string_value(json_object_get(json, "headline"));
	if (headline != NULL)
		card_command(engine, visit, card, show, headline);
	json_decref(json);
}

void
card_unword(struct card *card)
{
	if (card->json != NULL)
		explicit_bzero(card->json, strlen(card->json));
	free(card->json);
	card->json = NULL;
}

void
card_say_again(struct engine *engine, struct visit *visit, struct card *card)
{
	CHECK((unsigned)card->placement < PLACE_COUNT);
	if (placement_table[card->placement].clear != COMMAND_NONE)
		card_message(engine, visit, card);
}

/* Nobody will see it again: its words need not be written with the visit any more. */
void
card_gone(struct engine *engine, struct card *card)
{
	card->state = CARD_GONE;
	card_unword(card);
	hold_release(engine, card);
}

/* ---- open ---- */

void
card_limit(struct engine *engine, const struct decision *decision, const struct action *action,
    struct card *card)
{
	const struct sources *sources = &decision->input->sources;

	if (action->has_offer)
		card->most_minor = offer_most(&action->offer, card->depth,
		    basis_make(engine->scratch, sources->policy, sources->marks_off,
			sources->visit));
}

static void
fill_card(struct engine *engine, const struct decision *decision, const struct slot *slot,
    const struct id *prompt, struct card *card)
{
	const struct candidate *candidate = &decision->candidates[slot->candidate];
	const struct action *action = candidate->action;
	struct buf json = { 0 };

	card->prompt = *prompt;
	card->decision = decision->id;
	card->action = mem_strdup(action->id);
	card->group = mem_strdup(action->group);
	card->issue = mem_strdup(action->issue);
	card->treatment = mem_strdup(slot->treatment != NULL ? slot->treatment->name : "");
	if (candidate->item != NULL) {
		card->item = mem_strdup(candidate->item->text);
		card->item_is_category = candidate->item->is_category;
	}
	card->placement = (int)slot->placement;
	card->slot = slot->slot;
	card->kind = (int)action->kind;
	card->gate = (int)action->gate;
	card->depth = candidate->depth;
	card->worth_minor = candidate->worth_minor;
	card->hold_minor = candidate->hold_minor;
	card_limit(engine, decision, action, card);
	card->withheld = candidate->fate == FATE_WITHHELD;
	card->confidence = candidate->p1;
	card->sent_ms = engine->now_ms;
	card->expires_ms = action_ends_ms(action, engine->zone, engine->now_ms);
	if (card->expires_ms - engine->now_ms > action->expires_ms)
		card->expires_ms = engine->now_ms + action->expires_ms;
	if (action->goal != GOAL_NONE && action->goal_within_ms > 0)
		card->outcome_due_ms = engine->now_ms + action->goal_within_ms;
	prompt_json(decision, slot, prompt, &json);
	card->json = buf_steal(&json);
}

void
card_open(struct engine *engine, struct visit *visit, const struct decision *decision,
    struct slot *slot, const struct id *prompt)
{
	struct card *card = visit_add_card(visit);
	char text[ID_TEXT_SIZE];

	/* The gates have counted the places: what is offered is shown. */
	CHECK(card != NULL);
	fill_card(engine, decision, slot, prompt, card);
	hold_take(engine, card);
	outcome_record(engine, visit, card, OUTCOME_DECIDED, NULL, false, 0);
	if (!slot->by_person)
		timer_add(engine, "card", &card->prompt, card->expires_ms);
	id_text(&card->prompt, text);
	engine_ref(engine, "prompt", text, visit);
	if (card->outcome_due_ms != 0)
		timer_add(engine, "window", &card->prompt, card->outcome_due_ms);
	metrics_add(card->withheld ? METRIC_PROMPTS_WITHHELD : METRIC_PROMPTS_SENT, 1);
	if (!card->withheld && !slot->by_person)
		card_message(engine, visit, card);
}

/* ---- to the tablet ---- */

const struct subject *
visit_known_subject(struct engine *engine, const struct visit *visit)
{
	struct subject *subject;

	if (!visit->has_subject || staff_visit(engine, visit))
		return NULL;
	subject = engine_subject(engine, &visit->subject);
	if (subject->forgotten || !consent_granted(subject, CONSENT_PERSONALISE, engine->now_ms))
		return NULL;
	return subject;
}

static void
send_withdrawal(struct engine *engine, struct visit *visit, const char *station,
    const struct id *subject, enum withdraw_reason reason)
{
	struct buf json = { 0 };
	char *topic = arena_printf(engine->arena, "guidance/%s", station);

	if (id_is_zero(&visit->guidance))
		return;
	metrics_add(METRIC_WITHDRAWALS, 1);
	withdraw_json(&visit->guidance, withdraw_name(reason), &json);
	engine_output(engine, OUTPUT_WITHDRAW, station, topic, subject, json.data, json.len);
	memset(&visit->guidance, 0, sizeof(visit->guidance));
	buf_done(&json);
}

static void
new_guidance(struct engine *engine, struct visit *visit)
{
	char text[ID_TEXT_SIZE];

	visit->guidance = engine_id(engine, "guidance");
	visit->guidance_at_ms = engine->now_ms;
	id_text(&visit->guidance, text);
	engine_ref(engine, "guidance", text, visit);
}

static const struct id *
newest_decision(const struct visit *visit)
{
	static const struct id none;

	for (size_t i = visit->card_count; i > 0; i--) {
		if (visit->cards[i - 1].state != CARD_GONE && visit->cards[i - 1].json != NULL)
			return &visit->cards[i - 1].decision;
	}
	return &none;
}

void
visit_guide(struct engine *engine, struct visit *visit, const struct id *decision,
    enum withdraw_reason if_empty)
{
	const struct subject *subject = visit_known_subject(engine, visit);
	struct buf json = { 0 };
	char *topic;

	if (!guidance_wanted(visit, subject)) {
		send_withdrawal(engine, visit, visit->station, visit_subject(visit), if_empty);
		return;
	}
	if (id_is_zero(&visit->guidance))
		new_guidance(engine, visit);
	for (size_t i = 0; i < visit->card_count; i++) {
		if (visit->cards[i].state != CARD_GONE && id_is_zero(&visit->cards[i].guidance))
			visit->cards[i].guidance = visit->guidance;
	}
	topic = arena_printf(engine->arena, "guidance/%s", visit->station);
	guidance_json(visit, engine->policy, decision != NULL ? decision : newest_decision(visit),
	    subject, engine->now_ms, JSON_WRITER(&json));
	engine_output(engine, OUTPUT_GUIDANCE, visit->station, topic, visit_subject(visit),
	    json.data, json.len);
	buf_done(&json);
}

/* ---- withdraw ---- */

bool
card_taken(const struct card *card)
{
	return card->depth != 0 && card->answer == ANSWER_ACCEPT &&
	    (card->state == CARD_ANSWERED || card->state == CARD_ASKED ||
		card->state == CARD_APPLIED);
}

bool
card_lives_on(const struct engine *engine, const struct card *card)
{
	return card->until_ms > engine->now_ms;
}

void
card_silent(struct engine *engine, struct visit *visit, struct card *card)
{
	CHECK(card_taken(card) && card->state != CARD_APPLIED);
	card_command(engine, visit, card, COMMAND_WITHDRAW_OFFER, NULL);
	card->state = CARD_REFUSED;
	card->silent = true;
	outcome_record(engine, visit, card, OUTCOME_REFUSED, "silent", false, 0);
	hold_release(engine, card);
}

/* Of two customers that a visit had, subject is whose card it was. */
struct withdrawal {
	const struct id *subject;
	enum withdraw_reason reason;
	const struct person *person; /* whose answer it is; NULL: nobody's */
};

static void
withdraw(struct engine *engine, struct visit *visit, struct card *card, const struct withdrawal *w)
{
	const char *name = withdraw_name(w->reason);

	CHECK((unsigned)card->placement < PLACE_COUNT);
	if (card->state == CARD_GONE || card->redeemed)
		return;
	if (card->state == CARD_ASKED || card->state == CARD_APPLIED)
		command(engine, visit, w->subject, card, COMMAND_WITHDRAW_OFFER, NULL);
	if (card->state == CARD_OPEN)
		timer_cancel(engine, "card", &card->prompt, card->expires_ms);
	if (card->state == CARD_OPEN || card_taken(card))
		outcome_record_of(engine, visit, w->subject, card,
		    card->state == CARD_OPEN && w->reason == WITHDRAW_EXPIRED ? OUTCOME_EXPIRED
									      : OUTCOME_WITHDRAWN,
		    name, w->person);
	if (card->state == CARD_OPEN && !card->withheld &&
	    placement_table[card->placement].clear != COMMAND_NONE)
		command(engine, visit, w->subject, card, placement_table[card->placement].clear,
		    NULL);
	card_gone(engine, card);
}

void
card_withdraw(struct engine *engine, struct visit *visit, struct card *card,
    enum withdraw_reason reason)
{
	card_withdraw_by(engine, visit, card, reason, NULL);
}

void
card_withdraw_by(struct engine *engine, struct visit *visit, struct card *card,
    enum withdraw_reason reason, const struct person *person)
{
	withdraw(engine, visit, card,
	    &(struct withdrawal){ card_customer(visit, card), reason, person });
}

void
card_conceal(struct engine *engine, struct visit *visit, struct card *card)
{
	CHECK(card->state == CARD_OPEN && !card->withheld &&
	    (unsigned)card->placement < PLACE_COUNT);
	outcome_record(engine, visit, card, OUTCOME_WITHDRAWN, withdraw_name(WITHDRAW_CUSTOMER),
	    false, 0);
	if (placement_table[card->placement].clear != COMMAND_NONE)
		card_command(engine, visit, card, placement_table[card->placement].clear, NULL);
	hold_release(engine, card);
	card->withheld = card->concealed = true;
}

/* Reasons that end the visit for this customer take accepted offers along; the others leave them to
 * the close. Of a basket that nobody spoke of any more, what lives on was not its last use. */
static bool
takes_accepted(const struct engine *engine, const struct card *card, enum withdraw_reason reason)
{
	return reason == WITHDRAW_CANCELLED || reason == WITHDRAW_CUSTOMER ||
	    reason == WITHDRAW_TRAINING ||
	    (reason == WITHDRAW_EXPIRED && !card_lives_on(engine, card));
}

void
visit_withdraw_of(struct engine *engine, struct visit *visit, const char *station,
    const struct id *subject, enum withdraw_reason reason)
{
	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];
		/* One who stood there before has left what is theirs. */
		const struct withdrawal w = {
			card_of_former(visit, card) ? card_customer(visit, card) : subject, reason,
			NULL
		};

		if (card->state == CARD_OPEN ||
		    (card_taken(card) && takes_accepted(engine, card, reason)))
			withdraw(engine, visit, card, &w);
	}
	send_withdrawal(engine, visit, station, subject, reason);
}

void
visit_withdraw(struct engine *engine, struct visit *visit, enum withdraw_reason reason)
{
	visit_withdraw_of(engine, visit, visit->station, visit_subject(visit), reason);
}

static bool
stays_while_paying(const struct engine *engine, const struct card *card)
{
	const struct action *action = policy_action(engine->policy, card->action);

	return !placement_table[card->placement].stops_paying ||
	    (action != NULL && action->mandatory);
}

void
visit_hush(struct engine *engine, struct visit *visit)
{
	bool left = false, stays = false;

	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];
		bool seen = !card->withheld && placement_table[card->placement].on_screen;

		if (card->state != CARD_OPEN)
			continue;
		if (stays_while_paying(engine, card)) {
			stays = stays || seen;
			continue;
		}
		card_withdraw(engine, visit, card, WITHDRAW_TENDER);
		left = left || seen;
	}
	if (!stays)
		send_withdrawal(engine, visit, visit->station, visit_subject(visit),
		    WITHDRAW_TENDER);
	else if (left)
		visit_guide(engine, visit, NULL, WITHDRAW_TENDER);
}

/* The outcome's window is open for as long as the token is good. */
static void
live_on(struct engine *engine, struct card *card, int64_t until_ms)
{
	card->until_ms = until_ms;
	if (card->outcome_due_ms >= until_ms)
		return;
	timer_cancel(engine, "window", &card->prompt, card->outcome_due_ms);
	card->outcome_due_ms = until_ms;
	timer_add(engine, "window", &card->prompt, until_ms);
}

/* An offer that the till applies is asked for with a token of its own; one that the cashier scans
 * needs no question. */
void
card_accept_offer(struct engine *engine, struct visit *visit, struct card *card)
{
	const struct action *action =
	    engine->policy != NULL ? policy_action(engine->policy, card->action) : NULL;
	char text[ID_TEXT_SIZE];

	card->state = CARD_ANSWERED;
	if (card->depth == 0)
		return;
	card->token = engine_id(engine, "token/1");
	id_text(&card->token, text);
	engine_ref(engine, "token", text, visit);
	promise_made(card);
	if (action != NULL && action->has_offer && action->offer.until_ms > 0)
		live_on(engine, card, engine->now_ms + action->offer.until_ms);
	if (action != NULL && action->has_offer && action->offer.apply == APPLY_BARCODE)
		return;
	card->state = CARD_ASKED;
	card->asked_ms = engine->now_ms;
	/* What stands in the lines may be said with the sale. */
	if (action == NULL || !action->has_offer || action->offer.apply == APPLY_TILL_CODE)
		timer_add(engine, "ask", &card->prompt, engine->now_ms + ASK_MS);
	card_command(engine, visit, card, COMMAND_APPLY_OFFER, NULL);
}
