/* SPDX-License-Identifier: Apache-2.0
 *
 * test_purchases.c - the closed baskets of a customer: their order, their bounds, their rows, what comes back of them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "nouns/visit.h"
#include "profile/subject_rows.h"

#define T INT64_C(1795255200000)

static const struct marks no_marks = { .off = UINT32_MAX };
static struct subject *subject;

static int
set_up(void **state)
{
	struct id id = { { 9 } };

	(void)state;
	subject = subject_new(&id);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	subject_free(subject);
	return 0;
}

static struct id
visit_id(unsigned n)
{
	return (struct id){ .b = { 1, [14] = (uint8_t)(n >> 8), [15] = (uint8_t)n } };
}

/* With so many lines of 1000 and 10 each, and a total of 10 a line. */
static void
put(unsigned visit, int64_t at_ms, size_t lines)
{
	struct purchase purchase = { .visit = visit_id(visit),
		.at_ms = at_ms,
		.total_minor = 10 * (int64_t)lines,
		.lines = calloc(lines + 1, sizeof(*purchase.lines)),
		.line_count = lines };

	for (size_t i = 0; i < lines; i++)
		purchase.lines[i] =
		    (struct purchase_line){ .category = purchases_intern(subject, "c", 1),
			    .item = purchases_intern(subject, "i", 1),
			    .qty_milli = 1000,
			    .amount_minor = 10 };
	purchases_put(subject, &purchase);
}

static void
each_text_is_kept_once(void **state)
{
	static const char *texts[3000];
	char text[16];

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 3000; i++) {
			int len = snprintf(text, sizeof(text), "t%d", i);
			const char *kept = purchases_intern(subject, text, (size_t)len);

			assert_string_equal(kept, text);
			if (round == 0)
				texts[i] = kept;
			else
				assert_ptr_equal(kept, texts[i]);
		}
	/* Of a longer text the beginning is another one; and nothing is a text too. */
	assert_ptr_equal(purchases_intern(subject, "t12345", 3), texts[12]);
	assert_string_equal(purchases_intern(subject, "t", 1), "t");
	assert_string_equal(purchases_intern(subject, "t2999x", 6), "t2999x");
	assert_string_equal(purchases_intern(subject, "x", 0), "");
}

