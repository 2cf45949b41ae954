/* SPDX-License-Identifier: Apache-2.0
 *
 * test_report.c - the day so far, as the manager sees it: words, budgets, what is stopped, what time it is.
 */
#include "spine_story.h"

static json_t *
report(void)
{
	struct buf out = { 0 };
	json_t *json;

	assert_int_equal(query_report(engine, now_ms, &out), 0);
	json = json_loadb(out.data, out.len, 0, NULL);
	buf_done(&out);
	assert_non_null(json);
	return json;
}

/* Of the first in a list that has this action; as text. */
static const char *
row(const char *list, const char *action, const char *member)
{
	json_t *json = report(), *at;
	struct buf out = { 0 };
	const char *text = "none";
	size_t i;

	json_array_foreach(json_object_get(json, list), i, at) {
		if (strcmp(text_of(at, "action"), action) == 0 &&
		    json_object_get(at, member) != NULL) {
			json_write(json_object_get(at, member), &out);
			text = arena_strdup(texts, out.data);
			break;
		}
	}
	buf_done(&out);
	json_decref(json);
	return text;
}

static const char *
member(const char *name)
{
	json_t *json = report();
	struct buf out = { 0 };
	const char *text = "none";

	if (json_object_get(json, name) != NULL) {
		json_write(json_object_get(json, name), &out);
		text = arena_strdup(texts, out.data);
	}
	buf_done(&out);
	json_decref(json);
	return text;
}

static void
redeem(const char *action, const char *basket)
{
	assert_int_equal(answer(action, "accept"), 200);
	tell("pos/7/event", "offer.redeemed", "{'token':'%s','basket':'%s','amount':40}", token,
	    basket);
}

static void
an_action_is_told_by_its_words_and_what_they_are_filled_with_later_is_left_open(void **state)
{
	static const struct {
		const char *offer, *headline, *told;
	} cases[] = {
		{ OFFER_OF(""), "{{depth}} cents", "40 cents" },
		{ OFFER_OF(""), "now {{depth|money}}", "now \xe2\x80\xa6" },
		{ OFFER_OF(""), "of {{total|default:some}} all", "of \xe2\x80\xa6 all" },
		{ "'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'propensity':0.5,'"
		  "offer':{"
		  "'type':'amount','ladder':[20,40],'max':40,'apply':'till-code','until':'0d'}",
		    "{{depth}} cents", "\xe2\x80\xa6 cents" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *want =
		    arena_printf(texts, "{\"en\":\"%s\",\"de\":\"erst\"}", cases[i].told);

		memset(&parts, 0, sizeof(parts));
		only("o",
		    arena_printf(texts,
			"{%s,'treatments':[{'treatment':'a','language':'en','headline':'%s'},"
			"{'treatment':'b','language':'de','headline':'erst'},"
			"{'treatment':'c','language':'en','headline':'other'},"
			"{'treatment':'d','language':'de','headline':'dann'}]}",
			cases[i].offer, cases[i].headline));
		open_basket(arena_printf(texts, "b%zu", i));
		scan(arena_printf(texts, "b%zu", i), "c", 100);
		assert_string_equal(row("actions", "o", "headline"), want);
	}
	assert_string_equal(row("actions", "none", "headline"), "none");
}

static void
a_budget_of_the_day_is_told_with_what_of_it_is_used_today(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':3,'headline_max':40}}}");
	an_action("o", "{" OFFER_OF("") ",'budget':{'per':'store-day','money':100,'units':9}}");
	an_action("k",
	    "{'eligible':{'==':[1,2]},'group':'h'," OFFER_OF("") ",'budget':{'per':'store-day','"
								 "money':7}}");
	an_action("u",
	    "{'eligible':{'==':[1,2]},'group':'i','budget':{'per':'store-day','units':3}}");
	an_action("c", "{'group':'j'," OFFER_OF("") ",'budget':{'per':'campaign','money':500}}");
	an_action("n", "{'group':'l'," OFFER_OF("") "}");
	in_force();
	assert_string_equal(member("day_budget"), "{\"money\":107,\"money_used\":0}");
	open_basket("b");
	scan("b", "c", 100);
	assert_string_equal(row("actions", "o", "budget"),
	    "{\"per\":\"store-day\",\"money\":100,\"money_used\":40,\"units\":9,\"units_used\":1}");
	assert_string_equal(member("day_budget"), "{\"money\":107,\"money_used\":40}");
	now_ms += D_MS;
	open_basket("d");
	scan("d", "c", 100);
	assert_string_equal(row("actions", "o", "budget"),
	    "{\"per\":\"store-day\",\"money\":100,\"money_used\":40,\"units\":9,\"units_used\":1}");
	assert_string_equal(row("spent", "o", "held_or_spent"), "40");
	assert_string_equal(row("spent", "o", "units"), "1");
	assert_string_equal(member("day_budget"), "{\"money\":107,\"money_used\":40}");
	now_ms += D_MS;
	assert_string_equal(member("day_budget"), "{\"money\":107,\"money_used\":0}");
	assert_string_equal(row("spent", "o", "held_or_spent"), "0");
}

static void
a_campaigns_budget_is_told_with_what_of_it_was_ever_used(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':3,'headline_max':40}}}");
	an_action("m", "{" OFFER_OF("") ",'budget':{'per':'campaign','money':500}}");
	an_action("u", "{'group':'h'," OFFER_OF("") ",'budget':{'per':'campaign','units':5}}");
	an_action("n", "{'group':'i'," OFFER_OF("") "}");
	in_force();
	for (int day = 1; day <= 2; day++, now_ms += D_MS) {
		const char *basket = arena_printf(texts, "b%d", day);

		open_basket(basket);
		scan(basket, "c", 100);
		assert_string_equal(row("actions", "m", "budget"),
		    arena_printf(texts, "{\"per\":\"campaign\",\"money\":500,\"money_used\":%d}",
			40 * day));
		assert_string_equal(row("actions", "u", "budget"),
		    arena_printf(texts, "{\"per\":\"campaign\",\"units\":5,\"units_used\":%d}",
			day));
		assert_string_equal(row("actions", "n", "budget"), "none");
		redeem("m", basket);
		redeem("u", basket);
	}
	assert_string_equal(member("day_budget"), "none");
}

static void
what_was_redeemed_is_told_of_the_action_and_of_all(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") "}");
	open_basket("b");
	scan("b", "c", 100);
	assert_string_equal(row("actions", "o", "redeemed_minor"), "none");
	redeem("o", "b");
	assert_string_equal(row("actions", "o", "redeemed_minor"), "40");
	assert_string_equal(row("actions", "o", "accepted"), "1");
	assert_string_equal(member("redeemed_minor"), "40");
	assert_string_equal(member("unanswered"), "0");
}

