/* SPDX-License-Identifier: Apache-2.0
 *
 * gate.c - may this action be shown here, now? The gates of step 3, in their order.
 *
 * DESIGN
 *   stop, validity, consent | care, eligibility, applicability, suitability |
 *   treatment, contact, budget, stacking, lane, room. The first two groups do not
 *   depend on the placement and are tried once a decision; consent for `later`
 *   stands between them. Consent comes before the first feature is read.
 *
 *   A depth whose text does not fit, or whose hold the budget
 *   cannot bear, is left out; the gate closes when no depth is left.
 *
 *   "On screen" for stacking is what this decision has chosen and what was
 *   accepted. An open card competes in the draw like any other: a better one
 *   of its own stacking group may take its place, but never stand beside it.
 *
 *   A mandatory action passes care, contact policy and the quiet lane, has
 *   places of its own in the visit, and passes nothing else. What the associate answered in this visit stays answered.
 */
#include "decide/run.h"

#include <string.h>

#include "nouns/visit.h"
#include "policy/policy_load.h"

bool
card_open_at(const struct card *card, int64_t now_ms)
{
	return card->state == CARD_OPEN && (card->expires_ms == 0 || now_ms < card->expires_ms);
}

/* ---- who asks ---- */

_Static_assert(FATE_COUNT <= 32, "the gates passed over are bits of an unsigned");

bool
door_keeps_closed(struct run *run, enum fate gate, const char *clause, enum closed_by by)
{
	struct door *door = run->door;

	switch (door->way) {
	case DOOR_LISTED: return by != CLOSED_MISSING;
	case DOOR_MANAGER:
		if (by != CLOSED_FIRMLY)
			door->over |= 1u << gate;
		return by == CLOSED_FIRMLY;
	case DOOR_ASKED:
		CHECK(door->closed_count < ARRAY_LEN(door->closed));
		door->closed[door->closed_count++] =
		    (struct closed_gate){ by == CLOSED_MISSING ? FATE_MISSING : gate, clause };
		return false;
	default: return true;
	}
}

const struct card *
door_replaces(const struct run *run)
{
	return run->door != NULL ? run->door->replaces : NULL;
}

/* ---- the visit's cards ---- */

const struct card *
trial_card(const struct run *run, size_t i)
{
	int own = run->trials[i].own;

	return own < 0 ? NULL : &run->visit->cards[own];
}

bool
action_listed(const char *const *stopped, size_t count, const char *action)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(stopped[mid], action);

		if (order == 0)
			return true;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

bool
action_stopped(const char *const *stopped, size_t count, const char *action)
{
	return action_listed(stopped, count, action) ||
	    action_listed(stopped, count, ACTION_EVERYTHING);
}

/* ---- validity ---- */

static bool
store_listed(const struct action *action, const char *store)
{
	for (size_t i = 0; i < action->store_count; i++)
		if (store != NULL && strcmp(action->stores[i], store) == 0)
			return true;
	return false;
}

/* [from, until) of the local day. */
static bool
hours_open(const struct action *action, int minute)
{
	return action->valid_minute_from <= minute && minute < action->valid_minute_until;
}

const char *
validity_gate(const struct run *run, const struct action *action)
{
	bool dated = action->valid_from_ms != 0 || action->valid_until_ms != INT64_MAX;

	if (action->always)
		return NULL;
	/* While the gateway does not know what day it is, an offer that hangs on a date is held
	 * back. */
	if (run->input->store.time_uncertain && dated && action->has_offer)
		return "valid: time uncertain";
	if (run->now_ms < action->valid_from_ms)
		return "valid.from";
	if (run->now_ms >= action->valid_until_ms)
		return "valid.until";
	if ((action->valid_days & (1u << (run->local.weekday - 1))) == 0)
		return "valid.days";
	if (!hours_open(action, run->local.hour * 60 + run->local.minute))
		return "valid.hours";
	if (action->stores != NULL && !store_listed(action, run->input->sources.store))
		return "valid.stores";
	return NULL;
}

