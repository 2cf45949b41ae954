/* SPDX-License-Identifier: Apache-2.0
 *
 * json_write.c - JSON text into a buffer, with its commas, quotes and escapes in their places.
 *
 * DESIGN
 *   Straight into the text, no tree: a writer only knows which brackets are open and whether a
 *   comma is due. Rejected: jansson's trees, which cost several allocations a member.
 *
 * INVARIANTS
 *   What was begun and ended is JSON: a member without a name, an element with one, an end of
 *   nothing and a second value behind the first are broken promises.
 */
#include "core/json_write.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/id.h"
#include "core/json.h"
#include "core/when.h"

_Static_assert(JSON_WRITE_DEPTH_MAX < 32, "a bit for each depth");

static bool
in_object(const struct json_writer *w)
{
	return (w->objects >> w->depth & 1) != 0;
}

static void
add_comma(struct json_writer *w)
{
	if (w->comma)
		buf_addc(w->out, ',');
	w->comma = true;
	if (w->space != NULL)
		buf_adds(w->out, w->space);
	w->space = NULL;
}

/* What stands before a value. */
static void
add_name(struct json_writer *w, const char *name)
{
	CHECK(in_object(w) == (name != NULL));
	CHECK(w->depth > 0 || !w->comma);
	add_comma(w);
	if (name != NULL) {
		buf_json_str(w->out, name);
		buf_addc(w->out, ':');
	}
}

static void
open_bracket(struct json_writer *w, const char *name, bool object)
{
	add_name(w, name);
	CHECK(w->depth < JSON_WRITE_DEPTH_MAX);
	w->depth++;
	w->objects = (w->objects & ~(1u << w->depth)) | (uint32_t)object << w->depth;
	w->comma = false;
}

void
json_add_object(struct json_writer *w, const char *name)
{
	open_bracket(w, name, true);
	buf_addc(w->out, '{');
}

struct json_writer *
json_begin(struct json_writer *w)
{
	json_add_object(w, NULL);
	return w;
}

void
json_add_list(struct json_writer *w, const char *name)
{
	open_bracket(w, name, false);
	buf_addc(w->out, '[');
}

void
json_end(struct json_writer *w)
{
	CHECK(w->depth > 0);
	buf_addc(w->out, in_object(w) ? '}' : ']');
	w->depth--;
	w->comma = true;
}

void
json_end_all(struct json_writer *w)
{
	while (w->depth > 0)
		json_end(w);
}

void
json_add_str(struct json_writer *w, const char *name, const char *text)
{
	add_name(w, name);
	buf_json_str(w->out, text);
}

void
json_add_int(struct json_writer *w, const char *name, int64_t number)
{
	add_name(w, name);
	buf_json_int(w->out, number);
}

void
json_add_double(struct json_writer *w, const char *name, double number)
{
	add_name(w, name);
	buf_json_double(w->out, number);
}

void
json_add_fixed(struct json_writer *w, const char *name, double number, int decimals)
{
	add_name(w, name);
	buf_addf(w->out, "%.*f", decimals, number);
}

void
json_add_bool(struct json_writer *w, const char *name, bool truth)
{
	add_name(w, name);
	buf_adds(w->out, truth ? "true" : "false");
}

void
json_add_null(struct json_writer *w, const char *name)
{
	json_add_str(w, name, NULL);
}

void
json_add_id(struct json_writer *w, const char *name, const struct id *id)
{
	char text[ID_TEXT_SIZE];

	id_text(id, text);
	json_add_str(w, name, text);
}

void
json_add_when(struct json_writer *w, const char *name, int64_t ms)
{
	char text[WHEN_TEXT_SIZE];

	when_text(ms, text);
	json_add_str(w, name, text);
}

void
json_add_tree(struct json_writer *w, const char *name, const json_t *json)
{
	add_name(w, name);
	json_write(json, w->out);
}

void
json_add_canonical(struct json_writer *w, const char *name, const json_t *json)
{
	add_name(w, name);
	json_canonical(json, w->out);
}

void
json_addf(struct json_writer *w, const char *name, const char *format, ...)
{
	va_list args, again;

	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	CHECK(len >= 0);
	char *text = mem_alloc((size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	json_add_str(w, name, text);
	free(text);
}

void
json_add_raw(struct json_writer *w, const char *name, const void *json, size_t len)
{
	add_name(w, name);
	if (len == 0)
		buf_adds(w->out, "null");
	buf_add(w->out, json, len);
}

void
json_add_members(struct json_writer *w, const char *json, size_t len)
{
	CHECK(in_object(w));
	if (len <= 2 || json[0] != '{' || json[len - 1] != '}')
		return;
	add_comma(w);
	buf_add(w->out, json + 1, len - 2);
}

void
json_space(struct json_writer *w, const char *space)
{
	w->space = space;
}

void
json_opt_str(struct json_writer *w, const char *name, const char *text)
{
	if (text != NULL && *text != '\0')
		json_add_str(w, name, text);
}

void
json_opt_id(struct json_writer *w, const char *name, const struct id *id)
{
	if (!id_is_zero(id))
		json_add_id(w, name, id);
}

void
json_opt_when(struct json_writer *w, const char *name, int64_t ms)
{
	if (ms != 0)
		json_add_when(w, name, ms);
}
