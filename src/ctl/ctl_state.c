/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_state.c - a state folder, without its daemon.
 */
#include "ctl/ctl.h"

#include <stdio.h>
#include <sysexits.h>

#include "core/log.h"
#include "tools/state_check.h"

int
ctl_state_check(struct ctl *ctl)
{
	struct buf out = { 0 };
	struct err err = { 0 };
	int rc = ctl_words(ctl, 1, 4);

	if (rc != EX_OK)
		return rc;
	if (ctl->argc != 1 && ctl->argc != 4)
		return ctl_usage(ctl);
	struct state_check what = { .dir = ctl->argv[0], .json = ctl->json };
	if (ctl->argc == 4) {
		what.sender = ctl->argv[1];
		what.source = ctl->argv[2];
		what.id = ctl->argv[3];
	}
	/* What the copy's own log would say, of files that nobody knows, is in what is told. */
	log_set_level(LOG_SILENT);
	rc = state_check(&what, &out, &err);
	if (out.len > 0)
		fputs(out.data, stdout);
	buf_done(&out);
	return rc == 0 ? EX_OK : rc == AISLE_E_DAMAGED ? EX_DATAERR : ctl_fail_err(&err);
}
