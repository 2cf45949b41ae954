/* SPDX-License-Identifier: Apache-2.0
 *
 * records_sqlite.c - HQ's table `record` in SQLite.
 *
 * DESIGN
 *   WAL, so that reports read while this writes, and synchronous=FULL, because
 *   a store deletes what is acknowledged. The primary key makes a batch that comes
 *   again harmless.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "core/when.h"
#include "hq/erasure.h"
#include "hq/records_internal.h"
#include "hq/settled_view.h"

#define BUSY_MS 5000 /* another program may read or vacuum */
#define SLICE_ROWS 2000

struct sqlite {
	struct records base;
	sqlite3 *db;
	sqlite3_stmt *insert, *erased, *forget, *heard;
	struct keep keep;
	struct erasures erasures;
	int64_t erasures_seen; /* erased.n */
	bool moved;	       /* its file is not where it was any more */
};

static const char setup[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
    "CREATE TABLE IF NOT EXISTS record("
    "store TEXT NOT NULL, epoch TEXT NOT NULL, lane TEXT NOT NULL, seq INTEGER NOT NULL,"
    "type TEXT NOT NULL, at TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(store, epoch, lane, "
    "seq));"
    "CREATE TABLE IF NOT EXISTS erased(n INTEGER PRIMARY KEY, subject TEXT NOT NULL, at TEXT NOT "
    "NULL);"
    "CREATE TABLE IF NOT EXISTS heard(store TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS record_health ON record(store, at) WHERE type = 'health';";
/* Only where something is dropped by its age. */
static const char setup_keep[] = "CREATE INDEX IF NOT EXISTS record_age ON record(lane, at);";

static void
sqlite_close(struct records *records)
{
	struct sqlite *sqlite = (struct sqlite *)records;
	sqlite3_finalize(sqlite->insert);
	sqlite3_finalize(sqlite->erased);
	sqlite3_finalize(sqlite->forget);
	sqlite3_finalize(sqlite->heard);
	sqlite3_close(sqlite->db);
	erasures_done(&sqlite->erasures);
	free(sqlite);
}

static int
run(struct sqlite *sqlite, const char *sql)
{
	return sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : AISLE_E_IO;
}

static int
insert_row(struct sqlite *sqlite, const struct batch *batch, const struct batch_row *row)
{
	sqlite3_stmt *insert = sqlite->insert;
	struct buf rest = { 0 };
	enum erased erased =
	    erasures_apply(&sqlite->erasures, row->type, row->at_ms, row->body, &rest);
	if (erased == ERASED_ROW)
		return 0;
	sqlite3_bind_text(insert, 1, batch->store, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 2, batch->epoch, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 3, batch->lane, -1, SQLITE_STATIC);
	sqlite3_bind_int64(insert, 4, row->seq);
	sqlite3_bind_text(insert, 5, row->type, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 6, row->at, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 7, erased == ERASED_BODY ? rest.data : row->body, -1,
	    SQLITE_STATIC);
	int rc = sqlite3_step(insert);
	sqlite3_reset(insert);
	sqlite3_clear_bindings(insert);
	buf_done(&rest);
	return rc == SQLITE_DONE ? 0 : AISLE_E_IO;
}

static int
insert_batch(struct sqlite *sqlite, const struct batch *batch)
{
	int32_t from = keep_from(&sqlite->keep, keep_lane(batch->lane), keep_today());
	int rc = 0;
	for (size_t i = 0; i < batch->count && rc == 0; i++) {
		if (keep_day(batch->rows[i].at_ms) >= from)
			rc = insert_row(sqlite, batch, &batch->rows[i]);
	}
	return rc;
}

/* Those that were forgotten since. */
static int
read_erased(struct sqlite *sqlite)
{
	sqlite3_stmt *erased = sqlite->erased;
	int rc;
	sqlite3_bind_int64(erased, 1, sqlite->erasures_seen);
	while ((rc = sqlite3_step(erased)) == SQLITE_ROW) {
		const char *subject = (const char *)sqlite3_column_text(erased, 1);
		const char *at = (const char *)sqlite3_column_text(erased, 2);
		int64_t at_ms;
		if (subject != NULL && strlen(subject) == 32 && at != NULL &&
		    when_parse(at, &at_ms))
			erasures_add(&sqlite->erasures, subject, at_ms);
		sqlite->erasures_seen = sqlite3_column_int64(erased, 0);
	}
	sqlite3_reset(erased);
	return rc == SQLITE_DONE ? 0 : AISLE_E_IO;
}

/* A file that was deleted or replaced takes everything, and keeps it for nobody. Asked after the commit, so that what is
 * acknowledged was in the file of that name. */
static int
still_there(struct sqlite *sqlite)
{
	int moved = 0;
	sqlite->moved =
	    sqlite3_file_control(sqlite->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
	    moved != 0;
	return sqlite->moved ? AISLE_E_IO : 0;
}

/* By our clock: a store's own may be wrong. */
static int
hear(struct sqlite *sqlite, const char *store)
{
	char when[WHEN_TEXT_SIZE];
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	when_text((int64_t)now.tv_sec * S_MS, when);
	sqlite3_bind_text(sqlite->heard, 1, store, -1, SQLITE_STATIC);
	sqlite3_bind_text(sqlite->heard, 2, when, -1, SQLITE_STATIC);
	int rc = sqlite3_step(sqlite->heard);
	sqlite3_reset(sqlite->heard);
	sqlite3_clear_bindings(sqlite->heard);
	return rc == SQLITE_DONE ? 0 : AISLE_E_IO;
}

static int
sqlite_write(struct records *records, const struct batch *const *batches, size_t count)
{
	struct sqlite *sqlite = (struct sqlite *)records;
	int rc = run(sqlite, "BEGIN IMMEDIATE");
	if (rc == 0)
		rc = read_erased(sqlite);
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = insert_batch(sqlite, batches[i]);
		if (rc == 0 && records->live)
			rc = hear(sqlite, batches[i]->store);
	}
	if (rc == 0)
		rc = run(sqlite, "COMMIT");
	return rc == 0 ? still_there(sqlite) : rc;
}

static int
drop_slice(struct sqlite *sqlite, int lane, int32_t from, bool *ret_more)
{
	char when[WHEN_TEXT_SIZE];
	when_text((int64_t)from * D_MS, when);
	sqlite3_bind_text(sqlite->forget, 1, NAME_OF(lane_names, lane), -1, SQLITE_STATIC);
	sqlite3_bind_text(sqlite->forget, 2, when, -1, SQLITE_STATIC);
	sqlite3_bind_int(sqlite->forget, 3, SLICE_ROWS);
	int rc = sqlite3_step(sqlite->forget);
	sqlite3_reset(sqlite->forget);
	if (rc == SQLITE_DONE && sqlite3_changes(sqlite->db) == SLICE_ROWS)
		*ret_more = true;
	return rc == SQLITE_DONE ? 0 : AISLE_E_IO;
}

static int
sqlite_tend(struct records *records, bool *ret_more)
{
	struct sqlite *sqlite = (struct sqlite *)records;
	int rc = 0;
	for (int lane = 0; lane < LANE_COUNT && rc == 0; lane++) {
		int32_t from = keep_from(&sqlite->keep, lane, keep_today());
		if (from != INT32_MIN)
			rc = drop_slice(sqlite, lane, from, ret_more);
	}
	return rc;
}

/* ---- forgetting and telling ---- */

static int
add_tombstone(struct sqlite *sqlite, const struct erasure *erasure)
{
	sqlite3_stmt *insert;
	char when[WHEN_TEXT_SIZE];
	if (sqlite3_prepare_v2(sqlite->db, "INSERT INTO erased(subject, at) VALUES(?,?)", -1,
		&insert, NULL) != SQLITE_OK)
		return AISLE_E_IO;
	when_text(erasure->at_ms, when);
	sqlite3_bind_text(insert, 1, erasure->subject, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 2, when, -1, SQLITE_STATIC);
	int rc = sqlite3_step(insert);
	sqlite3_finalize(insert);
	return rc == SQLITE_DONE ? 0 : AISLE_E_IO;
}

static int
run_row(struct sqlite *sqlite, const char *sql, int64_t rowid, const char *body)
{
	sqlite3_stmt *change;
	if (sqlite3_prepare_v2(sqlite->db, sql, -1, &change, NULL) != SQLITE_OK)
		return AISLE_E_IO;
	sqlite3_bind_int64(change, 1, rowid);
	if (body != NULL)
		sqlite3_bind_text(change, 2, body, -1, SQLITE_STATIC);
	int rc = sqlite3_step(change);
	sqlite3_finalize(change);
	return rc == SQLITE_DONE ? 0 : AISLE_E_IO;
}

/* body NULL: the whole row goes. Of the same length first: that overwrites it where it lies, whereas a page that is built
 * anew for another length may keep old bytes between its cells. */
static int
change_row(struct sqlite *sqlite, int64_t rowid, const char *old, const char *body)
{
	static const char update[] = "UPDATE record SET body = ?2 WHERE rowid = ?1";
	struct buf filler = { 0 };
	size_t len = strlen(old);
	buf_reserve(&filler, len + 1);
	memset(filler.data, 'x', len);
	filler.data[len] = '\0';
	int rc = run_row(sqlite, update, rowid, filler.data);
	if (rc == 0)
		rc = run_row(sqlite, body != NULL ? update : "DELETE FROM record WHERE rowid = ?1",
		    rowid, body);
	buf_done(&filler);
	return rc;
}

static int
clear_row(struct sqlite *sqlite, sqlite3_stmt *row, const struct erasures *erasures,
    long long *ret_records)
{
	const char *type = (const char *)sqlite3_column_text(row, 1);
	const char *at = (const char *)sqlite3_column_text(row, 2);
	const char *body = (const char *)sqlite3_column_text(row, 3);
	struct buf rest = { 0 };
	int64_t at_ms;
	if (type == NULL || body == NULL || at == NULL || !when_parse(at, &at_ms))
		return 0;
	enum erased erased = erasures_apply(erasures, type, at_ms, body, &rest);
	int rc = erased == ERASED_NOT ? 0
				      : change_row(sqlite, sqlite3_column_int64(row, 0), body,
					    erased == ERASED_BODY ? rest.data : NULL);
	*ret_records += erased != ERASED_NOT;
	buf_done(&rest);
	return rc;
}

static int
clear_rows(struct sqlite *sqlite, const struct erasures *erasures, long long *ret_records)
{
	sqlite3_stmt *rows;
	int rc = 0, step;
	if (sqlite3_prepare_v2(sqlite->db, "SELECT rowid, type, at, body FROM record", -1, &rows,
		NULL) != SQLITE_OK)
		return AISLE_E_IO;
	while ((step = sqlite3_step(rows)) == SQLITE_ROW && rc == 0)
		rc = clear_row(sqlite, rows, erasures, ret_records);
	sqlite3_finalize(rows);
	return rc == 0 && step == SQLITE_DONE ? 0 : AISLE_E_IO;
}

/* Bytes of the past are in no page (secure_delete) and no write-ahead log. */
static int
sqlite_erase(struct records *records, const struct erasures *erasures, long long *ret_new,
    long long *ret_records)
{
	struct sqlite *sqlite = (struct sqlite *)records;
	struct erasures unknown = { .items = NULL };
	int rc = run(sqlite, "BEGIN IMMEDIATE");
	if (rc == 0)
		rc = read_erased(sqlite);
	erasures_unknown(erasures, &sqlite->erasures, &unknown);
	for (size_t i = 0; i < unknown.count && rc == 0; i++)
		rc = add_tombstone(sqlite, &unknown.items[i]);
	if (rc == 0 && unknown.count > 0)
		rc = clear_rows(sqlite, &unknown, ret_records);
	if (rc == 0)
		rc = run(sqlite, "COMMIT");
	*ret_new = (long long)unknown.count;
	if (rc == 0 && unknown.count > 0)
		rc = run(sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
	erasures_done(&unknown);
	return rc;
}

static int
sqlite_of(struct records *records, const char *subject, record_fn each, void *ctx)
{
	static const char sql[] =
	    "SELECT store, epoch, lane, seq, type, at, body FROM record WHERE instr(body, ?1) > 0 "
	    "OR (type = 'outcome' AND json_extract(body, '$.decision') IN (SELECT "
	    "json_extract(body, '$.decision') FROM record WHERE type = 'decision' AND instr(body, "
	    "?1) > 0)) ORDER BY at, store, lane, seq";
	struct sqlite *sqlite = (struct sqlite *)records;
	sqlite3_stmt *rows;
	char quoted[35];
	int rc;
	snprintf(quoted, sizeof(quoted), "\"%s\"", subject);
	if (sqlite3_prepare_v2(sqlite->db, sql, -1, &rows, NULL) != SQLITE_OK)
		return AISLE_E_IO;
	sqlite3_bind_text(rows, 1, quoted, -1, SQLITE_STATIC);
	while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
		const char *text[7];
		for (int i = 0; i < 7; i++)
			text[i] = (const char *)sqlite3_column_text(rows, i);
		struct record record = { text[0], text[1], text[2], text[4], text[5], text[6],
			sqlite3_column_int64(rows, 3) };
		each(ctx, &record);
	}
	sqlite3_finalize(rows);
	return rc == SQLITE_DONE ? 0 : AISLE_E_IO;
}

static const char *
sqlite_error(struct records *records)
{
	struct sqlite *sqlite = (struct sqlite *)records;
	return sqlite->moved ? "its file was moved, deleted or replaced"
			     : sqlite3_errmsg(sqlite->db);
}

static int
prepare(struct sqlite *sqlite)
{
	static const char insert[] = "INSERT OR IGNORE INTO record VALUES(?,?,?,?,?,?,?)";
	static const char erased[] = "SELECT n, subject, at FROM erased WHERE n > ? ORDER BY n";
	static const char forget[] =
	    "DELETE FROM record WHERE rowid IN (SELECT rowid FROM record WHERE lane = ? AND at < ? "
	    "LIMIT ?)";
	static const char heard[] = "INSERT OR REPLACE INTO heard VALUES(?,?)";
	int rc = sqlite3_prepare_v2(sqlite->db, insert, -1, &sqlite->insert, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(sqlite->db, erased, -1, &sqlite->erased, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(sqlite->db, forget, -1, &sqlite->forget, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(sqlite->db, heard, -1, &sqlite->heard, NULL);
	return rc;
}

int
records_sqlite(const char *path, const struct keep *keep, struct records **ret_records,
    struct err *err)
{
	static const struct records_kind kind = { sqlite_close, sqlite_write, sqlite_tend,
		sqlite_erase, sqlite_of, sqlite_error };
	static const struct keep for_good;
	struct sqlite *sqlite = mem_zero(sizeof(*sqlite));
	sqlite->base.kind = &kind;
	sqlite->keep = *keep;
	/* About people: not for everybody on this machine. */
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd >= 0)
		close(fd);
	int rc =
	    sqlite3_open_v2(path, &sqlite->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(sqlite->db, BUSY_MS);
		rc = sqlite3_exec(sqlite->db, setup, NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			rc = sqlite3_exec(sqlite->db, settled_view_sqlite, NULL, NULL, NULL);
	}
	if (rc == SQLITE_OK && memcmp(keep, &for_good, sizeof(*keep)) != 0)
		rc = sqlite3_exec(sqlite->db, setup_keep, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = prepare(sqlite);
	if (rc != SQLITE_OK) {
		err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(sqlite->db));
		sqlite_close(&sqlite->base);
		return AISLE_E_IO;
	}
	*ret_records = &sqlite->base;
	return 0;
}
