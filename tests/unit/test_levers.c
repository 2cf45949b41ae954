/* SPDX-License-Identifier: Apache-2.0
 *
 * test_levers.c - what a manager orders for a while: a stop with an end, a lever within the policy's bounds.
 */
#include "spine_story.h"

#define LEVERS "{'levers':{'group:g':{'value':1.5,'min':0.5,'max':2},'action:a':3}}"

static struct input
moved(const char *name, double value, int64_t until_ms)
{
	struct input input = { .kind = INPUT_LEVER,
		.text = name,
		.value = value,
		.until_ms = until_ms,
		.manager = "anna" };

	turn(&input);
	return input;
}

static void
stop(const char *action, int64_t until_ms)
{
	struct input input = { .kind = INPUT_STOP,
		.text = action,
		.flag = true,
		.until_ms = until_ms,
		.manager = "anna" };

	turn(&input);
	assert_int_equal(input.result.status, 200);
}

static double
lever_in_record(const char *basket)
{
	json_t *json;
	double lever;

	open_basket(basket);
	scan(basket, "c", 100);
	json = json_read(engine->record.data, engine->record.len, "record", NULL);
	lever =
	    json_number_value(json_object_get(json_array_get(json_object_get(json, "candidates"),
						  0),
		"lever"));
	json_decref(json);
	return lever;
}

static void
tick(int64_t at_ms)
{
	struct input input = { .kind = INPUT_CLOCK };

	now_ms = at_ms;
	turn(&input);
}

static void
levers_policy(void)
{
	a_policy(LEVERS);
	an_action("a", "{'group':'g','lever':1}");
	in_force();
}

static void
a_lever_moves_the_very_next_decision_and_comes_back_at_its_time(void **state)
{
	int64_t until_ms;

	(void)state;
	levers_policy();
	assert_true(lever_in_record("b") == 3 * 1.5);
	until_ms = now_ms + H_MS;
	assert_int_equal(moved("group:g", 0.5, until_ms).result.status, 200);
	assert_true(lever_in_record("c") == 3 * 0.5);
	tick(until_ms - 1);
	assert_int_equal(engine->lever_count, 1);
	tick(until_ms);
	assert_int_equal(engine->lever_count, 0);
	assert_true(lever_in_record("d") == 3 * 1.5);
}

static void
a_lever_outlives_a_restart_and_a_new_policy_within_its_bounds(void **state)
{
	(void)state;
	levers_policy();
	assert_int_equal(moved("group:g", 2, now_ms + H_MS).result.status, 200);
	restart();
	assert_true(lever_in_record("b") == 3 * 2);
	parts.count = 0;
	a_policy("{'levers':{'group:g':{'value':1,'min':0.5,'max':1.25}}}");
	an_action("a", "{'group':'g'}");
	in_force();
	assert_true(lever_in_record("c") == 1.25);
	parts.count = 0;
	a_policy("{'levers':{'group:g':1.1}}"); /* no manager moves it any more */
	an_action("a", "{'group':'g'}");
	in_force();
	assert_true(lever_in_record("d") == 1.1);
}

static void
a_lever_stays_within_its_bounds_and_where_no_manager_may_it_does_not_move(void **state)
{
	static const struct {
		const char *name;
		double value;
		int status;
	} cases[] = { { "group:g", 0.5, 200 }, { "group:g", 0.49, 400 }, { "group:g", 2, 200 },
		{ "group:g", 2.01, 400 }, { "action:a", 3, 403 }, { "issue:none", 1, 404 } };

	(void)state;
	levers_policy();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(moved(cases[i].name, cases[i].value, now_ms + 1).result.status,
		    cases[i].status);
	assert_int_equal(moved("group:g", 1, now_ms).result.status, 400);
	assert_int_equal(engine->lever_count, 1);
	assert_true(engine->levers[0].value == 2);
}

static void
a_stop_with_an_end_is_lifted_then_and_one_without_is_not(void **state)
{
	int64_t until_ms;

	(void)state;
	levers_policy();
	until_ms = now_ms + H_MS;
	stop("a", until_ms);
	stop("*", 0);
	restart();
	assert_int_equal(engine->stops[1].until_ms, until_ms);
	tick(until_ms - 1);
	assert_int_equal(engine->stopped_count, 2);
	tick(until_ms);
	assert_int_equal(engine->stopped_count, 1);
	assert_string_equal(engine->stopped[0], "*");
	restart();
	assert_int_equal(engine->stopped_count, 1);
}

static void
the_later_word_on_an_end_counts(void **state)
{
	int64_t until_ms;

	(void)state;
	levers_policy();
	until_ms = now_ms + H_MS;
	stop("a", until_ms);
	stop("a", 2 * H_MS + now_ms);
	tick(until_ms);
	assert_int_equal(engine->stopped_count, 1);
	stop("a", 0);
	tick(until_ms + 3 * H_MS);
	assert_int_equal(engine->stopped_count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(a_lever_moves_the_very_next_decision_and_comes_back_at_its_time),
		SPINE_TEST_ON_DISK(a_lever_outlives_a_restart_and_a_new_policy_within_its_bounds),
		SPINE_TEST(
		    a_lever_stays_within_its_bounds_and_where_no_manager_may_it_does_not_move),
		SPINE_TEST_ON_DISK(a_stop_with_an_end_is_lifted_then_and_one_without_is_not),
		SPINE_TEST(the_later_word_on_an_end_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
