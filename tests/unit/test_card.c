/* SPDX-License-Identifier: Apache-2.0
 *
 * test_card.c - the life of a card: opened, told to the till, withdrawn; what the tablet shows of it.
 */
#include "spine_story.h"

static void
a_card_is_shown_until_it_expires_to_the_millisecond(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	assert_said("");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	assert_heard(LANE_DECISION, "decision");
	wait_for(120 * S_MS - 1);
	assert_said("");
	wait_for(1);
	assert_said("withdraw 7 expired");
	assert_heard(LANE_DECISION, "expired (expired)");
	wait_for(H_MS);
	assert_said("");
	assert_heard(LANE_DECISION, "");
}

static void
what_takes_a_card_away_says_why(void **state)
{
	static const struct {
		const char *type, *data, *said;
	} ends[] = {
		{ "basket.suspended", "{'basket':'b'}", "withdraw 7 gate" },
		{ "basket.closed", "{'basket':'b','total':100,'currency':'EUR'}",
		    "withdraw 7 closed" },
		{ "basket.cancelled", "{'basket':'b'}", "withdraw 7 cancelled" },
	};

	(void)state;
	only("a", "{}");
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		now_ms += 1000;
		tell("pos/7/event", "basket.opened", "{'basket':'b%zu','terminal':'7'}", i);
		scan(i == 0 ? "b0" : i == 1 ? "b1" : "b2", "c", 100);
		assert_said("guidance 7: a");
		tell("pos/7/event", ends[i].type, "{'basket':'b%zu'%s", i,
		    ends[i].data + strlen("{'basket':'b'"));
		assert_said(ends[i].said);
	}
	assert_heard(LANE_DECISION,
	    "decision; withdrawn (gate); decision; withdrawn (closed); decision; withdrawn "
	    "(cancelled)");
}

