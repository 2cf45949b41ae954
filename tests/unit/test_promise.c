/* SPDX-License-Identifier: Apache-2.0
 *
 * test_promise.c - is what was promised honoured: what the tills took off beside it, and the card that makes it good.
 */
#include "spine_story.h"

#include "core/metrics.h"

#define TENTH \
	"{'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'margin':9000,'offer':{" \
	"'type':'percent','depth':10,'typical':400,'max':300,'apply':'till-code','include':{" \
	"'category':'c'},'until':'0d'}}"

/* As docs/authoring-a-policy.md has it. */
static const char *
example(void)
{
	FILE *file = fopen("docs/authoring-a-policy.md", "r");
	struct buf text = { 0 };
	char chunk[4096];
	char *from, *until;
	size_t n;

	assert_non_null(file);
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&text, chunk, n);
	fclose(file);
	buf_adds(&text, "");
	from = strstr(text.data, "{\"action\":\"make-good\"");
	assert_non_null(from);
	until = strstr(from, "```");
	assert_non_null(until);
	*until = '\0';
	from = arena_strdup(texts, from);
	buf_done(&text);
	return from;
}

static void
a_shop(const char *offer)
{
	a_policy("{}");
	parts.count--; /* its features.json */
	add_part(texts, &parts, "features.json",
	    quoted("{'features':[{'name':'owed','type':'number','from':'visit.owed'}]}"));
	an_action("o", offer);
	add_part(texts, &parts, "actions/make-good.json", example());
	in_force();
}

static void
scan_line(int number, const char *category, int amount)
{
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':%d,'sku':'s%d','category':'%s','qty':1,'amount':%d,'currency':"
	    "'EUR'}",
	    number, number, category, amount);
}

/* 50 were promised on 500. */
static void
promised(const char *offer)
{
	a_shop(offer);
	open_basket("b");
	scan_line(1, "c", 500);
	assert_int_equal(answer("o", "accept"), 200);
}

static void
till_says(const char *word, const char *more)
{
	tell("pos/7/event", arena_printf(texts, "offer.%s", word), "{'basket':'b','token':'%s'%s}",
	    token, more);
}

static int64_t
in_report(const char *name, bool of_row)
{
	struct buf out = { 0 };
	json_t *json, *of;
	int64_t n;

	assert_int_equal(query_report(engine, now_ms, &out), 0);
	json = json_loads(out.data, 0, NULL);
	of = json_object_get(json, "promises");
	assert_non_null(of);
	if (of_row) {
		assert_int_equal(json_array_size(json_object_get(of, "by")), 1);
		of = json_array_get(json_object_get(of, "by"), 0);
		assert_string_equal(text_of(of, "terminal"), "7");
		assert_string_equal(text_of(of, "action"), "o");
	}
	n = json_integer_value(json_object_get(of, name));
	json_decref(json);
	buf_done(&out);
	return n;
}

static void
assert_counted(int made, int less, int less_minor, int more, int more_minor)
{
	assert_int_equal(in_report("made", made > 0), made);
	assert_int_equal(in_report("less", made > 0), less);
	assert_int_equal(in_report("less_minor", made > 0), less_minor);
	assert_int_equal(in_report("more", made > 0), more);
	assert_int_equal(in_report("more_minor", made > 0), more_minor);
}

/* ---- counted by till and offer ---- */

static void
as_said(void)
{
	till_says("applied", ",'amount':50");
	till_says("redeemed", ",'amount':50");
}
static void
applied_as_said_and_paid_with_less(void)
{
	till_says("applied", ",'amount':50");
	till_says("redeemed", ",'amount':20");
}
static void
less(void)
{
	till_says("applied", ",'amount':49");
}
static void
more(void)
{
	till_says("redeemed", ",'amount':51");
}
static void
refused(void)
{
	till_says("refused", ",'reason':'no'");
}
static void
silent(void)
{
	wait_for(6000);
}
static void
silent_and_paid_with_after_all(void)
{
	wait_for(6000);
	till_says("redeemed", ",'amount':50");
}
static void
taken_back(void)
{
	till_says("redeemed", ",'amount':50");
	till_says("reversed", ",'amount':50");
}
static void
put_back(void)
{
	tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':1}");
	scan_line(2, "x", 500);
	till_says("applied", ",'amount':0");
}
static void
put_back_in_part(void)
{
	scan_line(1, "c", 300);
	till_says("applied", ",'amount':30");
}
static void
of_another_customer(void)
{
	identify(ANNA);
	identify(BEN);
}

