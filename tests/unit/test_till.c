/* SPDX-License-Identifier: Apache-2.0
 *
 * test_till.c - what a till may say of an offer: which till, of which basket, how much, how often.
 */
#include "spine_story.h"

#include "core/metrics.h"

#define LIVES_ON \
	"'kind':'offer','outcome':{'is':'redeemed','within':'2d'},'propensity':0.5,'offer':{" \
	"'type':'amount','depth':40,'max':40,'apply':'barcode','code':'1','until':'2d'}"

/* o is accepted in basket b at till 7. */
static void
taken(const char *action)
{
	struct card *card;

	only("o", action);
	open_basket("b");
	scan("b", "c", 500);
	assert_int_equal(answer("o", "accept"), 200);
	card = &visit_of("b")->cards[0];
	id_text(&card->token, token);
	heard(LANE_MONEY);
}

static void
till_says(const char *till, const char *word, const char *basket, const char *more)
{
	tell(arena_printf(texts, "pos/%s/event", till), arena_printf(texts, "offer.%s", word),
	    "{'basket':'%s','token':'%s'%s}", basket, token, more);
}

static int64_t
held(void)
{
	return hold_today(engine, "o").all_money_minor;
}

/* ---- how much ---- */

static void
more_than_the_offer_can_save_is_booked_as_the_most_once(void **state)
{
	int64_t before = metrics_get(METRIC_OVER_THE_MOST);

	(void)state;
	taken("{" OFFER_OF(",'funded':0.5,'funder':'acme'") ",'budget':{'per':'store-day','money':"
							    "1000}}");
	till_says("7", "applied", "b", ",'amount':41");
	assert_said("guidance 7: o(applied); dead bad-value");
	assert_heard(LANE_MONEY, "applied 40");
	tell_named("pos/7/event", "twice", "offer.redeemed",
	    arena_printf(texts, "{'basket':'b','token':'%s','amount':99999999}", token));
	assert_said("guidance 7: o(applied); dead bad-value");
	assert_heard(LANE_MONEY, "redeemed 40");
	assert_int_equal(held(), 20);
	assert_int_equal(engine->today.actions[0].redeemed_minor, 40);
	tell_named("pos/7/event", "twice", "offer.redeemed",
	    arena_printf(texts, "{'basket':'b','token':'%s','amount':99999999}", token));
	assert_said("");
	assert_int_equal(dead_letters(), 2);
	assert_int_equal(metrics_get(METRIC_OVER_THE_MOST), before + 2);
	/* As it was said it comes back. */
	till_says("7", "reversed", "b", ",'amount':99999999");
	assert_said("guidance 7: o(refused)");
	assert_heard(LANE_MONEY, "reversed 40");
	assert_int_equal(held(), 0);
}

static void
the_most_is_no_mistake_and_less_than_nothing_is(void **state)
{
	(void)state;
	taken("{" OFFER_OF("") "}");
	till_says("7", "redeemed", "b", ",'amount':-1");
	assert_said("dead bad-value");
	till_says("7", "redeemed", "b", ",'amount':40");
	assert_said("guidance 7: o(applied)");
}

static void
an_event_that_is_booked_otherwise_is_receipted_as_accepted(void **state)
{
	struct buf text = { 0 };
	struct input input = { .kind = INPUT_MESSAGE, .topic = "aisle/v1/0042/pos/7/event" };
	char at[WHEN_TEXT_SIZE];
	bool found = false;

	(void)state;
	taken("{" OFFER_OF("") "}");
	when_text(now_ms, at);
	buf_addf(&text,
	    "{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"r\",\"receipt\":true,\"type\":"
	    "\"aisle.offer.redeemed\",\"time\":\"%s\",\"data\":{\"basket\":\"b\",\"token\":\"%s\","
	    "\"amount\":1000}}",
	    at, token);
	input.payload = text.data;
	input.len = text.len;
	turn(&input);
	for (size_t i = 0; i < engine->output_count; i++) {
		if (engine->outputs[i].kind != OUTPUT_RECEIPT)
			continue;
		found = true;
		assert_non_null(memmem(engine->outputs[i].payload, engine->outputs[i].len,
		    "\"ids\":[[\"/s\",\"r\"]]", 16));
		assert_null(memmem(engine->outputs[i].payload, engine->outputs[i].len, "refused",
		    7));
	}
	assert_true(found);
	buf_done(&text);
}

static void
a_fixed_price_may_take_off_what_its_goods_cost(void **state)
{
	(void)state;
	taken("{'kind':'offer','margin':2000,'outcome':{'is':'redeemed','within':'0d'},'offer':{'"
	      "type':'fixed-"
	      "price','depth':100,'typical':150,'apply':'till-code','until':'0d'}}");
	scan("b", "c", 300);
	till_says("7", "applied", "b", ",'amount':801");
	assert_heard(LANE_MONEY, "applied 800");
	till_says("7", "applied", "b", ",'amount':600");
	assert_heard(LANE_MONEY, "applied 600");
}

/* ---- which till, which basket ---- */

