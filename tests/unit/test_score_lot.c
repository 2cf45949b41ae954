/* SPDX-License-Identifier: Apache-2.0
 *
 * test_score_lot.c - many candidates scored at once have the bits of each scored alone.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "policy/policy_image.h"
#include "decide/run.h"
#include "score/model.h"

#include "decide_forest.h"

#define INPUTS 20

/* What the candidates of a scene have for a chance, and so on. */
struct wish {
	const char *policy;	   /* patch */
	const char *members;	   /* of each action */
	const char *more_features; /* after f0, f1, … */
	const char *models;
	int ladders; /* the last so many actions have one */
};

#define MODEL(name) "{\"model\":\"" name "\",\"file\":\"" name ".json\""
#define TWO_MODELS "{\"models\":[" MODEL("m") "}," MODEL("other") "}]}"
#define BY_MODEL "\"propensity\":\"m\",\"incremental\":0.9"

static void
replace_features(struct scene *s, const char *more)
{
	const char *text = forest_features(s->arena, INPUTS);

	text = arena_printf(s->arena, "%.*s%s]}", (int)strlen(text) - 2, text, more);
	s->parts.part[1].bytes = text;
	s->parts.part[1].len = strlen(text);
}

static void
begin(struct scene *s, const struct wish *wish, uint32_t seed)
{
	scene_begin(s,
	    wish->policy != NULL ? wish->policy : "{\"placements\":{\"tablet\":{\"slots\":2}}}");
	replace_features(s, wish->more_features != NULL ? wish->more_features : "");
	add_part(s->arena, &s->parts, "models/models.json",
	    wish->models != NULL ? wish->models : TWO_MODELS);
	add_part(s->arena, &s->parts, "models/m.json", forest_model(s->arena, 30, 5, INPUTS, seed));
	add_part(s->arena, &s->parts, "models/other.json",
	    forest_model(s->arena, 20, 4, INPUTS, seed + 1));
	scene_data(s, forest_event(s->arena, INPUTS, 1, seed));
	for (int i = 0; i < 5; i++)
		add_line(s->arena, &s->visit, arena_printf(s->arena, "c%d/sub", i), 1000,
		    900 + 100 * i);
	for (int i = 0; i < 8; i++)
		add_row(s->arena, &s->subject.contacts,
		    i % 2 == 0 ? OUTCOME_SHOWN : OUTCOME_DISMISSED, NOW - (i * 9 + 1) * H_MS,
		    arena_printf(s->arena, "a%04d", 3 * i), "g", "i", (uint8_t)(i + 20));
}

/* Their offers differ in depth, and so in what they are worth. */
static void
add_actions(struct scene *s, const struct wish *wish, int count)
{
	for (int i = 0; i < count; i++)
		add_action(s, arena_printf(s->arena, "a%04d", i),
		    arena_printf(s->arena,
			"{" OFFER_MEMBERS ",\"group\":\"g%d\",%s,"
			"\"offer\":{\"type\":\"percent\",\"%s\":%s,\"funded\":0.97,\"funder\":"
			"\"x\",\"typical\":450,\"max\":300,\"apply\":\"till-code\","
			"\"until\":\"0d\",\"include\":{\"category\":\"c%d\"}}}",
			i % 3, wish->members != NULL ? wish->members : BY_MODEL,
			i >= count - wish->ladders ? "ladder" : "depth",
			i >= count - wish->ladders
			    ? arena_printf(s->arena, "[%d,%d,%d]", 4 + i % 3, 7, 8 + i % 5)
			    : arena_printf(s->arena, "%d", 3 + i % 15),
			i % 7));
}

/* A score by model_score alone, over features that nobody expects. */
static double
score_alone(struct scene *s, unsigned model, const struct candidate *candidate)
{
	const struct policy_model *m = &s->policy->models[model];
	struct features *features = features_new(s->arena, &s->input.sources);
	struct candidate_context about = { .action = candidate->action,
		.depth = candidate->depth,
		.worth_minor = (double)candidate->worth_minor,
		.margin_minor = candidate->margin };
	struct value inputs[INPUTS + 8];

	assert_true(m->input_count <= ARRAY_LEN(inputs));
	for (size_t i = 0; i < m->input_count; i++)
		inputs[i] = features_get(features, m->inputs[i], &about);
	return model_score(m->model, inputs);
}

