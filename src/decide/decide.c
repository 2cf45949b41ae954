/* SPDX-License-Identifier: Apache-2.0
 *
 * decide.c - the path of one decision: candidates, gates, scores, slots, fates.
 *
 * DESIGN
 *   decide() is a function of its arguments: no clock, no random source, no
 *   file. Gates, score and draw are files of their own; this one only says in
 *   what order they run. The candidates are the actions that the trigger
 *   names, and every action with an open card, so that what is on the screen
 *   is gated again each time. All in order of action id.
 */
#include "decide/columns.h"

#include <string.h>

#include "nouns/marks.h"
#include "policy/policy_load.h"

/* The open cards of the visit with the actions of the policy they are of, in order of action; of
 * two cards of one action the earlier. */
struct open_card {
	size_t action;
	int card;
};

static size_t
open_cards(const struct run *run, struct open_card list[static VISIT_CARDS_MAX])
{
	const struct visit *visit = run->visit;
	size_t count = 0;

	for (size_t c = 0; c < visit->card_count && count < VISIT_CARDS_MAX; c++) {
		const struct action *action;
		size_t index, at = count;

		if (!card_open_at(&visit->cards[c], run->now_ms) ||
		    (action = policy_action(run->policy, visit->cards[c].action)) == NULL)
			continue;
		index = (size_t)(action - run->policy->actions);
		while (at > 0 && list[at - 1].action > index)
			at--;
		if (at > 0 && list[at - 1].action == index)
			continue;
		memmove(&list[at + 1], &list[at], (count - at) * sizeof(*list));
		list[at] = (struct open_card){ index, (int)c };
		count++;
	}
	return count;
}

/* Of a trial the options are not read before they are filled. */
void
run_add(struct run *run, const struct action *action, int own)
{
	size_t at = run->decision->candidate_count++;
	struct candidate *candidate = &run->decision->candidates[at];
	struct trial *trial = &run->trials[at];

	*candidate = (struct candidate){ .action = action, .fate = FATE_COUNT };
	trial->own = own;
	trial->chosen = trial->valued = trial->passed = trial->waits = false;
	trial->tried = TRIED_NOTHING;
	trial->fate = FATE_COUNT;
	trial->scored_fits = UINT32_MAX;
	trial->standing_clause = trial->clause = NULL;
	trial->option_count = 0;
}

#define TIMER EV_COUNT /* in policy->named, and EV_NONE in event->type: no action names that */

/* The actions that the trigger names and those with an open card, in order. */
static void
gather(struct run *run)
{
	const struct event *event = run->input->sources.event;
	size_t n = event != NULL ? (size_t)event->type : TIMER;
	const struct action *actions = run->policy->actions;
	const struct action *returns = run->input->returns;
	uint16_t returned = returns != NULL ? (uint16_t)(returns - actions) : 0;
	const uint16_t *named = returns != NULL ? &returned : run->policy->named[n].actions;
	size_t count = returns != NULL ? 1 : run->policy->named[n].count, at = 0;
	struct open_card open[VISIT_CARDS_MAX];
	size_t open_count = open_cards(run, open);
	size_t room = count + open_count;

	if (event != NULL && n == TIMER)
		count = 0;
	run->decision->candidates =
	    arena_room(run->arena, room * sizeof(*run->decision->candidates));
	run->trials = arena_room(run->arena, room * sizeof(*run->trials));
	for (size_t o = 0; o < open_count; o++) {
		while (at < count && named[at] < open[o].action)
			run_add(run, &actions[named[at++]], NO_CARD);
		if (at < count && named[at] == open[o].action)
			at++;
		run_add(run, &actions[open[o].action], open[o].card);
	}
	while (at < count)
		run_add(run, &actions[named[at++]], NO_CARD);
}

