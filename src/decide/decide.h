/* SPDX-License-Identifier: Apache-2.0
 *
 * decide.h - steps 3 to 8 of a decision: gate, score, explore, keep, word, withhold. Pure.
 */
#ifndef AISLE_DECIDE_DECIDE_H
#define AISLE_DECIDE_DECIDE_H

#include "aisle/decision.h"
#include "core/arena.h"
#include "core/json_write.h"

/* Always gives a decision (with cause and no slots when it may not speak). input and arena must outlive it.
 * sources.visit is never NULL; sources.contacts NULL: the rows could not be read, so the contact gate is closed.
 * A kept slot (an accepted card) names its card; its candidate is -1 when the trigger does not name the action,
 * so look at kept before candidate. An open card that wins again has its index in card and may have changed slot. */
void decide(struct arena *arena, const struct decide_input *input, struct decision *ret);

/* A draw is fixed for its visit, and costs two rounds of BLAKE2b: what was drawn for one scanned line is remembered
 * for the next; so are numbers and texts of records as JSON. A cache of pure functions: it changes no result. Its
 * keys point into policies, so that it has to be emptied before one is freed. */
struct draw_cache *draw_cache_new(void);
void draw_cache_free(struct draw_cache *cache); /* NULL is fine */
void draw_cache_empty(struct draw_cache *cache);

/* ---- the one door ---- */

/* Who names an action, where no draw chose it. */
enum door_way {
	DOOR_DRAWN,   /* nobody: as decide() */
	DOOR_LISTED,  /* an associate, of what a card lists under its alternatives */
	DOOR_MANAGER, /* a manager, of all that the policy has */
	DOOR_ASKED    /* nobody gets it: which gates are closed? */
};
struct closed_gate {
	enum fate gate;	    /* or FATE_MISSING */
	const char *clause; /* NULL: none. Of the policy, of input, static, or in the arena */
};
#define DOOR_GATES_MAX \
	25 /* at least as many as there are places in a trial where a gate may be closed */
#define VISIT_OPEN_CLAUSE "visit: open" /* its card is open in the visit */
struct door {
	enum door_way way;
	const struct action *action; /* of input's policy */
	int64_t depth;		     /* as it was said; 0: it was not */
	/* the open card of the visit that it is chosen instead of; NULL: none, asked for `place` */
	const struct card *replaces;
	enum placement place;
	/* the gates that were passed over: a bit per enum fate; FATE_NOT_DRAWN: nothing but the draw */
	unsigned over;
	struct closed_gate closed[DOOR_GATES_MAX]; /* of DOOR_ASKED, in their order */
	size_t closed_count;
	double interrupt; /* of DOOR_ASKED: what its priority has to be above */
};
/* The gates of decide(), tried for one action that a person names. ret has that one candidate: with
 * fate OFFERED and one slot, else with the gate that closed and its clause. What an associate may
 * choose has passed once: a gate that cannot be asked any more, for want of the event that brought
 * it, counts as it did then. A manager passes over eligibility, applicability, suitability, contact
 * policy and gain; over nothing else. Asked, all of them are tried: ret's candidate has the depth,
 * chance and gain that it would have, as far as that can be said. */
void decide_named(struct arena *arena, const struct decide_input *input, struct door *door,
    struct decision *ret);
const char *door_gate_name(enum fate gate);

/* Which arms a unit is in (arena), ascending by experiment. subject NULL: anonymous. day_start_ms: of the store's business day. */
size_t experiments_assign(struct arena *arena, const struct policy *policy,
    const struct id *subject, const struct id *visit, const char *station, const char *store,
    int64_t day_start_ms, struct arm_choice **ret_arms, bool *ret_withholds);
bool control_group(const struct policy *policy, const struct id *subject); /* NULL: never */

/* What an offer saves the customer on this basket now, and the most it can cost us. */
struct offer_value {
	int64_t worth_minor; /* saving on the lines that qualify now, else on typical; ≤ max */
	int64_t hold_minor;  /* most it can cost (our share) */
	double cost_minor;   /* our share of worth */
	bool qualifies_now;
	/* of the lines that qualify now: the margin, if each of them states one, and what offers
	 * that were accepted before will take off them */
	bool has_line_margin;
	int64_t line_margin_minor, taken_minor;
};
/* A basket as offers are valued on it. policy: says which goods are marked, and what the accepted
 * offers are; NULL: none. marks_off: see nouns/marks.h. Its memory is the arena's. */
struct basis;
const struct basis *basis_make(struct arena *arena, const struct policy *policy, uint32_t marks_off,
    const struct visit *visit);
int64_t basis_total(const struct basis *basis); /* without marked goods: min_basket, tiers */
struct offer_value offer_value(const struct offer *offer, int64_t depth, const struct basis *basis);
/* Is its worth of goods that are not there yet, and so another once they are? */
bool offer_estimates(const struct offer *offer, const struct basis *basis);
/* The most that it can take off, suppliers' share included: max, else the depth; a fixed price without max at most what its
 * goods cost. */