static void
at_tender_a_quiet_policy_takes_cards_away_and_another_leaves_them(void **state)
{
	(void)state;
	a_policy("{'quiet':{'tender':true}}");
	an_action("a", "{}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	assert_said("withdraw 7 tender");
	tear_down(state);
	set_up(state);
	a_policy("{'quiet':{'tender':false}}");
	an_action("a", "{}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	assert_said("");
}

static void
a_message_goes_through_the_till_and_is_cleared_when_it_ends(void **state)
{
	(void)state;
	only("a", "{'placements':['till']}");
	open_basket("b");
	scan("b", "c", 100);
	assert_said("till 7 show-message 'Do a'");
	wait_for(120 * S_MS);
	assert_said("till 7 clear-message");
	now_ms += 1;
	scan("b", "c", 100);
	assert_said("till 7 show-message 'Do a'");
	close_basket("b", 200);
	assert_said("till 7 clear-message");
}

static void
what_the_customer_sees_goes_through_the_till_and_stands_on_the_tablet(void **state)
{
	(void)state;
	only("a", "{'placements':['customer'],'gate':'customer'}");
	open_basket("b");
	scan("b", "c", 100);
	assert_said("till 7 show-message 'Do a'; guidance 7: a");
	wait_for(120 * S_MS);
	assert_said("till 7 clear-message; withdraw 7 expired");
}

static void
what_is_printed_is_not_cleared(void **state)
{
	(void)state;
	only("a", "{'placements':['receipt']}");
	open_basket("b");
	scan("b", "c", 100);
	assert_said("till 7 print-message 'Do a'");
	close_basket("b", 100);
	assert_said("");
}

/* A message to a till is worth sending for ten minutes, an offer for five seconds. */
static void
commands_say_until_when_they_are_good(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':1},'till':{'slots':1}}}");
	an_action("a", "{'placements':['till']}");
	an_action("o", "{" OFFER_OF("") "}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("till 7 show-message 'Do a'; guidance 7: o");
	assert_non_null(strstr(engine->outputs[0].payload,
	    "\"expires\":\"2026-11-21T10:10:00.000Z\""));
	assert_int_equal(answer("o", "accept"), 200);
	assert_said("till 7 apply-offer; guidance 7: o(asked)");
	assert_non_null(strstr(engine->outputs[0].payload,
	    "\"expires\":\"2026-11-21T10:00:05.000Z\""));
}

static void
two_commands_of_one_turn_have_ids_of_their_own(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{'placements':['till']}");
	an_action("r", "{'placements':['receipt'],'group':'h'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("till 7 show-message 'Do a'; till 7 print-message 'Do r'");
	assert_memory_not_equal(engine->outputs[0].payload, engine->outputs[1].payload,
	    strlen("{\"command\":\"") + 26);
}

static void
a_visit_without_a_till_is_told_nothing_through_one(void **state)
{
	(void)state;
	only("a", "{'placements':['receipt'],'on':['aisle.care.case-opened']}");
	grant(ANNA, "personalise");
	tell("loyalty/r1/event", "customer.identified", "{'subject':'" ANNA "','station':'7'}");
	tell("care/event", "care.case-opened",
	    "{'subject':'" ANNA "','case':'k','topic':'t','severity':1}");
	assert_said("");
}

/* ---- who stands there ---- */

static void
a_card_of_one_customer_is_withdrawn_before_the_next_ones_is_shown(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified']}");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	identify(BEN);
	assert_said("withdraw 7 customer; guidance 7: a");
	assert_int_equal(customer(ANNA)->contacts.count, 2);
	assert_int_equal(customer(ANNA)->contacts.rows[1].outcome, OUTCOME_WITHDRAWN);
	assert_int_equal(customer(BEN)->contacts.count, 1);
	assert_int_equal(customer(BEN)->contacts.rows[0].outcome, OUTCOME_DECIDED);
}

static void
a_basket_that_moves_to_another_till_leaves_the_screen_that_it_was_on(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	tell("pos/7/event", "basket.suspended", "{'basket':'b'}");
	assert_said("withdraw 7 gate");
	tell("pos/8/event", "basket.resumed", "{'basket':'b','terminal':'8'}");
	tell("pos/8/event", "basket.opened", "{'basket':'b','terminal':'8'}");
	tell("pos/8/event", "basket.item-added",
	    "{'basket':'b','line':9,'sku':'s','category':'c','qty':1,'amount':5,'currency':'EUR'}");
	assert_said("guidance 8: a");
	tell("pos/8/event", "basket.suspended", "{'basket':'b'}");
	assert_said("withdraw 8 gate");
	tell("pos/9/event", "basket.opened", "{'basket':'b','terminal':'9','from':'8'}");
	assert_said("");
	assert_string_equal(visit_of("b")->station, "9");
	assert_int_equal(sessions_count(engine->sessions), 1);
}

static void
what_was_agreed_is_on_the_screen_where_the_sale_goes_on(void **state)
{
	(void)state;
	only("a", "{" OFFER_OF("") "}");
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	assert_int_equal(answer_prompt(guidance_on_screen(), prompt_of("a"),
			     "{'decision':'accept'}", NULL, false)
			     .status,
	    200);
	tell("pos/7/event", "basket.suspended", "{'basket':'b'}");
	assert_said("withdraw 7 gate");
	tell("pos/8/event", "basket.resumed", "{'basket':'b'}");
	assert_said("guidance 8: a(asked)");
	assert_int_equal(visit_of("b")->cards[0].state, CARD_ASKED);
}

/* ---- what takes them away ---- */

static void
who_turns_to_go_leaves_an_empty_screen_and_keeps_what_was_agreed(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{}");
	an_action("o", "{'group':'h'," OFFER_OF("") "}");
	in_force();
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	assert_said("till 7 apply-offer; guidance 7: a o(asked)");
	tell("loyalty/r1/event", "customer.left", "{'subject':'" ANNA "','station':'7'}");
	assert_said("withdraw 7 customer");
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	assert_said("");
	close_basket("b", 60);
	assert_heard(LANE_MONEY, "redeemed 40");
}

static void
a_sale_that_turns_out_to_be_training_takes_its_cards_and_tokens_away(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{}");
	an_action("o", "{'group':'h'," OFFER_OF("") ",'budget':{'per':'store-day','units':1}}");
	in_force();
	scan("b", "c", 100);
	assert_said("guidance 7: a o");
	assert_int_equal(answer("o", "accept"), 200);
	tell("pos/7/event", "basket.opened", "{'basket':'b','terminal':'7','training':true}");
	assert_said("till 7 withdraw-offer; withdraw 7 gate");
	scan("b", "c", 100);
	assert_said("");
	/* What it held is there for a real one. */
	tell("pos/8/event", "basket.item-added",
	    "{'basket':'d','line':1,'sku':'s','category':'c','qty':1,'amount':100,'currency':'EUR'"
	    "}");
	assert_said("guidance 8: a o");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(who_turns_to_go_leaves_an_empty_screen_and_keeps_what_was_agreed),
		SPINE_TEST(a_sale_that_turns_out_to_be_training_takes_its_cards_and_tokens_away),
		SPINE_TEST(a_card_is_shown_until_it_expires_to_the_millisecond),
		SPINE_TEST(what_takes_a_card_away_says_why),
		SPINE_TEST(at_tender_a_quiet_policy_takes_cards_away_and_another_leaves_them),
		SPINE_TEST(a_message_goes_through_the_till_and_is_cleared_when_it_ends),
		SPINE_TEST(what_the_customer_sees_goes_through_the_till_and_stands_on_the_tablet),
		SPINE_TEST(what_is_printed_is_not_cleared),
		SPINE_TEST(commands_say_until_when_they_are_good),
		SPINE_TEST(two_commands_of_one_turn_have_ids_of_their_own),
		SPINE_TEST(a_visit_without_a_till_is_told_nothing_through_one),
		SPINE_TEST(a_card_of_one_customer_is_withdrawn_before_the_next_ones_is_shown),
		SPINE_TEST(a_basket_that_moves_to_another_till_leaves_the_screen_that_it_was_on),
		SPINE_TEST(what_was_agreed_is_on_the_screen_where_the_sale_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
