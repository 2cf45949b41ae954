/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json.c - what is JSON and what is not, where things are, and the text written back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"

#include "random_fixture.h"

static json_t *
read_text(const char *text)
{
	struct err err = { 0 };
	json_t *json = json_read(text, strlen(text), "t", &err);
	assert_int_equal(json == NULL, err.code == AISLE_E_INVALID);
	return json;
}

static void
strict_json_is_read(void **state)
{
	(void)state;
	static const char *const good[] = { "{}",
		" [1, 2.5, -3e2, \"\\u00e9\", true, false, null] ", "5", "\"x\"",
		"{\"a\":{\"a\":1}}", "\"]}[{\\\"\"" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		json_t *json = read_text(good[i]);
		assert_non_null(json);
		json_decref(json);
	}
}

static void
what_is_not_strict_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", " ", "{", "{}x", "{} {}", "{\"a\":1,\"a\":2}",
		"[1,]", "{\"a\":1,}", "NaN", "[Infinity]", "'a'", "{a:1}", "\"\xff\"",
		"\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "01", "1e999", "99999999999999999999",
		"\"\\u0000\"", "[1 2]", "\"\n\"", "// x\n1", "]" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (read_text(bad[i]) != NULL)
			fail_msg("%s was read", bad[i]);
	}
	struct err err = { 0 };
	assert_null(json_read("{}\0", 3, "t", &err));
	struct err none = { 0 };
	assert_null(json_read(NULL, 0, "t", &none));
	assert_string_equal(none.text, "unexpected token near end of file");
}

/* Our own reading of RFC 8259, with our bounds: what both readers together must take, and no more. */
struct grammar {
	const char *at, *end;
	int depth;
	bool unsure; /* a number that may not fit, a name that may be there twice */
};

static bool grammar_value(struct grammar *g);

static bool
grammar_is(struct grammar *g, char c)
{
	if (g->at == g->end || *g->at != c)
		return false;
	g->at++;
	return true;
}

static void
grammar_space(struct grammar *g)
{
	while (g->at < g->end && memchr(" \t\n\r", *g->at, 4) != NULL)
		g->at++;
}

static int
grammar_hex4(struct grammar *g)
{
	int value = 0;

	for (int i = 0; i < 4; i++, g->at++) {
		if (g->at == g->end || memchr("0123456789abcdefABCDEF", *g->at, 22) == NULL)
			return -1;
		value = value * 16 + (*g->at <= '9' ? *g->at - '0' : (*g->at | 0x20) - 'a' + 10);
	}
	return value;
}

static bool
grammar_escape(struct grammar *g)
{
	int high, low;

	if (g->at == g->end)
		return false;
	if (*g->at++ != 'u')
		return memchr("\"\\/bfnrt", g->at[-1], 8) != NULL;
	high = grammar_hex4(g);
	if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff))
		return false;
	if (high < 0xd800 || high > 0xdbff)
		return true;
	if (!grammar_is(g, '\\') || !grammar_is(g, 'u'))
		return false;
	low = grammar_hex4(g);
	return low >= 0xdc00 && low <= 0xdfff;
}

/* One UTF-8 sequence beyond ASCII (Unicode, table 3-7). */
static bool
grammar_utf8(struct grammar *g)
{
	unsigned char a = (unsigned char)*g->at++, low = 0x80, high = 0xbf;
	int more = a >= 0xc2 && a <= 0xdf ? 1
	    : a >= 0xe0 && a <= 0xef	  ? 2
	    : a >= 0xf0 && a <= 0xf4	  ? 3
					  : 0;

	if (a == 0xe0 || a == 0xf0)
		low = a == 0xe0 ? 0xa0 : 0x90;
	if (a == 0xed || a == 0xf4)
		high = a == 0xed ? 0x9f : 0x8f;
	for (int i = 0; i < more; i++, low = 0x80, high = 0xbf) {
		if (g->at == g->end || (unsigned char)*g->at < low || (unsigned char)*g->at > high)
			return false;
		g->at++;
	}
	return more > 0;
}

static bool
grammar_string(struct grammar *g)
{
	if (!grammar_is(g, '"'))
		return false;
	while (g->at < g->end && *g->at != '"') {
		if ((unsigned char)*g->at < 0x20)
			return false;
		if ((unsigned char)*g->at >= 0x80) {
			if (!grammar_utf8(g))
				return false;
		} else if (*g->at++ == '\\' && !grammar_escape(g)) {
			return false;
		}
	}
	return grammar_is(g, '"');
}

