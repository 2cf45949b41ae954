/* SPDX-License-Identifier: Apache-2.0
 *
 * report_internal.h - the parts of the report's page.
 */
#ifndef AISLE_TOOLS_REPORT_INTERNAL_H
#define AISLE_TOOLS_REPORT_INTERNAL_H

#include "aisle/policy.h"
#include "hq/fleet.h"
#include "tools/report.h"

#define PLANS_MAX (SALES_EXPERIMENTS_MAX + 1)

struct report_work {
	const struct report_options *options;
	struct policy *policy; /* NULL: none */
	struct arena *scratch;
	struct lift_plan plans[PLANS_MAX];
	size_t plan_count;
	struct sales sales;
	struct fleet fleet; /* the rings of stores */
	bool has_rings;
	struct buf *notes;
};

/* Plans of the control group; of the policy's experiments; of those on record. */
void report_add_control(struct report_work *run);
void report_add_experiments(struct report_work *run);
void report_add_recorded(struct report_work *run);
void report_share_alpha(struct report_work *run);
/* Reads them once, as stores said by the time of the last sale. */
int report_rings(struct report_work *run, struct err *err) AISLE_MUST_CHECK;
/* NULL: in none, or none is known. ctx: the work. */
const char *report_ring(const void *ctx, const char *store);
/* What happened in each arm of the plans and in each ring; sales are read once more. */
int report_figures(struct report_work *run, struct figures *figures, struct err *err)
    AISLE_MUST_CHECK;

/* ---- the page ---- */

void page_text(struct buf *out, const char *text);
void page_money(struct buf *out, const struct lift_money *money, double minor);
/* "is (low to high)", or why there is no interval */
void page_interval(struct buf *out, const struct clustered *value, double alpha,
    const struct lift_money *money);
/* What cards earned, by action, group, funder and ring. */
/* What happened in each arm, and in each ring of stores. */
void page_figures(struct buf *out, const struct figures *figures, const struct lift_money *money);
void page_drifting(struct buf *out, const struct drifting *drifting);
void page_earned(struct buf *out, const struct promised *promised, const struct lift_money *money);

#endif
