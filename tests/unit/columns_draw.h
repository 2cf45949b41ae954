/* SPDX-License-Identifier: Apache-2.0
 *
 * columns_draw.h - slots, shortlists, chances and draws of columns_slow.h.
 */
#ifndef AISLE_TESTS_COLUMNS_DRAW_H
#define AISLE_TESTS_COLUMNS_DRAW_H

#include <math.h>
#include <sodium.h>

#include "columns_gates.h"

struct s_entry {
	int candidate; /* -1: nothing */
	double priority, p;
};
struct s_slot {
	enum placement place;
	int number, candidate, card; /* -1: none */
	bool kept, has_p, has_marginal;
	double p, marginal, treatment_p;
	const char *treatment;
	struct s_entry list[70];
	int count;
};
struct s_decision {
	struct s_run run;
	struct s_slot slot[64];
	int slots;
};

static inline double
s_u(const struct s_run *run, enum placement place, int number, const char *action,
    const char *treatment)
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	const uint8_t *b = run->visit->id.b;
	unsigned char salt[32], digest[32];
	char text[256], visit[27] = { 0 };
	uint64_t first = 0;
	int len;

	/* 26 characters of five bits; the first has the upper three of 128. */
	for (int i = 0; i < 26; i++) {
		unsigned five = 0;

		for (int bit = 0; bit < 5; bit++) {
			int at = 5 * i + bit - 2;

			five = five << 1 | (at < 0 ? 0u : (unsigned)b[at / 8] >> (7 - at % 8) & 1u);
		}
		visit[i] = letters[five];
	}
	sodium_hex2bin(salt, sizeof(salt), W_SALT, 64, NULL, NULL, NULL);
	len = snprintf(text, sizeof(text), "explore%c%s%c%s%c%d%c%s%c%s", 0, visit, 0,
	    placement_names[place], 0, number, 0, action, 0, treatment != NULL ? treatment : "");
	crypto_generichash(digest, sizeof(digest), (const unsigned char *)text,
	    (unsigned long long)(len - (treatment == NULL)), salt, sizeof(salt));
	for (int i = 7; i >= 0; i--)
		first = first << 8 | digest[i];
	return (double)(first >> 11) / 9007199254740992.0;
}

/* Is nothing left to chance? Of a share nothing is where the day has no money for it. */
static inline bool
s_greedy(const struct s_run *run)
{
	return run->policy->greedy || (run->policy->share > 0 && run->input->day_cost_max <= 0);
}

static inline void
s_weigh(const struct s_run *run, struct s_entry *list, int count)
{
	const struct w_policy *policy = run->policy;
	double unit = policy->share > 0 ? 1 : policy->unit;
	double most = policy->share > 0 ? run->input->day_cost_max : policy->cost_max;
	double gamma =
	    policy->share > 0 || policy->gamma < 0 ? (count - 1) * unit / most : policy->gamma;

	list[0].p = 1;
	for (int i = 1; i < count; i++) {
		list[i].p = s_greedy(run)
		    ? 0
		    : 1 / (count + gamma * (list[0].priority / unit - list[i].priority / unit));
		list[0].p = list[0].p - list[i].p;
	}
}

/* What a winner may have closed. */
static inline enum fate
s_again(struct s_run *run, struct s_candidate *c, enum placement place)
{
	s_close(c, FATE_COUNT, NULL);
	if (!c->action->mandatory && s_contacted(run, c, place))
		return FATE_CONTACT;
	return s_stacked(run, c->action) ? s_close(c, FATE_STACKING, c->action->offer.stack)
					 : FATE_COUNT;
}

static inline int
s_shortlist(struct s_run *run, enum placement place, struct s_entry *list)
{
	int max = run->policy->greedy ? 8 : run->policy->shortlist, count = 0, at = 0;
	bool listed[W_ACTIONS] = { false };

	while (count < max) {
		int best = -1;

		for (int i = 0; i < run->count; i++) {
			struct s_candidate *c = &run->candidate[i];

			if (c->passed && !c->action->mandatory && !c->chosen && !listed[i] &&
			    (best < 0 || c->priority > run->candidate[best].priority) &&
			    (run->winners == 0 || s_again(run, c, place) == FATE_COUNT))
				best = i;
		}
		if (best < 0)
			break;
		listed[best] = true;
		list[count++] = (struct s_entry){ best, run->candidate[best].priority, 0 };
	}
	while (at < count && list[at].priority > run->interrupt)
		at++;
	memmove(&list[at + 1], &list[at], (size_t)(count - at) * sizeof(*list));
	list[at] = (struct s_entry){ -1, run->interrupt, 0 };
	s_weigh(run, list, count + 1);
	return count + 1;
}

static inline int
s_race(const struct s_run *run, const struct s_entry *list, int count, enum placement place,
    int number)
{
	long double best = 0;
	int winner = 0;

	for (int i = 0; !s_greedy(run) && count > 1 && i < count; i++) {
		const char *name = list[i].candidate < 0
		    ? "nothing"
		    : run->candidate[list[i].candidate].action->id;
		long double t = -logl(s_u(run, place, number, name, NULL)) / list[i].p;

		if (i == 0 || t < best) {
			best = t;
			winner = i;
		}
	}
	return winner;
}

