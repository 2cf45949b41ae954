/* SPDX-License-Identifier: Apache-2.0
 *
 * test_feed.c - feed check: what it counts, how it grades, what it says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/json.h"
#include "core/when.h"
#include "tools/feed.h"

#define START_MS INT64_C(1795257000000)

static char path[] = "/tmp/aisle-feed-XXXXXX";
static FILE *file;
static int64_t at_ms;
static int serial;
static bool ready;
static int64_t arrives_after_ms;
static bool unrecorded;
static int64_t now_ms;

static int
setup(void **state)
{
	(void)state;
	close(mkstemp(path));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void
begin(void)
{
	file = fopen(path, "w");
	assert_non_null(file);
	at_ms = START_MS;
	serial = 0;
	arrives_after_ms = 100;
	unrecorded = false;
	now_ms = START_MS;
}

/* One event, a second after the one before. */
static void
event(const char *type, const char *data)
{
	char time[WHEN_TEXT_SIZE], recorded[WHEN_TEXT_SIZE];

	at_ms += S_MS;
	when_text(at_ms, time);
	when_text(at_ms + arrives_after_ms, recorded);
	fprintf(file,
	    "{\"specversion\":\"1.0\",\"id\":\"%d\",\"source\":\"/store/0042/pos/"
	    "7\",\"type\":\"aisle.%s\",\"time\":\"%s\","
	    "%s%s%s\"data\":{%s}}\n",
	    ++serial, type, time, unrecorded ? "" : "\"recordedtime\":\"",
	    unrecorded ? "" : recorded, unrecorded ? "" : "\",", data);
}

static void
line(int basket, int number, int amount)
{
	char data[300];

	snprintf(data, sizeof(data),
	    "\"basket\":\"b%d\",\"line\":%d,\"gtin\":\"4006381333931\",\"category\":\"grocery/"
	    "coffee\","
	    "\"qty\":1,\"amount\":%d,\"currency\":\"EUR\",\"margin\":50",
	    basket, number, amount);
	event("basket.item-added", data);
}

static void
of_basket(const char *type, int basket, const char *more)
{
	char data[200];

	snprintf(data, sizeof(data), "\"basket\":\"b%d\"%s", basket, more);
	event(type, data);
}

/* A sale as it should be: 500 + 300, one line corrected, one voided. */
static void
sale(int basket)
{
	of_basket("basket.opened", basket, ",\"terminal\":\"7\"");
	event("customer.identified", "\"card\":\"c\",\"station\":\"7\"");
	line(basket, 1, 400);
	line(basket, 1, 500);
	line(basket, 2, 300);
	line(basket, 3, 900);
	of_basket("basket.item-voided", basket, ",\"line\":3");
	of_basket("basket.tender-started", basket, "");
	of_basket("basket.closed", basket, ",\"total\":800,\"currency\":\"EUR\"");
}

/* The JSON report of what was written. New reference. */
static json_t *
report(void)
{
	struct buf out = { 0 };
	struct err err = { 0 };
	json_t *json;

	fclose(file);
	assert_int_equal(feed_check(&(struct feed_source){ path, "0042", NULL, now_ms }, true, &out,
			     &ready, &err),
	    0);
	json = json_read(out.data, out.len, "report", &err);
	assert_non_null(json);
	assert_int_equal(ready,
	    strcmp(json_string_value(json_object_get(json, "verdict")), "not-ready") != 0);
	buf_done(&out);
	return json;
}

static json_t *
check_of(json_t *json, const char *name)
{
	json_t *checks = json_object_get(json, "checks");
	json_t *check;
	size_t i;

	json_array_foreach(checks, i, check) {
		if (strcmp(json_string_value(json_object_get(check, "check")), name) == 0)
			return check;
	}
	fail_msg("no check %s", name);
	return NULL;
}

