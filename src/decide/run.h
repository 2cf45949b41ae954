/* SPDX-License-Identifier: Apache-2.0
 *
 * run.h - one decision in the making: what the files of this folder share.
 *
 * Private to src/decide and its tests. Everything lives in the arena of the
 * turn except the scratch buffer, which decide() releases.
 */
#ifndef AISLE_DECIDE_RUN_H
#define AISLE_DECIDE_RUN_H

#include "core/text_prefix.h"
#include "core/when.h"
#include "core/of_two.h"
#include "decide/decide.h"
#include "nouns/card_item.h"

#define NOTHING (-1)
#define NO_CARD (-1)
#define NOTHING_NAME "nothing"
#define FATE_PASSED FATE_COUNT
#define INTERRUPT_DEFAULT 3.0
#define PRIORITY_MAX 1e300 /* divided by any unit of exploration it is finite still */
#define WINNERS_MAX (PLACE_COUNT * 16)

enum rule_result { RULE_UNTRIED, RULE_TRUE, RULE_FALSE, RULE_MISSING, RULE_LIMIT };

/* What the clauses came to, so that equal ones run once a decision. A byte each has to be zeroed
 * for that, not a value each: a policy has thousands. */
struct clause_memo {
	uint8_t *result;     /* enum rule_result */
	struct value *value; /* once tried */
};

/* How far the gates that no placement changes were tried; each is tried once. */
enum tried { TRIED_NOTHING, TRIED_HEAD, TRIED_RULES };

/* One depth that an offer could have now. A candidate without an offer has one, of depth 0. */
struct depth_option {
	int64_t depth;
	struct offer_value value;
	bool fits; /* a treatment fits with it, and the budget bears it */
};

/* What the run remembers of a candidate beside struct candidate. */
struct trial {
	int own; /* its open card in visit->cards; NO_CARD */
	bool chosen;
	bool valued;	  /* options are filled */
	bool passed;	  /* every gate and the score, in the placement being filled */
	uint8_t tried;	  /* enum tried */
	uint8_t standing; /* enum fate of those: FATE_PASSED: go on */
	uint8_t scored;	  /* enum fate of the score */
	uint8_t fate;	  /* enum fate in the placement being filled */
	bool waits;	  /* in the lot */
	uint32_t
	    scored_fits; /* the fitting options that the score was made from; UINT32_MAX: none yet */
	uint32_t option_count;
	const char *standing_clause, *scored_clause, *clause;
	struct depth_option *options, only; /* most have one: no memory of its own */
};

/* A card that this decision has chosen so far. */
struct winner {
	int candidate;
	enum placement placement;
};

/* One look at the contact rows, for all candidates of a decision. */
struct contact_key {
	int64_t at_ms;
	uint64_t by[BY_COUNT]; /* text_prefix */
};
#define SEEN_BITS_LOG2 9
struct contact_index {
	const struct contacts *contacts; /* NULL: unreadable */
	/* per row: it counts, as shown or as what was taken or bought and did not come back */
	const uint8_t *counts;
	uint32_t outcomes; /* bit per outcome that some row has; SHOWN: that some row counts as */
	struct contact_key *keys; /* per row, from keys_from on: */
	size_t keys_from;	  /* the newest first, as far as they were asked for */
	uint64_t seen[BY_COUNT][(1 << SEEN_BITS_LOG2) / 64]; /* a bit for each of those keys */
	int64_t days, days_from_ms; /* the window of so many business days; 0: not asked for */
	const struct cap *common;   /* a cap that counts common_count rows, whoever asks */
	int common_count;
	size_t asked_fresh;	/* with so many fresh winners, first or again: */
	bool asked_again, idle; /* no cap or suppression of the policy can close */
};

/* Depths of candidates that wait to be scored together. */
struct lot {
	struct expected *expected;
	bool *has_margin;
	size_t count, room;
	size_t asking; /* margins that hang on models */
	size_t from;   /* the first candidate of them */
};

/* The plain candidates, as sets of actions; columns.c. */
struct column_run {
	size_t words;
	uint64_t *plain;   /* who takes part */
	uint64_t *open;	   /* in the placement being filled: whom no gate has closed yet */
	uint64_t *touched; /* columns_touched.c */
	bool roomy;	   /* there is room for whoever comes next */
	uint16_t *at;	   /* the candidate of each action that is one */
};

