/* SPDX-License-Identifier: Apache-2.0
 *
 * test_log.c - what somebody else wrote stands in a log line as one value.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/log.h"

static void
a_value_of_any_byte_that_ends_a_field_is_quoted_and_no_other(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char text[4] = { 'a', (char)byte, 'b', '\0' };
		bool ends = byte <= ' ' || byte == 0x7f || strchr("\"\\=", byte) != NULL;

		assert_int_equal(LOG_VALUE(text)[0] == '"', ends);
	}
	assert_string_equal(LOG_VALUE(""), "\"\"");
	assert_string_equal(LOG_VALUE("a\"b\\c"), "\"a\\\"b\\\\c\"");
	assert_string_equal(LOG_VALUE("caf\xc3\xa9"), "caf\xc3\xa9");
}

static void
a_value_is_cut_and_its_quotes_are_closed(void **state)
{
	char text[2 * LOG_VALUE_SIZE];
	const char *value;

	(void)state;
	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	value = LOG_VALUE(text);
	assert_true(strlen(value) < LOG_VALUE_SIZE);
	assert_int_equal(value[strlen(value) - 1], '"');
	/* An escape is whole or not there. */
	assert_int_equal(strlen(value) % 2, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_of_any_byte_that_ends_a_field_is_quoted_and_no_other),
		cmocka_unit_test(a_value_is_cut_and_its_quotes_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