static size_t
grammar_digits(struct grammar *g)
{
	const char *from = g->at;

	while (g->at < g->end && *g->at >= '0' && *g->at <= '9')
		g->at++;
	return (size_t)(g->at - from);
}

static bool
grammar_number(struct grammar *g)
{
	const char *from = g->at;
	size_t digits;
	bool minus = grammar_is(g, '-');

	digits = grammar_digits(g);
	if (digits == 0 || (from[minus] == '0' && digits > 1))
		return false;
	g->unsure = g->unsure || digits > 18;
	if (grammar_is(g, '.') && grammar_digits(g) == 0)
		return false;
	if (g->at < g->end && (*g->at | 0x20) == 'e') {
		g->at++;
		if (!grammar_is(g, '+'))
			grammar_is(g, '-');
		digits = grammar_digits(g);
		g->unsure = g->unsure || digits > 2;
		return digits > 0;
	}
	return true;
}

static bool
grammar_members(struct grammar *g, char close)
{
	int count = 0;

	if (++g->depth > JSON_DEPTH_MAX)
		return false;
	g->at++;
	grammar_space(g);
	while (count > 0 || !grammar_is(g, close)) {
		grammar_space(g);
		if (close == '}') {
			if (!grammar_string(g))
				return false;
			grammar_space(g);
			if (!grammar_is(g, ':'))
				return false;
		}
		if (!grammar_value(g))
			return false;
		/* Twice the same name is for jansson to find. */
		g->unsure = g->unsure || (close == '}' && ++count > 1);
		if (grammar_is(g, close))
			break;
		if (!grammar_is(g, ','))
			return false;
		count++;
	}
	g->depth--;
	return true;
}

static bool
grammar_word(struct grammar *g, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(g->end - g->at) < len || memcmp(g->at, word, len) != 0)
		return false;
	g->at += len;
	return true;
}

static bool
grammar_value(struct grammar *g)
{
	static const char *const words[] = { "true", "false", "null" };
	bool ok = false;
	char first;

	grammar_space(g);
	if (g->at == g->end)
		return false;
	first = *g->at;
	if (first == '{' || first == '[')
		ok = grammar_members(g, first == '{' ? '}' : ']');
	else if (first == '"')
		ok = grammar_string(g);
	else if (first == '-' || (first >= '0' && first <= '9'))
		ok = grammar_number(g);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		ok = ok || (first == words[i][0] && grammar_word(g, words[i]));
	grammar_space(g);
	return ok;
}

/* Texts of the grammar's own pieces, most of them broken somewhere. */
static size_t
random_text(struct dice *dice, char *out, size_t size)
{
	static const struct {
		const char *text;
		size_t len;
	} pieces[] = { { "{", 1 }, { "}", 1 }, { "[", 1 }, { "]", 1 }, { "[", 1 }, { "]", 1 },
		{ ",", 1 }, { ":", 1 }, { "\"a\"", 3 }, { "\"b\":", 4 }, { "1", 1 }, { "-0", 2 },
		{ "0.5", 3 }, { "1e5", 3 }, { "1E-2", 4 }, { "12", 2 }, { "true", 4 },
		{ "null", 4 }, { " ", 1 }, { "\n", 1 }, { "\0", 1 }, { "\"\\u00e4\"", 8 },
		{ "\"\\ud83d\\ude00\"", 14 }, { "\"\\ud83d\"", 8 }, { "\"\xc3\xa4\"", 4 },
		{ "\"\xf0\x9f\x98\x80\"", 6 }, { "\"\xed\xa0\x80\"", 5 }, { "\f", 1 },
		{ "\"\\n\"", 4 }, { "\"\\u0000\"", 8 }, { ".", 1 }, { "+", 1 },
		{ "\xef\xbb\xbf", 3 } };
	size_t len = 0;

	for (uint64_t count = 1 + dice_below(dice, 9); count > 0; count--) {
		size_t i = dice_below(dice, ARRAY_LEN(pieces));

		if (len + pieces[i].len > size)
			break;
		memcpy(out + len, pieces[i].text, pieces[i].len);
		len += pieces[i].len;
	}
	return len;
}

