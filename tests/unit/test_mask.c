/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mask.c - card numbers and PINs where they do not belong become asterisks; all else stays.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/mask.h"
#include "nouns/gtin.h"

#include "random_fixture.h"

#define CARD "4929123456789012"
#define STARS "****************"

struct found {
	char values[8][80];
	bool is_subject[8];
	int count;
};

static void
on_found(void *ctx, const char *value, size_t len, bool is_subject)
{
	struct found *found = ctx;

	assert_true(found->count < 8 && len < 80);
	memcpy(found->values[found->count], value, len);
	found->values[found->count][len] = '\0';
	found->is_subject[found->count++] = is_subject;
}

static bool
is_article(const char *value)
{
	char gtin[15];

	return gtin_normalise(value, gtin);
}

static void
masks_to(const char *text, const char *expected)
{
	struct found found = { .count = 0 };
	struct mask mask = { .found = on_found, .is_article = is_article, .ctx = &found };
	struct buf out = { 0 };

	mask_payload(&mask, text, strlen(text), &out);
	buf_addc(&out, '\0');
	assert_string_equal(out.data, expected);
	buf_done(&out);
}

static void
the_value_of_a_member_named_like_a_card_or_pin_is_masked(void **state)
{
	static const char *const pairs[][2] = {
		{ "{\"card\":\"4711\"}", "{\"card\":\"****\"}" },
		{ "{\"card\":4711,\"a\":1}", "{\"card\":****,\"a\":1}" },
		{ "{ \"cardNumber\" : \"A-1 b\" }", "{ \"cardNumber\" : \"*-* *\" }" },
		{ "{\"loyalty_card\":\"x\",\"pin\":\"12\"}",
		    "{\"loyalty_card\":\"*\",\"pin\":\"**\"}" },
		{ "{\"approval\":{\"manager\":\"m1\",\"pin\":\"12\"}}",
		    "{\"approval\":{\"manager\":\"m1\",\"pin\":\"**\"}}" },
		{ "{\"PIN\":12}", "{\"PIN\":**}" },
		{ "{\"c\\u0061rd\":\"\\u0034\\u00371\"}", "{\"card\":\"***\"}" },
		{ "{\"card\":\"a\\\"b\",\"c\":\"d\"}", "{\"card\":\"*\\\"*\",\"c\":\"d\"}" },
		{ "{\"card\":\"a\\\\\",\"c\":\"d\"}", "{\"card\":\"*\\\\\",\"c\":\"d\"}" },
		{ "{\"into\":\"abc\",\"memberId\":\"abc\"}",
		    "{\"into\":\"***\",\"memberId\":\"***\"}" },
		/* cut, or in a text, or no JSON at all */
		{ "{\"card\":\"47", "{\"card\":\"**" },
		{ "{\"card\":", "{\"card\":" },
		{ "{\"card", "{\"card" },
		{ "{\"body\":\"{\\\"card\\\":\\\"47\\\",\\\"a\\\":\\\"b\\\"}\"}",
		    "{\"body\":\"{\\\"card\\\":\\\"**\\\",\\\"a\\\":\\\"b\\\"}\"}" },
		{ "{\"a\":\"{\\\"b\\\":\\\"{\\\\\\\"pin\\\\\\\":\\\\\\\"12\\\\\\\","
		  "\\\\\\\"c\\\\\\\":3}\\\"}\"}",
		    "{\"a\":\"{\\\"b\\\":\\\"{\\\\\\\"pin\\\\\\\":\\\\\\\"**\\\\\\\","
		    "\\\\\\\"c\\\\\\\":3}\\\"}\"}" },
		{ "{'card':'47','a':1}", "{'card':'**','a':1}" },
		{ "card=47&a=1", "card=**&a=1" },
		{ ":pin => 4711, :a => 1", ":pin => ****, :a => 1" },
		{ "<sale><card>47</card><a>1</a></sale>", "<sale><card>**</card><a>1</a></sale>" },
		{ "<ns:Card type=\"x\">47</ns:Card><a>1</a>",
		    "<ns:Card ****=\"*\">**</ns:Card><a>1</a>" },
		{ "<m pin=\"12\" a=\"1\"/>", "<m pin=\"**\" a=\"1\"/>" },
		{ "<card/><a>1</a>", "<card/><a>1</a>" },
		{ "the PIN is 4711 today", "the PIN is **** today" },
		{ "PIN 4711", "PIN ****" },
		{ "card no. 123456 lost", "card no. ****** lost" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		masks_to(pairs[i][0], pairs[i][1]);
	masks_to("{\"card\":{\"no\":\"47}11\",\"x\":[1,2]},\"a\":1}",
	    "{\"card\":{\"**\":\"**}**\",\"*\":[*,*]},\"a\":1}");
}

static void
runs_of_twelve_digits_and_more_are_masked(void **state)
{
	static const char *const pairs[][2] = {
		{ "12345678901", "12345678901" },
		{ "123456789012", "************" },
		{ "x1234567890123456789y", "x*******************y" },
		{ "12345678901234567890", "********************" },
		{ "4929 1234 5678 9012", "**** **** **** ****" },
		{ "7 4929-1234-5678-9012 9", "7 ****-****-****-**** 9" },
		{ "3782 822463 10005", "**** ****** *****" },
		{ "4929\xc2\xa0"
		  "1234\xc2\xa0"
		  "5678\xc2\xa0"
		  "9012",
		    "****\xc2\xa0****\xc2\xa0****\xc2\xa0****" },
		{ "49 29 12 34 56 78 90 12", "** ** ** ** ** ** ** **" },
		{ "{\"a\":" CARD "}", "{\"a\":" STARS "}" },
		/* dates, times and what till makers number their events by */
		{ "2026-11-21T10:15:00.123Z", "2026-11-21T10:15:00.123Z" },
		{ "2026-11-21 10:15", "2026-11-21 10:15" },
		{ "7-20261121-000913", "7-20261121-000913" },
		/* the digest of a customer, though it has twelve digits in a row */
		{ "ab123456789012cdef00112233445566", "ab123456789012cdef00112233445566" },
		{ "ab123456789012cd", "ab************cd" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		masks_to(pairs[i][0], pairs[i][1]);
}

static void
a_valid_gtin_stays_in_a_gtin(void **state)
{
	(void)state;
	masks_to("{\"gtin\":\"4006381333931\"}", "{\"gtin\":\"4006381333931\"}");
	masks_to("{\"gtin\":4006381333931}", "{\"gtin\":4006381333931}");
	masks_to("{\"gtin\":\"4006381333932\"}", "{\"gtin\":\"*************\"}");
	masks_to("{\"gtin\":\"" CARD "\"}", "{\"gtin\":\"" STARS "\"}");
	masks_to("{\"sku\":\"4006381333931\"}", "{\"sku\":\"*************\"}");
}

static void
what_is_about_nobody_stays(void **state)
{
	static const char *const texts[] = { "{\"basket\":\"b1\",\"line\":4,\"amount\":499}",
		"{\"name\":\"SD card 128 GB\"}",
		"{\"tenders\":[{\"type\":\"card\",\"amount\":499}]}",
		"{\"name\":\"spinning 1000 m\"}", "", "{", "\"", "\\", "\\u", "\\u00" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		masks_to(texts[i], texts[i]);
}

static void
cards_and_subjects_are_told_before_they_go(void **state)
{
	static const char text[] =
	    "{\"card\":\"47\",\"data\":{\"into\":4812,\"pin\":\"99\",\"subject\":\"s1\"}}";
	struct found found = { .count = 0 };
	struct mask mask = { .found = on_found, .ctx = &found };
	struct buf out = { 0 };

	(void)state;
	mask_payload(&mask, text, strlen(text), &out);
	buf_done(&out);
	assert_int_equal(found.count, 3);
	assert_string_equal(found.values[0], "47");
	assert_string_equal(found.values[1], "4812");
	assert_string_equal(found.values[2], "s1");
	assert_false(found.is_subject[1]);
	assert_true(found.is_subject[2]);
}

/* A card and a PIN somewhere in broken writings: neither is left, and the length is. */
static void
no_writing_keeps_a_card_or_a_pin(void **state)
{
	static const char *const names[] = { "card", "Card", "card_number", "cardNo", "loyaltyCard",
		"into", "c\\u0061rd", "pan" };
	static const char *const pins[] = { "pin", "PIN", "manager_pin", "pinCode", "p\\u0069n" };
	static const char *const quotes[] = { "\"", "'", "\\\"", "\\\\\\\"", "" };
	static const char *const pieces[] = { "{", "}", "[", "]", ",", "\"a\":1", "\"x\"", " ",
		"\n", "\\", "<a>", "</a>", "\xc3\xa4", "null", "7", "-", ":", "\"" };
	struct dice dice = { 6 };
	struct mask mask = { 0 };

	(void)state;
	for (int round = 0; round < 100000; round++) {
		const char *quote = quotes[dice_below(&dice, ARRAY_LEN(quotes))];
		bool secret = dice_below(&dice, 2) == 1;
		char text[600];
		size_t len = 0;
		struct buf out = { 0 };

		for (uint64_t i = dice_below(&dice, 6); i > 0; i--)
			len += (size_t)sprintf(text + len, "%s",
			    pieces[dice_below(&dice, ARRAY_LEN(pieces))]);
		len += (size_t)sprintf(text + len, ",%s%s%s%s%s%s%s%s", quote,
		    secret ? pins[dice_below(&dice, ARRAY_LEN(pins))]
			   : names[dice_below(&dice, ARRAY_LEN(names))],
		    quote, dice_below(&dice, 2) ? ":" : " : ", quote, secret ? "8642" : "97531",
		    quote, dice_below(&dice, 2) ? "," : "}");
		for (uint64_t i = dice_below(&dice, 6); i > 0; i--)
			len += (size_t)sprintf(text + len, "%s",
			    pieces[dice_below(&dice, ARRAY_LEN(pieces))]);
		if (dice_below(&dice, 4) == 0)
			len += (size_t)sprintf(text + len, "%s", CARD);
		mask_payload(&mask, text, len, &out);
		buf_addc(&out, '\0');
		if (strstr(out.data, "8642") != NULL || strstr(out.data, "97531") != NULL ||
		    strstr(out.data, CARD) != NULL)
			fail_msg("%s kept %s", text, out.data);
		buf_done(&out);
	}
}

/* Any bytes at all: it ends, and nothing grows. */
static void
any_bytes(void **state)
{
	static const char letters[] = "card pin\"':=<>/{}[]\\u0034-.,&;\x00\xff\n";
	struct dice dice = { 2 };
	struct mask mask = { .is_article = is_article };
	char text[300];

	(void)state;
	for (int round = 0; round < 200000; round++) {
		struct buf out = { 0 };
		size_t len = dice_below(&dice, 120);

		for (size_t i = 0; i < len; i++)
			text[i] = letters[dice_below(&dice, sizeof(letters) - 1)];
		mask_payload(&mask, text, len, &out);
		assert_true(out.len <= len);
		mask_text(text, len);
		buf_done(&out);
	}
}

/* A value that is read again from its start, for what stands in it, is not looked at to its end: a
 * megabyte of them would take minutes. */
static void
names_in_names_are_read_in_one_pass(void **state)
{
	static const char *const names[] = { "gtin=", "gtin:\"", "subject=", "subject='",
		"gtin:\\\"", "subject=gtin=" };
	struct mask mask = { .is_article = is_article };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct buf text = { 0 }, out = { 0 };

		while (text.len < 1 << 20)
			buf_add(&text, names[i], strlen(names[i]));
		buf_add(&text, "card=" CARD, strlen("card=" CARD));
		mask_payload(&mask, text.data, text.len, &out);
		assert_int_equal(out.len, text.len);
		assert_memory_equal(out.data, text.data, text.len - strlen(CARD));
		assert_memory_equal(out.data + out.len - strlen(CARD), STARS, strlen(STARS));
		buf_done(&text);
		buf_done(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_value_of_a_member_named_like_a_card_or_pin_is_masked),
		cmocka_unit_test(runs_of_twelve_digits_and_more_are_masked),
		cmocka_unit_test(a_valid_gtin_stays_in_a_gtin),
		cmocka_unit_test(what_is_about_nobody_stays),
		cmocka_unit_test(cards_and_subjects_are_told_before_they_go),
		cmocka_unit_test(no_writing_keeps_a_card_or_a_pin),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(names_in_names_are_read_in_one_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
