/* SPDX-License-Identifier: Apache-2.0
 *
 * memo.h - what one decision has worked out and the next can use again: draws, and what stands in
 * its record: numbers and texts as JSON.
 *
 * Private to src/decide. Pure functions' results only: forgetting any of it changes no decision.
 */
#ifndef AISLE_DECIDE_MEMO_H
#define AISLE_DECIDE_MEMO_H

#include "decide/decide.h"

#define DRAWS 2048    /* a dozen lanes, two slots, the usual shortlist, several times over */
#define KNOWN_LOG2 10 /* of the two below */
#define NUMBERS \
	(1 << KNOWN_LOG2) /* the factors of a hundred candidates come again with the next scanned line */
#define TEXTS (1 << KNOWN_LOG2) /* ids and clauses */

struct draw {
	struct id visit;
	const char *action, *treatment; /* NULL: empty */
	int place, slot;
	double u;
};

struct number_text {
	uint64_t bits;
	uint8_t len;   /* 0: empty */
	char text[23]; /* no zero behind it; a longer one is not kept */
};

#define QUOTED_MAX 118
struct quoted_text {
	const char *text; /* the policy's own; NULL: empty */
	uint16_t len;
	char quoted[QUOTED_MAX]; /* in quotes, escaped; a longer one is not kept */
};

/* The place of a number or text: the top bits of the product hang on all of its bits, also where
 * the lower half is zero, as in whole numbers. */
static inline size_t
known_place(uint64_t bits)
{
	return (size_t)(bits * UINT64_C(0x9e3779b97f4a7c15) >> (64 - KNOWN_LOG2));
}

struct draw_cache {
	struct draw draws[DRAWS];
	struct number_text numbers[NUMBERS];
	struct quoted_text texts[TEXTS];
};

#endif
