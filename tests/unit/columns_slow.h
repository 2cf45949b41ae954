/* SPDX-License-Identifier: Apache-2.0
 *
 * columns_slow.h - gates, worth and gain a second time, as docs/deciding.md says them: one candidate after
 * the other, nothing remembered, no code of src/decide, src/score or src/logic.
 */
#ifndef AISLE_TESTS_COLUMNS_SLOW_H
#define AISLE_TESTS_COLUMNS_SLOW_H

#include "aisle/decision.h"

#include "core/fmath.h"

#include "columns_world.h"

struct s_option {
	int64_t depth, worth, hold, line_margin, taken;
	double cost;
	bool fits, now, has_line_margin;
};

struct s_candidate {
	const struct w_action *action;
	int own; /* card; -1 */
	enum fate fate, trial;
	char clause[320], trial_clause[320];
	bool chosen, scored, passed;
	struct s_option option[3], best;
	int options;
	double p1, p0, margin, gain, context, lever, priority;
};

struct s_run {
	const struct w_policy *policy;
	const struct w_moment *moment;
	const struct decide_input *input;
	const struct visit *visit;
	const struct contacts *rows;
	const struct subject *known; /* NULL: nothing of them may be read */
	int64_t now_ms;
	struct s_candidate candidate[W_ACTIONS];
	int count;
	bool read[R_COUNT];
	double interrupt;
	int winner[64];
	enum placement winner_place[64];
	int winners;
};

struct s_about { /* the candidate with one of its depths; action NULL: none */
	const struct w_action *action;
	const struct s_option *option;
	double margin;
};

/* ---- reading ---- */

struct s_value {
	bool there;
	double number;
	const char *text;
};

static inline bool
s_marked(const char *category)
{
	return strcmp(category, "beer") == 0 || strcmp(category, "c5/x") == 0;
}

static inline bool
s_counts(const struct line *line)
{
	return !line->voided && !s_marked(line->category);
}

static inline int64_t
s_total(const struct visit *visit)
{
	int64_t total = 0;

	for (size_t i = 0; i < visit->line_count; i++)
		total += s_counts(&visit->lines[i]) ? visit->lines[i].amount_minor : 0;
	return total;
}

/* Was it said of the same prompt later? */
static inline bool
s_later(const struct contacts *rows, size_t i, enum outcome outcome)
{
	for (size_t j = i + 1; j < rows->count; j++)
		if (id_equal(&rows->rows[j].prompt, &rows->rows[i].prompt) &&
		    rows->rows[j].outcome == outcome)
			return true;
	return false;
}

/* Does row i count as this outcome? */
static inline bool
s_row_is(const struct contacts *rows, size_t i, enum outcome outcome, const char *reason)
{
	const struct contact *row = &rows->rows[i];

	if (outcome == OUTCOME_SHOWN && row->outcome == OUTCOME_SHOWN)
		return id_is_zero(&row->decision);
	if (outcome == OUTCOME_SHOWN)
		return row->outcome == OUTCOME_DECIDED && !s_later(rows, i, OUTCOME_NOT_SHOWN);
	if (outcome == OUTCOME_BOUGHT && s_later(rows, i, OUTCOME_RETURNED))
		return false;
	return row->outcome == outcome &&
	    (reason == NULL || (row->reason != NULL && strcmp(row->reason, reason) == 0));
}

static inline struct s_value
s_number(double number)
{
	return (struct s_value){ .there = true, .number = number };
}

static inline struct s_value
s_text(const char *text)
{
	return (struct s_value){ .there = text != NULL && text[0] != '\0', .text = text };
}

static inline double
s_seen(const struct s_run *run, const char *action)
{
	const struct contacts *rows = &run->known->contacts;
	double seen = 0;

	for (size_t i = 0; i < rows->count; i++)
		if (rows->rows[i].at_ms > run->now_ms - 30 * D_MS &&
		    strcmp(rows->rows[i].action, action) == 0 &&
		    s_row_is(rows, i, OUTCOME_SHOWN, NULL))
			seen++;
	return seen;
}

