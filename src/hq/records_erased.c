/* SPDX-License-Identifier: Apache-2.0
 *
 * records_erased.c - PostgreSQL: who was forgotten, and what is told about somebody.
 *
 * DESIGN
 *   First it is on record who is forgotten, and who writes at that moment is waited for; from then on no
 *   collector brings them back. Then what is there is cleared. Each looks at every record that is kept: no index
 *   pays for what is asked some times a year.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/when.h"
#include "hq/records_postgres.h"

#define AT "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define TOUCHED_MAX 4096 /* partitions */

int
postgres_read_erased(struct postgres *postgres)
{
	char seen[24];
	const char *values[] = { seen };
	snprintf(seen, sizeof(seen), "%lld", (long long)postgres->erasures_seen);
	/* A row that was put in before, and is committed later, has a lower n: some are read twice. */
	PGresult *erased = pg_query(postgres->pg,
	    "SELECT n, subject, (extract(epoch FROM at) * 1000)::bigint FROM erased WHERE n > $1 - "
	    "100 ORDER BY n",
	    1, values);
	if (erased == NULL)
		return AISLE_E_IO;
	for (int i = 0; i < PQntuples(erased); i++) {
		postgres->erasures_seen = strtoll(PQgetvalue(erased, i, 0), NULL, 10);
		if (strlen(PQgetvalue(erased, i, 1)) == 32)
			erasures_add(&postgres->erasures, PQgetvalue(erased, i, 1),
			    strtoll(PQgetvalue(erased, i, 2), NULL, 10));
	}
	PQclear(erased);
	return 0;
}

static int
command(PGconn *pg, const char *sql, int count, const char *const *values)
{
	PGresult *result = pg_query(pg, sql, count, values);
	PQclear(result);
	return result != NULL ? 0 : AISLE_E_IO;
}

static int
add_tombstones(struct postgres *postgres, const struct erasures *unknown)
{
	int rc = pg_run(postgres->pg, "BEGIN");
	for (size_t i = 0; i < unknown->count && rc == 0; i++) {
		char when[WHEN_TEXT_SIZE];
		const char *values[] = { unknown->items[i].subject, when };
		when_text(unknown->items[i].at_ms, when);
		rc = command(postgres->pg, "INSERT INTO erased(subject, at) VALUES($1, $2)", 2,
		    values);
	}
	/* Whoever writes has begun before it was on record: waited for. */
	if (rc == 0)
		rc = pg_run(postgres->pg,
		    "COMMIT; BEGIN; LOCK TABLE ONLY record IN SHARE MODE; COMMIT");
	return rc;
}

struct clearing {
	struct postgres *postgres;
	const struct erasures *erasures;
	char (*touched)[64]; /* partitions */
	size_t touched_count;
	long long records;
};

static void
touch(struct clearing *clearing, const char *partition)
{
	for (size_t i = 0; i < clearing->touched_count; i++) {
		if (strcmp(clearing->touched[i], partition) == 0)
			return;
	}
	if (clearing->touched_count < TOUCHED_MAX)
		snprintf(clearing->touched[clearing->touched_count++], 64, "%s", partition);
}

/* store, epoch, lane, seq, at, type, body, partition */
static int
clear_row(struct clearing *clearing, const PGresult *rows, int i)
{
	const char *values[6];
	struct buf rest = { 0 };
	int64_t at_ms;
	for (int j = 0; j < 5; j++)
		values[j] = PQgetvalue(rows, i, j);
	if (!when_parse(values[4], &at_ms))
		return 0;
	enum erased erased = erasures_apply(clearing->erasures, PQgetvalue(rows, i, 5), at_ms,
	    PQgetvalue(rows, i, 6), &rest);
	if (erased == ERASED_NOT)
		return 0;
	values[5] = rest.data;
	int rc = erased == ERASED_BODY
	    ? command(clearing->postgres->pg,
		  "UPDATE record SET body = $6 WHERE store = $1 AND epoch = $2 AND lane = $3 AND "
		  "seq = $4 AND at = $5",
		  6, values)
	    : command(clearing->postgres->pg,
		  "DELETE FROM record WHERE store = $1 AND epoch = $2 AND lane = $3 AND seq = $4 "
		  "AND at = $5",
		  5, values);
	buf_done(&rest);
	touch(clearing, PQgetvalue(rows, i, 7));
	clearing->records++;
	return rc;
}

