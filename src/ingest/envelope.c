/* SPDX-License-Identifier: Apache-2.0
 *
 * envelope.c - bytes of a message to an event: CloudEvents 1.0, structured and binary.
 *
 * DESIGN
 *   Checks run from the outside in: size, JSON, envelope, type, sender,
 *   clock, data. The first no is the reason, so a till's maker mends one thing
 *   at a time, and source and id are known from the envelope on, for a receipt.
 *   Binary mode builds the structured tree and goes the same way: one contract.
 *
 * INVARIANTS
 *   No text of a refusal comes from the payload. Whatever becomes of a
 *   message, the card number and PIN in its tree are overwritten before the
 *   tree is released.
 */
#include "ingest/envelope.h"

#include <string.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/when.h"
#include "ingest/fields.h"

#define SOURCE_MAX 128

/* clang-format off */
static const enum event_from from_of[EV_COUNT] = {
#define X(constant, name, from, ...) [EV_##constant] = from,
	EVENT_TYPES(X)
#undef X
};
/* clang-format on */

/* An attribute that is null is one that is not set (CloudEvents JSON format, 3.1). */
static json_t *
attribute(json_t *root, const char *name)
{
	json_t *value = json_object_get(root, name);

	return json_is_null(value) ? NULL : value;
}

static enum reject
bad_envelope(struct rejected *rejected, const char *text)
{
	return refuse(rejected, REJECT_BAD_ENVELOPE, "%s", text);
}

static bool
is_json_type(const char *type)
{
	size_t len = strcspn(type, "; ");

	if (len == 16 && strncasecmp(type, "application/json", 16) == 0)
		return true;
	return len > 5 && strncasecmp(type + len - 5, "+json", 5) == 0;
}

/* specversion, datacontenttype and the two ways to carry data. */
static enum reject
read_form(json_t *root, struct rejected *rejected)
{
	json_t *version = attribute(root, "specversion");
	json_t *type = attribute(root, "datacontenttype");

	if (!json_is_string(version) || strcmp(json_string_value(version), "1.0") != 0)
		return bad_envelope(rejected, "/specversion: expected \"1.0\"");
	if (type != NULL && (!json_is_string(type) || !is_json_type(json_string_value(type))))
		return bad_envelope(rejected, "/datacontenttype: expected application/json");
	if (attribute(root, "data_base64") != NULL)
		return bad_envelope(rejected, "/data_base64: expected JSON in data instead");
	return REJECT_NONE;
}

/* source and id go to rejected as well: from here on the sender can be told what became of it. */
static enum reject
read_names(struct arena *arena, json_t *root, struct event *event, struct rejected *rejected)
{
	const char *source = json_string_value(attribute(root, "source"));
	const char *id = json_string_value(attribute(root, "id"));
	json_t *receipt = attribute(root, "receipt");

	if (source == NULL || ascii_len(source, 1, SOURCE_MAX) < 0)
		return bad_envelope(rejected, "/source: expected 1-128 printable ASCII characters");
	if (id == NULL || ascii_len(id, 1, ID_MAX) < 0)
		return bad_envelope(rejected, "/id: expected 1-128 printable ASCII characters");
	if (receipt != NULL && !json_is_boolean(receipt))
		return bad_envelope(rejected, "/receipt: expected true or false");
	event->source = arena_strdup(arena, source);
	event->id = arena_strdup(arena, id);
	event->receipt = json_is_true(receipt);
	memcpy(rejected->source, source, strlen(source) + 1);
	memcpy(rejected->id, id, strlen(id) + 1);
	rejected->receipt = event->receipt;
	return REJECT_NONE;
}

static enum reject
read_when(json_t *root, int64_t now_ms, struct event *event, struct rejected *rejected)
{
	json_t *time = attribute(root, "time");

	/* Optional in CloudEvents: a till without a clock of its own leaves it to us. */
	event->time_ms = event->now_ms = now_ms;
	if (time == NULL)
		return REJECT_NONE;
	if (!json_is_string(time) || !when_parse(json_string_value(time), &event->time_ms))
		return bad_envelope(rejected, "/time: expected RFC 3339 with a zone");
	return REJECT_NONE;
}

static enum reject
read_type(json_t *root, const struct route *route, struct event *event, struct rejected *rejected)
{
	const char *name = json_string_value(attribute(root, "type"));
	enum event_from from;
	bool ours;

	if (name == NULL || name[0] == '\0')
		return bad_envelope(rejected, "/type: expected a string");
	event->type = event_type_by_name(name);
	if (event->type == EV_NONE)
		return refuse(rejected, REJECT_UNKNOWN_TYPE,
		    "/type: expected a type of this contract");
	CHECK((unsigned)event->type < ARRAY_LEN(from_of));
	from = from_of[event->type];
	event->channel = route->channel;
	ours = route->channel == CHANNEL_TABLET
	    ? from == FROM_TABLET
	    : from == FROM_ANY || (from == FROM_POS && route->channel == CHANNEL_POS) ||
		(from == FROM_CARE && route->channel == CHANNEL_CARE);
	if (!ours)
		return refuse(rejected, REJECT_NOT_YOURS, "/type: %s is not for this channel",
		    name);
	return REJECT_NONE;
}

