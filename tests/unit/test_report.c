/* SPDX-License-Identifier: Apache-2.0
 *
 * test_report.c - the day so far, as the manager sees it: words, budgets, what is stopped, what time it is.
 */
#include "spine_story.h"

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
	assert_int_equal(manager_add(engine->store, "bert", "4711", now_ms), 0);
	assert_int_equal(manager_add(engine->store, "anna", "4712", now_ms), 0);
	assert_string_equal(member("stopped"), "[]");
	turn(&stop);
	stop.text = "other";
	turn(&stop);
	stop = (struct input){ .kind = INPUT_STOP,
		.flag = true,
		.text = "third",
		.manager = "anna",
		.until_ms = now_ms + H_MS };
	turn(&stop);
	assert_string_equal(member("stopped"),
	    "[{\"action\":\"a\",\"headline\":{\"en\":\"Do a\",\"de\":\"Tu "
	    "a\"},\"by\":\"operator\",\"since\":\"2026-11-21T10:00:00.000Z\"},"
	    "{\"action\":\"other\",\"by\":\"operator\",\"since\":\"2026-11-21T10:00:00.000Z\"},"
	    "{\"action\":\"third\",\"by\":\"manager\",\"manager_name\":\"anna\",\"since\":\"2026-"
	    "11-"
	    "21T10:00:00.000Z\",\"until\":\"2026-11-21T11:00:00.000Z\"}]");
	/* Who is none any more has no name. */
	assert_int_equal(manager_remove(engine->store, "anna"), 0);
	assert_non_null(strstr(member("stopped"), "\"by\":\"manager\",\"since\""));
	stop.from = ORDER_TO_ALL;
	turn(&stop);
	assert_non_null(strstr(member("stopped"),
	    "{\"action\":\"third\",\"by\":\"headquarters\",\"since\":\"2026-11-21T10:00:00."
	    "000Z\"}"));
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

