/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_evaluate.c - aislectl evaluate: what another policy would have earned at the draws on record.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/when.h"
#include "ctl/ctl_recorded.h"
#include "hq/reading.h"
#include "policy/policy_load.h"
#include "sync/bundle.h"
#include "tools/evaluate.h"

struct run {
	struct ctl_recorded from;
	const char *candidate_path, *records; /* records NULL: what the replay itself tells */
	struct bundle *bundle;
	struct policy *candidate;
	struct evaluate *evaluate;
	struct drawn_list list;
};

static void
on_record(void *ctx, enum lane lane, const char *type, int64_t at_ms, const char *json, size_t len)
{
	struct run *run = ctx;
	char at[WHEN_TEXT_SIZE];
	struct buf body = { 0 };
	struct record record = { run->from.conf->store_id, "0000000000000000", recorded_lane(lane),
		type, at, NULL, 0 };

	if (run->records != NULL || strcmp(type, "settled") != 0)
		return;
	when_text(at_ms, at);
	buf_add(&body, json, len);
	record.body = body.data;
	drawn_take(&run->list, &record);
	buf_done(&body);
}

static int
open_candidate(struct run *run)
{
	struct buf report = { 0 };
	struct err err = { 0 };
	int rc = EX_OK;

	if (bundle_open(run->candidate_path, "policy", &run->bundle, &err) != 0)
		rc = ctl_fail_err(&err);
	else if (bundle_policy(run->bundle, &run->candidate, &report) != 0)
		rc = ctl_fail(EX_DATAERR, "%s: its policy has mistakes\n%s", run->candidate_path,
		    report.len > 0 ? report.data : "");
	buf_done(&report);
	return rc;
}

static int
replay(struct ctl *ctl, struct run *run)
{
	struct recorded_options options = { .on_record = on_record, .ctx = run };
	struct err err = { 0 };
	int rc = ctl_recorded_open(ctl, &run->from, &options);

	if (rc == EX_OK && run->from.bundle == NULL)
		rc = ctl_fail(EX_USAGE,
		    "expected --bundle, the policy that the store had, or --after");
	if (rc == EX_OK)
		rc = open_candidate(run);
	if (rc != EX_OK)
		return rc;
	recorded_show_draws(run->from.recorded, run->candidate, evaluate_draw, run->evaluate);
	rc = ctl_recorded_run(&run->from, true);
	if (rc == EX_OK && recorded_end_day(run->from.recorded, &err) != 0)
		rc = ctl_fail_err(&err);
	recorded_show_draws(run->from.recorded, NULL, NULL, NULL);
	return rc;
}

static int
tell(struct ctl *ctl, struct run *run)
{
	const struct policy *logged = recorded_policy(run->from.recorded);
	struct evaluation evaluation;
	struct buf out = { 0 }, why = { 0 };
	int rc = EX_OK;

	drawn_settle(&run->list);
	evaluate_settle(run->evaluate, &run->list, logged, &evaluation);
	if (ctl->json)
		evaluation_json(&evaluation, run->candidate, logged, &out);
	else
		evaluation_text(&evaluation, run->candidate, logged, &out);
	fputs(out.data, stdout);
	evaluation_refusal(&evaluation, &why);
	if (why.len > 0)
		rc = ctl_fail(EX_DATAERR, "refused: %s", why.data);
	evaluation_done(&evaluation);
	buf_done(&out);
	buf_done(&why);
	return rc;
}

int
ctl_evaluate(struct ctl *ctl)
{
	struct run run = { 0 };
	struct err err = { 0 };
	int rc;

	run.candidate_path = ctl_option(ctl, "--candidate");
	run.records = ctl_option(ctl, "--from");
	rc = ctl_recorded_options(ctl, &run.from);
	run.from.after = ctl_option(ctl, "--after");
	if (rc == EX_OK)
		rc = ctl_words(ctl, 0, 0);
	if (rc == EX_OK && (run.candidate_path == NULL || run.from.events == NULL))
		rc = ctl_usage(ctl);
	run.evaluate = evaluate_new();
	drawn_init(&run.list);
	if (rc == EX_OK)
		rc = replay(ctl, &run);
	if (rc == EX_OK && run.records != NULL &&
	    reading(run.records, "decision", "settled", drawn_take, &run.list, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK && run.list.full)
		rc = ctl_fail(EX_DATAERR, "over %d rows, expected fewer", DRAWN_MAX);
	if (rc == EX_OK)
		rc = tell(ctl, &run);
	ctl_recorded_close(&run.from);
	evaluate_free(run.evaluate);
	policy_free(run.candidate);
	bundle_close(run.bundle);
	drawn_done(&run.list);
	return rc;
}
