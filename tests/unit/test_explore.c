/* SPDX-License-Identifier: Apache-2.0
 *
 * test_explore.c - the draw of a slot: its chances, its fixed numbers, and how often each wins.
 *
 * Vectors: Python's hashlib.blake2b(purpose 0 parts…, digest_size=32, key=salt),
 * first 8 bytes little-endian, >> 11, times 2**-53; salt is bytes 0..31.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "decide/run.h"

#include "decide_fixture.h"

static struct policy policy;

static int
setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < 32; i++)
		policy.salt_explore[i] = policy.salt_control[i] = (uint8_t)i;
	policy.explore_unit = 100;
	policy.cost_max = 2;
	policy.gamma = -1;
	policy.shortlist = 8;
	return 0;
}

static void
the_chance_of_a_visit_slot_and_action_is_the_published_one(void **state)
{
	struct id visit = id_of(7);

	(void)state;
	assert_true(explore_chance(&policy, &visit, PLACE_TABLET, 1, "coffee-off", NULL) ==
	    0.14562701687268254);
	assert_true(explore_chance(&policy, &visit, PLACE_TABLET, 1, "nothing", NULL) ==
	    0.014035003883260622);
	assert_true(explore_chance(&policy, &visit, PLACE_TABLET, 2, "coffee-off", "plain") ==
	    0.77397542469721192);
}

static void
others_have_one_over_k_plus_gamma_gap_and_the_best_the_rest(void **state)
{
	struct shortlisted list[3] = { { 0, 40, 0 }, { 1, 20, 0 }, { NOTHING, 3, 0 } };

	(void)state;
	/* gamma = (3 - 1) * 100 / 2 = 100 */
	explore_weigh(&policy, policy.cost_max, list, 3);
	assert_true(list[1].p == 1.0 / (3.0 + 100.0 * (0.4 - 0.2)));
	assert_true(list[2].p == 1.0 / (3.0 + 100.0 * (0.4 - 0.03)));
	assert_true(list[0].p == 1.0 - list[1].p - list[2].p);
}

static void
a_stated_gamma_is_used_as_it_is(void **state)
{
	struct shortlisted list[2] = { { 0, 40, 0 }, { NOTHING, 3, 0 } };
	struct policy stated = policy;

	(void)state;
	stated.gamma = 20;
	explore_weigh(&stated, stated.cost_max, list, 2);
	assert_true(list[1].p == 1.0 / (2.0 + 20.0 * (0.4 - 0.03)));
	stated.gamma = 0; /* uniform */
	explore_weigh(&stated, stated.cost_max, list, 2);
	assert_true(list[0].p == 0.5 && list[1].p == 0.5);
}

static void
exploring_costs_at_most_cost_max_a_slot(void **state)
{
	(void)state;
	for (int k = 2; k <= 9; k++) {
		for (int step = 1; step < 2000; step = step * 3) {
			struct shortlisted list[9];
			double cost = 0;

			for (int i = 0; i < k; i++)
				list[i] = (struct shortlisted){ i, 5000.0 - i * step, 0 };
			explore_weigh(&policy, policy.cost_max, list, (size_t)k);
			for (int i = 0; i < k; i++) {
				assert_true(list[i].p > 0 && list[i].p <= 1);
				cost += list[i].p * (list[0].priority - list[i].priority);
			}
			assert_true(cost <= policy.cost_max);
		}
	}
}

static void
alone_and_greedy_are_certain(void **state)
{
	struct shortlisted list[2] = { { NOTHING, 3, 0 }, { 0, 2, 0 } };
	struct policy greedy = policy;

	(void)state;
	explore_weigh(&policy, policy.cost_max, list, 1);
	assert_true(list[0].p == 1.0);
	greedy.greedy = true;
	explore_weigh(&greedy, greedy.cost_max, list, 2);
	assert_true(list[0].p == 1.0 && list[1].p == 0.0);
}

