/* SPDX-License-Identifier: Apache-2.0
 *
 * state_check.h - a state folder, looked at without a daemon and without touching it.
 */
#ifndef AISLE_TOOLS_STATE_CHECK_H
#define AISLE_TOOLS_STATE_CHECK_H

#include "aisle/base.h"
#include "core/buf.h"

struct state_check {
	const char *dir;
	const char *sender, *source, *id; /* of an event that is looked for: "pos/7"; NULL: none */
	bool json;
};

/* What was found, appended to out as text or one JSON object; work is done on a copy in $TMPDIR, which is as large. 0: all
 * of it is sound; AISLE_E_DAMAGED: some is not. With err: AISLE_E_NONE: there is no state, AISLE_E_FULL: a daemon uses it,
 * AISLE_E_INVALID: no such sender can be, AISLE_E_REFUSED: of another version, AISLE_E_IO. */
int state_check(const struct state_check *what, struct buf *out, struct err *err) AISLE_MUST_CHECK;

#endif
