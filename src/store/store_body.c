/* SPDX-License-Identifier: Apache-2.0
 *
 * store_body.c - visits, subjects, decisions, tablets: one sealed body a key.
 *
 * A body is sealed with all that stands in clear beside it (key, subject, at,
 * flag), so that a body put beside another row's columns does not open.
 */
#include <string.h>

#include "core/id.h"
#include "store/store_internal.h"

#define ROW_KEY_SIZE 44

static void
put64(uint8_t *at, int64_t n)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)((uint64_t)n >> (8 * i));
}

static void
body_row_key(uint8_t out[static ROW_KEY_SIZE], const struct id *key, const struct id *subject,
    int64_t at_ms, int flag)
{
	memset(out, 0, ROW_KEY_SIZE);
	memcpy(out, key->b, 16);
	if (subject != NULL)
		memcpy(out + 16, subject->b, 16);
	put64(out + 32, at_ms);
	for (int i = 0; i < 4; i++)
		out[40 + i] = (uint8_t)((unsigned)flag >> (8 * i));
}

/* The id a key would like. What others name, a customer, may be chosen so that a window is full: its place is a
 * hash. The rest are ids of ours, in the order of their making. */
static int64_t
body_slot(enum store_table table, const struct id *key)
{
	struct id hash;
	if (table != STORE_SUBJECT)
		return store_slot(key);
	hash_bytes(hash.b, sizeof(hash.b), key->b, sizeof(key->b), "subject", 7);
	return store_slot(&hash);
}

/* ---- put ---- */

/* Where the key is, or the first free id of its window. */
static int
find_slot(struct store *store, enum store_table table, const struct id *key, int64_t *ret_slot)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_BODY(table, BODY_TAKEN), &error);
	if (stmt == NULL)
		return error;
	int64_t base = body_slot(table, key), slot = base;
	sqlite3_bind_int64(stmt, 1, base);
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(stmt, 0);
		struct id there = store_column_id(stmt, 1);
		if (id_equal(&there, key)) {
			slot = id;
			rc = SQLITE_DONE;
			break;
		}
		if (id == slot)
			slot++;
	}
	sqlite3_reset(stmt);
	if (rc != SQLITE_DONE)
		return store_error(store, rc);
	if (slot - base >= STORE_WINDOW)
		return store_doom(store, AISLE_E_TOO_BIG);
	*ret_slot = slot;
	return 0;
}

/* The common case: the row is there with the same flag and subject, so that no index is touched. */
static int
touch(struct store *store, enum store_table table, const struct id *key, const struct id *subject,
    int64_t at_ms, int flag, const void *body, size_t len, bool *ret_done)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_BODY(table, BODY_TOUCH), &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, body_slot(table, key));
	sqlite3_bind_blob(stmt, 2, key->b, 16, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, at_ms);
	store_bind_blob(stmt, 4, body, len);
	sqlite3_bind_int(stmt, 5, flag);
	store_bind_id(stmt, 6, subject);
	error = store_run(store, stmt);
	*ret_done = error == 0 && sqlite3_changes(store->db) > 0;
	return error;
}

static int
insert(struct store *store, enum store_table table, enum body_op op, int64_t slot,
    const struct id *key, const struct id *subject, int64_t at_ms, int flag, const void *body,
    size_t len)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_BODY(table, op), &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, slot);
	sqlite3_bind_blob(stmt, 2, key->b, 16, SQLITE_STATIC);
	store_bind_id(stmt, 3, subject);
	sqlite3_bind_int64(stmt, 4, at_ms);
	sqlite3_bind_int(stmt, 5, flag);
	store_bind_blob(stmt, 6, body, len);
	return store_run(store, stmt);
}

int
store_put(struct store *store, enum store_table table, const struct id *key,
    const struct id *subject, int64_t at_ms, int flag, const void *body, size_t len)
{
	/* A customer's place is a hash. */
	int error = table == STORE_SUBJECT
	    ? 0
	    : store_window(store, RECENT_BODY + (int)table, ST_BODY(table, BODY_TAKEN),
		  store->now.collided[table], key);
	return error != 0 ? error
			  : store_recent_put(store, RECENT_BODY + (int)table, key->b,
				sizeof(key->b), subject, at_ms, flag, body, len);
}

