/* SPDX-License-Identifier: Apache-2.0
 *
 * test_gate.c - each gate of a decision, its edge, and the order of all of them.
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

static void
an_action_without_obstacles_is_offered(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{}");
	scene_decide(&s);
	assert_fate("a", "offered");
	assert_string_equal(slots_of(&s), "a");
	assert_true(s.decision.slots[0].p_log == 1.0);
	assert_int_equal(s.decision.fates[FATE_OFFERED], 1);
}

static void
only_actions_of_the_trigger_and_open_cards_are_candidates(void **state)
{
	struct card *card;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{}");
	add_action(&s, "b", "{\"on\":[\"aisle.basket.opened\"]}");
	add_action(&s, "c", "{\"on\":[\"aisle.basket.opened\"]}");
	card = add_card(s.arena, &s.visit, "c", "g", 1);
	scene_decide(&s);
	assert_int_equal(s.decision.candidate_count, 2);
	assert_null(candidate_of(&s, "b"));
	assert_non_null(candidate_of(&s, "c"));
	card->state = CARD_GONE;
	scene_decide(&s);
	assert_null(candidate_of(&s, "c"));
}

static void
a_stopped_action_is_stopped(void **state)
{
	const char *const stopped[] = { "0", "a", "zz" };

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    "{\"kind\":\"alert\",\"mandatory\":true,\"propensity\":null,\"incremental\":null,"
	    "\"margin\":null,\"outcome\":null}");
	add_action(&s, "b", "{}");
	s.input.store.stopped = stopped;
	s.input.store.stopped_count = 3;
	scene_decide(&s);
	assert_fate("a", "stopped");
	assert_fate("b", "offered");
}

static void
validity_is_from_until_days_and_hours(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":8}}}");
	add_action(&s, "from-no", "{\"valid\":{\"from\":\"2026-11-21T10:00:00.001Z\"}}");
	add_action(&s, "from-yes", "{\"valid\":{\"from\":\"2026-11-21T10:00:00.000Z\"}}");
	add_action(&s, "until-no", "{\"valid\":{\"until\":\"2026-11-21T10:00:00.000Z\"}}");
	add_action(&s, "until-yes", "{\"valid\":{\"until\":\"2026-11-21T10:00:00.001Z\"}}");
	add_action(&s, "days-no", "{\"valid\":{\"days\":[\"mon\",\"fri\",\"sun\"]}}");
	add_action(&s, "days-yes", "{\"valid\":{\"days\":[\"sat\"]}}");
	add_action(&s, "hours-no", "{\"valid\":{\"hours\":[\"10:01\",\"21:00\"]}}");
	add_action(&s, "hours-no2", "{\"valid\":{\"hours\":[\"08:00\",\"10:00\"]}}");
	add_action(&s, "hours-yes", "{\"valid\":{\"hours\":[\"10:00\",\"10:01\"]}}");
	scene_decide(&s);
	assert_fate("from-no", "validity");
	assert_clause("from-no", "valid.from");
	assert_fate("from-yes", "offered");
	assert_clause("until-no", "valid.until");
	assert_fate("until-yes", "offered");
	assert_clause("days-no", "valid.days");
	assert_fate("days-yes", "offered");
	assert_clause("hours-no", "valid.hours");
	assert_clause("hours-no2", "valid.hours");
	assert_fate("hours-yes", "offered");
}

static void
hours_are_the_stores_own(void **state)
{
	struct zone *berlin = zone_new("CET-1CEST,M3.5.0,M10.5.0/3");

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"valid\":{\"hours\":[\"11:00\",\"11:01\"]}}");
	s.input.sources.zone = berlin;
	scene_decide(&s);
	assert_fate("a", "offered");
	zone_free(berlin);
}

static void
date_bound_offers_wait_for_a_sure_clock(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":2}}}");
	add_action(&s, "a", OFFER("},\"valid\":{\"until\":\"2027-01-01T00:00:00Z\"}"));
	add_action(&s, "b", OFFER("}"));
	s.input.store.time_uncertain = true;
	scene_decide(&s);
	assert_fate("a", "validity");
	assert_fate("b", "offered");
}

static void
a_personal_action_needs_a_known_customer(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"personal\":true}");
	scene_decide(&s);
	assert_fate("a", "offered");
	s.input.known = false;
	scene_decide(&s);
	assert_fate("a", "consent");
}

static void
later_also_needs_contact_consent(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"later\":{\"slots\":1}}}");
	add_action(&s, "a",
	    "{\"placements\":[\"later\"],\"eligible\":{\"==\":[{\"var\":\"x\"},2]}}");
	s.input.contact_consent = false;
	scene_decide(&s);
	assert_fate("a", "consent"); /* before eligibility, which fails too */
	assert_false(features_was_read(s.decision.features, 0));
	s.input.contact_consent = true;
	scene_decide(&s);
	assert_fate("a", "eligibility");
}