/* Minutes from the local minute on to the next one of a day that is at. */
static int64_t
at_minute(const struct zone *zone, int64_t now_ms, int minute)
{
	struct local_time here = zone_local(zone, now_ms), there;
	int ahead = (minute - (here.hour * 60 + here.minute) + 1440) % 1440;
	int64_t at_ms = now_ms - now_ms % MIN_MS + (ahead == 0 ? 1440 : ahead) * MIN_MS;
	int off;

	/* A change of the clocks in between. */
	there = zone_local(zone, at_ms);
	off = (minute - (there.hour * 60 + there.minute)) % 1440;
	if (off > 720)
		off -= 1440;
	if (off < -720)
		off += 1440;
	return at_ms + off * MIN_MS;
}

int64_t
action_ends_ms(const struct action *action, const struct zone *zone, int64_t now_ms)
{
	int64_t ends_ms = action->valid_until_ms, at_ms;

	if (action->valid_minute_from != 0 || action->valid_minute_until != 1440) {
		at_ms = at_minute(zone, now_ms, action->valid_minute_until % 1440);
		ends_ms = smaller_of(at_ms, ends_ms);
	}
	at_ms = now_ms;
	for (int day = 0; action->valid_days != 0x7f && day < 7; day++) {
		at_ms = at_minute(zone, at_ms, 0);
		if ((action->valid_days & (1u << (zone_local(zone, at_ms).weekday - 1))) == 0)
			return smaller_of(at_ms, ends_ms);
	}
	return ends_ms;
}

void
close_with(struct trial *trial, enum fate fate, const char *clause)
{
	trial->standing = (uint8_t)fate;
	trial->standing_clause = clause;
}

static void
head_gate(struct run *run, struct trial *trial, const struct action *action)
{
	const struct store_state *store = &run->input->store;
	const char *invalid;

	trial->tried = TRIED_HEAD;
	close_with(trial, FATE_PASSED, NULL);
	if (action_stopped(store->stopped, store->stopped_count, action->id) &&
	    door_closed(run, FATE_STOPPED, "stop", CLOSED_FIRMLY))
		close_with(trial, FATE_STOPPED, "stop");
	else if ((invalid = validity_gate(run, action)) != NULL &&
	    door_closed(run, FATE_VALIDITY, invalid, CLOSED_FIRMLY))
		close_with(trial, FATE_VALIDITY, invalid);
	else if (action->personal && !run->input->known &&
	    door_closed(run, FATE_CONSENT, "personalise", CLOSED_FIRMLY))
		close_with(trial, FATE_CONSENT, "personalise");
}

/* ---- what depends on the placement ---- */

/* Is it known that a treatment fits, and would nothing be read to find out? */
static bool
surely_fits(const struct action *action, const struct depth_option *option, enum placement place)
{
	const int64_t most = (int64_t)(NUMBER_MAX / 200);

	return (action->fits >> place & 1) != 0 && action->margin.kind == EXPR_CONST &&
	    option->depth < most && option->value.worth_minor < most;
}

bool
treatment_gate(struct run *run, size_t i, enum placement place)
{
	const struct action *action = run->decision->candidates[i].action;
	struct trial *trial = &run->trials[i];
	bool any = false;

	if (trial->option_count == 1 && surely_fits(action, trial->options, place)) {
		trial->options->fits = true;
		return true;
	}
	for (size_t d = 0; d < trial->option_count; d++) {
		struct candidate_context about = candidate_about(run, i, &trial->options[d]);

		trial->options[d].fits = words_fitting(run->features, run->input, place, &about,
					     &run->scratch, NULL) > 0;
		any = any || trial->options[d].fits;
	}
	return any;
}

/* The card whose hold is free for this candidate: its own, or the one that it takes the place of. */
static const struct card *
holder(const struct run *run, size_t i)
{
	const struct card *own = trial_card(run, i), *replaces = door_replaces(run);

	if (own != NULL || replaces == NULL ||
	    strcmp(replaces->action, run->decision->candidates[i].action->id) != 0)
		return own;
	return replaces;
}

