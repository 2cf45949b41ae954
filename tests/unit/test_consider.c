/* SPDX-License-Identifier: Apache-2.0
 *
 * test_consider.c - what another policy would have drawn is asked once a visit, and nothing follows from it.
 */
#include "spine_story.h"

#include "learn/cells.h"

static int asked, learned, cards;

static void
on_draws(void *ctx, const struct decision *made, const struct decision *other)
{
	(void)ctx;
	assert_non_null(made->input->learned);
	asked++;
	learned += other->input->learned != NULL;
	cards = 0;
	for (size_t i = 0; i < other->slot_count; i++)
		cards += other->slots[i].candidate >= 0;
}

/* A bundle of that name in force, of whose chances the store has learned. */
static void
know(const char *hash)
{
	snprintf(engine->policy->hash, sizeof(engine->policy->hash), "%s", hash);
	snprintf(engine->learner.bundle, sizeof(engine->learner.bundle), "%s", hash);
	engine->learner.cells.kappa = LEARNER_20;
}

static void
another_policy_is_asked_at_a_visits_first_draw_and_knows_nothing_of_what_was_learned(void **state)
{
	struct policy *other;

	(void)state;
	asked = learned = 0;
	a_policy("{}");
	an_action("a", "{}");
	an_action("b", "{}");
	other = compile_parts(&parts);
	snprintf(other->hash, sizeof(other->hash), "another");
	memset(&parts, 0, sizeof(parts));
	only("a", "{}");
	know("this");
	engine_show_draws(engine, other, on_draws, NULL);
	open_basket("b1");
	scan("b1", "c", 100);
	assert_int_equal(asked, 1);
	assert_int_equal(cards, 2);
	assert_said("guidance 7: a");
	scan("b1", "c", 100);
	assert_int_equal(asked, 1);
	assert_int_equal(learned, 0);
	/* The same bundle as it is has learned. */
	snprintf(other->hash, sizeof(other->hash), "this");
	open_basket("b2");
	scan("b2", "c", 100);
	assert_int_equal(asked, 2);
	assert_int_equal(learned, 1);
	engine_show_draws(engine, NULL, NULL, NULL);
	open_basket("b3");
	scan("b3", "c", 100);
	assert_int_equal(asked, 2);
	policy_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(
		    another_policy_is_asked_at_a_visits_first_draw_and_knows_nothing_of_what_was_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
