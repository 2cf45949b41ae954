/* SPDX-License-Identifier: Apache-2.0
 *
 * test_record_piece.c - numbers, names and texts of a record, however long, remembered or not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

#include "decide/record_piece.h"
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

static json_t *
record(void)
{
	struct decision_context context = { .station = "7", .trigger = &s.event };
	struct buf out = { 0 };
	json_t *json;

	decision_json(&s.decision, &context, &out);
	json = json_text(out.data);
	buf_done(&out);
	return json;
}

/* The word of the event as the record has it. */
static const char *
recorded(const char *word)
{
	static char text[2000];
	json_t *json;

	scene_data(&s, arena_printf(s.arena, "{\"x\":1,\"word\":\"%s\"}", word));
	scene_decide(&s);
	json = record();
	snprintf(text, sizeof(text), "%s",
	    json_string_value(json_object_get(json_object_get(json, "features"), "word")));
	json_decref(json);
	return text;
}

/* So many of what `one` is in JSON, and what is behind them. */
static const char *
many(const char *one, size_t count, const char *end)
{
	struct buf text = { 0 };
	const char *kept;

	buf_adds(&text, "");
	for (size_t i = 0; i < count; i++)
		buf_adds(&text, one);
	buf_adds(&text, end);
	kept = arena_strdup(s.arena, text.data);
	buf_done(&text);
	return kept;
}

static void
a_text_among_the_features_is_cut_between_characters(void **state)
{
	static const struct {
		const char *json, *text; /* one character */
		size_t bytes;		 /* of it, in the record */
	} cases[] = { { "x", "x", 1 }, { "\\\"", "\"", 2 }, { "\\\\", "\\", 2 },
		{ "\\u001f", "\x1f", 6 }, { "\u00e4", "\u00e4", 2 }, { "\u20ac", "\u20ac", 3 },
		{ "\U0001f600", "\U0001f600", 4 }, { " ", " ", 1 } };

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"suitable\":{\"!=\":[{\"var\":\"word\"},\"else\"]}}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t fit = FEATURE_BYTES_MAX / cases[i].bytes;
		size_t left = FEATURE_BYTES_MAX % cases[i].bytes;

		assert_string_equal(recorded(many(cases[i].json, fit, "")),
		    many(cases[i].text, fit, ""));
		assert_string_equal(recorded(many(cases[i].json, fit, "yyyyyy")),
		    many(cases[i].text, fit, many("y", left, "\u2026")));
		assert_string_equal(recorded(many(cases[i].json, fit + 1, "")),
		    many(cases[i].text, fit, "\u2026"));
	}
}

static void
what_is_remembered_of_any_length_is_what_is_written_anew(void **state)
{
	static const int lengths[] = { 1, 29, 30, 31, 32, 33, 115, 116, 117, 118, 119, 127, 128 };
	static const char *const numbers[] = { "0", "9", "10", "9.5", "-1", "0.1", "1e300",
		"-1.2345678901234567e-300", "1.2345678901234567e-300", "-2.2250738585072014e-308",
		"123456789012345678", "0.30000000000000004" };
	struct decision_context context = { .station = "7", .trigger = &s.event };
	struct draw_cache *cache = draw_cache_new();

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":4}}}");
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		add_action(&s, many("n", (size_t)lengths[i], ""),
		    "{\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"h\"}]"
		    ","
		    "\"suitable\":{\"!=\":[{\"var\":\"x\"},77]}}");
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct buf without = { 0 }, with = { 0 };

		scene_data(&s, arena_printf(s.arena, "{\"x\":%s}", numbers[i]));
		s.input.draws = NULL;
		scene_decide(&s);
		decision_json(&s.decision, &context, &without);
		s.input.draws = cache;
		for (int round = 0; round < 3; round++) {
			buf_clear(&with);
			scene_decide(&s);
			decision_json(&s.decision, &context, &with);
			assert_string_equal(with.data, without.data);
		}
		buf_done(&with);
		buf_done(&without);
	}
	draw_cache_free(cache);
}

