/* SPDX-License-Identifier: Apache-2.0
 *
 * model_json.c - JSON of model files, read as it passes by; what UBJSON shares with it.
 *
 * DESIGN
 *   XGBoost writes a bare NaN where a categorical split has no threshold, which
 *   no JSON library takes, and a model may be 64 MiB of numbers, which as a
 *   tree of JSON values would be ten times that. So: a reader that is asked for
 *   what the format says comes next and skips what it does not know, whatever
 *   the order of the keys.
 *
 * LIMITS
 *   Skipping goes SKIP_DEPTH_MAX levels deep, without recursion.
 */
#include "score/model_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SKIP_DEPTH_MAX 64
#define NUMBER_LEN_MAX 400

/* ---- text ---- */

static void
text_where(const struct jsonr *r, int *ret_line, int *ret_column)
{
	*ret_line = *ret_column = 1;
	for (const char *at = r->text; at < r->at; at++) {
		++*ret_column;
		if (*at == '\n') {
			++*ret_line;
			*ret_column = 1;
		}
	}
}

static char
peek(struct jsonr *r)
{
	while (r->at < r->end &&
	    (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
		r->at++;
	return r->failed || r->at == r->end ? '\0' : *r->at;
}

static bool
take(struct jsonr *r, char c)
{
	if (peek(r) != c || c == '\0')
		return false;
	r->at++;
	r->last = c;
	return true;
}

static char
text_kind(struct jsonr *r)
{
	char c = peek(r);
	return c == '{' || c == '[' || c == '"' ? c : '0';
}

static bool
text_enter(struct jsonr *r, char bracket)
{
	return take(r, bracket);
}

/* The comma, unless it is the first. */
static bool
text_another(struct jsonr *r, char bracket)
{
	bool first = r->last == bracket;
	if (take(r, bracket == '{' ? '}' : ']'))
		return false;
	if (!first && !take(r, ','))
		return jsonr_fail(r, "expected a comma or a closing bracket");
	r->last = ',';
	return !r->failed;
}

static int
hex4(const char *s)
{
	int n = 0;
	for (int i = 0; i < 4; i++) {
		char c = s[i];
		int digit = c >= '0' && c <= '9' ? c - '0'
		    : c >= 'a' && c <= 'f'	 ? c - 'a' + 10
		    : c >= 'A' && c <= 'F'	 ? c - 'A' + 10
						 : -1;
		if (digit < 0)
			return -1;
		n = n * 16 + digit;
	}
	return n;
}

static void
add_utf8(struct buf *out, int c)
{
	if (c < 0x80) {
		buf_addc(out, (char)c);
	} else if (c < 0x800) {
		buf_addc(out, (char)(0xc0 | c >> 6));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_addc(out, (char)(c < 0x10000 ? 0xe0 | c >> 12 : 0xf0 | c >> 18));
		if (c >= 0x10000)
			buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* Behind a backslash. */
static bool
escape(struct jsonr *r)
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	char c = r->at < r->end ? *r->at++ : '\0';
	const char *simple = c != '\0' ? strchr(names, c) : NULL;
	if (simple != NULL) {
		buf_addc(&r->word, meant[simple - names]);
		return true;
	}
	int unit = c == 'u' && r->end - r->at >= 4 ? hex4(r->at) : -1;
	if (unit <= 0)
		return jsonr_fail(r, "escape that is none");
	r->at += 4;
	if (unit >= 0xd800 && unit < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' &&
	    r->at[1] == 'u') {
		int low = hex4(r->at + 2);
		if (low >= 0xdc00 && low < 0xe000) {
			r->at += 6;
			unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	if (unit >= 0xd800 && unit < 0xe000)
		return jsonr_fail(r, "half a surrogate pair");
	add_utf8(&r->word, unit);
	return true;
}

static bool
text_string(struct jsonr *r)
{
	if (!take(r, '"'))
		return jsonr_fail(r, "expected a string");
	buf_clear(&r->word);
	buf_reserve(&r->word, 1);
	r->word.data[0] = '\0';
	while (r->at < r->end && *r->at != '"') {
		char c = *r->at++;
		if ((unsigned char)c < 0x20)
			return jsonr_fail(r, "control character in a string");
		if (c != '\\')
			buf_addc(&r->word, c);
		else if (!escape(r))
			return false;
	}
	if (r->at == r->end)
		return jsonr_fail(r, "string without end");
	r->at++;
	r->last = '"';
	return true;
}

static bool
text_key(struct jsonr *r)
{
	if (!text_string(r))
		return false;
	if (!take(r, ':'))
		return jsonr_fail(r, "expected a colon");
	return true;
}

static bool
take_word(struct jsonr *r, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
		return false;
	r->at += len;
	return true;
}

static double
literal(struct jsonr *r)
{
	if (take_word(r, "NaN"))
		return __builtin_nan("");
	if (take_word(r, "Infinity"))
		return __builtin_inf();
	if (take_word(r, "-Infinity"))
		return -__builtin_inf();
	if (take_word(r, "true"))
		return 1;
	if (take_word(r, "false"))
		return 0;
	jsonr_fail(r, "expected a number");
	return 0;
}

static bool
text_null(struct jsonr *r)
{
	bool null = peek(r) == 'n' && take_word(r, "null");
	r->last = '0';
	return null;
}

static double
text_number(struct jsonr *r, bool float32)
{
	char c = peek(r);
	r->last = '0';
	if (!((c >= '0' && c <= '9') || (c == '-' && r->at + 1 < r->end && r->at[1] != 'I')))
		return literal(r);
	size_t len = strspn(r->at, "+-.0123456789eE");
	/* Copied, so that strtod sees these characters only ("0x1" is a 0 and a mistake). */
	char number[NUMBER_LEN_MAX + 1], *after;
	if (len > NUMBER_LEN_MAX || len > (size_t)(r->end - r->at)) {
		jsonr_fail(r, "number without end");
		return 0;
	}
	memcpy(number, r->at, len);
	number[len] = '\0';
	double value = float32 ? (double)strtof(number, &after) : strtod(number, &after);
	if (after != number + len)
		jsonr_fail(r, "expected a number");
	else if (value - value != 0) /* infinity has a word of its own */
		jsonr_fail(r, float32 ? "number beyond float32" : "number beyond double");
	r->at += len;
	return value;
}

const struct jsonr_form jsonr_text = { .kind = text_kind,
	.enter = text_enter,
	.another = text_another,
	.key = text_key,
	.string = text_string,
	.number = text_number,
	.null = text_null,
	.where = text_where };

/* ---- both ---- */

void
jsonr_init(struct jsonr *r, const struct jsonr_form *form, const char *text, size_t len,
    const char *name, struct err *err)
{
	*r = (struct jsonr){
		.form = form, .text = text, .at = text, .end = text + len, .name = name, .err = err
	};
}

void
jsonr_done(struct jsonr *r)
{
	buf_done(&r->word);
}

bool
jsonr_fail(struct jsonr *r, const char *what)
{
	int line, column;
	if (r->failed)
		return false;
	r->failed = true;
	r->form->where(r, &line, &column);
	if (line > 0)
		err_at(r->err, AISLE_E_INVALID, r->name, line, column, "%s", what);
	else
		err_at(r->err, AISLE_E_INVALID, r->name, 0, 0, "byte %d: %s", column, what);
	return false;
}

bool
jsonr_enter(struct jsonr *r, char bracket)
{
	if (!r->failed && r->form->enter(r, bracket))
		return true;
	return jsonr_fail(r, bracket == '{' ? "expected an object" : "expected an array");
}

bool
jsonr_item(struct jsonr *r)
{
	return !r->failed && r->form->another(r, '[');
}

bool
jsonr_key(struct jsonr *r)
{
	return !r->failed && r->form->another(r, '{') && r->form->key(r);
}

bool
jsonr_string(struct jsonr *r)
{
	return !r->failed && r->form->string(r);
}

double
jsonr_number(struct jsonr *r, bool float32)
{
	return r->failed ? 0 : r->form->number(r, float32);
}

bool
jsonr_is(const struct jsonr *r, const char *key)
{
	return r->word.data != NULL && strcmp(r->word.data, key) == 0;
}

int
jsonr_pick(struct jsonr *r, const char *const *names, size_t count, uint32_t *seen)
{
	CHECK(count <= 32);
	for (size_t i = 0; i < count; i++) {
		if (!jsonr_is(r, names[i]))
			continue;
		if ((*seen >> i & 1) != 0) {
			char what[80];
			snprintf(what, sizeof(what), "\"%s\" is there twice", names[i]);
			jsonr_fail(r, what);
			return -1;
		}
		*seen |= UINT32_C(1) << i;
		return (int)i;
	}
	return -1;
}

void
jsonr_numbers(struct jsonr *r, bool float32, size_t max, struct numbers *ret)
{
	ret->count = 0;
	if (!jsonr_enter(r, '['))
		return;
	while (jsonr_item(r)) {
		if (ret->count == max) {
			jsonr_fail(r, "array too long");
			return;
		}
		ret->at = mem_grow(ret->at, ret->count, &ret->cap, sizeof(*ret->at));
		ret->at[ret->count++] = jsonr_number(r, float32);
	}
}

/* One string, number or word. */
static void
skip_scalar(struct jsonr *r)
{
	if (r->form->kind(r) == '"')
		jsonr_string(r);
	else if (!r->form->null(r))
		jsonr_number(r, false);
	r->last = '0';
}

void
jsonr_skip(struct jsonr *r)
{
	char open[SKIP_DEPTH_MAX];
	int depth = 0;
	if (r->failed)
		return;
	do {
		char c = r->form->kind(r);
		if (c == '{' || c == '[') {
			if (depth == SKIP_DEPTH_MAX) {
				jsonr_fail(r, "nested too deep");
				return;
			}
			open[depth++] = c;
			jsonr_enter(r, c);
		} else {
			skip_scalar(r);
		}
		/* Closes all that ends here, or goes on to the next member or item. */
		while (depth > 0 && !r->failed &&
		    !(open[depth - 1] == '{' ? jsonr_key(r) : jsonr_item(r)))
			depth--;
	} while (depth > 0 && !r->failed);
}

void
jsonr_end(struct jsonr *r)
{
	if (r->failed)
		return;
	if (r->form == &jsonr_text && peek(r) == '\0' && r->at != r->end)
		jsonr_fail(r, "zero byte");
	else if (r->at != r->end)
		jsonr_fail(r, "bytes behind the end");
}