static inline struct s_value
s_get(struct s_run *run, enum w_read read, const struct s_about *about)
{
	const struct w_moment *moment = run->moment;
	struct s_value missing = { 0 };

	if (read < R_DEPTH)
		run->read[read] = true;
	else if (about == NULL)
		return missing;
	switch (read) {
	case R_X0:
	case R_X1:
	case R_X3: return moment->has[read] ? s_number(moment->x[read]) : missing;
	case R_X2: return s_number(moment->has[read] ? moment->x[read] : X2_DEFAULT);
	case R_WORD: return (struct s_value){ .there = moment->has[R_WORD], .text = moment->word };
	case R_TIER: return run->known != NULL ? s_text(run->known->tier) : missing;
	case R_TOTAL: return s_number((double)s_total(run->visit));
	case R_CALL:
		return run->known != NULL && run->known->attribute_count > 0
		    ? s_number(run->known->attributes[0].number)
		    : missing;
	case R_DEPTH:
		return about->action->has_offer ? s_number((double)about->option->depth) : missing;
	case R_WORTH:
		return about->action->has_offer ? s_number((double)about->option->worth) : missing;
	case R_MARGIN: return s_number(about->margin);
	case R_SEEN: return run->known != NULL ? s_number(s_seen(run, about->action->id)) : missing;
	case R_GROUP: return s_text(about->action->group);
	case R_COUNT: break;
	}
	return missing;
}

/* 1: true, 0: false, -1: what it reads is missing. */
static inline int
s_rule(struct s_run *run, const struct w_rule *rule, const struct s_about *about)
{
	struct s_value value;
	double a, b;
	int holds = rule->op == W_AND;

	if (rule->op >= W_AND) {
		for (int i = 0; i < rule->count; i++) {
			int part = s_rule(run, rule->part[i], about);

			if (part < 0)
				return part;
			if (rule->op == W_NOT)
				return !part;
			holds = part;
			if (part == (rule->op == W_OR))
				break;
		}
		return holds;
	}
	value = s_get(run, rule->read, about);
	if (!value.there)
		return -1;
	if (rule->op == W_IS || rule->op == W_IN) {
		for (int i = 0; i < rule->count; i++)
			if (strcmp(value.text, rule->text[i]) == 0)
				return 1;
		return 0;
	}
	a = rule->turned ? rule->number : value.number;
	b = rule->turned ? value.number : rule->number;
	return rule->op == W_LESS      ? a < b
	    : rule->op == W_LESS_EQUAL ? a <= b
	    : rule->op == W_MORE       ? a > b
				       : a >= b;
}

static inline struct s_value
s_model(struct s_run *run, int model, const struct s_about *about)
{
	struct s_value x1, d, w;

	if (model == 1 && about == NULL)
		return (struct s_value){ 0 };
	x1 = s_get(run, R_X1, about);
	if (model == 0)
		return s_number(0.25 + (x1.there ? x1.number : 2) / 64);
	d = s_get(run, R_DEPTH, about);
	w = s_get(run, R_WORTH, about);
	return s_number(0.125 + (x1.there ? x1.number : 2) / 128 + (d.there ? d.number : 0) / 64 +
	    (w.there ? w.number : 64) / 16384);
}

static inline struct s_value
s_amount(struct s_run *run, const struct w_number *number, const struct s_about *about)
{
	struct s_value value = s_number(number->number);
	int holds;

	switch (number->form) {
	case W_CONSTANT: return value;
	case W_MODEL: return s_model(run, number->model, about);
	case W_RULE:
		holds = s_rule(run, number->rule, about);
		return holds < 0 ? (struct s_value){ 0 } : s_number(holds);
	default: value = s_get(run, number->read, about);
	}
	if (number->form == W_TIMES)
		value.number *= number->number;
	if (number->form == W_OVER)
		value.number = number->number / value.number;
	value.there = value.there && value.number - value.number == 0;
	return value;
}

static inline struct s_about
s_about(struct s_run *run, const struct s_candidate *c, const struct s_option *option)
{
	struct s_about about = { c->action, option, 0 };

	if (!c->action->mandatory) {
		struct s_value margin = s_amount(run, &c->action->margin, &about);

		about.margin = margin.there ? margin.number : 0;
	}
	return about;
}

/* ---- what an offer is worth ---- */

