/* SPDX-License-Identifier: Apache-2.0
 *
 * test_release_step.c - every state of a release against every event.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "daemon/release_step.h"

static void
a_release_goes_from_the_wire_into_force(void **state)
{
	static const struct {
		enum release_event event;
		enum release_state after;
	} way[] = {
		{ RELEASE_ACCEPTED, RELEASE_FETCHING },
		{ RELEASE_FETCHED, RELEASE_STAGED },
		{ RELEASE_BEGUN, RELEASE_EXAMINING },
		{ RELEASE_SWITCHED, RELEASE_PROBATION },
		{ RELEASE_KEPT, RELEASE_GOOD },
	};
	enum release_state at = RELEASE_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(way); i++) {
		at = release_step(at, way[i].event);
		assert_int_equal(at, way[i].after);
	}
}

static void
a_newer_release_takes_the_place_of_any(void **state)
{
	(void)state;
	for (int at = 0; at < RELEASE_STATES_COUNT; at++)
		assert_int_equal(release_step((enum release_state)at, RELEASE_ACCEPTED),
		    RELEASE_FETCHING);
}

static void
what_fails_before_it_is_in_force_is_refused_and_nothing_else_is(void **state)
{
	(void)state;
	for (int at = 0; at < RELEASE_STATES_COUNT; at++) {
		enum release_state after = release_step((enum release_state)at, RELEASE_FAILED);

		assert_int_equal(after,
		    release_is_running((enum release_state)at) ? RELEASE_REFUSED : at);
	}
}

static void
only_what_is_on_probation_is_rolled_back(void **state)
{
	(void)state;
	for (int at = 0; at < RELEASE_STATES_COUNT; at++)
		assert_int_equal(release_step((enum release_state)at, RELEASE_BACK),
		    at == RELEASE_PROBATION ? RELEASE_ROLLED_BACK : at);
}

static void
a_policy_comes_into_force_only_from_its_exam_or_is_there_already(void **state)
{
	(void)state;
	for (int at = 0; at < RELEASE_STATES_COUNT; at++)
		if (at != RELEASE_EXAMINING && at != RELEASE_PROBATION && at != RELEASE_FETCHING)
			assert_int_not_equal(release_step((enum release_state)at, RELEASE_SWITCHED),
			    RELEASE_PROBATION);
}

static void
what_ended_stays_as_it_is_whatever_comes_late(void **state)
{
	static const enum release_state ends[] = { RELEASE_GOOD, RELEASE_REFUSED,
		RELEASE_ROLLED_BACK };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		for (int event = RELEASE_FETCHED; event < RELEASE_EVENTS_COUNT; event++)
			assert_int_equal(release_step(ends[i], (enum release_event)event), ends[i]);
}

static void
a_hold_ends_and_begins_again_with_the_fetch(void **state)
{
	(void)state;
	for (int at = 0; at < RELEASE_STATES_COUNT; at++) {
		if (!release_is_running((enum release_state)at))
			continue;
		assert_int_equal(release_step((enum release_state)at, RELEASE_HELD),
		    RELEASE_WAITING);
		assert_int_equal(release_step((enum release_state)at, RELEASE_AGAIN),
		    RELEASE_FETCHING);
	}
}

static void
each_state_has_a_name_that_leads_back_to_it(void **state)
{
	(void)state;
	for (int at = 0; at < RELEASE_STATES_COUNT; at++)
		assert_int_equal(release_state_by_name(release_state_name((enum release_state)at)),
		    at);
	assert_int_equal(release_state_by_name("better"), RELEASE_STATES_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_release_goes_from_the_wire_into_force),
		cmocka_unit_test(a_newer_release_takes_the_place_of_any),
		cmocka_unit_test(what_fails_before_it_is_in_force_is_refused_and_nothing_else_is),
		cmocka_unit_test(only_what_is_on_probation_is_rolled_back),
		cmocka_unit_test(a_policy_comes_into_force_only_from_its_exam_or_is_there_already),
		cmocka_unit_test(what_ended_stays_as_it_is_whatever_comes_late),
		cmocka_unit_test(a_hold_ends_and_begins_again_with_the_fetch),
		cmocka_unit_test(each_state_has_a_name_that_leads_back_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
