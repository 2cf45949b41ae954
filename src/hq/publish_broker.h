/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_broker.h - one broker is made to hold what it should, and served.
 */
#ifndef AISLE_HQ_PUBLISH_BROKER_H
#define AISLE_HQ_PUBLISH_BROKER_H

#include <signal.h>

#include "hq/publish_plan.h"

/* goods: read already. stop: set by a signal. One round, or with options->serve until stop. What was done is one line on
 * stdout; progress is on stderr. */
int publish_broker(const struct publish_options *options, size_t broker, struct goods *goods,
    const volatile sig_atomic_t *stop, struct err *err) AISLE_MUST_CHECK;

#endif
