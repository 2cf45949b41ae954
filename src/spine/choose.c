/* SPDX-License-Identifier: Apache-2.0
 *
 * choose.c - from a trigger to a decision on record and cards in their slots.
 */
#include "spine/spine.h"

#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "core/metrics.h"
#include "decide/decide.h"
#include "deliver/guidance.h"
#include "nouns/visit.h"
#include "policy/policy_load.h"
#include "profile/subject_io.h"

struct chosen {
	struct decide_input input;
	struct decision decision;
	struct decision_context context;
};

/* ---- what the decision may look at ---- */

static void
fill_store(struct engine *engine, struct store_state *store)
{
	struct budget_use *uses =
	    arena_alloc(engine->scratch, (engine->budget_count + 1) * sizeof(*uses));

	store->day_start_ms = engine_day_start(engine, engine->now_ms);
	store->stopped = (const char *const *)engine->stopped;
	store->stopped_count = engine->stopped_count;
	store->time_uncertain = engine->time_uncertain;
	for (size_t i = 0; i < engine->budget_count; i++)
		uses[i] = budget_on(&engine->budgets[i], store->day_start_ms);
	store->uses = uses;
	store->use_count = engine->budget_count;
}

static void
fill_sources(struct engine *engine, struct visit *visit, const struct event *event,
    struct subject *subject, bool known, struct sources *sources)
{
	sources->visit = visit;
	sources->subject = known ? subject : NULL;
	sources->contacts = subject != NULL ? &subject->contacts : &visit->contacts;
	sources->event = event;
	sources->now_ms = engine->now_ms;
	sources->store = engine->conf->store_id;
	sources->zone = engine->zone;
	sources->marks_off = marks_off_in(engine->conf->country);
	sources->has_queue = sensor_read(engine, visit->station, &sources->queue);
	sources->owed_minor = promise_owed(engine, visit);
}

void
choose_input(struct engine *engine, struct visit *visit, const struct event *event,
    struct decide_input *input)
{
	struct subject *subject =
	    visit->has_subject ? engine_subject(engine, &visit->subject) : NULL;
	struct arm_choice *arms = NULL;

	if (subject != NULL && (subject->forgotten || staff_visit(engine, visit)))
		subject = NULL;
	memset(input, 0, sizeof(*input));
	input->staff = staff_visit(engine, visit);
	input->known =
	    subject != NULL && consent_granted(subject, CONSENT_PERSONALISE, engine->now_ms);
	input->contact_consent =
	    subject != NULL && consent_granted(subject, CONSENT_CONTACT, engine->now_ms);
	input->care = subject;
	input->control = control_group(engine->policy, subject != NULL ? &subject->id : NULL);
	fill_sources(engine, visit, event, subject, input->known, &input->sources);
	fill_store(engine, &input->store);
	input->arm_count = experiments_assign(engine->scratch, engine->policy,
	    subject != NULL ? &subject->id : NULL, &visit->id, visit->station,
	    engine->conf->store_id, input->store.day_start_ms, &arms, &input->arm_withholds);
	input->arms = arms;
	input->draws = engine->draws;
	input->catalog = engine->catalog;
	stock_fill(engine, input);
	input->sources.policy = engine_policy_for(engine, arms, input->arm_count);
	input->day_cost_max = looking_cost_max(engine, input->sources.policy);
	input->learned = learner_in_force(engine);
}

/* Training rows are made of the very sources that deciding has. */
static void
show_sources(struct engine *engine, struct visit *visit, const struct event *event)
{
	struct decide_input input;

	if (event == NULL || (engine->sources_on & (UINT32_C(1) << event->type)) == 0 ||
	    staff_visit(engine, visit))
		return;
	arena_reset(engine->scratch);
	choose_input(engine, visit, event, &input);
	engine->on_sources(engine->on_sources_ctx, &input.sources);
}

/* ---- what becomes of the cards ---- */

