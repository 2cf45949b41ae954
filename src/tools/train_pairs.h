/* SPDX-License-Identifier: Apache-2.0
 *
 * train_pairs.h - which categories go together: support, confidence, lift. Pure.
 */
#ifndef AISLE_TOOLS_TRAIN_PAIRS_H
#define AISLE_TOOLS_TRAIN_PAIRS_H

#include "tools/train_baskets.h"

#define PAIRS_CATEGORIES_MAX 512 /* the most bought ones */
#define PAIRS_SUPPORT_MIN 20	 /* baskets, and */
#define PAIRS_ONE_IN 1000	 /* one basket in so many, that must hold both */
#define PAIRS_MAX 2000

/* In baskets that closed before the split, where both directions of a pair are two rows. */
struct train_pair {
	uint16_t a, b;
	uint32_t with_a, with_b, both;
	double support, confidence, lift; /* both/all; both/with_a; confidence over b's own share */
	uint32_t later_both;		  /* the same in the baskets after the split */
	double later_lift;		  /* 0: too few to say */
};
struct train_pairs {
	struct train_pair *list; /* by falling confidence, then how many baskets hold both */
	size_t count;
	size_t baskets, later_baskets;
	uint32_t support_min; /* in baskets */
};
void train_pairs_make(struct train_pairs *pairs, const struct train_baskets *baskets,
    int64_t split_ms);
void train_pairs_done(struct train_pairs *pairs);

#endif