static void
assert_check(json_t *json, const char *name, const char *grade, int count, int of)
{
	json_t *check = check_of(json, name);

	if (strcmp(json_string_value(json_object_get(check, "grade")), grade) != 0 ||
	    json_integer_value(json_object_get(check, "count")) != count ||
	    json_integer_value(json_object_get(check, "of")) != of)
		fail_msg("%s: %s %lld of %lld, expected %s %d of %d", name,
		    json_string_value(json_object_get(check, "grade")),
		    json_integer_value(json_object_get(check, "count")),
		    json_integer_value(json_object_get(check, "of")), grade, count, of);
	assert_int_equal(json_object_get(check, "mend") != NULL,
	    strcmp(grade, "warn") == 0 || strcmp(grade, "bad") == 0);
}

static const char *
verdict(json_t *json)
{
	return json_string_value(json_object_get(json, "verdict"));
}

static void
a_clean_feed_is_ready(void **state)
{
	json_t *json;

	(void)state;
	begin();
	for (int i = 0; i < 10; i++)
		sale(i);
	json = report();
	assert_string_equal(verdict(json), "ready");
	assert_int_equal(json_integer_value(json_object_get(json, "events")), 90);
	assert_check(json, "baskets-closed", "ok", 10, 10);
	assert_check(json, "identified", "ok", 10, 10);
	assert_check(json, "category", "ok", 40, 40);
	assert_check(json, "margin", "ok", 40, 40);
	assert_check(json, "tender", "ok", 10, 10);
	assert_check(json, "totals", "ok", 0, 10);
	assert_check(json, "rejected", "ok", 0, 90);
	assert_check(json, "doubles", "ok", 0, 90);
	assert_check(json, "clock", "ok", 0, 90);
	assert_check(json, "store", "ok", 0, 90);
	assert_int_equal(json_array_size(json_object_get(json, "rejected")), 0);
	json_decref(json);
}

static void
a_byte_order_mark_is_no_event_and_compressed_ones_say_what_to_do(void **state)
{
	struct buf out = { 0 };
	struct err err = { 0 };
	json_t *json;

	(void)state;
	begin();
	fputs("\xef\xbb\xbf", file);
	sale(1);
	json = report();
	assert_check(json, "rejected", "ok", 0, 9);
	json_decref(json);
	begin();
	fputs("\x1f\x8b\x08", file);
	fclose(file);
	assert_int_equal(feed_check(&(struct feed_source){ path, NULL, NULL, now_ms }, true, &out,
			     &ready, &err),
	    AISLE_E_INVALID);
	assert_non_null(strstr(err.text, "unpack them first"));
	buf_done(&out);
}

static void
a_card_waits_two_minutes_for_a_basket_and_no_longer(void **state)
{
	json_t *json;

	(void)state;
	begin();
	event("customer.identified", "\"card\":\"c\",\"station\":\"7\"");
	at_ms += 119 * S_MS - 1;
	of_basket("basket.cancelled", 1, "");
	event("customer.identified", "\"card\":\"c\",\"station\":\"7\"");
	at_ms += 120 * S_MS;
	of_basket("basket.cancelled", 2, "");
	event("customer.identified", "\"card\":\"c\",\"station\":\"9\"");
	of_basket("basket.cancelled", 3, "");
	json = report();
	assert_check(json, "identified", "ok", 1, 3);
	json_decref(json);
}

/* A sale of 800 in which the till says of our tokens what `more` has; 750 was paid. */
static json_t *
discounted(const char *type, int amount, const char *then, int amount_then)
{
	char more[100];

	begin();
	of_basket("basket.opened", 1, ",\"terminal\":\"7\"");
	event("customer.identified", "\"card\":\"c\",\"station\":\"7\"");
	line(1, 1, 500);
	line(1, 2, 300);
	snprintf(more, sizeof(more), ",\"token\":\"t1\",\"amount\":%d", amount);
	of_basket(type, 1, more);
	of_basket("basket.tender-started", 1, "");
	snprintf(more, sizeof(more), ",\"token\":\"t1\",\"amount\":%d,\"reason\":\"no\"",
	    amount_then);
	of_basket(then, 1, more);
	of_basket("basket.closed", 1, ",\"total\":750,\"currency\":\"EUR\"");
	return report();
}