static void
expect_bits(double have, double want, const char *id)
{
	if (memcmp(&have, &want, sizeof(have)) != 0)
		fail_msg("%s: %.17g, expected %.17g", id, have, want);
}

static size_t
expect_chances(struct scene *s)
{
	size_t scored = 0;

	for (size_t i = 0; i < s->decision.candidate_count; i++) {
		const struct candidate *candidate = &s->decision.candidates[i];

		if (!candidate->scored)
			continue;
		expect_bits(candidate->p1, score_alone(s, 0, candidate), candidate->action->id);
		scored++;
	}
	return scored;
}

static size_t
distinct_chances(const struct scene *s)
{
	size_t distinct = 0;

	for (size_t i = 0; i < s->decision.candidate_count; i++) {
		size_t j = 0;

		while (j < i && s->decision.candidates[j].p1 != s->decision.candidates[i].p1)
			j++;
		distinct += j == i;
	}
	return distinct;
}

static void
few_and_many_candidates_have_the_chance_that_each_has_alone(void **state)
{
	static const int counts[] = { 1, 2, 10, 11, 12, 13, 16, 17, 45 };

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(counts); c++) {
		struct wish wish = { .ladders = 0 };
		struct scene s;

		begin(&s, &wish, (uint32_t)c + 1);
		add_actions(&s, &wish, counts[c]);
		scene_decide(&s);
		assert_int_equal(expect_chances(&s), counts[c]);
		assert_true(counts[c] < 10 || distinct_chances(&s) > 4);
		scene_end(&s);
	}
}

/* 11, 12 and 13 depths in all, and many. */
static void
each_depth_of_a_ladder_is_scored_for_itself(void **state)
{
	static const struct {
		int actions, ladders;
	} cases[] = { { 9, 1 }, { 10, 1 }, { 11, 1 }, { 4, 4 }, { 20, 20 }, { 40, 11 } };
	struct wish wish = { 0 };

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		struct scene s;
		int deeper = 0;

		wish.ladders = cases[c].ladders;
		begin(&s, &wish, 40 + (uint32_t)c);
		add_actions(&s, &wish, cases[c].actions);
		scene_decide(&s);
		assert_int_equal(expect_chances(&s), cases[c].actions);
		for (size_t i = 0; i < s.decision.candidate_count; i++) {
			const struct candidate *best = &s.decision.candidates[i];
			struct candidate other = *best;

			/* No other depth of its ladder gains more, scored alone. */
			for (size_t d = 0; d < best->action->offer.ladder_count; d++) {
				struct offer_value value = offer_value(&best->action->offer,
				    best->action->offer.ladder[d], s.decision.basis);
				double p;

				other.depth = best->action->offer.ladder[d];
				other.worth_minor = value.worth_minor;
				p = score_alone(&s, 0, &other);
				assert_true(gain_of(p, (1.0 - 0.9) * p, best->margin,
						value.cost_minor) <= best->gain + 1e-9);
			}
			deeper += best->action->offer.ladder_count > 1 &&
			    best->depth > best->action->offer.ladder[0];
		}
		assert_true(c < 4 || deeper > 0);
		scene_end(&s);
	}
}

static void
more_depths_than_a_lot_holds_are_scored_in_several(void **state)
{
	struct wish wish = { .members = NULL };
	struct scene s;
	int actions = 70;

	(void)state;
	begin(&s, &wish, 71);
	for (int i = 0; i < actions; i++)
		add_action(&s, arena_printf(s.arena, "a%04d", i),
		    arena_printf(s.arena,
			"{" OFFER_MEMBERS "," BY_MODEL ",\"offer\":{\"type\":\"percent\","
			"\"ladder\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,%d],\"typical\":%d,"
			"\"max\":300,"
			"\"apply\":\"till-code\",\"until\":\"0d\"}}",
			16 + i % 9, 300 + 10 * i));
	scene_decide(&s);
	assert_int_equal(expect_chances(&s), actions);
	scene_end(&s);
}

/* ---- who else may ask a model ---- */

#define CHANCE ",{\"name\":\"chance\",\"type\":\"number\",\"from\":\"model.m\"}"

