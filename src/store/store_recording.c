/* SPDX-License-Identifier: Apache-2.0
 *
 * store_recording.c - what the turns were told, in its order: the newest so many bytes of it.
 *
 * DESIGN
 *   A row's id is the byte at which it begins in one long line of all rows that
 *   ever were, as they were told, so what is kept is the distance of the two ends, and what is too
 *   much lies in front of a number: nothing is counted or looked through. The
 *   oldest go when that line passes another RECORDING_PIECE, many at once, in
 *   the transaction that is open anyway.
 *
 *   An empty table begins where the time says, behind all that may have been
 *   there before: a number is never given twice in an epoch.
 *
 * INVARIANTS
 *   Times rise with the ids, as the engine's do. A row whose subject is
 *   forgotten has neither subject nor body.
 *
 * LIMITS
 *   A stretch of a MiB a second, for the life of the state.
 */
#include "store/store_internal.h"

#define ROW_KEY_SIZE 16
#define ROW_BYTES 32 /* of a row beside its body, about */
#define RECORDING_PIECE (64 << 10)
#define PIECE_ROWS 1024 /* that go at once */
#define BYTES_PER_MS 1024
#define FLAG_HOLE 1 /* of somebody who was forgotten before */

static void
recording_row_key(uint8_t out[static ROW_KEY_SIZE], int64_t id, int64_t at_ms)
{
	for (int i = 0; i < 8; i++) {
		out[i] = (uint8_t)((uint64_t)id >> (8 * i));
		out[8 + i] = (uint8_t)((uint64_t)at_ms >> (8 * i));
	}
}

/* ---- its ends ---- */

static const struct recent_row *
newest_recent(struct store *store)
{
	const struct recent_row *row, *newest = NULL;
	for (row = store_recent_next(store, RECENT_RECORDING, "", 0, false); row != NULL;
	     row = store_recent_next(store, RECENT_RECORDING, row->bytes, row->key_len, true))
		newest = row;
	return newest;
}

/* What is recent lies behind what the table has. */
static void
add_recent_ends(struct store *store)
{
	const struct recent_row *row = store_recent_next(store, RECENT_RECORDING, "", 0, false);
	if (row == NULL)
		return;
	if (store->now.recording_first == 0)
		store->now.recording_first = recent_key64_read(row->bytes);
	store->now.recording_last = recent_key64_read(newest_recent(store)->bytes);
}

static int
load_ends(struct store *store)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_RECORDING_ENDS, &error);
	if (stmt == NULL)
		return error;
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		store->now.recording_first = sqlite3_column_int64(stmt, 0);
		store->now.recording_last = sqlite3_column_int64(stmt, 1);
	}
	sqlite3_reset(stmt);
	add_recent_ends(store);
	return rc == SQLITE_ROW ? 0 : store_error(store, rc);
}

/* How long the row was when it was told, as who goes on counts; nothing, if it does not open or is a hole. */
static int64_t
length_of(struct store *store, sqlite3_stmt *stmt)
{
	uint8_t row_key[ROW_KEY_SIZE];
	struct id subject = store_column_id(stmt, 2);
	struct buf body = { 0 };
	recording_row_key(row_key, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1));
	int error =
	    store_unseal(store, "recording", row_key, sizeof(row_key), &subject, stmt, 3, &body);
	int64_t len = error == 0 ? (int64_t)body.len : 0;
	buf_wipe(&body);
	return len;
}