static void
they_ascend_by_time_then_by_visit_each_visit_once(void **state)
{
	static const struct {
		unsigned visit;
		int64_t at_ms;
	} puts[] = { { 5, 10 }, { 3, 10 }, { 4, 10 }, { 1, 11 }, { 9, 9 }, { 4, 8 }, { 4, 12 } },
	  in_order[] = { { 9, 9 }, { 3, 10 }, { 5, 10 }, { 1, 11 }, { 4, 12 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(puts); i++)
		put(puts[i].visit, puts[i].at_ms, 1);
	assert_int_equal(subject->purchase_count, ARRAY_LEN(in_order));
	for (size_t i = 0; i < ARRAY_LEN(in_order); i++) {
		assert_int_equal(subject->purchases[i].visit.b[15], in_order[i].visit);
		assert_int_equal(subject->purchases[i].at_ms, in_order[i].at_ms);
	}
	purchases_expire(subject, 10);
	assert_int_equal(subject->purchase_count, 4);
	purchases_expire(subject, 11);
	assert_int_equal(subject->purchase_count, 2);
	assert_int_equal(subject->purchases[0].visit.b[15], 1);
	purchases_expire(subject, INT64_MAX);
	assert_int_equal(subject->purchase_count, 0);
	put(7, 1, 1);
	assert_int_equal(subject->purchase_count, 1);
}

static void
over_their_bounds_the_oldest_go(void **state)
{
	unsigned lines = 2000, visits = HISTORY_LINES_MAX / 2000;

	(void)state;
	for (unsigned i = 0; i < visits; i++)
		put(i, T + i, lines);
	put(visits, T + visits, HISTORY_LINES_MAX % 2000); /* exactly full */
	assert_int_equal(subject->purchase_count, visits + 1);
	put(visits + 1, T + visits + 1, 0);
	assert_int_equal(subject->purchase_count, visits + 2);
	put(visits + 2, T + visits + 2, 1);
	assert_int_equal(subject->purchase_count, visits + 2);
	assert_int_equal(subject->purchases[0].at_ms, T + 1);
	/* What left, left its room. */
	put(visits + 3, T + visits + 3, 1999);
	assert_int_equal(subject->purchase_count, visits + 3);
	purchases_remove(subject, &subject->purchases[0].visit);
	purchases_remove(subject, &(struct id){ { 2 } });
	assert_int_equal(subject->purchase_count, visits + 2);
	put(visits + 4, T + visits + 4, 2000);
	assert_int_equal(subject->purchase_count, visits + 3);
	put(visits + 5, T + visits + 5, 1);
	assert_int_equal(subject->purchase_count, visits + 3);
	/* Replaced, it counts once. */
	for (int i = 0; i < 5; i++)
		put(visits + 4, T + visits + 4, 2000);
	assert_int_equal(subject->purchase_count, visits + 3);
	for (unsigned i = 0; i < HISTORY_BASKETS_MAX + 3; i++)
		put(100 + i, T + 1000 + i, 0);
	assert_int_equal(subject->purchase_count, HISTORY_BASKETS_MAX);
	assert_int_equal(subject->purchases[0].at_ms, T + 1003);
}

/* ---- what a visit becomes ---- */

static struct visit *
a_visit(void)
{
	struct id id = visit_id(7);
	struct visit *visit = visit_new(&id);

	visit->state = VISIT_CLOSED;
	return visit;
}

static struct line *
add_line(struct visit *visit, const char *category, const char *item, int64_t qty_milli,
    int64_t amount_minor)
{
	struct line *line = visit_add_line(visit, (int64_t)visit->line_count + 1);

	free(line->category);
	line->category = mem_strdup(category);
	snprintf(line->item, sizeof(line->item), "%s", item);
	line->qty_milli = qty_milli;
	line->amount_minor = amount_minor;
	visit->total_minor += amount_minor;
	return line;
}

static const struct purchase *
add(struct visit *visit, const struct marks *marks)
{
	struct buf row = { 0 };

	subject_add_purchase(subject, visit, marks, T, &row);
	buf_done(&row);
	return subject->purchase_count > 0 ? &subject->purchases[0] : NULL;
}

static void
what_came_back_is_not_in_it(void **state)
{
	struct visit *visit = a_visit();
	const struct purchase *purchase;
	struct id ret = { { 3 } };

	(void)state;
	add_line(visit, "tea", "11111111111111", 2000, 200);
	add_line(visit, "bread", "22222222222222", 1001, 1001);
	visit->sold_ms = T - 5;
	purchase = add(visit, &no_marks);
	assert_int_equal(purchase->total_minor, 1201);
	assert_int_equal(purchase->back_milli, 0);
	assert_int_equal(purchase->sold_ms, T - 5);
	assert_true(visit_add_back(visit, &ret, "11111111111111", 1000, 100));
	assert_true(visit_add_back(visit, &ret, "22222222222222", 1000, 1000));
	purchase = add(visit, &no_marks);
	assert_int_equal(purchase->line_count, 2);
	assert_int_equal(purchase->back_milli, 2000);
	assert_int_equal(purchase->total_minor, 101);
	assert_int_equal(purchase->lines[0].qty_milli, 1000);
	assert_int_equal(purchase->lines[0].amount_minor, 100);
	assert_int_equal(purchase->lines[1].qty_milli, 1); /* a thousandth is still there */
	assert_int_equal(purchase->lines[1].amount_minor, 1);
	assert_true(visit_add_back(visit, &ret, "22222222222222", 1, 1));
	purchase = add(visit, &no_marks);
	assert_int_equal(purchase->line_count, 1);
	assert_int_equal(purchase->total_minor, 100);
	visit->total_minor -=
	    150; /* a coupon on the whole: what is left is not less than nothing */
	assert_int_equal(add(visit, &no_marks)->total_minor, 0);
	visit->total_minor += 50;
	assert_int_equal(add(visit, &no_marks)->total_minor, 0);
	visit->total_minor += 1;
	assert_int_equal(add(visit, &no_marks)->total_minor, 1);
	visit->total_minor += 500; /* all came back: whatever the till's total was */
	assert_true(visit_add_back(visit, &ret, "11111111111111", 1000, 100));
	purchase = add(visit, &no_marks);
	assert_int_equal(purchase->line_count, 0);
	assert_int_equal(purchase->total_minor, 0);
	assert_int_equal(subject->purchase_count, 1); /* a visit all the same */
	visit_free(visit);
}

static void
sensitive_goods_are_neither_in_its_lines_nor_in_its_total(void **state)
{
	struct marked alcohol[] = { { .category = "alcohol", .mark = MARK_SENSITIVE },
		{ .category = "books", .mark = MARK_NO_PROMOTION } };
	const struct marks marks = { .list = alcohol, .count = 2, .off = UINT32_MAX };
	struct visit *visit = a_visit();
	const struct purchase *purchase;

	(void)state;
	add_line(visit, "alcohol/gin", "11111111111111", 1000, 900);
	assert_null(add(visit, &marks)); /* nothing that may be remembered */
	add_line(visit, "books", "22222222222222", 1000, 100);
	purchase = add(visit, &marks);
	assert_int_equal(purchase->line_count, 1);
	assert_int_equal(purchase->total_minor, 100);
	visit->lines[0].voided = true; /* what was voided is not taken off either */
	assert_int_equal(add(visit, &marks)->total_minor, 1000);
	visit->lines[0].voided = false;
	visit->total_minor = 899; /* below zero for it: nothing */
	assert_int_equal(add(visit, &marks)->total_minor, 0);
	visit->total_minor = 901;
	assert_int_equal(add(visit, &marks)->total_minor, 1);
	visit->total_minor = -5; /* without them it is the till's word, whatever that is */
	visit->lines[0].amount_minor = 0;
	assert_int_equal(add(visit, &marks)->total_minor, -5);
	visit_free(visit);
}

static void
what_was_no_sale_takes_back_what_was_said_of_it(void **state)
{
	struct visit *visit = a_visit();
	struct buf row = { 0 };

	(void)state;
	visit->total_minor = 5; /* its lines still come */
	assert_non_null(add(visit, &no_marks));
	visit->total_minor = 0;
	assert_null(add(visit, &no_marks));
	add_line(visit, "tea", "11111111111111", 1000, 0);
	assert_non_null(add(visit, &no_marks));
	assert_int_equal(subject->purchases[0].sold_ms, T);
	visit->state = VISIT_CANCELLED;
	assert_null(add(visit, &no_marks));
	visit->state = VISIT_CLOSED;
	assert_non_null(add(visit, &no_marks));
	visit->training = true; /* said late: out of the history that it is in, else nothing */
	assert_non_null(add(visit, &no_marks));
	visit->in_history = true;
	assert_null(add(visit, &no_marks));
	visit->training = false;
	subject->forgotten = true;
	subject_add_purchase(subject, visit, &no_marks, T, &row);
	assert_int_equal(row.len, 0);
	buf_done(&row);
	visit_free(visit);
}

static void
the_last_visit_is_the_latest(void **state)
{
	struct visit *visit = a_visit();

	(void)state;
	add_line(visit, "tea", "11111111111111", 1000, 1);
	subject->last_visit_ms = T + 1;
	add(visit, &no_marks);
	assert_int_equal(subject->last_visit_ms, T + 1);
	subject->last_visit_ms = T - 1;
	subject->dirty = subject->known = false;
	add(visit, &no_marks);
	assert_int_equal(subject->last_visit_ms, T);
	assert_true(subject->dirty && subject->known);
	visit_free(visit);
}

/* ---- goods that come back of a sale that is known by its purchase alone ---- */

static void
goods_are_taken_line_by_line_and_no_more_than_there_are(void **state)
{
	static const struct {
		const char *item;
		int64_t qty, taken, total;
		size_t lines;
	} steps[] = {
		{ "22222222222222", 0, 0, 1000, 3 }, { "33333333333333", 5, 0, 1000, 3 },
		{ "5012345678900", 500, 500, 950,
		    3 }, /* of the first line, half; without its zero */
		{ "05012345678900", 1000, 1000, 800,
		    2 }, /* the rest of it, and of the third a half */
		{ "22222222222222", 9000, 1000, 200, 1 },
		{ "05012345678900", 9000, 500, 0, 0 }, /* a total of nothing, whatever was left */
	};
	struct visit *visit = a_visit();
	struct buf row = { 0 };
	struct purchase back;

	(void)state;
	add_line(visit, "a", "05012345678900", 1000, 100);
	add_line(visit, "b", "22222222222222", 1000, 600);
	add_line(visit, "c", "05012345678900", 1000, 200);
	visit->total_minor = 1000;
	add(visit, &no_marks);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int64_t before = subject->purchases[0].back_milli;

		buf_clear(&row);
		assert_int_equal(subject_take_goods(subject, 0, steps[i].item, steps[i].qty, &row),
		    steps[i].taken);
		assert_int_equal(subject->purchase_count, 1);
		assert_int_equal(subject->purchases[0].total_minor, steps[i].total);
		assert_int_equal(subject->purchases[0].line_count, steps[i].lines);
		assert_int_equal(subject->purchases[0].back_milli, before + steps[i].taken);
		if (steps[i].taken == 0) {
			assert_int_equal(row.len, 0);
			continue;
		}
		assert_true(purchase_decode(subject, row.data, row.len, &back));
		assert_int_equal(back.total_minor, steps[i].total);
		assert_int_equal(back.line_count, steps[i].lines);
		free(back.lines);
	}
	buf_done(&row);
	visit_free(visit);
}

