/* SPDX-License-Identifier: Apache-2.0
 *
 * store_waiting.c - events that came faster than they may be taken: queues on disk.
 *
 * A row's id is its queue, then its number in it, so that a queue's rows lie
 * together, in their order; it holds several events. One about a customer has
 * a row of its own, sealed with their key: who is forgotten leaves the queues
 * too.
 */
#include <string.h>

#include "store/store_internal.h"

#define ROW_KEY_SIZE 24
#define QUEUE_BITS 40 /* numbers in a queue */
#define QUEUE_MAX (INT64_C(1) << 22)

static void
waiting_row_key(uint8_t out[static ROW_KEY_SIZE], int64_t id, int64_t bytes, int64_t events)
{
	for (int i = 0; i < 8; i++) {
		out[i] = (uint8_t)((uint64_t)id >> (8 * i));
		out[8 + i] = (uint8_t)((uint64_t)bytes >> (8 * i));
		out[16 + i] = (uint8_t)((uint64_t)events >> (8 * i));
	}
}

int
store_waiting_add(struct store *store, int64_t id, const struct id *subject, int64_t events,
    const void *body, size_t len)
{
	uint8_t row_key[ROW_KEY_SIZE];
	const void *sealed;
	size_t sealed_len;
	if (len > STORE_BODY_MAX)
		return store_doom(store, AISLE_E_TOO_BIG);
	waiting_row_key(row_key, id, (int64_t)len, events);
	int error = store_seal(store, "waiting", row_key, sizeof(row_key), subject, body, len,
	    &sealed, &sealed_len);
	sqlite3_stmt *stmt = error == 0 ? store_stmt(store, ST_WAITING_ADD, &error) : NULL;
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, id);
	sqlite3_bind_int64(stmt, 2, (int64_t)len);
	sqlite3_bind_int64(stmt, 3, events);
	store_bind_id(stmt, 4, subject);
	store_bind_blob(stmt, 5, sealed, sealed_len);
	return store_run(store, stmt);
}

int
store_waiting_get(struct store *store, int64_t first, int64_t last, bool newest,
    struct store_waiting *ret_row, struct buf *out)
{
	uint8_t row_key[ROW_KEY_SIZE];
	int error;
	*ret_row = (struct store_waiting){ 0 };
	sqlite3_stmt *stmt =
	    store_stmt(store, newest ? ST_WAITING_NEWEST : ST_WAITING_OLDEST, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, first);
	sqlite3_bind_int64(stmt, 2, last);
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		sqlite3_reset(stmt);
		return rc == SQLITE_DONE ? AISLE_E_NONE : store_error(store, rc);
	}
	struct id subject = store_column_id(stmt, 3);
	*ret_row = (struct store_waiting){ sqlite3_column_int64(stmt, 0),
		sqlite3_column_int64(stmt, 1), sqlite3_column_int64(stmt, 2) };
	waiting_row_key(row_key, ret_row->id, ret_row->bytes, ret_row->events);
	error = store_unseal(store, "waiting", row_key, sizeof(row_key), &subject, stmt, 4, out);
	sqlite3_reset(stmt);
	if (error == AISLE_E_DAMAGED)
		store_set_aside(store, "waiting", ret_row->id, ST_WAITING_ASIDE, -1);
	return error;
}

int
store_waiting_drop(struct store *store, int64_t id)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_WAITING_DROP, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, id);
	return store_run(store, stmt);
}

/* Can there be such a row? Numbers stay far from the end of their bits, so that others fit behind
 * it. */
static bool
waiting_can_be(int64_t id, int64_t bytes, int64_t events)
{
	int64_t number = id & ((INT64_C(1) << QUEUE_BITS) - 1);
	return id >= INT64_C(1) << QUEUE_BITS && id >> QUEUE_BITS <= QUEUE_MAX && number >= 1 &&
	    number < INT64_C(1) << (QUEUE_BITS - 1) && bytes >= 1 && bytes <= STORE_BODY_MAX &&
	    events >= 1 && events <= bytes;
}

int
store_waiting_each(struct store *store, store_waiting_fn fn, void *ctx)
{
	struct store_aside aside = { .count = 0 };
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_WAITING_EACH, &error);
	if (stmt == NULL)
		return error;
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(stmt, 0), bytes = sqlite3_column_int64(stmt, 1),
			events = sqlite3_column_int64(stmt, 2);
		if (waiting_can_be(id, bytes, events))
			fn(ctx, id, bytes, events);
		else
			store_aside_note(&aside, id);
	}
	sqlite3_reset(stmt);
	if (rc != SQLITE_DONE)
		return store_error(store, rc);
	if (aside.count == 0)
		return 0;
	bool own;
	if ((error = store_aside_begin(store, &own)) != 0)
		return error;
	store_aside_done(store, &aside, "waiting", ST_WAITING_ASIDE, ST_WAITING_DROP);
	return store_aside_end(store, own);
}
