/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_features.c - features: training rows of recorded events, as CSV.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/ctl.h"
#include "ctl/ctl_recorded.h"
#include "tools/feature_rows.h"

struct writer {
	FILE *to;
	struct buf line;
};

static void
on_row(void *ctx, const struct feature_row *row)
{
	struct writer *writer = ctx;

	buf_clear(&writer->line);
	feature_row_csv(row, &writer->line);
	fwrite(writer->line.data, 1, writer->line.len, writer->to);
}

static int
write_rows(struct ctl_recorded *from, uint32_t types, struct writer *writer)
{
	struct feature_rows *rows =
	    feature_rows_open(recorded_engine(from->recorded), types, on_row, writer);
	int rc;

	feature_rows_csv_head(rows, &writer->line);
	fwrite(writer->line.data, 1, writer->line.len, writer->to);
	rc = ctl_recorded_run(from, true);
	feature_rows_close(rows);
	return rc;
}

static int
run(struct ctl *ctl, struct ctl_recorded *from, uint32_t types, const char *out)
{
	struct recorded_options options = { 0 };
	struct writer writer = { 0 };
	int rc = ctl_recorded_open(ctl, from, &options);

	if (rc == EX_OK)
		rc = ctl_recorded_output(from, out, &writer.to);
	if (rc == EX_OK)
		rc = write_rows(from, types, &writer);
	if (writer.to != NULL && (fflush(writer.to) != 0 || ferror(writer.to)))
		rc = ctl_fail(EX_IOERR, "the rows cannot be written");
	if (out != NULL && writer.to != NULL)
		fclose(writer.to);
	ctl_recorded_close(from);
	buf_done(&writer.line);
	return rc;
}

int
ctl_features(struct ctl *ctl)
{
	struct ctl_recorded from = { 0 };
	const char *on = ctl_option(ctl, "--on"), *out = ctl_option(ctl, "-o"), *wrong;
	uint32_t types = 0;
	int rc = ctl_recorded_options(ctl, &from);

	if (rc == EX_OK)
		rc = ctl_words(ctl, 0, 0);
	if (rc != EX_OK)
		return rc;
	if (from.bundle == NULL || from.events == NULL)
		return ctl_usage(ctl);
	if (on != NULL && !feature_rows_types(on, &types, &wrong))
		return ctl_fail(EX_USAGE, "--on: \"%.*s\" is no event that can start a decision",
		    (int)strcspn(wrong, ","), wrong);
	return run(ctl, &from, types, out);
}
