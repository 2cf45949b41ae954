/* SPDX-License-Identifier: Apache-2.0
 *
 * subject_told.c - of HQ's profile row: household, wallet, contacts of other channels, care journeys.
 *
 * DESIGN
 *   The contacts lie among the store's own rows, so that every cap and feature counts them, but are
 *   not written: they come with the row again, and go with it. One that was an event here as well is
 *   one contact (same time, channel and action) and the store's own: it is kept longer.
 *
 * LIMITS
 *   SUBJECT_WALLET_MAX offers, SUBJECT_TOLD_MAX contacts, SUBJECT_JOURNEYS_MAX journeys. Contacts
 *   count for SUBJECT_TOLD_MS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aisle/policy.h"
#include "core/id.h"
#include "core/json.h"
#include "core/when.h"
#include "nouns/contact.h"
#include "profile/subject_rows.h"

/* ---- is it one? ---- */

static bool
is_name(const json_t *json)
{
	size_t len = json_string_length(json);

	return json_is_string(json) && len > 0 && len < sizeof(((struct journey *)0)->name);
}

static bool
is_time(const json_t *json)
{
	int64_t ms;

	return json_is_string(json) && when_parse(json_string_value(json), &ms);
}

static bool
is_offer(const json_t *json)
{
	int64_t worth;

	return is_name(json_object_get(json, "offer")) &&
	    json_int(json_object_get(json, "worth"), &worth) && worth >= 0 && worth <= MONEY_MAX &&
	    is_time(json_object_get(json, "until"));
}

static bool
is_contact(const json_t *json)
{
	const json_t *action = json_object_get(json, "action");

	return is_name(json_object_get(json, "channel")) && (action == NULL || is_name(action)) &&
	    is_time(json_object_get(json, "at"));
}

static bool
is_journey(const json_t *json)
{
	const json_t *until = json_object_get(json, "until");

	return is_name(json_object_get(json, "journey")) && (until == NULL || is_time(until));
}

static bool
is_list(const json_t *json, size_t max, bool (*is)(const json_t *))
{
	if (json == NULL)
		return true;
	if (!json_is_array(json) || json_array_size(json) > max)
		return false;
	for (size_t i = 0; i < json_array_size(json); i++) {
		if (!is(json_array_get(json, i)))
			return false;
	}
	return true;
}

bool
told_is_row(const json_t *row)
{
	const json_t *household = json_object_get(row, "household");

	return (household == NULL || is_name(household)) &&
	    is_list(json_object_get(row, "wallet"), SUBJECT_WALLET_MAX, is_offer) &&
	    is_list(json_object_get(row, "contacts"), SUBJECT_TOLD_MAX, is_contact) &&
	    is_list(json_object_get(row, "journeys"), SUBJECT_JOURNEYS_MAX, is_journey);
}

/* ---- taken ---- */

static int64_t
time_of(const json_t *object, const char *name)
{
	const json_t *json = json_object_get(object, name);
	int64_t ms = 0;

	if (json != NULL)
		CHECK(when_parse(json_string_value(json), &ms));
	return ms;
}

static void
take_offers(struct subject *subject, const json_t *list)
{
	struct wallet_entry *entry;

	if (json_array_size(list) == 0)
		return;
	subject->offers = mem_calloc(json_array_size(list), sizeof(*entry));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *offer = json_array_get(list, i);

		entry = &subject->offers[subject->offer_count++];
		snprintf(entry->offer, sizeof(entry->offer), "%s",
		    json_string_value(json_object_get(offer, "offer")));
		CHECK(json_int(json_object_get(offer, "worth"), &entry->worth_minor));
		entry->until_ms = time_of(offer, "until");
	}
}

static void
take_journeys(struct subject *subject, const json_t *list)
{
	struct journey *journey;

	if (json_array_size(list) == 0)
		return;
	subject->journeys = mem_calloc(json_array_size(list), sizeof(*journey));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		journey = &subject->journeys[subject->journey_count++];
		snprintf(journey->name, sizeof(journey->name), "%s",
		    json_string_value(json_object_get(one, "journey")));
		journey->until_ms = time_of(one, "until");
	}
}

