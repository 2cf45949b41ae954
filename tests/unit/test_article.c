/* SPDX-License-Identifier: Apache-2.0
 *
 * test_article.c - whatever writing a code comes in, it names one article.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/calendar.h"
#include "nouns/article.h"
#include "nouns/gtin.h"

#include "random_fixture.h"

#define TODAY ((int32_t)calendar_days(2026, 11, 21))

static struct article article;

static bool
reads(const char *text)
{
	return article_read(text, SYMBOLOGY_ANY, TODAY, &article);
}

static void
every_writing_of_a_number_is_that_number(void **state)
{
	static const char *const pens[] = { "4006381333931", "04006381333931", "400-6381-33393-1",
		" 4006381333931\r", "0000004006381333931", "]E04006381333931", "(01)04006381333931",
		"0104006381333931", "]C10104006381333931", "]d20104006381333931",
		"]Q30104006381333931", "]e00104006381333931",
		"\x1d"
		"0104006381333931",
		"]d2\x1d"
		"0104006381333931",
		"https://id.gs1.org/01/04006381333931", "HTTPS://ID.GS1.ORG/01/04006381333931",
		"http://shop.example/pens/blue/01/4006381333931?utm=1",
		"https://shop.example/gtin/4006381333931#top",
		"https://shop.example/01/nothing/01/04006381333931/",
		"010400638133393110A1\x1d"
		"17270131",
		"11260101\x1d"
		"0104006381333931" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pens); i++) {
		if (!reads(pens[i]) || strcmp(article.gtin, "04006381333931") != 0)
			fail_msg("%s is %s", pens[i], article.gtin);
	}
	assert_true(reads("42100005264")); /* the zero before it is lost */
	assert_string_equal(article.gtin, "00042100005264");
	assert_true(reads("96385074"));
	assert_string_equal(article.gtin, "00000096385074");
	assert_true(reads("10614141000415")); /* ITF-14 of a case: another article */
	assert_string_equal(article.gtin, "10614141000415");
}

static void
what_names_no_article_is_none(void **state)
{
	static const char *const none[] = { "", " ", "0", "4006381333932", "42100005265",
		"400638133393", "apples", "00000000000000", "14006381333931", "(01)04006381333932",
		"0104006381333932", "(02)04006381333931(37)10", "(10)A1", "]C1", "]d2", "]", "(01)",
		"(01", "01", "https://", "https://id.gs1.org", "https://id.gs1.org/01/",
		"https://id.gs1.org/01/4006381333932", "https://id.gs1.org/?01=4006381333931",
		"ftp://x/01/04006381333931", "5804006381333931", "\x1d", "\x1d\x1d",
		"040063813339310400638133393104006381333931" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		if (reads(none[i]))
			fail_msg("%s is %s", none[i], article.gtin);
		assert_string_equal(article.gtin, "");
		assert_int_equal(article.price_decimals, -1);
	}
	/* Only who says so means an element string that begins otherwise. */
	assert_false(reads("172701310104006381333931"));
	assert_true(article_read("172701310104006381333931", SYMBOLOGY_GS1, TODAY, &article));
	assert_true(article_read("4006381333931", SYMBOLOGY_GS1, TODAY, &article));
}

static void
all_that_stands_in_a_code_is_taken(void **state)
{
	static const char *const codes[] = {
		"(01)04006381333931(10)AB(C/7(15)261231(17)270115(3103)001284(3922)000499",
		"010400638133393110AB(C/7\x1d"
		"152612311727011531030012843922000499",
		"]C101040063813339313103001284152612311727011510AB(C/7\x1d"
		"3922000499",
		"https://id.gs1.org/01/04006381333931/10/AB(C%2F7?15=261231&17=270115;3103=001284&"
		"3922=000499&x=y",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		assert_true(reads(codes[i]));
		assert_string_equal(article.gtin, "04006381333931");
		assert_string_equal(article.batch, "AB(C/7");
		assert_int_equal(article.best_before, calendar_days(2026, 12, 31));
		assert_int_equal(article.weight_milli, 1284);
		assert_int_equal(article.price, 499);
		assert_int_equal(article.price_decimals, 2);
	}
	assert_true(reads("(01)04006381333931(3205)123456"));
	assert_int_equal(article.weight_milli, 1235);
	assert_true(reads("(01)04006381333931(3104)000005"));
	assert_int_equal(article.weight_milli, 1);
	assert_true(reads("(01)04006381333931(3100)000012"));
	assert_int_equal(article.weight_milli, 12000);
}

static void
a_date_is_one_of_the_calendar_in_the_near_century(void **state)
{
	static const struct {
		const char *text;
		int year, month, day; /* year 0: none */
	} dates[] = { { "270200", 2027, 2, 28 }, { "280200", 2028, 2, 29 },
		{ "261231", 2026, 12, 31 }, { "760101", 2076, 1, 1 }, { "770101", 1977, 1, 1 },
		{ "270230", 0, 0, 0 }, { "271301", 0, 0, 0 }, { "270001", 0, 0, 0 },
		{ "27010a", 0, 0, 0 }, { "2701", 0, 0, 0 } };
	char code[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		snprintf(code, sizeof(code), "(01)04006381333931(15)%s", dates[i].text);
		assert_true(reads(code));
		assert_int_equal(article.best_before,
		    dates[i].year == 0
			? 0
			: calendar_days(dates[i].year, dates[i].month, dates[i].day));
	}
}

