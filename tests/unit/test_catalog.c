/* SPDX-License-Identifier: Apache-2.0
 *
 * test_catalog.c - the chain's articles: found by what a till says, and refused where they lie.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "nouns/catalog.h"
#include "nouns/catalog_layout.h"

static const uint8_t picture_a[32] = { 7, 1 }, picture_b[32] = { 3, 9 };

static struct buf
pack(const struct catalog_row *rows, size_t count)
{
	struct buf out = { 0 };
	struct catalog_clash clash;
	struct err err = { 0 };

	if (catalog_pack(rows, count, &out, &clash, &err) != 0)
		fail_msg("%s", err.text);
	return out;
}

static struct catalog *
open_in(const struct buf *bytes, const char *country)
{
	struct catalog *catalog;
	struct err err = { 0 };

	if (catalog_open(bytes->data, bytes->len, country, NULL, &catalog, &err) != 0)
		fail_msg("%s", err.text);
	return catalog;
}

/* Coffee by a sku and two GTINs, schnapps by its GTIN alone, an apple by a number that a scale has. */
static struct buf
sample(void)
{
	static const char *const coffee[] = { "4006381333931", "96385074" },
				 *const schnapps[] = { "036000291452" };
	static const struct catalog_mark marks[] = { { MARK_SENSITIVE, "DE" },
		{ MARK_NO_PROMOTION, "" } };
	const struct catalog_row rows[] = {
		{ .sku = "C-1",
		    .gtins = coffee,
		    .gtin_count = 2,
		    .category = "grocery/coffee",
		    .brand = "acme",
		    .name = "Coffee, 500 g",
		    .margin_kind = CATALOG_MARGIN_SHARE,
		    .margin = 23500,
		    .picture = picture_a },
		{ .gtins = schnapps,
		    .gtin_count = 1,
		    .category = "grocery/drinks",
		    .marks = marks,
		    .mark_count = 2,
		    .picture = picture_b },
		{ .sku = "4011",
		    .name = "Banana",
		    .brand = "acme",
		    .margin_kind = CATALOG_MARGIN_PIECE,
		    .margin = 120 },
	};

	return pack(rows, ARRAY_LEN(rows));
}

static const char *
name_by(const struct catalog *catalog, const char *text)
{
	struct catalog_article found;

	return catalog_find(catalog, text, &found) ? found.name : NULL;
}

static void
test_an_article_is_found_by_each_writing_of_its_gtin_and_by_its_sku(void **state)
{
	static const char *const writings[] = { "C-1", "4006381333931", "04006381333931",
		"96385074", "00000096385074" };
	static const char *const others[] = { "c-1", "C-1 ", "C-2", "4006381333932", "400638133393",
		"04011", "", "96385075", "0", "99999999999999999999" };
	struct buf bytes = sample();
	struct catalog *catalog = open_in(&bytes, "DE");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(writings); i++)
		assert_string_equal(name_by(catalog, writings[i]), "Coffee, 500 g");
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_null(name_by(catalog, others[i]));
	assert_null(name_by(catalog, NULL));
	assert_string_equal(name_by(catalog, "4011"), "Banana");
	/* Eleven digits are a UPC-A that lost its zero. */
	struct catalog_article found;
	assert_true(catalog_find(catalog, "36000291452", &found));
	assert_string_equal(found.category, "grocery/drinks");
	assert_null(found.name);
	assert_null(found.brand);
	assert_int_equal(catalog_count(catalog), 3);
	assert_int_equal(catalog_codes(catalog), 5);
	catalog_free(catalog);
	buf_done(&bytes);
}

static enum mark
mark_in(const struct buf *bytes, const char *country)
{
	struct catalog *catalog = open_in(bytes, country);
	struct catalog_article found;

	assert_true(catalog_find(catalog, "00036000291452", &found));
	catalog_free(catalog);
	return found.mark;
}

static void
test_a_mark_counts_in_its_country_and_everywhere_where_no_country_is_said(void **state)
{
	struct buf bytes = sample();

	(void)state;
	assert_int_equal(mark_in(&bytes, "DE"), MARK_SENSITIVE);
	assert_int_equal(mark_in(&bytes, "FR"), MARK_NO_PROMOTION);
	assert_int_equal(mark_in(&bytes, NULL), MARK_SENSITIVE);
	buf_done(&bytes);
}

