/* SPDX-License-Identifier: Apache-2.0
 *
 * hello.c - native tablets that asked what is open, and are told after everything that is new.
 *
 * A tablet that comes back asks; one with a loose cable asks all day. However
 * often a tablet asks about a station, one answer of theirs is due, and not
 * before a second after the last one. It is made when it is sent, from what is
 * open then, and waits in memory only.
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <string.h>

#include "core/metrics.h"

#define HELLO_MS S_MS

void
daemon_hello_ask(struct daemon *daemon, const char *tablet, const char *station)
{
	struct hello *oldest = NULL, *hello;

	for (size_t i = 0; i < ARRAY_LEN(daemon->hellos); i++) {
		hello = &daemon->hellos[i];
		if (strcmp(hello->tablet, tablet) == 0 && strcmp(hello->station, station) == 0) {
			hello->due = true;
			return;
		}
		if (!hello->due && (oldest == NULL || hello->told_ms < oldest->told_ms))
			oldest = hello;
	}
	if (oldest == NULL) {
		metrics_add(METRIC_LIMIT_TABLETS, 1);
		return;
	}
	*oldest = (struct hello){ .due = true };
	snprintf(oldest->tablet, sizeof(oldest->tablet), "%s", tablet);
	snprintf(oldest->station, sizeof(oldest->station), "%s", station);
}

struct telling {
	struct daemon *daemon;
	char topic[128];
};

static void
tell(void *ctx, const char *json, size_t len)
{
	struct telling *telling = ctx;

	(void)mqtt_publish(telling->daemon->mqtt, 0, telling->topic, false, json, len);
}

void
daemon_hello_answer(struct daemon *daemon)
{
	int64_t mono_ms = daemon_mono_ms();
	struct telling telling = { .daemon = daemon };

	for (size_t i = 0; i < ARRAY_LEN(daemon->hellos); i++) {
		struct hello *hello = &daemon->hellos[i];

		if (!hello->due || (hello->told_ms != 0 && mono_ms - hello->told_ms < HELLO_MS))
			continue;
		if (!daemon_publish_room(daemon))
			return;
		snprintf(telling.topic, sizeof(telling.topic), "%s/guidance/%s",
		    engine_topic_root(daemon->engine), hello->station);
		query_guidance(daemon->engine, hello->station, tell, &telling);
		hello->due = false;
		hello->told_ms = mono_ms;
	}
}
