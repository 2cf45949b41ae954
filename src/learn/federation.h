/* SPDX-License-Identifier: Apache-2.0
 *
 * federation.h - what stores learned, added up at headquarters; and whose sums are left out.
 */
#ifndef AISLE_LEARN_FEDERATION_H
#define AISLE_LEARN_FEDERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEDERATION_STORES_MIN 8 /* below it what is odd is listed, and stays in */

/* Two cells are one when action, segment and arm are the same: whose they are is the caller's. */
struct federation_sum {
	int64_t n, y, p; /* rows; Q16 */
};
/* false, and unchanged: what is added is no sum, or would not fit. */
bool federation_add(struct federation_sum *sum, const struct federation_sum *more);

/* Why a store's week is odd, a set of these. */
enum federation_odd {
	ODD_MORE_YES_THAN_ROWS = 1,
	ODD_MORE_EXPECTED_THAN_ROWS = 2,
	ODD_RATIO = 4,	   /* y/P outside ⅛..8 */
	ODD_SIZE = 8,	   /* P over 20 times the median */
	ODD_UNLIKE = 16,   /* |z| > 4 */
	ODD_DOMINANT = 32, /* named only: over a quarter of ΣP */
};
#define ODD_LEFT_OUT (ODD_DOMINANT - 1)

struct federation_store {
	struct federation_sum sum; /* of one arm */
	double z;
	unsigned odd;
};
struct federation_spread {
	double median, tau2;
};
/* Fills z and odd of each. With FEDERATION_STORES_MIN stores, those with ODD_LEFT_OUT are out. */
struct federation_spread federation_judge(struct federation_store *stores, size_t count);
/* What federation_judge() computes z from: y and P in rows, not Q16. count > 0. */
struct federation_spread federation_unlike(const double *y, const double *p, size_t count,
    double *ret_z);

#endif
