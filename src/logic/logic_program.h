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

#endif
