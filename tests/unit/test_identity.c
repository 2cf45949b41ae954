/* SPDX-License-Identifier: Apache-2.0
 *
 * test_identity.c - whose event, whose basket, whose card: several tills, readers and desks through
 * the whole engine.
 */
#include "core/metrics.h"
#include "spine_story.h"

#define CARL "00000000000000000000000000000003"

/* ---- senders ---- */

static void
an_event_is_its_senders_and_no_other_till_can_claim_it(void **state)
{
	struct visit *seven, *eight;

	(void)state;
	only("a", "{}");
	tell_named("pos/7/event", "one", "basket.opened", "{'basket':'b','terminal':'7'}");
	/* In the same millisecond, word for word. */
	tell_named("pos/8/event", "one", "basket.opened", "{'basket':'b','terminal':'7'}");
	assert_int_equal(sessions_count(engine->sessions), 2);
	seven = sessions_at_terminal(engine->sessions, "7");
	eight = sessions_at_terminal(engine->sessions, "8");
	assert_non_null(seven);
	assert_non_null(eight);
	assert_false(id_equal(&seven->id, &eight->id));
	/* Of one sender it is a double; with another body it is refused. */
	tell_named("pos/7/event", "one", "basket.opened", "{'basket':'b','terminal':'7'}");
	assert_said("");
	tell_named("pos/7/event", "one", "basket.opened", "{'basket':'c','terminal':'7'}");
	assert_said("dead bad-value");
	tell_named("loyalty/7/event", "one", "customer.identified",
	    "{'subject':'" ANNA "','station':'7'}");
	assert_true(seven->has_subject);
	assert_int_equal(sessions_count(engine->sessions), 2);
}

/* ---- cards of one person ---- */

static void
merge(const char *from, const char *into)
{
	tell("loyalty/desk/event", "customer.merged", "{'subject':'%s','into':'%s'}", from, into);
}

static void
sold(const char *basket, const char *subject, int amount)
{
	open_basket(basket);
	identify(subject);
	scan(basket, "c", amount);
	close_basket(basket, amount);
}

static void
a_merged_card_is_the_other_one_for_good_in_whatever_order_it_was_said(void **state)
{
	static const char *const cards[3] = { ANNA, BEN, CARL };
	static const int orders[2][2][2] = { { { 0, 1 }, { 1, 2 } }, { { 1, 2 }, { 0, 1 } } };

	for (int i = 0; i < 2; i++) {
		if (i > 0) {
			tear_down(state);
			set_up_on_disk(state);
		}
		only("a", "{}");
		for (int c = 0; c < 3; c++) {
			grant(cards[c], "profile");
			sold(cards[c] + 20, cards[c], 100);
		}
		for (int m = 0; m < 2; m++)
			merge(cards[orders[i][m][0]], cards[orders[i][m][1]]);
		merge(CARL, ANNA); /* they are one already */
		if (i > 0)
			restart();
		for (int c = 0; c < 3; c++) {
			struct id id = subject_of(cards[c]);
			struct subject *person = engine_person(engine, &id);
			struct id carl = subject_of(CARL);

			assert_true(id_equal(&person->id, &carl));
			assert_int_equal(person->purchase_count, 3 + c);
			sold("next", cards[c], 50);
			now_ms += S_MS;
		}
		assert_int_equal(customer(ANNA)->purchase_count, 0);
		assert_int_equal(customer(CARL)->merged_count, 2);
	}
}

/* The row of the sale was theirs who is another card now. */
static void
what_is_late_for_a_sale_of_a_merged_card_is_of_the_person(void **state)
{
	(void)state;
	only("a", "{}");
	grant(ANNA, "profile");
	sold("b", ANNA, 100);
	merge(ANNA, BEN);
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':99,'sku':'s','category':'c','qty':1,'amount':5,'currency':'EUR'"
	    "}");
	assert_int_equal(customer(BEN)->purchase_count, 1);
	assert_int_equal(customer(BEN)->purchases[0].line_count, 2);
	assert_int_equal(customer(ANNA)->purchase_count, 0);
}

static void
caps_come_along_and_count_for_both_cards(void **state)
{
	(void)state;
	only("a",
	    "{'on':['aisle.customer.identified'],"
	    "'caps':[{'per':'customer','outcome':'shown','max':1,'within':'7d'}]}");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	close_basket("b", 0);
	merge(ANNA, BEN);
	for (int i = 0; i < 2; i++) {
		open_basket("c");
		identify(i == 0 ? ANNA : BEN);
		assert_said("");
		close_basket("c", 0);
		now_ms += S_MS;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(an_event_is_its_senders_and_no_other_till_can_claim_it),
		SPINE_TEST_ON_DISK(
		    a_merged_card_is_the_other_one_for_good_in_whatever_order_it_was_said),
		SPINE_TEST(what_is_late_for_a_sale_of_a_merged_card_is_of_the_person),
		SPINE_TEST(caps_come_along_and_count_for_both_cards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
