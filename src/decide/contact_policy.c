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
 *   Thousands of candidates ask about the same rows. A filter of one bit for
 *   each beginning of an action, group or issue tells most of them at once
 *   that no row is theirs; what is the same for all is counted once.
 *
 * INVARIANTS
 *   Rows ascend by time, so a window is a suffix and the scan stops early.
 */
#include "decide/contact_index.h"

#include <limits.h>
#include <string.h>

#include "core/id.h"

struct view {
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
	case SCOPE_ALL: return true;
	case SCOPE_SELF: return same(action, view->action->id);
	case SCOPE_ACTION: return same(action, value != NULL ? value : view->action->id);
	case SCOPE_GROUP: return same(group, value != NULL ? value : view->action->group);
	case SCOPE_ISSUE: return same(issue, value != NULL ? value : view->action->issue);
	case SCOPE_PLACEMENT:
		if (value == NULL)
			return placement == (int)view->placement;
		return placement >= 0 && placement < PLACE_COUNT &&
		    strcmp(NAME_OF(placement_names, placement), value) == 0;
	}
	return false;
}

/* What a row must have in common with the candidate to be in the scope: BY_COUNT: that is not
 * told by its key. */
static inline enum contact_by
key_of(enum contact_scope scope, const char *value)
{
	if (value != NULL && scope != SCOPE_SELF)
		return BY_COUNT;
	return scope == SCOPE_SELF || scope == SCOPE_ACTION ? BY_ACTION
	    : scope == SCOPE_GROUP			    ? BY_GROUP
	    : scope == SCOPE_ISSUE			    ? BY_ISSUE
							    : BY_COUNT;
}

/* May a row from from_ms on be the candidate's? Most times there is none. */
static bool
window_has(struct view *view, enum contact_by by, int64_t from_ms)
{
	contact_index_reach(view->index, from_ms);
	return by == BY_COUNT || contact_index_has(view->index, by, view->keys[by]);
}

/* Is it an accepted card whose token may still be applied, or redeemed? */
static bool
in_use(const struct view *view, size_t i, enum outcome outcome)
{
	const struct contacts *contacts = view->index->contacts;
	const struct contact *row = &contacts->rows[i];

	if ((outcome != OUTCOME_APPLIED && outcome != OUTCOME_REDEEMED) ||
	    row->outcome != OUTCOME_ACCEPTED || !view->index->counts[i])
		return false;
	bool open = true;

	for (size_t j = i + 1; j < contacts->count; j++) {
		const struct contact *later = &contacts->rows[j];

		if (!id_equal(&later->prompt, &row->prompt))
			continue;
		if (later->outcome == outcome && view->index->counts[j])
			return false; /* it counts itself */
		if (later->ends == ENDS_UNUSED)
			open = false;
		else if (contact_is_use(later->outcome))
			open = view->index->counts[j];
	}
	return open;
}

static bool
row_counts(struct view *view, size_t i, enum outcome outcome, const char *reason,
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

/* The cards of this decision. An open one that won again is in the rows already. */
static int
pending_counts(const struct view *view, enum outcome outcome, enum contact_scope scope,
    const char *value)
{
	const struct run *run = view->run;
	enum contact_by by = key_of(scope, value);
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
business_from(const struct view *view, int64_t within_ms)
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
	case CLOCK_BUSINESS_DAY: return business_from(view, cap->within_ms);
	case CLOCK_OWN_GAP: return own_gap_from(view, cap->gap_times);
	case CLOCK_ROLLING: break;
	}
	return view->sources->now_ms - cap->within_ms + 1;
}

/* ---- caps and suppressions ---- */

static int
count_rows(struct view *view, const struct cap *cap)
{
	enum contact_by by = key_of(cap->scope, cap->scope_value);
	int64_t from_ms = cap_from(view, cap);
	int count = 0;

	if (!window_has(view, by, from_ms))
		return 0;
	for (size_t i = view->index->contacts->count; i-- > view->index->keys_from;) {
		const struct contact_key *key = &view->index->keys[i];

		if (key->at_ms < from_ms)
			break;
		if (by != BY_COUNT && key->by[by] != view->keys[by])
			continue; /* most rows are told apart by their first bytes */
		count += row_counts(view, i, cap->outcome, cap->outcome_reason, cap->scope,
		    cap->scope_value);
	}
	return count;
}

