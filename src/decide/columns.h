/* SPDX-License-Identifier: Apache-2.0
 *
 * columns.h - plain candidates are gated together: columns.c; columns_touched.c knows whom contact policy may close.
 */
#ifndef AISLE_DECIDE_COLUMNS_H
#define AISLE_DECIDE_COLUMNS_H

#include "decide/run.h"

/* Who takes part in this decision; before its first placement. */
void columns_init(struct run *run);
/* The fate of all that take part in this placement, with its clause; of who is not closed
 * columns_passed() says it. */
void columns_gate(struct run *run, enum placement place);
static inline bool
columns_take(const struct run *run, size_t i)
{
	size_t action = (size_t)(run->decision->candidates[i].action - run->policy->actions);

	return (run->columns.plain[action / 64] >> action % 64 & 1) != 0;
}
/* Of one that takes part: true: it has passed, and its one option is filled. */
bool columns_passed(struct run *run, size_t i);

/* The first that is open; false: nobody is. */
bool columns_first(const struct column_run *now, size_t *ret_action);
/* Those whom contact_gate() has to be asked about; it passes all others that take part. */
const uint64_t *columns_touched(struct run *run, enum placement place);
/* Behind a winner, for columns_stay(). */
void columns_again(struct run *run);
/* Of one that has passed: is it sure that no winner closes it (gate_again)? */
static inline bool
columns_stay(const struct run *run, size_t i)
{
	const struct column_run *now = &run->columns;
	size_t action = (size_t)(run->decision->candidates[i].action - run->policy->actions);

	return now->roomy && (now->plain[action / 64] >> action % 64 & 1) != 0 &&
	    (now->touched[action / 64] >> action % 64 & 1) == 0;
}

#endif
