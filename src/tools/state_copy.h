/* SPDX-License-Identifier: Apache-2.0
 *
 * state_copy.h - a state folder's rows and keys in a folder of our own, which goes with us.
 */
#ifndef AISLE_TOOLS_STATE_COPY_H
#define AISLE_TOOLS_STATE_COPY_H

#include "aisle/base.h"

struct state_copy {
	char dir[4096]; /* in $TMPDIR; "": there is none */
};

/* The folder itself is only locked, while it is copied, and read. AISLE_E_NONE: there is no state, AISLE_E_FULL: a daemon
 * uses it, AISLE_E_IO. */
int state_copy_make(struct state_copy *copy, const char *from, struct err *err) AISLE_MUST_CHECK;
/* With all that a store that was opened there has made, and in any case. */
void state_copy_done(struct state_copy *copy);

#endif