static void
what_our_offers_take_off_stands_in_the_total_alone(void **state)
{
	static const struct {
		const char *type;
		int amount;
		const char *then;
		int amount_then;
		bool adds_up;
	} cases[] = {
		{ "offer.applied", 50, "offer.redeemed", 50, true },
		{ "offer.applied", 49, "offer.redeemed", 50, true },
		{ "offer.applied", 50, "offer.redeemed", 51, false },
		{ "offer.applied", 50, "offer.refused", 0, false },
		{ "offer.applied", 60, "offer.reversed", 10, true },
		{ "offer.applied", 50, "offer.reversed", 10, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *json =
		    discounted(cases[i].type, cases[i].amount, cases[i].then, cases[i].amount_then);

		assert_check(json, "totals", cases[i].adds_up ? "ok" : "bad", !cases[i].adds_up, 1);
		json_decref(json);
	}
}

/* What is taken back after the sale is a return's money: the total was paid. */
static void
a_reversal_after_the_close_leaves_the_total_as_it_was(void **state)
{
	json_t *json;

	(void)state;
	begin();
	of_basket("basket.opened", 1, ",\"terminal\":\"7\"");
	line(1, 1, 500);
	of_basket("offer.redeemed", 1, ",\"token\":\"t1\",\"amount\":50");
	of_basket("basket.closed", 1, ",\"total\":450,\"currency\":\"EUR\"");
	of_basket("offer.reversed", 1, ",\"token\":\"t1\",\"amount\":50");
	json = report();
	assert_check(json, "totals", "ok", 0, 1);
	json_decref(json);
}

static void
open_baskets_wrong_totals_and_late_lines_are_found(void **state)
{
	json_t *json;

	(void)state;
	begin();
	sale(1);
	of_basket("basket.closed", 2, ",\"total\":999,\"currency\":\"EUR\"");
	line(2, 1, 998);
	of_basket("basket.opened", 3, ",\"terminal\":\"7\"");
	of_basket("basket.opened", 4, ",\"terminal\":\"7\",\"training\":true");
	json = report();
	assert_string_equal(verdict(json), "not-ready");
	assert_check(json, "baskets-closed", "bad", 2, 3);
	assert_check(json, "totals", "bad", 1, 2);
	assert_check(json, "late", "bad", 1, 5);
	assert_check(json, "opened", "warn", 2, 3);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "baskets"),
			     "training")),
	    1);
	json_decref(json);
}

static void
doubles_are_harmless_and_another_event_of_the_same_name_is_not(void **state)
{
	json_t *json;

	(void)state;
	begin();
	sale(1);
	serial = 0;
	at_ms = START_MS;
	sale(1); /* the very same again */
	json = report();
	assert_check(json, "doubles", "warn", 9, 18);
	assert_check(json, "conflicts", "ok", 0, 18);
	assert_check(json, "totals", "ok", 0, 1);
	assert_string_equal(verdict(json), "ready-with-warnings");
	json_decref(json);
	begin();
	sale(1);
	serial--;
	of_basket("basket.cancelled", 1, "");
	json = report();
	assert_check(json, "conflicts", "bad", 1, 10);
	assert_string_equal(verdict(json), "not-ready");
	json_decref(json);
}

static void
clocks_and_order_are_judged(void **state)
{
	json_t *json;

	(void)state;
	begin();
	arrives_after_ms = -5000;
	sale(1);
	arrives_after_ms = 60000;
	sale(2);
	json = report();
	assert_check(json, "clock", "ok", 0, 18);
	json_decref(json);
	begin();
	arrives_after_ms = -5001;
	sale(1);
	arrives_after_ms = 60001;
	at_ms = START_MS;
	sale(2);
	json = report();
	assert_check(json, "clock", "bad", 18, 18);
	assert_check(json, "order", "warn", 8, 18);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "clock"),
			     "ahead_ms")),
	    5001);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "clock"),
			     "behind_ms")),
	    60001);
	json_decref(json);
}

