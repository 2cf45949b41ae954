/* SPDX-License-Identifier: Apache-2.0
 *
 * test_due.c - what is due: it comes at its time, also after timers were lost, and also when the store was started
 * again in between.
 */
#include "spine_story.h"

/* ---- the rows ---- */

/* As a damaged page takes them. */
static void
lose_timers(void)
{
	int64_t due_ms;
	char id[128];

	assert_int_equal(store_begin(engine->store), 0);
	while (store_timer_first(engine->store, &due_ms, id) == 0)
		assert_int_equal(store_timer_delete(engine->store, due_ms, id), 0);
	assert_int_equal(store_commit(engine->store), 0);
}

/* Kinds and seconds from now, in their order; they stay as they are. */
static const char *
timers(void)
{
	int64_t due_ms;
	char id[128];
	struct buf list = { 0 };
	const char *text;

	assert_int_equal(store_begin(engine->store), 0);
	while (store_timer_first(engine->store, &due_ms, id) == 0) {
		buf_addf(&list, "%s%.*s %lld", list.len > 0 ? ", " : "", (int)strcspn(id, "/"), id,
		    (long long)(due_ms - now_ms) / S_MS);
		assert_int_equal(store_timer_delete(engine->store, due_ms, id), 0);
	}
	store_rollback(engine->store);
	text = arena_strdup(texts, list.len > 0 ? list.data : "");
	buf_done(&list);
	return text;
}

/* ---- after damage ---- */

static void
timers_that_were_lost_are_there_again_after_a_start(void **state)
{
	(void)state;
	conf.uplink_aggregates = true;
	restart();
	a_policy("{}");
	an_action("a",
	    "{'outcome':{'is':'bought','within':'1d','item':{'category':'m'}},'kind':'remind'}");
	an_action("o", "{'group':'h'," OFFER_OF("") "}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	tell("loyalty/r9/event", "customer.identified", "{'subject':'" ANNA "','station':'9'}");
	assert_string_equal(timers(),
	    "ask 5, card 120, wait 120, hour 3600, idle 43200, window 86400");
	lose_timers();
	assert_string_equal(timers(), "");
	restart();
	assert_string_equal(timers(),
	    "ask 5, card 120, wait 120, hour 3600, idle 43200, window 86400");
	/* None is there twice, and what has no timer gets none. */
	restart();
	wait_for(120 * S_MS);
	restart();
	assert_string_equal(timers(), "hour 3480, idle 43080, window 86280");
	wait_for(D_MS);
	assert_string_equal(timers(), "");
	assert_int_equal(sessions_count(engine->sessions), 0);
	restart();
	assert_string_equal(timers(), "");
}

/* ---- snoozed ---- */

static void
a_snoozed_card_comes_back_at_its_time_by_itself_also_after_a_restart(void **state)
{
	char *first;

	(void)state;
	/* Once in a week: it is the same showing, put off. */
	only("a",
	    "{'personal':false,'caps':[{'per':'customer','outcome':'shown','max':1,'within':'7d'}]"
	    "}");
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	assert_int_equal(show("a", true), 200);
	first = arena_strdup(texts, prompt_of("a"));
	assert_int_equal(answer("a", "snooze"), 200);
	assert_said("guidance 7: a(answered)");
	wait_for(5 * MIN_MS - 1);
	assert_said("");
	restart();
	wait_for(1);
	assert_said("guidance 7: a");
	assert_string_not_equal(prompt_of("a"), first);
	assert_int_equal(decisions, 2);
	assert_non_null(strstr(record.data, "\"trigger\":{\"source\":\"timer\",\"id\":\"snooze/"));
	assert_int_equal(answer("a", "dismiss"), 200);
	scan("b", "c", 100);
	assert_said("");
	assert_string_equal(fate_in_record("a"), "contact");
}

static void
what_was_snoozed_is_gated_again(void **state)
{
	(void)state;
	only("a", "{'applicable':{'<':[{'var':'total'},500]}}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("a", "snooze"), 200);
	scan("b", "c", 600);
	wait_for(5 * MIN_MS);
	assert_said("");
	assert_string_equal(fate_in_record("a"), "applicability");
}

static void
until_may_be_said_and_a_time_that_has_passed_is_now(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer_with("a", "{'decision':'snooze','until':'2026-11-21T10:01:00Z'}",
			     NULL),
	    200);
	wait_for(MIN_MS - 1);
	assert_said("");
	wait_for(1);
	assert_said("guidance 7: a");
	assert_int_equal(answer_with("a", "{'decision':'snooze','until':'2026-11-21T09:00:00Z'}",
			     NULL),
	    200);
	wait_for(0);
	assert_said("guidance 7: a");
	/* Longer than any visit: there is nothing to wait for. */
	assert_int_equal(answer_with("a", "{'decision':'snooze','until':'2026-12-21T09:00:00Z'}",
			     NULL),
	    200);
	assert_null(strstr(timers(), "snooze"));
}

/* While nobody looks, it waits; and comes once. */
static void
what_comes_back_waits_for_a_sale_that_is_suspended_or_paid(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("a", "snooze"), 200);
	tell("pos/7/event", "basket.suspended", "{'basket':'b'}");
	wait_for(5 * MIN_MS);
	assert_said("");
	assert_int_equal(decisions, 1);
	tell("pos/7/event", "basket.resumed", "{'basket':'b'}");
	wait_for(MIN_MS);
	assert_said("guidance 7: a");
	assert_int_equal(decisions, 2);
	assert_int_equal(answer("a", "snooze"), 200);
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	wait_for(10 * MIN_MS);
	assert_said("");
	close_basket("b", 100);
	wait_for(H_MS);
	assert_said("");
	assert_int_equal(decisions, 2);
	assert_null(strstr(timers(), "snooze"));
}

