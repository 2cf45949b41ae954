/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy.c - a policy folder's texts become the struct that deciding reads.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/json.h"
#include "policy_fixture.h"
#include "score/model.h"

static struct policy *
compiled(struct fixture *fixture)
{
	struct policy *policy = NULL;
	struct buf report = { 0 };

	if (policy_compile(&fixture->parts, &policy, &report) != 0)
		fail_msg("%s", report.data);
	buf_done(&report);
	return policy;
}

static struct policy *
good(void)
{
	struct fixture fixture;

	fixture_init(&fixture);
	return compiled(&fixture);
}

/* The good policy with one change. */
static struct policy *
changed(const char *part, const char *from, const char *to)
{
	struct fixture fixture;
	struct policy *policy;

	fixture_init(&fixture);
	assert_int_equal(fixture_replace(&fixture, part, from, to), 0);
	policy = compiled(&fixture);
	fixture_done(&fixture);
	return policy;
}

static bool
warns(const char *part, const char *from, const char *to, const char *text)
{
	struct fixture fixture;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	bool found;

	fixture_init(&fixture);
	assert_int_equal(fixture_replace(&fixture, part, from, to), 0);
	assert_int_equal(policy_compile(&fixture.parts, &policy, &report), 0);
	found = report.data != NULL && strstr(report.data, "warning: ") != NULL &&
	    strstr(report.data, text) != NULL;
	policy_free(policy);
	buf_done(&report);
	fixture_done(&fixture);
	return found;
}

static void
the_settings_are_those_of_policy_json(void **state)
{
	struct policy *policy = good();

	(void)state;
	assert_string_equal(policy->name, "spring");
	assert_int_equal(policy->version, 12);
	assert_string_equal(policy->hash, "");
	assert_string_equal(policy->currency, "EUR");
	assert_int_equal(policy->currency_digits, 2);
	assert_int_equal(policy->language_count, 2);
	assert_string_equal(policy->languages[1], "de");
	assert_int_equal(policy->salt_id[0], 0xc0);
	assert_int_equal(policy->salt_control[1], 0x23);
	assert_true(policy->places[PLACE_TABLET].present);
	assert_int_equal(policy->places[PLACE_TABLET].slots, 2);
	assert_int_equal(policy->places[PLACE_TABLET].headline_max, 48);
	assert_int_equal(policy->places[PLACE_TABLET].say_max, 0);
	assert_false(policy->places[PLACE_TILL].present);
	assert_false(policy->greedy);
	assert_true(policy->explore_unit == 100 && policy->cost_max == 2 && policy->gamma < 0);
	assert_int_equal(policy->shortlist, 8);
	assert_int_equal(policy->interrupt.kind, EXPR_CONST);
	assert_true(policy->interrupt.constant == 3 && policy->control_share == 0.05);
	assert_int_equal(policy->lever_count, 3);
	assert_string_equal(policy->levers[0].target, "issue:grow");
	assert_true(policy->levers[0].value == 1.2);
	assert_true(policy->quiet_tender && policy->quiet_queue_over == 4);
	assert_int_equal(policy->care_severity, 2);
	assert_int_equal(policy->care_only, 1u << KIND_SERVICE | 1u << KIND_RETAIN);
	policy_free(policy);
}

static void
what_is_absent_has_the_stated_default(void **state)
{
	struct policy *policy = changed("policy.json", " \"interrupt\":3,\n", "");

	(void)state;
	assert_true(policy->interrupt.kind == EXPR_CONST && policy->interrupt.constant == 3);
	policy_free(policy);
	policy = changed("policy.json", " \"quiet\":{\"tender\":true,\"queue_over\":4},\n", "");
	assert_true(policy->quiet_tender && policy->quiet_queue_over < 0);
	policy_free(policy);
	policy = changed("policy.json",
	    " \"care\":{\"severity\":2,\"likely_to_call\":0.6,\"only\":[\"service\",\"retain\"]},"
	    "\n",
	    "");
	assert_int_equal(policy->care_severity, 0);
	assert_int_equal(policy->care_feature, -1);
	policy_free(policy);
	policy = changed("policy.json", " \"control\":{\"share\":0.05},\n", "");
	assert_true(policy->control_share == 0);
	policy_free(policy);
}

