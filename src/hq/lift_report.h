/* SPDX-License-Identifier: Apache-2.0
 *
 * lift_report.h - from customers and their weeks to what may be said of each experiment.
 */
#ifndef AISLE_HQ_LIFT_REPORT_H
#define AISLE_HQ_LIFT_REPORT_H

#include "core/buf.h"
#include "core/json_write.h"
#include "hq/sales.h"
#include "learn/lift.h"

#define LIFT_CAPS 3 /* none, 99.9 %, 99 % */
#define LIFT_LOOKS_MAX SALES_WEEKS_MAX
/* The control group of the whole policy, told beside the experiments. */
#define LIFT_CONTROL "control group"

/* What is declared of an experiment. Its first arm is what the others are held against. */
struct lift_plan {
	const char *experiment; /* NULL: the control group */
	const char *arms[SALES_ARMS_MAX];
	double shares[SALES_ARMS_MAX]; /* of the arms, adding to 1; the first 0: not known */
	size_t arm_count;
	int64_t start_ms;
	int weeks;     /* planned */
	double effect; /* in minor units per customer and week; 0: none is declared */
	double alpha;
	const char *ring;   /* only customers whose first store is in it; NULL: of all stores */
	const bool *stores; /* with a ring: which of sales' stores those are */
};
/* Which arm a customer would be in, for those who were not there since the start; -1: none. */
typedef int (*lift_assign_fn)(void *ctx, const struct lift_plan *plan, const struct id *subject);

/* Why nothing is told. X(constant, name) */
#define LIFT_SILENCES(X) \
	X(TOLD, "told") \
	X(CANNOT_TELL, "cannot-tell") /* the interval is wider than the planned effect */ \
	X(NO_EFFECT, "no-planned-effect") \
	X(NO_WEEK, "no-week-over") \
	X(FEW, "too-few-customers")	/* under LIFT_CUSTOMERS_MIN in an arm */ \
	X(TAIL, "few-customers-decide") /* skewed under each cap */ \
	X(SHARES, "not-as-drawn")	/* the arms are not of the sizes that were declared */
enum lift_silence {
#define X(constant, name) LIFT_##constant,
	LIFT_SILENCES(X)
#undef X
	    LIFT_SILENCE_COUNT
};
extern const char *const lift_silence_names[LIFT_SILENCE_COUNT];

struct lift_look {
	int week;
	double diff, se, df; /* per customer, from the start to then */
	double per_week;     /* the same per customer and week, and its interval */
	double low, high;
	double other_low, other_high; /* for other stores like these; both 0: too few to say */
	double variance;	      /* of the residual weekly mean */
	size_t strata;
	bool fixed; /* at the planned end, to be looked at once */
};
/* Of [0] the control, [1] the treated arm, at the last look. */
struct lift_arm {
	const char *name;
	double customers, per_customer, before;
};
struct lift_comparison {
	struct lift_plan plan; /* names are the report's */
	struct lift_arm arms[2];
	struct lift_look *looks;
	size_t look_count;
	int cap;	  /* 0 none, 1: 99.9 %, 2: 99 % */
	double cap_minor; /* of a customer and week; 0: none */
	double cut;	  /* share of the money that it cuts */
	double skew, theta;
	double smallest;     /* effect that is found three times in four; 0: not known */
	double times;	     /* so many times these stores; 0: not known */
	double weeks_needed; /* of these stores; 0: never, or not known */
	bool has_bayes;
	double log_bayes; /* of the sizes of the arms, against those declared */
	size_t stores;
	long long mixed, two_arms, no_arm, strangers; /* left out: customers; visits of strangers */
	bool margin;
	enum lift_silence silence;
};

struct lift_report {
	struct lift_comparison *comparisons;
	size_t count, capacity;
	long long sales, unread;
	int64_t last_ms;
};
/* Adds a comparison for each arm of the plan but the first. sales: settled, of the plan's start.
 * assign NULL: arms are only on record. */
void lift_report_add(struct lift_report *report, const struct sales *sales,
    const struct lift_plan *plan, lift_assign_fn assign, void *ctx);
void lift_report_done(struct lift_report *report);

/* ---- in words, JSON, CSV ---- */

/* Of what money is counted in. */
struct lift_money {
	char currency[8]; /* "": minor units */
	int digits;
};
void lift_money_text(const struct lift_money *money, double minor, char out[static 40]);
void lift_sentence(const struct lift_comparison *comparison, const struct lift_money *money,
    struct buf *out);
/* As members of what is being written. */
void lift_report_json(const struct lift_report *report, const struct lift_money *money,
    struct json_writer *w);
void lift_report_csv(const struct lift_report *report, struct buf *out);

#endif
