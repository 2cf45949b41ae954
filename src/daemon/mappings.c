/* SPDX-License-Identifier: Apache-2.0
 *
 * mappings.c - what else is heard on the store's broker: tills that speak their own JSON, by
 * [mappings].
 */
#include "daemon/daemon.h"

#include <stdio.h>
#include <string.h>

static void
queue_mapped(struct daemon *daemon, const struct mapping *mapping, const char *topic,
    const void *payload, size_t len)
{
	struct input input = { .now_ms = daemon_now_ms(daemon), .topic = topic };
	struct err err = { 0 };
	struct buf text = { 0 };
	char terminal[33];
	json_t *events = mapping_apply(mapping, topic, payload, len, terminal, &err), *event;
	size_t i;

	if (events == NULL) {
		input.kind = INPUT_UNMAPPED;
		input.flag = err.code == AISLE_E_NONE;
		input.text = err.text;
		input.payload = payload;
		input.len = len;
		daemon_queue(daemon, &input);
		return;
	}
	json_array_foreach(events, i, event) {
		buf_clear(&text);
		json_write(event, &text);
		input.kind = INPUT_MAPPED;
		input.text = terminal;
		input.payload = text.data;
		input.len = text.len;
		daemon_queue(daemon, &input);
	}
	json_decref(events);
	buf_done(&text);
}

int
daemon_mappings_load(const struct conf *conf, const struct conf *store, struct mappings *ret,
    struct buf *report)
{
	struct mappings mappings = { 0 };
	int rc = 0;

	for (size_t i = 0; i < conf->mapping_count; i++) {
		const struct conf_pair *pair = &conf->mappings[i];
		struct mapping *mapping = NULL;

		if (mapping_load(pair->name, pair->value, &mapping, report) != 0) {
			rc = AISLE_E_CONFIG;
			continue;
		}
		mapping_set_store(mapping, store->currency, store->zone);
		mappings.mapping[mappings.count++] = mapping;
	}
	if (rc != 0)
		daemon_mappings_free(&mappings);
	else
		*ret = mappings;
	return rc;
}

void
daemon_mappings_free(struct mappings *mappings)
{
	for (size_t i = 0; i < mappings->count; i++)
		mapping_free(mappings->mapping[i]);
	mappings->count = 0;
}

/* All that ends like a till's topic, so that one with a wrong store, in other letters or with a slash too
 * many is noticed; no two of them catch the same, for the broker would send it twice. */
static const char *const wide[] = { "+/+/+/+/+/event", "+/+/+/+/event", "+/+/+/+/+/event/",
	"+/+/+/+/event/", "/+/+/+/+/+/event", "/+/+/+/+/event", "+/+/+/+/+/Event",
	"+/+/+/+/+/EVENT", "+/+/+/+/+/events" };

bool
daemon_is_wide(const char *filter)
{
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (strcmp(wide[i], filter) == 0)
			return true;
	return false;
}

void
daemon_listen(struct daemon *daemon)
{
	static const char *const tails[] = { "tablet/+/hello", "pos/+/event", "loyalty/+/event",
		"care/event", "tablet/+/event" };
	const char *topics[ARRAY_LEN(tails) + ARRAY_LEN(wide) + CONF_MAPPINGS_MAX];
	char ours[ARRAY_LEN(tails)][128];
	size_t count = 0;

	for (; count < (daemon->narrow ? ARRAY_LEN(tails) : 1); count++) {
		snprintf(ours[count], sizeof(ours[count]), "%s/%s",
		    engine_topic_root(daemon->engine), tails[count]);
		topics[count] = ours[count];
	}
	for (size_t i = 0; !daemon->narrow && i < ARRAY_LEN(wide); i++)
		topics[count++] = wide[i];
	for (size_t i = 0; i < daemon->mappings.count; i++)
		topics[count++] = mapping_topic(daemon->mappings.mapping[i]);
	mqtt_listen(daemon->mqtt, topics, count);
}

bool
daemon_mapped(struct daemon *daemon, const char *topic, const void *payload, size_t len)
{
	for (size_t i = 0; i < daemon->mappings.count; i++) {
		if (mapping_matches(daemon->mappings.mapping[i], topic)) {
			queue_mapped(daemon, daemon->mappings.mapping[i], topic, payload, len);
			return true;
		}
	}
	return false;
}
