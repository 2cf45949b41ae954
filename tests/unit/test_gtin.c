/* SPDX-License-Identifier: Apache-2.0
 *
 * test_gtin.c - GTIN to 14 digits; restricted circulation; ISO 4217; decimal text to minor units.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "aisle/base.h"
#include "core/currency.h"
#include "ingest/decimal.h"
#include "nouns/gtin.h"

static void
each_length_becomes_fourteen_digits(void **state)
{
	static const char *const pairs[][2] = {
		{ "96385074", "00000096385074" },	/* GTIN-8 */
		{ "614141000036", "00614141000036" },	/* GTIN-12 */
		{ "4006381333931", "04006381333931" },	/* GTIN-13 */
		{ "10614141000415", "10614141000415" }, /* GTIN-14, a case */
		{ "00000096385074", "00000096385074" },
		{ "0000096385074", "00000096385074" },
	};
	char out[15];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		assert_true(gtin_normalise(pairs[i][0], out));
		assert_string_equal(out, pairs[i][1]);
	}
}

static void
what_is_no_gtin_leaves_out_untouched(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"9638507",
		"963850740",
		"9638507a",
		"96385075",
		"614141000037",
		"4006381333932",
		"10614141000416",
		"106141410004150",
		"0106141410004150",
		" 96385074",
		"96385074 ",
		"+4006381333931",
		"4006381 33931",
		"00000000",
		"00000000000000",
		"-963850741",
	};
	char out[15] = "unchanged";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(gtin_normalise(bad[i], out));
		assert_string_equal(out, "unchanged");
	}
}

static void
every_wrong_check_digit_is_found(void **state)
{
	char text[] = "4006381333931", out[15];
	int good = 0;

	(void)state;
	for (char digit = '0'; digit <= '9'; digit++) {
		text[12] = digit;
		good += gtin_normalise(text, out);
	}
	assert_int_equal(good, 1);
}

static bool
restricted(const char *first12)
{
	char text[14], out[15];

	memcpy(text, first12, 12);
	text[13] = '\0';
	for (text[12] = '0'; text[12] <= '9'; text[12]++) {
		if (gtin_normalise(text, out))
			return gtin_restricted(out);
	}
	fail();
	return false;
}

static void
prefixes_02_and_20_to_29_are_restricted_and_their_neighbours_are_not(void **state)
{
	char out[15];

	(void)state;
	assert_false(restricted("019999999999"));
	assert_true(restricted("020000000000"));
	assert_true(restricted("029999999999"));
	assert_false(restricted("030000000000"));
	assert_false(restricted("199999999999"));
	assert_true(restricted("200000000000"));
	assert_true(restricted("299999999999"));
	assert_false(restricted("300000000000"));
	/* UPC-A number system 2 is prefix 02 */
	assert_true(gtin_normalise("212345678909", out) || gtin_normalise("212345678900", out) ||
	    gtin_normalise("212345678906", out) || gtin_normalise("212345678903", out) ||
	    gtin_normalise("212345678907", out) || gtin_normalise("212345678901", out) ||
	    gtin_normalise("212345678902", out) || gtin_normalise("212345678904", out) ||
	    gtin_normalise("212345678905", out) || gtin_normalise("212345678908", out));
	assert_true(gtin_restricted(out));
	/* a case of twelve is goods on a pallet, whatever its next digits are */
	assert_false(gtin_restricted("12012345678909"));
	/* GTIN-8 */
	assert_true(gtin_restricted("00000020000011"));
	assert_false(gtin_restricted("00000096385074"));
}

static void
currencies_have_their_decimals(void **state)
{
	(void)state;
	assert_int_equal(currency_digits("EUR"), 2);
	assert_int_equal(currency_digits("USD"), 2);
	assert_int_equal(currency_digits("ZWL"), 2);
	assert_int_equal(currency_digits("AED"), 2);
	assert_int_equal(currency_digits("JPY"), 0);
	assert_int_equal(currency_digits("KRW"), 0);
	assert_int_equal(currency_digits("KWD"), 3);
	assert_int_equal(currency_digits("TND"), 3);
	assert_int_equal(currency_digits("CLF"), 4);
}

