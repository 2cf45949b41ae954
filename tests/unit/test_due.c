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

/* ---- what is not there, or not so any more ---- */

static void
due_now(const char *kind, const char *object)
{
	char id[200];

	snprintf(id, sizeof(id), "%s/%s/%lld", kind, object, (long long)now_ms);
	assert_int_equal(store_begin(engine->store), 0);
	assert_int_equal(store_timer_add(engine->store, now_ms, id), 0);
	assert_int_equal(store_commit(engine->store), 0);
}

static void
a_timer_of_what_is_not_there_does_nothing(void **state)
{
	static const char *const kinds[] = { "card", "ask", "snooze", "consent", "wait", "idle",
		"suspended", "window", "return", "other" };
	char unknown[ID_TEXT_SIZE], visit[ID_TEXT_SIZE];
	const char *before;

	(void)state;
	only("a", "{'expires':'3600s'}");
	open_basket("b");
	scan("b", "c", 100);
	id_text(&visit_of("b")->id, visit);
	id_text(&(struct id){ { 7 } }, unknown);
	before = timers();
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		due_now(kinds[i], "no-id");
		due_now(kinds[i], unknown);
		due_now(kinds[i], visit);
		wait_for(0);
		assert_said("");
		assert_int_equal(visit_of("b")->state, VISIT_OPEN);
		assert_int_equal(visit_of("b")->cards[0].state, CARD_OPEN);
	}
	assert_string_equal(timers(), before);
}

static void
a_timer_whose_name_is_none_is_dropped(void **state)
{
	char at[24], longest[128], names[6][160];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[127] = '\0';
	snprintf(at, sizeof(at), "%lld", (long long)now_ms);
	snprintf(names[0], sizeof(names[0]), "idle");
	snprintf(names[1], sizeof(names[1]), "idle/");
	snprintf(names[2], sizeof(names[2]), "/");
	snprintf(names[3], sizeof(names[3]), "//");
	snprintf(names[4], sizeof(names[4]), "i/%.120s/", longest);
	snprintf(names[5], sizeof(names[5]), "%.127s", longest);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(store_begin(engine->store), 0);
		assert_int_equal(store_timer_add(engine->store, now_ms, names[i]), 0);
		assert_int_equal(store_commit(engine->store), 0);
		wait_for(0);
		assert_said("");
	}
	assert_string_equal(timers(), "");
}

static const struct card *
card_of(const char *prompt)
{
	struct id id;

	assert_true(id_parse(prompt, &id));
	return visit_card(visit_of("b"), &id);
}

static void
a_timer_of_what_is_not_so_any_more_does_nothing(void **state)
{
	static const char *const kinds[] = { "card", "ask", "snooze" };
	const char *prompts[4];

	(void)state;
	a_policy("{'placements':{'tablet':{'slots':4,'headline_max':40}}}");
	an_action("open", "{'expires':'3600s'}");
	an_action("gone", "{'group':'h','expires':'3600s'}");
	an_action("asked", "{'group':'i','expires':'3600s'," OFFER_OF("") "}");
	an_action("later", "{'group':'j','expires':'3600s'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	prompts[0] = prompt_of("open");
	prompts[1] = prompt_of("gone");
	prompts[2] = prompt_of("asked");
	prompts[3] = prompt_of("later");
	assert_int_equal(answer("gone", "dismiss"), 200);
	assert_int_equal(answer("later", "snooze"), 200);
	assert_int_equal(answer("asked", "accept"), 200);
	for (size_t i = 0; i < 4; i++) {
		enum card_state was = card_of(prompts[i])->state;

		for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
			bool so = (k == 0 && was == CARD_OPEN) || (k == 1 && was == CARD_ASKED) ||
			    (k == 2 && card_of(prompts[i])->answer == ANSWER_SNOOZE);

			if (so)
				continue;
			due_now(kinds[k], prompts[i]);
			wait_for(0);
			assert_said("");
			assert_int_equal(card_of(prompts[i])->state, was);
			assert_int_equal(visit_of("b")->card_count, 4);
		}
	}
	/* And what is so ends. */
	due_now("ask", prompts[2]);
	wait_for(0);
	assert_non_null(strstr(said(), "offer"));
	due_now("card", prompts[0]);
	wait_for(0);
	assert_string_equal(text_of(screen, "station"), "7");
	assert_int_equal(card_of(prompts[0])->state, CARD_GONE);
}

