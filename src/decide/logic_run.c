/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_run.c - runs a compiled program.
 *
 * DESIGN
 *   A stack machine. Most clauses of a policy compare one feature with one
 *   constant, so that is one instruction (OP_TEST_*), and the jump of the "and"
 *   around it belongs to it: five clauses are five instructions. A closure tree
 *   was rejected for its indirect calls, a register machine for being no
 *   shorter once the tests were fused.
 *
 *   Operands run from left to right and only as far as they decide: a missing
 *   feature behind a false operand of "and" is never read and harms nothing.
 *
 * LIMITS
 *   The stack is as deep as the compiler counted. C recursion only for the
 *   bodies of map, filter, reduce, all, none and some, at most LOGIC_DEPTH_MAX.
 */
#include "decide/logic_impl.h"

#include <string.h>

static enum logic_result
run_block(struct logic_run *run, uint32_t pc, const struct cell *scope, struct cell *base);

/* A slot for reading: LOGIC_UNKNOWN when it is missing. */
static inline enum logic_result
read_slot(struct logic_run *run, uint32_t slot, struct value *ret)
{
	*ret = run->slot(run->ctx, slot);
	if (__builtin_expect(ret->tag != VALUE_MISSING, 1))
		return LOGIC_OK;
	run->missing = slot;
	return LOGIC_UNKNOWN;
}

/* Without a branch: which of less, equal, greater holds (none of them with NaN), and which the
 * function accepts. */
static inline bool
compare_numbers(unsigned fn, double x, double y)
{
	static const uint8_t accepts[] = {
		[FN_EQ] = 2, [FN_SAME] = 2, [FN_NE] = 13, [FN_NOT_SAME] = 13,
		[FN_LT] = 1, [FN_LE] = 3, [FN_GT] = 4, [FN_GE] = 6,
	};
	unsigned order = 1u << ((x >= y) + (x > y));
	return (accepts[fn] & (x != x || y != y ? 8u : order)) != 0;
}

/* cell_truthy of a slot, without making a cell of it. */
static inline bool
value_truthy(const struct value *value)
{
	if (value->tag == VALUE_BOOL)
		return value->truth;
	if (value->tag == VALUE_NUMBER)
		return value->number == value->number && value->number != 0;
	if (value->tag == VALUE_STRING)
		return value->str[0] != '\0';
	return logic_truthy(value);
}

static bool
text_in_list(const char *text, const struct cell *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct cell *item = &list->list[i];
		if (item->tag == CELL_STRING && item->str[0] == text[0] &&
		    strcmp(item->str, text) == 0)
			return true;
	}
	return false;
}

static inline enum logic_result
run_test(struct logic_run *run, const struct insn *in, bool *ret_holds)
{
	const struct cell *constant = &run->logic->constants[in->b];
	struct value value = run->slot(run->ctx, in->a);

	if (in->op == OP_TEST_NULL) {
		*ret_holds =
		    (value.tag == VALUE_MISSING || value.tag == VALUE_NULL) == (in->n != 0);
		return LOGIC_OK;
	}
	if (__builtin_expect(value.tag == VALUE_MISSING, 0)) {
		run->missing = in->a;
		return LOGIC_UNKNOWN;
	}
	if (in->op == OP_TEST_COMPARE) {
		if (value.tag == VALUE_NUMBER && constant->tag == CELL_NUMBER) {
			*ret_holds = compare_numbers(in->n, value.number, constant->number);
		} else {
			struct cell cell = cell_of_value(&value);
			*ret_holds = cell_compare(run, in->n, &cell, constant);
		}
	} else if (in->op == OP_TEST_TRUTH) {
		*ret_holds = value_truthy(&value) == (in->n != 0);
	} else if (value.tag == VALUE_STRING) {
		*ret_holds = text_in_list(value.str, constant);
	} else {
		struct cell cell = cell_of_value(&value);
		*ret_holds = cell_in(run, &cell, constant);
	}
	return LOGIC_OK;
}

