/* SPDX-License-Identifier: Apache-2.0
 *
 * columns.c - the gates of a placement for all plain candidates together: what closes takes bits out of a set.
 *
 * DESIGN
 *   policy/policy_columns.c says who is plain and keeps what they ask. All begin open. Each gate, in the
 *   order of gate.c, looks at those alone that it can close: the members of a clause that does not hold,
 *   the bars of a feature that its value does not reach, the actions that occur in the contact rows. What
 *   nothing closes costs nothing. Whoever is not plain, or has a card in the visit, is asked one by one
 *   (gate_check); so is everybody where a person names the action.
 *
 * INVARIANTS
 *   A clause or a feature is read only if somebody who is open still asks for it: a record names what was
 *   read, and it is the same as one by one.
 */
#include "decide/columns.h"

#include <string.h>

#include "policy/policy_load.h"

struct bits {
	const uint64_t *set; /* of those in it that are open */
	size_t word;
	uint64_t left;
};

/* The next open action of the set; false: no more. It may be closed meanwhile. */
static bool
next_open(const struct column_run *now, struct bits *bits, size_t *ret_action)
{
	while (bits->left == 0) {
		if (bits->word == now->words)
			return false;
		bits->left = bits->set[bits->word] & now->open[bits->word];
		bits->word++;
	}
	*ret_action = (bits->word - 1) * 64 + (size_t)__builtin_ctzll(bits->left);
	bits->left &= bits->left - 1;
	return true;
}

bool
columns_first(const struct column_run *now, size_t *ret_action)
{
	struct bits bits = { .set = now->open };

	return next_open(now, &bits, ret_action);
}

#define EACH_OPEN(now, in, action) \
	for (struct bits bits = { .set = (in) }; next_open((now), &bits, (action));)

static bool
is_open(const struct column_run *now, size_t action)
{
	return (now->open[action / 64] >> action % 64 & 1) != 0;
}

static void
close_one(struct run *run, size_t action, enum fate fate, const char *clause)
{
	struct column_run *now = &run->columns;
	struct trial *trial = &run->trials[now->at[action]];

	now->open[action / 64] &= ~(UINT64_C(1) << action % 64);
	trial->fate = (uint8_t)fate;
	trial->clause = clause;
}

static void
close_all(struct run *run, const uint64_t *set, enum fate fate, const char *clause)
{
	size_t action;

	EACH_OPEN(&run->columns, set, &action)
	close_one(run, action, fate, clause);
}

static bool
any_open(const struct column_run *now, const uint64_t *set)
{
	for (size_t i = 0; i < now->words; i++)
		if ((set[i] & now->open[i]) != 0)
			return true;
	return false;
}

/* ---- the head ---- */

static void
stops(struct run *run)
{
	const struct store_state *store = &run->input->store;

	for (size_t i = 0; i < store->stopped_count; i++) {
		const struct action *action = policy_action(run->policy, store->stopped[i]);

		if (strcmp(store->stopped[i], ACTION_EVERYTHING) == 0)
			close_all(run, run->columns.plain, FATE_STOPPED, "stop");
		else if (action != NULL &&
		    is_open(&run->columns, (size_t)(action - run->policy->actions)))
			close_one(run, (size_t)(action - run->policy->actions), FATE_STOPPED,
			    "stop");
	}
}

static void
head(struct run *run, enum placement place)
{
	const struct columns *columns = &run->policy->columns;
	size_t action;

	stops(run);
	EACH_OPEN(&run->columns, columns->dated, &action)
	{
		const char *invalid = validity_gate(run, &run->policy->actions[action]);

		if (invalid != NULL)
			close_one(run, action, FATE_VALIDITY, invalid);
	}
	if (!run->input->known)
		close_all(run, columns->personal, FATE_CONSENT, "personalise");
	if (placement_table[place].reaches_out && !run->input->contact_consent)
		close_all(run, run->columns.plain, FATE_CONSENT, "contact");
	if (any_open(&run->columns, columns->guarded) && care_stands(run))
		close_all(run, columns->guarded, FATE_CARE, "care");
}

/* ---- rules ---- */