static void
without_consent_personal_features_are_missing_even_if_passed(void **state)
{
	struct attribute tier = { .name = (char *)(uintptr_t) "tier",
		.tag = VALUE_STRING,
		.str = (char *)(uintptr_t) "gold" };

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"eligible\":{\"==\":[{\"var\":\"tier\"},\"gold\"]}}");
	s.subject.has_profile = true;
	s.subject.attributes = &tier;
	s.subject.attribute_count = 1;
	scene_decide(&s);
	assert_fate("a", "offered");
	s.input.known = false;
	scene_decide(&s);
	assert_fate("a", "missing");
	assert_clause("a", "{\"==\":[{\"var\":\"tier\"},\"gold\"]}");
}

static void
an_open_case_of_the_severity_lets_only_service_and_retain_through(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":3}},\"care\":{\"severity\":2}}");
	add_action(&s, "offer", OFFER("}"));
	add_action(&s, "service", "{}");
	add_action(&s, "inform", "{\"kind\":\"inform\"}");
	s.subject.case_count = 1;
	s.subject.cases[0].severity = 1;
	scene_decide(&s);
	assert_fate("offer", "offered");
	s.subject.cases[0].severity = 2;
	scene_decide(&s);
	assert_fate("offer", "care");
	assert_fate("inform", "care");
	assert_fate("service", "offered");
	s.subject.cases[0].closed_ms = 1;
	scene_decide(&s);
	assert_fate("offer", "offered");
	s.subject.cases[0].closed_ms = 0;
	s.input.known = false; /* care protects whatever the consent */
	scene_decide(&s);
	assert_fate("offer", "care");
}

static void
a_likely_complaint_over_the_bar_closes_too(void **state)
{
	struct attribute call = {
		.name = (char *)(uintptr_t) "call", .tag = VALUE_NUMBER, .number = 0.6
	};

	(void)state;
	scene_begin(&s, "{\"care\":{\"likely_to_call\":0.6}}");
	add_action(&s, "a", OFFER("}"));
	s.subject.has_profile = true;
	s.subject.attributes = &call;
	s.subject.attribute_count = 1;
	scene_decide(&s);
	assert_fate("a", "offered");
	call.number = 0.61;
	scene_decide(&s);
	assert_fate("a", "care");
	s.subject.attribute_count = 0; /* not known: not likely */
	scene_decide(&s);
	assert_fate("a", "offered");
}

static void
rules_close_with_their_own_text(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":8}}}");
	add_action(&s, "el", "{\"eligible\":{\">\":[{\"var\":\"x\"},1]}}");
	add_action(&s, "ap", "{\"applicable\":{\">\":[{\"var\":\"x\"},1]}}");
	add_action(&s, "su", "{\"suitable\":{\">\":[{\"var\":\"x\"},1]}}");
	add_action(&s, "mi", "{\"suitable\":{\">\":[{\"var\":\"queue\"},1]}}");
	add_action(&s, "no", "{\"suitable\":{\"missing\":[\"queue\"]}}");
	scene_decide(&s);
	assert_fate("el", "eligibility");
	assert_clause("el", "{\">\":[{\"var\":\"x\"},1]}");
	assert_fate("ap", "applicability");
	assert_fate("su", "suitability");
	assert_fate("mi", "missing");
	assert_clause("mi", "{\">\":[{\"var\":\"queue\"},1]}");
	assert_fate("no", "offered");
	scene_data(&s, "{\"x\":2}");
	scene_decide(&s);
	assert_fate("el", "offered");
	assert_fate("ap", "offered");
	assert_fate("su", "offered");
}

