/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_mapping.c - any bytes as the payload of a bare till message, JSON or XML; what comes out goes
 * through the envelope.
 *
 * The first run writes two mappings that use each feature into /tmp and reads them back. What
 * begins with a bracket of XML is for the second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/envelope.h"
#include "ingest/mapping.h"
#include "fuzz_tokens.h"

#define RULES \
	"\"let\":{\"o\":{\"var\":[\"order\",{\"var\":\"\"}]},\"ref\":{\"cat\":[\"B\",{\"var\":\"$" \
	"o.b\"}]}}," \
	"\"ignore\":{\"var\":\"ping\"},\"events\":[" \
	"{\"when\":{\"==\":[{\"var\":\"k\"},\"open\"]},\"type\":\"aisle.basket.opened\",\"id\":{" \
	"\"var\":\"i\"},\"time\":{\"var\":\"t\"}," \
	"\"data\":{\"basket\":{\"var\":\"b\"},\"terminal\":{\"var\":\"_topic.1\"}}}," \
	"{\"each\":\"$o.l\",\"snapshot\":true,\"when\":{\"!=\":[{\"var\":\"q\"},0]},\"type\":" \
	"\"aisle.basket.item-" \
	"added\",\"id\":{\"cat\":[{\"var\":\"$.i\"},\"/" \
	"\",{\"var\":\"$i\"}]},\"time\":{\"var\":\"$.t\"}," \
	"\"data\":{\"basket\":{\"var\":\"$ref\"},\"line\":{\"var\":\"n\"},\"gtin\":{\"var\":" \
	"\"ean\"}," \
	"\"sku\":{\"replace\":[{\"var\":\"@s\"},\"-\",\"\"]}," \
	"\"category\":{\"var\":[\"c\",\"none\"]},\"qty\":{\"round\":[{\"number\":{\"var\":\"q\"}}" \
	",3]}," \
	"\"amount\":{\"number\":{\"var\":\"p\"}},\"currency\":{\"var\":\"cur\"}," \
	"\"discounts\":{\"map\":[{\"var\":\"d\"},{\"object\":[\"ref\",{\"var\":\"r\"},\"amount\"," \
	"{\"var\":\"a\"}]}]}}}," \
	"{\"when\":{\"var\":\"rm\"},\"type\":\"aisle.basket.item-voided\",\"id\":{\"var\":\"i\"}," \
	"\"data\":{\"basket\":" \
	"{\"var\":\"b\"},\"line\":{\"var\":\"rm\"},\"except\":{\"var\":\"x\"},\"sku\":{\"var\":" \
	"\"s\"}}}," \
	"{\"when\":{\"var\":\"p\"},\"type\":\"aisle.basket.closed\",\"id\":{\"var\":\"i\"}," \
	"\"data\":{\"basket\":{" \
	"\"var\":\"b\"},\"total\":{\"var\":\"p\"}," \
	"\"tenders\":[{\"type\":\"card\",\"amount\":{\"number\":{\"var\":\"p\"}}}]}}]}"

static const char *const files[] = {
	"{\"topic\":\"t/"
	"+\",\"terminal\":{\"var\":\"lane\"},\"money\":\"decimal\",\"zone\":\"store\","
	"\"parse\":[\"text\",\"l.0\"]," RULES,
	"{\"topic\":\"t/"
	"+\",\"terminal\":2,\"money\":\"decimal\",\"rounding\":\"half-up\",\"format\":\"xml\","
	"\"parse\":\"order.json\",\"zone\":\"UTC\"," RULES,
};

static struct mapping *
load(const char *text)
{
	char path[] = "/tmp/aisle-fuzz-XXXXXX";
	struct mapping *mapping = NULL;
	struct buf report = { 0 };
	int fd = mkstemp(path);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	CHECK(mapping_load("fuzz", path, &mapping, &report) == 0);
	unlink(path);
	mapping_set_store(mapping, "EUR", "Europe/Berlin");
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
	static struct mapping *mappings[ARRAY_LEN(files)];
	struct arena *arena;
	struct err err = { 0 };
	char terminal[33];
	json_t *events;
	bool xml = size > 0 && data[0] == '<';

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (mappings[i] == NULL)
			mappings[i] = load(files[i]);
	events = mapping_apply(mappings[xml], "t/7", data, size, terminal, &err);
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
