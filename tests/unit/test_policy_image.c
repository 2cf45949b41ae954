/* SPDX-License-Identifier: Apache-2.0
 *
 * test_policy_image.c - a policy as bytes is the same policy at another address.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "logic/logic.h"
#include "policy/policy_image.h"
#include "policy_fixture.h"
#include "score/model.h"

struct image {
	struct buf memory, rest;
};

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

static void
image_make(struct fixture *fixture, struct image *image)
{
	struct policy *a = compiled(fixture), *b = compiled(fixture);
	struct err err = { 0 };

	*image = (struct image){ 0 };
	if (policy_image_write(a, b, &image->memory, &image->rest, &err) != 0)
		fail_msg("%s", err.text);
	policy_free(a);
	policy_free(b);
}

static int
image_read(const struct image *image, size_t rest_len, struct policy **ret, struct err *err)
{
	struct arena *arena = arena_new();
	void *memory = arena_room(arena, image->memory.len);

	memcpy(memory, image->memory.data, image->memory.len);
	return policy_image_read(arena, memory, image->memory.len, image->rest.data, rest_len, ret,
	    err);
}

static void
image_done(struct image *image)
{
	buf_done(&image->memory);
	buf_done(&image->rest);
}

static struct policy *
through_an_image(struct fixture *fixture)
{
	struct image image;
	struct policy *policy = NULL;
	struct err err = { 0 };

	image_make(fixture, &image);
	if (image_read(&image, image.rest.len, &policy, &err) != 0)
		fail_msg("%s", err.text);
	image_done(&image);
	return policy;
}

static void
assert_same_text(const char *a, const char *b)
{
	assert_true((a == NULL) == (b == NULL));
	if (a != NULL)
		assert_string_equal(a, b);
}

static void
a_policy_says_the_same_after_it_was_an_image(void **state)
{
	struct fixture fixture;
	struct policy *policy, *again;
	int reasons = 0;

	(void)state;
	fixture_init(&fixture);
	policy = compiled(&fixture);
	again = through_an_image(&fixture);
	assert_null(again->source);
	assert_string_equal(again->name, policy->name);
	assert_string_equal(again->languages[1], policy->languages[1]);
	assert_int_equal(again->feature_count, policy->feature_count);
	for (size_t i = 0; i < policy->feature_count; i++) {
		assert_string_equal(again->features[i].name, policy->features[i].name);
		assert_same_text(again->features[i].dflt.str, policy->features[i].dflt.str);
		assert_same_text(again->features[i].key_value, policy->features[i].key_value);
		assert_same_text(again->features[i].scope_value, policy->features[i].scope_value);
		assert_true((again->features[i].reasons == NULL) ==
		    (policy->features[i].reasons == NULL));
		reasons += policy->features[i].reasons != NULL;
		if (policy->features[i].reasons != NULL)
			assert_string_equal(again->features[i].reasons[1].parts[0].text,
			    policy->features[i].reasons[1].parts[0].text);
	}
	assert_int_equal(reasons, 1);
	assert_int_equal(again->clause_count, policy->clause_count);
	for (size_t i = 0; i < policy->clause_count; i++)
		assert_string_equal(again->clauses[i].source, policy->clauses[i].source);
	assert_int_equal(again->action_count, policy->action_count);
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *a = &policy->actions[i], *b = policy_action(again, a->id);

		assert_non_null(b);
		assert_string_equal(a->group, b->group);
		assert_same_text(a->offer.stack, b->offer.stack);
		assert_int_equal(a->treatment_count, b->treatment_count);
		assert_string_equal(a->treatments[0].headline.parts[0].text,
		    b->treatments[0].headline.parts[0].text);
	}
	assert_string_equal(policy_zone(again, "Europe/Berlin"),
	    policy_zone(policy, "Europe/Berlin"));
	assert_string_equal(again->experiments[0].arms[1].patch,
	    policy->experiments[0].arms[1].patch);
	policy_free(policy);
	policy_free(again);
	fixture_done(&fixture);
}

static struct value
two(void *ctx, unsigned slot)
{
	(void)ctx;
	(void)slot;
	return value_number(2);
}

/* The rules run, and the models score, calibrated. */
static void
rules_and_models_of_an_image_give_the_same(void **state)
{
	struct fixture fixture;
	struct policy *policy, *again;
	struct arena *arena = arena_new();
	struct value inputs[2] = { value_number(2), value_number(4) };

	(void)state;
	fixture_init(&fixture);
	policy = compiled(&fixture);
	again = through_an_image(&fixture);
	for (size_t i = 0; i < policy->clause_count; i++) {
		const struct logic *first = policy->clauses[i].program,
				   *second = again->clauses[i].program;
		struct value a, b;
		enum logic_result x = logic_run(first, two, NULL, arena, &a, NULL),
				  y = logic_run(second, two, NULL, arena, &b, NULL);

		assert_int_equal(x, y);
		if (x == LOGIC_OK)
			assert_int_equal(logic_truthy(&a), logic_truthy(&b));
	}
	assert_true(model_score(policy->models[0].model, inputs) ==
	    model_score(again->models[0].model, inputs));
	arena_free(arena);
	policy_free(policy);
	policy_free(again);
	fixture_done(&fixture);
}

