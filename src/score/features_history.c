/* SPDX-License-Identifier: Apache-2.0
 *
 * features_history.c - history.FN: what was said to a customer, and what came of it.
 *
 * As limits count (nouns/contact_net.c): a prompt counts as accepted, applied, redeemed or bought unless all of it was
 * taken back, and once, however often it was said. It counts as shown from its decision on, withheld or not, until a
 * tablet says that it was not (contact.h); a contact by HQ's other channels
 * counts as shown too. The rows of what tablets did show add nothing.
 */
#include "score/features_parts.h"

#include <string.h>

#include "core/id.h"
#include "nouns/contact.h"

struct history {
	const struct sources *sources;
	uint8_t *stands; /* for each row: contacts_net() */
};

struct history *
history_new(struct arena *arena, const struct sources *sources)
{
	const struct contacts *contacts = &sources->subject->contacts;
	struct history *history = arena_alloc(arena, sizeof(*history));

	history->sources = sources;
	history->stands = arena_alloc(arena, contacts->count + 1);
	contacts_net(contacts, history->stands);
	return history;
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool
in_scope(const struct contact *row, const struct feature *feature,
    const struct candidate_context *candidate)
{
	switch (feature->scope) {
	case SCOPE_ALL: return true;
	case SCOPE_SELF: return same(row->action, candidate->action->id);
	case SCOPE_ACTION: return same(row->action, feature->scope_value);
	case SCOPE_GROUP: return same(row->group, feature->scope_value);
	case SCOPE_ISSUE: return same(row->issue, feature->scope_value);
	case SCOPE_PLACEMENT: break; /* of caps only */
	}
	return false;
}

static bool
counts(const struct history *history, size_t i, const struct feature *feature)
{
	const struct contact *row = &history->sources->subject->contacts.rows[i];

	if (feature->outcome == OUTCOME_SHOWN)
		return history->stands[i] && contact_is_shown(row);
	if (row->outcome != feature->outcome || row->ends == ENDS_UNUSED)
		return false;
	if ((row->outcome == OUTCOME_BOUGHT || contact_is_use(row->outcome)) && !history->stands[i])
		return false;
	return feature->outcome_reason == NULL || same(row->reason, feature->outcome_reason);
}

struct value
history_value(struct history *history, const struct feature *feature,
    const struct candidate_context *candidate)
{
	const struct contacts *contacts = &history->sources->subject->contacts;
	int64_t now_ms = history->sources->now_ms;
	struct tally tally = { 0 };

	if (feature->scope == SCOPE_SELF && candidate == NULL)
		return value_missing();
	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *row = &contacts->rows[i];

		if (feature->within_ms > 0 && row->at_ms <= now_ms - feature->within_ms)
			continue;
		if (!counts(history, i, feature) || !in_scope(row, feature, candidate))
			continue;
		if (tally.times++ == 0)
			tally.first_ms = row->at_ms;
		tally.last_ms = row->at_ms;
	}
	tally.count = (double)tally.times;
	return tally_value(&tally, feature->fn, now_ms);
}
