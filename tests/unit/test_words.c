/* SPDX-License-Identifier: Apache-2.0
 *
 * test_words.c - values in texts, as each language writes them; which text fits where, to the character.
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

static void
characters_are_counted_not_bytes(void **state)
{
	(void)state;
	scene_begin(&s, "{}");
	assert_int_equal(utf8_count(""), 0);
	assert_int_equal(utf8_count("a"), 1);
	assert_int_equal(utf8_count("\u00e4\u20ac\U0001f600\x7f"), 4);
}

static void
a_language_speaks_to_the_kinds_of_it(void **state)
{
	static const struct {
		const char *language, *wanted;
		bool speaks;
	} cases[] = { { "de", "de", true }, { "de", "de-AT", true }, { "de-AT", "de", false },
		{ "de-AT", "de-AT", true }, { "de-AT", "de-CH", false }, { "de", "den", false },
		{ "den", "de", false }, { "de", "en", false }, { "de", "d", false },
		{ "de", "", false } };

	(void)state;
	scene_begin(&s, "{}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(words_speak(cases[i].language, cases[i].wanted), cases[i].speaks);
}

static void
money_is_written_as_each_language_and_currency_has_it(void **state)
{
	static const struct {
		int64_t minor;
		const char *currency;
		int digits;
		const char *language, *text;
	} cases[] = {
		{ 0, "EUR", 2, "en", "\u20ac0.00" },
		{ 1, "EUR", 2, "fr", "0,01 \u20ac" },
		{ -1, "EUR", 2, "fr", "-0,01 \u20ac" },
		{ 100, "INR", 2, "en-IN", "\u20b91.00" },
		{ 100, "USD", 2, "zh", "$1.00" },
		{ 100, "USD", 2, "ja-JP", "$1.00" },
		{ 100, "USD", 2, "ko", "$1.00" },
		{ 100, "USD", 2, "th", "$1.00" },
		{ 100, "USD", 2, "he", "$1.00" },
		{ 100, "USD", 2, "ga", "$1.00" },
		{ 100, "USD", 2, "mt", "$1.00" },
		{ 100, "USD", 2, "eng", "1,00 $" },
		{ 100, "USD", 2, "e", "1,00 $" },
		{ 100, "USD", 2, "es", "1,00 $" },
		{ 9, "JPY", 0, "de", "9 \u00a5" },
		{ 12, "XYZ", 1, "en", "1.2 XYZ" },
		{ INT64_MAX, "JPY", 0, "en", "\u00a59223372036854775807" },
		{ INT64_MIN, "JPY", 0, "en", "-\u00a59223372036854775808" },
		{ INT64_MIN, "EUR", 2, "en", "-\u20ac92233720368547758.08" },
	};
	struct buf out = { 0 };

	(void)state;
	scene_begin(&s, "{}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy policy = { .currency = cases[i].currency,
			.currency_digits = cases[i].digits };

		buf_clear(&out);
		money_text(cases[i].minor, &policy, cases[i].language, &out);
		assert_string_equal(out.data, cases[i].text);
	}
	buf_done(&out);
}

/* The headline of the one action, NULL where no treatment fits. */
static const char *
headline(const char *rules, const char *treatment, const char *data)
{
	static char text[512];
	struct id prompt = id_of(77);
	struct buf out = { 0 };
	const char *found = NULL;

	scene_begin(&s, rules);
	add_action(&s, "a", arena_printf(s.arena, "{\"treatments\":[%s]}", treatment));
	scene_data(&s, data);
	scene_decide(&s);
	if (strcmp(fate_of(&s, "a"), "offered") == 0) {
		json_t *json;

		prompt_json(&s.decision, &s.decision.slots[0], &prompt, &out);
		json = json_text(out.data);
		snprintf(text, sizeof(text), "%s",
		    json_string_value(json_object_get(json, "headline")));
		json_decref(json);
		found = text;
	} else {
		assert_string_equal(fate_of(&s, "a"), "no-treatment");
	}
	buf_done(&out);
	return found;
}

