/* SPDX-License-Identifier: Apache-2.0
 *
 * off_policy.h - what another policy would have earned, from the log of this one; and what the
 * cards that were shown did earn.
 */
#ifndef AISLE_LEARN_OFF_POLICY_H
#define AISLE_LEARN_OFF_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "learn/clustered.h"

#define OPE_WEIGHT_MAX 20.0
#define OPE_COVERED_MIN 0.9
#define OPE_CUSTOMERS_MIN 100
#define OPE_ROWS_MIN 200      /* of equal weight, that the log amounts to */
#define OPE_IPS_ROWS_MIN 1000 /* and for an interval of plain weights */
#define OPE_SE_OFF 4.0

/* What one decision could have shown. A list has `nothing` as its last. */
struct ope_choice {
	double p;	     /* by which it was drawn */
	double pi;	     /* by which the candidate would */
	double q;	     /* expected reward, had it been drawn */
	double margin, cost; /* of the outcome; 0 of nothing */
};

/* Sums of a customer's decisions. Begins as zeros. */
struct ope_customer {
	double n, w, w2, wr, clipped, direct, dr, covered, low, high;
};
/* A counted, drawn decision: drawn is an index, reward what the shortlist brought. The candidate's
 * share of what the log never draws is moved to the last choice; the mean of low and high is what
 * that may be wrong by. */
void ope_add(struct ope_customer *customer, const struct ope_choice *choices, size_t count,
    size_t drawn, double reward);

enum ope_refusal {
	OPE_SOUND,
	OPE_UNCOVERED,	   /* less than OPE_COVERED_MIN of the candidate's share was ever drawn */
	OPE_FEW_CUSTOMERS, /* under OPE_CUSTOMERS_MIN */
	OPE_FEW_ROWS,	   /* under OPE_ROWS_MIN */
	OPE_WEIGHTS_OFF,   /* the mean weight is not what is covered: p is not what was drawn by */
};

struct ope {
	struct clustered ips, snips, clipped, direct, dr, weight;
	double covered, n_eff;
	double low, high; /* to be added to an interval's ends */
	size_t customers;
	enum ope_refusal refusal;
};
void ope_conclude(const struct ope_customer *customers, size_t count, struct ope *ret);
/* Two policies over the same decisions, by the doubly robust value: a's less b's. */
struct clustered ope_difference(const struct ope_customer *a, const struct ope_customer *b,
    size_t count);

/* ---- what was promised, and what came ---- */

struct shown_card {
	double p, p0, margin, cost, gain;
	bool shown, y;
};
struct realised_customer {
	double n, realised, promised, difference;
};
/* control: the share of customers who get no cards. Chances in 0..1, p · (1 − control) below 1. */
void realised_add(struct realised_customer *customer, const struct shown_card *cards, size_t count,
    double control);
struct realised {
	struct clustered realised, promised, difference;
};
void realised_conclude(const struct realised_customer *customers, size_t count,
    struct realised *ret);

#endif
