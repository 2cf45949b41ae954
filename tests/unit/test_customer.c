/* SPDX-License-Identifier: Apache-2.0
 *
 * test_customer.c - what is known of a customer, and only with their consent: purchases, incidents, cases, contacts, cards
 * that are merged.
 */
#include "spine_story.h"

#define ITEMS "'items':[{'sku':'s','category':'c','qty':1,'amount':5}]"

/* A basket of Anna's that was paid for. */
static void
shop(const char *basket)
{
	open_basket(basket);
	identify(ANNA);
	scan(basket, "c", 500);
	close_basket(basket, 500);
}

static void
deny(const char *purpose)
{
	tell("loyalty/r1/event", "consent.changed",
	    "{'subject':'" ANNA "','purpose':'%s','state':'denied'}", purpose);
}

/* ---- consent ---- */

static void
a_purchase_is_kept_only_with_consent_to_a_profile(void **state)
{
	(void)state;
	shop("b1");
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	grant(ANNA, "personalise");
	grant(ANNA, "contact");
	shop("b2");
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	grant(ANNA, "profile");
	shop("b3");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	assert_int_equal(customer(ANNA)->purchases[0].total_minor, 500);
	assert_int_equal(customer(ANNA)->purchases[0].at_ms, now_ms);
	deny("profile");
	shop("b4");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	engine_drop_subjects(engine);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
}

static void
consent_that_ends_is_none_from_that_instant_on(void **state)
{
	(void)state;
	tell("loyalty/r1/event", "consent.changed",
	    "{'subject':'" ANNA
	    "','purpose':'profile','state':'granted','until':'2026-11-21T10:00:01.000Z'}");
	now_ms = T0 + 999;
	shop("b1");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	now_ms = T0 + 1000;
	shop("b2");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
}

static void
training_and_cancelled_baskets_are_no_purchases(void **state)
{
	(void)state;
	grant(ANNA, "profile");
	tell("pos/7/event", "basket.opened", "{'basket':'b','terminal':'7','training':true}");
	identify(ANNA);
	scan("b", "c", 500);
	tell("pos/7/event", "basket.payment-declined", "{'basket':'b'}");
	close_basket("b", 500);
	open_basket("c");
	identify(ANNA);
	tell("pos/7/event", "basket.cancelled", "{'basket':'c'}");
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	assert_int_equal(customer(ANNA)->incident_count, 0);
}

/* Its opened comes last of all. */
static void
a_purchase_that_turns_out_to_be_training_is_taken_back_also_on_disk(void **state)
{
	(void)state;
	grant(ANNA, "profile");
	identify(ANNA);
	scan("b", "c", 500);
	close_basket("b", 500);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	late_ms = S_MS;
	tell("pos/7/event", "basket.opened", "{'basket':'b','terminal':'7','training':true}");
	assert_int_equal(customer(ANNA)->purchase_count, 0);
	engine_drop_subjects(engine);
	assert_int_equal(customer(ANNA)->purchase_count, 0);
}

static void
a_post_void_takes_the_purchase_back_also_on_disk(void **state)
{
	(void)state;
	grant(ANNA, "profile");
	shop("b");
	assert_int_equal(customer(ANNA)->purchase_count, 1);
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	for (int i = 0; i < 2; i++) {
		for (size_t p = 0; p < customer(ANNA)->purchase_count; p++)
			assert_int_equal(customer(ANNA)->purchases[p].line_count, 0);
		engine_drop_subjects(engine);
	}
}

static void
incidents_are_kept_only_with_consent_to_a_profile(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		open_basket("b");
		identify(ANNA);
		tell("pos/7/event", "basket.item-added",
		    "{'basket':'b','line':1,'sku':'s','category':'c','qty':1,'amount':9,'currency':"
		    "'EUR'}");
		tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':1}");
		tell("pos/7/event", "basket.payment-declined", "{'basket':'b'}");
		tell("loyalty/r1/event", "return.completed",
		    "{'subject':'" ANNA "','return':'r%d','total':5,'currency':'EUR'," ITEMS "}",
		    i);
		if (i == 0)
			assert_int_equal(customer(ANNA)->incident_count, 0);
		tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
		grant(ANNA, "profile");
		tell("pos/7/event", "basket.opened", "{'basket':'x%d','terminal':'7'}", i);
		tell("pos/7/event", "basket.cancelled", "{'basket':'x%d'}", i);
	}
}

