/* SPDX-License-Identifier: Apache-2.0
 *
 * contact_count.h - how many contact rows count for one candidate, for contact_policy.c.
 */
#ifndef AISLE_DECIDE_CONTACT_COUNT_H
#define AISLE_DECIDE_CONTACT_COUNT_H

#include "decide/contact_index.h"

/* Whose rows are counted: one candidate's. */
struct contact_view {
	struct arena *arena;
	const struct sources *sources;
	int64_t day_start_ms;
	struct contact_index *index;
	const struct run *run; /* whose winners count as rows; NULL: nobody's */
	const struct action *action;
	const uint64_t *keys; /* the action's, as in struct contact_key */
	enum placement placement;
	const struct id *own; /* prompt of its open card; NULL */
	bool again;	      /* it has passed without the winners: look at what they change */
	/* A person takes it now: what was taken elsewhere and may still be used counts as used. */
	bool taking;
	bool uses_only; /* asked about what is taken, and not about what is shown */
};

/* What a row must have in common with the candidate to be in the scope: BY_COUNT: that is not
 * told by its key. */
static inline enum contact_by
contact_key_of(enum contact_scope scope, const char *value)
{
	if (value != NULL && scope != SCOPE_SELF)
		return BY_COUNT;
	return scope == SCOPE_SELF || scope == SCOPE_ACTION ? BY_ACTION
	    : scope == SCOPE_GROUP			    ? BY_GROUP
	    : scope == SCOPE_ISSUE			    ? BY_ISSUE
							    : BY_COUNT;
}

/* May a row from from_ms on be the candidate's? Most times there is none. */
bool contact_window_has(struct contact_view *view, enum contact_by by, int64_t from_ms);
/* Does row i count, of this outcome and in this scope? */
bool contact_row_counts(struct contact_view *view, size_t i, enum outcome outcome,
    const char *reason, enum contact_scope scope, const char *value);
/* The cards of this decision that count. An open one that won again is in the rows already. */
int contact_pending_counts(const struct contact_view *view, enum outcome outcome,
    enum contact_scope scope, const char *value);
/* The rows that a cap counts, in its window. */
int contact_rows_in_cap(struct contact_view *view, const struct cap *cap);

#endif
