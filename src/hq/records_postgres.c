/* SPDX-License-Identifier: Apache-2.0
 *
 * records_postgres.c - HQ's table `record` in PostgreSQL.
 *
 * DESIGN
 *   A turn is copied into a temporary table and taken over in the order of the key, so that
 *   collectors never wait for each other in a circle; what is there already stays. A row
 *   insert each was a tenth as fast.
 *
 *   The table of those who were forgotten is read within the transaction that writes, behind
 *   a lock that who forgets somebody waits for: no record slips in between.
 *
 *   `at` is of the key, for the table is parted by it: a store never sends a number under another time. A gap alone may
 *   stand for what damage took and have a time of its own: where its number is there already it does not come in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/when.h"
#include "hq/partitions.h"
#include "hq/erasure.h"
#include "hq/records_postgres.h"

static void
pg_close(struct records *records)
{
	struct postgres *postgres = (struct postgres *)records;
	PQfinish(postgres->pg);
	partitions_done(&postgres->days);
	erasures_done(&postgres->erasures);
	free(postgres);
}

/* ---- rows as text ---- */

static void
add_field(struct buf *out, const char *text, char end)
{
	for (const char *at = text;;) {
		size_t len = strcspn(at, "\\\t\n\r");
		buf_add(out, at, len);
		at += len;
		if (*at == '\0')
			break;
		buf_addc(out, '\\');
		buf_addc(out, *at == '\t' ? 't' : *at == '\n' ? 'n' : *at == '\r' ? 'r' : '\\');
		at++;
	}
	buf_addc(out, end);
}

static void
add_row(struct postgres *postgres, const struct batch *batch, const struct batch_row *row,
    struct buf *out)
{
	struct buf rest = { 0 };
	char when[WHEN_TEXT_SIZE];
	enum erased erased =
	    erasures_apply(&postgres->erasures, row->type, row->at_ms, row->body, &rest);
	if (erased == ERASED_ROW)
		return;
	when_text(row->at_ms, when);
	buf_addf(out, "%s\t%s\t%s\t%lld\t%s\t%s\t", batch->store, batch->epoch, batch->lane,
	    (long long)row->seq, row->type, when);
	add_field(out, erased == ERASED_BODY ? rest.data : row->body, '\n');
	buf_done(&rest);
}

/* Partitions are made before the transaction: they want locks of their own. */
static int
need_days(struct postgres *postgres, const struct batch *batch, int lane, int32_t today)
{
	int32_t last = INT32_MIN;
	for (size_t i = 0; i < batch->count; i++) {
		int32_t day = keep_day(batch->rows[i].at_ms);
		if (day == last || day < keep_from(&postgres->keep, lane, today) ||
		    day < today - PARTITIONS_BACK || day > today + PARTITIONS_AHEAD)
			continue;
		int rc = partitions_need(postgres->pg, &postgres->days, day, lane);
		if (rc != 0)
			return rc;
		last = day;
	}
	return 0;
}

/* The numbers of its gaps that are there already, ascending. NULL: it has none, or *rc. */
static PGresult *
gaps_there(struct postgres *postgres, const struct batch *batch, int *rc)
{
	static const char sql[] = "SELECT seq FROM record WHERE store = $1 AND epoch = $2 AND "
				  "lane = $3 AND seq = ANY($4::bigint[]) ORDER BY seq";
	struct buf numbers = { 0 };
	PGresult *there = NULL;

	for (size_t i = 0; i < batch->count; i++)
		if (strcmp(batch->rows[i].type, "gap") == 0)
			buf_addf(&numbers, "%c%lld", numbers.len == 0 ? '{' : ',',
			    (long long)batch->rows[i].seq);
	if (numbers.len > 0) {
		buf_addc(&numbers, '}');
		const char *values[] = { batch->store, batch->epoch, batch->lane, numbers.data };
		there = pg_query(postgres->pg, sql, 4, values);
		*rc = there != NULL ? 0 : AISLE_E_IO;
	}
	buf_done(&numbers);
	return there;
}

static int
add_batch(struct postgres *postgres, const struct batch *batch, int32_t today, struct buf *out)
{
	int32_t from = keep_from(&postgres->keep, keep_lane(batch->lane), today);
	int rc = 0, at = 0;
	PGresult *there = gaps_there(postgres, batch, &rc);
	int count = there != NULL ? PQntuples(there) : 0;

	for (size_t i = 0; i < batch->count && rc == 0; i++) {
		const struct batch_row *row = &batch->rows[i];

		while (at < count && strtoll(PQgetvalue(there, at, 0), NULL, 10) < row->seq)
			at++;
		if (keep_day(row->at_ms) < from ||
		    (at < count && strcmp(row->type, "gap") == 0 &&
			strtoll(PQgetvalue(there, at, 0), NULL, 10) == row->seq))
			continue;
		add_row(postgres, batch, row, out);
	}
	PQclear(there);
	return rc;
}

/* ---- the transaction ---- */

static int
begin(struct postgres *postgres)
{
	int rc = pg_run(postgres->pg, "BEGIN; LOCK TABLE ONLY record IN ROW EXCLUSIVE MODE");
	return rc == 0 ? postgres_read_erased(postgres) : rc;
}

