/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_flat.c - programs that only test slots: most rules of a policy.
 *
 * DESIGN
 *   What tests, and, or, if leave on the stack is one truth at a time, so a
 *   program of nothing else runs with that truth in a register. Its jumps go
 *   forward only: it ends without counting steps.
 *
 *   A slot that is known already is read where it lies; only the first reader
 *   calls. A rule of one comparison is then a dozen machine instructions.
 */
#include "logic/logic_impl.h"

#include <string.h>

/* Which of less, equal, greater, none (NaN) holds, and which the function accepts: without a
 * branch that depends on the numbers. */
static inline bool
compare_numbers(unsigned fn, double x, double y)
{
	static const uint8_t accepts[] = {
		[FN_EQ] = 2,
		[FN_SAME] = 2,
		[FN_NE] = 13,
		[FN_NOT_SAME] = 13,
		[FN_LT] = 1,
		[FN_LE] = 3,
		[FN_GT] = 4,
		[FN_GE] = 6,
	};
	unsigned order = (unsigned)(x >= y) + (unsigned)(x > y);

	if (__builtin_expect(__builtin_isunordered(x, y), 0))
		order = 3;
	return (accepts[fn] >> order & 1) != 0;
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

static inline bool
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

/* What is no number against a number: 1 yes, 0 no, -1 unknown. */
static int __attribute__((noinline))
test_other(struct logic_run *run, const struct insn *in, const struct value *value)
{
	const struct cell *constant;
	struct cell cell, number;

	if (in->op == OP_TEST_NULL)
		return (value->tag == VALUE_MISSING || value->tag == VALUE_NULL) == (in->b != 0);
	if (value->tag == VALUE_MISSING) {
		run->missing = in->a;
		return -1;
	}
	if (in->op == OP_TEST_TRUTH)
		return value_truthy(value) == (in->b != 0);
	number = cell_number(in->number);
	constant = in->op == OP_TEST_NUMBER ? &number : &run->logic->constants[in->b];
	if (in->op == OP_TEST_IN && value->tag == VALUE_STRING)
		return text_in_list(value->str, constant);
	cell = cell_of_value(value);
	return in->op == OP_TEST_IN ? cell_in(run, &cell, constant)
				    : cell_compare(run, in->sense >> SENSE_FN, &cell, constant);
}

static inline int
test(struct logic_run *run, const struct insn *in)
{
	const struct value *value;
	struct value room;

	if (run->slots.known != NULL && run->slots.known[in->a].tag <= VALUE_JSON) {
		value = &run->slots.known[in->a];
	} else {
		room = run->slots.read(run->slots.ctx, in->a);
		value = &room;
	}
	if (in->op == OP_TEST_NUMBER && value->tag == VALUE_NUMBER)
		return compare_numbers(in->sense >> SENSE_FN, value->number, in->number);
	return test_other(run, in, value);
}

int
logic_test(struct logic_run *run, const struct insn *in)
{
	return test(run, in);
}

bool
logic_is_flat(const struct insn *code, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code[i].op < OP_FLAT)
			return false;
	return true;
}

int
logic_run_flat(struct logic_run *run)
{
	const struct insn *code = run->logic->code, *in = code;
	int holds = 0;
	bool jumps;

	for (;;) {
		if (in->op >= OP_TEST_NUMBER) {
			if ((holds = test(run, in)) < 0)
				return holds;
			jumps = sense_jumps(in->sense, holds);
		} else if (in->op == OP_RETURN) {
			return holds;
		} else {
			jumps = in->op == OP_JUMP || holds == (in->op == OP_OR);
		}
		in = jumps ? code + in->jump : in + 1;
	}
}

bool
logic_is_bar(const struct logic *logic, struct logic_bar *ret)
{
	const struct insn *test = &logic->code[0];
	unsigned fn = test->sense >> SENSE_FN;

	if (!logic->flat || test->op != OP_TEST_NUMBER ||
	    (test->sense & SENSE_MASK) != SENSE_PUSH || test[1].op != OP_RETURN || fn < FN_LT ||
	    fn > FN_GE || test->number != test->number)
		return false;
	*ret = (struct logic_bar){ .slot = test->a,
		.number = test->number,
		.below = fn == FN_LT || fn == FN_LE,
		.equal = fn == FN_LE || fn == FN_GE };
	return true;
}
