/* SPDX-License-Identifier: Apache-2.0
 *
 * decision.h - one decision: what was looked at, what became of each candidate, what was chosen.
 */
#ifndef AISLE_DECISION_H
#define AISLE_DECISION_H

#include "aisle/features.h"

#define DECISION_SEMANTICS 2 /* raised by any release that changes a result */

/* X(constant, wire name), in the order of the path */
/* clang-format off */
#define FATES(X) \
	X(OFFERED, "offered") X(WITHHELD, "withheld") X(STOPPED, "stopped") X(VALIDITY, "validity") \
	X(CONSENT, "consent") X(CARE, "care") X(ELIGIBILITY, "eligibility") \
	X(APPLICABILITY, "applicability") X(SUITABILITY, "suitability") X(MISSING, "missing") \
	X(NO_TREATMENT, "no-treatment") X(CONTACT, "contact") X(BUDGET, "budget") \
	X(STACKING, "stacking") X(LANE, "lane") X(NO_ROOM, "no-room") \
	X(NOT_WORTH_IT, "not-worth-it") X(OUTRANKED, "outranked") X(NOT_DRAWN, "not-drawn")
/* clang-format on */
enum fate {
#define X(constant, name) FATE_##constant,
	FATES(X)
#undef X
	    FATE_COUNT
};
extern const char *const fate_names[FATE_COUNT];

struct catalog;
struct cells;
struct candidate {
	const struct action *action;
	enum fate fate;
	/* why it failed: the rule's source, a cap, a word; NULL. In the arena or the policy */
	const char *clause;
	bool scored;
	int64_t depth;		    /* 0: no offer */
	double p1, p0;		    /* what the gain is made of */
	double raw1, raw0;	    /* the same before they were shrunk, and learned */
	int32_t learned1, learned0; /* the store's ratios, Q16; both 0: none in force */
	double margin, cost, gain, context, lever, priority;
	int64_t worth_minor, hold_minor;
	bool has_line_margin; /* of the lines that qualify */
	int64_t line_margin_minor;
	const struct family_item *item; /* of a family; NULL: none */
};

struct shortlisted {
	int candidate; /* index; -1: nothing */
	double priority, p;
};

struct slot {
	enum placement placement;
	int slot;			   /* within its placement, from 1 */
	int candidate;			   /* index into candidates; -1: nothing */
	const struct treatment *treatment; /* NULL for nothing */
	bool has_p;			   /* false: p_log is null (kept) */
	double p_log, p_marginal, treatment_p;
	bool has_marginal;
	bool kept;	/* an answered card stays: teaches nothing */
	bool by_person; /* named at the door, not drawn */
	/* index into visit->cards of the card that stays (open or answered); -1: a new one */
	int card;
	struct shortlisted *shortlist;
	size_t shortlist_count;
	const char *reasons[WHY_MAX]; /* of the model, behind the treatment's own; in the arena */
	size_t reason_count;
};

struct arm_choice {
	const char *experiment, *arm;
};

/* Limits and state of the store that a decision needs beside the features. */
struct store_state {
	const char *const *stopped; /* action ids, ascending */
	size_t stopped_count;
	bool time_uncertain;
	/* Money and units already held or spent today (BUDGET_STORE_DAY) or ever
	 * (BUDGET_CAMPAIGN) by an action. Pure look-up into a table the spine filled. */
	const struct budget_use *uses;
	size_t use_count;
	int64_t day_start_ms; /* start of the store's business day of now */
};
struct budget_use {
	const char *action;
	int64_t day_money_minor, day_units, all_money_minor, all_units;
};

struct draw_cache;
struct contact_index;

struct decide_input {
	struct sources sources;
	struct store_state store;
	struct id decision;	       /* its id */
	bool known;		       /* subject with personalise: may personal actions run? */
	bool contact_consent;	       /* may "later" be used? */
	const struct arm_choice *arms; /* of the experiments this unit is in */
	size_t arm_count;
	bool staff;   /* a card of who works here: only what is mandatory */
	bool control; /* universal control group */
	bool arm_withholds;
	struct draw_cache *draws; /* decide.h; NULL: none */
	/* a snoozed card's, whose time has come: the trigger names it and no other; NULL */
	const struct action *returns;
	/* cases, incidents for the care gate, whatever the consent; NULL: unknown */
	const struct subject *care;
	const struct catalog *catalog; /* that images of articles are of; NULL: none */
	const char *const *out;	       /* articles that are not there to be had, ascending */
	size_t out_count;
	/* What the store learned of this bundle's chances, in force today; NULL: nothing. */
	const struct cells *learned;
	/* What looking may cost a slot today, where the policy says a share; 0: the best is taken. */
	double day_cost_max;
};

struct decision {
	struct id id;
	int64_t at_ms;
	const char *withheld; /* NULL, "control", "arm" */
	/* why there is nothing to choose: "quiet-tender", "quiet-queue"; NULL */
	const char *cause;
	struct candidate *candidates; /* in order of action id */
	size_t candidate_count;
	/* placements in enum order, slots from 1; a placement ends at its "nothing" */
	struct slot *slots;
	size_t slot_count;
	unsigned fates[FATE_COUNT];
	struct features *features;
	const struct basis *basis; /* what its offers were valued on (decide.h); NULL: none was */
	/* the rows as its cards were counted against them; decide/run.h */
	struct contact_index *contact;
	const struct decide_input *input;
};

#endif
