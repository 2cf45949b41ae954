/* SPDX-License-Identifier: Apache-2.0
 *
 * test_strays.c - goods that came back and whose sale has not been heard of: how many wait, which sale they find, what the
 * library is told.
 */
#include "core/metrics.h"
#include "nouns/marks.h"
#include "spine_story.h"

static void
sell(const char *till, const char *basket, int amount)
{
	char topic[32];

	snprintf(topic, sizeof(topic), "pos/%s/event", till);
	tell(topic, "basket.opened", "{'basket':'%s','terminal':'%s'}", basket, till);
	tell(topic, "basket.item-added",
	    "{'basket':'%s','line':1,'sku':'a','category':'c','qty':2,'amount':%d,'currency':'EUR'"
	    "}",
	    basket, amount);
	tell(topic, "basket.closed", "{'basket':'%s','total':%d,'currency':'EUR'}", basket, amount);
}

static void
give_back(const char *number, const char *more)
{
	tell("pos/7/event", "return.completed",
	    "{'return':'%s',%s'items':[{'sku':'a','category':'c','qty':1,'amount':5}],'total':5,'"
	    "currency':'EUR'}",
	    number, more);
}

/* How much of what was sold came back, in pieces. */
static int
back_of(const struct visit *visit)
{
	int64_t milli = 0;

	for (size_t i = 0; i < visit->back_count; i++)
		milli += visit->backs[i].qty_milli;
	return (int)(milli / 1000);
}

/* ---- which sale of a number ---- */

static struct visit *sold[3];

/* What is over leaves memory with each turn. */
static void
look_again(void)
{
	sold[2] = engine_number_newest(engine, "1");
	sold[1] = engine_number_before(engine, sold[2]);
	sold[0] = engine_number_before(engine, sold[1]);
	assert_non_null(sold[0]);
}

/* The same number three times an hour apart: of 10:00, 11:00 and 12:00. */
static void
three_sales(void)
{
	for (int i = 0; i < 3; i++, now_ms += H_MS)
		sell("7", "1", 500);
}

static void
a_return_is_of_the_sale_of_its_number_that_is_nearest_to_the_time_it_names(void **state)
{
	static const struct {
		const char *sold; /* of 21 November */
		int which;
	} cases[] = { { "10:00", 0 }, { "09:00", 0 }, { "10:29", 0 }, { "10:31", 1 },
		{ "11:00", 1 }, { "11:29", 1 }, { "11:31", 2 }, { "12:00", 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		tear_down(NULL);
		set_up(NULL);
		three_sales();
		give_back("r",
		    arena_printf(texts, "'basket':'1','sold':'2026-11-21T%s:00Z',", cases[i].sold));
		look_again();
		for (int s = 0; s < 3; s++)
			if (back_of(sold[s]) != (s == cases[i].which))
				fail_msg("case %zu: sale %d", i, s);
	}
}

static void
a_return_that_names_no_time_is_of_the_newest_sale_that_has_all_of_it(void **state)
{
	(void)state;
	three_sales();
	for (int i = 0; i < 6; i++) {
		give_back(arena_printf(texts, "r%d", i), "'basket':'1',");
		look_again();
		assert_int_equal(back_of(sold[2]), i >= 1 ? 2 : 1);
		assert_int_equal(back_of(sold[1]), i >= 3 ? 2 : i == 2);
		assert_int_equal(back_of(sold[0]), i >= 5 ? 2 : i == 4);
	}
	assert_int_equal(engine->stray_count, 0);
	give_back("one too many", "'basket':'1',");
	assert_int_equal(engine->stray_count, 1);
}

static void
a_return_is_of_a_sale_at_the_till_that_it_names(void **state)
{
	(void)state;
	sell("7", "1", 500);
	now_ms += S_MS;
	sell("8", "1", 500);
	give_back("r1", "'basket':'1','terminal':'7',");
	assert_int_equal(back_of(engine_basket_newest(engine, "7", "1")), 1);
	give_back("r2", "'basket':'1','terminal':'9',");
	assert_int_equal(engine->stray_count, 1);
	assert_int_equal(back_of(engine_basket_newest(engine, "8", "1")), 0);
}

/* But for clocks that differ by five minutes a sale is not later than its return. */
static void
a_sale_that_began_after_the_return_is_none_of_it(void **state)
{
	(void)state;
	sell("7", "1", 500);
	late_ms = 5 * MIN_MS;
	give_back("r1", "'basket':'1',");
	assert_int_equal(back_of(engine_number_newest(engine, "1")), 1);
	late_ms++;
	give_back("r2", "'basket':'1',");
	assert_int_equal(back_of(engine_number_newest(engine, "1")), 1);
	assert_int_equal(engine->stray_count, 1);
}

/* ---- how many wait ---- */

static void
of_one_number_or_one_card_at_a_station_32_wait_and_the_oldest_goes(void **state)
{
	static const char *const alike[] = { "'basket':'n',", "'subject':'" ANNA "'," };
	static const char *const other[] = { "'basket':'m',", "'subject':'" BEN "'," };

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(alike); k++) {
		int64_t before = metrics_get(METRIC_LIMIT_RETURNS);
		struct id first;

		tear_down(NULL);
		set_up(NULL);
		give_back("other", other[k]);
		give_back("other kind", alike[1 - k]);
		for (int i = 0; i < 32; i++)
			give_back(arena_printf(texts, "r%d", i), alike[k]);
		first = engine->strays[2]->id;
		assert_int_equal(engine->stray_count, 34);
		assert_int_equal(metrics_get(METRIC_LIMIT_RETURNS) - before, 0);
		/* At another station they are counted for themselves. */
		tell("pos/8/event", "return.completed",
		    "{'return':'there',%s'items':[{'sku':'a','category':'c','qty':1,'amount':5}],'"
		    "total':5,'currency':'EUR'}",
		    alike[k]);
		assert_int_equal(engine->stray_count, 35);
		give_back("one too many", alike[k]);
		assert_int_equal(engine->stray_count, 35);
		assert_int_equal(metrics_get(METRIC_LIMIT_RETURNS) - before, 1);
		assert_null(stray_find(engine, &first));
		assert_non_null(stray_find(engine, &engine->strays[1]->id));
	}
}

