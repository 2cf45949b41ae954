/* SPDX-License-Identifier: Apache-2.0
 *
 * test_train_data.c - what the trainer makes of baskets: categories, pairs, the split by date,
 * answers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "aisle/policy.h"
#include "aisle/visit.h"
#include "nouns/marks.h"
#include "tools/train_pairs.h"
#include "tools/train_target.h"

#define LINES 8

struct shop {
	struct policy policy;
	struct train_baskets baskets;
	uint32_t visits;
};

static void
shop_open(struct shop *shop)
{
	memset(shop, 0, sizeof(*shop));
	train_baskets_init(&shop->baskets);
	shop->baskets.policy = &shop->policy;
}

static void
shop_close(struct shop *shop)
{
	train_baskets_done(&shop->baskets);
}

/* customer < 0: nobody. "a,b,-c": a line each; with a minus it was voided. */
static void
buy(struct shop *shop, int64_t at_ms, int customer, const char *categories)
{
	struct line lines[LINES] = { { .line = 0 } };
	struct visit visit = { .lines = lines };
	struct feature_row row = { .at_ms = at_ms, .type = EV_BASKET_CLOSED, .visit = &visit };
	char text[256], *word, *rest = text;

	snprintf(text, sizeof(text), "%s", categories);
	while ((word = strsep(&rest, ",")) != NULL && visit.line_count < LINES) {
		lines[visit.line_count].voided = word[0] == '-';
		lines[visit.line_count].qty_milli = 1000;
		lines[visit.line_count++].category = word + (word[0] == '-');
	}
	shop->visits++;
	memcpy(row.visit_id.b + 12, &shop->visits, sizeof(shop->visits));
	row.has_subject = customer >= 0;
	row.subject.b[0] = (uint8_t)(customer + 1);
	train_baskets_take(&shop->baskets, &row);
}

static int
category(const struct shop *shop, const char *name)
{
	return train_index_get(&shop->baskets.categories, name, strlen(name));
}

/* ---- index ---- */

static void
an_index_numbers_in_order_of_first_sight_up_to_its_bound(void **state)
{
	struct train_index index = { .max = 300 };
	char text[16];

	(void)state;
	assert_int_equal(train_index_get(&index, "a", 1), -1);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 300; i++) {
			snprintf(text, sizeof(text), "%d", i);
			assert_int_equal(train_index_add(&index, text, strlen(text)), i);
		}
	}
	assert_int_equal(train_index_add(&index, "new", 3), -1);
	assert_int_equal(train_index_get(&index, "299", 3), 299);
	assert_string_equal(index.keys[12].bytes, "12");
	/* Bytes, not texts. */
	assert_int_equal(train_index_get(&index, "1\0", 2), -1);
	train_index_done(&index);
}

/* ---- baskets ---- */

static void
a_category_is_two_steps_of_its_path(void **state)
{
	(void)state;
	assert_int_equal(train_category_len("grocery/coffee/beans"), 14);
	assert_int_equal(train_category_len("grocery/coffee"), 14);
	assert_int_equal(train_category_len("grocery"), 7);
	assert_int_equal(train_category_len(""), 0);
}

static void
a_basket_holds_each_category_once_and_no_voided_line(void **state)
{
	struct shop shop;

	(void)state;
	shop_open(&shop);
	buy(&shop, 1000, 1, "b/b,a/a,b/b/c,-c/c,");
	assert_int_equal(shop.baskets.count, 1);
	assert_int_equal(shop.baskets.list[0].count, 2);
	assert_true(train_basket_has(&shop.baskets, 0, (uint16_t)category(&shop, "a/a")));
	assert_true(train_basket_has(&shop.baskets, 0, (uint16_t)category(&shop, "b/b")));
	assert_int_equal(category(&shop, "c/c"), -1);
	shop_close(&shop);
}