static void
a_reversal_may_come_from_any_till_and_names_the_basket_that_paid(void **state)
{
	(void)state;
	taken("{" OFFER_OF("") "}");
	till_says("7", "redeemed", "b", ",'amount':40");
	close_basket("b", 460);
	till_says("9", "reversed", "other", ",'amount':10");
	assert_said("dead not-yours");
	till_says("9", "reversed", "b", ",'amount':10");
	till_says("8", "reversed", "b", ",'amount':30");
	assert_heard(LANE_MONEY, "redeemed 40; reversed 10; reversed 30");
	assert_int_equal(held(), 0);
	till_says("7", "reversed", "b", ",'amount':1");
	assert_said("dead bad-value");
}

static void
nothing_that_comes_back_is_no_reversal(void **state)
{
	(void)state;
	taken("{" OFFER_OF("") "}");
	till_says("7", "redeemed", "b", ",'amount':40");
	till_says("7", "reversed", "b", ",'amount':0");
	assert_heard(LANE_MONEY, "redeemed 40");
	assert_int_equal(engine->today.outcomes[OUTCOME_REVERSED], 0);
	assert_int_equal(dead_letters(), 0);
}

static void
what_is_taken_back_in_an_open_sale_may_be_given_again_and_after_it_not(void **state)
{
	(void)state;
	taken("{" OFFER_OF("") "}");
	till_says("7", "redeemed", "b", ",'amount':40");
	till_says("7", "reversed", "b", ",'amount':40");
	assert_said("guidance 7: o(refused)");
	till_says("7", "redeemed", "b", ",'amount':30");
	assert_said("guidance 7: o(applied)");
	close_basket("b", 470);
	till_says("7", "reversed", "b", ",'amount':30");
	till_says("7", "redeemed", "b", ",'amount':30");
	assert_said("dead bad-value");
	till_says("7", "applied", "b", ",'amount':30");
	assert_said("dead bad-value");
	assert_int_equal(held(), 0);
}

static void
what_is_applied_and_taken_off_again_is_refused(void **state)
{
	(void)state;
	taken("{" OFFER_OF("") "}");
	till_says("7", "applied", "b", ",'amount':40");
	till_says("7", "reversed", "b", ",'amount':40");
	assert_said("guidance 7: o(refused)");
	assert_heard(LANE_MONEY, "applied 40; refused (reversed)");
	assert_int_equal(held(), 0);
	till_says("7", "applied", "b", ",'amount':40");
	assert_said("guidance 7: o(applied)");
	assert_int_equal(held(), 40);
}

static void
a_till_does_not_speak_of_a_basket_that_it_does_not_have(void **state)
{
	(void)state;
	taken("{" OFFER_OF("") "}");
	tell("pos/8/event", "basket.opened", "{'basket':'b','terminal':'8'}");
	till_says("8", "applied", "b", ",'amount':40"); /* its own b: another basket */
	assert_said("dead not-yours");
	till_says("8", "refused", "x", ",'reason':'no'");
	assert_said("dead not-yours");
	till_says("7", "applied", "b", ",'amount':40");
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	till_says("7", "redeemed", "b", ",'amount':40");
	assert_said("dead not-yours");
	assert_int_equal(held(), 0);
}

/* ---- tokens that live on ---- */

static void
a_token_that_lives_on_is_good_in_a_later_basket_of_any_till_until_it_ends(void **state)
{
	(void)state;
	taken("{" LIVES_ON "}");
	tell("pos/8/event", "basket.opened", "{'basket':'c','terminal':'8'}");
	till_says("8", "redeemed", "c", ",'amount':40");
	assert_said("dead not-yours"); /* its own basket is open */
	close_basket("b", 500);
	till_says("7", "redeemed", "c", ",'amount':40");
	assert_said("dead not-yours"); /* c is till 8's */
	till_says("8", "redeemed", "c", ",'amount':40");
	assert_said("");
	till_says("8", "redeemed", "c", ",'amount':40");
	assert_said("dead bad-value");
	assert_heard(LANE_MONEY, "redeemed 40");
}

static void
a_trainees_basket_uses_no_token_up(void **state)
{
	(void)state;
	taken("{" LIVES_ON "}");
	close_basket("b", 500);
	tell("pos/8/event", "basket.opened", "{'basket':'t','terminal':'8','training':true}");
	till_says("8", "applied", "t", ",'amount':40");
	assert_said("dead bad-value");
	till_says("8", "redeemed", "t", ",'amount':40");
	assert_said("dead bad-value");
	tell("pos/8/event", "basket.cancelled", "{'basket':'t'}");
	tell("pos/8/event", "basket.opened", "{'basket':'c','terminal':'8'}");
	till_says("8", "redeemed", "c", ",'amount':40");
	assert_said("");
	assert_heard(LANE_MONEY, "redeemed 40");
}

static void
a_token_ends_at_its_time(void **state)
{
	(void)state;
	taken("{" LIVES_ON "}");
	close_basket("b", 500);
	now_ms += 2 * D_MS;
	tell("pos/8/event", "basket.opened", "{'basket':'c','terminal':'8'}");
	till_says("8", "redeemed", "c", ",'amount':10");
	assert_said("");
	till_says("8", "reversed", "c", ",'amount':10");
	now_ms += 1;
	till_says("8", "redeemed", "c", ",'amount':10");
	assert_said("dead not-yours");
}

