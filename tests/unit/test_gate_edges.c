/* SPDX-License-Identifier: Apache-2.0
 *
 * test_gate_edges.c - each gate to its last minute, card and unit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "decide/run.h"

#include "decide_scene.h"

static struct scene s;

static int
teardown(void **state)
{
	(void)state;
	scene_end(&s);
	return 0;
}

#define assert_fate(id, fate) assert_string_equal(fate_of(&s, id), fate)
#define assert_clause(id, clause) assert_string_equal(clause_of(&s, id), clause)

/* ---- times, to the minute ---- */

static void
hours_are_of_a_day_and_days_are_seven(void **state)
{
	static const struct {
		const char *at;
		const char *open; /* of d: 06-22, n: 22-24, s: Sunday, m: Monday to Saturday */
	} cases[] = {
		{ "2026-11-21T21:59:00Z", "d m" },
		{ "2026-11-21T22:00:00Z", "m n" },
		{ "2026-11-22T00:00:00Z", "s" },
		{ "2026-11-22T05:59:00Z", "s" },
		{ "2026-11-22T06:00:00Z", "d s" },
		{ "2026-11-23T06:00:00Z", "d m" },
	};

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":8}}}");
	add_action(&s, "d", "{\"valid\":{\"hours\":[\"06:00\",\"22:00\"]}}");
	add_action(&s, "m",
	    "{\"valid\":{\"days\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\",\"sat\"]}}");
	add_action(&s, "n", "{\"valid\":{\"hours\":[\"22:00\",\"24:00\"]}}");
	add_action(&s, "s", "{\"valid\":{\"days\":[\"sun\"]}}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char want[32];

		s.input.sources.now_ms = at(cases[i].at);
		scene_decide(&s);
		snprintf(want, sizeof(want), "%s nothing", cases[i].open);
		assert_string_equal(slots_of(&s), want);
	}
}

static void
an_action_of_some_stores_is_for_those(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"valid\":{\"stores\":[\"0041\",\"0042\"]}}");
	scene_decide(&s);
	assert_fate("a", "offered");
	s.input.sources.store = "004";
	scene_decide(&s);
	assert_fate("a", "validity");
	assert_clause("a", "valid.stores");
	s.input.sources.store = NULL;
	scene_decide(&s);
	assert_fate("a", "validity");
}

static void
only_an_offer_that_hangs_on_a_date_waits_for_a_sure_clock(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":8}}}");
	add_action(&s, "from", OFFER("},\"valid\":{\"from\":\"2020-01-01T00:00:00Z\"}"));
	add_action(&s, "hours", OFFER("},\"valid\":{\"hours\":[\"00:00\",\"23:00\"]}"));
	add_action(&s, "service", "{\"valid\":{\"until\":\"2027-01-01T00:00:00Z\"}}");
	s.input.store.time_uncertain = true;
	scene_decide(&s);
	assert_fate("from", "validity");
	assert_clause("from", "valid: time uncertain");
	assert_fate("hours", "offered");
	assert_fate("service", "offered");
	s.input.store.time_uncertain = false;
	scene_decide(&s);
	assert_fate("from", "offered");
}

