/* SPDX-License-Identifier: Apache-2.0
 *
 * test_answer.c - what a person says of a card, and what the till says of an offer.
 */
#include "spine_story.h"

/* A card a and an offer o, both open. */
static void
two_cards_under(const char *policy)
{
	a_policy(policy);
	an_action("a", "{}");
	an_action("o",
	    "{'group':'h'," OFFER_OF("") ",'budget':{'per':'campaign','money':1000,'units':9}}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a o");
	assert_heard(LANE_DECISION, "decision");
}

static void
two_cards(void)
{
	two_cards_under("{}");
}

static struct reply
tap(const char *guidance, const char *prompt, const char *decision)
{
	return answer_prompt(guidance, prompt, arena_printf(texts, "{'decision':'%s'}", decision),
	    NULL, false);
}

static int64_t
held(void)
{
	return hold_today(engine, "o").all_money_minor;
}

/* ---- shown ---- */

static void
a_card_is_reported_as_shown_once_and_not_the_other_way_after_it(void **state)
{
	struct reply reply;

	(void)state;
	two_cards();
	now_ms += 7;
	assert_int_equal(show("a", true), 200);
	assert_heard(LANE_DECISION, "shown");
	now_ms += 5;
	reply = answer_prompt(guidance_on_screen(), prompt_of("a"), "{'shown':true}", NULL, true);
	assert_int_equal(reply.status, 200);
	assert_non_null(strstr(reply.body, "\"shown\":true,\"at\":\"2026-11-21T10:00:00.007Z\""));
	assert_int_equal(show("a", false), 409);
	assert_heard(LANE_DECISION, "");
	assert_int_equal(show("o", false), 200);
	assert_heard(LANE_DECISION, "not-shown");
	reply = answer_prompt(guidance_on_screen(), prompt_of("o"), "{'shown':false}", NULL, true);
	assert_non_null(strstr(reply.body, "\"shown\":false"));
	assert_int_equal(show("o", true), 409);
}

static void
without_a_word_on_it_shown_is_shown(void **state)
{
	(void)state;
	two_cards();
	assert_int_equal(answer_prompt(guidance_on_screen(), prompt_of("a"), "{}", NULL, true)
			     .status,
	    200);
	assert_heard(LANE_DECISION, "shown");
}

static void
a_prompt_is_answered_in_its_own_guidance_only(void **state)
{
	const char *guidance, *prompt;

	(void)state;
	two_cards();
	guidance = guidance_on_screen();
	prompt = prompt_of("a");
	assert_int_equal(tap(prompt, prompt, "dismiss").status, 404);
	assert_int_equal(tap("no", prompt, "dismiss").status, 404);
	assert_int_equal(tap(guidance, guidance, "dismiss").status, 404);
	assert_int_equal(tap(guidance, "no", "dismiss").status, 404);
	assert_int_equal(answer_prompt(prompt, prompt, "{}", NULL, true).status, 404);
	assert_heard(LANE_DECISION, "");
	assert_int_equal(tap(guidance, prompt, "dismiss").status, 200);
}

static void
what_was_withheld_cannot_be_answered(void **state)
{
	char prompt[ID_TEXT_SIZE], guidance[ID_TEXT_SIZE];
	struct visit *visit;

	(void)state;
	two_cards();
	visit = visit_of("b");
	visit->cards[0].withheld = true;
	id_text(&visit->cards[0].prompt, prompt);
	id_text(&visit->cards[0].guidance, guidance);
	assert_int_equal(tap(guidance, prompt, "accept").status, 404);
}

/* ---- decided ---- */

static void
each_answer_is_an_outcome_and_stays_on_the_screen_answered(void **state)
{
	static const struct {
		const char *decision, *heard;
	} answers[] = {
		{ "accept", "decision; accepted" },
		{ "dismiss", "decision; dismissed" },
		{ "snooze", "decision; snoozed" },
		{ "override", "decision; overridden" },
	};

	(void)state;
	only("a", "{}");
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const char *basket = arena_printf(texts, "b%zu", i);

		now_ms += 1000;
		open_basket(basket);
		scan(basket, "c", 100);
		assert_int_equal(answer("a", answers[i].decision), 200);
		assert_said("guidance 7: a(answered)");
		assert_heard(LANE_DECISION, answers[i].heard);
		wait_for(120 * S_MS);
		assert_said("");
		assert_heard(LANE_DECISION, "");
		close_basket(basket, 100);
		assert_said("withdraw 7 closed");
	}
}

