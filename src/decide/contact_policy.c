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
 *   A suppression lasts [t, t + for) from the outcome that completed it.
 *
 *   Thousands of candidates ask about the same rows. A filter of one bit for
 *   each beginning of an action, group or issue tells most of them at once
 *   that no row is theirs; what is the same for all is counted once.
 *
 * INVARIANTS
 *   Rows ascend by time, so a window is a suffix and the scan stops early.
 */
#include "decide/contact_count.h"

#include <limits.h>
#include <string.h>

/* Can this many of an outcome not have come together, whoever asks? fresh: winners that are in no
 * row. They are of other actions than the one that asks. */
static inline bool
idle(const struct contact_index *index, size_t fresh, bool again, enum outcome outcome,
    enum contact_scope scope, const char *value, int max)
{
	if ((outcome != OUTCOME_SHOWN && outcome != OUTCOME_DECIDED) ||
	    contact_key_of(scope, value) == BY_ACTION)
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
cap_count(struct contact_view *view, const struct cap *cap)
{
	int count = contact_pending_counts(view, cap->outcome, cap->scope, cap->scope_value);

	if (view->again && count == 0)
		return INT_MIN;
	if (view->index->contacts->count + (size_t)count < (size_t)cap->max)
		return INT_MIN;
	return count + contact_rows_in_cap(view, cap);
}

static const char *
caps_check(struct contact_view *view, const struct cap *caps, size_t n, const char *where)
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
suppressed(struct contact_view *view, const struct suppression *rule)
{
	const struct contacts *contacts = view->index->contacts;
	int64_t now_ms = view->sources->now_ms;
	int here = contact_pending_counts(view, rule->outcome, rule->scope, NULL);
	enum contact_by by = contact_key_of(rule->scope, NULL);
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
			here += contact_row_counts(view, i, rule->outcome, rule->outcome_reason,
			    rule->scope, NULL);
		if (here >= rule->count)
			return true;
	}
	if (!contact_window_has(view, by, now_ms - rule->for_ms + 1))
		return false;
	for (; last-- > 0 && contacts->rows[last].at_ms > now_ms - rule->for_ms;) {
		int64_t from_ms = contacts->rows[last].at_ms - rule->within_ms;
		int count = 0;

		if (by != BY_COUNT && view->index->keys[last].by[by] != view->keys[by])
			continue;
		if (!contact_row_counts(view, last, rule->outcome, rule->outcome_reason,
			rule->scope, NULL))
			continue;
		for (size_t i = last + 1;
		     i-- > 0 && contacts->rows[i].at_ms > from_ms && count < rule->count;)
			count += contact_row_counts(view, i, rule->outcome, rule->outcome_reason,
			    rule->scope, NULL);
		if (count >= rule->count)
			return true;
	}
	return false;
}

static const char *
view_check(struct contact_view *view)
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
	enum contact_by by = contact_key_of(cap->scope, cap->scope_value);
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

bool
contact_policy_idle(struct run *run, bool again)
{
	return policy_idle_now(run, again);
}

static void
view_of(struct run *run, size_t i, enum placement place, const struct id *own,
    struct contact_view *ret)
{
	const struct action *action = run->decision->candidates[i].action;

	*ret = (struct contact_view){ .arena = run->arena,
		.sources = run->sources,
		.day_start_ms = run->input->store.day_start_ms,
		.index = &run->contact,
		.run = run,
		.action = action,
		.keys = action->keys,
		.placement = place,
		.own = own,
		.taking = run->door != NULL };
}

bool
contact_all_closed(struct run *run, size_t i, enum placement place)
{
	const struct policy *policy = run->policy;
	struct contact_view view;

	view_of(run, i, place, NULL, &view);
	for (size_t c = 0; c < policy->cap_count; c++) {
		const struct cap *cap = &policy->caps[c];
		bool all = contact_key_of(cap->scope, cap->scope_value) == BY_COUNT;

		if (cap->max <= 0 || (all && cap_count(&view, cap) >= cap->max))
			return true;
	}
	for (size_t s = 0; s < policy->suppression_count; s++) {
		const struct suppression *rule = &policy->suppressions[s];

		if (contact_key_of(rule->scope, NULL) == BY_COUNT && suppressed(&view, rule))
			return true;
	}
	return false;
}

const char *
contact_gate(struct run *run, size_t i, enum placement place, bool again)
{
	const struct action *action = run->decision->candidates[i].action;
	const struct card *own;
	struct contact_view view;

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
	view_of(run, i, place, own != NULL ? &own->prompt : NULL, &view);
	view.again = again;
	return view_check(&view);
}

/* A look from outside a run; the action may be of no policy. */
struct outside {
	struct contact_view view;
	struct sources sources; /* what may be read */
	uint64_t keys[BY_COUNT];
};

static void
look_from_outside(struct outside *outside, struct arena *arena, const struct decide_input *input,
    struct contact_index *index, const struct action *action, int placement)
{
	struct sources *sources = &outside->sources;
	struct contact_view *view = &outside->view;
	const struct visit *visit = input->sources.visit;

	*view = (struct contact_view){
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
	return index->contacts == NULL ? 0 : contact_rows_in_cap(&outside.view, cap);
}
