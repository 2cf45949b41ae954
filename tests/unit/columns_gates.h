/* SPDX-License-Identifier: Apache-2.0
 *
 * columns_gates.h - the gates of columns_slow.h: one after the other, for one candidate in one placement.
 */
#ifndef AISLE_TESTS_COLUMNS_GATES_H
#define AISLE_TESTS_COLUMNS_GATES_H

#include "columns_slow.h"

static inline enum fate
s_close(struct s_candidate *c, enum fate fate, const char *clause)
{
	snprintf(c->trial_clause, sizeof(c->trial_clause), "%s", clause != NULL ? clause : "");
	return fate;
}

static inline enum fate
s_valid(const struct s_run *run, struct s_candidate *c)
{
	const struct w_action *a = c->action;
	int64_t day = run->now_ms / D_MS, minute = run->now_ms % D_MS / MIN_MS;
	bool dated = a->from_ms != 0 || a->until_ms != INT64_MAX, stopped = false;

	for (size_t i = 0; i < run->input->store.stopped_count; i++)
		stopped = stopped || strcmp(run->input->store.stopped[i], a->id) == 0 ||
		    strcmp(run->input->store.stopped[i], "*") == 0;
	if (stopped)
		return s_close(c, FATE_STOPPED, "stop");
	if (run->input->store.time_uncertain && dated && a->has_offer)
		return s_close(c, FATE_VALIDITY, "valid: time uncertain");
	if (run->now_ms < a->from_ms)
		return s_close(c, FATE_VALIDITY, "valid.from");
	if (run->now_ms >= a->until_ms)
		return s_close(c, FATE_VALIDITY, "valid.until");
	if ((a->days >> ((day + 3) % 7) & 1) == 0) /* 1970-01-01 was a Thursday */
		return s_close(c, FATE_VALIDITY, "valid.days");
	if (minute < a->minute_from || minute >= a->minute_until)
		return s_close(c, FATE_VALIDITY, "valid.hours");
	if (a->store != NULL && strcmp(a->store, "0042") != 0)
		return s_close(c, FATE_VALIDITY, "valid.stores");
	return a->personal && run->known == NULL ? s_close(c, FATE_CONSENT, "personalise")
						 : FATE_COUNT;
}

static inline bool
s_care(struct s_run *run, const struct w_action *a)
{
	const struct subject *care = run->input->care;
	struct s_value likely;

	if (a->mandatory || a->kind == KIND_SERVICE || a->kind == KIND_RETAIN)
		return false;
	for (size_t i = 0; care != NULL && run->policy->care_severity > 0 && i < care->case_count;
	     i++)
		if (care->cases[i].closed_ms == 0 &&
		    care->cases[i].severity >= run->policy->care_severity)
			return true;
	if (run->policy->care_likely < 0)
		return false;
	likely = s_get(run, R_CALL, NULL);
	return likely.there && likely.number > run->policy->care_likely;
}

/* Does the rule, or a part of it, hang on the candidate? Then its margin is worked out first. */
static inline bool
s_own(const struct w_rule *rule)
{
	bool own = rule->op < W_AND && rule->read >= R_DEPTH;

	for (int i = 0; rule->op >= W_AND && i < rule->count; i++)
		own = own || s_own(rule->part[i]);
	return own;
}

static inline enum fate
s_ask(struct s_run *run, struct s_candidate *c, const struct w_rule *rule, enum fate fate)
{
	struct s_about about;
	struct buf text = { 0 };
	int holds;

	if (rule == NULL)
		return FATE_COUNT;
	if (s_own(rule))
		about = s_about(run, c, &c->option[0]);
	holds = s_rule(run, rule, s_own(rule) ? &about : NULL);
	if (holds == 1)
		return FATE_COUNT;
	w_write_rule(&text, rule);
	s_close(c, fate, text.data);
	buf_done(&text);
	return holds < 0 ? FATE_MISSING : fate;
}

static inline bool
s_barred(const struct s_run *run, const struct w_action *a)
{
	bool all = run->policy->barred && a->has_offer && a->offer.includes > 0;

	for (int i = 0; all && i < a->offer.includes; i++)
		all =
		    a->offer.include[i].category != NULL && s_marked(a->offer.include[i].category);
	return all;
}

