/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_mapping.c - any bytes as the payload of a bare till message; what comes out goes through the
 * envelope.
 *
 * The first run writes a mapping that uses each feature into /tmp and reads it back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/envelope.h"
#include "ingest/mapping.h"

static const char file_text[] =
    "{\"topic\":\"t/+\",\"terminal\":{\"var\":\"lane\"},\"money\":\"decimal\",\"events\":["
    "{\"when\":{\"==\":[{\"var\":\"k\"},\"open\"]},\"type\":\"aisle.basket.opened\",\"id\":{"
    "\"var\":\"i\"},\"time\":{\"var\":\"t\"},"
    "\"data\":{\"basket\":{\"var\":\"b\"},\"terminal\":{\"var\":\"_topic.1\"}}},"
    "{\"when\":{\"var\":\"ean\"},\"type\":\"aisle.basket.item-added\",\"id\":{\"cat\":[{\"var\":"
    "\"b\"},\"/\",{\"var\":\"n\"}]},"
    "\"time\":{\"var\":\"t\"},\"data\":{\"basket\":{\"var\":\"b\"},\"line\":{\"var\":\"n\"},"
    "\"gtin\":{\"var\":\"ean\"},"
    "\"category\":{\"var\":[\"c\",\"none\"]},\"qty\":{\"var\":\"q\"},\"amount\":{\"*\":[{\"var\":"
    "\"q\"},{\"var\":\"p\"}]},"
    "\"currency\":{\"var\":\"cur\"},\"discounts\":{\"var\":\"d\"}}},"
    "{\"type\":\"aisle.basket.closed\",\"id\":{\"var\":\"i\"},\"data\":{\"basket\":{\"var\":\"b\"},"
    "\"total\":{\"var\":\"p\"},"
    "\"tenders\":{\"map\":[{\"var\":\"d\"},{\"var\":\"\"}]},\"currency\":\"EUR\"}}]}";

static struct mapping *
load(void)
{
	char path[] = "/tmp/aisle-fuzz-XXXXXX";
	struct mapping *mapping = NULL;
	struct err err = { 0 };
	int fd = mkstemp(path);

	CHECK(fd >= 0 &&
	    write(fd, file_text, sizeof(file_text) - 1) == (ssize_t)sizeof(file_text) - 1);
	close(fd);
	CHECK(mapping_load("fuzz", path, &mapping, &err) == 0);
	unlink(path);
	return mapping;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t pepper[32] = { 1 };
	static const struct envelope_rules rules = {
		.pepper = pepper, .currency = "EUR", .clock_off = true
	};
	static struct mapping *mapping;
	struct arena *arena;
	struct err err = { 0 };
	char terminal[33];
	json_t *events;

	if (mapping == NULL)
		mapping = load();
	events = mapping_apply(mapping, "t/7", data, size, terminal, &err);
	CHECK((events == NULL) == (err.code != 0));
	arena = arena_new();
	for (size_t i = 0; i < json_array_size(events); i++) {
		struct route route = { .channel = CHANNEL_POS };
		struct rejected rejected;
		struct event *event;
		unsigned unknown = 0;
		int rc;

		CHECK(terminal[0] != '\0');
		memcpy(route.origin, terminal, sizeof(terminal));
		rc = envelope_parse_tree(arena, &rules, &route, json_array_get(events, i),
		    INT64_C(1795257000123), &event, &rejected, &unknown);
		CHECK((rc == 0) == (event != NULL));
		event_done(event);
	}
	arena_free(arena);
	json_decref(events);
	return 0;
}
