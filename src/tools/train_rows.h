/* SPDX-License-Identifier: Apache-2.0
 *
 * train_rows.h - the rows that models learn from: what was known at a moment, kept until what came
 * of it is known.
 */
#ifndef AISLE_TOOLS_TRAIN_ROWS_H
#define AISLE_TOOLS_TRAIN_ROWS_H

#include "tools/train_features.h"

#define TRAIN_ROWS_MAX 100000  /* visits of known customers; of more, an even share */
#define TRAIN_CARDS_MAX 50000  /* shown offers */
#define TRAIN_PENDING_MAX 2000 /* rows of baskets that are still open, for offers */

/* A customer who was recognised at a basket, at that moment. */
struct train_row {
	int64_t at_ms;
	uint32_t basket;
};
/* An offer that was shown, at the moment it was decided. */
struct train_card {
	struct id prompt;
	int64_t at_ms;
	int32_t action; /* in actions */
	int32_t customer;
	bool redeemed;
};
struct train_pending;

struct train_rows {
	const struct train_baskets *baskets;
	const struct train_features *features;
	const bool *agreed; /* per customer: has not taken consent back since; NULL: all */
	int *column;	    /* of the row's values: in features; -1 */
	struct train_row *list;
	double *x; /* rows × features->count; NaN is missing */
	size_t count;
	bool *seen;	/* per basket */
	uint64_t share; /* of visits that are taken, of 2^64 - 1 */
	struct train_card *cards;
	double *card_x;
	size_t card_count;
	struct train_index actions;
	struct train_pending *pending;
	size_t pending_count;
	bool offers; /* look for shown offers, too */
	bool full;
};
/* The event types that rows->take needs. */
uint32_t train_rows_types(const struct policy *policy, bool offers);
void train_rows_init(struct train_rows *rows, const struct train_baskets *baskets,
    const struct train_features *features, bool offers);
void train_rows_done(struct train_rows *rows);
/* Once the engine has its policy: which value is which feature. */
void train_rows_attach(struct train_rows *rows, const struct feature_rows *source);
/* a feature_row_fn; ctx: the struct train_rows */
void train_rows_take(void *ctx, const struct feature_row *row);
/* A returned_fn: an offer whose goods all came back was not redeemed. */
void train_rows_returned(void *ctx, const struct visit *visit, const struct marks *marks);
/* Up to max actions into chosen, by falling number of shown offers, equal ones by number. Returns how many. */
size_t train_rows_most_shown(const struct train_rows *rows, size_t *chosen, size_t max);

#endif