static void
exploration_is_a_share_a_cost_a_gamma_or_greedy(void **state)
{
	struct policy *policy =
	    changed("policy.json", "{\"unit\":100,\"cost_max\":2,\"shortlist\":8}", "\"greedy\"");

	(void)state;
	assert_true(policy->greedy);
	policy_free(policy);
	policy = changed("policy.json", "\"cost_max\":2", "\"gamma\":20");
	assert_true(!policy->greedy && policy->gamma == 20);
	policy_free(policy);
	policy = changed("policy.json", "{\"unit\":100,\"cost_max\":2,",
	    "{\"share\":0.02,\"worth\":4.5,");
	assert_true(policy->explore_share == 0.02 && policy->explore_worth == 4.5);
	assert_true(policy->explore_unit == 1 && policy->gamma < 0 && policy->shortlist == 8);
	policy_free(policy);
	policy = changed("policy.json",
	    " \"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":8},\n", "");
	assert_true(policy->explore_share == 0.01 && policy->explore_worth < 0);
	assert_true(policy->explore_unit == 1 && policy->shortlist == 8);
	policy_free(policy);
}

static void
the_likelihood_to_call_is_read_without_being_declared(void **state)
{
	struct policy *policy = good();

	(void)state;
	assert_int_equal(policy->care_feature, policy_feature(policy, "likely_to_call"));
	assert_true(policy->care_feature >= 0);
	assert_int_equal(policy->features[policy->care_feature].source, FEATURE_PROFILE);
	assert_string_equal(policy->features[policy->care_feature].field_name, "likely_to_call");
	policy_free(policy);
}

static void
features_keep_their_order_and_know_what_they_read(void **state)
{
	struct policy *policy = good();
	const struct feature *feature;

	(void)state;
	assert_string_equal(policy->features[0].name, "tier");
	assert_int_equal(policy->features[0].type, VALUE_STRING);
	assert_string_equal(policy->features[0].dflt.str, "none");
	feature = &policy->features[policy_feature(policy, "coffee_spend")];
	assert_int_equal(feature->source, FEATURE_LOCAL);
	assert_int_equal(feature->half_life_ms, 30 * D_MS);
	assert_string_equal(feature->key_value, "grocery/coffee");
	assert_true(feature->personal && !feature->per_action);
	assert_false(policy->features[policy_feature(policy, "basket_coffee")].personal);
	assert_true(policy->features[policy_feature(policy, "self_shown")].per_action);
	assert_true(policy->features[policy_feature(policy, "depth_now")].per_action);
	assert_int_equal(policy_feature(policy, "no such"), -1);
	policy_free(policy);
}

static void
a_model_feature_is_as_personal_as_what_the_model_reads(void **state)
{
	struct policy *policy = good();
	const struct feature *churn = &policy->features[policy_feature(policy, "churn")];

	(void)state;
	assert_int_equal(churn->source, FEATURE_MODEL);
	assert_string_equal(policy->models[churn->model].name, "churn");
	assert_true(churn->personal && !churn->per_action);
	assert_true(policy->models[1].per_action); /* coffee reads action.depth */
	policy_free(policy);
}

static void
model_inputs_find_their_features(void **state)
{
	struct policy *policy = good();
	const struct policy_model *churn = &policy->models[0], *coffee = &policy->models[1];

	(void)state;
	assert_int_equal(churn->input_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const char *input = model_input(churn->model, i);

		assert_string_equal(policy->features[churn->inputs[i]].name,
		    strcmp(input, "f0") == 0 ? "coffee_spend" : "recency");
	}
	for (size_t i = 0; i < coffee->input_count; i++)
		assert_string_equal(policy->features[coffee->inputs[i]].name,
		    model_input_is_string(coffee->model, i) ? "tier" : "depth_now");
	policy_free(policy);
}

static void
actions_ascend_by_name(void **state)
{
	struct policy *policy = good();

	(void)state;
	assert_int_equal(policy->action_count, 4);
	for (size_t i = 1; i < policy->action_count; i++)
		assert_true(strcmp(policy->actions[i - 1].id, policy->actions[i].id) < 0);
	assert_ptr_equal(policy_action(policy, "coffee-off"), &policy->actions[0]);
	assert_ptr_equal(policy_action(policy, "recall"), &policy->actions[3]);
	assert_null(policy_action(policy, "recal"));
	assert_null(policy_action(policy, "zzz"));
	policy_free(policy);
}

