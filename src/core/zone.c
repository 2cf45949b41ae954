/* SPDX-License-Identifier: Apache-2.0
 *
 * zone.c - a time zone as its POSIX TZ rule.
 *
 * DESIGN
 *   std offset [dst [offset] , start [/time] , end [/time]], as in POSIX.1 with
 *   the wider times (-167 to 167 hours) of RFC 8536 section 3.3.1. The offset
 *   at an instant is that of the newest change of the years around it: this
 *   needs no special case for the south, where summer time spans the new
 *   year, nor for rules that fall into a neighbouring year.
 *
 * INVARIANTS
 *   Offsets are kept in seconds east of UTC; POSIX writes them west.
 */
#include "core/when.h"

#include <stdlib.h>
#include <string.h>

#include "core/calendar.h"

#define DAY_S 86400

/* When in a year: Mm.w.d, Jn (1-365, 29 February never counted) or n (0-365). */
struct change {
	char kind; /* 'M', 'J', 'N' */
	int month, week, weekday, day;
	int time_s; /* local, after midnight */
};

struct zone {
	int std_s, dst_s; /* east of UTC */
	bool has_dst;
	struct change start, end; /* of summer time */
};

static bool
take_number(const char **at, int min, int max, int *ret)
{
	int value = 0, digits = 0;
	for (; **at >= '0' && **at <= '9' && digits < 3; (*at)++, digits++)
		value = value * 10 + (**at - '0');
	if (digits == 0 || value < min || value > max)
		return false;
	*ret = value;
	return true;
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Three characters or more: letters, or in <…> also digits and signs. */
static bool
take_name(const char **at)
{
	size_t len = 0;
	if (**at == '<') {
		(*at)++;
		for (;
		     is_letter(**at) || (**at >= '0' && **at <= '9') || **at == '+' || **at == '-';
		     len++)
			(*at)++;
		if (**at != '>')
			return false;
		(*at)++;
	} else {
		for (; is_letter(**at); len++)
			(*at)++;
	}
	return len >= 3;
}

/* [+-]hh[:mm[:ss]] as seconds. */
static bool
take_hms(const char **at, int hours_max, int *ret_s)
{
	int sign = **at == '-' ? -1 : 1, hour, minute = 0, second = 0;
	if (**at == '-' || **at == '+')
		(*at)++;
	if (!take_number(at, 0, hours_max, &hour))
		return false;
	if (**at == ':') {
		(*at)++;
		if (!take_number(at, 0, 59, &minute))
			return false;
		if (**at == ':') {
			(*at)++;
			if (!take_number(at, 0, 59, &second))
				return false;
		}
	}
	*ret_s = sign * (hour * 3600 + minute * 60 + second);
	return true;
}

static bool
take_month_rule(const char **at, struct change *change)
{
	(*at)++;
	change->kind = 'M';
	if (!take_number(at, 1, 12, &change->month) || *(*at)++ != '.')
		return false;
	if (!take_number(at, 1, 5, &change->week) || *(*at)++ != '.')
		return false;
	return take_number(at, 0, 6, &change->weekday);
}

static bool
take_change(const char **at, struct change *change)
{
	if (*(*at)++ != ',')
		return false;
	change->time_s = 2 * 3600;
	if (**at == 'M') {
		if (!take_month_rule(at, change))
			return false;
	} else if (**at == 'J') {
		(*at)++;
		change->kind = 'J';
		if (!take_number(at, 1, 365, &change->day))
			return false;
	} else {
		change->kind = 'N';
		if (!take_number(at, 0, 365, &change->day))
			return false;
	}
	if (**at != '/')
		return true;
	(*at)++;
	return take_hms(at, 167, &change->time_s);
}

static bool
zone_parse(const char *at, struct zone *zone)
{
	int west_s;
	if (!take_name(&at) || !take_hms(&at, 24, &west_s))
		return false;
	zone->std_s = zone->dst_s = -west_s;
	if (*at == '\0')
		return true;
	zone->has_dst = true;
	if (!take_name(&at))
		return false;
	zone->dst_s = zone->std_s + 3600;
	if (*at != ',') {
		if (!take_hms(&at, 24, &west_s))
			return false;
		zone->dst_s = -west_s;
	}
	return take_change(&at, &zone->start) && take_change(&at, &zone->end) && *at == '\0';
}

struct zone *
zone_new(const char *posix)
{
	struct zone zone = { 0 };
	if (posix == NULL || !zone_parse(posix, &zone))
		return NULL;
	struct zone *copy = mem_alloc(sizeof(*copy));
	*copy = zone;
	return copy;
}

void
zone_free(struct zone *zone)
{
	free(zone);
}

/* The local day that a change falls on. */
static int64_t
change_day(const struct change *change, int year)
{
	int64_t new_year = calendar_days(year, 1, 1);
	if (change->kind == 'N')
		return new_year + change->day;
	if (change->kind == 'J')
		return new_year + change->day - 1 + (calendar_leap(year) && change->day >= 60);
	int64_t first = calendar_days(year, change->month, 1);
	/* POSIX counts from Sunday = 0, calendar_weekday from Monday = 1. */
	int ahead = (change->weekday - calendar_weekday(first) % 7 + 7) % 7;
	int day = ahead + 7 * (change->week - 1);
	if (day >= calendar_month_days(year, change->month))
		day -= 7; /* week 5 is the last one, wherever that is */
	return first + day;
}

static int64_t
change_at_s(const struct change *change, int year, int before_s)
{
	return change_day(change, year) * DAY_S + change->time_s - before_s;
}

static int32_t
offset_at_s(const struct zone *zone, int64_t at_s)
{
	if (zone == NULL)
		return 0;
	if (!zone->has_dst)
		return zone->std_s;
	int year, month, day;
	calendar_date(floor_div(at_s, DAY_S), &year, &month, &day);
	int64_t newest = INT64_MIN;
	int32_t offset = zone->std_s;
	for (int y = year - 1; y <= year + 1; y++) {
		int64_t end = change_at_s(&zone->end, y, zone->dst_s);
		int64_t start = change_at_s(&zone->start, y, zone->std_s);
		if (end <= at_s && end > newest) {
			newest = end;
			offset = zone->std_s;
		}
		/* On a tie summer time wins: so rules say "all year". */
		if (start <= at_s && start >= newest) {
			newest = start;
			offset = zone->dst_s;
		}
	}
	return offset;
}

int32_t
zone_offset_s(const struct zone *zone, int64_t ms)
{
	return offset_at_s(zone, floor_div(ms, S_MS));
}

struct local_time
zone_local(const struct zone *zone, int64_t ms)
{
	int64_t local_s = floor_div(ms, S_MS) + zone_offset_s(zone, ms);
	struct local_time local = { .days = (int32_t)floor_div(local_s, DAY_S) };
	int rest = (int)(local_s - (int64_t)local.days * DAY_S);
	calendar_date(local.days, &local.year, &local.month, &local.day);
	local.hour = rest / 3600;
	local.minute = rest / 60 % 60;
	local.second = rest % 60;
	local.weekday = calendar_weekday(local.days);
	local.day_of_year = (int)(local.days - calendar_days(local.year, 1, 1)) + 1;
	return local;
}

/* The first instant whose local time is local_s, or the first after it if the clocks skip it. */
static int64_t
first_instant_s(const struct zone *zone, int64_t local_s)
{
	int32_t high = zone != NULL && zone->dst_s > zone->std_s ? zone->dst_s
	    : zone != NULL					 ? zone->std_s
								 : 0;
	int32_t low = zone != NULL && zone->dst_s > zone->std_s ? zone->std_s
	    : zone != NULL					? zone->dst_s
								: 0;
	int64_t early = local_s - high, late = local_s - low;
	if (offset_at_s(zone, early) == high)
		return early;
	if (offset_at_s(zone, late) == low)
		return late;
	/* Skipped: the change lies in (early, late]. */
	while (late - early > 1) {
		int64_t middle = early + (late - early) / 2;
		if (offset_at_s(zone, middle) == high)
			late = middle;
		else
			early = middle;
	}
	return late;
}

int64_t
zone_instant(const struct zone *zone, int64_t local_ms)
{
	int64_t local_s = floor_div(local_ms, S_MS);
	return first_instant_s(zone, local_s) * S_MS + (local_ms - local_s * S_MS);
}

int64_t
zone_day_start(const struct zone *zone, int64_t ms, int cut_minute)
{
	CHECK(cut_minute >= 0 && cut_minute < 24 * 60);
	/* From tomorrow: clocks that fall back over midnight begin a date before it is read. */
	int64_t day = (int64_t)zone_local(zone, ms).days + 1;
	int64_t start_ms;
	do {
		start_ms = first_instant_s(zone, day * DAY_S + cut_minute * INT64_C(60)) * S_MS;
		day--;
	} while (start_ms > ms);
	return start_ms;
}
