/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_lines.c - the lines of a basket whose till names them by texts, or sends them all each time.
 *
 * DESIGN
 *   A text becomes the same number wherever and whenever it is read: nothing is kept, so there is
 *   nothing to bound, and a restart or a replay changes nothing. Digits are their own number; any
 *   other text is 52 bits of its BLAKE2b, above the numbers that tills count. Two texts of a basket
 *   meet with a chance of 1 in 4.5 * 10^15. Rejected: a table of texts by basket, which has to be
 *   on disk before its event is, and is full one day.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "core/when.h"
#include "ingest/fields.h"
#include "ingest/mapping_internal.h"

#define HASHED (INT64_C(1) << 52) /* and above */

/* "7", "0", not "07": a number below HASHED. */
static bool
plain_number(const char *text, int64_t *ret)
{
	size_t len = strlen(text);
	int64_t number = 0;

	if (len == 0 || len > 16 || strspn(text, "0123456789") != len ||
	    (text[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++)
		number = number * 10 + (text[i] - '0');
	*ret = number;
	return number < HASHED;
}

static int64_t
number_of(const char *text)
{
	uint8_t digest[8];
	int64_t number = 0;

	if (plain_number(text, &number))
		return number;
	hash_bytes(digest, sizeof(digest), text, strlen(text), NULL, 0);
	number = 0;
	for (size_t i = 0; i < sizeof(digest); i++)
		number = (int64_t)(((uint64_t)number << 8 | digest[i]) & (HASHED - 1));
	return HASHED | number;
}

/* New reference. What is neither a text nor too large a number stays, also what is no line. */
static json_t *
line_of(const json_t *value)
{
	char text[24];

	if (json_is_string(value) && json_string_length(value) > 0)
		return json_integer(number_of(json_string_value(value)));
	if (json_is_integer(value) && json_integer_value(value) > LINE_MAX) {
		snprintf(text, sizeof(text), "%" PRId64, (int64_t)json_integer_value(value));
		return json_integer(number_of(text));
	}
	return json_incref((json_t *)(uintptr_t)value);
}

void
mapping_lines(json_t *data)
{
	json_t *line = json_object_get(data, "line"), *except = json_object_get(data, "except");

	if (line != NULL)
		json_object_set_new(data, "line", line_of(line));
	for (size_t i = 0; i < json_array_size(except); i++)
		json_array_set_new(except, i, line_of(json_array_get(except, i)));
}

/* ---- snapshots ---- */

static const json_t *
datum(const struct made *made, const char *name)
{
	return json_object_get(json_object_get(made->event, "data"), name);
}

static bool
same_basket(const struct made *a, const struct made *b)
{
	return json_equal(datum(a, "basket"), datum(b, "basket"));
}

/* Is it the last of the snapshot's events of its basket? */
static bool
ends_snapshot(const struct made *made, size_t count, size_t i)
{
	if (!made[i].snapshot)
		return false;
	for (size_t k = i + 1; k < count; k++)
		if (made[k].snapshot && same_basket(&made[k], &made[i]))
			return false;
	return true;
}

/* The latest of two RFC 3339 texts; what is none is for the envelope to refuse. */
static json_t *
later(json_t *a, json_t *b)
{
	int64_t a_ms, b_ms;

	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return json_is_string(a) && json_is_string(b) && when_parse(json_string_value(a), &a_ms) &&
		when_parse(json_string_value(b), &b_ms) && b_ms > a_ms
	    ? b
	    : a;
}

/* The void of all lines of the basket that no event of the message names. Its name is made of
 * theirs: the same message again is the same event. */
static json_t *
void_of_rest(const struct made *made, size_t count, size_t last)
{
	json_t *except = json_array(), *event, *time = NULL;
	char name[5 + 2 * 16 + 1] = "rest/";
	struct buf names = { 0 };
	uint8_t digest[16];

	for (size_t i = 0; i < count; i++) {
		const json_t *line = datum(&made[i], "line");

		if (!same_basket(&made[i], &made[last]))
			continue;
		if (made[i].snapshot)
			time = later(time, json_object_get(made[i].event, "time"));
		buf_adds(&names, json_string_value(json_object_get(made[i].event, "id")));
		buf_addc(&names, '\0');
		if (json_is_integer(line) && !made[i].marker)
			json_array_append(except, (json_t *)(uintptr_t)line);
	}
	hash_bytes(digest, sizeof(digest), names.data, names.len, NULL, 0);
	hash_hex(name + 5, digest, sizeof(digest));
	buf_done(&names);
	event = json_copy(made[last].event);
	json_object_set_new(event, "id", json_string(name));
	json_object_set_new(event, "type", json_string(event_type_name(EV_BASKET_ITEM_VOIDED)));
	if (time != NULL)
		json_object_set(event, "time", time);
	json_object_set_new(event, "data",
	    json_pack("{s:O?, s:o}", "basket", datum(&made[last], "basket"), "except", except));
	return event;
}

json_t *
mapping_settle(const struct made *made, size_t count)
{
	json_t *events = json_array();

	for (size_t i = 0; i < count; i++) {
		if (!made[i].marker)
			json_array_append(events, made[i].event);
		if (ends_snapshot(made, count, i))
			json_array_append_new(events, void_of_rest(made, count, i));
	}
	return events;
}