/* 100,000 visits: each candidate wins as often as its p says, within four standard errors. */
static void
the_draw_has_exactly_p(void **state)
{
	enum { VISITS = 100000 };
	struct action actions[3] = { { .id = "a" }, { .id = "b" }, { .id = "c" } };
	struct candidate candidates[3] = { { .action = &actions[0] }, { .action = &actions[1] },
		{ .action = &actions[2] } };
	struct decision decision = { .candidates = candidates, .candidate_count = 3 };
	struct shortlisted list[4] = { { 1, 12, 0 }, { 0, 11, 0 }, { NOTHING, 10.5, 0 },
		{ 2, 4, 0 } };
	struct visit visit = { .id = { { 1 } } };
	struct run run = { .policy = &policy,
		.decision = &decision,
		.visit = &visit,
		.cost_max = policy.cost_max };
	int wins[4] = { 0 };

	(void)state;
	explore_weigh(&policy, policy.cost_max, list, 4);
	for (uint32_t i = 0; i < VISITS; i++) {
		size_t winner, again;

		memcpy(&visit.id.b[8], &i, sizeof(i));
		winner = explore_draw(&run, list, 4, PLACE_TABLET, 1);
		again = explore_draw(&run, list, 4, PLACE_TABLET, 1);
		assert_int_equal(winner, again);
		wins[winner]++;
	}
	for (int i = 0; i < 4; i++) {
		double expected = list[i].p * VISITS;
		double off = wins[i] - expected;

		assert_true(off * off <= 16.0 * expected * (1 - list[i].p));
	}
}

/* What wins with p keeps winning while only its p grows: no re-roll with each line. */
static void
a_winner_whose_p_grows_stays(void **state)
{
	struct action actions[2] = { { .id = "a" }, { .id = "b" } };
	struct candidate candidates[2] = { { .action = &actions[0] }, { .action = &actions[1] } };
	struct decision decision = { .candidates = candidates, .candidate_count = 2 };
	struct visit visit = { .id = { { 1 } } };
	struct run run = { .policy = &policy,
		.decision = &decision,
		.visit = &visit,
		.cost_max = policy.cost_max };

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct shortlisted list[2] = { { 0, 0, 0.4 }, { 1, 0, 0.6 } };
		bool won;

		memcpy(&visit.id.b[8], &i, sizeof(i));
		won = explore_draw(&run, list, 2, PLACE_TABLET, 1) == 0;
		list[0].p = 0.5;
		list[1].p = 0.5;
		if (won)
			assert_int_equal(explore_draw(&run, list, 2, PLACE_TABLET, 1), 0);
	}
}

/* Far more draws than the cache has room for, each asked for twice and out of order. */
static void
a_remembered_draw_is_the_draw(void **state)
{
	static const char *const actions[] = { "coffee-off", "tea-off", "nothing" };
	static const char *const treatments[] = { NULL, "plain", "short" };
	struct visit visit = { .id = id_of(1) };
	struct run run = { .policy = &policy, .visit = &visit, .draws = draw_cache_new() };

	(void)state;
	for (uint32_t i = 0; i < 30000; i++) {
		uint32_t n = i * 7919 % 900;
		const char *action = actions[n % 3], *treatment = treatments[n / 3 % 3];
		enum placement place = n / 9 % 2 ? PLACE_TABLET : PLACE_TILL;
		int slot = 1 + (int)(n / 18 % 2);

		visit.id.b[15] = (uint8_t)(n / 36);
		visit.id.b[3] = (uint8_t)(i / 3000);
		assert_true(explore_u(&run, place, slot, action, treatment) ==
		    explore_chance(&policy, &visit.id, place, slot, action, treatment));
	}
	draw_cache_empty(run.draws);
	assert_true(explore_u(&run, PLACE_TABLET, 1, "coffee-off", NULL) ==
	    explore_chance(&policy, &visit.id, PLACE_TABLET, 1, "coffee-off", NULL));
	draw_cache_free(run.draws);
	draw_cache_free(NULL);
}

static void
control_is_by_subject_and_never_anonymous(void **state)
{
	struct id subject = id_of(9);
	struct policy shared = policy;

	(void)state;
	/* U("control", 0100…09) = 0.41048340702024022 */
	shared.control_share = 0.41048340702024022;
	assert_false(control_group(&shared, &subject));
	shared.control_share = 0.41048340702024033;
	assert_true(control_group(&shared, &subject));
	shared.control_share = 1;
	assert_true(control_group(&shared, &subject));
	assert_false(control_group(&shared, NULL));
	shared.control_share = 0;
	assert_false(control_group(&shared, &subject));
}

static struct experiment
wording(enum unit unit, struct arm *arms)
{
	struct experiment experiment = {
		.name = "wording", .unit = unit, .share = 1, .arms = arms, .arm_count = 2
	};

	for (size_t i = 0; i < 32; i++)
		experiment.salt[i] = (uint8_t)i;
	return experiment;
}

