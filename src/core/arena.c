/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.c - memory of one turn, released all at once.
 *
 * DESIGN
 *   A chain of blocks, newest first. A block is at least as large as what it
 *   was made for and otherwise doubles up to 1 MiB. Reset keeps one block, of
 *   the size that all had together, up to KEEP_BYTES_MAX: so the next turn of
 *   that size finds its memory warm and asks malloc for nothing.
 */
#include "core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES (32u << 10)
#define BLOCK_BYTES_MAX (1u << 20)
#define KEEP_BYTES_MAX (1u << 20)
#define ALIGN 16u
#define PRINT_BYTES 256

/* Under AddressSanitizer each piece ends in bytes that nobody may touch. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GUARDED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(GUARDED)
#include <sanitizer/asan_interface.h>
#define GUARD ALIGN
#else
#define GUARD 0u
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

struct block {
	struct block *older;
	size_t size, used;    /* of bytes */
	unsigned char *bytes; /* behind this, aligned: malloc gives less on 32-bit machines */
};

struct arena {
	struct block *newest;
	size_t used;
};

static struct block *
block_new(struct block *older, size_t size)
{
	struct block *block = mem_alloc(sizeof(*block) + ALIGN + size);
	uintptr_t behind = (uintptr_t)(block + 1);

	block->bytes = (unsigned char *)(block + 1) + (ALIGN - behind % ALIGN) % ALIGN;
	block->older = older;
	block->size = size;
	block->used = 0;
	ASAN_POISON_MEMORY_REGION(block->bytes, size);
	return block;
}

struct arena *
arena_new(void)
{
	struct arena *arena = mem_zero(sizeof(*arena));
	arena->newest = block_new(NULL, FIRST_BYTES);
	return arena;
}

static void
free_chain(struct block *block)
{
	while (block != NULL) {
		struct block *older = block->older;
		free(block);
		block = older;
	}
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	free_chain(arena->newest);
	free(arena);
}

void
arena_reset(struct arena *arena)
{
	if (arena->newest->older != NULL) {
		size_t size = 0;
		for (const struct block *block = arena->newest; block != NULL; block = block->older)
			size += block->size;
		free_chain(arena->newest);
		arena->newest = block_new(NULL, size < KEEP_BYTES_MAX ? size : KEEP_BYTES_MAX);
	}
	/* Messages stood in it, with card numbers and PINs. */
	ASAN_UNPOISON_MEMORY_REGION(arena->newest->bytes, arena->newest->used);
	explicit_bzero(arena->newest->bytes, arena->newest->used);
	ASAN_POISON_MEMORY_REGION(arena->newest->bytes, arena->newest->size);
	arena->newest->used = 0;
	arena->used = 0;
}

void *
arena_room(struct arena *arena, size_t size)
{
	CHECK(size <= SIZE_MAX / 2);
	size_t asked = size, tail = (asked > 0 ? ALIGN : 0) + GUARD;
	size = ((asked + ALIGN - 1) & ~(size_t)(ALIGN - 1)) + GUARD;

	struct block *block = arena->newest;
	if (size > block->size - block->used) {
		size_t want = block->size < BLOCK_BYTES_MAX / 2 ? block->size * 2 : BLOCK_BYTES_MAX;
		block = block_new(block, size > want ? size : want);
		arena->newest = block;
	}
	void *memory = block->bytes + block->used;
	block->used += size;
	arena->used += size;
	ASAN_UNPOISON_MEMORY_REGION(memory, size);
	/* What is behind the end is the same each time, for those who compare rows (arena_copy). */
	if (tail > 0)
		memset((unsigned char *)memory + size - tail, 0, tail);
	ASAN_POISON_MEMORY_REGION((unsigned char *)memory + asked, size - asked);
	return memory;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	return memset(arena_room(arena, size), 0, size);
}

char *
arena_strdup(struct arena *arena, const char *s)
{
	return s != NULL ? arena_strndup(arena, s, strlen(s)) : NULL;
}

char *
arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = arena_room(arena, len + 1);
	if (len > 0)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	/* Most of what is printed is short: once, and not once more for its length. */
	char small[PRINT_BYTES];
	int len = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	CHECK(len >= 0);
	char *text = arena_room(arena, (size_t)len + 1);
	if ((size_t)len < sizeof(small))
		memcpy(text, small, (size_t)len + 1);
	else
		vsnprintf(text, (size_t)len + 1, format, again);
	explicit_bzero(small, (size_t)len < sizeof(small) ? (size_t)len : sizeof(small));
	va_end(again);
	return text;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->used;
}

void
arena_copy(const struct arena *arena, void *ret_row)
{
	unsigned char *end = (unsigned char *)ret_row + arena->used;

	for (const struct block *block = arena->newest; block != NULL; block = block->older) {
		end -= block->used;
		ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->used);
		memcpy(end, block->bytes, block->used);
	}
}

bool
arena_offset(const struct arena *arena, const void *p, size_t *ret_offset)
{
	uintptr_t at = (uintptr_t)p;
	size_t end = arena->used;

	for (const struct block *block = arena->newest; block != NULL; block = block->older) {
		uintptr_t from = (uintptr_t)block->bytes;

		end -= block->used;
		/* Behind the last byte as well: the end of an array, or one without members. */
		if (at >= from && at <= from + block->used) {
			*ret_offset = end + (size_t)(at - from);
			return true;
		}
	}
	return false;
}
