/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_outcomes.h - the records that a recorded store would have sent to headquarters.
 */
#ifndef AISLE_CTL_CTL_OUTCOMES_H
#define AISLE_CTL_CTL_OUTCOMES_H

#include "ctl/ctl_recorded.h"

struct ctl_outcomes;
/* into: "sqlite:FILE", a new one, with the table of `collect`; else a file of JSON lines with its columns, or bare: of
 * lane, type, at and body. A sysexits code, after saying what is wrong. */
int ctl_outcomes_open(const struct ctl_recorded *from, const char *into, bool bare,
    struct ctl_outcomes **ret_outcomes);
/* ctx: of them */
void ctl_outcomes_add(void *ctx, enum lane lane, const char *type, int64_t at_ms, const char *json,
    size_t len);
int ctl_outcomes_close(struct ctl_outcomes
	*outcomes); /* NULL is fine; all is written if it is EX_OK */

#endif