static void
close_bars(struct run *run, const struct gate_column *gate, size_t from, size_t until,
    enum fate fate)
{
	for (size_t b = from; b < until; b++)
		for (uint32_t m = gate->bars[b].first; m < gate->bars[b + 1].first; m++)
			if (is_open(&run->columns, gate->members[m]))
				close_one(run, gate->members[m], fate,
				    run->policy->clauses[gate->bars[b].clause].brief);
}

static bool
asked_by_anyone(const struct column_run *now, const struct gate_column *gate, size_t from,
    size_t until)
{
	for (uint32_t m = gate->bars[from].first; m < gate->bars[until].first; m++)
		if (is_open(now, gate->members[m]))
			return true;
	return false;
}

static bool
reaches(const struct bar *bar, double number)
{
	switch ((enum bar_kind)bar->kind) {
	case BAR_LESS: return number < bar->number;
	case BAR_LESS_EQUAL: return number <= bar->number;
	case BAR_MORE: return number > bar->number;
	case BAR_MORE_EQUAL: return number >= bar->number;
	case BAR_NONE: break;
	}
	return false;
}

/* Bars of one feature and one kind, their numbers rising. */
static void
pass_bars(struct run *run, const struct gate_column *gate, size_t from, size_t until,
    enum fate fate)
{
	struct value value = features_get(run->features, gate->bars[from].slot, NULL);

	if (value.tag != VALUE_NUMBER) {
		close_bars(run, gate, from, until, FATE_MISSING);
		return;
	}
	/* Those that it does not reach are the first ones, or the last ones. */
	while (from < until && !reaches(&gate->bars[from], value.number)) {
		close_bars(run, gate, from, from + 1, fate);
		from++;
	}
	while (from < until && !reaches(&gate->bars[until - 1], value.number)) {
		close_bars(run, gate, until - 1, until, fate);
		until--;
	}
}

static void
pass_clause(struct run *run, const struct gate_column *gate, size_t b, enum fate fate)
{
	enum rule_result result = rule_try(run, gate->bars[b].clause, NULL);

	if (result != RULE_TRUE)
		close_bars(run, gate, b, b + 1, result == RULE_MISSING ? FATE_MISSING : fate);
}

static void
pass_gate(struct run *run, const struct gate_column *gate, enum fate fate)
{
	for (size_t b = 0, next; b < gate->count; b = next) {
		const struct bar *bar = &gate->bars[b];

		next = b + 1;
		while (bar->kind != BAR_NONE && next < gate->count &&
		    gate->bars[next].kind == bar->kind && gate->bars[next].slot == bar->slot)
			next++;
		if (!asked_by_anyone(&run->columns, gate, b, next))
			continue;
		if (bar->kind == BAR_NONE)
			pass_clause(run, gate, b, fate);
		else
			pass_bars(run, gate, b, next, fate);
	}
}

static void
rules(struct run *run)
{
	const struct columns *columns = &run->policy->columns;
	size_t action;

	close_all(run, columns->barred, FATE_ELIGIBILITY, "goods.marked");
	pass_gate(run, &columns->gates[ASKS_ELIGIBLE], FATE_ELIGIBILITY);
	/* A basket of coupons alone is below what any offer asks. */
	EACH_OPEN(&run->columns, run->basket_minor < 0 ? columns->plain : columns->least, &action)
	{
		const struct action *offered = &run->policy->actions[action];

		if (offered->has_offer && run->basket_minor < offered->offer.min_basket_minor)
			close_one(run, action, FATE_APPLICABILITY, "offer.min_basket");
	}
	pass_gate(run, &columns->gates[ASKS_APPLICABLE], FATE_APPLICABILITY);
	pass_gate(run, &columns->gates[ASKS_SUITABLE], FATE_SUITABILITY);
}

/* ---- what depends on the placement ---- */

static void
wordings(struct run *run, enum placement place)
{
	size_t action;

	EACH_OPEN(&run->columns, run->policy->columns.worded, &action)
	{
		size_t i = run->columns.at[action];

		fill_options(run, i);
		if (!treatment_gate(run, i, place))
			close_one(run, action, FATE_NO_TREATMENT, NULL);
	}
}

