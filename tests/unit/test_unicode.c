/* SPDX-License-Identifier: Apache-2.0
 *
 * test_unicode.c - texts that mean the same have one key. The whole of Unicode is compared with
 * Python's own in tests/scenario/test_unicode.py, by this program: it prints keys of what it reads.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/unicode.h"

#include "random_fixture.h"

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void
writings_of_one_text_have_one_key(void **state)
{
	static const char *const same[][2] = {
		{ "Tobacco", "tobacco" },
		{ "tobacco ", "tobacco" },
		{ "\t tobacco\xc2\xa0\xe2\x80\x8b", "tobacco" },
		{ "KA\xcc\x88SE", "k\xc3\xa4se" }, /* decomposed */
		{ "K\xc3\x84SE", "k\xc3\xa4se" },  /* capital */
		{ "STRASSE",
		    "stra\xc3\x9f"
		    "e" },						    /* ß is ss */
		{ "\xce\xa3\xce\x91\xce\xa3", "\xcf\x83\xce\xb1\xcf\x82" }, /* final sigma */
		{ "\xef\xac\x81let", "filet" },				    /* ﬁ */
		{ "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c" }, /* 한 in its parts */
		{ "o\xcc\xa3\xcc\x82", "\xe1\xbb\x99" },		    /* ộ */
		{ "o\xcc\x82\xcc\xa3", "\xe1\xbb\x99" },
		{ "\xe2\x84\xab", "\xc3\xa5" }, /* Ångström */
		{ "a  b", "a  b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		assert_string_equal(unicode_key(arena, same[i][0]), unicode_key(arena, same[i][1]));
	assert_string_equal(unicode_key(arena, "K\xc3\x84SE"), "k\xc3\xa4se");
	assert_string_equal(unicode_key(arena, ""), "");
	assert_string_equal(unicode_key(arena, " \xe3\x80\x80 "), "");
	assert_null(unicode_key(arena, NULL));
}

