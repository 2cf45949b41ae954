/* SPDX-License-Identifier: Apache-2.0
 *
 * keep.h - how many days HQ keeps the records of each lane.
 */
#ifndef AISLE_HQ_KEEP_H
#define AISLE_HQ_KEEP_H

#include "aisle/base.h"
#include "aisle/lane.h"

struct keep {
	int32_t days[LANE_COUNT]; /* 0: for good */
};
/* "decision=14d,money=400d"; whole days, at least one. 0, AISLE_E_INVALID. */
int keep_read(const char *text, struct keep *ret_keep, struct err *err) AISLE_MUST_CHECK;
/* The days before this one are no longer kept; INT32_MIN: all are. */
int32_t keep_from(const struct keep *keep, int lane, int32_t today);
int32_t keep_day(int64_t at_ms); /* days since 1970-01-01, UTC */
int32_t keep_today(void);	 /* by the clock of this machine */
int keep_lane(const char *name); /* -1: none */

#endif
