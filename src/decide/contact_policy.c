/* SPDX-License-Identifier: Apache-2.0
 *
 * contact_policy.c - how often and how soon: caps and suppressions over the rows of contact.h.
 *
 * DESIGN
 *   Counts come from the rows each time and are stored nowhere. A row counts as
 *   shown from the moment it was decided until a tablet says that it was not;
 *   HQ's own contacts are SHOWN rows without a decision. The rows of a card
 *   that is still open never count against its own action; the cards that this
 *   very decision has chosen for earlier slots count as if they were rows, so
 *   that two slots cannot pass a cap of one together.
 *
 *   Windows: rolling is (now - within, now]; a business day starts at the
 *   store's cut; own-gap is a multiple of the customer's mean gap between
 *   purchases, and with fewer than two purchases on record every row counts.
 *   A suppression lasts [t, t + for) from the outcome that completed it.
 *
 * INVARIANTS
 *   Rows ascend by time, so a window is a suffix and the scan stops early.
 */
#include "decide/run.h"

#include <limits.h>
#include <string.h>

#include "core/id.h"

struct pending {
	const struct action *action;
	enum placement placement;
};

struct view {
	struct arena *arena;
	const struct sources *sources;
	int64_t day_start_ms;
	struct contact_index *index;
	const struct action *action;
	uint64_t key[BY_COUNT];		/* of the action, as in struct contact_key, */
	bool has_key[BY_COUNT];		/* once it was asked for */
	enum placement placement;
	const struct id *own;		/* prompt of its open card; NULL */
	bool again; /* it has passed without the pending ones: look at what they change */
	struct pending pending[WINNERS_MAX];
	size_t pending_count;
};

struct contact_index
contact_index_make(struct arena *arena, const struct contacts *contacts)
{
	struct contact_index index = { .contacts = contacts };
	uint8_t *shown;

	if (contacts == NULL || contacts->count == 0)
		return index;
	shown = arena_alloc(arena, contacts->count);
	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *row = &contacts->rows[i];

		index.outcomes |= 1u << row->outcome;
		if (row->outcome == OUTCOME_DECIDED ||
		    (row->outcome == OUTCOME_SHOWN && id_is_zero(&row->decision)))
			shown[i] = 1;
		if (row->outcome != OUTCOME_NOT_SHOWN)
			continue;
		/* Its card was decided shortly before. */
		for (size_t j = i; j-- > 0;) {
			if (contacts->rows[j].outcome == OUTCOME_DECIDED &&
			    id_equal(&contacts->rows[j].prompt, &row->prompt)) {
				shown[j] = 0;
				break;
			}
		}
	}
	index.outcomes &= ~(1u << OUTCOME_SHOWN);
	if (memchr(shown, 1, contacts->count) != NULL)
		index.outcomes |= 1u << OUTCOME_SHOWN;
	index.shown = shown;
	index.keys = arena_room(arena, contacts->count * sizeof(*index.keys));
	index.keys_from = contacts->count;
	return index;
}

/* Row i's key. Windows end at the newest row, so that only those that some window reaches are
 * made. */
static const struct contact_key *
row_key(struct contact_index *index, size_t i)
{
	while (index->keys_from > i) {
		const struct contact *row = &index->contacts->rows[--index->keys_from];

		index->keys[index->keys_from] = (struct contact_key){ row->at_ms,
			{ text_prefix(row->action), text_prefix(row->group),
			    text_prefix(row->issue) } };
	}
	return &index->keys[i];
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && a[0] == b[0] && strcmp(a, b) == 0;
}

/* Is a row (or a card chosen a moment ago) in the scope of this cap for this candidate? */
static bool
in_scope(const struct view *view, enum contact_scope scope, const char *value, const char *action,
    const char *group, const char *issue, int placement)
{
	switch (scope) {
	case SCOPE_ALL:
		return true;
	case SCOPE_SELF:
		return same(action, view->action->id);
	case SCOPE_ACTION:
		return same(action, value != NULL ? value : view->action->id);
	case SCOPE_GROUP:
		return same(group, value != NULL ? value : view->action->group);
	case SCOPE_ISSUE:
		return same(issue, value != NULL ? value : view->action->issue);
	case SCOPE_PLACEMENT:
		if (value == NULL)
			return placement == (int)view->placement;
		return placement >= 0 && placement < PLACE_COUNT &&
		       strcmp(placement_names[placement], value) == 0;
	}
	return false;
}

/* What a row must have in common with the candidate to be in the scope: BY_COUNT: that is not
 * told by its key. */