static void
an_action_ends_with_its_date_its_hours_or_its_days_whichever_is_first(void **state)
{
	static const struct {
		const char *now, *until; /* NULL: no date */
		int from, to;		 /* minutes */
		uint8_t days;		 /* a bit each, Monday first */
		const char *ends;	 /* NULL: never; local time of Berlin */
	} cases[] = {
		{ "2026-11-21T10:00:00Z", NULL, 0, 1440, 0x7f, NULL },
		{ "2026-11-21T10:00:00Z", "2026-11-21T10:00:01Z", 0, 1440, 0x7f,
		    "2026-11-21T10:00:01Z" },
		{ "2026-11-21T10:00:30Z", NULL, 0, 720, 0x7f,
		    "2026-11-21T11:00:00Z" }, /* noon there */
		{ "2026-11-21T10:59:59.999Z", NULL, 0, 720, 0x7f, "2026-11-21T11:00:00Z" },
		{ "2026-11-21T11:00:00Z", NULL, 0, 720, 0x7f,
		    "2026-11-22T11:00:00Z" }, /* the next noon */
		{ "2026-11-21T10:00:00Z", "2026-11-21T10:59:59Z", 0, 720, 0x7f,
		    "2026-11-21T10:59:59Z" },
		{ "2026-11-21T10:00:00Z", "2026-11-21T11:00:01Z", 0, 720, 0x7f,
		    "2026-11-21T11:00:00Z" },
		{ "2026-11-21T10:00:00Z", NULL, 60, 1440, 0x7f,
		    "2026-11-21T23:00:00Z" }, /* midnight */
		{ "2026-11-21T22:30:00Z", NULL, 0, 360, 0x7f,
		    "2026-11-22T05:00:00Z" }, /* over it */
		/* Saturday alone; and all days but Monday. */
		{ "2026-11-21T10:00:00Z", NULL, 0, 1440, 0x20, "2026-11-21T23:00:00Z" },
		{ "2026-11-21T10:00:00Z", NULL, 0, 1440, 0x7e, "2026-11-22T23:00:00Z" },
		{ "2026-11-23T23:00:00Z", NULL, 0, 1440, 0x7e, "2026-11-29T23:00:00Z" },
		{ "2026-11-21T10:00:00Z", "2026-11-21T12:00:00Z", 0, 1440, 0x20,
		    "2026-11-21T12:00:00Z" },
		{ "2026-11-21T10:00:00Z", "2026-11-22T12:00:00Z", 0, 1440, 0x20,
		    "2026-11-21T23:00:00Z" },
		{ "2026-11-21T10:00:00Z", NULL, 0, 780, 0x20, "2026-11-21T12:00:00Z" },
		/* The clocks go back in the night to 25 October, and forward in that to 28 March. */
		{ "2026-10-24T20:00:00Z", NULL, 0, 360, 0x7f, "2026-10-25T05:00:00Z" },
		{ "2027-03-27T21:00:00Z", NULL, 0, 360, 0x7f, "2027-03-28T04:00:00Z" },
		{ "2026-10-25T00:30:00Z", NULL, 0, 1440, 0x40, "2026-10-25T23:00:00Z" },
		{ "2027-03-28T00:30:00Z", NULL, 0, 1440, 0x40, "2027-03-28T22:00:00Z" },
		{ "2026-10-25T00:10:00Z", NULL, 0, 5, 0x7f, "2026-10-25T23:05:00Z" },
		{ "2027-03-28T00:10:00Z", NULL, 0, 1435, 0x7f, "2027-03-28T21:55:00Z" },
	};
	struct zone *berlin = zone_new("CET-1CEST,M3.5.0,M10.5.0/3");

	(void)state;
	scene_begin(&s, "{}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct action action = {
			.valid_until_ms = cases[i].until != NULL ? at(cases[i].until) : INT64_MAX,
			.valid_minute_from = cases[i].from,
			.valid_minute_until = cases[i].to,
			.valid_days = cases[i].days
		};
		int64_t ends_ms = action_ends_ms(&action, berlin, at(cases[i].now));

		if (ends_ms != (cases[i].ends != NULL ? at(cases[i].ends) : INT64_MAX))
			fail_msg("case %zu: %lld, expected %s", i, (long long)ends_ms,
			    cases[i].ends != NULL ? cases[i].ends : "never");
	}
	zone_free(berlin);
}

/* ---- what was answered, what is on the screen ---- */

static void
a_yes_is_said_before_every_other_answer_and_the_first_of_the_others(void **state)
{
	struct card *cards;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{}");
	for (uint8_t i = 1; i <= 3; i++)
		add_card(s.arena, &s.visit, i < 3 ? "a" : "b", "g", i)->state = CARD_GONE;
	cards = s.visit.cards;
	scene_decide(&s);
	assert_fate("a", "offered");
	cards[2].answer = ANSWER_ACCEPT; /* another action's */
	scene_decide(&s);
	assert_fate("a", "offered");
	cards[1].answer = ANSWER_OVERRIDE;
	scene_decide(&s);
	assert_clause("a", "visit: overridden");
	cards[0].answer = ANSWER_DISMISS;
	scene_decide(&s);
	assert_clause("a", "visit: dismissed");
	cards[1].answer = ANSWER_ACCEPT;
	scene_decide(&s);
	assert_clause("a", "visit: accepted");
	cards[1].answer = ANSWER_NONE;
	cards[0].answer = ANSWER_SNOOZE;
	cards[0].snooze_until_ms = NOW + 1;
	scene_decide(&s);
	assert_clause("a", "visit: snoozed");
	cards[0].snooze_until_ms = NOW;
	scene_decide(&s);
	assert_fate("a", "offered");
}

