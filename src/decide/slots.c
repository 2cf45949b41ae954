/* SPDX-License-Identifier: Apache-2.0
 *
 * slots.c - what stands on each placement: kept, mandatory, then drawn, until nothing wins.
 *
 * DESIGN
 *   Placements in their order, slots from 1. An accepted card that still stands
 *   keeps its slot and is not decided about. Mandatory actions take the first
 *   free slots in order of action id; where accepted cards fill the screen they
 *   are put after them: a recall never waits for a coupon. The slots left are
 *   drawn one by one. After each, the gates that the winner can close are
 *   tried again; `nothing` ends the filling.
 *
 *   The marginal probability of the second drawn slot is exact: over every
 *   card that could have won the first, its p times the p of this card in the
 *   second after it. At most `shortlist` first winners, one look at the top of
 *   the pool each: the top is ranked once a placement.
 *
 * LIMITS
 *   SHORTLIST_MAX candidates in a shortlist, 8 slots a placement.
 */
#include "decide/columns.h"

#include <string.h>

#include "nouns/visit.h"
#include "policy/policy_load.h"

#define SHORTLIST_MAX 64
#define SLOTS_MAX 8
#define KEPT_MAX \
	20 /* slot numbers that accepted cards can push to; mandatory ones come after them */
_Static_assert(KEPT_MAX + SLOTS_MAX < 32, "a bit of an unsigned for each");

/* The candidates that passed every gate and the score in this placement. Ranked: the best of
 * them in order, so many as a shortlist has asked for. */
struct pool {
	enum placement place;
	int *members;	    /* candidate indices, ascending */
	double *priorities; /* of each, side by side: they are read many times over */
	size_t count;
	struct shortlisted *ranked; /* candidate is an index into members */
	size_t ranked_count;
};
#define RANK_STEP 32

/* Enters one into a list sorted by priority, of at most max: above its last, if it is full. Equal: who came first. */
static size_t
list_insert(struct shortlisted *list, size_t count, size_t max, int candidate, double priority)
{
	size_t at = count;

	while (at > 0 && priority > list[at - 1].priority)
		at--;
	if (count == max)
		count--;
	memmove(&list[at + 1], &list[at], (count - at) * sizeof(*list));
	list[at] = (struct shortlisted){ .candidate = candidate, .priority = priority };
	return count + 1;
}

/* Does member m come after the last that is ranked? */
static bool
unranked(const struct pool *pool, size_t m)
{
	const struct shortlisted *last;

	if (pool->ranked_count == 0)
		return true;
	last = &pool->ranked[pool->ranked_count - 1];
	return pool->priorities[m] < last->priority ||
	    (pool->priorities[m] <= last->priority && (int)m > last->candidate);
}

/* Ranks the next few. false: there is nobody left. */
static bool
rank_more(struct pool *pool)
{
	struct shortlisted *list = &pool->ranked[pool->ranked_count];
	size_t count = 0;

	for (size_t m = 0; m < pool->count; m++) {
		double priority = pool->priorities[m];

		if (count == RANK_STEP && !(priority > list[RANK_STEP - 1].priority))
			continue;
		if (unranked(pool, m))
			count = list_insert(list, count, RANK_STEP, (int)m, priority);
	}
	pool->ranked_count += count;
	return count > 0;
}

/* The top of the pool that may still stand beside the winners so far, and nothing, with p. */
static size_t
make_shortlist(struct run *run, struct pool *pool,
    struct shortlisted list[static SHORTLIST_MAX + 1])
{
	size_t max = (size_t)run->policy->shortlist, count = 0, at = 0;

	CHECK(max <= SHORTLIST_MAX);
	for (size_t r = 0; count < max; r++) {
		const char *clause;
		int i;

		if (r == pool->ranked_count && !rank_more(pool))
			break;
		i = pool->members[pool->ranked[r].candidate];
		if (run->trials[i].chosen)
			continue;
		if (run->winner_count > 0 &&
		    gate_again(run, (size_t)i, pool->place, &clause) != FATE_PASSED)
			continue;
		list[count++] =
		    (struct shortlisted){ .candidate = i, .priority = pool->ranked[r].priority };
	}
	/* On equal priority nothing comes before any card. */
	while (at < count && list[at].priority > run->interrupt)
		at++;
	memmove(&list[at + 1], &list[at], (count - at) * sizeof(*list));
	list[at] = (struct shortlisted){ .candidate = NOTHING, .priority = run->interrupt };
	explore_weigh(run->policy, run->cost_max, list, count + 1);
	return count + 1;
}

