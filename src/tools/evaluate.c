/* SPDX-License-Identifier: Apache-2.0
 *
 * evaluate.c - what another policy would have earned at the draws of this one.
 *
 * DESIGN
 *   The log has what it drew with which chance, and what came; the candidate says with which chance it
 *   would have drawn what (spine/consider.c). learn/off_policy.c makes a value of both. An action at
 *   another depth is another action: what came of 10 % off says nothing of 20.
 *
 *   A draw earns what came of every action on its shortlist, shown or not, less what the drawn one
 *   cost: a coffee that is bought anyway is money, too. Only first slots: what a second one shows
 *   hangs on the first.
 */
#include "tools/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aisle/decision.h"
#include "core/arena.h"
#include "core/id.h"
#include "learn/shrink.h"
#include "policy/policy_load.h"

#define CHOICES_MAX 140 /* two shortlists of 64, and nothing */

/* An action that the candidate may draw. */
struct would {
	const char *action;
	int64_t depth;
	double pi, margin, cost;
};
/* What it does in a place of a decision. */
struct considered {
	struct id decision;
	const char *placement;
	bool taken; /* no draw: an accepted card, or one that must be there */
	size_t at, count;
};
struct evaluate {
	struct arena *memory;
	struct considered *places;
	size_t place_count, place_capacity;
	struct would *woulds;
	size_t would_count, would_capacity;
};

struct evaluate *
evaluate_new(void)
{
	struct evaluate *evaluate = mem_zero(sizeof(*evaluate));

	evaluate->memory = arena_new();
	return evaluate;
}

void
evaluate_free(struct evaluate *evaluate)
{
	if (evaluate == NULL)
		return;
	free(evaluate->places);
	free(evaluate->woulds);
	arena_free(evaluate->memory);
	free(evaluate);
}

/* ---- what the candidate does ---- */

static void
add_would(struct evaluate *evaluate, const struct candidate *candidate, double pi)
{
	evaluate->woulds = mem_grow(evaluate->woulds, evaluate->would_count,
	    &evaluate->would_capacity, sizeof(*evaluate->woulds));
	/* The policy is there longer than this. */
	evaluate->woulds[evaluate->would_count++] = (struct would){ candidate->action->id,
		candidate->depth, pi, candidate->margin, candidate->cost };
}

static void
add_place(struct evaluate *evaluate, const struct decision *made, enum placement place,
    const struct decision *other)
{
	struct considered considered = { made->id, placement_names[place], false,
		evaluate->would_count, 0 };

	for (size_t i = 0; i < other->slot_count; i++) {
		const struct slot *slot = &other->slots[i];

		if (slot->placement != place || slot->slot != 1)
			continue;
		considered.taken = slot->shortlist_count == 0;
		for (size_t l = 0; l < slot->shortlist_count; l++) {
			const struct shortlisted *one = &slot->shortlist[l];

			if (one->candidate >= 0 && one->p > 0)
				add_would(evaluate, &other->candidates[one->candidate], one->p);
		}
	}
	considered.count = evaluate->would_count - considered.at;
	evaluate->places = mem_grow(evaluate->places, evaluate->place_count,
	    &evaluate->place_capacity, sizeof(*evaluate->places));
	evaluate->places[evaluate->place_count++] = considered;
}

void
evaluate_draw(void *ctx, const struct decision *made, const struct decision *other)
{
	for (size_t i = 0; i < made->slot_count; i++) {
		const struct slot *slot = &made->slots[i];

		if (slot->slot == 1 && slot->has_p && slot->shortlist_count > 1)
			add_place(ctx, made, slot->placement, other);
	}
}

static int
by_decision(const void *a_pointer, const void *b_pointer)
{
	const struct considered *a = a_pointer, *b = b_pointer;
	int order = id_compare(&a->decision, &b->decision);

	return order != 0 ? order : strcmp(a->placement, b->placement);
}

/* ---- the log ---- */

/* A draw that counts, and what was done instead. */
struct pair {
	const struct drawn *draw;
	const struct considered *considered;
};

static bool
is_whole(const struct drawn *draw)
{
	double sum = 0;

	for (size_t i = 0; i < draw->row_count; i++)
		sum += draw->rows[i].p;
	return draw->row_count > 0 && draw->row_count <= CHOICES_MAX / 2 &&
	    draw->rows[draw->row_count - 1].nothing && fabs(sum - 1) < 1e-6;
}

