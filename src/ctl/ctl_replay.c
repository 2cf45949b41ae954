/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_replay.c - the engine over recorded events: replay and decide.
 *
 * DESIGN
 *   Without a bundle the store only learns: --state then makes a store that
 *   knows its customers from recorded history. The output is each decision
 *   record, one a line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/ctl.h"
#include "ctl/ctl_recorded.h"

struct replay {
	struct ctl_recorded from;
	const char *out, *records;
	FILE *to, *records_to;
	bool last_only;
	struct buf last;
};

static void
on_decision(void *ctx, const char *json, size_t len)
{
	struct replay *replay = ctx;

	if (replay->last_only) {
		buf_clear(&replay->last);
		buf_add(&replay->last, json, len);
		return;
	}
	fwrite(json, 1, len, replay->to);
	fputc('\n', replay->to);
}

static void
on_record(void *ctx, const char *json, size_t len)
{
	const struct replay *replay = ctx;

	fwrite(json, 1, len, replay->records_to);
	fputc('\n', replay->records_to);
}

/* It is all there, or the command has failed. */
static int
close_output(FILE *to, const char *path, const char *what, int rc)
{
	if (to != NULL && (fflush(to) != 0 || ferror(to)))
		rc = ctl_fail(EX_IOERR, "%s cannot be written", what);
	if (path != NULL && to != NULL)
		fclose(to);
	return rc;
}

static int
run(struct ctl *ctl, struct replay *replay)
{
	struct recorded_options options = { .on_decision = on_decision,
		.on_record = replay->records != NULL ? on_record : NULL,
		.ctx = replay };
	int rc = ctl_recorded_open(ctl, &replay->from, &options);

	if (rc == EX_OK)
		rc = ctl_recorded_output(&replay->from, replay->out, &replay->to);
	if (rc == EX_OK && replay->records != NULL)
		rc = ctl_recorded_output(&replay->from, replay->records, &replay->records_to);
	if (rc == EX_OK)
		rc = ctl_recorded_run(&replay->from, false);
	if (rc == EX_OK && replay->last_only) {
		if (replay->last.len == 0)
			rc = ctl_fail(EX_DATAERR,
			    "no event of this file starts a decision under this policy");
		else
			fprintf(replay->to, "%s\n", replay->last.data);
	}
	rc = close_output(replay->to, replay->out, "the decisions", rc);
	rc = close_output(replay->records_to, replay->records, "the records", rc);
	ctl_recorded_close(&replay->from);
	buf_done(&replay->last);
	return rc;
}

static int
start(struct ctl *ctl, struct replay *replay)
{
	int rc = ctl_recorded_options(ctl, &replay->from);

	replay->out = ctl_option(ctl, "--out");
	replay->records = ctl_option(ctl, "--records");
	replay->from.state = ctl_option(ctl, "--state");
	replay->from.after = ctl_option(ctl, "--after");
	if (rc != EX_OK)
		return rc;
	if ((replay->from.bundle == NULL && replay->from.state == NULL &&
		replay->from.after == NULL) ||
	    replay->from.events == NULL)
		return ctl_usage(ctl);
	if (replay->from.state != NULL && replay->from.after != NULL)
		return ctl_fail(EX_USAGE,
		    "--state is written to, and --after is not: expected one of them");
	rc = ctl_words(ctl, 0, 0);
	return rc == EX_OK ? run(ctl, replay) : rc;
}

int
ctl_replay(struct ctl *ctl)
{
	struct replay replay = { 0 };

	return start(ctl, &replay);
}

int
ctl_decide(struct ctl *ctl)
{
	struct replay replay = { .last_only = true };

	return start(ctl, &replay);
}