static void
each_incident_counts_by_its_kind(void **state)
{
	int kinds[3] = { 0 };

	(void)state;
	grant(ANNA, "profile");
	open_basket("b");
	identify(ANNA);
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'c','qty':1,'amount':9,'currency':'EUR'}");
	tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':1}");
	tell("pos/7/event", "basket.payment-declined", "{'basket':'b'}");
	tell("loyalty/r1/event", "return.completed",
	    "{'subject':'" ANNA "','return':'r','total':5,'currency':'EUR'," ITEMS "}");
	engine_drop_subjects(engine);
	assert_int_equal(customer(ANNA)->incident_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(customer(ANNA)->incidents[i].at_ms, now_ms);
		kinds[customer(ANNA)->incidents[i].kind]++;
	}
	assert_int_equal(kinds[INCIDENT_VOID], 1);
	assert_int_equal(kinds[INCIDENT_DECLINE], 1);
	assert_int_equal(kinds[INCIDENT_RETURN], 1);
}

/* Taken out again or brought back: neither the customer's profile nor the visit knows of it. */
static void
what_is_sensitive_leaves_no_incident(void **state)
{
	static const struct {
		const char *category;
		int count;
	} cases[] = { { "beer", 0 }, { "lottery", 2 }, { "c", 2 } };

	(void)state;
	a_policy("{'sensitive':['category=beer'],'no_promotion':['category=lottery']}");
	an_action("a", "{}");
	in_force();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *who = i == 0 ? ANNA : i == 1 ? BEN : "00000000000000000000000000000003";
		const char *category = cases[i].category;

		grant(who, "profile");
		open_basket("b");
		identify(who);
		tell("pos/7/event", "basket.item-added",
		    "{'basket':'b','line':1,'sku':'s','category':'%s','qty':1,'amount':9,"
		    "'currency':'EUR'}",
		    category);
		tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':1}");
		tell("pos/7/event", "return.completed",
		    "{'subject':'%s','return':'r%zu','total':5,'currency':'EUR','items':[{'sku':'s'"
		    ","
		    "'category':'%s','qty':1,'amount':5}]}",
		    who, i, category);
		assert_int_equal(customer(who)->incident_count, cases[i].count);
		assert_int_equal(visit_of("b")->voids, cases[i].count / 2);
		assert_int_equal(visit_of("b")->returns, cases[i].count / 2);
		tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	}
}

static void
who_takes_their_consent_back_is_shown_nothing_more(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified']}");
	grant(ANNA, "personalise");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	deny("profile");
	assert_said("");
	deny("personalise");
	assert_said("withdraw 7 consent");
	assert_heard(LANE_DECISION, "decision; withdrawn (consent)");
}

static void
headquarters_hears_of_consent_and_never_of_a_card_number(void **state)
{
	(void)state;
	tell("loyalty/r1/event", "consent.changed",
	    "{'card':'9780000012345','purpose':'contact','state':'granted'}");
	assert_heard(LANE_CONSENT, "consent");
	assert_null(strstr(heard_last, "9780000012345"));
	grant(ANNA, "contact");
	assert_heard(LANE_CONSENT, "consent");
	assert_non_null(strstr(heard_last, "\"subject\":\"" ANNA "\""));
}

/* Whatever a sender calls them. */
static void
headquarters_hears_of_consent_what_it_is_and_nothing_beside_it(void **state)
{
	(void)state;
	tell("loyalty/r1/event", "consent.changed",
	    "{'subject':'" ANNA "','purpose':'contact','state':'denied',"
	    "'until':'2026-12-01T10:00:00Z','pan':'4929123456789012','pin':8642,"
	    "'email':'anna@example.org','more':{'phone':['0170 1234567']}}");
	assert_heard(LANE_CONSENT, "consent");
	assert_non_null(strstr(heard_last, "\"purpose\":\"contact\""));
	assert_non_null(strstr(heard_last, "\"state\":\"denied\""));
	assert_non_null(strstr(heard_last, "\"until\":\"2026-12-01T10:00:00.000Z\""));
	assert_non_null(strstr(heard_last, "\"subject\":\"" ANNA "\""));
	assert_null(strstr(heard_last, "4929"));
	assert_null(strstr(heard_last, "8642"));
	assert_null(strstr(heard_last, "anna@"));
	assert_null(strstr(heard_last, "0170"));
}

