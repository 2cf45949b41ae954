/* SPDX-License-Identifier: Apache-2.0
 *
 * records_sqlite.c - HQ's table `record` in SQLite.
 *
 * DESIGN
 *   WAL, so that reports read while this writes, and synchronous=FULL, because
 *   a store deletes what is acknowledged. The primary key makes a batch that comes
 *   again harmless.
 */
#include <stdlib.h>

#include <sqlite3.h>

#include "hq/records_internal.h"

#define BUSY_MS 5000 /* another program may read or vacuum */

struct sqlite {
	struct records base;
	sqlite3 *db;
	sqlite3_stmt *insert;
};

static const char setup[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE IF NOT EXISTS record("
    "store TEXT NOT NULL, epoch TEXT NOT NULL, lane TEXT NOT NULL, seq INTEGER NOT NULL,"
    "type TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(store, epoch, lane, "
    "seq));";

static void
sqlite_close(struct records *records)
{
	struct sqlite *sqlite = (struct sqlite *)records;
	sqlite3_finalize(sqlite->insert);
	sqlite3_close(sqlite->db);
	free(sqlite);
}

static int
run(struct sqlite *sqlite, const char *sql)
{
	return sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : AISLE_E_IO;
}

static int
insert_batch(struct sqlite *sqlite, const struct batch *batch)
{
	sqlite3_stmt *insert = sqlite->insert;
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

static int
sqlite_write(struct records *records, const struct batch *const *batches, size_t count)
{
	struct sqlite *sqlite = (struct sqlite *)records;
	int rc = run(sqlite, "BEGIN IMMEDIATE");
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = insert_batch(sqlite, batches[i]);
	if (rc == 0)
		rc = run(sqlite, "COMMIT");
	return rc;
}

static const char *
sqlite_error(const struct records *records)
{
	return sqlite3_errmsg(((const struct sqlite *)records)->db);
}

int
records_sqlite(const char *path, struct records **ret_records, struct err *err)
{
	static const struct records_kind kind = { sqlite_close, sqlite_write, sqlite_error };
	struct sqlite *sqlite = mem_zero(sizeof(*sqlite));
	sqlite->base.kind = &kind;
	int rc =
	    sqlite3_open_v2(path, &sqlite->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(sqlite->db, BUSY_MS);
		rc = sqlite3_exec(sqlite->db, setup, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(sqlite->db,
		    "INSERT OR IGNORE INTO record VALUES(?,?,?,?,?,?,?)", -1, &sqlite->insert,
		    NULL);
	if (rc != SQLITE_OK) {
		err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(sqlite->db));
		sqlite_close(&sqlite->base);
		return AISLE_E_IO;
	}
	*ret_records = &sqlite->base;
	return 0;
}
