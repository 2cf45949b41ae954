/* SPDX-License-Identifier: Apache-2.0
 *
 * test_when.c - times as text, durations, and the store's calendar beside the C library's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/when.h"
#include "core/zone_file.h"

static int64_t
at(const char *text)
{
	int64_t ms = -1;
	if (!when_parse(text, &ms))
		fail_msg("%s does not parse", text);
	return ms;
}

static void
a_time_comes_back_in_utc_with_three_digits(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "2026-11-21T10:15:00.123Z", "2026-11-21T10:15:00.123Z" },
		{ "2026-11-21T11:15:00+01:00", "2026-11-21T10:15:00.000Z" },
		{ "2026-11-21t10:15:00.1z", "2026-11-21T10:15:00.100Z" },
		{ "2026-11-21T10:15:00.123999Z", "2026-11-21T10:15:00.123Z" },
		{ "2026-11-21T00:00:00-23:59", "2026-11-21T23:59:00.000Z" },
		{ "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z" },
		{ "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z" },
		{ "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z" },
		{ "2000-02-29T12:00:00Z", "2000-02-29T12:00:00.000Z" },
		{ "2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500Z" },
		{ "2017-01-01T00:59:60+01:00", "2017-01-01T00:00:00.000Z" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[WHEN_TEXT_SIZE];
		when_text(at(rows[i].in), text);
		assert_string_equal(text, rows[i].out);
	}
	assert_true(at("2026-11-21T10:15:00.123Z") == INT64_C(1795256100123));
}

static void
what_is_not_rfc_3339_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"2026-11-21",
		"2026-11-21T10:15:00",
		"2026-11-21 10:15:00Z",
		"2026-11-21T10:15Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:61Z",
		"2026-01-01T12:00:60Z",
		"2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00Z ",
		" 2026-01-01T00:00:00Z",
		"2026-01-01T00:00:00+24:00",
		"2026-01-01T00:00:00+01:60",
		"2026-01-01T00:00:00+0100",
		"2026-1-01T00:00:00Z",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"02026-01-01T00:00:00Z",
		"2026-01-01T00:00:00,5Z",
		"-026-01-01T00:00:00Z",
	};
	int64_t ms = 77;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (when_parse(bad[i], &ms))
			fail_msg("%s parses", bad[i]);
	}
	assert_int_equal(ms, 77);
}

static void
durations_are_exact(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "7d", 7 * D_MS },
		{ "90s", 90000 },
		{ "1.5h", 90 * MIN_MS },
		{ "0d", 0 },
		{ "0.1s", 100 },
		{ "0.001s", 1 },
		{ "0.0019s", 1 },
		{ "2m", 120000 },
		{ "36525d", 36525 * D_MS },
		{ "0.5d", 12 * H_MS },
		{ "3155760000s", 36525 * D_MS },
		{ "0.0000000000000001d", 0 },
		{ "007d", 7 * D_MS },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t ms = -1;
		assert_true(when_duration(rows[i].text, &ms));
		assert_true(ms == rows[i].ms);
	}
	static const char *const bad[] = { "", "d", "7", "7 d", "-1d", "+1d", "1w", "1dd", ".5d",
		"1.d", "1e3s", "36526d", "36525.1d", "3155760001s", "99999999999999999999s", "0x1d",
		"nan", "1.5.5h" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t ms;
		if (when_duration(bad[i], &ms))
			fail_msg("%s is a duration", bad[i]);
	}
}

static void
dates_count_from_1970(void **state)
{
	(void)state;
	int32_t days;
	assert_true(when_date("1970-01-01", &days) && days == 0);
	assert_true(when_date("2026-12-24", &days) && days == 20811);
	assert_true(when_date("9999-12-31", &days) && days == 2932896);
	assert_false(when_date("2026-12-24T00:00:00Z", &days));
	assert_false(when_date("1969-12-31", &days));
	assert_false(when_date("2026-02-30", &days));
}

/* Berlin's clocks skip 02:00-03:00 on 29 March 2026 and show it twice on 25 October. */
static void
a_local_time_is_an_instant(void **state)
{
	static const struct {
		const char *local, *instant;
	} times[] = {
		{ "2026-11-21T10:15:00", "2026-11-21T09:15:00.000Z" },
		{ "2026-11-21 10:15:00.123456", "2026-11-21T09:15:00.123Z" },
		{ "2026-07-01 10:15", "2026-07-01T08:15:00.000Z" },
		{ "2026-03-29T01:59:59", "2026-03-29T00:59:59.000Z" },
		{ "2026-03-29T02:30:00", "2026-03-29T01:00:00.000Z" },
		{ "2026-03-29T03:00:00", "2026-03-29T01:00:00.000Z" },
		{ "2026-10-25T02:30:00", "2026-10-25T00:30:00.000Z" },
		{ "2026-10-25T03:00:00", "2026-10-25T02:00:00.000Z" },
	};
	static const char *const bad[] = { "", "2026-11-21", "2026-11-21T", "2026-11-21T10",
		"2026-11-21T10:15:00Z", "2026-11-21T10:15:00+01:00", "2026-11-21T24:00:00",
		"2026-02-30T10:00:00", "2026-11-21T10:15:60", "2026-11-21T10:60",
		"21.11.2026 10:15", "2026-11-21  10:15" };
	struct zone *zone = zone_by_name("Europe/Berlin");
	char text[WHEN_TEXT_SIZE];
	int64_t ms;

	(void)state;
	assert_non_null(zone);
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		assert_true(when_parse_local(times[i].local, &ms));
		when_text(zone_instant(zone, ms), text);
		assert_string_equal(text, times[i].instant);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (when_parse_local(bad[i], &ms))
			fail_msg("%s is no local time", bad[i]);
	assert_int_equal(zone_instant(NULL, 12345), 12345);
	zone_free(zone);
	assert_null(zone_by_name("Europe/Atlantis"));
	assert_null(zone_by_name("../../etc/passwd"));
	assert_null(zone_by_name(""));
}