static void
test_an_image_is_known_by_its_hash(void **state)
{
	struct buf bytes = sample();
	struct catalog *catalog = open_in(&bytes, NULL);
	struct catalog_article found;
	char hex[65];

	(void)state;
	assert_int_equal(catalog_pictures(catalog), 2);
	hash_hex(hex, picture_a, 32);
	assert_true(catalog_has_picture(catalog, hex));
	hash_hex(hex, picture_b, 32);
	assert_true(catalog_has_picture(catalog, hex));
	hex[0] = '1';
	assert_false(catalog_has_picture(catalog, hex));
	assert_false(catalog_has_picture(catalog, "03"));
	hex[0] = 'x';
	assert_false(catalog_has_picture(catalog, hex));
	assert_true(catalog_find(catalog, "C-1", &found));
	assert_memory_equal(found.picture, picture_a, 32);
	assert_true(catalog_find(catalog, "4011", &found));
	assert_null(found.picture);
	catalog_free(catalog);
	buf_done(&bytes);
}

static void
test_a_margin_is_a_share_of_the_full_price_or_so_much_a_piece_less_discounts(void **state)
{
	static const struct {
		enum catalog_margin kind;
		int32_t margin;
		int64_t qty_milli, amount, discount, expected;
	} cases[] = {
		{ CATALOG_MARGIN_SHARE, 25000, 1000, 400, 0, 100 },
		{ CATALOG_MARGIN_SHARE, 25000, 1000, 398, 0, 100 }, /* 99.5 */
		{ CATALOG_MARGIN_SHARE, 25000, 1000, 397, 0, 99 },  /* 99.25 */
		{ CATALOG_MARGIN_SHARE, 25000, 1000, 360, 40, 60 }, /* 100 less 40 */
		{ CATALOG_MARGIN_SHARE, 25000, 1000, 360, -40, 60 },
		{ CATALOG_MARGIN_SHARE, 25000, 1000, -398, 0, -100 },
		{ CATALOG_MARGIN_SHARE, -1000000, 1000, 10, 0, -100 },
		{ CATALOG_MARGIN_SHARE, 100000, 1000, MONEY_MAX, 0, MONEY_MAX },
		{ CATALOG_MARGIN_PIECE, 120, 2000, 998, 0, 240 },
		{ CATALOG_MARGIN_PIECE, 120, 1234, 998, 0, 148 }, /* 148.08 */
		{ CATALOG_MARGIN_PIECE, 1, 500, 998, 0, 1 },	  /* 0.5 */
		{ CATALOG_MARGIN_PIECE, 1, 499, 998, 0, 0 },	  /* 0.499 */
		{ CATALOG_MARGIN_PIECE, -1, 500, 998, 0, -1 },	  /* -0.5 */
		{ CATALOG_MARGIN_PIECE, 120, 1000, 399, 100, 20 },
		{ CATALOG_MARGIN_PIECE, 120, 1000, -499, 0, -120 },
		{ CATALOG_MARGIN_PIECE, 0, 1000, 499, 0, 0 },
	};
	struct catalog_article article = { 0 };
	int64_t minor = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		article.margin_kind = cases[i].kind;
		article.margin = cases[i].margin;
		assert_true(catalog_margin(&article, cases[i].qty_milli, cases[i].amount,
		    cases[i].discount, &minor));
		if (minor != cases[i].expected)
			fail_msg("case %zu: %lld", i, (long long)minor);
	}
	article.margin_kind = CATALOG_MARGIN_NONE;
	assert_false(catalog_margin(&article, 1000, 100, 0, &minor));
	article.margin_kind = CATALOG_MARGIN_SHARE;
	article.margin = CATALOG_SHARE_MIN;
	assert_false(catalog_margin(&article, 1000, MONEY_MAX, 0, &minor));
	assert_false(catalog_margin(&article, 1000, MONEY_MAX, MONEY_MAX + 1, &minor));
	assert_false(catalog_margin(&article, CATALOG_QTY_MAX + 1, 100, 0, &minor));
	article.margin_kind = CATALOG_MARGIN_PIECE;
	article.margin = CATALOG_PIECE_MAX;
	assert_true(catalog_margin(&article, 1000, 100, 0, &minor));
	assert_int_equal(minor, CATALOG_PIECE_MAX);
	assert_false(catalog_margin(&article, CATALOG_QTY_MAX, 100, 0, &minor));
}

/* ---- made ---- */