static enum reject
check_clock(const struct envelope_rules *rules, const struct event *event,
    struct rejected *rejected)
{
	int64_t age_ms = event->now_ms - event->time_ms;

	if (rules->clock_off ||
	    (age_ms <= rules->clock_past_ms && age_ms >= -rules->clock_ahead_ms))
		return REJECT_NONE;
	return refuse(rejected, REJECT_CLOCK, "/time: %lld s %s the store's clock",
	    (long long)((age_ms < 0 ? -age_ms : age_ms) / S_MS),
	    age_ms < 0 ? "ahead of" : "behind");
}

/* What the event says, whoever carries it how often: the same name with another digest is another
 * event. Members that are null have left data, a time in it stands in one writing (fields.c), and
 * its own time is an instant: +00:00 is Z. */
static void
digest_event(const struct envelope_rules *rules, struct event *event, json_t *root)
{
	struct buf text = { 0 };
	struct json_writer *w = JSON_OBJECT(&text);

	/* The canonical text of {"data":…,"time":…,"type":…}, without making that object first. */
	json_add_canonical(w, "data", event->data);
	if (attribute(root, "time") != NULL)
		json_add_when(w, "time", event->time_ms);
	else
		json_add_null(w, "time");
	json_add_str(w, "type", event_type_name(event->type));
	json_end(w);
	/* Keyed: members that we do not know may hold a PIN, and the digest is kept. */
	hash_bytes(event->digest.b, sizeof(event->digest.b), text.data, text.len, rules->pepper,
	    32);
	buf_wipe(&text);
}

/* Top-level members that CloudEvents would not have: upper case, underscores. Legal extensions are
 * nobody's mistake. */
static unsigned
count_odd_attributes(json_t *root)
{
	unsigned count = 0;
	const char *name;
	json_t *value;

	json_object_foreach(root, name, value) {
		if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen(name) &&
		    strcmp(name, "data_base64") != 0)
			count++;
	}
	return count;
}

/* For trees that are refused before, or while, their data is read. */
static void
wipe_person(json_t *data)
{
	wipe_json_string(json_object_get(data, "card"));
	wipe_json_string(json_object_get(data, "into"));
	wipe_json_string(json_object_get(json_object_get(data, "approval"), "pin"));
}

static enum reject
read_tree(struct reader *reader, const struct route *route, json_t *root, int64_t now_ms)
{
	struct event *event = reader->event;
	struct rejected *rejected = reader->rejected;
	enum reject reason;

	if (!json_is_object(root))
		return bad_envelope(rejected, "/: expected an object");
	event->origin = arena_strdup(reader->arena, route->origin);
	reader->unknown += count_odd_attributes(root);
	reason = read_form(root, rejected);
	if (reason == REJECT_NONE)
		reason = read_names(reader->arena, root, event, rejected);
	if (reason == REJECT_NONE)
		reason = read_when(root, now_ms, event, rejected);
	if (reason == REJECT_NONE)
		reason = read_type(root, route, event, rejected);
	if (reason == REJECT_NONE)
		reason = check_clock(reader->rules, event, rejected);
	if (reason == REJECT_NONE)
		reason = event_read_data(reader, json_object_get(root, "data"));
	if (reason != REJECT_NONE)
		return reason;
	event->data = json_incref(json_object_get(root, "data"));
	digest_event(reader->rules, event, root);
	return REJECT_NONE;
}

/* NULL: rejected is filled. json_read's own text may quote the payload, so only its place is passed
 * on. */
static json_t *
read_json(const void *payload, size_t len, const char *what, struct rejected *rejected)
{
	struct err err = { 0 };
	json_t *json;

	if (len > EVENT_BYTES_MAX) {
		refuse(rejected, REJECT_TOO_BIG, "%zu bytes, expected at most %d", len,
		    EVENT_BYTES_MAX);
		return NULL;
	}
	json = json_read(payload, len, what, &err);
	if (json == NULL)
		refuse(rejected, REJECT_NOT_JSON, "not strict JSON at line %d, column %d", err.line,
		    err.column);
	return json;
}

/* A user property is text; receipt is the one attribute of ours that is not. New reference; NULL:
 * not UTF-8. */
