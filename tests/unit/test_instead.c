/* SPDX-License-Identifier: Apache-2.0
 *
 * test_instead.c - an override that says what was done instead, through the one door.
 */
#include "spine_story.h"

#define INSTEAD(what) "{'decision':'override','reason':'not-relevant','instead':" what "}"
#define BY_EVE(what) \
	"{'decision':'override','reason':'not-relevant','manager':'eve','instead':" what "}"

/* A card a, and an offer o at one depth or at several, in a policy where one card is shown. more:
 * members that o has beside these. */
static void
a_policy_of(const char *policy, const char *o_on, const char *offer, const char *more)
{
	assert_int_equal(manager_add(engine->store, "eve", "4711", now_ms), 0);
	a_policy(policy);
	an_action("a", "{'margin':900}");
	an_action("o",
	    arena_printf(texts,
		"{'group':'h','kind':'offer','on':['%s'],'outcome':{'is':'redeemed','within':'0d'},"
		"'offer':{'type':'amount','max':90,'apply':'till-code','until':'0d',%s}%s}",
		o_on, offer, more));
}

static void
go_on(const char *guidance)
{
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said(guidance);
	heard(LANE_DECISION);
}

#define ONE_SLOT "{'placements':{'tablet':{'slots':1,'headline_max':40}}}"

/* The card lists the offer under its alternatives. */
static void
a_card_that_lists(const char *offer, const char *more)
{
	a_policy_of(ONE_SLOT, "aisle.basket.item-added", offer, more);
	go_on("guidance 7: a");
	assert_non_null(json_object_get(json_array_get(json_object_get(screen, "prompts"), 0),
	    "alternatives"));
}

/* Nothing brings the offer up. */
static void
a_card_and_an_offer(const char *offer, const char *more)
{
	a_policy_of("{}", "aisle.survey.answered", offer, more);
	go_on("guidance 7: a");
}

static const json_t *
member_of(const char *last, const char *name)
{
	static json_t *json;

	json_decref(json);
	json = last == NULL ? NULL : json_loads(last, 0, NULL);
	return json_object_get(json, name);
}

static struct reply
override_a(const char *json, const char *pin)
{
	return answer_prompt(guidance_on_screen(), prompt_of("a"), json, pin, false);
}

/* ---- what the card lists ---- */

static void
an_alternative_is_asked_of_the_till_and_holds_its_money(void **state)
{
	struct card *card;

	(void)state;
	a_card_that_lists("'depth':40", "");
	now_ms += 5;
	assert_int_equal(answer_with("a", INSTEAD("{'action':'o'}"), NULL), 200);
	assert_said("till 7 apply-offer; guidance 7: a(answered) o(asked)");
	assert_heard(LANE_DECISION, "overridden:not-relevant; accepted");
	assert_null(member_of(heard_last, "over"));
	assert_null(member_of(heard_last, "manager"));
	assert_int_equal(hold_today(engine, "o").all_money_minor, 40);
	card = &visit_of("b")->cards[1];
	assert_true(card->shown);
	assert_int_equal(card->shown_ms, now_ms);
	assert_int_equal(card->answered_ms, now_ms);
	assert_int_equal(card->sent_ms, now_ms);
	assert_int_equal(card->depth, 40);
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':35}", token);
	assert_heard(LANE_MONEY, "redeemed 35");
	assert_int_equal(hold_today(engine, "o").all_money_minor, 35);
	assert_int_equal(engine->today.outcomes[OUTCOME_DECIDED], 2);
	assert_int_equal(engine->today.outcomes[OUTCOME_ACCEPTED], 1);
	member_of(NULL, "");
}

static void
the_record_of_an_override_says_what_was_chosen_and_where(void **state)
{
	char prompt[ID_TEXT_SIZE];
	int64_t depth = 0;

	(void)state;
	a_card_that_lists("'depth':40", "");
	assert_int_equal(answer_with("a", INSTEAD("{'action':'o'}"), NULL), 200);
	heard_upto[LANE_DECISION] = 1;
	assert_int_equal(strncmp(heard(LANE_DECISION), "overridden", 10), 0);
	assert_non_null(strstr(heard_last, "\"by\":\"person\""));
	assert_non_null(strstr(heard_last, "\"tablet\":\"t1\""));
	assert_true(json_int(json_object_get(member_of(heard_last, "instead"), "depth"), &depth));
	assert_int_equal(depth, 40);
	/* the accepted one: its own prompt */
	assert_null(json_object_get(member_of(heard_last, "instead"), "prompt"));
	id_text(&visit_of("b")->cards[1].prompt, prompt);
	assert_non_null(strstr(heard_last, prompt));
	member_of(NULL, "");
}