static void
test_the_same_rows_make_the_same_bytes_and_texts_are_kept_once(void **state)
{
	struct buf once = sample(), again = sample();
	struct catalog *catalog = open_in(&once, NULL);
	struct catalog_article coffee, banana;

	(void)state;
	assert_int_equal(once.len, again.len);
	assert_memory_equal(once.data, again.data, once.len);
	assert_true(catalog_find(catalog, "C-1", &coffee) &&
	    catalog_find(catalog, "4011", &banana));
	assert_ptr_equal(coffee.brand, banana.brand);
	catalog_free(catalog);
	buf_done(&once);
	buf_done(&again);
}

static void
test_a_code_of_two_articles_is_told_whose_it_is(void **state)
{
	static const char *const one[] = { "04006381333931" }, *const two[] = { "4006381333931" };
	const struct catalog_row rows[] = {
		{ .sku = "A" },
		{ .sku = "B", .gtins = one, .gtin_count = 1 },
		{ .sku = "C", .gtins = two, .gtin_count = 1 },
	};
	const struct catalog_row twice = { .sku = "4006381333931", .gtins = one, .gtin_count = 1 };
	struct catalog_clash clash = { 0 };
	struct buf out = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(catalog_pack(rows, 3, &out, &clash, &err), AISLE_E_INVALID);
	assert_int_equal(clash.row, 2);
	assert_int_equal(clash.former, 1);
	assert_string_equal(clash.code, "4006381333931");
	assert_int_equal(out.len, 0);
	/* An article that says its own code twice is no clash. */
	out = pack(&twice, 1);
	struct catalog *catalog = open_in(&out, NULL);
	assert_int_equal(catalog_codes(catalog), 1);
	catalog_free(catalog);
	buf_done(&out);
}

static void
test_as_many_articles_as_there_may_be_and_not_one_more(void **state)
{
	struct catalog_row *rows = mem_calloc(CATALOG_ARTICLES_MAX + 1, sizeof(*rows));
	char(*skus)[12] = mem_calloc(CATALOG_ARTICLES_MAX + 1, sizeof(*skus));
	struct catalog_clash clash;
	struct err err = { 0 };
	struct buf out = { 0 };
	struct catalog *catalog;

	(void)state;
	for (size_t i = 0; i <= CATALOG_ARTICLES_MAX; i++) {
		snprintf(skus[i], sizeof(skus[i]), "sku-%zu", i);
		rows[i].sku = rows[i].name = skus[i];
	}
	assert_int_equal(catalog_pack(rows, CATALOG_ARTICLES_MAX + 1, &out, &clash, &err),
	    AISLE_E_FULL);
	out = pack(rows, CATALOG_ARTICLES_MAX);
	catalog = open_in(&out, NULL);
	for (size_t i = 0; i < CATALOG_ARTICLES_MAX; i++)
		assert_string_equal(name_by(catalog, skus[i]), skus[i]);
	assert_null(name_by(catalog, skus[CATALOG_ARTICLES_MAX]));
	catalog_free(catalog);
	buf_done(&out);
	free(rows);
	free(skus);
}

static void
test_a_set_of_marks_has_a_bound_and_so_has_the_number_of_them(void **state)
{
	static struct catalog_mark marks[CATALOG_SET_ENTRIES_MAX + 1];
	struct catalog_row *rows = mem_calloc(CATALOG_SETS_MAX, sizeof(*rows));
	char(*skus)[12] = mem_calloc(CATALOG_SETS_MAX, sizeof(*skus));
	struct catalog_clash clash;
	struct err err = { 0 };
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		marks[i] = (struct catalog_mark){ i >= 26 * 26 ? MARK_SENSITIVE : MARK_NO_PROMOTION,
			{ (char)('A' + i / 26 % 26), (char)('A' + i % 26), 0 } };
	rows[0] = (struct catalog_row){
		.sku = "x", .marks = marks, .mark_count = CATALOG_SET_ENTRIES_MAX + 1
	};
	assert_int_equal(catalog_pack(rows, 1, &out, &clash, &err), AISLE_E_FULL);
	rows[0].mark_count--;
	out = pack(rows, 1);
	catalog_free(open_in(&out, NULL));
	buf_done(&out);
	/* The empty set and each run of marks: so many differ. */
	err = (struct err){ 0 };
	for (size_t i = 0; i < CATALOG_SETS_MAX; i++) {
		snprintf(skus[i], sizeof(skus[i]), "s%zu", i);
		rows[i] = (struct catalog_row){
			.sku = skus[i], .marks = marks + i % 64, .mark_count = 1 + i / 64
		};
	}
	assert_int_equal(catalog_pack(rows, CATALOG_SETS_MAX, &out, &clash, &err), AISLE_E_FULL);
	out = pack(rows, CATALOG_SETS_MAX - 1);
	catalog_free(open_in(&out, NULL));
	buf_done(&out);
	free(rows);
	free(skus);
}

