/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json_write.c - the writer of JSON text: nesting, commas, escapes, its bounds, misuse.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/json.h"
#include "core/json_write.h"

static void
check(struct buf *out, const char *expected)
{
	assert_string_equal(out->data, expected);
	json_t *json =
	    json_loadb(out->data, out->len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	assert_non_null(json);
	json_decref(json);
	buf_done(out);
}

static void
commas_stand_between_and_nowhere_else(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);

	json_add_object(w, NULL);
	json_add_int(w, "first", 1);
	json_add_list(w, "empty");
	json_end(w);
	json_add_object(w, "none");
	json_end(w);
	json_add_list(w, "list");
	json_add_int(w, NULL, INT64_MIN);
	json_add_list(w, NULL);
	json_add_bool(w, NULL, true);
	json_add_bool(w, NULL, false);
	json_end(w);
	json_add_object(w, NULL);
	json_add_null(w, "nothing");
	json_end(w);
	json_add_str(w, NULL, "last");
	json_end(w);
	json_add_double(w, "half", 0.5);
	json_end(w);
	check(&out,
	    "{\"first\":1,\"empty\":[],\"none\":{},\"list\":[-9223372036854775808,[true,false],"
	    "{\"nothing\":null},\"last\"],\"half\":0.5}");
}

static void
a_value_alone_is_a_text_and_what_stood_before_it_stays(void **state)
{
	(void)state;
	struct buf out = { 0 };
	json_add_str(JSON_WRITER(&out), NULL, "alone");
	check(&out, "\"alone\"");
	buf_adds(&out, "{\"a\":1}\n");
	json_add_int(JSON_WRITER(&out), NULL, 7);
	assert_string_equal(out.data, "{\"a\":1}\n7");
	buf_done(&out);
}

static void
names_and_texts_are_escaped(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);

	json_add_object(w, NULL);
	json_add_str(w, "a\"b", "c\"d\\e/f");
	json_add_str(w, "controls", "\x01\b\f\n\r\t\x1f\x7f");
	json_add_str(w, "utf", "größer €");
	json_addf(w, "made", "%s:%d", "q\"", 5);
	json_add_str(w, "null", NULL);
	json_end(w);
	check(&out,
	    "{\"a\\\"b\":\"c\\\"d\\\\e/f\",\"controls\":\"\\u0001\\b\\f\\n\\r\\t\\u001f\x7f\","
	    "\"utf\":\"größer €\",\"made\":\"q\\\":5\",\"null\":null}");
}

/* It was checked where it came in; what goes out is what came. */
static void
broken_utf_8_is_kept_as_it_is(void **state)
{
	(void)state;
	struct buf out = { 0 };
	json_add_str(JSON_WRITER(&out), NULL, "a\xff\xc3");
	assert_string_equal(out.data, "\"a\xff\xc3\"");
	buf_done(&out);
}

static void
a_long_text_by_format_is_whole(void **state)
{
	(void)state;
	struct buf out = { 0 };
	char text[5001];
	memset(text, 'x', 5000);
	text[5000] = '\0';
	json_addf(JSON_WRITER(&out), NULL, "%s!", text);
	assert_int_equal(out.len, 5003);
	assert_string_equal(out.data + 4999, "xx!\"");
	buf_done(&out);
}

static void
numbers_that_json_has_no_words_for(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);

	json_add_list(w, NULL);
	json_add_double(w, NULL, (double)NAN);
	json_add_double(w, NULL, (double)INFINITY);
	json_add_double(w, NULL, -0.0);
	json_add_double(w, NULL, 0.1);
	json_end(w);
	check(&out, "[null,null,0,0.10000000000000001]");
}

static void
ids_times_trees_and_what_is_json_already(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);
	static const struct id zero, one = { { 1 } };
	json_t *tree = json_pack("{s:[i,s]}", "z", 1, "\"");

	json_add_object(w, NULL);
	json_add_id(w, "id", &zero);
	json_opt_id(w, "no_id", &zero);
	json_opt_id(w, "opt_id", &one);
	json_add_when(w, "at", 0);
	json_opt_when(w, "no_at", 0);
	json_opt_when(w, "opt_at", 1500);
	json_opt_str(w, "no_text", NULL);
	json_opt_str(w, "no_text_either", "");
	json_opt_str(w, "opt_text", "x");
	json_add_tree(w, "tree", tree);
	json_add_raw(w, "raw", "[1,2]", 5);
	json_end(w);
	json_decref(tree);
	check(&out,
	    "{\"id\":\"00000000000000000000000000\",\"opt_id\":\"01000000000000000000000000\","
	    "\"at\":\"1970-01-01T00:00:00.000Z\",\"opt_at\":\"1970-01-01T00:00:01.500Z\","
	    "\"opt_text\":\"x\",\"tree\":{\"z\":[1,\"\\\"\"]},\"raw\":[1,2]}");
}

static void
a_finished_object_takes_more_members(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);

	json_add_list(w, NULL);
	json_add_object(w, NULL);
	json_add_members(w, "{\"a\":\"}\"}", 9);
	json_add_int(w, "b", 2);
	json_end(w);
	json_add_object(w, NULL);
	json_add_members(w, "{}", 2);
	json_add_int(w, "b", 2);
	json_end(w);
	json_add_object(w, NULL);
	json_add_members(w, "{\"a\":1}", 7);
	json_end(w);
	json_end(w);
	check(&out, "[{\"a\":\"}\",\"b\":2},{\"b\":2},{\"a\":1}]");
}