static void
without_a_headquarters_nothing_waits_for_it(void **state)
{
	(void)state;
	free(conf.hq_host);
	conf.hq_host = NULL;
	restart();
	only("a", "{}");
	grant(ANNA, "contact");
	open_basket("b");
	scan("b", "c", 100);
	close_basket("b", 100);
	assert_heard(LANE_CONSENT, "");
	assert_heard(LANE_DECISION, "");
	assert_int_equal(store_uplink_count(engine->store), 0);
}

/* ---- who waits, who joins ---- */

static void
what_a_stranger_was_told_counts_for_the_customer_they_turn_out_to_be(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(visit_of("b")->contacts.count, 1);
	identify(ANNA);
	assert_int_equal(visit_of("b")->contacts.count, 0);
	engine_drop_subjects(engine);
	assert_int_equal(customer(ANNA)->contacts.count, 1);
	assert_int_equal(customer(ANNA)->contacts.rows[0].outcome, OUTCOME_DECIDED);
	assert_int_equal(show("a", true), 200);
	assert_int_equal(customer(ANNA)->contacts.count, 2);
	engine_drop_subjects(engine);
	assert_int_equal(customer(ANNA)->contacts.count, 2);
}

static void
a_card_without_a_basket_waits_two_minutes(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'expires':'1h'}");
	identify(ANNA);
	assert_said("guidance 7: a");
	wait_for(60 * S_MS);
	identify(ANNA); /* again: the wait begins anew */
	wait_for(120 * S_MS - 1);
	assert_said("");
	wait_for(1);
	assert_said("withdraw 7 customer");
	assert_int_equal(sessions_count(engine->sessions), 0);
}

static void
a_card_that_waited_is_in_the_basket_that_opens(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'expires':'1h'}");
	identify(ANNA);
	now_ms += 120 * S_MS - 1;
	open_basket("b");
	assert_true(visit_of("b")->has_subject);
	assert_int_equal(sessions_count(engine->sessions), 1);
	wait_for(10 * MIN_MS);
	assert_int_equal(sessions_count(engine->sessions), 1);
	assert_int_equal(visit_of("b")->state, VISIT_OPEN);
}

static void
a_basket_that_nothing_is_heard_of_for_twelve_hours_is_over(void **state)
{
	(void)state;
	only("a", "{'expires':'24h'}");
	open_basket("b");
	wait_for(H_MS);
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	wait_for(12 * H_MS - 1);
	assert_said("");
	assert_non_null(visit_of("b"));
	wait_for(1);
	assert_said("withdraw 7 expired");
	assert_null(visit_of("b"));
}

static void
the_words_are_in_the_customers_language_only_with_their_consent(void **state)
{
	struct id anna = subject_of(ANNA);

	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'expires':'1h'}");
	for (int i = 0; i < 2; i++) {
		struct subject *subject = engine_subject(engine, &anna);

		free(subject->language);
		subject->language = mem_strdup("de");
		tell("pos/7/event", "basket.opened", "{'basket':'b%d','terminal':'7'}", i);
		identify(ANNA);
		assert_int_equal(json_array_size(json_object_get(screen, "prompts")), 1);
		assert_string_equal(text_of(json_array_get(json_object_get(screen, "prompts"), 0),
					"headline"),
		    i == 0 ? "Do a" : "Tu a");
		tell("pos/7/event", "basket.cancelled", "{'basket':'b%d'}", i);
		grant(ANNA, "personalise");
	}
}

/* ---- cases ---- */

static void
a_case_that_is_closed_is_credited_to_the_service_cards_of_that_customer(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("s", "{'on':['aisle.customer.identified']}");
	an_action("r", "{'on':['aisle.customer.identified'],'kind':'inform','group':'h'}");
	in_force();
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: r s");
	tell("care/event", "care.case-closed",
	    "{'subject':'" BEN "','case':'k','topic':'t','severity':1}");
	assert_heard(LANE_DECISION, "decision");
	tell("care/event", "care.case-closed",
	    "{'subject':'" ANNA "','case':'k','topic':'t','severity':1}");
	assert_heard(LANE_DECISION, "case-closed");
	assert_int_equal(customer(ANNA)->contacts.rows[2].outcome, OUTCOME_CASE_CLOSED);
}

/* ---- contacts by others ---- */