/* ---- lies ---- */

static bool
opens(const void *bytes, size_t len, struct err *err)
{
	/* Of just that length, so that a look past the end is seen. */
	uint8_t *exact = malloc(len > 0 ? len : 1);
	static const char *const codes[] = { "C-1", "4006381333931", "96385074", "036000291452",
		"4011", "nothing" };
	struct catalog *catalog = NULL;
	struct catalog_article found;
	int rc;

	memcpy(exact, bytes, len);
	*err = (struct err){ 0 };
	rc = catalog_open(exact, len, "DE", NULL, &catalog, err);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(codes); i++) {
		if (!catalog_find(catalog, codes[i], &found))
			continue;
		assert_true(found.name == NULL || strlen(found.name) <= CATALOG_TEXT_MAX);
		assert_true(found.category == NULL || strlen(found.category) <= CATALOG_TEXT_MAX);
		assert_true(found.brand == NULL || strlen(found.brand) <= CATALOG_TEXT_MAX);
		assert_true(found.mark <= MARK_SENSITIVE);
		if (found.picture != NULL)
			assert_in_range(found.picture[0], 0, 255);
	}
	assert_true(rc == 0 || (rc == AISLE_E_DAMAGED && err->text[0] != '\0'));
	catalog_free(catalog);
	free(exact);
	return rc == 0;
}

static void
test_whatever_is_cut_off_or_added_is_refused(void **state)
{
	struct buf bytes = sample();
	struct err err;

	(void)state;
	assert_true(opens(bytes.data, bytes.len, &err));
	for (size_t len = 0; len < bytes.len; len++)
		assert_false(opens(bytes.data, len, &err));
	buf_addc(&bytes, '\0');
	assert_false(opens(bytes.data, bytes.len, &err));
	buf_done(&bytes);
}

static void
test_each_bit_turned_is_refused_or_is_another_sound_table(void **state)
{
	struct buf bytes = sample();
	size_t taken = 0;
	struct err err;

	(void)state;
	for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
		bytes.data[bit / 8] ^= (char)(1 << bit % 8);
		taken += opens(bytes.data, bytes.len, &err);
		bytes.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_in_range(taken, 1, 8 * bytes.len / 2);
	buf_done(&bytes);
}

static struct catalog_layout
layout_of(const struct buf *bytes)
{
	const uint8_t *head = (const uint8_t *)bytes->data;
	struct catalog_layout at = { .keys = catalog_u32(head + 8),
		.articles = catalog_u32(head + 12),
		.sets = catalog_u32(head + 16),
		.entries = catalog_u32(head + 20),
		.pictures = catalog_u32(head + 24),
		.texts = catalog_u32(head + 28) };

	assert_int_equal(catalog_lay_out(&at), bytes->len);
	return at;
}

static void
refused_with(struct buf *bytes, uint64_t at, const char *with, size_t len, const char *what)
{
	char was[64];
	struct err err;

	memcpy(was, bytes->data + at, len);
	memcpy(bytes->data + at, with, len);
	assert_false(opens(bytes->data, bytes->len, &err));
	if (strstr(err.text, what) == NULL)
		fail_msg("%s, expected %s", err.text, what);
	memcpy(bytes->data + at, was, len);
	assert_true(opens(bytes->data, bytes->len, &err));
}