static void
what_is_not_a_posix_zone_is_refused(void **state)
{
	(void)state;
	static const char *const good[] = { "UTC0", "CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "EST5EDT4,0/0,J365/25",
		"IST-2IDT,M3.4.4/26,M10.5.0", "NZST-12NZDT,M9.5.0,M4.1.0/3", "<+1030>-10:30",
		"AAA24", "EET-2EEST,M3.5.0/-167,M10.5.0/167" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct zone *zone = zone_new(good[i]);
		if (zone == NULL)
			fail_msg("%s is a zone", good[i]);
		zone_free(zone);
	}
	static const char *const bad[] = { "", "UTC", "AB0", "Europe/Berlin", "CET-1CEST",
		"CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
		"CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
		"CET-1CEST,M3.5.0,M10.5.0/168", "CET-1CEST,M3.5.0,M10.5.0 ", "<+3>-3x", "<+03-3",
		"CET-25", "CET-1:60", "CET-1CEST,J0,J10", "CET-1CEST,366,10", "<>0",
		"CET-1CEST,M3.5.0,", "CET-1CEST,J366,J10", "CET--1", "CET-1CEST,M3.5.0/,M10.5.0" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (zone_new(bad[i]) != NULL)
			fail_msg("%s is no zone", bad[i]);
	}
	assert_null(zone_new(NULL));
	zone_free(NULL);
}

static void
a_zone_file_says_its_rule_in_its_last_line_or_is_none(void **state)
{
	static const char head[44] = "TZif2";
	static const struct {
		const char *tail;
		size_t len;
		const char *rule; /* NULL: none */
	} files[] = {
		{ "\nUTC0\n", 6, "UTC0" },
		{ "\n\n", 2, NULL },
		{ "\nUTC0", 5, NULL },
		{ "UTC0\n\n", 6, NULL },
		/* Text to the C library would end before its end. */
		{ "\n\0UTC0\n", 7, NULL },
		{ "\nUTC0\0\n", 7, NULL },
	};
	char bytes[64], rule[ZONE_RULE_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		memcpy(bytes, head, sizeof(head));
		memcpy(bytes + sizeof(head), files[i].tail, files[i].len);
		bool is_one = zone_rule_of_file(bytes, sizeof(head) + files[i].len, rule);

		assert_int_equal(is_one, files[i].rule != NULL);
		if (is_one)
			assert_string_equal(rule, files[i].rule);
	}
}

