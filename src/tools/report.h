/* SPDX-License-Identifier: Apache-2.0
 *
 * report.h - lift of each experiment over all stores, and what cards promised and brought, from what
 * collect wrote.
 */
#ifndef AISLE_TOOLS_REPORT_H
#define AISLE_TOOLS_REPORT_H

#include "hq/drifting.h"
#include "hq/figures.h"
#include "hq/lift_report.h"
#include "hq/promised.h"

struct report_options {
	const char *from; /* sqlite:FILE or postgres:DSN */
	/* whose experiments and plans count; NULL: those on record */
	const char *bundle;
	int64_t start_ms; /* these three: where no plan says otherwise */
	int weeks;
	double effect;
};
struct report {
	struct lift_report lift;
	struct figures figures;
	struct lift_money money;
	struct buf notes;  /* a line for each experiment that is not told, and why */
	bool has_promised; /* a bundle was given, and something of it settled */
	struct promised promised;
	struct drifting drifting; /* told if its now_ms is there */
	char bundle[65];	  /* its hash */
};
/* AISLE_E_INVALID, AISLE_E_IO. report_done() in any case. */
int report_run(const struct report_options *options, struct report *ret_report, struct err *err)
    AISLE_MUST_CHECK;
void report_done(struct report *report);
void report_json(const struct report *report, struct buf *out);
/* All figures but those of lift, which are lift_report_csv()'s. */
void report_csv(const struct report *report, struct buf *out);

/* One HTML file that needs nothing else. */
void report_page(const struct report *report, struct buf *out);

#endif
