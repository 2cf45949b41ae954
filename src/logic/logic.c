/* SPDX-License-Identifier: Apache-2.0
 *
 * logic.c - JsonLogic from outside: over slots, over JSON.
 */
#include "logic/logic.h"

#include <stdlib.h>

#include "logic/logic_impl.h"

#define EXACT_NUMBER 9007199254740992.0 /* 2^53 */

void
logic_free(struct logic *logic)
{
	if (logic == NULL)
		return;
	for (size_t i = 0; i < logic->ref_count; i++)
		json_decref(logic->refs[i]);
	free(logic);
}

void
logic_slots(const struct logic *logic, void (*fn)(void *ctx, unsigned slot), void *ctx)
{
	for (size_t i = 0; i < logic->slot_count; i++)
		fn(ctx, logic->slots[i]);
}

bool
logic_truthy(const struct value *value)
{
	struct cell cell = cell_of_value(value);
	return cell_truthy(&cell);
}

/* Field by field: a struct built aside and copied costs more than the whole rule's clauses. */
static void
value_of_cell(const struct cell *cell, struct value *ret)
{
	switch (cell->tag) {
	case CELL_BOOL:
		ret->tag = VALUE_BOOL;
		ret->truth = cell->truth;
		break;
	case CELL_NUMBER:
		ret->tag = VALUE_NUMBER;
		ret->number = cell->number;
		break;
	case CELL_BIG:
		ret->tag = VALUE_NUMBER;
		ret->number = (double)cell->big;
		break;
	case CELL_STRING:
		ret->tag = VALUE_STRING;
		ret->str = cell->str;
		break;
	case CELL_JSON:
		ret->tag = VALUE_JSON;
		ret->json = cell->json;
		break;
	case CELL_LIST:
	case CELL_MADE:
	case CELL_PAIR:
		ret->tag = VALUE_BOOL;
		ret->truth = cell_truthy(cell);
		break;
	default: ret->tag = VALUE_NULL;
	}
}

/* What is not flat: on the stack. */
static enum logic_result __attribute__((noinline))
run_stack(struct logic_run *run, struct value *ret_value)
{
	static const struct cell nothing = { .tag = CELL_NULL };
	struct cell near[STACK_CELLS];
	const struct cell *cell;
	enum logic_result result = logic_execute(run, &nothing, near, &cell);

	if (result == LOGIC_OK)
		value_of_cell(cell, ret_value);
	return result;
}

static enum logic_result __attribute__((noinline))
run_program(const struct logic *logic, const struct logic_slots *slots, struct arena *arena,
    struct value *ret_value, unsigned *ret_missing)
{
	struct logic_run run = {
		.logic = logic, .slots = *slots, .arena = arena, .steps = LOGIC_STEPS_MAX
	};
	enum logic_result result;
	int holds;

	if (!logic->flat) {
		result = run_stack(&run, ret_value);
	} else if ((holds = logic_run_flat(&run)) >= 0) {
		*ret_value = value_bool(holds != 0);
		return LOGIC_OK;
	} else {
		result = LOGIC_UNKNOWN;
	}
	if (result == LOGIC_UNKNOWN && ret_missing != NULL)
		*ret_missing = run.missing;
	return result;
}

enum logic_result
logic_run_over(const struct logic *logic, const struct logic_slots *slots, struct arena *arena,
    struct value *ret_value, unsigned *ret_missing)
{
	CHECK(!logic->over_json);
	if (logic->pair && logic_run_pair(logic, slots, ret_value))
		return LOGIC_OK;
	return run_program(logic, slots, arena, ret_value, ret_missing);
}

enum logic_result
logic_run(const struct logic *logic, logic_slot_fn slot, void *ctx, struct arena *arena,
    struct value *ret_value, unsigned *ret_missing)
{
	struct logic_slots slots = { .read = slot, .ctx = ctx };

	return logic_run_over(logic, &slots, arena, ret_value, ret_missing);
}

/* New reference. Depth: see cell_list. Charged, because a list may hold another one
 * twice, that one a third twice, and so on: little in memory, endless as text. */
static json_t *
json_of_cell(struct logic_run *run, const struct cell *cell)
{
	if (!run_charge(run, 1))
		return json_null();
	switch (cell->tag) {
	case CELL_BOOL: return json_boolean(cell->truth);
	case CELL_NUMBER:
		if (cell->number >= -EXACT_NUMBER && cell->number <= EXACT_NUMBER &&
		    (double)(int64_t)cell->number == cell->number)
			return json_integer((int64_t)cell->number);
		json_t *real = json_real(cell->number);
		return real != NULL ? real : json_null(); /* NaN and infinity, as JSON.stringify */
	case CELL_BIG: return json_integer(cell->big);
	case CELL_STRING: return json_string(cell->str);
	case CELL_JSON: return json_incref(cell->json);
	case CELL_LIST: {
		json_t *array = json_array();
		for (size_t i = 0; i < cell->count && run->steps >= 0; i++)
			json_array_append_new(array, json_of_cell(run, &cell->list[i]));
		return array;
	}
	case CELL_MADE: {
		json_t *made = json_object();
		for (size_t i = 0; i + 1 < cell->count && run->steps >= 0; i += 2)
			json_object_set_new(made, cell->list[i].str,
			    json_of_cell(run, &cell->list[i + 1]));
		return made;
	}
	case CELL_PAIR: {
		json_t *pair = json_object();
		json_object_set_new(pair, "current", json_of_cell(run, &cell->list[0]));
		json_object_set_new(pair, "accumulator", json_of_cell(run, &cell->list[1]));
		return pair;
	}
	default: return json_null();
	}
}

static enum logic_result
run_json(struct logic_run *run, json_t *data, json_t **ret)
{
	CHECK(run->logic->over_json);
	run->steps = LOGIC_STEPS_MAX;
	struct cell scope = cell_of_json(data), near[STACK_CELLS];
	const struct cell *cell;
	enum logic_result result = logic_execute(run, &scope, near, &cell);
	json_t *json = result == LOGIC_OK ? json_of_cell(run, cell) : NULL;
	if (json != NULL && run->steps < 0) {
		json_decref(json);
		result = LOGIC_LIMIT;
	}
	if (result == LOGIC_OK)
		*ret = json;
	if (run->own)
		arena_free(run->arena);
	return result;
}

enum logic_result
logic_run_json(const struct logic *logic, json_t *data, json_t **ret)
{
	struct logic_run run = { .logic = logic };

	return run_json(&run, data, ret);
}

enum logic_result
logic_run_around(const struct logic *logic, json_t *data, const struct logic_around *around,
    json_t **ret)
{
	struct logic_run run = { .logic = logic, .around = around };

	return run_json(&run, data, ret);
}
