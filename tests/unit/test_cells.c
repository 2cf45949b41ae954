/* SPDX-License-Identifier: Apache-2.0
 *
 * test_cells.c - cells of actions: which ratio is in force, what the past chooses, and that stores merged are
 * one store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "bell_fixture.h"

#include "aisle/base.h"
#include "learn/cells.h"

static void
add(struct cells *cells, const char *action, const char *group, bool treated, int64_t n, int64_t y,
    double p)
{
	struct federation_sum sum = { n, y * Q16_ONE, n * q16_of(p) };

	cells_add(cells, action, group, "", treated, &sum);
}

static void
the_groups_in_force_are_those_of_the_last_turn_whatever_came_since(void **state)
{
	struct cells cells = { 0 };

	(void)state;
	for (int day = 0; day < 40; day++) {
		add(&cells, "a", "g", true, 20, 4, 0.4);
		cells_turn(&cells, 0);
	}
	add(&cells, "a", "h", false, 1, 0, 0.4);
	assert_int_equal(cells_ratio(&cells, "b", "g", "", true),
	    cells.groups[1].ratio[cells.kappa]);
	assert_int_equal(cells_ratio(&cells, "b", "h", "", true),
	    cells.groups[0].ratio[cells.kappa]);
	cells_turn(&cells, 0);
	assert_int_equal(cells_ratio(&cells, "b", "h", "", true),
	    cells.groups[1].ratio[cells.kappa]);
	cells_done(&cells);
}

static void
nothing_is_in_force_before_the_past_has_borne_it_out(void **state)
{
	struct cells cells = { 0 };

	(void)state;
	assert_int_equal(cells_ratio(&cells, "a", "g", "", true), 65536);
	/* Half of what is expected, each day: by itself it is seen at once, and believed after a while. */
	for (int day = 0; day < 40 && cells.kappa == LEARNER_HQ_ALONE; day++) {
		add(&cells, "a", "g", true, 20, 4, 0.4);
		assert_int_equal(cells_ratio(&cells, "a", "g", "", true), 65536);
		cells_turn(&cells, 0);
	}
	assert_int_not_equal(cells.kappa, LEARNER_HQ_ALONE);
	assert_in_range(cells_ratio(&cells, "a", "g", "", true), 30000, 50000);
	/* The other arm had no row: it is as far as its action is. */
	assert_int_equal(cells_ratio(&cells, "a", "g", "", false),
	    cells.list[0].of_action[cells.kappa]);
	/* An action that nobody saw is as its group, one of no group as the store. */
	assert_int_equal(cells_ratio(&cells, "b", "g", "", true),
	    cells.groups[1].ratio[cells.kappa]);
	assert_int_equal(cells_ratio(&cells, "b", "h", "", true),
	    cells.groups[0].ratio[cells.kappa]);
	assert_true(cells_ratio(&cells, "b", "h", "", true) >
	    cells_ratio(&cells, "b", "g", "", true));
	/* What holds no more is dropped by itself. */
	for (int day = 0; day < 400 && cells.kappa != LEARNER_HQ_ALONE; day++) {
		add(&cells, "a", "g", true, 20, day % 2 == 0 ? 16 : 0, 0.4);
		cells_turn(&cells, day % 7 == 6);
	}
	assert_int_equal(cells.kappa, LEARNER_HQ_ALONE);
	cells_done(&cells);
}

static void
a_chain_is_what_the_formula_says_level_by_level(void **state)
{
	struct cells cells = { 0 };
	int64_t y[3] = { 3 * Q16_ONE, 9 * Q16_ONE, 4 * Q16_ONE };
	int64_t p[3] = { 10 * 26214, 8 * 52428, 50 * 6553 };
	int32_t store, group, action, arm;

	(void)state;
	add(&cells, "a", "g", true, 10, 3, 0.4);
	add(&cells, "a", "g", false, 8, 9, 0.8);
	add(&cells, "b", "h", true, 50, 4, 0.1);
	cells_turn(&cells, 0);
	store =
	    learner_ratio(y[0] + y[1] + y[2], p[0] + p[1] + p[2], 65536, LEARNER_20, LEARNER_CLIP);
	group = learner_ratio(y[0] + y[1], p[0] + p[1], store, LEARNER_20, LEARNER_CLIP);
	action = learner_ratio(y[0] + y[1], p[0] + p[1], group, LEARNER_20, LEARNER_CLIP);
	arm = learner_ratio(y[0], p[0], action, LEARNER_20, LEARNER_CLIP);
	assert_int_equal(cells.groups[0].ratio[LEARNER_20], store);
	assert_int_equal(cells.groups[1].ratio[LEARNER_20], group);
	assert_true(cells.list[1].treated);
	assert_int_equal(cells.list[1].of_action[LEARNER_20], action);
	assert_int_equal(cells.list[1].ratio[LEARNER_20], arm);
	cells_done(&cells);
}