static bool
same_or_none(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The row of that contact, of the profile or the store's own; contacts->count: there is none. */
static size_t
find_contact(const struct contacts *contacts, const struct contact *row, bool told)
{
	for (size_t i = contacts->count; i > 0 && contacts->rows[i - 1].at_ms >= row->at_ms; i--) {
		const struct contact *known = &contacts->rows[i - 1];

		if (known->at_ms == row->at_ms && contact_outside(known) && known->told == told &&
		    same_or_none(known->reason, row->reason) &&
		    same_or_none(known->action, row->action))
			return i - 1;
	}
	return contacts->count;
}

void
told_gives_way(struct subject *subject, const struct contact *row)
{
	struct contacts *contacts = &subject->contacts;
	size_t at = subject->told_count > 0 && contact_outside(row)
	    ? find_contact(contacts, row, true)
	    : contacts->count;

	if (at == contacts->count)
		return;
	contact_done(&contacts->rows[at]);
	contacts->count--;
	subject->told_count--;
	memmove(contacts->rows + at, contacts->rows + at + 1,
	    (contacts->count - at) * sizeof(*contacts->rows));
}

/* It has no event: its name is what it says. */
static struct id
name_of_contact(const struct contact *row)
{
	char at[WHEN_TEXT_SIZE];
	const char *parts[] = { "told", row->reason, row->action == NULL ? "" : row->action, at };

	when_text(row->at_ms, at);
	return hash_parts(parts, ARRAY_LEN(parts));
}

static void
add_told(struct subject *subject, struct contact *row)
{
	size_t count = subject->contacts.count;

	if (find_contact(&subject->contacts, row, false) < count)
		return;
	for (size_t i = 0; i < count; i++) {
		if (subject->contacts.rows[i].told &&
		    id_equal(&subject->contacts.rows[i].prompt, &row->prompt))
			return;
	}
	contacts_add(&subject->contacts, row);
	subject->told_count++;
}

static void
take_contacts(struct subject *subject, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *json = json_array_get(list, i);
		struct contact row = {
			.outcome = OUTCOME_SHOWN, .placement = PLACE_LATER, .told = true
		};

		row.at_ms = time_of(json, "at");
		/* contacts_add copies them. */
		row.reason = (char *)(uintptr_t)json_string_value(json_object_get(json, "channel"));
		row.action = (char *)(uintptr_t)json_string_value(json_object_get(json, "action"));
		row.prompt = name_of_contact(&row);
		add_told(subject, &row);
	}
}

void
told_take(struct subject *subject, const json_t *row)
{
	const char *household = json_string_value(json_object_get(row, "household"));

	subject->household = household == NULL ? NULL : mem_strdup(household);
	take_offers(subject, json_object_get(row, "wallet"));
	take_journeys(subject, json_object_get(row, "journeys"));
	take_contacts(subject, json_object_get(row, "contacts"));
}

/* ---- gone ---- */

/* The profile's contacts from before go. */
static void
drop_contacts(struct subject *subject, int64_t before_ms)
{
	struct contacts *contacts = &subject->contacts;
	size_t kept = 0;

	if (subject->told_count == 0)
		return;
	subject->told_count = 0;
	for (size_t i = 0; i < contacts->count; i++) {
		struct contact *row = &contacts->rows[i];

		if (row->told && row->at_ms < before_ms) {
			contact_done(row);
			continue;
		}
		subject->told_count += row->told;
		contacts->rows[kept++] = *row;
	}
	contacts->count = kept;
}

void
subject_expire_told(struct subject *subject, int64_t before_ms)
{
	if (subject->told_count > 0 && subject->contacts.count > 0 &&
	    subject->contacts.rows[0].at_ms < before_ms)
		drop_contacts(subject, before_ms);
}

static void
free_rows(void *rows, size_t bytes)
{
	if (rows != NULL)
		explicit_bzero(rows, bytes);
	free(rows);
}

void
subject_drop_told(struct subject *subject)
{
	drop_contacts(subject, INT64_MAX);
	free_rows(subject->offers, subject->offer_count * sizeof(*subject->offers));
	free_rows(subject->journeys, subject->journey_count * sizeof(*subject->journeys));
	free_rows(subject->household, subject->household == NULL ? 0 : strlen(subject->household));
	subject->offers = NULL;
	subject->journeys = NULL;
	subject->household = NULL;
	subject->offer_count = subject->journey_count = 0;
}

/* ---- of two cards ---- */

static void
merge_offers(struct subject *into, const struct subject *from)
{
	for (size_t i = 0; i < from->offer_count && into->offer_count < SUBJECT_WALLET_MAX; i++) {
		size_t known = 0;

		while (known < into->offer_count &&
		    strcmp(into->offers[known].offer, from->offers[i].offer) != 0)
			known++;
		if (known < into->offer_count)
			continue;
		into->offers =
		    mem_realloc(into->offers, (into->offer_count + 1) * sizeof(*into->offers));
		into->offers[into->offer_count++] = from->offers[i];
	}
}

static void
merge_journeys(struct subject *into, const struct subject *from)
{
	for (size_t i = 0; i < from->journey_count && into->journey_count < SUBJECT_JOURNEYS_MAX;
	     i++) {
		size_t known = 0;

		while (known < into->journey_count &&
		    strcmp(into->journeys[known].name, from->journeys[i].name) != 0)
			known++;
		if (known < into->journey_count)
			continue;
		into->journeys = mem_realloc(into->journeys,
		    (into->journey_count + 1) * sizeof(*into->journeys));
		into->journeys[into->journey_count++] = from->journeys[i];
	}
}

void
told_merge(struct subject *into, const struct subject *from)
{
	if (into->household == NULL && from->household != NULL)
		into->household = mem_strdup(from->household);
	merge_offers(into, from);
	merge_journeys(into, from);
	into->told_count = 0;
	for (size_t i = 0; i < into->contacts.count; i++)
		into->told_count += into->contacts.rows[i].told;
	for (size_t i = 0; i < from->contacts.count; i++) {
		struct contact row = from->contacts.rows[i];

		if (row.told)
			add_told(into, &row);
	}
}
