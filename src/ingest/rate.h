/* SPDX-License-Identifier: Apache-2.0
 *
 * rate.h - how many events a second come from one station: a token bucket each. Pure: time is
 * given.
 */
#ifndef AISLE_INGEST_RATE_H
#define AISLE_INGEST_RATE_H

#include "aisle/base.h"

/* remembered at a time; beyond it the longest silent one is forgotten */
#define RATE_TERMINALS_MAX 1024

struct rate;
/* per_second: events a second and the burst that a quiet station may send at once; ≤ 0: no
 * limit. */
struct rate *rate_new(int per_second);
void rate_free(struct rate *rate);
void rate_set(struct rate *rate, int per_second); /* keeps the buckets */
/* One event of whom this names at now_ms (any clock that does not jump; a step back counts as no time).
 * false: too many. */
#define RATE_NAME_SIZE 44
bool rate_allow(struct rate *rate, const char *name, int64_t now_ms);

#endif
