/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_lint_value.c - what an action can bring at most, and an offer that gives nothing.
 */
#include "policy/policy_lint.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "nouns/gtin.h"

static int64_t
at_most(int64_t worth, int64_t max)
{
	return max >= 0 && worth > max ? max : worth;
}

/* What it saves on goods that usually qualify. */
static double
usual_worth(const struct offer *offer, int64_t depth)
{
	int64_t worth = depth;

	if (offer->type == OFFER_PERCENT)
		worth = (offer->typical_minor * depth + 50) / 100;
	else if (offer->type == OFFER_FIXED_PRICE)
		worth = offer->typical_minor > depth ? offer->typical_minor - depth : 0;
	else if (offer->type == OFFER_FREE_ITEM)
		worth = offer->max_minor;
	return (double)at_most(worth, offer->max_minor);
}

/* Of all depths the cheapest. */
static double
least_cost(const struct offer *offer)
{
	double least = INFINITY;

	for (size_t i = 0; i < offer->ladder_count; i++)
		least = fmin(least, usual_worth(offer, offer->ladder[i]));
	for (size_t i = 0; i < offer->tier_count; i++)
		least = fmin(least, usual_worth(offer, offer->tiers[i].depth));
	return least * (1 - offer->funded);
}

static void
lint_gain(struct compile *c, const struct at *at, const struct action *action)
{
	struct at margin = at_member(at, "margin"), propensity = at_member(at, "propensity");
	const struct expr *interrupt = &c->policy->interrupt;
	double p = action->propensity.kind == EXPR_CONST ? action->propensity.constant : 1;
	double factor = action->lever_settled && action->context.kind == EXPR_CONST
	    ? levers_most(c->policy, action) * action->context.constant
	    : INFINITY;
	double cost = action->has_offer ? least_cost(&action->offer) : 0, gain;
	/* A basket of less than is typical saves less, and costs less. */
	const char *so = action->has_offer
	    ? " on what usually qualifies, so it is chosen only where it saves less"
	    : ", so it is never chosen";

	if (action->has_uplift || action->margin.kind != EXPR_CONST || action->margin_lines ||
	    (action->has_offer && action->offer.type == OFFER_POINTS))
		return;
	gain = p * (action->incremental * action->margin.constant - cost);
	if (p == 0)
		warning(c, &propensity, "a chance of 0, so it is never chosen, expected more");
	else if (gain <= 0)
		warning(c, &margin,
		    "the gain is at most %.6g%s, expected incremental * margin above %.6g", gain,
		    so, cost);
	else if (interrupt->kind == EXPR_CONST && gain * factor <= interrupt->constant)
		warning(c, &margin,
		    "the priority is at most %.6g%s, expected more than \"interrupt\", %.6g",
		    gain * factor, so, interrupt->constant);
}

void
lint_value(struct compile *c, const struct at *at, const struct action *action)
{
	struct at context = at_member(at, "context"), lever = at_member(at, "lever"),
		  outcome = at_member(at, "outcome"), within = at_member(&outcome, "within");
	static const char *const unasked[] = { "propensity", "incremental", "uplift", "context",
		"margin", "lever" };

	if (action->mandatory) {
		for (size_t i = 0; i < ARRAY_LEN(unasked); i++) {
			struct at here = at_member(at, unasked[i]);

			if (here.json != NULL)
				warning(c, &here,
				    "\"%s\" of a mandatory action is never asked, expected none",
				    unasked[i]);
		}
		return;
	}
	if (action->context.kind == EXPR_CONST && action->context.constant == 0)
		warning(c, &context, "a context of 0, so it is never chosen, expected more");
	else if (action->lever_expr.kind == EXPR_CONST && action->lever_expr.constant == 0)
		warning(c, &lever, "a lever of 0, so it is never chosen, expected more");
	else if (action->lever_settled && action->levers == 0)
		return; /* said of the policy's lever */
	else
		lint_gain(c, at, action);
	if (action->goal == GOAL_GOAL && action->goal_within_ms > 0)
		warning(c, &within,
		    "no event says that a goal was reached, so nothing comes of waiting, expected "
		    "\"0d\"");
}

/* ---- offers ---- */

/* A list of objects, or one: each in its place. */
static struct at
match_at(const struct at *list, size_t i)
{
	return json_is_array(list->json) ? at_index(list, i) : *list;
}