static void
local_time_is_what_the_c_library_says(void **state)
{
	(void)state;
	static const char *const names[] = { "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0",
		"NZST-12NZDT,M9.5.0,M4.1.0/3", "AEST-10AEDT,M10.1.0,M4.1.0/3", "<+0330>-3:30",
		"<-03>3", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "IST-2IDT,M3.4.4/26,M10.5.0",
		"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "EET-2EEST,M4.5.5/0,M10.5.4/24",
		"<-04>4<-03>,M9.1.6/24,M4.1.6/24", "UTC0", "IST-1GMT0,M10.5.0,M3.5.0/1",
		"AAA-3BBB,J60,J300", "AAA-3BBB,59,299" };
	uint64_t random = 12345;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct zone *zone = zone_new(names[i]);
		assert_non_null(zone);
		setenv("TZ", names[i], 1);
		tzset();
		for (int n = 0; n < 20000; n++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			/* As far as this machine's own time_t goes: the C library is what we compare with. */
			int64_t s = (int64_t)(random >> 20) %
			    (sizeof(time_t) > 4 ? INT64_C(130) * 365 * 86400 : INT32_MAX);
			if (n % 2 == 0)
				s -= s % 900; /* the changes fall on quarters */
			time_t now = (time_t)s;
			struct tm tm;
			localtime_r(&now, &tm);
			struct local_time local = zone_local(zone, s * 1000 + n % 1000);
			if (local.year != tm.tm_year + 1900 || local.month != tm.tm_mon + 1 ||
			    local.day != tm.tm_mday || local.hour != tm.tm_hour ||
			    local.minute != tm.tm_min || local.second != tm.tm_sec ||
			    local.weekday % 7 != tm.tm_wday || local.day_of_year != tm.tm_yday + 1)
				fail_msg("%s at %lld: %d-%d-%d %d:%d", names[i], (long long)s,
				    local.year, local.month, local.day, local.hour, local.minute);
			assert_int_equal(zone_offset_s(zone, s * 1000), tm.tm_gmtoff);
		}
		zone_free(zone);
	}
}

static void
a_rule_can_say_summer_time_all_year(void **state)
{
	(void)state;
	struct zone *zone = zone_new("EST3EDT4,0/0,J365/23"); /* RFC 8536, section 3.3.1 */
	for (int64_t ms = at("2025-12-01T00:00:00Z"); ms < at("2029-02-01T00:00:00Z");
	     ms += 7 * MIN_MS)
		assert_int_equal(zone_offset_s(zone, ms), -4 * 3600);
	zone_free(zone);
}

static void
start_is(const struct zone *zone, const char *now, int cut_minute, const char *start)
{
	char text[WHEN_TEXT_SIZE];
	when_text(zone_day_start(zone, at(now), cut_minute), text);
	assert_string_equal(text, start);
}