/* Answered with a no, or with a yes that nothing follows: makes room at the next decision. */
static void
retire_answered(struct engine *engine, struct visit *visit)
{
	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];

		if ((card->state == CARD_REFUSED && !card->silent) ||
		    (card->state == CARD_ANSWERED && card->answer != ANSWER_ACCEPT)) {
			card_gone(engine, card);
			engine_touch(engine, visit);
		}
	}
}

static bool
is_gate_failure(enum fate fate)
{
	return fate != FATE_OFFERED && fate != FATE_WITHHELD && fate != FATE_OUTRANKED &&
	    fate != FATE_NOT_DRAWN;
}

/* Why an open card leaves: its gate failed (or it is stopped), or a better one took its place. */
static enum withdraw_reason
reason_to_leave(const struct decision *decision, const struct card *card)
{
	for (size_t i = 0; i < decision->candidate_count; i++) {
		const struct candidate *c = &decision->candidates[i];

		if (strcmp(c->action->id, card->action) != 0)
			continue;
		if (c->fate == FATE_STOPPED)
			return WITHDRAW_STOPPED;
		return is_gate_failure(c->fate) ? WITHDRAW_GATE : WITHDRAW_REPLACED;
	}
	return WITHDRAW_GATE;
}

static bool
stays(const struct decision *decision, size_t card)
{
	for (size_t i = 0; i < decision->slot_count; i++) {
		if (decision->slots[i].card == (int)card)
			return true;
	}
	return false;
}

/* An event that no action names still can make an open card wrong. */
static bool
gate_again(struct engine *engine, struct visit *visit, const struct decision *decision)
{
	bool changed = false;

	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];
		enum withdraw_reason reason;

		if (card->state != CARD_OPEN)
			continue;
		reason = reason_to_leave(decision, card);
		if (reason == WITHDRAW_REPLACED)
			continue;
		card_withdraw(engine, visit, card, reason);
		changed = true;
	}
	return changed;
}

static bool
withdraw_losers(struct engine *engine, struct visit *visit, const struct decision *decision)
{
	bool changed = false;

	for (size_t i = 0; i < visit->card_count; i++) {
		if (visit->cards[i].state != CARD_OPEN || stays(decision, i))
			continue;
		card_withdraw(engine, visit, &visit->cards[i],
		    reason_to_leave(decision, &visit->cards[i]));
		changed = true;
	}
	return changed;
}

static bool
open_winners(struct engine *engine, struct visit *visit, struct chosen *chosen,
    const struct id *prompts)
{
	bool changed = false;

	for (size_t i = 0; i < chosen->decision.slot_count; i++) {
		struct slot *slot = &chosen->decision.slots[i];

		if (slot->card >= 0) {
			/* Its place may have changed; its prompt has not. */
			visit->cards[slot->card].slot = slot->slot;
			continue;
		}
		if (slot->candidate < 0)
			continue;
		card_open(engine, visit, &chosen->decision, slot, &prompts[i]);
		changed = true;
	}
	return changed;
}

/* ---- the record ---- */

/* Appends json without its member "features": what goes up has no feature values. The member's key
 * cannot stand inside a string, where its quotes would be escaped. */
static void
without_features(const char *json, size_t len, struct buf *out)
{
	static const char key[] = "\"features\":{";
	const char *at = memmem(json, len, key, sizeof(key) - 1), *p, *end = json + len;
	bool in_string = false;

	if (at == NULL) {
		buf_add(out, json, len);
		return;
	}
	for (p = at + sizeof(key) - 1; p < end && (in_string || *p != '}'); p++) {
		if (in_string && *p == '\\')
			p++;
		else if (*p == '"')
			in_string = !in_string;
	}
	p++;
	if (p < end && *p == ',')
		p++;
	buf_add(out, json, (size_t)(at - json));
	buf_add(out, p, (size_t)(end - p));
}