static const char *
budget_of_depths(const struct run *run, size_t i)
{
	struct trial *trial = &run->trials[i];
	const struct action *action = run->decision->candidates[i].action;
	const char *first = NULL;
	bool any = false;

	if (action->budget.per == BUDGET_NONE)
		return NULL;
	for (size_t d = 0; d < trial->option_count; d++) {
		const char *clause;

		if (!trial->options[d].fits)
			continue;
		clause =
		    budget_gate(run, action, holder(run, i), trial->options[d].value.hold_minor);
		trial->options[d].fits = clause == NULL;
		any = any || clause == NULL;
		if (first == NULL)
			first = clause;
	}
	return any ? NULL : first;
}

const char *
lane_gate(const struct run *run, const struct action *action, enum placement place)
{
	CHECK((unsigned)place < PLACE_COUNT && (unsigned)run->visit->state <= VISIT_CANCELLED);
	if ((placement_table[place].states & (1u << run->visit->state)) == 0)
		return "lane.state";
	if (!action->mandatory && (run->quiet & 1u << place) != 0)
		return run->decision->cause;
	return NULL;
}

/* What a customer answered who stood there before is not asked again of nobody else; what was paid
 * with is in the basket, whoever did it. */
bool
card_is_anothers(const struct run *run, const struct card *card)
{
	return card_of_former(run->visit, card) && !card->redeemed;
}

static bool
snooze_over(const struct card *card, int64_t now_ms)
{
	return card->answer == ANSWER_SNOOZE && card->snooze_until_ms != 0 &&
	    now_ms >= card->snooze_until_ms;
}

const struct card *
snoozed_card(const struct run *run, const struct action *action)
{
	for (size_t i = run->answered ? run->visit->card_count : 0; i > 0; i--) {
		const struct card *card = &run->visit->cards[i - 1];

		if (strcmp(card->action, action->id) == 0 && !card_is_anothers(run, card))
			return snooze_over(card, run->now_ms) ? card : NULL;
	}
	return NULL;
}

/* What was answered in this visit is not asked again, a snoozed card before its time. The answer;
 * ANSWER_NONE: none that stands. A yes is said before all others. */
static enum card_answer
answered(const struct run *run, const struct action *action)
{
	enum card_answer found = ANSWER_NONE;

	for (size_t i = 0; run->answered && i < run->visit->card_count; i++) {
		const struct card *card = &run->visit->cards[i];

		if (card->answer == ANSWER_NONE || strcmp(card->action, action->id) != 0 ||
		    card_is_anothers(run, card))
			continue;
		if (snooze_over(card, run->now_ms))
			continue;
		if (found == ANSWER_NONE || card->answer == ANSWER_ACCEPT)
			found = card->answer;
	}
	return found;
}

/* What was taken cannot be had again, whoever asks. */
static const char *
answered_gate(struct run *run, const struct action *action)
{
	static const char *const clauses[] = { NULL, "visit: accepted", "visit: dismissed",
		"visit: snoozed", "visit: overridden" };
	enum card_answer answer = answered(run, action);

	if (answer == ANSWER_NONE ||
	    !door_closed(run, FATE_CONTACT, NAME_OF(clauses, answer),
		answer == ANSWER_ACCEPT ? CLOSED_FIRMLY : CLOSED_BY_JUDGEMENT))
		return NULL;
	return NAME_OF(clauses, answer);
}

/* A new offer waits for the reminder of what the customer has already; one that is open stands. */
static bool
wallet_closed(const struct run *run, size_t i)
{
	return run->wallet_first && run->trials[i].own < 0 &&
	    run->decision->candidates[i].action->kind == KIND_OFFER;
}

/* Would it be a new card in this placement? An open one that stays has its place. */
static bool
needs_place(const struct run *run, int candidate, enum placement place)
{
	const struct card *own = trial_card(run, (size_t)candidate);

	return own == NULL || own->placement != (int)place;
}

/* Looked at before the draw: after it nothing is dropped. */
bool
room_closed(const struct run *run, size_t i, enum placement place)
{
	bool mandatory = run->decision->candidates[i].action->mandatory;
	size_t others = mandatory ? 0 : VISIT_CARDS_RESERVED;

	if (run->room > others + run->winner_count || !needs_place(run, (int)i, place))
		return false;
	for (size_t w = 0; w < run->winner_count; w++)
		others += needs_place(run, run->winners[w].candidate, run->winners[w].placement);
	return run->room <= others;
}

