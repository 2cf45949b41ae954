/* SPDX-License-Identifier: Apache-2.0
 *
 * route.c - the topic of a message to where it came from.
 */
#include <string.h>

#include "ingest/envelope.h"

#define ROOT "aisle/v1/"

static const struct {
	const char *name;
	enum channel channel;
} channels[] = {
	{ "pos", CHANNEL_POS },
	{ "loyalty", CHANNEL_LOYALTY },
	{ "tablet", CHANNEL_TABLET },
};

/* Store, station, terminal, reader and tablet ids. */
static bool
is_name(const char *text, size_t len)
{
	return len >= 1 && len <= 32 &&
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") >= len;
}

static bool
channel_by_name(const char *name, size_t len, enum channel *ret_channel)
{
	for (size_t i = 0; i < ARRAY_LEN(channels); i++) {
		if (strlen(channels[i].name) == len && memcmp(channels[i].name, name, len) == 0) {
			*ret_channel = channels[i].channel;
			return true;
		}
	}
	return false;
}

static void
route_set(struct route *route, enum channel channel, const char *origin, size_t len)
{
	*route = (struct route){ .channel = channel };
	memcpy(route->origin, origin, len);
}

int
route_parse_tail(const char *tail, struct route *ret_route)
{
	const char *origin, *leaf;
	enum channel channel;
	bool hello;

	if (strcmp(tail, "care/event") == 0) {
		route_set(ret_route, CHANNEL_CARE, "care", 4);
		return 0;
	}
	origin = strchr(tail, '/');
	if (origin == NULL || !channel_by_name(tail, (size_t)(origin - tail), &channel))
		return AISLE_E_NONE;
	leaf = strchr(++origin, '/');
	if (leaf == NULL || !is_name(origin, (size_t)(leaf - origin)))
		return AISLE_E_NONE;
	hello = channel == CHANNEL_TABLET && strcmp(leaf, "/hello") == 0;
	if (!hello && strcmp(leaf, "/event") != 0)
		return AISLE_E_NONE;
	route_set(ret_route, channel, origin, (size_t)(leaf - origin));
	ret_route->hello = hello;
	return 0;
}

int
route_parse(const char *topic, const char *store, struct route *ret_route)
{
	size_t len = strlen(store);

	if (strncmp(topic, ROOT, strlen(ROOT)) != 0)
		return AISLE_E_NONE;
	topic += strlen(ROOT);
	if (strncmp(topic, store, len) != 0 || topic[len] != '/')
		return AISLE_E_NONE;
	return route_parse_tail(topic + len + 1, ret_route);
}

int
route_from_source(const char *source, struct route *ret_route)
{
	const char *last = strrchr(source, '/');
	const char *before = last;
	enum channel channel;
	size_t len;

	if (last == NULL)
		return AISLE_E_NONE;
	if (strcmp(last, "/care") == 0) {
		route_set(ret_route, CHANNEL_CARE, "care", 4);
		return 0;
	}
	while (before > source && before[-1] != '/')
		before--;
	len = (size_t)(last - before);
	if (!channel_by_name(before, len, &channel)) {
		/* "/mapping/NAME/7": what a mapping made of a bare till message. */
		if (strncmp(source, "/mapping/", strlen("/mapping/")) != 0)
			return AISLE_E_NONE;
		channel = CHANNEL_POS;
	}
	if (!is_name(last + 1, strlen(last + 1)))
		return AISLE_E_NONE;
	route_set(ret_route, channel, last + 1, strlen(last + 1));
	return 0;
}