static void
what_the_till_took_off_is_counted_beside_what_was_promised(void **state)
{
	static const struct {
		void (*way)(void);
		int made, less, less_minor, more, more_minor;
	} ways[] = {
		{ as_said, 1, 0, 0, 0, 0 },
		{ applied_as_said_and_paid_with_less, 1, 1, 30, 0, 0 },
		{ less, 1, 1, 1, 0, 0 },
		{ more, 1, 0, 0, 1, 1 },
		{ refused, 1, 1, 50, 0, 0 },
		{ silent, 1, 1, 50, 0, 0 },
		{ silent_and_paid_with_after_all, 1, 0, 0, 0, 0 },
		{ taken_back, 1, 1, 50, 0, 0 },
		{ put_back, 0, 0, 0, 0, 0 },
		{ put_back_in_part, 1, 0, 0, 0, 0 },
		{ of_another_customer, 0, 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		int64_t before = metrics_get(METRIC_PROMISES_LESS);

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		promised(TENTH);
		ways[i].way();
		close_basket("b", 450);
		wait_for(5 * MIN_MS - 1);
		assert_counted(0, 0, 0, 0, 0);
		wait_for(1);
		assert_counted(ways[i].made, ways[i].less, ways[i].less_minor, ways[i].more,
		    ways[i].more_minor);
		assert_int_equal(metrics_get(METRIC_PROMISES_LESS), before + ways[i].less);
		wait_for(H_MS);
		assert_counted(ways[i].made, ways[i].less, ways[i].less_minor, ways[i].more,
		    ways[i].more_minor);
	}
}

static void
a_coupon_that_was_not_scanned_is_owed_to_nobody(void **state)
{
	(void)state;
	promised("{'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'margin':9000,'offer':{"
		 "'type':'amount','depth':50,'apply':'barcode','code':'1','until':'0d'}}");
	close_basket("b", 500);
	wait_for(5 * MIN_MS);
	assert_counted(0, 0, 0, 0, 0);
}

static void
what_is_paid_with_in_the_minutes_after_the_close_was_honoured(void **state)
{
	(void)state;
	promised(TENTH);
	close_basket("b", 450);
	wait_for(4 * MIN_MS);
	till_says("redeemed", ",'amount':50");
	wait_for(MIN_MS);
	assert_counted(1, 0, 0, 0, 0);
}

static void
a_cancelled_sale_and_a_trainees_owe_nothing(void **state)
{
	(void)state;
	promised(TENTH);
	till_says("refused", ",'reason':'no'");
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	wait_for(H_MS);
	assert_counted(0, 0, 0, 0, 0);
}

/* What was not paid with by then has been taken out. */
static void
the_next_sale_of_the_number_takes_no_promise_back(void **state)
{
	(void)state;
	promised(TENTH);
	till_says("redeemed", ",'amount':40");
	close_after_the_next_is_cancelled("b", 460);
	wait_for(5 * MIN_MS);
	assert_counted(1, 1, 10, 0, 0);
	tear_down(state);
	set_up(state);
	promised(TENTH);
	till_says("applied", ",'amount':40");
	close_after_the_next_is_cancelled("b", 460);
	wait_for(5 * MIN_MS);
	assert_counted(0, 0, 0, 0, 0);
}

static void
the_days_figures_outlive_a_restart_and_not_their_day(void **state)
{
	(void)state;
	promised(TENTH);
	till_says("applied", ",'amount':10");
	close_basket("b", 490);
	wait_for(5 * MIN_MS);
	restart();
	assert_counted(1, 1, 40, 0, 0);
	now_ms += D_MS;
	restart();
	assert_int_equal(in_report("made", false), 0);
}

/* A sale in which the till took off 50 - missing of what offer o or p promised. */
static void
a_sale_at(const char *till, const char *action, int missing)
{
	const char *topic = arena_printf(texts, "pos/%s/event", till);
	const char *basket = arena_printf(texts, "b%d", ++count);

	tell(topic, "basket.opened", "{'basket':'%s','terminal':'%s'}", basket, till);
	tell(topic, "basket.item-added",
	    "{'basket':'%s','line':1,'sku':'s','category':'c','qty':1,'amount':500,'currency':"
	    "'EUR'}",
	    basket);
	assert_int_equal(answer(action, "accept"), 200);
	now_ms++;
	tell(topic, "offer.applied", "{'basket':'%s','token':'%s','amount':%d}", basket, token,
	    50 - missing);
	tell(topic, "basket.closed", "{'basket':'%s','total':450,'currency':'EUR'}", basket);
}

/* "TILL ACTION MADE LESS_MINOR" of each row. */
static const char *
rows_in_report(size_t *ret_count)
{
	struct buf out = { 0 }, words = { 0 };
	json_t *json, *row;
	const char *text;
	size_t i;

	assert_int_equal(query_report(engine, now_ms, &out), 0);
	json = json_loads(out.data, 0, NULL);
	buf_adds(&words, "");
	*ret_count = 0;
	json_array_foreach(json_object_get(json_object_get(json, "promises"), "by"), i, row) {
		buf_addf(&words, "%s%s %s %d %d", i > 0 ? "; " : "", text_of(row, "terminal"),
		    text_of(row, "action"), (int)json_integer_value(json_object_get(row, "made")),
		    (int)json_integer_value(json_object_get(row, "less_minor")));
		++*ret_count;
	}
	text = arena_strdup(texts, words.data);
	json_decref(json);
	buf_done(&out);
	buf_done(&words);
	return text;
}

static void
each_till_and_each_offer_is_counted_for_itself(void **state)
{
	size_t rows;

	(void)state;
	a_policy("{}");
	an_action("o", TENTH);
	an_action("p", TENTH);
	in_force();
	a_sale_at("7", "o", 1);
	a_sale_at("8", "o", 2);
	a_sale_at("7", "p", 4);
	a_sale_at("7", "o", 8);
	a_sale_at("8", "p", 16);
	a_sale_at("8", "o", 32);
	wait_for(5 * MIN_MS);
	assert_string_equal(rows_in_report(&rows), "7 o 2 9; 8 o 2 34; 7 p 1 4; 8 p 1 16");
}

/* 256 tills have a row, the others one that has no name; on disk as in memory. */
static void
the_tills_that_are_too_many_are_one_row(void **state)
{
	const char *before, *last;
	size_t rows;

	(void)state;
	a_policy("{}");
	an_action("o", TENTH);
	in_force();
	for (int till = 1; till <= 256; till++)
		a_sale_at(arena_printf(texts, "t%d", till), "o", till % 3);
	wait_for(5 * MIN_MS);
	last = strrchr(rows_in_report(&rows), ';');
	assert_int_equal(rows, 256);
	assert_string_equal(last, "; t256 o 1 1");
	a_sale_at("t257", "o", 5);
	a_sale_at("t258", "o", 7);
	a_sale_at("t9", "o", 11);
	wait_for(5 * MIN_MS);
	before = rows_in_report(&rows);
	assert_int_equal(rows, 257);
	assert_string_equal(strrchr(before, ';'), ";   2 12");
	assert_non_null(strstr(before, "; t9 o 2 11;"));
	restart();
	assert_string_equal(rows_in_report(&rows), before);
}

/* ---- made good ---- */

static void
a_manager_makes_good_what_the_till_did_not_take_off(void **state)
{
	(void)state;
	promised(TENTH);
	till_says("applied", ",'amount':20");
	assert_said("guidance 7: o(applied); guidance 7: o(applied) make-good");
	assert_non_null(strstr(text_of(json_array_get(json_object_get(screen, "prompts"), 1),
				   "headline"),
	    "0.30"));
	assert_int_equal(answer("make-good", "accept"), 403);
	/* The till corrects itself: nothing is owed. */
	till_says("applied", ",'amount':50");
	assert_non_null(strstr(said(), "guidance 7: o(applied)"));
	assert_string_equal(prompt_of("make-good"), "");
}

static void
what_is_refused_is_owed_whole_and_what_is_kept_is_not(void **state)
{
	(void)state;
	promised(TENTH);
	till_says("refused", ",'reason':'not combinable'");
	assert_string_not_equal(prompt_of("make-good"), "");
	tear_down(state);
	set_up(state);
	promised(TENTH);
	till_says("applied", ",'amount':50");
	assert_string_equal(prompt_of("make-good"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(what_the_till_took_off_is_counted_beside_what_was_promised),
		SPINE_TEST(a_coupon_that_was_not_scanned_is_owed_to_nobody),
		SPINE_TEST(what_is_paid_with_in_the_minutes_after_the_close_was_honoured),
		SPINE_TEST(a_cancelled_sale_and_a_trainees_owe_nothing),
		SPINE_TEST(the_next_sale_of_the_number_takes_no_promise_back),
		SPINE_TEST_ON_DISK(the_days_figures_outlive_a_restart_and_not_their_day),
		SPINE_TEST(each_till_and_each_offer_is_counted_for_itself),
		SPINE_TEST_ON_DISK(the_tills_that_are_too_many_are_one_row),
		SPINE_TEST(a_manager_makes_good_what_the_till_did_not_take_off),
		SPINE_TEST(what_is_refused_is_owed_whole_and_what_is_kept_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
