/* SPDX-License-Identifier: Apache-2.0
 *
 * test_outcome.c - what came of a card: bought in its basket or within its window, credited once, to the last one shown.
 */
#include "spine_story.h"

#define MILK "'kind':'recommend','outcome':{'is':'bought','item':{'category':'milk'}}"
#define MILK_WITHIN(time) \
	"'kind':'recommend','outcome':{'is':'bought','within':'" time \
	"','item':{'category':'milk'}}"

/* Advice at the first line; then what is in the basket. */
static void
advised(const char *patch)
{
	only("a", patch);
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	assert_heard(LANE_DECISION, "decision");
	now_ms += S_MS;
}

static void
what_was_advised_and_bought_is_credited_at_the_close_with_what_it_cost(void **state)
{
	(void)state;
	advised("{" MILK "}");
	scan("b", "milk/fresh", 89);
	heard(LANE_DECISION);
	close_basket("b", 100);
	assert_heard(LANE_DECISION, "bought 89; withdrawn (closed)");
}

static void
a_category_is_below_another_only_at_a_slash(void **state)
{
	(void)state;
	advised("{" MILK "}");
	scan("b", "milkshake", 89);
	heard(LANE_DECISION);
	close_basket("b", 100);
	assert_heard(LANE_DECISION, "withdrawn (closed)");
}

static void
a_line_of_the_same_instant_was_there_before_the_card(void **state)
{
	(void)state;
	only("a", "{" MILK "}");
	open_basket("b");
	scan("b", "milk", 89);
	assert_said("guidance 7: a");
	heard(LANE_DECISION);
	close_basket("b", 100);
	assert_heard(LANE_DECISION, "withdrawn (closed)");
}

static void
a_voided_line_was_not_bought(void **state)
{
	(void)state;
	advised("{" MILK "}");
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':50,'sku':'m','category':'milk','qty':1,'amount':9,'currency':'"
	    "EUR'}");
	tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':50}");
	heard(LANE_DECISION);
	close_basket("b", 100);
	assert_heard(LANE_DECISION, "withdrawn (closed)");
}

static void
advice_that_the_tablet_did_not_show_is_not_credited(void **state)
{
	(void)state;
	advised("{" MILK "}");
	assert_int_equal(show("a", false), 200);
	scan("b", "milk", 89);
	heard(LANE_DECISION);
	close_basket("b", 100);
	assert_heard(LANE_DECISION, "withdrawn (closed)");
}

static void
advice_that_was_seen_is_credited(void **state)
{
	(void)state;
	advised("{" MILK "}");
	assert_int_equal(show("a", true), 200);
	scan("b", "milk", 89);
	heard(LANE_DECISION);
	close_basket("b", 100);
	assert_heard(LANE_DECISION, "bought 89; withdrawn (closed)");
}