static void
counters_are_of_each_slot_and_a_mandatory_card_has_none(void **state)
{
	struct budget_use use = { .action = "b",
		.day_money_minor = 12,
		.day_units = 3,
		.all_money_minor = 99,
		.all_units = 8 };
	json_t *json, *counters;

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":3}}}");
	add_part(s.arena, &s.parts, "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":9,"
	    "\"within\":\"1d\"},{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"dismissed\","
	    "\"max\":9,"
	    "\"within\":\"1d\"}]}");
	add_action(&s, "a", "{\"margin\":500}");
	add_action(&s, "b",
	    OFFER("},\"budget\":{\"units\":1000,\"per\":\"campaign\"},\"margin\":400"));
	add_action(&s, "m",
	    "{\"kind\":\"alert\",\"mandatory\":true,\"propensity\":null,\"incremental\":null,"
	    "\"margin\":null,\"outcome\":null}");
	add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - 3000, "x", "g", "grow", 1);
	s.input.store.uses = &use;
	s.input.store.use_count = 1;
	scene_decide(&s);
	assert_string_equal(slots_of(&s), "m a b");
	json = record();
	counters = json_object_get(json, "counters");
	assert_int_equal(json_object_size(counters), 6);
	assert_int_equal(json_integer_value(json_object_get(counters, "a/contact.caps[0]")), 1);
	assert_int_equal(json_integer_value(json_object_get(counters, "a/contact.caps[1]")), 0);
	assert_int_equal(json_integer_value(json_object_get(counters, "b/contact.caps[0]")), 1);
	assert_int_equal(json_integer_value(json_object_get(counters, "b/budget.money")), 99);
	assert_int_equal(json_integer_value(json_object_get(counters, "b/budget.units")), 8);
	json_decref(json);
	use.action = "else"; /* nothing is spent of b's */
	scene_decide(&s);
	json = record();
	assert_null(json_object_get(json_object_get(json, "counters"), "b/budget.money"));
	json_decref(json);
}

static void
a_slot_says_its_prompt_depth_and_chances_where_it_has_them(void **state)
{
	struct id prompts[3] = { id_of(1), { { 0 } }, id_of(3) };
	struct decision_context context = {
		.station = "7", .trigger = &s.event, .prompts = prompts, .mixed = true
	};
	struct buf out = { 0 };
	const char *slots;

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":3}}}");
	add_action(&s, "a", "{\"margin\":500}");
	add_action(&s, "b", OFFER("},\"margin\":400"));
	scene_decide(&s);
	decision_json(&s.decision, &context, &out);
	assert_non_null(strstr(out.data, "\"mixed\":true,\"trigger\""));
	slots = strstr(out.data, "\"slots\":[");
	assert_non_null(strstr(slots,
	    "[{\"prompt\":\"01000000000000000000000001\",\"placement\":\"tablet\",\"slot\":1,"
	    "\"action\":\"a\","
	    "\"treatment\":\"plain\",\"p_log\":1,\"treatment_p_log\":1,\"shortlist\""));
	assert_non_null(strstr(slots,
	    "},{\"placement\":\"tablet\",\"slot\":2,\"action\":\"b\",\"depth\":10,\"treatment\":"
	    "\"plain\","
	    "\"p_log\":1,\"p_marginal\":1,\"treatment_p_log\":1,\"shortlist\""));
	assert_non_null(strstr(slots,
	    "},{\"prompt\":\"01000000000000000000000003\",\"placement\":\"tablet\",\"slot\":3,"
	    "\"action\":"
	    "\"nothing\",\"treatment\":null,\"p_log\":1,\"shortlist\":[{\"action\":\"nothing\","
	    "\"priority\":3,"
	    "\"p\":1}]}]}"));
	buf_done(&out);
}

static void
what_is_no_number_is_null_and_not_remembered(void **state)
{
	static const double none[] = { INFINITY, -INFINITY, NAN };
	struct number_text known = { .bits = 7 };
	char text[64];

	(void)state;
	scene_begin(&s, "{}");
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		char *end = put_new_number(&known, 1, none[i], text);

		assert_int_equal(end - text, 4);
		assert_memory_equal(text, "null", 4);
		assert_true(known.bits == 7 && known.len == 0);
	}
	assert_int_equal(put_new_number(&known, 1, 0.5, text) - text, 3);
	assert_true(known.bits == 1 && known.len == 3);
	assert_memory_equal(known.text, "0.5", 3);
	assert_int_equal(put_new_number(NULL, 1, 0.25, text) - text, 4);
	assert_memory_equal(text, "0.25", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
		T(what_is_no_number_is_null_and_not_remembered),
		T(a_text_among_the_features_is_cut_between_characters),
		T(what_is_remembered_of_any_length_is_what_is_written_anew),
		T(counters_are_of_each_slot_and_a_mandatory_card_has_none),
		T(a_slot_says_its_prompt_depth_and_chances_where_it_has_them),
#undef T
	};

	return cmocka_run_group_tests_name("record_piece", tests, NULL, NULL);
}