static int
write_body(struct store *store, enum store_table table, const struct id *key,
    const struct id *subject, int64_t at_ms, int flag, const void *body, size_t len)
{
	uint8_t row_key[ROW_KEY_SIZE];
	const void *sealed;
	size_t sealed_len;
	bool done = false;
	int64_t slot = body_slot(table, key);
	body_row_key(row_key, key, subject, at_ms, flag);
	int error = store_seal(store, store_body_names[table], row_key, sizeof(row_key), subject,
	    body, len, &sealed, &sealed_len);
	/* A decision is new; the rest are there more often than not. */
	if (error == 0 && table == STORE_DECISION && !store->now.collided[table]) {
		error = insert(store, table, BODY_ADD, slot, key, subject, at_ms, flag, sealed,
		    sealed_len);
		done = sqlite3_changes(store->db) > 0;
	}
	if (error == 0 && !done)
		error = touch(store, table, key, subject, at_ms, flag, sealed, sealed_len, &done);
	if (error != 0 || done)
		return error;
	error = find_slot(store, table, key, &slot);
	if (error == 0 && slot != body_slot(table, key))
		error = store_note_collision(store, table);
	if (error == 0)
		error = insert(store, table, BODY_PUT, slot, key, subject, at_ms, flag, sealed,
		    sealed_len);
	return error;
}

static int
erase_body(struct store *store, enum store_table table, const struct id *key)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_BODY(table, BODY_DELETE), &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, body_slot(table, key));
	sqlite3_bind_blob(stmt, 2, key->b, 16, SQLITE_STATIC);
	return store_run(store, stmt);
}

int
store_fold_body(struct store *store, const struct recent_row *row)
{
	enum store_table table = (enum store_table)(row->table - RECENT_BODY);
	struct id key;
	int error = AISLE_E_NONE;

	memcpy(key.b, row->bytes, sizeof(key.b));
	if (!row->deleted)
		error = write_body(store, table, &key, &row->subject, row->at_ms, row->flag,
		    recent_body(row), row->len);
	/* Of somebody who is forgotten: what the table has is of before, and nobody's perhaps. */
	return error == AISLE_E_NONE ? erase_body(store, table, &key) : error;
}

/* ---- get, delete, each ---- */

/* Of a statement whose columns are …, subject, at, flag, body from column first on. */
static int
open_body(struct store *store, enum store_table table, const struct id *key, sqlite3_stmt *stmt,
    int first, struct buf *out, struct id *ret_subject, int64_t *ret_at_ms)
{
	uint8_t row_key[ROW_KEY_SIZE];
	*ret_subject = store_column_id(stmt, first);
	*ret_at_ms = sqlite3_column_int64(stmt, first + 1);
	body_row_key(row_key, key, ret_subject, *ret_at_ms, sqlite3_column_int(stmt, first + 2));
	return store_unseal(store, store_body_names[table], row_key, sizeof(row_key), ret_subject,
	    stmt, first + 3, out);
}

int
store_get(struct store *store, enum store_table table, const struct id *key, struct buf *out,
    struct id *ret_subject)
{
	int error;
	const struct recent_row *row =
	    store_recent_find(store, RECENT_BODY + (int)table, key->b, sizeof(key->b));
	if (row != NULL) {
		error = store_recent_read(store, row, out);
		if (error == 0 && ret_subject != NULL)
			*ret_subject = row->subject;
		return error;
	}
	sqlite3_stmt *stmt = store_stmt(store, ST_BODY(table, BODY_FIND), &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, body_slot(table, key));
	sqlite3_bind_blob(stmt, 2, key->b, 16, SQLITE_STATIC);
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		sqlite3_reset(stmt);
		return rc == SQLITE_DONE ? AISLE_E_NONE : store_error(store, rc);
	}
	struct id subject;
	int64_t at_ms, id = sqlite3_column_int64(stmt, 0);
	error = open_body(store, table, key, stmt, 1, out, &subject, &at_ms);
	sqlite3_reset(stmt);
	if (error == AISLE_E_DAMAGED)
		store_set_aside(store, store_body_names[table], id, ST_BODY(table, BODY_ASIDE),
		    ST_BODY(table, BODY_DROP));
	if (error == 0 && ret_subject != NULL)
		*ret_subject = subject;
	return error;
}

int
store_delete(struct store *store, enum store_table table, const struct id *key)
{
	return store_recent_drop(store, RECENT_BODY + (int)table, key->b, sizeof(key->b));
}

static int
each_statement(const struct store *store, enum store_table table, int flag)
{
	if (store->now.collided[table] || table == STORE_SUBJECT)
		return ST_BODY(table, BODY_SORTED);
	return ST_BODY(table, flag > 0 ? BODY_FLAGGED : BODY_EACH);
}

/* What is recent stands between the rows of the table, by its key. */
struct recent_walk {
	struct store *store;
	int table, flag;
	const struct recent_row *row;
	store_row_fn fn;
	void *ctx;
	struct buf *body;
};