static void
an_alternative_is_gated_again_when_it_is_chosen(void **state)
{
	struct reply reply;

	(void)state;
	a_card_that_lists("'depth':40", ",'applicable':{'<':[{'var':'total'},150]}");
	/* The offer would win now; its card still stands as it was written. */
	visit_of("b")->lines[0].amount_minor = 200;
	reply = override_a(INSTEAD("{'action':'o'}"), NULL);
	assert_int_equal(reply.status, 409);
	assert_string_equal(reply.clause, "{\"<\":[{\"var\":\"total\"},150]}");
	assert_int_equal(visit_of("b")->cards[0].state, CARD_OPEN);
	visit_of("b")->lines[0].amount_minor = 100;
	assert_int_equal(override_a(INSTEAD("{'action':'o'}"), NULL).status, 200);
}

/* The answer is no survey: what the rule reads of that is not to be had any more. */
static void
what_the_event_said_that_brought_an_alternative_up_still_counts(void **state)
{
	(void)state;
	a_policy_of(ONE_SLOT, "aisle.survey.answered", "'depth':40",
	    ",'eligible':{'==':[{'var':'x'},1]}");
	an_action("a2", "{'on':['aisle.survey.answered'],'margin':900,'group':'k'}");
	in_force();
	open_basket("b");
	tell("pos/7/event", "survey.answered", "{'basket':'b','kind':'k','score':1,'x':1}");
	assert_said("guidance 7: a2");
	assert_int_equal(answer_with("a2", INSTEAD("{'action':'o'}"), NULL), 200);
	assert_said("till 7 apply-offer; guidance 7: a2(answered) o(asked)");
}

static void
a_managers_alternative_needs_the_managers_pin(void **state)
{
	(void)state;
	a_card_that_lists("'depth':40", ",'gate':'manager'");
	assert_int_equal(override_a(INSTEAD("{'action':'o'}"), NULL).status, 403);
	assert_int_equal(visit_of("b")->cards[0].state, CARD_OPEN);
	assert_int_equal(override_a(BY_EVE("{'action':'o'}"), "4711").status, 200);
	assert_int_equal(visit_of("b")->card_count, 2);
}