static inline struct s_slot *
s_add(struct s_decision *d, enum placement place, int number)
{
	d->slot[d->slots] =
	    (struct s_slot){ .place = place, .number = number, .candidate = -1, .card = -1 };
	return &d->slot[d->slots++];
}

static inline void
s_seat(struct s_run *run, struct s_slot *slot, int candidate)
{
	struct s_candidate *c = &run->candidate[candidate];
	const struct card *own = c->own >= 0 ? &run->visit->cards[c->own] : NULL;
	struct s_option unscored = c->option[0];
	struct s_about about = { c->action, c->scored ? &c->best : &unscored,
		c->scored ? c->margin : 0 };
	const struct w_treatment *list[3];
	int count = s_fitting(run, c, slot->place, &about, false, list);
	double best = -1;

	if (own != NULL && own->placement == (int)slot->place)
		slot->card = c->own;
	slot->candidate = candidate;
	c->chosen = true;
	run->winner_place[run->winners] = slot->place;
	run->winner[run->winners++] = candidate;
	slot->treatment_p = 1.0 / count;
	for (int i = 0; i < count; i++) {
		double u = count == 1
		    ? 0
		    : s_u(run, slot->place, slot->number, c->action->id, list[i]->name);

		if (slot->card >= 0 && strcmp(own->treatment, list[i]->name) == 0) {
			slot->treatment = list[i]->name;
			return;
		}
		if (u > best) {
			best = u;
			slot->treatment = list[i]->name;
		}
	}
}

/* P(candidate takes the second slot) over all that could have taken the first. */
static inline double
s_marginal(struct s_run *run, enum placement place, const struct s_slot *first, int candidate)
{
	int actual = run->winner[run->winners - 1];
	struct s_entry list[70];
	double sum = 0;

	for (int i = 0; i < first->count; i++) {
		int other = first->list[i].candidate, count;

		if (other < 0 || other == candidate || !(first->list[i].p > 0))
			continue;
		run->candidate[actual].chosen = false;
		run->candidate[other].chosen = true;
		run->winner[run->winners - 1] = other;
		count = s_shortlist(run, place, list);
		for (int k = 0; k < count; k++)
			if (list[k].candidate == candidate)
				sum = sum + first->list[i].p * list[k].p;
		run->candidate[other].chosen = false;
		run->candidate[actual].chosen = true;
		run->winner[run->winners - 1] = actual;
	}
	return sum;
}

static inline struct s_slot *
s_draw(struct s_decision *d, enum placement place, int number, const struct s_slot *first)
{
	struct s_run *run = &d->run;
	struct s_slot *slot = s_add(d, place, number);
	int winner;

	slot->count = s_shortlist(run, place, slot->list);
	winner = s_race(run, slot->list, slot->count, place, number);
	slot->has_p = true;
	slot->p = slot->list[winner].p;
	if (first != NULL) {
		slot->has_marginal = true;
		slot->marginal = s_marginal(run, place, first, slot->list[winner].candidate);
	}
	for (int i = 0; i < run->count; i++) {
		struct s_candidate *c = &run->candidate[i];

		if (!c->passed || c->action->mandatory || c->chosen)
			continue;
		c->trial = run->winners > 0 ? s_again(run, c, place) : FATE_COUNT;
		if (c->trial == FATE_COUNT)
			c->trial = FATE_OUTRANKED;
		for (int k = 0; k < slot->count; k++)
			if (slot->list[k].candidate == i && slot->list[k].p > 0)
				c->trial = FATE_NOT_DRAWN;
	}
	if (slot->list[winner].candidate >= 0)
		s_seat(run, slot, slot->list[winner].candidate);
	return slot;
}

static inline unsigned
s_keep(struct s_decision *d, enum placement place)
{
	const struct visit *visit = d->run.visit;
	unsigned taken = 0;

	for (size_t i = 0; i < visit->card_count; i++) {
		const struct card *card = &visit->cards[i];
		const struct w_action *action = s_action(&d->run, card->action);
		struct s_slot *slot;
		int number = card->slot;

		if (card->placement != (int)place || !s_kept(card))
			continue;
		while ((taken >> number & 1) != 0)
			number++;
		taken |= 1u << number;
		slot = s_add(d, place, number);
		slot->kept = true;
		slot->card = (int)i;
		for (int k = 0; k < d->run.count; k++)
			if (strcmp(d->run.candidate[k].action->id, card->action) == 0)
				slot->candidate = k;
		for (int t = 0; action != NULL && t < action->treatments; t++)
			if (strcmp(action->treatment[t].name, card->treatment) == 0)
				slot->treatment = action->treatment[t].name;
	}
	return taken;
}