static void
what_is_stopped_is_told_by_its_words_if_the_policy_has_it(void **state)
{
	struct input stop = { .kind = INPUT_STOP, .flag = true, .text = "a" };

	(void)state;
	only("a", "{}");
	assert_string_equal(member("stopped"), "[]");
	turn(&stop);
	stop.text = "other";
	turn(&stop);
	assert_string_equal(member("stopped"),
	    "[{\"action\":\"a\",\"headline\":{\"en\":\"Do a\",\"de\":\"Tu "
	    "a\"}},{\"action\":\"other\"}]");
}

static void
the_policy_in_force_is_named_and_without_one_the_currency_is_the_configurations(void **state)
{
	(void)state;
	only("a", "{}");
	assert_string_equal(member("policy"), "{\"name\":\"t\",\"version\":1}");
	assert_string_equal(member("currency"), "\"EUR\"");
	engine_drop_policy(engine);
	assert_string_equal(member("policy"), "null");
	assert_string_equal(member("currency"), "\"EUR\"");
	free(conf.currency);
	conf.currency = mem_strdup("SEK");
	assert_string_equal(member("currency"), "\"SEK\"");
	assert_string_equal(member("day_budget"), "none");
}

static void
an_uncertain_clock_is_said(void **state)
{
	(void)state;
	assert_string_equal(member("time"), "\"certain\"");
	engine_set_time_uncertain(engine, true);
	assert_string_equal(member("time"), "\"uncertain\"");
	engine_set_time_uncertain(engine, false);
	assert_string_equal(member("time"), "\"certain\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(
		    an_action_is_told_by_its_words_and_what_they_are_filled_with_later_is_left_open),
		SPINE_TEST(a_budget_of_the_day_is_told_with_what_of_it_is_used_today),
		SPINE_TEST(a_campaigns_budget_is_told_with_what_of_it_was_ever_used),
		SPINE_TEST(what_was_redeemed_is_told_of_the_action_and_of_all),
		SPINE_TEST(what_is_stopped_is_told_by_its_words_if_the_policy_has_it),
		SPINE_TEST(
		    the_policy_in_force_is_named_and_without_one_the_currency_is_the_configurations),
		SPINE_TEST(an_uncertain_clock_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
