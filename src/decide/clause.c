/* SPDX-License-Identifier: Apache-2.0
 *
 * clause.c - rules and expressions of one decision, each equal one run once.
 */
#include "decide/run.h"

#include "decide/logic.h"

struct reader {
	struct features *features;
	const struct candidate_context *about;
};

static struct value
read_slot(void *ctx, unsigned slot)
{
	const struct reader *reader = ctx;

	return features_get(reader->features, slot, reader->about);
}

static struct memo
run_clause(struct run *run, uint32_t index, const struct candidate_context *about)
{
	const struct clause *clause = &run->policy->clauses[index];
	struct reader reader = { run->features, clause->per_action ? about : NULL };
	struct memo memo = { .value = value_missing() };

	switch (logic_run(clause->program, read_slot, &reader, run->arena, &memo.value, NULL)) {
	case LOGIC_OK:
		memo.result = logic_truthy(&memo.value) ? RULE_TRUE : RULE_FALSE;
		break;
	case LOGIC_UNKNOWN:
		memo.result = RULE_MISSING;
		break;
	case LOGIC_LIMIT:
		memo.result = RULE_LIMIT;
		break;
	}
	return memo;
}

static struct memo
clause_memo(struct run *run, uint32_t index, const struct candidate_context *about)
{
	struct memo *memo;

	CHECK(index < run->policy->clause_count);
	if (run->policy->clauses[index].per_action)
		return run_clause(run, index, about);
	memo = &run->memos[index];
	if (memo->result == RULE_UNTRIED)
		*memo = run_clause(run, index, NULL);
	return *memo;
}

enum rule_result
rule_try(struct run *run, uint32_t clause, const struct candidate_context *about)
{
	return clause == CLAUSE_TRUE ? RULE_TRUE : clause_memo(run, clause, about).result;
}

static struct value
expr_value(struct run *run, const struct expr *expr, const struct candidate_context *about)
{
	struct memo memo;

	switch (expr->kind) {
	case EXPR_CONST:
		return value_number(expr->constant);
	case EXPR_MODEL:
		return features_model(run->features, expr->index, about);
	case EXPR_CLAUSE:
		memo = clause_memo(run, expr->index, about);
		if (memo.result == RULE_TRUE || memo.result == RULE_FALSE)
			return memo.value;
		break;
	}
	return value_missing();
}

bool
expr_number(
    struct run *run, const struct expr *expr, const struct candidate_context *about, double *ret)
{
	struct value value = expr_value(run, expr, about);
	double number;

	if (value.tag == VALUE_NUMBER)
		number = value.number;
	else if (value.tag == VALUE_BOOL)
		number = value.truth ? 1 : 0;
	else
		return false;
	if (!(number - number == 0))	/* NaN or infinite: a division by nothing is no amount */
		return false;
	*ret = number;
	return true;
}
