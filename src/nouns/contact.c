/* SPDX-License-Identifier: Apache-2.0
 *
 * contact.c - what was said to a customer and what came of it: rows, names of outcomes.
 *
 * INVARIANTS
 *   rows ascend by at_ms; rows of the same instant are in order of arrival.
 *
 * LIMITS
 *   VISIT_CONTACTS_MAX rows; the oldest goes first.
 */
#include "nouns/contact.h"

#include <stdlib.h>
#include <string.h>

#include "aisle/policy.h"
#include "core/id.h"
#include "nouns/codec.h"

/* clang-format off */
static const char *const outcome_names[OUTCOME_COUNT] = {
#define X(constant, name) [OUTCOME_##constant] = name,
	OUTCOMES(X)
#undef X
};
/* clang-format on */

/* clang-format off */
const char *const answer_reasons[ANSWER_REASONS + 1] = {
	"not-relevant", "customer-declined", "out-of-stock", "wrong-person", "insensitive",
	"too-busy", "other", NULL,
};

static const struct field contact_fields[] = {
	FIELD(struct contact, ID, prompt),
	FIELD(struct contact, ID, decision),
	FIELD_TO(struct contact, outcome, OUTCOME_COUNT),
	FIELD(struct contact, I64, at_ms),
	FIELD(struct contact, BOOL, withheld),
	FIELD_TO(struct contact, ends, ENDS_UNUSED + 1),
	FIELD_TO(struct contact, placement, PLACE_COUNT),
	FIELD(struct contact, STR, action),
	FIELD(struct contact, STR, group),
	FIELD(struct contact, STR, issue),
	FIELD(struct contact, STR, reason),
};
/* clang-format on */

const char *
outcome_name(enum outcome outcome)
{
	return NAME_OF(outcome_names, outcome);
}

/* A reason that no tablet can send is as unknown as a misspelt outcome: a cap
 * on it would silently be no cap. */
static enum outcome
overridden_by(const char *reason, const char **ret_reason)
{
	for (size_t i = 0; i < ANSWER_REASONS; i++) {
		if (strcmp(reason, answer_reasons[i]) == 0) {
			*ret_reason = reason;
			return OUTCOME_OVERRIDDEN;
		}
	}
	return OUTCOME_COUNT;
}

enum outcome
outcome_by_name(const char *name, const char **ret_reason)
{
	const char *colon = strchr(name, ':');
	size_t len = colon == NULL ? strlen(name) : (size_t)(colon - name);

	*ret_reason = NULL;
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		if (strlen(outcome_names[i]) != len || strncmp(name, outcome_names[i], len) != 0)
			continue;
		if (colon == NULL)
			return (enum outcome)i;
		return i == OUTCOME_OVERRIDDEN ? overridden_by(colon + 1, ret_reason)
					       : OUTCOME_COUNT;
	}
	return OUTCOME_COUNT;
}

bool
contact_outside(const struct contact *row)
{
	return row->outcome == OUTCOME_SHOWN && id_is_zero(&row->decision);
}

void
contact_done(struct contact *row)
{
	codec_done(contact_fields, ARRAY_LEN(contact_fields), row);
}

void
contacts_done(struct contacts *contacts)
{
	for (size_t i = 0; i < contacts->count; i++)
		contact_done(&contacts->rows[i]);
	free(contacts->rows);
	*contacts = (struct contacts){ 0 };
}

static void
drop_oldest(struct contacts *contacts)
{
	contact_done(&contacts->rows[0]);
	contacts->count--;
	memmove(contacts->rows, contacts->rows + 1, contacts->count * sizeof(*contacts->rows));
}

void
contacts_add(struct contacts *contacts, const struct contact *row)
{
	struct contact copy = *row;
	size_t i;

	if (contacts->count == VISIT_CONTACTS_MAX && row->at_ms < contacts->rows[0].at_ms)
		return; /* it would be the oldest itself */
	/* Before anything moves: row may be one of contacts' own. */
	codec_own(contact_fields, ARRAY_LEN(contact_fields), &copy);
	if (contacts->count == VISIT_CONTACTS_MAX)
		drop_oldest(contacts);
	contacts->rows =
	    mem_grow(contacts->rows, contacts->count, &contacts->capacity, sizeof(copy));
	for (i = contacts->count; i > 0 && contacts->rows[i - 1].at_ms > copy.at_ms; i--)
		;
	memmove(contacts->rows + i + 1, contacts->rows + i,
	    (contacts->count - i) * sizeof(*contacts->rows));
	contacts->rows[i] = copy;
	contacts->count++;
}

void
contacts_expire(struct contacts *contacts, int64_t before_ms)
{
	size_t gone = 0;

	while (gone < contacts->count && contacts->rows[gone].at_ms < before_ms)
		contact_done(&contacts->rows[gone++]);
	if (gone == 0)
		return;
	contacts->count -= gone;
	memmove(contacts->rows, contacts->rows + gone, contacts->count * sizeof(*contacts->rows));
}

bool
contacts_returned(const struct contacts *contacts, const struct id *prompt)
{
	for (size_t i = contacts->count; i > 0; i--) {
		const struct contact *row = &contacts->rows[i - 1];

		if (row->outcome == OUTCOME_RETURNED && id_equal(&row->prompt, prompt))
			return true;
	}
	return false;
}

void
contact_encode(const struct contact *row, struct buf *out)
{
	codec_write(contact_fields, ARRAY_LEN(contact_fields), row, out);
}

bool
contact_decode(struct rd *rd, struct contact *ret_row)
{
	struct contact row = { 0 };

	if (!codec_read(contact_fields, ARRAY_LEN(contact_fields), &row, rd)) {
		contact_done(&row);
		return false;
	}
	*ret_row = row;
	return true;
}