static bool
is_withheld(const struct drawn *draw)
{
	for (size_t i = 0; i < draw->row_count; i++)
		if (draw->rows[i].withheld)
			return true;
	return false;
}

/* NULL: it is left out, and counted. */
static const struct considered *
match(const struct evaluate *evaluate, const struct drawn *draw, struct evaluation *ret)
{
	struct considered want = { .decision = draw->decision, .placement = draw->placement };
	const struct considered *found;

	if (!draw->counted) {
		ret->uncounted++;
		return NULL;
	}
	if (draw->slot != 1) {
		ret->second++;
		return NULL;
	}
	if (is_withheld(draw)) {
		ret->withheld++;
		return NULL;
	}
	if (!is_whole(draw)) {
		ret->open++;
		return NULL;
	}
	found = evaluate->place_count > 0
	    ? bsearch(&want, evaluate->places, evaluate->place_count, sizeof(want), by_decision)
	    : NULL;
	if (found == NULL) {
		ret->unknown++;
		return NULL;
	}
	ret->taken += found->taken;
	return found->taken ? NULL : found;
}

/* The unit: who decides as one. */
static const struct id *
customer_of(const struct drawn *draw)
{
	return draw->has_subject ? &draw->subject : &draw->visit;
}

static int
by_customer(const void *a_pointer, const void *b_pointer)
{
	const struct pair *a = a_pointer, *b = b_pointer;
	int order = id_compare(customer_of(a->draw), customer_of(b->draw));

	return order != 0 ? order
			  : (a->draw->order > b->draw->order) - (a->draw->order < b->draw->order);
}

static void
miss(struct evaluation *ret, struct arena *memory, const struct would *would)
{
	char name[200];
	size_t i = 0;

	snprintf(name, sizeof(name), would->depth != 0 ? "%.128s at depth %lld" : "%.128s",
	    would->action, (long long)would->depth);
	while (i < ret->missed_count && strcmp(ret->missed[i].action, name) != 0)
		i++;
	if (i == ret->missed_count) {
		ret->missed = mem_realloc(ret->missed, (i + 1) * sizeof(*ret->missed));
		ret->missed[ret->missed_count++] =
		    (struct evaluate_missed){ arena_strdup(memory, name), 0 };
	}
	ret->missed[i].share += would->pi;
}

/* What the models expected of each row; of what no till tells nothing. */
static void
expect(const struct policy *logged, const struct drawn *draw, struct ope_choice *choices)
{
	double base = 0;

	for (size_t i = 0; i < draw->row_count; i++) {
		const struct drawn_row *row = &draw->rows[i];
		const struct action *action =
		    row->nothing ? NULL : policy_action(logged, row->action);
		double p1 = row->p1, p0 = row->p0;

		choices[i] = (struct ope_choice){ .p = row->p };
		if (row->nothing || !row->told)
			continue;
		if (action != NULL && action->has_shrink)
			shrink_apply(&action->shrink, p1, p0, &p1, &p0);
		choices[i].margin = row->margin;
		choices[i].cost = row->cost;
		choices[i].q = p1 * (row->margin - row->cost) - p0 * row->margin;
		base += p0 * row->margin;
	}
	for (size_t i = 0; i < draw->row_count; i++)
		choices[i].q += base;
}

static double
came(const struct drawn *draw, size_t *ret_drawn, bool *ret_untold)
{
	double reward = 0;

	*ret_drawn = draw->row_count - 1;
	for (size_t i = 0; i < draw->row_count; i++) {
		const struct drawn_row *row = &draw->rows[i];

		if (row->drawn)
			*ret_drawn = i;
		*ret_untold = *ret_untold || (!row->nothing && !row->told);
		if (row->told && row->y)
			reward += row->margin - (row->drawn ? row->cost : 0);
	}
	return reward;
}

/* The candidate's chances onto the log's rows; what is on none of them before `nothing`. Returns how
 * many choices there are. */
static size_t
weigh(const struct evaluate *evaluate, const struct pair *pair, struct arena *memory,
    struct ope_choice *choices, struct evaluation *ret)
{
	const struct drawn *draw = pair->draw;
	size_t nothing = draw->row_count - 1, count = draw->row_count;
	struct ope_choice last = choices[nothing];
	double rest = 1;