/* What the pool's members came to in a slot: closed by a winner, on the shortlist, or below it.
 * Before there is a winner all are below it, as they came. */
static void
note_fates(struct run *run, const struct pool *pool, const struct shortlisted *list, size_t count)
{
	if (run->winner_count > 0)
		columns_again(run);
	for (size_t m = 0; run->winner_count > 0 && m < pool->count; m++) {
		struct trial *trial = &run->trials[pool->members[m]];

		if (trial->chosen)
			continue;
		trial->clause = NULL;
		if (columns_stay(run, (size_t)pool->members[m])) {
			trial->fate = FATE_OUTRANKED;
			continue;
		}
		trial->fate =
		    (uint8_t)gate_again(run, (size_t)pool->members[m], pool->place, &trial->clause);
		if (trial->fate == FATE_PASSED)
			trial->fate = FATE_OUTRANKED;
	}
	for (size_t i = 0; i < count; i++)
		if (list[i].candidate != NOTHING && !run->trials[list[i].candidate].chosen &&
		    list[i].p > 0)
			run->trials[list[i].candidate].fate = FATE_NOT_DRAWN;
}

/* ---- one slot ---- */

static struct slot *
add_slot(struct run *run, enum placement place, int number)
{
	struct slot *slot = &run->decision->slots[run->decision->slot_count++];

	*slot = (struct slot){
		.placement = place, .slot = number, .candidate = NOTHING, .card = NO_CARD
	};
	return slot;
}

/* Records a winner: its slot, its words, its fate. */
static void
seat(struct run *run, struct slot *slot, int candidate)
{
	struct trial *trial = &run->trials[candidate];

	CHECK(!trial->chosen && run->winner_count < WINNERS_MAX);
	slot->candidate = candidate;
	if (trial->own >= 0 && run->visit->cards[trial->own].placement == (int)slot->placement)
		slot->card = trial->own;
	trial->chosen = true;
	run->winners[run->winner_count++] =
	    (struct winner){ .candidate = candidate, .placement = slot->placement };
	run->fresh += trial->own < 0;
	words_choose(run, slot);
}

static double
p_in(const struct shortlisted *list, size_t count, int candidate)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].candidate == candidate)
			return list[i].p;
	return 0;
}

/* P(candidate wins the second slot), over every first winner. Leaves the winners as they were. */
static double
marginal(struct run *run, struct pool *pool, const struct slot *first, int candidate)
{
	struct winner actual = run->winners[run->winner_count - 1];
	size_t fresh = run->fresh - (run->trials[actual.candidate].own < 0);
	struct shortlisted list[SHORTLIST_MAX + 1];
	double sum = 0;

	run->trials[actual.candidate].chosen = false;
	for (size_t i = 0; i < first->shortlist_count; i++) {
		int other = first->shortlist[i].candidate;
		size_t count;

		if (other == NOTHING || other == candidate || !(first->shortlist[i].p > 0))
			continue;
		run->winners[run->winner_count - 1].candidate = other;
		run->fresh = fresh + (run->trials[other].own < 0);
		run->trials[other].chosen = true;
		count = make_shortlist(run, pool, list);
		sum = sum + first->shortlist[i].p * p_in(list, count, candidate);
		run->trials[other].chosen = false;
	}
	run->winners[run->winner_count - 1] = actual;
	run->fresh = fresh + (run->trials[actual.candidate].own < 0);
	run->trials[actual.candidate].chosen = true;
	return sum;
}