#define ENGLISH "{}"
#define GERMAN "{\"languages\":[\"de\"]}"
#define TEXT(lang, text) "{\"treatment\":\"t\",\"language\":\"" lang "\",\"headline\":\"" text "\"}"

static void
numbers_have_two_decimals_at_most_and_halves_go_away_from_zero(void **state)
{
	static const struct {
		const char *filter, *x, *english, *german;
	} cases[] = {
		{ "", "0", "0", "0" },
		{ "", "7", "7", "7" },
		{ "", "-7", "-7", "-7" },
		{ "", "1.5", "1.5", "1,5" },
		{ "", "1.25", "1.25", "1,25" },
		{ "", "1.05", "1.05", "1,05" },
		{ "", "0.005", "0.01", "0,01" },
		{ "", "0.0049", "0", "0" },
		{ "", "-0.005", "-0.01", "-0,01" },
		{ "", "-0.0049", "0", "0" },
		{ "", "-1.5", "-1.5", "-1,5" },
		{ "", "99.995", "100", "100" },
		{ "", "89999999999999", "89999999999999", "89999999999999" },
		{ "", "90000000000000", NULL, NULL },
		{ "", "-90000000000000", NULL, NULL },
		{ "", "-89999999999999", "-89999999999999", "-89999999999999" },
		{ "|round", "0.5", "1", "1" },
		{ "|round", "0.49", "0", "0" },
		{ "|round", "-0.5", "-1", "-1" },
		{ "|round", "-0.49", "0", "0" },
		{ "|round", "1.5", "2", "2" },
		{ "|money", "0.5", "\u20ac0.01", "0,01 \u20ac" },
		{ "|money", "450", "\u20ac4.50", "4,50 \u20ac" },
		{ "|money", "-450", "-\u20ac4.50", "-4,50 \u20ac" },
		{ "|money", "90000000000000", NULL, NULL },
		{ "|default:none", "90000000000000", "none", "none" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int german = 0; german < 2; german++) {
			const char *want = german ? cases[i].german : cases[i].english, *got;
			char treatment[200], data[100];

			snprintf(treatment, sizeof(treatment),
			    german ? TEXT("de", "{{x%s}}") : TEXT("en", "{{x%s}}"),
			    cases[i].filter);
			snprintf(data, sizeof(data), "{\"x\":%s}", cases[i].x);
			got = headline(german ? GERMAN : ENGLISH, treatment, data);
			if ((got == NULL) != (want == NULL) ||
			    (got != NULL && strcmp(got, want) != 0))
				fail_msg("%s%s: %s", cases[i].x, cases[i].filter,
				    got != NULL ? got : "none");
			scene_end(&s);
			s = (struct scene){ 0 };
		}
	scene_begin(&s, "{}");
}

/* Each text of a treatment has its own length, and a value makes it longer. */
static void
a_text_fits_to_its_last_character(void **state)
{
	static const struct {
		const char *treatment;
		const char *fits, *over;
	} cases[] = {
		{ TEXT("en", "ab{{word}}"), "\"\u00e4\u00f6\u00fc\"", "\"\u00e4\u00f6\u00fcd\"" },
		{ TEXT("en", "{{word}}b"), "\"abcd\"", "\"abcde\"" },
		{ TEXT("en", "{{word}}ab{{word}}c"), "\"\u00e4\"", "\"\u00e4\u00f6\"" },
		{ TEXT("en", "ab{{word|default:xyz}}"), "null", "\"wxyz\"" },
		{ "{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"h\",\"say\":\"a{{word}}"
		  "\"}",
		    "\"345\"", "\"3456\"" },
		{ "{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"h\",\"body\":\"a{{word}}"
		  "\"}",
		    "\"34\"", "\"345\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int over = 0; over < 2; over++) {
			char data[100];
			const char *got;

			snprintf(data, sizeof(data), "{\"x\":1,\"word\":%s}",
			    over ? cases[i].over : cases[i].fits);
			got =
			    headline("{\"placements\":{\"tablet\":{\"slots\":1,\"headline_max\":5,"
				     "\"say_max\":4,\"body_max\":3}}}",
				cases[i].treatment, data);
			if ((got == NULL) != (over == 1))
				fail_msg("%zu %s: %s", i, data, got != NULL ? got : "none");
			scene_end(&s);
			s = (struct scene){ 0 };
		}
	scene_begin(&s, "{}");
}

static void
numbers_and_truths_are_as_long_as_they_are_written(void **state)
{
	static const struct {
		const char *treatment, *x;
		bool fits;
	} cases[] = {
		{ TEXT("en", "{{x}}"), "12345", true },
		{ TEXT("en", "{{x}}"), "123456", false },
		{ TEXT("en", "{{x}}"), "12.25", true },
		{ TEXT("en", "{{x}}"), "123.25", false },
		{ TEXT("en", "{{x|money}}"), "999", true },
		{ TEXT("en", "{{x|money}}"), "1000", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char data[100];

		snprintf(data, sizeof(data), "{\"x\":%s}", cases[i].x);
		assert_int_equal(headline("{\"placements\":{\"tablet\":{\"slots\":1,"
					  "\"headline_max\":5}}}",
				     cases[i].treatment, data) != NULL,
		    cases[i].fits);
		scene_end(&s);
		s = (struct scene){ 0 };
	}
	scene_begin(&s, "{}");
}

static void
a_truth_is_written_as_such_and_what_is_nothing_not_at_all(void **state)
{
	static const struct {
		struct value value;
		const char *text;
	} cases[] = {
		{ { .tag = VALUE_BOOL, .truth = true }, "true" },
		{ { .tag = VALUE_BOOL }, "false" },
		{ { .tag = VALUE_STRING, .str = "x" }, "x" },
		{ { .tag = VALUE_NUMBER, .number = 2 }, "2" },
		{ { .tag = VALUE_MISSING }, NULL },
	};
	struct buf out = { 0 };

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{}");
	scene_decide(&s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&out);
		buf_adds(&out, "");
		assert_int_equal(words_value(&cases[i].value, FILTER_NONE, s.policy, "en", &out),
		    cases[i].text != NULL);
		assert_string_equal(out.data, cases[i].text != NULL ? cases[i].text : "");
	}
	buf_done(&out);
}

/* "false" is as long as its letters. */
static void
a_truth_fits_to_its_last_letter(void **state)
{
	static const struct {
		const char *truth;
		int max;
		bool fits;
	} cases[] = { { "true", 4, true }, { "true", 3, false }, { "false", 5, true },
		{ "false", 4, false } };
	char policy[100];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (i > 0)
			teardown(state);
		snprintf(policy, sizeof(policy),
		    "{\"placements\":{\"tablet\":{\"slots\":1,\"headline_max\":%d}}}",
		    cases[i].max);
		scene_begin(&s, policy);
		s.parts.count--;
		add_part(s.arena, &s.parts, "features.json",
		    "{\"features\":[{\"name\":\"flag\",\"type\":\"bool\",\"from\":\"event.flag\"}]"
		    "}");
		add_action(&s, "a", "{\"treatments\":[" TEXT("en", "{{flag}}") "]}");
		scene_data(&s, arena_printf(s.arena, "{\"x\":1,\"flag\":%s}", cases[i].truth));
		scene_decide(&s);
		assert_string_equal(fate_of(&s, "a"), cases[i].fits ? "offered" : "no-treatment");
	}
}

/* Of a till's own making: a card is so many bytes as JSON, whatever was sent. */
static void
the_texts_of_a_card_fit_to_the_last_byte(void **state)
{
	static const struct {
		const char *members;
		size_t words; /* so often is the word in them */
		size_t other; /* bytes of other values */
		const char *letter;
		size_t bytes; /* of one, in JSON */
	} cases[] = {
		{ "\"body\":\"{{word}}\"", 1, 0, "x", 1 },
		{ "\"say\":\"{{word}}\",\"body\":\"{{word}}\"", 2, 0, "x", 1 },
		{ "\"why\":[\"{{word}}\",\"because\"]", 1, 0, "x", 1 },
		{ "\"steps\":[\"{{word}} and {{word}}\"]", 2, 0, "x", 1 },
		{ "\"why\":[\"{{word}}\"],\"steps\":[\"{{word}}\"],\"body\":\"{{word}}\"", 3, 0,
		    "x", 1 },
		{ "\"body\":\"{{word}}\"", 1, 0, "\\u0001", 6 },
		{ "\"body\":\"{{word}} {{x}}\"", 1, 24, "x", 1 },
		{ "\"body\":\"{{word}} {{queue|default:one}}\"", 1, 5, "x", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t room, len;

		if (i > 0)
			teardown(state);
		scene_begin(&s, "{}");
		add_action(&s, "a",
		    arena_printf(s.arena,
			"{\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\","
			"\"headline\":\"h\",%s}]}",
			cases[i].members));
		scene_decide(&s);
		room = CARD_TEXT_BYTES_MAX - cases[i].other -
		    policy_action(s.policy, "a")->treatments[0].text_bytes;
		len = (room / cases[i].words - 2) / cases[i].bytes;
		for (int more = 0; more < 2; more++) {
			struct buf data = { 0 };

			buf_adds(&data, "{\"x\":1,\"word\":\"");
			for (size_t k = 0; k < len + (size_t)more; k++)
				buf_adds(&data, cases[i].letter);
			buf_adds(&data, "\"}");
			scene_data(&s, data.data);
			buf_done(&data);
			scene_decide(&s);
			if (strcmp(fate_of(&s, "a"), more ? "no-treatment" : "offered") != 0)
				fail_msg("case %zu: %s", i, fate_of(&s, "a"));
		}
	}
}

/* A till's customer is spoken to in their language, else in the first of the policy. */
static void
who_is_not_known_is_spoken_to_in_the_first_language(void **state)
{
	static const struct {
		const char *language;
		bool known;
		const char *headline;
	} cases[] = {
		{ NULL, true, "en" },
		{ "de", true, "de" },
		{ "de-AT", true, "de" },
		{ "fr", true, "en" },
		{ "de", false, "en" },
	};

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    "{\"treatments\":[{\"treatment\":\"d\",\"language\":\"de\",\"headline\":\"de\"},"
	    "{\"treatment\":\"e\",\"language\":\"en\",\"headline\":\"en\"}]}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		s.visit.language =
		    cases[i].language != NULL ? arena_strdup(s.arena, cases[i].language) : NULL;
		s.input.known = cases[i].known;
		scene_decide(&s);
		assert_string_equal(s.decision.slots[0].treatment->language, cases[i].headline);
		assert_true(s.decision.slots[0].treatment_p == 1.0);
	}
}

/* ---- which treatment ---- */

static void
reasons_and_steps_need_their_values_and_reasons_only_where_they_are_read(void **state)
{
	static const char *const parts[] = { "\"why\":[\"because\",\"{{queue}}\"]",
		"\"steps\":[\"first\",\"{{queue}}\"]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		for (int customer = 0; customer < 2; customer++) {
			scene_begin(&s, "{\"placements\":{\"customer\":{\"slots\":1}}}");
			add_action(&s, "a",
			    arena_printf(s.arena,
				"{\"placements\":[\"%s\"],\"gate\":\"%s\",\"treatments\":[{"
				"\"treatment\":\"t\","
				"\"language\":\"en\",\"headline\":\"h\",%s}]}",
				customer ? "customer" : "tablet",
				customer ? "customer" : "associate", parts[i]));
			scene_decide(&s);
			assert_string_equal(fate_of(&s, "a"),
			    i == 0 && customer ? "offered" : "no-treatment");
			s.input.sources.has_queue = true;
			scene_decide(&s);
			assert_string_equal(fate_of(&s, "a"), "offered");
			if (i + 1 < ARRAY_LEN(parts) || customer == 0)
				scene_end(&s);
		}
	}
}

