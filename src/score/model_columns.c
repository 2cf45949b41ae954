/* SPDX-License-Identifier: Apache-2.0
 *
 * model_columns.c - candidates of one context through a program, block by block.
 *
 * DESIGN
 *   No tree is walked: every split that is left is evaluated for every candidate, as
 *   a comparison and a choice between two numbers that are there already. So nothing
 *   depends on the data but the data, and one loop serves trees of all shapes.
 *
 *   The paths give the same bits: plain C, and vectors of 16 bytes (SSE2 and arm64's
 *   NEON, which every such machine has; not 32-bit ARM's, which takes denormals for
 *   zero). SSE4.2 is asked for at start: with it doubles take 450 ns a row instead of
 *   630 (500 trees, 8 of 48 inputs vary). The same code made for AVX2 was no faster than
 *   that, and for floats no faster than SSE2, 39 ns a row either way (64 trees): what is
 *   left of the work is loads and the rows' keys.
 */
#include "score/model_columns.h"

#include <string.h>

#if defined(__SSE2__) || defined(__aarch64__)
#define HAS_VECTORS 1
#else
#define HAS_VECTORS 0
#endif

/* ---- plain ---- */

#define PLAIN(name, KEY, NUMBER) \
	static void name(const struct program *program, const void *columns, void *ret_sums) \
	{ \
		enum { LANES = 16 / sizeof(NUMBER), BLOCK = LANES * COLUMNS_VECTORS }; \
		const KEY *column = columns; \
		NUMBER *pool = (NUMBER *)program->pool, *sums = ret_sums; \
		uint32_t s = 0, t = 0; \
		for (unsigned i = 0; i < BLOCK; i++) \
			sums[i] = (NUMBER)program->start; \
		for (uint32_t c = 0; c < program->chunk_count; c++) { \
			NUMBER *slot = pool; \
			for (; s < program->chunks[c].select_end; s++, slot += BLOCK) { \
				const struct select *select = &program->selects[s]; \
				for (unsigned i = 0; i < BLOCK; i++) { \
					KEY x = column[(size_t)select->column * BLOCK + i]; \
					bool right = x > (KEY)select->key; \
					operand from = right ? select->b : select->a; \
					unsigned at = from & 1 ? i : i % LANES; \
					slot[i] = pool[(size_t)(from >> 1) * LANES + at]; \
				} \
			} \
			for (; t < program->chunks[c].tree_end; t++) { \
				operand from = program->trees[t]; \
				for (unsigned i = 0; i < BLOCK; i++) \
					sums[i] += pool[(size_t)(from >> 1) * LANES + \
					    (from & 1 ? i : i % LANES)]; \
			} \
		} \
	}
PLAIN(plain_float, int32_t, float)
PLAIN(plain_double, int64_t, double)

/* ---- vectors ---- */

#if HAS_VECTORS
#define KEY int32_t
#define NUMBER float
static void
vector_float(const struct program *program, const void *columns, void *ret_sums)
#include "score/model_columns_run.h"
#undef KEY
#undef NUMBER
#define KEY int64_t
#define NUMBER double
    static void vector_double(const struct program *program, const void *columns, void *ret_sums)
#include "score/model_columns_run.h"
#undef KEY
#undef NUMBER
#endif

/* The same with a comparison of 64-bit integers, which older ones put together from four others. */
#ifdef __x86_64__
#define KEY int64_t
#define NUMBER double
	__attribute__((target("sse4.2"))) static void sse42_double(const struct program *program,
	    const void *columns, void *ret_sums)
#include "score/model_columns_run.h"
#undef KEY
#undef NUMBER
#endif

	    columns_run *columns_runner(enum model_path path, bool float32)
{
	if (path == MODEL_PATH_PLAIN)
		return float32 ? plain_float : plain_double;
#if HAS_VECTORS
	if (path == MODEL_PATH_VECTOR)
		return float32 ? vector_float : vector_double;
#endif
#ifdef __x86_64__
	if (path == MODEL_PATH_SSE42 && __builtin_cpu_supports("sse4.2"))
		return float32 ? vector_float : sse42_double;
#endif
	return NULL;
}
