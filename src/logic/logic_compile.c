/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_compile.c - a JsonLogic rule to a flat program.
 *
 * DESIGN
 *   One pass over the rule, depth first, in the order in which it will run.
 *   Constants (also whole lists of them) go to a pool, variables become slots,
 *   and, or, if become jumps. A jump's target is patched when it is known.
 *
 * INVARIANTS
 *   Each rule compiled leaves exactly one cell on the stack; c->stack follows it.
 *
 * LIMITS
 *   LOGIC_DEPTH_MAX levels, LOGIC_NODES_MAX operators, lists and constants (a
 *   list of constants is one), LOGIC_CONSTANTS_MAX constants inside lists.
 */
#include <stdlib.h>
#include <string.h>

#include "logic/logic_program.h"

static const struct {
	const char *name;
	enum logic_fn fn;
} operators[] = {
	{ "var", FN_VAR },
	{ "missing", FN_MISSING },
	{ "missing_some", FN_MISSING_SOME },
	{ "if", FN_IF },
	{ "?:", FN_IF },
	{ "and", FN_AND },
	{ "or", FN_OR },
	{ "==", FN_EQ },
	{ "===", FN_SAME },
	{ "!=", FN_NE },
	{ "!==", FN_NOT_SAME },
	{ "!", FN_NOT },
	{ "!!", FN_TRUTH },
	{ ">", FN_GT },
	{ ">=", FN_GE },
	{ "<", FN_LT },
	{ "<=", FN_LE },
	{ "max", FN_MAX },
	{ "min", FN_MIN },
	{ "+", FN_ADD },
	{ "-", FN_SUB },
	{ "*", FN_MUL },
	{ "/", FN_DIV },
	{ "%", FN_MOD },
	{ "map", FN_MAP },
	{ "filter", FN_FILTER },
	{ "reduce", FN_REDUCE },
	{ "all", FN_ALL },
	{ "none", FN_NONE },
	{ "some", FN_SOME },
	{ "merge", FN_MERGE },
	{ "in", FN_IN },
	{ "cat", FN_CAT },
	{ "substr", FN_SUBSTR },
	{ "log", FN_LOG },
	{ "number", FN_NUMBER },
	{ "round", FN_ROUND },
	{ "replace", FN_REPLACE },
	{ "object", FN_OBJECT },
};

static int compile_rule(struct compiler *c, const json_t *rule);

static int
compile_constant(struct compiler *c, const json_t *json)
{
	uint32_t constant;
	int r = logic_add_constant(c, json, &constant);
	if (r == 0)
		logic_emit_push(c, (struct insn){ .op = OP_CONST, .a = constant });
	return r;
}

/* ---- arguments ---- */

struct logic_args
logic_args_of(const json_t *json)
{
	if (json_is_array(json))
		return (struct logic_args){ .array = json, .count = json_array_size(json) };
	return (struct logic_args){ .one = json, .count = 1 };
}

const json_t *
logic_arg_at(const struct logic_args *args, size_t i)
{
	return args->array != NULL ? json_array_get(args->array, i) : i == 0 ? args->one : NULL;
}

int
logic_compile_arg(struct compiler *c, const struct logic_args *args, size_t i)
{
	const json_t *rule = logic_arg_at(args, i);
	if (rule == NULL) {
		logic_emit_push(c, (struct insn){ .op = OP_UNDEFINED });
		return 0;
	}
	size_t before = c->place_len;
	if (args->array != NULL)
		before = logic_place_enter_index(c, i);
	int r = compile_rule(c, rule);
	logic_place_leave(c, before);
	return r;
}

static int
compile_args(struct compiler *c, const struct logic_args *args)
{
	if (args->count > ARGS_MAX)
		return logic_refuse(c, "too many arguments", NULL);
	for (size_t i = 0; i < args->count; i++)
		if (logic_compile_arg(c, args, i) < 0)
			return AISLE_E_INVALID;
	return 0;
}

/* Behind its arguments: n cells become one. */
static void
emit_over(struct compiler *c, struct insn insn)
{
	c->stack -= insn.n;
	logic_emit_push(c, insn);
}

int
logic_compile_call(struct compiler *c, enum logic_fn fn, const struct logic_args *args)
{
	if (fn == FN_MUL && args->count == 0)
		return logic_refuse(c, "nothing to multiply, expected at least one value", NULL);
	if (compile_args(c, args) < 0)
		return AISLE_E_INVALID;
	emit_over(c, (struct insn){ .op = OP_CALL, .a = fn, .n = (uint16_t)args->count });
	return 0;
}

/* ---- tests of one feature ---- */

static enum logic_fn
mirrored(enum logic_fn fn)
{
	return fn == FN_LT ? FN_GT
	    : fn == FN_LE  ? FN_GE
	    : fn == FN_GT  ? FN_LT
	    : fn == FN_GE  ? FN_LE
			   : fn;
}