struct run {
	struct arena *arena;
	const struct decide_input *input;
	const struct policy *policy;
	const struct visit *visit;
	const struct sources *sources; /* what may be read: no subject without consent */
	int64_t now_ms;
	struct local_time local;
	struct features *features;
	struct decision *decision;
	struct clause_memo memo;  /* per clause of the policy */
	struct trial *trials;	  /* per candidate */
	struct draw_cache *draws; /* NULL: none */
	struct contact_index contact;
	struct winner winners[WINNERS_MAX];
	size_t winner_count;
	size_t fresh;	  /* winners that are no open cards: not in the rows yet */
	size_t mandatory; /* that passed in the placement being filled */
	size_t room;	  /* new cards that fit into the visit, before this decision */
	int64_t basket_minor;
	unsigned quiet; /* placements where only mandatory cards come: a bit each */
	bool answered;	/* some card of the visit has an answer */
	struct column_run columns;
	struct lot lot;
	const struct offer_lines **goods; /* by an offer's match; NULL: not looked for */
	int care;			  /* -1: not looked at; else 0 or 1 */
	struct families *families;	  /* NULL: no table was asked (family.c) */
	bool wallet_first; /* they are reminded of the wallet now: nothing new is offered */
	struct door *door; /* what a person names; NULL: a draw */
	double interrupt;  /* priority of nothing */
	double cost_max;   /* of exploring, a slot */
	struct buf scratch;
};

/* ---- decide.c ---- */
void run_init(struct run *run, struct arena *arena, const struct decide_input *input,
    struct decision *decision);
/* own: its open card in visit->cards; NO_CARD. There is room for it. */
void run_add(struct run *run, const struct action *action, int own);

/* What the lane is busy with, and where only mandatory cards come then (quiet); NULL: nothing. */
const char *quiet_cause(struct run *run);
void run_interrupt(struct run *run); /* what a card has to be worth */

/* ---- fates.c ---- */
/* Is it recorded and not sent? */

/* ---- clause.c ---- */
enum rule_result rule_try(struct run *run, uint32_t clause, const struct candidate_context *about);
/* false: missing, or not a finite number. */
bool expr_compute(struct run *run, const struct expr *expr, const struct candidate_context *about,
    double *ret);
static inline bool
expr_number(struct run *run, const struct expr *expr, const struct candidate_context *about,
    double *ret)
{
	if (expr->kind != EXPR_CONST)
		return expr_compute(run, expr, about, ret);
	*ret = expr->constant; /* the most common by far; finite, as JSON is */
	return true;
}

/* ---- gate.c ---- */
/* Why a gate is closed: by what nobody passes over, by what was judged of the customer, or because
 * it cannot be asked for want of a feature. */
enum closed_by { CLOSED_FIRMLY, CLOSED_BY_JUDGEMENT, CLOSED_MISSING };
/* A gate is closed. Is that the end of it? Not if the person who names the candidate passes over it,
 * nor if all that is closed is asked for. */
bool door_keeps_closed(struct run *run, enum fate gate, const char *clause, enum closed_by by);
static inline bool
door_closed(struct run *run, enum fate gate, const char *clause, enum closed_by by)
{
	return run->door == NULL ||
	    door_keeps_closed(run, gate, clause, by); /* most are nobody's */
}
void close_with(struct trial *trial, enum fate fate, const char *clause);
/* The newest of this action, if it was to come back by now: what it counted in caps is its own. NULL: none */
const struct card *snoozed_card(const struct run *run, const struct action *action);
const struct card *door_replaces(const struct run *run); /* NULL: nothing */
/* FATE_PASSED, or the first gate that failed and its clause. Marks the options that fit. */
enum fate gate_check(struct run *run, size_t i, enum placement place, const char **ret_clause);
/* The gates that an earlier slot's winner can close, once more. */
enum fate gate_again(struct run *run, size_t i, enum placement place, const char **ret_clause);
const struct card *trial_card(const struct run *run, size_t i); /* its open card; NULL */
bool card_open_at(const struct card *card, int64_t now_ms);
/* of a customer who stood there before, and not in the basket */
bool card_is_anothers(const struct run *run, const struct card *card);

/* ---- wallet_first.c ---- */
/* May a card that reminds of the wallet be shown now, is it worth it, and was it not in this visit? Of the run's candidates;
 * before the first placement. */
bool wallet_first(struct run *run);
/* The same of whatever could come with a trigger that this action has, too. The run has that one candidate, and room for
 * all of the policy that remind. */
bool wallet_first_of(struct run *run, const struct action *action);
size_t wallet_reminders(const struct policy *policy);

/* Single gates: the clause that closes it; NULL: open. */
const char *validity_gate(const struct run *run, const struct action *action);
const char *lane_gate(const struct run *run, const struct action *action, enum placement place);
bool stacking_closed(const struct run *run, const struct action *action); /* stacking.c */
/* Of a family: is another card about the same? */
bool item_taken(const struct run *run, size_t i);
bool room_closed(const struct run *run, size_t i, enum placement place);
/* Has any of its depths a wording that fits? Each says whether it has. */
bool treatment_gate(struct run *run, size_t i, enum placement place);

