/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_shrink.c - aislectl hq shrink: how far the chances of actions may be believed.
 */
#include <stdio.h>
#include <sysexits.h>

#include "core/file.h"
#include "core/when.h"
#include "ctl/ctl.h"
#include "hq/reading.h"
#include "hq/settled.h"

static int
write_out(const struct settled *settled, const char *output)
{
	struct buf json = { 0 }, text = { 0 };
	struct err err = { 0 };
	int rc = EX_OK;

	settled_json(settled, &json);
	settled_text(settled, &text);
	if (file_write(output, json.data, json.len, 0644, false, &err) != 0)
		rc = ctl_fail_err(&err);
	else if (text.len > 0)
		fputs(text.data, stdout);
	buf_done(&json);
	buf_done(&text);
	return rc;
}

int
ctl_hq_shrink(struct ctl *ctl)
{
	const char *from = ctl_option(ctl, "--from"), *since = ctl_option(ctl, "--since"),
		   *output = ctl_option(ctl, "-o");
	struct settled settled;
	struct err err = { 0 };
	int32_t days = 0;
	int rc = ctl_words(ctl, 0, 0);

	if (rc == EX_OK && (from == NULL || output == NULL))
		rc = ctl_usage(ctl);
	if (rc == EX_OK && since != NULL && !when_date(since, &days))
		rc = ctl_fail(EX_USAGE, "--since %s: expected a day, as in 2026-10-05", since);
	settled_init(&settled, days * D_MS);
	if (rc == EX_OK && reading(from, "decision", "settled", settled_take, &settled, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK && settled.full)
		rc =
		    ctl_fail(EX_DATAERR, "%s: over %d rows or %d actions, expected fewer (--since)",
			from, SETTLED_MAX, SHRINK_ACTIONS_MAX);
	if (rc == EX_OK)
		settled_estimate(&settled);
	if (rc == EX_OK && settled.row_count == 0)
		rc = ctl_fail(EX_DATAERR, "%s: nothing has settled there, expected such records",
		    from);
	if (rc == EX_OK)
		rc = write_out(&settled, output);
	settled_done(&settled);
	return rc;
}
