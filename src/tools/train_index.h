/* SPDX-License-Identifier: Apache-2.0
 *
 * train_index.h - byte strings to the numbers 0, 1, 2, … in order of first sight.
 */
#ifndef AISLE_TOOLS_TRAIN_INDEX_H
#define AISLE_TOOLS_TRAIN_INDEX_H

#include "core/arena.h"

struct train_key {
	const char *bytes; /* with a zero byte behind */
	uint32_t len;
};
/* Zero-initialised but for max is empty. */
struct train_index {
	size_t max;
	struct arena *arena;
	struct train_key *keys;
	size_t count;
	uint32_t *slots; /* key + 1; a power of two of them */
	size_t slot_count;
};
/* Its number, new or known; -1: there are max already. */
int32_t train_index_add(struct train_index *index, const void *bytes, size_t len);
/* -1: unknown */
int32_t train_index_get(const struct train_index *index, const void *bytes, size_t len);
void train_index_done(struct train_index *index);

#endif