static enum contact_by
key_of(struct view *view, enum contact_scope scope, const char *value)
{
	const struct action *action = view->action;
	enum contact_by by = scope == SCOPE_SELF || scope == SCOPE_ACTION ? BY_ACTION
	    : scope == SCOPE_GROUP ? BY_GROUP
	    : scope == SCOPE_ISSUE ? BY_ISSUE
				   : BY_COUNT;

	if (value != NULL && scope != SCOPE_SELF)
		return BY_COUNT;
	if (by != BY_COUNT && !view->has_key[by]) {
		view->has_key[by] = true;
		view->key[by] = text_prefix(by == BY_ACTION ? action->id
			: by == BY_GROUP ? action->group : action->issue);
	}
	return by;
}

static bool
row_counts(struct view *view, size_t i, enum outcome outcome, const char *reason,
    enum contact_scope scope, const char *value)
{
	const struct contact *row = &view->index->contacts->rows[i];

	if (outcome == OUTCOME_SHOWN) {
		if (!view->index->shown[i])
			return false;
	} else if (row->outcome != outcome || (reason != NULL && !same(row->reason, reason))) {
		return false;
	}
	if (view->own != NULL && id_equal(&row->prompt, view->own))
		return false;
	return in_scope(view, scope, value, row->action, row->group, row->issue, row->placement);
}

static int
pending_counts(
    const struct view *view, enum outcome outcome, enum contact_scope scope, const char *value)
{
	int count = 0;

	if (outcome != OUTCOME_SHOWN && outcome != OUTCOME_DECIDED)
		return 0;
	for (size_t i = 0; i < view->pending_count; i++) {
		const struct action *action = view->pending[i].action;

		count += in_scope(view, scope, value, action->id, action->group, action->issue,
		    (int)view->pending[i].placement);
	}
	return count;
}

/* ---- windows ---- */

/* The first instant of the window. */
static int64_t
business_from(const struct view *view, int64_t within_ms)
{
	int64_t days = (within_ms + D_MS - 1) / D_MS;
	struct local_time start;

	if (days <= 1)
		return view->day_start_ms;
	/* The middle of the first day of the window lies in it, whatever the clocks did since. */
	start = zone_local(view->sources->zone, view->day_start_ms);
	return zone_day_start(view->sources->zone,
	    view->day_start_ms - (days - 2) * D_MS - D_MS / 2, start.hour * 60 + start.minute);
}

static int64_t
own_gap_from(const struct view *view, double times)
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
cap_from(const struct view *view, const struct cap *cap)
{
	switch (cap->clock) {
	case CLOCK_BUSINESS_DAY:
		return business_from(view, cap->within_ms);
	case CLOCK_OWN_GAP:
		return own_gap_from(view, cap->gap_times);
	case CLOCK_ROLLING:
		break;
	}
	return view->sources->now_ms - cap->within_ms + 1;
}

/* ---- caps and suppressions ---- */

static int
rows_in_cap(struct view *view, const struct cap *cap)
{
	int64_t from_ms = cap_from(view, cap);
	enum contact_by by = key_of(view, cap->scope, cap->scope_value);
	int count = 0;

	if ((view->index->outcomes & (1u << cap->outcome)) == 0)
		return 0;
	for (size_t i = view->index->contacts->count; i-- > 0;) {
		const struct contact_key *key = row_key(view->index, i);

		if (key->at_ms < from_ms)
			break;
		if (by != BY_COUNT && key->by[by] != view->key[by])
			continue;	/* most rows are told apart by their first bytes */
		count += row_counts(
		    view, i, cap->outcome, cap->outcome_reason, cap->scope, cap->scope_value);
	}
	return count;
}

/* How often so far; INT_MIN where the rows need not be read to know that it is fewer than max. */
static int
cap_count(struct view *view, const struct cap *cap)
{
	int count = pending_counts(view, cap->outcome, cap->scope, cap->scope_value);

	if (view->again && count == 0)
		return INT_MIN;
	if (view->index->contacts->count + (size_t)count < (size_t)cap->max)
		return INT_MIN;
	return count + rows_in_cap(view, cap);
}

static const char *
caps_check(struct view *view, const struct cap *caps, size_t n, const char *where)
{
	for (size_t i = 0; i < n; i++) {
		int count = cap_count(view, &caps[i]);

		if (count >= caps[i].max)
			return arena_printf(view->arena, "%s[%zu]: %s%s%s %d of %d", where, i,
			    outcome_name(caps[i].outcome),
			    caps[i].outcome_reason != NULL ? ":" : "",
			    caps[i].outcome_reason != NULL ? caps[i].outcome_reason : "", count,
			    caps[i].max);
	}
	return NULL;
}

