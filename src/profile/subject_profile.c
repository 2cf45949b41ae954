/* SPDX-License-Identifier: Apache-2.0
 *
 * subject_profile.c - HQ's profile row into a subject.
 *
 * The row is read whole before anything of the subject changes.
 */
#include "profile/subject_io.h"

#include <stdlib.h>
#include <string.h>

#include "aisle/value.h"
#include "core/json.h"
#include "core/when.h"
#include "profile/subject_rows.h"

/* clang-format off */
static const char *const purpose_names[CONSENT_COUNT] = {
	[CONSENT_PERSONALISE] = "personalise",
	[CONSENT_PROFILE] = "profile",
	[CONSENT_CONTACT] = "contact",
};
/* clang-format on */

static bool
is_string_or_absent(const json_t *json)
{
	return json == NULL || json_is_string(json);
}

static bool
is_attribute(const json_t *json)
{
	return json_is_number(json) || json_is_boolean(json) || json_is_string(json);
}

static bool
state_of(const json_t *json, enum consent_state *ret)
{
	const char *text = json_string_value(json);

	if (text != NULL && strcmp(text, "granted") == 0)
		*ret = CONSENT_GRANTED;
	else if (text != NULL && strcmp(text, "denied") == 0)
		*ret = CONSENT_DENIED;
	else
		return false;
	return true;
}

static bool
is_bool_or_absent(const json_t *json)
{
	return json == NULL || json_is_boolean(json);
}

static bool
is_row(const json_t *row)
{
	const json_t *consent = json_object_get(row, "consent"), *at = json_object_get(row, "at");
	json_t *attributes = json_object_get(row, "attributes"), *value;
	enum consent_state state;
	const char *name;
	int64_t at_ms;

	if (!json_is_object(row) || !is_string_or_absent(json_object_get(row, "language")) ||
	    !is_string_or_absent(json_object_get(row, "line")))
		return false;
	if (!is_bool_or_absent(json_object_get(row, "staff")))
		return false;
	if (at != NULL && (!json_is_string(at) || !when_parse(json_string_value(at), &at_ms)))
		return false;
	if ((consent != NULL && !json_is_object(consent)) ||
	    (attributes != NULL && !json_is_object(attributes)))
		return false;
	for (int i = 0; i < CONSENT_COUNT; i++) {
		value = json_object_get(consent, purpose_names[i]);
		if (value != NULL && !state_of(value, &state))
			return false;
	}
	json_object_foreach(attributes, name, value) {
		if (!is_attribute(value))
			return false;
	}
	return told_is_row(row);
}

static void
take_consent(struct subject *subject, const json_t *row)
{
	const json_t *consent = json_object_get(row, "consent");
	const json_t *at = json_object_get(row, "at");
	enum consent_state state;
	int64_t at_ms = 0;

	if (at != NULL)
		CHECK(when_parse(json_string_value(at), &at_ms));
	for (int i = 0; i < CONSENT_COUNT; i++) {
		if (state_of(json_object_get(consent, purpose_names[i]), &state))
			consent_from_profile(subject, (enum consent_purpose)i, state, at_ms);
	}
}

static void
take_attributes(struct subject *subject, json_t *attributes)
{
	struct attribute *attribute;
	const char *name;
	json_t *value;

	if (json_object_size(attributes) == 0)
		return;
	subject->attributes = mem_calloc(json_object_size(attributes), sizeof(*attribute));
	json_object_foreach(attributes, name, value) {
		attribute = &subject->attributes[subject->attribute_count++];
		attribute->name = mem_strdup(name);
		if (json_is_string(value)) {
			attribute->tag = VALUE_STRING;
			attribute->str = mem_strdup(json_string_value(value));
		} else if (json_is_boolean(value)) {
			attribute->tag = VALUE_BOOL;
			attribute->number = json_is_true(value) ? 1 : 0;
		} else {
			attribute->tag = VALUE_NUMBER;
			attribute->number = json_number_value(value);
		}
	}
}

static char *
text_or_null(const json_t *json)
{
	const char *text = json_string_value(json);

	return text == NULL ? NULL : mem_strdup(text);
}

int
subject_apply_profile(struct subject *subject, const void *json, size_t len)
{
	struct err err = { 0 };
	json_t *row = json_read(json, len, "profile", &err);

	if (row == NULL || !is_row(row)) {
		json_decref(row);
		return AISLE_E_INVALID;
	}
	subject_drop_profile(subject);
	if (!subject->forgotten) {
		subject->has_profile = true;
		subject->known = true;
		subject->language = text_or_null(json_object_get(row, "language"));
		subject->line = text_or_null(json_object_get(row, "line"));
		subject->staff = json_is_true(json_object_get(row, "staff"));
		take_attributes(subject, json_object_get(row, "attributes"));
		take_consent(subject, row);
		told_take(subject, row);
	}
	json_decref(row);
	return 0;
}
