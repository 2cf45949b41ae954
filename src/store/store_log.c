/* SPDX-License-Identifier: Apache-2.0
 *
 * store_log.c - many small sealed bodies a key, appended and read in order.
 *
 * The rows of one key lie together (see ROW IDS in store_internal.h): a
 * customer's whole history is one short walk, not a look-up per row.
 */
#include <string.h>

#include "core/id.h"
#include "store/store_internal.h"

#define ROW_KEY_SIZE 36
#define RECENT_KEY_SIZE 24
#define N_BITS 24
#define SCAN_PER_ROW 8 /* rows looked at for each that may be removed */

/* First id of the key's 40-bit prefix; its rows are the N_BITS above it. */
static int64_t
log_base(const struct id *key)
{
	uint64_t v = 0;
	for (int i = 0; i < 5; i++)
		v = v << 8 | key->b[i];
	return (int64_t)(v << N_BITS ^ UINT64_C(1) << 63);
}

static void
log_row_key(uint8_t out[static ROW_KEY_SIZE], const struct id *key, int64_t n, int kind,
    int64_t at_ms)
{
	memcpy(out, key->b, 16);
	for (int i = 0; i < 8; i++) {
		out[16 + i] = (uint8_t)((uint64_t)n >> (8 * i));
		out[24 + i] = (uint8_t)((uint64_t)at_ms >> (8 * i));
	}
	for (int i = 0; i < 4; i++)
		out[32 + i] = (uint8_t)((unsigned)kind >> (8 * i));
}

static int
next_n(struct store *store, enum store_log log, int64_t base, int64_t *ret_n)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_LOG(log, LOG_LAST), &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, base);
	sqlite3_bind_int64(stmt, 2, base + STORE_LOG_ROWS_MAX);
	int rc = sqlite3_step(stmt);
	int64_t n = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) - base + 1 : 1;
	sqlite3_reset(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_error(store, rc);
	if (n > STORE_LOG_ROWS_MAX)
		return store_doom(store, AISLE_E_TOO_BIG);
	*ret_n = n;
	return 0;
}

/* Whom a row is about, and so under whose key it lies: a subject's own log says it in the key already, any other
 * beside the row. It need not be who the key's object is about now: a stranger may have shown their card since. */
static struct id
owner_of(enum store_log log, const struct id *key, sqlite3_stmt *stmt, int column)
{
	return log == STORE_LOG_SUBJECT ? *key : store_column_id(stmt, column);
}

static void
recent_key(uint8_t out[static RECENT_KEY_SIZE], const struct id *key, int64_t number)
{
	memcpy(out, key->b, 16);
	recent_key64(out + 16, number);
}

int
store_log_add(struct store *store, enum store_log log, const struct id *key,
    const struct id *subject, int kind, int64_t at_ms, const void *body, size_t len)
{
	uint8_t name[RECENT_KEY_SIZE];
	recent_key(name, key, store->now.log_next++);
	return store_recent_put(store, RECENT_LOG + (int)log, name, sizeof(name),
	    log == STORE_LOG_SUBJECT ? key : subject, at_ms, kind, body, len);
}

static int
write_log(struct store *store, enum store_log log, const struct id *key, const struct id *subject,
    int kind, int64_t at_ms, const void *body, size_t len)
{
	uint8_t row_key[ROW_KEY_SIZE];
	const struct id *owner = log == STORE_LOG_SUBJECT ? key : subject;
	int64_t base = log_base(key), n = 0;
	const void *sealed;
	size_t sealed_len;
	int error = next_n(store, log, base, &n);
	if (error != 0)
		return error;
	log_row_key(row_key, key, n, kind, at_ms);
	error = store_seal(store, store_log_names[log], row_key, sizeof(row_key), owner, body, len,
	    &sealed, &sealed_len);
	sqlite3_stmt *stmt = error == 0 ? store_stmt(store, ST_LOG(log, LOG_ADD), &error) : NULL;
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, base + n);
	sqlite3_bind_blob(stmt, 2, key->b, 16, SQLITE_STATIC);
	store_bind_id(stmt, 3, owner != key ? owner : NULL);
	sqlite3_bind_int(stmt, 4, kind);
	sqlite3_bind_int64(stmt, 5, at_ms);
	store_bind_blob(stmt, 6, sealed, sealed_len);
	return store_run(store, stmt);
}

int
store_fold_log(struct store *store, const struct recent_row *row)
{
	struct id key;

	memcpy(key.b, row->bytes, sizeof(key.b));
	return write_log(store, (enum store_log)(row->table - RECENT_LOG), &key, &row->subject,
	    row->flag, row->at_ms, recent_body(row), row->len);
}

/* Behind those of the table, with the numbers that follow the last one's. */
static void
each_recent(struct store *store, enum store_log log, const struct id *key, int64_t last,
    struct buf *body, store_log_fn fn, void *ctx)
{
	uint8_t from[RECENT_KEY_SIZE];
	const struct recent_row *row;
	int stop = 0;
	recent_key(from, key, 0);
	for (row = store_recent_next(store, RECENT_LOG + (int)log, from, sizeof(from), false);
	     stop == 0 && row != NULL && memcmp(row->bytes, key->b, 16) == 0;
	     row =
		 store_recent_next(store, RECENT_LOG + (int)log, row->bytes, row->key_len, true)) {
		last++;
		buf_clear(body);
		if (store_recent_read(store, row, body) == 0)
			stop = fn(ctx, last, row->flag, row->at_ms, body->data, body->len);
	}
}