static void
why_people_said_no_is_told_by_action_and_outlives_a_restart(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':3,'headline_max':40}}}");
	an_action("a", "{}");
	an_action("b", "{'group':'h'}");
	an_action("c", "{'group':'i'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_string_equal(row("actions", "a", "reasons"), "none");
	assert_int_equal(answer_with("a", "{'decision':'dismiss','reason':'too-busy'}", NULL), 200);
	assert_int_equal(answer_with("b", "{'decision':'override','reason':'other'}", NULL), 200);
	assert_int_equal(answer_with("c", "{'decision':'dismiss'}", NULL), 200);
	open_basket("d");
	scan("d", "c", 100);
	assert_int_equal(answer_with("a", "{'decision':'dismiss','reason':'too-busy'}", NULL), 200);
	tell("pos/7/event", "basket.cancelled", "{'basket':'d'}");
	restart();
	assert_string_equal(row("actions", "a", "reasons"), "{\"too-busy\":2}");
	assert_string_equal(row("actions", "b", "reasons"), "{\"other\":1}");
	assert_string_equal(row("actions", "c", "reasons"), "none");
}

static void
what_waits_for_a_manager_is_told_until_it_is_answered_or_has_run_out(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':3,'headline_max':40}}}");
	an_action("o", "{'gate':'manager'," OFFER_OF("") "}");
	an_action("m", "{'gate':'manager','group':'h','expires':'60s'}");
	an_action("a", "{'group':'i'}");
	in_force();
	assert_string_equal(member("waiting"), "[]");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_string_equal(row("waiting", "a", "action"), "none");
	assert_string_equal(row("waiting", "m", "worth"), "none");
	assert_string_equal(row("waiting", "o", "worth"), "40");
	assert_string_equal(row("waiting", "o", "station"), "\"7\"");
	assert_string_equal(row("waiting", "o", "basket"), "\"b\"");
	assert_string_equal(row("waiting", "o", "at"), "\"2026-11-21T10:00:00.000Z\"");
	assert_string_equal(row("waiting", "o", "headline"), "{\"en\":\"Do o\",\"de\":\"Tu o\"}");
	assert_string_equal(row("waiting", "o", "prompt"),
	    arena_printf(texts, "\"%s\"", prompt_of("o")));
	assert_string_equal(row("waiting", "o", "guidance"),
	    arena_printf(texts, "\"%s\"", guidance_on_screen()));
	assert_null(strstr(member("waiting"), ANNA));
	now_ms += 60 * S_MS - 1;
	wait_for(0);
	assert_string_equal(row("waiting", "m", "action"), "\"m\"");
	wait_for(1);
	assert_string_equal(row("waiting", "m", "action"), "none");
	assert_int_equal(answer("o", "dismiss"), 200);
	assert_string_equal(member("waiting"), "[]");
}

static void
at_most_fifty_that_wait_are_told_and_how_many_more_there_are(void **state)
{
	(void)state;
	only("m", "{'gate':'manager','expires':'1h'}");
	for (int i = 1; i <= 51; i++) {
		json_t *json;

		open_basket(arena_printf(texts, "b%d", i));
		scan(arena_printf(texts, "b%d", i), "c", 100);
		json = report();
		assert_int_equal(json_array_size(json_object_get(json, "waiting")),
		    i <= 50 ? i : 50);
		json_decref(json);
		assert_string_equal(member("waiting_more"), i <= 50 ? "none" : "1");
	}
}

static void
the_last_cards_are_told_newest_first_with_what_became_of_them_and_without_their_customers(void *
	*state)
{
	(void)state;
	only("a", "{}");
	for (int i = 1; i <= RECENT_MAX + 1; i++) {
		open_basket(arena_printf(texts, "b%d", i));
		identify(ANNA);
		scan(arena_printf(texts, "b%d", i), "c", 100);
		if (i == RECENT_MAX)
			assert_int_equal(answer("a", "dismiss"), 200);
		now_ms += S_MS;
	}
	json_t *json = report(), *cards = json_object_get(json, "cards");
	const json_t *newest = json_array_get(cards, 0), *next = json_array_get(cards, 1);

	assert_int_equal(json_array_size(cards), RECENT_MAX);
	assert_string_equal(text_of(newest, "outcome"), "decided");
	assert_string_equal(text_of(newest, "station"), "7");
	assert_string_equal(text_of(newest, "action"), "a");
	assert_string_equal(text_of(newest, "prompt"), prompt_of("a"));
	assert_string_equal(text_of(newest, "decision"), text_of(screen, "decision"));
	assert_string_equal(text_of(next, "outcome"), "dismissed");
	assert_null(strstr(member("cards"), ANNA));
	assert_null(strstr(member("cards"), "basket"));
	json_decref(json);
}

static void
the_last_cards_outlive_a_kill_but_for_those_of_five_minutes(void **state)
{
	(void)state;
	only("a", "{'expires':'1h'}");
	static const int kept[] = { 1, 3, 4 };

	/* Written: the first after a start at once, others with the first turn five minutes later. */
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		json_t *json;

		for (int k = 0; k < 2; k++) {
			const char *basket = arena_printf(texts, "b%zu-%d", i, k);

			open_basket(basket);
			scan(basket, "c", 100);
		}
		wait_for(i == 1 ? 5 * MIN_MS : i == 0 ? 5 * MIN_MS - 1 : 0);
		restart();
		json = report();
		assert_int_equal(json_array_size(json_object_get(json, "cards")), kept[i]);
		json_decref(json);
	}
}

/* The first card is written at once, what becomes of it within five minutes of that is not. */
static void
what_became_of_the_last_cards_outlives_a_kill_within_those_five_minutes(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':2,'headline_max':40}}}");
	an_action("a", "{'expires':'1h'}");
	an_action("b", "{'group':'h','expires':'1h'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("a", "accept"), 200);
	restart();
	assert_string_equal(row("cards", "a", "outcome"), "\"accepted\"");
	assert_string_equal(row("cards", "b", "outcome"), "\"decided\"");
	assert_int_equal(answer("b", "dismiss"), 200);
	restart();
	restart();
	assert_string_equal(row("cards", "a", "outcome"), "\"accepted\"");
	assert_string_equal(row("cards", "b", "outcome"), "\"dismissed\"");
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
		SPINE_TEST_ON_DISK(why_people_said_no_is_told_by_action_and_outlives_a_restart),
		SPINE_TEST(what_waits_for_a_manager_is_told_until_it_is_answered_or_has_run_out),
		SPINE_TEST(at_most_fifty_that_wait_are_told_and_how_many_more_there_are),
		SPINE_TEST(
		    the_last_cards_are_told_newest_first_with_what_became_of_them_and_without_their_customers),
		SPINE_TEST_ON_DISK(the_last_cards_outlive_a_kill_but_for_those_of_five_minutes),
		SPINE_TEST_ON_DISK(
		    what_became_of_the_last_cards_outlives_a_kill_within_those_five_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
