/* SPDX-License-Identifier: Apache-2.0
 *
 * test_when_fetched.c - hours of the day, and a moment of the store's own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "sync/when_fetched.h"

#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static int64_t
at(const char *text)
{
	int64_t ms;
	assert_true(when_parse(text, &ms));
	return ms;
}

static struct fetch_terms
hours(int from, int to, int64_t jitter_s)
{
	return (struct fetch_terms){ .from_min = from, .to_min = to, .jitter_s = jitter_s };
}

static void
stores_spread_over_the_jitter_and_each_has_one_moment(void **state)
{
	(void)state;
	struct fetch_terms terms = hours(0, 0, 600);
	int tenths[10] = { 0 };
	for (int i = 0; i < 2000; i++) {
		char store[12];
		snprintf(store, sizeof(store), "s%d", i);
		int64_t offset = fetch_offset_s(&terms, store, HASH);
		assert_in_range(offset, 0, 599);
		assert_int_equal(fetch_offset_s(&terms, store, HASH), offset);
		tenths[offset / 60]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(tenths[i], 140, 260);
	terms.jitter_s = 1;
	assert_int_equal(fetch_offset_s(&terms, "s", HASH), 0);
	terms.jitter_s = 0;
	assert_int_equal(fetch_offset_s(&terms, "s", HASH), 0);
}

static void
without_hours_only_the_moment_counts(void **state)
{
	(void)state;
	struct fetch_terms terms = hours(0, 0, 600);
	int64_t since = at("2026-11-30T12:00:00Z");
	assert_true(fetch_allowed(&terms, NULL, 0, since, since));
	assert_false(fetch_allowed(&terms, NULL, 100, since, since + 99999));
	assert_true(fetch_allowed(&terms, NULL, 100, since, since + 100000));
	/* The clock was set back to before it was wanted. */
	assert_true(fetch_allowed(&terms, NULL, 100, since, since - D_MS));
}

static void
hours_begin_and_end_to_the_second_also_over_midnight(void **state)
{
	(void)state;
	struct fetch_terms night = hours(22 * 60, 6 * 60, 0), noon = hours(12 * 60, 13 * 60, 0);
	int64_t since = at("2026-11-29T12:00:00Z");
	static const struct {
		const char *when;
		bool night, noon;
	} rows[] = {
		{ "2026-11-30T21:59:59Z", false, false },
		{ "2026-11-30T22:00:00Z", true, false },
		{ "2026-12-01T00:00:00Z", true, false },
		{ "2026-12-01T05:59:59Z", true, false },
		{ "2026-12-01T06:00:00Z", false, false },
		{ "2026-12-01T11:59:59Z", false, false },
		{ "2026-12-01T12:00:00Z", false, true },
		{ "2026-12-01T12:59:59Z", false, true },
		{ "2026-12-01T13:00:00Z", false, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(fetch_allowed(&night, NULL, 0, since, at(rows[i].when)),
		    rows[i].night);
		assert_int_equal(fetch_allowed(&noon, NULL, 0, since, at(rows[i].when)),
		    rows[i].noon);
	}
}

static void
the_day_is_that_of_the_store(void **state)
{
	(void)state;
	struct zone *zone = zone_new("CET-1CEST,M3.5.0,M10.5.0/3");
	struct fetch_terms night = hours(22 * 60, 6 * 60, 0);
	int64_t since = at("2026-07-01T00:00:00Z");
	assert_false(fetch_allowed(&night, zone, 0, since, at("2026-07-10T19:59:59Z")));
	assert_true(fetch_allowed(&night, zone, 0, since, at("2026-07-10T20:00:00Z")));
	assert_false(fetch_allowed(&night, zone, 0, since, at("2026-12-10T20:59:59Z")));
	assert_true(fetch_allowed(&night, zone, 0, since, at("2026-12-10T21:00:00Z")));
	zone_free(zone);
}

static void
a_store_does_not_begin_with_the_hours_but_at_its_moment(void **state)
{
	(void)state;
	struct fetch_terms night = hours(22 * 60, 6 * 60, 3600);
	int64_t noon = at("2026-11-30T12:00:00Z"), begin = at("2026-11-30T22:00:00Z");
	assert_false(fetch_allowed(&night, NULL, 1800, noon, begin + 1799 * S_MS));
	assert_true(fetch_allowed(&night, NULL, 1800, noon, begin + 1800 * S_MS));
	/* The same in the next night, where the first was not enough. */
	assert_false(fetch_allowed(&night, NULL, 1800, noon, begin + D_MS + 1799 * S_MS));
	assert_true(fetch_allowed(&night, NULL, 1800, noon, begin + D_MS + 1800 * S_MS));
	/* Wanted in the middle of the night: its moment after that. */
	int64_t middle = begin + 2 * H_MS;
	assert_false(fetch_allowed(&night, NULL, 1800, middle, middle + 1799 * S_MS));
	assert_true(fetch_allowed(&night, NULL, 1800, middle, middle + 1800 * S_MS));
	/* A moment beyond the end of the hours is one within them. */
	struct fetch_terms hour = hours(12 * 60, 13 * 60, 7200);
	int64_t morning = at("2026-11-30T06:00:00Z"), twelve = at("2026-11-30T12:00:00Z");
	assert_false(fetch_allowed(&hour, NULL, 3700, morning, twelve + 99 * S_MS));
	assert_true(fetch_allowed(&hour, NULL, 3700, morning, twelve + 100 * S_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_spread_over_the_jitter_and_each_has_one_moment),
		cmocka_unit_test(without_hours_only_the_moment_counts),
		cmocka_unit_test(hours_begin_and_end_to_the_second_also_over_midnight),
		cmocka_unit_test(the_day_is_that_of_the_store),
		cmocka_unit_test(a_store_does_not_begin_with_the_hours_but_at_its_moment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
