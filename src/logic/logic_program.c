/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_program.c - a program while it is compiled: instructions, constants, and the packing of
 * both.
 *
 * DESIGN
 *   While compiling, arrays grow and texts and lists are offsets into them. The
 *   finished arrays are packed into one block, so a policy with thousands of
 *   rules is thousands of small blocks and nothing else.
 */
#include "logic/logic_program.h"

#include <string.h>

/* ---- pools ---- */

size_t
logic_pool_add(struct pool *pool, const void *item)
{
	if (pool->count == pool->cap) {
		pool->cap = pool->cap > 0 ? 2 * pool->cap : 8;
		pool->items = mem_realloc(pool->items, pool->cap * pool->size);
	}
	memcpy(pool->items + pool->count * pool->size, item, pool->size);
	return pool->count++;
}

size_t
logic_text_add(struct compiler *c, const char *s)
{
	size_t at = c->text.count;
	for (const char *end = s + strlen(s) + 1; s < end; s++)
		logic_pool_add(&c->text, s);
	return at;
}

/* ---- messages ---- */

int
logic_refuse(struct compiler *c, const char *what, const char *name)
{
	return err_set(c->err, AISLE_E_INVALID, "%s: %s%s%s%s", c->place_len > 0 ? c->place : "/",
	    what, name != NULL ? " \"" : "", name != NULL ? name : "", name != NULL ? "\"" : "");
}

size_t
logic_place_enter(struct compiler *c, const char *name)
{
	size_t before = c->place_len, len = strlen(name);
	if (before + len + 2 < PLACE_SIZE) {
		c->place[before] = '/';
		memcpy(c->place + before + 1, name, len + 1);
		c->place_len += len + 1;
	}
	return before;
}

size_t
logic_place_enter_index(struct compiler *c, size_t index)
{
	char digits[24], *at = digits + sizeof(digits) - 1;
	*at = '\0';
	do
		*--at = (char)('0' + index % 10);
	while ((index /= 10) > 0);
	return logic_place_enter(c, at);
}

void
logic_place_leave(struct compiler *c, size_t before)
{
	c->place_len = before;
	c->place[before] = '\0';
}

/* ---- code ---- */

size_t
logic_emit(struct compiler *c, struct insn insn)
{
	return logic_pool_add(&c->code, &insn);
}

void
logic_emit_push(struct compiler *c, struct insn insn)
{
	logic_emit(c, insn);
	if (++c->stack > c->stack_max)
		c->stack_max = c->stack;
}

struct insn *
logic_insn(struct compiler *c, size_t i)
{
	return (struct insn *)(void *)c->code.items + i;
}

uint32_t
logic_here(const struct compiler *c)
{
	return (uint32_t)c->code.count;
}

uint32_t
logic_add_slot(struct compiler *c, int slot)
{
	uint32_t n = (uint32_t)slot;
	const uint32_t *known = (const void *)c->slots.items;
	for (size_t i = 0; i < c->slots.count; i++)
		if (known[i] == n)
			return n;
	logic_pool_add(&c->slots, &n);
	return n;
}

/* ---- constants ---- */

bool
logic_is_constant(const json_t *json, int depth)
{
	if (json_is_object(json))
		return json_object_size(json) != 1;
	if (!json_is_array(json))
		return true;
	if (depth > LOGIC_DEPTH_MAX)
		return false;
	for (size_t i = 0; i < json_array_size(json); i++)
		if (!logic_is_constant(json_array_get(json, i), depth + 1))
			return false;
	return true;
}

