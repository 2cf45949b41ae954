/* SPDX-License-Identifier: Apache-2.0
 *
 * test_assigned.c - how many customers were first seen in each arm, told at the end of the day.
 */
#include "spine_story.h"

#define OTHER_SALT "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define CARL "00000000000000000000000000000003"

static int
say_assigned(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	json_t *json;
	int64_t fresh = 0, total = 0;

	(void)at_ms;
	heard_upto[LANE_MONEY] = seq;
	if (strcmp(type, "assigned") != 0)
		return 0;
	json = json_loadb(body, len, 0, NULL);
	assert_true(json_int(json_object_get(json, "new"), &fresh));
	assert_true(json_int(json_object_get(json, "total"), &total));
	buf_addf(ctx, "%s%s %s/%s %lld of %lld", ((struct buf *)ctx)->len > 0 ? "; " : "",
	    text_of(json, "day"), text_of(json, "experiment"), text_of(json, "arm"),
	    (long long)fresh, (long long)total);
	json_decref(json);
	return 0;
}

/* New records: "DAY EXPERIMENT/ARM NEW of TOTAL; …". */
static const char *
assigned(void)
{
	struct buf text = { 0 };
	const char *copy;

	assert_int_equal(store_uplink_each(engine->store, LANE_MONEY, heard_upto[LANE_MONEY], 1000,
			     say_assigned, &text),
	    0);
	copy = arena_strdup(texts, text.len > 0 ? text.data : "");
	buf_done(&text);
	return copy;
}
#define assert_assigned(text) assert_string_equal(assigned(), text)

/* All customers are in its one arm. */
static void
an_experiment(const char *name, const char *unit, const char *salt)
{
	memset(&parts, 0, sizeof(parts));
	a_policy("{}");
	an_action("a", "{}");
	add_part(texts, &parts, "experiments.json",
	    quoted(arena_printf(texts,
		"{'experiments':[{'experiment':'%s','unit':'%s','salt':'%s','share':1,"
		"'arms':{'one':{'weight':1}}}]}",
		name, unit, salt)));
	in_force();
}

static void
comes(const char *basket, const char *subject)
{
	open_basket(basket);
	identify(subject);
	now_ms += S_MS;
}

static void
all_agree(void)
{
	grant(ANNA, "profile");
	grant(BEN, "profile");
	grant(CARL, "profile");
}

static void
each_customer_is_counted_once_and_told_at_the_end_of_the_day(void **state)
{
	(void)state;
	an_experiment("x", "customer", SALT);
	all_agree();
	comes("a", ANNA);
	close_basket("a", 100);
	comes("b", BEN);
	comes("c", ANNA);
	wait_for(T0 + 14 * H_MS - now_ms - 1);
	assert_assigned("");
	wait_for(1);
	assert_assigned("2026-11-21 x/one 2 of 2");
	wait_for(10 * H_MS);
	comes("d", ANNA);
	comes("e", CARL);
	wait_for(D_MS);
	assert_assigned("2026-11-22 x/one 1 of 3");
	comes("f", CARL);
	wait_for(3 * D_MS);
	assert_assigned("");
}

static void
who_does_not_want_to_be_remembered_is_counted_when_they_do(void **state)
{
	(void)state;
	an_experiment("x", "customer", SALT);
	comes("a", ANNA);
	comes("b", BEN);
	grant(ANNA, "profile");
	open_basket("c");
	tell("pos/7/event", "customer.identified",
	    "{'subject':'" ANNA "','station':'7','basket':'a'}");
	close_basket("a", 100);
	close_basket("b", 100);
	wait_for(D_MS);
	assert_assigned("2026-11-21 x/one 1 of 1");
}

static void
strangers_trainees_and_other_units_are_not_counted(void **state)
{
	(void)state;
	an_experiment("x", "customer", SALT);
	all_agree();
	open_basket("a");
	close_basket("a", 100);
	tell("pos/7/event", "basket.opened", "{'basket':'b','terminal':'7','training':true}");
	identify(ANNA);
	close_basket("b", 100);
	an_experiment("y", "visit", SALT);
	comes("c", ANNA);
	close_basket("c", 100);
	wait_for(D_MS);
	assert_assigned("");
}

