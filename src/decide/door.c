/* SPDX-License-Identifier: Apache-2.0
 *
 * door.c - the one door: an action that a person names passes the gates that a drawn one passes.
 *
 * DESIGN
 *   The gates are not written a second time for people: the same code runs, and
 *   where a gate is closed it asks whether this person passes over it (gate.c,
 *   door_closed()). So a gate that is added later binds everybody until it says
 *   otherwise.
 *
 *   A manager passes over what is a judgement about the customer: eligibility,
 *   applicability, suitability, contact policy, gain, and that no draw chose it.
 *   What is law, money or a promise stays closed: stop, validity, consent, care, the
 *   offer's own conditions, margin floor, budget, stacking, what is open or was
 *   taken in this visit, and a customer from whom offers are withheld.
 *
 *   It takes the place of the card that it is chosen instead of: what that one
 *   counts in caps and holds of the same budget is its own.
 */
#include "decide/run.h"

#include <string.h>

#include "policy/policy_load.h"

const char *
door_gate_name(enum fate gate)
{
	return gate == FATE_NOT_DRAWN ? "draw" : NAME_OF(fate_names, gate);
}

/* ---- what the draw sees to for a card that it chooses ---- */

static bool
is_open_besides(const struct run *run, const struct action *action)
{
	for (size_t i = 0; i < run->visit->card_count; i++) {
		const struct card *card = &run->visit->cards[i];

		if (card != run->door->replaces && card->state == CARD_OPEN &&
		    strcmp(card->action, action->id) == 0)
			return true;
	}
	return false;
}

/* Why the lane has no place for it; NULL: it has. */
static const char *
lane_clause(const struct run *run, const struct action *action, enum placement place)
{
	if ((action->placements & 1u << place) == 0)
		return "placement";
	if (run->visit->training)
		return "training";
	if (run->door->way == DOOR_ASKED)
		return NULL; /* the gate of the placement says it */
	return run->visit->state != VISIT_OPEN || run->visit->basket == NULL ? "lane.state" : NULL;
}

static enum fate
threshold(struct run *run, const struct action *action, enum placement place,
    const char **ret_clause)
{
	*ret_clause = run->decision->withheld;
	if (decision_withholds(run->decision, action) &&
	    door_closed(run, FATE_WITHHELD, *ret_clause, CLOSED_FIRMLY))
		return FATE_WITHHELD;
	*ret_clause = VISIT_OPEN_CLAUSE;
	if (is_open_besides(run, action) &&
	    door_closed(run, FATE_CONTACT, *ret_clause, CLOSED_FIRMLY))
		return FATE_CONTACT;
	*ret_clause = lane_clause(run, action, place);
	return *ret_clause != NULL && door_closed(run, FATE_LANE, *ret_clause, CLOSED_FIRMLY)
	    ? FATE_LANE
	    : FATE_PASSED;
}

/* ---- what it is worth ---- */

static bool
keep_floor(struct run *run)
{
	struct trial *trial = &run->trials[0];
	bool any = false;

	for (size_t d = 0; d < trial->option_count; d++) {
		struct depth_option *option = &trial->options[d];

		option->fits = option->fits && gain_keeps_floor(run, 0, option);
		any = any || option->fits;
	}
	return any;
}

/* Nothing could be said of its gain: the first depth that fits. */
static void
take_unscored(struct run *run)
{
	struct candidate *candidate = &run->decision->candidates[0];
	const struct trial *trial = &run->trials[0];
	size_t d = 0;

	while (d + 1 < trial->option_count && !trial->options[d].fits)
		d++;
	candidate->depth = trial->options[d].depth;
	candidate->worth_minor = trial->options[d].value.worth_minor;
	candidate->hold_minor = trial->options[d].value.hold_minor;
	candidate->cost = trial->options[d].value.cost_minor;
}

/* Asked, a depth that does not fit is scored like any other: what closed has been said. */
static void
fit_all(struct trial *trial)
{
	for (size_t d = 0; d < trial->option_count; d++)
		trial->options[d].fits = true;
}

static enum fate
floor_gate(struct run *run, const char **ret_clause)
{
	if (run->door->way == DOOR_ASKED) {
		fit_all(&run->trials[0]); /* the score says it */
		return FATE_PASSED;
	}
	*ret_clause = "offer.margin_floor";
	return keep_floor(run) ? FATE_PASSED : FATE_NOT_WORTH_IT;
}

