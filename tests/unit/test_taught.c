/* SPDX-License-Identifier: Apache-2.0
 *
 * test_taught.c - a store that takes less of one card and more of another than the models expect: when its own
 * answers are believed, what they change, that a crash and a replay change nothing, and that they end with
 * their bundle.
 */
#include "core/metrics.h"
#include "learn/learner.h"
#include "spine_story.h"

#define GOODS(name, margin) \
	"{'kind':'recommend','group':'" name "','margin':" margin \
	",'outcome':{'is':'bought','item':{'category':'" name "'}}}"

static void
milk_and_tea(void)
{
	memset(&parts, 0, sizeof(parts));
	a_policy("{}");
	an_action("milk", GOODS("milk", "200"));
	an_action("tea", GOODS("tea", "100"));
	in_force();
}

/* Both are shown; tea is always bought, milk never. */
static void
a_day(int sales)
{
	static int number;

	for (int i = 0; i < sales; i++) {
		const char *basket = arena_printf(texts, "b%d", number++);

		open_basket(basket);
		scan(basket, "bread", 100);
		now_ms += S_MS;
		scan(basket, "tea/green", 90);
		close_basket(basket, 190);
		now_ms += S_MS;
	}
	wait_for(6 * MIN_MS);
	wait_for(D_MS - 6 * MIN_MS - sales * 2 * S_MS);
}

/* A decision now: "ACTION LEARNED1/LEARNED0 P1 P0; …", the cards as they stand. */
static const char *
decided(void)
{
	static int number;
	const char *basket = arena_printf(texts, "d%d", number++), *copy;
	struct buf text = { 0 };
	json_t *json, *candidate;
	size_t i;

	open_basket(basket);
	scan(basket, "bread", 100);
	json = json_loads(record.data, 0, NULL);
	assert_non_null(json);
	json_array_foreach(json_object_get(json, "candidates"), i, candidate) {
		const json_t *learned = json_object_get(candidate, "learned");

		buf_addf(&text, "%s%s %lld/%lld %.17g %.17g", text.len > 0 ? "; " : "",
		    text_of(candidate, "action"),
		    (long long)json_integer_value(json_array_get(learned, 0)),
		    (long long)json_integer_value(json_array_get(learned, 1)),
		    json_number_value(json_object_get(candidate, "p1")),
		    json_number_value(json_object_get(candidate, "p0")));
	}
	json_array_foreach(json_object_get(json, "slots"), i, candidate)
		buf_addf(&text, "; %s", text_of(candidate, "action"));
	json_decref(json);
	/* It bought nothing, and is taught so. */
	tell("pos/7/event", "basket.cancelled", "{'basket':'%s'}", basket);
	copy = arena_strdup(texts, text.data);
	buf_done(&text);
	return copy;
}

static int64_t
ratio(const char *action, int arm)
{
	const char *at = strstr(decided(), action);
	long long shown, not_shown;

	assert_non_null(at);
	assert_int_equal(sscanf(at + strlen(action), " %lld/%lld", &shown, &not_shown), 2);
	return arm == 1 ? shown : not_shown;
}

static void
what_the_past_bears_out_comes_into_force_and_changes_the_order(void **state)
{
	int days = 0;

	(void)state;
	milk_and_tea();
	assert_string_equal(decided(), "milk 0/0 0.5 0.25; tea 0/0 0.5 0.25; milk; tea");
	a_day(3);
	assert_string_equal(decided(), "milk 0/0 0.5 0.25; tea 0/0 0.5 0.25; milk; tea");
	while (ratio("milk", 1) == 0 && days++ < 30)
		a_day(12);
	assert_in_range(days, 1, 6);
	for (int i = 0; i < 3; i++)
		a_day(12);
	assert_in_range(ratio("milk", 1), 16384, 40000);
	assert_in_range(ratio("tea", 1), 80000, 131072);
	/* Nobody was without: it is as its action is. */
	assert_in_range(ratio("milk", 0), 16384, 50000);
	assert_non_null(strstr(decided(), "; tea; milk"));
}

