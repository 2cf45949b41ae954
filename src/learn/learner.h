/* SPDX-License-Identifier: Apache-2.0
 *
 * learner.h - what a store's own answers say of headquarters' chances: a ratio for each action,
 * arm and segment, in whole numbers, that shrinks to 1 where little was seen.
 *
 * All numbers of the store's are Q16: 65536 is one. They add exactly, so that the sums of many
 * stores are what one store with all their rows would have.
 */
#ifndef AISLE_LEARN_LEARNER_H
#define AISLE_LEARN_LEARNER_H

#include <stddef.h>
#include <stdint.h>

#define Q16_ONE INT64_C(65536)
/* No sum grows beyond: 268 million outcomes. What is added to it is lost. */
#define LEARNER_SUM_MAX (INT64_C(1) << 44)
#define LEARNER_P_MAX 0.98

/* A ratio's bounds; a bundle may narrow them. */
struct learner_clip {
	int32_t low, high;
};
#define LEARNER_CLIP ((struct learner_clip){ 16384, 262144 })

enum learner_kappa { LEARNER_HQ_ALONE, LEARNER_80, LEARNER_20, LEARNER_KAPPAS };

/* ⌊65536 p⌋, p in 0..1: what a row adds to its cell's P. */
int64_t q16_of(double p);

/* A gamma-Poisson mean, floor division. y, p: Q16 sums; mu: the ratio above, Q16. */
int32_t learner_ratio(int64_t y, int64_t p, int32_t mu, enum learner_kappa kappa,
    struct learner_clip clip);

/* The chain: the store, its groups, their actions, each by arm, by segment and, where there is
 * one, by treatment or depth. A node's y and p are those of its own rows: only leaves have any. */
struct learner_node {
	int32_t above; /* index of the node above, which stands before it; the store's own: -1 */
	int64_t y, p;  /* the leaf's; learner_ratios() fills in the others' */
	int32_t ratio; /* set by learner_ratios() */
};
void learner_ratios(struct learner_node *nodes, size_t count, enum learner_kappa kappa,
    struct learner_clip clip);

/* ⌊65536 ln(ratio / 65536) + ½⌋ */
int64_t learner_log(int32_t ratio);
/* What a day's increments say for a ratio that was in force before them, against 1. */
int64_t learner_score(int64_t y, int64_t p, int32_t ratio);
/* Which κ the past has chosen; scores: S of LEARNER_80 and LEARNER_20. */
enum learner_kappa learner_choose(int64_t score_80, int64_t score_20);

/* Each seventh day: half is forgotten in eleven weeks. Of a sum or a score. */
int64_t learner_decayed(int64_t x);
/* A new bundle's P from the old one's, rebase Q16. */
int64_t learner_rebased(int64_t p, int64_t rebase);
/* Two sums, within their bound. */
int64_t learner_sum(int64_t a, int64_t b);

/* A chance by the store's ratio. */
double learner_chance(double p, int32_t ratio);
/* Chances by growing depth become such that none falls: neighbours that do are pooled, by weight. */
void learner_monotone(double *p, const double *weights, size_t count);

#endif