static void
a_letter_of_headquarters_counts_for_the_group_of_its_action(void **state)
{
	(void)state;
	only("a", "{'group':'tea','issue':'grow'}");
	tell("loyalty/r1/event", "contact.recorded",
	    "{'subject':'" ANNA "','channel':'mail','action':'a','at':'2026-11-20T10:00:00Z'}");
	tell("loyalty/r1/event", "contact.recorded",
	    "{'subject':'" ANNA "','channel':'mail','action':'z','at':'2026-11-20T11:00:00Z'}");
	for (int i = 0; i < 2; i++) {
		const struct contacts *contacts = &customer(ANNA)->contacts;

		assert_int_equal(contacts->count, 2);
		assert_string_equal(contacts->rows[0].group, "tea");
		assert_string_equal(contacts->rows[0].issue, "grow");
		assert_int_equal(contacts->rows[0].at_ms, T0 - D_MS);
		assert_true(contacts->rows[1].group == NULL || contacts->rows[1].group[0] == '\0');
		engine_drop_subjects(engine);
	}
}

/* ---- two cards of one person ---- */

static void
merge(void)
{
	tell("loyalty/r1/event", "customer.merged", "{'subject':'" ANNA "','into':'" BEN "'}");
}

static int
count_history(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	(void)n;
	(void)kind;
	(void)at_ms;
	(void)body;
	(void)len;
	++*(int *)ctx;
	return 0;
}

static int
rows_of(const char *subject)
{
	struct id id = subject_of(subject);
	int rows = 0;

	assert_int_equal(store_log_each(engine->store, STORE_LOG_SUBJECT, &id, count_history,
			     &rows),
	    0);
	return rows;
}

static void
what_one_card_bought_the_other_has_bought_once(void **state)
{
	(void)state;
	grant(ANNA, "profile");
	grant(BEN, "profile");
	shop("b1");
	now_ms += 1;
	shop("b2");
	for (int i = 0; i < 2; i++) {
		merge();
		assert_int_equal(customer(BEN)->purchase_count, 2);
		engine_drop_subjects(engine);
		assert_int_equal(customer(BEN)->purchase_count, 2);
		assert_int_equal(rows_of(BEN), 2);
	}
	now_ms += 1;
	shop("b3");
	merge();
	engine_drop_subjects(engine);
	assert_int_equal(customer(BEN)->purchase_count, 3);
	assert_int_equal(customer(BEN)->purchases[2].at_ms, now_ms);
}

static void
contacts_of_one_instant_are_told_apart_by_card_and_outcome(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{'on':['aisle.customer.identified']}");
	an_action("s", "{'on':['aisle.customer.identified'],'group':'h'}");
	in_force();
	open_basket("b");
	identify(ANNA);
	assert_int_equal(show("a", true), 200);
	assert_int_equal(show("s", true), 200);
	assert_int_equal(customer(ANNA)->contacts.count, 4);
	for (int i = 0; i < 2; i++) {
		merge();
		engine_drop_subjects(engine);
		assert_int_equal(customer(BEN)->contacts.count, 4);
	}
}

static void
the_open_basket_of_a_card_that_is_merged_is_the_others(void **state)
{
	struct id ben = subject_of(BEN);

	(void)state;
	open_basket("b");
	identify(ANNA);
	merge();
	assert_true(id_equal(&visit_of("b")->subject, &ben));
}

static void
each_open_basket_of_a_card_that_is_merged_is_the_others_after_a_restart_too(void **state)
{
	(void)state;
	for (int till = 7; till <= 9; till++) {
		char topic[32];

		snprintf(topic, sizeof(topic), "pos/%d/event", till);
		tell(topic, "basket.opened", "{'basket':'b%d','terminal':'%d'}", till, till);
		tell(topic, "customer.identified", "{'subject':'" ANNA "','station':'%d'}", till);
	}
	tell("loyalty/r1/event", "customer.merged", "{'subject':'" ANNA "','into':'" BEN "'}");
	restart();
	for (int till = 7; till <= 9; till++) {
		struct id ben = subject_of(BEN);
		char basket[8];

		snprintf(basket, sizeof(basket), "b%d", till);
		assert_non_null(visit_of(basket));
		assert_true(id_equal(&visit_of(basket)->subject, &ben));
	}
}

static void
a_card_that_is_merged_into_itself_stays_as_it_is(void **state)
{
	(void)state;
	grant(ANNA, "profile");
	shop("b");
	tell("loyalty/r1/event", "customer.merged", "{'subject':'" ANNA "','into':'" ANNA "'}");
	engine_drop_subjects(engine);
	assert_int_equal(customer(ANNA)->purchase_count, 1);
}

/* ---- at no till ---- */