static void
an_action_is_what_its_file_says(void **state)
{
	struct policy *policy = good();
	const struct action *a = policy_action(policy, "coffee-off");

	(void)state;
	assert_int_equal(a->kind, KIND_OFFER);
	assert_int_equal(a->gate, GATE_ASSOCIATE);
	assert_int_equal(a->on, 1u << EV_CUSTOMER_IDENTIFIED | 1u << EV_BASKET_ITEM_ADDED);
	assert_int_equal(policy->triggers, a->on | 1u << EV_BASKET_ITEM_VOIDED);
	assert_false(a->on_timer);
	assert_int_equal(a->valid_from_ms, INT64_C(1767225600000));
	assert_int_equal(a->valid_days, 1 | 1 << 5);
	assert_int_equal(a->valid_minute_from, 8 * 60);
	assert_int_equal(a->valid_minute_until, 21 * 60);
	assert_null(a->stores);
	assert_int_not_equal(a->eligible, CLAUSE_TRUE);
	assert_int_equal(a->suitable, CLAUSE_TRUE);
	assert_int_equal(a->propensity.kind, EXPR_MODEL);
	assert_string_equal(policy->models[a->propensity.index].name, "coffee");
	assert_true(a->incremental == 0.3 && !a->has_uplift);
	assert_true(a->margin.kind == EXPR_CONST && a->margin.constant == 180);
	assert_int_equal(a->goal, GOAL_REDEEMED);
	assert_int_equal(a->goal_within_ms, 0);
	assert_int_equal(a->placements, 1u << PLACE_TABLET);
	assert_int_equal(a->expires_ms, 120 * S_MS);
	assert_true(a->personal && !a->mandatory);
	assert_int_equal(a->budget.per, BUDGET_STORE_DAY);
	assert_int_equal(a->budget.money_minor, 20000);
	assert_int_equal(a->budget.units, -1);
	policy_free(policy);
}

static void
an_offer_is_what_its_action_says(void **state)
{
	struct policy *policy = good();
	const struct offer *offer = &policy_action(policy, "coffee-off")->offer;

	(void)state;
	assert_true(policy_action(policy, "coffee-off")->has_offer);
	assert_false(policy_action(policy, "milk")->has_offer);
	assert_int_equal(offer->type, OFFER_PERCENT);
	assert_int_equal(offer->apply, APPLY_TILL_CODE);
	assert_int_equal(offer->ladder_count, 1);
	assert_int_equal(offer->ladder[0], 10);
	assert_int_equal(offer->typical_minor, 450);
	assert_int_equal(offer->max_minor, 300);
	assert_true(offer->funded == 0.5);
	assert_string_equal(offer->funder, "acme");
	assert_true(offer->include.set && offer->exclude.set);
	assert_string_equal(offer->include.category, "grocery/coffee");
	assert_string_equal(offer->exclude.brand, "house");
	assert_int_equal(offer->min_basket_minor, 1000);
	assert_string_equal(offer->stack, "category");
	assert_int_equal(offer->margin_floor_minor, 50);
	assert_int_equal(offer->until_ms, 0);
	policy_free(policy);
}

static void
a_ladder_rises_and_tiers_rise(void **state)
{
	struct policy *policy =
	    changed("actions/coffee-off.json", "\"depth\":10", "\"ladder\":[5,10,100]");
	const struct offer *offer = &policy_action(policy, "coffee-off")->offer;

	(void)state;
	assert_int_equal(offer->ladder_count, 3);
	assert_int_equal(offer->ladder[2], 100);
	policy_free(policy);
	policy = changed("actions/coffee-off.json", "\"depth\":10",
	    "\"depth\":1,\"tiers\":[{\"from\":2000,\"depth\":5},{\"from\":2001,\"depth\":4}]");
	offer = &policy_action(policy, "coffee-off")->offer;
	assert_int_equal(offer->tier_count, 2);
	assert_int_equal(offer->tiers[1].from_minor, 2001);
	assert_int_equal(offer->tiers[1].depth, 4);
	policy_free(policy);
}

