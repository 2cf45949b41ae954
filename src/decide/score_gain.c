/* SPDX-License-Identifier: Apache-2.0
 *
 * score_gain.c - what an action is expected to bring, in money, against doing nothing.
 *
 * DESIGN
 *   gain = p1·(m − c) − p0·m         p1, p0: chance of the outcome with and without the action,
 *                                    shrunk where the policy has numbers for that, then as the
 *                                    store learned them
 *   priority = (gain × C) × L        m: margin, c: our share of the saving, all in minor units
 *   L is the action's lever times every lever of the policy that names it, in
 *   the policy's order. The order of operations is part of the result: replay
 *   compares bits.
 *
 *   Of several depths the one with the largest gain goes on, of equal ones the
 *   smaller. A depth that saves less than the offer's min_worth, or leaves
 *   less than its margin floor, is left out; with none left the offer is not
 *   worth it.
 *
 *   A product that leaves the doubles, or is beyond PRIORITY_MAX, is no
 *   number to weigh by: its fate is "missing", its clause "priority".
 *
 *   Chances outside 0..1 (a model with an identity link) are taken as 0 or 1.
 */
#include "decide/run.h"
#include "learn/cells.h"
#include "learn/shrink.h"
#include "policy/policy_load.h"

#include <string.h>

struct factors {
	double p1, p0;	   /* what the gain is made of */
	double raw1, raw0; /* as the models have them, before they are shrunk */
	int32_t learned1, learned0;
	double margin, context, lever;
};

double
gain_of(double p1, double p0, double margin, double cost)
{
	return p1 * (margin - cost) - p0 * margin;
}

bool
gain_margin(struct run *run, const struct action *action, const struct candidate_context *about,
    double *ret_margin)
{
	if (!action->margin_lines || !about->has_line_margin)
		return expr_number(run, &action->margin, about, ret_margin);
	*ret_margin = about->line_margin_minor;
	return true;
}

struct candidate_context
candidate_about(struct run *run, size_t i, const struct depth_option *option)
{
	const struct action *action = run->decision->candidates[i].action;
	struct candidate_context about = {
		.action = action,
		.depth = option->depth,
		.worth_minor = (double)option->value.worth_minor,
		.has_line_margin = option->value.has_line_margin,
		.line_margin_minor = (double)option->value.line_margin_minor,
		.item = run->decision->candidates[i].item,
	};
	double margin;

	if (!action->mandatory && gain_margin(run, action, &about, &margin))
		about.margin_minor = margin;
	return about;
}

static double
as_chance(double p)
{
	return p < 0 ? 0 : p > 1 ? 1 : p;
}

static bool
model_chance(struct run *run, unsigned model, const struct candidate_context *about, double *ret)
{
	struct expr expr = { .kind = EXPR_MODEL, .index = model };
	double p;

	if (!expr_number(run, &expr, about, &p))
		return false;
	*ret = as_chance(p);
	return true;
}

/* What this store's own answers say of them. */
static void
learned(const struct run *run, const struct action *action, struct factors *factors)
{
	const struct cells *cells = run->input->learned;
	const char *group = action->group != NULL ? action->group : "";

	factors->learned1 = factors->learned0 = 0;
	if (cells == NULL)
		return;
	factors->learned1 = cells_ratio(cells, action->id, group, "", true);
	factors->learned0 = cells_ratio(cells, action->id, group, "", false);
	factors->p1 = learner_chance(factors->p1, factors->learned1);
	factors->p0 = learner_chance(factors->p0, factors->learned0);
}

/* NULL, or the name of the factor that is missing. */
static const char *
chances(struct run *run, const struct candidate_context *about, struct factors *factors)
{
	const struct action *action = about->action;
	double p;

	if (action->has_uplift) {
		if (!model_chance(run, action->uplift_treated, about, &factors->raw1))
			return "uplift.treated";
		if (!model_chance(run, action->uplift_control, about, &factors->raw0))
			return "uplift.control";
	} else {
		if (!expr_number(run, &action->propensity, about, &p))
			return "propensity";
		factors->raw1 = as_chance(p);
		factors->raw0 = (1.0 - action->incremental) * factors->raw1;
	}
	factors->p1 = factors->raw1;
	factors->p0 = factors->raw0;
	if (action->has_shrink)
		shrink_apply(&action->shrink, factors->raw1, factors->raw0, &factors->p1,
		    &factors->p0);
	learned(run, action, factors);
	return NULL;
}

static const char *
factors_of(struct run *run, const struct candidate_context *about, struct factors *factors)
{
	const struct action *action = about->action;
	const char *missing;
	double own;

	factors->margin = about->margin_minor;
	missing = chances(run, about, factors);
	if (missing != NULL)
		return missing;
	if (!expr_number(run, &action->context, about, &factors->context))
		return "context";
	if (action->lever_settled) {
		factors->lever = action->levers;
		return NULL;
	}
	if (!expr_number(run, &action->lever_expr, about, &own))
		return "lever";
	factors->lever = lever_of(run->policy, action, own);
	return NULL;
}

