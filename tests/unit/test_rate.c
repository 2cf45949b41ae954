/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rate.c - the bucket of each station, and topics to routes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ingest/envelope.h"
#include "ingest/rate.h"

static int
take(struct rate *rate, const char *origin, int64_t now_ms, int tries)
{
	int allowed = 0;

	while (tries-- > 0)
		allowed += rate_allow(rate, origin, now_ms);
	return allowed;
}

static void
a_quiet_station_may_burst_one_second_and_not_one_more(void **state)
{
	struct rate *rate = rate_new(200);

	(void)state;
	assert_int_equal(take(rate, "7", 1000, 200), 200);
	assert_int_equal(take(rate, "7", 1000, 1), 0);
	rate_free(rate);
}

static void
tokens_come_back_by_the_millisecond(void **state)
{
	struct rate *rate = rate_new(200);

	(void)state;
	take(rate, "7", 1000, 200);
	assert_int_equal(take(rate, "7", 1004, 1), 0); /* 4 ms at 200/s is 0.8 of an event */
	assert_int_equal(take(rate, "7", 1005, 2), 1);
	assert_int_equal(take(rate, "7", 2005, 300), 200);
	assert_int_equal(take(rate, "7", INT64_MAX / 2, 300), 200);
	rate_free(rate);
}

static void
stations_do_not_share(void **state)
{
	struct rate *rate = rate_new(1);

	(void)state;
	assert_true(rate_allow(rate, "7", 0));
	assert_false(rate_allow(rate, "7", 0));
	assert_true(rate_allow(rate, "8", 0));
	rate_free(rate);
}

static void
a_clock_that_steps_back_gives_nothing_and_takes_nothing(void **state)
{
	struct rate *rate = rate_new(10);

	(void)state;
	assert_int_equal(take(rate, "7", 5000, 10), 10);
	assert_int_equal(take(rate, "7", 0, 5), 0);
	assert_int_equal(take(rate, "7", 100, 5), 1);
	rate_free(rate);
}

static void
a_new_limit_holds_at_once_and_none_is_none(void **state)
{
	struct rate *rate = rate_new(100);

	(void)state;
	assert_int_equal(take(rate, "7", 0, 1), 1);
	rate_set(rate, 5);
	assert_int_equal(take(rate, "7", 0, 50), 5);
	rate_set(rate, 0);
	assert_int_equal(take(rate, "7", 0, 5000), 5000);
	rate_free(rate);
}

static void
a_flood_of_names_is_bounded_and_spares_the_busy(void **state)
{
	struct rate *rate = rate_new(10);
	char name[33];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "till-%d", i);
		assert_true(rate_allow(rate, name, i));
	}
	assert_int_equal(take(rate, "busy", 100001, 10), 10);
	assert_int_equal(take(rate, "busy", 100001, 10), 0);
	rate_free(rate);
}

static void
topics_of_this_store_name_their_sender(void **state)
{
	static const struct {
		const char *topic, *origin;
		enum channel channel;
		bool hello;
	} good[] = {
		{ "aisle/v1/0042/pos/7/event", "7", CHANNEL_POS, false },
		{ "aisle/v1/0042/loyalty/r-1/event", "r-1", CHANNEL_LOYALTY, false },
		{ "aisle/v1/0042/care/event", "care", CHANNEL_CARE, false },
		{ "aisle/v1/0042/tablet/T_2/event", "T_2", CHANNEL_TABLET, false },
		{ "aisle/v1/0042/tablet/T_2/hello", "T_2", CHANNEL_TABLET, true },
		{ "aisle/v1/0042/pos/abcdefghijklmnopqrstuvwxyz012345/event",
		    "abcdefghijklmnopqrstuvwxyz012345", CHANNEL_POS, false },
	};
	struct route route;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(route_parse(good[i].topic, "0042", &route), 0);
		assert_string_equal(route.origin, good[i].origin);
		assert_int_equal(route.channel, good[i].channel);
		assert_int_equal(route.hello, good[i].hello);
	}
}

static void
other_topics_are_no_input(void **state)
{
	static const char *const bad[] = {
		"",
		"aisle",
		"aisle/v1",
		"aisle/v1/0042",
		"aisle/v1/0042/",
		"aisle/v1/0043/pos/7/event",
		"aisle/v1/00420/pos/7/event",
		"aisle/v2/0042/pos/7/event",
		"aisle/v1/0042/pos//event",
		"aisle/v1/0042/pos/7",
		"aisle/v1/0042/pos/7/",
		"aisle/v1/0042/pos/7/events",
		"aisle/v1/0042/pos/7/event/",
		"aisle/v1/0042/pos/7/receipt",
		"aisle/v1/0042/pos/7/hello",
		"aisle/v1/0042/pos/7.1/event",
		"aisle/v1/0042/pos/7/8/event",
		"aisle/v1/0042/care/x/event",
		"aisle/v1/0042/care",
		"aisle/v1/0042/POS/7/event",
		"aisle/v1/0042/status",
		"aisle/v1/0042/pos/abcdefghijklmnopqrstuvwxyz0123456/event",
		"/aisle/v1/0042/pos/7/event",
		"aisle/v1/0042/pos/+/event",
		"aisle/v1/0042/po/7/event",
	};
	struct route route;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(route_parse(bad[i], "0042", &route), AISLE_E_NONE);
}

static void
a_source_names_its_sender_by_its_last_two_segments(void **state)
{
	struct route route;

	(void)state;
	assert_int_equal(route_from_source("/store/0042/pos/7", &route), 0);
	assert_string_equal(route.origin, "7");
	assert_int_equal(route.channel, CHANNEL_POS);
	assert_int_equal(route_from_source("https://example.org/loyalty/door-1", &route), 0);
	assert_int_equal(route.channel, CHANNEL_LOYALTY);
	assert_int_equal(route_from_source("pos/7", &route), 0);
	assert_int_equal(route_from_source("/store/0042/care", &route), 0);
	assert_string_equal(route.origin, "care");
	assert_int_equal(route_from_source("/mapping/rtsf/3", &route), 0);
	assert_int_equal(route.channel, CHANNEL_POS);
	assert_string_equal(route.origin, "3");
	assert_int_equal(route_from_source("/store/0042/pos/", &route), AISLE_E_NONE);
	assert_int_equal(route_from_source("/store/0042/till/7", &route), AISLE_E_NONE);
	assert_int_equal(route_from_source("7", &route), AISLE_E_NONE);
	assert_int_equal(route_from_source("", &route), AISLE_E_NONE);
	assert_int_equal(route_from_source("/7", &route), AISLE_E_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_station_may_burst_one_second_and_not_one_more),
		cmocka_unit_test(tokens_come_back_by_the_millisecond),
		cmocka_unit_test(stations_do_not_share),
		cmocka_unit_test(a_clock_that_steps_back_gives_nothing_and_takes_nothing),
		cmocka_unit_test(a_new_limit_holds_at_once_and_none_is_none),
		cmocka_unit_test(a_flood_of_names_is_bounded_and_spares_the_busy),
		cmocka_unit_test(topics_of_this_store_name_their_sender),
		cmocka_unit_test(other_topics_are_no_input),
		cmocka_unit_test(a_source_names_its_sender_by_its_last_two_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