/* "a < 3", "3 > a", "a in [...]", "!a", "a == null". 1: compiled; 0: not one of these. */
static int
compile_test(struct compiler *c, enum logic_fn fn, const struct logic_args *args)
{
	bool compares = fn <= FN_GE, truth = fn == FN_NOT || fn == FN_TRUTH;
	char number[NUMBER_TEXT_SIZE];
	const char *name;
	struct insn insn = { .n = 0 };

	if (!logic_reads_slots(c) || !(compares || truth || fn == FN_IN) ||
	    args->count != (truth ? 1u : 2u))
		return 0;
	const json_t *var = logic_arg_at(args, 0), *constant = logic_arg_at(args, 1);
	if (!logic_is_plain_var(var, number, &name)) {
		if (!compares || !logic_is_plain_var(constant, number, &name))
			return 0;
		constant = var;
		fn = mirrored(fn);
	}
	if (compares ? json_is_array(constant) || json_is_object(constant)
		     : !truth && (!json_is_array(constant) || !logic_is_constant(constant, 0)))
		return 0;
	if (logic_find_slot(c, name, &insn.a) < 0)
		return AISLE_E_INVALID;

	if (truth) {
		insn.op = OP_TEST_TRUTH;
		insn.b = fn == FN_TRUTH;
	} else if (json_is_null(constant) && fn <= FN_NOT_SAME) {
		insn.op = OP_TEST_NULL;
		insn.b = fn == FN_EQ || fn == FN_SAME;
	} else if (compares && cell_of_json((json_t *)constant).tag == CELL_NUMBER) {
		insn.op = OP_TEST_NUMBER;
		insn.number = cell_of_json((json_t *)constant).number;
	} else {
		insn.op = compares ? OP_TEST_COMPARE : OP_TEST_IN;
		if (logic_add_constant(c, constant, &insn.b) < 0)
			return AISLE_E_INVALID;
	}
	if (compares)
		insn.sense = (uint8_t)(fn << SENSE_FN);
	logic_emit_push(c, insn);
	return 1;
}

/* ---- jumps ---- */

/* The condition that was compiled from instruction `from` on becomes a jump; its cell leaves the
 * stack on the way through. Returns the instruction whose target is to be set. */
static size_t
emit_branch(struct compiler *c, size_t from, uint8_t op)
{
	c->stack--;
	struct insn *only = logic_insn(c, from);
	if (logic_here(c) == from + 1 && only->op >= OP_TEST_NUMBER) {
		only->sense |= op == OP_AND ? SENSE_AND : op == OP_OR ? SENSE_OR : SENSE_IF;
		return from;
	}
	return logic_emit(c, (struct insn){ .op = op });
}

/* Jumps that wait for the same target hang on each other: .jump names the one before, 0 ends. */
static void
patch_chain(struct compiler *c, size_t last)
{
	while (last != 0) {
		struct insn *insn = logic_insn(c, last - 1);
		last = insn->jump;
		insn->jump = (uint16_t)logic_here(c);
	}
}

static int
compile_and_or(struct compiler *c, uint8_t op, const struct logic_args *args)
{
	size_t chain = 0;
	if (args->count == 0)
		return logic_compile_arg(c, args, 0);
	for (size_t i = 0; i < args->count; i++) {
		size_t from = logic_here(c);
		if (logic_compile_arg(c, args, i) < 0)
			return AISLE_E_INVALID;
		if (i + 1 == args->count)
			break;
		size_t jump = emit_branch(c, from, op);
		logic_insn(c, jump)->jump = (uint16_t)chain;
		chain = jump + 1;
	}
	patch_chain(c, chain);
	return 0;
}

static int
compile_if(struct compiler *c, const struct logic_args *args)
{
	size_t ends = 0, i = 0;
	for (; i + 1 < args->count; i += 2) {
		size_t from = logic_here(c);
		if (logic_compile_arg(c, args, i) < 0)
			return AISLE_E_INVALID;
		size_t no = emit_branch(c, from, OP_IF);
		if (logic_compile_arg(c, args, i + 1) < 0)
			return AISLE_E_INVALID;
		c->stack--; /* the other ways push in its place */
		ends = logic_emit(c, (struct insn){ .op = OP_JUMP, .jump = (uint16_t)ends }) + 1;
		logic_insn(c, no)->jump = (uint16_t)logic_here(c);
	}
	int r = i < args->count ? logic_compile_arg(c, args, i) : compile_constant(c, json_null());
	patch_chain(c, ends);
	return r;
}

/* ---- bodies ---- */

static int
compile_body(struct compiler *c, enum logic_fn fn, const struct logic_args *args)
{
	size_t over = fn == FN_REDUCE ? 2 : 1;
	if (logic_compile_arg(c, args, 0) < 0)
		return AISLE_E_INVALID;
	if (fn == FN_REDUCE &&
	    (logic_arg_at(args, 2) != NULL ? logic_compile_arg(c, args, 2)
					   : compile_constant(c, json_null())) < 0)
		return AISLE_E_INVALID;
	size_t head =
	    logic_emit(c, (struct insn){ .op = fn == FN_REDUCE ? OP_REDUCE : OP_EACH, .a = fn });
	c->bodies++;
	int r = logic_compile_arg(c, args, 1);
	c->bodies--;
	if (r < 0)
		return r;
	logic_emit(c, (struct insn){ .op = OP_RETURN });
	logic_insn(c, head)->jump = (uint16_t)logic_here(c);
	c->stack -= (uint32_t)over; /* the body's cell and reduce's second one */
	return 0;
}

