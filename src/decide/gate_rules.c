/* SPDX-License-Identifier: Apache-2.0
 *
 * gate_rules.c - the gates that read features: care, then eligibility, applicability, suitability.
 *
 * An offer's own condition (min_basket) is part of its
 * applicability. What a clause says of the candidate's depth and worth is
 * about the first depth that it could have.
 */
#include "decide/basis.h"
#include "decide/run.h"

#include "nouns/wallet.h"

static bool
care_case_open(const struct run *run)
{
	const struct subject *subject = run->input->care;

	if (subject == NULL || run->policy->care_severity <= 0)
		return false;
	for (size_t i = 0; i < subject->case_count; i++)
		if (subject->cases[i].closed_ms == 0 &&
		    subject->cases[i].severity >= run->policy->care_severity)
			return true;
	return false;
}

/* HQ has something to put right with the customer. */
static bool
care_journey(const struct run *run)
{
	const struct subject *subject = run->input->care;

	return subject != NULL && run->policy->care_journeys &&
	    journeys_running(subject, run->now_ms) > 0;
}

static bool
care_likely(const struct run *run)
{
	struct value value;

	if (run->policy->care_feature < 0 || run->policy->care_likely_to_call < 0)
		return false;
	value = features_get(run->features, (unsigned)run->policy->care_feature, NULL);
	return value.tag == VALUE_NUMBER && value.number > run->policy->care_likely_to_call;
}

bool
care_stands(struct run *run)
{
	if (run->care < 0)
		run->care = care_case_open(run) || care_journey(run) || care_likely(run);
	return run->care == 1;
}

static bool
care_closed(struct run *run, const struct action *action)
{
	return !action->mandatory && (run->policy->care_only & (1u << action->kind)) == 0 &&
	    care_stands(run);
}

static const struct offer_lines *
goods_of(struct run *run, const struct offer *offer)
{
	const struct basis *basis = run->decision->basis;
	const struct offer_lines **known = &run->goods[offer->match];
	struct offer_lines *lines;

	CHECK(offer->match < run->policy->match_count);
	if (*known == NULL) {
		lines = arena_room(run->arena, sizeof(*lines));
		offer_lines_find(offer, basis,
		    arena_room(run->arena, basis->visit->line_count * sizeof(*lines->line)), lines);
		*known = lines;
	}
	return *known;
}

static void __attribute__((noinline)) fill_depths(struct run *run, size_t i)
{
	struct trial *trial = &run->trials[i];
	const struct action *action = run->decision->candidates[i].action;
	int64_t depths[DEPTHS_MAX];

	trial->option_count =
	    (uint32_t)offer_depths(&action->offer, trial_card(run, i), run->basket_minor, depths);
	if (trial->option_count > 1)
		trial->options =
		    arena_alloc(run->arena, trial->option_count * sizeof(*trial->options));
	for (size_t d = 0; d < trial->option_count; d++) {
		trial->options[d].depth = depths[d];
		trial->options[d].value = offer_value_on(&action->offer, depths[d],
		    run->decision->basis, goods_of(run, &action->offer));
	}
}

/* Ends the trial of a candidate, if this is where it ends. */
static bool
closes(struct run *run, size_t i, enum fate fate, const char *clause, enum closed_by by)
{
	if (!door_closed(run, fate, clause, by))
		return false;
	close_with(&run->trials[i], by == CLOSED_MISSING ? FATE_MISSING : fate, clause);
	return true;
}

/* Of what could be had, the depth that a person names. false: it cannot be had. */
static bool
keep_depth(struct trial *trial, int64_t depth)
{
	for (; trial->option_count > 0; trial->option_count--, trial->options++)
		if (trial->options->depth == depth) {
			trial->option_count = 1;
			return true;
		}
	return false;
}

void
fill_options(struct run *run, size_t i)
{
	struct trial *trial = &run->trials[i];
	const struct action *action = run->decision->candidates[i].action;
	const struct offer *offer = &action->offer;

	if (trial->valued)
		return;
	trial->valued = true;
	trial->option_count = 1;
	trial->options = &trial->only;
	trial->only = (struct depth_option){ 0 };
	if (!action->has_offer)
		return;
	if (run->decision->basis == NULL) {
		run->decision->basis =
		    basis_make(run->arena, run->policy, run->sources->marks_off, run->visit);
		run->goods =
		    arena_alloc(run->arena, run->policy->match_count * sizeof(*run->goods));
	}
	if (offer->tier_count > 0 || offer->ladder_count != 1 || trial->own >= 0) {
		fill_depths(run, i);
		return;
	}
	trial->only.depth = offer->ladder[0]; /* most have one depth */
	trial->only.value =
	    offer_value_on(offer, offer->ladder[0], run->decision->basis, goods_of(run, offer));
}

static bool
rule_gate(struct run *run, size_t i, uint32_t clause, enum fate fate)
{
	struct candidate_context about;
	enum rule_result result;
	const struct clause *rule;

	if (clause == CLAUSE_TRUE)
		return true;
	/* Equal ones have run: only what depends on the candidate is never remembered. */
	result = (enum rule_result)run->memo.result[clause];
	rule = &run->policy->clauses[clause];
	if (result == RULE_UNTRIED) {
		if (rule->per_action) {
			fill_options(run, i);
			about = candidate_about(run, i, &run->trials[i].options[0]);
		}
		result = rule_try(run, clause, rule->per_action ? &about : NULL);
	}
	return result == RULE_TRUE ||
	    !closes(run, i, fate, rule->brief,
		result == RULE_MISSING ? CLOSED_MISSING : CLOSED_BY_JUDGEMENT);
}

static bool
depth_gate(struct run *run, size_t i)
{
	if (run->door == NULL || run->door->depth == 0)
		return true;
	fill_options(run, i);
	return keep_depth(&run->trials[i], run->door->depth) ||
	    !closes(run, i, FATE_APPLICABILITY, "offer.depth", CLOSED_FIRMLY);
}

/* Is there an open offer to remind of? */
static bool
wallet_has(const struct run *run)
{
	const struct subject *subject = run->sources->subject;

	return subject != NULL && wallet_open(subject, run->now_ms).count > 0;
}

static bool
item_gate(struct run *run, size_t i)
{
	const char *none = family_find(run, i);

	return none == NULL || !closes(run, i, FATE_APPLICABILITY, none, CLOSED_FIRMLY);
}

void
rules_gate(struct run *run, size_t i)
{
	const struct action *action = run->decision->candidates[i].action;

	run->trials[i].tried = TRIED_RULES;
	if (care_closed(run, action) && closes(run, i, FATE_CARE, "care", CLOSED_FIRMLY))
		return;
	if (action->barred && closes(run, i, FATE_ELIGIBILITY, "goods.marked", CLOSED_FIRMLY))
		return;
	if (action->family != FAMILY_NONE && !item_gate(run, i))
		return;
	if (!depth_gate(run, i) || !rule_gate(run, i, action->eligible, FATE_ELIGIBILITY))
		return;
	if (action->has_offer && run->basket_minor < action->offer.min_basket_minor &&
	    closes(run, i, FATE_APPLICABILITY, "offer.min_basket", CLOSED_FIRMLY))
		return;
	if (action->wallet && !wallet_has(run) &&
	    closes(run, i, FATE_APPLICABILITY, "wallet", CLOSED_FIRMLY))
		return;
	/* What an offer is worth is worked out for those alone that come so far. */
	if (rule_gate(run, i, action->applicable, FATE_APPLICABILITY) &&
	    rule_gate(run, i, action->suitable, FATE_SUITABILITY))
		fill_options(run, i);
}