/* Were there `count` outcomes within `within` whose last is less than `for` ago? */
static bool
suppressed(struct view *view, const struct suppression *rule)
{
	const struct contacts *contacts = view->index->contacts;
	int64_t now_ms = view->sources->now_ms;
	int here = pending_counts(view, rule->outcome, rule->scope, NULL);
	size_t last = contacts->count;

	if (contacts->count + (size_t)here < (size_t)rule->count || (view->again && here == 0))
		return false;
	/* Without a row of this outcome there is nothing to look for; most customers dismiss
	 * nothing. */
	if (here == 0 && (view->index->outcomes & (1u << rule->outcome)) == 0)
		return false;
	/* The cards of this decision end a window at now. */
	if (here > 0) {
		for (size_t i = contacts->count;
		     i-- > 0 && contacts->rows[i].at_ms > now_ms - rule->within_ms;)
			here += row_counts(
			    view, i, rule->outcome, rule->outcome_reason, rule->scope, NULL);
		if (here >= rule->count)
			return true;
	}
	for (; last-- > 0 && contacts->rows[last].at_ms > now_ms - rule->for_ms;) {
		int64_t from_ms = contacts->rows[last].at_ms - rule->within_ms;
		int count = 0;

		if (!row_counts(view, last, rule->outcome, rule->outcome_reason, rule->scope, NULL))
			continue;
		for (size_t i = last + 1;
		     i-- > 0 && contacts->rows[i].at_ms > from_ms && count < rule->count;)
			count += row_counts(
			    view, i, rule->outcome, rule->outcome_reason, rule->scope, NULL);
		if (count >= rule->count)
			return true;
	}
	return false;
}

static const char *
view_check(struct view *view)
{
	const struct policy *policy = view->sources->policy;
	const char *clause;

	if (view->index->contacts == NULL)
		return "contacts unreadable";
	clause = caps_check(view, view->action->caps, view->action->cap_count, "caps");
	if (clause == NULL)
		clause = caps_check(view, policy->caps, policy->cap_count, "contact.caps");
	for (size_t i = 0; clause == NULL && i < policy->suppression_count; i++) {
		const struct suppression *rule = &policy->suppressions[i];

		if (suppressed(view, rule))
			clause = arena_printf(view->arena, "contact.suppress[%zu]: %s%s%s", i,
			    outcome_name(rule->outcome), rule->outcome_reason != NULL ? ":" : "",
			    rule->outcome_reason != NULL ? rule->outcome_reason : "");
	}
	return clause;
}

const char *
contact_gate(struct run *run, size_t i, enum placement place, bool again)
{
	const struct card *own = trial_card(run, i);
	struct view view;

	view.arena = run->arena;
	view.sources = run->sources;
	view.day_start_ms = run->input->store.day_start_ms;
	view.index = &run->contact;
	view.action = run->decision->candidates[i].action;
	view.placement = place;
	view.own = own != NULL ? &own->prompt : NULL;
	view.again = again;
	memset(view.has_key, 0, sizeof(view.has_key));
	view.pending_count = 0;
	for (size_t w = 0; w < run->winner_count; w++) {
		int winner = run->winners[w].candidate;

		/* An open card that won again is in the rows already. */
		if (run->trials[winner].own >= 0)
			continue;
		view.pending[view.pending_count].action = run->decision->candidates[winner].action;
		view.pending[view.pending_count++].placement = run->winners[w].placement;
	}
	/* What has passed alone passes beside winners that are in the rows already. */
	if (again && view.pending_count == 0)
		return NULL;
	return view_check(&view);
}

/* A look from outside a run. sources is the caller's room for what may be read. */
static struct view
view_alone(struct arena *arena, const struct decide_input *input, struct contact_index *index,
    const struct action *action, int placement, struct sources *sources)
{
	const struct visit *visit = input->sources.visit;
	struct view view = {
		.arena = arena,
		.sources = sources,
		.day_start_ms = input->store.day_start_ms,
		.index = index,
		.action = action,
		.placement = (enum placement)placement,
	};

	*sources = input->sources;
	if (!input->known)
		sources->subject = NULL;
	for (size_t i = 0; visit != NULL && view.own == NULL && i < visit->card_count; i++)
		if (card_open_at(&visit->cards[i], input->sources.now_ms) &&
		    strcmp(visit->cards[i].action, action->id) == 0)
			view.own = &visit->cards[i].prompt;
	return view;
}

const char *
contact_check(struct arena *arena, const struct decide_input *input, const struct action *action,
    int placement)
{
	struct contact_index index = contact_index_make(arena, input->sources.contacts);
	struct sources sources;
	struct view view = view_alone(arena, input, &index, action, placement, &sources);

	return view_check(&view);
}

int
contact_counter(const struct decide_input *input, struct contact_index *index,
    const struct action *action, enum placement place, const struct cap *cap)
{
	struct sources sources;
	struct view view = view_alone(NULL, input, index, action, (int)place, &sources);

	return index->contacts == NULL ? 0 : rows_in_cap(&view, cap);
}