static void
the_same_answer_again_gets_the_same_reply_and_another_none(void **state)
{
	const char *guidance, *prompt;
	struct reply first, again;
	char *body;

	(void)state;
	two_cards();
	guidance = guidance_on_screen();
	prompt = prompt_of("a");
	first = tap(guidance, prompt, "dismiss");
	body = arena_strdup(texts, first.body);
	now_ms += S_MS;
	again = tap(guidance, prompt, "dismiss");
	assert_int_equal(again.status, 200);
	assert_string_equal(again.body, body);
	assert_said("");
	assert_int_equal(tap(guidance, prompt, "accept").status, 409);
	assert_int_equal(answer_prompt(guidance, prompt,
			     "{'decision':'dismiss','reason':'not-relevant'}", NULL, false)
			     .status,
	    409);
	assert_heard(LANE_DECISION, "dismissed");
}

static void
an_override_and_a_dismissal_say_why(void **state)
{
	(void)state;
	two_cards();
	assert_int_equal(answer_with("a", "{'decision':'dismiss','reason':'too-busy'}", NULL), 200);
	assert_int_equal(answer_with("o", "{'decision':'override','reason':'insensitive'}", NULL),
	    200);
	assert_heard(LANE_DECISION, "dismissed (too-busy); overridden:insensitive");
}

static void
a_card_may_be_answered_until_it_expires(void **state)
{
	(void)state;
	two_cards();
	now_ms += 120 * S_MS - 1;
	assert_int_equal(answer("a", "dismiss"), 200);
	now_ms += 1;
	assert_int_equal(answer("o", "dismiss"), 410);
	assert_heard(LANE_DECISION, "dismissed; expired (expired)");
}

static void
a_snoozed_card_sleeps_as_long_as_is_said_and_else_for_five_minutes(void **state)
{
	(void)state;
	two_cards();
	assert_int_equal(answer("a", "snooze"), 200);
	assert_int_equal(visit_of("b")->cards[0].snooze_until_ms, now_ms + 5 * MIN_MS);
	assert_int_equal(answer_with("o", "{'decision':'snooze','until':'2026-11-21T10:01:00Z'}",
			     NULL),
	    200);
	assert_int_equal(visit_of("b")->cards[1].snooze_until_ms, T0 + MIN_MS);
	assert_int_equal(held(), 0);
}

static void
an_offer_is_not_taken_while_they_pay_and_what_costs_nothing_is(void **state)
{
	(void)state;
	two_cards_under("{'quiet':{'tender':false}}");
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	assert_said("");
	assert_int_equal(answer("o", "accept"), 410);
	assert_said("");
	assert_heard(LANE_DECISION, "late");
	assert_int_equal(answer("o", "accept"), 410);
	assert_heard(LANE_DECISION, "");
	assert_int_equal(answer("a", "accept"), 200);
	assert_heard(LANE_DECISION, "accepted");
	close_basket("b", 100);
	assert_int_equal(answer("a", "dismiss"), 409);
	assert_heard(LANE_DECISION, "withdrawn (closed)");
}

/* ---- while they pay ---- */

static void
cards_leave_while_they_pay_and_an_accept_that_comes_later_is_late(void **state)
{
	(void)state;
	two_cards();
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	assert_said("withdraw 7 tender");
	assert_heard(LANE_DECISION, "withdrawn (tender); withdrawn (tender)");
	assert_int_equal(held(), 0);
	assert_int_equal(answer("o", "accept"), 410);
	assert_said("");
	assert_int_equal(answer("o", "accept"), 410);
	assert_int_equal(answer("a", "accept"), 410);
	assert_int_equal(answer("a", "dismiss"), 410);
	assert_heard(LANE_DECISION, "late; late");
	/* Somebody puts one more article on the belt. */
	scan("b", "c", 100);
	assert_said("guidance 7: a o");
}