static inline bool
s_under(const char *category, const char *above)
{
	size_t len = strlen(above);

	return strncmp(category, above, len) == 0 &&
	    (category[len] == '\0' || category[len] == '/');
}

static inline bool
s_is(const struct w_goods *goods, const struct line *line)
{
	return (goods->category == NULL || s_under(line->category, goods->category)) &&
	    (goods->brand == NULL ||
		(line->brand != NULL && strcmp(line->brand, goods->brand) == 0));
}

static inline bool
s_for(const struct w_offer *offer, const struct line *line)
{
	bool in = offer->includes == 0;

	for (int i = 0; i < offer->includes; i++)
		in = in || s_is(&offer->include[i], line);
	return in && s_counts(line) && !(offer->excludes && s_is(&offer->exclude, line));
}

static inline int64_t
s_least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t
s_percent(int64_t minor, int64_t depth)
{
	return (2 * minor * s_least(depth, 100) + 100) / 200;
}

static inline const struct w_action *
s_action(const struct s_run *run, const char *id)
{
	for (int i = 0; i < run->policy->actions; i++)
		if (strcmp(run->policy->action[i].id, id) == 0)
			return &run->policy->action[i];
	return NULL;
}

static inline bool
s_kept(const struct card *card)
{
	return card->answer == ANSWER_ACCEPT &&
	    (card->state == CARD_ANSWERED || card->state == CARD_ASKED ||
		card->state == CARD_APPLIED);
}

/* The t-th taking: of cards, then of what was paid with elsewhere; false: no such card. */
static inline bool
s_taking(const struct s_run *run, size_t t, int64_t *ret_minor, const struct w_offer **ret_offer)
{
	const struct card *card;
	const struct w_action *action;

	*ret_offer = NULL;
	*ret_minor = run->visit->elsewhere_minor;
	if (t == run->visit->card_count)
		return *ret_minor > 0;
	card = &run->visit->cards[t];
	action = s_action(run, card->action);
	*ret_minor = card->worth_minor;
	*ret_offer = action != NULL && action->has_offer ? &action->offer : NULL;
	return s_kept(card) && card->depth != 0 && !id_is_zero(&card->token) &&
	    card->worth_minor > 0 &&
	    !(action != NULL && action->has_offer && action->offer.type == OFFER_POINTS);
}

static inline int64_t
s_free(const struct w_offer *offer, int64_t units, const struct visit *visit)
{
	bool given[8] = { false };
	int64_t saving = 0;

	while (units > 0) {
		int64_t best = INT64_MAX, whole = 1;
		size_t at = 0;

		for (size_t i = 0; i < visit->line_count; i++) {
			const struct line *line = &visit->lines[i];
			int64_t price = line->qty_milli > 1000
			    ? (2 * line->amount_minor * 1000 + line->qty_milli) /
				(2 * line->qty_milli)
			    : line->amount_minor;

			if (!given[i] && s_for(offer, line) && line->amount_minor > 0 &&
			    price < best) {
				best = price;
				at = i;
			}
		}
		if (best == INT64_MAX)
			return saving;
		given[at] = true;
		if (visit->lines[at].qty_milli > 1000)
			whole = visit->lines[at].qty_milli / 1000;
		whole = s_least(whole, units);
		saving += whole * best;
		units -= whole;
	}
	return saving;
}

/* What the lines that qualify cost, what this saves on them, and whether there are any. */
static inline void
s_lines(const struct w_offer *offer, const struct visit *visit, struct s_option *option,
    int64_t *ret_cost, int64_t *ret_saving)
{
	int64_t depth = option->depth, cost = 0, saving = 0;

	option->has_line_margin = true;
	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];
		int64_t qty = line->qty_milli > 0 ? line->qty_milli : 1000, price;

		if (!s_for(offer, line) || line->amount_minor <= 0)
			continue;
		option->now = true;
		cost += line->amount_minor;
		option->line_margin += line->margin_minor;
		option->has_line_margin = option->has_line_margin && line->has_margin;
		price = (2 * depth * qty + 1000) / 2000;
		if (offer->type == OFFER_PERCENT)
			saving += s_percent(line->amount_minor, depth);
		if (offer->type == OFFER_FIXED_PRICE && line->amount_minor > price)
			saving += line->amount_minor - price;
	}
	option->has_line_margin = option->has_line_margin && option->now;
	if (offer->type == OFFER_AMOUNT)
		saving = depth;
	if (offer->type == OFFER_FREE_ITEM)
		saving = s_free(offer, depth > 0 ? depth : 1, visit);
	*ret_cost = cost;
	*ret_saving = saving;
}