static json_t *
attribute_value(const char *name, const char *text)
{
	if (strcmp(name, "receipt") == 0 &&
	    (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		return json_boolean(text[0] == 't');
	return json_string(text);
}

/* Binary mode: attributes from user properties, the payload is the data. */
static json_t *
tree_of_binary(const struct binary_attributes *attributes, json_t *data, struct rejected *rejected)
{
	json_t *root = json_object();

	json_object_set(root, "data", data);
	for (size_t i = 0; i < attributes->count; i++) {
		const char *name = attributes->pair[i].name;

		if (json_object_get(root, name) != NULL ||
		    json_object_set_new(root, name,
			attribute_value(name, attributes->pair[i].value)) != 0) {
			bad_envelope(rejected,
			    "user properties: expected each attribute once, in UTF-8, and no data");
			json_decref(root);
			return NULL;
		}
	}
	return root;
}

int
envelope_parse_tree(struct arena *arena, const struct envelope_rules *rules,
    const struct route *route, json_t *root, int64_t now_ms, struct event **ret_event,
    struct rejected *ret_rejected, unsigned *unknown_members)
{
	struct reader reader = { .arena = arena, .rules = rules, .rejected = ret_rejected };

	CHECK(rules->pepper != NULL && !route->hello);
	memset(ret_rejected, 0, sizeof(*ret_rejected));
	*ret_event = NULL;
	reader.event = arena_alloc(arena, sizeof(*reader.event));
	if (read_tree(&reader, route, root, now_ms) == REJECT_NONE)
		*ret_event = reader.event;
	else
		wipe_person(json_object_get(root, "data"));
	*unknown_members += reader.unknown;
	return *ret_event != NULL ? 0 : AISLE_E_REFUSED;
}

int
envelope_parse_data(struct arena *arena, const struct envelope_rules *rules, struct json_t *data,
    struct event *event, struct rejected *ret_rejected)
{
	struct reader reader = {
		.arena = arena, .rules = rules, .event = event, .rejected = ret_rejected
	};

	event->data = json_incref(data);
	if (event_read_data(&reader, data) == REJECT_NONE)
		return 0;
	wipe_person(data);
	return AISLE_E_REFUSED;
}

void
event_done(struct event *event)
{
	if (event == NULL)
		return;
	if (event->pin != NULL)
		explicit_bzero((void *)(uintptr_t)event->pin, strlen(event->pin));
	event->pin = NULL;
	json_decref(event->data);
	event->data = NULL;
}

int
envelope_parse(struct arena *arena, const struct envelope_rules *rules, const struct route *route,
    const struct binary_attributes *attributes, const void *payload, size_t len, int64_t now_ms,
    struct event **ret_event, struct rejected *ret_rejected, unsigned *unknown_members)
{
	json_t *root;
	int rc;

	memset(ret_rejected, 0, sizeof(*ret_rejected));
	*ret_event = NULL;
	root = read_json(payload, len, attributes == NULL ? "event" : "data", ret_rejected);
	if (root != NULL && attributes != NULL) {
		json_t *data = root;

		root = tree_of_binary(attributes, data, ret_rejected);
		if (root == NULL)
			wipe_person(data);
		json_decref(data);
	}
	if (root == NULL)
		return AISLE_E_REFUSED;
	rc = envelope_parse_tree(arena, rules, route, root, now_ms, ret_event, ret_rejected,
	    unknown_members);
	json_decref(root);
	return rc;
}

/* Where and when of a recorded line; a reason in rejected if it does not say. */
static enum reject
read_recording(json_t *root, struct route *ret_route, int64_t *ret_now_ms,
    struct rejected *rejected)
{
	json_t *topic = attribute(root, "topic");
	const char *source = json_string_value(attribute(root, "source"));
	const char *answered = json_string_value(attribute(root, "answered"));
	json_t *at = attribute(root, "recordedtime");
	int rc;

	if (!json_is_object(root))
		return bad_envelope(rejected, "/: expected an object");
	if (at == NULL)
		at = attribute(root, "time");
	if (!json_is_string(at) || !when_parse(json_string_value(at), ret_now_ms))
		return bad_envelope(rejected,
		    "/recordedtime: expected RFC 3339 with a zone, here or in time");
	if (topic != NULL)
		rc = json_is_string(topic) ? route_parse_tail(json_string_value(topic), ret_route)
					   : AISLE_E_NONE;
	else
		rc = source != NULL ? route_from_source(source, ret_route) : AISLE_E_NONE;
	if (rc != 0 || ret_route->hello)
		return bad_envelope(rejected,
		    "/topic: expected CHANNEL/ID/event, or CHANNEL/ID at the end of source");
	if (answered != NULL && ret_route->channel == CHANNEL_TABLET)
		ret_route->answered =
		    strcmp(answered, "manager") == 0 ? ANSWERED_BY_MANAGER : ANSWERED_BY_TABLET;
	return REJECT_NONE;
}

int
envelope_parse_recorded(struct arena *arena, const struct envelope_rules *rules, const char *line,
    size_t len, struct route *ret_route, int64_t *ret_now_ms, struct event **ret_event,
    struct rejected *ret_rejected, unsigned *unknown_members)
{
	json_t *root;
	int rc = AISLE_E_REFUSED;

	memset(ret_rejected, 0, sizeof(*ret_rejected));
	memset(ret_route, 0, sizeof(*ret_route));
	*ret_now_ms = 0;
	*ret_event = NULL;
	root = read_json(line, len, "event", ret_rejected);
	if (root == NULL)
		return rc;
	if (read_recording(root, ret_route, ret_now_ms, ret_rejected) == REJECT_NONE)
		rc = envelope_parse_tree(arena, rules, ret_route, root, *ret_now_ms, ret_event,
		    ret_rejected, unknown_members);
	else
		wipe_person(json_object_get(root, "data"));
	json_decref(root);
	return rc;
}
