/* SPDX-License-Identifier: Apache-2.0
 *
 * test_prompt.c - the offer as tablet and till see it, what may be done instead, and a prompt that is written again.
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

static const char *
text(const json_t *json, const char *member)
{
	const char *value = json_string_value(json_object_get(json, member));

	return value != NULL ? value : "(none)";
}

static void
assert_offer(const struct offer *offer, const char *want)
{
	const struct policy policy = { .currency = "EUR" };
	struct buf out = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);

	offer_json(&policy, offer, 10, 45, false, w);
	json_end(w);
	assert_string_equal(out.data, want);
	buf_done(&out);
}

#define HEAD \
	"{\"offer\":{\"type\":\"percent\",\"worth\":45,\"depth\":10,\"currency\":\"EUR\"," \
	"\"apply\":\"lines\""

static void
an_offer_says_what_it_is_about_and_nothing_that_it_has_not(void **state)
{
	struct match second = { .set = true, .item = "5012345678900" };
	struct offer offer = { .type = OFFER_PERCENT, .apply = APPLY_LINES, .max_minor = -1 };

	(void)state;
	scene_begin(&s, "{}");
	assert_offer(&offer, HEAD ",\"exclude\":[]}}");
	offer.code = "4711";
	offer.min_basket_minor = 1;
	offer.max_minor = 0;
	assert_offer(&offer, HEAD ",\"code\":\"4711\",\"exclude\":[],\"min_basket\":1,\"max\":0}}");
	offer.code = NULL;
	offer.min_basket_minor = 0;
	offer.max_minor = -1;
	offer.include = (struct match){ .set = true, .category = "tea", .brand = "acme" };
	offer.exclude = (struct match){ .set = true, .brand = "house" };
	assert_offer(&offer,
	    HEAD ",\"include\":{\"category\":\"tea\",\"brand\":\"acme\"},\"exclude\":[{\"brand\":"
		 "\"house\"}]}}");
	offer.include.next = &second;
	offer.exclude.next = &second;
	assert_offer(&offer,
	    HEAD
	    ",\"include\":[{\"category\":\"tea\",\"brand\":\"acme\"},{\"item\":\"5012345678900\"}],"
	    "\"exclude\":[{\"brand\":\"house\"},{\"item\":\"5012345678900\"}]}}");
}

/* ---- instead ---- */

/* "b c" of the prompt in the first slot, with depths where there are any. */
static const char *
alternatives(void)
{
	struct id prompt = id_of(77);
	struct buf out = { 0 };
	json_t *json, *one;
	size_t i;

	prompt_json(&s.decision, &s.decision.slots[0], &prompt, &out);
	json = json_text(out.data);
	buf_clear(&s.text);
	buf_adds(&s.text, "");
	json_array_foreach(json_object_get(json, "alternatives"), i, one) {
		buf_addf(&s.text, "%s%s", i > 0 ? " " : "", text(one, "action"));
		if (json_object_get(one, "depth") != NULL)
			buf_addf(&s.text, ":%d",
			    (int)json_integer_value(json_object_get(one, "depth")));
	}
	json_decref(json);
	buf_done(&out);
	return s.text.data;
}

static void
who_is_not_to_be_sent_an_offer_does_not_get_it_instead(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"margin\":500}");
	add_action(&s, "b", OFFER("},\"margin\":400"));
	add_action(&s, "c", "{\"margin\":300}");
	scene_decide(&s);
	assert_string_equal(alternatives(), "b:10 c");
	s.input.control = true;
	scene_decide(&s);
	assert_string_equal(alternatives(), "c");
}

#define LADDER(rungs, more) \
	"{" OFFER_MEMBERS ",\"offer\":{\"type\":\"amount\",\"ladder\":[" rungs \
	"],\"apply\":\"lines\"" more "},\"margin\":5000,\"incremental\":1," \
	"\"propensity\":{\"if\":[{\"==\":[{\"var\":\"d\"},{\"var\":\"x\"}]},0.9,0.001]}}"

