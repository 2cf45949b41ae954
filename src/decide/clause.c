/* SPDX-License-Identifier: Apache-2.0
 *
 * clause.c - rules and expressions of one decision, each equal one run once.
 */
#include "decide/run.h"

#include "logic/logic.h"

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

static inline bool
is_true(const struct value *value)
{
	if (value->tag == VALUE_BOOL)
		return value->truth;
	if (value->tag == VALUE_NUMBER)
		return value->number == value->number && value->number != 0;
	return logic_truthy(value);
}

static enum rule_result
run_clause(struct run *run, uint32_t index, const struct candidate_context *about,
    struct value *ret)
{
	const struct logic *program = run->policy->clauses[index].program;
	struct reader reader = { run->features, about };
	struct logic_slots slots = { features_known(run->features), read_slot, &reader };

	switch (logic_run_over(program, &slots, run->arena, ret, NULL)) {
	case LOGIC_OK: return is_true(ret) ? RULE_TRUE : RULE_FALSE;
	case LOGIC_UNKNOWN: return RULE_MISSING;
	case LOGIC_LIMIT: break;
	}
	return RULE_LIMIT;
}

/* room: for the value of a clause that is remembered by nobody. */
static enum rule_result
clause_try(struct run *run, uint32_t index, const struct candidate_context *about,
    struct value *room, const struct value **ret)
{
	uint8_t *result = &run->memo.result[index];

	CHECK(index < run->policy->clause_count);
	if (run->policy->clauses[index].per_action) {
		*ret = room;
		return run_clause(run, index, about, room);
	}
	*ret = &run->memo.value[index];
	if (*result == RULE_UNTRIED)
		*result = (uint8_t)run_clause(run, index, NULL, &run->memo.value[index]);
	return (enum rule_result) * result;
}

enum rule_result
rule_try(struct run *run, uint32_t clause, const struct candidate_context *about)
{
	const struct value *value;
	struct value room;

	return clause == CLAUSE_TRUE ? RULE_TRUE : clause_try(run, clause, about, &room, &value);
}

/* Of what is no constant. */
static struct value
expr_value(struct run *run, const struct expr *expr, const struct candidate_context *about)
{
	const struct value *value;
	struct value room;
	enum rule_result result;

	if (expr->kind == EXPR_CHANCE)
		return about != NULL && about->item != NULL ? value_number(about->item->chance)
							    : value_missing();
	if (expr->kind == EXPR_MODEL)
		return features_model(run->features, expr->index, about);
	result = clause_try(run, expr->index, about, &room, &value);
	return result == RULE_TRUE || result == RULE_FALSE ? *value : value_missing();
}

static bool
is_amount(double number)
{
	/* Not NaN, not infinite: a division by nothing is no amount. */
	return number - number == 0;
}

bool
expr_compute(struct run *run, const struct expr *expr, const struct candidate_context *about,
    double *ret)
{
	struct value value;
	double number;

	value = expr_value(run, expr, about);
	if (value.tag == VALUE_NUMBER)
		number = value.number;
	else if (value.tag == VALUE_BOOL)
		number = value.truth ? 1 : 0;
	else
		return false;
	if (!is_amount(number))
		return false;
	*ret = number;
	return true;
}