/* missing and missing_some over slots: names of those without a value, "" and null among them. */
static enum logic_result
missing_slots(struct logic_run *run, const struct insn *in, struct cell *ret)
{
	const struct logic *logic = run->logic;
	if (!run_charge(run, in->n))
		return LOGIC_LIMIT;
	struct cell *absent = arena_alloc(run_arena(run), (in->n + 1u) * sizeof(*absent));
	size_t n = 0;
	for (unsigned i = 0; i < in->n; i++) {
		const struct named_slot *name = &logic->names[in->a + i];
		struct value value = run->slot(run->ctx, name->slot);
		if (value.tag == VALUE_MISSING || value.tag == VALUE_NULL ||
		    (value.tag == VALUE_STRING && value.str[0] == '\0'))
			absent[n++] = logic->constants[name->name];
	}
	if (in->b > 0 && (double)(in->n - n) >= cell_to_number(run, &logic->constants[in->b - 1]))
		n = 0;
	return cell_list(run, absent, n, ret);
}

/* Over the list in *list, in place: map and filter leave a list, the others a bool. */
static enum logic_result
run_each(struct logic_run *run, const struct insn *in, struct cell *list, uint32_t body)
{
	struct cell items = *list, out = { .tag = CELL_UNDEFINED };
	size_t count = cell_is_list(&items) ? cell_count(&items) : 0, n = 0;
	bool gathers = in->a == FN_MAP || in->a == FN_FILTER;
	struct cell *kept =
	    gathers ? arena_alloc(run_arena(run), (count + 1) * sizeof(*kept)) : NULL;

	if (!run_charge(run, count / LOGIC_TEXT_STEP))
		return LOGIC_LIMIT;
	for (size_t i = 0; i < count; i++) {
		struct cell item = cell_at(&items, i);
		enum logic_result result = run_block(run, body, &item, list + 1);
		if (result != LOGIC_OK)
			return result;
		out = list[1];
		if (in->a == FN_MAP) {
			kept[n++] = out;
		} else if (in->a == FN_FILTER) {
			if (cell_truthy(&out))
				kept[n++] = item;
		} else if (cell_truthy(&out) != (in->a == FN_ALL)) {
			*list = cell_bool(in->a == FN_SOME);
			return LOGIC_OK;
		}
	}
	if (gathers)
		return cell_list(run, kept, n, list);
	*list = cell_bool(in->a == FN_NONE || (in->a == FN_ALL && count > 0));
	return LOGIC_OK;
}

/* list[0] the list, list[1] the initial value; leaves the accumulator in list[0]. */
static enum logic_result
run_reduce(struct logic_run *run, struct cell *list, uint32_t body)
{
	struct cell items = list[0], pair[2] = { { 0 }, list[1] };
	size_t count = cell_is_list(&items) ? cell_count(&items) : 0;

	for (size_t i = 0; i < count; i++) {
		pair[0] = cell_at(&items, i);
		struct cell scope = { .tag = CELL_PAIR, .list = pair };
		enum logic_result result = run_block(run, body, &scope, list + 2);
		if (result != LOGIC_OK)
			return result;
		pair[1] = list[2];
	}
	list[0] = pair[1];
	return LOGIC_OK;
}

static enum logic_result
run_body(struct logic_run *run, const struct insn *in, struct cell *list, uint32_t body)
{
	return in->op == OP_REDUCE ? run_reduce(run, list, body) : run_each(run, in, list, body);
}

static struct cell
read_path(struct logic_run *run, const struct insn *in, const struct cell *scope, bool *ret_found)
{
	const struct path *path = &run->logic->paths[in->a];
	return cell_path(run, scope, run->logic->segments + path->first, path->count, ret_found);
}