/* What the lane is busy with: then only mandatory cards come to some of its placements. */
const char *
quiet_cause(struct run *run)
{
	const struct sources *sources = &run->input->sources;
	bool paying = run->policy->quiet_tender && run->visit->state == VISIT_TENDER;
	bool waiting = run->policy->quiet_queue_over >= 0 && sources->has_queue &&
	    sources->queue > run->policy->quiet_queue_over;

	if (run->input->staff) {
		run->quiet = (1u << PLACE_COUNT) - 1;
		return "staff";
	}
	for (int place = 0; place < PLACE_COUNT; place++)
		if ((paying && placement_table[place].stops_paying) ||
		    (waiting && placement_table[place].interrupts))
			run->quiet |= 1u << place;
	return paying ? "quiet-tender" : waiting ? "quiet-queue" : NULL;
}

/* Without consent to personalise the customer's sources do not exist, whatever the caller passed.
 */
static const struct sources *
allowed_sources(struct run *run)
{
	struct sources *sources = arena_alloc(run->arena, sizeof(*sources));

	*sources = run->input->sources;
	if (!run->input->known)
		sources->subject = NULL;
	return sources;
}

const char *
decide_withheld(const struct decide_input *input)
{
	return input->control ? "control" : input->arm_withholds ? "arm" : NULL;
}

void
run_init(struct run *run, struct arena *arena, const struct decide_input *input,
    struct decision *decision)
{
	struct marks marks;

	CHECK(input->sources.policy != NULL && input->sources.visit != NULL);
	*decision = (struct decision){
		.id = input->decision,
		.at_ms = input->sources.now_ms,
		.withheld = decide_withheld(input),
		.input = input,
	};
	*run = (struct run){
		.arena = arena,
		.input = input,
		.policy = input->sources.policy,
		.visit = input->sources.visit,
		.now_ms = input->sources.now_ms,
		.decision = decision,
		.draws = input->draws,
		.cost_max = decide_cost_max(input),
		.care = -1,
	};
	run->local = zone_local(input->sources.zone, run->now_ms);
	run->sources = allowed_sources(run);
	run->features = features_new(arena, run->sources);
	run->memo.result = arena_alloc(arena, run->policy->clause_count);
	run->memo.value = arena_room(arena, run->policy->clause_count * sizeof(*run->memo.value));
	run->contact = contact_index_make(arena, input->sources.contacts);
	marks = marks_of(run->policy, input->sources.marks_off);
	run->basket_minor = marks_total(&marks, run->visit);
	run->room = visit_card_room(run->visit);
	for (size_t i = 0; i < run->visit->card_count; i++)
		run->answered = run->answered || run->visit->cards[i].answer != ANSWER_NONE;
	decision->features = run->features;
}

static void
count_fates(struct decision *decision)
{
	for (size_t i = 0; i < decision->candidate_count; i++) {
		struct candidate *candidate = &decision->candidates[i];

		/* None of its placements is in the policy: there is no lane for it. */
		if (candidate->fate == FATE_COUNT) {
			candidate->fate = FATE_LANE;
			candidate->clause = "placement";
		}
		decision->fates[candidate->fate]++;
	}
}

void
run_interrupt(struct run *run)
{
	run->interrupt = INTERRUPT_DEFAULT;
	expr_number(run, &run->policy->interrupt, NULL, &run->interrupt);
	if (!(run->interrupt > -PRIORITY_MAX && run->interrupt < PRIORITY_MAX))
		run->interrupt = INTERRUPT_DEFAULT;
}

void
decide(struct arena *arena, const struct decide_input *input, struct decision *ret)
{
	struct run run;

	run_init(&run, arena, input, ret);
	ret->cause = quiet_cause(&run);
	gather(&run);
	if (ret->candidate_count > 0)
		run_interrupt(&run);
	run.wallet_first = wallet_first(&run);
	columns_init(&run);
	slots_fill(&run);
	reasons_choose(&run);
	count_fates(ret);
	ret->contact = arena_room(arena, sizeof(*ret->contact));
	*ret->contact = run.contact;
	buf_done(&run.scratch);
}