static void
what_differs_keeps_differing(void **state)
{
	static const char *const others[][2] = { { "kase", "k\xc3\xa4se" }, { "a b", "ab" },
		{ "1", "\xc2\xb9" }, { "a/b", "ab" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_string_not_equal(unicode_key(arena, others[i][0]),
		    unicode_key(arena, others[i][1]));
}

static void
nfc_keeps_the_letters_size(void **state)
{
	(void)state;
	assert_string_equal(unicode_nfc(arena, " KA\xcc\x88SE-1 "), "K\xc3\x84SE-1");
	assert_string_equal(unicode_nfc(arena, "a/"), "a/");
}

static void
no_name_of_a_path_has_white_space_around_it(void **state)
{
	static const char *const same[] = { "x/tobacco", "X/Tobacco", "x/tobacco ", " x / tobacco",
		"/x/tobacco", "x/tobacco/", "x//tobacco", "x/ /Tobacco/ " };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		assert_string_equal(unicode_path_key(arena, same[i]), "x/tobacco");
	assert_string_equal(unicode_path_key(arena, " / /"), "");
	assert_string_equal(unicode_path_key(arena, "a b/c  d"), "a b/c  d");
}

static void
what_is_not_utf8_stays_byte_by_byte(void **state)
{
	static const char *const broken[] = { "\xff", "a\xc3", "\xc3\x28", "\xed\xa0\x80",
		"\xc0\xaf", "\xf4\x90\x80\x80", "\xe2\x82", "\x80\x80" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		assert_string_equal(unicode_key(arena, broken[i]), broken[i]);
}

/* A letter with half a million marks, above (class 230) and below (220) by turns: those below come
 * first, in one pass. Moving each one to its place would take hours. */
static void
a_heap_of_marks_is_ordered_in_one_pass(void **state)
{
	enum { PAIRS = 250000 };
	char *text = mem_alloc(4 * PAIRS + 2), *to = text;
	const char *ordered;

	(void)state;
	*to++ = 'x';
	for (int i = 0; i < PAIRS; i++)
		to = stpcpy(to, "\xcc\x81\xcc\x96");
	ordered = unicode_nfc(arena, text);
	assert_int_equal(strlen(ordered), 4 * PAIRS + 1);
	for (size_t i = 0; i < 2 * PAIRS; i++)
		assert_memory_equal(ordered + 1 + 2 * i, i < PAIRS ? "\xcc\x96" : "\xcc\x81", 2);
	free(text);
}

/* Whatever way they are ordered: marks of one class keep their order, and only those. */
static void
few_marks_and_many_are_ordered_alike(void **state)
{
	/* of the classes 220, 230, 230, 202, 1, 240: none joins an x */
	static const char *const marks[] = { "\xcc\x96", "\xcc\x8d", "\xcc\x8e", "\xcc\xa7",
		"\xcc\xb4", "\xcd\x85" };
	static const int classes[] = { 220, 230, 230, 202, 1, 240 };
	struct dice dice = { 11 };

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t count = dice_below(&dice, 24), at = 0, mark[24];
		char text[64] = "x", expected[64] = "x";

		for (size_t i = 0; i < count; i++) {
			mark[i] = dice_below(&dice, ARRAY_LEN(marks));
			strcat(text, marks[mark[i]]);
		}
		for (int class = 1; class <= 240; class ++) {
			for (size_t i = 0; i < count; i++) {
				if (classes[mark[i]] == class) {
					strcat(expected, marks[mark[i]]);
					at++;
				}
			}
		}
		assert_int_equal(at, count);
		assert_string_equal(unicode_nfc(arena, text), expected);
		arena_reset(arena);
	}
}

/* The arena outlives a turn's text: what it takes is the text, not the work. */
static void
the_arena_takes_what_is_kept(void **state)
{
	static char text[50001];
	size_t before = arena_used(arena);

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "\xc3\xa9", 2);
	unicode_nfc(arena, text);
	assert_true(arena_used(arena) - before < 2 * sizeof(text));
}

/* Any bytes, and any code points, however many marks. */
static void
the_key_of_a_key_is_itself(void **state)
{
	struct dice dice = { 3 };
	char text[200];

	(void)state;
	for (int round = 0; round < 60000; round++) {
		size_t len = 0;

		while (len < dice_below(&dice, 120)) {
			uint32_t point = (uint32_t)dice_below(&dice, round % 3 ? 0x2000 : 0x20000);

			if (round % 5 == 0)
				point = 0x300 + point % 0x70;
			if (point < 0x80 || round % 7 == 0)
				text[len++] = (char)(1 + point % 255);
			else if (point < 0x800)
				len += (size_t)sprintf(text + len, "%c%c", 0xc0 | point >> 6,
				    0x80 | (point & 0x3f));
			else if (point < 0x10000)
				len += (size_t)sprintf(text + len, "%c%c%c", 0xe0 | point >> 12,
				    0x80 | (point >> 6 & 0x3f), 0x80 | (point & 0x3f));
		}
		text[len] = '\0';
		const char *key = unicode_path_key(arena, text);

		assert_string_equal(unicode_path_key(arena, key), key);
		key = unicode_key(arena, text);
		assert_string_equal(unicode_key(arena, key), key);
		key = unicode_nfc(arena, text);
		assert_string_equal(unicode_nfc(arena, key), key);
		arena_reset(arena);
	}
}

/* Lines of stdin: their NFC and their key, for who compares. */
static int
print_keys(void)
{
	char line[4096];

	arena = arena_new();
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		printf("%s\t%s\n", unicode_nfc(arena, line), unicode_key(arena, line));
		arena_reset(arena);
	}
	arena_free(arena);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writings_of_one_text_have_one_key, setup, teardown),
		cmocka_unit_test_setup_teardown(what_differs_keeps_differing, setup, teardown),
		cmocka_unit_test_setup_teardown(nfc_keeps_the_letters_size, setup, teardown),
		cmocka_unit_test_setup_teardown(no_name_of_a_path_has_white_space_around_it, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(what_is_not_utf8_stays_byte_by_byte, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(a_heap_of_marks_is_ordered_in_one_pass, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(few_marks_and_many_are_ordered_alike, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(the_arena_takes_what_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(the_key_of_a_key_is_itself, setup, teardown),
	};

	if (argc == 2 && strcmp(argv[1], "--print") == 0)
		return print_keys();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
