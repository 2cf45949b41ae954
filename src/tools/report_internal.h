/* SPDX-License-Identifier: Apache-2.0
 *
 * report_internal.h - the parts of the report's page.
 */
#ifndef AISLE_TOOLS_REPORT_INTERNAL_H
#define AISLE_TOOLS_REPORT_INTERNAL_H

#include "tools/report.h"

void page_text(struct buf *out, const char *text);
void page_money(struct buf *out, const struct lift_money *money, double minor);
/* "is (low to high)", or why there is no interval */
void page_interval(struct buf *out, const struct clustered *value, double alpha,
    const struct lift_money *money);
/* What cards earned, by action, group, funder and ring. */
void page_earned(struct buf *out, const struct promised *promised, const struct lift_money *money);

#endif
