/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_merge.c - aislectl hq merge: what stores learned, added up.
 */
#include <stdio.h>
#include <sysexits.h>

#include "core/file.h"
#include "ctl/ctl.h"
#include "tools/merge.h"

int
ctl_hq_merge(struct ctl *ctl)
{
	const char *from = ctl_option(ctl, "--from"), *bundle = ctl_option(ctl, "--bundle"),
		   *output = ctl_option(ctl, "-o");
	struct buf json = { 0 }, text = { 0 };
	struct err err = { 0 };
	int rc = ctl_words(ctl, 0, 0);

	if (rc == EX_OK && (from == NULL || bundle == NULL || output == NULL))
		rc = ctl_usage(ctl);
	if (rc == EX_OK && merge_run(from, bundle, &json, &text, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK && file_write(output, json.data, json.len, 0644, false, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK)
		fputs(text.data, stdout);
	buf_done(&json);
	buf_done(&text);
	return rc;
}