static void
a_cancelled_sale_gives_back_what_tokens_of_other_baskets_took_off(void **state)
{
	(void)state;
	taken("{" LIVES_ON "}");
	close_basket("b", 500);
	tell("pos/8/event", "basket.opened", "{'basket':'c','terminal':'8'}");
	till_says("8", "redeemed", "c", ",'amount':40");
	tell("pos/8/event", "basket.closed", "{'basket':'c','total':1,'currency':'EUR'}");
	assert_int_equal(held(), 40);
	tell("pos/8/event", "basket.cancelled", "{'basket':'c'}");
	assert_heard(LANE_MONEY, "redeemed 40; reversed 40");
	assert_int_equal(held(), 0);
	/* However often its till says so. */
	for (int i = 0; i < 2; i++) {
		till_says("8", "reversed", "c", ",'amount':40");
		assert_said("");
	}
	assert_heard(LANE_MONEY, "");
	tell("pos/8/event", "basket.opened", "{'basket':'d','terminal':'8'}");
	till_says("8", "redeemed", "d", ",'amount':40");
	assert_said("dead bad-value");
}

static void
a_token_of_a_cancelled_sale_is_good_nowhere(void **state)
{
	(void)state;
	taken("{" LIVES_ON "}");
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	tell("pos/8/event", "basket.opened", "{'basket':'c','terminal':'8'}");
	till_says("8", "redeemed", "c", ",'amount':40");
	assert_said("dead not-yours");
}

/* A card named the basket, and the offer was taken before anything else was heard of it. */
static void
a_basket_that_only_a_card_has_named_is_the_tills_own(void **state)
{
	(void)state;
	only("o", "{" OFFER_OF("") ",'on':['aisle.customer.identified']}");
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" ANNA "','basket':'b','station':'7'}");
	assert_int_equal(answer("o", "accept"), 200);
	till_says("8", "applied", "b", ",'amount':40");
	assert_said("dead not-yours");
	till_says("7", "applied", "b", ",'amount':40");
	assert_said("guidance 7: o(applied)");
}

/* Another card is its next customer, and does not take the money along. */
static void
a_basket_that_only_cards_have_named_keeps_what_was_paid_with_in_it(void **state)
{
	(void)state;
	only("o",
	    "{" OFFER_OF("") ",'on':['aisle.customer.identified'],'budget':{'per':'campaign','"
			     "money':1000}}");
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" ANNA "','basket':'b','station':'7'}");
	assert_int_equal(answer("o", "accept"), 200);
	till_says("7", "redeemed", "b", ",'amount':40");
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" BEN "','basket':'b','station':'7'}");
	assert_int_equal(held(), 40);
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_int_equal(held(), 0);
}

/* Weeks later, from the disk. */
static void
a_reversal_weeks_later_frees_the_campaign(void **state)
{
	(void)state;
	taken("{" OFFER_OF("") ",'budget':{'per':'campaign','money':1000}}");
	till_says("7", "redeemed", "b", ",'amount':40");
	close_basket("b", 460);
	for (int day = 0; day < 30; day++) {
		now_ms += D_MS;
		assert_true(room_make(engine, now_ms) >= 0);
	}
	restart();
	till_says("9", "reversed", "b", ",'amount':40");
	assert_said("");
	assert_int_equal(held(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(more_than_the_offer_can_save_is_booked_as_the_most_once),
		SPINE_TEST(the_most_is_no_mistake_and_less_than_nothing_is),
		SPINE_TEST(an_event_that_is_booked_otherwise_is_receipted_as_accepted),
		SPINE_TEST(a_fixed_price_may_take_off_what_its_goods_cost),
		SPINE_TEST(a_reversal_may_come_from_any_till_and_names_the_basket_that_paid),
		SPINE_TEST(nothing_that_comes_back_is_no_reversal),
		SPINE_TEST(what_is_taken_back_in_an_open_sale_may_be_given_again_and_after_it_not),
		SPINE_TEST(what_is_applied_and_taken_off_again_is_refused),
		SPINE_TEST(a_till_does_not_speak_of_a_basket_that_it_does_not_have),
		SPINE_TEST(
		    a_token_that_lives_on_is_good_in_a_later_basket_of_any_till_until_it_ends),
		SPINE_TEST(a_trainees_basket_uses_no_token_up),
		SPINE_TEST(a_token_ends_at_its_time),
		SPINE_TEST(a_cancelled_sale_gives_back_what_tokens_of_other_baskets_took_off),
		SPINE_TEST(a_token_of_a_cancelled_sale_is_good_nowhere),
		SPINE_TEST(a_basket_that_only_a_card_has_named_is_the_tills_own),
		SPINE_TEST(a_basket_that_only_cards_have_named_keeps_what_was_paid_with_in_it),
		SPINE_TEST_ON_DISK(a_reversal_weeks_later_frees_the_campaign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