static void
what_came_back_was_not_bought(void **state)
{
	struct line lines[] = {
		{ .line = 1,
		    .qty_milli = 1000,
		    .sku = (char[]){ "x" },
		    .category = (char[]){ "a/a" } },
		{ .line = 2,
		    .qty_milli = 2000,
		    .sku = (char[]){ "y" },
		    .category = (char[]){ "b/b" } },
	};
	struct back backs[] = { { .item = (char[]){ "x" }, .qty_milli = 1000 },
		{ .item = (char[]){ "y" }, .qty_milli = 1000 } };
	struct visit visit = { .lines = lines, .line_count = 2, .state = VISIT_CLOSED };
	struct feature_row row = { .at_ms = 1, .type = EV_BASKET_CLOSED, .visit = &visit };
	struct shop shop;
	struct marks marks;

	(void)state;
	shop_open(&shop);
	marks = marks_of(&shop.policy, 0);
	row.visit_id = visit.id = (struct id){ { 7 } };
	train_baskets_take(&shop.baskets, &row);
	assert_int_equal(shop.baskets.list[0].count, 2);
	visit.backs = backs;
	visit.back_count = 2;
	train_baskets_returned(&shop.baskets, &visit, &marks);
	assert_false(train_basket_has(&shop.baskets, 0, (uint16_t)category(&shop, "a/a")));
	assert_true(train_basket_has(&shop.baskets, 0, (uint16_t)category(&shop, "b/b")));
	visit.state = VISIT_CANCELLED;
	train_baskets_returned(&shop.baskets, &visit, &marks);
	assert_int_equal(shop.baskets.list[0].count, 0);
	/* Of a basket that was not taken nothing is taken back. */
	visit.id = (struct id){ { 8 } };
	train_baskets_returned(&shop.baskets, &visit, &marks);
	assert_int_equal(shop.baskets.count, 1);
	shop_close(&shop);
}

static void
what_is_marked_and_what_holds_it_is_not_taken(void **state)
{
	struct marked marks[] = { { "drug/pain", MARK_SENSITIVE },
		{ "baby/food/formula", MARK_NO_PROMOTION } };
	struct shop shop;

	(void)state;
	shop_open(&shop);
	shop.policy.marks = marks;
	shop.policy.mark_count = ARRAY_LEN(marks);
	buy(&shop, 1000, 1,
	    "drug/pain,drug/pain/strong,baby/food,baby/food/jars,drug/painting,baby/foodie,baby");
	assert_int_equal(category(&shop, "drug/pain"), -1);
	assert_int_equal(category(&shop, "baby/food"), -1);
	assert_int_equal(category(&shop, "baby"), -1);
	assert_true(category(&shop, "drug/painting") >= 0 && category(&shop, "baby/foodie") >= 0);
	shop_close(&shop);
}

static void
a_category_that_no_feature_could_name_is_not_taken(void **state)
{
	struct shop shop;

	(void)state;
	shop_open(&shop);
	buy(&shop, 1000, 1, "a=b,a(b,/a,a//b,a/ ,\ta,good/one,soft drinks/diet cola");
	assert_int_equal(shop.baskets.categories.count, 2);
	assert_int_equal(shop.baskets.unnamed, 6);
	assert_true(category(&shop, "good/one") >= 0 &&
	    category(&shop, "soft drinks/diet cola") >= 0);
	shop_close(&shop);
}

static void
the_next_basket_is_the_same_customers(void **state)
{
	struct shop shop;

	(void)state;
	shop_open(&shop);
	buy(&shop, 1000, 1, "a");
	buy(&shop, 2000, 2, "a");
	buy(&shop, 3000, -1, "a");
	buy(&shop, 4000, 1, "a");
	train_baskets_link(&shop.baskets);
	assert_true(shop.baskets.list[0].next_ms == 4000);
	assert_true(shop.baskets.list[1].next_ms == INT64_MAX);
	assert_true(shop.baskets.list[2].next_ms == INT64_MAX);
	assert_int_equal(shop.baskets.list[2].customer, -1);
	shop_close(&shop);
}

/* ---- pairs ---- */

/* 100 baskets: 40 with a, 50 with b, 30 with both; c in 20, 19 of them with a. Later 40 baskets,
 * without a pattern: a in 20, b in 20, both in 10. */
static void
fill_pairs(struct shop *shop)
{
	for (int i = 0; i < 100; i++) {
		bool a = i < 40, b = i >= 10 && i < 60, c = i < 19 || i == 99;

		buy(shop, 1000 + i, -1,
		    a && b && c	 ? "a,b,c"
			: a && b ? "a,b"
			: a && c ? "a,c"
			: a	 ? "a"
			: b	 ? "b"
			: c	 ? "c"
				 : "z");
	}
	for (int i = 0; i < 40; i++)
		buy(shop, 5000 + i, 1,
		    i % 4 == 0	     ? "a,b"
			: i % 4 == 1 ? "a"
			: i % 4 == 2 ? "b"
				     : "z");
}

