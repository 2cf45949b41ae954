/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_run.c - runs a compiled program.
 *
 * DESIGN
 *   A stack machine. Most clauses of a policy compare one feature with one
 *   constant, so that is one instruction (OP_TEST_*), and the jump of the "and"
 *   around it belongs to it: five clauses are five instructions. A program of
 *   such tests alone needs no stack, see logic_flat.c. A closure tree was
 *   rejected for its indirect calls, a register machine for being no shorter
 *   once the tests were fused.
 *
 *   Operands run from left to right and only as far as they decide: a missing
 *   feature behind a false operand of "and" is never read and harms nothing.
 *
 * LIMITS
 *   The stack is as deep as the compiler counted. C recursion only for the
 *   bodies of map, filter, reduce, all, none and some, at most LOGIC_DEPTH_MAX.
 */
#include "logic/logic_impl.h"

static enum logic_result run_block(struct logic_run *run, uint32_t pc, const struct cell *scope,
    struct cell *base);

/* A slot for reading: LOGIC_UNKNOWN when it is missing. */
static inline enum logic_result
read_slot(struct logic_run *run, uint32_t slot, struct value *ret)
{
	*ret = run_slot(run, slot);
	if (__builtin_expect(ret->tag != VALUE_MISSING, 1))
		return LOGIC_OK;
	run->missing = slot;
	return LOGIC_UNKNOWN;
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
		struct value value = run_slot(run, name->slot);
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
	struct cell *to = over_cells ? *top - in->n : *top; /* first argument, and the result */

	*top = to + 1;
	switch (in->op) {
	case OP_SCOPE: return logic_call(run, FN_VAR, NULL, 0, scope, to);
	case OP_LIST: return cell_list(run, to, in->n, to);
	case OP_CALL: return logic_call(run, in->a, to, in->n, scope, to);
	case OP_MISSING_SLOTS: return missing_slots(run, in, to);
	default:
		CHECK(in->op == OP_PATH);
		*to = read_path(run, in, scope, &found);
		return LOGIC_OK;
	}
}

/* ---- where it goes on: each says whether to jump, with *top moved ---- */

/* A test and the and, or, if around it; -1: unknown. */
static inline int
jump_tested(struct logic_run *run, const struct insn *in, struct cell **top)
{
	int tested = logic_test(run, in);
	bool jumps;

	if (tested < 0)
		return -1;
	jumps = sense_jumps(in->sense, tested);
	if ((in->sense & SENSE_MASK) == SENSE_PUSH ||
	    (jumps && (in->sense & SENSE_MASK) != SENSE_IF))
		*(*top)++ = cell_bool(tested != 0);
	return jumps;
}

/* Past the default, if there is a value. */
static inline bool
jump_found(struct logic_run *run, const struct insn *in, const struct cell *scope,
    struct cell **top)
{
	bool found;

	if (in->op == OP_SLOT_OR) {
		struct value value = run_slot(run, in->a);
		**top = cell_of_value(&value);
		found = value.tag != VALUE_MISSING;
	} else {
		**top = read_path(run, in, scope, &found);
	}
	*top += found;
	return found;
}

/* By the truth on top, which stays only where it is the result. */
static inline bool
jump_truth(const struct insn *in, struct cell **top)
{
	bool truth = cell_truthy(*top - 1), jumps = truth == (in->op == OP_OR);

	if (in->op == OP_IF || !jumps)
		--*top;
	return jumps;
}

/* From pc to its OP_RETURN; the result is left in *base. */
static enum logic_result
run_block(struct logic_run *run, uint32_t pc, const struct cell *scope, struct cell *base)
{
	const struct logic *logic = run->logic;
	struct cell *sp = base;
	enum logic_result result;
	struct value value;
	int jumps;

	for (;;) {
		const struct insn *in = &logic->code[pc++];
		if (--run->steps < 0)
			return LOGIC_LIMIT;
		switch (in->op) {
		case OP_TEST_NUMBER:
		case OP_TEST_COMPARE:
		case OP_TEST_IN:
		case OP_TEST_TRUTH:
		case OP_TEST_NULL:
			if ((jumps = jump_tested(run, in, &sp)) < 0)
				return LOGIC_UNKNOWN;
			if (jumps)
				pc = in->jump;
			break;
		case OP_CONST: *sp++ = logic->constants[in->a]; break;
		case OP_UNDEFINED: *sp++ = (struct cell){ .tag = CELL_UNDEFINED }; break;
		case OP_SLOT:
			if (read_slot(run, in->a, &value) != LOGIC_OK)
				return LOGIC_UNKNOWN;
			*sp++ = cell_of_value(&value);
			break;
		case OP_SLOT_OR:
		case OP_PATH_OR:
			if (jump_found(run, in, scope, &sp))
				pc = in->jump;
			break;
		case OP_JUMP: pc = in->jump; break;
		case OP_IF:
		case OP_AND:
		case OP_OR:
			if (jump_truth(in, &sp))
				pc = in->jump;
			break;
		case OP_EACH:
		case OP_REDUCE:
			sp -= in->op == OP_REDUCE ? 2 : 1;
			if ((result = run_body(run, in, sp++, pc)) != LOGIC_OK)
				return result;
			pc = in->jump;
			break;
		case OP_RETURN: CHECK(sp == base + 1); return LOGIC_OK;
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
