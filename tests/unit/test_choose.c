/* SPDX-License-Identifier: Apache-2.0
 *
 * test_choose.c - from an event to a decision on record: what it may look at, which cards leave for it, who hears of it.
 */
#include "core/metrics.h"
#include "decide/memo.h"
#include "spine_story.h"

#define ON_CARD "'on':['aisle.customer.identified']"

/* ---- what it may look at ---- */

static void
what_is_known_of_a_customer_is_read_only_with_their_consent(void **state)
{
	struct id anna = subject_of(ANNA);

	(void)state;
	a_policy("{}");
	an_action("p", "{" ON_CARD ",'personal':true}");
	an_action("s", "{" ON_CARD ",'group':'h','eligible':{'>':[{'var':'spent'},0]}}");
	in_force();
	grant(ANNA, "profile");
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 500);
	close_basket("b", 500);
	open_basket("c");
	identify(ANNA);
	assert_string_equal(fate_in_record("p"), "consent");
	assert_string_equal(fate_in_record("s"), "missing");
	grant(ANNA, "personalise");
	open_basket("d");
	identify(ANNA);
	assert_said("guidance 7: p s");
	assert_true(consent_granted(engine_subject(engine, &anna), CONSENT_PERSONALISE, now_ms));
}

static void
a_word_for_later_needs_consent_to_contact(void **state)
{
	(void)state;
	only("l", "{" ON_CARD ",'placements':['later']}");
	open_basket("b");
	identify(ANNA);
	assert_string_equal(fate_in_record("l"), "consent");
	grant(ANNA, "contact");
	identify(ANNA);
	assert_string_equal(fate_in_record("l"), "offered");
}

static void
the_length_of_the_queue_is_that_at_the_visits_station(void **state)
{
	(void)state;
	only("q", "{'eligible':{'>':[{'var':'queue'},3]}}");
	tell("pos/7/event", "sensor.reading", "{'kind':'door','station':'7','value':9}");
	open_basket("b");
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("q"), "missing");
	tell("pos/7/event", "sensor.reading", "{'kind':'queue','station':'8','value':9}");
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("q"), "missing");
	tell("pos/7/event", "sensor.reading", "{'kind':'queue','station':'7','value':3}");
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("q"), "eligibility");
	tell("pos/7/event", "sensor.reading", "{'kind':'queue','station':'7','value':4}");
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("q"), "offered");
}

static void
a_budget_that_is_held_is_not_there_for_the_next_and_comes_back_with_the_day(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("o", "{" OFFER_OF("") ",'budget':{'per':'store-day','money':79,'units':9}}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: o");
	assert_int_equal(answer("o", "accept"), 200);
	tell("pos/8/event", "basket.opened", "{'basket':'d','terminal':'8'}");
	tell("pos/8/event", "basket.item-added",
	    "{'basket':'d','line':1,'sku':'s','category':'c','qty':1,'amount':100,'currency':'EUR'"
	    "}");
	assert_string_equal(fate_in_record("o"), "budget");
	tell("pos/7/event", "offer.redeemed", "{'basket':'b','token':'%s','amount':40}", token);
	now_ms = T0 + 14 * H_MS; /* midnight, where this store cuts its day */
	tell("pos/9/event", "basket.opened", "{'basket':'e','terminal':'9'}");
	tell("pos/9/event", "basket.item-added",
	    "{'basket':'e','line':1,'sku':'s','category':'c','qty':1,'amount':100,'currency':'EUR'"
	    "}");
	assert_string_equal(fate_in_record("o"), "offered");
}

static void
while_the_time_is_uncertain_no_campaign_is_spent(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("o", "{" OFFER_OF("") ",'budget':{'per':'campaign','money':1000,'units':9}}");
	in_force();
	engine->time_uncertain = true;
	open_basket("b");
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("o"), "budget");
	engine->time_uncertain = false;
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("o"), "offered");
}

