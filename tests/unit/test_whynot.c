/* SPDX-License-Identifier: Apache-2.0
 *
 * test_whynot.c - every gate that is closed for a customer, in the order in which a decision asks them; and that asking
 * changes nothing.
 */
#include "random_fixture.h"
#include "spine_story.h"

/* "gate clause; gate" */
static const char *
closed(const char *subject, const char *action)
{
	struct buf out = { 0 }, says = { 0 };
	const json_t *gate;
	json_t *json;
	struct id id;
	const char *copy;
	size_t i;

	assert_true(subject_parse(subject, &id));
	assert_int_equal(query_why_not(engine, &id, "9", action, &out), 0);
	json = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(json);
	buf_adds(&says, "");
	json_array_foreach(json_object_get(json, "closed"), i, gate)
		buf_addf(&says, "%s%s%s%s", says.len > 0 ? "; " : "", text_of(gate, "gate"),
		    text_of(gate, "clause")[0] != '\0' ? " " : "", text_of(gate, "clause"));
	copy = arena_strdup(texts, says.data);
	json_decref(json);
	buf_done(&out);
	buf_done(&says);
	return copy;
}

static json_t *
asked(const char *subject, const char *action)
{
	struct buf out = { 0 };
	json_t *json;
	struct id id;

	assert_true(subject_parse(subject, &id));
	assert_int_equal(query_why_not(engine, &id, "9", action, &out), 0);
	json = json_loadb(out.data, out.len, 0, NULL);
	buf_done(&out);
	return json;
}

static void
stop(const char *action)
{
	struct input input = { .kind = INPUT_STOP, .text = action, .flag = true };

	turn(&input);
}

static void
all_that_is_closed_is_told_and_not_only_the_first(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a",
	    "{'eligible':false,'applicable':{'==':[{'var':'tier'},'gold']},'suitable':{'<':[{'var':"
	    "'total'},0]},"
	    "'valid':{'until':'2020-01-01T00:00:00Z'},'personal':true,'caps':[{'per':'customer','"
	    "outcome':'shown',"
	    "'max':0,'within':'1d'}],'margin':2}");
	in_force();
	stop("a");
	open_basket("b");
	assert_string_equal(closed(ANNA, "a"),
	    "stopped stop; validity valid.until; consent personalise; eligibility false; missing "
	    "{\"==\":[{\"var\":\"tier\"},\"gold\"]}; suitability {\"<\":[{\"var\":\"total\"},0]}; "
	    "contact "
	    "caps[0]: shown 0 of 0; outranked nothing");
}

static void
an_open_action_says_what_it_would_be_worth(void **state)
{
	json_t *json;

	(void)state;
	only("a", "{" OFFER_OF("") "}");
	open_basket("b");
	identify(ANNA);
	assert_string_equal(closed(ANNA, "a"), "");
	json = asked(ANNA, "a");
	assert_true(json_is_true(json_object_get(json, "visit")));
	assert_string_equal(text_of(json, "basket"), "b");
	assert_string_equal(text_of(json, "station"), "7");
	assert_int_equal(json_integer_value(json_object_get(json, "worth")), 40);
	assert_true(json_number_value(json_object_get(json, "p1")) == 0.5);
	assert_true(json_number_value(json_object_get(json, "gain")) == 0.5 * 160 - 0.25 * 200);
	json_decref(json);
}

static void
where_every_gate_is_open_those_that_are_worth_more_are_named(void **state)
{
	const json_t *above;
	json_t *json;

	(void)state;
	a_policy("{}");
	an_action("low", "{'margin':100}");
	an_action("mid", "{'margin':300}");
	an_action("high", "{'margin':500,'group':'h'}");
	an_action("shut", "{'margin':900,'eligible':false}");
	in_force();
	json = asked(ANNA, "low");
	above = json_object_get(json, "above");
	assert_int_equal(json_integer_value(json_object_get(json, "above_count")), 2);
	assert_string_equal(text_of(json_array_get(above, 0), "action"), "high");
	assert_string_equal(text_of(json_array_get(above, 1), "action"), "mid");
	assert_true(json_is_false(json_object_get(json_array_get(above, 0), "open")));
	json_decref(json);
	json = asked(ANNA, "high");
	assert_int_equal(json_integer_value(json_object_get(json, "above_count")), 0);
	json_decref(json);
	/* What is closed is not weighed. */
	json = asked(ANNA, "shut");
	assert_null(json_object_get(json, "above"));
	json_decref(json);
}

