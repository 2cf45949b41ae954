/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet_read.c - the last health of each store, from what collect wrote.
 */
#include "hq/fleet.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "core/when.h"
#include "hq/pg.h"

#define BUSY_MS 5000

static int
read_sqlite(const char *path, struct fleet *fleet, struct err *err)
{
	/* SQLite: beside max() stand the columns of the row that has it. */
	static const char sql[] =
	    "SELECT store, max(at), body, (SELECT at FROM heard WHERE heard.store = record.store) "
	    "FROM record WHERE type = 'health' AND at < ? GROUP BY store";
	static const char before_heard[] =
	    "SELECT store, max(at), body, NULL FROM record WHERE type = 'health' AND at < ? "
	    "GROUP BY store";
	sqlite3_stmt *rows = NULL;
	char before[WHEN_TEXT_SIZE];
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(db, BUSY_MS);
		rc = sqlite3_prepare_v2(db, sql, -1, &rows, NULL);
		/* A database in which no collector of this version has written yet. */
		if (rc == SQLITE_ERROR)
			rc = sqlite3_prepare_v2(db, before_heard, -1, &rows, NULL);
	}
	/* What a clock that ran ahead has written hides nothing that came after. */
	if (rc == SQLITE_OK) {
		when_text(fleet->now_ms + D_MS, before);
		rc = sqlite3_bind_text(rows, 1, before, -1, SQLITE_STATIC);
	}
	while (rc == SQLITE_OK && (rc = sqlite3_step(rows)) == SQLITE_ROW) {
		const char *store = (const char *)sqlite3_column_text(rows, 0),
			   *at = (const char *)sqlite3_column_text(rows, 1),
			   *body = (const char *)sqlite3_column_text(rows, 2);

		if (store != NULL && at != NULL && body != NULL) {
			fleet_add(fleet, store, at, body);
			fleet_heard(fleet, (const char *)sqlite3_column_text(rows, 3));
		}
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_DONE)
		err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_finalize(rows);
	sqlite3_close(db);
	return rc == SQLITE_DONE ? 0 : AISLE_E_IO;
}

#define UTC(time) "to_char(" time " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

static PGresult *
ask_postgres(PGconn *pg, int64_t now_ms)
{
	static const char there[] = "SELECT to_regclass('heard') IS NOT NULL";
	char now[WHEN_TEXT_SIZE];
	const char *const values[] = { now };
	struct buf sql = { 0 };
	PGresult *rows = pg_query(pg, there, 0, NULL);
	bool has = rows != NULL && strcmp(PQgetvalue(rows, 0, 0), "t") == 0;

	PQclear(rows);
	when_text(now_ms, now);
	buf_addf(&sql,
	    "SELECT store, " UTC("last.at") ", last.body, %s FROM (SELECT DISTINCT ON (store) "
					    "store, at, body::text FROM record WHERE lane = "
					    "'telemetry' AND type = 'health' AND "
					    "at < $1::timestamptz + interval '1 day' AND at > "
					    "$1::timestamptz - interval '35 days' "
					    "ORDER BY store, at DESC) last %s",
	    has ? UTC("heard.at") : "NULL", has ? "LEFT JOIN heard USING (store)" : "");
	rows = pg_query(pg, sql.data, 1, values);
	buf_done(&sql);
	return rows;
}

static int
read_postgres(const char *from, struct fleet *fleet, struct err *err)
{
	char why[300];
	PGresult *rows;
	PGconn *pg;
	int rc = pg_open(from, &pg, err);

	if (rc != 0)
		return rc;
	rows = ask_postgres(pg, fleet->now_ms);
	if (rows == NULL)
		rc = err_set(err, AISLE_E_IO, "PostgreSQL: %s", pg_error(pg, why, sizeof(why)));
	for (int i = 0; rows != NULL && i < PQntuples(rows); i++) {
		fleet_add(fleet, PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1),
		    PQgetvalue(rows, i, 2));
		fleet_heard(fleet, PQgetvalue(rows, i, 3));
	}
	PQclear(rows);
	PQfinish(pg);
	return rc;
}

int
fleet_read(const char *from, struct fleet *fleet, struct err *err)
{
	static const char sqlite[] = "sqlite:";

	if (strncmp(from, sqlite, sizeof(sqlite) - 1) == 0 && from[sizeof(sqlite) - 1] != '\0')
		return read_sqlite(from + sizeof(sqlite) - 1, fleet, err);
	if (pg_named(from))
		return read_postgres(from, fleet, err);
	return err_set(err, AISLE_E_INVALID,
	    "cannot read from %s, expected sqlite:FILE or postgres:DSN", from);
}

int
fleet_taken(const char *from, int64_t now_ms, struct goods *goods, struct err *err)
{
	struct fleet fleet = { .now_ms = now_ms };
	int rc = fleet_read(from, &fleet, err);

	free(goods->taken);
	goods->taken = mem_calloc(fleet.count + 1, sizeof(*goods->taken));
	goods->taken_count = 0;
	for (size_t i = 0; i < fleet.count; i++) {
		struct goods_taken *taken = &goods->taken[goods->taken_count++];

		memcpy(taken->store, fleet.stores[i].store, sizeof(taken->store));
		taken->sequence = fleet.stores[i].orders;
	}
	fleet_done(&fleet);
	return rc;
}
