/* SPDX-License-Identifier: Apache-2.0
 *
 * steady.h - the store's time, from a wall clock that may be wrong or jump.
 */
#ifndef AISLE_CORE_STEADY_H
#define AISLE_CORE_STEADY_H

#include "aisle/base.h"

struct steady {
	int64_t now_ms, mono_ms;    /* store time, and the monotonic clock, when last asked */
	int64_t apart_ms, since_ms; /* wall clock less store time, and since when so (monotonic) */
	bool ready, uncertain;
};

/* floor_ms: the newest time that the state knows, 0: none. */
void steady_init(struct steady *steady, int64_t floor_ms, int64_t wall_ms, int64_t mono_ms);
/* Never runs back. */
int64_t steady_now(struct steady *steady, int64_t wall_ms, int64_t mono_ms);

#endif
