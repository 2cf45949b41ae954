/* SPDX-License-Identifier: Apache-2.0
 *
 * test_reasons.c - which sentences a model's contributions become, in which order, for whom.
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

#define NUMBER(name, from, more) \
	"{\"name\":\"" name "\",\"type\":\"number\",\"from\":\"" from "\"" more "}"
#define SAYS(word) ",\"reason\":{\"en\":\"" word " {{value}}\",\"de\":\"" word "wert {{value}}\"}"
#define ABCD \
	NUMBER("a", "event.a", SAYS("A")) \
	"," NUMBER("b", "event.b", SAYS("B")) "," NUMBER("c", "event.c", \
	    SAYS("C")) "," NUMBER("d", "event.d", SAYS("D"))
#define LINEAR(weights) \
	"{\"format\":\"aisle-linear\",\"link\":\"logit\",\"bias\":0,\"weights\":{" weights "}}"
#define SUM LINEAR("\"a\":1,\"b\":1,\"c\":1,\"d\":1") /* each feature's part is its value */
#define BY_MODEL "\"propensity\":{\"model\":\"m\"}"

/* A policy over these features, and a model m for what says so. */
static void
begin(const char *policy, const char *features, const char *model, const char *more)
{
	scene_begin(&s, policy);
	for (size_t i = 0; i < s.parts.count; i++)
		if (strcmp(s.parts.part[i].name, "features.json") == 0)
			s.parts.part[i] = s.parts.part[--s.parts.count];
	add_part(s.arena, &s.parts, "features.json",
	    arena_printf(s.arena, "{\"features\":[%s]}", features));
	add_part(s.arena, &s.parts, "models/models.json",
	    arena_printf(s.arena, "{\"models\":[{\"model\":\"m\",\"file\":\"m.json\"%s}]}", more));
	add_part(s.arena, &s.parts, "models/m.json", model);
}

/* An action that the model m decides; more: further members, with their comma. */
static void
action(const char *id, const char *more)
{
	add_action(&s, id,
	    arena_printf(s.arena,
		"{\"kind\":\"recommend\",\"outcome\":{\"is\":\"bought\",\"within\":\"7d\","
		"\"item\":{\"category\":\"tea\"}}," BY_MODEL "%s}",
		more));
}

/* The lines of "why" that slot 0 is sent with, a bar between them. */
static const char *
why(void)
{
	struct id prompt = id_of(77);
	struct buf out = { 0 };
	json_t *json, *line;
	size_t i;

	scene_decide(&s);
	prompt_json(&s.decision, &s.decision.slots[0], &prompt, &out);
	json = json_text(out.data);
	buf_clear(&s.text);
	json_array_foreach(json_object_get(json, "why"), i, line) {
		buf_adds(&s.text, i > 0 ? " | " : "");
		buf_adds(&s.text, json_string_value(line));
	}
	json_decref(json);
	buf_done(&out);
	return s.text.len > 0 ? s.text.data : "";
}

static void
the_largest_part_is_said_first(void **state)
{
	(void)state;
	begin("{}", ABCD, SUM, "");
	action("x", "");
	scene_data(&s, "{\"a\":1,\"b\":3,\"c\":2}");
	assert_string_equal(why(), "B 3 | C 2 | A 1");
}

static void
of_equal_parts_the_first_by_name_is_said_first(void **state)
{
	(void)state;
	begin("{}", NUMBER("z", "event.z", SAYS("Z")) "," NUMBER("y", "event.y", SAYS("Y")),
	    LINEAR("\"z\":1,\"y\":1"), "");
	action("x", "");
	scene_data(&s, "{\"y\":2,\"z\":2}");
	assert_string_equal(why(), "Y 2 | Z 2");
}

static void
at_most_three_lines_are_said(void **state)
{
	(void)state;
	begin("{}", ABCD, SUM, "");
	action("x", "");
	scene_data(&s, "{\"a\":1,\"b\":3,\"c\":2,\"d\":4}");
	assert_string_equal(why(), "D 4 | B 3 | C 2");
}

static void
a_tenth_of_what_spoke_for_it_is_said(void **state)
{
	(void)state;
	begin("{}", ABCD, SUM, "");
	action("x", "");
	scene_data(&s, "{\"a\":9,\"b\":1,\"c\":-5}");
	assert_string_equal(why(), "A 9 | B 1");
}

static void
less_than_a_tenth_is_not_said(void **state)
{
	(void)state;
	begin("{}", ABCD, SUM, "");
	action("x", "");
	scene_data(&s, "{\"a\":9,\"b\":0.99999988079071044921875,\"c\":-5}");
	assert_string_equal(why(), "A 9");
}

