/* SPDX-License-Identifier: Apache-2.0
 *
 * test_effects.c - what follows when a visit changes: another customer, another till, training, tender, suspension, a basket
 * that becomes part of a sale.
 */
#include "spine_story.h"

static void
at_till(const char *till, const char *type, const char *basket)
{
	tell(arena_printf(texts, "pos/%s/event", till), type, "{'basket':'%s','terminal':'%s'}",
	    basket, till);
}

static void
scan_at(const char *till, const char *basket, int number, int amount)
{
	tell(arena_printf(texts, "pos/%s/event", till), "basket.item-added",
	    "{'basket':'%s','line':%d,'sku':'s%d','category':'c','qty':1,'amount':%d,'currency':'"
	    "EUR'}",
	    basket, number, number, amount);
}

static void
identify_at(const char *till, const char *subject, const char *basket)
{
	tell(arena_printf(texts, "pos/%s/event", till), "customer.identified",
	    "{'subject':'%s','station':'%s'%s%s%s}", subject, till,
	    basket != NULL ? ",'basket':'" : "", basket != NULL ? basket : "",
	    basket != NULL ? "'" : "");
}

/* ---- another customer ---- */

static void
what_the_first_customer_was_shown_leaves_when_another_card_is_read(void **state)
{
	const struct visit *visit;
	struct id ben = subject_of(BEN);

	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'personal':true}");
	grant(ANNA, "personalise");
	grant(BEN, "personalise");
	tell("loyalty/r1/event", "customer.enrolled", "{'subject':'" ANNA "','station':'r1'}");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	heard(LANE_DECISION);
	identify(BEN);
	assert_said("withdraw 7 customer; guidance 7: a");
	assert_heard(LANE_DECISION, "withdrawn (customer); decision");
	visit = visit_of("b");
	assert_true(id_equal(&visit->subject, &ben));
	assert_int_equal(visit->card_count, 2);
	assert_int_equal(visit->cards[0].state, CARD_GONE);
	assert_int_equal(visit->cards[1].state, CARD_OPEN);
}

/* It was read while the first one paid, and that is heard of afterwards. */
static void
a_card_of_the_next_customer_waits_for_the_next_basket(void **state)
{
	struct id anna = subject_of(ANNA), ben = subject_of(BEN);

	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'personal':true}");
	grant(ANNA, "personalise");
	grant(BEN, "personalise");
	open_basket("b");
	now_ms += 10 * S_MS;
	identify(ANNA);
	scan("b", "c", 100);
	now_ms += 60 * S_MS;
	identify(BEN);
	assert_true(id_equal(&visit_of("b")->subject, &ben));
	late_ms = 30 * S_MS;
	at_till("7", "basket.tender-started", "b");
	late_ms = 0;
	assert_true(id_equal(&visit_of("b")->subject, &anna));
	assert_int_equal(sessions_count(engine->sessions), 2);
	assert_int_equal(sessions_by_subject(engine->sessions, &ben)->state, VISIT_WAITING);
	close_basket("b", 100);
	open_basket("d");
	assert_true(id_equal(&visit_of("d")->subject, &ben));
	/* A card that waits does so for two minutes. */
	now_ms += S_MS;
	identify(ANNA);
	now_ms += 60 * S_MS;
	identify(BEN);
	late_ms = 30 * S_MS;
	at_till("7", "basket.tender-started", "d");
	late_ms = 0;
	assert_non_null(sessions_by_subject(engine->sessions, &ben));
	close_basket("d", 100);
	wait_for(120 * S_MS);
	assert_null(sessions_by_subject(engine->sessions, &ben));
}

/* ---- another till ---- */

static void
what_is_on_the_screen_leaves_with_the_sale_that_goes_elsewhere(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	at_till("7", "basket.suspended", "b");
	assert_said("withdraw 7 gate");
	at_till("8", "basket.resumed", "b");
	assert_said("");
	scan_at("8", "b", 2, 100);
	assert_said("guidance 8: a");
	assert_string_equal(visit_of("b")->terminal, "8");
}

static const struct visit *
part_of_a_sale(bool closed)
{
	a_policy("{}");
	an_action("a", "{}");
	in_force();
	grant(ANNA, "profile");
	at_till("7", "basket.opened", "b");
	scan_at("7", "b", 1, 100);
	now_ms += S_MS;
	at_till("7", "basket.suspended", "b");
	now_ms += S_MS;
	scan_at("8", "b", 2, 40);
	identify_at("8", ANNA, "b");
	if (closed)
		tell("pos/8/event", "basket.closed", "{'basket':'b','total':140,'currency':'EUR'}");
	assert_int_equal(customer(ANNA)->purchase_count, closed);
	late_ms = 0;
	at_till("8", "basket.resumed", "b");
	return visit_of("b");
}