static void
times_to_come_are_found_where_no_event_says_when_it_was_recorded(void **state)
{
	static const int64_t aheads[] = { 300 * S_MS, 300 * S_MS + 1, 3650 * D_MS };
	static const char *const grades[] = { "ok", "warn", "bad" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		json_t *json;

		begin();
		unrecorded = true;
		for (int n = 0; n < 40; n++)
			sale(n);
		now_ms = at_ms - aheads[i];
		json = report();
		assert_string_equal(json_string_value(json_object_get(check_of(json, "future"),
					"grade")),
		    grades[i]);
		assert_int_equal(ready, i < 2);
		json_decref(json);
	}
	/* Where one does, that is the clock they are judged by. */
	begin();
	sale(1);
	now_ms = at_ms - 3650 * D_MS;
	json_decref(report());
	assert_true(ready);
}

static void
what_is_refused_is_listed_with_its_first_line_and_mend(void **state)
{
	json_t *json, *rejected;

	(void)state;
	begin();
	sale(1);
	fputs("\n", file); /* blank: line 10, not counted */
	fputs("{\"not\":\"an envelope\"}\n", file);
	fputs("broken\n", file);
	fputs("broken again\n", file);
	event("basket.item-added",
	    "\"basket\":\"b1\",\"line\":9,\"gtin\":\"4006381333931\",\"qty\":1,\"amount\":1,"
	    "\"currency\":\"EUR\"");
	event("basket.item-added",
	    "\"basket\":\"b1\",\"line\":9,\"gtin\":\"12\",\"category\":\"Unknown\",\"qty\":1,"
	    "\"amount\":0,"
	    "\"currency\":\"EUR\"");
	json = report();
	rejected = json_object_get(json, "rejected");
	assert_int_equal(json_array_size(rejected), 3);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rejected, 0),
				"reason")),
	    "not-json");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(rejected, 0), "count")),
	    2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(rejected, 0),
			     "first_line")),
	    12);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rejected, 1),
				"reason")),
	    "bad-envelope");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(rejected, 1),
			     "first_line")),
	    11);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rejected, 2),
				"detail")),
	    "/data/category: expected this member");
	assert_non_null(json_object_get(json_array_get(rejected, 2), "mend"));
	assert_check(json, "rejected", "bad", 4, 14);
	assert_check(json, "category", "bad", 4, 6);
	assert_check(json, "gtins", "warn", 1, 6);
	json_decref(json);
}

static void
other_stores_and_giant_lines_are_seen(void **state)
{
	json_t *json;

	(void)state;
	begin();
	sale(1);
	fputs("{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"/store/00421/pos/"
	      "7\",\"type\":\"aisle.basket.cancelled\","
	      "\"time\":\"2026-11-21T10:00:00Z\",\"data\":{\"basket\":\"z\"}}\n",
	    file);
	for (int i = 0; i < 200000; i++)
		fputc(' ', file);
	fputs("x\n", file);
	json = report();
	assert_check(json, "store", "bad", 1, 10);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(json,
										 "rejected"),
								  0),
				"reason")),
	    "too-big");
	json_decref(json);
}

static void
the_text_says_the_same_in_sentences(void **state)
{
	struct buf out = { 0 };
	struct err err = { 0 };

	(void)state;
	begin();
	sale(1);
	of_basket("basket.opened", 2, ",\"terminal\":\"7\"");
	fclose(file);
	assert_int_equal(feed_check(&(struct feed_source){ path, NULL, NULL, now_ms }, false, &out,
			     &ready, &err),
	    0);
	assert_non_null(strstr(out.data, "50.0 % baskets closed (1 of 2)\n"));
	assert_non_null(strstr(out.data,
	    "Send aisle.basket.closed or .cancelled for every basket"));
	assert_non_null(strstr(out.data, "verdict: not-ready\n"));
	buf_done(&out);
}

