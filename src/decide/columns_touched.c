/* SPDX-License-Identifier: Apache-2.0
 *
 * columns_touched.c - whom contact policy may close: who occurs in the contact rows that a limit reaches.
 *
 * DESIGN
 *   A limit on the candidate's own action, group or issue closes only who has a row there, or a card that
 *   this decision has chosen. So the rows are walked once, from the newest back as far as the longest
 *   window, and each names its action and the others of its group and issue. With few candidates, or
 *   many rows, each candidate asks the rows instead.
 */
#include "decide/columns.h"

#include <string.h>

#include "decide/contact_count.h"
#include "policy/policy_load.h"

/* For each key those whom a limit by it may close: by a limit of their own, or of the policy. */
struct reach {
	const uint64_t *among[BY_COUNT];
	int64_t from_ms; /* no limit looks at older rows */
};

static void
touch(struct column_run *now, const uint64_t *among, size_t action)
{
	now->touched[action / 64] |= among[action / 64] & UINT64_C(1) << action % 64;
}

static void
touch_named(struct column_run *now, const struct name_column *column, const uint64_t *among,
    const char *name)
{
	size_t low = 0, high = column->count;

	while (name != NULL && low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(column->names[middle], name);

		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (name == NULL || low == column->count || strcmp(column->names[low], name) != 0)
		return;
	for (uint32_t m = column->first[low]; m < column->first[low + 1]; m++)
		touch(now, among, column->members[m]);
}

static void
touch_as(struct run *run, const struct reach *reach, const char *id, const char *group,
    const char *issue)
{
	const struct columns *columns = &run->policy->columns;
	const struct action *same = id != NULL ? policy_action(run->policy, id) : NULL;

	if (same != NULL)
		touch(&run->columns, reach->among[BY_ACTION],
		    (size_t)(same - run->policy->actions));
	touch_named(&run->columns, &columns->groups, reach->among[BY_GROUP], group);
	touch_named(&run->columns, &columns->issues, reach->among[BY_ISSUE], issue);
}

/* The cards that this decision has chosen, as rows of this instant. */
static void
touch_winners(struct run *run, const struct reach *reach)
{
	for (size_t w = 0; run->fresh > 0 && w < run->winner_count; w++) {
		const struct action *action =
		    run->decision->candidates[run->winners[w].candidate].action;

		touch_as(run, reach, action->id, action->group, action->issue);
	}
}

static void
touch_rows(struct run *run, const struct reach *reach)
{
	const struct contacts *contacts = run->contact.contacts;

	for (size_t i = contacts->count; i-- > 0 && contacts->rows[i].at_ms >= reach->from_ms;)
		touch_as(run, reach, contacts->rows[i].action, contacts->rows[i].group,
		    contacts->rows[i].issue);
	touch_winners(run, reach);
}

/* Limits of the policy that hang on the candidate, by what of it. */
static void
add_limits(const struct run *run, struct reach *reach)
{
	const struct policy *policy = run->policy;
	enum contact_by by;

	for (size_t i = 0; i < policy->cap_count; i++) {
		const struct cap *cap = &policy->caps[i];
		int64_t from_ms =
		    cap->clock == CLOCK_ROLLING ? run->now_ms - cap->within_ms + 1 : INT64_MIN;

		by = contact_key_of(cap->scope, cap->scope_value);
		if (by == BY_COUNT)
			continue;
		reach->among[by] = policy->columns.plain;
		reach->from_ms = smaller_of(reach->from_ms, from_ms);
	}
	for (size_t i = 0; i < policy->suppression_count; i++) {
		by = contact_key_of(policy->suppressions[i].scope, NULL);
		if (by == BY_COUNT)
			continue;
		reach->among[by] = policy->columns.plain;
		reach->from_ms =
		    smaller_of(reach->from_ms, run->now_ms - policy->suppressions[i].for_ms + 1);
	}
}

static struct reach
reach_of(const struct run *run)
{
	const struct columns *columns = &run->policy->columns;
	struct reach reach = { .from_ms = run->now_ms - columns->reach_ms + 1 };

	for (int by = 0; by < BY_COUNT; by++)
		reach.among[by] = columns->capped[by];
	return reach;
}

static void
touch_capped(struct run *run)
{
	const struct columns *columns = &run->policy->columns;

	for (size_t i = 0; i < run->columns.words; i++)
		run->columns.touched[i] = columns->capped[BY_ACTION][i] |
		    columns->capped[BY_GROUP][i] | columns->capped[BY_ISSUE][i];
}

#define WORTH_WALKING 4 /* a row costs as much as so many candidates */

const uint64_t *
columns_touched(struct run *run, enum placement place)
{
	const struct contacts *contacts = run->contact.contacts;
	struct reach reach = reach_of(run);
	size_t first;
	bool idle;

	if (contacts == NULL || !columns_first(&run->columns, &first))
		return run->columns.plain;
	idle = contact_policy_idle(run, false);
	if (!idle && contact_all_closed(run, run->columns.at[first], place))
		return run->columns.plain;
	if (run->decision->candidate_count < WORTH_WALKING * (contacts->count + run->fresh)) {
		if (!idle)
			return run->columns.plain;
		touch_capped(run);
		return run->columns.touched;
	}
	if (!idle)
		add_limits(run, &reach);
	memset(run->columns.touched, 0, run->columns.words * sizeof(*run->columns.touched));
	touch_rows(run, &reach);
	return run->columns.touched;
}

/* A limit that is the same for all may be closed by any winner. */
static bool
limits_all(const struct policy *policy)
{
	for (size_t i = 0; i < policy->cap_count; i++)
		if (contact_key_of(policy->caps[i].scope, policy->caps[i].scope_value) == BY_COUNT)
			return true;
	for (size_t i = 0; i < policy->suppression_count; i++)
		if (contact_key_of(policy->suppressions[i].scope, NULL) == BY_COUNT)
			return true;
	return false;
}

void
columns_again(struct run *run)
{
	struct column_run *now = &run->columns;
	const struct columns *columns = &run->policy->columns;
	struct reach reach = reach_of(run);
	bool idle = run->contact.contacts != NULL && contact_policy_idle(run, true);

	now->roomy = run->room > VISIT_CARDS_RESERVED + run->winner_count;
	if (!idle && (run->contact.contacts == NULL || limits_all(run->policy))) {
		memcpy(now->touched, columns->plain, now->words * sizeof(*now->touched));
		return;
	}
	if (!idle)
		add_limits(run, &reach);
	memcpy(now->touched, columns->stacked, now->words * sizeof(*now->touched));
	touch_winners(run, &reach);
}