/* ---- what ends at a time that was said ---- */

static void
grant_until(const char *purpose, const char *until)
{
	tell("loyalty/r1/event", "consent.changed",
	    "{'subject':'" ANNA "','purpose':'%s','state':'granted','until':'%s'}", purpose, until);
}

static void
what_a_consent_let_be_shown_leaves_with_it(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'personal':true,'expires':'3600s'}");
	grant_until("personalise", "2026-11-21T10:05:00Z");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	wait_for(5 * MIN_MS - 1);
	assert_said("");
	restart();
	wait_for(1);
	assert_said("withdraw 7 consent");
	assert_string_equal(timers(), "idle 42900");
}

static int
profile_of_anna(void *ctx, const struct id *subject, struct buf *out)
{
	(void)ctx;
	(void)subject;
	buf_adds(out, "{\"consent\":{\"personalise\":\"granted\"}}");
	return 0;
}

/* At the start the visits are there before headquarters' profiles are. */
static void
who_stands_there_at_a_start_is_known_by_headquarters_profile_too(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'personal':true}");
	engine_set_profiles(engine, profile_of_anna, NULL);
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	restart();
	engine_set_profiles(engine, profile_of_anna, NULL);
	open_basket("c");
	identify(ANNA);
	assert_said("guidance 7: a");
}

static void
a_consent_that_is_given_again_ends_later_and_one_of_today_ends_what_is_open(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'personal':true,'expires':'3600s'}");
	grant(ANNA, "personalise");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	grant_until("personalise", "2026-11-21T10:05:00Z");
	grant_until("personalise", "2026-11-21T10:10:00Z");
	wait_for(5 * MIN_MS);
	assert_said("");
	wait_for(5 * MIN_MS);
	assert_said("withdraw 7 consent");
}

static void
a_consent_until_a_time_that_has_passed_ends_at_once(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified'],'personal':true,'expires':'3600s'}");
	grant(ANNA, "personalise");
	open_basket("b");
	identify(ANNA);
	assert_said("guidance 7: a");
	grant_until("personalise", "2026-11-21T10:00:00Z");
	assert_said("withdraw 7 consent");
}

