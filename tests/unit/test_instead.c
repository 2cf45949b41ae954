/* SPDX-License-Identifier: Apache-2.0
 *
 * test_instead.c - an override that says what was done instead.
 */
#include "spine_story.h"

#define INSTEAD(what) "{'decision':'override','reason':'not-relevant','instead':" what "}"

/* A card a; and an offer o that nothing brings up, at one depth or at several. */
static void
a_card_and_an_offer(const char *offer, const char *more)
{
	a_policy("{}");
	an_action("a", "{}");
	an_action("o",
	    arena_printf(texts,
		"{'group':'h','kind':'offer','on':['aisle.survey.answered'],'outcome':{'is':'"
		"redeemed','within':'0d'},"
		"'offer':{'type':'amount','max':90,'apply':'till-code','until':'0d',%s}%s}",
		offer, more));
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	heard(LANE_DECISION);
}

static const json_t *
instead_in(const char *last)
{
	static json_t *json;

	json_decref(json);
	json = last == NULL ? NULL : json_loads(last, 0, NULL);
	return json_object_get(json, "instead");
}

static void
an_offer_chosen_instead_is_asked_of_the_till_and_holds_its_money(void **state)
{
	struct card *card;

	(void)state;
	a_card_and_an_offer("'depth':40", "");
	now_ms += 5;
	assert_int_equal(answer_with("a", INSTEAD("{'action':'o'}"), NULL), 200);
	assert_said("till 7 apply-offer; guidance 7: a(answered) o(asked)");
	assert_heard(LANE_DECISION, "overridden:not-relevant; accepted");
	assert_int_equal(hold_today(engine, "o").all_money_minor, 40);
	card = &visit_of("b")->cards[1];
	assert_true(card->shown);
	assert_int_equal(card->shown_ms, now_ms);
	assert_int_equal(card->answered_ms, now_ms);
	assert_int_equal(card->sent_ms, now_ms);
	assert_int_equal(card->depth, 40);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':35}", token);
	assert_heard(LANE_MONEY, "redeemed 35");
	assert_int_equal(hold_today(engine, "o").all_money_minor, 35);
	assert_int_equal(engine->today.outcomes[OUTCOME_DECIDED], 2);
	assert_int_equal(engine->today.outcomes[OUTCOME_ACCEPTED], 1);
}

static void
the_record_of_an_override_says_what_was_chosen_and_by_whom(void **state)
{
	char prompt[ID_TEXT_SIZE];
	int64_t depth = 0;

	(void)state;
	a_card_and_an_offer("'depth':40", "");
	assert_int_equal(answer_with("a", INSTEAD("{'action':'o'}"), NULL), 200);
	heard_upto[LANE_DECISION] = 1;
	assert_int_equal(strncmp(heard(LANE_DECISION), "overridden", 10), 0);
	assert_non_null(strstr(heard_last, "\"by\":\"person\""));
	assert_true(json_int(json_object_get(instead_in(heard_last), "depth"), &depth));
	assert_int_equal(depth, 40);
	assert_null(json_object_get(instead_in(heard_last),
	    "prompt")); /* the accepted one: its own prompt */
	id_text(&visit_of("b")->cards[1].prompt, prompt);
	assert_non_null(strstr(heard_last, prompt));
	instead_in(NULL);
}

static void
what_is_not_an_offer_of_the_policy_is_recorded_and_asked_of_nobody(void **state)
{
	(void)state;
	a_card_and_an_offer("'depth':40", "");
	assert_int_equal(answer_with("a", INSTEAD("{'action':'flowers'}"), NULL), 200);
	assert_said("guidance 7: a(answered)");
	assert_heard(LANE_DECISION, "overridden:not-relevant");
	assert_string_equal(text_of(instead_in(heard_last), "action"), "flowers");
	assert_null(json_object_get(instead_in(heard_last), "depth"));
	assert_null(json_object_get(instead_in(heard_last), "prompt"));
	instead_in(NULL);
}