static void
a_rule_over_a_score_has_the_score_of_its_candidate(void **state)
{
	struct wish wish = { .more_features = CHANCE,
		.members = "\"propensity\":{\"*\":[{\"var\":\"chance\"},0.5]},"
			   "\"context\":{\"+\":[{\"var\":\"chance\"},1]},\"lever\":{\"+\":[{"
			   "\"var\":\"chance\"},2]}" };
	struct scene s;

	(void)state;
	begin(&s, &wish, 3);
	add_actions(&s, &wish, 30);
	scene_decide(&s);
	for (size_t i = 0; i < s.decision.candidate_count; i++) {
		const struct candidate *candidate = &s.decision.candidates[i];
		double score = score_alone(&s, 0, candidate);

		assert_true(candidate->scored);
		expect_bits(candidate->p1, score * 0.5, "p1");
		expect_bits(candidate->context, score + 1, "context");
		expect_bits(candidate->lever, score + 2, "lever");
	}
	assert_true(distinct_chances(&s) > 4);
	scene_end(&s);
}

static void
a_margin_that_a_model_says_is_known_before_the_chance_is_asked(void **state)
{
	struct wish wish = { .members = BY_MODEL ",\"margin\":\"other\"", .ladders = 5 };
	struct scene s;

	(void)state;
	begin(&s, &wish, 4);
	add_actions(&s, &wish, 30);
	scene_decide(&s);
	assert_int_equal(expect_chances(&s), 30);
	for (size_t i = 0; i < s.decision.candidate_count; i++) {
		struct candidate before = s.decision.candidates[i];

		before.margin = 0;
		expect_bits(s.decision.candidates[i].margin, score_alone(&s, 1, &before), "margin");
	}
	scene_end(&s);
}

static void
both_models_of_an_uplift_pair_and_a_model_over_a_model_score_at_once(void **state)
{
	struct wish wish = { .more_features = CHANCE,
		.models = "{\"models\":[" MODEL("m") "}," MODEL("other") ",\"inputs\":{\"f0\":"
									 "\"chance\"}}]}",
		.members = "\"propensity\":null,\"incremental\":null,\"uplift\":{\"treated\":\"m\","
			   "\"control\":\"other\"}" };
	struct scene s;

	(void)state;
	begin(&s, &wish, 5);
	add_actions(&s, &wish, 25);
	scene_decide(&s);
	assert_int_equal(expect_chances(&s), 25);
	assert_true(s.policy->models[0].reads == 1 && s.policy->models[1].reads == 3);
	assert_true(s.policy->actions[0].factors_ask == 3 && s.policy->actions[0].margin_asks == 0);
	for (size_t i = 0; i < s.decision.candidate_count; i++)
		expect_bits(s.decision.candidates[i].p0,
		    score_alone(&s, 1, &s.decision.candidates[i]), "p0");
	scene_end(&s);
}

/* The place alone says whose score it is: those that were expected are not scored again. */
static void
whoever_was_expected_finds_the_score_of_its_place(void **state)
{
	struct wish wish = { .members = NULL };
	struct expected expected[14];
	struct features *features;
	struct scene s;
	double first;

	(void)state;
	begin(&s, &wish, 11);
	add_actions(&s, &wish, 14);
	scene_decide(&s);
	for (uint32_t i = 0; i < 14; i++)
		expected[i] =
		    (struct expected){ .about = { .action = s.decision.candidates[i].action,
					   .depth = 3 + i,
					   .worth_minor = 10 * i,
					   .margin_minor = 200,
					   .expected = i + 1 },
			    .models = i == 5 ? 0 : 1 };
	features = features_new(s.arena, &s.input.sources);
	features_expect(features, expected, 14);
	for (unsigned i = 0; i < 14; i++) {
		struct candidate_context alone = expected[i].about,
					 other = expected[(i + 1) % 14].about;

		alone.expected = 0;
		first = features_model(features, 0, &alone).number;
		expect_bits(features_model(features, 0, &expected[i].about).number, first,
		    "expected");
		other.expected = i + 1;
		assert_true(i == 5 || features_model(features, 0, &other).number == first);
	}
	assert_true(features_model(features, 0, &expected[13].about).number !=
	    features_model(features, 0, &expected[0].about).number);
	features_expect(features, NULL, 0);
	assert_true(features_model(features, 0, &expected[13].about).tag == VALUE_NUMBER);
	scene_end(&s);
}

