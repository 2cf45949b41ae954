/* SPDX-License-Identifier: Apache-2.0
 *
 * train_index.c - byte strings to numbers: an open hash table that is never more than half full.
 */
#include "tools/train_index.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. The keys are our own hashes and the shop's categories: nobody tries to make them collide.
 */
static uint32_t
hash(const uint8_t *bytes, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * 16777619u;
	return h ^ h >> 15;
}

/* The slot of a key, or the free one where it belongs. */
static size_t
find(const struct train_index *index, const void *bytes, size_t len)
{
	size_t at = hash(bytes, len) & (index->slot_count - 1);

	while (index->slots[at] != 0) {
		const struct train_key *key = &index->keys[index->slots[at] - 1];

		if (key->len == len && memcmp(key->bytes, bytes, len) == 0)
			break;
		at = (at + 1) & (index->slot_count - 1);
	}
	return at;
}

static void
grow(struct train_index *index)
{
	size_t old = index->slot_count;

	if (index->arena == NULL)
		index->arena = arena_new();
	index->slot_count = old == 0 ? 64 : old * 2;
	free(index->slots);
	index->slots = mem_calloc(index->slot_count, sizeof(*index->slots));
	index->keys = mem_realloc(index->keys, index->slot_count / 2 * sizeof(*index->keys));
	for (size_t i = 0; i < index->count; i++)
		index->slots[find(index, index->keys[i].bytes, index->keys[i].len)] =
		    (uint32_t)i + 1;
}

int32_t
train_index_add(struct train_index *index, const void *bytes, size_t len)
{
	size_t at;

	if (index->count * 2 >= index->slot_count)
		grow(index);
	at = find(index, bytes, len);
	if (index->slots[at] != 0)
		return (int32_t)(index->slots[at] - 1);
	if (index->count == index->max)
		return -1;
	index->keys[index->count] =
	    (struct train_key){ arena_strndup(index->arena, bytes, len), (uint32_t)len };
	index->slots[at] = (uint32_t)++index->count;
	return (int32_t)(index->count - 1);
}

int32_t
train_index_get(const struct train_index *index, const void *bytes, size_t len)
{
	if (index->slot_count == 0)
		return -1;
	return (int32_t)index->slots[find(index, bytes, len)] - 1;
}

void
train_index_done(struct train_index *index)
{
	if (index->arena != NULL)
		arena_free(index->arena);
	free(index->keys);
	free(index->slots);
	*index = (struct train_index){ .max = index->max };
}
