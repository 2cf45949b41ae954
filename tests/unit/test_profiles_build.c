/* SPDX-License-Identifier: Apache-2.0
 *
 * test_profiles_build.c - which lines headquarters may build a bundle of: to the byte.
 */
#include "store_fixture.h"

#include "profile/profiles_internal.h"

static const uint8_t pepper[32] = { 9, 8, 7 };

/* Rows, or the error. */
static int
build_bytes(const struct fixture *f, const char *bytes, size_t len, struct err *err)
{
	const struct profiles_build what = { .input = path_in(f, "lines"),
		.store = "0042",
		.output = path_in(f, "bundle"),
		.pepper = pepper };
	FILE *file = fopen(what.input, "w");
	int64_t rows = -1;
	int error;

	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
	*err = (struct err){ 0 };
	error = profiles_build(&what, &rows, err);
	return error != 0 ? error : (int)rows;
}

static int
build(const struct fixture *f, const char *lines, struct err *err)
{
	return build_bytes(f, lines, strlen(lines), err);
}

/* A line with so many of a letter in the place of @. */
static const char *
with_letters(const char *line, size_t count)
{
	static char text[80000];
	const char *at = strchr(line, '@');
	size_t before = (size_t)(at - line);

	memcpy(text, line, before);
	memset(text + before, 'x', count);
	snprintf(text + before + count, sizeof(text) - before - count, "%s", at + 1);
	return text;
}

static void
texts_are_taken_up_to_their_length(void **state)
{
	static const struct {
		const char *line;
		size_t most;
		const char *word;
	} cases[] = {
		{ "{\"card\":\"@\"}", 128, "card: expected 1 to 128" },
		{ "{\"card\":\"1\",\"language\":\"@\"}", 35, "language" },
		{ "{\"card\":\"1\",\"line\":\"@\"}", 256, "line: expected" },
		{ "{\"card\":\"1\",\"attributes\":{\"@\":1}}", 64, "name of 1 to 64" },
		{ "{\"card\":\"1\",\"attributes\":{\"a\":\"@\"}}", 256, "string too long" },
	};
	struct fixture *f = *state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(build(f, with_letters(cases[i].line, cases[i].most), &err), 1);
		assert_int_equal(build(f, with_letters(cases[i].line, cases[i].most + 1), &err),
		    AISLE_E_INVALID);
		if (strstr(err.text, cases[i].word) == NULL)
			fail_msg("%s: %s", cases[i].line, err.text);
	}
}

static void
each_kind_of_value_is_taken_where_it_belongs_and_nowhere_else(void **state)
{
	static const struct {
		const char *line;
		bool good;
	} cases[] = {
		{ "{\"card\":\" ~\"}", true },
		{ "{\"card\":\"\\u001f\"}", false },
		{ "{\"card\":\"\\u007f\"}", false },
		{ "{\"card\":\"1\",\"language\":\"d\"}", true },
		{ "{\"card\":\"1\",\"language\":3}", false },
		{ "{\"card\":\"1\",\"language\":\"d\\u0000e\"}", false },
		{ "{\"card\":\"1\",\"line\":\"\"}", true },
		{ "{\"card\":\"1\",\"line\":\"a\\u0000b\"}", false },
		{ "{\"card\":\"1\",\"staff\":true}", true },
		{ "{\"card\":\"1\",\"staff\":false}", true },
		{ "{\"card\":\"1\",\"staff\":1}", false },
		{ "{\"card\":\"1\",\"attributes\":{\"a\":\"x\",\"b\":1,\"c\":0.5,\"d\":true}}",
		    true },
		{ "{\"card\":\"1\",\"attributes\":{\"a\":\"x\\u0000\"}}", false },
		{ "{\"card\":\"1\",\"attributes\":{\"a\":{}}}", false },
		{ "{\"card\":\"1\",\"consent\":{\"personalise\":\"denied\",\"profile\":\"granted\","
		  "\"contact\":\"granted\"}}",
		    true },
		{ "{\"card\":\"1\",\"consent\":{\"contact\":null}}", false },
		{ "{\"card\":\"1\",\"consent\":\"granted\"}", false },
		{ "{\"card\":\"1\",\"consent\":[],\"attributes\":{}}", false },
		{ "{\"subject\":7}", false },
		{ "{\"card\":null}", false },
	};
	struct fixture *f = *state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if ((build(f, cases[i].line, &err) == 1) != cases[i].good)
			fail_msg("%s: %s", cases[i].line, err.text);
}

static void
a_customer_has_at_most_256_attributes(void **state)
{
	struct fixture *f = *state;
	struct err err;

	for (int count = 256; count <= 257; count++) {
		char line[8000] = "{\"card\":\"1\",\"attributes\":{";

		for (int i = 0; i < count; i++)
			sprintf(line + strlen(line), "%s\"a%d\":%d", i > 0 ? "," : "", i, i);
		strcat(line, "}}");
		assert_int_equal(build(f, line, &err), count == 256 ? 1 : AISLE_E_INVALID);
	}
	assert_non_null(strstr(err.text, "at most 256"));
}

