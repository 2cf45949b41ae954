/* SPDX-License-Identifier: Apache-2.0
 *
 * test_record.c - the Decision object and the prompt object, as others read them.
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

static json_t *
record(const struct decision_context *context)
{
	struct buf out = { 0 };
	json_t *json;

	decision_json(&s.decision, context, &out);
	json = json_text(out.data);
	buf_done(&out);
	return json;
}

static json_t *
prompt_of(size_t slot)
{
	struct id prompt = id_of(77);
	struct buf out = { 0 };
	json_t *json;

	prompt_json(&s.decision, &s.decision.slots[slot], &prompt, &out);
	json = json_text(out.data);
	buf_done(&out);
	return json;
}

static const char *
text(const json_t *json, const char *member)
{
	const char *value = json_string_value(json_object_get(json, member));

	return value != NULL ? value : "(none)";
}

static void
a_decision_is_written_to_the_byte(void **state)
{
	struct arm_choice arm = { "wording", "b" };
	struct id prompts[1] = { id_of(77) }, subject = id_of(9);
	struct decision_context context = { .station = "7",
		.basket = "B1",
		.subject = &subject,
		.trigger = &s.event,
		.prompts = prompts };
	struct buf out = { 0 };

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"eligible\":{\"==\":[{\"var\":\"x\"},1]}}");
	add_action(&s, "b", "{\"eligible\":{\"==\":[{\"var\":\"word\"},\"y\"]}}");
	s.input.arms = &arm;
	s.input.arm_count = 1;
	scene_decide(&s);
	decision_json(&s.decision, &context, &out);
	assert_string_equal(out.data,
	    "{\"decision\":\"0100000000000000000000001A\",\"at\":\"2026-11-21T10:00:00.000Z\","
	    "\"station\":\"7\","
	    "\"basket\":\"B1\",\"subject\":\"01000000000000000000000000000009\","
	    "\"trigger\":{\"source\":\"/store/1/pos/"
	    "7\",\"id\":\"e1\",\"type\":\"aisle.basket.item-added\"},"
	    "\"policy\":{\"name\":\"t\",\"version\":1,\"hash\":\"\"},\"arms\":{\"wording\":\"b\"},"
	    "\"withheld\":null,"
	    "\"semantics\":2,\"features\":{\"x\":1,\"word\":null},"
	    "\"candidates\":[{\"action\":\"a\",\"fate\":\"offered\",\"p1\":0.5,\"p0\":0.25,"
	    "\"margin\":200,\"cost\":0,"
	    "\"gain\":50,\"context\":1,\"lever\":1,\"priority\":50},"
	    "{\"action\":\"b\",\"fate\":\"missing\",\"clause\":\"{\\\"==\\\":[{\\\"var\\\":"
	    "\\\"word\\\"},\\\"y\\\"]}\"}],"
	    "\"fates\":{\"offered\":1,\"missing\":1},"
	    "\"slots\":[{\"prompt\":\"0100000000000000000000002D\",\"placement\":\"tablet\","
	    "\"slot\":1,\"action\":\"a\","
	    "\"treatment\":\"plain\",\"p_log\":1,\"treatment_p_log\":1,"
	    "\"shortlist\":[{\"action\":\"a\",\"priority\":50,\"p\":1},{\"action\":\"nothing\","
	    "\"priority\":3,\"p\":0}]}]}");
	buf_done(&out);
}

static void
a_timer_nothing_and_a_cause_are_written(void **state)
{
	struct decision_context context = { .station = "7", .timer_id = "sweep/1/2" };
	json_t *json, *slot;

	(void)state;
	scene_begin(&s, "{\"quiet\":{\"queue_over\":4},\"interrupt\":100}");
	add_action(&s, "a", "{\"on\":[\"timer\"]}");
	s.input.sources.event = NULL;
	s.input.control = true;
	scene_decide(&s);
	json = record(&context);
	assert_string_equal(text(json_object_get(json, "trigger"), "source"), "timer");
	assert_string_equal(text(json_object_get(json, "trigger"), "id"), "sweep/1/2");
	assert_string_equal(text(json_object_get(json, "trigger"), "type"), "timer");
	assert_string_equal(text(json, "withheld"), "control");
	assert_null(json_object_get(json, "basket"));
	assert_null(json_object_get(json, "subject"));
	slot = json_array_get(json_object_get(json, "slots"), 0);
	assert_string_equal(text(slot, "action"), "nothing");
	assert_null(json_object_get(slot, "prompt"));
	assert_true(json_is_null(json_object_get(slot, "treatment")));
	json_decref(json);
	s.input.sources.has_queue = true;
	s.input.sources.queue = 5;
	scene_decide(&s);
	json = record(&context);
	assert_string_equal(text(json, "cause"), "quiet-queue");
	assert_int_equal(json_array_size(json_object_get(json, "slots")), 0);
	json_decref(json);
}

static void
a_kept_card_is_written_without_p_log(void **state)
{
	struct decision_context context = { .station = "7", .trigger = &s.event };
	struct card *card;
	json_t *json, *slot;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{}");
	card = add_card(s.arena, &s.visit, "gone-from-policy", "g", 1);
	card->state = CARD_ASKED;
	card->answer = ANSWER_ACCEPT;
	card->depth = 10;
	card->treatment = arena_strdup(s.arena, "plain");
	scene_decide(&s);
	json = record(&context);
	slot = json_array_get(json_object_get(json, "slots"), 0);
	assert_string_equal(text(slot, "action"), "gone-from-policy");
	assert_true(json_is_null(json_object_get(slot, "p_log")));
	assert_true(json_is_true(json_object_get(slot, "kept")));
	assert_int_equal(json_integer_value(json_object_get(slot, "depth")), 10);
	json_decref(json);
}

static void
counters_say_what_a_card_was_counted_against(void **state)
{
	struct decision_context context = { .station = "7", .trigger = &s.event };
	struct budget_use use = {
		.action = "a", .day_money_minor = 12, .day_units = 3, .all_money_minor = 99
	};
	json_t *json, *counters;

	(void)state;
	scene_begin(&s, "{}");
	add_part(s.arena, &s.parts, "contact.json",
	    "{\"caps\":[{\"per\":\"customer\",\"scope\":\"all\",\"outcome\":\"shown\",\"max\":9,"
	    "\"within\":\"1d\"}]}");
	add_action(&s, "a",
	    OFFER("},\"budget\":{\"money\":1000,\"per\":\"store-day\"},"
		  "\"caps\":[{\"outcome\":\"shown\",\"max\":3,\"within\":\"7d\"}]"));
	add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - 3000, "a", "g", "grow", 1);
	add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - 2000, "b", "g", "grow", 2);
	s.input.store.uses = &use;
	s.input.store.use_count = 1;
	scene_decide(&s);
	json = record(&context);
	counters = json_object_get(json, "counters");
	assert_int_equal(json_integer_value(json_object_get(counters, "a/caps[0]")), 1);
	assert_int_equal(json_integer_value(json_object_get(counters, "a/contact.caps[0]")), 2);
	assert_int_equal(json_integer_value(json_object_get(counters, "a/budget.money")), 12);
	assert_int_equal(json_integer_value(json_object_get(counters, "a/budget.units")), 3);
	json_decref(json);
}

static void
the_same_input_gives_the_same_bytes(void **state)
{
	struct decision_context context = { .station = "7", .trigger = &s.event };
	struct buf first = { 0 }, second = { 0 };

	(void)state;
	scene_begin(&s,
	    "{\"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":8},\"placements\":{\"tablet\":"
	    "{\"slots\":3}}}");
	for (int i = 0; i < 9; i++)
		add_action(&s, arena_printf(s.arena, "a%d", i),
		    arena_printf(s.arena, "{\"margin\":%d}", 20 + i));
	scene_decide(&s);
	decision_json(&s.decision, &context, &first);
	scene_decide(&s);
	decision_json(&s.decision, &context, &second);
	assert_string_equal(first.data, second.data);
	buf_done(&first);
	buf_done(&second);
}

/* Numbers and texts are remembered from record to record; what contact policy says is of its decision
 * alone, in memory that the next one has again. */
