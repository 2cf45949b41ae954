/* SPDX-License-Identifier: Apache-2.0
 *
 * base.c - the three kinds of failure: a bug stops the process, a mistake in
 * the input fills a struct err, and memory that ran out ends it quietly.
 */
#include "aisle/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/crash.h"

void
check_failed(const char *what, const char *file, int line)
{
	char text[400];
	snprintf(text, sizeof(text), "CHECK(%s) at %s:%d", what, file, line);
	fprintf(stderr, "<2>%s\n", text);
	crash_write(text);
	abort();
}

static int AISLE_PRINTF(6, 0) err_fill(struct err *err, int code, const char *file, int line,
    int column, const char *format, va_list args)
{
	/* The first mistake is the cause; what follows is mostly its echo. */
	if (err == NULL || err->code != 0)
		return code;
	err->code = code;
	err->line = line;
	err->column = column;
	snprintf(err->file, sizeof(err->file), "%s", file != NULL ? file : "");
	vsnprintf(err->text, sizeof(err->text), format, args);
	return code;
}

int
err_set(struct err *err, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err_fill(err, code, NULL, 0, 0, format, args);
	va_end(args);
	return code;
}

int
err_at(struct err *err, int code, const char *file, int line, int column, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err_fill(err, code, file, line, column, format, args);
	va_end(args);
	return code;
}

void
err_format(const struct err *err, char *out, size_t size)
{
	if (err->file[0] == '\0')
		snprintf(out, size, "%s", err->text);
	else if (err->line <= 0)
		snprintf(out, size, "%s: %s", err->file, err->text);
	else if (err->column <= 0)
		snprintf(out, size, "%s:%d: %s", err->file, err->line, err->text);
	else
		snprintf(out, size, "%s:%d:%d: %s", err->file, err->line, err->column, err->text);
}

/* Nothing unwinds: the turn that ran out is not committed, so its inputs come
 * again, and a crash mark would set aside an event that did no wrong. */
static void __attribute__((noreturn, cold)) out_of_memory(void)
{
	static const char text[] = "<2>out of memory\n";
	ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)written;
	_exit(EX_OSERR);
}

void *
mem_alloc(size_t size)
{
	void *memory = malloc(size > 0 ? size : 1);
	if (memory == NULL)
		out_of_memory();
	return memory;
}

void *
mem_calloc(size_t count, size_t size)
{
	void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
	if (memory == NULL)
		out_of_memory();
	return memory;
}

void *
mem_zero(size_t size)
{
	return mem_calloc(1, size);
}

void *
mem_realloc(void *old, size_t size)
{
	void *memory = realloc(old, size > 0 ? size : 1);
	if (memory == NULL)
		out_of_memory();
	return memory;
}

void *
mem_grow(void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity == 0 ? 8 : 2 * *capacity;
	return mem_realloc(items, *capacity * size);
}

char *
mem_strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	return memcpy(mem_alloc(size), s, size);
}