static void
a_return_at_the_desk_is_decided_about_where_it_happens(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.return.completed']}");
	tell("pos/9/event", "return.completed",
	    "{'subject':'" ANNA "','return':'r','total':5,'currency':'EUR'," ITEMS "}");
	assert_said("guidance 9: a");
	wait_for(120 * S_MS);
	assert_int_equal(sessions_count(engine->sessions), 0);
}

static void
what_is_not_asked_for_makes_no_visit(void **state)
{
	(void)state;
	only("a", "{}");
	tell("pos/9/event", "return.completed",
	    "{'subject':'" ANNA "','return':'r','total':5,'currency':'EUR'," ITEMS "}");
	assert_said("");
	assert_int_equal(sessions_count(engine->sessions), 0);
}

static void
a_return_without_a_card_is_of_the_basket_at_that_till(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.return.completed']}");
	open_basket("b");
	tell("pos/8/event", "return.completed",
	    "{'return':'q','total':5,'currency':'EUR'," ITEMS "}");
	assert_said("");
	tell("pos/7/event", "return.completed",
	    "{'return':'r','total':5,'currency':'EUR'," ITEMS "}");
	assert_said("guidance 7: a");
}

static void
a_case_of_somebody_who_is_not_here_is_shown_nowhere(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.care.case-opened']}");
	open_basket("b");
	tell("care/event", "care.case-opened",
	    "{'subject':'" ANNA "','case':'k','topic':'t','severity':1}");
	assert_said("");
	assert_int_equal(sessions_count(engine->sessions), 1);
	identify(ANNA);
	tell("care/event", "care.case-opened",
	    "{'subject':'" ANNA "','case':'l','topic':'t','severity':1}");
	assert_said("guidance 7: a");
}

/* ---- which rows of two cards are the same ---- */

static void
add_purchase(const char *who, int sale, int64_t at_ms, int64_t total_minor, int64_t back_milli,
    size_t lines)
{
	struct purchase_line goods = { .item = (char[]){ "i" },
		.category = (char[]){ "c" },
		.qty_milli = 1000,
		.amount_minor = 1 };
	struct purchase_line two[2] = { goods, goods };
	struct purchase purchase = { .visit = { { 3, (uint8_t)sale } },
		.at_ms = at_ms,
		.sold_ms = at_ms,
		.total_minor = total_minor,
		.back_milli = back_milli,
		.lines = two,
		.line_count = lines };
	struct buf row = { 0 };

	purchase_encode(&purchase, &row);
	assert_int_equal(subject_add_log(customer(who), SUBJECT_LOG_PURCHASE, row.data, row.len),
	    0);
	buf_done(&row);
}

static int
count_row(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	(void)n;
	(void)at_ms;
	(void)body;
	(void)len;
	*(int *)ctx += kind == SUBJECT_LOG_PURCHASE;
	return 0;
}

