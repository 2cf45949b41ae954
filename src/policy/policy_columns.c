/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_columns.c - what gates ask, by what is asked instead of by action: so that thousands of actions cost
 * what differs between them.
 *
 * DESIGN
 *   An action is plain if nothing that its gates ask hangs on the action itself, but for its limits and its words: then
 *   equal clauses are one question, and clauses that differ in their number alone are a row of bars over
 *   one feature, of which a value passes all up to some place. decide/columns.c asks them.
 *
 *   Sets have a bit for each action. Rejected: a set for each clause (2,500 clauses of 2,500 actions are
 *   0.8 MB); lists are two bytes for an action and gate.
 *
 *   All of it is in the policy's memory, in an order that hangs on nothing but the policy, for the image.
 */
#include "policy/policy_internal.h"

#include <stdlib.h>
#include <string.h>

#include "logic/logic.h"
#include "policy/policy_load.h"

#define VALUE_MAX ((int64_t)(NUMBER_MAX / 200)) /* what any text can say */

static bool
caps_plain(const struct action *action)
{
	for (size_t i = 0; i < action->cap_count; i++) {
		const struct cap *cap = &action->caps[i];

		if (cap->clock != CLOCK_ROLLING || cap->max <= 0 || cap->scope_value != NULL ||
		    cap->scope == SCOPE_ALL || cap->scope == SCOPE_PLACEMENT)
			return false;
	}
	return true;
}

static bool
clause_plain(const struct policy *policy, uint32_t clause)
{
	return clause == CLAUSE_TRUE || !policy->clauses[clause].per_action;
}

static bool
is_plain(const struct policy *policy, const struct action *action)
{
	const struct offer *offer = &action->offer;

	if (action->mandatory || action->wallet || action->family != FAMILY_NONE ||
	    action->margin.kind != EXPR_CONST)
		return false;
	if (action->has_offer &&
	    (offer->tier_count > 0 || offer->ladder_count != 1 || offer->ladder[0] >= VALUE_MAX))
		return false;
	if (action->has_offer && offer->type != OFFER_AMOUNT &&
	    (offer->max_minor < 0 || offer->max_minor >= VALUE_MAX))
		return false; /* what it is worth may be more than a text can say */
	return clause_plain(policy, action->eligible) && clause_plain(policy, action->applicable) &&
	    clause_plain(policy, action->suitable) && caps_plain(action);
}

/* ---- sets ---- */

static uint64_t *
set_new(struct policy *policy)
{
	return arena_alloc(policy->memory, policy->columns.words * sizeof(uint64_t));
}

static void
set_add_if(uint64_t *set, size_t i, bool in)
{
	set[i / 64] |= (uint64_t)in << i % 64;
}

static bool
capped_by(const struct action *action, enum contact_by by)
{
	static const enum contact_by of[] = {
		[SCOPE_SELF] = BY_ACTION,
		[SCOPE_ACTION] = BY_ACTION,
		[SCOPE_GROUP] = BY_GROUP,
		[SCOPE_ISSUE] = BY_ISSUE,
	};

	for (size_t i = 0; i < action->cap_count; i++)
		if (action->caps[i].scope != SCOPE_ALL &&
		    action->caps[i].scope != SCOPE_PLACEMENT && of[action->caps[i].scope] == by)
			return true;
	return false;
}

static void
settle_sets(struct policy *policy)
{
	struct columns *columns = &policy->columns;

	columns->plain = set_new(policy);
	columns->personal = set_new(policy);
	columns->dated = set_new(policy);
	columns->guarded = set_new(policy);
	columns->least = set_new(policy);
	columns->stacked = set_new(policy);
	columns->budgeted = set_new(policy);
	columns->offers = set_new(policy);
	columns->barred = set_new(policy);
	columns->worded = set_new(policy);
	for (int by = 0; by < BY_COUNT; by++)
		columns->capped[by] = set_new(policy);
	for (int place = 0; place < PLACE_COUNT; place++)
		columns->place[place] = set_new(policy);
	for (size_t i = 0; i < policy->action_count; i++) {
		const struct action *a = &policy->actions[i];

		set_add_if(columns->plain, i, is_plain(policy, a));
		columns->reminders += a->wallet;
		set_add_if(columns->personal, i, a->personal);
		set_add_if(columns->dated, i, !a->always);
		set_add_if(columns->guarded, i, (policy->care_only >> a->kind & 1) == 0);
		set_add_if(columns->least, i, a->has_offer && a->offer.min_basket_minor != 0);
		set_add_if(columns->stacked, i, a->has_offer && a->offer.stack != NULL);
		set_add_if(columns->budgeted, i, a->budget.per != BUDGET_NONE);
		set_add_if(columns->offers, i, a->kind == KIND_OFFER);
		set_add_if(columns->worded, i, (a->placements & ~a->fits) != 0);
		for (int by = 0; by < BY_COUNT; by++)
			set_add_if(columns->capped[by], i, capped_by(a, (enum contact_by)by));
		for (int place = 0; place < PLACE_COUNT; place++)
			set_add_if(columns->place[place], i, (a->placements >> place & 1) != 0);
		for (size_t c = 0; c < a->cap_count; c++)
			if (a->caps[c].within_ms > columns->reach_ms)
				columns->reach_ms = a->caps[c].within_ms;
	}
}