static void
what_is_remembered_changes_no_byte(void **state)
{
	static const char *const data[] = { "{\"x\":1}", "{\"x\":7}", "{\"x\":0.1}", "{\"x\":1}",
		"{}", "{\"x\":-3}" };
	struct decision_context context = { .station = "7", .trigger = &s.event };
	struct draw_cache *cache = draw_cache_new();
	struct arena *turn = arena_new();

	(void)state;
	scene_begin(&s,
	    "{\"explore\":{\"unit\":100,\"cost_max\":2,\"shortlist\":8},\"placements\":{\"tablet\":"
	    "{\"slots\":2}}}");
	add_action(&s, "capped",
	    "{\"caps\":[{\"outcome\":\"shown\",\"max\":1,\"within\":\"7d\"}]}");
	add_action(&s, "ruled",
	    "{\"eligible\":{\">\":[{\"var\":\"x\"},2]},\"margin\":{\"+\":[{\"var\":\"x\"},400.1]}"
	    "}");
	add_action(&s, "said",
	    "{\"suitable\":{\"!=\":[{\"var\":\"word\"},\"a \\\"quoted\\\" word\"]}}");
	for (int i = 0; i < 12; i++)
		add_action(&s, arena_printf(s.arena, "many%02d", i),
		    OFFER(",\"stack\":\"s\"},\"margin\":{\"*\":[{\"var\":\"x\"},33.3]}"));
	for (size_t i = 0; i < ARRAY_LEN(data); i++)
		add_row(s.arena, &s.contacts, OUTCOME_DECIDED, NOW - 30 * D_MS, "capped", "g",
		    "grow", (uint8_t)i);
	scene_decide(&s);
	for (size_t i = 0; i < ARRAY_LEN(data); i++) {
		struct buf with = { 0 }, without = { 0 };

		scene_data(&s, data[i]);
		/* One more row in the window, at the same place of the turn's memory. */
		s.contacts.rows[ARRAY_LEN(data) - 1 - i].at_ms = NOW - H_MS;
		arena_reset(turn);
		s.input.draws = cache;
		decide(turn, &s.input, &s.decision);
		decision_json(&s.decision, &context, &with);
		s.input.draws = NULL;
		decide(turn, &s.input, &s.decision);
		decision_json(&s.decision, &context, &without);
		assert_string_equal(with.data, without.data);
		assert_non_null(strstr(with.data, arena_printf(s.arena, "shown %zu of 1", i + 1)));
		buf_done(&with);
		buf_done(&without);
	}
	draw_cache_free(cache);
	arena_free(turn);
}