/* Subjects are hex digits: they need no quoting. */
static void
declare_sql(const struct erasures *erasures, struct buf *sql)
{
	buf_adds(sql,
	    "BEGIN; DECLARE named NO SCROLL CURSOR FOR SELECT store, epoch, lane, seq, " AT
	    ", type, body::text, tableoid::regclass FROM record WHERE body::text ~ '");
	for (size_t i = 0; i < erasures->count; i++)
		buf_addf(sql, "%s%s", i > 0 ? "|" : "", erasures->items[i].subject);
	buf_adds(sql, "'");
}

static int
clear_rows(struct clearing *clearing)
{
	PGconn *pg = clearing->postgres->pg;
	struct buf sql = { 0 };
	declare_sql(clearing->erasures, &sql);
	int rc = pg_run(pg, sql.data), count = 1;
	buf_done(&sql);
	while (rc == 0 && count > 0) {
		PGresult *rows = pg_query(pg, "FETCH 500 FROM named", 0, NULL);
		if (rows == NULL)
			return AISLE_E_IO;
		count = PQntuples(rows);
		for (int i = 0; i < count && rc == 0; i++)
			rc = clear_row(clearing, rows, i);
		PQclear(rows);
	}
	return rc == 0 ? pg_run(pg, "COMMIT") : rc;
}

/* What was changed lies in its page until it is cleaned up. */
static void
clean_up(struct clearing *clearing)
{
	for (size_t i = 0; i < clearing->touched_count; i++) {
		struct buf sql = { 0 };
		buf_addf(&sql, "VACUUM %s", clearing->touched[i]);
		if (pg_run(clearing->postgres->pg, sql.data) != 0)
			log_warning("hq: not vacuumed partition=%s", clearing->touched[i]);
		buf_done(&sql);
	}
}

int
postgres_erase(struct records *records, const struct erasures *erasures, long long *ret_new,
    long long *ret_records)
{
	struct postgres *postgres = (struct postgres *)records;
	struct erasures unknown = { .items = NULL };
	struct clearing clearing = { .postgres = postgres, .erasures = &unknown };
	int rc = postgres_read_erased(postgres);
	erasures_unknown(erasures, &postgres->erasures, &unknown);
	*ret_new = (long long)unknown.count;
	if (rc == 0 && unknown.count > 0) {
		clearing.touched = mem_calloc(TOUCHED_MAX, sizeof(*clearing.touched));
		rc = add_tombstones(postgres, &unknown);
		if (rc == 0)
			rc = clear_rows(&clearing);
		if (rc == 0)
			clean_up(&clearing);
		free(clearing.touched);
	}
	*ret_records = clearing.records;
	erasures_done(&unknown);
	if (rc != 0) {
		pg_error(postgres->pg, postgres->error, sizeof(postgres->error));
		(void)!pg_run(postgres->pg, "ROLLBACK");
	}
	return rc;
}

int
postgres_of(struct records *records, const char *subject, record_fn each, void *ctx)
{
	static const char sql[] =
	    "SELECT store, epoch, lane, seq, type, " AT ", body::text FROM record WHERE "
	    "position($1 IN body::text) > 0 OR (type = 'outcome' AND body->>'decision' IN (SELECT "
	    "body->>'decision' FROM record WHERE type = 'decision' AND position($1 IN body::text) "
	    "> 0)) ORDER BY at, store, lane, seq";
	struct postgres *postgres = (struct postgres *)records;
	char quoted[35];
	const char *values[] = { quoted };
	snprintf(quoted, sizeof(quoted), "\"%s\"", subject);
	PGresult *rows = pg_query(postgres->pg, sql, 1, values);
	if (rows == NULL) {
		pg_error(postgres->pg, postgres->error, sizeof(postgres->error));
		return AISLE_E_IO;
	}
	for (int i = 0; i < PQntuples(rows); i++) {
		struct record record = { PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1),
			PQgetvalue(rows, i, 2), PQgetvalue(rows, i, 4), PQgetvalue(rows, i, 5),
			PQgetvalue(rows, i, 6), strtoll(PQgetvalue(rows, i, 3), NULL, 10) };
		each(ctx, &record);
	}
	PQclear(rows);
	return 0;
}
