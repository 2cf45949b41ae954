/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_apply.c - one bare till message through a mapping.
 *
 * DESIGN
 *   The result is plain CloudEvents that go through envelope_parse like any
 *   other: a mapping can say less than a till that speaks the contract, never
 *   more. It keeps nothing between messages, so a replay of its events needs
 *   no mapping.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ingest/fields.h"
#include "ingest/mapping_internal.h"

#define RULE_ERR(err, ...) err_set((err), AISLE_E_INVALID, __VA_ARGS__)

/* What the result of "when" is to JsonLogic: [] is false, {} and "0" are true. */
static bool
truthy(const json_t *value)
{
	if (json_is_array(value))
		return json_array_size(value) > 0;
	if (json_is_string(value))
		return json_string_length(value) > 0;
	if (json_is_number(value))
		return json_number_value(value) != 0.0;
	return json_is_true(value) || json_is_object(value);
}

static json_t *
topic_segments(const char *topic)
{
	json_t *array = json_array();

	for (;;) {
		size_t len = strcspn(topic, "/");

		json_array_append_new(array, json_stringn(topic, len));
		if (topic[len] == '\0')
			return array;
		topic += len + 1;
	}
}

/* A non-empty text, or an integer as decimal digits: sequence numbers are ids in many tills. */
static bool
text_of(const json_t *value, char *out, size_t size)
{
	json_t *plain = mapping_integers((json_t *)(uintptr_t)value);
	const char *text = json_string_value(plain);
	bool ok = false;

	if (json_is_integer(plain)) {
		snprintf(out, size, "%" PRId64, (int64_t)json_integer_value(plain));
		ok = true;
	} else if (text != NULL && text[0] != '\0' && strlen(text) < size) {
		memcpy(out, text, strlen(text) + 1);
		ok = true;
	}
	json_decref(plain);
	return ok;
}

