/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_line.c - one line of headquarters' profiles: is it what a store understands, and about
 * whom?
 *
 * LIMITS
 *   As many offers, contacts and journeys as a customer has room for (aisle/subject.h). No message
 *   repeats a card number.
 */
#include <string.h>

#include "aisle/subject.h"
#include "core/id.h"
#include "core/json.h"
#include "core/when.h"
#include "profile/profiles_internal.h"

#define CARD_MAX 128
#define ID_MAX 128
#define TEXT_MAX 256
#define NAME_MAX_BYTES 64
#define ATTRIBUTES_MAX 256

static int
wrong(const struct profiles_line *place, const char *text)
{
	return err_at(place->err, AISLE_E_INVALID, place->name, place->line, 0, "%s", text);
}

static bool
is_text(const json_t *value, size_t max)
{
	return json_is_string(value) && json_string_length(value) <= max &&
	    strlen(json_string_value(value)) == json_string_length(value);
}

/* 1 to max printable ASCII characters. */
static bool
is_ascii(const json_t *value, size_t max)
{
	if (!is_text(value, max) || json_string_length(value) == 0)
		return false;
	for (const char *at = json_string_value(value); *at != '\0'; at++) {
		if (*at < 0x20 || *at > 0x7e)
			return false;
	}
	return true;
}

static bool
is_time(const json_t *value)
{
	int64_t ms;

	return json_is_string(value) && when_parse(json_string_value(value), &ms);
}

static int
check_consent(const struct profiles_line *place, json_t *consent)
{
	const char *purpose;
	json_t *state;

	if (!json_is_object(consent))
		return wrong(place, "consent: expected an object");
	json_object_foreach(consent, purpose, state) {
		const char *text = json_string_value(state);

		if (strcmp(purpose, "personalise") != 0 && strcmp(purpose, "profile") != 0 &&
		    strcmp(purpose, "contact") != 0)
			return wrong(place,
			    "consent: unknown purpose, expected personalise, profile or contact");
		if (text == NULL || (strcmp(text, "granted") != 0 && strcmp(text, "denied") != 0))
			return wrong(place, "consent: expected \"granted\" or \"denied\"");
	}
	return 0;
}

static int
check_attributes(const struct profiles_line *place, json_t *attributes)
{
	const char *name;
	json_t *value;

	if (!json_is_object(attributes))
		return wrong(place, "attributes: expected an object");
	if (json_object_size(attributes) > ATTRIBUTES_MAX)
		return wrong(place, "attributes: too many, expected at most 256");
	json_object_foreach(attributes, name, value) {
		if (name[0] == '\0' || strlen(name) > NAME_MAX_BYTES)
			return wrong(place, "attributes: expected a name of 1 to 64 bytes");
		if (json_is_string(value) && !is_text(value, TEXT_MAX))
			return wrong(place,
			    "attributes: string too long, expected at most 256 bytes");
		if (!json_is_string(value) && !json_is_number(value) && !json_is_boolean(value))
			return wrong(place, "attributes: expected a number, a boolean or a string");
	}
	value = json_object_get(attributes, "likely_to_call");
	if (value != NULL &&
	    (!json_is_number(value) || !(json_number_value(value) >= 0) ||
		!(json_number_value(value) <= 1)))
		return wrong(place, "attributes: likely_to_call: expected a number from 0 to 1");
	return 0;
}

/* ---- wallet, contacts, journeys ---- */

/* What a member of a list's objects must be. */
enum told_kind { TOLD_ID, TOLD_MONEY, TOLD_TIME };
struct told_member {
	const char *name;
	enum told_kind kind;
	bool required;
};
struct told_list {
	const char *name, *key; /* key: no two of the list have the same; NULL: any may */
	size_t max, member_count;
	struct told_member members[3];
};