static void
no_file_and_no_events_are_errors(void **state)
{
	struct buf out = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(feed_check(&(struct feed_source){ "/nonexistent/feed", NULL, NULL,
					now_ms },
			     false, &out, &ready, &err),
	    AISLE_E_NONE);
	memset(&err, 0, sizeof(err));
	begin();
	fputs("\n  \n", file);
	fclose(file);
	assert_int_equal(feed_check(&(struct feed_source){ path, NULL, NULL, now_ms }, false, &out,
			     &ready, &err),
	    AISLE_E_INVALID);
	assert_int_equal(out.len, 0);
	buf_done(&out);
}

static void
many_events_are_followed_to_the_end(void **state)
{
	json_t *json;

	(void)state;
	begin();
	for (int i = 0; i < 3000; i++)
		sale(i);
	json = report();
	assert_string_equal(verdict(json), "ready");
	assert_check(json, "totals", "ok", 0, 3000);
	assert_true(json_is_true(json_object_get(json, "complete")));
	json_decref(json);
}

static void
numbered_sale(const char *number, int amount)
{
	char data[300];

	snprintf(data, sizeof(data), "\"basket\":\"%s\",\"terminal\":\"7\"", number);
	event("basket.opened", data);
	snprintf(data, sizeof(data),
	    "\"basket\":\"%s\",\"line\":1,\"sku\":\"s\",\"category\":\"c\",\"qty\":1,"
	    "\"amount\":%d,\"currency\":\"EUR\"",
	    number, amount);
	event("basket.item-added", data);
	snprintf(data, sizeof(data), "\"basket\":\"%s\",\"total\":%d,\"currency\":\"EUR\"", number,
	    amount);
	event("basket.closed", data);
}

static void
a_number_given_again_is_another_basket_and_is_named(void **state)
{
	struct buf out = { 0 };
	struct err err = { 0 };

	(void)state;
	begin();
	numbered_sale("1", 100);
	numbered_sale("1", 250);
	numbered_sale("2", 70);
	fclose(file);
	assert_int_equal(feed_check(&(struct feed_source){ path, NULL, NULL, now_ms }, false, &out,
			     &ready, &err),
	    0);
	assert_non_null(strstr(out.data, "3 baskets"));
	assert_non_null(strstr(out.data, "first number given again: line 4"));
	assert_non_null(strstr(out.data, "(1 of 3)"));
	assert_non_null(strstr(out.data, "0.0 % closed baskets whose lines do not add up"));
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_given_again_is_another_basket_and_is_named),
		cmocka_unit_test(a_clean_feed_is_ready),
		cmocka_unit_test(a_byte_order_mark_is_no_event_and_compressed_ones_say_what_to_do),
		cmocka_unit_test(a_card_waits_two_minutes_for_a_basket_and_no_longer),
		cmocka_unit_test(what_our_offers_take_off_stands_in_the_total_alone),
		cmocka_unit_test(a_reversal_after_the_close_leaves_the_total_as_it_was),
		cmocka_unit_test(open_baskets_wrong_totals_and_late_lines_are_found),
		cmocka_unit_test(doubles_are_harmless_and_another_event_of_the_same_name_is_not),
		cmocka_unit_test(clocks_and_order_are_judged),
		cmocka_unit_test(times_to_come_are_found_where_no_event_says_when_it_was_recorded),
		cmocka_unit_test(what_is_refused_is_listed_with_its_first_line_and_mend),
		cmocka_unit_test(other_stores_and_giant_lines_are_seen),
		cmocka_unit_test(the_text_says_the_same_in_sentences),
		cmocka_unit_test(no_file_and_no_events_are_errors),
		cmocka_unit_test(many_events_are_followed_to_the_end),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