static void
above_the_bound_only_what_was_scored_is_recorded_and_the_rest_counted(void **state)
{
	struct decision_context context = { .station = "7", .trigger = &s.event };
	struct fixture_policy *parts = &s.parts;
	struct policy_parts all;
	struct policy_part *part;
	struct buf report = { 0 };
	json_t *json;

	(void)state;
	scene_begin(&s, "{}");
	part = arena_alloc(s.arena, 402 * sizeof(*part));
	for (int i = 0; i < 400; i++) {
		parts->count = 2;
		add_action(&s, arena_printf(s.arena, "a%03d", i),
		    i < 10 ? "{}" : "{\"eligible\":{\"==\":[{\"var\":\"x\"},2]}}");
		part[i + 2] = parts->part[2];
	}
	memcpy(part, parts->part, 2 * sizeof(*part));
	all = (struct policy_parts){ .part = part, .count = 402 };
	assert_int_equal(policy_compile(&all, &s.policy, &report), 0);
	scene_decide(&s);
	json = record(&context);
	assert_int_equal(json_array_size(json_object_get(json, "candidates")), 10);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "fates"),
			     "eligibility")),
	    390);
	json_decref(json);
	scene_data(&s, "{\"x\":2}");
	scene_decide(&s);
	json = record(&context);
	assert_int_equal(json_array_size(json_object_get(json, "candidates")),
	    CANDIDATES_RECORDED_MAX);
	json_decref(json);
	buf_done(&report);
}

/* A draw for forty slots has more in sight than a record holds; what was chosen is in it all the same. */
static void
a_record_of_candidates_ends_at_its_bytes_but_for_what_was_chosen(void **state)
{
	enum { MANY = 6000 };
	struct decision_context context = { .station = "7", .trigger = &s.event };
	struct action named;
	struct candidate *list;
	struct buf out = { 0 };
	size_t count, begin;
	json_t *whole, *json;
	char id[129];

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{}");
	scene_decide(&s);
	named = *s.decision.candidates[0].action;
	memset(id, 'n', 128);
	id[128] = '\0';
	named.id = id;
	list = arena_alloc(s.arena, MANY * sizeof(*list));
	for (size_t i = 0; i < MANY; i++) {
		list[i] = s.decision.candidates[0];
		list[i].action = &named;
		list[i].fate = FATE_NOT_DRAWN;
	}
	list[MANY - 3].fate = FATE_OFFERED;
	list[MANY - 2].fate = FATE_WITHHELD;
	s.decision.candidates = list;
	s.decision.candidate_count = MANY;
	s.decision.slot_count = 0;
	decision_json(&s.decision, &context, &out);
	whole = json_text(out.data);
	json = json_object_get(whole, "candidates");
	count = json_array_size(json);
	assert_true(count > 4 && count < MANY);
	begin = (size_t)(strstr(out.data, ",\"candidates\"") - out.data);
	assert_true(out.len - begin > CANDIDATE_BYTES_MAX);
	assert_true(out.len - begin < CANDIDATE_BYTES_MAX + 4096);
	assert_string_equal(text(json_array_get(json, count - 1), "fate"), "withheld");
	assert_string_equal(text(json_array_get(json, count - 2), "fate"), "offered");
	assert_string_equal(text(json_array_get(json, count - 3), "fate"), "not-drawn");
	json_decref(whole);
	buf_done(&out);
}

