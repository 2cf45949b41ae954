/* SPDX-License-Identifier: Apache-2.0
 *
 * person.c - a customer's rights at HQ.
 *
 * DESIGN
 *   The file of those who were forgotten is written before anything is cleared, so that a run that was cut short is
 *   finished by the next. Database and archive each clear what names somebody of that file; collectors do the same with what
 *   comes later and was recorded before.
 */
#include "hq/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/json_write.h"
#include "hq/archive.h"
#include "hq/erased.h"
#include "hq/records.h"

#define FILL_ROWS 8192
#define FILL_BATCHES 1024

/* ---- telling ---- */

static void
write_record(void *ctx, const struct record *record)
{
	struct buf *lines = ctx;
	struct json_writer *w = JSON_OBJECT(lines);
	json_add_str(w, "store", record->store);
	json_add_str(w, "epoch", record->epoch);
	json_add_str(w, "lane", record->lane);
	json_add_int(w, "seq", record->seq);
	json_add_str(w, "type", record->type);
	json_add_str(w, "at", record->at);
	json_add_raw(w, "body", record->body, strlen(record->body));
	json_end(w);
	buf_addc(lines, '\n');
}

struct telling {
	char quoted[35]; /* the subject */
	struct buf *lines;
};

/* An archive is read once: outcomes are told by the database, which knows their decisions. */
static int
tell_batch(void *ctx, const char *topic, const void *payload, size_t len, struct err *err)
{
	struct telling *telling = ctx;
	struct batch batch;
	struct err bad = { 0 };
	(void)err;
	if (batch_read(topic, payload, len, &batch, &bad) != 0)
		return 0;
	for (size_t i = 0; i < batch.count; i++) {
		const struct batch_row *row = &batch.rows[i];
		struct record record = { batch.store, batch.epoch, batch.lane, row->type, row->at,
			row->body, row->seq };
		if (strstr(row->body, telling->quoted) != NULL)
			write_record(telling->lines, &record);
	}
	batch_done(&batch);
	return 0;
}

static int
open_records(const struct person_places *places, struct records **ret, struct err *err)
{
	*ret = NULL;
	return places->into != NULL ? records_open(places->into, NULL, ret, err) : 0;
}

int
person_export(const struct person_places *places, const char *subject, struct buf *ret_lines,
    struct err *err)
{
	struct telling telling = { .lines = ret_lines };
	struct records *records;
	int rc = open_records(places, &records, err);
	if (rc == 0 && records != NULL &&
	    records_of(records, subject, write_record, ret_lines) != 0)
		rc = err_set(err, AISLE_E_IO, "%s", records_error(records));
	records_close(records);
	snprintf(telling.quoted, sizeof(telling.quoted), "\"%s\"", subject);
	if (rc == 0 && places->archive != NULL)
		rc = archive_each(places->archive, tell_batch, &telling, err);
	return rc;
}

/* ---- forgetting ---- */

static int
erase(const struct person_places *places, const struct erasures *erasures,
    struct person_report *report, struct err *err)
{
	struct records *records;
	int rc = open_records(places, &records, err);
	if (rc == 0 && records != NULL &&
	    records_erase(records, erasures, &report->customers, &report->records) != 0)
		rc = err_set(err, AISLE_E_IO, "%s", records_error(records));
	records_close(records);
	if (rc == 0 && places->archive != NULL)
		rc = archive_erase(places->archive, erasures, &report->archived, err);
	return rc;
}

static int64_t
wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * S_MS + now.tv_nsec / 1000000;
}

static int
path_of(const struct person_places *places, struct buf *ret_path, struct err *err)
{
	return erased_path(places->erased, places->archive, places->into, ret_path)
	    ? 0
	    : err_set(err, AISLE_E_INVALID,
		  "nowhere to keep who was forgotten: expected --erased FILE or --archive DIR");
}

int
person_forget(const struct person_places *places, const char *subject,
    struct person_report *ret_report, struct err *err)
{
	struct erasures one = { .items = NULL };
	struct buf path = { 0 };
	*ret_report = (struct person_report){ 0 };
	erasures_add(&one, subject, wall_ms());
	int rc = path_of(places, &path, err);
	if (rc == 0)
		rc = erased_add(path.data, &one.items[0], err);
	if (rc == 0)
		rc = erase(places, &one, ret_report, err);
	buf_done(&path);
	erasures_done(&one);
	return rc;
}

static int
read_erased(const struct person_places *places, struct erasures *erasures, struct err *err)
{
	struct buf path = { 0 };
	int rc = path_of(places, &path, err);
	if (rc == 0)
		rc = erased_read(path.data, erasures, err);
	buf_done(&path);
	return rc;
}

int
person_reapply(const struct person_places *places, struct person_report *ret_report,
    struct err *err)
{
	struct erasures all = { .items = NULL };
	*ret_report = (struct person_report){ 0 };
	int rc = read_erased(places, &all, err);
	if (rc == 0 && all.count > 0)
		rc = erase(places, &all, ret_report, err);
	erasures_done(&all);
	return rc;
}

/* ---- filling ---- */

struct filling {
	struct records *records;
	struct batch batches[FILL_BATCHES];
	size_t count, rows;
	long long total;
};

static int
write_batches(struct filling *filling, struct err *err)
{
	const struct batch *batches[FILL_BATCHES];
	int rc = 0;
	for (size_t i = 0; i < filling->count; i++)
		batches[i] = &filling->batches[i];
	if (filling->count > 0 && records_write(filling->records, batches, filling->count) != 0)
		rc = err_set(err, AISLE_E_IO, "%s", records_error(filling->records));
	for (size_t i = 0; i < filling->count; i++)
		batch_done(&filling->batches[i]);
	filling->total += (long long)filling->rows;
	filling->count = filling->rows = 0;
	return rc;
}

static int
fill_batch(void *ctx, const char *topic, const void *payload, size_t len, struct err *err)
{
	struct filling *filling = ctx;
	struct err bad = { 0 };
	if (batch_read(topic, payload, len, &filling->batches[filling->count], &bad) != 0)
		return 0; /* it was refused when it came */
	filling->rows += filling->batches[filling->count++].count;
	return filling->count == FILL_BATCHES || filling->rows >= FILL_ROWS
	    ? write_batches(filling, err)
	    : 0;
}

int
person_fill(const struct person_places *places, struct person_report *ret_report, struct err *err)
{
	struct filling *filling = mem_zero(sizeof(*filling));
	struct erasures all = { .items = NULL };
	*ret_report = (struct person_report){ 0 };
	int rc = open_records(places, &filling->records, err);
	if (rc == 0)
		rc = read_erased(places, &all, err);
	if (rc == 0 &&
	    records_erase(filling->records, &all, &ret_report->customers, &ret_report->archived) !=
		0)
		rc = err_set(err, AISLE_E_IO, "%s", records_error(filling->records));
	if (rc == 0)
		rc = archive_each(places->archive, fill_batch, filling, err);
	if (rc == 0)
		rc = write_batches(filling, err);
	ret_report->records = filling->total;
	records_close(filling->records);
	erasures_done(&all);
	for (size_t i = 0; i < filling->count; i++)
		batch_done(&filling->batches[i]);
	free(filling);
	return rc;
}