static void
a_card_on_the_screen_is_among_them(void **state)
{
	const json_t *above;
	json_t *json;

	(void)state;
	a_policy("{'placements':{'tablet':{'slots':1}}}");
	an_action("low", "{'margin':100}");
	an_action("high", "{'margin':500}");
	in_force();
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 101);
	assert_string_equal(closed(ANNA, "high"), "contact visit: open");
	json = asked(ANNA, "low");
	above = json_object_get(json, "above");
	assert_int_equal(json_array_size(above), 1);
	assert_string_equal(text_of(json_array_get(above, 0), "action"), "high");
	assert_true(json_is_true(json_object_get(json_array_get(above, 0), "open")));
	assert_int_equal(json_integer_value(json_object_get(json, "slots")), 1);
	json_decref(json);
}

static void
who_has_no_visit_is_asked_as_if_the_card_were_read_now(void **state)
{
	json_t *json;

	(void)state;
	only("a", "{'eligible':{'>':[{'var':'total'},100]}}");
	json = asked(BEN, "a");
	assert_false(json_is_true(json_object_get(json, "visit")));
	assert_false(json_is_true(json_object_get(json, "known")));
	assert_string_equal(text_of(json, "station"), "9");
	json_decref(json);
	assert_string_equal(closed(BEN, "a"), "eligibility {\">\":[{\"var\":\"total\"},100]}");
	open_basket("b");
	identify(BEN);
	scan("b", "c", 101);
	assert_string_equal(closed(BEN, "a"), "contact visit: open");
	close_basket("b", 101);
	json = asked(BEN, "a");
	assert_false(json_is_true(json_object_get(json, "visit")));
	json_decref(json);
}

static void
an_offer_with_several_conditions_names_each(void **state)
{
	(void)state;
	a_policy("{}");
	an_action("a",
	    "{'kind':'offer','outcome':{'is':'redeemed','within':'0d'},'offer':{'type':'percent','"
	    "depth':10,'typical':"
	    "100,'max':300,'apply':'till-code','until':'0d','min_basket':500,"
	    "'margin_floor':1000},'suitable':false}");
	in_force();
	open_basket("b");
	identify(ANNA);
	scan("b", "c", 100);
	assert_string_equal(closed(ANNA, "a"),
	    "applicability offer.min_basket; suitability false; not-worth-it offer.margin_floor");
}

static void
what_nobody_has_is_not_asked(void **state)
{
	struct buf out = { 0 };
	struct id id;

	(void)state;
	assert_true(subject_parse(ANNA, &id));
	assert_int_equal(query_why_not(engine, &id, "9", "a", &out), AISLE_E_NONE);
	only("a", "{}");
	assert_int_equal(query_why_not(engine, &id, "9", "b", &out), AISLE_E_NONE);
	assert_int_equal(out.len, 0);
}

/* ---- a decision's fate is the first gate that is told ---- */

static struct dice dice;

#define ACTIONS 24

static const char *const walls[] = { "'eligible':false", "'eligible':{'>':[{'var':'total'},150]}",
	"'applicable':{'==':[{'var':'tier'},'gold']}", "'applicable':{'<':[{'var':'total'},250]}",
	"'suitable':false", "'valid':{'until':'2020-01-01T00:00:00Z'}", "'personal':true",
	"'caps':[{'per':'customer','outcome':'shown','max':1,'within':'1d'}]", "'margin':2",
	"'margin':-10",
	"'treatments':[{'treatment':'plain','language':'en','headline':'{{tier}}'}]",
	"'kind':'recommend','outcome':{'is':'bought','within':'0d','item':{'category':'c'}}" };

