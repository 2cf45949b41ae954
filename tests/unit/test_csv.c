/* SPDX-License-Identifier: Apache-2.0
 *
 * test_csv.c - comma-separated values: what is read, and what is refused where.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/csv.h"

/* Rows joined: fields by "|", rows by ";"; the memory ends where the text ends. */
static int
read_all(const char *text, size_t len, char *out, struct err *err)
{
	char *exact = mem_alloc(len + 1);
	memcpy(exact, text, len);
	struct csv csv;
	int r;
	*out = '\0';
	csv_init(&csv, exact, len, "rows");
	while ((r = csv_read(&csv, err)) > 0) {
		for (size_t i = 0; i < csv.count; i++) {
			strcat(out, i > 0 ? "|" : "");
			strcat(out, csv_field(&csv, i));
		}
		strcat(out, ";");
	}
	csv_done(&csv);
	free(exact);
	return r;
}

static void
fields_and_rows_are_told_apart(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "", "" },
		{ "a", "a;" },
		{ "a,b\n", "a|b;" },
		{ "a,b\r\nc,\r\n", "a|b;c|;" },
		{ ",\n", "|;" },
		{ "\n", ";" },
		{ "a\n\nb", "a;;b;" },
		{ "\"a,b\",c", "a,b|c;" },
		{ "\"a\"\"b\"", "a\"b;" },
		{ "\"a\nb\"\nc", "a\nb;c;" },
		{ "\"\",x", "|x;" },
		{ "\xef\xbb\xbf"
		  "a",
		    "a;" },
		{ "a\rb", "a\rb;" },
		{ " a ", " a ;" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		char out[100];
		assert_int_equal(read_all(cases[i][0], strlen(cases[i][0]), out, &err), 0);
		assert_string_equal(out, cases[i][1]);
	}
}

static void
mistakes_have_a_place(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t len;
		int line, column;
		const char *what;
	} cases[] = {
		{ "a,b\nc,d\"e\n", 10, 2, 4, "quote inside" },
		{ "a\n\"b\"c\n", 7, 2, 4, "text behind a closing quote" },
		{ "a\n\"b", 4, 2, 0, "without end" },
		{ "a\0b", 3, 1, 2, "zero byte" },
		{ "\"a\nb\"\nc\"", 8, 3, 2, "quote inside" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = { 0 };
		char out[100];
		assert_int_equal(read_all(cases[i].text, cases[i].len, out, &err), AISLE_E_INVALID);
		assert_non_null(strstr(err.text, cases[i].what));
		assert_int_equal(err.line, cases[i].line);
		if (cases[i].column > 0)
			assert_int_equal(err.column, cases[i].column);
		assert_string_equal(err.file, "rows");
	}
}

static void
a_row_has_at_most_65536_fields(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		size_t commas = CSV_FIELDS_MAX - 1 + extra;
		char *text = mem_alloc(commas);
		memset(text, ',', commas);
		struct csv csv;
		struct err err = { 0 };
		csv_init(&csv, text, commas, "rows");
		assert_int_equal(csv_read(&csv, &err), extra == 0 ? 1 : AISLE_E_INVALID);
		if (extra == 0)
			assert_int_equal(csv.count, CSV_FIELDS_MAX);
		csv_done(&csv);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_and_rows_are_told_apart),
		cmocka_unit_test(mistakes_have_a_place),
		cmocka_unit_test(a_row_has_at_most_65536_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