/* What is neither a test, a jump nor a body. Returns with *top moved. */
static enum logic_result
run_plain(struct logic_run *run, const struct insn *in, const struct cell *scope, struct cell **top)
{
	bool over_cells = in->op == OP_LIST || in->op == OP_CALL, found;
	struct cell *to = over_cells ? *top - in->n : *top;	/* first argument, and the result */

	*top = to + 1;
	switch (in->op) {
	case OP_SCOPE:
		return logic_call(run, FN_VAR, NULL, 0, scope, to);
	case OP_LIST:
		return cell_list(run, to, in->n, to);
	case OP_CALL:
		return logic_call(run, in->a, to, in->n, scope, to);
	case OP_MISSING_SLOTS:
		return missing_slots(run, in, to);
	default:
		CHECK(in->op == OP_PATH);
		*to = read_path(run, in, scope, &found);
		return LOGIC_OK;
	}
}

/* From pc to its OP_RETURN; the result is left in *base. */
static enum logic_result
run_block(struct logic_run *run, uint32_t pc, const struct cell *scope, struct cell *base)
{
	const struct logic *logic = run->logic;
	struct cell *sp = base;
	enum logic_result result;
	struct value value;
	bool holds;

	for (;;) {
		const struct insn *in = &logic->code[pc++];
		if (--run->steps < 0)
			return LOGIC_LIMIT;
		switch (in->op) {
		case OP_TEST_COMPARE: case OP_TEST_IN: case OP_TEST_TRUTH: case OP_TEST_NULL:
			if ((result = run_test(run, in, &holds)) != LOGIC_OK)
				return result;
			if (in->sense == SENSE_PUSH ||
			    (in->sense != SENSE_IF && holds == (in->sense == SENSE_OR)))
				*sp++ = cell_bool(holds);
			if (in->sense != SENSE_PUSH && holds == (in->sense == SENSE_OR))
				pc = in->jump;
			break;
		case OP_CONST:
			*sp++ = logic->constants[in->a];
			break;
		case OP_UNDEFINED:
			*sp++ = (struct cell){ .tag = CELL_UNDEFINED };
			break;
		case OP_SLOT:
			if (read_slot(run, in->a, &value) != LOGIC_OK)
				return LOGIC_UNKNOWN;
			*sp++ = cell_of_value(&value);
			break;
		case OP_SLOT_OR:
			value = run->slot(run->ctx, in->a);
			*sp = cell_of_value(&value);
			if (value.tag != VALUE_MISSING)
				sp++, pc = in->jump;
			break;
		case OP_PATH_OR:
			*sp = read_path(run, in, scope, &holds);
			if (holds)
				sp++, pc = in->jump;
			break;
		case OP_JUMP:
			pc = in->jump;
			break;
		case OP_IF:
			if (!cell_truthy(--sp))
				pc = in->jump;
			break;
		case OP_AND: case OP_OR:
			if (cell_truthy(sp - 1) == (in->op == OP_OR))
				pc = in->jump;
			else
				sp--;
			break;
		case OP_EACH: case OP_REDUCE:
			sp -= in->op == OP_REDUCE ? 2 : 1;
			if ((result = run_body(run, in, sp++, pc)) != LOGIC_OK)
				return result;
			pc = in->jump;
			break;
		case OP_RETURN:
			CHECK(sp == base + 1);
			return LOGIC_OK;
		default:
			if ((result = run_plain(run, in, scope, &sp)) != LOGIC_OK)
				return result;
		}
	}
}

enum logic_result
logic_execute(struct logic_run *run, const struct cell *scope, struct cell near[static STACK_CELLS],
    const struct cell **ret)
{
	struct cell *stack = near;
	if (run->logic->stack > STACK_CELLS)
		stack = arena_alloc(run_arena(run), run->logic->stack * sizeof(*stack));
	*ret = stack;
	enum logic_result result = run_block(run, 0, scope, stack);
	return run->steps < 0 && result == LOGIC_OK ? LOGIC_LIMIT : result;
}