static size_t
assign(struct arena *arena, const struct experiment *experiment, bool known,
    struct arm_choice **ret, bool *ret_withholds)
{
	struct policy with = policy;
	struct id subject = id_of(9), visit = id_of(7);

	with.experiments = (struct experiment *)(uintptr_t)experiment;
	with.experiment_count = 1;
	return experiments_assign(arena, &with, known ? &subject : NULL, &visit, "7", "0042",
	    INT64_C(1795233600000), ret, ret_withholds);
}

static void
an_arm_is_drawn_over_the_cumulated_weights(void **state)
{
	struct arm arms[2] = { { .name = "a", .weight = 1 },
		{ .name = "b", .weight = 1, .withhold = true } };
	struct experiment experiment = wording(UNIT_CUSTOMER, arms);
	struct arena *arena = arena_new();
	struct arm_choice *choice;
	bool withholds;

	(void)state;
	/* customer: share 0.599…, arm 0.168…: the first of two halves, the second after 0.16 */
	assert_int_equal(assign(arena, &experiment, true, &choice, &withholds), 1);
	assert_string_equal(choice[0].experiment, "wording");
	assert_string_equal(choice[0].arm, "a");
	assert_false(withholds);
	arms[0].weight = 16;
	arms[1].weight = 84;
	assert_int_equal(assign(arena, &experiment, true, &choice, &withholds), 1);
	assert_string_equal(choice[0].arm, "b");
	assert_true(withholds);
	arena_free(arena);
}

static void
a_unit_outside_the_share_is_in_no_arm(void **state)
{
	struct arm arms[2] = { { .name = "a", .weight = 1 }, { .name = "b", .weight = 1 } };
	struct experiment experiment = wording(UNIT_CUSTOMER, arms);
	struct arena *arena = arena_new();
	struct arm_choice *choice;
	bool withholds;

	(void)state;
	experiment.share = 0.59913970875170275; /* not below itself */
	assert_int_equal(assign(arena, &experiment, true, &choice, &withholds), 0);
	experiment.share = 0.5991397087517029;
	assert_int_equal(assign(arena, &experiment, true, &choice, &withholds), 1);
	assert_int_equal(assign(arena, &experiment, false, &choice, &withholds), 0); /* anonymous */
	arena_free(arena);
}

static void
each_unit_has_its_own_text(void **state)
{
	struct arm arms[2] = { { .name = "a", .weight = 1 }, { .name = "b", .weight = 1 } };
	static const struct {
		enum unit unit;
		double share;
		const char *arm;
	} cases[] = {
		{ UNIT_VISIT, 0.22365412431476894, "a" },
		{ UNIT_STORE, 0.91557918620733658, "b" },
		{ UNIT_STATION_DAY, 0.64545659317667159, "b" },
	};
	struct arena *arena = arena_new();
	struct arm_choice *choice;
	bool withholds;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct experiment experiment = wording(cases[i].unit, arms);

		experiment.share = cases[i].share;
		assert_int_equal(assign(arena, &experiment, false, &choice, &withholds), 0);
		experiment.share = cases[i].share + 1e-12;
		assert_int_equal(assign(arena, &experiment, false, &choice, &withholds), 1);
		assert_string_equal(choice[0].arm, cases[i].arm);
	}
	arena_free(arena);
}

static void
a_slot_of_two_digits_has_its_own_chance(void **state)
{
	static const struct {
		int slot;
		const char *text;
	} cases[] = { { 1, "1" }, { 9, "9" }, { 10, "10" }, { 11, "11" }, { 19, "19" },
		{ 90, "90" }, { 99, "99" } };
	struct id visit = id_of(7);
	char visit_text[ID_TEXT_SIZE];

	(void)state;
	id_text(&visit, visit_text);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *parts[] = { visit_text, "tablet", cases[i].text, "a", "t" };

		assert_true(explore_chance(&policy, &visit, PLACE_TABLET, cases[i].slot, "a",
				NULL) == chance(policy.salt_explore, "explore", parts, 4));
		assert_true(explore_chance(&policy, &visit, PLACE_TABLET, cases[i].slot, "a",
				"t") == chance(policy.salt_explore, "explore", parts, 5));
	}
}

