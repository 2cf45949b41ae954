/* SPDX-License-Identifier: Apache-2.0
 *
 * brokers.h - which of headquarters' brokers a store is at: home by its id, the next one when one
 * fails, and home again after an hour.
 */
#ifndef AISLE_SYNC_BROKERS_H
#define AISLE_SYNC_BROKERS_H

#include "core/conf_broker.h"
#include "sync/wan.h"

struct brokers {
	struct conf_broker list[CONF_BROKERS_MAX];
	size_t count, home, at;
	size_t tried; /* of this round; when all were, the pauses grow */
	struct wan_backoff backoff;
	int64_t up_ms;	 /* monotonic: since when it is connected; < 0: it is not */
	int64_t home_ms; /* monotonic: when it is looked whether home is there again */
};

/* At home; conf has at least one broker. */
void brokers_init(struct brokers *brokers, const struct conf *conf);
const struct conf_broker *brokers_at(const struct brokers *brokers);
void brokers_up(struct brokers *brokers, int64_t now_ms);
/* It failed, refused, or was lost. Returns when the one that is at now is tried. */
int64_t brokers_lost(struct brokers *brokers, int64_t now_ms);
/* Connected elsewhere, and it is time to look; asking puts the next time an hour off. */
bool brokers_home_due(struct brokers *brokers, int64_t now_ms);
const struct conf_broker *brokers_home(const struct brokers *brokers);
void brokers_go_home(struct brokers *brokers);
void brokers_home_after(int64_t ms); /* for tests: instead of an hour */

#endif