#define RECALL \
	"{'kind':'alert','mandatory':true,'propensity':null,'incremental':null,'margin':null," \
	"'outcome':null,'issue':'safety','group':'s'}"

static void
a_recall_stays_while_they_pay_until_it_is_answered_or_the_basket_closes(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':3}}}");
	an_action("a", "{}");
	an_action("r", RECALL);
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: r a");
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	assert_said("guidance 7: r");
	tell("pos/7/event", "basket.payment-declined", "{'basket':'b'}");
	assert_said("");
	close_basket("b", 100);
	assert_said("withdraw 7 closed");
	open_basket("c");
	scan("c", "c", 100);
	tell("pos/7/event", "basket.tender-started", "{'basket':'c'}");
	assert_said("guidance 7: r");
	assert_int_equal(answer("r", "accept"), 200);
	assert_said("guidance 7: r(answered)");
}

static void
what_is_mandatory_is_accepted_and_not_put_off_and_what_lies_beside_it_is(void **state)
{
	static const char *const other[] = { "dismiss", "snooze", "override" };

	(void)state;
	a_policy("{'placements':{'tablet':{'slots':3}}}");
	an_action("a", "{}");
	an_action("r", RECALL);
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: r a");
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		assert_int_equal(answer("r", other[i]), 409);
	assert_said("");
	assert_int_equal(answer("a", "dismiss"), 200);
	assert_int_equal(answer("r", "accept"), 200);
	assert_int_equal(answer("r", "accept"), 200);
	assert_heard(LANE_DECISION, "decision; dismissed; accepted");
}

static void
the_customers_screen_the_receipt_and_what_comes_later_are_not_hushed(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("c", "{'placements':['customer'],'gate':'customer'}");
	an_action("l", "{'placements':['later'],'gate':'none','group':'l'}");
	an_action("r", "{'placements':['receipt'],'gate':'none','group':'r'}");
	an_action("t", "{'placements':['till'],'gate':'none','group':'t'}");
	in_force();
	grant(ANNA, "personalise");
	grant(ANNA, "contact");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_said("till 7 show-message 'Do t'; till 7 print-message 'Do r'; "
		    "till 7 show-message 'Do c'; guidance 7: c");
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	assert_said("till 7 clear-message");
	for (size_t i = 0; i < visit_of("b")->card_count; i++) {
		const struct card *card = &visit_of("b")->cards[i];

		assert_int_equal(card->state,
		    card->placement == PLACE_TILL ? CARD_GONE : CARD_OPEN);
	}
	/* Gated again, they stay. */
	tell("pos/7/event", "basket.item-voided", "{'basket':'b','line':1}");
	assert_said("");
	assert_int_equal(answer("c", "accept"), 200);
}

static void
what_is_not_taken_frees_what_it_held(void **state)
{
	static const char *const no[] = { "dismiss", "snooze", "override" };

	(void)state;
	two_cards();
	assert_int_equal(held(), 40);
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		if (i > 0) {
			now_ms += H_MS;
			open_basket(arena_printf(texts, "b%zu", i));
			scan(arena_printf(texts, "b%zu", i), "c", 100);
		}
		assert_int_equal(held(), 40);
		assert_int_equal(answer("o", no[i]), 200);
		assert_int_equal(held(), 0);
	}
}

/* ---- a manager's yes ---- */