/* clang-format off */
static const struct told_list told_lists[] = {
	{ "wallet", "offer", SUBJECT_WALLET_MAX, 3,
	    { { "offer", TOLD_ID, true }, { "worth", TOLD_MONEY, true }, { "until", TOLD_TIME, true } } },
	{ "contacts", NULL, SUBJECT_TOLD_MAX, 3,
	    { { "channel", TOLD_ID, true }, { "action", TOLD_ID, false }, { "at", TOLD_TIME, true } } },
	{ "journeys", "journey", SUBJECT_JOURNEYS_MAX, 2,
	    { { "journey", TOLD_ID, true }, { "until", TOLD_TIME, false } } },
};
/* clang-format on */

static const struct told_member *
member_of(const struct told_list *list, const char *name)
{
	for (size_t i = 0; i < list->member_count; i++) {
		if (strcmp(list->members[i].name, name) == 0)
			return &list->members[i];
	}
	return NULL;
}

static int
check_member(const struct profiles_line *place, const struct told_list *list,
    const struct told_member *member, const json_t *value)
{
	static const char *const expected[] = {
		[TOLD_ID] = "1 to 128 printable ASCII characters",
		[TOLD_MONEY] = "a whole number of minor units, not negative",
		[TOLD_TIME] = "a time as 2026-11-21T10:15:00Z",
	};
	int64_t minor;
	bool fits = false;

	switch (member->kind) {
	case TOLD_ID: fits = is_ascii(value, ID_MAX); break;
	case TOLD_MONEY: fits = json_int(value, &minor) && minor >= 0 && minor <= MONEY_MAX; break;
	case TOLD_TIME: fits = is_time(value); break;
	}
	return fits
	    ? 0
	    : err_at(place->err, AISLE_E_INVALID, place->name, place->line, 0,
		  "%s: %s: expected %s", list->name, member->name, NAME_OF(expected, member->kind));
}

static int
check_entry(const struct profiles_line *place, const struct told_list *list, json_t *entry)
{
	const char *name;
	json_t *value;

	if (!json_is_object(entry))
		return err_at(place->err, AISLE_E_INVALID, place->name, place->line, 0,
		    "%s: expected a list of objects", list->name);
	json_object_foreach(entry, name, value) {
		if (member_of(list, name) == NULL)
			return err_at(place->err, AISLE_E_INVALID, place->name, place->line, 0,
			    "%s: unknown member, expected %s, %s%s%s", list->name,
			    list->members[0].name, list->members[1].name,
			    list->member_count > 2 ? ", " : "",
			    list->member_count > 2 ? list->members[2].name : "");
	}
	for (size_t i = 0; i < list->member_count; i++) {
		value = json_object_get(entry, list->members[i].name);
		if (value == NULL && !list->members[i].required)
			continue;
		int error = check_member(place, list, &list->members[i], value);
		if (error != 0)
			return error;
	}
	return 0;
}

static bool
is_double(const struct told_list *list, const json_t *array, size_t at)
{
	const char *key, *other;

	if (list->key == NULL)
		return false;
	key = json_string_value(json_object_get(json_array_get(array, at), list->key));
	for (size_t i = 0; i < at; i++) {
		other = json_string_value(json_object_get(json_array_get(array, i), list->key));
		if (strcmp(key, other) == 0)
			return true;
	}
	return false;
}

static int
check_list(const struct profiles_line *place, const struct told_list *list, const json_t *array)
{
	if (array == NULL)
		return 0;
	if (!json_is_array(array))
		return err_at(place->err, AISLE_E_INVALID, place->name, place->line, 0,
		    "%s: expected a list of objects", list->name);
	if (json_array_size(array) > list->max)
		return err_at(place->err, AISLE_E_INVALID, place->name, place->line, 0,
		    "%s: too many, expected at most %zu", list->name, list->max);
	for (size_t i = 0; i < json_array_size(array); i++) {
		int error = check_entry(place, list, json_array_get(array, i));
		if (error != 0)
			return error;
		if (is_double(list, array, i))
			return err_at(place->err, AISLE_E_INVALID, place->name, place->line, 0,
			    "%s: the same %s twice, expected it once", list->name, list->key);
	}
	return 0;
}

/* ---- the line ---- */

