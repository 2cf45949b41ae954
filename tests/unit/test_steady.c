/* SPDX-License-Identifier: Apache-2.0
 *
 * test_steady.c - the store's time under wall clocks that jump, stop, or were never set.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/steady.h"
#include "core/when.h"

#define T0 INT64_C(1795255200000) /* 2026-11-21T10:00:00Z */
#define YEAR (365 * D_MS)

static const int64_t jumps[] = { -YEAR * 56, -10 * YEAR, -D_MS, -H_MS, H_MS, D_MS, 10 * YEAR,
	YEAR * 12, YEAR * 7000 };

static void
time_goes_with_a_wall_clock_that_is_right(void **state)
{
	struct steady steady;

	(void)state;
	steady_init(&steady, T0, T0 + D_MS, 1000);
	assert_false(steady.uncertain);
	assert_int_equal(steady_now(&steady, T0 + D_MS + 10, 1010), T0 + D_MS + 10);
	/* Adjusted by a little, and never back. */
	assert_int_equal(steady_now(&steady, T0 + D_MS + 1020, 1020), T0 + D_MS + 1020);
	assert_int_equal(steady_now(&steady, T0 + D_MS + 30, 1030), T0 + D_MS + 1020);
	assert_false(steady.uncertain);
}

static void
a_jump_makes_the_time_uncertain_and_does_not_move_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
		struct steady steady;

		steady_init(&steady, T0, T0, 0);
		assert_int_equal(steady_now(&steady, T0 + jumps[i] + S_MS, S_MS), T0 + S_MS);
		assert_true(steady.uncertain);
		/* Set right again. */
		assert_int_equal(steady_now(&steady, T0 + 2 * S_MS, 2 * S_MS), T0 + 2 * S_MS);
		assert_false(steady.uncertain);
	}
}

static void
a_start_with_a_clock_that_cannot_be_right_begins_where_the_state_ended(void **state)
{
	static const int64_t walls[] = { 0, T0 - 10 * YEAR, T0 - 6 * S_MS, T0 + 401 * D_MS,
		T0 + YEAR * 7000 };
	struct steady steady;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(walls); i++) {
		steady_init(&steady, T0, walls[i], 77);
		assert_true(steady.uncertain);
		assert_int_equal(steady_now(&steady, walls[i] + S_MS, 77 + S_MS), T0 + S_MS);
		assert_true(steady.uncertain);
	}
	steady_init(&steady, T0, T0 + 400 * D_MS, 77);
	assert_false(steady.uncertain);
	steady_init(&steady, 0, INT64_C(1735689600000) - 1, 0);
	assert_true(steady.uncertain);
	steady_init(&steady, 0, INT64_C(1735689600000), 0);
	assert_false(steady.uncertain);
}

/* A gateway without a battery: a minute after its start the network tells it the time. */
static void
a_clock_that_stays_ahead_is_taken_over_after_ten_minutes(void **state)
{
	struct steady steady;
	int64_t mono, now_ms = 0;

	(void)state;
	steady_init(&steady, T0, 0, 0);
	(void)steady_now(&steady, 59 * S_MS, 59 * S_MS);
	for (mono = MIN_MS; mono < 11 * MIN_MS; mono += S_MS) {
		now_ms = steady_now(&steady, T0 + D_MS + mono, mono);
		assert_true(steady.uncertain);
		assert_int_equal(now_ms, T0 + mono);
	}
	assert_int_equal(steady_now(&steady, T0 + D_MS + mono, mono), T0 + D_MS + mono);
	assert_false(steady.uncertain);
}

static void
a_clock_that_is_years_ahead_is_never_taken_over(void **state)
{
	struct steady steady;

	(void)state;
	steady_init(&steady, T0, T0, 0);
	for (int64_t mono = 0; mono < 30 * D_MS; mono += MIN_MS)
		assert_int_equal(steady_now(&steady, T0 + 12 * YEAR + mono, mono), T0 + mono);
	assert_true(steady.uncertain);
}

static void
a_clock_that_was_an_hour_ahead_is_waited_for_and_time_does_not_stand_still(void **state)
{
	struct steady steady;
	int64_t before = T0, now_ms, mono;

	(void)state;
	steady_init(&steady, T0, T0, 0);
	for (mono = S_MS; mono < 3 * H_MS && (mono == S_MS || steady.uncertain); mono += S_MS) {
		now_ms = steady_now(&steady, T0 - H_MS + mono, mono);
		assert_true(now_ms >= before && (now_ms > before || !steady.uncertain));
		before = now_ms;
	}
	assert_false(steady.uncertain);
	assert_in_range(mono, 2 * H_MS, 2 * H_MS + 15 * MIN_MS);
}

static void
a_new_gateway_has_its_first_time_from_the_first_clock_that_can_be_right(void **state)
{
	static const int64_t wrong[] = { 0, 86400000, INT64_C(1735689599000),
		INT64_C(4102444800000), T0 + YEAR * 7000 };
	struct steady steady;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		steady_init(&steady, 0, wrong[i], 0);
		assert_true(steady.uncertain);
		steady_now(&steady, wrong[i] + 10, 10);
		assert_true(steady.uncertain);
		/* It was on record, and then the gateway was started again. */
		steady_init(&steady, steady.now_ms, wrong[i] + 20, 20);
		assert_true(steady.uncertain);
		/* A time server was heard. */
		assert_int_equal(steady_now(&steady, T0, 30), T0);
		assert_false(steady.uncertain);
	}
	steady_init(&steady, 0, INT64_C(1735689600000), 0);
	assert_false(steady.uncertain);
	steady_init(&steady, 0, INT64_C(4102444799999), 0);
	assert_false(steady.uncertain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_goes_with_a_wall_clock_that_is_right),
		cmocka_unit_test(a_jump_makes_the_time_uncertain_and_does_not_move_it),
		cmocka_unit_test(
		    a_start_with_a_clock_that_cannot_be_right_begins_where_the_state_ended),
		cmocka_unit_test(a_clock_that_stays_ahead_is_taken_over_after_ten_minutes),
		cmocka_unit_test(a_clock_that_is_years_ahead_is_never_taken_over),
		cmocka_unit_test(
		    a_new_gateway_has_its_first_time_from_the_first_clock_that_can_be_right),
		cmocka_unit_test(
		    a_clock_that_was_an_hour_ahead_is_waited_for_and_time_does_not_stand_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
