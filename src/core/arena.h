/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.h - memory of one turn (or one policy), released all at once.
 */
#ifndef AISLE_CORE_ARENA_H
#define AISLE_CORE_ARENA_H

#include "aisle/base.h"

struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *arena);
void arena_reset(struct arena *arena); /* keeps at most 1 MiB for the next round */
/* Zeroed, 16-byte aligned, never NULL (see mem_alloc). */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
/* The same, not zeroed: for what is filled at once. */
void *arena_room(struct arena *arena, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *s); /* NULL for NULL */
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) AISLE_PRINTF(2, 3);
size_t arena_used(const struct arena *arena);
/* As if all that was given out stood in one row, oldest first: the row itself (arena_used bytes),
 * and where p stands in it; false: p is not of this arena. */
void arena_copy(const struct arena *arena, void *ret_row);
bool arena_offset(const struct arena *arena, const void *p, size_t *ret_offset);

#endif