/* Draws one slot. first: the slot drawn before it, if it is the second; NULL. */
static struct slot *
draw_slot(struct run *run, struct pool *pool, int number, const struct slot *first)
{
	struct shortlisted list[SHORTLIST_MAX + 1];
	size_t count = make_shortlist(run, pool, list);
	size_t winner = explore_draw(run, list, count, pool->place, number);
	struct slot *slot = add_slot(run, pool->place, number);

	slot->has_p = true;
	slot->p_log = list[winner].p;
	slot->shortlist = arena_room(run->arena, count * sizeof(*list));
	slot->shortlist_count = count;
	memcpy(slot->shortlist, list, count * sizeof(*list));
	if (first != NULL) {
		slot->has_marginal = true;
		slot->p_marginal = marginal(run, pool, first, list[winner].candidate);
	}
	note_fates(run, pool, list, count);
	if (list[winner].candidate != NOTHING)
		seat(run, slot, list[winner].candidate);
	return slot;
}

/* ---- one placement ---- */

static unsigned
place_kept(struct run *run, enum placement place)
{
	unsigned taken = 0;

	for (size_t c = 0; c < run->visit->card_count; c++) {
		const struct card *card = &run->visit->cards[c];
		const struct action *action;
		struct slot *slot;
		int number;

		if (card->placement != (int)place || !card_kept(card))
			continue;
		/* Two cards that changed places may both call a slot theirs: the later one moves
		 * on. */
		number = card->slot >= 1 && card->slot <= SLOTS_MAX ? card->slot : 1;
		while ((taken & (1u << number)) != 0 && number < KEPT_MAX)
			number++;
		taken |= 1u << number;
		slot = add_slot(run, place, number);
		slot->kept = true;
		slot->card = (int)c;
		for (size_t i = 0; i < run->decision->candidate_count; i++)
			if (strcmp(run->decision->candidates[i].action->id, card->action) == 0)
				slot->candidate = (int)i;
		action = policy_action(run->policy, card->action);
		for (size_t t = 0;
		     action != NULL && card->treatment != NULL && t < action->treatment_count; t++)
			if (strcmp(action->treatments[t].name, card->treatment) == 0)
				slot->treatment = &action->treatments[t];
	}
	return taken;
}

/* The gates of each, and its score. Returns how many passed the gates. */
static size_t
gate_and_score(struct run *run, enum placement place)
{
	size_t passed = 0;

	columns_gate(run, place);
	for (size_t i = 0; i < run->decision->candidate_count; i++) {
		const struct action *action = run->decision->candidates[i].action;
		struct trial *trial = &run->trials[i];

		trial->passed = false;
		if (trial->chosen || (action->placements & (1u << place)) == 0)
			continue;
		if (columns_take(run, i)) {
			trial->passed = columns_passed(run, i);
		} else {
			trial->fate = (uint8_t)gate_check(run, i, place, &trial->clause);
			trial->passed = trial->fate == FATE_PASSED;
		}
		if (!trial->passed)
			continue;
		score_take(run, i);
		passed++;
	}
	score_rest(run);
	return passed;
}

static struct pool
gate_placement(struct run *run, enum placement place)
{
	struct decision *decision = run->decision;
	size_t max = gate_and_score(run, place) + 1;
	struct pool pool = { .place = place };

	pool.members = arena_room(run->arena, max * sizeof(*pool.members));
	pool.priorities = arena_room(run->arena, max * sizeof(*pool.priorities));
	run->mandatory = 0;
	for (size_t i = 0; max > 1 && i < decision->candidate_count; i++) {
		const struct action *action = decision->candidates[i].action;
		struct trial *trial = &run->trials[i];

		if (!trial->passed)
			continue;
		if (!action->mandatory && trial->scored != FATE_PASSED) {
			trial->passed = false;
			trial->fate = trial->scored;
			trial->clause = trial->scored_clause;
			continue;
		}
		trial->fate = FATE_OUTRANKED;
		if (action->mandatory) {
			run->mandatory++;
			continue;
		}
		pool.priorities[pool.count] = decision->candidates[i].priority;
		pool.members[pool.count++] = (int)i;
	}
	pool.ranked = arena_room(run->arena, (pool.count + RANK_STEP) * sizeof(*pool.ranked));
	return pool;
}