/* From a shortlist with a card on it: models are learned from those. */
static bool
was_drawn(const struct decision *decision)
{
	for (size_t i = 0; i < decision->slot_count; i++) {
		if (decision->slots[i].shortlist_count > 1)
			return true;
	}
	return false;
}

static void
tell_headquarters(struct engine *engine, const struct decision *decision, const struct id *subject,
    const struct buf *json)
{
	struct buf up = { 0 };

	if (engine->conf->uplink_features && was_drawn(decision)) {
		engine_uplink(engine, LANE_DECISION, "decision", subject, json);
		return;
	}
	without_features(json->data, json->len, &up);
	engine_uplink(engine, LANE_DECISION, "decision", subject, &up);
	buf_done(&up);
}

static void
record(struct engine *engine, const struct visit *visit, struct chosen *chosen)
{
	const struct id *subject =
	    visit->has_subject && !keys_forgotten(engine->keys, &visit->subject) ? &visit->subject
										 : NULL;
	struct buf *json = &engine->record;

	buf_clear(json);
	decision_json(&chosen->decision, &chosen->context, json);
	if (!engine->options.forget_decisions)
		engine_check(engine,
		    store_put(engine->store, STORE_DECISION, &chosen->decision.id, subject,
			engine->now_ms, 0, json->data, json->len));
	if (engine->uplink == UPLINK_RECORDS)
		tell_headquarters(engine, &chosen->decision, subject, json);
	if (engine->options.on_decision != NULL)
		engine->options.on_decision(engine->options.on_decision_ctx, json->data, json->len);
	metrics_add(METRIC_DECISIONS, 1);
	tally_decision(engine);
}

static const struct id *
prompt_ids(struct engine *engine, const struct visit *visit, const struct decision *decision)
{
	struct id *prompts =
	    arena_alloc(engine->scratch, (decision->slot_count + 1) * sizeof(*prompts));
	char purpose[32];

	for (size_t i = 0; i < decision->slot_count; i++) {
		const struct slot *slot = &decision->slots[i];

		if (slot->candidate < 0 && slot->card < 0)
			continue;
		if (slot->card >= 0) {
			prompts[i] = visit->cards[slot->card].prompt;
			continue;
		}
		snprintf(purpose, sizeof(purpose), "prompt/%zu", i + 1);
		prompts[i] = engine_id(engine, purpose);
	}
	return prompts;
}

/* ---- the decision ---- */

/* One look at all candidates; nothing follows from it yet. back: the action that returns; NULL. */
static struct chosen *
look(struct engine *engine, struct visit *visit, const struct event *event, const char *back)
{
	struct chosen *chosen;

	arena_reset(engine->scratch);
	chosen = arena_alloc(engine->scratch, sizeof(*chosen));
	engine_touch(engine, visit);
	choose_input(engine, visit, event, &chosen->input);
	chosen->input.decision = engine_id(engine, "decision");
	if (back != NULL)
		chosen->input.returns = policy_action(chosen->input.sources.policy, back);
	decide(engine->scratch, &chosen->input, &chosen->decision);
	if (chosen->decision.fates[FATE_NO_ROOM] > 0)
		metrics_add(METRIC_LIMIT_CARDS, 1);
	return chosen;
}

void
choose_conceal(struct engine *engine, struct visit *visit, const struct event *event)
{
	struct decide_input input;
	struct decision decision = { 0 };
	bool changed = false;

	if (engine->policy == NULL || !visit_has_open(visit))
		return;
	arena_reset(engine->scratch);
	choose_input(engine, visit, event, &input);
	decision.withheld = decide_withheld(&input);
	for (size_t i = 0; i < visit->card_count; i++) {
		struct card *card = &visit->cards[i];
		const struct action *action = policy_action(input.sources.policy, card->action);

		if (card->state != CARD_OPEN || card->withheld || action == NULL ||
		    !decision_withholds(&decision, action))
			continue;
		card_conceal(engine, visit, card);
		changed = true;
	}
	if (changed)
		visit_guide(engine, visit, NULL, WITHDRAW_CUSTOMER);
}