static void
support_confidence_and_lift_are_those_of_the_counts(void **state)
{
	struct train_pairs pairs;
	struct shop shop;

	(void)state;
	shop_open(&shop);
	fill_pairs(&shop);
	train_pairs_make(&pairs, &shop.baskets, 5000);
	assert_int_equal(pairs.baskets, 100);
	assert_int_equal(pairs.later_baskets, 40);
	/* a and c share 19 baskets: one too few. */
	assert_int_equal(pairs.count, 2);
	/* Of the same lift: first what is surer. */
	assert_int_equal(pairs.list[0].a, category(&shop, "a"));
	for (size_t i = 0; i < 2; i++) {
		const struct train_pair *pair = &pairs.list[i];
		bool forth = pair->a == category(&shop, "a");

		assert_int_equal(pair->both, 30);
		assert_int_equal(pair->with_a, forth ? 40 : 50);
		assert_true(fabs(pair->support - 0.3) < 1e-12);
		assert_true(fabs(pair->confidence - (forth ? 0.75 : 0.6)) < 1e-12);
		assert_true(fabs(pair->lift - 1.5) < 1e-12);
		/* 20 · 20 / 40 = 10 by chance, and 10 there are. */
		assert_int_equal(pair->later_both, 10);
		assert_true(fabs(pair->later_lift - 1) < 1e-12);
	}
	train_pairs_done(&pairs);
	shop_close(&shop);
}

/* Bread and milk, which everybody buys, beside rice and saffron, which are rare: of far more lift. */
static void
pairs_are_in_order_of_confidence_whatever_their_lift(void **state)
{
	struct train_pairs pairs;
	struct shop shop;

	(void)state;
	shop_open(&shop);
	for (int i = 0; i < 200; i++)
		buy(&shop, 1000 + i, -1,
		    i < 40	  ? "bread,milk"
			: i < 50  ? "bread"
			: i < 120 ? "milk"
			: i < 140 ? "rice,saffron"
			: i < 150 ? "saffron"
			: i < 155 ? "rice"
				  : "z");
	train_pairs_make(&pairs, &shop.baskets, 5000);
	assert_int_equal(pairs.count, 4);
	for (size_t i = 1; i < pairs.count; i++)
		assert_true(pairs.list[i - 1].confidence >= pairs.list[i].confidence);
	/* rice → saffron 20 of 25 and bread → milk 40 of 50: as sure, and the second is seen more. */
	assert_int_equal(pairs.list[0].a, category(&shop, "bread"));
	assert_int_equal(pairs.list[1].a, category(&shop, "rice"));
	assert_int_equal(pairs.list[2].a, category(&shop, "saffron"));
	assert_int_equal(pairs.list[3].a, category(&shop, "milk"));
	assert_true(pairs.list[2].lift > 3 * pairs.list[0].lift);
	train_pairs_done(&pairs);
	shop_close(&shop);
}

static void
a_pair_of_nineteen_baskets_is_none_and_of_twenty_is_one(void **state)
{
	for (int both = 19; both <= 20; both++) {
		struct train_pairs pairs;
		struct shop shop;

		shop_open(&shop);
		for (int i = 0; i < 60; i++)
			buy(&shop, 1000 + i, -1, i < both ? "x,y" : "z");
		train_pairs_make(&pairs, &shop.baskets, 5000);
		assert_int_equal(pairs.count, both == 20 ? 2 : 0);
		if (pairs.count > 0)
			assert_true(pairs.list[0].later_lift == 0);
		train_pairs_done(&pairs);
		shop_close(&shop);
	}
	(void)state;
}

/* ---- the split ---- */

static void
no_answer_of_a_part_lies_in_a_later_one(void **state)
{
	struct train_span spans[TRAIN_PARTS];
	int64_t window = 40 * D_MS, last = 300 * D_MS;

	(void)state;
	assert_true(train_split(0, last, window, spans));
	assert_true(spans[0].from_ms == 108 * D_MS / 10 && spans[0].to_ms == 108 * D_MS);
	for (int k = 0; k + 1 < TRAIN_PARTS; k++)
		assert_true(spans[k].to_ms + window <= spans[k + 1].from_ms);
	assert_true(spans[2].to_ms + window == last);
	assert_true(spans[2].to_ms - spans[2].from_ms == 36 * D_MS);
}

