/* SPDX-License-Identifier: Apache-2.0
 *
 * lift_internal.h - one comparison under way.
 */
#ifndef AISLE_HQ_LIFT_INTERNAL_H
#define AISLE_HQ_LIFT_INTERNAL_H

#include "hq/lift_report.h"

#define LIFT_NO_ARM 2 /* a customer's arm here: 0 control, 1 treated */

struct lift_work {
	const struct sales *sales;
	struct lift_comparison *comparison;
	uint8_t *arm;		  /* of each customer */
	double caps[LIFT_CAPS];	  /* INFINITY: none */
	struct lift_sums *stores; /* of each, control and treated */
	struct lift_sums *strata; /* the same of those that are large enough */
	size_t strata_count;
	struct lift_sums total[2];
};

/* Behind the rows of by_week of the customer whose first is at. */
size_t lift_rows_end(const struct sales *sales, size_t at);
/* stores and total, of those who were seen before the end of so many weeks. */
void lift_add_up(struct lift_work *work, int weeks, double cap);
/* The first cap under which no few customers decide. false: none is. */
bool lift_choose_cap(struct lift_work *work, int weeks);
/* false: too few, or nobody differs from anybody. */
bool lift_look_at(struct lift_work *work, int week, struct lift_look *ret);

#endif