static void
smaller_depths_come_from_the_largest_down_two_at_most(void **state)
{
	static const struct {
		const char *x, *others;
	} cases[] = { { "{\"x\":400}", "a:300 a:200" }, { "{\"x\":300}", "a:200 a:100" },
		{ "{\"x\":200}", "a:100" }, { "{\"x\":100}", "" } };

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", LADDER("100,200,300,400", ""));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scene_data(&s, cases[i].x);
		scene_decide(&s);
		assert_string_equal(alternatives(), cases[i].others);
	}
	scene_end(&s);
	/* With another action before it one is left; what saves too little is none. */
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    LADDER("100,200,300,400", ",\"min_worth\":250,\"include\":{\"category\":\"tea\"}"));
	add_action(&s, "b", "{}");
	scene_data(&s, "{\"x\":400}");
	scene_decide(&s);
	assert_string_equal(alternatives(), "b a:300");
	add_line(s.arena, &s.visit, "tea", 1000, 1000);
	scene_decide(&s);
	assert_string_equal(alternatives(), "b a:300");
	scene_data(&s, "{\"x\":300}");
	scene_decide(&s);
	assert_string_equal(alternatives(), "b"); /* 200 is less than 250 */
}

static void
an_alternative_is_said_in_its_own_words_where_they_fit(void **state)
{
	struct id prompt = id_of(77);
	struct buf out = { 0 };
	json_t *json, *list;

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":1,\"headline_max\":10}}}");
	add_action(&s, "a", "{\"margin\":500}");
	add_action(&s, "b",
	    "{\"margin\":400,\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":"
	    "\"{{word}}\"},"
	    "{\"treatment\":\"u\",\"language\":\"en\",\"headline\":\"{{word|default:none}}\"}]}");
	add_action(&s, "c",
	    "{\"margin\":300,\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":"
	    "\"x {{x}}\"}]}");
	scene_decide(&s);
	prompt_json(&s.decision, &s.decision.slots[0], &prompt, &out);
	json = json_text(out.data);
	list = json_object_get(json, "alternatives");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(text(json_array_get(list, 0), "headline"), "none");
	assert_string_equal(text(json_array_get(list, 1), "headline"), "x 1");
	assert_null(json_object_get(json_array_get(list, 0), "depth"));
	json_decref(json);
	buf_done(&out);
}

static void
what_a_person_chose_says_so_and_has_no_alternatives(void **state)
{
	struct id prompt = id_of(77);
	struct buf out = { 0 };

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"margin\":500}");
	add_action(&s, "b", "{}");
	scene_decide(&s);
	s.decision.slots[0].by_person = true;
	prompt_json(&s.decision, &s.decision.slots[0], &prompt, &out);
	assert_non_null(strstr(out.data, "\"by\":\"person\""));
	assert_null(strstr(out.data, "alternatives"));
	buf_done(&out);
}

/* ---- again ---- */

#define TWO_TREATMENTS \
	"\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"T " \
	"{{word}}\",\"why\":[" \
	"\"own " \
	"{{x}}\",\"{{queue|default:}}\"]},{\"treatment\":\"u\",\"language\":\"en\",\"headline\":" \
	"\"U\"," \
	"\"why\":[\"first\",\"second\"]}]"

static json_t *
again(struct card *card)
{
	struct buf out = { 0 };
	json_t *json = NULL;

	if (prompt_again(&s.decision, 0, card, &out))
		json = json_text(out.data);
	buf_done(&out);
	return json;
}

static const char *
why_of(const json_t *json)
{
	const json_t *line;
	size_t i;

	buf_clear(&s.text);
	buf_adds(&s.text, "");
	json_array_foreach(json_object_get(json, "why"), i, line)
		buf_addf(&s.text, "%s%s", i > 0 ? " | " : "", json_string_value(line));
	return s.text.data;
}

