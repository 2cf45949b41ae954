/* SPDX-License-Identifier: Apache-2.0
 *
 * train_calibrate.h - from margins and what came of them to a calibration: Platt or isotonic. Pure.
 */
#ifndef AISLE_TOOLS_TRAIN_CALIBRATE_H
#define AISLE_TOOLS_TRAIN_CALIBRATE_H

#include "score/model.h"

/* Platt (1999): a and b of 1/(1+exp(-(a·margin+b))) by maximum likelihood, with a trace of a ridge.
 * false: the rows say that a higher margin is not more likely. */
bool calibrate_platt(const double *margins, const uint8_t *y, size_t rows, struct calibration *ret);
/* Isotonic regression: pooled neighbours (Ayer et al. 1955), each block drawn towards the base rate
 * by one row, at most 64 points. Its arrays are the caller's: calibrate_done. */
void calibrate_isotonic(const double *margins, const uint8_t *y, size_t rows,
    struct calibration *ret);
/* The kind of least log loss on the second half of the rows (in their order) when made from the
 * first, then made from all. None, unless Platt is better by more than the standard error; Platt,
 * unless isotonic is so. */
void calibrate_choose(const double *margins, const uint8_t *y, size_t rows,
    struct calibration *ret);
double calibrate_chance(const struct calibration *calibration, double margin);
void calibrate_done(struct calibration *calibration);

#endif