/* Bodies come from a disk. */
static void
what_was_stored_wrong_leaves_the_rest_json(void **state)
{
	(void)state;
	static const char *const wrong[] = { "", "{", "[1]", "{\"a\":1", "x}" };
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);

	json_add_list(w, NULL);
	json_add_raw(w, NULL, "", 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		json_add_object(w, NULL);
		json_add_members(w, wrong[i], strlen(wrong[i]));
		json_add_int(w, "b", 2);
		json_end(w);
	}
	json_end(w);
	check(&out, "[null,{\"b\":2},{\"b\":2},{\"b\":2},{\"b\":2},{\"b\":2}]");
}

static void
members_of_two_objects_stand_in_one(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);

	json_add_object(w, NULL);
	json_add_bool(w, "ok", true);
	json_add_members(w, "{}", 2);
	json_add_members(w, "{\"a\":1}", 7);
	json_add_members(w, "{\"b\":{}}", 8);
	json_end(w);
	check(&out, "{\"ok\":true,\"a\":1,\"b\":{}}");
}

static void
white_space_stands_behind_the_comma(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);

	json_add_object(w, NULL);
	json_space(w, "\n");
	json_add_fixed(w, "a", 0.25, 1);
	json_add_fixed(w, "b", 2, 3);
	json_space(w, "\n ");
	json_add_list(w, "c");
	json_space(w, "\n");
	json_add_int(w, NULL, 1);
	json_end(w);
	json_end(w);
	check(&out, "{\n\"a\":0.2,\"b\":2.000,\n \"c\":[\n1]}");
}

static void
canonical_text_has_its_keys_sorted(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);
	json_t *tree = json_pack("{s:i,s:i}", "z", 1, "a", 2);

	json_add_list(w, NULL);
	json_add_tree(w, NULL, tree);
	json_add_canonical(w, NULL, tree);
	json_end(w);
	json_decref(tree);
	check(&out, "[{\"z\":1,\"a\":2},{\"a\":2,\"z\":1}]");
}

static void
open_lists(struct json_writer *w, int depth)
{
	for (int i = 0; i < depth; i++)
		json_add_list(w, NULL);
}

static void
the_deepest_that_may_be(void **state)
{
	(void)state;
	struct buf out = { 0 };
	struct json_writer *w = JSON_WRITER(&out);

	open_lists(w, JSON_WRITE_DEPTH_MAX - 1);
	json_add_object(w, NULL);
	json_add_int(w, "in", 1);
	for (int i = 0; i < JSON_WRITE_DEPTH_MAX; i++)
		json_end(w);
	check(&out, "[[[[[[[[[[[[[[[{\"in\":1}]]]]]]]]]]]]]]]");
}

/* ---- broken promises ---- */

static void
too_deep(struct json_writer *w)
{
	open_lists(w, JSON_WRITE_DEPTH_MAX + 1);
}

static void
end_of_nothing(struct json_writer *w)
{
	json_end(w);
}

static void
end_once_too_often(struct json_writer *w)
{
	json_add_object(w, NULL);
	json_end(w);
	json_end(w);
}

static void
member_of_nothing(struct json_writer *w)
{
	json_add_int(w, "a", 1);
}

static void
member_of_a_list(struct json_writer *w)
{
	json_add_list(w, NULL);
	json_add_int(w, "a", 1);
}

static void
element_of_an_object(struct json_writer *w)
{
	json_add_object(w, NULL);
	json_add_int(w, NULL, 1);
}

/* The bit of a depth that was an object before must not be left behind, nor the other way. */
static void
element_of_an_object_after_a_list(struct json_writer *w)
{
	json_add_list(w, NULL);
	json_add_list(w, NULL);
	json_end(w);
	json_add_object(w, NULL);
	json_add_int(w, NULL, 1);
}

static void
two_texts_in_one(struct json_writer *w)
{
	json_add_int(w, NULL, 1);
	json_add_int(w, NULL, 2);
}

static void
members_in_a_list(struct json_writer *w)
{
	json_add_list(w, NULL);
	json_add_members(w, "{}", 2);
}

static bool
aborts(void (*misuse)(struct json_writer *))
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct buf out = { 0 };
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		signal(SIGABRT, SIG_DFL);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
		dup2(null, STDERR_FILENO);
		misuse(JSON_WRITER(&out));
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
misuse_is_a_broken_promise(void **state)
{
	(void)state;
	assert_true(aborts(too_deep));
	assert_true(aborts(end_of_nothing));
	assert_true(aborts(end_once_too_often));
	assert_true(aborts(member_of_nothing));
	assert_true(aborts(member_of_a_list));
	assert_true(aborts(element_of_an_object));
	assert_true(aborts(element_of_an_object_after_a_list));
	assert_true(aborts(two_texts_in_one));
	assert_true(aborts(members_in_a_list));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_stand_between_and_nowhere_else),
		cmocka_unit_test(a_value_alone_is_a_text_and_what_stood_before_it_stays),
		cmocka_unit_test(names_and_texts_are_escaped),
		cmocka_unit_test(broken_utf_8_is_kept_as_it_is),
		cmocka_unit_test(a_long_text_by_format_is_whole),
		cmocka_unit_test(numbers_that_json_has_no_words_for),
		cmocka_unit_test(ids_times_trees_and_what_is_json_already),
		cmocka_unit_test(a_finished_object_takes_more_members),
		cmocka_unit_test(members_of_two_objects_stand_in_one),
		cmocka_unit_test(white_space_stands_behind_the_comma),
		cmocka_unit_test(canonical_text_has_its_keys_sorted),
		cmocka_unit_test(what_was_stored_wrong_leaves_the_rest_json),
		cmocka_unit_test(the_deepest_that_may_be),
		cmocka_unit_test(misuse_is_a_broken_promise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