/* What was closed was counted as a purchase: it is one, of the whole sale. */
static void
a_part_that_was_a_purchase_is_none_and_the_sale_is_one(void **state)
{
	(void)state;
	hear_sales = true;
	part_of_a_sale(true);
	hear_sales = false;
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].line_count, 2);
	assert_int_equal(customer(ANNA)->purchases[0].total_minor, 140);
	engine_drop_subjects(engine);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].line_count, 2);
}

static void
a_part_that_is_open_goes_on_in_the_sale_with_its_customer(void **state)
{
	struct id anna = subject_of(ANNA);
	const struct visit *sale;

	(void)state;
	sale = part_of_a_sale(false);
	assert_non_null(sale);
	assert_true(sale->has_subject && id_equal(&sale->subject, &anna));
	assert_int_equal(sale->line_count, 2);
	assert_int_equal(sessions_count(engine->sessions), 1);
	assert_string_equal(sale->station, "8");
	tell("pos/8/event", "basket.closed", "{'basket':'b','total':140,'currency':'EUR'}");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].line_count, 2);
}

/* ---- the states of a basket ---- */

static void
what_was_agreed_is_on_the_screen_again_when_a_sale_is_resumed(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") "}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	assert_said("till 7 apply-offer; guidance 7: o(asked)");
	tell("pos/7/event", "offer.applied", "{'token':'%s','basket':'b','amount':40}", token);
	at_till("7", "basket.suspended", "b");
	at_till("7", "basket.resumed", "b");
	assert_string_equal(said(), "guidance 7: o(applied)");
}

/* A till whose clock is behind, or whose words come late: what was said before the second `opened` was
 * heard of is of the first sale, whatever the clocks say. */
static void
of_two_sales_in_one_each_has_the_cards_that_were_shown_in_it(void **state)
{
	static const int64_t apart[] = { 0, 30 * S_MS, -30 * S_MS };
	const struct visit *former, *rest;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(apart); i++) {
		tear_down(NULL);
		set_up(NULL);
		a_policy("{'placements':{'tablet':{'slots':2,'headline_max':40}}}");
		an_action("a", "{}");
		an_action("b", "{'group':'h','on':['aisle.basket.payment-declined']}");
		in_force();
		late_ms = apart[i];
		open_basket("n");
		scan("n", "c", 100);
		assert_said("guidance 7: a");
		assert_int_equal(answer("a", "accept"), 200);
		now_ms += 10 * S_MS;
		open_basket("n");
		former = visit_of("n");
		now_ms += S_MS;
		tell("pos/7/event", "basket.payment-declined", "{'basket':'n'}");
		assert_said("guidance 7: a(answered) b");
		late_ms += 5 * S_MS;
		close_basket("n", 100);
		late_ms = 0;
		rest = visit_of("n");
		assert_ptr_not_equal(rest, former);
		assert_int_equal(rest->card_count, 1);
		assert_string_equal(rest->cards[0].action, "b");
	}
}

static void
who_pays_is_left_alone_if_the_policy_says_so(void **state)
{
	(void)state;
	for (int quiet = 1; quiet >= 0; quiet--) {
		tear_down(NULL);
		set_up(NULL);
		a_policy(quiet ? "{}" : "{'quiet':{'tender':false}}");
		an_action("a", "{}");
		in_force();
		open_basket("b");
		scan("b", "c", 100);
		at_till("7", "basket.tender-started", "b");
		assert_said(quiet ? "withdraw 7 tender" : "");
	}
	/* Without a policy there is nothing to hush. */
	engine_drop_policy(engine);
	open_basket("d");
	at_till("7", "basket.tender-started", "d");
	assert_said("");
}

static void
a_basket_that_turns_out_to_be_training_shows_nothing_and_was_no_purchase(void **state)
{
	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	identify_at("7", ANNA, "b");
	tell("pos/7/event", "basket.opened", "{'basket':'b','terminal':'7','training':true}");
	assert_said("withdraw 7 gate");
	close_basket("b", 100);
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	scan("d", "c", 100);
	identify_at("7", ANNA, "d");
	close_basket("d", 100);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	tell("pos/7/event", "basket.opened", "{'basket':'d','terminal':'7','training':true}");
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	/* Trouble in training is none. */
	scan("e", "c", 100);
	identify_at("7", ANNA, "e");
	tell("pos/7/event", "basket.opened", "{'basket':'e','terminal':'7','training':true}");
	tell("pos/7/event", "basket.payment-declined", "{'basket':'e'}");
	tell("pos/7/event", "basket.item-voided", "{'basket':'e','line':%d}", count);
	assert_int_equal(customer(ANNA)->incident_count, 0);
}