/* What was held and counted of the card itself is free for its smaller depth. */
static void
a_smaller_depth_of_the_card_itself_takes_its_place(void **state)
{
	(void)state;
	a_policy(ONE_SLOT);
	an_action("o",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'margin':900,'offer':{'type'"
	    ":'amount','max':90,'ladder':[20,40],'apply':'till-code','until':'0d'},'propensity':{"
	    "'*':[{'var':'d'},0.01]},'caps':[{'per':'customer','outcome':'shown','max':1,"
	    "'within':'1d'}],'budget':{'per':'campaign','money':40,'units':1}}");
	add_part(texts, &parts, "features.json",
	    quoted("{'features':[{'name':'d','type':'number','from':'action.depth'}]}"));
	for (size_t i = 0; i + 1 < parts.count; i++) { /* instead of the fixture's own */
		if (strcmp(parts.part[i].name, "features.json") == 0)
			parts.part[i] = parts.part[--parts.count];
	}
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: o");
	assert_int_equal(visit_of("b")->cards[0].depth, 40);
	assert_int_equal(answer_with("o", INSTEAD("{'action':'o','depth':20}"), NULL), 200);
	assert_int_equal(visit_of("b")->cards[1].depth, 20);
	assert_int_equal(hold_today(engine, "o").all_money_minor, 20);
	assert_int_equal(hold_today(engine, "o").all_units, 1);
}

/* ---- what it does not list ---- */

static void
what_is_not_listed_needs_a_manager_and_a_reason(void **state)
{
	(void)state;
	a_card_and_an_offer("'depth':40", "");
	assert_int_equal(override_a(INSTEAD("{'action':'o'}"), NULL).status, 403);
	assert_int_equal(override_a("{'decision':'override','manager':'eve','instead':{'action':"
				    "'o'}}",
			     "4711")
			     .status,
	    403);
	assert_int_equal(override_a(BY_EVE("{'action':'o'}"), "4712").status, 403);
	assert_int_equal(visit_of("b")->cards[0].state, CARD_OPEN);
	assert_int_equal(visit_of("b")->card_count, 1);
	assert_heard(LANE_DECISION, "");
	assert_int_equal(override_a(BY_EVE("{'action':'o'}"), "4711").status, 200);
	assert_said("till 7 apply-offer; guidance 7: a(answered) o(asked)");
	assert_heard(LANE_DECISION, "overridden:not-relevant; accepted");
	assert_non_null(strstr(heard_last, "\"over\":[\"draw\"]"));
}

static void
what_the_policy_does_not_know_is_recorded_and_asked_of_nobody(void **state)
{
	(void)state;
	a_card_and_an_offer("'depth':40", "");
	assert_int_equal(override_a(INSTEAD("{'action':'flowers'}"), NULL).status, 403);
	assert_int_equal(override_a(BY_EVE("{'action':'flowers'}"), "4711").status, 200);
	assert_said("guidance 7: a(answered)");
	assert_heard(LANE_DECISION, "overridden:not-relevant");
	assert_string_equal(text_of(member_of(heard_last, "instead"), "action"), "flowers");
	assert_null(json_object_get(member_of(heard_last, "instead"), "depth"));
	assert_null(json_object_get(member_of(heard_last, "instead"), "prompt"));
	member_of(NULL, "");
}

static void
only_a_depth_that_the_offer_has_now_can_be_had(void **state)
{
	static const struct {
		const char *offer, *what, *clause;
		int64_t depth;
	} wishes[] = {
		{ "'depth':40", "{'action':'o','depth':40}", NULL, 40 },
		{ "'depth':40", "{'action':'o','depth':41}", "offer.depth", 0 },
		{ "'ladder':[20,40]", "{'action':'o','depth':20}", NULL, 20 },
		{ "'ladder':[20,40]", "{'action':'o','depth':40}", NULL, 40 },
		{ "'ladder':[20,40]", "{'action':'o','depth':30}", "offer.depth", 0 },
		/* as a draw would take it: where both chances are one, what costs less */
		{ "'ladder':[20,40]", "{'action':'o'}", NULL, 20 },
		{ "'depth':40,'tiers':[{'from':100,'depth':50}]", "{'action':'o','depth':50}", NULL,
		    50 },
		{ "'tiers':[{'from':101,'depth':50}],'depth':40", "{'action':'o','depth':50}",
		    "offer.depth", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		struct reply reply;

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		a_card_and_an_offer(wishes[i].offer, "");
		reply = override_a(arena_printf(texts,
				       "{'decision':'override','reason':'not-relevant','manager':"
				       "'eve','instead':%s}",
				       wishes[i].what),
		    "4711");
		assert_int_equal(reply.status, wishes[i].clause == NULL ? 200 : 409);
		assert_int_equal(visit_of("b")->card_count, wishes[i].clause == NULL ? 2 : 1);
		if (wishes[i].clause != NULL)
			assert_string_equal(reply.clause, wishes[i].clause);
		else
			assert_int_equal(visit_of("b")->cards[1].depth, wishes[i].depth);
	}
}

/* ---- what nobody passes over ---- */

static void
stop_o(void)
{
	struct input stop = { .kind = INPUT_STOP, .text = "o", .flag = true };

	turn(&stop);
}
static void
in_training(void)
{
	visit_of("b")->training = true;
}
static void
at_tender(void)
{
	visit_of("b")->state = VISIT_TENDER;
}
static void
time_is_uncertain(void)
{
	engine->time_uncertain = true;
}
static void
a_complaint(void)
{
	identify(ANNA);
	tell("care/event", "care.case-opened",
	    "{'subject':'" ANNA "','case':'k','topic':'t','severity':3}");
	/* it has withdrawn nothing: a is service */
	assert_int_equal(visit_of("b")->cards[0].state, CARD_OPEN);
}
static void
o_is_open(void)
{
	struct visit *visit = visit_of("b");
	struct card *card = visit_add_card(visit);

	card->action = mem_strdup("o");
	card->group = mem_strdup("h");
	card->issue = mem_strdup("i");
	card->treatment = mem_strdup("");
	card->slot = 2;
	card->prompt.b[0] = 1;
}
static void
o_was_taken(void)
{
	struct visit *visit;

	o_is_open();
	visit = visit_of("b");
	visit->cards[1].answer = ANSWER_ACCEPT;
	visit->cards[1].state = CARD_REFUSED;
}

static void
what_is_closed_for_everybody_is_closed_for_a_manager(void **state)
{
	static const struct {
		const char *offer, *more, *clause;
		void (*before)(void);
	} gates[] = {
		{ "'depth':40", "", "stop", stop_o },
		{ "'depth':40", ",'valid':{'until':'2020-01-01T00:00:00Z'}", "valid.until", NULL },
		{ "'depth':40", ",'valid':{'stores':['9999']}", "valid.stores", NULL },
		{ "'depth':40", ",'personal':true", "personalise", NULL },
		{ "'depth':40", "", "care", a_complaint },
		{ "'depth':40,'include':{'category':'kiosk/tobacco'}", "", "goods.marked", NULL },
		{ "'depth':40,'min_basket':101", "", "offer.min_basket", NULL },
		{ "'depth':40,'margin_floor':161", "", "offer.margin_floor", NULL },
		{ "'depth':40,'margin_floor':1", ",'margin':{'var':'spent'}", "offer.margin_floor",
		    NULL },
		{ "'depth':40", ",'budget':{'per':'campaign','money':39}", "budget.money", NULL },
		{ "'depth':40", ",'budget':{'per':'campaign','units':0}", "budget.units", NULL },
		{ "'depth':40", ",'budget':{'per':'store-day','money':39}", "budget.money", NULL },
		{ "'depth':40", ",'budget':{'per':'campaign','money':40,'units':1}",
		    "budget: time uncertain", time_is_uncertain },
		{ "'depth':40", ",'placements':['till']", "placement", NULL },
		{ "'depth':40",
		    ",'treatments':[{'treatment':'t','language':'en','headline':'{{spent}}'}]",
		    "no-treatment", NULL },
		{ "'depth':40", "", "visit: open", o_is_open },
		{ "'depth':40", "", "visit: accepted", o_was_taken },
		{ "'depth':40", "", "training", in_training },
		{ "'depth':40", "", "lane.state", at_tender },
	};

	for (size_t i = 0; i < ARRAY_LEN(gates); i++) {
		size_t cards;
		struct reply reply;

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		a_policy_of("{'care':{'severity':2}}", "aisle.survey.answered", gates[i].offer,
		    gates[i].more);
		go_on("guidance 7: a");
		if (gates[i].before != NULL)
			gates[i].before();
		cards = visit_of("b")->card_count;
		reply = override_a(BY_EVE("{'action':'o'}"), "4711");
		engine->time_uncertain = false;
		if (reply.status != 409 || strcmp(reply.clause, gates[i].clause) != 0)
			fail_msg("%s: %d %s", gates[i].clause, reply.status, reply.clause);
		assert_said("");
		/* The card is as it was, and may be answered otherwise. */
		assert_int_equal(visit_of("b")->card_count, cards);
		assert_int_equal(visit_of("b")->cards[0].state, CARD_OPEN);
		assert_int_equal(hold_today(engine, "o").all_money_minor, 0);
		assert_int_equal(override_a("{'decision':'dismiss'}", NULL).status, 200);
	}
}

static void
a_stacking_group_that_is_taken_is_closed(void **state)
{
	struct reply reply;

	(void)state;
	a_policy_of("{}", "aisle.survey.answered", "'depth':40,'stack':'s'", "");
	an_action("p", "{'group':'k'," OFFER_OF(",'stack':'s'") "}");
	go_on("guidance 7: a p");
	assert_int_equal(answer("p", "accept"), 200);
	reply = override_a(BY_EVE("{'action':'o'}"), "4711");
	assert_int_equal(reply.status, 409);
	assert_string_equal(reply.clause, "s");
}

static void
from_whom_offers_are_withheld_a_manager_withholds_them_too(void **state)
{
	struct reply reply;

	(void)state;
	a_policy_of("{'control':{'share':1}}", "aisle.survey.answered", "'depth':40", "");
	in_force();
	grant(ANNA, "personalise");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	reply = override_a(BY_EVE("{'action':'o'}"), "4711");
	assert_int_equal(reply.status, 409);
	assert_string_equal(reply.clause, "control");
}

static void
who_is_not_sent_offers_is_not_listed_any(void **state)
{
	(void)state;
	a_policy_of("{'control':{'share':1},'placements':{'tablet':{'slots':1}}}",
	    "aisle.basket.item-added", "'depth':40", "");
	in_force();
	grant(ANNA, "personalise");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	assert_null(json_object_get(json_array_get(json_object_get(screen, "prompts"), 0),
	    "alternatives"));
}

/* ---- what a manager passes over ---- */

static void
o_was_dismissed(void)
{
	struct visit *visit;

	o_is_open();
	visit = visit_of("b");
	visit->cards[1].answer = ANSWER_DISMISS;
	visit->cards[1].state = CARD_GONE;
}

static void
what_a_manager_passes_over_is_on_record(void **state)
{
	static const struct {
		const char *more, *over;
		void (*before)(void);
	} gates[] = {
		{ ",'eligible':false", "[\"eligibility\"]", NULL },
		{ ",'eligible':{'>':[{'var':'spent'},1]}", "[\"eligibility\"]", NULL },
		{ ",'applicable':{'>':[{'var':'total'},100]}", "[\"applicability\"]", NULL },
		{ ",'suitable':false", "[\"suitability\"]", NULL },
		{ ",'caps':[{'per':'customer','outcome':'shown','max':0,'within':'1d'}]",
		    "[\"contact\"]", NULL },
		{ "", "[\"contact\"]", o_was_dismissed },
		{ ",'margin':10", "[\"not-worth-it\"]", NULL },
		{ ",'margin':{'var':'spent'}", "[\"not-worth-it\"]", NULL },
		{ ",'eligible':false,'suitable':false,'margin':10,'caps':[{'per':'customer',"
		  "'outcome':'shown','max':0,'within':'1d'}]",
		    "[\"eligibility\",\"suitability\",\"contact\",\"not-worth-it\"]", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(gates); i++) {
		char hex[SUBJECT_TEXT_SIZE];

		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		a_card_and_an_offer("'depth':40", gates[i].more);
		if (gates[i].before != NULL)
			gates[i].before();
		assert_int_equal(override_a(BY_EVE("{'action':'o'}"), "4711").status, 200);
		heard(LANE_DECISION);
		if (strstr(heard_last, gates[i].over) == NULL)
			fail_msg("%s in %s", gates[i].over, heard_last);
		person_key(engine, "manager", "eve", hex);
		assert_non_null(strstr(heard_last, hex));
		assert_null(strstr(heard_last, "eve"));
		assert_int_equal(hold_today(engine, "o").all_money_minor, 40);
	}
}

/* ---- through the broker, and after the basket ---- */

static void
an_approval_through_the_broker_is_worth_the_same(void **state)
{
	const char *guidance, *prompt;

	(void)state;
	a_card_and_an_offer("'depth':40", ",'eligible':false");
	know_tablet("t9", "");
	guidance = guidance_on_screen();
	prompt = prompt_of("a");
	tell("tablet/t9/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t9','decision':'override','reason':'other',"
	    "'instead':{'action':'o'}}",
	    guidance, prompt);
	assert_said("dead bad-value");
	tell("tablet/t9/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t9','decision':'override','reason':'other',"
	    "'instead':{'action':'o'},'approval':{'manager':'eve','pin':'4712'}}",
	    guidance, prompt);
	assert_said("dead bad-value");
	tell("tablet/t9/event", "guidance.decided",
	    "{'guidance':'%s','prompt':'%s','tablet':'t9','decision':'override','reason':'other',"
	    "'instead':{'action':'o'},'approval':{'manager':'eve','pin':'4711'}}",
	    guidance, prompt);
	assert_said("till 7 apply-offer; guidance 7: a(answered) o(asked)");
	heard(LANE_DECISION);
	assert_non_null(strstr(heard_last, "\"over\":[\"eligibility\"]"));
	assert_non_null(strstr(heard_last, "\"tablet\":\"t9\""));
}

/* Nobody's PIN is in a file: that somebody agreed is. */
static void
a_recording_says_that_a_manager_agreed(void **state)
{
	static const char *const approved[] = { "", ",'approved':false", ",'approved':true" };

	(void)state;
	a_card_and_an_offer("'depth':40", ",'eligible':false");
	know_tablet("t9", "");
	for (size_t i = 0; i < ARRAY_LEN(approved); i++) {
		tell("tablet/t9/event", "guidance.decided",
		    "{'guidance':'%s','prompt':'%s','tablet':'t9','decision':'override',"
		    "'reason':'other','instead':{'action':'o'}%s}",
		    guidance_on_screen(), prompt_of("a"), approved[i]);
		assert_said(i < 2 ? "dead bad-value"
				  : "till 7 apply-offer; guidance 7: a(answered) o(asked)");
	}
	heard(LANE_DECISION);
	assert_non_null(strstr(heard_last, "\"over\":[\"eligibility\"]"));
	assert_null(member_of(heard_last, "manager"));
}

static void
a_budget_bears_what_just_fits(void **state)
{
	(void)state;
	a_card_that_lists("'depth':40", ",'budget':{'per':'store-day','money':40,'units':1}");
	assert_int_equal(answer_with("a", INSTEAD("{'action':'o'}"), NULL), 200);
	assert_int_equal(visit_of("b")->card_count, 2);
}

static void
an_offer_instead_that_outlives_the_basket_lets_its_money_go_with_its_window(void **state)
{
	(void)state;
	a_policy(ONE_SLOT);
	an_action("a", "{'margin':900}");
	an_action("o",
	    "{'group':'h','kind':'offer','outcome':{'is':'redeemed','within':'2d'},"
	    "'offer':{'type':'amount','max':90,'apply':'till-code','until':'2d','depth':40}}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer_with("a", INSTEAD("{'action':'o'}"), NULL), 200);
	tell("pos/7/event", "offer.applied", "{'basket':'b','token':'%s','amount':40}", token);
	close_basket("b", 100);
	wait_for(2 * D_MS - 1);
	assert_int_equal(hold_today(engine, "o").all_money_minor, 40);
	wait_for(1);
	assert_int_equal(hold_today(engine, "o").all_money_minor, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(an_alternative_is_asked_of_the_till_and_holds_its_money),
		SPINE_TEST(the_record_of_an_override_says_what_was_chosen_and_where),
		SPINE_TEST(an_alternative_is_gated_again_when_it_is_chosen),
		SPINE_TEST(what_the_event_said_that_brought_an_alternative_up_still_counts),
		SPINE_TEST(a_managers_alternative_needs_the_managers_pin),
		SPINE_TEST(a_smaller_depth_of_the_card_itself_takes_its_place),
		SPINE_TEST(what_is_not_listed_needs_a_manager_and_a_reason),
		SPINE_TEST(what_the_policy_does_not_know_is_recorded_and_asked_of_nobody),
		SPINE_TEST(only_a_depth_that_the_offer_has_now_can_be_had),
		SPINE_TEST(what_is_closed_for_everybody_is_closed_for_a_manager),
		SPINE_TEST(a_stacking_group_that_is_taken_is_closed),
		SPINE_TEST(from_whom_offers_are_withheld_a_manager_withholds_them_too),
		SPINE_TEST(who_is_not_sent_offers_is_not_listed_any),
		SPINE_TEST(what_a_manager_passes_over_is_on_record),
		SPINE_TEST(an_approval_through_the_broker_is_worth_the_same),
		SPINE_TEST(a_recording_says_that_a_manager_agreed),
		SPINE_TEST(a_budget_bears_what_just_fits),
		SPINE_TEST(
		    an_offer_instead_that_outlives_the_basket_lets_its_money_go_with_its_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