static void
of_all_4096_wait_and_the_oldest_goes(void **state)
{
	int64_t before = metrics_get(METRIC_LIMIT_RETURNS);
	struct event_item item = { .item = "a", .category = "c", .qty_milli = 1000 };
	struct event event = {
		.type = EV_RETURN_COMPLETED, .ret = "r", .items = &item, .item_count = 1
	};

	(void)state;
	assert_int_equal(store_begin(engine->store), 0);
	engine->source = "test";
	for (int i = 0; i < 4096; i++) {
		struct id ret = { { 1, (uint8_t)(i >> 8), (uint8_t)i } };

		event.basket = arena_printf(texts, "n%d", i);
		engine->id = event.basket;
		stray_keep(engine, stray_new(engine, &event, "7", &ret));
	}
	assert_int_equal(metrics_get(METRIC_LIMIT_RETURNS) - before, 0);
	assert_int_equal(engine->stray_count, 4096);
	event.basket = engine->id = "one too many";
	stray_keep(engine, stray_new(engine, &event, "7", &(struct id){ { 2 } }));
	assert_int_equal(metrics_get(METRIC_LIMIT_RETURNS) - before, 1);
	assert_int_equal(engine->stray_count, 4096);
	assert_string_equal(engine->strays[0]->basket, "n1");
	assert_string_equal(engine->strays[4095]->basket, "one too many");
	assert_int_equal(store_commit(engine->store), 0);
}

static void
what_names_neither_a_sale_nor_a_customer_does_not_wait(void **state)
{
	(void)state;
	give_back("r1", "");
	assert_int_equal(engine->stray_count, 0);
	give_back("r2", "'subject':'" ANNA "',");
	assert_int_equal(engine->stray_count, 1);
	give_back("r3", "'basket':'n',");
	assert_int_equal(engine->stray_count, 2);
	assert_null(stray_find(engine, &(struct id){ { 7 } }));
}

static void
what_a_forgotten_customer_brought_back_waits_no_more_and_others_do(void **state)
{
	struct id anna = subject_of(ANNA);

	(void)state;
	for (int i = 0; i < 3; i++) {
		give_back(arena_printf(texts, "a%d", i), "'subject':'" ANNA "',");
		give_back(arena_printf(texts, "b%d", i), "'subject':'" BEN "',");
		give_back(arena_printf(texts, "n%d", i), "'basket':'n',");
	}
	assert_int_equal(engine->stray_count, 9);
	assert_int_equal(store_begin(engine->store), 0);
	strays_forget(engine, &anna);
	assert_int_equal(store_commit(engine->store), 0);
	assert_int_equal(engine->stray_count, 6);
	for (size_t i = 0; i < engine->stray_count; i++)
		assert_false(engine->strays[i]->has_subject &&
		    id_equal(&engine->strays[i]->subject, &anna));
}

/* ---- what is learned from it ---- */

static int told;

static void
note_returned(void *ctx, const struct visit *visit, const struct marks *marks)
{
	assert_ptr_equal(ctx, &told);
	assert_non_null(visit);
	assert_non_null(marks);
	told++;
}

static void
who_learns_is_told_of_each_closed_sale_that_something_came_back_of(void **state)
{
	(void)state;
	told = 0;
	sell("7", "1", 500);
	give_back("r1", "'basket':'1',");
	engine_show_returns(engine, note_returned, &told);
	assert_int_equal(told, 0);
	give_back("r2", "'basket':'1',");
	assert_int_equal(told, 1);
	give_back("r3", "'basket':'1',");
	assert_int_equal(told, 1);
	tell("pos/7/event", "basket.cancelled", "{'basket':'1'}");
	assert_int_equal(told, 2);
	open_basket("2");
	tell("pos/7/event", "basket.cancelled", "{'basket':'2'}");
	assert_int_equal(told, 2);
	engine_show_returns(engine, NULL, NULL);
	sell("7", "3", 500);
	give_back("r4", "'basket':'3',");
	assert_int_equal(told, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(
		    a_return_is_of_the_sale_of_its_number_that_is_nearest_to_the_time_it_names),
		SPINE_TEST(a_return_that_names_no_time_is_of_the_newest_sale_that_has_all_of_it),
		SPINE_TEST(a_return_is_of_a_sale_at_the_till_that_it_names),
		SPINE_TEST(a_sale_that_began_after_the_return_is_none_of_it),
		SPINE_TEST(of_one_number_or_one_card_at_a_station_32_wait_and_the_oldest_goes),
		SPINE_TEST(of_all_4096_wait_and_the_oldest_goes),
		SPINE_TEST(what_names_neither_a_sale_nor_a_customer_does_not_wait),
		SPINE_TEST(what_a_forgotten_customer_brought_back_waits_no_more_and_others_do),
		SPINE_TEST(who_learns_is_told_of_each_closed_sale_that_something_came_back_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
