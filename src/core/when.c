/* SPDX-License-Identifier: Apache-2.0
 *
 * when.c - times, dates and durations as text. All arithmetic is in integers,
 * so 0.1s is 100 ms and never 99.
 */
#include "core/when.h"

#include <stdio.h>
#include <string.h>

#include "core/calendar.h"

#define DURATION_MS_MAX (36525 * D_MS)	     /* 100 years */
#define WHEN_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static char *
put_digits(char *at, int value, int count)
{
	for (int i = count - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + count;
}

void
when_text(int64_t ms, char out[static WHEN_TEXT_SIZE])
{
	/* Outside the four-digit years there is no such text: the nearest there is. */
	if (ms > WHEN_MS_MAX)
		ms = WHEN_MS_MAX;
	if (ms < -62167219200000)
		ms = -62167219200000;
	int64_t days = floor_div(ms, D_MS);
	int rest = (int)(ms - days * D_MS);
	int year, month, day;
	calendar_date(days, &year, &month, &day);
	/* By hand: each record has one, and printf takes fifty times as long. */
	const struct {
		int value, digits;
		char then;
	} parts[] = { { year, 4, '-' }, { month, 2, '-' }, { day, 2, 'T' },
		{ rest / 3600000, 2, ':' }, { rest / 60000 % 60, 2, ':' },
		{ rest / 1000 % 60, 2, '.' }, { rest % 1000, 3, 'Z' } };
	char *at = out;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		at = put_digits(at, parts[i].value, parts[i].digits);
		*at++ = parts[i].then;
	}
	*at = '\0';
}

/* Exactly count digits; moves *at behind them. */
static bool
take_digits(const char **at, int count, int *ret)
{
	int value = 0;
	for (int i = 0; i < count; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	*ret = value;
	return true;
}

static bool
take_char(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool
take_date(const char **at, int64_t *ret_days)
{
	int year, month, day;
	if (!take_digits(at, 4, &year) || !take_char(at, '-') || !take_digits(at, 2, &month) ||
	    !take_char(at, '-') || !take_digits(at, 2, &day))
		return false;
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > calendar_month_days(year, month))
		return false;
	*ret_days = calendar_days(year, month, day);
	return true;
}

/* "15:04:05.123": ms of the day. A leap second is allowed here and judged by the caller. */
static bool
take_time(const char **at, int64_t *ret_ms, bool *ret_leap)
{
	int hour, minute, second, ms = 0;
	if (!take_digits(at, 2, &hour) || !take_char(at, ':') || !take_digits(at, 2, &minute) ||
	    !take_char(at, ':') || !take_digits(at, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	if (take_char(at, '.')) {
		if (**at < '0' || **at > '9')
			return false;
		for (int weight = 100; **at >= '0' && **at <= '9'; (*at)++, weight /= 10)
			ms += (**at - '0') * weight;
	}
	*ret_leap = second == 60;
	*ret_ms = hour * H_MS + minute * MIN_MS + second * S_MS + ms;
	return true;
}

static bool
take_zone(const char **at, int64_t *ret_east_ms)
{
	int sign = **at == '-' ? -1 : 1, hour, minute;
	if (**at == 'Z' || **at == 'z') {
		(*at)++;
		*ret_east_ms = 0;
		return true;
	}
	if (!take_char(at, '+') && !take_char(at, '-'))
		return false;
	if (!take_digits(at, 2, &hour) || !take_char(at, ':') || !take_digits(at, 2, &minute))
		return false;
	if (hour > 23 || minute > 59)
		return false;
	*ret_east_ms = sign * (hour * H_MS + minute * MIN_MS);
	return true;
}

bool
when_parse(const char *text, int64_t *ret_ms)
{
	const char *at = text;
	int64_t days, time_ms, east_ms;
	bool leap;
	if (!take_date(&at, &days) || (!take_char(&at, 'T') && !take_char(&at, 't')) ||
	    !take_time(&at, &time_ms, &leap) || !take_zone(&at, &east_ms) || *at != '\0')
		return false;
	int64_t ms = days * D_MS + time_ms - east_ms;
	/* Leap seconds end a UTC day, nothing else; here they are the next day's first second. */
	if (leap && floor_div(ms, D_MS) * D_MS + S_MS <= ms)
		return false;
	if (ms < 0 || ms > WHEN_MS_MAX)
		return false;
	*ret_ms = ms;
	return true;
}

bool
when_parse_local(const char *text, int64_t *ret_ms)
{
	const char *at = text, *short_time;
	int64_t days, time_ms = 0;
	int hour, minute;
	bool leap = false;
	if (!take_date(&at, &days) ||
	    (!take_char(&at, 'T') && !take_char(&at, 't') && !take_char(&at, ' ')))
		return false;
	short_time = at;
	if (!take_time(&at, &time_ms, &leap) || *at != '\0') {
		at = short_time;
		if (!take_digits(&at, 2, &hour) || !take_char(&at, ':') ||
		    !take_digits(&at, 2, &minute) || *at != '\0' || hour > 23 || minute > 59)
			return false;
		time_ms = hour * H_MS + minute * MIN_MS;
	}
	*ret_ms = days * D_MS + time_ms;
	return !leap && *ret_ms <= WHEN_MS_MAX;
}

bool
when_duration(const char *text, int64_t *ret_ms)
{
	static const struct {
		char name;
		int64_t ms;
	} units[] = { { 's', S_MS }, { 'm', MIN_MS }, { 'h', H_MS }, { 'd', D_MS } };
	const char *at = text;
	int64_t whole = 0, fraction = 0, scale = 1;
	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		whole = whole * 10 + (*at - '0');
		if (whole > DURATION_MS_MAX / S_MS)
			return false;
	}
	if (take_char(&at, '.')) {
		if (*at < '0' || *at > '9')
			return false;
		for (; *at >= '0' && *at <= '9'; at++) {
			if (scale < 1000000000) { /* what follows is below 1 ms */
				fraction = fraction * 10 + (*at - '0');
				scale *= 10;
			}
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (*at != units[i].name || at[1] != '\0')
			continue;
		int64_t ms = fraction * units[i].ms / scale;
		if (whole > (DURATION_MS_MAX - ms) / units[i].ms)
			return false;
		*ret_ms = whole * units[i].ms + ms;
		return true;
	}
	return false;
}

bool
when_date(const char *text, int32_t *ret_days)
{
	int64_t days;
	if (!take_date(&text, &days) || *text != '\0')
		return false;
	*ret_days = (int32_t)days;
	return true;
}
