/* SPDX-License-Identifier: Apache-2.0
 *
 * store_queue.c - the outbox (local receivers) and the dead letters.
 *
 * Outbox ids rise for ever, also over deletions and restarts. They are leased:
 * the disk knows a number that no id has reached, and is told a new one once
 * in STORE_OUTBOX_LEASE ids, so an id costs no page. After a kill the ids go
 * on at the end of the lease; after a clean close, without a jump.
 */
#include <string.h>

#include "core/id.h"
#include "store/store_internal.h"

#define ROW_KEY_SIZE 32

static void
put64(uint8_t *at, int64_t n)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)((uint64_t)n >> (8 * i));
}

/* ---- outbox ---- */

static void
outbox_row_key(uint8_t out[static ROW_KEY_SIZE], int64_t id, const char *topic, bool retain)
{
	struct id hash = hash_parts(&topic, 1);
	put64(out, id);
	put64(out + 8, retain);
	memcpy(out + 16, hash.b, 16);
}

static int
take_outbox_id(struct store *store, int64_t *ret_id)
{
	if (store->now.outbox_next >= store->now.outbox_lease) {
		char text[24];
		int64_t lease = store->now.outbox_next + STORE_OUTBOX_LEASE;
		sqlite3_snprintf(sizeof(text), text, "%lld", (long long)lease);
		int error = store_meta_write(store, "outbox", text, strlen(text));
		if (error != 0)
			return error;
		store->now.outbox_lease = lease;
	}
	*ret_id = store->now.outbox_next++;
	return 0;
}

int
store_outbox_add(struct store *store, const char *topic, const struct id *subject, bool retain,
    const void *payload, size_t len, int64_t *ret_id)
{
	uint8_t key[8];
	int64_t id;
	int error = take_outbox_id(store, &id);
	if (error != 0)
		return error;
	recent_key64(key, id);
	error = store_recent_put2(store, RECENT_OUTBOX, key, sizeof(key), subject, 0, retain, topic,
	    payload, len);
	if (error == 0 && ret_id != NULL)
		*ret_id = id;
	return error;
}

static int
write_outbox(struct store *store, int64_t id, const char *topic, const struct id *subject,
    bool retain, const void *payload, size_t len)
{
	uint8_t row_key[ROW_KEY_SIZE];
	const void *sealed;
	size_t sealed_len;
	outbox_row_key(row_key, id, topic, retain);
	int error = store_seal(store, "outbox", row_key, sizeof(row_key), subject, payload, len,
	    &sealed, &sealed_len);
	sqlite3_stmt *stmt = error == 0 ? store_stmt(store, ST_OUTBOX_ADD, &error) : NULL;
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, id);
	sqlite3_bind_text(stmt, 2, topic, -1, SQLITE_STATIC);
	store_bind_id(stmt, 3, subject);
	sqlite3_bind_int(stmt, 4, retain);
	store_bind_blob(stmt, 5, sealed, sealed_len);
	return store_run(store, stmt);
}

int
store_outbox_delete(struct store *store, int64_t id)
{
	uint8_t key[8];
	recent_key64(key, id);
	return store_recent_drop(store, RECENT_OUTBOX, key, sizeof(key));
}

static int
erase_outbox(struct store *store, int64_t id)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_OUTBOX_DELETE, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, id);
	return store_run(store, stmt);
}

int
store_fold_outbox(struct store *store, const struct recent_row *row)
{
	const char *topic = recent_body(row);
	size_t topic_len = row->deleted ? 0 : strlen(topic) + 1;

	return row->deleted
	    ? erase_outbox(store, recent_key64_read(row->bytes))
	    : write_outbox(store, recent_key64_read(row->bytes), topic, &row->subject,
		  row->flag != 0, topic + topic_len, row->len - topic_len);
}

static int
set_outbox_aside(struct store *store, struct store_aside *aside)
{
	bool own;
	int error = store_aside_begin(store, &own);
	if (error != 0)
		return error;
	store_aside_done(store, aside, "outbox", ST_OUTBOX_ASIDE, ST_OUTBOX_DELETE);
	return store_aside_end(store, own);
}

