/* SPDX-License-Identifier: Apache-2.0
 *
 * test_recorded.c - lines of a file of recorded events: cut as they should be, and never too long.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/recorded.h"

static char line[RECORDED_LINE_MAX + 1];

static FILE *
file_of(const void *bytes, size_t len)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	rewind(file);
	return file;
}

static void
assert_line(FILE *file, const char *expected, size_t expected_len)
{
	size_t len = 99;

	assert_int_equal(recorded_line(file, line, &len), 1);
	assert_int_equal(len, expected_len);
	assert_memory_equal(line, expected, expected_len + 1);
}

static void
lines_end_with_or_without_a_carriage_return_and_the_last_one_with_nothing(void **state)
{
	static const char text[] = "one\ntwo\r\n\n\r\nfi\0ve\nlast";
	FILE *file = file_of(text, sizeof(text) - 1);
	size_t len = 99;

	(void)state;
	assert_line(file, "one", 3);
	assert_line(file, "two", 3);
	assert_line(file, "", 0);
	assert_line(file, "", 0);
	assert_line(file, "fi\0ve", 5);
	assert_line(file, "last", 4);
	assert_int_equal(recorded_line(file, line, &len), 0);
	assert_int_equal(recorded_line(file, line, &len), 0);
	assert_int_equal(len, 99);
	fclose(file);
}

static void
the_longest_line_is_read_and_one_byte_more_is_refused(void **state)
{
	char *text = malloc(RECORDED_LINE_MAX + 2);
	FILE *file;
	size_t len = 0;

	(void)state;
	memset(text, 'x', RECORDED_LINE_MAX + 1);
	text[RECORDED_LINE_MAX] = '\n';
	file = file_of(text, RECORDED_LINE_MAX + 1);
	assert_int_equal(recorded_line(file, line, &len), 1);
	assert_int_equal(len, RECORDED_LINE_MAX);
	assert_int_equal(recorded_line(file, line, &len), 0);
	fclose(file);
	text[RECORDED_LINE_MAX] = 'x';
	text[RECORDED_LINE_MAX + 1] = '\n';
	file = file_of(text, RECORDED_LINE_MAX + 2);
	assert_int_equal(recorded_line(file, line, &len), AISLE_E_INVALID);
	fclose(file);
	free(text);
}

static void
a_byte_order_mark_is_passed_over_and_what_is_no_text_says_what_to_do(void **state)
{
	static const struct {
		const char *bytes, *said;
	} cases[] = { { "\x1f\x8b\x08", "unpack them first" },
		{ "\x28\xb5\x2f", "unpack them first" }, { "\xfd\x37z", "unpack them first" },
		{ "\xff\xfe{", "UTF-16" }, { "\xfe\xff{", "UTF-16" },
		{ "\xef\xbb{", "not text in UTF-8" } };
	struct err err = { 0 };
	FILE *file = file_of("\xef\xbb\xbf{}\n", 6);

	(void)state;
	assert_int_equal(recorded_start(file, &err), 0);
	assert_line(file, "{}", 2);
	fclose(file);
	file = file_of("{}\n", 3);
	assert_int_equal(recorded_start(file, &err), 0);
	assert_line(file, "{}", 2);
	fclose(file);
	file = file_of("", 0);
	assert_int_equal(recorded_start(file, &err), 0);
	fclose(file);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err refused = { 0 };

		file = file_of(cases[i].bytes, 3);
		assert_int_equal(recorded_start(file, &refused), AISLE_E_INVALID);
		assert_non_null(strstr(refused.text, cases[i].said));
		fclose(file);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    lines_end_with_or_without_a_carriage_return_and_the_last_one_with_nothing),
		cmocka_unit_test(the_longest_line_is_read_and_one_byte_more_is_refused),
		cmocka_unit_test(
		    a_byte_order_mark_is_passed_over_and_what_is_no_text_says_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