static void
who_is_in_the_control_group_is_decided_for_and_shown_nothing(void **state)
{
	(void)state;
	a_policy("{'control':{'share':1}}");
	an_action("r",
	    "{" ON_CARD ",'kind':'recommend','outcome':{'is':'bought','item':{'category':'c'}}}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	identify(ANNA);
	assert_said("");
	assert_string_equal(fate_in_record("r"), "withheld");
	assert_int_equal(engine->today.withheld, 1);
	assert_int_equal(customer(ANNA)->contacts.count, 1);
	assert_true(customer(ANNA)->contacts.rows[0].withheld);
	wait_for(120 * S_MS);
	assert_said("");
}

static void
a_withheld_message_is_not_cleared_at_the_till(void **state)
{
	(void)state;
	a_policy("{'control':{'share':1}}");
	an_action("r",
	    "{" ON_CARD ",'kind':'recommend','placements':['till'],"
	    "'outcome':{'is':'bought','item':{'category':'c'}}}");
	in_force();
	open_basket("b");
	identify(ANNA);
	assert_string_equal(fate_in_record("r"), "withheld");
	assert_said("");
	wait_for(120 * S_MS);
	assert_said("");
}

/* Two actions for a stranger, one of which nobody in the control group may see. */
static void
strangers_cards(const char *share, const char *more)
{
	a_policy(arena_printf(texts, "{'control':{'share':%s}}", share));
	an_action("o",
	    arena_printf(texts, "{" OFFER_OF("") ",'budget':{'per':'store-day','money':100}%s}",
		more));
	an_action("s", "{}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
}

static void
what_a_stranger_was_shown_goes_when_a_control_customers_card_is_read(void **state)
{
	char guidance[ID_TEXT_SIZE], prompt[ID_TEXT_SIZE];

	(void)state;
	strangers_cards("1", "");
	assert_said("guidance 7: s o");
	snprintf(guidance, sizeof(guidance), "%s", guidance_on_screen());
	snprintf(prompt, sizeof(prompt), "%s", prompt_of("o"));
	assert_int_equal(hold_today(engine, "o").day_money_minor, 40);
	identify(ANNA);
	assert_said("guidance 7: s");
	assert_int_equal(hold_today(engine, "o").day_money_minor, 0);
	/* The associate's finger was on its way. */
	assert_int_equal(answer_prompt(guidance, prompt, "{'decision':'accept'}", NULL, false)
			     .status,
	    410);
	/* It is on record as withheld, and is not drawn anew. */
	scan("b", "c", 100);
	assert_string_equal(fate_in_record("o"), "withheld");
	assert_int_equal(customer(ANNA)->contacts.rows[0].outcome, OUTCOME_DECIDED);
	restart();
	wait_for(120 * S_MS);
	assert_said("");
}

static void
what_a_stranger_accepted_is_kept_also_for_a_control_customer(void **state)
{
	(void)state;
	strangers_cards("1", "");
	answer("o", "accept");
	identify(ANNA);
	assert_said("");
	tell("pos/7/event", "offer.applied", "{'basket':'b','token':'%s','amount':40}", token);
	assert_int_equal(dead_letters(), 0);
}

static void
a_message_of_a_strangers_card_is_cleared_at_the_till(void **state)
{
	(void)state;
	strangers_cards("1", ",'placements':['till']");
	identify(ANNA);
	assert_non_null(strstr(said(), "till 7 clear-message"));
}

/* How often the action was chosen, and on how many days, of a hundred visits that begin without the card. */
static int
chosen_in_visits(const char *share, uint64_t seed)
{
	int chosen = 0;

	strangers_cards(share,
	    ",'caps':[{'per':'customer','outcome':'shown','max':3,'within':'1d'}]");
	for (int i = 0; i < 40; i++) {
		char basket[16];
		uint64_t step = (seed + (uint64_t)i) * UINT64_C(0x9e3779b97f4a7c15) >> 60;

		snprintf(basket, sizeof(basket), "n%d", i);
		open_basket(basket);
		if (step % 2 == 0)
			scan(basket, "c", 100);
		tell("pos/7/event", "customer.identified",
		    "{'subject':'%s','basket':'%s','station':'7'}", ANNA, basket);
		scan(basket, "c", 100);
		chosen += strcmp(fate_in_record("o"), "offered") == 0 ||
		    strcmp(fate_in_record("o"), "withheld") == 0;
		close_basket(basket, 200);
		wait_for((int64_t)(step + 1) * 10 * MIN_MS);
	}
	return chosen;
}

static void
caps_are_alike_in_both_groups(void **state)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		int treated = chosen_in_visits("0", seed), control;

		tear_down(state);
		set_up(state);
		control = chosen_in_visits("1", seed);
		tear_down(state);
		set_up(state);
		if (treated != control || treated == 0 || treated == 40)
			fail_msg("seed %d: %d treated, %d control", (int)seed, treated, control);
	}
}

