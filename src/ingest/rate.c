/* SPDX-License-Identifier: Apache-2.0
 *
 * rate.c - how many events a second come from one station: a token bucket each.
 *
 * DESIGN
 *   Tokens are counted in thousandths: a millisecond at N a second brings
 *   exactly N of them, so nothing is rounded. The table is a set-associative
 *   cache: 128 sets of 8 buckets. Whoever floods a set with invented names
 *   pushes out the longest silent bucket only, and a forgotten bucket starts
 *   full, which is what a station that was silent that long would have.
 */
#include "ingest/rate.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 8
#define SETS (RATE_TERMINALS_MAX / WAYS)
#define TOKEN 1000

struct bucket {
	char key[RATE_NAME_SIZE]; /* "" is free */
	int64_t at_ms;
	int64_t tokens; /* thousandths */
};

struct rate {
	int64_t per_second;
	struct bucket buckets[SETS][WAYS];
};

/* FNV-1a: spreads names over the sets. Not against an attacker, who gains nothing (see DESIGN). */
static unsigned
set_of(const char *key)
{
	uint32_t hash = 2166136261u;

	for (; *key != '\0'; key++)
		hash = (hash ^ (uint8_t)*key) * 16777619u;
	return (hash ^ (hash >> 16)) % SETS;
}

static struct bucket *
bucket_find(struct rate *rate, const char *key, int64_t now_ms)
{
	struct bucket *set = rate->buckets[set_of(key)];
	struct bucket *oldest = &set[0];

	for (int i = 0; i < WAYS; i++) {
		if (strcmp(set[i].key, key) == 0)
			return &set[i];
		if (set[i].key[0] == '\0') {
			oldest = &set[i];
			break;
		}
		if (set[i].at_ms < oldest->at_ms)
			oldest = &set[i];
	}
	memcpy(oldest->key, key, strlen(key) + 1);
	oldest->at_ms = now_ms;
	oldest->tokens = rate->per_second * TOKEN;
	return oldest;
}

static void
bucket_fill(struct bucket *bucket, int64_t per_second, int64_t now_ms)
{
	int64_t full = per_second * TOKEN;
	int64_t passed = now_ms - bucket->at_ms;

	if (passed < 0)
		passed = 0;
	if (passed > S_MS)
		passed = S_MS; /* a second fills it; a longer product might overflow */
	bucket->tokens += passed * per_second;
	if (bucket->tokens > full)
		bucket->tokens = full;
	bucket->at_ms = now_ms;
}

struct rate *
rate_new(int per_second)
{
	struct rate *rate = mem_zero(sizeof(*rate));

	rate_set(rate, per_second);
	return rate;
}

void
rate_free(struct rate *rate)
{
	free(rate);
}

void
rate_set(struct rate *rate, int per_second)
{
	rate->per_second = per_second > 0 ? per_second : 0;
}

bool
rate_allow(struct rate *rate, const char *name, int64_t now_ms)
{
	struct bucket *bucket;

	CHECK(name[0] != '\0' && strlen(name) < RATE_NAME_SIZE);
	if (rate->per_second == 0)
		return true;
	bucket = bucket_find(rate, name, now_ms);
	bucket_fill(bucket, rate->per_second, now_ms);
	if (bucket->tokens < TOKEN)
		return false;
	bucket->tokens -= TOKEN;
	return true;
}