/* A cap over everything, asked of someone without an open card, counts the same for all. */
static int
rows_in_cap(struct view *view, const struct cap *cap)
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

/* Can this many of an outcome not have come together, whoever asks? fresh: winners that are in no
 * row. They are of other actions than the one that asks. */
static inline bool
idle(const struct contact_index *index, size_t fresh, bool again, enum outcome outcome,
    enum contact_scope scope, const char *value, int max)
{
	if ((outcome != OUTCOME_SHOWN && outcome != OUTCOME_DECIDED) ||
	    key_of(scope, value) == BY_ACTION)
		fresh = 0;
	if (again && fresh == 0)
		return true;
	if (index->contacts->count + fresh < (size_t)max)
		return true;
	return fresh == 0 && max > 0 && (index->outcomes & (1u << outcome)) == 0;
}

static bool
caps_idle(const struct contact_index *index, size_t fresh, bool again, const struct cap *caps,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!idle(index, fresh, again, caps[i].outcome, caps[i].scope, caps[i].scope_value,
			caps[i].max))
			return false;
	return true;
}

static bool
policy_idle(const struct contact_index *index, size_t fresh, bool again,
    const struct policy *policy)
{
	for (size_t i = 0; i < policy->suppression_count; i++) {
		const struct suppression *rule = &policy->suppressions[i];

		if (!idle(index, fresh, again, rule->outcome, rule->scope, NULL, rule->count))
			return false;
	}
	return caps_idle(index, fresh, again, policy->caps, policy->cap_count);
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
		int count;

		if (view->uses_only && !contact_is_use(caps[i].outcome))
			continue;
		count = cap_count(view, &caps[i]);
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
	enum contact_by by = key_of(rule->scope, NULL);
	size_t last = contacts->count;

	if (contacts->count + (size_t)here < (size_t)rule->count || (view->again && here == 0))
		return false;
	/* Without a row of this outcome there is nothing to look for; most customers dismiss
	 * nothing. */
	if (here == 0 && (view->index->outcomes & (1u << rule->outcome)) == 0 && !view->taking)
		return false;
	/* The cards of this decision end a window at now. */
	if (here > 0) {
		for (size_t i = contacts->count;
		     i-- > 0 && contacts->rows[i].at_ms > now_ms - rule->within_ms;)
			here += row_counts(view, i, rule->outcome, rule->outcome_reason,
			    rule->scope, NULL);
		if (here >= rule->count)
			return true;
	}
	if (!window_has(view, by, now_ms - rule->for_ms + 1))
		return false;
	for (; last-- > 0 && contacts->rows[last].at_ms > now_ms - rule->for_ms;) {
		int64_t from_ms = contacts->rows[last].at_ms - rule->within_ms;
		int count = 0;

		if (by != BY_COUNT && view->index->keys[last].by[by] != view->keys[by])
			continue;
		if (!row_counts(view, last, rule->outcome, rule->outcome_reason, rule->scope, NULL))
			continue;
		for (size_t i = last + 1;
		     i-- > 0 && contacts->rows[i].at_ms > from_ms && count < rule->count;)
			count += row_counts(view, i, rule->outcome, rule->outcome_reason,
			    rule->scope, NULL);
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

		if (view->uses_only && !contact_is_use(rule->outcome))
			continue;
		if (suppressed(view, rule))
			clause = arena_printf(view->arena, "contact.suppress[%zu]: %s%s%s", i,
			    outcome_name(rule->outcome), rule->outcome_reason != NULL ? ":" : "",
			    rule->outcome_reason != NULL ? rule->outcome_reason : "");
	}
	return clause;
}

/* Is the cap idle for this action, or does the filter know that no row is the action's? */
static inline bool
cap_open(struct run *run, const struct action *action, const struct cap *cap, bool again)
{
	enum contact_by by = key_of(cap->scope, cap->scope_value);
	struct contact_index *index = &run->contact;

	if (idle(index, run->fresh, again, cap->outcome, cap->scope, cap->scope_value, cap->max))
		return true;
	if (run->fresh > 0 || by == BY_COUNT || cap->max <= 0 || cap->clock != CLOCK_ROLLING)
		return false;
	contact_index_reach(index, run->now_ms - cap->within_ms + 1);
	return !contact_index_has(index, by, action->keys[by]);
}

