/* SPDX-License-Identifier: Apache-2.0
 *
 * keep.c - how many days HQ keeps the records of each lane.
 */
#include "hq/keep.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/when.h"

int
keep_lane(const char *name)
{
	for (int i = 0; i < LANE_COUNT; i++) {
		if (strcmp(name, lane_names[i]) == 0)
			return i;
	}
	return -1;
}

static bool
read_one(const char *text, size_t len, struct keep *keep)
{
	char name[16], value[32];
	const char *equal = memchr(text, '=', len);
	int64_t ms;
	if (equal == NULL)
		return false;
	size_t name_len = (size_t)(equal - text), value_len = len - name_len - 1;
	if (name_len >= sizeof(name) || value_len >= sizeof(value))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)name_len, text);
	snprintf(value, sizeof(value), "%.*s", (int)value_len, equal + 1);
	int lane = keep_lane(name);
	if (lane < 0 || keep->days[lane] != 0 || !when_duration(value, &ms) || ms < D_MS ||
	    ms % D_MS != 0)
		return false;
	keep->days[lane] = (int32_t)(ms / D_MS);
	return true;
}

int
keep_read(const char *text, struct keep *ret_keep, struct err *err)
{
	struct keep keep = { .days = { 0 } };
	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ",");
		if (!read_one(at, len, &keep))
			return err_set(err, AISLE_E_INVALID,
			    "bad --keep %s, expected LANE=DAYSd,… with consent, money, decision or "
			    "telemetry once each, as decision=14d",
			    text);
		at += len;
		if (*at == '\0')
			break;
	}
	*ret_keep = keep;
	return 0;
}

int32_t
keep_from(const struct keep *keep, int lane, int32_t today)
{
	CHECK(lane >= 0 && lane < LANE_COUNT);
	return keep->days[lane] > 0 ? today - keep->days[lane] : INT32_MIN;
}

int32_t
keep_day(int64_t at_ms)
{
	int64_t day = at_ms / D_MS;
	return (int32_t)(at_ms % D_MS < 0 ? day - 1 : day);
}

int32_t
keep_today(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return keep_day((int64_t)now.tv_sec * S_MS);
}
