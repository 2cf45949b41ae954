/* SPDX-License-Identifier: Apache-2.0
 *
 * mqtt_topics.c - what is listened to, and what of it the broker does not let us hear.
 */
#include "ingest/mqtt_internal.h"

#include <stdlib.h>
#include <string.h>

/* A subscription that the broker has not answered. */
struct asked {
	int mid; /* 0: not asked for on this connection */
	bool refused;
};

void
mqtt_topics_done(struct mqtt_topics *topics)
{
	for (size_t i = 0; i < topics->count; i++)
		free(topics->filters[i]);
	free(topics->filters);
	free(topics->asked);
	*topics = (struct mqtt_topics){ 0 };
}

void
mqtt_topics_ask(struct mqtt_topics *topics, struct mosquitto *mosq)
{
	for (size_t i = 0; i < topics->count; i++)
		mosquitto_subscribe(mosq, &topics->asked[i].mid, topics->filters[i], 1);
}

void
mqtt_topics_refused(struct mqtt_topics *topics, int mid)
{
	for (size_t i = 0; i < topics->count; i++) {
		if (topics->asked[i].mid == mid)
			topics->asked[i].refused = true;
	}
}

void
mqtt_topics_tell(struct mqtt_topics *topics, const struct mqtt_host *host)
{
	for (size_t i = 0; i < topics->count; i++) {
		const struct asked *before = topics->asked;

		if (!topics->asked[i].refused)
			continue;
		topics->asked[i].refused = false;
		host->refused(host->ctx, topics->filters[i]);
		if (topics->asked != before)
			return;
	}
}

static bool
is_among(const char *filter, const char *const *filters, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(filters[i], filter) == 0)
			return true;
	}
	return false;
}

void
mqtt_topics_set(struct mqtt_topics *topics, struct mosquitto *mosq, const char *const *filters,
    size_t count)
{
	struct mqtt_topics now = { mem_calloc(count, sizeof(*now.filters)),
		mem_calloc(count, sizeof(*now.asked)), count };

	/* The broker keeps our subscriptions while we are away: one that is not wanted any more has
	 * to be ended. */
	for (size_t i = 0; i < topics->count && mosq != NULL; i++) {
		if (!is_among(topics->filters[i], filters, count))
			mosquitto_unsubscribe(mosq, NULL, topics->filters[i]);
	}
	for (size_t i = 0; i < count; i++) {
		now.filters[i] = mem_strdup(filters[i]);
		if (mosq != NULL &&
		    !is_among(filters[i], (const char *const *)topics->filters, topics->count))
			mosquitto_subscribe(mosq, &now.asked[i].mid, filters[i], 1);
	}
	mqtt_topics_done(topics);
	*topics = now;
}