static void
what_is_left_of_a_total_is_never_below_nothing(void **state)
{
	struct visit *visit = a_visit();
	struct buf row = { 0 };

	(void)state;
	add_line(visit, "a", "11111111111111", 2000, 200);
	for (int64_t total = 99; total <= 101; total++) {
		visit->total_minor = total;
		add(visit, &no_marks);
		buf_clear(&row);
		assert_int_equal(subject_take_goods(subject, 0, "11111111111111", 1000, &row),
		    1000);
		assert_int_equal(subject->purchases[0].total_minor, total > 100 ? 1 : 0);
	}
	buf_done(&row);
	visit_free(visit);
}

/* ---- rows ---- */

static void
a_row_comes_back_as_it_was_and_with_a_byte_more_not_at_all(void **state)
{
	struct purchase_line lines[2] = { { "a/b", "acme", "i1", 1, -5, MARK_NONE },
		{ "", NULL, "", INT64_MAX, INT64_MIN, MARK_NONE } };
	struct purchase purchase = { .visit = visit_id(3),
		.at_ms = T,
		.sold_ms = T - 1,
		.total_minor = -7,
		.back_milli = 4,
		.lines = lines,
		.line_count = 2 },
			back;
	struct buf row = { 0 }, again = { 0 };

	(void)state;
	purchase_encode(&purchase, &row);
	assert_true(purchase_decode(subject, row.data, row.len, &back));
	assert_memory_equal(&back.visit, &purchase.visit, sizeof(back.visit));
	assert_int_equal(back.sold_ms, T - 1);
	assert_int_equal(back.back_milli, 4);
	assert_null(back.lines[1].brand);
	assert_string_equal(back.lines[0].brand, "acme");
	purchase_encode(&back, &again);
	assert_int_equal(again.len, row.len);
	assert_memory_equal(again.data, row.data, row.len);
	free(back.lines);
	buf_addc(&row, '\0');
	assert_false(purchase_decode(subject, row.data, row.len, &back));
	row.len--;
	row.data[0]++; /* another version */
	assert_false(purchase_decode(subject, row.data, row.len, &back));
	buf_done(&row);
	buf_done(&again);
}

