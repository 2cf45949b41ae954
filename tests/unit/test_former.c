/* SPDX-License-Identifier: Apache-2.0
 *
 * test_former.c - what a customer leaves behind in a basket that is another's now.
 */
#include "spine_story.h"

#define CLARA "00000000000000000000000000000003"
#define ADVICE "{'on':['aisle.basket.item-added','aisle.customer.identified']}"

/* Anna's card, her line, and what she is offered. */
static void
anna_comes(void)
{
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 500);
}

static void
anna_takes(void)
{
	only("o", "{" OFFER_OF("") "}");
	anna_comes();
	assert_int_equal(answer("o", "accept"), 200);
	heard(LANE_MONEY);
}

static void
till_says(const char *word, const char *more)
{
	now_ms += 100;
	tell("pos/7/event", arena_printf(texts, "offer.%s", word), "{'basket':'b','token':'%s'%s}",
	    token, more);
}

/* How often it is on a customer's record. */
static int
on_record_of(const char *who, enum outcome outcome)
{
	const struct contacts *contacts = &customer(who)->contacts;
	int n = 0;

	for (size_t i = 0; i < contacts->count; i++)
		n += contacts->rows[i].outcome == outcome;
	return n;
}

static void
what_is_taken_back_is_taken_back_from_whom_paid_with_it(void **state)
{
	(void)state;
	anna_takes();
	till_says("redeemed", ",'amount':40");
	identify(BEN);
	till_says("reversed", ",'amount':15");
	assert_int_equal(on_record_of(ANNA, OUTCOME_REVERSED), 1);
	close_basket("b", 485);
	till_says("reversed", ",'amount':25");
	assert_heard(LANE_MONEY, "redeemed 40; reversed 15; reversed 25");
	assert_int_equal(on_record_of(ANNA, OUTCOME_REVERSED), 2);
	assert_int_equal(on_record_of(BEN, OUTCOME_REVERSED), 0);
}

/* It was withdrawn, and the till had been paid already. */
static void
what_is_paid_after_all_is_theirs_whose_offer_it_was(void **state)
{
	(void)state;
	anna_takes();
	till_says("applied", ",'amount':40");
	identify(BEN);
	assert_non_null(strstr(said(), "till 7 withdraw-offer"));
	till_says("redeemed", ",'amount':40");
	assert_int_equal(on_record_of(ANNA, OUTCOME_REDEEMED), 1);
	assert_int_equal(on_record_of(BEN, OUTCOME_REDEEMED), 0);
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_int_equal(on_record_of(ANNA, OUTCOME_REVERSED), 1);
	assert_int_equal(on_record_of(BEN, OUTCOME_REVERSED), 0);
}

/* The till was silent, another customer came, and then it had applied it after all. */
static void
what_was_applied_in_a_sale_that_is_cancelled_is_withdrawn_from_whose_it_was(void **state)
{
	(void)state;
	anna_takes();
	wait_for(6 * S_MS);
	identify(BEN);
	till_says("applied", ",'amount':40");
	assert_int_equal(on_record_of(ANNA, OUTCOME_APPLIED), 1);
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_int_equal(on_record_of(ANNA, OUTCOME_WITHDRAWN), 1);
	assert_int_equal(on_record_of(BEN, OUTCOME_WITHDRAWN), 0);
}

static void
it_is_theirs_under_whatever_card_they_have_by_then(void **state)
{
	(void)state;
	anna_takes();
	till_says("redeemed", ",'amount':40");
	identify(BEN);
	tell("care/event", "customer.merged", "{'subject':'" ANNA "','into':'" CLARA "'}");
	till_says("reversed", ",'amount':15");
	assert_int_equal(on_record_of(CLARA, OUTCOME_REVERSED), 1);
	close_basket("b", 485);
	for (int day = 0; day < 20; day++) {
		now_ms += D_MS;
		assert_true(room_make(engine, now_ms) >= 0);
	}
	restart();
	tell("care/event", "customer.merged", "{'subject':'" CLARA "','into':'" BEN "'}");
	till_says("reversed", ",'amount':25");
	assert_int_equal(on_record_of(BEN, OUTCOME_REVERSED), 2);
}

/* The merge is all that changed in a basket that is another's by then. */
static void
a_merge_of_who_stood_there_before_outlives_a_restart(void **state)
{
	(void)state;
	anna_takes();
	till_says("redeemed", ",'amount':40");
	identify(BEN);
	tell("care/event", "customer.merged", "{'subject':'" ANNA "','into':'" CLARA "'}");
	restart();
	assert_memory_equal(&visit_of("b")->cards[0].former, &customer(CLARA)->id,
	    sizeof(struct id));
	assert_memory_equal(&visit_of("b")->reads[0].subject, &customer(CLARA)->id,
	    sizeof(struct id));
	till_says("reversed", ",'amount':15");
	assert_int_equal(on_record_of(CLARA, OUTCOME_REVERSED), 1);
	assert_int_equal(on_record_of(ANNA, OUTCOME_REVERSED), 0);
}