/* ---- rules ---- */

static size_t
find_operator(const char *name)
{
	size_t i = 0;
	while (i < ARRAY_LEN(operators) && strcmp(operators[i].name, name) != 0)
		i++;
	return i;
}

bool
logic_is_operator(const char *name)
{
	return find_operator(name) < ARRAY_LEN(operators);
}

static int
compile_operator(struct compiler *c, const char *name, const json_t *values)
{
	struct logic_args args = logic_args_of(values);
	size_t i = find_operator(name);
	if (i == ARRAY_LEN(operators) ||
	    (operators[i].fn >= FN_NUMBER && operators[i].fn <= FN_OBJECT && !c->mapping))
		return logic_refuse(c, "unknown operator", name);

	enum logic_fn fn = operators[i].fn;
	if (fn == FN_OBJECT && args.count % 2 != 0)
		return logic_refuse(c, "expected a value behind each name", NULL);
	int done = compile_test(c, fn, &args);
	if (done != 0)
		return done < 0 ? done : 0;
	switch (fn) {
	case FN_VAR: return logic_compile_var(c, &args);
	case FN_MISSING: return logic_compile_missing(c, &args);
	case FN_MISSING_SOME: return logic_compile_missing_some(c, &args);
	case FN_IF: return compile_if(c, &args);
	case FN_AND:
	case FN_OR: return compile_and_or(c, fn == FN_AND ? OP_AND : OP_OR, &args);
	case FN_MAP:
	case FN_FILTER:
	case FN_ALL:
	case FN_NONE:
	case FN_SOME:
	case FN_REDUCE: return compile_body(c, fn, &args);
	default: return logic_compile_call(c, fn, &args);
	}
}

static int
compile_rule(struct compiler *c, const json_t *rule)
{
	int r;
	if (++c->nodes > LOGIC_NODES_MAX)
		return logic_refuse(c,
		    "the rule is too large, expected at most 4096 operators and values", NULL);
	if (logic_is_constant(rule, 0))
		return compile_constant(c, rule);
	if (++c->depth > LOGIC_DEPTH_MAX)
		return logic_refuse(c, "nested too deep, expected at most 48 levels", NULL);
	if (json_is_array(rule)) {
		struct logic_args items = logic_args_of(rule);
		r = compile_args(c, &items);
		if (r == 0)
			emit_over(c, (struct insn){ .op = OP_LIST, .n = (uint16_t)items.count });
	} else {
		void *member = json_object_iter((json_t *)rule);
		size_t before = logic_place_enter(c, json_object_iter_key(member));
		r = compile_operator(c, json_object_iter_key(member),
		    json_object_iter_value(member));
		logic_place_leave(c, before);
	}
	c->depth--;
	return r;
}

static int
compile(struct arena *arena, const json_t *rule, bool mapping, logic_resolve_fn resolve, void *ctx,
    struct logic **ret_logic, struct err *err)
{
	struct compiler c = { .resolve = resolve,
		.ctx = ctx,
		.mapping = mapping,
		.err = err,
		.code = { .size = sizeof(struct insn) },
		.constants = { .size = sizeof(struct cell) },
		.lists = { .size = sizeof(struct cell) },
		.paths = { .size = sizeof(struct path) },
		.segments = { .size = sizeof(size_t) },
		.names = { .size = sizeof(struct named_slot) },
		.slots = { .size = sizeof(uint32_t) },
		.refs = { .size = sizeof(json_t *) },
		.text = { .size = 1 } };
	struct pool *pools[] = { &c.code, &c.constants, &c.lists, &c.paths, &c.segments, &c.names,
		&c.slots, &c.refs, &c.text };

	_Static_assert(sizeof(size_t) == sizeof(char *),
	    "segments turn from offsets to pointers in place");
	int r = compile_rule(&c, rule);
	if (r == 0 && arena != NULL && c.refs.count > 0)
		r = logic_refuse(&c, "an object as a value, expected a rule", NULL);
	if (r == 0) {
		logic_emit(&c, (struct insn){ .op = OP_RETURN });
		CHECK(c.stack == 1);
		*ret_logic = logic_pack(&c, arena);
	}
	for (size_t i = 0; i < ARRAY_LEN(pools); i++)
		free(pools[i]->items);
	return r;
}

int
logic_compile(const json_t *rule, logic_resolve_fn resolve, void *ctx, struct logic **ret_logic,
    struct err *err)
{
	return compile(NULL, rule, false, resolve, ctx, ret_logic, err);
}

int
logic_compile_mapping(const json_t *rule, struct logic **ret_logic, struct err *err)
{
	return compile(NULL, rule, true, NULL, NULL, ret_logic, err);
}

int
logic_compile_into(struct arena *arena, const json_t *rule, logic_resolve_fn resolve, void *ctx,
    struct logic **ret_logic, struct err *err)
{
	return compile(arena, rule, false, resolve, ctx, ret_logic, err);
}
