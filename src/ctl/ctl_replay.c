/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_replay.c - the engine over recorded events: replay and decide.
 *
 * DESIGN
 *   Without a bundle the store only learns: --state then makes a store that
 *   knows its customers from recorded history. The output is each decision
 *   record, one a line; beside it what headquarters was sent meanwhile
 *   (--records), or all that it would have been told up to the end of the last
 *   business day, for those who judge it (--outcomes).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/ctl.h"
#include "ctl/ctl_outcomes.h"

struct replay {
	struct ctl_recorded from;
	const char *out, *records_file, *outcomes_into; /* NULL: stdout, nowhere */
	FILE *to;
	/* NULL until the engine is open */
	struct ctl_outcomes *records, *outcomes;
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
on_record(void *ctx, enum lane lane, const char *type, int64_t at_ms, const char *json, size_t len)
{
	struct replay *replay = ctx;

	if (replay->records != NULL)
		ctl_outcomes_add(replay->records, lane, type, at_ms, json, len);
	if (replay->outcomes != NULL)
		ctl_outcomes_add(replay->outcomes, lane, type, at_ms, json, len);
}

/* What a business day has to say at its end is said, which is no part of what the events led to. A window of days may
 * end behind all that is known: whether it was bought then nobody can say. */
static int
end_day(struct replay *replay)
{
	struct err err = { 0 };
	int64_t left;
	int rc = ctl_outcomes_close(replay->records);

	replay->records = NULL;
	if (rc != EX_OK || replay->outcomes == NULL)
		return rc;
	if (recorded_end_day(replay->from.recorded, &err) != 0)
		return ctl_fail_err(&err);
	left = recorded_unsettled(replay->from.recorded);
	if (left > 0)
		fprintf(stderr,
		    "%lld actions on shortlists have windows that end after the recording: what "
		    "came of them is not told\n",
		    (long long)left);
	return EX_OK;
}

static int
open_records(struct replay *replay)
{
	int rc = EX_OK;

	if (replay->records_file != NULL)
		rc = ctl_outcomes_open(&replay->from, replay->records_file, true, &replay->records);
	if (rc == EX_OK && replay->outcomes_into != NULL)
		rc = ctl_outcomes_open(&replay->from, replay->outcomes_into, false,
		    &replay->outcomes);
	return rc;
}

static int
close_records(struct replay *replay, int rc)
{
	int records = ctl_outcomes_close(replay->records),
	    outcomes = ctl_outcomes_close(replay->outcomes);

	return rc != EX_OK ? rc : records != EX_OK ? records : outcomes;
}

static int
run(struct ctl *ctl, struct replay *replay)
{
	bool told = replay->records_file != NULL || replay->outcomes_into != NULL;
	struct recorded_options options = {
		.on_decision = on_decision, .on_record = told ? on_record : NULL, .ctx = replay
	};
	int rc = ctl_recorded_open(ctl, &replay->from, &options);

	if (rc == EX_OK)
		rc = ctl_recorded_output(&replay->from, replay->out, &replay->to);
	if (rc == EX_OK)
		rc = open_records(replay);
	if (rc == EX_OK)
		rc = ctl_recorded_run(&replay->from, false);
	if (rc == EX_OK)
		rc = end_day(replay);
	if (rc == EX_OK && replay->last_only) {
		if (replay->last.len == 0)
			rc = ctl_fail(EX_DATAERR,
			    "no event of this file starts a decision under this policy");
		else
			fprintf(replay->to, "%s\n", replay->last.data);
	}
	if (replay->to != NULL && (fflush(replay->to) != 0 || ferror(replay->to)))
		rc = ctl_fail(EX_IOERR, "the decisions cannot be written");
	if (replay->out != NULL && replay->to != NULL)
		fclose(replay->to);
	rc = close_records(replay, rc);
	ctl_recorded_close(&replay->from);
	buf_done(&replay->last);
	return rc;
}

static int
start(struct ctl *ctl, struct replay *replay)
{
	int rc = ctl_recorded_options(ctl, &replay->from);

	replay->out = ctl_option(ctl, "--out");
	if (!replay->last_only) {
		replay->records_file = ctl_option(ctl, "--records");
		replay->outcomes_into = ctl_option(ctl, "--outcomes");
	}
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
