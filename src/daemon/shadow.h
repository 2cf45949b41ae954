/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow.h - a candidate policy and the one in force over the store's own last sales, in a child
 * process.
 *
 * What is replayed are the closed baskets of the last days that the state still holds, as till
 * events, with the customers as they were known before the first of them (purchases, contacts; of
 * consent, tier and profile there is only today's). Nobody answers a card there, and no till says
 * anything of an offer. What left no trace in a basket is not in it: voids, refused payments,
 * queues, stock.
 */
#ifndef AISLE_DAEMON_SHADOW_H
#define AISLE_DAEMON_SHADOW_H

#include "core/json_write.h"
#include "daemon/daemon.h"
#include "nouns/visit.h"

#define SHADOW_VISITS_MAX 300
#define SHADOW_EVENTS_MAX 8192
#define SHADOW_BYTES_MAX (8u << 20) /* of what is known of the customers */
#define SHADOW_DAYS 7
/* With fewer decisions of the policy in force a ratio says nothing. */
#define SHADOW_DECISIONS_MIN 100

struct shadow_tally {
	int64_t decisions, cards;
	int64_t pressure; /* candidates that caps or budgets closed */
	double discount;  /* minor units: what the cards' offers are expected to cost */
	double p99_ms;	  /* of an event's turn */
};

struct shadow_report {
	int64_t visits, events;
	/* triggers at which either of the two decided, and those of them with the same top card */
	int64_t decisions, same;
	struct shadow_tally now, next; /* the policy in force; the candidate */
};

/* ---- shadow_story.c: sales as recorded events ---- */

struct shadow_event {
	int64_t at_ms;
	size_t visit, order;
	char *line;
	size_t len;
};
struct shadow_story {
	struct shadow_event *events; /* ascending by time */
	size_t count, capacity;
};
void shadow_story_add(struct shadow_story *story, const struct visit *visit, size_t number,
    const char *store, const char *currency);
void shadow_story_sort(struct shadow_story *story);
void shadow_story_done(struct shadow_story *story);

/* ---- shadow_run.c: in the child ---- */

/* What is known of a customer, as rows. */
struct shadow_row {
	int kind; /* of the log; 0: the customer's own row; -1: headquarters' */
	int64_t at_ms;
	size_t at, len; /* in the bytes of all */
};
struct shadow_customer {
	struct id id;
	struct shadow_row *rows;
	size_t row_count, row_capacity;
};
struct shadow_input {
	const struct conf *conf;
	const uint8_t *key;	  /* of images */
	char now[512], next[512]; /* bundles: of the policy in force, the candidate's */
	struct shadow_story story;
	struct shadow_customer *customers; /* ascending by id */
	size_t customer_count;
	struct buf bytes;
	int64_t begin_ms; /* of the first sale: of a log only what is older counts */
	bool *candidate;  /* shared: it is the candidate's turn */
};
struct shadow_answer {
	struct shadow_report report;
	struct err err;
};
void shadow_run(void *input, void *answer); /* a beside_fn */
struct shadow_customer *shadow_customer(const struct shadow_input *input, const struct id *id);

/* ---- shadow.c ---- */

struct shadow;
/* err: it could not be done, and code AISLE_E_REFUSED: for what the candidate did. report: of what was done, NULL
 * otherwise. */
typedef void (*shadow_fn)(void *ctx, const struct shadow_report *report, const struct err *err);
/* path: the candidate's bundle, with its image. done is called once, later, unless it is stopped. */
struct shadow *shadow_start(struct daemon *daemon, const char *path, shadow_fn done, void *ctx);
void shadow_stop(struct shadow *shadow); /* NULL is fine */

#endif