static void
a_managers_card_needs_a_pin_for_yes_and_none_for_no(void **state)
{
	(void)state;
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	a_policy("{}");
	an_action("a", "{'gate':'manager'}");
	an_action("m", "{'gate':'manager','group':'h'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("a", "dismiss"), 200);
	assert_int_equal(answer("m", "accept"), 403);
	assert_int_equal(answer_with("m", "{'decision':'accept','manager':'eve'}", "4712"), 403);
	assert_int_equal(answer_with("m", "{'decision':'accept','manager':'bob'}", "4711"), 403);
	assert_int_equal(answer_with("m", "{'decision':'accept','manager':'eve'}", "4711"), 200);
	assert_heard(LANE_DECISION, "decision; dismissed; accepted");
}

static void
a_pin_that_nothing_asked_for_is_looked_at_and_a_right_one_is_on_record(void **state)
{
	(void)state;
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	a_policy("{}");
	an_action("a", "{}");
	an_action("b", "{}");
	in_force();
	open_basket("b1");
	scan("b1", "c", 100);
	assert_int_equal(answer_with("a", "{'decision':'accept','manager':'eve'}", "4712"), 403);
	assert_int_equal(answer_with("a", "{'decision':'dismiss','manager':'bob'}", "4711"), 403);
	assert_int_equal(answer_with("a", "{'decision':'dismiss','manager':'eve'}", "4711"), 200);
	heard(LANE_DECISION);
	assert_non_null(strstr(heard_last, "\"manager\":"));
	assert_int_equal(answer_with("b", "{'decision':'accept'}", NULL), 200);
	heard(LANE_DECISION);
	assert_null(strstr(heard_last, "\"manager\":"));
}

static void
a_manager_who_is_signed_in_approves_without_a_pin_and_is_on_record_without_a_tablet(void **state)
{
	struct input input = { .kind = INPUT_ANSWER, .manager = "eve" };

	(void)state;
	a_policy("{}");
	an_action("a", "{'gate':'manager'}");
	an_action("m", "{'gate':'manager','group':'h'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	heard(LANE_DECISION);
	input.guidance = guidance_on_screen();
	input.prompt = prompt_of("m");
	input.answer = json_of("{'decision':'accept','guidance':'x','prompt':'y','manager':'bob'}");
	for (int i = 0; i < 2; i++) {
		turn(&input);
		assert_int_equal(input.result.status, 200);
	}
	json_decref(input.answer);
	assert_heard(LANE_DECISION, "accepted");
	assert_non_null(strstr(heard_last, "\"manager\":"));
	assert_null(strstr(heard_last, "\"tablet\":"));
	/* it is hers alone: the tablet beside it is asked for a PIN as before */
	assert_int_equal(answer("a", "accept"), 403);
}

static void
after_five_wrong_pins_a_right_one_is_refused_for_five_minutes(void **state)
{
	(void)state;
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	only("a", "{'gate':'manager','expires':'1h'}");
	open_basket("b");
	scan("b", "c", 100);
	for (int i = 0; i < 4; i++)
		assert_int_equal(answer_with("a", "{'decision':'accept','manager':'eve'}", "1"),
		    403);
	/* A right one in between begins the count anew: as another card's. */
	assert_int_equal(manager_check(engine, "t1", "eve", "4711"), MANAGER_OK);
	for (int i = 0; i < 5; i++)
		assert_int_equal(answer_with("a", "{'decision':'accept','manager':'eve'}", "1"),
		    403);
	assert_int_equal(answer_with("a", "{'decision':'accept','manager':'eve'}", "4711"), 423);
	now_ms += 5 * MIN_MS - 1;
	assert_int_equal(answer_with("a", "{'decision':'accept','manager':'eve'}", "4711"), 423);
	now_ms += 1;
	assert_int_equal(answer_with("a", "{'decision':'accept','manager':'eve'}", "4711"), 200);
}

/* By ids in order: a right PIN is "+", a wrong one "-" of eve, "b" of bob, "n" of nobody. */
static void
assert_checks(const char *tries, enum manager_verdict last)
{
	enum manager_verdict verdict = MANAGER_NO;

	wait_for(2 * D_MS);
	for (size_t i = 0; tries[i] != '\0'; i++) {
		const char *id = tries[i] == 'b' ? "bob" : tries[i] == 'n' ? "evve" : "eve";

		verdict = manager_check(engine, "t1", id, tries[i] == '+' ? "4711" : "1");
		assert_true(tries[i + 1] == '\0' || verdict != MANAGER_LOCKED);
	}
	assert_int_equal(verdict, last);
}

/* Whoever has a PIN must not tell a manager's id from nobody's by whether the lock still comes. */
static void
a_right_pin_takes_away_the_wrong_ones_of_its_manager_alone(void **state)
{
	static const char *const ok[] = { "nnnn+", "nn--+--+", "nn--+nn+", "nnn-+-+" };
	static const char *const locked[] = { "nnnnn+", "nn--n+", "nn--+---+", "nn--+nnn+",
		"nn+nn+n+" };
	char others[16];

	(void)state;
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	assert_int_equal(manager_add(engine->store, "bob", "1742", now_ms), 0);
	for (size_t i = 0; i < ARRAY_LEN(ok) + ARRAY_LEN(locked); i++) {
		const char *tries = i < ARRAY_LEN(ok) ? ok[i] : locked[i - ARRAY_LEN(ok)];
		enum manager_verdict last = i < ARRAY_LEN(ok) ? MANAGER_OK : MANAGER_LOCKED;

		assert_checks(tries, last);
		snprintf(others, sizeof(others), "%s", tries);
		for (char *c = others; *c != '\0'; c++)
			*c = *c == 'n' ? 'b' : *c;
		assert_checks(others, last);
	}
}

static void
a_manager_who_is_removed_approves_nothing(void **state)
{
	(void)state;
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	assert_int_equal(manager_check(engine, "t1", "eve", "4711"), MANAGER_OK);
	assert_int_equal(manager_remove(engine->store, "bob"), AISLE_E_NONE);
	assert_int_equal(manager_remove(engine->store, "eve"), 0);
	assert_int_equal(manager_check(engine, "t1", "eve", "4711"), MANAGER_NO);
	assert_int_equal(manager_check(engine, "t1", NULL, "4711"), MANAGER_NO);
	assert_int_equal(manager_check(engine, "t1", "eve", NULL), MANAGER_NO);
	assert_int_equal(manager_remove(engine->store, "eve"), AISLE_E_NONE);
}

/* ---- who ---- */

static void
the_record_of_an_answer_says_who_gave_it(void **state)
{
	char eve[SUBJECT_TEXT_SIZE], ina[SUBJECT_TEXT_SIZE], till[SUBJECT_TEXT_SIZE];

	(void)state;
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	a_policy("{}");
	an_action("a", "{'gate':'manager'}");
	an_action("b", "{'group':'h'}");
	in_force();
	tell("pos/7/event", "basket.opened", "{'basket':'b','terminal':'7','associate':'tom'}");
	scan("b", "c", 100);
	person_key(engine, "manager", "eve", eve);
	person_key(engine, "associate", "ina", ina);
	person_key(engine, "associate", "tom", till);
	assert_string_not_equal(eve, ina);
	assert_int_equal(answer_with("a",
			     "{'decision':'accept','manager':'eve','associate':'ina','note':'a "
			     "friend'}",
			     "4711"),
	    200);
	heard(LANE_DECISION);
	assert_non_null(strstr(heard_last, "\"tablet\":\"t1\""));
	assert_non_null(strstr(heard_last, eve));
	assert_non_null(strstr(heard_last, ina));
	assert_null(strstr(heard_last, "friend"));
	/* Who is not named is who signed on at the till. */
	assert_int_equal(answer_with("b", "{'decision':'dismiss'}", NULL), 200);
	heard(LANE_DECISION);
	assert_non_null(strstr(heard_last, till));
	assert_null(strstr(heard_last, eve));
}

static void
the_note_is_in_the_store_for_who_asks_why(void **state)
{
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	a_policy("{}");
	an_action("a", "{'gate':'manager'}");
	in_force();
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_int_equal(answer_with("a", "{'decision':'accept','manager':'eve','note':'a friend'}",
			     "4711"),
	    200);
	assert_int_equal(query_decision(engine, text_of(screen, "decision"), &out), 0);
	assert_non_null(strstr(out.data, "\"note\":\"a friend\""));
	assert_non_null(strstr(out.data, "\"manager_name\":\"eve\""));
	buf_clear(&out);
	assert_int_equal(query_customer(engine, &customer(ANNA)->id, &out), 0);
	assert_non_null(strstr(out.data, "\"answers\":[{"));
	assert_non_null(strstr(out.data, "\"note\":\"a friend\""));
	buf_done(&out);
}

static void
a_note_goes_with_the_customer_who_is_forgotten(void **state)
{
	struct input forget = { .kind = INPUT_FORGET };
	struct buf out = { 0 };
	const char *decision;

	(void)state;
	only("a", "{}");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_int_equal(answer_with("a", "{'decision':'dismiss','note':'a friend'}", NULL), 200);
	decision = arena_strdup(texts, text_of(screen, "decision"));
	forget.subject = subject_of(ANNA);
	turn(&forget);
	(void)query_decision(engine, decision, &out);
	assert_true(out.len == 0 || strstr(out.data, "friend") == NULL);
	buf_done(&out);
}

/* ---- an offer, through the till ---- */

static void
till(const char *type, const char *basket, const char *more)
{
	tell("pos/7/event", type, "{'basket':'%s','token':'%s'%s}", basket, token, more);
}

static void
accept_offer_of(void)
{
	two_cards();
	assert_int_equal(answer("o", "accept"), 200);
	assert_said("till 7 apply-offer; guidance 7: a o(asked)");
	assert_heard(LANE_DECISION, "accepted");
}

static void
an_offer_is_applied_and_redeemed_at_what_the_till_says(void **state)
{
	(void)state;
	accept_offer_of();
	till("offer.applied", "b", ",'amount':33");
	assert_said("guidance 7: a o(applied)");
	wait_for(10 * S_MS);
	assert_said("");
	till("offer.redeemed", "b", ",'amount':31");
	assert_said("guidance 7: a o(applied)");
	assert_heard(LANE_MONEY, "applied 33; redeemed 31");
	assert_int_equal(held(), 31);
	till("offer.redeemed", "b", ",'amount':31");
	assert_said("dead bad-value");
	till("offer.refused", "b", ",'reason':'no'");
	assert_said("dead bad-value");
	assert_heard(LANE_MONEY, "");
	close_basket("b", 69);
	assert_int_equal(held(), 31);
}

static void
a_till_that_refuses_frees_what_was_held(void **state)
{
	(void)state;
	accept_offer_of();
	assert_int_equal(held(), 40);
	till("offer.refused", "b", ",'reason':'excluded'");
	assert_said("guidance 7: a o(refused)");
	assert_heard(LANE_MONEY, "refused (excluded)");
	assert_int_equal(held(), 0);
	wait_for(10 * S_MS);
	assert_said("");
	assert_heard(LANE_MONEY, "");
}

static bool
prompt_is_silent(const char *action)
{
	const json_t *prompt;
	size_t i;

	json_array_foreach(json_object_get(screen, "prompts"), i, prompt)
		if (strcmp(text_of(prompt, "action"), action) == 0)
			return json_is_true(json_object_get(prompt, "silent"));
	return false;
}

static void
a_till_that_is_silent_for_five_seconds_has_refused_unless_it_speaks_after_all(void **state)
{
	(void)state;
	accept_offer_of();
	wait_for(5 * S_MS - 1);
	assert_said("");
	assert_int_equal(held(), 40);
	wait_for(1);
	assert_said("till 7 withdraw-offer; guidance 7: a o(refused)");
	assert_true(prompt_is_silent("o"));
	assert_heard(LANE_MONEY, "refused (silent)");
	assert_int_equal(held(), 0);
	/* Silence is no word: it stands until there is one, or the sale is over. */
	scan("b", "c", 100);
	assert_true(prompt_is_silent("o"));
	till("offer.applied", "b", ",'amount':40");
	assert_said("guidance 7: a o(applied)");
	assert_false(prompt_is_silent("o"));
	/* It had applied it before it was told to leave it, and has obeyed. */
	till("offer.reversed", "b", ",'amount':40");
	assert_said("guidance 7: a o(refused)");
	assert_false(prompt_is_silent("o"));
	assert_int_equal(held(), 0);
}

static void
an_offer_that_the_cashier_scans_is_not_asked_for(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("o",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'offer':{'type':'amount','"
	    "depth':40,'max':40,"
	    "'apply':'barcode','code':'123','until':'0d'}}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	assert_said("guidance 7: o(answered)");
	assert_false(id_is_zero(&visit_of("b")->cards[0].token));
}

static void
a_token_is_good_for_its_basket_at_its_till(void **state)
{
	(void)state;
	accept_offer_of();
	open_basket("other");
	till("offer.applied", "other", ",'amount':40");
	assert_said("dead not-yours");
	tell("pos/8/event", "offer.applied", "{'basket':'b','token':'%s','amount':40}", token);
	assert_said("dead not-yours");
	tell("pos/7/event", "offer.applied", "{'basket':'b','token':'%s','amount':40}",
	    prompt_of("o"));
	assert_said("dead bad-value");
	tell("pos/7/event", "offer.applied", "{'basket':'b','token':'x','amount':40}");
	assert_said("dead bad-value");
	till("offer.applied", "b", ",'amount':40");
	assert_said("guidance 7: a o(applied)");
}

static void
what_was_accepted_and_not_redeemed_by_the_close_is_free_again(void **state)
{
	(void)state;
	accept_offer_of();
	till("offer.applied", "b", ",'amount':40");
	close_basket("b", 100);
	assert_int_equal(held(), 0);
	/* A till may be late with its word, and not in another basket. */
	tell("pos/7/event", "basket.opened", "{'basket':'c','terminal':'7'}");
	tell("pos/7/event", "offer.redeemed", "{'basket':'c','token':'%s','amount':40}", token);
	assert_said("dead not-yours");
	tell("pos/8/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	assert_said("dead not-yours");
	now_ms += 5 * MIN_MS;
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	assert_said("");
	assert_int_equal(held(), 40);
	assert_heard(LANE_MONEY, "applied 40; redeemed 40");
}

static void
an_accepted_offer_goes_with_the_basket_that_is_cancelled(void **state)
{
	(void)state;
	accept_offer_of();
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_said("till 7 withdraw-offer; withdraw 7 cancelled");
	assert_int_equal(held(), 0);
	assert_heard(LANE_DECISION, "withdrawn (cancelled); withdrawn (cancelled)");
}

static void
an_offer_that_was_applied_goes_with_the_customer_too(void **state)
{
	(void)state;
	accept_offer_of();
	till("offer.applied", "b", ",'amount':33");
	assert_int_equal(held(), 40);
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_said("till 7 withdraw-offer; withdraw 7 cancelled");
	assert_int_equal(held(), 0);
}

/* What the till refused is nothing to take back. */
static void
a_refused_offer_is_not_withdrawn_again(void **state)
{
	(void)state;
	accept_offer_of();
	till("offer.refused", "b", ",'reason':'excluded'");
	heard(LANE_DECISION);
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_said("withdraw 7 cancelled");
	assert_heard(LANE_DECISION, "withdrawn (cancelled)"); /* the other card */
}

static void
an_accepted_offer_stays_when_the_customer_pays_and_when_they_come_back(void **state)
{
	(void)state;
	accept_offer_of();
	tell("pos/7/event", "basket.suspended", "{'basket':'b'}");
	assert_said("withdraw 7 gate");
	assert_int_equal(held(), 40);
	assert_int_equal(visit_of("b")->cards[1].state, CARD_ASKED);
}

static void
five_wrong_pins(void)
{
	for (int i = 0; i < 5; i++)
		assert_int_equal(manager_check(engine, "t1", "nobody", "1"), MANAGER_NO);
	assert_int_equal(manager_check(engine, "t1", "nobody", "1"), MANAGER_LOCKED);
	assert_int_equal(manager_check(engine, "t2", "nobody", "1"), MANAGER_NO);
}

static void
each_lock_is_twice_as_long_up_to_a_day_and_a_day_without_one_begins_anew(void **state)
{
	int64_t lock_ms = 5 * MIN_MS;

	(void)state;
	assert_int_equal(store_begin(engine->store), 0);
	for (int i = 0; i < 11; i++) {
		five_wrong_pins();
		engine->now_ms += lock_ms - 1;
		assert_int_equal(manager_check(engine, "t1", "nobody", "1"), MANAGER_LOCKED);
		engine->now_ms++;
		lock_ms = lock_ms < D_MS / 2 ? 2 * lock_ms : D_MS;
	}
	for (int late = 0; late < 2; late++) {
		engine->now_ms += D_MS - 1 + late;
		five_wrong_pins();
		engine->now_ms += 5 * MIN_MS;
		assert_int_equal(manager_check(engine, "t1", "nobody", "1"),
		    late ? MANAGER_NO : MANAGER_LOCKED);
		engine->now_ms += D_MS - 5 * MIN_MS;
	}
	assert_int_equal(store_commit(engine->store), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(
		    each_lock_is_twice_as_long_up_to_a_day_and_a_day_without_one_begins_anew),
		SPINE_TEST(a_card_is_reported_as_shown_once_and_not_the_other_way_after_it),
		SPINE_TEST(without_a_word_on_it_shown_is_shown),
		SPINE_TEST(a_prompt_is_answered_in_its_own_guidance_only),
		SPINE_TEST(what_was_withheld_cannot_be_answered),
		SPINE_TEST(each_answer_is_an_outcome_and_stays_on_the_screen_answered),
		SPINE_TEST(the_same_answer_again_gets_the_same_reply_and_another_none),
		SPINE_TEST(an_override_and_a_dismissal_say_why),
		SPINE_TEST(a_card_may_be_answered_until_it_expires),
		SPINE_TEST(a_snoozed_card_sleeps_as_long_as_is_said_and_else_for_five_minutes),
		SPINE_TEST(an_offer_is_not_taken_while_they_pay_and_what_costs_nothing_is),
		SPINE_TEST(cards_leave_while_they_pay_and_an_accept_that_comes_later_is_late),
		SPINE_TEST(a_recall_stays_while_they_pay_until_it_is_answered_or_the_basket_closes),
		SPINE_TEST(
		    what_is_mandatory_is_accepted_and_not_put_off_and_what_lies_beside_it_is),
		SPINE_TEST(the_customers_screen_the_receipt_and_what_comes_later_are_not_hushed),
		SPINE_TEST(what_is_not_taken_frees_what_it_held),
		SPINE_TEST(a_managers_card_needs_a_pin_for_yes_and_none_for_no),
		SPINE_TEST(
		    a_manager_who_is_signed_in_approves_without_a_pin_and_is_on_record_without_a_tablet),
		SPINE_TEST(a_pin_that_nothing_asked_for_is_looked_at_and_a_right_one_is_on_record),
		SPINE_TEST(after_five_wrong_pins_a_right_one_is_refused_for_five_minutes),
		SPINE_TEST(a_right_pin_takes_away_the_wrong_ones_of_its_manager_alone),
		SPINE_TEST(a_manager_who_is_removed_approves_nothing),
		SPINE_TEST(the_record_of_an_answer_says_who_gave_it),
		SPINE_TEST(the_note_is_in_the_store_for_who_asks_why),
		SPINE_TEST_ON_DISK(a_note_goes_with_the_customer_who_is_forgotten),
		SPINE_TEST(an_offer_is_applied_and_redeemed_at_what_the_till_says),
		SPINE_TEST(a_till_that_refuses_frees_what_was_held),
		SPINE_TEST(
		    a_till_that_is_silent_for_five_seconds_has_refused_unless_it_speaks_after_all),
		SPINE_TEST(an_offer_that_the_cashier_scans_is_not_asked_for),
		SPINE_TEST(a_token_is_good_for_its_basket_at_its_till),
		SPINE_TEST(what_was_accepted_and_not_redeemed_by_the_close_is_free_again),
		SPINE_TEST(an_accepted_offer_goes_with_the_basket_that_is_cancelled),
		SPINE_TEST(an_offer_that_was_applied_goes_with_the_customer_too),
		SPINE_TEST(a_refused_offer_is_not_withdrawn_again),
		SPINE_TEST(an_accepted_offer_stays_when_the_customer_pays_and_when_they_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