	for (size_t w = 0; w < pair->considered->count; w++) {
		const struct would *would = &evaluate->woulds[pair->considered->at + w];
		size_t i = 0;

		while (i < nothing &&
		    (strcmp(draw->rows[i].action, would->action) != 0 ||
			draw->rows[i].depth != would->depth))
			i++;
		rest -= would->pi;
		if (i < nothing)
			choices[i].pi = would->pi;
		else
			choices[count++ - 1] = (struct ope_choice){
				.pi = would->pi, .margin = would->margin, .cost = would->cost
			};
		if (i == nothing || !(choices[i].p > 0))
			miss(ret, memory, would);
	}
	last.pi = rest > 0 ? rest : 0;
	choices[count - 1] = last;
	return count;
}

static void
add_pair(const struct evaluate *evaluate, const struct policy *logged, const struct pair *pair,
    struct ope_customer *candidate, struct ope_customer *log, struct evaluation *ret)
{
	struct ope_choice choices[CHOICES_MAX] = { { 0 } };
	size_t drawn, count = pair->draw->row_count;
	bool untold = false;
	double reward = came(pair->draw, &drawn, &untold);

	expect(logged, pair->draw, choices);
	for (size_t i = 0; i < count; i++)
		choices[i].pi = choices[i].p;
	ope_add(log, choices, count, drawn, reward);
	for (size_t i = 0; i < count; i++)
		choices[i].pi = 0;
	count = weigh(evaluate, pair, evaluate->memory, choices, ret);
	ope_add(candidate, choices, count, drawn == pair->draw->row_count - 1 ? count - 1 : drawn,
	    reward);
	ret->decisions++;
	ret->untold += untold;
}

static int
by_share(const void *a_pointer, const void *b_pointer)
{
	const struct evaluate_missed *a = a_pointer, *b = b_pointer;

	return a->share < b->share ? 1 : a->share > b->share ? -1 : strcmp(a->action, b->action);
}

static void
conclude(struct evaluate *evaluate, const struct policy *logged, const struct pair *pairs,
    size_t count, struct evaluation *ret)
{
	struct ope_customer *candidate = mem_calloc(count + 1, sizeof(*candidate)),
			    *log = mem_calloc(count + 1, sizeof(*log));
	size_t customers = 0;

	for (size_t i = 0; i < count; i++) {
		customers +=
		    i == 0 || !id_equal(customer_of(pairs[i - 1].draw), customer_of(pairs[i].draw));
		add_pair(evaluate, logged, &pairs[i], &candidate[customers - 1],
		    &log[customers - 1], ret);
	}
	ope_conclude(candidate, customers, &ret->candidate);
	ope_conclude(log, customers, &ret->logged);
	ret->difference = ope_difference(candidate, log, customers);
	for (size_t i = 0; i < ret->missed_count; i++)
		ret->missed[i].share /= ret->decisions;
	if (ret->missed_count > 1)
		qsort(ret->missed, ret->missed_count, sizeof(*ret->missed), by_share);
	free(candidate);
	free(log);
}

void
evaluate_settle(struct evaluate *evaluate, const struct drawn_list *list,
    const struct policy *logged, struct evaluation *ret)
{
	struct pair *pairs = mem_calloc(list->draw_count + 1, sizeof(*pairs));
	size_t count = 0;

	*ret = (struct evaluation){ 0 };
	if (evaluate->place_count > 1)
		qsort(evaluate->places, evaluate->place_count, sizeof(*evaluate->places),
		    by_decision);
	for (size_t i = 0; i < list->draw_count; i++) {
		const struct considered *considered = match(evaluate, &list->draws[i], ret);

		if (considered != NULL)
			pairs[count++] = (struct pair){ &list->draws[i], considered };
	}
	if (count > 1)
		qsort(pairs, count, sizeof(*pairs), by_customer);
	conclude(evaluate, logged, pairs, count, ret);
	free(pairs);
}

void
evaluation_done(struct evaluation *evaluation)
{
	free(evaluation->missed);
	evaluation->missed = NULL;
	evaluation->missed_count = 0;
}