/* What the record says was read is what the candidates asked for. */
static void
a_model_that_no_expression_comes_to_is_not_read(void **state)
{
	struct wish wish = {
		.more_features = CHANCE,
		.members =
		    "\"propensity\":{\"if\":[{\">\":[{\"var\":\"x\"},5]},{\"var\":\"chance\"},0.5]}"
	};

	(void)state;
	for (int x = 5; x <= 6; x++) {
		struct scene s;
		int shared;

		begin(&s, &wish, 6);
		scene_data(&s, forest_event(s.arena, INPUTS, x, 6));
		add_actions(&s, &wish, 25);
		scene_decide(&s);
		shared = policy_feature(s.policy, "f0");
		assert_true(features_was_read(s.decision.features, (unsigned)shared) == (x > 5));
		for (size_t i = 0; x > 5 && i < s.decision.candidate_count; i++)
			expect_bits(s.decision.candidates[i].p1,
			    score_alone(&s, 0, &s.decision.candidates[i]), "p1");
		scene_end(&s);
	}
}

/* ---- placements, decisions, images ---- */

static void
candidates_of_a_later_placement_are_scored_in_the_same_context(void **state)
{
	struct wish first = {
		.policy = "{\"placements\":{\"tablet\":{\"slots\":1},\"receipt\":{\"slots\":1}}}"
	};
	struct scene s;

	(void)state;
	begin(&s, &first, 8);
	for (int i = 0; i < 40; i++)
		add_action(&s, arena_printf(s.arena, "a%04d", i),
		    arena_printf(s.arena,
			"{" OFFER_MEMBERS "," BY_MODEL ",\"placements\":[\"%s\"],"
			"\"offer\":{\"type\":\"percent\",\"depth\":%d,\"typical\":450,\"max\":300,"
			"\"apply\":\"till-code\",\"until\":\"0d\"}}",
			i % 2 == 0 ? "tablet" : "receipt", 2 + i % 14));
	scene_decide(&s);
	assert_int_equal(expect_chances(&s), 40);
	scene_end(&s);
}

static void
the_next_decision_begins_anew(void **state)
{
	struct wish wish = { .ladders = 3 };
	struct scene s;

	(void)state;
	begin(&s, &wish, 9);
	add_actions(&s, &wish, 30);
	for (uint32_t round = 0; round < 4; round++) {
		scene_data(&s, forest_event(s.arena, INPUTS, 1, 90 + round));
		scene_decide(&s);
		assert_int_equal(expect_chances(&s), 30);
	}
	scene_end(&s);
}

static struct policy *
through_an_image(struct scene *s)
{
	struct policy *a = compile_parts(&s->parts), *b = compile_parts(&s->parts), *again = NULL;
	struct buf memory = { 0 }, rest = { 0 };
	struct arena *arena = arena_new();
	struct err err = { 0 };
	void *row;

	assert_int_equal(policy_image_write(a, b, &memory, &rest, &err), 0);
	row = arena_alloc(arena, memory.len);
	memcpy(row, memory.data, memory.len);
	assert_int_equal(policy_image_read(arena, row, memory.len, rest.data, rest.len, &again,
			     &err),
	    0);
	buf_done(&memory);
	buf_done(&rest);
	policy_free(a);
	policy_free(b);
	return again;
}

static void
a_policy_from_an_image_scores_at_once_too(void **state)
{
	struct wish wish = { .ladders = 3 };
	struct scene s;

	(void)state;
	begin(&s, &wish, 10);
	add_actions(&s, &wish, 30);
	s.policy = through_an_image(&s);
	assert_non_null(s.policy->models[0].context);
	scene_decide(&s);
	assert_int_equal(expect_chances(&s), 30);
	scene_end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_and_many_candidates_have_the_chance_that_each_has_alone),
		cmocka_unit_test(each_depth_of_a_ladder_is_scored_for_itself),
		cmocka_unit_test(more_depths_than_a_lot_holds_are_scored_in_several),
		cmocka_unit_test(a_rule_over_a_score_has_the_score_of_its_candidate),
		cmocka_unit_test(a_margin_that_a_model_says_is_known_before_the_chance_is_asked),
		cmocka_unit_test(
		    both_models_of_an_uplift_pair_and_a_model_over_a_model_score_at_once),
		cmocka_unit_test(whoever_was_expected_finds_the_score_of_its_place),
		cmocka_unit_test(a_model_that_no_expression_comes_to_is_not_read),
		cmocka_unit_test(candidates_of_a_later_placement_are_scored_in_the_same_context),
		cmocka_unit_test(the_next_decision_begins_anew),
		cmocka_unit_test(a_policy_from_an_image_scores_at_once_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