static void
a_prompt_says_what_it_is_and_why(void **state)
{
	json_t *json, *offer;

	(void)state;
	scene_begin(&s, "{\"placements\":{\"tablet\":{\"slots\":1,\"headline_max\":48}}}");
	add_part(s.arena, &s.parts, "images/cup.jpg",
	    "\xff\xd8\xff\xc0\x01\x01\x08\x01\x01\x01\x02");
	add_action(&s, "a",
	    OFFER(",\"include\":{\"category\":\"grocery/coffee\"},\"min_basket\":100},"
		  "\"treatments\":[{\"treatment\":\"plain\",\"language\":\"en\",\"headline\":\"{{"
		  "depth}} % off, {{worth|money}} today\","
		  "\"say\":\"Hi {{word}}\",\"body\":\"{{queue|round|default:}}\",\"why\":[\"x is "
		  "{{x}}\",\"{{x|round}}\"],"
		  "\"steps\":[\"Scan\"],\"image\":\"cup.jpg\",\"disclosure\":\"Paid by acme\"}]"));
	add_line(s.arena, &s.visit, "y", 1000, 1000);
	scene_data(&s, "{\"x\":1.5,\"word\":\"\\\"Ann\\\"\"}");
	scene_decide(&s);
	json = prompt_of(0);
	assert_string_equal(text(json, "prompt"), "0100000000000000000000002D");
	assert_string_equal(text(json, "action"), "a");
	assert_string_equal(text(json, "treatment"), "plain");
	assert_string_equal(text(json, "kind"), "offer");
	assert_string_equal(text(json, "language"), "en");
	assert_null(json_object_get(json, "mandatory"));
	assert_string_equal(text(json, "headline"), "10 % off, \u20ac0.45 today");
	assert_string_equal(text(json, "say"), "Hi \"Ann\"");
	assert_null(json_object_get(json, "body")); /* filled with nothing */
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "why"), 0)),
	    "x is 1.5");
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "why"), 1)),
	    "2");
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "steps"), 0)),
	    "Scan");
	assert_string_equal(text(json, "image"),
	    "/v1/images/f2256fb8b0b7b97f22a3a160bb909b8d7d1595e24658b0937d230a5f2a8cddb0");
	assert_string_equal(text(json, "disclosure"), "Paid by acme");
	assert_string_equal(text(json, "gate"), "associate");
	assert_true(json_number_value(json_object_get(json, "confidence")) == 0.5);
	assert_null(json_object_get(json, "alternatives"));
	assert_null(json_object_get(json, "state"));
	offer = json_object_get(json, "offer");
	assert_string_equal(text(offer, "type"), "percent");
	assert_int_equal(json_integer_value(json_object_get(offer, "worth")), 45);
	assert_int_equal(json_integer_value(json_object_get(offer, "depth")), 10);
	assert_string_equal(text(offer, "currency"), "EUR");
	assert_string_equal(text(offer, "apply"), "till-code");
	assert_string_equal(text(json_object_get(offer, "include"), "category"), "grocery/coffee");
	assert_true(json_is_array(json_object_get(offer, "exclude")));
	json_decref(json);
}

