/* SPDX-License-Identifier: Apache-2.0
 *
 * test_heard.c - who was heard of when, and who is silent at an hour at which they never are.
 */
#include "spine_story.h"

#include "core/json_write.h"

/* "pos/7 10:00 silent; …" as the report tells it. */
static const char *
heard_list(void)
{
	json_t *json = report(), *row;
	struct buf out = { 0 };
	const char *text;
	size_t i;

	json_array_foreach(json_object_get(json, "heard"), i, row)
		buf_addf(&out, "%s%s %.5s%s", i > 0 ? "; " : "", text_of(row, "who"),
		    text_of(row, "at") + 11,
		    json_is_true(json_object_get(row, "silent")) ? " silent" : "");
	buf_adds(&out, "");
	text = arena_strdup(texts, out.data);
	buf_done(&out);
	json_decref(json);
	return text;
}
#define assert_heard_list(text) assert_string_equal(heard_list(), text)

static void
clock_at(int day, int hour, int minute)
{
	now_ms = T0 + day * D_MS + (hour - 10) * H_MS + minute * MIN_MS;
}

/* This till speaks once in each of these hours. */
static void
speaks(int day, const char *till, int from, int until)
{
	for (int hour = from; hour < until; hour++) {
		static int baskets;

		clock_at(day, hour, 0);
		tell(arena_printf(texts, "pos/%s/event", till), "basket.opened",
		    "{'basket':'h%d','terminal':'%s'}", ++baskets, till);
	}
}

static void
say_hello(const char *tablet)
{
	const char *json = "{\"stations\":[\"7\"]}";
	struct input input = { .kind = INPUT_MESSAGE,
		.topic = arena_printf(texts, "aisle/v1/0042/tablet/%s/hello", tablet),
		.payload = json,
		.len = strlen(json) };

	turn(&input);
}

static void
tills_readers_and_known_tablets_are_heard_of_with_their_station(void **state)
{
	(void)state;
	only("a", "{}");
	assert_heard_list("");
	open_basket("b");
	scan("b", "c", 100);
	now_ms += MIN_MS;
	grant(ANNA, "contact");
	now_ms += MIN_MS;
	assert_int_equal(show("a", true), 200);
	now_ms += MIN_MS;
	tell("care/event", "care.case-opened", "{'subject':'" ANNA "','case':'c'}");
	tell("tablet/stranger/event", "guidance.shown", "{'guidance':'%s','prompt':'%s'}",
	    guidance_on_screen(), prompt_of("a"));
	engine_heard_tablet(engine, "open", now_ms);
	say_hello("stranger");
	know_tablet("native", "7");
	assert_heard_list("pos/7 10:00; loyalty/r1 10:01; tablet/t1 10:02; tablet/open 10:03");
	say_hello("native");
	assert_heard_list("pos/7 10:00; loyalty/r1 10:01; tablet/t1 10:02; tablet/open 10:03; "
			  "tablet/native 10:03");
	assert_non_null(strstr(member("heard"), "{\"who\":\"loyalty/r1\",\"station\":\"r1\","));
	assert_non_null(strstr(member("heard"), "{\"who\":\"tablet/t1\",\"at\":"));
}

static void
a_till_that_says_what_cannot_be_used_is_heard_of(void **state)
{
	(void)state;
	tell("pos/9/event", "basket.closed", "{'basket':'never','total':100,'currency':'SEK'}");
	assert_said("dead bad-value");
	assert_heard_list("pos/9 10:00");
	now_ms += MIN_MS;
	tell("pos/9/event", "offer.applied", "{'token':'01ARZ3NDEKTSV4RRFFQ69G5FAV','basket':'b'}");
	assert_heard_list("pos/9 10:01");
}

