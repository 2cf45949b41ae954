/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_zone.c - any bytes as a file of the time zone database, and as a rule; instants through what comes of it.
 *
 * What must hold: a rule fits its place; local times lead back to an instant that shows them; a business day begins
 * before each instant in it, later ones not earlier, and where it begins is in itself.
 */
#include <string.h>

#include "core/zone_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t
as_if_utc(const struct local_time *local)
{
	return (local->days * INT64_C(86400) + local->hour * 3600 + local->minute * 60 +
		   local->second) *
	    S_MS;
}

static void
look_at(const struct zone *zone, int64_t ms, int cut)
{
	struct local_time local = zone_local(zone, ms), again;
	int64_t first = zone_instant(zone, as_if_utc(&local)), start, later;

	CHECK(local.month >= 1 && local.month <= 12 && local.day >= 1 && local.day <= 31);
	CHECK(local.weekday >= 1 && local.weekday <= 7 && local.day_of_year >= 1);
	again = zone_local(zone, first);
	CHECK(first <= ms && memcmp(&local, &again, sizeof(local)) == 0);
	start = zone_day_start(zone, ms, cut);
	later = zone_day_start(zone, ms + H_MS, cut);
	CHECK(start <= ms && ms - start < 5 * D_MS && later >= start && later <= ms + H_MS);
	CHECK(zone_day_start(zone, start, cut) == start);
}

/* Instants in steps of an odd length, from one that the rule itself says. */
static void
look_around(const char *rule)
{
	struct zone *zone = zone_new(rule);
	int64_t ms = 0;

	if (zone == NULL)
		return;
	for (const char *at = rule; *at != '\0'; at++)
		ms = (ms * 31 + (unsigned char)*at) % INT64_C(4000000000);
	ms *= S_MS;
	for (int i = 0; i < 24; i++, ms += 16 * D_MS + 61 * MIN_MS)
		look_at(zone, ms, (int)(ms / MIN_MS % (24 * 60)));
	zone_free(zone);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char rule[ZONE_RULE_SIZE];

	if (zone_rule_of_file((const char *)data, size, rule)) {
		CHECK(strlen(rule) >= 1 && strlen(rule) < ZONE_RULE_SIZE);
		look_around(rule);
	}
	if (size < sizeof(rule)) {
		memcpy(rule, size > 0 ? (const char *)data : "", size);
		rule[size] = '\0';
		look_around(rule);
	}
	return 0;
}
