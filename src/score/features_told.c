/* SPDX-License-Identifier: Apache-2.0
 *
 * features_told.c - wallet.FIELD, contacts.count(…), journeys.count: what headquarters tells of a
 * customer beside attributes.
 */
#include "score/features_parts.h"

#include <string.h>

#include "nouns/contact.h"
#include "nouns/wallet.h"

static struct value
wallet_value(const struct sources *sources, enum wallet_field field)
{
	struct wallet_sum sum = wallet_open(sources->subject, sources->now_ms);

	switch (field) {
	case WALLET_COUNT: return value_number((double)sum.count);
	case WALLET_WORTH: return value_number((double)sum.worth_minor);
	case WALLET_DAYS_LEFT:
		return sum.first_ms == 0
		    ? value_missing()
		    : value_number((double)(sum.first_ms - sources->now_ms) / (double)D_MS);
	}
	return value_missing();
}

/* Those of other channels, in (now - within, now]. */
static double
contacts_within(const struct sources *sources, const struct feature *feature)
{
	const struct contacts *contacts = &sources->subject->contacts;
	int64_t from_ms = sources->now_ms - feature->within_ms;
	double count = 0;

	for (size_t i = contacts->count; i > 0 && contacts->rows[i - 1].at_ms > from_ms; i--) {
		const struct contact *row = &contacts->rows[i - 1];

		if (!contact_outside(row) || row->at_ms > sources->now_ms)
			continue;
		count += feature->key_value == NULL ||
		    (row->reason != NULL && strcmp(row->reason, feature->key_value) == 0);
	}
	return count;
}

struct value
told_value(const struct sources *sources, const struct feature *feature)
{
	if (feature->source == FEATURE_WALLET)
		return wallet_value(sources, (enum wallet_field)feature->field);
	if (feature->source == FEATURE_CONTACTS)
		return value_number(contacts_within(sources, feature));
	CHECK(feature->source == FEATURE_JOURNEYS);
	return value_number((double)journeys_running(sources->subject, sources->now_ms));
}
