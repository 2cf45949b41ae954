/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping.c - bare till JSON to CloudEvents: the file, checked and compiled.
 *
 * LIMITS
 *   256 KiB, 64 events, 32 fields an event; the rules' own limits are in logic.h.
 */
#include "ingest/mapping_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/currency.h"

static const char *const file_members[] = { "topic", "terminal", "events", "money", "rounding",
	NULL };
static const char *const event_members[] = { "when", "type", "id", "time", "data", NULL };

static int
wrong(struct err *err, const char *path, const char *where, const char *expected)
{
	return err_at(err, AISLE_E_INVALID, path, 0, 0, "%s: expected %s", where, expected);
}

static const char *
unknown_member(const json_t *object, const char *const *known)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], name) != 0)
			i++;
		if (known[i] == NULL)
			return name;
	}
	return NULL;
}

/* A rule that is absent or null: *ret stays NULL. */
static int
compile(const json_t *rule, const char *path, const char *where, struct logic **ret,
    struct err *err)
{
	struct err inner = { 0 };

	if (rule == NULL || json_is_null(rule))
		return 0;
	if (logic_compile(rule, NULL, NULL, ret, &inner) == 0)
		return 0;
	return err_at(err, AISLE_E_INVALID, path, 0, 0, "%s%s%s", where,
	    inner.text[0] == '/' ? "" : ": ", inner.text);
}

/* "tills/+/scan": + stands for a whole segment; topics of our own root never come back as a till's.
 */
static bool
is_filter(const char *topic)
{
	size_t len = strlen(topic);

	if (len == 0 || len > 256 || strchr(topic, '#') != NULL || topic[0] == '$' ||
	    strncmp(topic, "aisle/", 6) == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)topic[i] < 0x20 || topic[i] == 0x7f)
			return false;
		if (topic[i] == '+' &&
		    ((i > 0 && topic[i - 1] != '/') ||
			(topic[i + 1] != '\0' && topic[i + 1] != '/')))
			return false;
	}
	return true;
}

static int
segments(const char *topic)
{
	int count = 1;

	for (; *topic != '\0'; topic++)
		count += *topic == '/';
	return count;
}

static int
load_terminal(struct mapping *mapping, const json_t *terminal, const char *path, struct err *err)
{
	int64_t segment;

	if (json_is_object(terminal))
		return compile(terminal, path, "/terminal", &mapping->terminal_rule, err);
	if (!json_int(terminal, &segment) || segment < 1 || segment > segments(mapping->topic))
		return wrong(err, path, "/terminal", "a segment of topic, from 1, or JsonLogic");
	mapping->segment = (int)segment;
	return 0;
}

static int
load_money(struct mapping *mapping, const json_t *file, const char *path, struct err *err)
{
	const json_t *money = json_object_get(file, "money");
	const json_t *rounding = json_object_get(file, "rounding");
	const char *name = json_string_value(money);

	if (money != NULL &&
	    (name == NULL || (strcmp(name, "minor") != 0 && strcmp(name, "decimal") != 0)))
		return wrong(err, path, "/money", "minor or decimal");
	mapping->decimal = name != NULL && strcmp(name, "decimal") == 0;
	name = json_string_value(rounding);
	if (rounding != NULL && (!mapping->decimal || name == NULL || strcmp(name, "half-up") != 0))
		return wrong(err, path, "/rounding", "half-up, beside money decimal");
	mapping->round = rounding != NULL;
	return 0;
}

static int
load_fields(struct mapping_event *event, json_t *data, const char *path, const char *where,
    struct err *err)
{
	const char *name;
	json_t *rule;
	char place[160];
	int rc = 0;