static void
a_time_of_three_windows_is_too_short(void **state)
{
	struct train_span spans[TRAIN_PARTS];

	(void)state;
	assert_false(train_split(0, 120 * D_MS, 40 * D_MS, spans));
	assert_false(train_split(0, 120 * D_MS + 3 * H_MS - 1, 40 * D_MS, spans));
	assert_true(train_split(0, 120 * D_MS + 3 * H_MS, 40 * D_MS, spans));
}

static void
a_long_recording_warms_up_for_thirty_days(void **state)
{
	struct train_span spans[TRAIN_PARTS];

	(void)state;
	assert_true(train_split(5 * D_MS, 1005 * D_MS, D_MS, spans));
	assert_true(spans[0].from_ms == 35 * D_MS);
}

/* ---- answers ---- */

struct lesson {
	struct shop shop;
	struct train_features features;
	struct train_rows rows;
	double *x;
};

/* Rows are at the baskets' closing less a minute; the one feature is how many lines of the category
 * lie in the basket already. */
static void
lesson_open(struct lesson *lesson, const double *held, size_t count)
{
	memset(&lesson->features, 0, sizeof(lesson->features));
	lesson->features.list[0] = (struct train_feature){ .role = ROLE_HELD, .category = 0 };
	lesson->features.count = 1;
	lesson->features.top[0] = 0;
	lesson->features.top_count = 1;
	lesson->rows = (struct train_rows){
		.baskets = &lesson->shop.baskets, .features = &lesson->features, .count = count
	};
	lesson->rows.list = calloc(count, sizeof(*lesson->rows.list));
	lesson->rows.x = calloc(count, sizeof(double));
	for (size_t i = 0; i < count; i++) {
		lesson->rows.list[i] =
		    (struct train_row){ lesson->shop.baskets.list[i].at_ms - MIN_MS, (uint32_t)i };
		lesson->rows.x[i] = held[i];
	}
}

static void
lesson_close(struct lesson *lesson)
{
	free(lesson->rows.list);
	free(lesson->rows.x);
	shop_close(&lesson->shop);
}

static void
the_lapse_window_ends_after_forty_days_to_the_millisecond(void **state)
{
	struct lesson lesson;
	double held[5] = { 0 };
	struct train_target target = {
		.question = ASK_LAPSE, .window_ms = 40 * D_MS, .input_count = 1
	};
	int64_t at = 12 * D_MS;

	(void)state;
	shop_open(&lesson.shop);
	buy(&lesson.shop, 0, 0, "a");  /* everybody looks new then: no row */
	buy(&lesson.shop, at, 1, "a"); /* back in time, by nothing */
	buy(&lesson.shop, at, 2, "a"); /* a millisecond late */
	buy(&lesson.shop, at - MIN_MS + 40 * D_MS, 1, "a");
	buy(&lesson.shop, at - MIN_MS + 40 * D_MS + 1, 2, "a");
	buy(&lesson.shop, 300 * D_MS, 3, "a");
	train_baskets_link(&lesson.shop.baskets);
	lesson_open(&lesson, held, 5);
	train_target_run(&target, &lesson.rows);
	assert_false(target.trained);
	/* The late one and the two that were never seen again are yes. */
	assert_int_equal(target.parts[0].rows.rows, 4);
	assert_int_equal(target.parts[0].rows.y[0], 0);
	assert_int_equal(target.parts[0].rows.y[1], 1);
	assert_int_equal(target.parts[0].yes, 3);
	assert_non_null(strstr(target.why_not, "expected 30 of each"));
	train_target_done(&target);
	lesson_close(&lesson);
}

static void
what_lies_in_the_basket_already_is_no_question(void **state)
{
	struct lesson lesson;
	double held[4] = { 0, 0, 1, 0 };
	struct train_target target = {
		.question = ASK_CATEGORY, .window_ms = TRAIN_CLOSE_MS, .input_count = 1
	};

	(void)state;
	shop_open(&lesson.shop);
	buy(&lesson.shop, 0, 1, "a");
	for (int i = 1; i <= 3; i++)
		buy(&lesson.shop, 12 * D_MS + i, 1, i < 3 ? "a" : "b");
	buy(&lesson.shop, 100 * D_MS, 1, "b");
	lesson_open(&lesson, held, 4);
	train_target_run(&target, &lesson.rows);
	assert_int_equal(target.parts[0].rows.rows, 2);
	assert_int_equal(target.parts[0].rows.y[0], 1);
	assert_int_equal(target.parts[0].rows.y[1], 0);
	train_target_done(&target);
	lesson_close(&lesson);
}