static void
a_minimum_basket_is_met_at_its_amount(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", OFFER(",\"min_basket\":1000,\"include\":{\"category\":\"coffee\"}}"));
	add_line(s.arena, &s.visit, "x", 1000, 600);
	add_line(s.arena, &s.visit, "x", 1000, 399);
	scene_decide(&s);
	assert_fate("a", "applicability");
	assert_clause("a", "offer.min_basket");
	s.visit.lines[1].amount_minor = 400;
	scene_decide(&s);
	assert_fate("a", "offered");
	s.visit.lines[1].voided = true;
	scene_decide(&s);
	assert_fate("a", "applicability");
}

#define TREATMENT(name, lang, headline, more) \
	"{\"treatment\":\"" name "\",\"language\":\"" lang "\",\"headline\":\"" headline "\"" more \
	"}"

static void
a_treatment_must_have_its_values_and_fit(void **state)
{
	(void)state;
	scene_begin(&s,
	    "{\"placements\":{\"tablet\":{\"slots\":8,\"headline_max\":12,\"body_max\":5}}}");
	add_action(&s, "fits", "{\"treatments\":[" TREATMENT("t", "en", "{{word}}", "") "]}");
	add_action(&s, "gap", "{\"treatments\":[" TREATMENT("t", "en", "{{queue}} now", "") "]}");
	add_action(&s, "deflt",
	    "{\"treatments\":[" TREATMENT("t", "en", "{{queue|default:no}} now", "") "]}");
	add_action(&s, "why",
	    "{\"treatments\":[" TREATMENT("t", "en", "a", ",\"why\":[\"{{queue}}\"]") "]}");
	add_action(&s, "body",
	    "{\"treatments\":[" TREATMENT("t", "en", "a", ",\"body\":\"{{word}}\"") "]}");
	scene_data(&s,
	    "{\"word\":"
	    "\"\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc\"}");
	scene_decide(&s);
	assert_fate("fits", "offered"); /* 12 characters, 24 bytes */
	assert_fate("gap", "no-treatment");
	assert_fate("deflt", "offered");
	assert_fate("why", "no-treatment");
	assert_fate("body", "no-treatment");
	scene_data(&s, "{\"word\":\"1234567890123\"}");
	scene_decide(&s);
	assert_fate("fits", "no-treatment");
	scene_data(&s, "{\"word\":\"12345\"}");
	scene_decide(&s);
	assert_fate("body", "offered");
}

static void
the_customers_language_comes_before_the_policys_first(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":8}}}");
	add_action(&s, "a",
	    "{\"treatments\":[" TREATMENT("t", "en", "Hello", "") "," TREATMENT("u", "de", "Hallo",
		"") "]}");
	add_action(&s, "b", "{\"treatments\":[" TREATMENT("t", "en", "Hello", "") "]}");
	s.visit.language = arena_strdup(s.arena, "de-AT");
	scene_decide(&s);
	assert_string_equal(s.decision.slots[0].treatment->language, "de");
	assert_string_equal(s.decision.slots[1].treatment->language, "en");
	s.visit.language = NULL;
	scene_decide(&s);
	assert_string_equal(s.decision.slots[0].treatment->language, "en");
	s.visit.language = arena_strdup(s.arena, "de");
	s.input.known = false; /* the language is the profile's */
	scene_decide(&s);
	assert_string_equal(s.decision.slots[0].treatment->language, "en");
}

