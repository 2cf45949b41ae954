/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_try.c - what a mapping makes of a message, without a store.
 *
 * DESIGN
 *   The daemon's own functions, in its order: mapping_apply(), then the envelope for each event.
 *   Clocks are not looked at: a payload out of a manual is years old.
 */
#include "tools/mapping_try.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "ingest/envelope.h"
#include "ingest/mapping.h"

static int
read_payload(const char *path, struct buf *out, struct buf *report)
{
	FILE *file = path != NULL ? fopen(path, "re") : stdin;
	char part[4096];
	size_t len;
	int rc = 0;

	while (file != NULL && out->len <= EVENT_BYTES_MAX &&
	    (len = fread(part, 1, sizeof(part), file)) > 0)
		buf_add(out, part, len);
	if (file == NULL || ferror(file)) {
		buf_addf(report, "%s: %s\n", path != NULL ? path : "stdin", strerror(errno));
		rc = AISLE_E_IO;
	}
	if (file != NULL && path != NULL)
		fclose(file);
	return rc;
}

static const char *
topic_of(const struct mapping_try *options, const struct mapping *mapping, char out[static 257])
{
	if (options->topic != NULL)
		return options->topic;
	snprintf(out, 257, "%s", mapping_topic(mapping));
	for (char *at = out; *at != '\0'; at++)
		if (*at == '+' || *at == '#')
			*at = '1';
	return out;
}

/* The envelope's word on one event: true, it would be taken. What it reads it changes. */
static bool
try_event(const struct mapping_try *options, const json_t *event, const char *terminal,
    struct rejected *rejected)
{
	static const uint8_t pepper[32] = { 1 };
	struct envelope_rules rules = {
		.pepper = pepper, .currency = options->currency, .clock_off = true
	};
	struct route route = { .channel = CHANNEL_POS };
	struct arena *arena = arena_new();
	json_t *copy = json_deep_copy(event);
	struct event *read = NULL;
	unsigned unknown = 0;
	bool taken;

	snprintf(route.origin, sizeof(route.origin), "%s", terminal);
	taken = envelope_parse_tree(arena, &rules, &route, copy, INT64_C(1), &read, rejected,
		    &unknown) == 0;
	event_done(read);
	json_decref(copy);
	arena_free(arena);
	return taken;
}

/* An event of the name of one before it is taken for that one. */
static bool
is_another(const json_t *events, size_t at, struct rejected *rejected)
{
	const char *id = json_string_value(json_object_get(json_array_get(events, at), "id"));

	for (size_t i = 0; i < at; i++) {
		const json_t *other = json_object_get(json_array_get(events, i), "id");

		if (strcmp(json_string_value(other), id) != 0)
			continue;
		rejected->reason = REJECT_BAD_VALUE;
		snprintf(rejected->detail, sizeof(rejected->detail),
		    "/id: that of event %zu, expected one of its own", i + 1);
		return false;
	}
	return true;
}

static int
show_events(const struct mapping_try *options, json_t *events, const char *terminal,
    struct buf *out, struct buf *report)
{
	json_t *event;
	size_t i;
	int rc = 0;

	json_array_foreach(events, i, event) {
		struct rejected rejected = { 0 };

		if (!options->json) {
			json_write(event, out);
			buf_addc(out, '\n');
		}
		if (try_event(options, event, terminal, &rejected) &&
		    is_another(events, i, &rejected))
			continue;
		buf_addf(report, "event %zu would be refused: %s: %s\n", i + 1,
		    reject_name(rejected.reason), rejected.detail);
		json_object_set_new(event, "refused",
		    json_pack("{s:s, s:s}", "reason", reject_name(rejected.reason), "detail",
			rejected.detail));
		rc = AISLE_E_INVALID;
	}
	if (options->json) {
		json_t *all = json_pack("{s:s, s:O}", "terminal", terminal, "events", events);

		json_write(all, out);
		buf_addc(out, '\n');
		json_decref(all);
	}
	return rc;
}

static int
apply(const struct mapping_try *options, const struct mapping *mapping, const struct buf *payload,
    struct buf *out, struct buf *report)
{
	char topic[257], terminal[33];
	const char *heard = topic_of(options, mapping, topic);
	struct err err = { 0 };
	json_t *events;
	int rc;

	if (!mapping_matches(mapping, heard)) {
		buf_addf(report, "%s: the mapping listens to %s\n", heard, mapping_topic(mapping));
		return AISLE_E_INVALID;
	}
	events = mapping_apply(mapping, heard, payload->data != NULL ? payload->data : "",
	    payload->len, terminal, &err);
	if (events == NULL) {
		buf_addf(report, "%s: %s\n", err.code == AISLE_E_NONE ? "no-rule" : "bad-shape",
		    err.text);
		return AISLE_E_INVALID;
	}
	if (json_array_size(events) == 0)
		buf_adds(report, "the mapping ignores it\n");
	rc = show_events(options, events, terminal, out, report);
	json_decref(events);
	return rc;
}

int
mapping_try(const struct mapping_try *options, struct buf *out, struct buf *report)
{
	struct mapping *mapping = NULL;
	struct buf payload = { 0 };
	int rc;

	if (access(options->mapping, R_OK) != 0) {
		buf_addf(report, "%s: %s\n", options->mapping, strerror(errno));
		return AISLE_E_IO;
	}
	rc = mapping_load("try", options->mapping, &mapping, report);

	if (rc == 0)
		rc = read_payload(options->payload, &payload, report);
	if (rc == 0) {
		mapping_set_store(mapping, options->currency, options->zone);
		rc = apply(options, mapping, &payload, out, report);
	}
	buf_done(&payload);
	mapping_free(mapping);
	return rc;
}
