/* SPDX-License-Identifier: Apache-2.0
 *
 * store_check.c - every row read the way it is read in service, and what does not open counted.
 */
#include "store/store_check.h"

#include <stdlib.h>
#include <string.h>

#include "store/store_internal.h"

struct look {
	struct store *store;
	struct store_checked *checked;
	int64_t last; /* id of the last row that waits */
};

/* ---- the walks: rows that do not open are set aside by whoever reads them, some at a time ---- */

static int
any_row(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	(void)ctx, (void)key, (void)subject, (void)at_ms, (void)body, (void)len;
	return 0;
}

static int
any_log(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body, size_t len)
{
	(void)ctx, (void)n, (void)kind, (void)at_ms, (void)body, (void)len;
	return 0;
}

static int
any_dead(void *ctx, int64_t n, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const void *payload, size_t len)
{
	(void)ctx, (void)n, (void)at_ms, (void)topic, (void)reason, (void)detail, (void)payload,
	    (void)len;
	return 0;
}

static int
any_outbox(void *ctx, int64_t id, const char *topic, bool retain, const void *payload, size_t len)
{
	(void)ctx, (void)id, (void)topic, (void)retain, (void)payload, (void)len;
	return 0;
}

static int
any_uplink(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct look *look = ctx;

	(void)type, (void)at_ms, (void)body, (void)len;
	look->last = seq;
	return 0;
}

static int
walk_body(struct look *look, int table)
{
	return store_each(look->store, (enum store_table)table, -1, any_row, NULL);
}

/* By their keys, which are read first: a row may not be read while its table is. */
static int
walk_log(struct look *look, int log)
{
	sqlite3_stmt *stmt = NULL;
	struct buf keys = { 0 };
	char sql[80];
	int rc, error = 0;

	sqlite3_snprintf(sizeof(sql), sql, "SELECT DISTINCT key FROM %s", store_log_names[log]);
	rc = sqlite3_prepare_v2(look->store->db, sql, -1, &stmt, NULL);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct id key = store_column_id(stmt, 0);

		buf_add(&keys, key.b, sizeof(key.b));
		rc = SQLITE_OK;
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE)
		error = store_error(look->store, rc);
	for (size_t at = 0; error == 0 && at < keys.len; at += sizeof(struct id)) {
		struct id key;

		memcpy(key.b, keys.data + at, sizeof(key.b));
		error = store_log_each(look->store, (enum store_log)log, &key, any_log, NULL);
	}
	buf_done(&keys);
	return error;
}

static int
walk_seen(struct look *look, int unused)
{
	(void)unused;
	return store_seen_check(look->store);
}

static int
walk_refs(struct look *look, int unused)
{
	(void)unused;
	return store_ref_check(look->store);
}

static int
walk_timers(struct look *look, int unused)
{
	(void)unused;
	return store_timer_check(look->store);
}

static int
walk_outbox(struct look *look, int unused)
{
	(void)unused;
	return store_outbox_each(look->store, 0, any_outbox, NULL);
}

static int
walk_uplink(struct look *look, int unused)
{
	int error = 0;

	(void)unused;
	for (int lane = 0; error >= 0 && lane < LANE_COUNT; lane++) {
		look->last = 0;
		error = store_uplink_each(look->store, (enum lane)lane,
		    look->store->now.lanes[lane].first - 1, INT32_MAX, any_uplink, look);
	}
	return error < 0 ? error : 0;
}

static int
walk_waiting(struct look *look, int unused)
{
	struct store_waiting row = { .id = 0 };
	struct buf body = { 0 };
	int error;

	(void)unused;
	do {
		buf_clear(&body);
		error = store_waiting_get(look->store, row.id + 1, INT64_MAX, false, &row, &body);
	} while (error == 0 || (row.id > 0 && (error == AISLE_E_DAMAGED || error == AISLE_E_NONE)));
	buf_wipe(&body);
	return error == AISLE_E_NONE ? 0 : error;
}

