/* SPDX-License-Identifier: Apache-2.0
 *
 * when_fetched.c - when a store may fetch an artifact.
 */
#include "sync/when_fetched.h"

#include "core/id.h"

#define DAY_MIN (24 * 60)

int64_t
fetch_offset_s(const struct fetch_terms *terms, const char *store, const char *hash)
{
	const char *parts[] = { store, hash };
	struct id id = hash_parts(parts, 2);
	uint64_t number = 0;

	for (size_t i = 0; i < 8; i++)
		number |= (uint64_t)id.b[i] << 8 * i;
	return terms->jitter_s > 0 ? (int64_t)(number % (uint64_t)terms->jitter_s) : 0;
}

bool
fetch_allowed(const struct fetch_terms *terms, const struct zone *zone, int64_t offset_s,
    int64_t since_ms, int64_t now_ms)
{
	struct local_time local = zone_local(zone, now_ms);
	int open_min = (terms->to_min - terms->from_min + DAY_MIN) % DAY_MIN;
	int minute = local.hour * 60 + local.minute;
	int in_min = (minute - terms->from_min + DAY_MIN) % DAY_MIN;
	int64_t in_s = (int64_t)in_min * 60 + local.second;

	/* A clock that was set back does not make it wait for years. */
	if (since_ms <= now_ms && now_ms - since_ms < offset_s * S_MS)
		return false;
	if (open_min == 0)
		return true;
	if (in_min >= open_min)
		return false;
	/* The hours begin for all stores in the same second; what does not fit into them does not wait for another day. */
	return now_ms - in_s * S_MS <= since_ms || in_s >= offset_s % (open_min * 60);
}
