/* SPDX-License-Identifier: Apache-2.0
 *
 * shrink.h - how far an action's two chances, with it and without, may be believed.
 */
#ifndef AISLE_SHRINK_H
#define AISLE_SHRINK_H

/* On the logit scale: mean of their middle, mean of their difference, and four numbers on them. */
struct shrink {
	double mid, d, a, beta, delta, lambda;
};

#endif