/* What has no sentence counts in the whole, and is not named. */
static void
a_feature_without_a_reason_is_never_named(void **state)
{
	(void)state;
	begin("{}",
	    NUMBER("a", "event.a", SAYS("A")) "," NUMBER("b", "event.b", SAYS("B")) "," NUMBER("q",
		"event.q", ""),
	    LINEAR("\"a\":1,\"b\":1,\"q\":1"), "");
	action("x", "");
	scene_data(&s, "{\"a\":2,\"b\":1,\"q\":10}");
	assert_string_equal(why(), "A 2");
}

static void
what_speaks_against_the_action_is_not_said(void **state)
{
	(void)state;
	begin("{}", ABCD, LINEAR("\"a\":1,\"b\":-1,\"c\":-1,\"d\":1"), "");
	action("x", "");
	scene_data(&s, "{\"a\":1,\"b\":2,\"c\":-1,\"d\":0}");
	assert_string_equal(why(), "A 1 | C -1");
}

/* Where b is missing the tree goes left, so b speaks for the action: there is nothing to say of
 * it. */
static void
a_missing_value_is_not_said(void **state)
{
	(void)state;
	begin("{}", NUMBER("b", "event.b", ",\"reason\":{\"en\":\"Some B\"}"),
	    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\n"
	    "objective=binary sigmoid:1\nfeature_names=b\n\n"
	    "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=5\ndecision_type=10\n"
	    "left_child=-1\nright_child=-2\nleaf_value=2 -2\nleaf_count=1 1\n\nend of trees\n",
	    "");
	action("x", "");
	scene_data(&s, "{\"b\":1}");
	assert_string_equal(why(), "Some B");
	scene_data(&s, "{}");
	assert_string_equal(why(), "");
}

static void
the_treatments_own_lines_come_first_and_none_is_said_twice(void **state)
{
	(void)state;
	begin("{}", ABCD, SUM, "");
	action("x",
	    ",\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"H\","
	    "\"why\":[\"Own\",\"B 3\"]}]");
	scene_data(&s, "{\"a\":1,\"b\":3,\"c\":2,\"d\":1}");
	assert_string_equal(why(), "Own | B 3 | C 2");
}

/* Also where it is the first of all: two features may say the same. */
static void
the_same_words_are_said_once_whichever_line_they_are(void **state)
{
	(void)state;
	begin("{}",
	    NUMBER("a", "event.a", ",\"reason\":{\"en\":\"Alike\"}") "," NUMBER("b", "event.b",
		",\"reason\":{\"en\":\"Alike\"}") "," NUMBER("c", "event.c", SAYS("C")),
	    LINEAR("\"a\":1,\"b\":1,\"c\":1"), "");
	action("x", "");
	scene_data(&s, "{\"a\":3,\"b\":2,\"c\":1}");
	assert_string_equal(why(), "Alike | C 1");
}

static void
three_lines_of_its_own_leave_no_room(void **state)
{
	(void)state;
	begin("{}", ABCD, SUM, "");
	action("x",
	    ",\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"H\","
	    "\"why\":[\"1\",\"2\",\"3\"]}]");
	scene_data(&s, "{\"a\":1}");
	assert_string_equal(why(), "1 | 2 | 3");
	assert_int_equal(s.decision.slots[0].reason_count, 0);
}

#define IN(language) \
	",\"treatments\":[{\"treatment\":\"t\",\"language\":\"" language "\",\"headline\":\"H\"}]"

static void
reasons_are_in_the_cards_language_or_the_one_it_is_a_kind_of(void **state)
{
	(void)state;
	begin("{\"languages\":[\"de-AT\",\"en\",\"de\"]}",
	    NUMBER("a", "event.a",
		",\"reason\":{\"en\":\"A\",\"de\":\"A {{value}}\",\"de-AT\":\"Ah {{value}}\"}") "," NUMBER("b",
		"event.b", ",\"reason\":{\"en\":\"B\",\"de\":\"B {{value}}\"}") "," NUMBER("c",
		"event.c", ",\"reason\":{\"en\":\"C\"}"),
	    LINEAR("\"a\":1,\"b\":1,\"c\":1"), "");
	action("x", IN("de-AT"));
	scene_data(&s, "{\"a\":1.5,\"b\":3,\"c\":2}");
	assert_string_equal(why(), "B 3 | Ah 1,5");
}

/* A text that reads another feature without default is left out when that is missing, and what it
 * reads is on record. */
static void
a_reason_may_read_other_features_which_then_are_on_record(void **state)
{
	(void)state;
	begin("{}",
	    NUMBER("a", "event.a",
		",\"reason\":{\"en\":\"A {{value|round}} of {{total|money}}\"}") "," NUMBER("b",
		"event.b", ",\"reason\":{\"en\":\"B of {{none}}\"}") "," NUMBER("total",
		"event.total", "") "," NUMBER("none", "event.none", ""),
	    LINEAR("\"a\":1,\"b\":1"), "");
	action("x", "");
	scene_data(&s, "{\"a\":1.5,\"b\":3,\"total\":499}");
	assert_string_equal(why(), "A 2 of €4.99");
	assert_true(features_was_read(s.decision.features, 2));
}