static inline enum fate
s_rules(struct s_run *run, struct s_candidate *c)
{
	const struct w_action *a = c->action;
	enum fate fate;

	if (s_barred(run, a))
		return s_close(c, FATE_ELIGIBILITY, "goods.marked");
	fate = s_ask(run, c, a->eligible, FATE_ELIGIBILITY);
	if (fate != FATE_COUNT)
		return fate;
	if (a->has_offer && s_total(run->visit) < a->offer.min_basket)
		return s_close(c, FATE_APPLICABILITY, "offer.min_basket");
	fate = s_ask(run, c, a->applicable, FATE_APPLICABILITY);
	return fate != FATE_COUNT ? fate : s_ask(run, c, a->suitable, FATE_SUITABILITY);
}

/* ---- words ---- */

/* Characters of the text with its value; -1: the value is missing. */
static inline int
s_chars(struct s_run *run, const struct w_text *text, const struct s_about *about)
{
	char written[64] = "";
	struct s_value value = { 0 };

	if (text->has_value) {
		value = text->depth ? s_number((double)about->option->depth)
				    : s_get(run, text->read, about);
		if (!value.there && text->dflt == NULL)
			return -1;
		if (!value.there)
			snprintf(written, sizeof(written), "%s", text->dflt);
		else if (value.text != NULL)
			snprintf(written, sizeof(written), "%s", value.text);
		else if (text->round)
			snprintf(written, sizeof(written), "%lld", (long long)(value.number + 0.5));
		else
			snprintf(written, sizeof(written), "%.10g", value.number);
	}
	return (int)(strlen(text->before) + strlen(written) + strlen(text->behind));
}

static inline bool
s_fits(struct s_run *run, const struct w_treatment *t, enum placement place,
    const struct s_about *about)
{
	int chars;

	if (t->place >= 0 && t->place != (int)place)
		return false;
	chars = s_chars(run, &t->headline, about);
	if (chars < 0 || chars > run->policy->headline_max)
		return false;
	if (t->has_say && s_chars(run, &t->say, about) < 0)
		return false;
	return !t->has_why || s_chars(run, &t->why, about) >= 0;
}

/* Those that fit, in the customer's language, else in the first; first_only: it is enough to know of one. */
static inline int
s_fitting(struct s_run *run, const struct s_candidate *c, enum placement place,
    const struct s_about *about, bool first_only, const struct w_treatment *list[3])
{
	const char *languages[2] = { run->input->known ? run->visit->language : NULL, "en" };
	int count = 0;

	for (int l = 0; l < 2 && count == 0; l++) {
		if (languages[l] == NULL)
			continue;
		for (int i = 0; i < c->action->treatments; i++) {
			const struct w_treatment *t = &c->action->treatment[i];

			if (strncmp(languages[l], t->language, 2) != 0 ||
			    !s_fits(run, t, place, about))
				continue;
			list[count++] = t;
			if (first_only)
				return count;
		}
	}
	return count;
}

/* ---- contacts ---- */

static inline const struct id *
s_own_prompt(const struct s_run *run, const struct s_candidate *c)
{
	const struct card *last = NULL;

	if (c->own >= 0)
		return &run->visit->cards[c->own].prompt;
	for (size_t i = 0; i < run->visit->card_count; i++)
		if (strcmp(run->visit->cards[i].action, c->action->id) == 0)
			last = &run->visit->cards[i];
	return last != NULL && last->answer == ANSWER_SNOOZE && run->now_ms >= last->snooze_until_ms
	    ? &last->prompt
	    : NULL;
}

static inline bool
s_within(const char *scope, const char *value, const struct w_action *mine, enum placement place,
    const char *action, const char *group, const char *issue, int placement)
{
	if (scope == NULL || scope[0] == 'a')
		return (scope != NULL && strcmp(scope, "all") == 0) ||
		    strcmp(action, value != NULL ? value : mine->id) == 0;
	if (scope[0] == 'g')
		return strcmp(group, value != NULL ? value : mine->group) == 0;
	if (scope[0] == 'i')
		return strcmp(issue, value != NULL ? value : mine->issue) == 0;
	return value != NULL ? strcmp(placement_names[placement], value) == 0
			     : placement == (int)place;
}

struct s_times {
	int64_t at[256];
	int count;
};

/* When what counts in this scope was, this decision's own cards too. */
static inline void
s_times(const struct s_run *run, const struct s_candidate *c, enum placement place,
    const char *scope, const char *value, enum outcome outcome, const char *reason,
    struct s_times *ret)
{
	const struct id *own = s_own_prompt(run, c);