static enum fate
score_gate(struct run *run, const struct action *action, const char **ret_clause)
{
	struct trial *trial = &run->trials[0];
	bool missing;

	if (floor_gate(run, ret_clause) != FATE_PASSED)
		return FATE_NOT_WORTH_IT;
	score_take(run, 0);
	score_rest(run);
	*ret_clause = NULL;
	if (action->mandatory || trial->scored == FATE_PASSED)
		return FATE_PASSED;
	missing = trial->scored == FATE_MISSING;
	*ret_clause = trial->scored_clause;
	if (door_closed(run, FATE_NOT_WORTH_IT, *ret_clause,
		missing ? CLOSED_MISSING : CLOSED_BY_JUDGEMENT))
		return (enum fate)trial->scored;
	if (!run->decision->candidates[0].scored)
		take_unscored(run);
	*ret_clause = NULL;
	return FATE_PASSED;
}

/* ---- the door ---- */

static enum fate
try_door(struct run *run, const char **ret_clause)
{
	const struct action *action = run->door->action;
	const struct card *replaces = run->door->replaces;
	enum placement place =
	    replaces != NULL ? (enum placement)replaces->placement : run->door->place;
	enum fate fate;

	run_add(run, action, NO_CARD);
	run->wallet_first = action->kind == KIND_OFFER && wallet_first_of(run, action);
	if (run->door->way == DOOR_ASKED)
		run->decision->cause =
		    quiet_cause(run); /* a person who names a card has seen the lane */
	fate = threshold(run, action, place, ret_clause);
	if (fate == FATE_PASSED)
		fate = gate_check(run, 0, place, ret_clause);
	return fate == FATE_PASSED ? score_gate(run, action, ret_clause) : fate;
}

/* The words that a card's alternatives are shown with: the first that fit. */
static void
put_into_words(struct run *run, struct slot *slot)
{
	const struct candidate *candidate = &run->decision->candidates[0];
	const struct treatment **list =
	    arena_alloc(run->arena, candidate->action->treatment_count * sizeof(*list));
	const struct trial *trial = &run->trials[0];
	struct candidate_context about;
	size_t d = 0;

	while (d + 1 < trial->option_count &&
	    (!trial->options[d].fits || trial->options[d].depth != candidate->depth))
		d++;
	about = candidate_about(run, 0, &trial->options[d]); /* as the gate has seen it */
	CHECK(words_fitting(run->features, run->input, slot->placement, &about, &run->scratch,
		  list) > 0);
	slot->treatment = list[0];
}

/* Below what an interruption costs, a draw shows it by exploration only. */
static void
interrupt_gate(struct run *run, const struct candidate *candidate)
{
	if (candidate->scored && !candidate->action->mandatory &&
	    candidate->priority <= run->interrupt)
		(void)door_closed(run, FATE_OUTRANKED, NOTHING_NAME, CLOSED_BY_JUDGEMENT);
}

void
decide_named(struct arena *arena, const struct decide_input *input, struct door *door,
    struct decision *ret)
{
	struct candidate *candidate;
	struct run run;
	enum fate fate;
	const char *clause = NULL;
	size_t room;

	CHECK(door->action != NULL && (door->replaces != NULL || door->way == DOOR_ASKED));
	run_init(&run, arena, input, ret);
	run.door = door;
	run_interrupt(&run);
	door->interrupt = run.interrupt;
	door->over = 0;
	door->closed_count = 0;
	room = 1 + wallet_reminders(run.policy);
	ret->candidates = candidate = arena_room(arena, room * sizeof(*ret->candidates));
	run.trials = arena_room(arena, room * sizeof(*run.trials));
	fate = try_door(&run, &clause);
	candidate->fate = fate != FATE_PASSED ? fate : FATE_OFFERED;
	candidate->clause = clause;
	if (door->way == DOOR_ASKED) {
		interrupt_gate(&run, candidate);
	} else if (fate == FATE_PASSED) {
		ret->slots = arena_room(arena, sizeof(*ret->slots));
		ret->slot_count = 1;
		ret->slots[0] =
		    (struct slot){ .placement = (enum placement)door->replaces->placement,
			    .slot = door->replaces->slot,
			    .card = NO_CARD,
			    .by_person = true };
		put_into_words(&run, &ret->slots[0]);
		if (door->way == DOOR_MANAGER && door->over == 0)
			door->over = 1u << FATE_NOT_DRAWN;
	}
	buf_done(&run.scratch);
}
