/* SPDX-License-Identifier: Apache-2.0
 *
 * score_lot.c - those that passed the gates are scored in lots, a model for many at once.
 *
 * DESIGN
 *   A candidate whose margin, chance, context or lever may ask a model about it waits in
 *   a lot, with each depth that fits, in order; all others are scored as they come. Which
 *   models those are is settled with the policy. features_expect() is told of them, first
 *   for the margins, which others may depend on, then for the rest. Nothing is scored that
 *   nobody asks for: an expression may end before it comes to its model, and then what the
 *   model reads was not read.
 *
 *   The rules of the gates and the texts ask for one candidate at a time: a gate ends with
 *   the first rule that says no.
 *
 * LIMITS
 *   LOT_MAX depths in a lot, which bounds the memory; a candidate's are never parted.
 */
#include "decide/run.h"

#include <string.h>

#define LOT_MAX 1024
#define LOT_FIRST 32 /* doubled until it is LOT_MAX */

static void
lot_grow(struct run *run, struct lot *lot)
{
	size_t room = lot->room == 0 ? LOT_FIRST : 2 * lot->room;
	struct expected *expected = arena_room(run->arena, room * sizeof(*expected));
	bool *has_margin = arena_room(run->arena, room * sizeof(*has_margin));

	if (lot->count > 0) {
		memcpy(expected, lot->expected, lot->count * sizeof(*expected));
		memcpy(has_margin, lot->has_margin, lot->count * sizeof(*has_margin));
	}
	lot->expected = expected;
	lot->has_margin = has_margin;
	lot->room = room;
}

/* One without a margin is asked nothing more. */
static void
know_margin(struct lot *lot, size_t k, bool has_margin, double margin)
{
	struct expected *expected = &lot->expected[k];

	lot->has_margin[k] = has_margin;
	if (has_margin)
		expected->about.margin_minor = margin;
	expected->models = has_margin ? expected->about.action->factors_ask : 0;
}

static void
lot_add(struct run *run, struct lot *lot, size_t i)
{
	const struct action *action = run->decision->candidates[i].action;
	const struct trial *trial = &run->trials[i];

	for (size_t d = 0; d < trial->option_count; d++) {
		const struct depth_option *option = &trial->options[d];
		size_t k = lot->count;
		double margin = 0;
		bool known;

		if (!option->fits)
			continue;
		CHECK(k < lot->room);
		lot->count++;
		lot->expected[k].about = (struct candidate_context){ .action = action,
			.depth = option->depth,
			.worth_minor = (double)option->value.worth_minor,
			.has_line_margin = option->value.has_line_margin,
			.line_margin_minor = (double)option->value.line_margin_minor,
			.item = run->decision->candidates[i].item,
			.expected = (uint32_t)k + 1 };
		lot->expected[k].models = action->margin_asks;
		lot->asking += action->margin_asks != 0;
		if (action->margin_asks != 0)
			continue;
		known = gain_margin(run, action, &lot->expected[k].about, &margin);
		know_margin(lot, k, known, margin);
	}
}

/* None is put in its place before all are known: they are scored together. */
static void
ask_margins(struct run *run, struct lot *lot)
{
	double *margins = arena_room(run->arena, lot->count * sizeof(*margins));

	features_expect(run->features, lot->expected, lot->count);
	for (size_t k = 0; k < lot->count; k++) {
		const struct candidate_context *about = &lot->expected[k].about;

		if (about->action->margin_asks != 0)
			lot->has_margin[k] =
			    expr_number(run, &about->action->margin, about, &margins[k]);
	}
	for (size_t k = 0; k < lot->count; k++)
		if (lot->expected[k].about.action->margin_asks != 0)
			know_margin(lot, k, lot->has_margin[k], margins[k]);
	lot->asking = 0;
}

/* All that wait, the last before candidate `until`. */
static void
lot_score(struct run *run, struct lot *lot, size_t until)
{
	size_t at = 0;

	if (lot->asking > 0)
		ask_margins(run, lot);
	features_expect(run->features, lot->expected, lot->count);
	for (size_t i = lot->from; i < until; i++) {
		if (!run->trials[i].waits)
			continue;
		run->trials[i].waits = false;
		at += gain_best(run, i, &lot->expected[at], &lot->has_margin[at]);
	}
	CHECK(at == lot->count);
	features_expect(run->features, NULL, 0);
	lot->count = 0;
}

/* ---- whoever passed ---- */

/* Was it scored in an earlier placement, with the same depths? */
static bool
is_scored(struct trial *trial)
{
	uint32_t fits = 0;
	bool same;

	for (size_t d = 0; d < trial->option_count; d++)
		fits |= trial->options[d].fits ? 1u << d : 0;
	same = trial->scored_fits == fits;
	trial->scored_fits = fits;
	return same;
}

void
score_take(struct run *run, size_t i)
{
	const struct action *action = run->decision->candidates[i].action;
	struct trial *trial = &run->trials[i];
	struct lot *lot = &run->lot;
	size_t at;

	/* A mandatory action has no offer, and is not scored. */
	if (action->mandatory || is_scored(trial))
		return;
	if (trial->option_count == 1 && (action->margin_asks | action->factors_ask) == 0) {
		gain_only(run, i);
		return;
	}
	if (lot->count + trial->option_count > LOT_MAX)
		lot_score(run, lot, i);
	if (lot->count + trial->option_count > lot->room)
		lot_grow(run, lot);
	if (lot->count == 0)
		lot->from = i;
	at = lot->count;
	lot_add(run, lot, i);
	trial->waits = (action->margin_asks | action->factors_ask) != 0;
	if (trial->waits)
		return;
	gain_best(run, i, &lot->expected[at], &lot->has_margin[at]);
	lot->count = at;
}

void
score_rest(struct run *run)
{
	if (run->lot.count > 0)
		lot_score(run, &run->lot, run->decision->candidate_count);
}