static void
a_chance_on_record_is_the_models_times_the_ratio_on_record(void **state)
{
	json_t *json, *candidate;
	size_t i;

	(void)state;
	milk_and_tea();
	for (int day = 0; day < 9; day++)
		a_day(12);
	decided();
	json = json_loads(record.data, 0, NULL);
	json_array_foreach(json_object_get(json, "candidates"), i, candidate) {
		const json_t *learned = json_object_get(candidate, "learned");
		double margin = json_number_value(json_object_get(candidate, "margin"));
		double p1 = learner_chance(0.5,
			   (int32_t)json_integer_value(json_array_get(learned, 0))),
		       p0 = learner_chance(0.25,
			   (int32_t)json_integer_value(json_array_get(learned, 1)));

		assert_true(json_integer_value(json_array_get(learned, 0)) > 0);
		assert_true(json_number_value(json_object_get(candidate, "p1")) == p1);
		assert_true(json_number_value(json_object_get(candidate, "p0")) == p0);
		assert_true(json_number_value(json_object_get(candidate, "gain")) ==
		    p1 * margin - p0 * margin);
	}
	json_decref(json);
}

static void
a_ratio_is_the_days_and_what_is_taught_today_is_heard_of_tomorrow(void **state)
{
	const char *before;

	(void)state;
	milk_and_tea();
	for (int i = 0; i < 9; i++)
		a_day(12);
	before = decided();
	for (int i = 0; i < 12; i++) {
		open_basket("x");
		scan("x", "bread", 100);
		close_basket("x", 100);
		wait_for(6 * MIN_MS);
	}
	assert_string_equal(decided(), before);
	wait_for(D_MS);
	assert_string_not_equal(decided(), before);
}

/* The same days, killed and started again after each, or not. */
static const char *
after_days(bool killed)
{
	milk_and_tea();
	/* Never shown, and taught last: on disk it stands behind those that it stands before. */
	an_action("ale", GOODS("ale", "50"));
	in_force();
	for (int i = 0; i < 16; i++) {
		a_day(6);
		if (killed && i % 3 == 0)
			restart();
	}
	return decided();
}

static void
a_crash_changes_nothing_and_the_same_days_give_the_same_bits(void **state)
{
	char first[600], again[600], killed[600];

	snprintf(first, sizeof(first), "%s", after_days(false));
	tear_down(state);
	set_up(state);
	snprintf(again, sizeof(again), "%s", after_days(false));
	tear_down(state);
	set_up_on_disk(state);
	snprintf(killed, sizeof(killed), "%s", after_days(true));
	assert_string_equal(again, first);
	assert_string_equal(killed, first);
	assert_null(strstr(first, "milk 0/0"));
	assert_int_equal(engine->learner.cells.list[0].row, 2);
}

/* A replay has no way out, and decides as the store did. */
static void
a_replay_learns_what_the_store_learned(void **state)
{
	char store[600];
	struct err err = { 0 };

	snprintf(store, sizeof(store), "%s", after_days(false));
	tear_down(state);
	set_up(state);
	engine_close(engine);
	options.no_outlets = true;
	assert_int_equal(engine_open(&options, &engine, &err), 0);
	assert_string_equal(after_days(false), store);
	assert_null(strstr(store, "milk 0/0"));
}

static void
another_bundle_begins_anew(void **state)
{
	(void)state;
	milk_and_tea();
	memset(engine->policy->hash, 'a', 64);
	for (int i = 0; i < 9; i++)
		a_day(12);
	assert_true(ratio("milk", 1) > 0);
	milk_and_tea();
	memset(engine->policy->hash, 'b', 64);
	assert_string_equal(decided(), "milk 0/0 0.5 0.25; tea 0/0 0.5 0.25; milk; tea");
	a_day(3);
	assert_int_equal(engine->learner.cells.count, 2);
	assert_int_equal(engine->learner.cells.list[0].sum.n, 4);
}

static void
weeks_that_are_over_take_a_sixteenth_each(void **state)
{
	int64_t p;

	(void)state;
	milk_and_tea();
	a_day(12); /* a Saturday */
	p = engine->learner.cells.list[0].sum.p;
	assert_int_equal(p, 12 * 32768);
	wait_for(15 * D_MS); /* a Monday: three weeks are over, and nobody said so yet */
	assert_int_equal(engine->learner.cells.list[0].sum.p, p);
	a_day(2);
	for (int week = 0; week < 3; week++)
		p = learner_decayed(p);
	assert_int_equal(engine->learner.cells.list[0].sum.p, p + 2 * 32768);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SPINE_TEST(what_the_past_bears_out_comes_into_force_and_changes_the_order),
		SPINE_TEST(a_chance_on_record_is_the_models_times_the_ratio_on_record),
		SPINE_TEST(a_ratio_is_the_days_and_what_is_taught_today_is_heard_of_tomorrow),
		SPINE_TEST(a_crash_changes_nothing_and_the_same_days_give_the_same_bits),
		SPINE_TEST(a_replay_learns_what_the_store_learned),
		SPINE_TEST(another_bundle_begins_anew),
		SPINE_TEST(weeks_that_are_over_take_a_sixteenth_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