static void
what_is_wrong_in_a_code_costs_only_itself(void **state)
{
	(void)state;
	/* 21 characters of batch, a weight of five digits, a price of 16 */
	assert_true(reads("(01)04006381333931(10)123456789012345678901(3103)01284(3922)"
			  "1234567890123456"));
	assert_string_equal(article.batch, "");
	assert_int_equal(article.weight_milli, 0);
	assert_int_equal(article.price_decimals, -1);
	/* An AI that is none ends an element string: what is behind it may be its value. */
	assert_true(reads("0104006381333931581727013110A"));
	assert_string_equal(article.batch, "");
	assert_int_equal(article.best_before, 0);
	/* A second article does not replace the first. */
	assert_true(reads("(01)04006381333931(01)00000096385074"));
	assert_string_equal(article.gtin, "04006381333931");
	assert_true(reads("(01)04006381333931(10)k\xc3\xa4se"));
	assert_string_equal(article.batch, "");
}

static void
upc_e_is_read_where_it_is_said(void **state)
{
	static const char *const same[][2] = {
		{ "04252614", "00042100005264" }, /* all of it */
		{ "4252614", "00042100005264" },  /* without its zero */
		{ "425261", "00042100005264" },	  /* the six alone */
		{ "01234558", "00012345000058" },
		{ "01234531", "00012300000451" },
		{ "01234543", "00012340000053" },
		{ "12789061", "00127890000061" },
		{ "01234505", "00012000003455" },
		{ "19999999", "00199999000099" },
		{ "042100005264", "00042100005264" },
		{ "4006381333931", "04006381333931" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		assert_true(article_read(same[i][0], SYMBOLOGY_UPC_E, TODAY, &article));
		assert_string_equal(article.gtin, same[i][1]);
	}
	assert_false(article_read("04252615", SYMBOLOGY_UPC_E, TODAY, &article));
	assert_false(article_read("24252614", SYMBOLOGY_UPC_E, TODAY, &article));
	assert_false(reads("04252614"));
}

/* A GTIN of the general range, at random, in each writing that has room for it. */
static void
random_articles_keep_their_identity(void **state)
{
	struct dice dice = { 9 };
	char digits[15], gtin[15], code[200], batch[BATCH_MAX + 1];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		int day = (int)dice_below(&dice, 29), month = 1 + (int)dice_below(&dice, 12);
		size_t len = 1 + dice_below(&dice, BATCH_MAX);

		do {
			sprintf(digits, "0%013llu",
			    (unsigned long long)(dice_next(&dice) % 10000000000000ull));
		} while (!gtin_normalise(digits, gtin));
		for (size_t i = 0; i < len; i++)
			batch[i] = (char)('!' + dice_below(&dice, '~' - '!' + 1));
		batch[len] = '\0';
		if (strchr(batch, '(') != NULL)
			batch[0] = 'B', batch[1] = '\0';
		for (int form = 0; form < 4; form++) {
			const char *zeros = gtin;

			switch (form) {
			case 0:
				sprintf(code, "(01)%s(17)27%02d%02d(10)%s", gtin, month, day,
				    batch);
				break;
			case 1:
				sprintf(code,
				    "%s01%s10%s\x1d"
				    "1727%02d%02d",
				    round % 2 ? "]C1" : "]d2", gtin, batch, month, day);
				break;
			case 2:
				sprintf(code, "01%s1727%02d%02d10%s", gtin, month, day, batch);
				break;
			default:
				zeros += dice_below(&dice, 1 + strspn(gtin, "0"));
				len = strlen(zeros);
				if (len < 11 || len > 14)
					zeros = gtin;
				strcpy(code, zeros);
				break;
			}
			if (!reads(code) || strcmp(article.gtin, gtin) != 0)
				fail_msg("%s is %s, not %s", code, article.gtin, gtin);
			if (form == 3)
				continue;
			assert_string_equal(article.batch, batch);
			assert_int_equal(article.best_before,
			    calendar_days(2027, month,
				day == 0 ? calendar_month_days(2027, month) : day));
		}
	}
}

/* Whatever it is given, it ends, and what it gives is whole. */
static void
damaged_codes(void **state)
{
	static const char pieces[][20] = { "01", "04006381333931", "(01)", "(10)", "10", "\x1d",
		"]C1", "17", "270131", "3103", "001284", "https://", "/01/", "?", "&", "=", "%",
		"%41", "(", ")", "99", "A", "\xc3\xa4", "392", "0", "58" };
	struct dice dice = { 4 };
	int found = 0;

	(void)state;
	for (int round = 0; round < 300000; round++) {
		char code[400];
		size_t len = 0;

		for (uint64_t i = dice_below(&dice, 14); i > 0; i--) {
			const char *piece = pieces[dice_below(&dice, ARRAY_LEN(pieces))];

			len += (size_t)sprintf(code + len, "%s", piece);
		}
		code[len] = '\0';
		if (!article_read(code, round % 3, TODAY, &article))
			continue;
		found++;
		assert_int_equal(strlen(article.gtin), 14);
		assert_true(strlen(article.batch) <= BATCH_MAX);
		assert_true(article.weight_milli >= 0 && article.price >= 0);
		assert_true(article.best_before >= 0);
	}
	assert_true(found > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_writing_of_a_number_is_that_number),
		cmocka_unit_test(what_names_no_article_is_none),
		cmocka_unit_test(all_that_stands_in_a_code_is_taken),
		cmocka_unit_test(a_date_is_one_of_the_calendar_in_the_near_century),
		cmocka_unit_test(what_is_wrong_in_a_code_costs_only_itself),
		cmocka_unit_test(upc_e_is_read_where_it_is_said),
		cmocka_unit_test(random_articles_keep_their_identity),
		cmocka_unit_test(damaged_codes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
