/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_image.c - a compiled policy as bytes that need no compiling.
 *
 * DESIGN
 *   A policy lies in one arena and points nowhere else, its models aside. So its bytes
 *   are good at any address, once whoever reads them knows which words are pointers.
 *   Nobody keeps a list of those: the policy is compiled twice, and what differs
 *   between the two is a pointer, and must lie at the same place of both arenas. A
 *   member that is added to a struct is found by itself; one that points out of the
 *   arena differs and has no such place, and then there is no image. Rejected: a table
 *   of the pointers of thirty structs (one forgotten is a crash after the next
 *   restart), and offsets instead of pointers (each reader pays).
 *
 *   Models are in their flat form, checked as ever by model_load.
 *
 * BYTES
 *   memory: the arena in one row, struct policy first; a pointer is its target's offset.
 *   rest: a bit for each word of memory, the lowest bit first, 1: a pointer; then for
 *   each model, and each family's table (0: none), its length, u32, and its flat form.
 *
 * LIMITS
 *   A pointer to a constant of the program is the same in both, and no difference
 *   shows. Where addresses are wide enough to be told from numbers it is looked for.
 */
#include "policy/policy_image.h"

#include <stdlib.h>
#include <string.h>

#include "policy/policy_internal.h"
#include "policy/policy_load.h"
#include "policy/policy_tables.h"
#include "score/model.h"

#define WORD sizeof(uintptr_t)

extern const char __executable_start[], _end[]; /* the linker's: where this program lies */

/* One of the two: its arena, and its bytes in one row. */
struct side {
	const struct arena *arena;
	unsigned char *row;
};

static struct side
side_init(const struct policy *policy)
{
	struct side side = { .arena = policy->memory,
		.row = mem_alloc(arena_used(policy->memory)) };
	struct policy *copy = (struct policy *)(void *)side.row;
	struct policy_model *models;
	size_t at;

	arena_copy(side.arena, side.row);
	CHECK(arena_offset(side.arena, policy, &at) && at == 0);
	copy->source = NULL;
	copy->memory = NULL;
	memset(copy->tables, 0, sizeof(copy->tables));
	CHECK(policy->model_count == 0 || arena_offset(side.arena, policy->models, &at));
	models = (struct policy_model *)(void *)(side.row + at);
	for (size_t i = 0; i < policy->model_count; i++)
		models[i].model = NULL, models[i].context = NULL;
	return side;
}

static uintptr_t
word_at(const struct side *side, size_t i)
{
	uintptr_t word;

	memcpy(&word, side->row + i * WORD, WORD);
	return word;
}

static bool
is_of_program(uintptr_t word)
{
	return UINTPTR_MAX > UINT32_MAX && word >= (uintptr_t)__executable_start &&
	    word < (uintptr_t)_end;
}

/* a's row with its pointers as offsets, and the bit of each. */
static int
find_pointers(struct side *a, const struct side *b, size_t words, uint8_t *bits, struct err *err)
{
	for (size_t i = 0; i < words; i++) {
		uintptr_t x = word_at(a, i), y = word_at(b, i);
		size_t at, other;

		if (x == y && !is_of_program(x))
			continue;
		if (x == y || !arena_offset(a->arena, (const void *)x, &at) ||
		    !arena_offset(b->arena, (const void *)y, &other) || at != other)
			return err_set(err, AISLE_E_INVALID,
			    "byte %zu of the policy points out of it", i * WORD);
		memcpy(a->row + i * WORD, &(uintptr_t){ at }, WORD);
		bits[i / 8] |= (uint8_t)(1u << i % 8);
	}
	return 0;
}

static size_t
bit_bytes(size_t len)
{
	return (len / WORD + 7) / 8;
}

static void
write_models(const struct policy *policy, struct buf *rest)
{
	for (size_t i = 0; i < policy->model_count; i++) {
		struct buf flat = { 0 };

		model_save(policy->models[i].model, &flat);
		buf_u32(rest, (uint32_t)flat.len);
		buf_add(rest, flat.data, flat.len);
		buf_done(&flat);
	}
}

