/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_outcomes.c - the records that a recorded store would have sent to headquarters, into a file of
 * its own or the table that `collect` fills: reports and estimates read that.
 *
 * The epoch is all zeros and each lane counts from 1: the same events give the same bytes.
 */
#include "ctl/ctl_outcomes.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "core/json_write.h"
#include "core/when.h"
#include "hq/records.h"

#define EPOCH "0000000000000000"
#define ROWS_AT_ONCE 1000
#define SQLITE "sqlite:"

struct ctl_outcomes {
	const char *store;
	FILE *to; /* lines, bare or not; else */
	bool bare;
	struct records *records; /* with what waits to be written to them */
	struct batch batches[LANE_COUNT];
	int64_t seq[LANE_COUNT];
	size_t waiting;
	bool failed; /* it was said */
};

int
ctl_outcomes_open(const struct ctl_recorded *from, const char *into, bool bare,
    struct ctl_outcomes **ret_outcomes)
{
	struct ctl_outcomes *outcomes;
	const char *path = into + strlen(SQLITE);
	struct err err = { 0 };
	int rc = EX_OK;
	bool sqlite = !bare && strncmp(into, SQLITE, strlen(SQLITE)) == 0;

	if (sqlite && access(path, F_OK) == 0)
		return ctl_fail(EX_USAGE, "%s: is there already, expected a new file", path);
	outcomes = mem_zero(sizeof(*outcomes));
	outcomes->store = from->conf->store_id;
	outcomes->bare = bare;
	if (!sqlite)
		rc = ctl_recorded_output(from, into, &outcomes->to);
	else if (records_open(into, NULL, &outcomes->records, &err) != 0)
		rc = ctl_fail_err(&err);
	if (rc == EX_OK)
		*ret_outcomes = outcomes;
	else
		free(outcomes);
	return rc;
}

/* ---- into a database ---- */

static void
flush(struct ctl_outcomes *outcomes)
{
	const struct batch *batches[LANE_COUNT];
	size_t count = 0;

	for (int lane = 0; lane < LANE_COUNT; lane++) {
		if (outcomes->batches[lane].count > 0)
			batches[count++] = &outcomes->batches[lane];
	}
	if (count > 0 && !outcomes->failed &&
	    records_write(outcomes->records, batches, count) != 0) {
		outcomes->failed = true;
		ctl_fail(EX_IOERR, "the records cannot be written: %s",
		    records_error(outcomes->records));
	}
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		batch_done(&outcomes->batches[lane]);
		memset(&outcomes->batches[lane], 0, sizeof(outcomes->batches[lane]));
	}
	outcomes->waiting = 0;
}

static void
add_row(struct ctl_outcomes *outcomes, enum lane lane, const struct batch_row *row)
{
	struct batch *batch = &outcomes->batches[lane];

	snprintf(batch->store, sizeof(batch->store), "%s", outcomes->store);
	snprintf(batch->lane, sizeof(batch->lane), "%s", recorded_lane(lane));
	snprintf(batch->epoch, sizeof(batch->epoch), "%s", EPOCH);
	batch->rows = mem_realloc(batch->rows, (batch->count + 1) * sizeof(*batch->rows));
	batch->rows[batch->count++] = (struct batch_row){ row->seq, row->at_ms,
		mem_strdup(row->type), mem_strdup(row->at), mem_strdup(row->body) };
	batch->upto = row->seq;
	if (++outcomes->waiting == ROWS_AT_ONCE)
		flush(outcomes);
}

/* ---- into a file ---- */

static void
add_line(struct ctl_outcomes *outcomes, enum lane lane, const struct batch_row *row)
{
	struct buf line = { 0 };
	struct json_writer *w = JSON_OBJECT(&line);

	if (!outcomes->bare) {
		json_add_str(w, "store", outcomes->store);
		json_add_str(w, "epoch", EPOCH);
	}
	json_add_str(w, "lane", recorded_lane(lane));
	if (!outcomes->bare)
		json_add_int(w, "seq", row->seq);
	json_add_str(w, "type", row->type);
	json_add_str(w, "at", row->at);
	json_add_raw(w, "body", row->body, strlen(row->body));
	json_end(w);
	fprintf(outcomes->to, "%s\n", line.data);
	buf_done(&line);
}

void
ctl_outcomes_add(void *ctx, enum lane lane, const char *type, int64_t at_ms, const char *json,
    size_t len)
{
	struct ctl_outcomes *outcomes = ctx;
	char at[WHEN_TEXT_SIZE];
	struct buf body = { 0 };
	struct batch_row row = { ++outcomes->seq[lane], at_ms, (char *)(uintptr_t)type, at, NULL };

	buf_add(&body, json, len);
	row.body = body.data;
	when_text(at_ms, at);
	if (outcomes->to != NULL)
		add_line(outcomes, lane, &row);
	else
		add_row(outcomes, lane, &row);
	buf_done(&body);
}

int
ctl_outcomes_close(struct ctl_outcomes *outcomes)
{
	int rc = EX_OK;

	if (outcomes == NULL)
		return EX_OK;
	if (outcomes->records != NULL)
		flush(outcomes);
	if (outcomes->to != NULL && (fflush(outcomes->to) != 0 || ferror(outcomes->to)))
		rc = ctl_fail(EX_IOERR, "the records cannot be written");
	if (outcomes->to != NULL && outcomes->to != stdout)
		fclose(outcomes->to);
	records_close(outcomes->records);
	if (outcomes->failed)
		rc = EX_IOERR;
	free(outcomes);
	return rc;
}
