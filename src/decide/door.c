/* SPDX-License-Identifier: Apache-2.0
 *
 * door.c - the one door: an action that a person names passes the gates that a drawn one passes.
 *
 * DESIGN
 *   The gates are not written a second time for people: the same code runs, and
 *   where a gate is closed it asks whether this person passes over it (gate.c,
 *   door_passes()). So a gate that is added later binds everybody until it says
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

static enum fate
threshold(const struct run *run, const struct action *action, enum placement place,
    const char **ret_clause)
{
	bool serving = run->visit->state == VISIT_OPEN && run->visit->basket != NULL;

	if (decision_withholds(run->decision, action)) {
		*ret_clause = run->decision->withheld;
		return FATE_WITHHELD;
	}
	if (is_open_besides(run, action)) {
		*ret_clause = "visit: open";
		return FATE_CONTACT;
	}
	*ret_clause = (action->placements & 1u << place) == 0 ? "placement"
	    : run->visit->training			      ? "training"
	    : !serving					      ? "lane.state"
							      : NULL;
	return *ret_clause != NULL ? FATE_LANE : FATE_PASSED;
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

static enum fate
score_gate(struct run *run, const struct action *action, const char **ret_clause)
{
	struct trial *trial = &run->trials[0];

	if (!keep_floor(run)) {
		*ret_clause = "offer.margin_floor";
		return FATE_NOT_WORTH_IT;
	}
	score_take(run, 0);
	score_rest(run);
	if (action->mandatory || trial->scored == FATE_PASSED)
		return FATE_PASSED;
	*ret_clause = trial->scored_clause;
	if (!door_passes(run, FATE_NOT_WORTH_IT, trial->scored == FATE_MISSING))
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
	enum placement place = (enum placement)run->door->replaces->placement;
	enum fate fate;

	run_add(run, action, -1);
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
	    arena_alloc(run->arena, (candidate->action->treatment_count + 1) * sizeof(*list));
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

void
decide_named(struct arena *arena, const struct decide_input *input, struct door *door,
    struct decision *ret)
{
	struct candidate *candidate;
	struct run run;
	enum fate fate;
	const char *clause = NULL;

	CHECK(door->replaces != NULL && door->action != NULL);
	run_init(&run, arena, input, ret);
	run.door = door;
	door->over = 0;
	ret->candidates = candidate = arena_room(arena, sizeof(*ret->candidates));
	run.trials = arena_room(arena, sizeof(*run.trials));
	fate = try_door(&run, &clause);
	candidate->fate = fate != FATE_PASSED ? fate : FATE_OFFERED;
	candidate->clause = clause;
	if (fate == FATE_PASSED) {
		ret->slots = arena_room(arena, sizeof(*ret->slots));
		ret->slot_count = 1;
		ret->slots[0] =
		    (struct slot){ .placement = (enum placement)door->replaces->placement,
			    .slot = door->replaces->slot,
			    .card = -1,
			    .by_person = true };
		put_into_words(&run, &ret->slots[0]);
		if (door->way == DOOR_MANAGER && door->over == 0)
			door->over = 1u << FATE_NOT_DRAWN;
	}
	buf_done(&run.scratch);
}