int64_t offer_most(const struct offer *offer, int64_t depth, const struct basis *basis);
/* The most that it could save on what it is for of the goods that are there, before any discount. */
struct marks;
int64_t offer_on_goods(const struct offer *offer, int64_t depth, const struct marks *marks,
    const struct visit *visit);
/* Does it save anything, and what it has to once goods are there that qualify? */
bool offer_saves(const struct offer *offer, const struct offer_value *value);
/* The depths an offer may have now: of its open card where that is one of a ladder, of the highest
 * tier that the basket reaches, else its ladder. */
#define DEPTHS_MAX LADDER_MAX
size_t offer_depths(const struct offer *offer, const struct card *own, int64_t basket_minor,
    int64_t depths[static DEPTHS_MAX]);

/* Clears a card against contact policy alone. NULL: may speak; else the clause in arena. */
const char *contact_check(struct arena *arena, const struct decide_input *input,
    const struct action *action, int placement);

/* When an action that is valid now is valid no more; INT64_MAX: never. */
int64_t action_ends_ms(const struct action *action, const struct zone *zone, int64_t now_ms);

/* Is it in this list, ascending, of stopped actions? By its own name; or everything is. */
#define ACTION_EVERYTHING "*"
/* Is the article not there to be had? */
bool stock_is_out(const struct decide_input *input, const char *article);
bool action_listed(const char *const *stopped, size_t count, const char *action);
bool action_stopped(const char *const *stopped, size_t count, const char *action);

/* The limits on what is accepted, applied or redeemed, asked once more when a person takes this card. What they have
 * taken elsewhere and may still use counts as used. NULL: they may; else the clause in arena. */
const char *contact_take_check(struct arena *arena, const struct decide_input *input,
    const struct action *action, const struct card *card);

/* NULL: what it may still spend bears one more card; else the clause that closed it. use: without
 * that card. */
const char *budget_clause(const struct budget *budget, const struct budget_use *use,
    bool time_uncertain, int64_t hold_minor);

/* ---- words ---- */
/* The prompt object as it is sent, without "state" and "choices" (guidance.h adds them), for a slot with a new card. */
void prompt_json(const struct decision *decision, const struct slot *slot, const struct id *prompt,
    struct buf *out);

/* The same of an open card that stays, over what its candidate has come to since: prompt and
 * reasons are those of its text, depth, worth and words of now. false: no words fit it there. */
bool prompt_again(const struct decision *decision, int candidate, const struct card *card,
    struct buf *out);

/* The model whose score is the action's chance, of an uplift pair the treated one: an index; -1: none. */
int action_model(const struct action *action);

/* From whom commercial cards are withheld: "control", "arm", NULL. */
const char *decide_withheld(const struct decide_input *input);
/* What exploring may cost a slot; 0: nothing, or as "gamma" has it. */
double decide_cost_max(const struct decide_input *input);
/* Is it one of those? Not what is mandatory, serves or informs. */
bool decision_withholds(const struct decision *decision, const struct action *action);

/* The member "offer" as tablet and till see it: {"type","worth","depth",…}. estimate: worth is of
 * typical goods, as none that qualify are there. */
void offer_json(const struct policy *policy, const struct offer *offer, int64_t depth,
    int64_t worth_minor, bool estimate, struct json_writer *w);

/* ---- record ---- */
/* Appends what the records of its decisions have in common (record_words.c); nobody is named in it. */
void record_words(const struct policy *policy, struct buf *out);
struct decision_context { /* what the spine knows beside the decision */
	const char *station, *basket;
	const struct id *subject;    /* NULL: anonymous */
	const struct event *trigger; /* NULL: a timer */
	const char *timer_id;	     /* with source "timer" when trigger is NULL */
	const struct id *prompts;    /* one per slot; zero: none (nothing, withheld has one) */
	bool mixed;
};
/* The Decision object of docs/interfaces (without "outcomes": the reader of the record adds them).
 * features: those that were read. candidates: all of the trigger; above CANDIDATES_RECORDED_MAX only those that
 * were scored, and "fates" counts the rest. */
#define CANDIDATES_RECORDED_MAX 200
#define FEATURE_BYTES_MAX 256 /* of a text among the features, as JSON; a longer one is cut */
/* No record is larger, whatever the policy. Names are at most 128 characters, 256 bytes as JSON. 1,023 features are
 * 0.5 MiB; counters of 5 placements of 8 slots, 64 caps of an action and 64 of the policy each, 1.4 MiB; their
 * shortlists of 64 0.8 MiB; candidates stop at CANDIDATE_BYTES_MAX, but for what was chosen. */
#define DECISION_BYTES_MAX (4u << 20)
#define CANDIDATE_BYTES_MAX (1u << 20)
void decision_json(const struct decision *decision, const struct decision_context *context,
    struct buf *out);

#endif