static bool
is_terminal(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 32 &&
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static int
find_terminal(const struct mapping *mapping, json_t *input, char out[static 33], struct err *err)
{
	json_t *value = NULL;
	bool ok;

	if (mapping->segment > 0)
		value = json_incref(json_array_get(json_object_get(input, "_topic"),
		    (size_t)mapping->segment - 1));
	else if (logic_run_json(mapping->terminal_rule, input, &value) != LOGIC_OK)
		value = NULL;
	ok = value != NULL && text_of(value, out, 33) && is_terminal(out);
	json_decref(value);
	return ok ? 0 : RULE_ERR(err, "/terminal: expected 1-32 of A-Z a-z 0-9 _ -");
}

/* Members whose rule gives null are left out: that is how a till says that it has none. */
static json_t *
build_data(const struct mapping *mapping, const struct mapping_event *event, size_t n,
    json_t *input, struct err *err)
{
	json_t *data = json_object();
	const char *member;

	for (size_t i = 0; i < event->field_count; i++) {
		json_t *value = NULL;

		if (logic_run_json(event->fields[i].rule, input, &value) != LOGIC_OK) {
			RULE_ERR(err, "/events/%zu/data/%.64s: the rule needs too many steps", n,
			    event->fields[i].name);
			json_decref(value);
			json_decref(data);
			return NULL;
		}
		if (!json_is_null(value))
			json_object_set_new(data, event->fields[i].name, mapping_integers(value));
		json_decref(value);
	}
	if (mapping->decimal && !mapping_money(mapping, data, &member)) {
		RULE_ERR(err,
		    "/events/%zu/data/%s: expected a decimal amount of the currency's decimals", n,
		    member);
		json_decref(data);
		return NULL;
	}
	return data;
}

static int
set_time(const struct mapping_event *event, size_t n, json_t *input, json_t *out, struct err *err)
{
	json_t *value = NULL, *time;

	if (event->time == NULL)
		return 0;
	if (logic_run_json(event->time, input, &value) != LOGIC_OK) {
		json_decref(value);
		return RULE_ERR(err, "/events/%zu/time: the rule needs too many steps", n);
	}
	if (json_is_null(value)) {
		json_decref(value);
		return 0;
	}
	time = mapping_time(value);
	json_decref(value);
	if (time == NULL)
		return RULE_ERR(err,
		    "/events/%zu/time: expected RFC 3339, or s, ms, us or ns between 2000 and 2100",
		    n);
	json_object_set_new(out, "time", time);
	return 0;
}

static json_t *
build_event(const struct mapping *mapping, size_t n, json_t *input, const char *terminal,
    struct err *err)
{
	const struct mapping_event *event = &mapping->events[n];
	json_t *out = json_object();
	json_t *value = NULL, *data;
	char id[129];
	bool ok;

	ok = logic_run_json(event->id, input, &value) == LOGIC_OK && text_of(value, id, sizeof(id));
	json_decref(value);
	if (!ok) {
		RULE_ERR(err, "/events/%zu/id: expected 1-128 characters", n);
		goto fail;
	}
	json_object_set_new(out, "specversion", json_string("1.0"));
	json_object_set_new(out, "id", json_string(id));
	json_object_set_new(out, "source", json_sprintf("/mapping/%s/%s", mapping->name, terminal));
	json_object_set_new(out, "type", json_string(event_type_name(event->type)));
	if (set_time(event, n, input, out, err) != 0)
		goto fail;
	data = build_data(mapping, event, n, input, err);
	if (data == NULL)
		goto fail;
	json_object_set_new(out, "data", data);
	return out;
fail:
	json_decref(out);
	return NULL;
}

/* 1: the event is of interest, 0: not, < 0: its rule failed. */
static int
wanted(const struct mapping_event *event, size_t n, json_t *input, struct err *err)
{
	json_t *value = NULL;
	int rc;

	if (event->when == NULL)
		return 1;
	if (logic_run_json(event->when, input, &value) != LOGIC_OK)
		rc = RULE_ERR(err, "/events/%zu/when: the rule needs too many steps", n);
	else
		rc = truthy(value);
	json_decref(value);
	return rc;
}

/* A card number may stand anywhere in a bare payload: all its texts go. Depth is JSON_DEPTH_MAX at
 * most. */
static void
wipe_strings(json_t *json)
{
	const char *name;
	json_t *member;
	size_t i;

	wipe_json_string(json);
	json_object_foreach(json, name, member)
		wipe_strings(member);
	json_array_foreach(json, i, member)
		wipe_strings(member);
}

static int
apply(const struct mapping *mapping, json_t *input, json_t *events, char ret_terminal[static 33],
    struct err *err)
{
	for (size_t n = 0; n < mapping->event_count; n++) {
		int rc = wanted(&mapping->events[n], n, input, err);
		json_t *event;

		if (rc < 0)
			return rc;
		if (rc == 0)
			continue;
		if (json_array_size(events) == 0 &&
		    find_terminal(mapping, input, ret_terminal, err) != 0)
			return AISLE_E_INVALID;
		event = build_event(mapping, n, input, ret_terminal, err);
		if (event == NULL)
			return AISLE_E_INVALID;
		json_array_append_new(events, event);
	}
	return 0;
}

bool
mapping_matches(const struct mapping *mapping, const char *topic)
{
	const char *filter = mapping->topic;

	for (;;) {
		size_t want = strcspn(filter, "/"), have = strcspn(topic, "/");

		if (!(want == 1 && filter[0] == '+') &&
		    (want != have || memcmp(filter, topic, want) != 0))
			return false;
		filter += want;
		topic += have;
		if (*filter == '\0' || *topic == '\0')
			return *filter == *topic;
		filter++;
		topic++;
	}
}

json_t *
mapping_apply(const struct mapping *mapping, const char *topic, const void *payload, size_t len,
    char ret_terminal[static 33], struct err *err)
{
	struct err inner = { 0 };
	json_t *input, *events;

	ret_terminal[0] = '\0';
	if (len > EVENT_BYTES_MAX) {
		RULE_ERR(err, "%zu bytes, expected at most %d", len, EVENT_BYTES_MAX);
		return NULL;
	}
	input = json_read(payload, len, "payload", &inner);
	if (!json_is_object(input)) {
		/* Not the reader's own words: they may quote the payload. */
		if (input == NULL)
			RULE_ERR(err, "not strict JSON at line %d, column %d", inner.line,
			    inner.column);
		else
			RULE_ERR(err, "/: expected an object");
		json_decref(input);
		return NULL;
	}
	json_object_set_new(input, "_topic", topic_segments(topic));
	events = json_array();
	if (apply(mapping, input, events, ret_terminal, err) != 0) {
		json_decref(events);
		events = NULL;
	}
	wipe_strings(input);
	json_decref(input);
	return events;
}
