/* SPDX-License-Identifier: Apache-2.0
 *
 * gate_rules.c - the gates that read features: care, then eligibility, applicability, suitability.
 *
 * An offer's own conditions (min_basket, the first tier) are part of its
 * applicability. What a clause says of the candidate's depth and worth is
 * about the first depth that it could have.
 */
#include "decide/run.h"

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

static bool
care_likely(const struct run *run)
{
	struct value value;

	if (run->policy->care_feature < 0 || run->policy->care_likely_to_call < 0)
		return false;
	value = features_get(run->features, (unsigned)run->policy->care_feature, NULL);
	return value.tag == VALUE_NUMBER && value.number > run->policy->care_likely_to_call;
}

static bool
care_closed(struct run *run, const struct action *action)
{
	if (action->mandatory || (run->policy->care_only & (1u << action->kind)) != 0)
		return false;
	if (run->care < 0)
		run->care = care_case_open(run) || care_likely(run);
	return run->care == 1;
}

static void
fill_options(struct run *run, size_t i)
{
	struct trial *trial = &run->trials[i];
	const struct action *action = run->decision->candidates[i].action;
	int64_t depths[DEPTHS_MAX] = { 0 };

	if (trial->valued)
		return;
	trial->valued = true;
	trial->option_count = 1;
	trial->options = &trial->only;
	if (!action->has_offer)
		return;
	if (run->shelf == NULL)
		run->shelf = offer_shelf(run->arena, run->visit);
	trial->option_count =
	    offer_depths(&action->offer, trial_card(run, i), run->basket_minor, depths);
	if (trial->option_count > 1)
		trial->options =
		    arena_alloc(run->arena, trial->option_count * sizeof(*trial->options));
	for (size_t d = 0; d < trial->option_count; d++) {
		trial->options[d].depth = depths[d];
		trial->options[d].value =
		    offer_value_on(&action->offer, depths[d], run->visit, run->shelf);
	}
}

static bool
rule_gate(struct run *run, size_t i, uint32_t clause, enum fate fate, struct verdict *verdict)
{
	struct candidate_context about;
	const struct clause *rule;

	if (clause == CLAUSE_TRUE)
		return true;
	rule = &run->policy->clauses[clause];
	about = candidate_about(run, i, &run->trials[i].options[0], rule->per_action);
	switch (rule_try(run, clause, &about)) {
	case RULE_TRUE:
		return true;
	case RULE_MISSING:
		verdict->fate = FATE_MISSING;
		break;
	default:
		verdict->fate = fate;
		break;
	}
	verdict->clause = rule->source;
	return false;
}

struct verdict
rules_gate(struct run *run, size_t i)
{
	const struct action *action = run->decision->candidates[i].action;
	struct verdict verdict = { .tried = true, .fate = FATE_PASSED };

	if (care_closed(run, action)) {
		verdict.fate = FATE_CARE;
		verdict.clause = "care";
		return verdict;
	}
	fill_options(run, i);
	if (!rule_gate(run, i, action->eligible, FATE_ELIGIBILITY, &verdict))
		return verdict;
	if (action->has_offer && run->basket_minor < action->offer.min_basket_minor)
		verdict.clause = "offer.min_basket";
	else if (run->trials[i].option_count == 0)
		verdict.clause = "offer.tiers";
	if (verdict.clause != NULL) {
		verdict.fate = FATE_APPLICABILITY;
		return verdict;
	}
	if (rule_gate(run, i, action->applicable, FATE_APPLICABILITY, &verdict))
		rule_gate(run, i, action->suitable, FATE_SUITABILITY, &verdict);
	return verdict;
}