static inline void
s_place(struct s_decision *d, enum placement place)
{
	struct s_run *run = &d->run;
	unsigned taken = s_keep(d, place);
	int due = 0, drawn = 0;
	const struct s_slot *first = NULL;
	bool wanted = false;

	for (int i = 0; i < run->count; i++)
		wanted = wanted ||
		    (!run->candidate[i].chosen &&
			(run->candidate[i].action->places >> place & 1) != 0);
	if (!run->policy->present[place] || !wanted)
		return;
	for (int i = 0; i < run->count; i++) {
		struct s_candidate *c = &run->candidate[i];

		c->passed = false;
		if (c->chosen || (c->action->places >> place & 1) == 0)
			continue;
		c->trial = s_gate(run, c, place);
		if (c->trial == FATE_COUNT && !c->action->mandatory)
			c->trial = s_score(run, c);
		c->passed = c->trial == FATE_COUNT;
		if (c->passed)
			c->trial = FATE_OUTRANKED;
	}
	for (int i = 0; i < run->count; i++) {
		struct s_candidate *c = &run->candidate[i];
		struct s_slot *slot;
		int number = 1;

		if (!c->passed || !c->action->mandatory || due == run->policy->slots[place])
			continue;
		while ((taken >> number & 1) != 0)
			number++;
		slot = s_add(d, place, number);
		slot->has_p = true;
		slot->p = 1;
		s_seat(run, slot, i);
		taken |= 1u << number;
		due++;
	}
	for (int number = 1; !s_quiet(run, place) && number <= run->policy->slots[place];
	     number++) {
		const struct s_slot *slot;

		if ((taken >> number & 1) != 0)
			continue;
		slot = s_draw(d, place, number, drawn == 1 ? first : NULL);
		first = slot;
		drawn++;
		if (slot->candidate < 0)
			break;
	}
}

/* The furthest that each came in any placement. */
static inline void
s_merge(struct s_run *run)
{
	for (int i = 0; i < run->count; i++) {
		struct s_candidate *c = &run->candidate[i];

		if (c->trial == FATE_COUNT || c->chosen ||
		    (c->fate != FATE_COUNT && c->trial <= c->fate))
			continue;
		c->fate = c->trial;
		memcpy(c->clause, c->trial_clause, sizeof(c->clause));
	}
}

/* From slot 1 on, nothing at the end. */
static inline void
s_sort(struct s_slot *slots, int count)
{
	for (int i = 1; i < count; i++)
		for (int k = i; k > 0; k--) {
			bool last = slots[k - 1].candidate < 0 && slots[k - 1].card < 0;
			bool this = slots[k].candidate < 0 && slots[k].card < 0;
			struct s_slot other = slots[k];

			if (last != this ? this : slots[k - 1].number <= slots[k].number)
				break;
			slots[k] = slots[k - 1];
			slots[k - 1] = other;
		}
}

static inline void
s_gather(struct s_run *run)
{
	for (int i = 0; i < run->policy->actions; i++) {
		struct s_candidate *c = &run->candidate[run->count];
		int own = -1;

		for (size_t k = run->visit->card_count; k-- > 0;)
			if (run->visit->cards[k].state == CARD_OPEN &&
			    run->now_ms < run->visit->cards[k].expires_ms &&
			    strcmp(run->visit->cards[k].action, run->policy->action[i].id) == 0)
				own = (int)k;
		if (own < 0 && !run->policy->action[i].named)
			continue;
		*c = (struct s_candidate){ .action = &run->policy->action[i],
			.own = own,
			.fate = FATE_COUNT,
			.trial = FATE_COUNT };
		run->count++;
	}
}

static inline void
s_decide(struct s_decision *d, const struct w_policy *policy, const struct w_moment *moment,
    const struct decide_input *input)
{
	struct s_run *run = &d->run;
	struct s_value interrupt;

	*run = (struct s_run){ .policy = policy,
		.moment = moment,
		.input = input,
		.visit = input->sources.visit,
		.rows = input->sources.contacts,
		.known = input->known ? input->sources.subject : NULL,
		.now_ms = input->sources.now_ms };
	d->slots = 0;
	s_gather(run);
	run->interrupt = 3;
	if (run->count > 0) {
		interrupt = s_amount(run, &policy->interrupt, NULL);
		run->interrupt = interrupt.there ? interrupt.number : 3;
	}
	for (int place = 0; place < PLACE_COUNT; place++) {
		int before = d->slots;

		s_place(d, (enum placement)place);
		s_merge(run);
		s_sort(&d->slot[before], d->slots - before);
	}
	for (int i = 0; i < run->count; i++) {
		struct s_candidate *c = &run->candidate[i];
		bool withheld = (input->control || input->arm_withholds) && !c->action->mandatory &&
		    c->action->kind != KIND_SERVICE && c->action->kind != KIND_INFORM;

		if (c->chosen)
			c->fate = withheld ? FATE_WITHHELD : FATE_OFFERED;
		if (c->chosen)
			c->clause[0] = '\0';
		if (c->fate == FATE_COUNT) {
			c->fate = FATE_LANE;
			snprintf(c->clause, sizeof(c->clause), "placement");
		}
	}
}

#endif