static void
trouble_is_noted_once_for_each_void_that_took_something_out(void **state)
{
	int number;

	(void)state;
	grant(ANNA, "profile");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	number = count;
	tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':%d}", number);
	assert_int_equal(customer(ANNA)->incident_count, 1);
	tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':%d}", number);
	assert_int_equal(customer(ANNA)->incident_count, 1);
	tell("pos/7/event", "basket.payment-declined", "{'basket':'b'}");
	assert_int_equal(customer(ANNA)->incident_count, 2);
}

static void
who_leaves_takes_the_cards_off_the_screen_and_keeps_the_basket(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified']}");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	tell("pos/7/event", "customer.left", "{'subject':'" ANNA "','station':'7'}");
	assert_said("withdraw 7 customer");
	assert_true(visit_of("b")->has_subject);
	close_basket("b", 100);
	/* Who only waited is gone. */
	identify(ANNA);
	assert_int_equal(sessions_count(engine->sessions), 1);
	tell("pos/7/event", "customer.left", "{'subject':'" ANNA "','station':'7'}");
	assert_said("withdraw 7 customer");
	assert_int_equal(sessions_count(engine->sessions), 0);
}

/* Before it was known that it is part of a sale. */
static void
what_came_back_of_a_part_came_back_of_the_sale(void **state)
{
	struct visit *sale;

	(void)state;
	a_policy("{}");
	an_action("a", "{}");
	in_force();
	grant(ANNA, "profile");
	at_till("7", "basket.opened", "b");
	scan_at("7", "b", 1, 100);
	now_ms += S_MS;
	at_till("7", "basket.suspended", "b");
	now_ms += S_MS;
	scan_at("8", "b", 2, 40);
	identify_at("8", ANNA, "b");
	tell("pos/8/event", "basket.closed", "{'basket':'b','total':140,'currency':'EUR'}");
	tell("pos/8/event", "return.completed",
	    "{'return':'r','basket':'b','items':[{'sku':'s2','category':'c','qty':1,'amount':40}],'"
	    "total':40,'currency':'EUR'}");
	assert_int_equal(customer(ANNA)->purchases[0].line_count, 0);
	at_till("8", "basket.resumed", "b");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].line_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].total_minor, 100);
	sale = engine_number_newest(engine, "b");
	assert_non_null(sale);
	assert_int_equal(sale->back_count, 1);
	assert_int_equal(sale->line_count, 2);
}

static int
worth_on_screen(const char *action)
{
	const json_t *prompt;
	size_t i;

	json_array_foreach(json_object_get(screen, "prompts"), i, prompt) {
		if (strcmp(text_of(prompt, "action"), action) == 0)
			return (int)json_integer_value(json_object_get(json_object_get(prompt,
									   "offer"),
			    "worth"));
	}
	return -1;
}

/* Two versions of a line in one millisecond, in a basket in which an article was void by its number. */
static void
the_later_version_of_an_instant_counts_in_an_offers_worth(void **state)
{
	static const int amounts[] = { 460, 230 };

	(void)state;
	only("o",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'margin':9000,'offer':{"
	    "'type':'percent','depth':10,'typical':400,'max':300,'apply':'till-code','include':{"
	    "'category':'c'},'until':'0d'}}");
	open_basket("b");
	scan("b", "c", 100);
	tell("pos/7/event", "basket.item-voided", "{'basket':'b','sku':'nothing'}");
	for (size_t i = 0; i < ARRAY_LEN(amounts); i++) {
		tell("pos/7/event", "basket.item-added",
		    "{'basket':'b','line':70,'sku':'s','category':'c','qty':1,'amount':%d,"
		    "'currency':'EUR'}",
		    amounts[i]);
		assert_int_equal(worth_on_screen("o"), (100 + amounts[i]) / 10);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(the_later_version_of_an_instant_counts_in_an_offers_worth),
		SPINE_TEST(what_came_back_of_a_part_came_back_of_the_sale),
		SPINE_TEST(what_the_first_customer_was_shown_leaves_when_another_card_is_read),
		SPINE_TEST(a_card_of_the_next_customer_waits_for_the_next_basket),
		SPINE_TEST(what_is_on_the_screen_leaves_with_the_sale_that_goes_elsewhere),
		SPINE_TEST(a_part_that_was_a_purchase_is_none_and_the_sale_is_one),
		SPINE_TEST(a_part_that_is_open_goes_on_in_the_sale_with_its_customer),
		SPINE_TEST(what_was_agreed_is_on_the_screen_again_when_a_sale_is_resumed),
		SPINE_TEST(of_two_sales_in_one_each_has_the_cards_that_were_shown_in_it),
		SPINE_TEST(who_pays_is_left_alone_if_the_policy_says_so),
		SPINE_TEST(
		    a_basket_that_turns_out_to_be_training_shows_nothing_and_was_no_purchase),
		SPINE_TEST(trouble_is_noted_once_for_each_void_that_took_something_out),
		SPINE_TEST(who_leaves_takes_the_cards_off_the_screen_and_keeps_the_basket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