/* Those behind after that are not in the table yet. */
static void
each_recent(struct store *store, int64_t after, struct buf *body, store_outbox_fn fn, void *ctx)
{
	uint8_t from[8];
	const struct recent_row *row;
	int stop = 0;
	recent_key64(from, after);
	for (row = store_recent_next(store, RECENT_OUTBOX, from, sizeof(from), true);
	     stop == 0 && row != NULL;
	     row = store_recent_next(store, RECENT_OUTBOX, row->bytes, row->key_len, true)) {
		buf_clear(body);
		if (store_recent_read(store, row, body) != 0)
			continue;
		size_t topic_len = strlen(body->data) + 1;
		stop = fn(ctx, recent_key64_read(row->bytes), body->data, row->flag != 0,
		    body->data + topic_len, body->len - topic_len);
	}
}

int
store_outbox_each(struct store *store, int64_t after_id, store_outbox_fn fn, void *ctx)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_OUTBOX_EACH, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, after_id);
	struct buf body = { 0 };
	struct store_aside aside = { .count = 0 };
	int rc, stop = 0;
	while (stop == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		uint8_t row_key[ROW_KEY_SIZE], key[8];
		int64_t id = sqlite3_column_int64(stmt, 0);
		const char *topic = (const char *)sqlite3_column_text(stmt, 1);
		struct id subject = store_column_id(stmt, 2);
		bool retain = sqlite3_column_int(stmt, 3) != 0;
		recent_key64(key, id);
		/* It is gone. */
		if (store_recent_find(store, RECENT_OUTBOX, key, sizeof(key)) != NULL)
			continue;
		outbox_row_key(row_key, id, topic != NULL ? topic : "", retain);
		buf_clear(&body);
		error = store_unseal(store, "outbox", row_key, sizeof(row_key), &subject, stmt, 4,
		    &body);
		if (error == AISLE_E_DAMAGED)
			store_aside_note(&aside, id);
		if (error == 0)
			stop = fn(ctx, id, topic, retain, body.data, body.len);
	}
	sqlite3_reset(stmt);
	if (stop == 0 && rc == SQLITE_DONE)
		each_recent(store, after_id, &body, fn, ctx);
	buf_wipe(&body);
	if (stop == 0 && rc != SQLITE_DONE)
		return store_error(store, rc);
	return aside.count > 0 ? set_outbox_aside(store, &aside) : 0;
}

int64_t
store_outbox_recent(struct store *store)
{
	const struct recent_row *row = store_recent_next(store, RECENT_OUTBOX, "", 0, false);
	int64_t id = 0;
	for (; row != NULL;
	     row = store_recent_next(store, RECENT_OUTBOX, row->bytes, row->key_len, true))
		id = recent_key64_read(row->bytes);
	return id;
}

int64_t
store_outbox_last(const struct store *store)
{
	return store->now.outbox_next - 1;
}

/* ---- dead letters ---- */

static void
dead_row_key(uint8_t out[static ROW_KEY_SIZE], int64_t n, int64_t at_ms, const char *topic,
    const char *reason, const char *detail)
{
	const char *const parts[] = { topic, reason, detail };
	struct id hash = hash_parts(parts, ARRAY_LEN(parts));
	put64(out, n);
	put64(out + 8, at_ms);
	memcpy(out + 16, hash.b, 16);
}

static int
load_dead(struct store *store)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_DEAD_BYTES, &error);
	if (stmt == NULL)
		return error;
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		store->now.dead_rows = sqlite3_column_int64(stmt, 0);
		store->now.dead_bytes = sqlite3_column_int64(stmt, 1);
		store->now.dead_known = true;
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? 0 : store_error(store, rc);
}

static int
drop_oldest_dead(struct store *store)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_DEAD_OLDEST, &error);
	if (stmt == NULL)
		return error;
	int rc = sqlite3_step(stmt);
	int64_t n = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	int64_t bytes = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 1) : 0;
	sqlite3_reset(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_error(store, rc);
	if (rc == SQLITE_DONE) {
		/* Fewer than were counted: damaged pages went. */
		store->now.dead_rows = store->now.dead_bytes = 0;
		return 0;
	}
	stmt = store_stmt(store, ST_DEAD_DROP, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, n);
	store->now.dead_rows--;
	store->now.dead_bytes -= bytes;
	return store_run(store, stmt);
}