static void
a_row_has_a_mark_of_each_line_or_of_none(void **state)
{
	struct purchase_line lines[2] = { { .category = "a", .item = "i", .qty_milli = 1 },
		{ .category = "a", .item = "j", .qty_milli = 1, .mark = MARK_NO_PROMOTION } };
	struct purchase purchase = { .visit = visit_id(3), .lines = lines, .line_count = 2 }, back;
	struct buf row = { 0 };

	(void)state;
	purchase_encode(&purchase, &row);
	assert_true(purchase_decode(subject, row.data, row.len, &back));
	assert_int_equal(back.lines[0].mark, MARK_NONE);
	assert_int_equal(back.lines[1].mark, MARK_NO_PROMOTION);
	free(back.lines);
	assert_false(purchase_decode(subject, row.data, row.len - 1, &back));
	row.data[row.len - 1] = MARK_SENSITIVE;
	assert_false(purchase_decode(subject, row.data, row.len, &back));
	row.data[row.len - 1] = MARK_NONE;
	assert_false(purchase_decode(subject, row.data, row.len, &back));
	assert_true(purchase_decode(subject, row.data, row.len - 2, &back));
	free(back.lines);
	buf_done(&row);
}

/* A row of one line whose number of lines and first text are what is said. */
static bool
decodes(int64_t lines, int64_t text_len, const char *text, size_t bytes)
{
	struct id id = visit_id(3);
	struct buf row = { 0 };
	struct purchase back;
	bool good;

	buf_u8(&row, 1);
	buf_id(&row, &id);
	for (int i = 0; i < 4; i++)
		buf_i64(&row, 1);
	buf_i64(&row, lines);
	buf_i64(&row, text_len);
	buf_add(&row, text, bytes);
	buf_i64(&row, 0); /* no brand */
	buf_i64(&row, 2);
	buf_add(&row, "i", 1);
	buf_i64(&row, 1);
	buf_i64(&row, 1);
	good = purchase_decode(subject, row.data, row.len, &back);
	if (good)
		free(back.lines);
	buf_done(&row);
	return good;
}