static void
caps_and_suppressions_are_what_the_files_say(void **state)
{
	struct policy *policy = good();
	const struct cap *own = policy_action(policy, "coffee-off")->caps;

	(void)state;
	assert_int_equal(policy_action(policy, "coffee-off")->cap_count, 1);
	assert_int_equal(own->scope, SCOPE_ACTION);
	assert_null(own->scope_value);
	assert_int_equal(own->within_ms, 7 * D_MS);
	assert_int_equal(own->clock, CLOCK_ROLLING);
	assert_int_equal(policy->cap_count, 1);
	assert_int_equal(policy->caps[0].scope, SCOPE_ALL);
	assert_int_equal(policy->caps[0].outcome, OUTCOME_SHOWN);
	assert_int_equal(policy->caps[0].max, 3);
	assert_int_equal(policy->caps[0].clock, CLOCK_BUSINESS_DAY);
	assert_int_equal(policy->suppression_count, 2);
	assert_int_equal(policy->suppressions[0].outcome, OUTCOME_DISMISSED);
	assert_int_equal(policy->suppressions[0].for_ms, 30 * D_MS);
	assert_int_equal(policy->suppressions[1].outcome, OUTCOME_OVERRIDDEN);
	assert_string_equal(policy->suppressions[1].outcome_reason, "insensitive");
	assert_int_equal(policy->suppressions[1].scope, SCOPE_ISSUE);
	policy_free(policy);
}

static void
a_cap_may_count_by_the_customers_own_gap_or_another_group(void **state)
{
	struct policy *policy = changed("contact.json",
	    "\"scope\":\"all\",\"outcome\":\"shown\",\"max\":3,\"within\":\"1d\","
	    "\"clock\":\"business-day\"",
	    "\"scope\":\"group:coffee\",\"outcome\":\"shown\",\"max\":0,"
	    "\"clock\":\"own-gap\",\"gaps\":1.5");

	(void)state;
	assert_int_equal(policy->caps[0].clock, CLOCK_OWN_GAP);
	assert_true(policy->caps[0].gap_times == 1.5);
	assert_int_equal(policy->caps[0].within_ms, 0);
	assert_int_equal(policy->caps[0].scope, SCOPE_GROUP);
	assert_string_equal(policy->caps[0].scope_value, "coffee");
	policy_free(policy);
}

static void
equal_rules_share_a_clause(void **state)
{
	struct policy *policy = good();
	/* recall and milk both ask basket_coffee > 0, with other spaces. */
	struct policy *spaced =
	    changed("actions/recall.json", "{\">\":[{\"var\":\"basket_coffee\"},0]}",
		"{ \">\" : [ {\"var\":\"basket_coffee\"} , 0 ] }");

	(void)state;
	assert_int_equal(policy_action(policy, "recall")->applicable,
	    policy_action(policy, "milk")->applicable);
	assert_int_equal(policy->clause_count, spaced->clause_count);
	assert_int_equal(policy->clause_count, 5);
	policy_free(policy);
	policy_free(spaced);
}

static void
a_rule_that_reads_the_action_is_known_as_such(void **state)
{
	struct policy *policy = changed("actions/milk.json",
	    "{\">\":[{\"var\":\"basket_coffee\"},0]}", "{\"<\":[{\"var\":\"self_shown\"},3]}");
	const struct action *milk = policy_action(policy, "milk"),
			    *recall = policy_action(policy, "recall");

	(void)state;
	assert_true(policy->clauses[milk->applicable].per_action);
	assert_false(policy->clauses[recall->applicable].per_action);
	assert_string_equal(policy->clauses[recall->applicable].source,
	    "{\">\":[{\"var\":\"basket_coffee\"},0]}");
	policy_free(policy);
}

static void
texts_are_cut_at_their_values(void **state)
{
	struct policy *policy = good();
	const struct treatment *t = policy_action(policy, "coffee-off")->treatments;

	(void)state;
	assert_int_equal(t->headline.count, 2);
	assert_string_equal(t->headline.parts[0].text, "");
	assert_true(t->headline.parts[0].has_value);
	assert_int_equal(t->headline.parts[0].var, TEMPLATE_DEPTH);
	assert_string_equal(t->headline.parts[1].text, " % off any coffee today");
	assert_false(t->headline.parts[1].has_value);
	assert_int_equal(t->body.parts[0].var, TEMPLATE_FEATURE);
	assert_int_equal(t->body.parts[0].feature, policy_feature(policy, "coffee_overdue"));
	assert_int_equal(t->body.parts[0].filter, FILTER_ROUND);
	assert_string_equal(t->body.parts[0].dflt, "");
	assert_int_equal(t->why_count, 1);
	assert_int_equal(t->step_count, 0);
	assert_null(t->image);
	assert_int_equal(t->placement, -1);
	assert_int_equal(policy_action(policy, "milk")->treatments[0].body.count, 0);
	policy_free(policy);
}