static void
what_is_for_later_ends_with_the_consent_to_contact_and_nothing_else_does(void **state)
{
	const struct visit *visit;

	(void)state;
	a_policy("{}");
	an_action("a", "{'expires':'3600s'}");
	an_action("l", "{'placements':['later'],'gate':'none','group':'l','expires':'3600s'}");
	in_force();
	grant(ANNA, "personalise");
	grant_until("contact", "2026-11-21T10:05:00Z");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	visit = visit_of("b");
	assert_int_equal(visit->card_count, 2);
	wait_for(5 * MIN_MS);
	assert_said("");
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(visit->cards[i].state,
		    visit->cards[i].placement == PLACE_LATER ? CARD_GONE : CARD_OPEN);
	/* By word, too. */
	grant(ANNA, "contact");
	scan("b", "c", 100);
	tell("loyalty/r1/event", "consent.changed",
	    "{'subject':'" ANNA "','purpose':'contact','state':'denied'}");
	assert_said("");
	for (size_t i = 0; i < visit->card_count; i++)
		assert_true(visit->cards[i].placement != PLACE_LATER ||
		    visit->cards[i].state == CARD_GONE);
}

static void
a_card_does_not_outlive_its_action(void **state)
{
	static const struct {
		const char *valid;
		int64_t lasts_ms;
	} cases[] = {
		{ "{'from':'2026-01-01T00:00:00Z','until':'2026-11-21T10:07:30.250Z'}",
		    7 * MIN_MS + 30250 },
		{ "{'hours':['08:00','10:20']}", 20 * MIN_MS },
		{ "{'hours':['08:00','24:00']}", D_MS - 10 * H_MS },
		{ "{'days':['sat']}", D_MS - 10 * H_MS },
		{ "{'days':['sat','sun']}", 2 * D_MS - 10 * H_MS },
		{ "{'days':['sat','sun'],'hours':['08:00','10:20']}", 20 * MIN_MS },
		{ "{'from':'2026-01-01T00:00:00Z'}", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char basket[8];

		memset(&parts, 0, sizeof(parts));
		only("a", arena_printf(texts, "{'expires':'7d','valid':%s}", cases[i].valid));
		snprintf(basket, sizeof(basket), "b%zu", i);
		scan(basket, "c", 100);
		assert_int_equal(visit_of(basket)->cards[0].expires_ms - now_ms,
		    cases[i].lasts_ms != 0 ? cases[i].lasts_ms : 7 * D_MS);
		close_basket(basket, 100);
	}
}

/* ---- suspended ---- */

/* What is heard of it in between puts its end off, and does not take it away. */
static void
a_suspended_sale_ends_72_hours_after_the_last_that_was_heard_of_it(void **state)
{
	const char *basket = "b", *suspended = "{'basket':'b'}";

	(void)state;
	only("a", "{}");
	for (int restarts = 0; restarts < 2; restarts++) {
		open_basket(basket);
		tell("pos/7/event", "basket.suspended", "%s", suspended);
		wait_for(H_MS);
		late_ms = 2 * H_MS;
		scan(basket, "c", 100);
		late_ms = 0;
		if (restarts)
			restart();
		wait_for(72 * H_MS - 1);
		assert_int_equal(visit_of(basket)->state, VISIT_SUSPENDED);
		if (restarts)
			restart();
		wait_for(1);
		assert_null(visit_of(basket));
		wait_for(7 * D_MS);
		assert_string_equal(timers(), "");
		basket = "c";
		suspended = "{'basket':'c'}";
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST_ON_DISK(
		    a_snoozed_card_comes_back_at_its_time_by_itself_also_after_a_restart),
		SPINE_TEST(what_was_snoozed_is_gated_again),
		SPINE_TEST(until_may_be_said_and_a_time_that_has_passed_is_now),
		SPINE_TEST(what_comes_back_waits_for_a_sale_that_is_suspended_or_paid),
		SPINE_TEST_ON_DISK(what_a_consent_let_be_shown_leaves_with_it),
		SPINE_TEST(a_consent_until_a_time_that_has_passed_ends_at_once),
		SPINE_TEST_ON_DISK(
		    who_stands_there_at_a_start_is_known_by_headquarters_profile_too),
		SPINE_TEST(
		    a_consent_that_is_given_again_ends_later_and_one_of_today_ends_what_is_open),
		SPINE_TEST(
		    what_is_for_later_ends_with_the_consent_to_contact_and_nothing_else_does),
		SPINE_TEST(a_card_does_not_outlive_its_action),
		SPINE_TEST_ON_DISK(
		    a_suspended_sale_ends_72_hours_after_the_last_that_was_heard_of_it),
		SPINE_TEST_ON_DISK(timers_that_were_lost_are_there_again_after_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
