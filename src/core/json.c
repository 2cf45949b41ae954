/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c - strict JSON over jansson, and JSON written back.
 *
 * DESIGN
 *   jansson allows 2,048 levels and recurses through them; a flat look at the
 *   brackets refuses more than JSON_DEPTH_MAX before it starts. Everything here that
 *   recurses walks a tree that came through json_read or is as shallow.
 *
 *   Plain texts, which is what tills send, are read by json_fast.c.
 *
 *   A NUL byte is no JSON, wherever it stands. jansson loses one behind a number (its lexer gives
 *   back what it read too far, and takes NUL for nothing), so it is looked for before.
 *
 *   jansson prints 5.0 as "5.0" and sorts by its own rules, so the canonical
 *   text is ours: it is what digests are made of, and may never change.
 */
#include "core/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_fast.h"

#define WRITE_DEPTH_MAX (4 * JSON_DEPTH_MAX) /* merged trees, never input alone */

/* Where the depth first exceeds the limit; NULL: nowhere. */
static const char *
too_deep(const char *text, size_t len)
{
	int depth = 0;
	bool quoted = false;
	for (const char *at = text; at < text + len; at++) {
		if (quoted) {
			if (*at == '\\' && at + 1 < text + len)
				at++;
			else if (*at == '"')
				quoted = false;
		} else if (*at == '"') {
			quoted = true;
		} else if (*at == '{' || *at == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return at;
		} else if (*at == '}' || *at == ']') {
			depth--;
		}
	}
	return NULL;
}

static void
line_column(const char *text, const char *at, int *ret_line, int *ret_column)
{
	int line = 1, column = 1;
	for (; text < at; text++) {
		if (*text == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*text & 0xc0) != 0x80) { /* characters, not bytes */
			column++;
		}
	}
	*ret_line = line;
	*ret_column = column;
}

/* What editors put before a text, seen by nobody. NULL: nothing. */
static const char *
stands_before(const char *text, size_t len)
{
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return "a byte-order mark before the text, expected UTF-8 without one";
	if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
		return "UTF-16 text, expected UTF-8";
	return NULL;
}

json_t *
json_read(const char *text, size_t len, const char *name, struct err *err)
{
	if (text == NULL) /* of no bytes, as a message without payload has them */
		text = "";
	json_t *json = json_fast(text, len, JSON_DEPTH_MAX);
	if (json != NULL)
		return json;
	const char *before = stands_before(text, len);
	if (before != NULL) {
		err_at(err, AISLE_E_INVALID, name, 1, 1, "%s", before);
		return NULL;
	}
	const char *deep = too_deep(text, len);
	if (deep != NULL) {
		int line, column;
		line_column(text, deep, &line, &column);
		err_at(err, AISLE_E_INVALID, name, line, column,
		    "nested too deep, expected at most %d levels", JSON_DEPTH_MAX);
		return NULL;
	}
	const char *nul = memchr(text, '\0', len);
	if (nul != NULL) {
		int line, column;
		line_column(text, nul, &line, &column);
		err_at(err, AISLE_E_INVALID, name, line, column, "a NUL byte, expected JSON");
		return NULL;
	}
	json_error_t error;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (json == NULL)
		err_at(err, AISLE_E_INVALID, name, error.line > 0 ? error.line : 1,
		    error.column > 0 ? error.column : 1, "%s", error.text);
	return json;
}

static int
read_all(FILE *file, const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
	char chunk[8192];
	size_t got;
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
		buf_add(out, chunk, got);
		if (out->len > max_bytes)
			return err_at(err, AISLE_E_INVALID, path, 0, 0,
			    "too big, expected at most %zu bytes", max_bytes);
	}
	if (ferror(file))
		return err_at(err, AISLE_E_IO, path, 0, 0, "%s", strerror(errno));
	return 0;
}

json_t *
json_read_kept(const char *path, size_t max_bytes, struct buf *ret_text, struct err *err)
{
	FILE *file = fopen(path, "rbe");
	if (file == NULL) {
		err_at(err, errno == ENOENT ? AISLE_E_NONE : AISLE_E_IO, path, 0, 0, "%s",
		    strerror(errno));
		return NULL;
	}
	json_t *json = NULL;
	if (read_all(file, path, max_bytes, ret_text, err) == 0)
		json = json_read(ret_text->data, ret_text->len, path, err);
	fclose(file);
	return json;
}

json_t *
json_read_file(const char *path, size_t max_bytes, struct err *err)
{
	struct buf text = { 0 };
	json_t *json = json_read_kept(path, max_bytes, &text, err);
	buf_done(&text);
	return json;
}

/* The end of the string that begins at the quote *at: behind its closing quote. */
static const char *
skip_string(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++) {
		if (*at == '\\' && at + 1 < end)
			at++;
	}
	return at < end ? at + 1 : end;
}

static const char *
skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	return at;
}

static const char *
skip_value(const char *at, const char *end)
{
	int depth = 0;
	for (; at < end; at++) {
		if (*at == '"') {
			at = skip_string(at, end) - 1;
		} else if (*at == '{' || *at == '[') {
			depth++;
		} else if (*at == '}' || *at == ']') {
			if (depth == 0)
				return at;
			depth--;
		} else if (*at == ',' && depth == 0) {
			return at;
		}
	}
	return at;
}