int
store_dead_add(struct store *store, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const struct id *subject, const void *payload, size_t len)
{
	uint8_t row_key[ROW_KEY_SIZE];
	const void *sealed;
	size_t sealed_len;
	int64_t n = store->now.dead_last + 1;
	if (len > STORE_BODY_MAX)
		return store_doom(store, AISLE_E_TOO_BIG);
	int error = store->now.dead_known ? 0 : load_dead(store);
	dead_row_key(row_key, n, at_ms, topic, reason, detail);
	if (error == 0)
		error = store_seal(store, "dead", row_key, sizeof(row_key), subject, payload, len,
		    &sealed, &sealed_len);
	/* Who it is about was forgotten: the reason stays, and nobody's name beside it. */
	if (error == AISLE_E_NONE && subject != NULL) {
		subject = NULL;
		error = store_seal(store, "dead", row_key, sizeof(row_key), NULL, "", 0, &sealed,
		    &sealed_len);
	}
	while (error == 0 && store->now.dead_rows > 0 &&
	    (store->now.dead_rows >= STORE_DEAD_ROWS_MAX ||
		store->now.dead_bytes + (int64_t)sealed_len > STORE_DEAD_BYTES_MAX))
		error = drop_oldest_dead(store);
	sqlite3_stmt *stmt = error == 0 ? store_stmt(store, ST_DEAD_ADD, &error) : NULL;
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, n);
	sqlite3_bind_int64(stmt, 2, at_ms);
	sqlite3_bind_text(stmt, 3, topic, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 4, reason, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 5, detail, -1, SQLITE_STATIC);
	store_bind_id(stmt, 6, subject);
	store_bind_blob(stmt, 7, sealed, sealed_len);
	error = store_run(store, stmt);
	if (error == 0) {
		store->now.dead_last = n;
		store->now.dead_rows++;
		store->now.dead_bytes += (int64_t)sealed_len;
	}
	return error;
}

int
store_dead_drop(struct store *store, int64_t n)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_DEAD_DROP, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, n);
	store->now.dead_known = false; /* the totals are read anew */
	return store_run(store, stmt);
}

int
store_dead_forget(struct store *store, const struct id *subject)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_DEAD_FORGET, &error);
	if (stmt == NULL)
		return error;
	store_bind_id(stmt, 1, subject);
	store->now.dead_known = false;
	return store_run(store, stmt);
}

int
store_dead_prune(struct store *store, int64_t before_ms, int max_rows)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_DEAD_PRUNE, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, before_ms);
	sqlite3_bind_int(stmt, 2, max_rows);
	error = store_run(store, stmt);
	if (error != 0)
		return error;
	int changes = sqlite3_changes(store->db);
	if (changes > 0)
		store->now.dead_known = false;
	return changes;
}

static const char *
column_text(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	return text != NULL ? text : "";
}

int
store_dead_each(struct store *store, int max_rows, store_dead_fn fn, void *ctx)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_DEAD_EACH, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int(stmt, 1, max_rows);
	struct buf body = { 0 };
	struct store_aside aside = { .count = 0 };
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		uint8_t row_key[ROW_KEY_SIZE];
		int64_t n = sqlite3_column_int64(stmt, 0), at_ms = sqlite3_column_int64(stmt, 1);
		const char *topic = column_text(stmt, 2), *reason = column_text(stmt, 3),
			   *detail = column_text(stmt, 4);
		struct id subject = store_column_id(stmt, 5);
		dead_row_key(row_key, n, at_ms, topic, reason, detail);
		buf_clear(&body);
		error =
		    store_unseal(store, "dead", row_key, sizeof(row_key), &subject, stmt, 6, &body);
		if (error == AISLE_E_DAMAGED)
			store_aside_note(&aside, n);
		if (error == 0 &&
		    fn(ctx, n, at_ms, topic, reason, detail, body.data, body.len) != 0) {
			rc = SQLITE_DONE;
			break;
		}
	}
	sqlite3_reset(stmt);
	buf_wipe(&body);
	/* The totals are read anew: how much went is not known here. */
	if (aside.count > 0 && store->in_tx)
		store->now.dead_known = false;
	store_aside_done(store, &aside, "dead", ST_DEAD_ASIDE, ST_DEAD_DROP);
	return rc == SQLITE_DONE ? 0 : store_error(store, rc);
}
