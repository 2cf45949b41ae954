/* SPDX-License-Identifier: Apache-2.0
 *
 * wallet.h - what a customer may still redeem, as headquarters' profile and the events since say;
 * and the care journeys that run.
 */
#ifndef AISLE_NOUNS_WALLET_H
#define AISLE_NOUNS_WALLET_H

#include "aisle/subject.h"

struct wallet_sum {
	size_t count;
	int64_t worth_minor;
	int64_t first_ms; /* when the first of them ends; 0: none does */
};

/* The offers that are open at now. */
struct wallet_sum wallet_open(const struct subject *subject, int64_t now_ms);
size_t journeys_running(const struct subject *subject, int64_t now_ms);

#endif