static void
what_was_answered_in_this_visit_stays_answered(void **state)
{
	static const struct {
		enum card_answer answer;
		int64_t until;
		const char *fate;
	} cases[] = {
		{ ANSWER_DISMISS, 0, "contact" },
		{ ANSWER_OVERRIDE, 0, "contact" },
		{ ANSWER_SNOOZE, 0, "contact" },
		{ ANSWER_SNOOZE, NOW + 1, "contact" },
		{ ANSWER_SNOOZE, NOW, "offered" },
		{ ANSWER_ACCEPT, 0, "contact" },
	};
	struct card *card;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{}");
	card = add_card(s.arena, &s.visit, "a", "g", 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		card->state = CARD_ANSWERED;
		card->answer = cases[i].answer;
		card->snooze_until_ms = cases[i].until;
		scene_decide(&s);
		assert_fate("a", cases[i].fate);
	}
}

static void
a_cap_closes_with_its_count(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    "{\"caps\":[{\"per\":\"customer\",\"outcome\":\"shown\",\"max\":1,\"within\":\"7d\"}]"
	    "}");
	scene_decide(&s);
	assert_fate("a", "offered");
	add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - D_MS, "a", "g", "grow", 5);
	scene_decide(&s);
	assert_fate("a", "contact");
	assert_clause("a", "caps[0]: shown 1 of 1");
}

static void
the_budget_bears_the_hold_to_its_last_unit(void **state)
{
	struct budget_use use = { .action = "a", .day_money_minor = 850, .day_units = 4 };

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":2}}}");
	/* funded half: a hold of 150 */
	add_action(&s, "a",
	    OFFER(",\"funded\":0.5,\"funder\":\"acme\"},\"budget\":{\"money\":1000,\"units\":5,"
		  "\"per\":\"store-day\"}"));
	s.input.store.uses = &use;
	s.input.store.use_count = 1;
	scene_decide(&s);
	assert_fate("a", "offered");
	assert_int_equal(candidate_of(&s, "a")->hold_minor, 150);
	use.day_money_minor = 851;
	scene_decide(&s);
	assert_fate("a", "budget");
	assert_clause("a", "budget.money");
	use.day_money_minor = 0;
	use.day_units = 5;
	scene_decide(&s);
	assert_clause("a", "budget.units");
}

static void
each_bound_of_a_budget_is_asked_and_nothing_is_a_bound_too(void **state)
{
	static const struct {
		struct budget budget;
		int64_t hold_minor;
		const char *clause;
	} cases[] = {
		{ { .per = BUDGET_NONE, .money_minor = 0, .units = 0 }, 1, NULL },
		{ { .per = BUDGET_STORE_DAY, .money_minor = -1, .units = -1 }, 1000, NULL },
		{ { .per = BUDGET_STORE_DAY, .money_minor = 0, .units = -1 }, 0, "budget.money" },
		{ { .per = BUDGET_STORE_DAY, .money_minor = 5, .units = -1 }, 0, NULL },
		{ { .per = BUDGET_STORE_DAY, .money_minor = 5, .units = -1 }, 1, "budget.money" },
		{ { .per = BUDGET_CAMPAIGN, .money_minor = 7, .units = -1 }, 0, NULL },
		{ { .per = BUDGET_CAMPAIGN, .money_minor = 7, .units = -1 }, 1, "budget.money" },
		{ { .per = BUDGET_STORE_DAY, .money_minor = -1, .units = 0 }, 0, "budget.units" },
		{ { .per = BUDGET_STORE_DAY, .money_minor = -1, .units = 3 }, 0, NULL },
		{ { .per = BUDGET_STORE_DAY, .money_minor = -1, .units = 2 }, 0, "budget.units" },
		{ { .per = BUDGET_CAMPAIGN, .money_minor = -1, .units = 5 }, 0, NULL },
		{ { .per = BUDGET_CAMPAIGN, .money_minor = -1, .units = 4 }, 0, "budget.units" },
	};
	struct budget_use use = {
		.day_money_minor = 5, .all_money_minor = 7, .day_units = 2, .all_units = 4
	};
	const char *clause;

	(void)state;
	scene_begin(&s, "{}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		clause = budget_clause(&cases[i].budget, &use, false, cases[i].hold_minor);
		if (clause == NULL || cases[i].clause == NULL
			? clause != cases[i].clause
			: strcmp(clause, cases[i].clause) != 0)
			fail_msg("%zu: %s", i, clause != NULL ? clause : "none");
	}
	use = (struct budget_use){ 0 }; /* of nothing, the first is already too much */
	assert_null(budget_clause(&cases[2].budget, &use, true, 0));
	assert_string_equal(budget_clause(&cases[2].budget, &use, true, 1), "budget.money");
	assert_string_equal(budget_clause(&cases[7].budget, &use, true, 0), "budget.units");
	assert_string_equal(budget_clause(&cases[5].budget, &use, true, 0),
	    "budget: time uncertain");
}