static void
silent_is_who_lets_an_hour_pass_in_which_they_spoke_on_most_days(void **state)
{
	(void)state;
	speaks(0, "8", 8, 9);
	speaks(0, "7", 8, 20);
	clock_at(1, 12, 0);
	assert_heard_list("pos/8 08:00; pos/7 19:00"); /* one day makes no habit */
	speaks(1, "7", 8, 20);
	clock_at(2, 7, 59);
	assert_heard_list("pos/8 08:00; pos/7 19:00");
	clock_at(2, 8, 59);
	assert_heard_list("pos/8 08:00; pos/7 19:00");
	clock_at(2, 9, 0); /* the hour from eight is over; the other till was in use on one day */
	assert_heard_list("pos/8 08:00; pos/7 19:00 silent");
	speaks(2, "7", 9, 10);
	assert_heard_list("pos/8 08:00; pos/7 09:00");
	clock_at(2, 10, 59);
	assert_heard_list("pos/8 08:00; pos/7 09:00");
	clock_at(2, 11, 0);
	assert_heard_list("pos/8 08:00; pos/7 09:00 silent");
	/* and after eight in the evening it never speaks */
	speaks(2, "7", 19, 20);
	clock_at(2, 23, 59);
	assert_heard_list("pos/8 08:00; pos/7 19:00");
}

static void
what_is_usual_is_of_the_days_of_a_week_and_of_most_of_them(void **state)
{
	(void)state;
	for (int day = 0; day < 4; day++)
		speaks(day, "7", day < 2 ? 8 : 9, 10);
	clock_at(4, 9, 0); /* at eight on two days of four */
	assert_heard_list("pos/7 09:00");
	clock_at(4, 10, 0);
	assert_heard_list("pos/7 09:00 silent");
	speaks(4, "7", 8, 10);
	clock_at(5, 9, 0); /* three of five */
	assert_heard_list("pos/7 09:00 silent");
	clock_at(10, 10, 0); /* of the last seven days it was in use on two, 3 and 4 */
	assert_heard_list("pos/7 09:00 silent");
	clock_at(11, 10, 0); /* on one */
	assert_heard_list("pos/7 09:00");
}

static void
who_was_not_heard_of_for_longest_gives_way_and_who_was_not_for_a_week_is_told_no_more(void **state)
{
	(void)state;
	for (int i = 0; i <= HEARD_MAX; i++) {
		json_t *json;

		speaks(0, arena_printf(texts, "t%d", i), 8, 9);
		now_ms += i;
		json = report();
		assert_int_equal(json_array_size(json_object_get(json, "heard")),
		    i < HEARD_MAX ? i + 1 : HEARD_MAX);
		json_decref(json);
	}
	assert_null(strstr(member("heard"), "\"pos/t0\""));
	assert_non_null(strstr(member("heard"), "\"pos/t1\""));
	clock_at(8, 8, 0);
	assert_non_null(strstr(member("heard"), "\"pos/t1\""));
	clock_at(9, 8, 0);
	assert_string_equal(member("heard"), "[]");
}

static void
a_kill_forgets_five_minutes(void **state)
{
	(void)state;
	speaks(0, "7", 10, 11);
	now_ms = T0 + 5 * MIN_MS - 1;
	tell("pos/7/event", "basket.opened", "{'basket':'x','terminal':'7'}");
	restart();
	assert_heard_list("pos/7 10:00");
	now_ms = T0 + 5 * MIN_MS;
	tell("pos/7/event", "basket.opened", "{'basket':'y','terminal':'7'}");
	restart();
	assert_heard_list("pos/7 10:05");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(tills_readers_and_known_tablets_are_heard_of_with_their_station),
		SPINE_TEST(a_till_that_says_what_cannot_be_used_is_heard_of),
		SPINE_TEST(silent_is_who_lets_an_hour_pass_in_which_they_spoke_on_most_days),
		SPINE_TEST(what_is_usual_is_of_the_days_of_a_week_and_of_most_of_them),
		SPINE_TEST(
		    who_was_not_heard_of_for_longest_gives_way_and_who_was_not_for_a_week_is_told_no_more),
		SPINE_TEST_ON_DISK(a_kill_forgets_five_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
