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
#include "decide/run.h"

#include <string.h>

static bool
triggered(const struct action *action, const struct event *event)
{
	if (event == NULL)
		return action->on_timer;
	return (action->on & (UINT32_C(1) << event->type)) != 0;
}

static int
open_card(const struct visit *visit, const char *action, int64_t now_ms)
{
	for (size_t i = 0; i < visit->card_count; i++)
		if (card_open_at(&visit->cards[i], now_ms) &&
		    strcmp(visit->cards[i].action, action) == 0)
			return (int)i;
	return -1;
}

static void
gather(struct run *run)
{
	const struct policy *policy = run->policy;
	struct decision *decision = run->decision;

	decision->candidates =
	    arena_alloc(run->arena, (policy->action_count + 1) * sizeof(*decision->candidates));
	run->trials = arena_alloc(run->arena, (policy->action_count + 1) * sizeof(*run->trials));
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *action = &policy->actions[i];
		int own = open_card(run->visit, action->id, run->now_ms);
		size_t at = decision->candidate_count;

		if (own < 0 && !triggered(action, run->input->sources.event))
			continue;
		decision->candidates[at].action = action;
		decision->candidates[at].fate = FATE_COUNT;
		run->trials[at].own = own;
		decision->candidate_count++;
	}
}

/* What the lane is busy with: then only mandatory cards come to it. */
static const char *
quiet_cause(const struct run *run)
{
	const struct sources *sources = &run->input->sources;

	if (run->policy->quiet_tender && run->visit->state == VISIT_TENDER)
		return "quiet-tender";
	if (run->policy->quiet_queue_over >= 0 && sources->has_queue &&
	    sources->queue > run->policy->quiet_queue_over)
		return "quiet-queue";
	return NULL;
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

static void
run_init(struct run *run, struct arena *arena, const struct decide_input *input,
    struct decision *decision)
{
	*run = (struct run){
		.arena = arena,
		.input = input,
		.policy = input->sources.policy,
		.visit = input->sources.visit,
		.now_ms = input->sources.now_ms,
		.decision = decision,
		.care = -1,
	};
	run->local = zone_local(input->sources.zone, run->now_ms);
	run->sources = allowed_sources(run);
	run->features = features_new(arena, run->sources);
	run->memos = arena_alloc(arena, (run->policy->clause_count + 1) * sizeof(*run->memos));
	run->contact = contact_index_make(arena, input->sources.contacts);
	run->basket_minor = basket_total(run->visit);
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
decide(struct arena *arena, const struct decide_input *input, struct decision *ret)
{
	struct run run;

	CHECK(input->sources.policy != NULL && input->sources.visit != NULL);
	*ret = (struct decision){
		.id = input->decision,
		.at_ms = input->sources.now_ms,
		.withheld = input->control ? "control" : input->arm_withholds ? "arm" : NULL,
		.input = input,
	};
	run_init(&run, arena, input, ret);
	ret->cause = quiet_cause(&run);
	gather(&run);
	run.interrupt = INTERRUPT_DEFAULT;
	if (ret->candidate_count > 0)
		expr_number(&run, &run.policy->interrupt, NULL, &run.interrupt);
	slots_fill(&run);
	count_fates(ret);
	buf_done(&run.scratch);
}