static void
a_cards_own_hold_never_counts_against_it(void **state)
{
	struct budget_use use = { .action = "a", .day_money_minor = 1000, .day_units = 5 };
	struct card *card;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    OFFER("},\"budget\":{\"money\":1000,\"units\":5,\"per\":\"store-day\"}"));
	card = add_card(s.arena, &s.visit, "a", "g", 1);
	card->hold_minor = 300;
	card->depth = 10;
	card->sent_ms = NOW - 1000;
	s.input.store.uses = &use;
	s.input.store.use_count = 1;
	scene_decide(&s);
	assert_fate("a", "offered");
	assert_int_equal(s.decision.slots[0].card, 0);
	card->withheld = true; /* it holds nothing, so nothing is given back */
	scene_decide(&s);
	assert_fate("a", "budget");
}

static void
a_shared_budget_is_not_spent_without_a_sure_clock(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", OFFER("},\"budget\":{\"money\":1000,\"per\":\"campaign\"}"));
	scene_decide(&s);
	assert_fate("a", "offered");
	s.input.store.time_uncertain = true;
	scene_decide(&s);
	assert_fate("a", "budget");
}

static void
one_of_a_stacking_group_stands_at_a_time(void **state)
{
	struct card *card;

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":3}}}");
	add_action(&s, "a", OFFER(",\"stack\":\"category\"},\"margin\":200"));
	add_action(&s, "b", OFFER(",\"stack\":\"category\"},\"margin\":190"));
	add_action(&s, "c", OFFER(",\"stack\":\"other\"},\"margin\":180"));
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "a c nothing");
	assert_fate("b", "stacking");
	assert_clause("b", "category");
	card = add_card(s.arena, &s.visit, "a", "g", 1);
	card->state = CARD_ASKED;
	card->answer = ANSWER_ACCEPT;
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "kept a c nothing");
	assert_fate("b", "stacking");
	card->state = CARD_REFUSED; /* the till said no: it no longer stands */
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "b c nothing");
}

static void
the_lane_is_closed_by_the_state_of_the_visit(void **state)
{
	static const struct {
		enum visit_state state;
		const char *slots;
	} cases[] = {
		{ VISIT_WAITING, "tab | nothing | lat" },
		{ VISIT_OPEN, "tab | rec | lat" },
		{ VISIT_SUSPENDED, "nothing | nothing | lat" },
		{ VISIT_TENDER, "rec | lat" },
		{ VISIT_CLOSED, "nothing | rec | lat" },
		{ VISIT_CANCELLED, "nothing | nothing | lat" },
	};

	(void)state;
	scene_begin(&s, "{\"placements\":{\"receipt\":{\"slots\":1},\"later\":{\"slots\":1}}}");
	add_action(&s, "tab", "{}");
	add_action(&s, "rec", "{\"placements\":[\"receipt\"]}");
	add_action(&s, "lat", "{\"placements\":[\"later\"]}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		s.visit.state = cases[i].state;
		scene_decide(&s);
		assert_string_equal(slots_of(&s), cases[i].slots);
	}
	assert_fate("tab", "lane");
	scene_end(&s);
	scene_begin(&s,
	    "{\"placements\":{\"receipt\":{\"slots\":1},\"later\":{\"slots\":1}},"
	    "\"quiet\":{\"tender\":false}}");
	add_action(&s, "tab", "{}");
	s.visit.state = VISIT_TENDER;
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "tab");
}