	ret->count = 0;
	for (size_t i = 0; i < run->rows->count; i++) {
		const struct contact *row = &run->rows->rows[i];

		if ((own == NULL || !id_equal(own, &row->prompt)) &&
		    s_row_is(run->rows, i, outcome, reason) &&
		    s_within(scope, value, c->action, place, row->action, row->group, row->issue,
			row->placement))
			ret->at[ret->count++] = row->at_ms;
	}
	for (int w = 0; w < run->winners; w++) {
		const struct s_candidate *other = &run->candidate[run->winner[w]];

		if (other->own < 0 && (outcome == OUTCOME_SHOWN || outcome == OUTCOME_DECIDED) &&
		    s_within(scope, value, c->action, place, other->action->id,
			other->action->group, other->action->issue, (int)run->winner_place[w]))
			ret->at[ret->count++] = run->now_ms;
	}
}

static inline int64_t
s_window(const struct s_run *run, const struct w_cap *cap)
{
	const struct subject *known = run->known;
	double gap;

	if (cap->business)
		return run->input->store.day_start_ms - (cap->hours / 24 - 1) * D_MS;
	if (cap->gaps > 0 && (known == NULL || known->purchase_count < 2))
		return INT64_MIN;
	if (cap->gaps > 0) {
		gap = (double)(known->purchases[known->purchase_count - 1].at_ms -
		    known->purchases[0].at_ms);
		return run->now_ms -
		    (int64_t)(cap->gaps * gap / (double)(known->purchase_count - 1)) + 1;
	}
	return run->now_ms - cap->hours * H_MS + 1;
}

static inline bool
s_capped(const struct s_run *run, struct s_candidate *c, enum placement place, const char *where,
    const struct w_cap *caps, int n)
{
	for (int i = 0; i < n; i++) {
		int64_t from_ms = s_window(run, &caps[i]);
		struct s_times times;
		int count = 0;

		s_times(run, c, place, caps[i].scope, caps[i].value, caps[i].outcome,
		    caps[i].reason, &times);
		for (int t = 0; t < times.count; t++)
			count += times.at[t] >= from_ms;
		if (count < caps[i].max)
			continue;
		snprintf(c->trial_clause, sizeof(c->trial_clause), "%s[%d]: %s%s%s %d of %d", where,
		    i, outcome_name(caps[i].outcome), caps[i].reason != NULL ? ":" : "",
		    caps[i].reason != NULL ? caps[i].reason : "", count, caps[i].max);
		return true;
	}
	return false;
}

static inline bool
s_contacted(const struct s_run *run, struct s_candidate *c, enum placement place)
{
	if (run->rows == NULL) {
		s_close(c, FATE_CONTACT, "contacts unreadable");
		return true;
	}
	if (s_capped(run, c, place, "caps", c->action->cap, c->action->caps) ||
	    s_capped(run, c, place, "contact.caps", run->policy->cap, run->policy->caps))
		return true;
	for (int i = 0; i < run->policy->suppressions; i++) {
		const struct w_suppression *rule = &run->policy->suppression[i];
		struct s_times times;

		s_times(run, c, place, rule->scope, NULL, rule->outcome, NULL, &times);
		for (int end = 0; end < times.count; end++) {
			int count = 0;

			for (int t = 0; t < times.count; t++)
				count += times.at[t] <= times.at[end] &&
				    times.at[t] > times.at[end] - rule->within_h * H_MS;
			if (times.at[end] > run->now_ms - rule->for_h * H_MS &&
			    count >= rule->count) {
				snprintf(c->trial_clause, sizeof(c->trial_clause),
				    "contact.suppress[%d]: %s", i, outcome_name(rule->outcome));
				return true;
			}
		}
	}
	return false;
}

static inline const char *
s_answered(const struct s_run *run, const struct w_action *a)
{
	const char *found = NULL;

	for (size_t i = 0; i < run->visit->card_count; i++) {
		const struct card *card = &run->visit->cards[i];

		if (strcmp(card->action, a->id) != 0 || card->answer == ANSWER_NONE ||
		    (card->answer == ANSWER_SNOOZE && run->now_ms >= card->snooze_until_ms))
			continue;
		if (card->answer == ANSWER_ACCEPT)
			return "visit: accepted";
		if (found == NULL)
			found =
			    card->answer == ANSWER_DISMISS ? "visit: dismissed" : "visit: snoozed";
	}
	return found;
}

/* ---- money, room, lane ---- */

static inline const char *
s_budget(const struct s_run *run, const struct s_candidate *c, int64_t hold)
{
	const struct w_action *a = c->action;
	const struct store_state *store = &run->input->store;
	const struct card *own = c->own >= 0 ? &run->visit->cards[c->own] : NULL;
	bool day = a->per == BUDGET_STORE_DAY;
	int64_t money = 0, units = 0;

	if (a->per == BUDGET_CAMPAIGN && store->time_uncertain)
		return "budget: time uncertain";
	for (size_t i = 0; i < store->use_count; i++)
		if (strcmp(store->uses[i].action, a->id) == 0) {
			money =
			    day ? store->uses[i].day_money_minor : store->uses[i].all_money_minor;
			units = day ? store->uses[i].day_units : store->uses[i].all_units;
		}
	if (own != NULL && !own->withheld && (!day || own->sent_ms >= store->day_start_ms)) {
		money -= own->hold_minor;
		units--;
	}
	if (a->money >= 0 && money + hold > a->money)
		return "budget.money";
	return a->units >= 0 && units + 1 > a->units ? "budget.units" : NULL;
}