static void
random_actions(void)
{
	a_policy("{'placements':{'tablet':{'slots':8,'headline_max':40}}}");
	for (int i = 0; i < ACTIONS; i++) {
		struct buf patch = { 0 };

		buf_adds(&patch, "{'propensity':0.5");
		for (size_t w = 0; w < ARRAY_LEN(walls); w++)
			if (dice_below(&dice, 5) == 0 &&
			    strstr(patch.data, arena_printf(texts, "%.8s", walls[w])) == NULL)
				buf_addf(&patch, ",%s", walls[w]);
		buf_adds(&patch, "}");
		an_action(arena_printf(texts, "a%02d", i), patch.data);
		buf_done(&patch);
	}
	in_force();
}

/* What the record says of each candidate, beside what is told before. */
static int
compare(const json_t *decision, const char *const before[ACTIONS])
{
	const json_t *candidate;
	size_t i;
	int compared = 0;

	json_array_foreach(json_object_get(decision, "candidates"), i, candidate) {
		const char *fate = text_of(candidate, "fate"),
			   *clause = text_of(candidate, "clause");
		const char *told = before[strtol(text_of(candidate, "action") + 1, NULL, 10)];
		char first[300];

		if (strcmp(fate, "offered") == 0 || strcmp(fate, "outranked") == 0 ||
		    strcmp(fate, "not-drawn") == 0) {
			if (told[0] != '\0' && strcmp(told, "outranked nothing") != 0)
				fail_msg("%s %s, told: %s", text_of(candidate, "action"), fate,
				    told);
			continue;
		}
		snprintf(first, sizeof(first), "%s%s%s", fate, clause[0] != '\0' ? " " : "",
		    clause);
		if (strncmp(told, first, strlen(first)) != 0)
			fail_msg("%s %s, told: %s", text_of(candidate, "action"), first, told);
		compared++;
	}
	return compared;
}

static void
a_decisions_fate_is_the_first_gate_that_is_told(void **state)
{
	int compared = 0;

	(void)state;
	dice.state = 7;
	for (int round = 0; round < 60; round++) {
		const char *before[ACTIONS], *basket = arena_printf(texts, "b%d", round);
		json_t *decision;

		memset(&parts, 0, sizeof(parts));
		random_actions();
		open_basket(basket);
		identify(ANNA);
		/* The line is there, and nothing was decided about it: no action names this event. */
		late_ms = 11 * MIN_MS;
		scan(basket, "c", 100 + (int)dice_below(&dice, 200));
		late_ms = 0;
		for (int i = 0; i < ACTIONS; i++)
			before[i] = closed(ANNA, arena_printf(texts, "a%02d", i));
		decisions = 0;
		scan(basket, "c", 1);
		assert_int_equal(decisions, 1);
		decision = json_loads(record.data, 0, NULL);
		compared += compare(decision, before);
		json_decref(decision);
		close_basket(basket, 1);
	}
	assert_true(compared > 200);
}

static void
asking_changes_nothing(void **state)
{
	struct buf before = { 0 }, after = { 0 };
	struct id id;

	(void)state;
	only("a", "{}");
	open_basket("b");
	identify(ANNA);
	assert_true(subject_parse(ANNA, &id));
	assert_int_equal(query_station(engine, "7", &before), 0);
	for (int i = 0; i < 3; i++)
		closed(i == 0 ? BEN : ANNA, "a");
	assert_int_equal(query_station(engine, "7", &after), 0);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	assert_int_equal(engine_visit_count(engine), 1);
	decisions = 0;
	scan("b", "c", 100);
	assert_int_equal(decisions, 1);
	buf_done(&before);
	buf_done(&after);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(all_that_is_closed_is_told_and_not_only_the_first),
		TEST(an_open_action_says_what_it_would_be_worth),
		TEST(where_every_gate_is_open_those_that_are_worth_more_are_named),
		TEST(a_card_on_the_screen_is_among_them),
		TEST(who_has_no_visit_is_asked_as_if_the_card_were_read_now),
		TEST(an_offer_with_several_conditions_names_each),
		TEST(what_nobody_has_is_not_asked),
		TEST(a_decisions_fate_is_the_first_gate_that_is_told),
		TEST(asking_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
