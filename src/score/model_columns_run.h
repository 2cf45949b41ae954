/* SPDX-License-Identifier: Apache-2.0
 *
 * model_columns_run.h - a block of candidates through a program, in vectors of 16 bytes.
 *
 * Included by model_columns.c once for each kind of number, as the body of a function; KEY and
 * NUMBER are the types. Where a candidate stands in its vector changes nothing: comparisons
 * are of integers, choices are of bits, and each sum takes the trees one after the other.
 */
{
	typedef KEY keys __attribute__((vector_size(16), may_alias));
	typedef NUMBER numbers __attribute__((vector_size(16), may_alias));
	const keys *column = columns;
	keys *pool = (keys *)program->pool;
	numbers sums[COLUMNS_VECTORS];
	uint32_t s = 0, t = 0;

	for (unsigned k = 0; k < COLUMNS_VECTORS; k++)
		sums[k] = (NUMBER)program->start - (numbers){ 0 };
	for (uint32_t c = 0; c < program->chunk_count; c++) {
		keys *slot = pool;
		for (; s < program->chunks[c].select_end; s++, slot += COLUMNS_VECTORS) {
			const struct select *select = &program->selects[s];
			const keys *x = column + (size_t)select->column * COLUMNS_VECTORS;
			const keys *a = pool + (select->a >> 1), *b = pool + (select->b >> 1);
			size_t next_a = select->a & 1, next_b = select->b & 1;
			keys key = (KEY)select->key - (keys){ 0 };
#pragma GCC unroll 4
			for (unsigned k = 0; k < COLUMNS_VECTORS; k++) {
				keys right = x[k] > key;
				slot[k] = (b[k * next_b] & right) | (a[k * next_a] & ~right);
			}
		}
		for (; t < program->chunks[c].tree_end; t++) {
			const numbers *leaf = (const numbers *)pool + (program->trees[t] >> 1);
			size_t next = program->trees[t] & 1;
#pragma GCC unroll 4
			for (unsigned k = 0; k < COLUMNS_VECTORS; k++)
				sums[k] += leaf[k * next];
		}
	}
	memcpy(ret_sums, sums, sizeof(sums));
}