static int
walk_dead(struct look *look, int unused)
{
	(void)unused;
	return store_dead_each(look->store, STORE_DEAD_ROWS_MAX, any_dead, NULL);
}

static int
any_recorded(void *ctx, int64_t n, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	(void)ctx, (void)n, (void)subject, (void)at_ms, (void)body, (void)len;
	return 0;
}

static int
walk_recording(struct look *look, int unused)
{
	(void)unused;
	return store_recording_each(look->store, 0, INT64_MIN, INT64_MAX, INT32_MAX, any_recorded,
	    NULL);
}

/* clang-format off */
static const struct walk {
	const char *name;
	int (*run)(struct look *look, int which);
	int which;
} walks[] = {
#define T(constant, text) { text, walk_body, STORE_##constant },
	BODY_TABLES(T)
#undef T
#define T(constant, text) { text, walk_log, STORE_##constant },
	LOG_TABLES(T)
#undef T
	{ "seen", walk_seen, 0 },
	{ "ref", walk_refs, 0 },
	{ "timer", walk_timers, 0 },
	{ "outbox", walk_outbox, 0 },
	{ "uplink", walk_uplink, 0 },
	{ "waiting", walk_waiting, 0 },
	{ "recording", walk_recording, 0 },
	{ "dead", walk_dead, 0 },
};
/* clang-format on */
_Static_assert(ARRAY_LEN(walks) == STORE_CHECK_TABLES, "a place for each");

/* ---- all of it ---- */

static int
count_rows(struct store *store, const char *table, int64_t *ret)
{
	char sql[80];
	struct err err = { 0 };

	if (strcmp(table, "seen") == 0)
		return store_seen_count(store, ret);
	sqlite3_snprintf(sizeof(sql), sql, "SELECT COUNT(*) FROM %s", table);
	return store_read_number(store, sql, ret, &err);
}

/* Again until nothing more is found: of one pass the places are bounded. */
static int
walk_all(struct look *look, const struct walk *walk, int64_t *ret_damaged)
{
	int64_t before = look->store->damaged, found;
	int error;

	do {
		found = look->store->damaged;
		error = walk->run(look, walk->which);
	} while (error == 0 && look->store->damaged > found && walk->run != walk_waiting);
	*ret_damaged = look->store->damaged - before;
	return error;
}

int
store_check_pages(const char *path, struct store_checked *checked)
{
	sqlite3 *db = NULL;
	sqlite3_file *file = NULL;
	sqlite3_int64 bytes = 0;
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, store_vfs(NULL));

	if (rc == SQLITE_OK)
		rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	if (rc == SQLITE_OK)
		rc = file->pMethods->xFileSize(file, &bytes);
	checked->pages = bytes / STORE_PAGE_BYTES;
	if (rc == SQLITE_OK)
		rc = store_vfs_check(db, 0, checked->pages, &checked->bad_pages);
	sqlite3_close(db);
	return rc == SQLITE_OK ? 0 : AISLE_E_IO;
}

int
store_check_rows(struct store *store, struct store_checked *checked, struct err *err)
{
	struct look look = { .store = store, .checked = checked };
	int error = store_begin(store);

	/* A row is counted where it belongs. */
	if (error == 0)
		error = store_settle(store);
	checked->log_lost = store->wal_lost;
	checked->new_epoch = store->epoch_begun && !store->is_new;
	for (size_t i = 0; error == 0 && i < ARRAY_LEN(walks); i++) {
		checked->tables[i].name = walks[i].name;
		checked->count = i + 1;
		error = count_rows(store, walks[i].name, &checked->tables[i].rows);
		if (error == 0)
			error = walk_all(&look, &walks[i], &checked->tables[i].damaged);
	}
	if (error == 0)
		error = count_rows(store, "uplink", &checked->uplink);
	if (error == 0)
		error = count_rows(store, "outbox", &checked->outbox);
	if (error != 0)
		err_set(err, error, "%s: %s",
		    checked->count > 0 ? checked->tables[checked->count - 1].name : "the state",
		    sqlite3_errmsg(store->db));
	store_rollback(store);
	return error;
}
