/* SPDX-License-Identifier: Apache-2.0
 *
 * test_logic.c - JsonLogic: the classic suite, JavaScript's corners, and the policy's missing
 * values.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logic/logic.h"

#define SUITE "tests/data/jsonlogic/tests.json"

static json_t *
parse(const char *text)
{
	struct err err = { 0 };
	json_t *json = json_read(text, strlen(text), "test", &err);
	if (json == NULL)
		fail_msg("%s: %s", text, err.text);
	return json;
}

/* ---- over JSON ---- */

static json_t *
evaluate(const json_t *rule, json_t *data)
{
	struct logic *logic = NULL;
	struct err err = { 0 };
	json_t *result = NULL;
	if (logic_compile(rule, NULL, NULL, &logic, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(logic_run_json(logic, data, &result), LOGIC_OK);
	logic_free(logic);
	return result;
}

/* Types and values: 1 and 1.0 are the same number, all else must match. */
static bool
same(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	if (json_is_array(a) && json_is_array(b)) {
		bool equal = json_array_size(a) == json_array_size(b);
		for (size_t i = 0; equal && i < json_array_size(a); i++)
			equal = same(json_array_get(a, i), json_array_get(b, i));
		return equal;
	}
	return json_equal(a, b);
}

static void
expect_json(const char *rule, const char *data, const char *expected)
{
	json_t *r = parse(rule), *d = parse(data), *e = parse(expected), *have = evaluate(r, d);
	if (!same(have, e)) {
		char *text = json_dumps(have, JSON_ENCODE_ANY);
		fail_msg("%s over %s: %s, expected %s", rule, data, text, expected);
	}
	json_decref(r);
	json_decref(d);
	json_decref(e);
	json_decref(have);
}

/* ---- of a mapping ---- */

static void
expect_mapped(const char *rule, const char *expected)
{
	json_t *whole = parse("{\"shop\":{\"id\":7},\"rows\":[{\"n\":1,\"x\":\"a\"},{\"n\":2}]}");
	json_t *r = parse(rule), *e = parse(expected), *have = NULL;
	struct logic *logic = NULL;
	struct err err = { 0 };

	if (logic_compile_mapping(r, &logic, &err) < 0)
		fail_msg("%s", err.text);
	struct logic_around around = { whole, 3, json_object_get(whole, "shop") };
	json_t *data = json_array_get(json_object_get(whole, "rows"), 0);
	assert_int_equal(logic_run_around(logic, data, &around, &have), LOGIC_OK);
	if (!same(have, e)) {
		char *text = json_dumps(have, JSON_ENCODE_ANY);
		fail_msg("%s: %s, expected %s", rule, text, expected);
	}
	logic_free(logic);
	json_decref(whole);
	json_decref(r);
	json_decref(e);
	json_decref(have);
}

static void
a_mapping_reads_numbers_as_people_write_them(void **state)
{
	static const char *const numbers[][2] = {
		{ "\"1,99\"", "1.99" },
		{ "\"EUR 1.99\"", "1.99" },
		{ "\"1.990\"", "1.99" },
		{ "\"1.234,50\"", "1234.5" },
		{ "\"1,234.50 USD\"", "1234.5" },
		{ "\"1 234,50 \xe2\x82\xac\"", "1234.5" },
		{ "\"1\xc2\xa0"
		  "234,5\"",
		    "1234.5" },
		{ "\"1'234.50\"", "1234.5" },
		{ "\"1,99 kr.\"", "1.99" },
		{ "\"$.50\"", "0.5" },
		{ "\" .5\"", "0.5" },
		{ "\".\"", "null" },
		{ "\"-,5\"", "-0.5" },
		{ "\"Rs.500\"", "500" },
		{ "\"S/.20\"", "20" },
		{ "\"Fr.1'200.50\"", "1200.5" },
		{ "\"kr.-20\"", "-20" },
		{ "\"1.234.567\"", "1234567" },
		{ "\"1,234,567\"", "1234567" },
		{ "\"1.234.567,5\"", "1234567.5" },
		{ "\"-1,99\"", "-1.99" },
		{ "\"EUR -1,99\"", "-1.99" },
		{ "\"\xe2\x88\x92"
		  "2\"",
		    "-2" },
		{ "\"1,99-\"", "-1.99" },
		{ "\"A-B 7\"", "7" },
		{ "\"007\"", "7" },
		{ "12", "12" },
		{ "1.5", "1.5" },
		{ "\"\"", "null" },
		{ "\"EUR\"", "null" },
		{ "\"2 x 1,99\"", "null" },
		{ "\"1-2\"", "null" },
		{ "null", "null" },
		{ "true", "null" },
		{ "\"123456789012345678901234567890\"", "1.2345678901234568e29" },
		{ "\"1234567890123456789012345678901234567\"", "null" },
	};
	char rule[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		snprintf(rule, sizeof(rule), "{\"number\":[%s]}", numbers[i][0]);
		expect_mapped(rule, numbers[i][1]);
	}
}

static void
a_mapping_rounds_replaces_and_makes_objects(void **state)
{
	(void)state;
	expect_mapped("{\"round\":[1.005,2]}", "1.01");
	expect_mapped("{\"round\":[{\"*\":[3,4.35]},2]}", "13.05");
	expect_mapped("{\"round\":[-1.005,2]}", "-1.01");
	expect_mapped("{\"round\":[2.5]}", "3");
	expect_mapped("{\"round\":[\"1.2345\",3]}", "1.235");
	expect_mapped("{\"round\":[null,2]}", "null");
	expect_mapped("{\"round\":[1.26,-1]}", "1.26");
	expect_mapped("{\"replace\":[\"a-b-c\",\"-\",\"--\"]}", "\"a--b--c\"");
	expect_mapped("{\"replace\":[\"aaa\",\"aa\",\"b\"]}", "\"ba\"");
	expect_mapped("{\"replace\":[\"abc\",\"\",\"x\"]}", "\"abc\"");
	expect_mapped("{\"replace\":[1.5,\".\",\",\"]}", "\"1,5\"");
	expect_mapped("{\"replace\":[{\"var\":\"none\"},\"a\",\"b\"]}", "null");
	expect_mapped("{\"object\":[\"a\",1,\"b\",{\"object\":[\"c\",[{\"var\":\"n\"}]]}]}",
	    "{\"a\":1,\"b\":{\"c\":[1]}}");
	expect_mapped("{\"object\":[]}", "{}");
	expect_mapped("{\"map\":[{\"var\":\"$.rows\"},{\"object\":[\"k\",{\"var\":\"n\"}]}]}",
	    "[{\"k\":1},{\"k\":2}]");
	expect_mapped("{\"map\":[[{\"object\":[\"k\",9]}],{\"var\":\"k\"}]}", "[9]");
	expect_mapped("{\"!!\":{\"object\":[]}}", "true");
}

static void
a_mapping_looks_around_from_everywhere(void **state)
{
	(void)state;
	expect_mapped("{\"var\":\"x\"}", "\"a\"");
	expect_mapped("{\"var\":\"$.shop.id\"}", "7");
	expect_mapped("{\"var\":\"$.rows.1.n\"}", "2");
	expect_mapped("{\"var\":\"$i\"}", "3");
	expect_mapped("{\"var\":\"$id\"}", "7");
	expect_mapped("{\"var\":[\"$none\",1]}", "1");
	expect_mapped("{\"var\":[\"$.shop.none\",5]}", "5");
	expect_mapped("{\"var\":{\"cat\":[\"$.shop\",\".id\"]}}", "7");
	expect_mapped("{\"map\":[[1],{\"cat\":[{\"var\":\"\"},\"/\",{\"var\":\"$.shop.id\"},\"/\","
		      "{\"var\":\"$i\"}]}]}",
	    "[\"1/7/3\"]");
	expect_mapped("{\"missing\":[\"x\",\"$.shop.id\",\"$.no\"]}", "[\"$.no\"]");
	/* and is the name of a member everywhere else */
	expect_json("{\"var\":\"$.a\"}", "{\"$\":{\"a\":1}}", "1");
}

static void
the_operators_of_a_mapping_are_no_others(void **state)
{
	static const char *const rules[] = { "{\"number\":1}", "{\"round\":[1,2]}",
		"{\"replace\":[1,2,3]}", "{\"object\":[]}" };
	struct logic *logic = NULL;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		json_t *rule = parse(rules[i]);

		assert_int_not_equal(logic_compile(rule, NULL, NULL, &logic, &err), 0);
		assert_non_null(strstr(err.text, "unknown operator"));
		json_decref(rule);
	}
	memset(&err, 0, sizeof(err));
	json_t *odd = parse("{\"object\":[\"a\",1,\"b\"]}");
	assert_int_not_equal(logic_compile_mapping(odd, &logic, &err), 0);
	assert_non_null(strstr(err.text, "a value behind each name"));
	json_decref(odd);
}

/* 64 KiB in which each letter becomes 64 KiB would be 4 GiB. */
static void
what_a_replacement_grows_to_is_bounded(void **state)
{
	size_t size = 64 << 10;
	char *text = malloc(size + 1);
	json_t *result = NULL, *rule;
	struct logic *logic = NULL;
	struct err err = { 0 };

	(void)state;
	memset(text, 'a', size);
	text[size] = '\0';
	rule = json_pack("{s:[s,s,s]}", "replace", text, "a", text);
	assert_int_equal(logic_compile_mapping(rule, &logic, &err), 0);
	struct logic_around around = { json_null(), -1, NULL };
	assert_int_equal(logic_run_around(logic, json_null(), &around, &result), LOGIC_LIMIT);
	logic_free(logic);
	json_decref(rule);
	free(text);
}

static void
the_classic_suite_passes_in_full(void **state)
{
	(void)state;
	struct err err = { 0 };
	json_t *suite = json_read_file(SUITE, 1 << 20, &err);
	if (suite == NULL)
		fail_msg("%s", err.text);
	size_t cases = 0, i;
	json_t *entry;
	json_array_foreach(suite, i, entry) {
		if (json_is_string(entry))
			continue;
		json_t *have = evaluate(json_array_get(entry, 0), json_array_get(entry, 1));
		if (!same(have, json_array_get(entry, 2))) {
			char *text = json_dumps(entry, JSON_ENCODE_ANY);
			fail_msg("%s", text);
		}
		json_decref(have);
		cases++;
	}
	assert_int_equal(cases, 275);
	json_decref(suite);
}

static void
numbers_become_text_as_in_javascript(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{ "1.5", "\"1.5\"" },
		{ "1e21", "\"1e+21\"" },
		{ "1e20", "\"100000000000000000000\"" },
		{ "123456789012345680000", "\"123456789012345680000\"" },
		{ "-0.0", "\"0\"" },
		{ "0.000001", "\"0.000001\"" },
		{ "0.0000001", "\"1e-7\"" },
		{ "1.7976931348623157e308", "\"1.7976931348623157e+308\"" },
		{ "5e-324", "\"5e-324\"" },
		{ "0.1", "\"0.1\"" },
		{ "100", "\"100\"" },
		{ "-42.25", "\"-42.25\"" },
		{ "5.684341886080802e-14",
		    "\"5.684341886080802e-14\"" }, /* 2^-44: the upper neighbour is shortest */
		{ "1.2345678901234566e-7", "\"1.2345678901234566e-7\"" },
		{ "true", "\"true\"" },
		{ "null", "\"\"" },
		{ "[1,[2,null],\"x\"]", "\"1,2,,x\"" },
		{ "{\"a\":1,\"b\":2}", "\"[object Object]\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		char rule[100];
		snprintf(rule, sizeof(rule), "{\"cat\":[{\"var\":\"x\"}]}");
		char data[100];
		snprintf(data, sizeof(data), "{\"x\":%s}",
		    strcmp(pairs[i][0], "123456789012345680000") == 0 ? "1.2345678901234568e20"
								      : pairs[i][0]);
		expect_json(rule, data, pairs[i][1]);
	}
}

static void
integers_beyond_two_to_the_53_pass_exactly(void **state)
{
	(void)state;
	expect_json("{\"var\":\"id\"}", "{\"id\":9007199254740993}", "9007199254740993");
	expect_json("{\"cat\":[\"t-\",{\"var\":\"id\"}]}", "{\"id\":1789234567890123457}",
	    "\"t-1789234567890123457\"");
	expect_json("{\"===\":[{\"var\":\"a\"},{\"var\":\"b\"}]}",
	    "{\"a\":9007199254740993,\"b\":9007199254740993}", "true");
	expect_json("{\"===\":[{\"var\":\"a\"},{\"var\":\"b\"}]}",
	    "{\"a\":9007199254740993,\"b\":9007199254740994}", "false");
	expect_json("{\"+\":[{\"var\":\"id\"},0]}", "{\"id\":4611686018427387904}",
	    "4.611686018427388e18");
}

static void
coercion_is_javascripts(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "{\"+\":[\"3px\",\"1\"]}", "4" },
		{ "{\"+\":[\"\",1]}", "null" },
		{ "{\"+\":[true]}", "null" },
		{ "{\"-\":[\"\"]}", "0" },
		{ "{\"-\":[true,null]}", "1" },
		{ "{\"-\":[\"3px\"]}", "null" },
		{ "{\"-\":[\"0x10\"]}", "-16" },
		{ "{\"+\":[\"0x10\"]}", "0" },
		{ "{\"*\":[\"3px\"]}", "\"3px\"" },
		{ "{\"-\":[\" \\u00a012 \",2]}", "10" },
		{ "{\"-\":[\"Infinity\",1]}", "null" },
		{ "{\"+\":[\".5\",\"5.\"]}", "5.5" },
		{ "{\"+\":[\"1e\",\"1e2\"]}", "101" },
		{ "{\"%\":[-7,3]}", "-1" },
		{ "{\"%\":[5.5,2]}", "1.5" },
		{ "{\"%\":[1e308,7.25]}", "2.5" },
		{ "{\"%\":[1,0]}", "null" },
		{ "{\"/\":[1,4]}", "0.25" },
		{ "{\"<\":[\"10\",\"9\"]}", "true" },
		{ "{\"<\":[10,\"9\"]}", "false" },
		{ "{\"<\":[null,1]}", "true" },
		{ "{\"<\":[\"a\",1]}", "false" },
		{ "{\">=\":[\"a\",1]}", "false" },
		{ "{\"<\":[1,2,2]}", "false" },
		{ "{\"<=\":[1,2,2]}", "true" },
		{ "{\">\":[3,2,99]}", "true" },
		{ "{\"<\":[[2],[10]]}", "false" },
		{ "{\"==\":[null,0]}", "false" },
		{ "{\"==\":[null]}", "true" },
		{ "{\"===\":[null]}", "false" },
		{ "{\"==\":[\"1\",1]}", "true" },
		{ "{\"==\":[true,\"1\"]}", "true" },
		{ "{\"==\":[[],\"\"]}", "true" },
		{ "{\"==\":[[],[]]}", "false" },
		{ "{\"==\":[[1],1]}", "true" },
		{ "{\"!!\":[\"0\"]}", "true" },
		{ "{\"!!\":[[]]}", "false" },
		{ "{\"!!\":[{}]}", "true" },
		{ "{\"!\":[]}", "true" },
		{ "{\"max\":[1,\"3\",2]}", "3" },
		{ "{\"max\":[]}", "null" },
		{ "{\"min\":[1,\"x\"]}", "null" },
		{ "{\"all\":[[],true]}", "false" },
		{ "{\"none\":[[],true]}", "true" },
		{ "{\"some\":[[],true]}", "false" },
		{ "{\"merge\":[1,[2,[3]],null]}", "[1,2,[3],null]" },
		{ "{\"in\":[1,\"213\"]}", "true" },
		{ "{\"in\":[\"1\",[1,2]]}", "false" },
		{ "{\"in\":[\"\",\"\"]}", "false" },
		{ "{\"in\":[1,1]}", "false" },
		{ "{\"substr\":[\"jsonlogic\",-5,-2]}", "\"log\"" },
		{ "{\"substr\":[\"jsonlogic\",1,-50]}", "\"\"" },
		{ "{\"substr\":[\"a\\ud83d\\ude00b\",1,2]}", "\"\\ud83d\\ude00\"" },
		{ "{\"substr\":[\"a\\ud83d\\ude00b\",1,1]}", "\"\\ufffd\"" },
		{ "{\"substr\":[12345,1,2]}", "\"23\"" },
		{ "{\"<\":[\"\\ud83d\\ude00\",\"\\uffee\"]}", "true" },
		{ "{\"log\":[7,8]}", "7" },
		{ "{\"if\":[]}", "null" },
		{ "{\"if\":[0,1]}", "null" },
		{ "{\"if\":[0,1,\"\",2,3]}", "3" },
		{ "{\"and\":[]}", "null" },
		{ "{\"and\":[1,\"\",2]}", "\"\"" },
		{ "{\"or\":[0,\"a\",2]}", "\"a\"" },
		{ "{}", "{}" },
		{ "{\"a\":1,\"b\":{\"var\":\"x\"}}", "{\"a\":1,\"b\":{\"var\":\"x\"}}" },
		{ "[{\"+\":[1,1]},3]", "[2,3]" },
		{ "{\"map\":[\"abc\",1]}", "[]" },
		{ "{\"reduce\":[[1,2],{\"+\":[{\"var\":\"current\"},{\"var\":\"accumulator\"}]}]}",
		    "null" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		expect_json(cases[i][0], "{}", cases[i][1]);
}

static void
variables_find_members_indices_and_lengths(void **state)
{
	(void)state;
	const char *data = "{\"a\":{\"b\":[10,{\"c\":null}]},\"z\":0,\"s\":\"hey\",\"e\":\"\"}";
	expect_json("{\"var\":\"a.b.0\"}", data, "10");
	expect_json("{\"var\":\"a.b.00\"}", data, "null");
	expect_json("{\"var\":[\"a.b.1.c\",5]}", data, "null");
	expect_json("{\"var\":[\"a.b.1.c.d\",5]}", data, "5");
	expect_json("{\"var\":[\"z\",5]}", data, "0");
	expect_json("{\"var\":\"a.b.length\"}", data, "2");
	expect_json("{\"var\":\"s.1\"}", data, "\"e\"");
	expect_json("{\"var\":\"s.constructor\"}", data, "null");
	expect_json("{\"var\":{\"cat\":[\"a.\",\"b.0\"]}}", data, "10");
	expect_json("{\"missing\":[\"z\",\"e\",\"q\",\"a.b.1.c\"]}", data,
	    "[\"e\",\"q\",\"a.b.1.c\"]");
	expect_json("{\"missing_some\":[1,[\"z\",\"q\"]]}", data, "[]");
	expect_json("{\"missing_some\":[2,[\"z\",\"q\"]]}", data, "[\"q\"]");
	expect_json("{\"map\":[{\"var\":\"a.b\"},{\"var\":\"z\"}]}", data, "[null,null]");
	expect_json("{\"reduce\":[[1,2],{\"var\":\"\"},0]}", data,
	    "{\"current\":2,\"accumulator\":{\"current\":1,\"accumulator\":0}}");
	expect_json("{\"map\":[[[1,2],[3]],{\"reduce\":[{\"var\":\"\"},{\"+\":[{\"var\":"
		    "\"current\"},{\"var\":\"accumulator\"}]},0]}]}",
	    data, "[3,3]");
}

/* ---- what does not compile ---- */

static void
expect_refused(const char *rule, logic_resolve_fn resolve, const char *text)
{
	struct logic *logic = NULL;
	struct err err = { 0 };
	json_t *json = parse(rule);
	assert_int_equal(logic_compile(json, resolve, NULL, &logic, &err), AISLE_E_INVALID);
	if (strcmp(err.text, text) != 0)
		fail_msg("%s: %s, expected %s", rule, err.text, text);
	json_decref(json);
}

static void
unknown_operators_are_named_with_their_place(void **state)
{
	(void)state;
	expect_refused("{\"and\":[true,{\"ins\":[1,[2]]}]}", NULL,
	    "/and/1/ins: unknown operator \"ins\"");
	expect_refused("{\"constructor\":[]}", NULL,
	    "/constructor: unknown operator \"constructor\"");
	expect_refused("{\"log.x\":[]}", NULL, "/log.x: unknown operator \"log.x\"");
	expect_refused("{\"*\":[]}", NULL, "/*: nothing to multiply, expected at least one value");
}

/* {"!":{"!": … 1}} with so many operators, JSON text in out. */
static void
nest(int levels, char *out)
{
	for (int i = 0; i < levels; i++)
		out += sprintf(out, "{\"!\":");
	out += sprintf(out, "1");
	for (int i = 0; i < levels; i++)
		out += sprintf(out, "}");
}

static void
depth_and_size_are_bounded(void **state)
{
	(void)state;
	char text[1000];
	struct logic *logic = NULL;
	nest(LOGIC_DEPTH_MAX, text);
	expect_json(text, "null", "true");
	nest(LOGIC_DEPTH_MAX + 1, text);
	json_t *rule = parse(text);
	struct err err = { 0 };
	assert_int_equal(logic_compile(rule, NULL, NULL, &logic, &err), AISLE_E_INVALID);
	assert_non_null(strstr(err.text, "nested too deep"));
	json_decref(rule);

	for (int extra = 0; extra < 2;
	     extra++) { /* the list is one, the operator one, each operand one */
		rule = json_pack("{s:[]}", "+");
		for (int i = 0; i < LOGIC_NODES_MAX - 1 + extra; i++)
			json_array_append_new(json_object_get(rule, "+"), json_integer(1));
		err = (struct err){ 0 };
		assert_int_equal(logic_compile(rule, NULL, NULL, &logic, &err),
		    extra == 0 ? 0 : AISLE_E_INVALID);
		if (extra == 0)
			logic_free(logic);
		json_decref(rule);
	}
}

static void
expect_limit(const char *rule, size_t elements)
{
	struct logic *logic = NULL;
	struct err err = { 0 };
	json_t *json = parse(rule), *data = json_array(), *result = NULL;
	for (size_t i = 0; i < elements; i++)
		json_array_append_new(data, json_integer((json_int_t)i));
	assert_int_equal(logic_compile(json, NULL, NULL, &logic, &err), 0);
	assert_int_equal(logic_run_json(logic, data, &result), LOGIC_LIMIT);
	assert_null(result);
	logic_free(logic);
	json_decref(json);
	json_decref(data);
}

static void
endless_work_ends_at_the_limit(void **state)
{
	(void)state;
	/* Quadratic, doubled text, doubled lists, lists inside of lists: all stop. */
	expect_limit("{\"map\":[{\"var\":\"\"},{\"map\":[{\"var\":\"\"},1]}]}", 100001);
	expect_limit("{\"reduce\":[{\"var\":\"\"},{\"cat\":[{\"var\":\"accumulator\"},{\"var\":"
		     "\"accumulator\"}]},\"x\"]}",
	    60);
	expect_limit("{\"reduce\":[{\"var\":\"\"},{\"merge\":[{\"var\":\"accumulator\"},{\"var\":"
		     "\"accumulator\"}]},[1]]}",
	    60);
	expect_limit("{\"reduce\":[{\"var\":\"\"},[{\"var\":\"accumulator\"},{\"var\":"
		     "\"accumulator\"}],1]}",
	    30);
	expect_limit("{\"cat\":[{\"reduce\":[{\"var\":\"\"},[{\"var\":\"accumulator\"},{\"var\":"
		     "\"accumulator\"}],1]}]}",
	    30);
	expect_limit("{\"reduce\":[{\"var\":\"\"},[{\"var\":\"accumulator\"}],1]}",
	    LOGIC_DEPTH_MAX + 1);
	expect_limit("{\"reduce\":[{\"var\":\"\"},{\"var\":\"\"},1]}", LOGIC_DEPTH_MAX + 1);
}

/* ---- over slots ---- */

static const char *const names[] = { "a", "b", "c", "tier", "gone", "gone2", "empty", "flag",
	"seg.x" };
static struct value slots[ARRAY_LEN(names)];
static int reads;

static int
resolve(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static struct value
slot(void *ctx, unsigned n)
{
	(void)ctx;
	assert_true(n < ARRAY_LEN(names));
	reads++;
	return slots[n];
}

static void
set_slots(void)
{
	slots[0] = value_number(5);
	slots[1] = value_number(0);
	slots[2] = value_number(2.5);
	slots[3] = value_string("gold");
	slots[4] = slots[5] = value_missing();
	slots[6] = value_string("");
	slots[7] = value_bool(true);
	slots[8] = value_number(1);
}

/* 1 truthy, 0 falsy, -1 unknown; *ret_value as it came out. */
static int
run_slots(const char *rule, struct arena *arena, struct value *ret_value, unsigned *ret_missing)
{
	struct logic *logic = NULL;
	struct err err = { 0 };
	json_t *json = parse(rule);
	if (logic_compile(json, resolve, NULL, &logic, &err) < 0)
		fail_msg("%s: %s", rule, err.text);
	json_decref(json);
	enum logic_result result = logic_run(logic, slot, NULL, arena, ret_value, ret_missing);
	int truth = result == LOGIC_UNKNOWN ? -1 : logic_truthy(ret_value);
	assert_int_not_equal(result, LOGIC_LIMIT);
	logic_free(logic);
	return truth;
}

static void
expect_slots(const char *rule, int expected)
{
	struct arena *arena = arena_new();
	struct value value;
	set_slots();
	int have = run_slots(rule, arena, &value, NULL);
	if (have != expected)
		fail_msg("%s: %d, expected %d", rule, have, expected);
	arena_free(arena);
}

static void
clauses_of_features_decide(void **state)
{
	(void)state;
	expect_slots("{\">\":[{\"var\":\"a\"},4]}", 1);
	expect_slots("{\">\":[{\"var\":\"a\"},5]}", 0);
	expect_slots("{\">=\":[{\"var\":\"a\"},5]}", 1);
	expect_slots("{\"<\":[4,{\"var\":\"a\"}]}", 1);
	expect_slots("{\"<\":[5,{\"var\":\"a\"}]}", 0);
	expect_slots("{\"<=\":[5,{\"var\":\"a\"}]}", 1);
	expect_slots("{\"<=\":[1,{\"var\":\"a\"},5]}", 1);
	expect_slots("{\"<\":[1,{\"var\":\"a\"},5]}", 0);
	expect_slots("{\"==\":[{\"var\":\"tier\"},\"gold\"]}", 1);
	expect_slots("{\"!=\":[\"gold\",{\"var\":\"tier\"}]}", 0);
	expect_slots("{\"==\":[{\"var\":\"a\"},\"5\"]}", 1);
	expect_slots("{\"===\":[{\"var\":\"a\"},\"5\"]}", 0);
	expect_slots("{\"in\":[{\"var\":\"tier\"},[\"silver\",\"gold\"]]}", 1);
	expect_slots("{\"in\":[{\"var\":\"tier\"},[\"silver\",\"golden\"]]}", 0);
	expect_slots("{\"in\":[{\"var\":\"a\"},[1,5]]}", 1);
	expect_slots("{\"in\":[{\"var\":\"tier\"},\"golden\"]}", 1);
	expect_slots("{\"!\":{\"var\":\"b\"}}", 1);
	expect_slots("{\"!!\":[{\"var\":\"flag\"}]}", 1);
	expect_slots("{\"var\":\"seg.x\"}", 1);
	expect_slots("{\"and\":[{\">\":[{\"var\":\"a\"},1]},{\"in\":[{\"var\":\"tier\"},[\"gold\"]]"
		     "},{\"==\":[{\"var\":\"b\"},0]},"
		     "{\"<\":[{\"var\":\"c\"},7]},{\"!\":{\"var\":\"empty\"}}]}",
	    1);
	expect_slots("{\"and\":[{\">\":[{\"var\":\"a\"},1]},{\"and\":[{\"==\":[{\"var\":\"b\"},1]},"
		     "{\"<\":[{\"var\":\"c\"},7]}]},true]}",
	    0);
	expect_slots("{\"or\":[{\">\":[{\"var\":\"a\"},9]},{\"and\":[{\"==\":[{\"var\":\"b\"},0]},{"
		     "\"<\":[{\"var\":\"c\"},7]}]}]}",
	    1);
	expect_slots("{\"if\":[{\">\":[{\"var\":\"a\"},9]},true,{\"<\":[{\"var\":\"a\"},9]},false,"
		     "true]}",
	    0);
	expect_slots("{\"some\":[[1,5],{\"==\":[{\"var\":\"\"},5]}]}", 1);
}

static void
values_come_out_as_they_are(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct value value;
	set_slots();
	run_slots("{\"if\":[{\">\":[{\"var\":\"a\"},1]},{\"*\":[{\"var\":\"a\"},{\"var\":\"c\"}]},"
		  "0]}",
	    arena, &value, NULL);
	assert_int_equal(value.tag, VALUE_NUMBER);
	assert_true(value.number == 12.5);
	run_slots("{\"cat\":[{\"var\":\"tier\"},\"-\",{\"var\":\"c\"}]}", arena, &value, NULL);
	assert_int_equal(value.tag, VALUE_STRING);
	assert_string_equal(value.str, "gold-2.5");
	run_slots("{\"and\":[{\"var\":\"a\"},{\"var\":\"tier\"}]}", arena, &value, NULL);
	assert_string_equal(value.str, "gold");
	run_slots("{\"or\":[{\"<\":[{\"var\":\"a\"},1]},{\"==\":[{\"var\":\"b\"},1]}]}", arena,
	    &value, NULL);
	assert_int_equal(value.tag, VALUE_BOOL);
	assert_false(value.truth);
	run_slots("null", arena, &value, NULL);
	assert_int_equal(value.tag, VALUE_NULL);
	run_slots("{\"missing\":[\"gone\"]}", arena, &value, NULL);
	assert_int_equal(value.tag, VALUE_BOOL); /* a computed list is its truth */
	assert_true(value.truth);
	arena_free(arena);
}

static void
a_missing_feature_makes_the_clause_unknown(void **state)
{
	(void)state;
	static const char *const unknown[] = {
		"{\"var\":\"gone\"}",
		"{\">\":[{\"var\":\"gone\"},1]}",
		"{\"==\":[{\"var\":\"gone\"},0]}",
		"{\"!=\":[{\"var\":\"gone\"},\"x\"]}",
		"{\"!\":{\"var\":\"gone\"}}",
		"{\"!!\":[{\"var\":\"gone\"}]}",
		"{\"in\":[{\"var\":\"gone\"},[1]]}",
		"{\"+\":[1,{\"var\":\"gone\"}]}",
		"{\"cat\":[{\"var\":\"gone\"}]}",
		"{\"==\":[{\"var\":\"gone\"},{\"var\":\"gone2\"}]}",
		"{\"==\":[{\"+\":[{\"var\":\"gone\"},1]},null]}",
		"{\"<\":[{\"var\":\"gone\"},null]}",
		"{\"and\":[{\"var\":\"a\"},{\"var\":\"gone\"}]}",
		"{\"or\":[{\"var\":\"b\"},{\"var\":\"gone\"},true]}",
		"{\"if\":[{\"var\":\"gone\"},1,2]}",
		"{\"var\":[\"gone\",{\"var\":\"gone2\"}]}",
		"{\"map\":[{\"var\":\"gone\"},1]}",
	};
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		expect_slots(unknown[i], -1);
}

static void
what_may_look_at_a_missing_feature(void **state)
{
	(void)state;
	expect_slots("{\"==\":[{\"var\":\"gone\"},null]}", 1);
	expect_slots("{\"===\":[null,{\"var\":\"gone\"}]}", 1);
	expect_slots("{\"!=\":[{\"var\":\"gone\"},null]}", 0);
	expect_slots("{\"!==\":[{\"var\":\"a\"},null]}", 1);
	expect_slots("{\"==\":[{\"var\":\"b\"},null]}", 0);
	expect_slots("{\"missing\":[\"a\",\"gone\"]}", 1);
	expect_slots("{\"missing\":[[\"a\",\"b\"]]}", 0);
	expect_slots("{\"missing\":\"empty\"}", 1);
	expect_slots("{\"!\":{\"missing\":[\"a\"]}}", 1);
	expect_slots("{\"missing_some\":[1,[\"gone\",\"a\"]]}", 0);
	expect_slots("{\"missing_some\":[2,[\"gone\",\"a\"]]}", 1);
	expect_slots("{\"==\":[{\"var\":[\"gone\",3]},3]}", 1);
	expect_slots("{\"==\":[{\"var\":[\"a\",3]},5]}", 1);
	expect_slots("{\"==\":[{\"var\":[\"gone\",null]},null]}", 1);
	expect_slots("{\"==\":[{\"var\":[\"a\",{\"var\":\"gone\"}]},5]}", 1);
}

static void
operands_run_from_left_to_right_only_as_far_as_they_decide(void **state)
{
	(void)state;
	expect_slots("{\"and\":[{\">\":[{\"var\":\"a\"},9]},{\"var\":\"gone\"}]}", 0);
	expect_slots("{\"and\":[{\"var\":\"gone\"},{\">\":[{\"var\":\"a\"},9]}]}", -1);
	expect_slots("{\"or\":[{\"<\":[{\"var\":\"a\"},9]},{\"var\":\"gone\"}]}", 1);
	expect_slots("{\"if\":[{\"<\":[{\"var\":\"a\"},9]},true,{\"var\":\"gone\"}]}", 1);
	expect_slots("{\"if\":[{\">\":[{\"var\":\"a\"},9]},{\"var\":\"gone\"},true]}", 1);
	expect_slots("{\"and\":[{\"!\":{\"missing\":[\"gone\"]}},{\">\":[{\"var\":\"gone\"},1]}]}",
	    0);

	struct arena *arena = arena_new();
	struct value value;
	reads = 0;
	run_slots("{\"and\":[{\"==\":[{\"var\":\"a\"},1]},{\"var\":\"b\"},{\"var\":\"c\"}]}", arena,
	    &value, NULL);
	assert_int_equal(reads, 1);
	arena_free(arena);
}

static void
the_slot_that_was_missing_is_named(void **state)
{
	(void)state;
	struct arena *arena = arena_new();
	struct value value;
	unsigned missing = 99;
	set_slots();
	assert_int_equal(run_slots("{\"and\":[{\"var\":\"a\"},{\"<\":[{\"var\":\"gone2\"},1]}]}",
			     arena, &value, &missing),
	    -1);
	assert_int_equal(missing, 5);
	arena_free(arena);
}

static void
policies_refuse_what_cannot_be_resolved(void **state)
{
	(void)state;
	expect_refused("{\"==\":[{\"var\":\"teir\"},1]}", resolve,
	    "/==: no such feature: \"teir\"");
	expect_refused("{\"and\":[1,{\"var\":\"seg\"}]}", resolve,
	    "/and/1/var: no such feature: \"seg\"");
	expect_refused("{\"var\":{\"cat\":[\"a\"]}}", resolve,
	    "/var: computed name, expected the name of a feature");
	expect_refused("{\"var\":\"\"}", resolve,
	    "/var: all of the data, expected the name of a feature");
	expect_refused("{\"missing\":[\"a\",\"b2\"]}", resolve,
	    "/missing: no such feature: \"b2\"");
	expect_refused("{\"missing\":{\"merge\":[\"a\"]}}", resolve,
	    "/missing: computed name, expected names of features");
	expect_refused("{\"missing_some\":[\"1\",[\"a\"]]}", resolve,
	    "/missing_some: expected a number and a list of names");
}

static void
count_slot(void *ctx, unsigned n)
{
	((int *)ctx)[n]++;
}

static void
every_slot_is_listed_once(void **state)
{
	(void)state;
	struct logic *logic = NULL;
	struct err err = { 0 };
	json_t *json = parse("{\"or\":[{\"==\":[{\"var\":\"a\"},1]},{\"+\":[{\"var\":\"a\"},{"
			     "\"var\":[\"c\",{\"var\":\"tier\"}]}]},"
			     "{\"missing\":[\"gone\",\"a\"]},{\"map\":[[1],{\"var\":\"b\"}]}]}");
	int seen[ARRAY_LEN(names)] = { 0 };
	assert_int_equal(logic_compile(json, resolve, NULL, &logic, &err), 0);
	logic_slots(logic, count_slot, seen);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(seen[i],
		    i == 0 || i == 2 || i == 3 || i == 4); /* "b" inside of map is no feature */
	logic_free(logic);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_classic_suite_passes_in_full),
		cmocka_unit_test(a_mapping_reads_numbers_as_people_write_them),
		cmocka_unit_test(a_mapping_rounds_replaces_and_makes_objects),
		cmocka_unit_test(a_mapping_looks_around_from_everywhere),
		cmocka_unit_test(the_operators_of_a_mapping_are_no_others),
		cmocka_unit_test(what_a_replacement_grows_to_is_bounded),
		cmocka_unit_test(numbers_become_text_as_in_javascript),
		cmocka_unit_test(integers_beyond_two_to_the_53_pass_exactly),
		cmocka_unit_test(coercion_is_javascripts),
		cmocka_unit_test(variables_find_members_indices_and_lengths),
		cmocka_unit_test(unknown_operators_are_named_with_their_place),
		cmocka_unit_test(depth_and_size_are_bounded),
		cmocka_unit_test(endless_work_ends_at_the_limit),
		cmocka_unit_test(clauses_of_features_decide),
		cmocka_unit_test(values_come_out_as_they_are),
		cmocka_unit_test(a_missing_feature_makes_the_clause_unknown),
		cmocka_unit_test(what_may_look_at_a_missing_feature),
		cmocka_unit_test(operands_run_from_left_to_right_only_as_far_as_they_decide),
		cmocka_unit_test(the_slot_that_was_missing_is_named),
		cmocka_unit_test(policies_refuse_what_cannot_be_resolved),
		cmocka_unit_test(every_slot_is_listed_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