/* Of 20,001 baskets one in a thousand are twenty-one. */
static void
one_in_a_thousand_is_rounded_up(void **state)
{
	struct shop shop;
	struct train_pairs pairs;

	(void)state;
	shop_open(&shop);
	for (int i = 0; i < 20001; i++)
		buy(&shop, i, -1, i < 20 ? "a,b" : i < 41 ? "c,d" : "e");
	train_pairs_make(&pairs, &shop.baskets, INT64_MAX);
	assert_int_equal(pairs.support_min, 21);
	assert_int_equal(pairs.count, 2);
	train_pairs_done(&pairs);
	shop_close(&shop);
}

/* ---- which visits ---- */

static void
of_more_known_visits_than_there_is_room_for_a_share_is_taken(void **state)
{
	struct train_baskets baskets = { .count = 3 * TRAIN_ROWS_MAX };
	struct train_features features = { 0 };
	struct train_rows rows;

	(void)state;
	baskets.list = calloc(baskets.count, sizeof(*baskets.list));
	for (size_t i = 0; i < baskets.count; i++)
		baskets.list[i].customer = i < TRAIN_ROWS_MAX ? 7 : -1;
	train_rows_init(&rows, &baskets, &features, false);
	assert_true(rows.share == UINT64_MAX); /* two of three are strangers */
	train_rows_done(&rows);
	for (size_t i = 0; i < 2 * TRAIN_ROWS_MAX; i++)
		baskets.list[i].customer = 7;
	train_rows_init(&rows, &baskets, &features, false);
	assert_true(rows.share / (UINT64_MAX / 1000) == 489); /* 49 in 100, rounded down */
	train_rows_done(&rows);
	free(baskets.list);
}

static void
the_offers_shown_most_are_asked_about(void **state)
{
	struct train_card cards[] = { { .action = 0 }, { .action = 1 }, { .action = 2 },
		{ .action = 2 }, { .action = 3 }, { .action = 3 }, { .action = 3 } };
	struct train_rows rows = {
		.cards = cards, .card_count = ARRAY_LEN(cards), .actions.max = 8
	};
	size_t chosen[4];

	(void)state;
	for (const char *name = "abcd"; *name != '\0'; name++)
		train_index_add(&rows.actions, name, 1);
	assert_int_equal(train_rows_most_shown(&rows, chosen, 3), 3);
	assert_true(chosen[0] == 3 && chosen[1] == 2 && chosen[2] == 0);
	assert_int_equal(train_rows_most_shown(&rows, chosen, 4), 4);
	assert_int_equal(chosen[3], 1);
	train_index_done(&rows.actions);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_in_a_thousand_is_rounded_up),
		cmocka_unit_test(the_offers_shown_most_are_asked_about),
		cmocka_unit_test(of_more_known_visits_than_there_is_room_for_a_share_is_taken),
		cmocka_unit_test(an_index_numbers_in_order_of_first_sight_up_to_its_bound),
		cmocka_unit_test(a_category_is_two_steps_of_its_path),
		cmocka_unit_test(a_basket_holds_each_category_once_and_no_voided_line),
		cmocka_unit_test(what_came_back_was_not_bought),
		cmocka_unit_test(what_is_marked_and_what_holds_it_is_not_taken),
		cmocka_unit_test(a_category_that_no_feature_could_name_is_not_taken),
		cmocka_unit_test(the_next_basket_is_the_same_customers),
		cmocka_unit_test(support_confidence_and_lift_are_those_of_the_counts),
		cmocka_unit_test(pairs_are_in_order_of_confidence_whatever_their_lift),
		cmocka_unit_test(a_pair_of_nineteen_baskets_is_none_and_of_twenty_is_one),
		cmocka_unit_test(no_answer_of_a_part_lies_in_a_later_one),
		cmocka_unit_test(a_time_of_three_windows_is_too_short),
		cmocka_unit_test(a_long_recording_warms_up_for_thirty_days),
		cmocka_unit_test(the_lapse_window_ends_after_forty_days_to_the_millisecond),
		cmocka_unit_test(what_lies_in_the_basket_already_is_no_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
