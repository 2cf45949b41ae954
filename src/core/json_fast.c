/* SPDX-License-Identifier: Apache-2.0
 *
 * json_fast.c - the plain part of JSON, read in a third of the time.
 *
 * DESIGN
 *   Most of what an event costs in jansson is its lexer, which copies byte by byte. What tills send
 *   is plain: strings without escapes, short numbers. That is read here, straight into jansson's
 *   own tree; at the first thing that is wrong or only rare (an escape, an exponent, a number of
 *   many digits, a key that is there twice) the whole text goes to jansson, which decides and has
 *   the words for what is wrong. So strictness is jansson's, and this file can only err by
 *   accepting too much or otherwise, which tests/unit/test_json_fast.c looks for with 300,000
 *   damaged texts.
 *   Rejected: another JSON library; the trees are jansson's everywhere.
 *
 * INVARIANTS
 *   A tree from here is equal, in order and in every bit, to the one that jansson would have made.
 */
#include "core/json_fast.h"

#include <string.h>

#define INT_DIGITS_MAX 18 /* always inside 64 bits */
/* So many digits are exact as a double and so is the power of ten: their quotient is rounded once,
 * which is what strtod gives. */
#define REAL_DIGITS_MAX 15
#define REAL_PLACES_MAX 22

/* clang-format off */
static const double tens[REAL_PLACES_MAX + 1] = {
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};
/* clang-format on */

struct text {
	const char *at, *end;
	int depth; /* levels left */
};

static json_t *read_value(struct text *text);

static inline void
skip_space(struct text *text)
{
	while (text->at < text->end &&
	    (*text->at == ' ' || *text->at == '\n' || *text->at == '\t' || *text->at == '\r'))
		text->at++;
}

static inline bool
take(struct text *text, char c)
{
	if (text->at == text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

/* Moves behind the closing quote. false: an escape, a control character, no end. *ret_ascii: no
 * byte above 0x7f. */
static bool
take_string(struct text *text, const char **ret_from, size_t *ret_len, bool *ret_ascii)
{
	unsigned char seen = 0;
	const char *at;

	if (!take(text, '"'))
		return false;
	for (at = text->at; at < text->end && *at != '"'; at++) {
		if ((unsigned char)*at < 0x20 || *at == '\\')
			return false;
		seen |= (unsigned char)*at;
	}
	if (at == text->end)
		return false;
	*ret_from = text->at;
	*ret_len = (size_t)(at - text->at);
	*ret_ascii = seen < 0x80;
	text->at = at + 1;
	return true;
}

static json_t *
read_string(struct text *text)
{
	const char *from;
	size_t len;
	bool ascii;

	if (!take_string(text, &from, &len, &ascii))
		return NULL;
	/* Beyond ASCII jansson looks at it: NULL if it is not UTF-8. */
	return ascii ? json_stringn_nocheck(from, len) : json_stringn(from, len);
}

static size_t
take_digits(struct text *text, uint64_t *number)
{
	const char *from = text->at;

	while (text->at < text->end && *text->at >= '0' && *text->at <= '9' &&
	    text->at - from <= INT_DIGITS_MAX)
		*number = *number * 10 + (uint64_t)(*text->at++ - '0');
	return (size_t)(text->at - from);
}

static json_t *
read_number(struct text *text)
{
	bool minus = take(text, '-');
	const char *from = text->at;
	uint64_t number = 0;
	size_t digits = take_digits(text, &number), places;
	double real;

	if (digits == 0 || digits > INT_DIGITS_MAX || (*from == '0' && digits > 1))
		return NULL;
	if (!take(text, '.')) {
		if (text->at < text->end && (*text->at == 'e' || *text->at == 'E'))
			return NULL;
		return json_integer(minus ? -(json_int_t)number : (json_int_t)number);
	}
	if (digits > REAL_DIGITS_MAX)
		return NULL;
	places = take_digits(text, &number);
	if (places == 0 || digits + places > REAL_DIGITS_MAX || places > REAL_PLACES_MAX)
		return NULL;
	if (text->at < text->end && (*text->at == 'e' || *text->at == 'E'))
		return NULL;
	real = (double)number / tens[places];
	return json_real(minus ? -real : real);
}

static json_t *
read_word(struct text *text, const char *word, size_t len, json_t *value)
{
	if ((size_t)(text->end - text->at) < len || memcmp(text->at, word, len) != 0)
		return NULL;
	text->at += len;
	return value;
}

/* One member; false: it is not plain, or its key was there before. */
static bool
read_member(struct text *text, json_t *object)
{
	size_t before = json_object_size(object), len;
	const char *key;
	json_t *value;
	bool ascii;

	if (!take_string(text, &key, &len, &ascii) || !ascii)
		return false;
	skip_space(text);
	if (!take(text, ':'))
		return false;
	skip_space(text);
	value = read_value(text);
	if (value == NULL || json_object_setn_new_nocheck(object, key, len, value) != 0)
		return false;
	skip_space(text);
	return json_object_size(object) == before + 1;
}

static json_t *
read_object(struct text *text)
{
	json_t *object = json_object();

	text->at++;
	skip_space(text);
	if (take(text, '}'))
		return object;
	while (read_member(text, object)) {
		if (take(text, '}'))
			return object;
		if (!take(text, ','))
			break;
		skip_space(text);
	}
	json_decref(object);
	return NULL;
}

static json_t *
read_array(struct text *text)
{
	json_t *array = json_array(), *value;

	text->at++;
	skip_space(text);
	if (take(text, ']'))
		return array;
	while ((value = read_value(text)) != NULL && json_array_append_new(array, value) == 0) {
		skip_space(text);
		if (take(text, ']'))
			return array;
		if (!take(text, ','))
			break;
		skip_space(text);
	}
	json_decref(array);
	return NULL;
}

static json_t *
read_value(struct text *text)
{
	json_t *value;

	if (text->at == text->end)
		return NULL;
	switch (*text->at) {
	case '{':
	case '[':
		if (text->depth == 0)
			return NULL;
		text->depth--;
		value = *text->at == '{' ? read_object(text) : read_array(text);
		text->depth++;
		return value;
	case '"': return read_string(text);
	case 't': return read_word(text, "true", 4, json_true());
	case 'f': return read_word(text, "false", 5, json_false());
	case 'n': return read_word(text, "null", 4, json_null());
	default: return read_number(text);
	}
}

json_t *
json_fast(const char *text, size_t len, int depth_max)
{
	struct text all = { text, text + len, depth_max };
	json_t *json;

	skip_space(&all);
	json = read_value(&all);
	skip_space(&all);
	if (json != NULL && all.at != all.end) {
		json_decref(json);
		json = NULL;
	}
	return json;
}