static void
the_fast_reader_and_jansson_together_take_json_and_nothing_else(void **state)
{
	struct dice dice = { 11 };
	char text[160];
	int taken = 0;

	(void)state;
	for (int round = 0; round < 600000; round++) {
		size_t len = random_text(&dice, text, sizeof(text));
		struct grammar g = { .at = text, .end = text + len };
		bool right = grammar_value(&g) && g.at == g.end;
		struct err err = { 0 };
		json_t *json = json_read(text, len, "t", &err);

		if (right != (json != NULL) && !(right && g.unsure))
			fail_msg("%s: %.*s", right ? "refused" : "taken", (int)len, text);
		taken += json != NULL;
		json_decref(json);
	}
	assert_true(taken > 20000);
}

static void
a_nul_byte_is_no_json_wherever_it_stands(void **state)
{
	static const char text[] = " { \"a\" : [ 1 , 2.5 , true , null , \"x\" ] } ";
	char with[sizeof(text)];
	struct err err = { 0 };

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++) {
		memcpy(with, text, at);
		with[at] = '\0';
		memcpy(with + at + 1, text + at, sizeof(text) - 1 - at);
		if (json_read(with, sizeof(text), "t", &err) != NULL)
			fail_msg("taken with a NUL at %zu", at);
	}
	assert_null(json_read("[1\0]", 4, "t", &err));
	assert_null(json_read("1\0", 2, "t", &err));
}

static void
what_an_editor_puts_before_a_text_is_named(void **state)
{
	static const struct {
		const char *bytes, *said;
		size_t len;
	} cases[] = { { "\xef\xbb\xbf{}", "a byte-order mark before the text", 5 },
		{ "\xff\xfe{\0}\0", "UTF-16 text", 6 }, { "\xfe\xff\0{\0}", "UTF-16 text", 6 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };

		assert_null(json_read(cases[i].bytes, cases[i].len, "a.json", &err));
		assert_non_null(strstr(err.text, cases[i].said));
		assert_true(err.line == 1 && err.column == 1);
	}
}

static void
depth_is_bounded(void **state)
{
	(void)state;
	struct buf buf = { 0 };
	for (int depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
		buf_clear(&buf);
		for (int i = 0; i < depth; i++)
			buf_adds(&buf, i % 2 ? "[" : "{\"a\":");
		buf_adds(&buf, depth % 2 ? "1" : "1");
		for (int i = depth; i-- > 0;)
			buf_adds(&buf, i % 2 ? "]" : "}");
		json_t *json = read_text(buf.data);
		assert_int_equal(json != NULL, depth == JSON_DEPTH_MAX);
		json_decref(json);
	}
	buf_clear(&buf);
	for (int i = 0; i < 1000000; i++)
		buf_addc(&buf, '[');
	assert_null(read_text(buf.data));
	buf_done(&buf);
}

static void
a_mistake_is_named_with_its_place(void **state)
{
	(void)state;
	struct err err = { 0 };
	char text[600];
	assert_null(json_read("{\n  \"a\": oops\n}", 15, "a.json", &err));
	err_format(&err, text, sizeof(text));
	assert_memory_equal(text, "a.json:2:", 9);
	assert_int_equal(err.line, 2);
}

static void
a_pointer_finds_line_and_column(void **state)
{
	(void)state;
	static const char text[] = "{\n \"actions\": [\n  {\"id\": \"a\"},\n  {\"id\": \"ü\", "
				   "\"m/n\": 3, \"t~\": {\"\\u0065\": [1,2]}}\n ],\n \"\": 1}";
	static const struct {
		const char *pointer;
		int line, column;
	} rows[] = { { "", 1, 1 }, { "/actions", 2, 2 }, { "/actions/0", 3, 3 },
		{ "/actions/1/id", 4, 4 }, { "/actions/1/m~1n", 4, 15 },
		{ "/actions/1/t~0", 4, 25 }, { "/actions/1/t~0/e", 4, 32 },
		{ "/actions/1/t~0/e/1", 4, 45 }, { "/", 6, 2 } };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int line = 0, column = 0;
		if (!json_locate(text, strlen(text), rows[i].pointer, &line, &column))
			fail_msg("%s not found", rows[i].pointer);
		assert_int_equal(line, rows[i].line);
		assert_int_equal(column, rows[i].column);
	}
	static const char *const none[] = { "/no", "/actions/2", "/actions/x", "/actions/0/id/more",
		"actions", "/actions/-1", "/actions/", "/actions/1/t~0/e/2" };
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		int line = 0, column = 0;
		assert_false(json_locate(text, strlen(text), none[i], &line, &column));
		assert_int_equal(line, 0);
	}
}

