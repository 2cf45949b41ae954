/* SPDX-License-Identifier: Apache-2.0
 *
 * calendar.c - days since 1970-01-01 and the Gregorian calendar, both ways.
 */
#include "core/calendar.h"

/* From 0000-01-01 to 1970-01-01: 1970 years with 478 leap days. */
#define DAYS_TO_1970 719528
#define DAYS_400_YEARS 146097

/* clang-format off */
static const int16_t days_before_month[2][13] = {
	{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
	{0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366},
};
/* clang-format on */

int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

bool
calendar_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int
calendar_month_days(int year, int month)
{
	const int16_t *before = days_before_month[calendar_leap(year)];
	return before[month] - before[month - 1];
}

/* Days from 0000-01-01 to the first of January of a year ≥ 0. */
static int64_t
days_before_year(int64_t year)
{
	if (year <= 0)
		return 0;
	int64_t last = year - 1;
	return 365 * year + last / 4 - last / 100 + last / 400 + 1; /* year 0 was leap */
}

int64_t
calendar_days(int year, int month, int day)
{
	return days_before_year(year) + days_before_month[calendar_leap(year)][month - 1] + day -
	    1 - DAYS_TO_1970;
}

void
calendar_date(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t cycles = floor_div(days + DAYS_TO_1970, DAYS_400_YEARS);
	int64_t rest = days + DAYS_TO_1970 - cycles * DAYS_400_YEARS;
	/* Never too small, and too large by one at most. */
	int64_t year = rest / 365;
	if (days_before_year(year) > rest)
		year--;
	rest -= days_before_year(year);
	const int16_t *before = days_before_month[calendar_leap((int)year)];
	int month = 1;
	while (before[month] <= rest)
		month++;
	*ret_year = (int)(year + 400 * cycles);
	*ret_month = month;
	*ret_day = (int)rest - before[month - 1] + 1;
}

int
calendar_weekday(int64_t days)
{
	int64_t since_monday = days + 3; /* 1970-01-01 was a Thursday */
	return (int)(since_monday - 7 * floor_div(since_monday, 7)) + 1;
}