static void
what_is_no_currency_is_said_so(void **state)
{
	static const char *const bad[] = { "", "E", "EU", "EURO", "eur", "EU ", " EU", "R A", "XTS",
		"XAU", "ABC", "UR ", "1.0", "\xc3\xa4U" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(currency_digits(bad[i]), -1);
}

static void
decimals_become_minor_units_exactly(void **state)
{
	static const struct {
		const char *text;
		int digits;
		int64_t minor;
	} good[] = {
		{ "4.35", 2, 435 },
		{ "0.29", 2, 29 },
		{ "1.1", 2, 110 },
		{ "-0.5", 2, -50 },
		{ "7", 2, 700 },
		{ "4.350000", 2, 435 },
		{ "0", 2, 0 },
		{ "-0.00", 2, 0 },
		{ "100", 0, 100 },
		{ "100.0", 0, 100 },
		{ "1.234", 3, 1234 },
		{ "0.0001", 4, 1 },
		{ "10000000000", 2, INT64_C(1000000000000) },
		{ "007.10", 2, 710 },
	};
	int64_t minor;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(decimal_minor(good[i].text, good[i].digits, false, &minor));
		assert_int_equal(minor, good[i].minor);
	}
}

static void
other_texts_and_excess_decimals_are_refused(void **state)
{
	static const char *const bad[] = { "", "-", ".", ".5", "5.", "1,5", "1e2", "+1", " 1", "1 ",
		"--1", "1.2.3", "4.351", "10000000000.01", "99999999999999999999999999", "0x10",
		"nan", "1.5 EUR" };
	int64_t minor = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(decimal_minor(bad[i], 2, false, &minor));
		assert_int_equal(minor, 42);
	}
	assert_false(decimal_minor("100.5", 0, false, &minor));
}

static void
rounding_is_half_up_on_the_magnitude(void **state)
{
	int64_t minor;

	(void)state;
	assert_true(decimal_minor("4.354999", 2, true, &minor));
	assert_int_equal(minor, 435);
	assert_true(decimal_minor("4.355", 2, true, &minor));
	assert_int_equal(minor, 436);
	assert_true(decimal_minor("-4.355", 2, true, &minor));
	assert_int_equal(minor, -436);
	assert_true(decimal_minor("0.5", 0, true, &minor));
	assert_int_equal(minor, 1);
	assert_true(decimal_minor("9.999", 2, true, &minor));
	assert_int_equal(minor, 1000);
}

static void
every_price_below_a_thousand_survives_being_a_double(void **state)
{
	char text[40];
	int64_t minor;

	(void)state;
	for (int64_t cents = 0; cents < 100000; cents++) {
		assert_true(decimal_text((double)cents / 100.0, text));
		assert_true(decimal_minor(text, 2, false, &minor));
		assert_int_equal(minor, cents);
	}
	/* products that miss by one bit in doubles */
	assert_true(decimal_text(3 * 4.35, text) && decimal_minor(text, 2, false, &minor));
	assert_int_equal(minor, 1305);
	assert_true(decimal_text(0.1 + 0.2, text) && decimal_minor(text, 2, false, &minor));
	assert_int_equal(minor, 30);
	assert_true(decimal_text(9999999999.99, text) && decimal_minor(text, 2, false, &minor));
	assert_int_equal(minor, INT64_C(999999999999));
	assert_true(decimal_text(4.355, text));
	assert_false(decimal_minor(text, 2, false, &minor));
	assert_false(decimal_text(1e13, text));
	assert_false(decimal_text(-1e300, text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_length_becomes_fourteen_digits),
		cmocka_unit_test(what_is_no_gtin_leaves_out_untouched),
		cmocka_unit_test(every_wrong_check_digit_is_found),
		cmocka_unit_test(
		    prefixes_02_and_20_to_29_are_restricted_and_their_neighbours_are_not),
		cmocka_unit_test(currencies_have_their_decimals),
		cmocka_unit_test(what_is_no_currency_is_said_so),
		cmocka_unit_test(decimals_become_minor_units_exactly),
		cmocka_unit_test(other_texts_and_excess_decimals_are_refused),
		cmocka_unit_test(rounding_is_half_up_on_the_magnitude),
		cmocka_unit_test(every_price_below_a_thousand_survives_being_a_double),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
