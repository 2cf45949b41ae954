/* SPDX-License-Identifier: Apache-2.0
 *
 * test_margin.c - the margins that the till states for its lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "decide_scene.h"

#define OFF(more) \
	"\"offer\":{\"type\":\"percent\",\"depth\":10,\"typical\":450,\"max\":300,\"include\":" \
	"{\"category\":\"tea\"}" more "}"
#define LINES "\"margin\":{\"lines\":true,\"else\":180}"

static struct line *
tea(struct scene *s, int64_t amount, int64_t margin)
{
	struct line *line = add_line(s->arena, &s->visit, "tea", 2000, amount);

	line->has_margin = true;
	line->margin_minor = margin;
	return line;
}

static double
margin_of(const struct scene *s, const char *id)
{
	const struct candidate *candidate = candidate_of(s, id);

	assert_non_null(candidate);
	assert_true(candidate->scored);
	return candidate->margin;
}

static void
a_margin_of_lines_is_what_the_till_states_of_those_that_qualify(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{" OFFER_MEMBERS "," LINES "," OFF("") "}");
	add_action(&s, "b", "{" OFFER_MEMBERS ",\"margin\":70," OFF("") "}");
	/* None is there yet: the number beside it. */
	scene_decide(&s);
	assert_true(margin_of(&s, "a") == 180);
	tea(&s, 500, 120);
	tea(&s, 400, 90);
	add_line(s.arena, &s.visit, "bread", 1000, 900);
	scene_decide(&s);
	assert_true(margin_of(&s, "a") == 210);
	assert_true(margin_of(&s, "b") == 70);
	/* One states none. */
	add_line(s.arena, &s.visit, "tea", 1000, 100);
	scene_decide(&s);
	assert_true(margin_of(&s, "a") == 180);
	scene_end(&s);
}

static void
the_floor_guards_the_very_lines_after_the_discount(void **state)
{
	/* 10 % of 500 are 50: the last that leaves less than 100, the first that does not. */
	static const struct {
		int64_t margin;
		const char *fate;
	} rows[] = { { 149, "not-worth-it" }, { 150, "offered" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s;

		scene_begin(&s, "{}");
		add_action(&s, "a",
		    "{" OFFER_MEMBERS ",\"margin\":900," OFF(",\"margin_floor\":100") "}");
		tea(&s, 500, rows[i].margin);
		scene_decide(&s);
		assert_string_equal(fate_of(&s, "a"), rows[i].fate);
		scene_end(&s);
	}
}

static void
without_margins_of_the_lines_the_floor_guards_the_stated_one(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{" OFFER_MEMBERS ",\"margin\":149," OFF(",\"margin_floor\":100") "}");
	add_action(&s, "b", "{" OFFER_MEMBERS ",\"margin\":150," OFF(",\"margin_floor\":100") "}");
	add_line(s.arena, &s.visit, "tea", 1000, 500);
	scene_decide(&s);
	assert_string_equal(fate_of(&s, "a"), "not-worth-it");
	assert_string_equal(clause_of(&s, "a"), "offer.margin_floor");
	assert_string_equal(fate_of(&s, "b"), "offered");
	scene_end(&s);
}

static void
what_was_agreed_before_comes_off_the_margin_that_the_floor_guards(void **state)
{
	struct scene s;
	struct card *card;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{" OFFER_MEMBERS ",\"margin\":900," OFF(",\"margin_floor\":100") "}");
	add_action(&s, "b", "{" OFFER_MEMBERS ",\"margin\":900," OFF("") "}");
	tea(&s, 500, 199);
	scene_decide(&s);
	assert_string_equal(fate_of(&s, "a"), "offered");
	/* b was accepted and takes 50 of the same tea. */
	card = add_card(s.arena, &s.visit, "b", "g", 5);
	card->answer = ANSWER_ACCEPT;
	card->state = CARD_ASKED;
	card->depth = 10;
	card->worth_minor = 50;
	card->token = id_of(6);
	scene_decide(&s);
	assert_string_equal(fate_of(&s, "a"), "not-worth-it");
	scene_end(&s);
}

static void
basket_and_candidate_have_the_margin_of_their_lines_or_none(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s, "{}");
	s.parts.count--;
	add_part(s.arena, &s.parts, "features.json",
	    "{\"features\":[{\"name\":\"all\",\"type\":\"number\",\"from\":\"basket.margin()\"},"
	    "{\"name\":\"tea\",\"type\":\"number\",\"from\":\"basket.margin(category=tea)\"},"
	    "{\"name\":\"own\",\"type\":\"number\",\"from\":\"action.line_margin\"}]}");
	add_action(&s, "all", "{\"applicable\":{\"==\":[{\"var\":\"all\"},310]}}");
	add_action(&s, "own",
	    "{" OFFER_MEMBERS
	    ",\"margin\":900," OFF("") ",\"applicable\":{\"==\":[{\"var\":\"own\"},210]}}");
	add_action(&s, "tea", "{\"applicable\":{\"==\":[{\"var\":\"tea\"},210]}}");
	scene_decide(&s);
	assert_string_equal(fate_of(&s, "all"), "missing");
	assert_string_equal(fate_of(&s, "own"), "missing");
	tea(&s, 500, 120);
	tea(&s, 400, 90);
	s.visit.lines[1].has_margin = true;
	add_line(s.arena, &s.visit, "bread", 1000, 900)->has_margin = true;
	s.visit.lines[2].margin_minor = 100;
	scene_decide(&s);
	assert_string_not_equal(fate_of(&s, "all"), "missing");
	assert_string_not_equal(fate_of(&s, "all"), "applicability");
	assert_string_not_equal(fate_of(&s, "own"), "applicability");
	assert_string_not_equal(fate_of(&s, "tea"), "applicability");
	add_line(s.arena, &s.visit, "bread", 1000, 900);
	scene_decide(&s);
	assert_string_equal(fate_of(&s, "all"), "missing");
	assert_string_not_equal(fate_of(&s, "tea"), "missing");
	scene_end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_margin_of_lines_is_what_the_till_states_of_those_that_qualify),
		cmocka_unit_test(the_floor_guards_the_very_lines_after_the_discount),
		cmocka_unit_test(without_margins_of_the_lines_the_floor_guards_the_stated_one),
		cmocka_unit_test(what_was_agreed_before_comes_off_the_margin_that_the_floor_guards),
		cmocka_unit_test(basket_and_candidate_have_the_margin_of_their_lines_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