static void
a_card_that_is_withheld_ends_without_a_word(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{'expires':'60s'}");
	an_action("k", "{'group':'h','expires':'30s'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a k");
	visit_of("b")->cards[1].withheld = true;
	wait_for(30 * S_MS);
	assert_said("");
	assert_int_equal(visit_of("b")->cards[1].state, CARD_GONE);
}

/* ---- a card scan that waits for a basket ---- */

static void
a_card_that_is_read_again_waits_from_then_on(void **state)
{
	(void)state;
	only("a", "{}");
	identify(ANNA);
	wait_for(60 * S_MS);
	identify(ANNA);
	wait_for(60 * S_MS);
	assert_int_equal(sessions_count(engine->sessions), 1);
	assert_string_equal(timers(), "wait 60");
	wait_for(60 * S_MS - 1);
	assert_int_equal(sessions_count(engine->sessions), 1);
	wait_for(1);
	assert_int_equal(sessions_count(engine->sessions), 0);
	assert_string_equal(timers(), "");
}

static void
who_is_spoken_of_at_no_till_waits_as_a_card_does_also_after_timers_were_lost(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.consent.changed']}");
	grant(ANNA, "profile");
	assert_int_equal(sessions_count(engine->sessions), 1);
	assert_string_equal(timers(), "card 120, wait 120");
	lose_timers();
	restart();
	assert_string_equal(timers(), "card 120, wait 120");
	wait_for(120 * S_MS - 1);
	assert_int_equal(sessions_count(engine->sessions), 1);
	wait_for(1);
	assert_int_equal(sessions_count(engine->sessions), 0);
}

/* ---- a basket that nobody ends ---- */

static void
an_open_basket_ends_12_hours_after_the_last_that_was_heard_of_it(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	wait_for(11 * H_MS);
	scan("b", "c", 100);
	wait_for(H_MS);
	assert_string_equal(timers(), "idle 39600");
	wait_for(11 * H_MS - 1);
	assert_int_equal(visit_of("b")->state, VISIT_OPEN);
	wait_for(1);
	assert_null(visit_of("b"));
	/* One that is suspended has its own end. */
	open_basket("d");
	tell("pos/7/event", "basket.suspended", "{'basket':'d'}");
	wait_for(13 * H_MS);
	assert_string_equal(timers(), "idle 39600, suspended 212400");
	tell("pos/7/event", "basket.resumed", "{'basket':'d'}");
	wait_for(11 * H_MS);
	assert_int_equal(visit_of("d")->state, VISIT_OPEN);
	wait_for(H_MS);
	assert_null(visit_of("d"));
}

/* ---- snoozed, and nobody to show it to ---- */

static void
what_was_snoozed_does_not_come_back_without_a_sale_a_policy_or_a_customer_who_buys(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("a", "snooze"), 200);
	visit_of("b")->training = true;
	wait_for(5 * MIN_MS);
	assert_said("");
	open_basket("d");
	scan("d", "c", 100);
	assert_int_equal(answer("a", "snooze"), 200);
	engine_drop_policy(engine);
	wait_for(5 * MIN_MS);
	assert_said("");
	assert_int_equal(decisions, 2);
	assert_null(strstr(timers(), "snooze"));
}