static void
limits(struct run *run, enum placement place)
{
	size_t action;

	EACH_OPEN(&run->columns, columns_touched(run, place), &action)
	{
		const char *clause = contact_gate(run, run->columns.at[action], place, false);

		if (clause != NULL)
			close_one(run, action, FATE_CONTACT, clause);
	}
}

static void
money(struct run *run, enum placement place)
{
	const struct columns *columns = &run->policy->columns;
	bool on_screen = run->winner_count > 0 || run->visit->card_count > 0;
	size_t action;

	EACH_OPEN(&run->columns, columns->budgeted, &action)
	{
		size_t i = run->columns.at[action];
		const char *clause;

		fill_options(run, i);
		clause = budget_gate(run, &run->policy->actions[action], NULL,
		    run->trials[i].options->value.hold_minor);
		if (clause != NULL)
			close_one(run, action, FATE_BUDGET, clause);
	}
	if (on_screen)
		EACH_OPEN(&run->columns, columns->stacked, &action)
	if (stacking_closed(run, &run->policy->actions[action]))
		close_one(run, action, FATE_STACKING, run->policy->actions[action].offer.stack);
	if (columns_first(&run->columns, &action)) { /* they are all alike here */
		const char *clause = lane_gate(run, &run->policy->actions[action], place);

		if (clause != NULL)
			close_all(run, columns->plain, FATE_LANE, clause);
	}
	if (run->room <= VISIT_CARDS_RESERVED + run->winner_count)
		EACH_OPEN(&run->columns, columns->plain, &action)
	if (room_closed(run, run->columns.at[action], place))
		close_one(run, action, FATE_NO_ROOM, NULL);
}

/* ---- who takes part ---- */

static void
leave_out(struct column_run *now, size_t action)
{
	now->plain[action / 64] &= ~(UINT64_C(1) << action % 64);
}

void
columns_init(struct run *run)
{
	const struct columns *columns = &run->policy->columns;
	const struct action *actions = run->policy->actions;
	struct column_run *now = &run->columns;

	now->words = columns->words;
	now->plain = arena_alloc(run->arena, now->words * sizeof(*now->plain));
	now->open = arena_room(run->arena, now->words * sizeof(*now->open));
	now->touched = arena_room(run->arena, now->words * sizeof(*now->touched));
	now->at = arena_room(run->arena, run->policy->action_count * sizeof(*now->at));
	for (size_t i = 0; i < run->decision->candidate_count; i++) {
		size_t action = (size_t)(run->decision->candidates[i].action - actions);

		now->at[action] = (uint16_t)i;
		now->plain[action / 64] |= UINT64_C(1) << action % 64;
	}
	for (size_t i = 0; i < now->words; i++)
		now->plain[i] &= columns->plain[i];
	for (size_t i = 0; i < run->visit->card_count; i++) {
		const struct action *action =
		    policy_action(run->policy, run->visit->cards[i].action);

		if (action != NULL)
			leave_out(now, (size_t)(action - actions));
	}
	for (size_t i = 0; run->wallet_first && i < now->words; i++)
		now->plain[i] &= ~columns->offers[i];
}

void
columns_gate(struct run *run, enum placement place)
{
	const struct columns *columns = &run->policy->columns;
	struct column_run *now = &run->columns;

	for (size_t w = 0; w < run->winner_count; w++)
		leave_out(now,
		    (size_t)(run->decision->candidates[run->winners[w].candidate].action -
			run->policy->actions));
	for (size_t i = 0; i < now->words; i++)
		now->open[i] = now->plain[i] & columns->place[place][i];
	head(run, place);
	rules(run);
	wordings(run, place);
	limits(run, place);
	money(run, place);
}

bool
columns_passed(struct run *run, size_t i)
{
	struct trial *trial = &run->trials[i];

	if (!is_open(&run->columns,
		(size_t)(run->decision->candidates[i].action - run->policy->actions)))
		return false;
	fill_options(run, i);
	trial->fate = FATE_PASSED;
	trial->clause = NULL;
	trial->options->fits = true;
	return true;
}
