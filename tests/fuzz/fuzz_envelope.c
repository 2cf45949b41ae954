/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_envelope.c - any bytes as a message of each channel, as binary mode, and as a recorded line.
 *
 * What must hold: no crash; accepted or refused, never both; a refusal has a
 * reason and a detail; the card is gone from what was accepted.
 */
#include <string.h>

#include "core/json.h"
#include "ingest/envelope.h"
#include "fuzz_tokens.h"

#define NOW_MS INT64_C(1795257000123)

static const uint8_t pepper[32] = { 1 };
static const struct envelope_rules rules = {
	.pepper = pepper, .currency = "EUR", .clock_past_ms = 3 * D_MS, .clock_ahead_ms = 300 * S_MS
};

static void
judge(int rc, struct event *event, const struct rejected *rejected)
{
	CHECK((rc == 0) == (event != NULL));
	CHECK((rejected->reason == REJECT_NONE) == (rc == 0));
	CHECK((rejected->detail[0] == '\0') == (rc == 0));
	if (event == NULL)
		return;
	CHECK(event->source[0] != '\0' && event->id[0] != '\0' && event->origin[0] != '\0');
	CHECK(event->item.category != NULL);
	if (event->type != EV_STOCK_CHANGED && event->has_subject)
		CHECK(json_object_get(event->data, "card") == NULL);
	event_done(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const tails[] = { "pos/7/event", "loyalty/r/event", "care/event",
		"tablet/t/event" };
	static struct arena *arena;
	struct binary_attributes attributes = { 4,
		{ { "specversion", "1.0" }, { "id", "1" }, { "source", "s" }, { "type", NULL } } };
	struct rejected rejected;
	struct event *event;
	struct route route;
	unsigned unknown = 0;
	int64_t now_ms;
	int rc;

	if (arena == NULL)
		arena = arena_new();
	if (size < 1)
		return 0;
	CHECK(route_parse_tail(tails[data[0] % 4], &route) == 0);
	rc = envelope_parse(arena, &rules, &route, NULL, data + 1, size - 1, NOW_MS, &event,
	    &rejected, &unknown);
	judge(rc, event, &rejected);
	attributes.pair[3].value = event_type_name((enum event_type)(data[0] % EV_COUNT));
	rc = envelope_parse(arena, &rules, &route, &attributes, data + 1, size - 1, NOW_MS, &event,
	    &rejected, &unknown);
	judge(rc, event, &rejected);
	rc = envelope_parse_recorded(arena, &rules, (const char *)data + 1, size - 1, &route,
	    &now_ms, &event, &rejected, &unknown);
	judge(rc, event, &rejected);
	arena_reset(arena);
	return 0;
}