static void
what_comes_back_after_a_snooze_is_not_counted_twice(void **state)
{
	struct card *card;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"caps\":[{\"outcome\":\"shown\",\"max\":1,\"within\":\"7d\"}]}");
	card = add_card(s.arena, &s.visit, "a", "g", 5);
	card->state = CARD_ANSWERED;
	card->answer = ANSWER_SNOOZE;
	card->snooze_until_ms = NOW;
	add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - 1000, "a", "g", "grow", 5);
	scene_decide(&s);
	assert_fate("a", "offered");
	/* A newer card of it that was not snoozed: that one is meant. */
	card = add_card(s.arena, &s.visit, "a", "g", 6);
	card->state = CARD_GONE;
	scene_decide(&s);
	assert_fate("a", "contact");
	assert_clause("a", "caps[0]: shown 1 of 1");
}

static void
a_visit_without_room_takes_mandatory_cards_up_to_its_last_place(void **state)
{
	static const struct {
		size_t cards; /* that are live */
		const char *ordinary, *mandatory;
	} cases[] = {
		{ VISIT_CARDS_LIVE_MAX - VISIT_CARDS_RESERVED - 2, "offered", "offered" },
		{ VISIT_CARDS_LIVE_MAX - VISIT_CARDS_RESERVED - 1, "no-room", "offered" },
		{ VISIT_CARDS_LIVE_MAX - 1, "no-room", "offered" },
		{ VISIT_CARDS_LIVE_MAX, "no-room", "no-room" },
	};

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":2}}}");
	add_action(&s, "a", "{}");
	add_action(&s, "m",
	    "{\"kind\":\"alert\",\"mandatory\":true,\"propensity\":null,\"incremental\":null,"
	    "\"margin\":null,\"outcome\":null}");
	for (size_t i = 0; i < VISIT_CARDS_LIVE_MAX; i++) {
		struct card *card = add_card(s.arena, &s.visit, "other", "g", (uint8_t)(i + 1));

		card->state = CARD_ANSWERED;
		card->answer = ANSWER_DISMISS;
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		s.visit.card_count = cases[i].cards;
		scene_decide(&s);
		assert_fate("a", cases[i].ordinary);
		assert_fate("m", cases[i].mandatory);
	}
	/* A card that is open has its place. */
	s.visit.card_count = VISIT_CARDS_LIVE_MAX;
	s.visit.cards[0].state = CARD_OPEN;
	s.visit.cards[0].answer = ANSWER_NONE;
	s.visit.cards[0].action = arena_strdup(s.arena, "a");
	scene_decide(&s);
	assert_fate("a", "offered");
	s.visit.cards[0].placement = PLACE_RECEIPT; /* not there */
	scene_decide(&s);
	assert_fate("a", "no-room");
}