int
store_recording_load(struct store *store)
{
	int error = load_ends(store);
	if (error != 0 || store->now.recording_last == 0)
		return error;
	const struct recent_row *row = newest_recent(store);
	if (row != NULL) {
		store->now.recording_next =
		    store->now.recording_last + (int64_t)row->len + ROW_BYTES;
		return 0;
	}
	sqlite3_stmt *stmt = store_stmt(store, ST_RECORDING_EACH, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, store->now.recording_last);
	sqlite3_bind_int(stmt, 2, 1);
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		store->now.recording_next =
		    store->now.recording_last + length_of(store, stmt) + ROW_BYTES;
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

int64_t
store_recording_first(const struct store *store)
{
	return store->now.recording_first;
}

int64_t
store_recording_last(const struct store *store)
{
	return store->now.recording_last;
}

int64_t
store_recording_next(const struct store *store)
{
	return store->now.recording_next;
}

/* ---- what is too much ---- */

/* Rows below this number go. */
static int64_t
edge_of(struct store *store)
{
	if (store->recording_bytes == 0)
		return INT64_MAX;
	int64_t edge = store->now.recording_next - store->recording_bytes;
	/* What a replay would be made of is given up before anything that the store needs. */
	return edge < store->now.recording_last && store_pressed(store) ? store->now.recording_last
									: edge;
}

/* Is the oldest row of before this time? The begin of a state has none, and goes with the one behind it. */
static int
is_aged(struct store *store, int64_t before_ms)
{
	int error;
	if (before_ms <= 0)
		return 0;
	sqlite3_stmt *stmt = store_stmt(store, ST_RECORDING_OLDEST, &error);
	if (stmt == NULL)
		return error;
	int rc = sqlite3_step(stmt);
	bool aged = rc == SQLITE_ROW && sqlite3_column_int64(stmt, 0) < before_ms;
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? aged : store_error(store, rc);
}

int
store_recording_prune(struct store *store, int64_t before_ms, int max_rows)
{
	int error;
	if (store->now.recording_last == 0)
		return 0;
	int64_t edge = edge_of(store);
	int aged = is_aged(store, before_ms);
	if (aged <= 0 && store->now.recording_first >= edge)
		return aged;
	sqlite3_stmt *stmt = store_stmt(store, ST_RECORDING_PRUNE, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, edge);
	sqlite3_bind_int(stmt, 2, max_rows);
	sqlite3_bind_int64(stmt, 3, aged > 0 ? before_ms : INT64_MIN);
	error = store_run(store, stmt);
	int changes = sqlite3_changes(store->db);
	if (error == 0)
		error = load_ends(store);
	return error != 0 ? error : changes;
}

int
store_recording_forget(struct store *store, const struct id *subject)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_RECORDING_FORGET, &error);
	if (stmt == NULL)
		return error;
	store_bind_id(stmt, 1, subject);
	return store_run(store, stmt);
}

/* ---- added and read ---- */

static void
take_number(struct store *store, int64_t at_ms, int64_t *ret_id)
{
	int64_t least = at_ms > 0 ? at_ms * BYTES_PER_MS : 1;
	if (store->now.recording_last == 0 && store->now.recording_next < least)
		store->now.recording_next = least;
	*ret_id = store->now.recording_next;
}

int
store_recording_add(struct store *store, int64_t at_ms, const struct id *subject, const void *body,
    size_t len)
{
	uint8_t key[8];
	int64_t id;
	if (store->recording_bytes == 0)
		return 0;
	take_number(store, at_ms, &id);
	recent_key64(key, id);
	int error = store_recent_put(store, RECENT_RECORDING, key, sizeof(key), subject, at_ms, 0,
	    body, len);
	/* Its place remains. */
	if (error == AISLE_E_NONE) {
		len = 0;
		error = store_recent_put(store, RECENT_RECORDING, key, sizeof(key), NULL, at_ms,
		    FLAG_HOLE, NULL, 0);
	}
	if (error != 0)
		return error;
	int64_t next = id + (int64_t)len + ROW_BYTES;
	bool piece = id / RECORDING_PIECE != next / RECORDING_PIECE;
	store->now.recording_last = id;
	store->now.recording_next = next;
	if (store->now.recording_first == 0)
		store->now.recording_first = id;
	int pruned = piece ? store_recording_prune(store, 0, PIECE_ROWS) : 0;
	return pruned < 0 ? pruned : 0;
}

static int
write_recording(struct store *store, int64_t id, int64_t at_ms, const struct id *subject, bool hole,
    const void *body, size_t len)
{
	uint8_t row_key[ROW_KEY_SIZE];
	const void *sealed = NULL;
	size_t sealed_len = 0;
	int error = 0;
	recording_row_key(row_key, id, at_ms);
	if (!hole)
		error = store_seal(store, "recording", row_key, sizeof(row_key), subject, body, len,
		    &sealed, &sealed_len);
	if (error == AISLE_E_NONE)
		hole = true;
	else if (error != 0)
		return error;
	sqlite3_stmt *stmt = store_stmt(store, ST_RECORDING_ADD, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, id);
	sqlite3_bind_int64(stmt, 2, at_ms);
	store_bind_id(stmt, 3, hole ? NULL : subject);
	if (hole)
		sqlite3_bind_null(stmt, 4);
	else
		store_bind_blob(stmt, 4, sealed, sealed_len);
	return store_run(store, stmt);
}

