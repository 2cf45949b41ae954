/* SPDX-License-Identifier: Apache-2.0
 *
 * test_staff.c - cards of those who work here, and a card that is in more baskets than one person has: counted, not served,
 * not learned from.
 */
#include "core/metrics.h"
#include "spine_story.h"

#define STAFF "00000000000000000000000000000009"

static int
profile_of(void *ctx, const struct id *subject, struct buf *out)
{
	char text[SUBJECT_TEXT_SIZE];

	(void)ctx;
	subject_text(subject, text);
	buf_addf(out,
	    "{\"line\":\"Gold\",\"consent\":{\"personalise\":\"granted\",\"profile\":\"granted\"},"
	    "\"attributes\":{\"tier\":\"gold\"}%s}",
	    strcmp(text, STAFF) == 0 ? ",\"staff\":true" : "");
	return 0;
}

static void
a_store(void)
{
	a_policy("{}");
	an_action("hello", "{'kind':'inform'}");
	an_action("mine", "{" OFFER_OF("") ",'personal':true}");
	an_action("recall",
	    "{'kind':'alert','mandatory':true,'on':['aisle.basket.item-added'],"
	    "'applicable':{'==':[{'var':'x'},1]},"
	    "'propensity':null,'incremental':null,'margin':null,'outcome':null}");
	in_force();
	engine_set_profiles(engine, profile_of, NULL);
}

static void
a_sale(const char *basket, const char *subject)
{
	open_basket(basket);
	tell("pos/7/event", "customer.identified", "{'subject':'%s','basket':'%s','station':'7'}",
	    subject, basket);
	scan(basket, "c", 100);
}

static int
purchases(const char *subject)
{
	return (int)customer(subject)->purchase_count;
}

static void
a_card_of_staff_is_counted_and_neither_served_nor_learned_from(void **state)
{
	int64_t counted = metrics_get(METRIC_STAFF_LISTED);

	(void)state;
	a_store();
	a_sale("b", ANNA);
	assert_string_equal(fate_in_record("mine"), "offered");
	close_basket("b", 100);
	assert_int_equal(purchases(ANNA), 1);
	a_sale("s", STAFF);
	assert_said("");
	assert_string_equal(fate_in_record("mine"), "consent");
	assert_string_equal(fate_in_record("hello"), "lane");
	assert_non_null(strstr(record.data, "\"cause\":\"staff\""));
	assert_null(strstr(record.data, STAFF));
	close_basket("s", 100);
	assert_said("");
	assert_int_equal(purchases(STAFF), 0);
	assert_int_equal(customer(STAFF)->contacts.count, 0);
	assert_int_equal(metrics_get(METRIC_STAFF_LISTED) - counted, 1);
}

static void
what_is_mandatory_is_shown_to_them_too(void **state)
{
	(void)state;
	a_store();
	a_sale("s", STAFF);
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'s','line':90,'sku':'r','category':'c','qty':1,'amount':100,'currency':'EUR'"
	    ",'x':1}");
	assert_said("guidance 7: recall");
}

static void
what_a_stranger_was_shown_goes_when_the_card_is_of_staff(void **state)
{
	(void)state;
	a_store();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: hello");
	identify(STAFF);
	scan("b", "c", 100);
	assert_int_equal(visit_has_open(visit_of("b")), false);
	/* The customer's own card is another one. */
	identify(ANNA);
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("mine"), "offered");
}

static void
a_card_in_more_baskets_than_a_day_has_is_as_good_as_staffs_until_the_next(void **state)
{
	int64_t counted = metrics_get(METRIC_STAFF_LENT);
	char basket[16];

	(void)state;
	a_store();
	conf.baskets_a_day = 12;
	for (int i = 1; i <= 14; i++) {
		snprintf(basket, sizeof(basket), "b%d", i);
		a_sale(basket, ANNA);
		/* Again, in the same one: it is one basket. */
		identify(ANNA);
		scan(basket, "c", 100);
		assert_string_equal(fate_in_record("mine"), i <= 12 ? "offered" : "consent");
		close_basket(basket, 200);
		wait_for(MIN_MS);
		if (i == 13)
			restart(), engine_set_profiles(engine, profile_of, NULL);
	}
	assert_int_equal(purchases(ANNA), 12);
	assert_int_equal(metrics_get(METRIC_STAFF_LENT) - counted, 2);
	wait_for(D_MS);
	a_sale("n", ANNA);
	assert_string_equal(fate_in_record("mine"), "offered");
	close_basket("n", 100);
	assert_int_equal(purchases(ANNA), 13);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(a_card_of_staff_is_counted_and_neither_served_nor_learned_from),
		SPINE_TEST(what_is_mandatory_is_shown_to_them_too),
		SPINE_TEST(what_a_stranger_was_shown_goes_when_the_card_is_of_staff),
		cmocka_unit_test_setup_teardown(
		    a_card_in_more_baskets_than_a_day_has_is_as_good_as_staffs_until_the_next,
		    set_up_on_disk, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