static void
a_default_may_hold_anything_but_the_end(void **state)
{
	struct policy *policy = changed("actions/coffee-off.json",
	    "{{coffee_overdue|round|default:}}", "now {{ coffee_overdue |money|default:a|b: c}}!");
	const struct template *body = &policy_action(policy, "coffee-off")->treatments[0].body;

	(void)state;
	assert_string_equal(body->parts[0].text, "now ");
	assert_int_equal(body->parts[0].filter, FILTER_MONEY);
	assert_string_equal(body->parts[0].dflt, "a|b: c");
	assert_string_equal(body->parts[1].text, "!");
	policy_free(policy);
}

static void
a_headline_may_be_as_long_as_the_placement_allows(void **state)
{
	/* 48 characters, of which one is two bytes. */
	struct policy *policy = changed("actions/help.json", "May I help with the scanning?",
	    "\xc3\xa4y I help you with the scanning of these items?x");

	(void)state;
	policy_free(policy);
}

static void
a_forbidden_word_inside_another_word_is_allowed(void **state)
{
	struct policy *policy =
	    changed("actions/coffee-off.json", "off any coffee today", "off: cheaper coffee");

	(void)state;
	policy_free(policy);
	/* Forbidden in English only. */
	policy = changed("actions/milk.json", "Milch zum Kaffee?", "cheap Milch");
	policy_free(policy);
}

static void
an_arm_is_a_patch_of_the_policy(void **state)
{
	struct fixture fixture;
	struct policy *policy, *patched = NULL;
	const char *patches[1];
	struct err err = { 0 };

	(void)state;
	fixture_init(&fixture);
	policy = compiled(&fixture);
	assert_int_equal(policy->experiment_count, 1);
	assert_int_equal(policy->experiments[0].unit, UNIT_CUSTOMER);
	assert_true(policy->experiments[0].share == 0.5);
	assert_int_equal(policy->experiments[0].arm_count, 3);
	assert_string_equal(policy->experiments[0].arms[0].name, "a");
	assert_string_equal(policy->experiments[0].arms[1].name, "b");
	assert_true(policy->experiments[0].arms[2].withhold);
	assert_null(policy->experiments[0].arms[0].patch);
	patches[0] = policy->experiments[0].arms[1].patch;
	assert_int_equal(policy_patched(policy, &fixture.parts, patches, 1, &patched, &err), 0);
	policy_free(policy); /* the patched one stands by itself */
	assert_true(patched->interrupt.constant == 6);
	assert_true(policy_action(patched, "coffee-off")->margin.constant == 150);
	assert_int_equal(policy_action(patched, "coffee-off")->offer.ladder[0], 10);
	policy_free(patched);
}

static void
a_patch_may_remove_and_a_bad_one_says_what_is_wrong(void **state)
{
	struct fixture fixture;
	struct policy *policy, *patched = NULL;
	static const char remove[] = "{\"actions\":{\"milk\":null}}",
			  bad[] = "{\"actions\":{\"milk\":{\"margins\":5}}}";
	const char *one[1] = { remove }, *two[2] = { remove, bad };
	struct err err = { 0 };

	(void)state;
	fixture_init(&fixture);
	policy = compiled(&fixture);
	assert_int_equal(policy_patched(policy, &fixture.parts, one, 1, &patched, &err), 0);
	assert_null(policy_action(patched, "milk"));
	assert_non_null(policy_action(policy, "milk"));
	policy_free(patched);
	assert_int_equal(policy_patched(policy, &fixture.parts, two, 2, &patched, &err),
	    AISLE_E_INVALID);
	assert_non_null(strstr(err.text, "unknown member \"margins\""));
	policy_free(policy);
}

static void
zones_travel_with_the_policy(void **state)
{
	struct policy *policy = good();

	(void)state;
	assert_string_equal(policy_zone(policy, "Europe/Berlin"), "CET-1CEST,M3.5.0,M10.5.0/3");
	assert_string_equal(policy_zone(policy, "UTC"), "UTC0");
	assert_null(policy_zone(policy, "Europe/Nowhere"));
	policy_free(policy);
}