/* Ben becomes Anna. A row that is there already is written once, but for what came back of it since. */
static void
of_two_cards_a_purchase_is_written_once_and_again_if_more_of_it_came_back(void **state)
{
	static const struct {
		int sale;
		int64_t at_ms, total_minor, back_milli;
		size_t lines;
		int written;
	} cases[] = {
		{ 1, T0, 100, 0, 2, 0 },
		{ 1, T0, 100, 0, 1, 1 },
		{ 1, T0, 99, 0, 2, 1 },
		{ 1, T0, 50, 1000, 1, 1 },
		{ 2, T0, 100, 0, 2, 1 },
		{ 1, T0 + 1, 100, 0, 2, 1 },
		{ 3, T0, 70, 1000, 2, 1 }, /* of what Anna's has less of */
		{ 3, T0, 70, 3000, 2, 1 },
		{ 3, T0, 70, 2000, 2, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct id anna = subject_of(ANNA);
		int rows = 0, want;

		tear_down(NULL);
		set_up(NULL);
		add_purchase(ANNA, 1, T0, 100, 0, 2);
		add_purchase(ANNA, 3, T0, 70, 2000, 2);
		add_purchase(BEN, cases[i].sale, cases[i].at_ms, cases[i].total_minor,
		    cases[i].back_milli, cases[i].lines);
		tell("care/event", "customer.merged", "{'subject':'" BEN "','into':'" ANNA "'}");
		assert_int_equal(store_log_each(engine->store, STORE_LOG_SUBJECT, &anna, count_row,
				     &rows),
		    0);
		want = cases[i].written;
		if (i == 6)
			want = 0; /* Anna's is without more of it */
		if (rows != want)
			fail_msg("case %zu: %d rows", i, rows);
	}
}

/* ---- who is here ---- */

static void
a_till_speaks_for_who_is_at_it_or_waits_at_its_station(void **state)
{
	static const struct {
		const char *reader, *station, *speaker;
		bool may;
	} cases[] = {
		{ "loyalty/r/event", "7", "pos/7/event", true },
		{ "loyalty/r/event", "7", "pos/8/event", false },
		{ "loyalty/r/event", "r", "loyalty/r/event", true },
		{ "loyalty/r/event", "r", "loyalty/q/event", false },
		{ "pos/7/event", "7", "pos/7/event", true },
		{ "pos/7/event", "7", "pos/8/event", false },
		{ "pos/7/event", "7", "loyalty/7/event", true },
		{ "pos/7/event", "9", "loyalty/7/event", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		tear_down(NULL);
		set_up(NULL);
		free(conf.loyalty_desks);
		conf.loyalty_desks = mem_strdup("service");
		if (strncmp(cases[i].reader, "pos", 3) == 0)
			tell(cases[i].reader, "basket.opened", "{'basket':'b','terminal':'7'}");
		tell(cases[i].reader, "customer.identified",
		    "{'subject':'" ANNA "','station':'%s'}", cases[i].station);
		tell(cases[i].speaker, "consent.changed",
		    "{'subject':'" ANNA "','purpose':'profile','state':'granted'}");
		if (consent_granted(customer(ANNA), CONSENT_PROFILE, now_ms) != cases[i].may)
			fail_msg("case %zu: %s", i, said());
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(
		    of_two_cards_a_purchase_is_written_once_and_again_if_more_of_it_came_back),
		SPINE_TEST(a_till_speaks_for_who_is_at_it_or_waits_at_its_station),
		SPINE_TEST(a_purchase_is_kept_only_with_consent_to_a_profile),
		SPINE_TEST(consent_that_ends_is_none_from_that_instant_on),
		SPINE_TEST(training_and_cancelled_baskets_are_no_purchases),
		SPINE_TEST(a_purchase_that_turns_out_to_be_training_is_taken_back_also_on_disk),
		SPINE_TEST(a_post_void_takes_the_purchase_back_also_on_disk),
		SPINE_TEST(incidents_are_kept_only_with_consent_to_a_profile),
		SPINE_TEST(each_incident_counts_by_its_kind),
		SPINE_TEST(what_is_sensitive_leaves_no_incident),
		SPINE_TEST(who_takes_their_consent_back_is_shown_nothing_more),
		SPINE_TEST(headquarters_hears_of_consent_and_never_of_a_card_number),
		SPINE_TEST(headquarters_hears_of_consent_what_it_is_and_nothing_beside_it),
		SPINE_TEST(without_a_headquarters_nothing_waits_for_it),
		SPINE_TEST(what_a_stranger_was_told_counts_for_the_customer_they_turn_out_to_be),
		SPINE_TEST(a_card_without_a_basket_waits_two_minutes),
		SPINE_TEST(a_card_that_waited_is_in_the_basket_that_opens),
		SPINE_TEST(a_basket_that_nothing_is_heard_of_for_twelve_hours_is_over),
		SPINE_TEST(the_words_are_in_the_customers_language_only_with_their_consent),
		SPINE_TEST(a_case_that_is_closed_is_credited_to_the_service_cards_of_that_customer),
		SPINE_TEST(a_letter_of_headquarters_counts_for_the_group_of_its_action),
		SPINE_TEST(what_one_card_bought_the_other_has_bought_once),
		SPINE_TEST(contacts_of_one_instant_are_told_apart_by_card_and_outcome),
		SPINE_TEST(the_open_basket_of_a_card_that_is_merged_is_the_others),
		SPINE_TEST_ON_DISK(
		    each_open_basket_of_a_card_that_is_merged_is_the_others_after_a_restart_too),
		SPINE_TEST(a_card_that_is_merged_into_itself_stays_as_it_is),
		SPINE_TEST(a_return_at_the_desk_is_decided_about_where_it_happens),
		SPINE_TEST(what_is_not_asked_for_makes_no_visit),
		SPINE_TEST(a_return_without_a_card_is_of_the_basket_at_that_till),
		SPINE_TEST(a_case_of_somebody_who_is_not_here_is_shown_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
