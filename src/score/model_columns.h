/* SPDX-License-Identifier: Apache-2.0
 *
 * model_columns.h - what is left of a model's trees in one context, for candidates to go through.
 */
#ifndef AISLE_SCORE_MODEL_COLUMNS_H
#define AISLE_SCORE_MODEL_COLUMNS_H

#include "score/model_impl.h"

#define COLUMNS_VECTORS 4u /* of 16 bytes, in a block of candidates: 16 floats or 8 doubles */
#define COLUMNS_SLOTS 576u /* room for the results of a chunk of trees */

/* Where a number is: the place of its vector in the pool, times two; plus one where each vector of
 * the block has its own, which follow each other, else all share it. */
typedef uint32_t operand;

/* A split that candidates differ in: x <= key takes a, else b; the result fills the next slot. */
struct select {
	int64_t key;
	uint32_t column; /* of those that vary */
	operand a, b;
};

struct chunk {
	uint32_t select_end, tree_end;
};

struct program {
	struct select *selects; /* children before parents, trees in the file's order */
	operand *trees;
	struct chunk *chunks;
	uint32_t select_count, tree_count, chunk_count;
	uint8_t *pool; /* vectors of 16 bytes: the slots, then constants */
	double start;  /* the sum before the first of trees */
};

/* Margins of a block: columns[column][candidate], keys as signed integers. */
typedef void columns_run(const struct program *program, const void *columns, void *ret_sums);

/* NULL: this machine has no such path. */
columns_run *columns_runner(enum model_path path, bool float32);

#endif
