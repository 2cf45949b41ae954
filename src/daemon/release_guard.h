/* SPDX-License-Identifier: Apache-2.0
 *
 * release_guard.h - is a policy that was switched on as good as the one before it? Pure.
 */
#ifndef AISLE_DAEMON_RELEASE_GUARD_H
#define AISLE_DAEMON_RELEASE_GUARD_H

#include "core/buf.h"
#include "daemon/shadow.h"
#include "trust/release.h"

/* With fewer a share or a percentile says nothing. */
#define GUARD_PROMPTS_MIN 20
#define GUARD_TURNS_MIN 200
#define GUARD_BUCKETS_MAX 32

/* What was counted since some time. */
struct guard_sums {
	int64_t prompts, dismissed, redeemed_minor;
	int64_t turns;
	double p99_ms;			    /* of a turn */
	int64_t errors;			    /* inputs set aside, restarts after a failed CHECK */
	int64_t buckets[GUARD_BUCKETS_MAX]; /* of the turns' histogram */
};

/* false: beyond the bounds, and says has why. before: of the policy before it, on its last day. */
bool guard_within(const struct release_bounds *bounds, const struct guard_sums *before,
    const struct guard_sums *since, struct buf *says);
/* The same of a shadow replay. Of too few decisions it says so, and that is within. */
bool guard_shadow(const struct release_bounds *bounds, const struct shadow_report *report,
    struct buf *says);

#endif