static void
write_tables(const struct policy *policy, struct buf *rest)
{
	for (int f = 0; f < FAMILY_COUNT; f++) {
		const struct policy_table *table = policy->tables[f];

		buf_u32(rest, table != NULL ? (uint32_t)table->len : 0);
		if (table != NULL)
			buf_add(rest, table->bytes, table->len);
	}
}

int
policy_image_write(const struct policy *a, const struct policy *b, struct buf *memory,
    struct buf *rest, struct err *err)
{
	struct side from_a = side_init(a), from_b = side_init(b);
	size_t len = arena_used(a->memory);
	uint8_t *bits = mem_zero(bit_bytes(len));
	int status = arena_used(b->memory) == len
	    ? find_pointers(&from_a, &from_b, len / WORD, bits, err)
	    : err_set(err, AISLE_E_INVALID, "the policy does not compile alike twice");

	if (status == 0) {
		buf_add(memory, from_a.row, len);
		buf_add(rest, bits, bit_bytes(len));
		write_models(a, rest);
		write_tables(a, rest);
	}
	free(from_a.row);
	free(from_b.row);
	free(bits);
	return status;
}

/* ---- back ---- */

static bool
set_pointers(unsigned char *memory, size_t len, const uint8_t *bits)
{
	for (size_t i = 0; i < bit_bytes(len); i++) {
		for (unsigned left = bits[i]; left != 0; left &= left - 1) {
			unsigned char *at = memory + (i * 8 + (size_t)__builtin_ctz(left)) * WORD;
			uintptr_t offset;

			memcpy(&offset, at, WORD);
			if (offset > len || (size_t)(at - memory) + WORD > len)
				return false;
			offset += (uintptr_t)memory;
			memcpy(at, &offset, WORD);
		}
	}
	return true;
}

static int
read_models(struct policy *policy, struct rd *rd, struct err *err)
{
	for (size_t i = 0; i < policy->model_count; i++) {
		struct policy_model *model = &policy->models[i];
		uint32_t len = rd_u32(rd);
		int status;

		if (!rd->ok || len > (size_t)(rd->end - rd->at))
			return err_set(err, AISLE_E_DAMAGED, "the image's models are cut short");
		status = model_load(rd->at, len, model->name, &model->model, err);
		if (status == 0 && model->calibration != NULL)
			status = model_set_calibration(model->model, model->calibration);
		if (status != 0)
			return status;
		rd->at += len;
	}
	policy_contexts(policy);
	return 0;
}

static int
read_tables(struct policy *policy, struct rd *rd, struct err *err)
{
	for (int f = 0; f < FAMILY_COUNT; f++) {
		uint32_t len = rd_u32(rd);
		int status;

		if (!rd->ok || len > (size_t)(rd->end - rd->at))
			return err_set(err, AISLE_E_DAMAGED, "the image's tables are cut short");
		status = len > 0 ? policy_table_new(rd->at, len, &policy->tables[f], err) : 0;
		if (status != 0)
			return status;
		rd->at += len;
	}
	return 0;
}

int
policy_image_read(struct arena *arena, void *memory, size_t len, const void *rest, size_t rest_len,
    struct policy **ret_policy, struct err *err)
{
	struct policy *policy = memory;
	struct rd rd;
	int status;

	if (len < sizeof(*policy) || len % 16 != 0 || rest_len < bit_bytes(len) ||
	    !set_pointers(memory, len, rest)) {
		arena_free(arena);
		return err_set(err, AISLE_E_DAMAGED, "not an image of a policy");
	}
	policy->memory = arena;
	rd = rd_init((const uint8_t *)rest + bit_bytes(len), rest_len - bit_bytes(len));
	status = read_models(policy, &rd, err);
	if (status == 0)
		status = read_tables(policy, &rd, err);
	if (status != 0)
		policy_free(policy);
	else
		*ret_policy = policy;
	return status;
}