bool
choose_open(struct engine *engine, struct visit *visit, const struct event *event)
{
	struct chosen *chosen;
	bool changed;

	if (engine->policy == NULL || visit->training || visit_over(visit) ||
	    !visit_has_open(visit))
		return false;
	chosen = look(engine, visit, event, NULL);
	changed = gate_again(engine, visit, &chosen->decision);
	changed |= cards_follow(engine, visit, &chosen->decision);
	return changed;
}

static void
choose_anew(struct engine *engine, struct visit *visit, const struct event *event, const char *back)
{
	bool changed, has_subject = visit->has_subject;
	struct chosen *chosen;
	const struct id *prompts;

	chosen = look(engine, visit, event, back);
	visit->decisions++;
	prompts = prompt_ids(engine, visit, &chosen->decision);
	chosen->context = (struct decision_context){
		.station = visit->station,
		.basket = visit->basket,
		.subject = has_subject && chosen->input.care != NULL ? &visit->subject : NULL,
		.trigger = event,
		.timer_id = event == NULL ? engine->id : NULL,
		.prompts = prompts,
		.mixed = chosen->input.care != NULL && chosen->input.care->mixed,
	};
	record(engine, visit, chosen);
	consider(engine, visit, &chosen->decision);
	listing_note(engine, visit, &chosen->decision);
	looking_note(engine, visit, &chosen->decision);
	changed = withdraw_losers(engine, visit, &chosen->decision);
	changed |= cards_follow(engine, visit, &chosen->decision);
	changed |= open_winners(engine, visit, chosen, prompts);
	if (changed ||
	    (id_is_zero(&visit->guidance) && guidance_wanted(visit, chosen->input.sources.subject)))
		visit_guide(engine, visit, &chosen->decision.id, WITHDRAW_GATE);
	witness_opened(engine, visit, &chosen->decision, prompts);
}

/* What has been said makes room for what will be. */
static void
make_room(struct engine *engine, struct visit *visit, const struct event *event)
{
	retire_answered(engine, visit);
	show_sources(engine, visit, event);
	places_clear(engine, visit);
}

static bool
is_named(const struct engine *engine, const struct event *event)
{
	return (engine->policy->triggers & (1u << event->type)) != 0;
}

void
choose_again(struct engine *engine, struct visit *visit, const struct event *event)
{
	make_room(engine, visit, event);
	if (choose_open(engine, visit, event))
		visit_guide(engine, visit, NULL, WITHDRAW_GATE);
}

void
choose(struct engine *engine, struct visit *visit, const struct event *event)
{
	if (!is_named(engine, event)) {
		choose_again(engine, visit, event);
		return;
	}
	make_room(engine, visit, event);
	choose_anew(engine, visit, event, NULL);
}

void
choose_back(struct engine *engine, struct visit *visit, const struct card *card)
{
	const struct action *action = policy_action(engine->policy, card->action);

	if (action == NULL)
		return;
	make_room(engine, visit, NULL);
	choose_anew(engine, visit, NULL, action->id);
}

void
choose_on_word(struct engine *engine, struct visit *visit, const struct event *event)
{
	if (engine->policy == NULL || visit->training || visit_over(visit))
		return;
	if (is_named(engine, event))
		choose_anew(engine, visit, event, NULL);
	else if (choose_open(engine, visit, event))
		visit_guide(engine, visit, NULL, WITHDRAW_GATE);
}

int64_t
choose_worth(struct engine *engine, struct visit *visit, const struct card *card)
{
	const struct action *action;
	struct decide_input input;

	arena_reset(engine->scratch);
	choose_input(engine, visit, NULL, &input);
	action = policy_action(input.sources.policy, card->action);
	if (action == NULL || !action->has_offer)
		return card->worth_minor;
	return offer_value(&action->offer, card->depth,
	    basis_make(engine->scratch, input.sources.policy, input.sources.marks_off, visit))
	    .worth_minor;
}
