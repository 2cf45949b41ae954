/* SPDX-License-Identifier: Apache-2.0
 *
 * subject_rows.c - a subject's memory, its cases, wallet and incidents, and their tables.
 *
 * INVARIANTS
 *   incidents ascend by at_ms.
 */
#include "profile/subject_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nouns/contact.h"

/* clang-format off */
const struct field case_fields[] = {
	FIELD_CHARS(struct care_case, id),
	FIELD_CHARS(struct care_case, topic),
	FIELD(struct care_case, INT, severity),
	FIELD(struct care_case, I64, opened_ms),
	FIELD(struct care_case, I64, closed_ms),
	FIELD(struct care_case, I64, at_ms),
};
/* clang-format on */
const size_t case_field_count = ARRAY_LEN(case_fields);

/* clang-format off */
const struct field wallet_fields[] = {
	FIELD_CHARS(struct wallet_entry, offer),
	FIELD(struct wallet_entry, I64, worth_minor),
	FIELD(struct wallet_entry, I64, until_ms),
	FIELD(struct wallet_entry, I64, at_ms),
	FIELD_CHARS(struct wallet_entry, state),
};
/* clang-format on */
const size_t wallet_field_count = ARRAY_LEN(wallet_fields);

/* clang-format off */
const struct field incident_fields[] = {
	FIELD_TO(struct incident, kind, INCIDENT_COMPLAINT + 1),
	FIELD(struct incident, I64, at_ms),
};
/* clang-format on */
const size_t incident_field_count = ARRAY_LEN(incident_fields);

/* clang-format off */
const struct field subject_fields[] = {
	FIELD(struct subject, BOOL, known),
	FIELD(struct subject, BOOL, forgotten),
	FIELD(struct subject, BOOL, mixed),
	FIELD(struct subject, I64, baskets_day_ms),
	FIELD(struct subject, INT, baskets),
	FIELD(struct subject, ID, merged_into),
	FIELD(struct subject, I64, enrolled_ms),
	FIELD_CHARS(struct subject, enrolled_at),
	FIELD(struct subject, I64, last_visit_ms),
	FIELD(struct subject, I64, points),
	FIELD(struct subject, I64, points_expire_ms),
	FIELD(struct subject, I64, points_at_ms),
	FIELD(struct subject, I64, tier_at_ms),
	FIELD(struct subject, BOOL, has_points),
	FIELD_CHARS(struct subject, tier),
};
/* clang-format on */
const size_t subject_field_count = ARRAY_LEN(subject_fields);

struct subject *
subject_new(const struct id *id)
{
	struct subject *subject = mem_zero(sizeof(*subject));

	subject->id = *id;
	return subject;
}

/* Names and the like are not left to who gets the memory next. */
static void
free_wiped(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void
subject_free(struct subject *subject)
{
	if (subject == NULL)
		return;
	purchases_done(subject);
	contacts_done(&subject->contacts);
	subject_drop_profile(subject);
	explicit_bzero(subject, sizeof(*subject));
	free(subject);
}

void
subject_drop_profile(struct subject *subject)
{
	free_wiped(subject->language);
	free_wiped(subject->line);
	for (size_t i = 0; i < subject->attribute_count; i++) {
		free(subject->attributes[i].name);
		free_wiped(subject->attributes[i].str);
	}
	free(subject->attributes);
	subject_drop_told(subject);
	subject->language = NULL;
	subject->line = NULL;
	subject->attributes = NULL;
	subject->attribute_count = 0;
	subject->has_profile = subject->staff = false;
}

struct care_case *
subject_case(struct subject *subject, const char *id)
{
	for (size_t i = 0; i < subject->case_count; i++) {
		if (strcmp(subject->cases[i].id, id) == 0)
			return &subject->cases[i];
	}
	return NULL;
}

/* Open cases gate what may be said, so closed ones go first. */
static size_t
dispensable_case(const struct subject *subject)
{
	size_t best = 0;

	for (size_t i = 1; i < subject->case_count; i++) {
		const struct care_case *a = &subject->cases[i], *b = &subject->cases[best];
		bool a_closed = a->closed_ms != 0, b_closed = b->closed_ms != 0;

		if (a_closed != b_closed ? a_closed : a->opened_ms < b->opened_ms)
			best = i;
	}
	return best;
}

struct care_case *
subject_add_case(struct subject *subject, const char *id)
{
	struct care_case *kase;
	size_t drop;

	if (subject->case_count == SUBJECT_CASES_MAX) {
		drop = dispensable_case(subject);
		subject->case_count--;
		memmove(subject->cases + drop, subject->cases + drop + 1,
		    (subject->case_count - drop) * sizeof(*kase));
	}
	kase = &subject->cases[subject->case_count++];
	memset(kase, 0, sizeof(*kase));
	snprintf(kase->id, sizeof(kase->id), "%s", id);
	return kase;
}

struct wallet_entry *
subject_wallet(struct subject *subject, const char *offer)
{
	for (size_t i = 0; i < subject->wallet_count; i++) {
		if (strcmp(subject->wallet[i].offer, offer) == 0)
			return &subject->wallet[i];
	}
	return NULL;
}

static int64_t
end_of(const struct wallet_entry *entry)
{
	return entry->until_ms == 0 ? INT64_MAX : entry->until_ms;
}

struct wallet_entry *
subject_add_wallet(struct subject *subject, const char *offer)
{
	struct wallet_entry *entry;
	size_t drop = 0;

	if (subject->wallet_count == SUBJECT_WALLET_MAX) {
		for (size_t i = 1; i < subject->wallet_count; i++) {
			if (end_of(&subject->wallet[i]) < end_of(&subject->wallet[drop]))
				drop = i;
		}
		subject->wallet_count--;
		memmove(subject->wallet + drop, subject->wallet + drop + 1,
		    (subject->wallet_count - drop) * sizeof(*entry));
	}
	entry = &subject->wallet[subject->wallet_count++];
	memset(entry, 0, sizeof(*entry));
	snprintf(entry->offer, sizeof(entry->offer), "%s", offer);
	return entry;
}

void
subject_expire(struct subject *subject, int64_t before_ms)
{
	size_t gone = 0;

	purchases_expire(subject, before_ms);
	contacts_expire(&subject->contacts, before_ms);
	while (gone < subject->incident_count && subject->incidents[gone].at_ms < before_ms)
		gone++;
	if (gone == 0)
		return;
	subject->incident_count -= gone;
	memmove(subject->incidents, subject->incidents + gone,
	    subject->incident_count * sizeof(*subject->incidents));
}

void
subject_add_incident(struct subject *subject, enum incident_kind kind, int64_t at_ms)
{
	struct incident *rows = subject->incidents;
	size_t i;

	if (subject->forgotten)
		return;
	if (subject->incident_count == SUBJECT_INCIDENTS_MAX) {
		if (at_ms < rows[0].at_ms)
			return; /* it would be the oldest itself */
		subject->incident_count--;
		memmove(rows, rows + 1, subject->incident_count * sizeof(*rows));
	}
	for (i = subject->incident_count; i > 0 && rows[i - 1].at_ms > at_ms; i--)
		;
	memmove(rows + i + 1, rows + i, (subject->incident_count - i) * sizeof(*rows));
	rows[i] = (struct incident){ kind, at_ms };
	subject->incident_count++;
	subject->dirty = true;
}