static void
a_quiet_lane_shows_only_what_is_mandatory(void **state)
{
	(void)state;
	scene_begin(&s,
	    "{\"placements\":{\"tablet\":{\"slots\":2},\"receipt\":{\"slots\":1},"
	    "\"customer\":{\"slots\":1}},\"quiet\":{\"tender\":true,\"queue_over\":4}}");
	add_action(&s, "a", "{}");
	add_action(&s, "c", "{\"placements\":[\"customer\"],\"gate\":\"customer\"}");
	add_action(&s, "m",
	    "{\"kind\":\"alert\",\"mandatory\":true,\"propensity\":null,\"incremental\":null,"
	    "\"margin\":null,\"outcome\":null}");
	add_action(&s, "r", "{\"placements\":[\"receipt\"]}");
	scene_decide(&s);
	assert_null(s.decision.cause);
	assert_string_equal(slots_of(&s), "m a | r | c");
	s.visit.state = VISIT_TENDER;
	scene_decide(&s);
	assert_string_equal(s.decision.cause, "quiet-tender");
	assert_string_equal(slots_of(&s), "m | r | c");
	assert_fate("a", "lane");
	s.visit.state = VISIT_OPEN;
	s.input.sources.has_queue = true;
	s.input.sources.queue = 4;
	scene_decide(&s);
	assert_null(s.decision.cause);
	s.input.sources.queue = 5;
	scene_decide(&s);
	assert_string_equal(s.decision.cause, "quiet-queue");
	assert_string_equal(slots_of(&s), "m | r");
	assert_fate("a", "lane");
}

static void
a_mandatory_action_passes_care_and_contact_policy_and_nothing_else(void **state)
{
	(void)state;
	scene_begin(&s, "{\"care\":{\"severity\":1},\"interrupt\":1000}");
	add_part(s.arena, &s.parts, "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":0,"
	    "\"within\":\"1d\"}]}");
	add_action(&s, "m",
	    "{\"kind\":\"alert\",\"mandatory\":true,\"propensity\":null,\"incremental\":null,"
	    "\"margin\":null,\"outcome\":null,\"eligible\":{\"==\":[{\"var\":\"x\"},1]}}");
	s.subject.case_count = 1;
	s.subject.cases[0].severity = 3;
	s.input.known = false;
	scene_decide(&s);
	assert_fate("m", "offered");
	assert_true(s.decision.slots[0].has_p && s.decision.slots[0].p_log == 1.0);
	assert_false(candidate_of(&s, "m")->scored);
	scene_data(&s, "{\"x\":2}");
	scene_decide(&s);
	assert_fate("m", "eligibility");
}