int
store_fold_recording(struct store *store, const struct recent_row *row)
{
	return write_recording(store, recent_key64_read(row->bytes), row->at_ms, &row->subject,
	    row->flag != 0, recent_body(row), row->len);
}

/* The first number of this time or later, by halves. */
static int
find_from(struct store *store, int64_t from_ms, int64_t *ret_id)
{
	int64_t low = store->now.recording_first, high = store->now.recording_last + 1;
	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		int error;
		sqlite3_stmt *stmt = store_stmt(store, ST_RECORDING_FROM, &error);
		if (stmt == NULL)
			return error;
		sqlite3_bind_int64(stmt, 1, middle);
		int rc = sqlite3_step(stmt);
		int64_t id = sqlite3_column_int64(stmt, 0), at_ms = sqlite3_column_int64(stmt, 1);
		sqlite3_reset(stmt);
		if (rc != SQLITE_ROW && rc != SQLITE_DONE)
			return store_error(store, rc);
		if (rc == SQLITE_DONE || at_ms >= from_ms)
			high = middle;
		else
			low = id + 1;
	}
	*ret_id = low;
	return 0;
}

/* Those of first and behind it that are not in the table yet. */
static void
each_recent(struct store *store, int64_t first, int64_t from_ms, int64_t to_ms, int max_rows,
    struct buf *body, store_recording_fn fn, void *ctx)
{
	uint8_t from[8];
	const struct recent_row *row;
	int stop = 0;
	recent_key64(from, first);
	for (row = store_recent_next(store, RECENT_RECORDING, from, sizeof(from), false);
	     stop == 0 && max_rows > 0 && row != NULL && row->at_ms <= to_ms;
	     row = store_recent_next(store, RECENT_RECORDING, row->bytes, row->key_len, true)) {
		if (row->at_ms < from_ms)
			continue;
		buf_clear(body);
		bool hole = row->flag == FLAG_HOLE || store_recent_read(store, row, body) != 0;
		max_rows--;
		stop = fn(ctx, recent_key64_read(row->bytes), &row->subject, row->at_ms,
		    hole ? NULL : body->data, body->len);
	}
}

int
store_recording_each(struct store *store, int64_t after, int64_t from_ms, int64_t to_ms,
    int max_rows, store_recording_fn fn, void *ctx)
{
	struct store_aside aside = { .count = 0 };
	struct buf body = { 0 };
	int64_t first = 0;
	int error = store->now.recording_last != 0 ? find_from(store, from_ms, &first) : 0;
	sqlite3_stmt *stmt = error == 0 ? store_stmt(store, ST_RECORDING_EACH, &error) : NULL;
	if (stmt == NULL)
		return error;
	first = first > after ? first : after + 1;
	sqlite3_bind_int64(stmt, 1, first);
	sqlite3_bind_int(stmt, 2, max_rows);
	int rc;
	bool over = false;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		max_rows--;
		uint8_t row_key[ROW_KEY_SIZE];
		int64_t id = sqlite3_column_int64(stmt, 0), at_ms = sqlite3_column_int64(stmt, 1);
		struct id subject = store_column_id(stmt, 2);
		if (at_ms > to_ms) {
			rc = SQLITE_DONE;
			over = true;
			break;
		}
		recording_row_key(row_key, id, at_ms);
		buf_clear(&body);
		error = store_unseal(store, "recording", row_key, sizeof(row_key), &subject, stmt,
		    3, &body);
		if (error == AISLE_E_DAMAGED)
			store_aside_note(&aside, id);
		else if (error != 0 && error != AISLE_E_NONE)
			break;
		if (fn(ctx, id, &subject, at_ms, error == 0 ? body.data : NULL, body.len) != 0) {
			rc = SQLITE_DONE;
			over = true;
			break;
		}
	}
	sqlite3_reset(stmt);
	if (rc == SQLITE_DONE && !over)
		each_recent(store, first, from_ms, to_ms, max_rows, &body, fn, ctx);
	buf_wipe(&body);
	if (rc != SQLITE_DONE)
		return rc == SQLITE_ROW ? error : store_error(store, rc);
	store_aside_done(store, &aside, "recording", ST_RECORDING_ASIDE, ST_RECORDING_DROP);
	return 0;
}
