/* SPDX-License-Identifier: Apache-2.0
 *
 * sales.h - sale records of all stores as customers, each with an arm of each experiment and what
 * he spent by week.
 */
#ifndef AISLE_HQ_SALES_H
#define AISLE_HQ_SALES_H

#include "aisle/base.h"
#include "hq/records.h"

#define SALES_MAX 50000000
#define SALES_WEEKS_BEFORE 8
#define SALES_WEEKS_MAX 104
#define SALES_EXPERIMENTS_MAX 32
#define SALES_ARMS_MAX 16
#define SALES_STORES_MAX 20000
#define SALES_NONE UINT32_MAX
#define SALES_MANY 255 /* in place of an arm: one customer was in two */

struct sales_experiment {
	char *name;
	char *arms[SALES_ARMS_MAX];
	size_t arm_count;
};

struct sales_customer {
	struct id subject;
	int64_t first_ms;
	uint32_t store;			     /* where he was seen first */
	uint8_t control;		     /* 0: not known; 1: no; 2: yes; SALES_MANY */
	bool mixed;			     /* two cards that turned out to be one person's */
	uint8_t arms[SALES_EXPERIMENTS_MAX]; /* 0: none; 1 + index; SALES_MANY */
};

/* A visit as its last record has it. */
struct sales_visit {
	struct id key;
	uint32_t customer; /* SALES_NONE: a stranger */
	uint32_t order;	   /* in which it was read */
	int16_t week;	   /* from the start; negative before */
	bool has_margin;
	int64_t at_ms; /* of the record */
	int64_t margin_minor, takings_minor;
};

/* What a customer brought in a week; ascending by customer, then week. */
struct sales_week {
	uint32_t customer;
	int32_t week;
	double minor;
};

struct sales {
	int64_t start_ms;
	int weeks; /* looked at, from the start */
	struct sales_experiment experiments[SALES_EXPERIMENTS_MAX];
	size_t experiment_count;
	char **stores;
	size_t store_count, store_capacity;
	struct sales_customer *customers;
	size_t customer_count, customer_capacity;
	uint32_t *index; /* of customers, by subject */
	size_t index_size;
	struct sales_visit *visits; /* after sales_settle(): each once */
	size_t visit_count, visit_capacity;
	struct sales_week *by_week; /* after sales_settle() */
	size_t week_count;
	bool margin;	  /* by_week is margin; else takings, for a sale lacks its margin */
	int64_t last_ms;  /* the latest sale there is, in or out of what is looked at */
	long long unread; /* records that are none */
	bool full;	  /* more than SALES_MAX, or SALES_STORES_MAX */
};

/* start_ms: when treatment began. */
void sales_init(struct sales *sales, int64_t start_ms);
/* A record_fn: takes what lies between the weeks before and SALES_WEEKS_MAX. ctx: struct sales. */
void sales_take(void *ctx, const struct record *record);
/* Of each visit the last word, then sums by customer and week, for the whole weeks that are over
 * by last_ms, and at most so many. */
void sales_settle(struct sales *sales, int weeks_most);
/* Index of an experiment, and of an arm in it, made if it is new; -1: no room. */
int sales_experiment(struct sales *sales, const char *name);
int sales_arm(struct sales_experiment *experiment, const char *name);
void sales_done(struct sales *sales);

#endif