/* ---- experiments ---- */

#define EXPERIMENT(name, arms) \
	"{'experiment':'" name "','unit':'store','salt':'" SALT "','share':1,'arms':{" arms \
	"},'guardrails':[]}"

/* Whichever of two experiments says so, and wherever it stands. */
static void
one_arm_that_withholds_is_enough(void **state)
{
	static const char *const both[] = {
		"{'experiments':[" EXPERIMENT("e1",
		    "'none':{'weight':1,'withhold':true}") "," EXPERIMENT("e2",
		    "'a':{'weight':1}") "]}",
		"{'experiments':[" EXPERIMENT("e1", "'a':{'weight':1}") "," EXPERIMENT("e2",
		    "'none':{'weight':1,'withhold':true}") "]}",
		"{'experiments':[" EXPERIMENT("e1", "'a':{'weight':1}") "," EXPERIMENT("e2",
		    "'b':{'weight':1}") "]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		if (i > 0) {
			tear_down(state);
			set_up(state);
		}
		a_policy("{}");
		an_action("r",
		    "{'kind':'recommend','outcome':{'is':'bought','item':{'category':'z'}}}");
		add_part(texts, &parts, "experiments.json", quoted(both[i]));
		in_force();
		open_basket("b");
		scan("b", "c", 100);
		assert_string_equal(fate_in_record("r"), i < 2 ? "withheld" : "offered");
	}
}

/* ---- which cards leave ---- */

