/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_report.c - mistakes of a policy: file, line, column, what, and what was expected.
 */
#include "policy/policy_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct at
at_root(const char *part, json_t *json)
{
	return (struct at){ .part = part, .json = json };
}

struct at
at_member(const struct at *up, const char *key)
{
	return (struct at){ .up = up, .key = key, .json = json_object_get(up->json, key) };
}

struct at
at_index(const struct at *up, size_t index)
{
	return (struct at){ .up = up, .index = index, .json = json_array_get(up->json, index) };
}

const struct policy_part *
part_find(const struct policy_parts *parts, const char *name)
{
	for (size_t i = 0; i < parts->count; i++)
		if (strcmp(parts->part[i].name, name) == 0)
			return &parts->part[i];
	return NULL;
}

/* RFC 6901: "~" and "/" in a member name are written "~0" and "~1". */
static void
pointer_add(struct buf *pointer, const struct at *at)
{
	buf_addc(pointer, '/');
	if (at->key == NULL) {
		buf_addf(pointer, "%zu", at->index);
		return;
	}
	for (const char *p = at->key; *p != '\0'; p++) {
		if (*p == '~')
			buf_adds(pointer, "~0");
		else if (*p == '/')
			buf_adds(pointer, "~1");
		else
			buf_addc(pointer, *p);
	}
}

/* The readers' chains are a handful of links: their depth is the compiler's own nesting. */
static const char *
pointer_build(struct buf *pointer, const struct at *at)
{
	const char *part = at->part;

	if (at->up != NULL) {
		part = pointer_build(pointer, at->up);
		pointer_add(pointer, at);
	}
	return part;
}

/* Absent members and patched values stand where their nearest present parent does. */
static void
locate(const struct compile *c, const char *name, struct buf *pointer, int *ret_line,
    int *ret_column)
{
	const struct policy_part *part = part_find(c->parts, name);

	*ret_line = *ret_column = 1;
	if (part == NULL)
		return;
	buf_adds(pointer, "");
	while (pointer->len > 0) {
		char *slash;

		if (json_locate(part->bytes, part->len, pointer->data, ret_line, ret_column))
			return;
		*ret_line = *ret_column = 1;
		slash = strrchr(pointer->data, '/');
		if (slash == NULL)
			return;
		*slash = '\0';
		pointer->len = (size_t)(slash - pointer->data);
	}
}

/* One line each: what stands in a file must not break the report. */
static void
add_text(struct buf *report, const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		buf_addc(report, (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p);
	buf_addc(report, '\n');
}

static void
add(struct compile *c, const struct at *at, const char *below, const char *word, const char *text)
{
	struct buf pointer = { 0 };
	const char *part = pointer_build(&pointer, at);
	int line, column;

	buf_adds(&pointer, below);
	locate(c, part, &pointer, &line, &column);
	buf_addf(c->report, "%s:%d:%d: %s", part, line, column, word);
	add_text(c->report, text);
	buf_done(&pointer);
}

static bool
count_mistake(struct compile *c)
{
	if (++c->mistakes == MISTAKES_MAX + 1)
		buf_adds(c->report,
		    "policy: more mistakes are not shown, expected fewer than 101\n");
	return c->mistakes <= MISTAKES_MAX;
}

void
mistake(struct compile *c, const struct at *at, const char *format, ...)
{
	char text[400];
	va_list args;

	if (!count_mistake(c))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add(c, at, "", "", text);
}

void
mistake_below(struct compile *c, const struct at *at, const char *pointer, const char *text)
{
	if (count_mistake(c))
		add(c, at, pointer, "", text);
}

void
warning(struct compile *c, const struct at *at, const char *format, ...)
{
	char text[400];
	va_list args;

	/* An arm's policy would only repeat the warnings of the one it patches. */
	if (c->patched || ++c->warnings > MISTAKES_MAX)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add(c, at, "", "warning: ", text);
}

void
note(struct compile *c, const struct at *at, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add(c, at, "", "note: ", text);
}

void
mistake_line(struct compile *c, const char *part, const struct err *err)
{
	if (!count_mistake(c))
		return;
	buf_addf(c->report, "%s:%d:%d: ", part, err->line > 0 ? err->line : 1,
	    err->column > 0 ? err->column : 1);
	add_text(c->report, err->text);
}
