/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.c - the gateway's clocks, and the store's time made of them.
 */
#include "daemon/daemon.h"

#include <time.h>

#include "core/log.h"

static int64_t
clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The newest time that the state knows is the floor. */
void
daemon_clock_init(struct daemon *daemon)
{
	steady_init(&daemon->steady, engine_now(daemon->engine), clock_ms(CLOCK_REALTIME),
	    clock_ms(CLOCK_BOOTTIME));
	daemon->told_uncertain = daemon->steady.uncertain;
	engine_set_time_uncertain(daemon->engine, daemon->steady.uncertain);
	if (daemon->steady.uncertain)
		log_warning("the clock cannot be right, the store's time is uncertain");
}

int64_t
daemon_now_ms(struct daemon *daemon)
{
	int64_t now_ms = clock_ms(CLOCK_REALTIME);

	if (!daemon->steady.ready)
		return now_ms;
	now_ms = steady_now(&daemon->steady, now_ms, clock_ms(CLOCK_BOOTTIME));
	engine_set_time_uncertain(daemon->engine, daemon->steady.uncertain);
	return now_ms;
}

int64_t
daemon_mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

static int64_t
clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
daemon_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t
daemon_cpu_us(void)
{
	return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}
