/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping.c - bare till JSON or XML to CloudEvents: the file, checked and compiled.
 *
 * DESIGN
 *   All that is wrong is said, each with its place, so that the author of a mapping mends it once.
 *
 * LIMITS
 *   256 KiB, 64 events, 32 fields an event, 16 texts to parse; the rules' own limits are in logic.h.
 */
#include "ingest/mapping_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/currency.h"
#include "core/when.h"
#include "core/zone_file.h"

#define PLACE_SIZE 128

struct reader {
	const char *path;
	struct buf text;
	struct buf *report;
	struct mapping *mapping;
	bool failed;
};

static const char *const file_members[] = { "topic", "terminal", "format", "parse", "zone", "let",
	"events", "ignore", "money", "rounding", NULL };
static const char *const event_members[] = { "each", "snapshot", "when", "type", "id", "time",
	"data", NULL };

/* ---- what is wrong, and where ---- */

/* Of a place that is not there, the nearest around it. */
static void
wrong(void *ctx, const char *pointer, const char *text)
{
	struct reader *reader = ctx;
	char place[600];
	int line = 1, column = 1;

	snprintf(place, sizeof(place), "%s", strcmp(pointer, "/") == 0 ? "" : pointer);
	while (!json_locate(reader->text.data, reader->text.len, place, &line, &column)) {
		char *last = strrchr(place, '/');

		if (last == NULL)
			break;
		*last = '\0';
	}
	buf_addf(reader->report, "%s:%d:%d: %s: %s\n", reader->path, line, column, pointer, text);
	reader->failed = true;
}

static void
check_members(struct reader *reader, const json_t *object, const char *pointer,
    const char *const *known)
{
	char place[PLACE_SIZE + 80], text[200];
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		size_t i = 0, len;

		while (known[i] != NULL && strcmp(known[i], name) != 0)
			i++;
		if (known[i] != NULL)
			continue;
		len = (size_t)snprintf(text, sizeof(text), "unknown member, expected one of");
		for (i = 0; known[i] != NULL && len < sizeof(text); i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, " %s", known[i]);
		snprintf(place, sizeof(place), "%s/%.64s", pointer, name);
		wrong(reader, place, text);
	}
}

/* A rule that is absent or null: NULL, and nothing is wrong. */
static struct logic *
read_rule(struct reader *reader, const json_t *object, const char *pointer, const char *member)
{
	const json_t *rule = json_object_get(object, member);
	char place[PLACE_SIZE];

	if (rule == NULL || json_is_null(rule))
		return NULL;
	snprintf(place, sizeof(place), "%s/%s", pointer, member);
	mapping_check_names(reader->mapping, rule, place, wrong, reader);
	return mapping_rule(rule, place, wrong, reader);
}

/* ---- the file ---- */

/* "tills/+/scan": + stands for a whole segment, # for all that follow. Not all that is below our own root: what
 * we say would come back. */