/* Mandatory actions, in order of action id. Returns the slots taken. */
static unsigned
place_mandatory(struct run *run, enum placement place, unsigned taken)
{
	int seated = 0;

	for (size_t i = 0; run->mandatory > 0 && i < run->decision->candidate_count; i++) {
		struct trial *trial = &run->trials[i];
		struct slot *slot;
		int number = 1;

		if (!trial->passed || !run->decision->candidates[i].action->mandatory)
			continue;
		if (seated == run->policy->places[place].slots)
			break;
		trial->fate = (uint8_t)gate_again(run, i, place, &trial->clause);
		if (trial->fate != FATE_PASSED)
			continue;
		while ((taken & (1u << number)) != 0)
			number++;
		slot = add_slot(run, place, number);
		slot->has_p = true;
		slot->p_log = 1.0;
		seat(run, slot, (int)i);
		taken |= 1u << number;
		seated++;
	}
	return taken;
}

static void
draw_placement(struct run *run, struct pool *pool, unsigned taken)
{
	const struct slot *first = NULL;
	int drawn = 0;

	for (int number = 1; number <= run->policy->places[pool->place].slots; number++) {
		const struct slot *slot;

		if ((taken & (1u << number)) != 0)
			continue;
		slot = draw_slot(run, pool, number, drawn == 1 ? first : NULL);
		first = slot;
		drawn++;
		if (slot->candidate == NOTHING)
			break;
	}
}

static bool
placement_wanted(const struct run *run, enum placement place)
{
	for (size_t i = 0; i < run->decision->candidate_count; i++)
		if (!run->trials[i].chosen &&
		    (run->decision->candidates[i].action->placements & (1u << place)) != 0)
			return true;
	return false;
}

/* A candidate's fate is the furthest it came in any placement. */
static void
merge_fates(struct run *run)
{
	for (size_t i = 0; i < run->decision->candidate_count; i++) {
		struct candidate *candidate = &run->decision->candidates[i];
		const struct trial *trial = &run->trials[i];

		if (trial->fate == FATE_COUNT || trial->chosen)
			continue;
		if (candidate->fate == FATE_COUNT || trial->fate > candidate->fate) {
			candidate->fate = trial->fate;
			candidate->clause = trial->clause;
		}
	}
}

/* From slot 1 on, whichever was filled first, and nothing at the end: the record and the ids of
 * prompts go by this order. */
static bool
comes_before(const struct slot *a, const struct slot *b)
{
	bool a_nothing = a->candidate == NOTHING && a->card < 0;
	bool b_nothing = b->candidate == NOTHING && b->card < 0;

	return a_nothing != b_nothing ? b_nothing : a->slot < b->slot;
}

static void
sort_slots(struct slot *slots, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct slot slot = slots[i];
		size_t at = i;

		for (; at > 0 && comes_before(&slot, &slots[at - 1]); at--)
			slots[at] = slots[at - 1];
		slots[at] = slot;
	}
}

/* One placement: what stays, what must be, what is drawn. */
static void
fill_placement(struct run *run, enum placement place)
{
	unsigned taken = place_kept(run, place);
	struct pool pool;

	if (!run->policy->places[place].present || !placement_wanted(run, place))
		return;
	CHECK(run->policy->places[place].slots <= SLOTS_MAX);
	pool = gate_placement(run, place);
	taken = place_mandatory(run, place, taken);
	/* A quiet lane is not a choice for nothing: there is no draw to learn from. */
	if ((run->quiet & 1u << place) == 0)
		draw_placement(run, &pool, taken);
	merge_fates(run);
}

void
slots_fill(struct run *run)
{
	struct decision *decision = run->decision;

	decision->slots = arena_room(run->arena,
	    (run->visit->card_count + PLACE_COUNT * 2 * SLOTS_MAX) * sizeof(*decision->slots));
	for (int place = 0; place < PLACE_COUNT; place++) {
		size_t begin = decision->slot_count;

		fill_placement(run, place);
		sort_slots(&decision->slots[begin], decision->slot_count - begin);
	}
	for (size_t w = 0; w < run->winner_count; w++) {
		struct candidate *candidate = &decision->candidates[run->winners[w].candidate];

		candidate->fate =
		    decision_withholds(decision, candidate->action) ? FATE_WITHHELD : FATE_OFFERED;
		candidate->clause = NULL;
	}
}