static int
copy(PGconn *pg, const struct buf *rows)
{
	static const char into[] = "COPY incoming FROM STDIN";
	int rc = pg_run(pg, into);
	if (rc != 0)
		return rc;
	bool sent = PQputCopyData(pg, rows->data, (int)rows->len) == 1;
	if (PQputCopyEnd(pg, sent ? NULL : "given up") != 1)
		return AISLE_E_IO;
	for (PGresult *result; (result = PQgetResult(pg)) != NULL; PQclear(result)) {
		if (rc == 0)
			rc = pg_verdict(result);
	}
	return sent ? rc : AISLE_E_IO;
}

static int
transaction(struct postgres *postgres, const struct batch *const *batches, size_t count,
    int32_t today)
{
	struct buf rows = { 0 };
	int rc = begin(postgres);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = add_batch(postgres, batches[i], today, &rows);
	if (rc == 0 && rows.len > 0)
		rc = copy(postgres->pg, &rows);
	buf_done(&rows);
	if (rc == 0)
		rc = pg_run(postgres->pg,
		    "INSERT INTO record SELECT * FROM incoming ORDER BY store, epoch, lane, seq, "
		    "at "
		    "ON CONFLICT DO NOTHING");
	if (rc == 0 && postgres->base.live)
		rc = pg_run(postgres->pg,
		    "INSERT INTO heard SELECT DISTINCT store, now() FROM incoming ORDER BY 1 "
		    "ON CONFLICT (store) DO UPDATE SET at = EXCLUDED.at");
	if (rc == 0)
		rc = pg_run(postgres->pg, "COMMIT");
	return rc;
}

static int
pg_write(struct records *records, const struct batch *const *batches, size_t count)
{
	struct postgres *postgres = (struct postgres *)records;
	int32_t today = keep_today();
	int rc = 0;
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = need_days(postgres, batches[i], keep_lane(batches[i]->lane), today);
	if (rc == 0)
		rc = transaction(postgres, batches, count, today);
	if (rc == 0)
		return 0;
	pg_error(postgres->pg, postgres->error, sizeof(postgres->error));
	return pg_run(postgres->pg, "ROLLBACK") == 0 ? rc : AISLE_E_IO;
}

static int
tend(struct postgres *postgres)
{
	int32_t today = keep_today();
	int rc = partitions_load(postgres->pg, &postgres->days);
	for (int32_t day = today; day <= today + PARTITIONS_AHEAD && rc == 0; day++) {
		for (int lane = 0; lane < LANE_COUNT && rc == 0; lane++)
			rc = partitions_need(postgres->pg, &postgres->days, day, lane);
	}
	/* Two clocks have to say that a day is over, for there is no way back. */
	PGresult *now = rc == 0
	    ? pg_query(postgres->pg, "SELECT floor(extract(epoch FROM now()) / 86400)", 0, NULL)
	    : NULL;
	if (now == NULL)
		return AISLE_E_IO;
	int32_t theirs = (int32_t)strtol(PQgetvalue(now, 0, 0), NULL, 10);
	PQclear(now);
	return partitions_drop(postgres->pg, &postgres->days, &postgres->keep,
	    theirs < today ? theirs : today);
}

static int
pg_tend(struct records *records, bool *ret_more)
{
	struct postgres *postgres = (struct postgres *)records;
	(void)ret_more;
	if (tend(postgres) == 0)
		return 0;
	pg_error(postgres->pg, postgres->error, sizeof(postgres->error));
	log_warning("collect: partitions, tried again later error=%s", LOG_VALUE(postgres->error));
	return pg_run(postgres->pg, "ROLLBACK");
}

static const char *
pg_records_error(struct records *records)
{
	return ((struct postgres *)records)->error;
}

static int
set_up(struct postgres *postgres)
{
	int rc = partitions_setup(postgres->pg);
	if (rc == 0)
		rc = pg_run(postgres->pg,
		    "CREATE TEMP TABLE incoming(store text, epoch text, lane text, seq bigint, "
		    "type "
		    "text, at timestamptz, body jsonb) ON COMMIT DELETE ROWS");
	return rc == 0 ? partitions_load(postgres->pg, &postgres->days) : rc;
}

int
records_postgres(const char *into, const struct keep *keep, struct records **ret_records,
    struct err *err)
{
	static const struct records_kind kind = { pg_close, pg_write, pg_tend, postgres_erase,
		postgres_of, pg_records_error };
	struct postgres *postgres = mem_zero(sizeof(*postgres));
	postgres->base.kind = &kind;
	postgres->keep = *keep;
	int rc = pg_open(into, &postgres->pg, err);
	if (rc == 0 && set_up(postgres) != 0) {
		pg_error(postgres->pg, postgres->error, sizeof(postgres->error));
		rc = err_set(err, AISLE_E_IO, "PostgreSQL: %s", postgres->error);
	}
	if (rc != 0) {
		pg_close(&postgres->base);
		return rc;
	}
	*ret_records = &postgres->base;
	return 0;
}
