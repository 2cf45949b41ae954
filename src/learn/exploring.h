/* SPDX-License-Identifier: Apache-2.0
 *
 * exploring.h - what a store's day may spend on looking: a share of what its cards are worth.
 */
#ifndef AISLE_LEARN_EXPLORING_H
#define AISLE_LEARN_EXPLORING_H

#include <stdbool.h>
#include <stdint.h>

#define EXPLORING_SHARE 0.01
#define EXPLORING_COST_MIN 0.01 /* minor units a slot */

/* Inverse-gap weighting (Abe and Long 1999; Foster and Rakhlin, arXiv 2002.04926): priorities, the
 * largest first, become chances. What a slot so costs, below cost_max, comes back. */
double exploring_weigh(const double *priorities, int count, double cost_max, double *ret_p);

/* What a slot is worth, from what was seen: b0 stands for 200 decisions of the bundle's; sum and n
 * are Σ(best − interrupt)⁺ and the number of counted decisions. */
double exploring_worth(double b0, double sum, int64_t n);
/* cost_max of a day from what was seen before it. */
double exploring_cost_max(double share, double b0, double sum, int64_t n);

/* A day's account. Beyond twice its share of what the day's slots were worth the store looks no more. */
struct exploring_day {
	double spent; /* Σ over slots of Σp(a)(best − g_a) */
	double worth; /* Σ(best − interrupt)⁺ */
	double may;   /* Σ share · (best − interrupt)⁺: arms may have shares of their own */
	int64_t slots;
	bool over; /* too much was spent: what comes after that costs nothing */
};
void exploring_count(struct exploring_day *day, double share, double spent, double worth);
bool exploring_exhausted(const struct exploring_day *day);

#endif