/* ---- gate_rules.c ---- */
bool care_stands(struct run *run);	      /* only some kinds pass */
void fill_options(struct run *run, size_t i); /* what it could have, and what that is worth */
void rules_gate(struct run *run, size_t i);   /* standing; also fills the candidate's options */

/* ---- family.c ---- */
/* What the candidate, of a family, is about: into the candidate. NULL, or why there is nothing. */
const char *family_find(struct run *run, size_t i);
/* What it is called in a language of the policy; NULL: nothing. */
const char *family_name(const struct policy *policy, const struct family_item *item,
    const char *language);

/* ---- contact_index.c, contact_count.c, contact_policy.c ---- */
struct contact_index contact_index_make(struct arena *arena, const struct contacts *contacts);
/* again: it has passed before, with fewer winners. */
const char *contact_gate(struct run *run, size_t i, enum placement place, bool again);
/* Can no limit of the policy's own close anybody? */
bool contact_policy_idle(struct run *run, bool again);
/* Does a limit of the policy close that is the same for all that have no card? i: one of them. */
bool contact_all_closed(struct run *run, size_t i, enum placement place);

/* The rows that a cap counts for this action, without its own open card. */
int contact_counter(const struct decide_input *input, struct contact_index *index,
    const struct action *action, enum placement place, const struct cap *cap);

/* ---- budget.c ---- */
const char *budget_gate(const struct run *run, const struct action *action, const struct card *own,
    int64_t hold_minor);

/* ---- score_gain.c ---- */
/* The candidate as per_action features see it with one of its depths and its margin (which may
 * run a model; 0 where there is none). */
struct candidate_context candidate_about(struct run *run, size_t i,
    const struct depth_option *option);
/* Gain and priority of the best fitting depth into the candidate, its fate of that into the trial.
 * expected, has_margin: one for each depth that fits. Returns how many those are. */
size_t gain_best(struct run *run, size_t i, const struct expected *expected,
    const bool *has_margin);
/* The same of one that has one depth, which fits, and of which no model is asked. */
void gain_only(struct run *run, size_t i);
/* What the outcome brings: of the lines that qualify where the action says so and they state it. */
bool gain_margin(struct run *run, const struct action *action,
    const struct candidate_context *about, double *ret_margin);
double gain_of(double p1, double p0, double margin, double cost);
/* Does this depth leave the offer's margin floor? A margin that is missing does not. */
bool gain_keeps_floor(struct run *run, size_t i, const struct depth_option *option);

/* ---- score_lot.c ---- */
/* A candidate that passed the gates of the placement being filled: scored and scored_clause of its
 * trial, now or with score_rest(); not of a mandatory one. In order. */
void score_take(struct run *run, size_t i);
void score_rest(struct run *run);

/* ---- explore.c ---- */
/* Fills p. list is in order: best first. cost_max: decide_cost_max(). */
void explore_weigh(const struct policy *policy, double cost_max, struct shortlisted *list,
    size_t count);
double explore_chance(const struct policy *policy, const struct id *visit, enum placement place,
    int slot, const char *action, const char *treatment);
/* The same for this run's visit, from its cache where it can be. action and treatment belong to
 * the policy. */
double explore_u(const struct run *run, enum placement place, int slot, const char *action,
    const char *treatment);
/* Index of the winner of the draw. */
size_t explore_draw(const struct run *run, const struct shortlisted *list, size_t count,
    enum placement place, int slot);

/* ---- slots.c ---- */
void slots_fill(struct run *run);

/* ---- words.c ---- */
/* A text with its values into out (appended). false: a value without default is missing. */
bool words_render(struct features *features, const struct policy *policy,
    const struct template *text, const struct candidate_context *about, const char *language,
    struct buf *out);
/* Treatments that fit this placement with this depth, in the customer's language, else the
 * policy's first. Fills list (room for all of the action's) and returns how many. list NULL: 1 if
 * any does. */
size_t words_fitting(struct features *features, const struct decide_input *input,
    enum placement place, const struct candidate_context *about, struct buf *scratch,
    const struct treatment **list);
/* Draws one of them for a slot. */
void words_choose(struct run *run, struct slot *slot);
struct candidate_context words_about(const struct candidate *candidate); /* as it was decided */
/* "de" speaks to a customer of "de-AT" */
bool words_speak(const char *language, const char *wanted);
/* reads profile, purchases or past contacts */
bool words_personal(const struct policy *policy, const struct template *text);
size_t utf8_count(const char *s);
/* A value as a text has it; false: there is nothing to write. */
bool words_value(const struct value *value, enum filter filter, const struct policy *policy,
    const char *language, struct buf *out);
void money_text(int64_t minor, const struct policy *policy, const char *language, struct buf *out);

/* ---- reasons.c ---- */
/* What the models say for the cards that are new and will be sent: into their slots. */
void reasons_choose(struct run *run);

#endif
