/* SPDX-License-Identifier: Apache-2.0
 *
 * model_ubjson.c - UBJSON of model files, read as it passes by (ubjson.org, draft 12).
 *
 * DESIGN
 *   The same document as in JSON, so the same reader asks for it (model_json.c has what they
 *   share): a marker says of each value what it is, numbers are big-endian, and an array
 *   may say once for all of its numbers what they are ("[$d#L", eight bytes of count).
 *   Nothing is taken at its word: a count must fit what is left of the file.
 *
 * LIMITS
 *   Arrays of one type are of numbers: those of null and true have no bytes, and a file of
 *   twenty could count to 2^60. No high-precision numbers: XGBoost writes none.
 */
#include <string.h>

#include "score/model_json.h"

static void
where(const struct jsonr *r, int *ret_line, int *ret_column)
{
	*ret_line = 0;
	*ret_column = (int)(r->at - r->text); /* at most 64 MiB */
}

static size_t
left(const struct jsonr *r)
{
	return (size_t)(r->end - r->at);
}

/* Bytes of a number; 0: it is none. */
static size_t
size_of(char type)
{
	switch (type) {
	case 'i':
	case 'U': return 1;
	case 'I': return 2;
	case 'l':
	case 'd': return 4;
	case 'L':
	case 'D': return 8;
	default: return 0;
	}
}

/* The marker that comes, behind any no-ops; in an array of one type its type. 0: the end. */
static char
marker(struct jsonr *r)
{
	if (r->depth > 0 && r->levels[r->depth - 1].type != 0)
		return r->levels[r->depth - 1].type;
	while (r->at < r->end && *r->at == 'N')
		r->at++;
	return r->at < r->end ? *r->at : '\0';
}

static void
take_marker(struct jsonr *r)
{
	if (r->depth == 0 || r->levels[r->depth - 1].type == 0)
		r->at++;
}

/* The bytes of a number, the first one highest. */
static bool
take_bytes(struct jsonr *r, size_t size, uint64_t *ret)
{
	if (left(r) < size)
		return jsonr_fail(r, "the file is cut off in a number");
	*ret = 0;
	for (size_t i = 0; i < size; i++)
		*ret = *ret << 8 | (uint8_t)*r->at++;
	return true;
}

/* Two's complement of so many bytes. */
static int64_t
signed_of(uint64_t bits, size_t size)
{
	uint64_t sign = UINT64_C(1) << (8 * size - 1);
	return (int64_t)((bits ^ sign) - sign);
}

/* A length or a count: an integer, not negative, of things that take at least `size` bytes each. */
static bool
take_count(struct jsonr *r, size_t size, uint64_t *ret)
{
	char type = r->at < r->end ? *r->at++ : '\0';
	uint64_t bits = 0;
	if (type == 'd' || type == 'D' || size_of(type) == 0)
		return jsonr_fail(r, "expected a length");
	if (!take_bytes(r, size_of(type), &bits))
		return false;
	int64_t count = type == 'U' ? (int64_t)bits : signed_of(bits, size_of(type));
	if (count < 0)
		return jsonr_fail(r, "length below 0");
	if ((uint64_t)count > left(r) / size)
		return jsonr_fail(r, "the file is cut off, it is shorter than a length in it");
	*ret = (uint64_t)count;
	return true;
}

static char
kind(struct jsonr *r)
{
	char c = marker(r);
	return c == '{' || c == '[' ? c : c == 'S' || c == 'C' ? '"' : '0';
}

/* Behind the bracket: "$" and a type, "#" and a count; either may be missing, but not the count of
 * what has a type. */
static bool
enter(struct jsonr *r, char bracket)
{
	struct jsonr_level level = { .bracket = bracket };
	char c = marker(r);
	if (c == '\0')
		return jsonr_fail(r, "the file is cut off");
	if (c != bracket)
		return false;
	if (r->depth == JSONR_LEVELS)
		return jsonr_fail(r, "nested too deep");
	take_marker(r);
	if (left(r) > 1 && *r->at == '$') {
		level.type = r->at[1];
		r->at += 2;
		if (size_of(level.type) == 0)
			return jsonr_fail(r, "array of one type that is no number");
		if (left(r) == 0 || *r->at != '#')
			return jsonr_fail(r, "array of one type without a count");
	}
	if (left(r) > 0 && *r->at == '#') {
		size_t item = level.type != 0 ? size_of(level.type) : 1;
		r->at++;
		level.counted = true;
		if (!take_count(r, bracket == '{' ? item + 2 : item, &level.left))
			return false;
	}
	r->levels[r->depth++] = level;
	return true;
}

static bool
another(struct jsonr *r, char bracket)
{
	CHECK(r->depth > 0 && r->levels[r->depth - 1].bracket == bracket);
	struct jsonr_level *level = &r->levels[r->depth - 1];
	if (level->counted && level->left-- > 0)
		return true;
	if (!level->counted) {
		if (marker(r) == '\0')
			return jsonr_fail(r, "the file is cut off");
		if (*r->at != (bracket == '{' ? '}' : ']'))
			return true;
		r->at++;
	}
	r->depth--;
	return false;
}

static bool
take_word(struct jsonr *r, size_t len)
{
	if (memchr(r->at, '\0', len) != NULL)
		return jsonr_fail(r, "zero byte in a text");
	buf_clear(&r->word);
	buf_reserve(&r->word, 1);
	r->word.data[0] = '\0';
	buf_add(&r->word, r->at, len);
	r->at += len;
	return true;
}

static bool
key(struct jsonr *r)
{
	uint64_t len = 0;
	while (r->at < r->end && *r->at == 'N')
		r->at++;
	return take_count(r, 1, &len) && take_word(r, (size_t)len);
}

static bool
string(struct jsonr *r)
{
	uint64_t len = 1;
	char c = marker(r);
	if (c != 'S' && c != 'C')
		return jsonr_fail(r, "expected a string");
	take_marker(r);
	if (c == 'C' && left(r) == 0)
		return jsonr_fail(r, "the file is cut off in a text");
	return (c == 'C' || take_count(r, 1, &len)) && take_word(r, (size_t)len);
}

static double
real_of(uint64_t bits, char type)
{
	uint32_t half = (uint32_t)bits;
	float narrow;
	double wide;
	memcpy(&narrow, &half, sizeof(narrow));
	memcpy(&wide, &bits, sizeof(wide));
	return type == 'd' ? (double)narrow : wide;
}

static double
number(struct jsonr *r, bool float32)
{
	char type = marker(r);
	size_t size = size_of(type);
	uint64_t bits = 0;
	if (type == 'H')
		jsonr_fail(r, "high-precision number, expected none");
	else if (size == 0 && type != 'T' && type != 'F')
		jsonr_fail(r, type != '\0' ? "expected a number" : "the file is cut off");
	if (r->failed)
		return 0;
	take_marker(r);
	if (size == 0)
		return type == 'T';
	if (!take_bytes(r, size, &bits))
		return 0;
	double value = type == 'd' || type == 'D' ? real_of(bits, type)
	    : type == 'U'			  ? (double)bits
						  : (double)signed_of(bits, size);
	if (!float32)
		return value;
	float rounded = (float)value;
	if (rounded - rounded != 0 && value - value == 0)
		jsonr_fail(r, "number beyond float32");
	return (double)rounded;
}

static bool
null(struct jsonr *r)
{
	bool is = marker(r) == 'Z';
	r->at += is;
	return is;
}

const struct jsonr_form jsonr_binary = { .kind = kind,
	.enter = enter,
	.another = another,
	.key = key,
	.string = string,
	.number = number,
	.null = null,
	.where = where };
