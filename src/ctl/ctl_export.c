/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_export.c - aislectl export: draws and what came of them, for other people's tools.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/ctl.h"
#include "hq/reading.h"
#include "tools/export_log.h"

static int
format_of(const char *name, enum export_format *ret_format)
{
	for (int i = 0; i < EXPORT_FORMATS; i++) {
		if (strcmp(name, export_names[i]) == 0) {
			*ret_format = (enum export_format)i;
			return EX_OK;
		}
	}
	return ctl_fail(EX_USAGE, "--format %s: expected dsjson, obp-csv or csv", name);
}

static int
write_out(const struct drawn_list *list, enum export_format format, const char *output)
{
	FILE *to = output != NULL ? fopen(output, "we") : stdout;
	long long left;
	int rc = EX_OK;

	if (to == NULL)
		return ctl_fail(EX_IOERR, "%s: %s", output, strerror(errno));
	left = export_log(list, format, to);
	if (fflush(to) != 0 || ferror(to))
		rc = ctl_fail(EX_IOERR, "%s: cannot write: %s", output != NULL ? output : "stdout",
		    strerror(errno));
	if (to != stdout)
		fclose(to);
	if (rc == EX_OK && left > 0)
		fprintf(stderr,
		    "%lld draws left out: not a visit's first in its place, withheld, or not told "
		    "whole\n",
		    left);
	return rc;
}

int
ctl_export(struct ctl *ctl)
{
	const char *name = ctl_option(ctl, "--format"), *from = ctl_option(ctl, "--from"),
		   *output = ctl_option(ctl, "-o");
	enum export_format format = EXPORT_CSV;
	struct drawn_list list;
	struct err err = { 0 };
	int rc = ctl_words(ctl, 0, 0);

	if (rc == EX_OK)
		rc = name != NULL && from != NULL ? format_of(name, &format) : ctl_usage(ctl);
	drawn_init(&list);
	if (rc == EX_OK && reading(from, "decision", "settled", drawn_take, &list, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK && list.full)
		rc = ctl_fail(EX_DATAERR, "%s: over %d rows, expected fewer", from, DRAWN_MAX);
	if (rc == EX_OK && list.draw_count == 0)
		rc = ctl_fail(EX_DATAERR, "%s: nothing has settled there, expected such records",
		    from);
	if (rc == EX_OK) {
		drawn_settle(&list);
		rc = write_out(&list, format, output);
	}
	drawn_done(&list);
	return rc;
}
