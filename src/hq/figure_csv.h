/* SPDX-License-Identifier: Apache-2.0
 *
 * figure_csv.h - the report's figures beside lift, one a line.
 */
#ifndef AISLE_HQ_FIGURE_CSV_H
#define AISLE_HQ_FIGURE_CSV_H

#include "core/buf.h"

void figure_csv_head(struct buf *out);
/* A count, or a sum. */
void figure_csv(struct buf *out, const char *by, const char *of, const char *figure, double value);
/* A mean or a ratio; half 0: without an interval. */
void figure_csv_value(struct buf *out, const char *by, const char *of, const char *figure,
    double value, double se, double half);

#endif