/* One action that fails every gate; each is mended in turn, and the next one is reported. */
static void
the_first_gate_that_fails_is_the_one_recorded(void **state)
{
	const char *const stopped[] = { "a" };
	struct budget_use use = { .action = "a", .day_money_minor = 1000 };
	struct card *kept;

	(void)state;
	scene_begin(&s,
	    "{\"care\":{\"severity\":1},\"quiet\":{\"tender\":true},\"placements\":{\"tablet\":{"
	    "\"slots\":2}}}");
	add_action(&s, "a",
	    "{" OFFER_MEMBERS ",\"personal\":true,\"valid\":{\"hours\":[\"10:00\",\"10:01\"]},"
	    "\"eligible\":{\"==\":[{\"var\":\"x\"},1]},\"applicable\":{\"!=\":[{\"var\":\"x\"},7]},"
	    "\"suitable\":{\"<\":[{\"var\":\"queue\"},3]},\"margin\":10,"
	    "\"caps\":[{\"outcome\":\"shown\",\"max\":1,\"within\":\"1d\"}],\"budget\":{\"money\":"
	    "1000,\"per\":\"store-day\"},"
	    "\"treatments\":[" TREATMENT("t", "en", "{{word}}",
		"") "],"
		    "\"offer\":{\"type\":\"percent\",\"depth\":10,\"typical\":450,\"max\":300,"
		    "\"apply\":\"lines\",\"stack\":\"s\"}}");
	add_action(&s, "b", OFFER(",\"stack\":\"s\"},\"on\":[\"aisle.basket.opened\"]"));
	s.input.store.stopped = stopped;
	s.input.store.stopped_count = 1;
	s.input.sources.now_ms = NOW + MIN_MS;
	s.input.known = false;
	s.subject.case_count = 1;
	s.subject.cases[0].severity = 1;
	scene_data(&s, "{\"x\":7}");
	add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - 1000, "a", "g", "grow", 5);
	s.input.store.uses = &use;
	s.input.store.use_count = 1;
	kept = add_card(s.arena, &s.visit, "b", "g", 1);
	kept->state = CARD_APPLIED;
	kept->answer = ANSWER_ACCEPT;
	s.visit.state = VISIT_TENDER;

	scene_decide(&s);
	assert_fate("a", "stopped");
	s.input.store.stopped_count = 0;
	scene_decide(&s);
	assert_fate("a", "validity");
	s.input.sources.now_ms = NOW;
	scene_decide(&s);
	assert_fate("a", "consent");
	s.input.known = true;
	scene_decide(&s);
	assert_fate("a", "care");
	assert_false(features_was_read(s.decision.features, 0));
	s.subject.case_count = 0;
	scene_decide(&s);
	assert_fate("a", "eligibility");
	s.event.type = EV_BASKET_ITEM_ADDED;
	scene_data(&s, "{\"x\":1}");
	scene_decide(&s);
	assert_fate("a", "missing"); /* suitability reads a queue that nobody counted */
	s.input.sources.has_queue = true;
	s.input.sources.queue = 3;
	scene_decide(&s);
	assert_fate("a", "suitability");
	s.input.sources.queue = 2;
	scene_decide(&s);
	assert_fate("a", "no-treatment");
	scene_data(&s, "{\"x\":1,\"word\":\"hi\"}");
	scene_decide(&s);
	assert_fate("a", "contact");
	s.contacts.count = 0;
	scene_decide(&s);
	assert_fate("a", "budget");
	use.day_money_minor = 0;
	scene_decide(&s);
	assert_fate("a", "stacking");
	kept->state = CARD_GONE;
	scene_decide(&s);
	assert_fate("a", "lane");
	s.visit.state = VISIT_OPEN;
	scene_decide(&s);
	assert_fate("a", "not-worth-it"); /* 0.5 (10 - 45) - 0.25 x 10 */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
		T(an_action_without_obstacles_is_offered),
		T(only_actions_of_the_trigger_and_open_cards_are_candidates),
		T(a_stopped_action_is_stopped),
		T(validity_is_from_until_days_and_hours),
		T(hours_are_the_stores_own),
		T(date_bound_offers_wait_for_a_sure_clock),
		T(a_personal_action_needs_a_known_customer),
		T(later_also_needs_contact_consent),
		T(without_consent_personal_features_are_missing_even_if_passed),
		T(an_open_case_of_the_severity_lets_only_service_and_retain_through),
		T(a_likely_complaint_over_the_bar_closes_too),
		T(rules_close_with_their_own_text),
		T(a_minimum_basket_is_met_at_its_amount),
		T(a_treatment_must_have_its_values_and_fit),
		T(the_customers_language_comes_before_the_policys_first),
		T(what_was_answered_in_this_visit_stays_answered),
		T(a_cap_closes_with_its_count),
		T(the_budget_bears_the_hold_to_its_last_unit),
		T(each_bound_of_a_budget_is_asked_and_nothing_is_a_bound_too),
		T(a_cards_own_hold_never_counts_against_it),
		T(a_shared_budget_is_not_spent_without_a_sure_clock),
		T(one_of_a_stacking_group_stands_at_a_time),
		T(the_lane_is_closed_by_the_state_of_the_visit),
		T(a_quiet_lane_shows_only_what_is_mandatory),
		T(a_mandatory_action_passes_care_and_contact_policy_and_nothing_else),
		T(the_first_gate_that_fails_is_the_one_recorded),
#undef T
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
