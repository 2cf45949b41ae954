/* SPDX-License-Identifier: Apache-2.0
 *
 * simulate.h - several policies over the same recorded days, with customers whose truth is stated.
 */
#ifndef AISLE_TOOLS_SIMULATE_H
#define AISLE_TOOLS_SIMULATE_H

#include <stdio.h>

#include "core/conf.h"
#include "hq/lift_report.h"
#include "learn/clustered.h"

/* ---- the customers (simulate_model.c) ---- */

struct simulate_action {
	char *name;
	double p1, p0; /* with the card and without, of somebody in the middle who is not weary */
	double margin; /* of the outcome; < 0: as the policy says */
};
struct simulate_model {
	struct simulate_action *actions; /* ascending by name */
	size_t action_count;
	double lambda;	  /* of other actions: how much of the promised difference is so */
	double spread;	  /* of customers about the middle, on the logit scale */
	double weariness; /* what each card that was seen takes off, on that scale */
	double half_life_ms;
	double dismiss; /* the share of those who do not want it who say so */
};
/* path NULL: all comes as policies promise. AISLE_E_IO, AISLE_E_INVALID. */
int simulate_model_read(const char *path, struct simulate_model *ret, struct err *err)
    AISLE_MUST_CHECK;
void simulate_model_done(struct simulate_model *model);
/* The truth of a customer: taste in standard deviations, tired in cards that were seen of late. p1, p0: what the
 * policy promises, then what is so. margin: likewise. */
void simulate_truth(const struct simulate_model *model, const char *action, double taste,
    double tired, double *p1, double *p0, double *margin);

/* ---- one store under one policy (simulate_store.c) ---- */

struct simulate_person {
	struct id key; /* a customer, or a stranger's visit */
	bool known;
	double shown, earned, expected, promised, discount;
	/* while it runs */
	double tired;
	int64_t tired_ms;
};
struct simulate_spoken { /* an action */
	char name[129];
	double shown, came, earned, discount;
};
struct simulate_outcome {
	struct simulate_person *people; /* ascending by key */
	size_t person_count, person_capacity;
	struct simulate_spoken *actions; /* all of the policy, by id */
	size_t action_count;
	double visits;
	int64_t first_ms, last_ms; /* of the events */
};
struct simulate_job {
	const struct conf *conf;
	const struct simulate_model *model;
	const char *bundle, *events, *catalog, *profiles; /* the last two NULL: none */
	const char *store;
	const uint8_t *salt; /* of chance, 32 bytes */
	const uint8_t *pepper;
	bool policy_currency;
	bool says; /* what it could not use of its events, on stderr */
};
int simulate_store(const struct simulate_job *job, struct simulate_outcome *ret, struct err *err)
    AISLE_MUST_CHECK;
void simulate_outcome_done(struct simulate_outcome *outcome);
int simulate_outcome_write(const struct simulate_outcome *outcome, FILE *to) AISLE_MUST_CHECK;
int simulate_outcome_read(struct simulate_outcome *outcome, FILE *from) AISLE_MUST_CHECK;
/* Adds a store's to all stores' of the same policy; from is empty then. */
void simulate_outcome_add(struct simulate_outcome *into, struct simulate_outcome *from);

/* ---- many (simulate_jobs.c) ---- */

/* As many processes at a time; into[i]: of jobs[i]. progress: how many of them are done; NULL: not
 * told. */
int simulate_jobs(const struct simulate_job *jobs, size_t count, int at_once,
    struct simulate_outcome *into, void (*progress)(size_t done, size_t count), struct err *err)
    AISLE_MUST_CHECK;

/* ---- what it came to (simulate.c) ---- */

struct simulated {
	char name[129], hash[65];
	int64_t version;
	struct clustered margin, expected, promised; /* after discounts, per customer */
	struct clustered difference;		     /* of margin, from the first policy's */
	double total, discount, cards;
	double per_customer; /* cards, of known ones */
	double gini, unserved;
	size_t known, customers, silent;
	struct simulate_outcome outcome;
};
struct simulation {
	struct simulated *policies;
	size_t policy_count, store_count;
	struct simulate_model model;
	int64_t seed;
	double days;
	struct lift_money money;
};
/* outcome of each is there; the rest follows from it. */
void simulate_conclude(struct simulation *simulation);
void simulation_done(struct simulation *simulation);
void simulation_text(const struct simulation *simulation, struct buf *out);
void simulation_json(const struct simulation *simulation, struct buf *out);
/* One HTML file that needs nothing else. */
void simulation_page(const struct simulation *simulation, struct buf *out);

#endif