static bool
is_filter(const char *topic)
{
	size_t len = strlen(topic);
	const char *all = strchr(topic, '#');

	if (len == 0 || len > 256 || topic[0] == '$' ||
	    strncmp(topic, MAPPING_NEVER, strlen(MAPPING_NEVER)) == 0 ||
	    (topic[0] == '+' && all != NULL) ||
	    (all != NULL && (all - topic < 2 || all[-1] != '/' || all[1] != '\0')))
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

static void
read_topic(struct reader *reader, const json_t *file)
{
	const char *topic = json_string_value(json_object_get(file, "topic"));
	const json_t *terminal = json_object_get(file, "terminal");
	struct mapping *mapping = reader->mapping;
	int64_t segment;

	if (topic == NULL || !is_filter(topic))
		wrong(reader, "/topic",
		    "expected a topic, + for a whole segment, # for all behind it, not below "
		    "aisle/");
	mapping->topic = mem_strdup(topic != NULL ? topic : "");
	if (json_is_object(terminal))
		mapping->terminal_rule = mapping_rule(terminal, "/terminal", wrong, reader);
	else if (!json_int(terminal, &segment) || segment < 1 || segment > segments(mapping->topic))
		wrong(reader, "/terminal", "expected a segment of topic, from 1, or JsonLogic");
	else
		mapping->segment = (int)segment;
}

/* One of two words; absent: the first. Is it the second? */
static bool
read_word(struct reader *reader, const json_t *file, const char *member, const char *first,
    const char *second)
{
	const json_t *value = json_object_get(file, member);
	const char *word = value != NULL ? json_string_value(value) : first;
	char pointer[32], text[64];

	if (word != NULL && (strcmp(word, first) == 0 || strcmp(word, second) == 0))
		return strcmp(word, second) == 0;
	snprintf(pointer, sizeof(pointer), "/%s", member);
	snprintf(text, sizeof(text), "expected %s or %s", first, second);
	wrong(reader, pointer, text);
	return false;
}

static void
read_money(struct reader *reader, const json_t *file)
{
	const json_t *rounding = json_object_get(file, "rounding");
	const char *name = json_string_value(rounding);
	struct mapping *mapping = reader->mapping;

	mapping->decimal = read_word(reader, file, "money", "minor", "decimal");
	if (rounding != NULL && (!mapping->decimal || name == NULL || strcmp(name, "half-up") != 0))
		wrong(reader, "/rounding", "expected half-up, beside money decimal");
	mapping->round = rounding != NULL;
}

static void
read_parse(struct reader *reader, const json_t *file)
{
	const json_t *parse = json_object_get(file, "parse");
	size_t count = json_is_array(parse) ? json_array_size(parse) : parse != NULL;
	struct mapping *mapping = reader->mapping;

	if (count > MAPPING_PARSE_MAX) {
		wrong(reader, "/parse", "expected at most 16 paths");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const char *path =
		    json_string_value(json_is_array(parse) ? json_array_get(parse, i) : parse);

		if (path == NULL || path[0] == '\0' || strlen(path) > 256)
			wrong(reader, "/parse", "expected the path of a text, or a list of them");
		else
			mapping->parse[mapping->parse_count++] = mem_strdup(path);
	}
}

static void
read_zone(struct reader *reader, const json_t *file)
{
	const json_t *value = json_object_get(file, "zone");
	const char *name = json_string_value(value);
	struct mapping *mapping = reader->mapping;

	if (value == NULL)
		return;
	mapping->local = true;
	mapping->of_store = name != NULL && strcmp(name, "store") == 0;
	if (name != NULL && !mapping->of_store && strcmp(name, "UTC") != 0)
		mapping->zone = zone_by_name(name);
	if (name == NULL ||
	    (!mapping->of_store && strcmp(name, "UTC") != 0 && mapping->zone == NULL))
		wrong(reader, "/zone",
		    "expected store, UTC or the name of a time zone that this machine knows");
}

/* ---- the events ---- */

/* An object of rules; where they stand is pointer, member names it in there for people. */
static void
read_fields(struct reader *reader, json_t *data, const char *pointer, const char *member,
    struct mapping_field *fields, size_t *count)
{
	const char *name;
	json_t *rule;
	char place[PLACE_SIZE + 80], text[80];

	if (!json_is_object(data) || json_object_size(data) > MAPPING_FIELDS_MAX) {
		snprintf(text, sizeof(text), "expected %s: an object of at most 32 members",
		    member);
		wrong(reader, pointer[0] != '\0' ? pointer : "/", text);
		return;
	}
	json_object_foreach(data, name, rule) {
		struct mapping_field *field = &fields[*count];

		snprintf(place, sizeof(place), "%s/%s/%.64s", pointer, member, name);
		mapping_check_names(reader->mapping, rule, place, wrong, reader);
		if (json_is_null(rule))
			wrong(reader, place, "expected JsonLogic");
		else
			field->rule = mapping_rule(rule, place, wrong, reader);
		field->name = mem_strdup(name);
		*count += 1; /* a "let" is known to those behind it */
	}
}

static void
read_each(struct reader *reader, struct mapping_event *event, const json_t *json,
    const char *pointer)
{
	const json_t *each = json_object_get(json, "each");
	const json_t *snapshot = json_object_get(json, "snapshot");
	char place[PLACE_SIZE];

	snprintf(place, sizeof(place), "%s/each", pointer);
	if (json_is_string(each)) {
		json_t *rule = json_pack("{s:O}", "var", each);

		mapping_check_names(reader->mapping, rule, place, wrong, reader);
		event->each = mapping_rule(rule, place, wrong, reader);
		json_decref(rule);
	} else if (json_is_object(each)) {
		event->each = mapping_rule(each, place, wrong, reader);
	} else if (each != NULL) {
		wrong(reader, place, "expected the path of a list, or JsonLogic");
	}
	snprintf(place, sizeof(place), "%s/snapshot", pointer);
	if (snapshot != NULL && !json_is_boolean(snapshot))
		wrong(reader, place, "expected true or false");
	event->snapshot = json_is_true(snapshot);
	if (event->snapshot && (each == NULL || event->type != EV_BASKET_ITEM_ADDED))
		wrong(reader, place, "expected it beside each, in an aisle.basket.item-added");
}

static bool
may_be_made(enum event_type type)
{
	return type != EV_NONE && type != EV_GUIDANCE_SHOWN && type != EV_GUIDANCE_DECIDED &&
	    type != EV_CARE_CASE_OPENED && type != EV_CARE_CASE_CLOSED;
}

static void
read_event(struct reader *reader, struct mapping_event *event, json_t *json, const char *pointer)
{
	const char *type = json_string_value(json_object_get(json, "type"));
	const json_t *id = json_object_get(json, "id");
	char place[PLACE_SIZE];

	event->type = type != NULL ? event_type_by_name(type) : EV_NONE;
	if (!json_is_object(json)) {
		wrong(reader, pointer, "expected an object");
		return;
	}
	check_members(reader, json, pointer, event_members);
	if (!may_be_made(event->type))
		wrong(reader, pointer, "expected type: an event that a till may send");
	if (id == NULL || json_is_null(id))
		wrong(reader, pointer, "expected id: JsonLogic");
	read_each(reader, event, json, pointer);
	event->when = read_rule(reader, json, pointer, "when");
	event->id = read_rule(reader, json, pointer, "id");
	event->time = read_rule(reader, json, pointer, "time");
	read_fields(reader, json_object_get(json, "data"), pointer, "data", event->fields,
	    &event->field_count);
	snprintf(place, sizeof(place), "%s/data", pointer);
	if (may_be_made(event->type) && json_is_object(json_object_get(json, "data")))
		mapping_check_data(event->type, json_object_get(json, "data"), place, wrong,
		    reader);
}

static void
read_events(struct reader *reader, const json_t *events)
{
	char pointer[32];

	if (!json_is_array(events) || json_array_size(events) < 1 ||
	    json_array_size(events) > MAPPING_EVENTS_MAX) {
		wrong(reader, "/events", "expected an array of 1-64 events");
		return;
	}
	for (size_t i = 0; i < json_array_size(events); i++) {
		snprintf(pointer, sizeof(pointer), "/events/%zu", i);
		reader->mapping->event_count++;
		read_event(reader, &reader->mapping->events[i], json_array_get(events, i), pointer);
	}
}

static void
read_mapping(struct reader *reader, const json_t *file)
{
	if (!json_is_object(file)) {
		wrong(reader, "/", "expected an object");
		return;
	}
	check_members(reader, file, "", file_members);
	read_topic(reader, file);
	reader->mapping->xml = read_word(reader, file, "format", "json", "xml");
	read_money(reader, file);
	read_parse(reader, file);
	read_zone(reader, file);
	if (json_object_get(file, "let") != NULL)
		read_fields(reader, json_object_get(file, "let"), "", "let", reader->mapping->lets,
		    &reader->mapping->let_count);
	reader->mapping->ignore = read_rule(reader, file, "", "ignore");
	read_events(reader, json_object_get(file, "events"));
}

/* ---- from outside ---- */

static json_t *
read_text(struct reader *reader)
{
	FILE *file = fopen(reader->path, "re");
	struct err err = { 0 };
	char part[4096];
	size_t len;
	json_t *json;

	while (file != NULL && reader->text.len <= MAPPING_BYTES_MAX &&
	    (len = fread(part, 1, sizeof(part), file)) > 0)
		buf_add(&reader->text, part, len);
	if (file == NULL || ferror(file))
		buf_addf(reader->report, "%s: %s\n", reader->path, strerror(errno));
	else if (reader->text.len > MAPPING_BYTES_MAX)
		buf_addf(reader->report, "%s: expected at most 256 KiB\n", reader->path);
	else if ((json = json_read(reader->text.data != NULL ? reader->text.data : "",
		      reader->text.len, reader->path, &err)) != NULL) {
		fclose(file);
		return json;
	} else
		buf_addf(reader->report, "%s:%d:%d: %s\n", reader->path, err.line, err.column,
		    err.text);
	if (file != NULL)
		fclose(file);
	return NULL;
}

int
mapping_load(const char *name, const char *path, struct mapping **ret_mapping, struct buf *report)
{
	struct reader reader = { .path = path, .report = report };
	json_t *file = read_text(&reader);

	if (file != NULL) {
		reader.mapping = mem_zero(sizeof(*reader.mapping));
		reader.mapping->name = mem_strdup(name);
		reader.mapping->digits = 2;
		read_mapping(&reader, file);
	}
	buf_done(&reader.text);
	json_decref(file);
	if (file == NULL || reader.failed) {
		mapping_free(reader.mapping);
		return AISLE_E_INVALID;
	}
	*ret_mapping = reader.mapping;
	return 0;
}

static void
free_fields(struct mapping_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(fields[i].name);
		logic_free(fields[i].rule);
	}
}