/* Texts and lists as offsets until everything is packed. */
static int
constant_cell(struct compiler *c, const json_t *json, struct cell *ret)
{
	*ret = cell_of_json((json_t *)json); /* only looked at */
	if (ret->tag == CELL_STRING)
		ret->at = logic_text_add(c, ret->str);
	if (ret->tag != CELL_JSON)
		return 0;
	if (json_is_object(json)) {
		logic_pool_add(&c->refs, &ret->json);
		return 0;
	}
	size_t count = json_array_size(json);
	if (c->lists.count + count > LOGIC_CONSTANTS_MAX)
		return logic_refuse(c, "too many constants in lists, expected at most 65536", NULL);
	struct cell list = {
		.tag = CELL_LIST, .depth = 1, .count = (uint32_t)count, .at = c->lists.count
	};
	/* At least one, for two empty lists are two lists to ===. */
	for (size_t i = 0; i < count || i == 0; i++)
		logic_pool_add(&c->lists, &(struct cell){ 0 });
	for (size_t i = 0; i < count; i++) {
		struct cell item;
		if (constant_cell(c, json_array_get(json, i), &item) < 0)
			return AISLE_E_INVALID;
		if (item.tag == CELL_LIST && item.depth >= list.depth)
			list.depth = (uint8_t)(item.depth + 1);
		((struct cell *)(void *)c->lists.items)[list.at + i] = item;
	}
	*ret = list;
	return 0;
}

int
logic_add_constant(struct compiler *c, const json_t *json, uint32_t *ret)
{
	struct cell cell;
	int r = constant_cell(c, json, &cell);
	if (r == 0)
		*ret = (uint32_t)logic_pool_add(&c->constants, &cell);
	return r;
}

/* ---- packing ---- */

static void *
place_pool(unsigned char **at, const struct pool *pool)
{
	void *to = *at;
	if (pool->count > 0)
		memcpy(to, pool->items, pool->count * pool->size);
	*at += (pool->count * pool->size + 15) & ~(size_t)15;
	return to;
}

static void
settle(struct cell *cells, size_t count, const char *text, const struct cell *lists)
{
	for (size_t i = 0; i < count; i++) {
		if (cells[i].tag == CELL_STRING)
			cells[i].str = text + cells[i].at;
		else if (cells[i].tag == CELL_LIST)
			cells[i].list = lists + cells[i].at;
	}
}

struct logic *
logic_pack(struct compiler *c, struct arena *arena)
{
	const struct pool *pools[] = { &c->code, &c->constants, &c->lists, &c->text, &c->paths,
		&c->segments, &c->names, &c->slots, &c->refs };
	size_t size = (sizeof(struct logic) + 15) & ~(size_t)15;
	for (size_t i = 0; i < ARRAY_LEN(pools); i++)
		size += (pools[i]->count * pools[i]->size + 15) & ~(size_t)15;

	struct logic *logic = arena != NULL ? arena_alloc(arena, size) : mem_zero(size);
	unsigned char *at = (unsigned char *)logic->code;
	CHECK(c->code.count <= LOGIC_CODE_MAX);
	place_pool(&at, &c->code);
	logic->constants = place_pool(&at, &c->constants);
	struct cell *lists = place_pool(&at, &c->lists);
	const char *text = place_pool(&at, &c->text);
	logic->paths = place_pool(&at, &c->paths);
	size_t *offsets = place_pool(&at, &c->segments);
	logic->segments = (const char **)(void *)offsets;
	logic->names = place_pool(&at, &c->names);
	logic->slots = place_pool(&at, &c->slots);
	logic->refs = place_pool(&at, &c->refs);

	settle(logic->constants, c->constants.count, text, lists);
	settle(lists, c->lists.count, text, lists);
	for (size_t i = 0; i < c->segments.count; i++) {
		const char *segment = text + offsets[i];
		memcpy(&logic->segments[i], &segment, sizeof(segment));
	}
	for (size_t i = 0; i < c->refs.count; i++)
		json_incref(logic->refs[i]);
	logic->slot_count = c->slots.count;
	logic->ref_count = c->refs.count;
	logic->stack = c->stack_max;
	logic->over_json = c->resolve == NULL;
	logic->pair = !logic->over_json && logic_is_pair(logic, c->code.count);
	logic->flat = !logic->over_json && logic_is_flat(logic->code, c->code.count);
	return logic;
}
