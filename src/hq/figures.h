/* SPDX-License-Identifier: Apache-2.0
 *
 * figures.h - what happened in each arm, and in each ring of stores, beside the money of lift: what a
 * visit brought and cost, who complained, what was said to cards, how long it took.
 */
#ifndef AISLE_HQ_FIGURES_H
#define AISLE_HQ_FIGURES_H

#include "core/buf.h"
#include "core/json_write.h"
#include "hq/records.h"
#include "learn/clustered.h"

#define FIGURES_CUTS_MAX 600
#define FIGURES_ROWS_MAX 20000000 /* customers, each in several cuts */
#define FIGURES_CUSTOMERS_MIN 100 /* for an interval */
#define FIGURES_ALPHA 0.05
#define FIGURES_KINDS_MAX 8 /* of surveys */

/* What is summed of a customer, or a stranger's visit. X(constant) */
/* clang-format off */
#define FIGURE_SUMS(X) \
	X(VISITS) X(TAKINGS) X(MARGIN) X(NO_MARGIN) X(DISCOUNT) X(RETURNED) X(COMPLAINTS) X(SCORE) X(SCORED) X(SECONDS) \
	X(TIMED) X(SHOWN) X(ANSWERED) X(ACCEPTED) X(DISMISSED) X(FOLLOWED) X(CARD_SECONDS)
/* clang-format on */
enum figure_sum {
#define X(constant) SUM_##constant,
	FIGURE_SUMS(X)
#undef X
	    SUM_COUNT
};

/* What is told: one sum over another, times so much. X(constant, name, words, of, over, times, money) */
/* clang-format off */
#define FIGURES(X) \
	X(TAKINGS, "takings_per_1000_visits", "takings per 1,000 visits", TAKINGS, VISITS, 1000, true) \
	X(MARGIN, "margin_per_1000_visits", "margin per 1,000 visits", MARGIN, VISITS, 1000, true) \
	X(DISCOUNT, "discount_per_1000_visits", "discount per 1,000 visits", DISCOUNT, VISITS, 1000, true) \
	X(RETURNED, "returned_per_1000_visits", "returned per 1,000 visits", RETURNED, VISITS, 1000, true) \
	X(COMPLAINTS, "complaints_per_1000_visits", "complaints per 1,000 visits", COMPLAINTS, VISITS, 1000, false) \
	X(SATISFACTION, "satisfaction", "score of surveys", SCORE, SCORED, 1, false) \
	X(SERVE, "seconds_to_serve", "seconds to serve", SECONDS, TIMED, 1, false) \
	X(SHOWN, "shown_per_1000_visits", "cards shown per 1,000 visits", SHOWN, VISITS, 1000, false) \
	X(ACCEPTED, "accepted_of_shown", "share of shown cards accepted", ACCEPTED, SHOWN, 1, false) \
	X(DISMISSED, "dismissed_of_shown", "share of shown cards dismissed", DISMISSED, SHOWN, 1, false) \
	X(FOLLOWED, "answered_without_override", "share of answers without override", FOLLOWED, ANSWERED, 1, false) \
	X(HANDLING, "associate_seconds_per_accepted", "associate's seconds per accepted card", CARD_SECONDS, ACCEPTED, 1, false)
/* clang-format on */
enum figure {
#define X(constant, name, words, of, over, times, money) FIGURE_##constant,
	FIGURES(X)
#undef X
	    FIGURE_COUNT
};
struct figure_kind {
	const char *name, *words;
	enum figure_sum of, over;
	double times;
	bool money;
};
extern const struct figure_kind figure_kinds[FIGURE_COUNT];

enum figures_of { FIGURES_ALL, FIGURES_CONTROL, FIGURES_ARM, FIGURES_RING };
/* Of everybody, of the control group or all others, of an experiment's arm, of a ring of stores. */
struct figures_cut {
	char *by, *of; /* an experiment and its arm; "ring" and its name; "all" */
	int64_t since_ms;
	enum figures_of what;
	int against; /* the cut that it is held against; -1: none */
	double n;    /* customers and strangers' visits */
	double sums[SUM_COUNT];
	struct clustered told[FIGURE_COUNT];
	bool has[FIGURE_COUNT];
	struct figure_moments {
		double yy, yx, xx;
	} moments[FIGURE_COUNT];
};

struct figures_row; /* a customer in a cut */
struct figures_visit;
struct figures_care;
/* The ring of a store; NULL: in none. */
typedef const char *(*figures_ring_fn)(const void *ctx, const char *store);

struct figures {
	struct figures_cut *cuts;
	size_t cut_count, cut_capacity;
	figures_ring_fn ring;
	const void *ctx;
	struct figures_row *rows;
	size_t row_count, row_capacity;
	uint32_t *index;
	size_t index_size;
	struct figures_visit *visits; /* of the store that is being read */
	size_t visit_count, visit_capacity;
	char store[40];
	const char *store_ring;	    /* its ring */
	struct figures_care *cares; /* kept until it is known which kind of survey is told */
	size_t care_count, care_capacity;
	char *kinds[FIGURES_KINDS_MAX]; /* of surveys */
	long long kind_counts[FIGURES_KINDS_MAX];
	size_t kind_count;
	const char *kind; /* after figures_settle(): the one whose score is told; NULL: none */
	long long unread;
	bool full;
};
/* Cuts first, then records. FIGURES_CONTROL: of is "control" or anything else. against: an earlier
 * cut's number, or -1. Returns the new one's; -1: no room. */
int figures_add_cut(struct figures *figures, enum figures_of what, const char *by, const char *of,
    int64_t since_ms, int against);
/* record_fns, in the order of stores; ctx: struct figures */
void figures_take_sale(void *ctx, const struct record *record);
void figures_take_care(void *ctx, const struct record *record);
void figures_settle(struct figures *figures);
void figures_done(struct figures *figures);

/* This cut's figure less that of the one it is held against; false: there is none, or too few to say. */
bool figures_difference(const struct figures *figures, size_t cut, enum figure figure,
    double *ret_difference, double *ret_se, double *ret_half);
double figures_half(const struct clustered
	*value); /* of an interval of 95 %; 0: too few customers */
void figures_json(const struct figures *figures, struct json_writer *w); /* a list "figures" */
void figures_csv(const struct figures *figures, struct buf *out);

#endif
