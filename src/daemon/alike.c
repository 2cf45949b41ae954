/* SPDX-License-Identifier: Apache-2.0
 *
 * alike.c - messages on topics that look like the store's and are not: a till that was set up wrongly,
 * and would otherwise speak to nobody.
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/log.h"
#include "core/metrics.h"

#define TELL_MS (60 * S_MS)

/* "Aisle/V1/…", "/aisle/…": whose topics they are meant to be. */
static bool
looks_like_ours(const char *topic)
{
	topic += topic[0] == '/';
	return strncasecmp(topic, "aisle/", 6) == 0;
}

bool
daemon_alike(struct daemon *daemon, const char *topic)
{
	struct route route;

	if (route_parse(topic, daemon->conf.store_id, &route) == 0)
		return false;
	if (!looks_like_ours(topic))
		return true;
	metrics_add(METRIC_ALIKE, 1);
	daemon->alike.count++;
	snprintf(daemon->alike.topic, sizeof(daemon->alike.topic), "%s", topic);
	return true;
}

void
daemon_alike_tell(struct daemon *daemon)
{
	int64_t mono_ms = daemon_mono_us() / 1000;

	if (daemon->alike.count == 0 ||
	    (daemon->alike.told_ms != 0 && mono_ms - daemon->alike.told_ms < TELL_MS))
		return;
	log_warning("messages on a topic that looks like ours and is not count=%d last=%s "
		    "expected=\"%s/pos/TERMINAL/event\"",
	    daemon->alike.count, LOG_VALUE(daemon->alike.topic), engine_topic_root(daemon->engine));
	daemon->alike.count = 0;
	daemon->alike.told_ms = mono_ms;
}