	if (!json_is_object(data) || json_object_size(data) > MAPPING_FIELDS_MAX)
		return wrong(err, path, where, "data: an object of at most 32 members");
	json_object_foreach(data, name, rule) {
		struct mapping_field *field = &event->fields[event->field_count++];

		field->name = mem_strdup(name);
		snprintf(place, sizeof(place), "%s/data/%.64s", where, name);
		if (json_is_null(rule))
			return wrong(err, path, place, "JsonLogic");
		rc = compile(rule, path, place, &field->rule, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
load_event(struct mapping_event *event, json_t *json, const char *path, const char *where,
    struct err *err)
{
	const char *type = json_string_value(json_object_get(json, "type"));
	const json_t *id = json_object_get(json, "id");
	const char *unknown;
	char place[96];
	int rc;

	if (!json_is_object(json))
		return wrong(err, path, where, "an object");
	unknown = unknown_member(json, event_members);
	if (unknown != NULL)
		return err_at(err, AISLE_E_INVALID, path, 0, 0, "%s/%.64s: unknown member", where,
		    unknown);
	event->type = type != NULL ? event_type_by_name(type) : EV_NONE;
	if (event->type == EV_NONE || event->type == EV_GUIDANCE_SHOWN ||
	    event->type == EV_GUIDANCE_DECIDED || event->type == EV_CARE_CASE_OPENED ||
	    event->type == EV_CARE_CASE_CLOSED)
		return wrong(err, path, where, "type: an event that a till may send");
	if (id == NULL || json_is_null(id))
		return wrong(err, path, where, "id: JsonLogic");
	snprintf(place, sizeof(place), "%s/when", where);
	rc = compile(json_object_get(json, "when"), path, place, &event->when, err);
	snprintf(place, sizeof(place), "%s/id", where);
	if (rc == 0)
		rc = compile(id, path, place, &event->id, err);
	snprintf(place, sizeof(place), "%s/time", where);
	if (rc == 0)
		rc = compile(json_object_get(json, "time"), path, place, &event->time, err);
	return rc != 0 ? rc : load_fields(event, json_object_get(json, "data"), path, where, err);
}

static int
load_events(struct mapping *mapping, const json_t *events, const char *path, struct err *err)
{
	char where[32];
	int rc = 0;

	if (!json_is_array(events) || json_array_size(events) < 1 ||
	    json_array_size(events) > MAPPING_EVENTS_MAX)
		return wrong(err, path, "/events", "an array of 1-64 events");
	for (size_t i = 0; rc == 0 && i < json_array_size(events); i++) {
		snprintf(where, sizeof(where), "/events/%zu", i);
		mapping->event_count++;
		rc = load_event(&mapping->events[i], json_array_get(events, i), path, where, err);
	}
	return rc;
}

static int
load_file(struct mapping *mapping, const json_t *file, const char *path, struct err *err)
{
	const char *topic = json_string_value(json_object_get(file, "topic"));
	const char *unknown;
	int rc;

	if (!json_is_object(file))
		return wrong(err, path, "/", "an object");
	unknown = unknown_member(file, file_members);
	if (unknown != NULL)
		return err_at(err, AISLE_E_INVALID, path, 0, 0, "/%.64s: unknown member", unknown);
	if (topic == NULL || !is_filter(topic))
		return wrong(err, path, "/topic",
		    "a topic, + for a whole segment, not below aisle/");
	mapping->topic = mem_strdup(topic);
	rc = load_terminal(mapping, json_object_get(file, "terminal"), path, err);
	if (rc == 0)
		rc = load_money(mapping, file, path, err);
	return rc != 0 ? rc : load_events(mapping, json_object_get(file, "events"), path, err);
}

int
mapping_load(const char *name, const char *path, struct mapping **ret_mapping, struct err *err)
{
	json_t *file = json_read_file(path, MAPPING_BYTES_MAX, err);
	struct mapping *mapping;
	int rc;

	if (file == NULL)
		return err->code;
	mapping = mem_calloc(1, sizeof(*mapping));
	mapping->name = mem_strdup(name);
	mapping->digits = 2;
	rc = load_file(mapping, file, path, err);
	json_decref(file);
	if (rc != 0) {
		mapping_free(mapping);
		return rc;
	}
	*ret_mapping = mapping;
	return 0;
}

void
mapping_free(struct mapping *mapping)
{
	if (mapping == NULL)
		return;
	for (size_t i = 0; i < mapping->event_count; i++) {
		struct mapping_event *event = &mapping->events[i];

		logic_free(event->when);
		logic_free(event->id);
		logic_free(event->time);
		for (size_t j = 0; j < event->field_count; j++) {
			free(event->fields[j].name);
			logic_free(event->fields[j].rule);
		}
	}
	logic_free(mapping->terminal_rule);
	free(mapping->topic);
	free(mapping->name);
	free(mapping);
}

void
mapping_set_currency(struct mapping *mapping, const char *code)
{
	int digits = currency_digits(code);

	mapping->digits = digits >= 0 ? digits : 2;
}

const char *
mapping_topic(const struct mapping *mapping)
{
	return mapping->topic;
}
