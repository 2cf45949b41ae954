/* SPDX-License-Identifier: Apache-2.0
 *
 * features_history.c - history.FN: what was said to a customer, and what came of it.
 *
 * A prompt counts as bought or redeemed unless all of it came back. It counts as shown from its decision on, withheld or not, until a
 * tablet says that it was not (contact.h); a contact by HQ's other channels
 * counts as shown too. The rows of what tablets did show add nothing.
 */
#include "score/features_parts.h"

#include <string.h>

#include "core/id.h"
#include "nouns/contact.h"

struct history {
	const struct sources *sources;
	bool *shown; /* for each row: it is a showing */
	struct prompts *returned;
};

/* Prompts of one outcome, to be found by id: those that a tablet says it did not show; those that
 * all came back of. */
struct prompts {
	const struct id **slots;
	size_t mask;
};

static size_t
first_slot(const struct prompts *prompts, const struct id *prompt)
{
	uint64_t low;

	memcpy(&low, prompt->b + 8, sizeof(low));
	return (size_t)(low * UINT64_C(0x9e3779b97f4a7c15) >> 32) & prompts->mask;
}

static struct prompts *
find_prompts(struct arena *arena, const struct contacts *contacts, enum outcome outcome)
{
	struct prompts *prompts = arena_alloc(arena, sizeof(*prompts));
	size_t count = 0, slot;

	prompts->mask = 15;
	for (size_t i = 0; i < contacts->count; i++)
		count += contacts->rows[i].outcome == outcome;
	while (prompts->mask + 1 < 2 * count)
		prompts->mask = 2 * prompts->mask + 1;
	prompts->slots = arena_alloc(arena, (prompts->mask + 1) * sizeof(*prompts->slots));
	for (size_t i = 0; i < contacts->count; i++) {
		if (contacts->rows[i].outcome != outcome)
			continue;
		slot = first_slot(prompts, &contacts->rows[i].prompt);
		while (prompts->slots[slot] != NULL)
			slot = (slot + 1) & prompts->mask;
		prompts->slots[slot] = &contacts->rows[i].prompt;
	}
	return prompts;
}

static bool
has_prompt(const struct prompts *prompts, const struct id *prompt)
{
	size_t slot = first_slot(prompts, prompt);

	for (; prompts->slots[slot] != NULL; slot = (slot + 1) & prompts->mask) {
		if (id_equal(prompts->slots[slot], prompt))
			return true;
	}
	return false;
}

struct history *
history_new(struct arena *arena, const struct sources *sources)
{
	const struct contacts *contacts = &sources->subject->contacts;
	struct history *history = arena_alloc(arena, sizeof(*history));
	struct prompts *unshown = find_prompts(arena, contacts, OUTCOME_NOT_SHOWN);

	history->sources = sources;
	history->returned = find_prompts(arena, contacts, OUTCOME_RETURNED);
	history->shown = arena_alloc(arena, contacts->count * sizeof(*history->shown));
	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *row = &contacts->rows[i];

		history->shown[i] = contact_outside(row) ||
		    (row->outcome == OUTCOME_DECIDED && !has_prompt(unshown, &row->prompt));
	}
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
		return history->shown[i];
	if (row->outcome != feature->outcome || row->ends == ENDS_UNUSED)
		return false;
	if ((row->outcome == OUTCOME_BOUGHT || row->outcome == OUTCOME_REDEEMED) &&
	    has_prompt(history->returned, &row->prompt))
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
