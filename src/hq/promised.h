/* SPDX-License-Identifier: Apache-2.0
 *
 * promised.h - what cards were expected to bring, and what they brought; and whether chances come
 * out as often as they say.
 */
#ifndef AISLE_HQ_PROMISED_H
#define AISLE_HQ_PROMISED_H

#include "core/json_write.h"
#include "hq/records.h"
#include "learn/off_policy.h"

#define PROMISED_MAX 20000000
#define PROMISED_ACTIONS_MAX 2000
#define PROMISED_CUSTOMERS_MIN 100 /* for an interval */
#define PROMISED_SLOTS 99

/* One action of one shortlist, as it was told last. */
struct promised_row {
	struct id key, list; /* visit, placement, slot and action; the same without the action */
	struct id customer;  /* of a stranger: of the visit */
	int64_t rev;
	double p, p1, p0, margin, cost;
	uint32_t action, order;
	uint8_t slot;
	bool known, counted, drawn, shown, withheld, told, y;
};

/* Chances as the gain used them: of those that models gave. false: no such action. */
typedef bool (*promised_fn)(void *ctx, const char *action, double *p1, double *p0);

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
	char **actions;
	size_t action_count, action_capacity;
	bool full;
	long long unread, others; /* records that are none; rows of other bundles */
	/* after promised_settle() */
	struct realised gain; /* a counted decision each */
	double decisions, customers;
	long long certain; /* decisions whose draw could not go otherwise: left out */
	struct calibrated *calibrated;
	size_t calibrated_count;
};
void promised_take(void *ctx, const struct record *record); /* a record_fn; ctx: struct promised */
void promised_settle(struct promised *promised, promised_fn chances, void *ctx);
void promised_done(struct promised *promised);
/* As a member "promised" of what is being written. */
void promised_json(const struct promised *promised, struct json_writer *w);
/* Half the width of an interval of 95 %; 0: too few customers. */
double promised_half(const struct clustered *value);

#endif