static void
without_a_cost_or_a_unit_nothing_is_tried(void **state)
{
	static const struct {
		double gamma, cost, unit;
		bool greedy;
	} cases[] = { { -1, 2, 100, false }, { -1, 0, 100, true }, { 20, 0, 100, false },
		{ 0, 0, 100, false }, { -1, 2, 0, true }, { 20, 2, 0, true }, { 20, 2, -1, true },
		{ -1, -1, 100, true }, { -1, 0.5, 0.5, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct shortlisted list[2] = { { 0, 2, 0 }, { NOTHING, 1, 0 } };
		struct policy with = policy;

		with.gamma = cases[i].gamma;
		with.cost_max = cases[i].cost;
		with.explore_unit = cases[i].unit;
		explore_weigh(&with, with.cost_max, list, 2);
		assert_int_equal(list[1].p == 0, cases[i].greedy);
	}
}

static void
one_arm_that_withholds_withholds_whatever_the_others_say(void **state)
{
	struct arm arms[3][1] = { { { .name = "a", .weight = 1, .withhold = true } },
		{ { .name = "b", .weight = 1 } }, { { .name = "c", .weight = 1 } } };
	struct experiment experiments[3];
	struct policy with = policy;
	struct id subject = id_of(9), visit = id_of(7);
	struct arena *arena = arena_new();
	struct arm_choice *choice;
	bool withholds;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		experiments[i] = wording(i == 1 ? UNIT_VISIT : UNIT_CUSTOMER, arms[i]);
		experiments[i].arm_count = 1;
	}
	with.experiments = experiments;
	with.experiment_count = 3;
	assert_int_equal(experiments_assign(arena, &with, &subject, &visit, "7", "0042", 0, &choice,
			     &withholds),
	    3);
	assert_true(withholds);
	assert_string_equal(choice[0].arm, "a");
	assert_string_equal(choice[2].arm, "c");
	/* Of nobody's visit only that of visits. */
	assert_int_equal(experiments_assign(arena, &with, NULL, &visit, "7", "0042", 0, &choice,
			     &withholds),
	    1);
	assert_string_equal(choice[0].arm, "b");
	assert_false(withholds);
	arms[1][0].weight = 0; /* nobody is meant, and the last is taken */
	assert_int_equal(experiments_assign(arena, &with, NULL, &visit, "7", "0042", 0, &choice,
			     &withholds),
	    1);
	arena_free(arena);
}

static void
an_arm_ends_before_its_weight_is_reached(void **state)
{
	struct arm arms[2] = { { .name = "a" }, { .name = "b" } };
	struct experiment experiment = wording(UNIT_STORE, arms);
	const char *parts[] = { "wording", "0042" };
	struct arena *arena = arena_new();
	struct arm_choice *choice;
	double u = chance(experiment.salt, "arm", parts, 2);
	bool withholds;

	(void)state;
	arms[0].weight = u;
	arms[1].weight = 1.0 - u;
	assert_true(u > 0.5 && arms[0].weight + arms[1].weight <= 1.0 &&
	    arms[0].weight + arms[1].weight >= 1.0);
	assert_int_equal(assign(arena, &experiment, false, &choice, &withholds), 1);
	assert_string_equal(choice[0].arm, "b");
	arms[0].weight = u + 1e-9;
	arms[1].weight = 1.0 - arms[0].weight;
	assert_int_equal(assign(arena, &experiment, false, &choice, &withholds), 1);
	assert_string_equal(choice[0].arm, "a");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_chance_of_a_visit_slot_and_action_is_the_published_one),
		cmocka_unit_test(others_have_one_over_k_plus_gamma_gap_and_the_best_the_rest),
		cmocka_unit_test(a_stated_gamma_is_used_as_it_is),
		cmocka_unit_test(exploring_costs_at_most_cost_max_a_slot),
		cmocka_unit_test(alone_and_greedy_are_certain),
		cmocka_unit_test(the_draw_has_exactly_p),
		cmocka_unit_test(a_winner_whose_p_grows_stays),
		cmocka_unit_test(a_remembered_draw_is_the_draw),
		cmocka_unit_test(control_is_by_subject_and_never_anonymous),
		cmocka_unit_test(an_arm_is_drawn_over_the_cumulated_weights),
		cmocka_unit_test(a_unit_outside_the_share_is_in_no_arm),
		cmocka_unit_test(each_unit_has_its_own_text),
		cmocka_unit_test(an_arm_ends_before_its_weight_is_reached),
		cmocka_unit_test(a_slot_of_two_digits_has_its_own_chance),
		cmocka_unit_test(without_a_cost_or_a_unit_nothing_is_tried),
		cmocka_unit_test(one_arm_that_withholds_withholds_whatever_the_others_say),
	};

	return cmocka_run_group_tests_name("explore", tests, setup, NULL);
}
