/* SPDX-License-Identifier: Apache-2.0
 *
 * when_fetched.h - when a store may fetch an artifact: hours of its day, and a moment of its own.
 */
#ifndef AISLE_SYNC_WHEN_FETCHED_H
#define AISLE_SYNC_WHEN_FETCHED_H

#include "core/when.h"
#include "trust/release.h"

/* Its moment: 0 to jitter_s - 1, from a hash of the two, so that stores spread and a restart draws no other one. */
int64_t fetch_offset_s(const struct fetch_terms *terms, const char *store, const char *hash);
/* May it be fetched at now_ms, if it is wanted since since_ms? Within the hours, offset after it was wanted, and where
 * the hours began later than that, offset after they began. zone NULL: UTC. */
bool fetch_allowed(const struct fetch_terms *terms, const struct zone *zone, int64_t offset_s,
    int64_t since_ms, int64_t now_ms);

#endif
