/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_vars.c - what a rule reads: the slot of a feature, else a member of data; and whether it is missing.
 *
 * A name is known when the rule is compiled where features are read; of data it may be computed.
 */
#include "logic/logic_program.h"

bool
logic_reads_slots(const struct compiler *c)
{
	return c->resolve != NULL && c->bodies == 0;
}

/* The name of a variable as text (it may be written as a number); false: computed, or all of the
 * data. */
static bool
constant_name(const json_t *json, char number[static NUMBER_TEXT_SIZE], const char **ret_name)
{
	if (json_is_string(json)) {
		*ret_name = json_string_value(json);
	} else if (json_is_number(json)) {
		number_text(json_number_value(json), number);
		*ret_name = number;
	} else {
		return false;
	}
	return (*ret_name)[0] != '\0';
}

int
logic_find_slot(struct compiler *c, const char *name, uint32_t *ret_slot)
{
	int slot = c->resolve(c->ctx, name);
	if (slot < 0)
		return logic_refuse(c, "no such feature:", name);
	*ret_slot = logic_add_slot(c, slot);
	return 0;
}

static uint32_t
add_path(struct compiler *c, const char *name)
{
	struct path path = { .first = (uint32_t)c->segments.count };
	size_t at = logic_text_add(c, name);
	for (size_t from = at;; from++) {
		char *text = (char *)c->text.items;
		if (text[from] != '.' && text[from] != '\0')
			continue;
		logic_pool_add(&c->segments, &at);
		path.count++;
		if (text[from] == '\0')
			break;
		text[from] = '\0';
		at = from + 1;
	}
	return (uint32_t)logic_pool_add(&c->paths, &path);
}

int
logic_compile_var(struct compiler *c, const struct logic_args *args)
{
	const json_t *first = logic_arg_at(args, 0), *dflt = logic_arg_at(args, 1);
	bool slots = logic_reads_slots(c);
	char number[NUMBER_TEXT_SIZE];
	const char *name;
	uint32_t at = 0;

	if (!constant_name(first, number, &name)) {
		bool whole = first == NULL || json_is_null(first) || json_is_string(first);
		if (slots)
			return logic_refuse(c,
			    whole ? "all of the data, expected the name of a feature"
				  : "computed name, expected the name of a feature",
			    NULL);
		if (!whole)
			return logic_compile_call(c, FN_VAR, args);
		logic_emit_push(c, (struct insn){ .op = OP_SCOPE });
		return 0;
	}
	if (slots && logic_find_slot(c, name, &at) < 0)
		return AISLE_E_INVALID;
	if (!slots)
		at = add_path(c, name);
	if (dflt == NULL) {
		logic_emit_push(c, (struct insn){ .op = slots ? OP_SLOT : OP_PATH, .a = at });
		return 0;
	}
	/* The default is only worked out when it is needed. */
	size_t jump =
	    logic_emit(c, (struct insn){ .op = slots ? OP_SLOT_OR : OP_PATH_OR, .a = at });
	if (logic_compile_arg(c, args, 1) < 0)
		return AISLE_E_INVALID;
	logic_insn(c, jump)->jump = (uint16_t)logic_here(c);
	return 0;
}

bool
logic_is_plain_var(const json_t *rule, char number[static NUMBER_TEXT_SIZE], const char **ret_name)
{
	const json_t *var = json_is_object(rule) && json_object_size(rule) == 1
	    ? json_object_get(rule, "var")
	    : NULL;
	struct logic_args args = logic_args_of(var);
	return var != NULL && args.count == 1 &&
	    constant_name(logic_arg_at(&args, 0), number, ret_name);
}

/* ---- missing ---- */

static int
compile_missing_slots(struct compiler *c, const struct logic_args *keys, uint32_t need)
{
	struct insn insn = { .op = OP_MISSING_SLOTS, .a = (uint32_t)c->names.count, .b = need };
	if (keys->count > ARGS_MAX)
		return logic_refuse(c, "too many arguments", NULL);
	for (size_t i = 0; i < keys->count; i++) {
		char number[NUMBER_TEXT_SIZE];
		const char *name;
		struct named_slot named;
		if (!constant_name(logic_arg_at(keys, i), number, &name))
			return logic_refuse(c, "computed name, expected names of features", NULL);
		if (logic_find_slot(c, name, &named.slot) < 0 ||
		    logic_add_constant(c, logic_arg_at(keys, i), &named.name) < 0)
			return AISLE_E_INVALID;
		logic_pool_add(&c->names, &named);
	}
	insn.n = (uint16_t)keys->count;
	logic_emit_push(c, insn);
	return 0;
}

int
logic_compile_missing(struct compiler *c, const struct logic_args *args)
{
	if (!logic_reads_slots(c))
		return logic_compile_call(c, FN_MISSING, args);
	struct logic_args keys = *args;
	if (json_is_array(logic_arg_at(args, 0)))
		keys = logic_args_of(logic_arg_at(args, 0));
	return compile_missing_slots(c, &keys, 0);
}

int
logic_compile_missing_some(struct compiler *c, const struct logic_args *args)
{
	if (!logic_reads_slots(c))
		return logic_compile_call(c, FN_MISSING_SOME, args);
	uint32_t need = 0;
	if (!json_is_number(logic_arg_at(args, 0)) || logic_arg_at(args, 1) == NULL)
		return logic_refuse(c, "expected a number and a list of names", NULL);
	if (logic_add_constant(c, logic_arg_at(args, 0), &need) < 0)
		return AISLE_E_INVALID;
	struct logic_args keys = logic_args_of(logic_arg_at(args, 1));
	return compile_missing_slots(c, &keys, need + 1);
}