static void
a_hold_of_today_is_of_today_and_one_of_another_day_of_the_campaign_alone(void **state)
{
	struct budget_use use = { .action = "a",
		.day_money_minor = 1000,
		.day_units = 5,
		.all_money_minor = 1000,
		.all_units = 5 };
	static const char *const per[] = { "store-day", "campaign" };
	struct card *card;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(per); i++)
		for (int bound = 0; bound < 2; bound++) {
			scene_begin(&s, "{}");
			add_action(&s, "a",
			    arena_printf(s.arena, OFFER("},\"budget\":{\"%s\":%d,\"per\":\"%s\"}"),
				bound == 0 ? "money" : "units", bound == 0 ? 1000 : 5, per[i]));
			card = add_card(s.arena, &s.visit, "a", "g", 1);
			card->hold_minor = 300;
			card->depth = 10;
			s.input.store.uses = &use;
			s.input.store.use_count = 1;
			card->sent_ms = s.input.store.day_start_ms;
			scene_decide(&s);
			assert_fate("a", "offered");
			card->sent_ms = s.input.store.day_start_ms - 1;
			scene_decide(&s);
			assert_fate("a", i == 0 ? "budget" : "offered");
			card->sent_ms = NOW;
			card->hold_minor =
			    bound == 0 ? 299 : 0; /* one too few; of units nothing is one */
			scene_decide(&s);
			assert_fate("a", bound == 0 ? "budget" : "offered");
			card->hold_minor = -1; /* it holds nothing */
			scene_decide(&s);
			assert_fate("a", "budget");
			if (i + 1 < ARRAY_LEN(per) || bound == 0)
				scene_end(&s);
		}
}

/* Of a ladder the depth is had that has both words and money: here 5 alone. */
static void
money_for_a_depth_brings_no_words_for_it(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    "{" OFFER_MEMBERS ",\"offer\":{\"type\":\"percent\",\"ladder\":[5,10],\"typical\":450,"
	    "\"max\":300,\"apply\":\"till-code\",\"until\":\"0d\"},"
	    "\"propensity\":{\"if\":[{\"==\":[{\"var\":\"d\"},10]},0.9,0.5]},"
	    "\"budget\":{\"per\":\"campaign\",\"units\":3},"
	    "\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":"
	    "\"Of forty letters this is the figure: {{d}}!!\"}]}");
	scene_decide(&s);
	assert_fate("a", "offered");
	assert_int_equal(candidate_of(&s, "a")->depth, 5);
}

static void
the_list_of_what_is_stopped_is_searched_to_its_ends(void **state)
{
	static const char *const listed[] = { "b", "d", "f", "h", "k" };

	(void)state;
	scene_begin(&s, "{}");
	for (size_t count = 0; count <= ARRAY_LEN(listed); count++)
		for (char c = 'a'; c <= 'l'; c++) {
			const char name[2] = { c, '\0' };
			bool in = false;

			for (size_t i = 0; i < count; i++)
				in = in || strcmp(listed[i], name) == 0;
			assert_int_equal(action_listed(listed, count, name), in);
			assert_int_equal(action_stopped(listed, count, name), in);
		}
	assert_true(action_stopped((const char *const[]){ "*", "x" }, 2, "a"));
	assert_false(action_listed((const char *const[]){ "*", "x" }, 2, "a"));
}

static void
a_complaint_counts_from_the_severity_that_the_policy_names(void **state)
{
	(void)state;
	scene_begin(&s, "{\"care\":{\"severity\":2}}");
	add_action(&s, "a", OFFER("}"));
	s.subject.case_count = 3;
	s.subject.cases[0].severity = 1;
	s.subject.cases[1].severity = 3;
	s.subject.cases[1].closed_ms = 1;
	s.subject.cases[2].severity = 1;
	scene_decide(&s);
	assert_fate("a", "offered");
	s.subject.cases[2].severity = 3;
	scene_decide(&s);
	assert_fate("a", "care");
	assert_clause("a", "care");
	s.input.care = NULL; /* nobody is known */
	scene_decide(&s);
	assert_fate("a", "offered");
	scene_end(&s);
	scene_begin(&s, "{}"); /* no severity is named */
	add_action(&s, "a", OFFER("}"));
	s.subject.case_count = 1;
	s.subject.cases[0].severity = 3;
	scene_decide(&s);
	assert_fate("a", "offered");
}

static void
the_depth_is_that_of_the_tier_that_the_basket_reaches(void **state)
{
	static const struct {
		int64_t basket;
		int depth;
	} cases[] = { { 999, 10 }, { 1000, 5 }, { 1999, 5 }, { 2000, 20 } };

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    OFFER(",\"tiers\":[{\"from\":1000,\"depth\":5},{\"from\":2000,\"depth\":20}]},"
		  "\"margin\":5000"));
	add_line(s.arena, &s.visit, "x", 1000, 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		s.visit.lines[0].amount_minor = cases[i].basket;
		scene_decide(&s);
		assert_fate("a", "offered");
		assert_int_equal(candidate_of(&s, "a")->depth, cases[i].depth);
	}
}