static int
subject_of_line(const struct profiles_line *place, const json_t *line, struct id *ret_subject)
{
	const json_t *card = json_object_get(line, "card"),
		     *subject = json_object_get(line, "subject");

	if ((card != NULL) == (subject != NULL))
		return wrong(place, "expected either card or subject");
	if (subject != NULL) {
		if (!json_is_string(subject) ||
		    !subject_parse(json_string_value(subject), ret_subject))
			return wrong(place, "subject: expected 32 lower-case hex digits");
		return 0;
	}
	if (!json_is_string(card) || json_string_length(card) == 0 ||
	    json_string_length(card) > CARD_MAX)
		return wrong(place, "card: expected 1 to 128 characters");
	if (!is_ascii(card, CARD_MAX))
		return wrong(place, "card: expected printable ASCII");
	if (place->pepper == NULL)
		return err_at(place->err, AISLE_E_CONFIG, place->name, place->line, 0,
		    "card: needs the chain's pepper (--pepper, or [privacy] pepper_file)");
	*ret_subject =
	    subject_of_card(place->pepper, json_string_value(card), json_string_length(card));
	return 0;
}

static int
check_names(const struct profiles_line *place, json_t *line)
{
	static const char *const known[] = { "card", "subject", "language", "line", "consent",
		"attributes", "staff", "wallet", "contacts", "journeys", "household", "removed" };
	const char *name;
	json_t *value;

	json_object_foreach(line, name, value) {
		size_t i = 0;

		while (i < ARRAY_LEN(known) && strcmp(name, known[i]) != 0)
			i++;
		if (i == ARRAY_LEN(known))
			return wrong(place,
			    "unknown member, expected card, subject, language, line, consent, "
			    "attributes, staff, wallet, contacts, journeys, household or removed");
	}
	return 0;
}

/* A row that is no more: whose, and that. */
static int
check_removed(const struct profiles_line *place, const json_t *line, bool *ret_removed)
{
	const json_t *removed = json_object_get(line, "removed");

	*ret_removed = removed != NULL;
	if (removed == NULL)
		return 0;
	if (!json_is_true(removed))
		return wrong(place, "removed: expected true");
	if (!place->delta)
		return wrong(place,
		    "removed: in a snapshot who is not named is removed, expected it with --from");
	if (json_object_size(line) != 2)
		return wrong(place, "removed: expected it with card or subject alone");
	return 0;
}

static int
check_values(const struct profiles_line *place, const json_t *line)
{
	json_t *value = json_object_get(line, "language");
	int error;

	if (value != NULL && (!is_text(value, 35) || json_string_length(value) == 0))
		return wrong(place, "language: expected a language tag");
	value = json_object_get(line, "line");
	if (value != NULL && !is_text(value, TEXT_MAX))
		return wrong(place, "line: expected a string of at most 256 bytes");
	value = json_object_get(line, "staff");
	if (value != NULL && !json_is_boolean(value))
		return wrong(place, "staff: expected true or false");
	value = json_object_get(line, "household");
	if (value != NULL && !is_ascii(value, ID_MAX))
		return wrong(place, "household: expected 1 to 128 printable ASCII characters");
	value = json_object_get(line, "consent");
	error = value != NULL ? check_consent(place, value) : 0;
	value = json_object_get(line, "attributes");
	if (error == 0 && value != NULL)
		error = check_attributes(place, value);
	for (size_t i = 0; error == 0 && i < ARRAY_LEN(told_lists); i++)
		error =
		    check_list(place, &told_lists[i], json_object_get(line, told_lists[i].name));
	return error;
}

int
profiles_line_check(const struct profiles_line *place, json_t *line, struct id *ret_subject,
    bool *ret_removed)
{
	int error;

	if (!json_is_object(line))
		return wrong(place, "expected an object");
	error = check_names(place, line);
	if (error == 0)
		error = check_removed(place, line, ret_removed);
	if (error == 0)
		error = check_values(place, line);
	return error == 0 ? subject_of_line(place, line, ret_subject) : error;
}