static void
who_comes_back_finds_what_was_theirs(void **state)
{
	(void)state;
	anna_takes();
	till_says("redeemed", ",'amount':40");
	identify(BEN);
	now_ms += 1000;
	identify(ANNA);
	till_says("reversed", ",'amount':40");
	assert_int_equal(on_record_of(ANNA, OUTCOME_REVERSED), 1);
	assert_int_equal(on_record_of(BEN, OUTCOME_REVERSED), 0);
}

static void
the_next_customer_sees_nothing_of_what_was_answered_or_paid_with(void **state)
{
	static const char *const decisions_of[] = { "accept", "dismiss", "snooze", "override" };

	for (size_t i = 0; i < ARRAY_LEN(decisions_of); i++) {
		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		a_policy("{}");
		an_action("a", "{'personal':true}");
		an_action("o", "{" OFFER_OF("") ",'group':'h'}");
		in_force();
		grant(ANNA, "personalise");
		anna_comes();
		assert_int_equal(answer_with("a",
				     arena_printf(texts, "{'decision':'%s','reason':'other'}",
					 decisions_of[i]),
				     NULL),
		    200);
		assert_int_equal(answer("o", "accept"), 200);
		till_says("redeemed", ",'amount':40");
		identify(BEN);
		assert_non_null(strstr(said(), "withdraw 7 customer"));
		assert_null(strstr(said(), "guidance"));
		scan("b", "c", 500);
		assert_null(strstr(said(), "a("));
		assert_null(strstr(said(), "o("));
		till_says("reversed", ",'amount':40");
		assert_null(strstr(said(), "o("));
	}
}

static void
what_was_answered_is_no_answer_of_the_next_customer(void **state)
{
	(void)state;
	only("a", ADVICE);
	anna_comes();
	assert_int_equal(answer("a", "dismiss"), 200);
	now_ms += 1000;
	identify(BEN);
	assert_said("withdraw 7 customer; guidance 7: a");
	assert_int_equal(answer("a", "dismiss"), 200);
	now_ms += 1000;
	/* Anna has said no. */
	identify(ANNA);
	assert_string_equal(fate_in_record("a"), "contact");
}

static void
what_was_taken_is_there_for_the_next_customer_unless_it_was_paid_with(void **state)
{
	(void)state;
	anna_takes();
	identify(BEN);
	scan("b", "c", 500);
	assert_said("guidance 7: o");
	tear_down(state);
	set_up(state);
	anna_takes();
	till_says("redeemed", ",'amount':40");
	identify(BEN);
	scan("b", "c", 500);
	assert_string_equal(fate_in_record("o"), "contact");
}

static void
what_the_next_customer_buys_was_not_bought_for_the_card_of_the_one_before(void **state)
{
	(void)state;
	only("r",
	    "{'kind':'recommend','outcome':{'is':'bought','within':'0d','item':{'category':'tea'}}"
	    "}");
	anna_comes();
	assert_int_equal(answer("r", "accept"), 200);
	heard(LANE_DECISION);
	now_ms += 1000;
	tell("pos/7/event", "customer.identified", "{'subject':'" BEN "','station':'7'}");
	now_ms += 1000;
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':77,'sku':'t','category':'tea','qty':1,'amount':300,'currency':'"
	    "EUR'"
	    "}");
	close_basket("b", 800);
	assert_int_equal(on_record_of(ANNA, OUTCOME_BOUGHT), 0);
	assert_int_equal(on_record_of(BEN, OUTCOME_BOUGHT), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(what_is_taken_back_is_taken_back_from_whom_paid_with_it),
		SPINE_TEST(what_is_paid_after_all_is_theirs_whose_offer_it_was),
		SPINE_TEST(
		    what_was_applied_in_a_sale_that_is_cancelled_is_withdrawn_from_whose_it_was),
		SPINE_TEST_ON_DISK(it_is_theirs_under_whatever_card_they_have_by_then),
		SPINE_TEST_ON_DISK(a_merge_of_who_stood_there_before_outlives_a_restart),
		SPINE_TEST(who_comes_back_finds_what_was_theirs),
		SPINE_TEST(the_next_customer_sees_nothing_of_what_was_answered_or_paid_with),
		SPINE_TEST(what_was_answered_is_no_answer_of_the_next_customer),
		SPINE_TEST(what_was_taken_is_there_for_the_next_customer_unless_it_was_paid_with),
		SPINE_TEST(
		    what_the_next_customer_buys_was_not_bought_for_the_card_of_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
