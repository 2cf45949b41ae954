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