static void
a_card_stays_while_nothing_is_better_and_leaves_for_what_is(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':1}}}");
	an_action("a", "{'margin':100}");
	an_action("z", "{'margin':900,'group':'h','eligible':{'>':[{'var':'total'},150]}}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	scan("b", "c", 10);
	assert_said("");
	assert_heard(LANE_DECISION, "decision; decision");
	assert_int_equal(visit_of("b")->decisions, 2);
	scan("b", "c", 100);
	assert_said("guidance 7: z");
	assert_heard(LANE_DECISION, "decision; withdrawn (replaced)");
}

static void
a_card_whose_gate_fails_is_withdrawn_by_any_event(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.basket.opened'],'applicable':{'<':[{'var':'total'},150]}}");
	open_basket("b");
	assert_said("guidance 7: a");
	scan("b", "c", 100);
	assert_said("");
	assert_int_equal(decisions, 1); /* nothing was drawn */
	scan("b", "c", 50);
	assert_said("withdraw 7 gate");
	assert_int_equal(decisions, 1);
	assert_heard(LANE_DECISION, "decision; withdrawn (gate)");
	scan("b", "c", 50);
	assert_said("");
}

static void
of_two_cards_the_one_that_fails_leaves_and_the_other_stays(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{'on':['aisle.basket.opened'],'applicable':{'<':[{'var':'total'},150]}}");
	an_action("k", "{'on':['aisle.basket.opened'],'group':'h'}");
	in_force();
	open_basket("b");
	assert_said("guidance 7: a k");
	scan("b", "c", 150);
	assert_said("guidance 7: k");
}

static void
what_was_answered_makes_room_at_the_next_decision(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':1}}}");
	an_action("a", "{'margin':900}");
	an_action("k", "{'group':'h'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	assert_int_equal(answer("a", "dismiss"), 200);
	assert_said("guidance 7: a(answered)");
	scan("b", "c", 100);
	assert_string_equal(said(), "guidance 7: k");
}

static void
an_accepted_card_is_kept_by_the_next_decision(void **state)
{
	const json_t *slot;
	json_t *json;

	(void)state;
	a_policy("{'placements':{'tablet':{'slots':1}}}");
	an_action("a", "{'margin':900}");
	an_action("k", "{'group':'h'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("a", "accept"), 200);
	scan("b", "c", 100);
	assert_int_equal(visit_of("b")->cards[0].state, CARD_ANSWERED);
	assert_string_equal(fate_in_record("k"), "outranked");
	json = json_loads(record.data, 0, NULL);
	slot = json_array_get(json_object_get(json, "slots"), 0);
	assert_string_equal(text_of(slot, "action"), "a");
	assert_string_equal(text_of(slot, "treatment"), "plain");
	assert_true(json_is_true(json_object_get(slot, "kept")));
	json_decref(json);
}

static void
an_offer_that_the_till_refused_makes_room(void **state)
{
	(void)state;
	a_policy("{'placements':{'tablet':{'slots':1}}}");
	an_action("o", "{" OFFER_OF("") ",'margin':900}");
	an_action("k", "{'group':'h'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_int_equal(answer("o", "accept"), 200);
	tell("pos/7/event", "offer.refused", "{'basket':'b','token':'%s','reason':'no'}", token);
	assert_said("guidance 7: o(refused)");
	scan("b", "c", 100);
	assert_said("guidance 7: k");
}

/* ---- where nothing is decided ---- */

static void
nothing_is_decided_for_training_or_after_the_close(void **state)
{
	(void)state;
	only("a",
	    "{'on':['aisle.basket.opened','aisle.basket.item-added','aisle.basket.closed','aisle."
	    "basket.cancelled']}");
	tell("pos/7/event", "basket.opened", "{'basket':'t','terminal':'7','training':true}");
	assert_int_equal(decisions, 0);
	tell("pos/7/event", "basket.cancelled", "{'basket':'t'}");
	assert_int_equal(decisions, 0);
	open_basket("b");
	assert_int_equal(decisions, 1);
	close_basket("b", 0);
	assert_int_equal(decisions, 2); /* the close itself is a trigger */
	scan("b", "c", 100);		/* late */
	assert_int_equal(decisions, 2);
	tell("pos/7/event", "basket.cancelled", "{'basket':'b'}");
	assert_int_equal(decisions, 2);
}

static void
who_leaves_is_not_decided_about(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.left','aisle.customer.identified']}");
	identify(ANNA);
	assert_int_equal(decisions, 1);
	tell("pos/7/event", "customer.left", "{'subject':'" ANNA "','station':'7'}");
	assert_int_equal(decisions, 1);
	assert_said("withdraw 7 customer");
}

static void
without_a_policy_a_basket_goes_its_way(void **state)
{
	(void)state;
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	close_basket("b", 100);
	assert_said("");
	assert_int_equal(decisions, 0);
}

/* ---- the record ---- */

static void
headquarters_gets_the_record_without_what_was_read_of_the_customer(void **state)
{
	json_t *ours, *theirs;

	(void)state;
	only("a", "{'suitable':{'<':[{'var':'total'},1000]}}");
	open_basket("b");
	scan("b", "c", 100);
	assert_heard(LANE_DECISION, "decision");
	ours = json_loads(record.data, 0, NULL);
	theirs = json_loads(heard_last, 0, NULL);
	assert_non_null(theirs);
	assert_non_null(json_object_get(ours, "features"));
	assert_null(json_object_get(theirs, "features"));
	json_object_del(ours, "features");
	assert_true(json_equal(ours, theirs));
	json_decref(ours);
	json_decref(theirs);
}

/* One that drew nothing but nothing has none. */
static void
with_features_headquarters_gets_the_whole_record_of_what_was_drawn(void **state)
{
	json_t *theirs;

	(void)state;
	conf.uplink_features = true;
	only("a", "{'suitable':{'>':[{'var':'total'},150]}}");
	open_basket("b");
	scan("b", "c", 100);
	assert_heard(LANE_DECISION, "decision");
	assert_non_null(strstr(record.data, "features"));
	theirs = json_loads(heard_last, 0, NULL);
	assert_null(json_object_get(theirs, "features"));
	json_decref(theirs);
	scan("b", "c", 100);
	assert_heard(LANE_DECISION, "decision");
	assert_string_equal(heard_last, record.data);
	assert_non_null(strstr(heard_last, "\"features\":{\"total\":200}"));
}

/* Braces and quotes in a customer's own attribute. */
static void
a_features_text_may_look_like_the_end_of_the_features(void **state)
{
	json_t *theirs;

	(void)state;
	a_policy("{}");
	add_part(texts, &parts, "features.json",
	    quoted("{'features':[{'name':'word','type':'string','from':'event.word'},"
		   "{'name':'x','type':'number','from':'event.x'}]}"));
	parts.part[2] = parts.part[--parts.count];
	an_action("a",
	    "{'suitable':{'!=':[{'var':'word'},'no']},'applicable':{'!=':[{'var':'x'},9]}}");
	in_force();
	open_basket("b");
	tell("pos/7/event", "basket.item-added",
	    "{'basket':'b','line':1,'sku':'s','category':'c','qty':1,'amount':9,'currency':'EUR','"
	    "x':1,"
	    "'word':'}\\\\\\\"},\\\\\\\"a\\\\\\\":{'}");
	assert_heard(LANE_DECISION, "decision");
	theirs = json_loads(heard_last, 0, NULL);
	assert_non_null(theirs);
	assert_null(json_object_get(theirs, "features"));
	assert_non_null(json_object_get(theirs, "slots"));
	json_decref(theirs);
}

static void
a_store_that_sends_sums_only_sends_no_decision_and_no_outcome(void **state)
{
	(void)state;
	conf.uplink_aggregates = true;
	restart();
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	close_basket("b", 100);
	assert_heard(LANE_DECISION, "");
	assert_heard(LANE_MONEY, "");
	wait_for(H_MS);
	assert_heard(LANE_TELEMETRY, "aggregate");
}

static void
a_decision_can_be_asked_for_with_what_came_of_it(void **state)
{
	char id[ID_TEXT_SIZE];
	struct buf out = { 0 };
	json_t *json;

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	id_text(&visit_of("b")->cards[0].decision, id);
	assert_int_equal(show("a", true), 200);
	assert_int_equal(answer("a", "dismiss"), 200);
	assert_int_equal(query_decision(engine, id, &out), 0);
	buf_addc(&out, '\0');
	json = json_loads(out.data, 0, NULL);
	assert_string_equal(text_of(json, "decision"), id);
	assert_int_equal(json_array_size(json_object_get(json, "outcomes")), 2);
	assert_string_equal(text_of(json_array_get(json_object_get(json, "outcomes"), 1),
				"outcome"),
	    "dismissed");
	json_decref(json);
	buf_clear(&out);
	assert_int_equal(query_decision(engine, ANNA, &out), AISLE_E_NONE);
	assert_int_equal(query_decision(engine, "no", &out), AISLE_E_NONE);
	buf_done(&out);
}

static void
a_record_says_whose_basket_it_was(void **state)
{
	json_t *json;

	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	json = json_loads(record.data, 0, NULL);
	assert_null(json_string_value(json_object_get(json, "subject")));
	json_decref(json);
	identify(ANNA);
	scan("b", "c", 100);
	json = json_loads(record.data, 0, NULL);
	assert_string_equal(text_of(json, "subject"), ANNA);
	assert_string_equal(text_of(json, "basket"), "b");
	assert_string_equal(text_of(json, "station"), "7");
	json_decref(json);
}

/* ---- what happened long ago ---- */

static void
what_happened_longer_ago_than_is_fresh_decides_nothing_and_is_known(void **state)
{
	int64_t stale = metrics_get(METRIC_STALE);

	(void)state;
	only("a", "{}");
	open_basket("b");
	late_ms = conf.stale_ms;
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	assert_int_equal(decisions, 1);
	late_ms = conf.stale_ms + 1;
	scan("b", "c", 100);
	assert_said("");
	assert_int_equal(decisions, 1);
	assert_int_equal(visit_of("b")->line_count, 2);
	assert_int_equal(metrics_get(METRIC_STALE) - stale, 1);
	/* While the hour is not known, nobody can say what is old. */
	engine_set_time_uncertain(engine, true);
	scan("b", "c", 100);
	assert_int_equal(decisions, 2);
	assert_int_equal(metrics_get(METRIC_STALE) - stale, 1);
	/* A bound that was changed counts from then on. */
	engine_set_time_uncertain(engine, false);
	conf.stale_ms = late_ms;
	scan("b", "c", 100);
	assert_int_equal(decisions, 3);
}

static void
what_happened_long_ago_takes_away_what_it_makes_wrong(void **state)
{
	(void)state;
	only("a", "{'applicable':{'<':[{'var':'total'},500]}}");
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	late_ms = D_MS;
	scan("b", "c", 300);
	assert_said("");
	scan("b", "c", 300);
	assert_said("withdraw 7 gate");
	assert_int_equal(decisions, 1);
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	close_basket("b", 700);
	assert_null(visit_of("b"));
}

/* A backlog of a loyalty reader that was away: nobody stands there any more. */
static void
a_customer_of_long_ago_is_served_nowhere(void **state)
{
	(void)state;
	only("a", "{'on':['aisle.customer.identified','aisle.care.case-opened']}");
	late_ms = D_MS;
	tell("loyalty/r1/event", "care.case-opened",
	    "{'subject':'" ANNA "','case':'1','topic':'t','severity':1}");
	identify(ANNA);
	assert_said("");
	assert_int_equal(decisions, 0);
}

/* ---- what the library is shown, and what the till's word brings up ---- */

static int shown_sources;

static void
note_sources(void *ctx, const struct sources *sources)
{
	assert_ptr_equal(ctx, &shown_sources);
	assert_non_null(sources->visit);
	assert_non_null(sources->event);
	assert_true(sources->now_ms == now_ms);
	shown_sources++;
}

static void
who_learns_is_shown_what_a_decision_looks_at_for_the_types_it_asked_for(void **state)
{
	(void)state;
	shown_sources = 0;
	only("a", "{'on':['aisle.basket.closed'],'placements':['later'],'gate':'none'}");
	open_basket("b");
	scan("b", "c", 100);
	engine_show_sources(engine, 1u << EV_BASKET_ITEM_ADDED, note_sources, &shown_sources);
	scan("b", "c", 100);
	assert_int_equal(shown_sources, 1);
	tell("pos/7/event", "basket.tender-started", "{'basket':'b'}");
	assert_int_equal(shown_sources, 1);
	engine_show_sources(engine, 1u << EV_BASKET_ITEM_ADDED | 1u << EV_BASKET_TENDER_STARTED,
	    note_sources, &shown_sources);
	open_basket("d");
	assert_int_equal(shown_sources, 1);
	tell("pos/7/event", "basket.tender-started", "{'basket':'d'}");
	scan("d", "c", 100);
	assert_int_equal(shown_sources, 3);
	/* Not of who works here. */
	conf.baskets_a_day = 0;
	identify(ANNA);
	scan("d", "c", 100);
	scan("d", "c", 100);
	assert_int_equal(shown_sources, 3);
	conf.baskets_a_day = 1000000;
	scan("d", "c", 100);
	assert_int_equal(shown_sources, 4);
	engine_show_sources(engine, 0, NULL, NULL);
	scan("d", "c", 100);
	assert_int_equal(shown_sources, 4);
}

/* A card leaves for what the decision says of its action; of one that the policy does not know, for the gate. */
static void
an_event_that_names_no_action_withdraws_the_cards_whose_gate_is_closed_by_now(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a", "{'eligible':{'<':[{'var':'total'},150]}}");
	an_action("k", "{'group':'h'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a k");
	heard(LANE_DECISION);
	tell("pos/7/event", "basket.payment-declined", "{'basket':'b'}");
	assert_said("");
	/* The basket grows by a word that is no trigger. */
	visit_of("b")->lines[0].amount_minor = 200;
	tell("pos/7/event", "basket.payment-declined", "{'basket':'b'}");
	assert_said("guidance 7: k");
	assert_heard(LANE_DECISION, "withdrawn (gate)");
	assert_int_equal(visit_of("b")->cards[0].state, CARD_GONE);
	assert_int_equal(visit_of("b")->cards[1].state, CARD_OPEN);
}

static void
a_tills_word_on_an_offer_may_bring_up_what_is_for_that(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("o", "{" OFFER_OF("") "}");
	an_action("sorry", "{'group':'h','on':['aisle.offer.refused']}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: o");
	assert_int_equal(answer("o", "accept"), 200);
	tell("pos/7/event", "offer.refused", "{'token':'%s','basket':'b','reason':'expired'}",
	    token);
	assert_non_null(strstr(said(), "sorry"));
	assert_non_null(strstr(said(), "o(refused)"));
	/* In training, or of a sale that is over, nothing comes up. */
	scan("b", "c", 100);
	visit_of("b")->training = true;
	tell("pos/7/event", "offer.refused", "{'token':'%s','basket':'b','reason':'expired'}",
	    token);
	assert_null(strstr(said(), "sorry"));
}

/* Another policy is in force, and nobody has swept yet. */
static void
a_card_whose_action_the_policy_does_not_know_leaves_for_the_gate(void **state)
{
	(void)state;
	only("a", "{}");
	open_basket("b");
	scan("b", "c", 100);
	assert_said("guidance 7: a");
	heard(LANE_DECISION);
	memset(&parts, 0, sizeof(parts));
	only("k", "{'on':['aisle.basket.closed']}");
	scan("b", "c", 100);
	assert_said("withdraw 7 gate");
	assert_heard(LANE_DECISION, "withdrawn (gate)");
	memset(&parts, 0, sizeof(parts));
	only("a", "{}");
	scan("b", "c", 100);
	memset(&parts, 0, sizeof(parts));
	only("k", "{}");
	heard(LANE_DECISION);
	scan("b", "c", 100);
	assert_said("guidance 7: k");
	assert_heard(LANE_DECISION, "decision; withdrawn (gate)");
}

/* The next one's texts may stand where the last one's did. */
static void
what_was_drawn_is_forgotten_with_its_policy(void **state)
{
	const unsigned char *bytes = (const unsigned char *)engine->draws;
	size_t set = 0;

	(void)state;
	a_policy("{'explore':{'unit':100,'gamma':3,'shortlist':8}}");
	an_action("a", "{}");
	an_action("k", "{'group':'h'}");
	in_force();
	open_basket("b");
	scan("b", "c", 100);
	for (size_t i = 0; i < sizeof(*engine->draws); i++)
		set += bytes[i] != 0;
	assert_true(set > 0);
	engine_drop_policy(engine);
	for (size_t i = 0; i < sizeof(*engine->draws); i++)
		assert_int_equal(bytes[i], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(a_card_whose_action_the_policy_does_not_know_leaves_for_the_gate),
		SPINE_TEST(what_was_drawn_is_forgotten_with_its_policy),
		SPINE_TEST(who_learns_is_shown_what_a_decision_looks_at_for_the_types_it_asked_for),
		SPINE_TEST(
		    an_event_that_names_no_action_withdraws_the_cards_whose_gate_is_closed_by_now),
		SPINE_TEST(a_tills_word_on_an_offer_may_bring_up_what_is_for_that),
		SPINE_TEST(what_happened_longer_ago_than_is_fresh_decides_nothing_and_is_known),
		SPINE_TEST(what_happened_long_ago_takes_away_what_it_makes_wrong),
		SPINE_TEST(a_customer_of_long_ago_is_served_nowhere),
		SPINE_TEST(what_is_known_of_a_customer_is_read_only_with_their_consent),
		SPINE_TEST(a_word_for_later_needs_consent_to_contact),
		SPINE_TEST(the_length_of_the_queue_is_that_at_the_visits_station),
		SPINE_TEST(
		    a_budget_that_is_held_is_not_there_for_the_next_and_comes_back_with_the_day),
		SPINE_TEST(while_the_time_is_uncertain_no_campaign_is_spent),
		SPINE_TEST(who_is_in_the_control_group_is_decided_for_and_shown_nothing),
		SPINE_TEST(what_a_stranger_was_shown_goes_when_a_control_customers_card_is_read),
		SPINE_TEST(what_a_stranger_accepted_is_kept_also_for_a_control_customer),
		SPINE_TEST(a_message_of_a_strangers_card_is_cleared_at_the_till),
		SPINE_TEST(caps_are_alike_in_both_groups),
		SPINE_TEST(a_withheld_message_is_not_cleared_at_the_till),
		SPINE_TEST(one_arm_that_withholds_is_enough),
		SPINE_TEST(a_card_stays_while_nothing_is_better_and_leaves_for_what_is),
		SPINE_TEST(a_card_whose_gate_fails_is_withdrawn_by_any_event),
		SPINE_TEST(of_two_cards_the_one_that_fails_leaves_and_the_other_stays),
		SPINE_TEST(what_was_answered_makes_room_at_the_next_decision),
		SPINE_TEST(an_accepted_card_is_kept_by_the_next_decision),
		SPINE_TEST(an_offer_that_the_till_refused_makes_room),
		SPINE_TEST(nothing_is_decided_for_training_or_after_the_close),
		SPINE_TEST(who_leaves_is_not_decided_about),
		SPINE_TEST(without_a_policy_a_basket_goes_its_way),
		SPINE_TEST(headquarters_gets_the_record_without_what_was_read_of_the_customer),
		SPINE_TEST(with_features_headquarters_gets_the_whole_record_of_what_was_drawn),
		SPINE_TEST(a_features_text_may_look_like_the_end_of_the_features),
		SPINE_TEST(a_store_that_sends_sums_only_sends_no_decision_and_no_outcome),
		SPINE_TEST(a_decision_can_be_asked_for_with_what_came_of_it),
		SPINE_TEST(a_record_says_whose_basket_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
