/* SPDX-License-Identifier: Apache-2.0
 *
 * test_id.c - ids, subjects and chance against values made with another BLAKE2b.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/id.h"

static const uint8_t key[32] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31 };

static void
hashes_are_blake2b(void **state)
{
	(void)state;
	uint8_t digest[32];
	char hex[65];
	hash_bytes(digest, 32, "", 0, NULL, 0);
	hash_hex(hex, digest, 32);
	assert_string_equal(hex,
	    "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
	const char *parts[] = { "a", "b" };
	struct id id = hash_parts(parts, 2);
	hash_hex(hex, id.b, 16);
	assert_string_equal(hex, "852635742d6eb30fdccb0e7c1b53d92f");
	assert_true(hash_unhex(digest, 2, "0aFf") && digest[0] == 0x0a && digest[1] == 0xff);
	assert_false(hash_unhex(digest, 2, "0aF"));
	assert_false(hash_unhex(digest, 2, "0aFf0"));
	assert_false(hash_unhex(digest, 2, "0aFg"));
}

static void
an_id_is_time_and_keyed_hash(void **state)
{
	(void)state;
	char text[ID_TEXT_SIZE];
	struct id id = id_derive(key, INT64_C(1795256100123), "src", "id", "visit");
	id_text(&id, text);
	assert_string_equal(text, "01M7YSM98V0TY4F026VPGNJKAZ");
	assert_true(id_time_ms(&id) == INT64_C(1795256100123));
	struct id other = id_derive(key, INT64_C(1795256100123), "src", "id", "decision");
	assert_false(id_equal(&id, &other));
	struct id later = id_derive(key, INT64_C(1795256100124), "src", "id", "visit");
	assert_true(id_compare(&id, &later) < 0 && id_compare(&later, &id) > 0 &&
	    id_compare(&id, &id) == 0);
	/* The zeros keep source and id apart. */
	struct id left = id_derive(key, 1, "ab", "c", "visit"),
		  right = id_derive(key, 1, "a", "bc", "visit");
	assert_false(id_equal(&left, &right));
	struct id before = id_derive(key, -5, "src", "id", "visit");
	assert_true(id_time_ms(&before) == 0);
}

static void
an_id_s_text_has_one_spelling(void **state)
{
	(void)state;
	struct id id;
	char text[ID_TEXT_SIZE];
	assert_true(id_parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", &id));
	for (int i = 0; i < 16; i++)
		assert_int_equal(id.b[i], 255);
	id_text(&id, text);
	assert_string_equal(text, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
	assert_true(id_parse("00000000000000000000000000", &id) && id_is_zero(&id));
	assert_true(id_parse("01M7YSM98V0TY4F026VPGNJKAZ", &id) && !id_is_zero(&id));
	id_text(&id, text);
	assert_string_equal(text, "01M7YSM98V0TY4F026VPGNJKAZ");
	static const char *const bad[] = { "", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
		"01M7YSM98V0TY4F026VPGNJKA", "01M7YSM98V0TY4F026VPGNJKAZZ",
		"01m7ysm98v0ty4f026vpgnjkaz", "01M7YSM98V0TY4F026VPGNJKAI",
		"01M7YSM98V0TY4F026VPGNJKAU", "01M7YSM98V0TY4F026VPGNJKA " };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(id_parse(bad[i], &id));
}

static void
a_subject_is_the_card_under_the_pepper(void **state)
{
	(void)state;
	char text[SUBJECT_TEXT_SIZE];
	struct id subject = subject_of_card(key, "4012345", 7), back;
	subject_text(&subject, text);
	assert_string_equal(text, "4a068000824efc7de8b4870ba0d7b55a");
	assert_true(subject_parse(text, &back) && id_equal(&subject, &back));
	assert_false(subject_parse("4A068000824EFC7DE8B4870BA0D7B55A", &back));
	assert_false(subject_parse("4a068000824efc7de8b4870ba0d7b55", &back));
	assert_false(subject_parse("4a068000824efc7de8b4870ba0d7b55ag", &back));
}

static void
chance_is_what_the_formula_says_and_even(void **state)
{
	(void)state;
	const char *parts[] = { "exp", "01ARZ" };
	assert_true(chance(key, "share", parts, 2) == 0.8949480019200643);
	int below = 0;
	for (int i = 0; i < 10000; i++) {
		char name[12];
		snprintf(name, sizeof(name), "%d", i);
		const char *one[] = { name };
		double u = chance(key, "control", one, 1);
		assert_true(u >= 0 && u < 1);
		below += u < 0.1;
	}
	assert_in_range(below, 880, 1120);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_blake2b),
		cmocka_unit_test(an_id_is_time_and_keyed_hash),
		cmocka_unit_test(an_id_s_text_has_one_spelling),
		cmocka_unit_test(a_subject_is_the_card_under_the_pepper),
		cmocka_unit_test(chance_is_what_the_formula_says_and_even),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
