/* SPDX-License-Identifier: Apache-2.0
 *
 * wallet_first.c - is there a card that reminds the customer of what they have already, before something new is offered?
 *
 * DESIGN
 *   The gates and the score of a draw are asked of the reminder, ahead of the placements. One that a gate
 *   keeps back, or that is not worth the interruption, holds nothing up: else the
 *   customer would hear of neither.
 */
#include "decide/run.h"

#include <string.h>

static bool
reminded(const struct run *run, const struct action *action)
{
	for (size_t i = 0; i < run->visit->card_count; i++) {
		if (strcmp(run->visit->cards[i].action, action->id) == 0 &&
		    !card_is_anothers(run, &run->visit->cards[i]))
			return true;
	}
	return false;
}

static bool
may_come(struct run *run, size_t i, enum placement place)
{
	const char *clause;

	if (gate_check(run, i, place, &clause) != FATE_PASSED)
		return false;
	score_take(run, i);
	score_rest(run);
	return run->trials[i].scored == FATE_PASSED &&
	    run->decision->candidates[i].priority > run->interrupt;
}

static bool
comes_first(struct run *run, size_t i)
{
	const struct action *action = run->decision->candidates[i].action;

	if (!action->wallet || reminded(run, action))
		return false;
	for (int place = 0; place < PLACE_COUNT; place++)
		if ((action->placements & 1u << place) != 0 && run->policy->places[place].present &&
		    may_come(run, i, (enum placement)place))
			return true;
	return false;
}

bool
wallet_first(struct run *run)
{
	if (run->policy->columns.reminders == 0)
		return false;
	for (size_t i = 0; i < run->decision->candidate_count; i++) {
		if (comes_first(run, i))
			return true;
	}
	return false;
}

size_t
wallet_reminders(const struct policy *policy)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->action_count; i++)
		count += policy->actions[i].wallet;
	return count;
}

static bool
comes_with(const struct action *reminder, const struct action *action)
{
	return reminder->wallet &&
	    ((reminder->on & action->on) != 0 || (reminder->on_timer && action->on_timer));
}

bool
wallet_first_of(struct run *run, const struct action *action)
{
	const struct policy *policy = run->policy;
	struct door *door = run->door;
	bool first = false;

	CHECK(run->decision->candidate_count == 1);
	/* A person named the action, not what reminds: that is asked as a draw would. */
	run->door = NULL;
	run->decision->cause = quiet_cause(run);
	for (size_t i = 0; i < policy->action_count && !first; i++) {
		if (!comes_with(&policy->actions[i], action))
			continue;
		run_add(run, &policy->actions[i], NO_CARD);
		first = comes_first(run, run->decision->candidate_count - 1);
	}
	run->decision->candidate_count = 1;
	run->decision->cause = NULL;
	run->quiet = 0;
	run->door = door;
	return first;
}