static void
an_arm_of_an_image_is_compiled_from_the_parts(void **state)
{
	struct fixture fixture;
	struct policy *again, *patched = NULL;
	const char *patches[1];
	struct err err = { 0 };

	(void)state;
	fixture_init(&fixture);
	again = through_an_image(&fixture);
	patches[0] = again->experiments[0].arms[1].patch;
	assert_int_equal(policy_patched(again, &fixture.parts, patches, 1, &patched, &err), 0);
	policy_free(again);
	assert_true(patched->interrupt.constant == 6);
	assert_int_equal(policy_action(patched, "coffee-off")->offer.ladder[0], 10);
	policy_free(patched);
	fixture_done(&fixture);
}

static void
a_policy_that_points_out_of_its_memory_has_no_image(void **state)
{
	struct fixture fixture;
	struct policy *a, *b;
	struct buf memory = { 0 }, rest = { 0 };
	struct err err = { 0 };
	char here[] = "tier", there[] = "tier";

	(void)state;
	fixture_init(&fixture);
	a = compiled(&fixture);
	b = compiled(&fixture);
	a->features[0].name = here;
	b->features[0].name = there;
	assert_int_equal(policy_image_write(a, b, &memory, &rest, &err), AISLE_E_INVALID);
	if (UINTPTR_MAX > UINT32_MAX) {
		a->features[0].name = b->features[0].name = placement_names[0];
		assert_int_equal(policy_image_write(a, b, &memory, &rest, &err), AISLE_E_INVALID);
	}
	assert_int_equal(memory.len, 0);
	policy_free(a);
	policy_free(b);
	fixture_done(&fixture);
}

static void
an_image_that_is_cut_short_is_refused(void **state)
{
	struct fixture fixture;
	struct image image;
	struct policy *policy = NULL;

	(void)state;
	fixture_init(&fixture);
	image_make(&fixture, &image);
	for (size_t len = 0; len < image.rest.len; len += 7) {
		struct err err = { 0 };

		assert_int_not_equal(image_read(&image, len, &policy, &err), 0);
		assert_null(policy);
	}
	image_done(&image);
	fixture_done(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_says_the_same_after_it_was_an_image),
		cmocka_unit_test(rules_and_models_of_an_image_give_the_same),
		cmocka_unit_test(an_arm_of_an_image_is_compiled_from_the_parts),
		cmocka_unit_test(a_policy_that_points_out_of_its_memory_has_no_image),
		cmocka_unit_test(an_image_that_is_cut_short_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