static void
a_likely_complaint_is_told_by_any_feature_also_the_first(void **state)
{
	struct attribute call = {
		.name = (char *)(uintptr_t) "call", .tag = VALUE_NUMBER, .number = 0.5
	};

	(void)state;
	scene_begin(&s, "{\"care\":{\"likely_to_call\":0}}");
	s.parts.count--;
	add_part(s.arena, &s.parts, "features.json",
	    "{\"features\":[{\"name\":\"likely_to_call\",\"type\":\"number\",\"from\":\"profile."
	    "call\"}]}");
	add_action(&s, "a", OFFER("}"));
	s.subject.has_profile = true;
	s.subject.attributes = &call;
	s.subject.attribute_count = 1;
	scene_decide(&s);
	assert_fate("a", "care");
	call.number = 0;
	scene_decide(&s);
	assert_fate("a", "offered");
}

static void
a_rule_is_true_by_what_its_value_is_whatever_its_kind(void **state)
{
	static const struct {
		const char *data, *word, *x;
	} cases[] = {
		{ "{\"word\":\"\",\"x\":0}", "eligibility", "eligibility" },
		{ "{\"word\":\"0\",\"x\":1}", "offered", "offered" },
		{ "{\"word\":\"x\",\"x\":-0.5}", "offered", "offered" },
	};

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":2}}}");
	add_action(&s, "w", "{\"eligible\":{\"var\":\"word\"}}");
	add_action(&s, "x", "{\"eligible\":{\"var\":\"x\"}}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scene_data(&s, cases[i].data);
		scene_decide(&s);
		assert_fate("w", cases[i].word);
		assert_fate("x", cases[i].x);
	}
}

static void
what_a_person_names_is_closed_by_the_gate_that_closed_it(void **state)
{
	static const struct {
		const char *id;
		enum fate fate;
	} cases[] = { { "good", FATE_OFFERED }, { "poor", FATE_NOT_WORTH_IT },
		{ "wrong", FATE_ELIGIBILITY } };
	struct decision decision;
	struct card *card;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "good", "{}");
	add_action(&s, "poor", "{\"margin\":0}");
	add_action(&s, "wrong", "{\"eligible\":{\"==\":[{\"var\":\"x\"},2]}}");
	card = add_card(s.arena, &s.visit, "other", "g", 1);
	scene_decide(&s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct door door = { .way = DOOR_LISTED,
			.action = policy_action(s.policy, cases[i].id),
			.replaces = card };

		decide_named(s.arena, &s.input, &door, &decision);
		assert_int_equal(decision.candidates[0].fate, cases[i].fate);
		assert_int_equal(decision.slot_count, cases[i].fate == FATE_OFFERED ? 1 : 0);
		assert_int_equal(door.over, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
		T(hours_are_of_a_day_and_days_are_seven),
		T(an_action_of_some_stores_is_for_those),
		T(only_an_offer_that_hangs_on_a_date_waits_for_a_sure_clock),
		T(an_action_ends_with_its_date_its_hours_or_its_days_whichever_is_first),
		T(a_yes_is_said_before_every_other_answer_and_the_first_of_the_others),
		T(what_comes_back_after_a_snooze_is_not_counted_twice),
		T(a_visit_without_room_takes_mandatory_cards_up_to_its_last_place),
		T(a_hold_of_today_is_of_today_and_one_of_another_day_of_the_campaign_alone),
		T(money_for_a_depth_brings_no_words_for_it),
		T(the_list_of_what_is_stopped_is_searched_to_its_ends),
		T(a_complaint_counts_from_the_severity_that_the_policy_names),
		T(the_depth_is_that_of_the_tier_that_the_basket_reaches),
		T(a_likely_complaint_is_told_by_any_feature_also_the_first),
		T(a_rule_is_true_by_what_its_value_is_whatever_its_kind),
		T(what_a_person_names_is_closed_by_the_gate_that_closed_it),
#undef T
	};

	return cmocka_run_group_tests_name("gate_edges", tests, NULL, NULL);
}