static void
brand_and_item_are_matched_too(void **state)
{
	static const struct {
		const char *item;
		bool bought;
	} goals[] = {
		{ "{'brand':'moo'}", true },
		{ "{'brand':'mo'}", false },
		{ "{'item':'04006381333931'}", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(goals); i++) {
		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		advised(arena_printf(texts,
		    "{'kind':'recommend','outcome':{'is':'bought','item':%s}}", goals[i].item));
		tell("pos/7/event", "basket.item-added",
		    "{'basket':'b','line':50,'gtin':'4006381333931','brand':'moo','category':'x','"
		    "qty':1,'amount':9,"
		    "'currency':'EUR'}");
		heard(LANE_DECISION);
		close_basket("b", 100);
		assert_heard(LANE_DECISION,
		    goals[i].bought ? "bought 9; withdrawn (closed)" : "withdrawn (closed)");
	}
}

/* Of two cards for milk the later one has it, unless it came after the milk or was not shown. */
static void
the_last_card_before_the_line_has_the_credit(void **state)
{
	static const struct {
		bool comes_with_it, denied;
	} later[] = { { false, false }, { true, false }, { false, true } };

	for (size_t i = 0; i < ARRAY_LEN(later); i++) {
		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		a_policy("{}");
		an_action("a", "{" MILK "}");
		an_action("z",
		    "{" MILK ",'group':'h','on':['aisle.basket.item-added'],'eligible':{'>':[{'var'"
		    ":'total'},150]}}");
		in_force();
		open_basket("b");
		scan("b", "c", 100);
		assert_said("guidance 7: a");
		now_ms += S_MS;
		if (later[i].comes_with_it)
			scan("b", "milk", 89);
		else
			scan("b", "c", 100);
		assert_said("guidance 7: a z");
		if (later[i].denied)
			assert_int_equal(show("z", false), 200);
		now_ms += S_MS;
		if (!later[i].comes_with_it)
			scan("b", "milk", 89);
		heard(LANE_DECISION);
		close_basket("b", 100);
		assert_heard(LANE_DECISION, "bought 89; withdrawn (closed); withdrawn (closed)");
		assert_int_equal(engine->today.outcomes[OUTCOME_BOUGHT], 1);
		for (size_t r = 0; r < engine->today.action_count; r++) {
			bool of_z = strcmp(engine->today.actions[r].action, "z") == 0;

			assert_int_equal(engine->today.actions[r].outcomes[OUTCOME_BOUGHT],
			    of_z == (i == 0));
		}
	}
}

static void
a_training_basket_credits_nobody(void **state)
{
	struct visit *visit;

	(void)state;
	advised("{" MILK "}");
	scan("b", "milk", 89);
	heard(LANE_DECISION);
	visit = visit_of("b");
	visit->training = true;
	close_basket("b", 100);
	assert_heard(LANE_DECISION, "withdrawn (closed)");
}

/* ---- within a window ---- */

static void
shop_for_milk(const char *basket)
{
	open_basket(basket);
	identify(ANNA);
	scan(basket, "milk", 77);
	close_basket(basket, 77);
	heard(LANE_DECISION);
}

/* Anna is advised in a basket that ends without milk. */
static void
advised_at_leisure(void)
{
	a_policy("{}");
	an_action("a",
	    "{" MILK_WITHIN("1d") ",'on':['aisle.basket.opened'],'caps':[{'per':'customer','"
				  "outcome':'decided',"
				  "'max':1,'within':'30d'}]}");
	in_force();
	grant(ANNA, "profile");
	identify(ANNA);
	open_basket("b");
	assert_said("guidance 7: a");
	close_basket("b", 0);
	assert_heard(LANE_DECISION, "decision; withdrawn (closed)");
}

static void
what_is_bought_as_the_window_ends_comes_too_late(void **state)
{
	(void)state;
	advised_at_leisure();
	now_ms = T0 + D_MS;
	shop_for_milk("c"); /* the timer is due at the same instant, and comes first */
	wait_for(D_MS);
	assert_heard(LANE_DECISION, "");
}

static void
what_is_bought_within_the_window_counts(void **state)
{
	(void)state;
	advised_at_leisure();
	now_ms = T0 + D_MS - 1;
	shop_for_milk("c");
	wait_for(1);
	assert_heard(LANE_DECISION, "bought 77");
}

static void
advice_for_later_counts_in_its_own_basket_too_if_that_was_paid(void **state)
{
	static const char *const ends[] = { "basket.closed", "basket.cancelled" };

	for (int i = 0; i < 2; i++) {
		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		a_policy("{}");
		an_action("a", "{" MILK_WITHIN("1d") ",'on':['aisle.basket.opened']}");
		in_force();
		open_basket("b");
		now_ms += S_MS;
		scan("b", "milk", 77);
		tell("pos/7/event", ends[i],
		    i == 0 ? "{'basket':'b','total':77,'currency':'EUR'}" : "{'basket':'b'}");
		heard(LANE_DECISION);
		wait_for(D_MS);
		assert_heard(LANE_DECISION, i == 0 ? "bought 77" : "");
	}
}

static void
advice_that_was_not_shown_is_not_credited_later_either(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{" MILK_WITHIN("1d") ",'on':['aisle.basket.opened']}");
	in_force();
	open_basket("b");
	assert_int_equal(show("a", false), 200);
	now_ms += S_MS;
	scan("b", "milk", 77);
	close_basket("b", 77);
	heard(LANE_DECISION);
	wait_for(D_MS);
	assert_heard(LANE_DECISION, "");
}

static void
an_offer_that_outlives_its_basket_holds_its_money_until_its_window_ends(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("o",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'2d'},'offer':{'type':'amount','"
	    "depth':40,'max':40,"
	    "'apply':'till-code','until':'2d'}}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	tell("pos/7/event", "offer.applied", "{'basket':'b','token':'%s','amount':40}", token);
	close_basket("b", 60);
	assert_int_equal(hold_today(engine, "o").all_money_minor, 40);
	wait_for(2 * D_MS - 1);
	assert_int_equal(hold_today(engine, "o").all_money_minor, 40);
	wait_for(1);
	assert_int_equal(hold_today(engine, "o").all_money_minor, 0);
}

static void
an_offer_that_was_redeemed_stays_spent_when_its_window_ends(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("o",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'2d'},'offer':{'type':'amount','"
	    "depth':40,'max':40,"
	    "'apply':'till-code','until':'2d'}}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	close_basket("b", 60);
	wait_for(2 * D_MS);
	assert_int_equal(hold_today(engine, "o").all_money_minor, 40);
}

/* ---- whom it is told ---- */

static void
of_somebody_who_is_forgotten_no_contact_is_kept(void **state)
{
	struct id anna = subject_of(ANNA);

	(void)state;
	only("a", "{'on':['aisle.customer.identified']}");
	open_basket("b");
	identify(ANNA);
	customer(ANNA)->forgotten = true;
	assert_int_equal(show("a", true), 200);
	assert_int_equal(engine_subject(engine, &anna)->contacts.count, 1);
	customer(ANNA)->forgotten = false;
}

static void
money_goes_up_in_its_own_lane(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") "}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(show("o", true), 200);
	assert_int_equal(answer("o", "accept"), 200);
	tell("pos/7/event", "offer.applied", "{'basket':'b','token':'%s','amount':40}", token);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	assert_heard(LANE_MONEY, "applied 40; redeemed 40");
	tell("pos/7/event", "offer.reversed", "{'basket':'b','token':'%s','amount':40}", token);
	assert_heard(LANE_MONEY, "reversed 40");
	assert_non_null(strstr(heard_last, "\"decision\":\""));
	assert_non_null(strstr(heard_last, "\"at\":\"2026-11-21T10:00:00.000Z\""));
	assert_heard(LANE_DECISION, "decision; shown; accepted");
}

/* Advice for a week, and what is bought within it: in this basket or a later one, of this customer, not before the card. */
static void
a_week_begins_behind_the_card_and_ends_with_its_last_instant(void **state)
{
	static const struct {
		int64_t after_ms; /* the card was shown */
		const char *who, *category;
		bool bought;
	} cases[] = {
		{ 0, ANNA, "m", false },
		{ 1, ANNA, "m", true },
		{ 1, BEN, "m", false },
		{ 1, ANNA, "x", false },
		{ 7 * D_MS - 1, ANNA, "m", true },
		{ 7 * D_MS, ANNA, "m", false },
		{ 7 * D_MS + 1, ANNA, "m", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		tear_down(NULL);
		set_up(NULL);
		only("w",
		    "{'kind':'remind','expires':'60s','outcome':{'is':'bought','within':'7d',"
		    "'item':{'category':'m'}}}");
		grant(ANNA, "profile");
		grant(BEN, "profile");
		open_basket("e");
		identify(ANNA);
		scan("e", "c", 100);
		assert_said("guidance 7: w");
		heard(LANE_DECISION);
		now_ms += cases[i].after_ms;
		tell("pos/8/event", "basket.opened", "{'basket':'d','terminal':'8'}");
		tell("pos/8/event", "customer.identified",
		    "{'subject':'%s','station':'8','basket':'d'}", cases[i].who);
		tell("pos/8/event", "basket.item-added",
		    "{'basket':'d','line':1,'sku':'s','category':'%s','qty':1,'amount':70,"
		    "'currency':'EUR'}",
		    cases[i].category);
		tell("pos/8/event", "basket.closed", "{'basket':'d','total':70,'currency':'EUR'}");
		wait_for(8 * D_MS);
		if ((strstr(heard(LANE_DECISION), "bought 70") != NULL) != cases[i].bought)
			fail_msg("case %zu", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(a_week_begins_behind_the_card_and_ends_with_its_last_instant),
		SPINE_TEST(what_was_advised_and_bought_is_credited_at_the_close_with_what_it_cost),
		SPINE_TEST(a_category_is_below_another_only_at_a_slash),
		SPINE_TEST(a_line_of_the_same_instant_was_there_before_the_card),
		SPINE_TEST(a_voided_line_was_not_bought),
		SPINE_TEST(advice_that_the_tablet_did_not_show_is_not_credited),
		SPINE_TEST(advice_that_was_seen_is_credited),
		SPINE_TEST(brand_and_item_are_matched_too),
		SPINE_TEST(the_last_card_before_the_line_has_the_credit),
		SPINE_TEST(a_training_basket_credits_nobody),
		SPINE_TEST(what_is_bought_as_the_window_ends_comes_too_late),
		SPINE_TEST(what_is_bought_within_the_window_counts),
		SPINE_TEST(advice_for_later_counts_in_its_own_basket_too_if_that_was_paid),
		SPINE_TEST(advice_that_was_not_shown_is_not_credited_later_either),
		SPINE_TEST(an_offer_that_outlives_its_basket_holds_its_money_until_its_window_ends),
		SPINE_TEST(an_offer_that_was_redeemed_stays_spent_when_its_window_ends),
		SPINE_TEST(of_somebody_who_is_forgotten_no_contact_is_kept),
		SPINE_TEST(money_goes_up_in_its_own_lane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