static void
a_prompt_written_again_keeps_its_treatment_and_the_models_reasons(void **state)
{
	static const struct {
		const char *treatment, *data, *headline, *why;
	} cases[] = {
		{ "t", "{\"x\":2,\"word\":\"now\"}", "T now", "own 2 | reason | other" },
		{ "u", "{\"x\":2,\"word\":\"now\"}", "U", "first | second | other" },
		/* Its own fits no more: the first that does. */
		{ "t", "{\"x\":2}", "U", "first | second | other" },
		{ "of an older policy", "{\"x\":2,\"word\":\"now\"}", "T now",
		    "own 2 | reason | other" },
	};
	struct card *card;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{" TWO_TREATMENTS "}");
	add_action(&s, "b", "{\"margin\":100}");
	card = add_card(s.arena, &s.visit, "a", "g", 5);
	card->json = arena_strdup(s.arena, "{\"why\":[\"own 1\",\"reason\",\"other\"]}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *json;

		card->treatment = arena_strdup(s.arena, cases[i].treatment);
		scene_data(&s, cases[i].data);
		scene_decide(&s);
		json = again(card);
		assert_non_null(json);
		assert_string_equal(text(json, "headline"), cases[i].headline);
		assert_string_equal(why_of(json), cases[i].why);
		assert_string_equal(text(json, "prompt"), "01000000000000000000000005");
		/* What may be done instead is that of its draw now. */
		assert_int_equal(json_array_size(json_object_get(json, "alternatives")), 1);
		json_decref(json);
	}
}

static void
without_words_that_fit_it_is_not_written_again(void **state)
{
	struct card *card;
	json_t *json;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    "{\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"T "
	    "{{word}}\"}]}");
	card = add_card(s.arena, &s.visit, "a", "g", 5);
	card->treatment = arena_strdup(s.arena, "t");
	card->json = arena_strdup(s.arena, "{\"why\":[]}");
	scene_decide(&s);
	assert_null(again(card));
	scene_data(&s, "{\"word\":\"now\"}");
	scene_decide(&s);
	json = again(card);
	assert_string_equal(text(json, "headline"), "T now");
	assert_string_equal(why_of(json), "");
	assert_null(json_object_get(json, "alternatives"));
	json_decref(json);
}

static void
a_strangers_screen_has_no_reasons_when_it_is_written_again_either(void **state)
{
	struct card *card;
	json_t *json;

	(void)state;
	scene_begin(&s, "{\"placements\":{\"customer\":{\"slots\":1}}}");
	add_action(&s, "a",
	    "{\"placements\":[\"customer\"],\"gate\":\"customer\",\"treatments\":[{\"treatment\":"
	    "\"t\","
	    "\"language\":\"en\",\"headline\":\"T\"}]}");
	card = add_card(s.arena, &s.visit, "a", "g", 5);
	card->placement = PLACE_CUSTOMER;
	card->treatment = arena_strdup(s.arena, "t");
	card->json = arena_strdup(s.arena, "{\"why\":[\"reason\"]}");
	scene_decide(&s);
	json = again(card);
	assert_string_equal(text(json, "placement"), "customer");
	assert_string_equal(why_of(json), "");
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
		T(an_offer_says_what_it_is_about_and_nothing_that_it_has_not),
		T(who_is_not_to_be_sent_an_offer_does_not_get_it_instead),
		T(smaller_depths_come_from_the_largest_down_two_at_most),
		T(an_alternative_is_said_in_its_own_words_where_they_fit),
		T(what_a_person_chose_says_so_and_has_no_alternatives),
		T(a_prompt_written_again_keeps_its_treatment_and_the_models_reasons),
		T(without_words_that_fit_it_is_not_written_again),
		T(a_strangers_screen_has_no_reasons_when_it_is_written_again_either),
#undef T
	};

	return cmocka_run_group_tests_name("prompt", tests, NULL, NULL);
}