/* What is there to save on: goods less coupons and takings on them, the basket less all takings. */
static inline int64_t
s_room(const struct s_run *run, const struct w_offer *offer, int64_t cost, struct s_option *option)
{
	const struct visit *visit = run->visit;
	int64_t goods = cost, all = s_total(visit);

	for (size_t i = 0; i < visit->line_count; i++)
		if (visit->lines[i].amount_minor < 0 && s_for(offer, &visit->lines[i]))
			goods += visit->lines[i].amount_minor;
	for (size_t t = 0; t <= visit->card_count; t++) {
		const struct w_offer *other;
		int64_t minor, shared = 0;

		if (!s_taking(run, t, &minor, &other))
			continue;
		for (size_t i = 0; i < visit->line_count; i++)
			if (s_for(offer, &visit->lines[i]) && visit->lines[i].amount_minor > 0 &&
			    (other == NULL || s_for(other, &visit->lines[i])))
				shared += visit->lines[i].amount_minor;
		option->taken += s_least(shared, minor);
		all -= minor;
	}
	goods = s_least(goods - option->taken, all);
	return goods > 0 ? goods : 0;
}

static inline int64_t
s_typical(const struct w_offer *offer, int64_t depth)
{
	switch (offer->type) {
	case OFFER_PERCENT: return s_percent(offer->typical, depth);
	case OFFER_AMOUNT: return depth;
	case OFFER_FIXED_PRICE: return offer->typical > depth ? offer->typical - depth : 0;
	case OFFER_POINTS: return offer->typical > 0 ? offer->typical : depth;
	case OFFER_FREE_ITEM: break;
	}
	return offer->max;
}

static inline void
s_value_offer(const struct s_run *run, const struct w_offer *offer, struct s_option *option)
{
	int64_t cost, saving, room, typical = s_typical(offer, option->depth), most = offer->max;
	int64_t ours = 1000000 - (int64_t)(offer->funded * 1e6 + 0.5);

	s_lines(offer, run->visit, option, &cost, &saving);
	option->worth = typical;
	if (option->now) {
		room = s_room(run, offer, cost, option);
		if (offer->type != OFFER_POINTS)
			option->worth = s_least(saving, room);
	} else {
		option->line_margin = 0;
	}
	if (offer->max >= 0)
		option->worth = s_least(option->worth, offer->max);
	option->cost = (1.0 - offer->funded) * (double)option->worth;
	if (most < 0 || (offer->type == OFFER_AMOUNT && option->depth < most))
		most = typical > option->worth ? typical : option->worth;
	option->hold = (most * ours + 999999) / 1000000;
}

static inline void
s_options(const struct s_run *run, struct s_candidate *c)
{
	const struct w_offer *offer = &c->action->offer;
	const struct card *own = c->own >= 0 ? &run->visit->cards[c->own] : NULL;

	c->options = 1;
	c->option[0] = (struct s_option){ 0 };
	if (!c->action->has_offer)
		return;
	c->options = offer->depths;
	for (int i = 0; i < c->options; i++)
		c->option[i] = (struct s_option){ .depth = offer->depth[i] };
	if (own != NULL && own->depth != 0 && offer->depths > 1) {
		c->options = 1;
		c->option[0].depth = own->depth;
	} else {
		for (int i = 0; i < offer->tiers; i++)
			if (offer->tier_from[i] <= s_total(run->visit)) {
				c->options = 1;
				c->option[0].depth = offer->tier_depth[i];
			}
	}
	for (int i = 0; i < c->options; i++)
		s_value_offer(run, offer, &c->option[i]);
}

/* ---- gain ---- */

static inline double
s_chance(double p)
{
	return p < 0 ? 0 : p > 1 ? 1 : p;
}

static inline double
s_logit(double p)
{
	p = p < 1e-6 ? 1e-6 : p > 1 - 1e-6 ? 1 - 1e-6 : p;
	return fmath_log(p / (1 - p));
}

