/* SPDX-License-Identifier: Apache-2.0
 *
 * base.h - what every file may assume: CHECK, errors, memory, ids, units.
 */
#ifndef AISLE_BASE_H
#define AISLE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aisle/error.h"

#define AISLE_MUST_CHECK __attribute__((warn_unused_result))
#define AISLE_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A broken promise between our own functions. On in release: a daemon that
 * goes on with corrupt memory is worse than one that restarts from disk.
 * Marks the input being worked on (crashfile.h), then aborts. */
#define CHECK(cond) ((cond) ? (void)0 : check_failed(#cond, __FILE__, __LINE__))
void check_failed(const char *what, const char *file, int line) __attribute__((noreturn, cold));

/* A name out of a table, by an index that may be of another's making. */
#define NAME_OF(names, index) name_of(names, ARRAY_LEN(names), (size_t)(index))

static inline const char *
name_of(const char *const *names, size_t count, size_t index)
{
	CHECK(index < count);
	return names[index];
}

/* The first thing that went wrong, where, and what was expected. Filled once
 * (err_set on a filled one does nothing). line and column count from 1, 0 = unknown. */
struct err {
	int code;
	int line, column;
	char file[160];
	char text[400];
};
int err_set(struct err *err, int code, const char *format, ...) AISLE_PRINTF(3, 4);
int err_at(struct err *err, int code, const char *file, int line, int column, const char *format,
    ...) AISLE_PRINTF(6, 7);
/* "file:line:column: text" into out. */
void err_format(const struct err *err, char *out, size_t size);

/* Out of memory: one line on stderr, exit 71 without a crash mark. Nothing was
 * acknowledged, so the broker delivers again. Never return NULL. */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_calloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zero(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_realloc(void *old, size_t size) __attribute__((returns_nonnull));
/* Items of one size in a row, of which there are count: with room for one more. */
void *mem_grow(void *items, size_t count, size_t *capacity, size_t size)
    __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));

/* 128 bits: a ULID (26 Crockford characters) or a subject (32 lower-case hex digits). */
struct id {
	uint8_t b[16];
};
#define ID_TEXT_SIZE 27
#define SUBJECT_TEXT_SIZE 33

/* Milliseconds since 1970-01-01T00:00:00Z, everywhere; always int64_t (armhf's time_t is 32
 * bits). */
#define S_MS INT64_C(1000)
#define MIN_MS (60 * S_MS)
#define H_MS (60 * MIN_MS)
#define D_MS (24 * H_MS)

#define MONEY_MAX INT64_C(1000000000000) /* minor units, either sign */

#endif