static void
a_row_that_says_more_than_it_has_is_damaged(void **state)
{
	(void)state;
	assert_true(decodes(1, 4, "abc", 3));
	assert_true(decodes(1, 1, "", 0));
	assert_false(decodes(1, 0, "", 0)); /* a line has a category */
	assert_false(decodes(1, INT64_MIN, "", 0));
	assert_false(decodes(2, 4, "abc", 3));
	assert_false(decodes(0, 4, "abc", 3));
	assert_false(decodes(-1, 4, "abc", 3)); /* taken back, and yet with a line */
	assert_false(decodes(-2, 4, "abc", 3));
	assert_false(decodes(VISIT_LINES_MAX + 1, 4, "abc", 3));
	assert_false(decodes(INT64_MAX, 4, "abc", 3));
	assert_false(decodes(1, 4, "a\0c", 3));
	assert_false(decodes(1, -3, "abc", 3));
	assert_false(decodes(1, 1000, "abc", 3));
	assert_false(decodes(1, INT64_MAX, "abc", 3));
}

static void
a_row_with_as_many_lines_as_a_visit_may_have_comes_back(void **state)
{
	struct purchase_line *lines = calloc(VISIT_LINES_MAX + 1, sizeof(*lines));
	struct buf row = { 0 };
	struct purchase back;

	(void)state;
	for (size_t i = 0; i <= VISIT_LINES_MAX; i++)
		lines[i] = (struct purchase_line){ .category = "", .item = "" };
	for (size_t count = VISIT_LINES_MAX; count <= VISIT_LINES_MAX + 1; count++) {
		struct purchase purchase = {
			.visit = visit_id(3), .at_ms = T, .lines = lines, .line_count = count
		};

		buf_clear(&row);
		purchase_encode(&purchase, &row);
		assert_int_equal(purchase_decode(subject, row.data, row.len, &back),
		    count == VISIT_LINES_MAX);
		if (count == VISIT_LINES_MAX) {
			assert_int_equal(back.line_count, count);
			free(back.lines);
		}
	}
	buf_done(&row);
	free(lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(each_text_is_kept_once),
		TEST(they_ascend_by_time_then_by_visit_each_visit_once),
		TEST(over_their_bounds_the_oldest_go),
		TEST(what_came_back_is_not_in_it),
		TEST(sensitive_goods_are_neither_in_its_lines_nor_in_its_total),
		TEST(what_was_no_sale_takes_back_what_was_said_of_it),
		TEST(the_last_visit_is_the_latest),
		TEST(goods_are_taken_line_by_line_and_no_more_than_there_are),
		TEST(what_is_left_of_a_total_is_never_below_nothing),
		TEST(a_row_comes_back_as_it_was_and_with_a_byte_more_not_at_all),
		TEST(a_row_has_a_mark_of_each_line_or_of_none),
		TEST(a_row_that_says_more_than_it_has_is_damaged),
		TEST(a_row_with_as_many_lines_as_a_visit_may_have_comes_back),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
