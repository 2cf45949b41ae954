/* SPDX-License-Identifier: Apache-2.0
 *
 * ubjson_of.h - a JSON text written over as UBJSON, in any of the ways that the format allows.
 */
#ifndef AISLE_TESTS_UBJSON_OF_H
#define AISLE_TESTS_UBJSON_OF_H

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"

/* How: containers with a count; arrays of numbers of one type; no-ops between values; lengths and
 * integers no wider than they must be, or eight bytes. */
enum {
	UBJSON_COUNTED = 1,
	UBJSON_TYPED = 2,
	UBJSON_NOOPS = 4,
	UBJSON_NARROW = 8,
	UBJSON_STYLES = 16
};

static inline void
ubjson_bytes(struct buf *out, uint64_t bits, int size)
{
	while (size-- > 0)
		buf_addc(out, (char)(bits >> (8 * size)));
}

static inline void
ubjson_integer(struct buf *out, int64_t n, unsigned style)
{
	if ((style & UBJSON_NARROW) == 0) {
		buf_addc(out, 'L');
		ubjson_bytes(out, (uint64_t)n, 8);
	} else if (n >= -128 && n < 128) {
		buf_addc(out, 'i');
		ubjson_bytes(out, (uint64_t)n, 1);
	} else if (n >= 0 && n < 256) {
		buf_addc(out, 'U');
		ubjson_bytes(out, (uint64_t)n, 1);
	} else if (n >= -32768 && n < 32768) {
		buf_addc(out, 'I');
		ubjson_bytes(out, (uint64_t)n, 2);
	} else if (n >= INT32_MIN && n <= INT32_MAX) {
		buf_addc(out, 'l');
		ubjson_bytes(out, (uint64_t)n, 4);
	} else {
		buf_addc(out, 'L');
		ubjson_bytes(out, (uint64_t)n, 8);
	}
}

/* type: of an array that has one; 0: the number says its own */
static inline void
ubjson_number(struct buf *out, double x, char type, unsigned style)
{
	float narrow = (float)x;
	uint64_t wide;
	uint32_t half;
	memcpy(&wide, &x, sizeof(wide));
	memcpy(&half, &narrow, sizeof(half));
	if (type == 0 && x >= -1e15 && x <= 1e15 && x == (double)(int64_t)x &&
	    (x != 0 || wide == 0)) {
		ubjson_integer(out, (int64_t)x, style);
	} else if (type == 'd' || (type == 0 && (x != x || (double)narrow == x))) {
		if (type == 0)
			buf_addc(out, 'd');
		ubjson_bytes(out, half, 4);
	} else {
		if (type == 0)
			buf_addc(out, 'D');
		ubjson_bytes(out, wide, 8);
	}
}

struct ubjson_text {
	const char *at;
	unsigned style;
};

static inline char
ubjson_next(struct ubjson_text *t)
{
	t->at += strspn(t->at, " \n\r\t,:");
	return *t->at;
}

static inline bool
ubjson_read_number(struct ubjson_text *t, double *ret)
{
	char *end;
	if (strncmp(t->at, "NaN", 3) == 0 || strncmp(t->at, "Infinity", 8) == 0 ||
	    strncmp(t->at, "-Infinity", 9) == 0 || strchr("-0123456789", *t->at) != NULL) {
		size_t len = strspn(t->at, "-+.0123456789eEInfityNa");
		*ret = strtod(t->at, &end);
		bool whole = end == t->at + len;
		t->at = end;
		return whole;
	}
	return false;
}

/* Text as it stands, without escapes. */
static inline bool
ubjson_text(struct ubjson_text *t, struct buf *out)
{
	const char *end = ubjson_next(t) == '"' ? strchr(t->at + 1, '"') : NULL;
	if (end == NULL || strcspn(t->at, "\\\n") < (size_t)(end - t->at))
		return false;
	ubjson_integer(out, end - t->at - 1, t->style);
	buf_add(out, t->at + 1, (size_t)(end - t->at - 1));
	t->at = end + 1;
	return true;
}

static inline bool ubjson_value(struct ubjson_text *t, struct buf *out);

static inline bool
ubjson_typed(struct ubjson_text *t, struct buf *out)
{
	struct ubjson_text ahead = *t;
	struct buf numbers = { 0 };
	size_t count = 0;
	double x;
	bool wide = false;
	for (; ubjson_next(&ahead) != ']' && ubjson_read_number(&ahead, &x); count++)
		wide |= x == x && (double)(float)x != x;
	if (*ahead.at != ']' || count == 0)
		return false;
	for (ahead = *t; ubjson_next(&ahead) != ']' && ubjson_read_number(&ahead, &x);)
		ubjson_number(&numbers, x, wide ? 'D' : 'd', 0);
	buf_adds(out, wide ? "$D#" : "$d#");
	ubjson_integer(out, (int64_t)count, t->style);
	buf_add(out, numbers.data, numbers.len);
	buf_done(&numbers);
	t->at = ahead.at + 1;
	return true;
}

static inline bool
ubjson_container(struct ubjson_text *t, struct buf *out)
{
	char open = *t->at++, close = open == '{' ? '}' : ']';
	struct buf items = { 0 };
	size_t count = 0;
	bool good = true;
	buf_addc(out, open);
	if (open == '[' && (t->style & UBJSON_TYPED) != 0 && ubjson_typed(t, out))
		return true;
	for (; good && ubjson_next(t) != close; count++) {
		if (open == '{')
			good = ubjson_text(t, &items);
		good = good && ubjson_value(t, &items);
	}
	t->at += good;
	if ((t->style & UBJSON_COUNTED) != 0) {
		buf_addc(out, '#');
		ubjson_integer(out, (int64_t)count, t->style);
	}
	if (items.len > 0)
		buf_add(out, items.data, items.len);
	if ((t->style & UBJSON_COUNTED) == 0)
		buf_addc(out, close);
	buf_done(&items);
	return good;
}

static inline bool
ubjson_value(struct ubjson_text *t, struct buf *out)
{
	static const struct {
		const char *word;
		char marker;
	} words[] = { { "true", 'T' }, { "false", 'F' }, { "null", 'Z' } };
	char c = ubjson_next(t);
	double x;
	if ((t->style & UBJSON_NOOPS) != 0)
		buf_adds(out, "NN");
	if (c == '{' || c == '[')
		return ubjson_container(t, out);
	if (c == '"') {
		buf_addc(out, 'S');
		return ubjson_text(t, out);
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strncmp(t->at, words[i].word, strlen(words[i].word)) != 0)
			continue;
		t->at += strlen(words[i].word);
		buf_addc(out, words[i].marker);
		return true;
	}
	if (!ubjson_read_number(t, &x))
		return false;
	ubjson_number(out, x, 0, t->style);
	return true;
}

/* false: a text that is no JSON, or has what UBJSON cannot say (escapes are not written over). */
static inline bool
ubjson_of(const char *json, unsigned style, struct buf *out)
{
	struct ubjson_text t = { .at = json, .style = style & ~(unsigned)UBJSON_NOOPS };
	bool object = ubjson_next(&t) == '{';
	t.style = style;
	return object && ubjson_container(&t, out) && ubjson_next(&t) == '\0';
}

#endif