static inline bool
s_stacked(const struct s_run *run, const struct w_action *a)
{
	if (!a->has_offer || a->offer.stack == NULL)
		return false;
	for (int w = 0; w < run->winners; w++) {
		const struct w_action *other = run->candidate[run->winner[w]].action;

		if (other->has_offer && other->offer.stack != NULL)
			return true;
	}
	for (size_t i = 0; i < run->visit->card_count; i++) {
		const struct w_action *other = s_action(run, run->visit->cards[i].action);

		if (s_kept(&run->visit->cards[i]) && other != NULL && other->has_offer &&
		    other->offer.stack != NULL)
			return true;
	}
	return false;
}

static inline const char *
s_cause(const struct s_run *run)
{
	const struct sources *sources = &run->input->sources;

	return run->input->staff		? "staff"
	    : run->visit->state == VISIT_TENDER ? "quiet-tender"
	    : run->policy->queue_over >= 0 && sources->has_queue &&
		sources->queue > run->policy->queue_over
	    ? "quiet-queue"
	    : NULL;
}

/* Where only what is mandatory comes. */
static inline bool
s_quiet(const struct s_run *run, enum placement place)
{
	const struct sources *sources = &run->input->sources;
	bool screen = place == PLACE_TABLET || place == PLACE_TILL;

	return run->input->staff || (run->visit->state == VISIT_TENDER && screen) ||
	    (run->policy->queue_over >= 0 && sources->has_queue &&
		sources->queue > run->policy->queue_over && screen);
}

static inline bool
s_shows(const struct s_run *run, enum placement place)
{
	enum visit_state state = run->visit->state;

	switch (place) {
	case PLACE_TABLET:
		return state == VISIT_WAITING || state == VISIT_OPEN || state == VISIT_TENDER;
	case PLACE_TILL: return state == VISIT_OPEN || state == VISIT_TENDER;
	case PLACE_RECEIPT:
		return state == VISIT_OPEN || state == VISIT_TENDER || state == VISIT_CLOSED;
	default: return true;
	}
}

static inline enum fate
s_gate(struct s_run *run, struct s_candidate *c, enum placement place)
{
	const struct w_treatment *list[3];
	const char *clause = NULL, *first = NULL;
	bool any = false;
	enum fate fate = s_valid(run, c);

	if (fate != FATE_COUNT)
		return fate;
	if (place == PLACE_LATER && !run->input->contact_consent)
		return s_close(c, FATE_CONSENT, "contact");
	if (s_care(run, c->action))
		return s_close(c, FATE_CARE, "care");
	s_options(run, c);
	fate = s_rules(run, c);
	if (fate != FATE_COUNT)
		return fate;
	for (int i = 0; i < c->options; i++) {
		struct s_about about = s_about(run, c, &c->option[i]);

		c->option[i].fits = s_fitting(run, c, place, &about, true, list) > 0;
		any = any || c->option[i].fits;
	}
	if (!any)
		return s_close(c, FATE_NO_TREATMENT, NULL);
	clause = s_answered(run, c->action);
	if (clause != NULL)
		return s_close(c, FATE_CONTACT, clause);
	if (!c->action->mandatory && s_contacted(run, c, place))
		return FATE_CONTACT;
	any = c->action->per == BUDGET_NONE;
	for (int i = 0; c->action->per != BUDGET_NONE && i < c->options; i++) {
		if (!c->option[i].fits)
			continue;
		clause = s_budget(run, c, c->option[i].hold);
		c->option[i].fits = clause == NULL;
		any = any || clause == NULL;
		first = first == NULL ? clause : first;
	}
	if (!any)
		return s_close(c, FATE_BUDGET, first);
	if (s_stacked(run, c->action))
		return s_close(c, FATE_STACKING, c->action->offer.stack);
	if (!s_shows(run, place))
		return s_close(c, FATE_LANE, "lane.state");
	if (!c->action->mandatory && s_quiet(run, place))
		return s_close(c, FATE_LANE, s_cause(run));
	return s_close(c, FATE_COUNT, NULL);
}

#endif
