/* SPDX-License-Identifier: Apache-2.0
 *
 * drift.h - has a feature or a score become another than the model was made on?
 */
#ifndef AISLE_LEARN_DRIFT_H
#define AISLE_LEARN_DRIFT_H

#include <stddef.h>
#include <stdint.h>

#define DRIFT_BINS_MAX 256
#define DRIFT_CUSTOMERS_MIN 100

enum drift_verdict { DRIFT_NONE, DRIFT_TOO_FEW, DRIFT_WATCH, DRIFT_ALARM };

struct drift {
	double psi;
	double bias;	  /* of PSI, without drift: what so few rows bring by themselves */
	double corrected; /* PSI − bias */
	double statistic; /* χ² with bins − 1 degrees of freedom, without drift (Yurdakul 2018) */
	enum drift_verdict verdict;
};
/* Counts by bin: of training and of now, a row a customer and week. */
struct drift drift_of(const int64_t *base, const int64_t *now, size_t bins);

#endif