static void
alternatives_are_what_the_gates_passed(void **state)
{
	json_t *json, *others;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"margin\":500}");
	add_action(&s, "b", "{\"margin\":400}");
	add_action(&s, "c", "{\"margin\":300,\"gate\":\"manager\"}");
	add_action(&s, "d", "{\"margin\":200}");
	add_action(&s, "e", "{\"margin\":450,\"eligible\":{\"==\":[{\"var\":\"x\"},2]}}");
	scene_decide(&s);
	json = prompt_of(0);
	others = json_object_get(json, "alternatives");
	assert_int_equal(json_array_size(others), 2);
	assert_string_equal(text(json_array_get(others, 0), "action"), "b");
	assert_string_equal(text(json_array_get(others, 0), "headline"), "Do b");
	assert_null(json_object_get(json_array_get(others, 0), "gate"));
	assert_string_equal(text(json_array_get(others, 1), "action"), "c");
	assert_string_equal(text(json_array_get(others, 1), "gate"), "manager");
	json_decref(json);
}

static void
a_card_that_must_be_seen_says_so(void **state)
{
	json_t *json;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a", "{\"mandatory\":true}");
	scene_decide(&s);
	json = prompt_of(0);
	assert_true(json_is_true(json_object_get(json, "mandatory")));
	json_decref(json);
}

static void
a_smaller_depth_is_an_alternative(void **state)
{
	json_t *json, *others;

	(void)state;
	scene_begin(&s, "{}");
	add_action(&s, "a",
	    "{" OFFER_MEMBERS
	    ",\"offer\":{\"type\":\"amount\",\"ladder\":[50,100,180],\"apply\":\"lines\"},"
	    "\"margin\":500,\"incremental\":1,\"propensity\":{\"if\":[{\"==\":[{\"var\":\"d\"},100]"
	    "},0.9,0.1]},"
	    "\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"{{depth|money}"
	    "} off, saves {{worth|money}}\"}]}");
	scene_decide(&s);
	json = prompt_of(0);
	others = json_object_get(json, "alternatives");
	assert_int_equal(json_array_size(others), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(others, 0), "depth")),
	    50);
	assert_string_equal(text(json_array_get(others, 0), "headline"),
	    "\u20ac0.50 off, saves \u20ac0.50");
	json_decref(json);
}

static void
money_is_written_in_the_way_of_the_language(void **state)
{
	static const struct {
		int64_t minor;
		const char *currency;
		int digits;
		const char *language, *text;
	} cases[] = {
		{ 450, "EUR", 2, "en", "\u20ac4.50" },
		{ 450, "EUR", 2, "de", "4,50 \u20ac" },
		{ 5, "USD", 2, "en-US", "$0.05" },
		{ -1234, "GBP", 2, "en", "-\u00a312.34" },
		{ 450, "JPY", 0, "ja", "\u00a5450" },
		{ 1001, "CHF", 2, "de-CH", "10,01 CHF" },
		{ 1001, "KWD", 3, "en", "1.001 KWD" },
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

static void
a_strangers_screen_shows_no_why_and_no_alternatives(void **state)
{
	json_t *json;

	(void)state;
	scene_begin(&s, "{\"placements\":{\"customer\":{\"slots\":1}}}");
	add_action(&s, "a",
	    "{\"placements\":[\"customer\"],\"gate\":\"customer\",\"treatments\":[{\"treatment\":"
	    "\"t\","
	    "\"language\":\"en\",\"headline\":\"Hello\",\"why\":[\"You are here\"]}]}");
	add_action(&s, "b", "{\"placements\":[\"customer\"],\"gate\":\"customer\"}");
	scene_decide(&s);
	json = prompt_of(0);
	assert_int_equal(json_array_size(json_object_get(json, "why")), 0);
	assert_null(json_object_get(json, "alternatives"));
	assert_string_equal(text(json, "placement"), "customer");
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_teardown(name, teardown)
		T(a_decision_is_written_to_the_byte),
		T(a_timer_nothing_and_a_cause_are_written),
		T(a_kept_card_is_written_without_p_log),
		T(counters_say_what_a_card_was_counted_against),
		T(the_same_input_gives_the_same_bytes),
		T(what_is_remembered_changes_no_byte),
		T(above_the_bound_only_what_was_scored_is_recorded_and_the_rest_counted),
		T(a_record_of_candidates_ends_at_its_bytes_but_for_what_was_chosen),
		T(a_prompt_says_what_it_is_and_why),
		T(alternatives_are_what_the_gates_passed),
		T(a_card_that_must_be_seen_says_so),
		T(a_smaller_depth_is_an_alternative),
		T(money_is_written_in_the_way_of_the_language),
		T(a_strangers_screen_shows_no_why_and_no_alternatives),
#undef T
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