static void
only_a_depth_of_the_offer_can_be_had(void **state)
{
	static const struct {
		const char *offer, *what;
		int64_t depth;
	} wishes[] = {
		{ "'depth':40", "{'action':'o','depth':40}", 40 },
		{ "'depth':40", "{'action':'o','depth':41}", 0 },
		{ "'ladder':[20,40]", "{'action':'o','depth':20}", 20 },
		{ "'ladder':[20,40]", "{'action':'o','depth':40}", 40 },
		{ "'ladder':[20,40]", "{'action':'o','depth':30}", 0 },
		{ "'ladder':[20,40]", "{'action':'o'}", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		a_card_and_an_offer(wishes[i].offer, "");
		assert_int_equal(answer_with("a",
				     arena_printf(texts,
					 "{'decision':'override','reason':'not-relevant','instead':"
					 "%s}",
					 wishes[i].what),
				     NULL),
		    200);
		assert_int_equal(visit_of("b")->card_count, wishes[i].depth != 0 ? 2 : 1);
		if (wishes[i].depth != 0)
			assert_int_equal(visit_of("b")->cards[1].depth, wishes[i].depth);
	}
}

static void
what_cannot_be_had_is_not_asked_for(void **state)
{
	static const char *const why[] = { "stopped", "training", "tender", "money", "units", "day",
		"uncertain" };

	for (size_t i = 0; i < ARRAY_LEN(why); i++) {
		struct input stop = { .kind = INPUT_STOP, .text = "o", .flag = true };

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		a_card_and_an_offer("'depth':40",
		    i == 3	 ? ",'budget':{'per':'campaign','money':39}"
			: i == 4 ? ",'budget':{'per':'campaign','units':0}"
			: i == 5 ? ",'budget':{'per':'store-day','money':39}"
				 : ",'budget':{'per':'campaign','money':40,'units':1}");
		if (i == 0)
			turn(&stop);
		if (i == 1)
			visit_of("b")->training = true;
		if (i == 2)
			tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
		engine->time_uncertain = i == 6;
		assert_int_equal(answer_with("a", INSTEAD("{'action':'o'}"), NULL), 200);
		engine->time_uncertain = false;
		if (visit_of("b")->card_count != 1)
			fail_msg("%s", why[i]);
		assert_int_equal(hold_today(engine, "o").all_money_minor, 0);
	}
}

static void
a_budget_bears_what_just_fits(void **state)
{
	(void)state;
	a_card_and_an_offer("'depth':40", ",'budget':{'per':'store-day','money':40,'units':1}");
	assert_int_equal(answer_with("a", INSTEAD("{'action':'o'}"), NULL), 200);
	assert_int_equal(visit_of("b")->card_count, 2);
}

static void
a_managers_offer_instead_needs_the_managers_pin(void **state)
{
	(void)state;
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	a_card_and_an_offer("'depth':40", ",'gate':'manager'");
	assert_int_equal(answer_with("a", INSTEAD("{'action':'o'}"), NULL), 403);
	assert_int_equal(visit_of("b")->cards[0].state, CARD_OPEN);
	assert_int_equal(answer_with("a",
			     "{'decision':'override','manager':'eve','reason':'not-relevant',"
			     "'instead':{'action':'o'}}",
			     "4711"),
	    200);
	assert_int_equal(visit_of("b")->card_count, 2);
}

static void
an_offer_instead_that_outlives_the_basket_lets_its_money_go_with_its_window(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{}");
	an_action("o",
	    "{'group':'h','kind':'offer','on':['aisle.survey.answered'],'outcome':{'is':'redeemed',"
	    "'within':'2d'},"
	    "'offer':{'type':'amount','max':90,'apply':'till-code','until':'2d','depth':40}}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer_with("a", INSTEAD("{'action':'o'}"), NULL), 200);
	tell("pos/7/event", "offer.applied", "{'basket':'b','token':'%s','amount':40}", token);
	close_basket("b", 100);
	wait_for(2 * D_MS - 1);
	assert_int_equal(hold_today(engine, "o").all_money_minor, 40);
	wait_for(1);
	assert_int_equal(hold_today(engine, "o").all_money_minor, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(an_offer_chosen_instead_is_asked_of_the_till_and_holds_its_money),
		SPINE_TEST(the_record_of_an_override_says_what_was_chosen_and_by_whom),
		SPINE_TEST(what_is_not_an_offer_of_the_policy_is_recorded_and_asked_of_nobody),
		SPINE_TEST(only_a_depth_of_the_offer_can_be_had),
		SPINE_TEST(what_cannot_be_had_is_not_asked_for),
		SPINE_TEST(a_budget_bears_what_just_fits),
		SPINE_TEST(a_managers_offer_instead_needs_the_managers_pin),
		SPINE_TEST(
		    an_offer_instead_that_outlives_the_basket_lets_its_money_go_with_its_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
