/* SPDX-License-Identifier: Apache-2.0
 *
 * aisled_heap.c - what the daemon frees is zero: card numbers, PINs and names leave memory with
 * whatever held them.
 *
 * DESIGN
 *   A message passes through libmosquitto, libevent, jansson and SQLite, and each of them frees
 *   copies that it does not wipe; a core or a swapped page has them for days. So free() itself wipes,
 *   for all of them at once: the daemon's own definition stands before glibc's. Rejected: hooks of
 *   each library (libmosquitto has none), and mallopt(M_PERTURB), which passes small blocks over.
 *
 *   A block that grows moves, for glibc would free the old one itself.
 *
 *   Linked into aisled alone. Other C libraries and the sanitizers keep their own heap.
 */
#include <features.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OTHER_HEAP 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define OTHER_HEAP 1
#endif

#ifndef OTHER_HEAP
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void __libc_free(void *memory);

void
free(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	__libc_free(memory);
}

void *
realloc(void *old, size_t size)
{
	size_t room = old != NULL ? malloc_usable_size(old) : 0;
	void *memory;

	if (old == NULL)
		return malloc(size);
	if (size == 0) {
		free(old);
		return NULL;
	}
	if (size <= room && size >= room / 2) {
		explicit_bzero((char *)old + size, room - size);
		return old;
	}
	memory = malloc(size);
	if (memory == NULL)
		return NULL;
	memcpy(memory, old, size < room ? size : room);
	free(old);
	return memory;
}
#else
typedef int aisled_heap_is_another;
#endif
