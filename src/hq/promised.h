/* SPDX-License-Identifier: Apache-2.0
 *
 * promised.h - what cards were expected to bring, and what they brought; and whether chances come
 * out as often as they say.
 */
#ifndef AISLE_HQ_PROMISED_H
#define AISLE_HQ_PROMISED_H

#include "core/buf.h"
#include "core/json_write.h"
#include "hq/records.h"
#include "learn/off_policy.h"

#define PROMISED_MAX 20000000
#define PROMISED_ACTIONS_MAX 2000
#define PROMISED_CUSTOMERS_MIN 100 /* for an interval */
#define PROMISED_SLOTS 99
#define PROMISED_CARDS_MAX 64 /* of a shortlist */
#define PROMISED_ALPHA 0.05

/* One action of one shortlist, as it was told last. */
struct promised_row {
	struct id key, list; /* visit, placement, slot and action; the same without the action */
	struct id customer;  /* of a stranger: of the visit */
	uint64_t visit;	     /* the same of the same visit */
	int64_t rev;
	double p, p1, p0, margin, cost, amount;
	uint32_t action, store, order;
	uint8_t slot;
	bool known, counted, drawn, shown, withheld, told, y;
};

/* Chances as the gain used them: of those that models gave. false: no such action. */
typedef bool (*promised_fn)(void *ctx, const char *action, double *p1, double *p0);

/* What cards are told apart by. X(constant, name) */
#define EARNED_BYS(X) X(ACTION, "action") X(GROUP, "group") X(FUNDER, "funder") X(RING, "ring")
enum earned_by {
#define X(constant, name) EARNED_##constant,
	EARNED_BYS(X)
#undef X
	    EARNED_BY_COUNT
};
extern const char *const earned_by_names[EARNED_BY_COUNT];
/* Which part an action belongs to, or, of EARNED_RING, a store; NULL: none, it is not told. */
typedef const char *(*promised_part_fn)(void *ctx, enum earned_by by, const char *name);

/* What cards of one part earned, per counted decision that had one of them on its shortlist. */
struct earned {
	enum earned_by by;
	char of[65];
	double decisions, customers, shown, redeemed,
	    amount; /* amount: taken off, in minor units */
	struct realised gain;
	double alpha; /* 0.05 over the parts that are told beside it */
};

struct calibrated {
	char of[65];
	double cards, customers, promised, came; /* Σp and Σy of cards that were drawn and shown */
	struct clustered ratio;			 /* Σy/Σp */
};
struct promised {
	const char *bundle; /* whose rows count */
	double control;	    /* share of the control group */
	struct promised_row *rows;
	size_t row_count, row_capacity;
	char **actions, **stores;
	size_t action_count, action_capacity, store_count, store_capacity;
	bool full;
	long long unread, others; /* records that are none; rows of other bundles */
	/* after promised_settle() */
	struct realised gain; /* a counted decision each */
	double decisions, customers;
	long long certain; /* decisions whose draw could not go otherwise: left out */
	struct calibrated *calibrated;
	size_t calibrated_count;
	struct earned *earned; /* by what, then by name */
	size_t earned_count, earned_capacity;
};
void promised_take(void *ctx, const struct record *record); /* a record_fn; ctx: struct promised */
void promised_settle(struct promised *promised, promised_fn chances, promised_part_fn part,
    void *ctx);
void promised_done(struct promised *promised);
/* As a member "promised" of what is being written. */
void promised_json(const struct promised *promised, struct json_writer *w);
/* Half the width of an interval of 95 %; 0: too few customers. */
double promised_half(const struct clustered *value);
double promised_half_at(const struct clustered *value, double alpha);

/* ---- between promised.c and earned.c ---- */

/* Behind the rows of the customer, of the shortlist, whose first is at. */
size_t promised_customer_end(const struct promised *promised, size_t at);
size_t promised_list_end(const struct promised *promised, size_t at);
/* Could this shortlist's draw not have gone otherwise? */
bool promised_certain(const struct promised *promised, size_t at, size_t end);
/* Strangers are in no control group. */
double promised_control(const struct promised *promised, size_t at);
struct shown_card promised_card(const struct promised_row *row);
void promised_write_value(struct json_writer *w, const char *name, const struct clustered *value,
    double alpha);
void earned_settle(struct promised *promised, promised_part_fn part, void *ctx);
/* A list "by" of what is being written; lines of the second CSV. */
void earned_json(const struct promised *promised, struct json_writer *w);
void earned_csv(const struct promised *promised, struct buf *out);

#endif