static void
the_business_day_begins_at_the_cut(void **state)
{
	(void)state;
	struct zone *zone = zone_new("CET-1CEST,M3.5.0,M10.5.0/3");
	start_is(zone, "2026-11-21T03:00:00Z", 240, "2026-11-21T03:00:00.000Z");
	start_is(zone, "2026-11-21T02:59:59.999Z", 240, "2026-11-20T03:00:00.000Z");
	start_is(zone, "2026-07-01T02:00:00Z", 240, "2026-07-01T02:00:00.000Z");
	/* 02:30 is skipped on 29 March 2026: the first instant after it is 03:00 = 01:00Z. */
	start_is(zone, "2026-03-29T00:59:59.999Z", 150, "2026-03-28T01:30:00.000Z");
	start_is(zone, "2026-03-29T01:00:00Z", 150, "2026-03-29T01:00:00.000Z");
	/* 02:30 comes twice on 25 October 2026: the first is 00:30Z. */
	start_is(zone, "2026-10-25T00:29:59.999Z", 150, "2026-10-24T00:30:00.000Z");
	start_is(zone, "2026-10-25T00:30:00Z", 150, "2026-10-25T00:30:00.000Z");
	start_is(zone, "2026-10-25T01:15:00Z", 150, "2026-10-25T00:30:00.000Z");
	start_is(zone, "2026-10-25T01:45:00Z", 150, "2026-10-25T00:30:00.000Z");
	zone_free(zone);
	start_is(NULL, "2026-03-29T00:00:00Z", 0, "2026-03-29T00:00:00.000Z");
	start_is(NULL, "2026-03-29T23:58:59Z", 1439, "2026-03-28T23:59:00.000Z");

	/* Clocks that go back over midnight: at 00:30 to 23:30, and at 24:00 to 23:00 (Nuuk, Santiago). */
	zone = zone_new("AAA0BBB,M3.5.0,M10.5.0/0:30");
	start_is(zone, "2026-10-24T23:05:00Z", 0, "2026-10-24T23:00:00.000Z");
	start_is(zone, "2026-10-24T23:45:00Z", 0, "2026-10-24T23:00:00.000Z");
	start_is(zone, "2026-10-25T00:10:00Z", 0, "2026-10-24T23:00:00.000Z");
	zone_free(zone);
	zone = zone_new("<-04>4<-03>,M9.1.6/24,M4.1.6/24");
	start_is(zone, "2026-04-05T03:30:00Z", 0, "2026-04-04T03:00:00.000Z");
	start_is(zone, "2026-04-05T04:00:00Z", 0, "2026-04-05T04:00:00.000Z");
	/* Midnight itself is skipped on 6 September 2026. */
	start_is(zone, "2026-09-06T03:59:59Z", 0, "2026-09-05T04:00:00.000Z");
	start_is(zone, "2026-09-06T04:00:00Z", 0, "2026-09-06T04:00:00.000Z");
	zone_free(zone);
}

static void
a_day_start_is_the_latest_instant_at_the_cut(void **state)
{
	(void)state;
	static const char *const names[] = { "CET-1CEST,M3.5.0,M10.5.0/3",
		"NZST-12NZDT,M9.5.0,M4.1.0/3", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
		"IST-1GMT0,M10.5.0,M3.5.0/1" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct zone *zone = zone_new(names[i]);
		int64_t last = 0;
		for (int64_t ms = at("2026-01-01T00:00:00Z"); ms < at("2027-01-01T00:00:00Z");
		     ms += 37 * MIN_MS) {
			int64_t start = zone_day_start(zone, ms, 240);
			assert_true(start <= ms && ms - start <= 25 * H_MS);
			assert_true(start >= last);
			assert_true(zone_day_start(zone, start, 240) == start);
			assert_true(zone_day_start(zone, start - 1, 240) < start);
			struct local_time local = zone_local(zone, start);
			assert_int_equal(local.hour * 60 + local.minute, 240);
			last = start;
		}
		zone_free(zone);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_comes_back_in_utc_with_three_digits),
		cmocka_unit_test(what_is_not_rfc_3339_is_refused),
		cmocka_unit_test(durations_are_exact),
		cmocka_unit_test(dates_count_from_1970),
		cmocka_unit_test(a_local_time_is_an_instant),
		cmocka_unit_test(what_is_not_a_posix_zone_is_refused),
		cmocka_unit_test(a_zone_file_says_its_rule_in_its_last_line_or_is_none),
		cmocka_unit_test(local_time_is_what_the_c_library_says),
		cmocka_unit_test(a_rule_can_say_summer_time_all_year),
		cmocka_unit_test(the_business_day_begins_at_the_cut),
		cmocka_unit_test(a_day_start_is_the_latest_instant_at_the_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
