/* SPDX-License-Identifier: Apache-2.0
 *
 * test_near.c - what somebody may have meant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/near.h"

static void
a_slip_is_a_letter_more_less_other_or_swapped(void **state)
{
	static const struct {
		const char *a, *b;
		int slips;
	} rows[] = {
		{ "coffee-off", "coffee-off", 0 },
		{ "Coffee-OFF", "coffee-off", 0 },
		{ "cofee-off", "coffee-off", 1 },
		{ "cofffee-off", "coffee-off", 1 },
		{ "coffee-ofd", "coffee-off", 1 },
		{ "ocffee-off", "coffee-off", 1 },
		{ "coffee-fof", "coffee-off", 1 },
		{ "ca", "abc", 3 }, /* swapped letters are not parted */
		{ "", "abc", 3 },
		{ "abc", "", 3 },
		{ "", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(near_slips(rows[i].a, rows[i].b), rows[i].slips);
}

static void
names_are_compared_up_to_their_bound(void **state)
{
	char longest[NEAR_NAME_MAX + 2], other[NEAR_NAME_MAX + 2];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[NEAR_NAME_MAX] = '\0';
	memcpy(other, longest, sizeof(other));
	other[NEAR_NAME_MAX - 1] = 'b';
	assert_int_equal(near_slips(longest, other), 1);
	longest[NEAR_NAME_MAX] = 'a';
	longest[NEAR_NAME_MAX + 1] = '\0';
	assert_int_equal(near_slips(longest, other), -1);
	assert_int_equal(near_slips(other, longest), -1);
}

static void
says(const char *word, const char *const *names, size_t count, const char *expected)
{
	struct near near = near_to(word);
	struct buf out = { 0 };

	buf_adds(&out, "");
	for (size_t i = 0; i < count; i++)
		near_offer(&near, names[i]);
	near_say(&near, &out);
	assert_string_equal(out.data, expected);
	buf_done(&out);
}

static void
the_nearest_names_are_offered_and_no_more_than_three(void **state)
{
	static const char *const names[] = { "tea-off", "coffee-on", "coffee-off", "coffee-offer",
		"coffees-off", "coffe-off" };

	(void)state;
	says("coffee-of", names, ARRAY_LEN(names),
	    "; is \"coffee-on\", \"coffee-off\" or \"coffees-off\" meant?");
	says("tae-off", names, ARRAY_LEN(names), "; is \"tea-off\" meant?");
	says("coffee-offr",
	    (const char *const[]){ "coffee-offering", "coffee-offer", "coffee-off" }, 3,
	    "; is \"coffee-offer\" or \"coffee-off\" meant?");
}

static void
what_is_not_near_is_not_offered(void **state)
{
	static const char *const names[] = { "no", "status", "stop" };

	(void)state;
	says("staus", names, ARRAY_LEN(names), "; is \"status\" meant?");
	says("st", names, ARRAY_LEN(names), "");
	says("xy", names, ARRAY_LEN(names), "");
	says("", names, ARRAY_LEN(names), "");
	/* One slip for four bytes: the last that is offered, the first that is not. */
	says("abcdefgh", (const char *const[]){ "abcdexyz" }, 1, "; is \"abcdexyz\" meant?");
	says("abcdefg", (const char *const[]){ "abcdxyz" }, 1, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slip_is_a_letter_more_less_other_or_swapped),
		cmocka_unit_test(names_are_compared_up_to_their_bound),
		cmocka_unit_test(the_nearest_names_are_offered_and_no_more_than_three),
		cmocka_unit_test(what_is_not_near_is_not_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