static void
a_store_that_is_killed_in_between_counts_no_one_twice(void **state)
{
	(void)state;
	an_experiment("x", "customer", SALT);
	all_agree();
	comes("a", ANNA);
	restart();
	comes("b", ANNA);
	comes("c", BEN);
	restart();
	wait_for(D_MS);
	assert_assigned("2026-11-21 x/one 2 of 2");
	restart();
	comes("d", CARL);
	wait_for(D_MS);
	assert_assigned("2026-11-22 x/one 1 of 3");
}

static void
two_cards_of_one_are_one_from_then_on(void **state)
{
	(void)state;
	an_experiment("x", "customer", SALT);
	all_agree();
	comes("a", ANNA);
	tell("care/event", "customer.merged", "{'subject':'" ANNA "','into':'" BEN "'}");
	comes("b", BEN);
	comes("c", ANNA);
	wait_for(D_MS);
	assert_assigned("2026-11-21 x/one 1 of 1");
}

static void
who_is_forgotten_stays_in_the_count(void **state)
{
	struct input input = { .kind = INPUT_FORGET, .subject = subject_of(ANNA) };

	(void)state;
	an_experiment("x", "customer", SALT);
	all_agree();
	comes("a", ANNA);
	assert_int_equal(keys_destroy(engine->keys, &input.subject), 0);
	turn(&input);
	comes("b", ANNA);
	wait_for(D_MS);
	assert_assigned("2026-11-21 x/one 1 of 1");
}

static void
an_experiment_that_is_drawn_anew_counts_anew_and_one_that_is_gone_goes(void **state)
{
	(void)state;
	an_experiment("x", "customer", SALT);
	all_agree();
	comes("a", ANNA);
	an_experiment("x", "customer", OTHER_SALT);
	comes("b", ANNA);
	an_experiment("y", "customer", SALT);
	comes("c", BEN);
	wait_for(D_MS);
	assert_assigned("2026-11-21 x/one 2 of 2; 2026-11-21 y/one 1 of 1");
	assert_int_equal(engine->assigned_count, 1);
}

static void
aggregates_have_them_too(void **state)
{
	struct err err = { 0 };

	(void)state;
	engine_close(engine);
	conf.uplink_aggregates = true;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	an_experiment("x", "customer", SALT);
	all_agree();
	comes("a", ANNA);
	wait_for(D_MS);
	assert_assigned("2026-11-21 x/one 1 of 1");
}

static void
a_customer_is_known_in_as_many_experiments_as_a_policy_may_have(void **state)
{
	struct subject *subject = subject_new(&(struct id){ { 1 } });
	struct id key = { { 0 } };

	(void)state;
	for (int i = SUBJECT_SEEN_MAX; i > 0; i--) {
		key.b[0] = (uint8_t)i;
		assert_true(subject_see(subject, &key));
		assert_false(subject_see(subject, &key));
	}
	key.b[0] = 200;
	assert_false(subject_see(subject, &key));
	for (size_t i = 1; i < subject->seen_count; i++)
		assert_true(subject->seen[i - 1].b[0] < subject->seen[i].b[0]);
	subject_free(subject);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(each_customer_is_counted_once_and_told_at_the_end_of_the_day),
		SPINE_TEST(who_does_not_want_to_be_remembered_is_counted_when_they_do),
		SPINE_TEST(strangers_trainees_and_other_units_are_not_counted),
		SPINE_TEST_ON_DISK(a_store_that_is_killed_in_between_counts_no_one_twice),
		SPINE_TEST(two_cards_of_one_are_one_from_then_on),
		SPINE_TEST_ON_DISK(who_is_forgotten_stays_in_the_count),
		SPINE_TEST(an_experiment_that_is_drawn_anew_counts_anew_and_one_that_is_gone_goes),
		SPINE_TEST(aggregates_have_them_too),
		SPINE_TEST(a_customer_is_known_in_as_many_experiments_as_a_policy_may_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
