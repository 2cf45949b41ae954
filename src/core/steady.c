/* SPDX-License-Identifier: Apache-2.0
 *
 * steady.c - the store's time, from a wall clock that may be wrong or jump.
 *
 * DESIGN
 *   Store time begins with the wall clock, if that can be believed, and else
 *   with the newest time that the state knows; from there on it goes with the
 *   monotonic clock. While the two agree, the wall clock leads. Where they part
 *   by more than STEP_MS the time is uncertain and the monotonic clock goes on
 *   alone: a day's budget, a consent or an expiry does not open or close
 *   because a clock was set. Caught by a service that sets clocks, a gateway
 *   without a battery is right some time after its start: a wall clock that
 *   stays ahead for SETTLE_MS, and not by more than AWAY_MS, is taken over; one
 *   that stays behind is waited for at half speed, for time never runs back.
 *
 *   One that is ahead by more is not believed, however long it says so: what
 *   is on record under a time can never be taken back. Unless the store's own
 *   time is before there was an aisle, as on a new gateway that has not heard
 *   of a time server yet: that was no time at all.
 */
#include "core/steady.h"

#include "core/when.h"

#define BORN_MS INT64_C(1735689600000) /* 2025-01-01: before there was an aisle */
#define FAR_MS INT64_C(4102444800000)  /* 2100-01-01: no clock of today's is right then */
#define STEP_MS (5 * S_MS)
#define SETTLE_MS (10 * MIN_MS)
#define AWAY_MS (400 * D_MS) /* a store may be closed for so long */

static bool
near(int64_t a_ms, int64_t b_ms)
{
	return a_ms - b_ms <= STEP_MS && b_ms - a_ms <= STEP_MS;
}

static bool
plausible(int64_t wall_ms)
{
	return wall_ms >= BORN_MS && wall_ms < FAR_MS;
}

void
steady_init(struct steady *steady, int64_t floor_ms, int64_t wall_ms, int64_t mono_ms)
{
	bool believed = floor_ms < BORN_MS
	    ? plausible(wall_ms)
	    : wall_ms >= floor_ms - STEP_MS && wall_ms <= floor_ms + AWAY_MS;

	*steady = (struct steady){
		.mono_ms = mono_ms, .since_ms = mono_ms, .ready = true, .uncertain = !believed
	};
	steady->now_ms = believed && wall_ms > floor_ms ? wall_ms : floor_ms;
	steady->apart_ms = wall_ms - steady->now_ms;
}

int64_t
steady_now(struct steady *steady, int64_t wall_ms, int64_t mono_ms)
{
	int64_t passed_ms = mono_ms - steady->mono_ms;
	int64_t apart_ms = wall_ms - (steady->now_ms + passed_ms);

	steady->mono_ms = mono_ms;
	if (!near(apart_ms, steady->apart_ms))
		steady->since_ms = mono_ms;
	if (near(apart_ms, 0) || (steady->now_ms < BORN_MS && plausible(wall_ms)) ||
	    (apart_ms > 0 && apart_ms <= AWAY_MS && mono_ms - steady->since_ms >= SETTLE_MS)) {
		steady->uncertain = !plausible(wall_ms);
		steady->apart_ms = 0;
		if (wall_ms > steady->now_ms)
			steady->now_ms = wall_ms;
		return steady->now_ms;
	}
	steady->uncertain = true;
	if (apart_ms < 0 && mono_ms - steady->since_ms >= SETTLE_MS)
		passed_ms -= passed_ms / 2;
	steady->now_ms += passed_ms;
	steady->apart_ms = wall_ms - steady->now_ms;
	return steady->now_ms;
}
