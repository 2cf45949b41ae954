/* SPDX-License-Identifier: Apache-2.0
 *
 * records.c - HQ's table `record` in SQLite.
 *
 * DESIGN
 *   WAL, so that reports read while this writes, and synchronous=FULL, because
 *   a store deletes what is acknowledged. The primary key makes a batch that comes
 *   again harmless.
 */
#include "hq/records.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#define BUSY_MS 5000 /* another program may read or vacuum */

struct records {
	sqlite3 *db;
	sqlite3_stmt *insert;
	bool open; /* a transaction */
};

static const char setup[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE IF NOT EXISTS record("
    "store TEXT NOT NULL, epoch TEXT NOT NULL, lane TEXT NOT NULL, seq INTEGER NOT NULL,"
    "type TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(store, epoch, lane, "
    "seq));";

int
records_open(const char *into, struct records **ret_records, struct err *err)
{
	static const char scheme[] = "sqlite:";
	if (strncmp(into, scheme, sizeof(scheme) - 1) != 0 || into[sizeof(scheme) - 1] == '\0')
		return err_set(err, AISLE_E_INVALID, "cannot write into %s, expected sqlite:FILE",
		    into);
	struct records *records = mem_zero(sizeof(*records));
	const char *path = into + sizeof(scheme) - 1;
	int rc =
	    sqlite3_open_v2(path, &records->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(records->db, BUSY_MS);
		rc = sqlite3_exec(records->db, setup, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(records->db,
		    "INSERT OR IGNORE INTO record VALUES(?,?,?,?,?,?,?)", -1, &records->insert,
		    NULL);
	if (rc != SQLITE_OK) {
		err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(records->db));
		records_close(records);
		return AISLE_E_IO;
	}
	*ret_records = records;
	return 0;
}

void
records_close(struct records *records)
{
	if (records == NULL)
		return;
	sqlite3_finalize(records->insert);
	sqlite3_close(records->db);
	free(records);
}

static int
run(struct records *records, const char *sql)
{
	return sqlite3_exec(records->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : AISLE_E_IO;
}

int
records_add(struct records *records, const struct batch *batch)
{
	if (!records->open && run(records, "BEGIN IMMEDIATE") != 0)
		return AISLE_E_IO;
	records->open = true;
	sqlite3_stmt *insert = records->insert;
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_row *row = &batch->rows[i];
		sqlite3_bind_text(insert, 1, batch->store, -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 2, batch->epoch, -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 3, batch->lane, -1, SQLITE_STATIC);
		sqlite3_bind_int64(insert, 4, row->seq);
		sqlite3_bind_text(insert, 5, row->type, -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 6, row->at, -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 7, row->body, -1, SQLITE_STATIC);
		int rc = sqlite3_step(insert);
		sqlite3_reset(insert);
		sqlite3_clear_bindings(insert);
		if (rc != SQLITE_DONE)
			return AISLE_E_IO;
	}
	return 0;
}

int
records_commit(struct records *records)
{
	if (!records->open)
		return 0;
	if (run(records, "COMMIT") != 0)
		return AISLE_E_IO;
	records->open = false;
	return 0;
}

void
records_rollback(struct records *records)
{
	if (!records->open)
		return;
	/* Fails only where SQLite has rolled back by itself. */
	sqlite3_exec(records->db, "ROLLBACK", NULL, NULL, NULL);
	records->open = false;
}

const char *
records_error(const struct records *records)
{
	return sqlite3_errmsg(records->db);
}