/* Gives those before key (NULL: all that are left). Non-zero: stop. */
static int
give_recent(struct recent_walk *walk, const struct id *key)
{
	int stop = 0;
	while (stop == 0 && walk->row != NULL &&
	    (key == NULL || memcmp(walk->row->bytes, key->b, sizeof(key->b)) < 0)) {
		const struct recent_row *row = walk->row;
		struct id name;
		memcpy(name.b, row->bytes, sizeof(name.b));
		buf_clear(walk->body);
		if ((walk->flag < 0 || row->flag == walk->flag) &&
		    store_recent_read(walk->store, row, walk->body) == 0)
			stop = walk->fn(walk->ctx, &name, &row->subject, row->at_ms,
			    walk->body->data, walk->body->len);
		walk->row =
		    store_recent_next(walk->store, walk->table, name.b, sizeof(name.b), true);
	}
	return stop;
}

int
store_each(struct store *store, enum store_table table, int flag, store_row_fn fn, void *ctx)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, each_statement(store, table, flag), &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int(stmt, 1, flag);
	struct buf body = { 0 };
	struct store_aside aside = { .count = 0 };
	struct recent_walk walk = { .store = store,
		.table = RECENT_BODY + (int)table,
		.flag = flag,
		.row = store_recent_next(store, RECENT_BODY + (int)table, "", 0, false),
		.fn = fn,
		.ctx = ctx,
		.body = &body };
	int rc, stop = 0;
	while (stop == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct id key = store_column_id(stmt, 1), subject;
		int64_t at_ms;
		stop = give_recent(&walk, &key);
		if (stop != 0 || store_recent_find(store, walk.table, key.b, sizeof(key.b)) != NULL)
			continue;
		buf_clear(&body);
		error = open_body(store, table, &key, stmt, 2, &body, &subject, &at_ms);
		if (error == AISLE_E_DAMAGED)
			store_aside_note(&aside, sqlite3_column_int64(stmt, 0));
		if (error == 0)
			stop = fn(ctx, &key, &subject, at_ms, body.data, body.len);
	}
	sqlite3_reset(stmt);
	if (stop == 0 && rc == SQLITE_DONE)
		stop = give_recent(&walk, NULL);
	buf_wipe(&body);
	store_aside_done(store, &aside, store_body_names[table], ST_BODY(table, BODY_ASIDE),
	    ST_BODY(table, BODY_DROP));
	return stop != 0 || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

int
store_back(struct store *store, enum store_table table, int64_t *cursor, int max, store_row_fn fn,
    void *ctx)
{
	int rc, count = 0, error = store_settle(store);
	sqlite3_stmt *stmt =
	    error == 0 ? store_stmt(store, ST_BODY(table, BODY_BACK), &error) : NULL;
	struct buf body = { 0 };

	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, *cursor);
	sqlite3_bind_int(stmt, 2, max);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct id key = store_column_id(stmt, 1), subject;
		int64_t at_ms;

		*cursor = sqlite3_column_int64(stmt, 0);
		count++;
		buf_clear(&body);
		error = open_body(store, table, &key, stmt, 2, &body, &subject, &at_ms);
		if (error == 0 && fn(ctx, &key, &subject, at_ms, body.data, body.len) != 0) {
			rc = SQLITE_DONE;
			break;
		}
	}
	sqlite3_reset(stmt);
	buf_wipe(&body);
	return rc == SQLITE_DONE ? count : store_error(store, rc);
}

/* Up to max rows about subject: their ids and keys. */
static int
rows_of(struct store *store, enum store_table table, const struct id *subject, int64_t *ids,
    struct id *keys, size_t max, size_t *ret_count)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_BODY(table, BODY_OF), &error);
	if (stmt == NULL)
		return error;
	store_bind_id(stmt, 1, subject);
	int rc;
	size_t count = 0;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && count < max) {
		ids[count] = sqlite3_column_int64(stmt, 0);
		keys[count++] = store_column_id(stmt, 1);
	}
	sqlite3_reset(stmt);
	*ret_count = count;
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : store_error(store, rc);
}

int
store_blank(struct store *store, enum store_table table, const struct id *subject)
{
	int64_t ids[256];
	struct id keys[256];
	size_t count = 0;
	do {
		int error = rows_of(store, table, subject, ids, keys, ARRAY_LEN(ids), &count);
		for (size_t i = 0; error == 0 && i < count; i++) {
			if (table == STORE_DECISION)
				error = store_log_blank(store, STORE_LOG_OUTCOME, &keys[i]);
			sqlite3_stmt *blank = error == 0
			    ? store_stmt(store, ST_BODY(table, BODY_BLANK), &error)
			    : NULL;
			if (blank == NULL)
				break;
			sqlite3_bind_int64(blank, 1, ids[i]);
			error = store_run(store, blank);
		}
		if (error != 0)
			return error;
	} while (count == ARRAY_LEN(ids));
	return 0;
}