enum fate
gate_again(struct run *run, size_t i, enum placement place, const char **ret_clause)
{
	const struct action *action = run->decision->candidates[i].action;

	*ret_clause = action->mandatory ? NULL : contact_gate(run, i, place, true);
	if (*ret_clause != NULL)
		return FATE_CONTACT;
	if (stacking_closed(run, action)) {
		*ret_clause = action->offer.stack;
		return FATE_STACKING;
	}
	if (item_taken(run, i)) {
		*ret_clause = "outcome.item";
		return FATE_STACKING;
	}
	return room_closed(run, i, place) ? FATE_NO_ROOM : FATE_PASSED;
}

/* The gates of a placement behind the contact policy. */
static enum fate
money_gate(struct run *run, size_t i, enum placement place, const char **ret_clause)
{
	const struct action *action = run->decision->candidates[i].action;

	if ((*ret_clause = budget_of_depths(run, i)) != NULL &&
	    door_closed(run, FATE_BUDGET, *ret_clause, CLOSED_FIRMLY))
		return FATE_BUDGET;
	if (stacking_closed(run, action) &&
	    door_closed(run, FATE_STACKING, action->offer.stack, CLOSED_FIRMLY)) {
		*ret_clause = action->offer.stack;
		return FATE_STACKING;
	}
	if (item_taken(run, i) && door_closed(run, FATE_STACKING, "outcome.item", CLOSED_FIRMLY)) {
		*ret_clause = "outcome.item";
		return FATE_STACKING;
	}
	*ret_clause = lane_gate(run, action, place);
	if (*ret_clause != NULL && door_closed(run, FATE_LANE, *ret_clause, CLOSED_FIRMLY))
		return FATE_LANE;
	return room_closed(run, i, place) && door_closed(run, FATE_NO_ROOM, NULL, CLOSED_FIRMLY)
	    ? FATE_NO_ROOM
	    : FATE_PASSED;
}

static enum fate
place_gate(struct run *run, size_t i, enum placement place, const char **ret_clause)
{
	const struct action *action = run->decision->candidates[i].action;

	*ret_clause = NULL;
	if (!treatment_gate(run, i, place) &&
	    door_closed(run, FATE_NO_TREATMENT, NULL, CLOSED_FIRMLY))
		return FATE_NO_TREATMENT;
	if ((*ret_clause = answered_gate(run, action)) != NULL)
		return FATE_CONTACT;
	if (!action->mandatory && (*ret_clause = contact_gate(run, i, place, false)) != NULL &&
	    door_closed(run, FATE_CONTACT, *ret_clause, CLOSED_BY_JUDGEMENT))
		return FATE_CONTACT;
	if (wallet_closed(run, i) &&
	    door_closed(run, FATE_CONTACT, "wallet", CLOSED_BY_JUDGEMENT)) {
		*ret_clause = "wallet";
		return FATE_CONTACT;
	}
	return money_gate(run, i, place, ret_clause);
}

enum fate
gate_check(struct run *run, size_t i, enum placement place, const char **ret_clause)
{
	struct trial *trial = &run->trials[i];
	const struct action *action = run->decision->candidates[i].action;

	if (trial->tried == TRIED_NOTHING)
		head_gate(run, trial, action);
	*ret_clause = trial->standing_clause;
	if (trial->tried == TRIED_HEAD && trial->standing != FATE_PASSED)
		return trial->standing;
	if (placement_table[place].reaches_out && !run->input->contact_consent &&
	    door_closed(run, FATE_CONSENT, "contact", CLOSED_FIRMLY)) {
		*ret_clause = "contact";
		return FATE_CONSENT;
	}
	if (trial->tried == TRIED_HEAD)
		rules_gate(run, i);
	*ret_clause = trial->standing_clause;
	if (trial->standing != FATE_PASSED)
		return trial->standing;
	return place_gate(run, i, place, ret_clause);
}