static void
free_event(struct mapping_event *event)
{
	logic_free(event->each);
	logic_free(event->when);
	logic_free(event->id);
	logic_free(event->time);
	free_fields(event->fields, event->field_count);
}

void
mapping_free(struct mapping *mapping)
{
	if (mapping == NULL)
		return;
	for (size_t i = 0; i < mapping->event_count; i++)
		free_event(&mapping->events[i]);
	for (size_t i = 0; i < mapping->parse_count; i++)
		free(mapping->parse[i]);
	free_fields(mapping->lets, mapping->let_count);
	logic_free(mapping->terminal_rule);
	logic_free(mapping->ignore);
	zone_free(mapping->zone);
	free(mapping->currency);
	free(mapping->topic);
	free(mapping->name);
	free(mapping);
}

void
mapping_set_store(struct mapping *mapping, const char *currency, const char *zone)
{
	int digits = currency_digits(currency);

	mapping->digits = digits >= 0 ? digits : 2;
	free(mapping->currency);
	mapping->currency = mem_strdup(currency);
	if (!mapping->of_store)
		return;
	zone_free(mapping->zone);
	mapping->zone = zone_by_name(zone);
	/* One that this machine does not know: times without a zone are refused, and not taken as UTC. */
	mapping->local = mapping->zone != NULL || strcmp(zone, "UTC") == 0;
}

const char *
mapping_topic(const struct mapping *mapping)
{
	return mapping->topic;
}