/* shrink: mid, d, a, beta, delta, lambda */
static inline void
s_shrink(const double *shrink, struct s_candidate *got)
{
	double l1 = s_logit(got->p1), l0 = s_logit(got->p0);
	double c = shrink[0] + shrink[2] + shrink[3] * ((l1 + l0) / 2 - shrink[0]);
	double tau = shrink[1] + shrink[4] + shrink[5] * (l1 - l0 - shrink[1]);

	got->p1 = 1 / (1 + fmath_exp(-(c + tau / 2)));
	got->p0 = 1 / (1 + fmath_exp(-(c - tau / 2)));
}

/* NULL, or the factor that is missing. */
static inline const char *
s_factors(struct s_run *run, const struct s_about *about, struct s_candidate *got)
{
	const struct w_action *a = about->action;
	struct s_value value;

	if (a->uplift) {
		got->p1 = s_chance(s_model(run, 0, about).number);
		got->p0 = s_chance(s_model(run, 1, about).number);
	} else {
		value = s_amount(run, &a->propensity, about);
		if (!value.there)
			return "propensity";
		got->p1 = s_chance(value.number);
		got->p0 = (1.0 - a->incremental) * got->p1;
	}
	if (a->shrunk)
		s_shrink(a->shrink, got);
	value = s_amount(run, &a->context, about);
	if (!value.there)
		return "context";
	got->context = value.number;
	value = s_amount(run, &a->lever, about);
	if (!value.there)
		return "lever";
	got->lever = value.number;
	for (int i = 0; i < run->policy->levers; i++) {
		const char *target = run->policy->target[i], *name = strchr(target, ':') + 1;

		if (strcmp(name,
			target[0] == 'i'       ? a->issue
			    : target[0] == 'g' ? a->group
					       : a->id) == 0)
			got->lever = got->lever * run->policy->factor[i];
	}
	return NULL;
}

/* The fate of the score; PASSED is FATE_COUNT. */
static inline enum fate
s_score(struct s_run *run, struct s_candidate *c)
{
	enum fate fate = FATE_NOT_WORTH_IT;
	const char *clause = NULL;

	c->scored = false;
	for (int i = 0; i < c->options; i++) {
		const struct s_option *o = &c->option[i];
		const struct w_offer *offer = &c->action->offer;
		struct s_about about = { c->action, o, 0 };
		struct s_candidate got = { 0 };
		struct s_value margin;
		const char *why;

		if (!o->fits)
			continue;
		margin = s_amount(run, &c->action->margin, &about);
		about.margin = got.margin = margin.number;
		why = margin.there ? s_factors(run, &about, &got) : "margin";
		if (why != NULL) {
			fate = FATE_MISSING;
			clause = why;
			continue;
		}
		if (c->action->has_offer &&
		    (o->worth < 1 || (o->now && o->worth < offer->min_worth))) {
			clause = clause == NULL ? "offer.min_worth" : clause;
			continue;
		}
		if (c->action->has_offer && offer->floor != INT64_MIN &&
		    (o->has_line_margin ? (double)(o->line_margin - o->taken) : got.margin) -
			    o->cost <
			(double)offer->floor) {
			clause = clause == NULL ? "offer.margin_floor" : clause;
			continue;
		}
		got.gain = got.p1 * (got.margin - o->cost) - got.p0 * got.margin;
		got.priority = got.gain * got.context * got.lever;
		if (c->scored &&
		    !(got.gain > c->gain || (got.gain == c->gain && o->depth < c->best.depth)))
			continue;
		c->scored = true;
		c->best = *o;
		c->p1 = got.p1;
		c->p0 = got.p0;
		c->margin = got.margin;
		c->gain = got.gain;
		c->context = got.context;
		c->lever = got.lever;
		c->priority = got.priority;
	}
	if (c->scored) {
		fate = c->gain > 0 ? FATE_COUNT : FATE_NOT_WORTH_IT;
		clause = "gain";
	}
	if (fate != FATE_COUNT)
		snprintf(c->trial_clause, sizeof(c->trial_clause), "%s", clause);
	return fate;
}

#endif
