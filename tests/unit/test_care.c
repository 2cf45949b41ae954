/* SPDX-License-Identifier: Apache-2.0
 *
 * test_care.c - what headquarters hears besides money: how long a sale took, what people said to its
 * cards, complaints and surveys.
 */
#include "spine_story.h"

static void
assert_in_record(const char *part)
{
	heard(LANE_MONEY);
	if (strstr(heard_last, quoted(part)) == NULL)
		fail_msg("%s\nis not in\n%s", part, heard_last);
}

static void
assert_not_in_record(const char *part)
{
	heard(LANE_MONEY);
	assert_null(strstr(heard_last, quoted(part)));
}

/* ---- of a sale ---- */

static void
a_sale_says_how_long_it_took_and_what_was_said_to_its_cards(void **state)
{
	(void)state;
	only("a", "{}");
	scan("b", "c", 100);
	wait_for(S_MS);
	show("a", true);
	wait_for(4300);
	assert_int_equal(answer("a", "dismiss"), 200);
	wait_for(30 * S_MS);
	close_basket("b", 100);
	assert_in_record("'shown':1,'answers':{'answered':1,'accepted':0,'dismissed':1,"
			 "'overridden':0,'ms':4300},'seconds':35}");
}

static void
an_answer_takes_a_minute_at_most_and_without_showing_nothing(void **state)
{
	(void)state;
	only("a", "{}");
	scan("b", "c", 100);
	show("a", true);
	wait_for(70 * S_MS);
	assert_int_equal(answer("a", "accept"), 200);
	close_basket("b", 100);
	assert_in_record("'answers':{'answered':1,'accepted':1,'dismissed':0,'overridden':0,'ms':"
			 "60000}");
	scan("c", "c", 100);
	wait_for(9 * S_MS);
	assert_int_equal(answer("a", "accept"), 200);
	close_basket("c", 100);
	assert_in_record("'accepted':1,'dismissed':0,'overridden':0,'ms':0},'seconds':9}");
}

static void
what_stood_aside_for_an_hour_says_nothing_of_serving(void **state)
{
	(void)state;
	open_basket("b");
	scan("b", "c", 100);
	wait_for(H_MS);
	close_basket("b", 100);
	assert_in_record("'seconds':3600}");
	open_basket("c");
	scan("c", "c", 100);
	wait_for(H_MS + S_MS);
	close_basket("c", 100);
	assert_not_in_record("'seconds'");
}

/* ---- complaints and surveys ---- */

static void
complain(const char *number, const char *subject)
{
	tell("care/event", "care.case-opened",
	    "{'subject':'%s','case':'%s','topic':'cold fries','severity':2}", subject, number);
}

static void
each_case_is_a_complaint_once_and_its_customer_stands_in_an_arm(void **state)
{
	(void)state;
	a_policy("{'control':{'share':1}}");
	an_action("a", "{}");
	add_part(texts, &parts, "experiments.json",
	    quoted("{'experiments':[{'experiment':'x','unit':'customer','salt':'" SALT
		   "','share':1,'arms':{'new':{'weight':1}}},{'experiment':'v','unit':'visit',"
		   "'salt':'" SALT "','share':1,'arms':{'w':{'weight':1}}}]}"));
	in_force();
	grant(ANNA, "profile");
	complain("1", ANNA);
	assert_heard(LANE_MONEY, "care");
	assert_in_record("'subject':'" ANNA "','what':'complaint','severity':2,'arms':{'x':'new'},"
			 "'control':true}");
	assert_not_in_record("fries");
	/* The same again, and worse; closed, and open once more. */
	wait_for(S_MS);
	complain("1", ANNA);
	tell("care/event", "care.case-closed", "{'subject':'" ANNA "','case':'1'}");
	wait_for(S_MS);
	complain("1", ANNA);
	assert_heard(LANE_MONEY, "");
	complain("2", ANNA);
	assert_heard(LANE_MONEY, "care");
}

static void
a_survey_says_its_score_and_a_strangers_nobody(void **state)
{
	(void)state;
	tell("loyalty/r1/event", "survey.answered", "{'kind':'nps','score':9.5}");
	assert_heard(LANE_MONEY, "care");
	assert_in_record("'what':'survey','kind':'nps','score':9.5,'arms':{},'control':false}");
	assert_not_in_record("'subject'");
	tell("loyalty/r1/event", "survey.answered",
	    "{'subject':'" ANNA "','kind':'complaint','score':1}");
	assert_heard(LANE_MONEY, "care");
	assert_in_record("'what':'complaint','arms':{}");
	/* Who does not agree to be remembered is nobody. */
	assert_not_in_record("'subject'");
}

static int
count_anna(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	int *counts = ctx;

	(void)seq;
	(void)at_ms;
	counts[0] += strcmp(type, "care") == 0;
	counts[1] += memmem(body, len, ANNA, strlen(ANNA)) != NULL;
	return 0;
}

static void
who_is_forgotten_leaves_the_complaints_that_wait(void **state)
{
	struct input input = { .kind = INPUT_FORGET, .subject = subject_of(ANNA) };
	int counts[2] = { 0 };

	(void)state;
	grant(ANNA, "profile");
	complain("1", ANNA);
	turn(&input);
	assert_int_equal(store_uplink_each(engine->store, LANE_MONEY, 0, 1000, count_anna, counts),
	    0);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 0);
}

static void
where_only_aggregates_go_up_no_complaint_does(void **state)
{
	struct err err = { 0 };

	(void)state;
	engine_close(engine);
	conf.uplink_aggregates = true;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	complain("1", ANNA);
	assert_heard(LANE_MONEY, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(a_sale_says_how_long_it_took_and_what_was_said_to_its_cards),
		SPINE_TEST(an_answer_takes_a_minute_at_most_and_without_showing_nothing),
		SPINE_TEST(what_stood_aside_for_an_hour_says_nothing_of_serving),
		SPINE_TEST(each_case_is_a_complaint_once_and_its_customer_stands_in_an_arm),
		SPINE_TEST(a_survey_says_its_score_and_a_strangers_nobody),
		SPINE_TEST(who_is_forgotten_leaves_the_complaints_that_wait),
		SPINE_TEST(where_only_aggregates_go_up_no_complaint_does),
	};

	hear_sales = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