static bool
own_caps_open(struct run *run, const struct action *action, bool again)
{
	for (size_t i = 0; i < action->cap_count; i++)
		if (!cap_open(run, action, &action->caps[i], again))
			return false;
	return true;
}

/* The same for all candidates until there is another winner. */
static bool
policy_idle_now(struct run *run, bool again)
{
	struct contact_index *index = &run->contact;

	if (index->asked_fresh != run->fresh || index->asked_again != again) {
		index->asked_fresh = run->fresh;
		index->asked_again = again;
		index->idle = policy_idle(index, run->fresh, again, run->policy);
	}
	return index->idle;
}

const char *
contact_gate(struct run *run, size_t i, enum placement place, bool again)
{
	const struct action *action = run->decision->candidates[i].action;
	const struct card *own;
	struct view view;

	/* What has passed alone passes beside winners that are in the rows already. */
	if (again && run->fresh == 0)
		return NULL;
	if (run->door == NULL && run->contact.contacts != NULL && policy_idle_now(run, again) &&
	    own_caps_open(run, action, again))
		return NULL;
	own = trial_card(run, i);
	/* It takes the place of another card, which then was not shown; or is the same again. */
	if (own == NULL)
		own = door_replaces(run);
	if (own == NULL)
		own = snoozed_card(run, action);
	view.arena = run->arena;
	view.sources = run->sources;
	view.day_start_ms = run->input->store.day_start_ms;
	view.index = &run->contact;
	view.run = run;
	view.action = action;
	view.keys = action->keys;
	view.placement = place;
	view.own = own != NULL ? &own->prompt : NULL;
	view.again = again;
	view.taking = run->door != NULL;
	view.uses_only = false;
	return view_check(&view);
}

/* A look from outside a run; the action may be of no policy. */
struct outside {
	struct view view;
	struct sources sources; /* what may be read */
	uint64_t keys[BY_COUNT];
};

static void
look_from_outside(struct outside *outside, struct arena *arena, const struct decide_input *input,
    struct contact_index *index, const struct action *action, int placement)
{
	struct sources *sources = &outside->sources;
	struct view *view = &outside->view;
	const struct visit *visit = input->sources.visit;

	*view = (struct view){
		.arena = arena,
		.sources = sources,
		.day_start_ms = input->store.day_start_ms,
		.index = index,
		.action = action,
		.keys = outside->keys,
		.placement = (enum placement)placement,
	};
	outside->keys[BY_ACTION] = text_prefix(action->id);
	outside->keys[BY_GROUP] = text_prefix(action->group);
	outside->keys[BY_ISSUE] = text_prefix(action->issue);
	*sources = input->sources;
	if (!input->known)
		sources->subject = NULL;
	for (size_t i = 0; visit != NULL && view->own == NULL && i < visit->card_count; i++)
		if (card_open_at(&visit->cards[i], input->sources.now_ms) &&
		    strcmp(visit->cards[i].action, action->id) == 0)
			view->own = &visit->cards[i].prompt;
}

const char *
contact_check(struct arena *arena, const struct decide_input *input, const struct action *action,
    int placement)
{
	struct contact_index index = contact_index_make(arena, input->sources.contacts);
	struct outside outside;

	look_from_outside(&outside, arena, input, &index, action, placement);
	return view_check(&outside.view);
}

const char *
contact_take_check(struct arena *arena, const struct decide_input *input,
    const struct action *action, const struct card *card)
{
	struct contact_index index = contact_index_make(arena, input->sources.contacts);
	struct outside outside;

	look_from_outside(&outside, arena, input, &index, action, card->placement);
	outside.view.own = &card->prompt;
	outside.view.taking = outside.view.uses_only = true;
	return view_check(&outside.view);
}

int
contact_counter(const struct decide_input *input, struct contact_index *index,
    const struct action *action, enum placement place, const struct cap *cap)
{
	struct outside outside;

	look_from_outside(&outside, NULL, input, index, action, (int)place);
	return index->contacts == NULL ? 0 : rows_in_cap(&outside.view, cap);
}
