/* SPDX-License-Identifier: Apache-2.0
 *
 * test_days.c - yesterday and the same day last week beside today: which day, up to which hour.
 */
#include "spine_story.h"

#include "core/json_write.h"

/* One card that is accepted and redeemed, and one that nobody answers, at this hour of the day that is so many days after T0's. */
static void
two_cards_at(int day, int hour)
{
	static int baskets;
	const char *one = arena_printf(texts, "b%d", ++baskets),
		   *two = arena_printf(texts, "b%d", ++baskets);

	now_ms = T0 + day * D_MS + (hour - 10) * H_MS;
	open_basket(two);
	scan(two, "c", 100);
	open_basket(one);
	scan(one, "c", 100);
	assert_int_equal(show("o", true), 200);
	assert_int_equal(answer("o", "accept"), 200);
	tell("pos/7/event", "offer.redeemed", "{'token':'%s','basket':'%s','amount':40}", token,
	    one);
}

#define SUM(prompts, half) \
	"{\"prompts\":" #prompts ",\"shown\":" #half ",\"accepted\":" #half ",\"redeemed\":" #half \
	",\"redeemed_minor\":"

static void
yesterday_and_the_day_a_week_ago_are_told_whole_and_up_to_this_hour(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") "}");
	assert_string_equal(member("before"), "[]");
	two_cards_at(0, 9);
	two_cards_at(0, 14);
	assert_string_equal(member("before"), "[]");
	two_cards_at(5, 9);
	two_cards_at(6, 9);
	two_cards_at(6, 12);
	two_cards_at(6, 13);
	now_ms = T0 + 7 * D_MS + 3 * H_MS; /* 13:00; nothing has happened yet */
	for (int i = 0; i < 2; i++) {
		assert_string_equal(member("before"),
		    "[{\"days\":1,\"day\":\"2026-11-27T00:00:00.000Z\",\"hour\":13,\"by_"
		    "hour\":" SUM(4, 2) "80},\"whole\":" SUM(6,
			3) "120}},"
			   "{\"days\":7,\"day\":\"2026-11-21T00:00:00.000Z\",\"hour\":13,\"by_"
			   "hour\":" SUM(2, 1) "40},\"whole\":" SUM(4, 2) "80}}]");
		two_cards_at(7, 13);
		restart();
	}
}

/* The hour that is nearest: its last minute, its first. */
static void
up_to_the_full_hour_that_is_nearest(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") "}");
	two_cards_at(0, 12);
	now_ms = T0 + D_MS + 3 * H_MS - H_MS / 2 - 1;
	assert_non_null(strstr(member("before"), "\"hour\":12,\"by_hour\":" SUM(0, 0) "0}"));
	now_ms += 1;
	assert_non_null(strstr(member("before"), "\"hour\":13,\"by_hour\":" SUM(2, 1) "40}"));
	now_ms += H_MS - 1;
	assert_non_null(strstr(member("before"), "\"hour\":13,"));
	now_ms += 1;
	assert_non_null(strstr(member("before"), "\"hour\":14,"));
}

static void
a_day_with_nothing_is_left_out_and_a_week_is_kept(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") "}");
	for (int day = 0; day < 10; day++)
		if (day != 8)
			two_cards_at(day, 9);
	assert_int_equal(engine->past_count, PAST_DAYS);
	assert_non_null(strstr(member("before"), "[{\"days\":7,\"day\":\"2026-11-23T"));
	now_ms += D_MS;
	assert_non_null(strstr(member("before"), "[{\"days\":1,\"day\":\"2026-11-30T"));
	now_ms += 5 * D_MS; /* of yesterday there is nothing, of the week before the last day */
	assert_string_equal(member("before"), "[]");
	now_ms += D_MS;
	assert_non_null(strstr(member("before"), "[{\"days\":7,\"day\":\"2026-11-30T"));
}

/* In Berlin the clocks go forward on Sunday 28 March 2027; the business day begins at four. */
static void
a_week_with_a_change_of_the_clocks_has_its_same_day_and_hour(void **state)
{
	enum { THURSDAY = 124 }; /* 25 March */

	(void)state;
	free(conf.zone);
	conf.zone = mem_strdup("Europe/Berlin");
	conf.day_cut_minute = 240;
	only("o", "{" OFFER_OF("") "}");
	two_cards_at(THURSDAY, 10); /* at eleven there */
	two_cards_at(THURSDAY + 2, 10);
	two_cards_at(THURSDAY + 3, 10);
	assert_non_null(strstr(member("before"), "{\"days\":1,\"day\":\"2027-03-27T03:00:"));
	now_ms += D_MS;
	assert_non_null(strstr(member("before"), "{\"days\":1,\"day\":\"2027-03-28T02:00:"));
	now_ms = T0 + (THURSDAY + 7) * D_MS - H_MS + H_MS / 2 - 1; /* 11:30 there, just not */
	assert_non_null(strstr(member("before"),
	    "[{\"days\":7,\"day\":\"2027-03-25T03:00:00.000Z\",\"hour\":11,\"by_hour\":" SUM(0,
		0) "0}"));
	now_ms += 1;
	assert_non_null(strstr(member("before"), "\"hour\":12,\"by_hour\":" SUM(2, 1) "40}"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST_ON_DISK(
		    yesterday_and_the_day_a_week_ago_are_told_whole_and_up_to_this_hour),
		SPINE_TEST(up_to_the_full_hour_that_is_nearest),
		SPINE_TEST(a_day_with_nothing_is_left_out_and_a_week_is_kept),
		SPINE_TEST(a_week_with_a_change_of_the_clocks_has_its_same_day_and_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