static void
what_is_odd_but_sound_is_a_warning(void **state)
{
	(void)state;
	assert_true(warns("features.json", "group=coffee", "group=gone", "history of \"gone\""));
	assert_true(warns("models/models.json", ",\"exam\":\"coffee.exam.csv\"", "",
	    "has no exam"));
	assert_true(warns("actions/coffee-off.json", ",\"funder\":\"acme\"", "",
	    "funded by nobody"));
	assert_true(warns("actions/milk.json",
	    "\"language\":\"en\",\"headline\":\"Milk for the coffee?\"",
	    "\"language\":\"de\",\"placement\":\"tablet\",\"headline\":\"Milch?\"",
	    "no treatment in the first language"));
	assert_true(warns("actions/milk.json", "Milk for the coffee?",
	    "Would you like some milk for the coffee, sir?", "does not fit receipt"));
	assert_true(warns("policy.json", "\"issue:grow\"", "\"issue:groww\"", "moves nothing"));
	assert_false(warns("policy.json", "\"interrupt\":3", "\"interrupt\":4", "warning"));
}

static void
an_action_s_chances_are_shrunk_by_its_own_numbers_only(void **state)
{
	struct fixture fixture;
	struct policy *policy;
	const struct action *coffee;

	(void)state;
	fixture_init(&fixture);
	policy = compiled(&fixture);
	coffee = policy_action(policy, "coffee-off");
	assert_true(coffee->has_shrink && !coffee->shrink_default);
	assert_true(coffee->shrink.mid == -1 && coffee->shrink.d == 0.5 &&
	    coffee->shrink.a == 0.125 && coffee->shrink.beta == 1 && coffee->shrink.delta == 0.25 &&
	    coffee->shrink.lambda == 0.5);
	assert_false(policy_action(policy, "help")->has_shrink);
	policy_free(policy);
}

static void
a_policy_without_optional_files_compiles(void **state)
{
	static const char *const optional[] = { "contact.json", "experiments.json", "shrink.json",
		"zones.json" };
	struct fixture fixture;
	struct policy *policy;

	(void)state;
	fixture_init(&fixture);
	for (size_t i = 0; i < ARRAY_LEN(optional); i++)
		fixture_remove(&fixture, optional[i]);
	policy = compiled(&fixture);
	assert_int_equal(policy->cap_count + policy->suppression_count + policy->experiment_count,
	    0);
	assert_null(policy_zone(policy, "Europe/Berlin"));
	policy_free(policy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_settings_are_those_of_policy_json),
		cmocka_unit_test(what_is_absent_has_the_stated_default),
		cmocka_unit_test(exploration_is_a_share_a_cost_a_gamma_or_greedy),
		cmocka_unit_test(the_likelihood_to_call_is_read_without_being_declared),
		cmocka_unit_test(features_keep_their_order_and_know_what_they_read),
		cmocka_unit_test(a_model_feature_is_as_personal_as_what_the_model_reads),
		cmocka_unit_test(model_inputs_find_their_features),
		cmocka_unit_test(actions_ascend_by_name),
		cmocka_unit_test(an_action_is_what_its_file_says),
		cmocka_unit_test(an_offer_is_what_its_action_says),
		cmocka_unit_test(a_ladder_rises_and_tiers_rise),
		cmocka_unit_test(caps_and_suppressions_are_what_the_files_say),
		cmocka_unit_test(a_cap_may_count_by_the_customers_own_gap_or_another_group),
		cmocka_unit_test(equal_rules_share_a_clause),
		cmocka_unit_test(a_rule_that_reads_the_action_is_known_as_such),
		cmocka_unit_test(texts_are_cut_at_their_values),
		cmocka_unit_test(a_default_may_hold_anything_but_the_end),
		cmocka_unit_test(a_headline_may_be_as_long_as_the_placement_allows),
		cmocka_unit_test(a_forbidden_word_inside_another_word_is_allowed),
		cmocka_unit_test(an_arm_is_a_patch_of_the_policy),
		cmocka_unit_test(a_patch_may_remove_and_a_bad_one_says_what_is_wrong),
		cmocka_unit_test(zones_travel_with_the_policy),
		cmocka_unit_test(what_is_odd_but_sound_is_a_warning),
		cmocka_unit_test(an_action_s_chances_are_shrunk_by_its_own_numbers_only),
		cmocka_unit_test(a_policy_without_optional_files_compiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