/* Whatever made it wait: at the next turn in which there is somebody to show it to. */
static void
what_was_due_while_the_sale_stood_still_comes_back_when_it_goes_on(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("a", "snooze"), 200);
	tell("pos/7/event", "basket.suspended", "{'basket':'b'}");
	wait_for(6 * MIN_MS);
	assert_null(strstr(timers(), "snooze"));
	restart();
	tell("pos/7/event", "basket.resumed", "{'basket':'b'}");
	wait_for(1);
	assert_said("guidance 7: a");
	wait_for(MIN_MS);
	assert_said("");
	/* The customer who pays is not spoken to, the one who goes on buying is. */
	assert_int_equal(answer("a", "snooze"), 200);
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	wait_for(6 * MIN_MS);
	tell("pos/7/event", "basket.payment-declined", "{'basket':'b'}");
	wait_for(1);
	assert_said("");
	scan("b", "d", 100);
	assert_said("guidance 7: a");
	wait_for(MIN_MS);
	assert_said("");
}

/* The payment that failed draws the action anew: there is nothing left to bring back. */
static void
what_was_due_while_the_customer_paid_is_due_no_more_once_a_newer_card_is_there(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.basket.item-added','aisle.basket.payment-declined']}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("a", "snooze"), 200);
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	wait_for(6 * MIN_MS);
	tell("pos/7/event", "basket.payment-declined", "{'basket':'b'}");
	scan("b", "c", 100);
	assert_int_equal(visit_of("b")->card_count, 2);
	wait_for(1);
	assert_false(visit_of("b")->cards[0].overdue);
	scan("b", "c", 100);
	assert_null(strstr(timers(), "snooze"));
}

static void
what_was_due_while_the_sale_was_suspended_comes_back_where_it_goes_on(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("a", "snooze"), 200);
	tell("pos/7/event", "basket.suspended", "{'basket':'b'}");
	wait_for(6 * MIN_MS);
	tell("pos/8/event", "basket.opened", "{'basket':'b','terminal':'8','from':'7'}");
	wait_for(1);
	assert_said("guidance 8: a");
}

static void
who_pays_is_not_kept_from_what_comes_back_if_the_policy_says_so(void **state)
{
	(void)state;
	a_policy("{'quiet':{'tender':false}}");
	an_action("a", "{}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("a", "snooze"), 200);
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	wait_for(5 * MIN_MS);
	assert_said("guidance 7: a");
}

/* A restart may have left it behind. */
static void
an_hour_in_which_nothing_was_counted_is_told_to_nobody(void **state)
{
	(void)state;
	conf.uplink_aggregates = true;
	restart();
	due_now("hour", "0");
	wait_for(0);
	assert_heard(LANE_TELEMETRY, "");
	assert_string_equal(timers(), "");
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	wait_for(H_MS);
	assert_heard(LANE_TELEMETRY, "aggregate");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(an_hour_in_which_nothing_was_counted_is_told_to_nobody),
		SPINE_TEST_ON_DISK(
		    a_snoozed_card_comes_back_at_its_time_by_itself_also_after_a_restart),
		SPINE_TEST(what_was_snoozed_is_gated_again),
		SPINE_TEST(
		    what_was_due_while_the_customer_paid_is_due_no_more_once_a_newer_card_is_there),
		SPINE_TEST(a_timer_of_what_is_not_there_does_nothing),
		SPINE_TEST(a_timer_whose_name_is_none_is_dropped),
		SPINE_TEST(a_timer_of_what_is_not_so_any_more_does_nothing),
		SPINE_TEST(a_card_that_is_withheld_ends_without_a_word),
		SPINE_TEST(a_card_that_is_read_again_waits_from_then_on),
		SPINE_TEST_ON_DISK(
		    who_is_spoken_of_at_no_till_waits_as_a_card_does_also_after_timers_were_lost),
		SPINE_TEST(an_open_basket_ends_12_hours_after_the_last_that_was_heard_of_it),
		SPINE_TEST(
		    what_was_snoozed_does_not_come_back_without_a_sale_a_policy_or_a_customer_who_buys),
		SPINE_TEST_ON_DISK(
		    what_was_due_while_the_sale_stood_still_comes_back_when_it_goes_on),
		SPINE_TEST(what_was_due_while_the_sale_was_suspended_comes_back_where_it_goes_on),
		SPINE_TEST(who_pays_is_not_kept_from_what_comes_back_if_the_policy_says_so),
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