static void
segments_are_a_level_more_only_where_there_are_some(void **state)
{
	struct cells cells = { 0 };
	struct federation_sum sum = { 10, 2 * Q16_ONE, 10 * 32768 };

	(void)state;
	cells_add(&cells, "a", "g", "", true, &sum);
	cells_turn(&cells, 0);
	assert_int_equal(cells.list[0].ratio[LEARNER_20], cells.list[0].of_arm[LEARNER_20]);
	cells_add(&cells, "a", "g", "young", true, &sum);
	cells_turn(&cells, 0);
	assert_int_equal(cells.count, 2);
	assert_true(cells.list[1].ratio[LEARNER_20] < cells.list[1].of_arm[LEARNER_20]);
	cells_done(&cells);
}

static void
an_action_that_changes_its_group_does_so_in_all_its_cells(void **state)
{
	struct cells cells = { 0 };

	(void)state;
	add(&cells, "a", "g", true, 10, 3, 0.4);
	add(&cells, "a", "g", false, 10, 3, 0.4);
	add(&cells, "a", "h", true, 10, 3, 0.4);
	cells_turn(&cells, 0);
	assert_int_equal(cells.group_count, 2);
	assert_string_equal(cells.groups[1].name, "h");
	cells_done(&cells);
}

static void
what_does_not_fit_is_left_out_and_said(void **state)
{
	struct cells cells = { 0 };
	char name[16];

	(void)state;
	for (int i = 0; i < CELLS_MAX + 1; i++) {
		snprintf(name, sizeof(name), "a%d", i);
		add(&cells, name, "g", true, 1, 0, 0.5);
		assert_int_equal(cells.full, i == CELLS_MAX);
	}
	assert_int_equal(cells.count, CELLS_MAX);
	cells_turn(&cells, 1);
	cells_done(&cells);
}

/* Stores that each tell a week, added up, and one that had all rows by itself, over a year: the same bits. */
static void
stores_merged_are_one_store_to_the_bit(void **state)
{
	enum { STORES = 5, WEEKS = 52 };
	static const char *const actions[] = { "a", "b", "c" }, *const groups[] = { "g", "g", "h" };
	struct cells one = { 0 }, merged = { 0 }, weeks[STORES] = { 0 };

	(void)state;
	seed = 11;
	for (int week = 0; week < WEEKS; week++) {
		for (int row = 0; row < 300; row++) {
			int a = (int)(dice() * 3), store = (int)(dice() * STORES);
			double p = dice();
			bool treated = dice() < 0.5;
			struct federation_sum sum = { 1, dice() < 0.7 * p ? Q16_ONE : 0,
				q16_of(p) };

			cells_add(&one, actions[a], groups[a], "", treated, &sum);
			cells_add(&weeks[store], actions[a], groups[a], "", treated, &sum);
		}
		cells_turn(&one, week > 0);
		for (int s = STORES; s-- > 0;) {
			for (size_t i = 0; i < weeks[s].count; i++) {
				struct cell *cell = &weeks[s].list[i];

				cells_add(&merged, cell->action, cell->group, cell->segment,
				    cell->treated, &cell->day);
				cell->day = (struct federation_sum){ 0 };
			}
		}
		cells_turn(&merged, week > 0);
		assert_int_equal(merged.kappa, one.kappa);
		assert_memory_equal(merged.scores, one.scores, sizeof(one.scores));
		assert_int_equal(merged.count, one.count);
		for (size_t i = 0; i < one.count; i++) {
			assert_memory_equal(&merged.list[i].sum, &one.list[i].sum,
			    sizeof(one.list[i].sum));
			assert_memory_equal(merged.list[i].ratio, one.list[i].ratio,
			    sizeof(one.list[i].ratio));
		}
	}
	assert_int_not_equal(one.kappa, LEARNER_HQ_ALONE);
	cells_done(&one);
	cells_done(&merged);
	for (int s = 0; s < STORES; s++)
		cells_done(&weeks[s]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_groups_in_force_are_those_of_the_last_turn_whatever_came_since),
		cmocka_unit_test(nothing_is_in_force_before_the_past_has_borne_it_out),
		cmocka_unit_test(a_chain_is_what_the_formula_says_level_by_level),
		cmocka_unit_test(segments_are_a_level_more_only_where_there_are_some),
		cmocka_unit_test(an_action_that_changes_its_group_does_so_in_all_its_cells),
		cmocka_unit_test(what_does_not_fit_is_left_out_and_said),
		cmocka_unit_test(stores_merged_are_one_store_to_the_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
