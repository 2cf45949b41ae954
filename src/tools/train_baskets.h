/* SPDX-License-Identifier: Apache-2.0
 *
 * train_baskets.h - every closed basket of the recorded events: when, whose, which categories.
 */
#ifndef AISLE_TOOLS_TRAIN_BASKETS_H
#define AISLE_TOOLS_TRAIN_BASKETS_H

#include "tools/feature_rows.h"
#include "tools/train_index.h"

/* Together about 120 MB. */
#define TRAIN_BASKETS_MAX 500000
#define TRAIN_CUSTOMERS_MAX 300000
#define TRAIN_CATEGORIES_MAX 2048
#define TRAIN_USES_MAX 16000000

struct train_basket {
	int64_t at_ms;	  /* closed */
	int64_t next_ms;  /* the same customer's next; INT64_MAX: none */
	int32_t customer; /* -1: nobody who agreed to be known and remembered */
	uint32_t first;	  /* of its categories */
	uint16_t count;
};

struct policy;
struct visit;
struct marks;
struct train_baskets {
	const struct policy *policy; /* of the engine that is listened to: what is sensitive */
	struct train_basket *list;   /* in order of closing */
	size_t count, capacity;
	uint16_t *uses; /* categories of all baskets, one basket's ascending */
	size_t use_count, use_capacity;
	struct train_index categories, customers, visits; /* visits: the basket's number */
	size_t unnamed; /* lines whose category no feature could name */
	bool full;	/* one of the bounds was met: what came after is not in here */
};
void train_baskets_init(struct train_baskets *baskets);
void train_baskets_done(struct train_baskets *baskets);
/* A feature_row_fn over aisle.basket.closed; ctx is the struct train_baskets. */
void train_baskets_take(void *ctx, const struct feature_row *row);
/* A returned_fn: what came back was not bought. */
void train_baskets_returned(void *ctx, const struct visit *visit, const struct marks *marks);
/* Once all are in: next_ms. */
void train_baskets_link(struct train_baskets *baskets);
bool train_basket_has(const struct train_baskets *baskets, size_t basket, uint16_t category);
/* All categories, the one in most baskets first, equal ones by number; known: of customers only; closed before until_ms.
 * categories.count of them, for the caller to free. */
struct train_rank {
	uint16_t category;
	uint32_t baskets;
};
struct train_rank *train_baskets_rank(const struct train_baskets *baskets, bool known,
    int64_t until_ms);
const char *train_category(const struct train_baskets *baskets, size_t category);
/* The length of a line's category as far as we go: two steps of its path; 0: it has none. */
size_t train_category_len(const char *path);

#endif