static void
lines_end_in_any_way_and_are_at_most_64_kib(void **state)
{
	struct fixture *f = *state;
	struct err err;
	size_t spaces;
	char *line = malloc(80000);

	assert_int_equal(build(f, "\n\r\n{\"card\":\"1\"}\r\n\n{\"card\":\"2\"}\n{\"card\":\"3\"}",
			     &err),
	    3);
	assert_int_equal(build(f, "\n\r\n{\"card\":\"1\"}\r\n\n{\"card\":2}", &err),
	    AISLE_E_INVALID);
	assert_int_equal(err.line, 5);
	assert_int_equal(build(f, "{\"card\":\"1\"}\r", &err), 1);
	assert_int_equal(build(f, "\r", &err), 0);
	assert_int_equal(build_bytes(f, "{\"card\":\"1\"}\0", 13, &err), AISLE_E_INVALID);
	/* Filled up with blanks, for no text is so long. */
	for (size_t more = 0; more < 2; more++) {
		spaces = (64 << 10) - strlen("{\"card\":\"1\"}") + more;
		snprintf(line, 80000, "{\"card\":\"1\"}%*s\n{\"card\":\"2\"}", (int)spaces, "");
		assert_int_equal(build(f, line, &err), more == 0 ? 2 : AISLE_E_INVALID);
	}
	assert_non_null(strstr(err.text, "line too long"));
	assert_int_equal(err.line, 1);
	free(line);
}

static void
a_customer_twice_is_told_with_both_places(void **state)
{
	struct fixture *f = *state;
	struct err err;

	assert_int_equal(build(f, "{\"card\":\"b\"}\n{\"card\":\"a\"}\n\n{\"card\":\"b\"}\n", &err),
	    AISLE_E_INVALID);
	assert_int_equal(err.line, 4);
	assert_non_null(strstr(err.text, "the same customer as on line 1"));
}

static void
eight_customers_may_share_the_first_half_of_their_names(void **state)
{
	struct fixture *f = *state;
	struct err err;

	for (int count = 8; count <= 9; count++) {
		char lines[1000] = "";

		for (int i = 0; i < count; i++)
			sprintf(lines + strlen(lines),
			    "{\"subject\":\"0011223344556677000000000000000%d\"}\n", i);
		assert_int_equal(build(f, lines, &err), count == 8 ? 8 : AISLE_E_IO);
	}
	assert_non_null(strstr(err.text, "lie too close together"));
	assert_int_equal(access(path_in(f, "bundle.tmp"), F_OK), -1);
}

static void
what_cannot_be_read_or_written_is_said(void **state)
{
	struct fixture *f = *state;
	struct profiles_build what = { .input = path_in(f, "none"),
		.store = "0042",
		.output = path_in(f, "bundle"),
		.pepper = pepper };
	struct err err = { 0 };

	assert_int_equal(profiles_build(&what, NULL, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, "none: No such file"));
	err = (struct err){ 0 };
	what.input = f->dir; /* a folder */
	assert_int_equal(profiles_build(&what, NULL, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, "directory"));
	what.input = path_in(f, "lines");
	fclose(fopen(what.input, "w"));
	what.output = path_in(f, "none/bundle");
	err = (struct err){ 0 };
	assert_int_equal(profiles_build(&what, NULL, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, "none/bundle"));
	assert_int_equal(mkdir(path_in(f, "folder"), 0700), 0);
	assert_int_equal(mkdir(path_in(f, "folder/in"), 0700), 0);
	what.output = path_in(f, "folder");
	err = (struct err){ 0 };
	assert_int_equal(profiles_build(&what, NULL, &err),
	    AISLE_E_IO); /* a folder is not replaced */
	assert_int_equal(access(path_in(f, "folder.tmp"), F_OK), -1);
	rmdir(path_in(f, "folder/in"));
	rmdir(path_in(f, "folder"));
}

static void
standard_input_is_a_file_too(void **state)
{
	static const char *const names[] = { NULL, "-" };
	struct fixture *f = *state;
	struct err err = { 0 };
	int kept = dup(STDIN_FILENO), fd;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct profiles_build what = { .input = names[i],
			.store = "0042",
			.output = path_in(f, "bundle"),
			.pepper = pepper };
		FILE *file = fopen(path_in(f, "lines"), "w");
		int64_t rows = -1;

		fputs(i == 0 ? "{\"card\":\"1\"}\n" : "{\"card\":1}\n", file);
		fclose(file);
		fd = open(path_in(f, "lines"), O_RDONLY);
		assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
		close(fd);
		clearerr(stdin);
		assert_int_equal(profiles_build(&what, &rows, &err), i == 0 ? 0 : AISLE_E_INVALID);
		assert_int_equal(rows, i == 0 ? 1 : -1);
	}
	assert_string_equal(err.file, "stdin");
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), 0); /* it is not ours to close */
	dup2(kept, STDIN_FILENO);
	close(kept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(texts_are_taken_up_to_their_length),
		STORE_TEST(each_kind_of_value_is_taken_where_it_belongs_and_nowhere_else),
		STORE_TEST(a_customer_has_at_most_256_attributes),
		STORE_TEST(lines_end_in_any_way_and_are_at_most_64_kib),
		STORE_TEST(a_customer_twice_is_told_with_both_places),
		STORE_TEST(eight_customers_may_share_the_first_half_of_their_names),
		STORE_TEST(what_cannot_be_read_or_written_is_said),
		STORE_TEST(standard_input_is_a_file_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
