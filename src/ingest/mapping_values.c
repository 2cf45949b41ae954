/* SPDX-License-Identifier: Apache-2.0
 *
 * mapping_values.c - what rules of a mapping give, as the contract wants it: money, integers,
 * times.
 */
#include <string.h>

#include "core/when.h"
#include "core/currency.h"
#include "ingest/decimal.h"
#include "ingest/mapping_internal.h"

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

json_t *
mapping_integers(json_t *value)
{
	double number = json_real_value(value);
	json_t *copy, *member;
	const char *name;
	size_t i;

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

/* Tills say "Unix time" and mean seconds, milliseconds, microseconds or nanoseconds: between 2000
 * and 2100 the four do not overlap, so the magnitude tells; anything else is nobody's time. */
json_t *
mapping_time(const json_t *value)
{
	static const struct {
		int64_t per_second;
	} units[] = { { 1 }, { 1000 }, { 1000000 }, { 1000000000 } };
	char text[WHEN_TEXT_SIZE];
	double number;

	if (json_is_string(value))
		return json_string(json_string_value(value));
	if (!json_is_number(value))
		return NULL;
	number = json_number_value(value);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		double seconds = number / (double)units[i].per_second;

		if (seconds >= (double)YEAR_2000_S && seconds < (double)YEAR_2100_S) {
			when_text((int64_t)(seconds * 1000.0 + 0.5), text);
			return json_string(text);
		}
	}
	return NULL;
}
