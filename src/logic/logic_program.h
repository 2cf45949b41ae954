/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_program.h - a program while it is compiled.
 */
#ifndef AISLE_LOGIC_LOGIC_PROGRAM_H
#define AISLE_LOGIC_LOGIC_PROGRAM_H

#include "logic/logic_impl.h"

#define PLACE_SIZE 200 /* of "/and/1/in" in messages */

/* A growing array. */
struct pool {
	unsigned char *items;
	size_t count, cap, size; /* size of one item */
};

struct compiler {
	logic_resolve_fn resolve;
	void *ctx;
	struct pool code, constants, lists, paths, segments, names, slots, refs, text;
	char place[PLACE_SIZE];
	size_t place_len;
	bool mapping; /* with the operators of mappings */
	int depth, bodies, nodes;
	uint32_t stack, stack_max;
	struct err *err;
};

size_t logic_pool_add(struct pool *pool, const void *item); /* its index */
size_t logic_text_add(struct compiler *c, const char *s);   /* its offset */
/* AISLE_E_INVALID with the place, what, and name in quotes if there is one. */
int logic_refuse(struct compiler *c, const char *what, const char *name);
/* One step down in the place; returns what logic_place_leave needs. */
size_t logic_place_enter(struct compiler *c, const char *name);
size_t logic_place_enter_index(struct compiler *c, size_t index);
void logic_place_leave(struct compiler *c, size_t before);
size_t logic_emit(struct compiler *c, struct insn insn);
void logic_emit_push(struct compiler *c, struct insn insn); /* one that leaves a cell more */
struct insn *logic_insn(struct compiler *c, size_t i);	    /* until the next one is emitted */
uint32_t logic_here(const struct compiler *c);
uint32_t logic_add_slot(struct compiler *c, int slot);
/* A rule is an object with one member; all else, lists of such included, stands for itself. */
bool logic_is_constant(const json_t *json, int depth);
int logic_add_constant(struct compiler *c, const json_t *json, uint32_t *ret);
struct logic *logic_pack(struct compiler *c, struct arena *arena); /* arena NULL: malloc */

/* ---- a rule's parts ---- */

#define ARGS_MAX 65535 /* of one operator: insn.n */

/* Arguments of an operator: its array, or the one thing that stands there without. */
struct logic_args {
	const json_t *array, *one;
	size_t count;
};

struct logic_args logic_args_of(const json_t *json);
const json_t *logic_arg_at(const struct logic_args *args, size_t i); /* NULL: it is not there */
int logic_compile_arg(struct compiler *c, const struct logic_args *args, size_t i);
int logic_compile_call(struct compiler *c, enum logic_fn fn, const struct logic_args *args);

/* ---- logic_vars.c ---- */

/* Whether variables of this place are features (else members of data or of a list's element). */
bool logic_reads_slots(const struct compiler *c);
int logic_find_slot(struct compiler *c, const char *name, uint32_t *ret_slot);
/* {"var":"name"} without default: its name. */
bool logic_is_plain_var(const json_t *rule, char number[static NUMBER_TEXT_SIZE],
    const char **ret_name);
int logic_compile_var(struct compiler *c, const struct logic_args *args);
int logic_compile_missing(struct compiler *c, const struct logic_args *args);
int logic_compile_missing_some(struct compiler *c, const struct logic_args *args);

#endif
