/* SPDX-License-Identifier: Apache-2.0
 *
 * reading.c - what collect wrote, read and never changed.
 *
 * DESIGN
 *   A cursor each: a year of sales is not held in memory here. PostgreSQL sorts
 *   stores by their bytes, as SQLite does, so that sums add up in one order.
 */
#include "hq/reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "core/json.h"
#include "core/json_write.h"
#include "hq/pg.h"

#define BUSY_MS 5000

static int
read_sqlite(const char *path, const char *lane, const char *type, const char *member,
    record_fn each, void *ctx, struct err *err)
{
	/* instr() is quicker than json_extract(), and a text that says so besides does no harm. */
	static const char sql[] = "SELECT store, epoch, lane, seq, type, at, body FROM record "
				  "WHERE lane = ?1 AND type = ?2 AND (?3 IS NULL OR "
				  "instr(body, char(34) || ?3 || char(34))) "
				  "ORDER BY store, epoch, seq";
	sqlite3_stmt *rows = NULL;
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(db, BUSY_MS);
		rc = sqlite3_prepare_v2(db, sql, -1, &rows, NULL);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(rows, 1, lane, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(rows, 2, type, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK && member != NULL)
		rc = sqlite3_bind_text(rows, 3, member, -1, SQLITE_STATIC);
	while (rc == SQLITE_OK && (rc = sqlite3_step(rows)) == SQLITE_ROW) {
		struct record record = { (const char *)sqlite3_column_text(rows, 0),
			(const char *)sqlite3_column_text(rows, 1),
			(const char *)sqlite3_column_text(rows, 2),
			(const char *)sqlite3_column_text(rows, 4),
			(const char *)sqlite3_column_text(rows, 5),
			(const char *)sqlite3_column_text(rows, 6), sqlite3_column_int64(rows, 3) };

		if (record.store != NULL && record.epoch != NULL && record.at != NULL &&
		    record.body != NULL)
			each(ctx, &record);
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_DONE)
		err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_finalize(rows);
	sqlite3_close(db);
	return rc == SQLITE_DONE ? 0 : AISLE_E_IO;
}

static void
give(const PGresult *rows, record_fn each, void *ctx)
{
	for (int i = 0; i < PQntuples(rows); i++) {
		struct record record = { PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1),
			PQgetvalue(rows, i, 2), PQgetvalue(rows, i, 4), PQgetvalue(rows, i, 5),
			PQgetvalue(rows, i, 6), strtoll(PQgetvalue(rows, i, 3), NULL, 10) };

		each(ctx, &record);
	}
}

static bool
fetch_all(PGconn *pg, record_fn each, void *ctx)
{
	for (;;) {
		PGresult *rows = pg_query(pg, "FETCH 5000 FROM wanted", 0, NULL);
		int count = rows != NULL ? PQntuples(rows) : 0;

		if (rows != NULL)
			give(rows, each, ctx);
		PQclear(rows);
		if (rows == NULL || count == 0)
			return rows != NULL;
	}
}

static int
read_postgres(const char *from, const char *lane, const char *type, const char *member,
    record_fn each, void *ctx, struct err *err)
{
	static const char sql[] =
	    "DECLARE wanted CURSOR FOR SELECT store, epoch, lane, seq, type, "
	    "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), body::text "
	    "FROM record WHERE lane = $1 AND type = $2 AND ($3::text IS NULL OR jsonb_exists(body, "
	    "$3)) "
	    "ORDER BY store COLLATE \"C\", epoch COLLATE \"C\", seq";
	const char *const values[] = { lane, type, member };
	char why[300];
	PGresult *made;
	PGconn *pg;
	int rc = pg_open(from, &pg, err);

	if (rc != 0)
		return rc;
	rc = pg_run(pg, "BEGIN TRANSACTION READ ONLY");
	made = rc == 0 ? pg_query(pg, sql, 3, values) : NULL;
	if (made == NULL || !fetch_all(pg, each, ctx))
		rc = err_set(err, AISLE_E_IO, "PostgreSQL: %s", pg_error(pg, why, sizeof(why)));
	PQclear(made);
	PQfinish(pg);
	return rc;
}

/* ---- what a replay wrote ---- */

static const char *
text_of(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

/* A line of another type is passed over. */
static int
give_line(const char *line, size_t len, const char *lane, const char *type, record_fn each,
    void *ctx, struct err *err)
{
	json_t *json = json_read(line, len, "a record", err);
	struct record record = { text_of(json, "store"), text_of(json, "epoch"),
		text_of(json, "lane"), text_of(json, "type"), text_of(json, "at"), NULL, 0 };
	struct buf body = { 0 };
	int rc = 0;

	if (json == NULL || record.store == NULL || record.epoch == NULL || record.lane == NULL ||
	    record.type == NULL || record.at == NULL ||
	    !json_int(json_object_get(json, "seq"), &record.seq) ||
	    json_object_get(json, "body") == NULL) {
		rc = AISLE_E_INVALID;
	} else if (strcmp(record.lane, lane) == 0 && strcmp(record.type, type) == 0) {
		json_write(json_object_get(json, "body"), &body);
		record.body = body.data;
		each(ctx, &record);
	}
	json_decref(json);
	buf_done(&body);
	return rc;
}

static int
read_lines(const char *path, const char *lane, const char *type, record_fn each, void *ctx,
    struct err *err)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	long long number = 0;
	ssize_t len;
	int rc = 0;

	if (file == NULL)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	while (rc == 0 && (len = getline(&line, &room, file)) > 0) {
		number++;
		while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			line[--len] = '\0';
		if (len > 0 && give_line(line, (size_t)len, lane, type, each, ctx, err) != 0)
			rc = err_set(err, AISLE_E_INVALID,
			    "%s:%lld:1: no record, expected a line of replay --outcomes", path,
			    number);
	}
	if (rc == 0 && ferror(file))
		rc = err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	free(line);
	fclose(file);
	return rc;
}

bool
reading_lines(const char *from)
{
	static const char ending[] = ".jsonl";
	size_t len = strlen(from), tail = sizeof(ending) - 1;

	return len > tail && strcmp(from + len - tail, ending) == 0;
}

int
reading_having(const char *from, const char *lane, const char *type, const char *member,
    record_fn each, void *ctx, struct err *err)
{
	static const char sqlite[] = "sqlite:";

	if (strncmp(from, sqlite, sizeof(sqlite) - 1) == 0 && from[sizeof(sqlite) - 1] != '\0')
		return read_sqlite(from + sizeof(sqlite) - 1, lane, type, member, each, ctx, err);
	if (pg_named(from))
		return read_postgres(from, lane, type, member, each, ctx, err);
	if (reading_lines(from))
		return read_lines(from, lane, type, each, ctx, err);
	return err_set(err, AISLE_E_INVALID,
	    "cannot read from %s, expected sqlite:FILE, postgres:DSN or FILE.jsonl", from);
}

int
reading(const char *from, const char *lane, const char *type, record_fn each, void *ctx,
    struct err *err)
{
	return reading_having(from, lane, type, NULL, each, ctx, err);
}