/* Is the JSON string at the quote `at` the same text as the pointer's segment? */
static bool
key_is(const char *at, const char *end, const char *segment)
{
	/* jansson undoes the escapes: only rare keys have any. */
	json_t *key = json_loadb(at, (size_t)(end - at), JSON_DECODE_ANY, NULL);
	bool same =
	    key != NULL && json_is_string(key) && strcmp(json_string_value(key), segment) == 0;
	json_decref(key);
	return same;
}

/* One step of the pointer, from the value at *at to its member or element. *ret_place: where a
 * reader would look, the key of a member. */
static bool
step_into(const char **at, const char *end, const char *segment, const char **ret_place)
{
	char open = *at < end ? **at : '\0';
	if (open != '{' && open != '[')
		return false;
	char *rest;
	unsigned long want = strtoul(segment, &rest, 10), index = 0;
	if (open == '[' && (*segment < '0' || *segment > '9' || *rest != '\0'))
		return false;
	const char *p = skip_space(*at + 1, end);
	for (; p < end && *p != '}' && *p != ']'; index++) {
		const char *place = p;
		bool found = open == '[' && index == want;
		if (open == '{') {
			const char *key_end = skip_string(p, end);
			found = key_is(place, key_end, segment);
			p = skip_space(key_end, end);
			p = skip_space(p < end ? p + 1 : end, end); /* the colon */
		}
		if (found) {
			*at = p;
			*ret_place = place;
			return true;
		}
		p = skip_value(p, end);
		if (p < end && *p == ',')
			p = skip_space(p + 1, end);
	}
	return false;
}

bool
json_locate(const char *text, size_t len, const char *pointer, int *ret_line, int *ret_column)
{
	const char *end = text + len, *at = skip_space(text, end), *place = at;
	struct buf segment = { 0 };
	bool ok = *pointer == '\0' || *pointer == '/';
	while (ok && *pointer == '/') {
		buf_clear(&segment);
		buf_reserve(&segment, 1);
		segment.data[0] = '\0';
		for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
			bool escape = *pointer == '~' && (pointer[1] == '0' || pointer[1] == '1');
			buf_addc(&segment, !escape ? *pointer : pointer[1] == '0' ? '~' : '/');
			pointer += escape;
		}
		ok = step_into(&at, end, segment.data, &place);
	}
	buf_done(&segment);
	if (ok)
		line_column(text, place, ret_line, ret_column);
	return ok;
}

struct member {
	const char *key;
	const json_t *value;
};

static int
member_compare(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void write_value(const json_t *json, struct buf *out, bool sorted, int depth);

static void
write_object(const json_t *json, struct buf *out, bool sorted, int depth)
{
	size_t count = json_object_size(json), at = 0;
	struct member few[32];
	struct member *members =
	    count <= ARRAY_LEN(few) ? few : mem_calloc(count, sizeof(*members));
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
		members[at++] = (struct member){ key, value };
	if (sorted && count > 1)
		qsort(members, count, sizeof(*members), member_compare);
	buf_addc(out, '{');
	for (size_t i = 0; i < at; i++) {
		if (i > 0)
			buf_addc(out, ',');
		buf_json_str(out, members[i].key);
		buf_addc(out, ':');
		write_value(members[i].value, out, sorted, depth + 1);
	}
	buf_addc(out, '}');
	if (members != few)
		free(members);
}

static void
write_value(const json_t *json, struct buf *out, bool sorted, int depth)
{
	CHECK(depth <= WRITE_DEPTH_MAX);
	switch (json_typeof(json)) {
	case JSON_OBJECT: write_object(json, out, sorted, depth); break;
	case JSON_ARRAY:
		buf_addc(out, '[');
		for (size_t i = 0; i < json_array_size(json); i++) {
			if (i > 0)
				buf_addc(out, ',');
			write_value(json_array_get(json, i), out, sorted, depth + 1);
		}
		buf_addc(out, ']');
		break;
	case JSON_STRING: buf_json_str(out, json_string_value(json)); break;
	case JSON_INTEGER: buf_json_int(out, json_integer_value(json)); break;
	case JSON_REAL: buf_json_double(out, json_real_value(json)); break;
	case JSON_TRUE: buf_adds(out, "true"); break;
	case JSON_FALSE: buf_adds(out, "false"); break;
	case JSON_NULL: buf_adds(out, "null"); break;
	}
}

void
json_canonical(const json_t *json, struct buf *out)
{
	write_value(json, out, true, 0);
}

void
json_write(const json_t *json, struct buf *out)
{
	write_value(json, out, false, 0);
}

bool
json_int(const json_t *json, int64_t *ret)
{
	if (!json_is_integer(json))
		return false;
	*ret = json_integer_value(json);
	return true;
}

static json_t *
merge(const json_t *target, const json_t *patch, int depth)
{
	CHECK(depth <= WRITE_DEPTH_MAX);
	if (!json_is_object(patch))
		return json_deep_copy(patch);
	json_t *result = json_is_object(target) ? json_deep_copy(target) : json_object();
	CHECK(result != NULL);
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)patch, key, value) {
		if (json_is_null(value))
			json_object_del(result, key);
		else
			json_object_set_new(result, key,
			    merge(json_object_get(result, key), value, depth + 1));
	}
	return result;
}

json_t *
json_merge_patch(const json_t *target, const json_t *patch)
{
	return merge(target, patch, 0);
}