static void
take_option(struct candidate *candidate, const struct depth_option *option,
    const struct factors *factors, double gain, double priority)
{
	candidate->scored = true;
	candidate->depth = option->depth;
	candidate->worth_minor = option->value.worth_minor;
	candidate->hold_minor = option->value.hold_minor;
	candidate->has_line_margin = option->value.has_line_margin;
	candidate->line_margin_minor = option->value.line_margin_minor;
	candidate->p1 = factors->p1;
	candidate->p0 = factors->p0;
	candidate->raw1 = factors->raw1;
	candidate->raw0 = factors->raw0;
	candidate->learned1 = factors->learned1;
	candidate->learned0 = factors->learned0;
	candidate->margin = factors->margin;
	candidate->cost = option->value.cost_minor;
	candidate->gain = gain;
	candidate->context = factors->context;
	candidate->lever = factors->lever;
	candidate->priority = priority;
}

/* Does this option beat what the candidate holds? */
static bool
option_better(const struct candidate *candidate, const struct depth_option *option, double gain)
{
	if (!candidate->scored || gain > candidate->gain)
		return true;
	return !(gain < candidate->gain) && option->depth < candidate->depth;
}

/* The floor guards the margin of the very goods, after what was agreed before: as the lines state
 * it, else as the action does. */
static bool
under_floor(const struct action *action, const struct depth_option *option, double margin)
{
	if (!action->has_offer || action->offer.margin_floor_minor == INT64_MIN)
		return false;
	if (option->value.has_line_margin)
		margin = (double)(option->value.line_margin_minor - option->value.taken_minor);
	return margin - option->value.cost_minor < (double)action->offer.margin_floor_minor;
}

bool
gain_keeps_floor(struct run *run, size_t i, const struct depth_option *option)
{
	const struct action *action = run->decision->candidates[i].action;
	struct candidate_context about = candidate_about(run, i, option);
	double margin;

	if (!action->has_offer || action->offer.margin_floor_minor == INT64_MIN)
		return true;
	return gain_margin(run, action, &about, &margin) && !under_floor(action, option, margin);
}

/* NULL, or what keeps this depth out. about NULL: its margin is missing. */
static const char *
try_option(struct run *run, struct candidate *candidate, const struct depth_option *option,
    const struct candidate_context *about, enum fate *ret_fate)
{
	const struct action *action = candidate->action;
	struct factors factors;
	const char *missing = about != NULL ? factors_of(run, about, &factors) : "margin";
	double gain, priority;

	if (missing != NULL) {
		*ret_fate = FATE_MISSING;
		return missing;
	}
	if (action->has_offer && !offer_saves(&action->offer, &option->value))
		return "offer.min_worth";
	if (under_floor(action, option, factors.margin))
		return "offer.margin_floor";
	gain = gain_of(factors.p1, factors.p0, factors.margin, option->value.cost_minor);
	priority = gain * factors.context * factors.lever;
	/* Its factors are finite, and it is not, or too near to that to be weighed. */
	if (!(priority > -PRIORITY_MAX && priority < PRIORITY_MAX)) {
		*ret_fate = FATE_MISSING;
		return "priority";
	}
	if (option_better(candidate, option, gain))
		take_option(candidate, option, &factors, gain, priority);
	return NULL;
}

void
gain_only(struct run *run, size_t i)
{
	struct candidate *candidate = &run->decision->candidates[i];
	struct trial *trial = &run->trials[i];
	const struct depth_option *option = trial->options;
	struct candidate_context about = { .action = candidate->action,
		.depth = option->depth,
		.worth_minor = (double)option->value.worth_minor,
		.has_line_margin = option->value.has_line_margin,
		.line_margin_minor = (double)option->value.line_margin_minor,
		.item = candidate->item };
	enum fate fate = FATE_NOT_WORTH_IT;
	bool known = gain_margin(run, candidate->action, &about, &about.margin_minor);
	const char *clause;

	candidate->scored = false;
	clause = try_option(run, candidate, option, known ? &about : NULL, &fate);
	if (clause == NULL) {
		fate = candidate->gain > 0 ? FATE_PASSED : FATE_NOT_WORTH_IT;
		clause = fate == FATE_PASSED ? NULL : "gain";
	}
	trial->scored = (uint8_t)fate;
	trial->scored_clause = clause;
}

size_t
gain_best(struct run *run, size_t i, const struct expected *expected, const bool *has_margin)
{
	struct candidate *candidate = &run->decision->candidates[i];
	struct trial *trial = &run->trials[i];
	enum fate fate = FATE_NOT_WORTH_IT;
	const char *clause = NULL;
	size_t at = 0;

	candidate->scored = false;
	for (size_t d = 0; d < trial->option_count; d++) {
		enum fate out = FATE_NOT_WORTH_IT;
		const char *why;

		if (!trial->options[d].fits)
			continue;
		why = try_option(run, candidate, &trial->options[d],
		    has_margin[at] ? &expected[at].about : NULL, &out);
		at++;
		/* What is missing is said rather than a floor, and the last of it. */
		if (out == FATE_MISSING)
			fate = out;
		if (why != NULL && (out == FATE_MISSING || clause == NULL))
			clause = why;
	}
	if (candidate->scored) {
		fate = candidate->gain > 0 ? FATE_PASSED : FATE_NOT_WORTH_IT;
		clause = fate == FATE_PASSED ? NULL : "gain";
	}
	trial->scored = (uint8_t)fate;
	trial->scored_clause = clause;
	return at;
}