static void
two_inputs_of_one_feature_are_one_reason(void **state)
{
	(void)state;
	begin("{}", ABCD, LINEAR("\"a\":2,\"b\":1,\"again\":-1.5"),
	    ",\"inputs\":{\"again\":\"a\"}");
	action("x", "");
	scene_data(&s, "{\"a\":2,\"b\":2}");
	assert_string_equal(why(), "B 2 | A 2");
}

/* A sum that is no number any more has no tenth. */
static void
what_is_too_large_to_be_told_is_not_told(void **state)
{
	static const struct {
		const char *weights, *inputs, *data, *why;
	} cases[] = {
		{ "\"a\":1", "", "{\"a\":1e9}", "A 1000000000" },
		{ "\"a\":1", "", "{\"a\":3e9}", "" },
		/* what speaks for it, 2.1 and 3 thousand millions of it */
		{ "\"a\":1,\"ad\":-1,\"b\":1,\"bd\":-1,\"c\":0.1",
		    ",\"inputs\":{\"ad\":\"d\",\"bd\":\"d\"}",
		    "{\"a\":1e9,\"b\":1e9,\"c\":1e9,\"d\":1e9}", "A 1000000000 | B 1000000000" },
		{ "\"a\":1,\"ad\":-1,\"b\":1,\"bd\":-1,\"c\":1",
		    ",\"inputs\":{\"ad\":\"d\",\"bd\":\"d\"}",
		    "{\"a\":1e9,\"b\":1e9,\"c\":1e9,\"d\":1e9}", "" },
		/* one feature's part, as much */
		{ "\"a\":1,\"aa\":1,\"b\":-1,\"c\":-1,\"more\":0.1",
		    ",\"inputs\":{\"aa\":\"a\",\"more\":\"a\"}", "{\"a\":1e9,\"b\":1e9,\"c\":1e9}",
		    "A 1000000000" },
		{ "\"a\":1,\"aa\":1,\"b\":-1,\"c\":-1,\"more\":1",
		    ",\"inputs\":{\"aa\":\"a\",\"more\":\"a\"}", "{\"a\":1e9,\"b\":1e9,\"c\":1e9}",
		    "" },
		{ "\"a\":1,\"again\":1", ",\"inputs\":{\"again\":\"a\"}", "{\"a\":1}", "A 1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (i > 0)
			teardown(state);
		begin("{}", ABCD, LINEAR(""), "");
		s.parts.part[--s.parts.count].bytes = arena_printf(s.arena,
		    "{\"format\":\"aisle-linear\",\"link\":\"logit\",\"bias\":0,\"weights\":{%s}}",
		    cases[i].weights);
		s.parts.part[s.parts.count].len = strlen(s.parts.part[s.parts.count].bytes);
		s.parts.part[s.parts.count - 1].bytes = arena_printf(s.arena,
		    "{\"models\":[{\"model\":\"m\",\"file\":\"m.json\"%s}]}", cases[i].inputs);
		s.parts.part[s.parts.count - 1].len = strlen(s.parts.part[s.parts.count - 1].bytes);
		s.parts.count++;
		action("x", "");
		scene_data(&s, cases[i].data);
		assert_string_equal(why(), cases[i].why);
	}
}

static void
an_empty_sentence_is_no_line(void **state)
{
	(void)state;
	begin("{}",
	    NUMBER("a", "event.a", ",\"reason\":{\"en\":\"{{w}}\"}") "," NUMBER("b", "event.b",
		",\"reason\":{\"en\":\"B\"}") ",{\"name\":\"w\",\"type\":\"string\",\"from\":"
					      "\"event.w\"}",
	    LINEAR("\"a\":1,\"b\":1"), "");
	action("x", "");
	scene_data(&s, "{\"a\":2,\"b\":1,\"w\":\"\"}");
	assert_string_equal(why(), "B");
	assert_int_equal(s.decision.slots[0].reason_count, 1);
}

static void
the_customers_own_screen_gets_none(void **state)
{
	(void)state;
	begin("{\"placements\":{\"customer\":{\"slots\":1},\"tablet\":null}}", ABCD, SUM, "");
	action("x", ",\"placements\":[\"customer\"],\"gate\":\"none\"");
	scene_data(&s, "{\"a\":1}");
	assert_string_equal(why(), "");
}

static void
a_withheld_card_gets_none(void **state)
{
	(void)state;
	begin("{}", ABCD, SUM, "");
	action("x", "");
	s.input.control = true;
	scene_data(&s, "{\"a\":1}");
	assert_string_equal(why(), "");
	s.input.control = false;
	assert_string_equal(why(), "A 1");
}

static void
a_card_that_stays_is_not_explained_again(void **state)
{
	(void)state;
	begin("{}", ABCD, SUM, "");
	action("x", "");
	add_card(s.arena, &s.visit, "x", "g", 50)->treatment = arena_strdup(s.arena, "plain");
	s.visit.cards[0].expires_ms = NOW + 1000;
	scene_data(&s, "{\"a\":1}");
	scene_decide(&s);
	assert_int_equal(s.decision.slots[0].card, 0);
	assert_int_equal(s.decision.slots[0].reason_count, 0);
}

/* The treated model's parts; the control model sees b the other way round. */
static void
of_an_uplift_pair_the_treated_model_speaks(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	for (size_t i = 0; i < s.parts.count; i++)
		if (strcmp(s.parts.part[i].name, "features.json") == 0)
			s.parts.part[i] = s.parts.part[--s.parts.count];
	add_part(s.arena, &s.parts, "features.json", "{\"features\":[" ABCD "]}");
	add_part(s.arena, &s.parts, "models/models.json",
	    "{\"models\":[{\"model\":\"control\",\"file\":\"c.json\"},"
	    "{\"model\":\"treated\",\"file\":\"t.json\"}]}");
	add_part(s.arena, &s.parts, "models/c.json", LINEAR("\"a\":0.125,\"b\":0.5"));
	add_part(s.arena, &s.parts, "models/t.json", LINEAR("\"a\":1,\"b\":0.5"));
	add_action(&s, "x",
	    "{\"kind\":\"recommend\",\"outcome\":{\"is\":\"bought\",\"within\":\"7d\","
	    "\"item\":{\"category\":\"tea\"}},\"propensity\":null,\"incremental\":null,"
	    "\"uplift\":{\"treated\":\"treated\",\"control\":\"control\"}}");
	scene_data(&s, "{\"a\":1,\"b\":1}");
	assert_string_equal(why(), "A 1 | B 1");
}

static void
a_stand_in_for_what_is_not_known_of_a_stranger_is_not_said(void **state)
{
	(void)state;
	begin("{}",
	    NUMBER("a", "profile.a",
		",\"default\":2,\"reason\":{\"en\":\"Some A\"}") "," NUMBER("b", "event.b",
		",\"reason\":{\"en\":\"B {{a}}\"}") "," NUMBER("c", "event.c",
		",\"reason\":{\"en\":\"C\"}"),
	    LINEAR("\"a\":1,\"b\":1,\"c\":1"), "");
	action("x", "");
	scene_data(&s, "{\"b\":1,\"c\":1}");
	assert_string_equal(why(), "Some A | B 2 | C");
	s.input.known = false;
	assert_string_equal(why(), "C");
}

static void
under_a_calibration_that_falls_nothing_is_said(void **state)
{
	(void)state;
	begin("{}", ABCD, SUM, ",\"calibration\":{\"platt\":[-1,2]}");
	action("x", "");
	scene_data(&s, "{\"a\":1}");
	assert_string_equal(why(), "");
}

static void
a_chance_that_is_stated_has_no_reasons(void **state)
{
	(void)state;
	begin("{}", ABCD, SUM, "");
	add_action(&s, "x", "{}");
	scene_data(&s, "{\"a\":1}");
	assert_string_equal(why(), "");
}

int
main(void)
{
#define T(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		T(the_largest_part_is_said_first),
		T(of_equal_parts_the_first_by_name_is_said_first),
		T(at_most_three_lines_are_said),
		T(a_tenth_of_what_spoke_for_it_is_said),
		T(less_than_a_tenth_is_not_said),
		T(a_feature_without_a_reason_is_never_named),
		T(what_speaks_against_the_action_is_not_said),
		T(a_missing_value_is_not_said),
		T(the_treatments_own_lines_come_first_and_none_is_said_twice),
		T(the_same_words_are_said_once_whichever_line_they_are),
		T(three_lines_of_its_own_leave_no_room),
		T(reasons_are_in_the_cards_language_or_the_one_it_is_a_kind_of),
		T(a_reason_may_read_other_features_which_then_are_on_record),
		T(two_inputs_of_one_feature_are_one_reason),
		T(what_is_too_large_to_be_told_is_not_told),
		T(an_empty_sentence_is_no_line),
		T(the_customers_own_screen_gets_none),
		T(a_withheld_card_gets_none),
		T(a_card_that_stays_is_not_explained_again),
		T(of_an_uplift_pair_the_treated_model_speaks),
		T(a_stand_in_for_what_is_not_known_of_a_stranger_is_not_said),
		T(under_a_calibration_that_falls_nothing_is_said),
		T(a_chance_that_is_stated_has_no_reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