int
store_log_each(struct store *store, enum store_log log, const struct id *key, store_log_fn fn,
    void *ctx)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_LOG(log, LOG_EACH), &error);
	if (stmt == NULL)
		return error;
	int64_t base = log_base(key);
	sqlite3_bind_int64(stmt, 1, base);
	sqlite3_bind_int64(stmt, 2, base + STORE_LOG_ROWS_MAX);
	struct buf body = { 0 };
	struct store_aside aside = { .count = 0 };
	int rc, stop = 0;
	int64_t last = 0;
	while (stop == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		uint8_t row_key[ROW_KEY_SIZE];
		struct id named = store_column_id(stmt, 1), owner = owner_of(log, key, stmt, 5);
		last = sqlite3_column_int64(stmt, 0) - base;
		bool ours = id_equal(&named, key);
		/* Another key of the same prefix, or this one with a flipped bit: if it opens, it is ours. */
		if (!ours && !store->sealed)
			continue;
		int64_t id = sqlite3_column_int64(stmt, 0), at_ms = sqlite3_column_int64(stmt, 3);
		int kind = sqlite3_column_int(stmt, 2);
		log_row_key(row_key, key, id - base, kind, at_ms);
		buf_clear(&body);
		error = store_unseal(store, store_log_names[log], row_key, sizeof(row_key), &owner,
		    stmt, 4, &body);
		if (error == AISLE_E_DAMAGED && ours)
			store_aside_note(&aside, id);
		if (error == 0)
			stop = fn(ctx, id - base, kind, at_ms, body.data, body.len);
	}
	sqlite3_reset(stmt);
	if (stop == 0 && rc == SQLITE_DONE)
		each_recent(store, log, key, last, &body, fn, ctx);
	buf_wipe(&body);
	store_aside_done(store, &aside, store_log_names[log], ST_LOG(log, LOG_ASIDE),
	    ST_LOG(log, LOG_DROP));
	return stop != 0 || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

/* The id of the newest such row; its statement is over. */
static int
find_newest(struct store *store, enum store_log log, const struct id *key, int kind,
    const void *begin, size_t len, int64_t *ret_id)
{
	int error, rc = SQLITE_DONE;
	sqlite3_stmt *stmt = store_stmt(store, ST_LOG(log, LOG_NEWEST), &error);
	if (stmt == NULL)
		return error;
	int64_t base = log_base(key), id = 0;
	struct buf body = { 0 };
	bool found = false;
	sqlite3_bind_int64(stmt, 1, base);
	sqlite3_bind_int64(stmt, 2, base + STORE_LOG_ROWS_MAX);
	sqlite3_bind_int(stmt, 3, kind);
	while (!found && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		uint8_t row_key[ROW_KEY_SIZE];
		struct id named = store_column_id(stmt, 1), owner = owner_of(log, key, stmt, 4);
		id = sqlite3_column_int64(stmt, 0);
		log_row_key(row_key, key, id - base, kind, sqlite3_column_int64(stmt, 2));
		buf_clear(&body);
		found = id_equal(&named, key) &&
		    store_unseal(store, store_log_names[log], row_key, sizeof(row_key), &owner,
			stmt, 3, &body) == 0 &&
		    body.len >= len && memcmp(body.data, begin, len) == 0;
	}
	sqlite3_reset(stmt);
	buf_wipe(&body);
	if (!found)
		return rc == SQLITE_DONE ? AISLE_E_NONE : store_error(store, rc);
	*ret_id = id;
	return 0;
}

int
store_log_drop(struct store *store, enum store_log log, const struct id *key, int kind,
    const void *begin, size_t len)
{
	int64_t id = 0;
	int error = store_settle(store);
	if (error == 0)
		error = find_newest(store, log, key, kind, begin, len, &id);
	sqlite3_stmt *stmt = error == 0 ? store_stmt(store, ST_LOG(log, LOG_DROP), &error) : NULL;
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, id);
	return store_run(store, stmt);
}

static int
run_on_key(struct store *store, int statement, const struct id *key)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, statement, &error);
	if (stmt == NULL)
		return error;
	int64_t base = log_base(key);
	sqlite3_bind_int64(stmt, 1, base);
	sqlite3_bind_int64(stmt, 2, base + STORE_LOG_ROWS_MAX);
	sqlite3_bind_blob(stmt, 3, key->b, 16, SQLITE_STATIC);
	return store_run(store, stmt);
}

int
store_log_blank(struct store *store, enum store_log log, const struct id *key)
{
	return run_on_key(store, ST_LOG(log, LOG_BLANK), key);
}

int
store_log_blank_of(struct store *store, enum store_log log, const struct id *subject)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_LOG(log, LOG_BLANK_OF), &error);
	if (stmt == NULL)
		return error;
	store_bind_id(stmt, 1, subject);
	return store_run(store, stmt);
}

int
store_log_forget(struct store *store, enum store_log log, const struct id *key)
{
	int error = store_settle(store);
	return error != 0 ? error : run_on_key(store, ST_LOG(log, LOG_FORGET), key);
}

int
store_log_prune(struct store *store, enum store_log log, int64_t before_ms, int max_rows)
{
	int removed = store_sweep(store, ST_LOG(log, LOG_SCAN), ST_LOG(log, LOG_DROP),
	    &store->sweep[log], before_ms, max_rows, SCAN_PER_ROW);
	return removed < 0 ? removed : 0;
}
