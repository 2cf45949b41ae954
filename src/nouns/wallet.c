/* SPDX-License-Identifier: Apache-2.0
 *
 * wallet.c - what a customer may still redeem.
 *
 * An offer that the store has heard of itself is as it was said there, whatever the profile of last
 * night says: what was used this morning is not open again.
 */
#include "nouns/wallet.h"

#include <string.h>

static bool
runs(int64_t until_ms, int64_t now_ms)
{
	return until_ms == 0 || now_ms < until_ms;
}

static void
add(struct wallet_sum *sum, const struct wallet_entry *entry, int64_t now_ms)
{
	if ((entry->state[0] != '\0' && strcmp(entry->state, "open") != 0) ||
	    !runs(entry->until_ms, now_ms))
		return;
	sum->count++;
	sum->worth_minor += entry->worth_minor;
	if (entry->until_ms != 0 && (sum->first_ms == 0 || entry->until_ms < sum->first_ms))
		sum->first_ms = entry->until_ms;
}

static bool
heard_of(const struct subject *subject, const char *offer)
{
	for (size_t i = 0; i < subject->wallet_count; i++) {
		if (strcmp(subject->wallet[i].offer, offer) == 0)
			return true;
	}
	return false;
}

struct wallet_sum
wallet_open(const struct subject *subject, int64_t now_ms)
{
	struct wallet_sum sum = { 0 };

	for (size_t i = 0; i < subject->wallet_count; i++)
		add(&sum, &subject->wallet[i], now_ms);
	for (size_t i = 0; i < subject->offer_count; i++) {
		if (!heard_of(subject, subject->offers[i].offer))
			add(&sum, &subject->offers[i], now_ms);
	}
	return sum;
}

size_t
journeys_running(const struct subject *subject, int64_t now_ms)
{
	size_t count = 0;

	for (size_t i = 0; i < subject->journey_count; i++)
		count += runs(subject->journeys[i].until_ms, now_ms);
	return count;
}
