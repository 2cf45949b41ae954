/* SPDX-License-Identifier: Apache-2.0
 *
 * test_keep.c - how long HQ keeps what, as it is written and as it is counted.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "hq/keep.h"

static void
days_are_read_by_lane(void **state)
{
	struct keep keep;
	struct err err = { 0 };
	(void)state;
	assert_int_equal(keep_read("decision=14d,money=400d", &keep, &err), 0);
	assert_int_equal(keep.days[LANE_DECISION], 14);
	assert_int_equal(keep.days[LANE_MONEY], 400);
	assert_int_equal(keep.days[LANE_CONSENT], 0);
	assert_int_equal(keep_read("telemetry=24h", &keep, &err), 0);
	assert_int_equal(keep.days[LANE_TELEMETRY], 1);
	assert_int_equal(keep.days[LANE_DECISION], 0);
}

static void
nonsense_is_refused_and_changes_nothing(void **state)
{
	static const char *const bad[] = { "", "decision", "decision=", "decision=0d",
		"decision=36h", "decision=14", "decisions=14d", "decision=14d,", ",decision=14d",
		"decision=14d,decision=15d", "decision=14d money=4d", "=14d", "decision=-1d" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct keep keep = { .days = { 7, 7, 7, 7 } };
		struct err err = { 0 };
		assert_int_equal(keep_read(bad[i], &keep, &err), AISLE_E_INVALID);
		assert_int_equal(keep.days[LANE_DECISION], 7);
		assert_non_null(strstr(err.text, "expected"));
	}
}

static void
a_day_is_utc_s_and_so_many_of_them_are_kept(void **state)
{
	struct keep keep = { .days = { [LANE_DECISION] = 14 } };
	(void)state;
	assert_int_equal(keep_day(0), 0);
	assert_int_equal(keep_day(-1), -1);
	assert_int_equal(keep_day(D_MS - 1), 0);
	assert_int_equal(keep_day(D_MS), 1);
	assert_int_equal(keep_from(&keep, LANE_DECISION, 100), 86);
	assert_int_equal(keep_from(&keep, LANE_MONEY, 100), INT32_MIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_read_by_lane),
		cmocka_unit_test(nonsense_is_refused_and_changes_nothing),
		cmocka_unit_test(a_day_is_utc_s_and_so_many_of_them_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
