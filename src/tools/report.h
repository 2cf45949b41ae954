/* SPDX-License-Identifier: Apache-2.0
 *
 * report.h - lift of each experiment over all stores, from what collect wrote.
 */
#ifndef AISLE_TOOLS_REPORT_H
#define AISLE_TOOLS_REPORT_H

#include "hq/lift_report.h"

struct report_options {
	const char *from; /* sqlite:FILE or postgres:DSN */
	const char
	    *policy;	  /* a bundle, whose experiments and plans count; NULL: what is on record */
	int64_t start_ms; /* these three: where no plan says otherwise */
	int weeks;
	double effect;
};
/* notes: a line for each experiment that is not told, and why. AISLE_E_INVALID, AISLE_E_IO. */
int report_run(const struct report_options *options, struct lift_report *ret_report,
    struct lift_money *ret_money, struct buf *notes, struct err *err) AISLE_MUST_CHECK;

/* One HTML file that needs nothing else. */
void report_page(const struct lift_report *report, const struct lift_money *money,
    const struct buf *notes, struct buf *out);

#endif