/* The compiler refuses such a text; should one come through all the same, it is not shown. */
static void
what_is_personal_is_not_on_a_strangers_screen(void **state)
{
	int word;

	(void)state;
	scene_begin(&s, "{\"placements\":{\"customer\":{\"slots\":4}}}");
	add_action(&s, "a",
	    "{\"placements\":[\"customer\"],\"gate\":\"customer\",\"treatments\":[" TEXT("en",
		"You are {{word}} at {{x}}") "]}");
	add_action(&s, "b", "{\"treatments\":[" TEXT("en", "You are {{word}}") "]}");
	scene_data(&s, "{\"x\":1,\"word\":\"gold\"}");
	for (int personal = 0; personal < 2; personal++) {
		scene_decide(&s);
		assert_string_equal(fate_of(&s, "a"), personal ? "no-treatment" : "offered");
		assert_string_equal(fate_of(&s, "b"), "offered");
		assert_int_equal(words_personal(s.policy,
				     &candidate_of(&s, "a")->action->treatments[0].headline),
		    personal);
		word = policy_feature(s.policy, "word");
		assert_true(word >= 0);
		s.policy->features[word].personal = true;
	}
}

static void
a_treatment_of_a_placement_is_for_that_alone_and_of_several_one_is_drawn(void **state)
{
	(void)state;
	scene_begin(&s, "{\"placements\":{\"receipt\":{\"slots\":1}}}");
	add_action(&s, "a",
	    "{\"placements\":[\"tablet\",\"receipt\"],\"treatments\":[{\"treatment\":\"r\","
	    "\"language\":\"en\",\"headline\":\"h\","
	    "\"placement\":"
	    "\"receipt\"},{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"h\","
	    "\"placement\":"
	    "\"tablet\"},{\"treatment\":\"any\",\"language\":\"en\",\"headline\":\"h\"}]}");
	scene_decide(&s);
	assert_true(s.decision.slots[0].treatment_p == 0.5);
	assert_string_not_equal(s.decision.slots[0].treatment->name, "r");
	/* Over many visits both, and the one whose number is larger. */
	for (uint32_t i = 0; i < 200; i++) {
		double t, any;

		memcpy(&s.visit.id.b[8], &i, sizeof(i));
		scene_decide(&s);
		t = explore_chance(s.policy, &s.visit.id, PLACE_TABLET, 1, "a", "t");
		any = explore_chance(s.policy, &s.visit.id, PLACE_TABLET, 1, "a", "any");
		assert_string_equal(s.decision.slots[0].treatment->name, t >= any ? "t" : "any");
	}
	/* A card that stays keeps its words. */
	for (int i = 0; i < 2; i++) {
		const char *kept = i == 0 ? "t" : "any";

		s.visit.card_count = 0;
		add_card(s.arena, &s.visit, "a", "g", 1)->treatment = arena_strdup(s.arena, kept);
		scene_decide(&s);
		assert_int_equal(s.decision.slots[0].card, 0);
		assert_string_equal(s.decision.slots[0].treatment->name, kept);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
		T(characters_are_counted_not_bytes),
		T(a_language_speaks_to_the_kinds_of_it),
		T(money_is_written_as_each_language_and_currency_has_it),
		T(numbers_have_two_decimals_at_most_and_halves_go_away_from_zero),
		T(a_text_fits_to_its_last_character),
		T(numbers_and_truths_are_as_long_as_they_are_written),
		T(a_truth_is_written_as_such_and_what_is_nothing_not_at_all),
		T(a_truth_fits_to_its_last_letter),
		T(the_texts_of_a_card_fit_to_the_last_byte),
		T(who_is_not_known_is_spoken_to_in_the_first_language),
		T(reasons_and_steps_need_their_values_and_reasons_only_where_they_are_read),
		T(what_is_personal_is_not_on_a_strangers_screen),
		T(a_treatment_of_a_placement_is_for_that_alone_and_of_several_one_is_drawn),
#undef T
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