/* ---- bars ---- */

/* An action and what it asks in a gate. */
struct asked {
	struct bar bar;
	uint16_t action;
};

static uint32_t
clause_of(const struct action *action, int gate)
{
	return gate == ASKS_ELIGIBLE  ? action->eligible
	    : gate == ASKS_APPLICABLE ? action->applicable
				      : action->suitable;
}

static int
asked_order(const void *a, const void *b)
{
	const struct asked *x = a, *y = b;

	if (x->bar.kind != y->bar.kind)
		return x->bar.kind < y->bar.kind ? -1 : 1;
	if (x->bar.slot != y->bar.slot)
		return x->bar.slot < y->bar.slot ? -1 : 1;
	if (x->bar.number < y->bar.number || x->bar.number > y->bar.number)
		return x->bar.number < y->bar.number ? -1 : 1;
	if (x->bar.clause != y->bar.clause)
		return x->bar.clause < y->bar.clause ? -1 : 1;
	return (int)x->action - (int)y->action;
}

static struct bar
bar_of(const struct policy *policy, uint32_t clause)
{
	struct bar bar = { .clause = clause };
	struct logic_bar test;

	if (!logic_is_bar(policy->clauses[clause].program, &test) ||
	    policy->features[test.slot].type != VALUE_NUMBER)
		return bar;
	bar.kind = test.below ? (test.equal ? BAR_LESS_EQUAL : BAR_LESS)
			      : (test.equal ? BAR_MORE_EQUAL : BAR_MORE);
	bar.slot = test.slot;
	bar.number = test.number;
	return bar;
}

static size_t
gather(const struct policy *policy, int gate, struct asked *list)
{
	size_t count = 0;

	for (size_t i = 0; i < policy->action_count; i++) {
		uint32_t clause = clause_of(&policy->actions[i], gate);

		if (clause == CLAUSE_TRUE || (policy->columns.plain[i / 64] >> i % 64 & 1) == 0)
			continue;
		list[count].bar = bar_of(policy, clause);
		list[count++].action = (uint16_t)i;
	}
	qsort(list, count, sizeof(*list), asked_order);
	return count;
}

static void
settle_gate(struct policy *policy, int gate)
{
	struct gate_column *column = &policy->columns.gates[gate];
	struct asked *list = mem_calloc(policy->action_count + 1, sizeof(*list));
	size_t count = gather(policy, gate, list), bars = 0;

	for (size_t i = 0; i < count; i++)
		bars += i == 0 || list[i].bar.clause != list[i - 1].bar.clause;
	column->members = arena_alloc(policy->memory, (count + 1) * sizeof(*column->members));
	column->bars = arena_alloc(policy->memory, (bars + 1) * sizeof(*column->bars));
	for (size_t i = 0; i < count; i++) {
		column->members[i] = list[i].action;
		if (i > 0 && list[i].bar.clause == list[i - 1].bar.clause)
			continue;
		column->bars[column->count] = list[i].bar;
		column->bars[column->count++].first = (uint32_t)i;
	}
	column->bars[column->count].first = (uint32_t)count;
	free(list);
}

/* ---- groups and issues ---- */

struct named {
	const char *name;
	uint16_t action;
};

static int
named_order(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : (int)x->action - (int)y->action;
}

static void
settle_names_of(struct policy *policy, bool issues, struct name_column *column)
{
	struct named *list = mem_calloc(policy->action_count + 1, sizeof(*list));
	size_t count = policy->action_count, names = 0;

	for (size_t i = 0; i < count; i++)
		list[i] =
		    (struct named){ issues ? policy->actions[i].issue : policy->actions[i].group,
			    (uint16_t)i };
	qsort(list, count, sizeof(*list), named_order);
	for (size_t i = 0; i < count; i++)
		names += i == 0 || strcmp(list[i].name, list[i - 1].name) != 0;
	column->members = arena_alloc(policy->memory, (count + 1) * sizeof(*column->members));
	column->names = arena_alloc(policy->memory, (names + 1) * sizeof(*column->names));
	column->first = arena_alloc(policy->memory, (names + 1) * sizeof(*column->first));
	for (size_t i = 0; i < count; i++) {
		column->members[i] = list[i].action;
		if (i > 0 && strcmp(list[i].name, list[i - 1].name) == 0)
			continue;
		column->names[column->count] = list[i].name;
		column->first[column->count++] = (uint32_t)i;
	}
	column->first[column->count] = (uint32_t)count;
	free(list);
}

void
columns_settle(struct policy *policy)
{
	policy->columns.words = (policy->action_count + 63) / 64;
	settle_sets(policy);
	for (int gate = 0; gate < ASKS_COUNT; gate++)
		settle_gate(policy, gate);
	settle_names_of(policy, false, &policy->columns.groups);
	settle_names_of(policy, true, &policy->columns.issues);
}
