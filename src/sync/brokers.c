/* SPDX-License-Identifier: Apache-2.0
 *
 * brokers.c - which of headquarters' brokers a store is at.
 *
 * DESIGN
 *   Home is hash(store) modulo their number: the same list in all stores spreads them, and a
 *   restart changes nothing. A broker that was there for a minute is tried once more when it is
 *   lost: mostly the store's own line was cut, and all would wander for an hour. One that takes
 *   a connection and drops it again is left as one that refuses.
 *
 *   Pauses grow once a round, not with each broker: with five of them and one dead, the second
 *   is tried after seconds.
 */
#include "sync/brokers.h"

#include <sodium.h>
#include <string.h>

#include "core/id.h"

#define STEADY_MS MIN_MS

static int64_t home_after_ms = H_MS;

void
brokers_home_after(int64_t ms)
{
	home_after_ms = ms;
}

void
brokers_init(struct brokers *brokers, const struct conf *conf)
{
	uint8_t digest[8];
	uint64_t number = 0;

	memset(brokers, 0, sizeof(*brokers));
	brokers->count = conf_brokers(conf, brokers->list);
	CHECK(brokers->count > 0);
	hash_bytes(digest, sizeof(digest), conf->store_id, strlen(conf->store_id), NULL, 0);
	for (size_t i = 0; i < sizeof(digest); i++)
		number |= (uint64_t)digest[i] << 8 * i;
	brokers->at = brokers->home = (size_t)(number % brokers->count);
	brokers->up_ms = -1;
}

const struct conf_broker *
brokers_at(const struct brokers *brokers)
{
	CHECK(brokers->at < brokers->count);
	return &brokers->list[brokers->at];
}

const struct conf_broker *
brokers_home(const struct brokers *brokers)
{
	return &brokers->list[brokers->home];
}

/* An hour, a quarter more or less: those whose home was away do not come back to it in one second. */
static int64_t
next_look(int64_t now_ms)
{
	return now_ms + home_after_ms / 4 * 3 +
	    randombytes_uniform((uint32_t)(home_after_ms / 2) + 1);
}

void
brokers_up(struct brokers *brokers, int64_t now_ms)
{
	brokers->up_ms = now_ms;
	brokers->home_ms = next_look(now_ms);
	brokers->backoff.ms = 0;
	brokers->tried = 0;
}

int64_t
brokers_lost(struct brokers *brokers, int64_t now_ms)
{
	bool steady = brokers->up_ms >= 0 && now_ms - brokers->up_ms >= STEADY_MS;

	brokers->up_ms = -1;
	if (!steady) {
		brokers->at = (brokers->at + 1) % brokers->count;
		brokers->tried++;
	}
	if (brokers->tried < brokers->count)
		return now_ms + wan_backoff_same(&brokers->backoff);
	brokers->tried = 0;
	return now_ms + wan_backoff_next(&brokers->backoff);
}

bool
brokers_home_due(struct brokers *brokers, int64_t now_ms)
{
	if (brokers->at == brokers->home || brokers->up_ms < 0 || now_ms < brokers->home_ms)
		return false;
	brokers->home_ms = next_look(now_ms);
	return true;
}

void
brokers_go_home(struct brokers *brokers)
{
	brokers->at = brokers->home;
	brokers->up_ms = -1;
	brokers->tried = 0;
}
