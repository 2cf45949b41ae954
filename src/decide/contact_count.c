/* SPDX-License-Identifier: Apache-2.0
 *
 * contact_count.c - which contact rows count for a candidate, of an outcome, in a scope and a window.
 *
 * Windows: rolling is (now - within, now]; a business day starts at the
 * store's cut; own-gap is a multiple of the customer's mean gap between
 * purchases, and with fewer than two purchases on record every row counts.
 */
#include "decide/contact_count.h"

#include <string.h>

#include "core/id.h"

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && a[0] == b[0] && strcmp(a, b) == 0;
}

/* Is a row (or a card chosen a moment ago) in the scope of this cap for this candidate? */
static bool
in_scope(const struct contact_view *view, enum contact_scope scope, const char *value,
    const char *action, const char *group, const char *issue, int placement)
{
	switch (scope) {
	case SCOPE_ALL: return true;
	case SCOPE_SELF: return same(action, view->action->id);
	case SCOPE_ACTION: return same(action, value != NULL ? value : view->action->id);
	case SCOPE_GROUP: return same(group, value != NULL ? value : view->action->group);
	case SCOPE_ISSUE: return same(issue, value != NULL ? value : view->action->issue);
	case SCOPE_PLACEMENT: break;
	}
	if (value == NULL)
		return placement == (int)view->placement;
	return placement >= 0 && placement < PLACE_COUNT &&
	    strcmp(NAME_OF(placement_names, placement), value) == 0;
}

bool
contact_window_has(struct contact_view *view, enum contact_by by, int64_t from_ms)
{
	contact_index_reach(view->index, from_ms);
	return by == BY_COUNT || contact_index_has(view->index, by, view->keys[by]);
}

/* Is it an accepted card whose token may still be applied, or redeemed? */
static bool
in_use(const struct contact_view *view, size_t i, enum outcome outcome)
{
	const struct contacts *contacts = view->index->contacts;
	const struct contact *row = &contacts->rows[i];

	if ((outcome != OUTCOME_APPLIED && outcome != OUTCOME_REDEEMED) ||
	    row->outcome != OUTCOME_ACCEPTED || !view->index->counts[i])
		return false;
	bool open = true, paid = false;

	for (size_t j = i + 1; j < contacts->count; j++) {
		const struct contact *later = &contacts->rows[j];

		if (!id_equal(&later->prompt, &row->prompt))
			continue;
		if (later->outcome == outcome && view->index->counts[j])
			return false; /* it counts itself */
		/* Its end may have been foreseen before the till said that it was paid with. */
		if (later->ends == ENDS_UNUSED) {
			open = open && (paid || later->at_ms > view->sources->now_ms);
		} else if (contact_is_use(later->outcome)) {
			open = view->index->counts[j];
			paid = open && later->outcome == OUTCOME_REDEEMED;
		}
	}
	return open;
}

bool
contact_row_counts(struct contact_view *view, size_t i, enum outcome outcome, const char *reason,
    enum contact_scope scope, const char *value)
{
	const struct contact *row = &view->index->contacts->rows[i];

	if (outcome == OUTCOME_SHOWN) {
		if (!view->index->counts[i] || !contact_is_shown(row))
			return false;
	} else if (view->taking && in_use(view, i, outcome)) {
		/* Taken elsewhere, and it may still be used: as if it were. */
	} else if (row->outcome != outcome || row->ends == ENDS_UNUSED ||
	    (reason != NULL && !same(row->reason, reason)) ||
	    ((contact_is_use(outcome) || outcome == OUTCOME_BOUGHT) && !view->index->counts[i])) {
		return false;
	}
	if (view->own != NULL && id_equal(&row->prompt, view->own))
		return false;
	return in_scope(view, scope, value, row->action, row->group, row->issue, row->placement);
}

int
contact_pending_counts(const struct contact_view *view, enum outcome outcome,
    enum contact_scope scope, const char *value)
{
	const struct run *run = view->run;
	enum contact_by by = contact_key_of(scope, value);
	int count = 0;

	if (run == NULL || run->fresh == 0 ||
	    (outcome != OUTCOME_SHOWN && outcome != OUTCOME_DECIDED))
		return 0;
	for (size_t w = 0; w < run->winner_count; w++) {
		const struct winner *winner = &run->winners[w];
		const struct action *action = run->decision->candidates[winner->candidate].action;

		if (run->trials[winner->candidate].own >= 0 ||
		    (by != BY_COUNT && action->keys[by] != view->keys[by]))
			continue;
		count += in_scope(view, scope, value, action->id, action->group, action->issue,
		    (int)winner->placement);
	}
	return count;
}

/* ---- windows ---- */

/* The first instant of the window. */
static int64_t
business_from(const struct contact_view *view, int64_t within_ms)
{
	int64_t days = (within_ms + D_MS - 1) / D_MS;
	struct contact_index *index = view->index;
	struct local_time start;

	if (days <= 1)
		return view->day_start_ms;
	if (index->days != days) {
		/* The middle of the first day of the window lies in it, whatever the clocks did
		 * since. */
		start = zone_local(view->sources->zone, view->day_start_ms);
		index->days_from_ms = zone_day_start(view->sources->zone,
		    view->day_start_ms - (days - 2) * D_MS - D_MS / 2,
		    start.hour * 60 + start.minute);
		index->days = days;
	}
	return index->days_from_ms;
}

static int64_t
own_gap_from(const struct contact_view *view, double times)
{
	const struct subject *subject = view->sources->subject;
	int64_t span;
	double gap;

	if (subject == NULL || subject->purchase_count < 2)
		return INT64_MIN;
	span = subject->purchases[subject->purchase_count - 1].at_ms - subject->purchases[0].at_ms;
	gap = times * (double)span / (double)(subject->purchase_count - 1);
	if (!(gap >= 0 && gap < 9e15))
		return INT64_MIN;
	return view->sources->now_ms - (int64_t)gap + 1;
}

static int64_t
cap_from(const struct contact_view *view, const struct cap *cap)
{
	switch (cap->clock) {
	case CLOCK_BUSINESS_DAY: return business_from(view, cap->within_ms);
	case CLOCK_OWN_GAP: return own_gap_from(view, cap->gap_times);
	case CLOCK_ROLLING: break;
	}
	return view->sources->now_ms - cap->within_ms + 1;
}

/* ---- what a cap counts ---- */

static int
count_rows(struct contact_view *view, const struct cap *cap)
{
	enum contact_by by = contact_key_of(cap->scope, cap->scope_value);
	int64_t from_ms = cap_from(view, cap);
	int count = 0;

	if (!contact_window_has(view, by, from_ms))
		return 0;
	for (size_t i = view->index->contacts->count; i-- > view->index->keys_from;) {
		const struct contact_key *key = &view->index->keys[i];

		if (key->at_ms < from_ms)
			break;
		if (by != BY_COUNT && key->by[by] != view->keys[by])
			continue; /* most rows are told apart by their first bytes */
		count += contact_row_counts(view, i, cap->outcome, cap->outcome_reason, cap->scope,
		    cap->scope_value);
	}
	return count;
}

/* A cap over everything, asked of someone without an open card, counts the same for all. */
int
contact_rows_in_cap(struct contact_view *view, const struct cap *cap)
{
	struct contact_index *index = view->index;

	if ((index->outcomes & (1u << cap->outcome)) == 0 && !view->taking)
		return 0;
	if (cap->scope != SCOPE_ALL || view->own != NULL)
		return count_rows(view, cap);
	if (index->common != cap) {
		index->common_count = count_rows(view, cap);
		index->common = cap;
	}
	return index->common_count;
}
