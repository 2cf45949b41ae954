/* SPDX-License-Identifier: Apache-2.0
 *
 * when.h - times and durations as text, and the store's local calendar.
 */
#ifndef AISLE_CORE_WHEN_H
#define AISLE_CORE_WHEN_H

#include "aisle/base.h"

#define WHEN_TEXT_SIZE 32
/* "2026-11-21T10:15:00.123Z" (always UTC, three digits). */
void when_text(int64_t ms, char out[static WHEN_TEXT_SIZE]);
/* RFC 3339 with zone (Z or ±hh:mm), optional fraction (digits after ms are cut), year 1970-9999;
 * false: not one. */
bool when_parse(const char *text, int64_t *ret_ms);
/* "2026-11-21T10:15:00.123" or with a blank for the T, seconds may be missing: as if it were UTC,
 * for zone_instant(). false: not one. */
bool when_parse_local(const char *text, int64_t *ret_ms);
/* "7d", "90s", "1.5h", "0d": number and s, m, h or d. false: not one, negative, or over 100
 * years. */
bool when_duration(const char *text, int64_t *ret_ms);
bool when_date(const char *text, int32_t *ret_days); /* "2026-12-24" → days since 1970-01-01 */

/* A time zone as its POSIX TZ rule ("CET-1CEST,M3.5.0,M10.5.0/3"): a pure
 * function of text that travels in the bundle, so that a tz update on the
 * gateway cannot change a replay. Rules before the current one are not known. */
struct zone;
/* NULL: not a POSIX TZ string (Mm.w.d rules, <…> names, also plain "UTC0") */
struct zone *zone_new(const char *posix);
void zone_free(struct zone *zone);
/* The instant at which the clocks show local_ms (as of when_parse_local): the first of two, and the
 * first after it where they skip it. NULL zone: UTC. */
int64_t zone_instant(const struct zone *zone, int64_t local_ms);
int32_t zone_offset_s(const struct zone *zone, int64_t ms); /* east of UTC; NULL zone: 0 */

struct local_time {
	int year, month, day; /* 2026, 1-12, 1-31 */
	int hour, minute, second;
	int weekday;	 /* 1 = Monday … 7 */
	int day_of_year; /* 1-366 */
	int32_t days;	 /* local date as days since 1970-01-01 */
};
struct local_time zone_local(const struct zone *zone, int64_t ms);
/* Start of the business day that ms falls in: the latest instant ≤ ms whose local
 * time is cut_minute after midnight. A cut in a skipped hour is the first instant
 * after it, in a doubled hour the first of the two. */
int64_t zone_day_start(const struct zone *zone, int64_t ms, int cut_minute);

#endif