static void
lint_match(struct compile *c, const struct at *up, const char *key)
{
	struct at list = at_member(up, key);
	size_t count =
	    json_is_array(list.json) ? json_array_size(list.json) : json_is_object(list.json);

	for (size_t i = 0; i < count; i++) {
		struct at one = match_at(&list, i), item = at_member(&one, "item");
		const char *text = json_string_value(item.json);
		size_t len = text != NULL ? strspn(text, "0123456789") : 0;
		char gtin[15];

		if (text != NULL && text[len] == '\0' && (len == 8 || (len >= 12 && len <= 14)) &&
		    !gtin_normalise(text, gtin))
			warning(c, &item,
			    "\"%s\" has a wrong check digit, so no article has it, expected a GTIN",
			    text);
	}
}

static bool
alike(const char *a, const char *b)
{
	return b == NULL || (a != NULL && strcmp(a, b) == 0);
}

static void
lint_exclude(struct compile *c, const struct at *at, const struct offer *offer)
{
	struct at exclude = at_member(at, "exclude");
	const struct match *in = &offer->include, *out = &offer->exclude;

	if (!in->set || in->next != NULL)
		return;
	for (; out != NULL && out->set; out = out->next)
		if (alike(in->category, out->category) && alike(in->brand, out->brand) &&
		    alike(in->item, out->item)) {
			warning(c, &exclude,
			    "it takes away all that \"include\" names, so nothing qualifies, "
			    "expected less");
			return;
		}
}

static void
lint_depths(struct compile *c, const struct at *at, const struct offer *offer)
{
	struct at ladder = at_member(at, "ladder"), tiers = at_member(at, "tiers"),
		  depth = at_member(at, "depth");

	for (size_t i = 0; i < offer->tier_count; i++) {
		struct at here = at_index(&tiers, i);
		int64_t before = i > 0	      ? offer->tiers[i - 1].depth
		    : offer->ladder_count > 0 ? offer->ladder[0]
					      : 0;
		bool falls = offer->type == OFFER_FIXED_PRICE ? offer->tiers[i].depth >= before
							      : offer->tiers[i].depth <= before;

		if (falls && before > 0)
			warning(c, &here,
			    "a larger basket gets no more, expected a depth beyond %" PRId64,
			    before);
	}
	if (offer->type != OFFER_AMOUNT)
		return;
	for (size_t i = 0; i < offer->ladder_count; i++) {
		struct at here = ladder.json != NULL ? at_index(&ladder, i) : depth;

		if (offer->ladder[i] < offer->min_worth_minor)
			warning(c, &here,
			    "it saves less than \"min_worth\", %" PRId64
			    ", so it is never given, expected more",
			    offer->min_worth_minor);
		else if (offer->max_minor >= 0 && offer->ladder[i] > offer->max_minor)
			warning(c, &here,
			    "it saves no more than \"max\", %" PRId64 ", expected at most that",
			    offer->max_minor);
	}
}

static bool
model_reads_depth(const struct policy *policy, const struct expr *chance, bool uplift,
    unsigned treated)
{
	const struct policy_model *model;

	if (!uplift && chance->kind != EXPR_MODEL)
		return chance->kind == EXPR_CLAUSE && policy->clauses[chance->index].per_action;
	model = &policy->models[uplift ? treated : chance->index];
	return model->per_action;
}

void
lint_offer(struct compile *c, const struct at *at, const struct action *action)
{
	struct at offer = at_member(at, "offer"), outcome = at_member(at, "outcome"),
		  ladder = at_member(&offer, "ladder"), min = at_member(&offer, "min_worth"),
		  funded = at_member(&offer, "funded");

	lint_match(c, &outcome, "item");
	if (!action->has_offer)
		return;
	lint_match(c, &offer, "include");
	lint_match(c, &offer, "exclude");
	lint_exclude(c, &offer, &action->offer);
	lint_depths(c, &offer, &action->offer);
	if (action->offer.max_minor >= 0 && action->offer.min_worth_minor > action->offer.max_minor)
		warning(c, &min,
		    "it is above \"max\", so nothing is ever worth it, expected at most %" PRId64,
		    action->offer.max_minor);
	if (action->offer.ladder_count > 1 &&
	    !model_reads_depth(c->policy, &action->propensity, action->has_uplift,
		action->uplift_treated))
		warning(c, &ladder,
		    "no chance depends on the depth, so the first is always chosen, expected a "
		    "model that reads action.depth, or \"depth\"");
	if (action->offer.ladder_count == 1 && ladder.json != NULL)
		warning(c, &ladder, "a ladder of one depth, expected \"depth\" or more of them");
	if (action->offer.funder != NULL && action->offer.funded == 0)
		warning(c, funded.json != NULL ? &funded : &offer,
		    "\"funder\" pays nothing, expected \"funded\" above 0");
}