static void
test_each_lie_is_refused_by_its_name(void **state)
{
	struct buf bytes = sample();
	struct catalog_layout at = layout_of(&bytes);
	char two[16];

	(void)state;
	refused_with(&bytes, 0, "AISLART2", 8, "not a table of articles");
	refused_with(&bytes, 8, "\xff\xff\xff\xff", 4, "more than there may be");
	refused_with(&bytes, 16, "\0\0\0\0", 4, "more than there may be");
	refused_with(&bytes, 28, "\0\0\0\0", 4, "more than there may be");
	refused_with(&bytes, 12, "\4\0\0\0", 4, "not as long as its parts");
	refused_with(&bytes, 32, "\1", 1, "not as long as its parts");
	/* The first two codes changed round, and the same twice. */
	memcpy(two, bytes.data + at.key_at + 8, 8);
	memcpy(two + 8, bytes.data + at.key_at, 8);
	refused_with(&bytes, at.key_at, two, 16, "not in order");
	refused_with(&bytes, at.key_at, two, 8, "not in order");
	refused_with(&bytes, at.of_key_at, "\3", 1, "a code names an article");
	for (int text = 0; text < 4; text++)
		refused_with(&bytes, at.article_at + 4 * (uint64_t)text, "\xff\xff\0\0", 4,
		    "a text that is none");
	/* In the middle of another. */
	refused_with(&bytes, at.article_at + 4, "\2\0\0\0", 4, "a text that is none");
	refused_with(&bytes, at.article_at + 20, "\3", 1, "an image that is none");
	refused_with(&bytes, at.article_at + 24, "\2", 1, "marks that are none");
	refused_with(&bytes, at.article_at + 26, "\3", 1, "a margin that is none");
	refused_with(&bytes, at.article_at + 26, "\0", 1, "a margin that is none");
	refused_with(&bytes, at.article_at + 16, "\xa1\x86\1\0", 4, "a margin that is none");
	refused_with(&bytes, at.article_at + 27, "\1", 1, "a margin that is none");
	refused_with(&bytes, at.article_at + 28, "\1", 1, "a margin that is none");
	refused_with(&bytes, at.set_at, "\1", 1, "its marks have no end");
	refused_with(&bytes, at.set_at + 8, "\1", 1, "its marks have no end");
	refused_with(&bytes, at.entry_at, "\0", 1, "a mark is none");
	refused_with(&bytes, at.entry_at, "\3", 1, "a mark is none");
	refused_with(&bytes, at.entry_at + 6, "d", 1, "a mark is none");
	memcpy(two, bytes.data + at.picture_at + 32, 1);
	refused_with(&bytes, at.picture_at, "\7", 1, "its images are not in order");
	refused_with(&bytes, at.text_at, "x", 1, "a text has no end");
	refused_with(&bytes, bytes.len - 1, "x", 1, "a text has no end");
	refused_with(&bytes, at.text_at + 1, "\n", 1, "control characters");
	refused_with(&bytes, at.text_at + 1, "\x7f", 1, "control characters");
	refused_with(&bytes, at.text_at + 1, "\xff", 1, "not UTF-8");
	buf_done(&bytes);
}

static void
test_a_text_may_be_so_long_and_no_longer(void **state)
{
	char name[CATALOG_TEXT_MAX + 1];
	struct catalog_row row = { .sku = "x", .name = name };
	struct buf bytes;
	struct err err;

	(void)state;
	memset(name, 'n', CATALOG_TEXT_MAX);
	name[CATALOG_TEXT_MAX] = '\0';
	bytes = pack(&row, 1);
	assert_true(opens(bytes.data, bytes.len, &err));
	/* The zero byte between sku and name: one text of both. */
	bytes.data[layout_of(&bytes).text_at + 2] = 'y';
	assert_false(opens(bytes.data, bytes.len, &err));
	assert_non_null(strstr(err.text, "too long"));
	buf_done(&bytes);
}

static void
test_no_article_at_all_is_a_table_too(void **state)
{
	struct buf bytes = pack(NULL, 0);
	struct catalog *catalog = open_in(&bytes, NULL);

	(void)state;
	assert_int_equal(catalog_count(catalog), 0);
	assert_null(name_by(catalog, "C-1"));
	catalog_free(catalog);
	buf_done(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_an_article_is_found_by_each_writing_of_its_gtin_and_by_its_sku),
		cmocka_unit_test(
		    test_a_mark_counts_in_its_country_and_everywhere_where_no_country_is_said),
		cmocka_unit_test(test_an_image_is_known_by_its_hash),
		cmocka_unit_test(
		    test_a_margin_is_a_share_of_the_full_price_or_so_much_a_piece_less_discounts),
		cmocka_unit_test(test_the_same_rows_make_the_same_bytes_and_texts_are_kept_once),
		cmocka_unit_test(test_a_code_of_two_articles_is_told_whose_it_is),
		cmocka_unit_test(test_as_many_articles_as_there_may_be_and_not_one_more),
		cmocka_unit_test(test_a_set_of_marks_has_a_bound_and_so_has_the_number_of_them),
		cmocka_unit_test(test_whatever_is_cut_off_or_added_is_refused),
		cmocka_unit_test(test_each_bit_turned_is_refused_or_is_another_sound_table),
		cmocka_unit_test(test_each_lie_is_refused_by_its_name),
		cmocka_unit_test(test_a_text_may_be_so_long_and_no_longer),
		cmocka_unit_test(test_no_article_at_all_is_a_table_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
