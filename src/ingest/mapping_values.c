/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_values.c - what rules of a mapping give, as the contract wants it: money, integers,
 * times.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/when.h"
#include "core/currency.h"
#include "ingest/decimal.h"
#include "ingest/mapping_internal.h"

#define VALUES_MAX 100000 /* in the value of a rule; a payload has fewer */
#define YEAR_2000_S INT64_C(946684800)
#define YEAR_2100_S INT64_C(4102444800)

static const char *const money_members[] = { "amount", "total", "margin", "worth" };
static const char *const money_arrays[] = { "discounts", "tenders", "items" };

/* Only of a number or a string: what else stands there is for the envelope to refuse. */
static bool
money_member(const struct mapping *mapping, int digits, json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);
	char number[40];
	int64_t minor;

	if (!json_is_number(value) && text == NULL)
		return true;
	if (text == NULL) {
		if (!decimal_text(json_number_value(value), number))
			return false;
		text = number;
	}
	if (!decimal_minor(text, digits, mapping->round, &minor))
		return false;
	json_object_set_new(object, name, json_integer(minor));
	return true;
}

bool
mapping_money(const struct mapping *mapping, json_t *data, const char **ret_member)
{
	const char *code = json_string_value(json_object_get(data, "currency"));
	int digits = code != NULL ? currency_digits(code) : mapping->digits;

	if (digits < 0)
		digits = mapping->digits; /* the envelope will refuse the code */
	for (size_t i = 0; i < ARRAY_LEN(money_members); i++) {
		*ret_member = money_members[i];
		if (!money_member(mapping, digits, data, money_members[i]))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(money_arrays); i++) {
		json_t *array = json_object_get(data, money_arrays[i]);

		*ret_member = money_arrays[i];
		for (size_t j = 0; j < json_array_size(array); j++) {
			if (!money_member(mapping, digits, json_array_get(array, j), "amount"))
				return false;
		}
	}
	return true;
}

/* Of an XML element with attributes what stands in it; anything else is itself. */
static json_t *
element_text(json_t *value)
{
	json_t *text = json_object_get(value, "#text");

	return text != NULL ? text : value;
}

json_t *
mapping_integers(json_t *value)
{
	json_t *copy, *member;
	const char *name;
	double number;
	size_t i;

	value = element_text(value);
	number = json_real_value(value);
	if (json_is_real(value) && number >= -9007199254740991.0 && number <= 9007199254740991.0 &&
	    number == (double)(int64_t)number)
		return json_integer((int64_t)number);
	/* Depth is that of the payload or of the rule, both bounded when they were read. */
	if (json_is_object(value)) {
		copy = json_object();
		json_object_foreach(value, name, member)
			json_object_set_new(copy, name, mapping_integers(member));
		return copy;
	}
	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach(value, i, member)
			json_array_append_new(copy, mapping_integers(member));
		return copy;
	}
	return json_copy(value);
}

/* What is left of the budget; below 0: more. */
static int
count_down(const json_t *value, int left)
{
	const char *name;
	json_t *member;
	size_t i;

	left--;
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
		if ((left = count_down(member, left)) < 0)
			return left;
	json_array_foreach(value, i, member)
		if ((left = count_down(member, left)) < 0)
			return left;
	return left;
}

bool
mapping_bounded(const json_t *value)
{
	return count_down(value, VALUES_MAX) >= 0;
}

bool
mapping_text(const json_t *value, char *out, size_t size)
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

/* Tills say "Unix time" and mean seconds, milliseconds, microseconds or nanoseconds: between 2000
 * and 2100 the four do not overlap, so the magnitude tells; anything else is nobody's time. */
static json_t *
time_of_number(double number)
{
	static const double per_second[] = { 1, 1e3, 1e6, 1e9 };
	char text[WHEN_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(per_second); i++) {
		double seconds = number / per_second[i];

		if (seconds >= (double)YEAR_2000_S && seconds < (double)YEAR_2100_S) {
			when_text((int64_t)(seconds * 1000.0 + 0.5), text);
			return json_string(text);
		}
	}
	return NULL;
}

/* "2026-11-21 10:15:00+0100" is RFC 3339 with a T and a colon. false: nor with them. */
static bool
as_rfc3339(const char *text, char out[static 64])
{
	size_t len = strlen(text);
	int64_t ms;

	if (len <= 15 || len + 2 > 64)
		return false;
	memcpy(out, text, len + 1);
	out[10] = out[10] == ' ' ? 'T' : out[10];
	if (strchr("+-", out[len - 5]) != NULL) {
		memmove(out + len - 1, out + len - 2, 3);
		out[len - 2] = ':';
	}
	return when_parse(out, &ms);
}

/* Without a zone it is of the mapping's. */
static json_t *
time_of_text(const struct mapping *mapping, const char *text)
{
	char instant[WHEN_TEXT_SIZE], plain[64];
	int64_t ms;

	if (mapping->local && when_parse_local(text, &ms)) {
		when_text(zone_instant(mapping->zone, ms), instant);
		return json_string(instant);
	}
	return json_string(as_rfc3339(text, plain) ? plain : text);
}

json_t *
mapping_time(const struct mapping *mapping, const json_t *value)
{
	const char *text = json_string_value(element_text((json_t *)(uintptr_t)value));
	size_t len = text != NULL ? strlen(text) : 0;

	/* In XML numbers are texts too. */
	if (len >= 9 && len <= 19 && strspn(text, "0123456789") == len)
		return time_of_number(strtod(text, NULL));
	if (text != NULL)
		return time_of_text(mapping, text);
	return json_is_number(value) ? time_of_number(json_number_value(value)) : NULL;
}
