/* SPDX-License-Identifier: Apache-2.0
 *
 * instead.c - an override that says what was done instead.
 *
 * DESIGN
 *   What was chosen comes through the one door (decide/door.c): the gates of a
 *   decision, tried here and now. An associate chooses of the alternatives that
 *   the card lists, for they have passed; for all else a manager has to agree and
 *   to say why. An offer that passes becomes a card of its own, accepted by a
 *   person: it has a token and a command to the till like any accepted offer,
 *   counts in caps and budget, and has no p_log, for no draw chose it. What is no
 *   offer, or unknown to the policy, is recorded and asked of nobody.
 */
#include "spine/spine.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "policy/policy_load.h"

/* Is it among the alternatives that the card lists? *depth: 0, one was not named: the first
 * listed. */
static bool
is_listed(const struct card *card, const char *action, int64_t *depth)
{
	json_t *shown = json_loads(card->json, 0, NULL);
	const json_t *other;
	bool found = false;
	size_t i;

	json_array_foreach(json_object_get(shown, "alternatives"), i, other) {
		const char *id = json_string_value(json_object_get(other, "action"));
		int64_t listed = 0;

		(void)json_int(json_object_get(other, "depth"), &listed);
		if (found || id == NULL || strcmp(id, action) != 0 ||
		    (*depth != 0 && *depth != listed))
			continue;
		*depth = listed;
		found = true;
	}
	json_decref(shown);
	return found;
}

bool
instead_look(struct engine *engine, struct visit *visit, const struct card *card,
    const struct event *event, struct choice *choice)
{
	struct door *door = &choice->door;

	*choice = (struct choice){ .door = { .depth = event->instead_depth, .replaces = card } };
	if (engine->policy == NULL)
		return true;
	arena_reset(engine->scratch);
	choose_input(engine, visit, NULL, &choice->input);
	choice->input.decision = card->decision;
	door->action = policy_action(choice->input.sources.policy, event->instead_action);
	choice->listed = is_listed(card, event->instead_action, &door->depth);
	door->way = choice->listed ? DOOR_LISTED : DOOR_MANAGER;
	return !choice->listed || (door->action != NULL && door->action->gate == GATE_MANAGER);
}

bool
instead_try(struct engine *engine, struct choice *choice, struct reply *reply)
{
	const struct candidate *tried;

	if (choice->door.action == NULL)
		return true;
	decide_named(engine->scratch, &choice->input, &choice->door, &choice->decision);
	tried = &choice->decision.candidates[0];
	if (tried->fate == FATE_OFFERED)
		return true;
	*reply = (struct reply){ .status = 409,
		.detail = arena_printf(engine->arena, "%s cannot be had instead: %s",
		    tried->action->id, NAME_OF(fate_names, tried->fate)),
		.clause = arena_strdup(engine->arena,
		    tried->clause != NULL ? tried->clause : NAME_OF(fate_names, tried->fate)) };
	return false;
}

/* An offer becomes an accepted card. Pointers to other cards of the visit are stale after it. */
static struct card *
open_chosen(struct engine *engine, struct visit *visit, const struct choice *choice,
    const struct id *guidance)
{
	struct id prompt = engine_id(engine, "prompt/instead");
	struct slot slot = choice->decision.slots[0];
	struct card *card;

	card_open(engine, visit, &choice->decision, &slot, &prompt);
	card = visit_card(visit, &prompt);
	card->guidance = *guidance;
	card->state = CARD_ANSWERED;
	card->answer = ANSWER_ACCEPT;
	card->answer_body = mem_strdup("{}");
	card->answered_ms = card->shown_ms = card->expires_ms = engine->now_ms;
	card->shown = true;
	return card;
}

void
instead_apply(struct engine *engine, struct visit *visit, struct card *card,
    const struct event *event, struct person *person, const struct choice *choice)
{
	const struct action *action = choice->door.action;
	struct id overridden = card->prompt, guidance = card->guidance;
	struct instead instead = { event->instead_action, event->instead_depth, NULL };
	struct card *chosen = NULL;

	person->over = choice->door.over;
	if (action != NULL && action->has_offer) {
		chosen = open_chosen(engine, visit, choice, &guidance);
		instead.depth = chosen->depth;
		instead.prompt = &chosen->prompt;
	}
	card = visit_card(visit, &overridden);
	person->instead = &instead;
	outcome_record_by(engine, visit, card, OUTCOME_OVERRIDDEN, event->reason, person);
	if (chosen != NULL) {
		instead.prompt = NULL; /* it is its own */
		outcome_record_by(engine, visit, chosen, OUTCOME_ACCEPTED, NULL, person);
		card_accept_offer(engine, visit, chosen);
	}
	person->instead = NULL;
}