static void
canonical_text_sorts_and_written_text_does_not(void **state)
{
	(void)state;
	json_t *json = read_text("{ \"b\" : [1.0, 0.1, -0.0, true, null], \"a\" : "
				 "{\"z\":\"\\u00e9\\n\", \"Z\":1} }");
	struct buf buf = { 0 };
	json_canonical(json, &buf);
	assert_string_equal(buf.data,
	    "{\"a\":{\"Z\":1,\"z\":\"é\\n\"},\"b\":[1,0.10000000000000001,0,true,null]}");
	buf_clear(&buf);
	json_write(json, &buf);
	assert_string_equal(buf.data,
	    "{\"b\":[1,0.10000000000000001,0,true,null],\"a\":{\"z\":\"é\\n\",\"Z\":1}}");
	json_decref(json);
	buf_clear(&buf);
	/* More members than fit on the stack. */
	json = json_object();
	for (int i = 99; i >= 10; i--) {
		char key[4];
		snprintf(key, sizeof(key), "%d", i);
		json_object_set_new(json, key, json_integer(i));
	}
	json_canonical(json, &buf);
	assert_memory_equal(buf.data, "{\"10\":10,\"11\":11,", 17);
	json_decref(json);
	buf_done(&buf);
}

static void
only_an_integer_token_is_an_integer(void **state)
{
	(void)state;
	int64_t n = 7;
	json_t *yes = read_text("-9223372036854775808"), *no = read_text("5.0"),
	       *text = read_text("\"5\"");
	assert_true(json_int(yes, &n) && n == INT64_MIN);
	assert_false(json_int(no, &n));
	assert_false(json_int(text, &n));
	assert_false(json_int(NULL, &n));
	assert_true(n == INT64_MIN);
	json_decref(yes);
	json_decref(no);
	json_decref(text);
}

/* The cases of RFC 7396, appendix A. */
static void
merge_patch_is_rfc_7396(void **state)
{
	(void)state;
	static const char *const rows[][3] = {
		{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
		{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
		{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
		    "{\"a\":{\"b\":\"d\"}}" },
		{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
		{ "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" },
		{ "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
		{ "{\"a\":\"foo\"}", "null", "null" },
		{ "{\"a\":\"foo\"}", "\"bar\"", "\"bar\"" },
		{ "{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}" },
		{ "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
		{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *target = read_text(rows[i][0]), *patch = read_text(rows[i][1]);
		json_t *result = json_merge_patch(target, patch);
		struct buf text = { 0 };
		json_canonical(result, &text);
		assert_string_equal(text.data, rows[i][2]);
		/* What went in is as it was. */
		buf_clear(&text);
		json_write(target, &text);
		assert_string_equal(text.data, rows[i][0]);
		buf_done(&text);
		json_decref(target);
		json_decref(patch);
		json_decref(result);
	}
}

static void
a_file_is_read_up_to_its_bound(void **state)
{
	(void)state;
	char path[] = "/tmp/aisle-json-XXXXXX";
	int fd = mkstemp(path);
	assert_int_equal(write(fd, "[1,2,3]", 7), 7);
	close(fd);
	struct err err = { 0 };
	json_t *json = json_read_file(path, 7, &err);
	assert_non_null(json);
	json_decref(json);
	assert_null(json_read_file(path, 6, &err));
	assert_int_equal(err.code, AISLE_E_INVALID);
	struct err gone = { 0 };
	unlink(path);
	assert_null(json_read_file(path, 7, &gone));
	assert_int_equal(gone.code, AISLE_E_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict_json_is_read),
		cmocka_unit_test(what_is_not_strict_is_refused),
		cmocka_unit_test(the_fast_reader_and_jansson_together_take_json_and_nothing_else),
		cmocka_unit_test(a_nul_byte_is_no_json_wherever_it_stands),
		cmocka_unit_test(what_an_editor_puts_before_a_text_is_named),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(a_mistake_is_named_with_its_place),
		cmocka_unit_test(a_pointer_finds_line_and_column),
		cmocka_unit_test(canonical_text_sorts_and_written_text_does_not),
		cmocka_unit_test(only_an_integer_token_is_an_integer),
		cmocka_unit_test(merge_patch_is_rfc_7396),
		cmocka_unit_test(a_file_is_read_up_to_its_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
