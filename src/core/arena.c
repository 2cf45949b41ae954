/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.c - memory of one turn, released all at once.
 *
 * DESIGN
 *   A chain of blocks, newest first. Most turns fit the first block, which
 *   reset keeps, so a quiet daemon asks malloc for nothing. A block is at
 *   least as large as what it was made for and otherwise doubles up to 1 MiB.
 */
#include "core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES (32u << 10)
#define BLOCK_BYTES_MAX (1u << 20)
#define ALIGN 16u

struct block {
	struct block *older;
	size_t size, used;	/* of bytes */
	_Alignas(16) unsigned char bytes[];
};

struct arena {
	struct block *newest;
	size_t used;
};

static struct block *
block_new(struct block *older, size_t size)
{
	struct block *block = mem_alloc(sizeof(*block) + size);
	block->older = older;
	block->size = size;
	block->used = 0;
	return block;
}

struct arena *
arena_new(void)
{
	struct arena *arena = mem_calloc(1, sizeof(*arena));
	arena->newest = block_new(NULL, FIRST_BYTES);
	return arena;
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	arena_reset(arena);
	free(arena->newest);
	free(arena);
}

void
arena_reset(struct arena *arena)
{
	while (arena->newest->older != NULL) {
		struct block *older = arena->newest->older;
		free(arena->newest);
		arena->newest = older;
	}
	arena->newest->used = 0;
	arena->used = 0;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	CHECK(size <= SIZE_MAX / 2);
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);

	struct block *block = arena->newest;
	if (size > block->size - block->used) {
		size_t want = block->size < BLOCK_BYTES_MAX / 2 ? block->size * 2 : BLOCK_BYTES_MAX;
		block = block_new(block, size > want ? size : want);
		arena->newest = block;
	}
	void *memory = block->bytes + block->used;
	block->used += size;
	arena->used += size;
	return memset(memory, 0, size);
}

char *
arena_strdup(struct arena *arena, const char *s)
{
	return s != NULL ? arena_strndup(arena, s, strlen(s)) : NULL;
}

char *
arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);
	if (len > 0)
		memcpy(copy, s, len);
	return copy;
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	CHECK(len >= 0);
	char *text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->used;
}
