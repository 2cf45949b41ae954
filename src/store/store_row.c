/* SPDX-License-Identifier: Apache-2.0
 *
 * store_row.c - what every table stands on: its statements, errors that doom a transaction, a key's
 * place, a row's sum, the room that is left.
 */
#include "store/store_internal.h"

#include <string.h>

#include "core/id.h"
#include "core/log.h"

/* clang-format off */
const char *const store_body_names[STORE_COUNT] = {
#define T(name, text) text,
	BODY_TABLES(T)
#undef T
};
const char *const store_log_names[STORE_LOG_COUNT] = {
#define T(name, text) text,
	LOG_TABLES(T)
#undef T
};
/* clang-format on */

/* clang-format off */
static const char *const statements[ST_COUNT] = {
#define X(name, sql) [ST_##name] = sql,
	STORE_STATEMENTS(X)
#define T(name, text) BODY_OPS(X, name, text)
	BODY_TABLES(T)
#undef T
#define T(name, text) LOG_OPS(X, name, text)
	LOG_TABLES(T)
#undef T
#undef X
};
/* clang-format on */

/* ---- statements and errors ---- */

int
store_doom(struct store *store, int error)
{
	if (store->in_tx && store->tx_error == 0)
		store->tx_error = error;
	return error;
}

int
store_error(struct store *store, int rc)
{
	int error = AISLE_E_IO;
	switch (rc & 0xff) {
	case SQLITE_FULL: error = AISLE_E_FULL; break;
	case SQLITE_TOOBIG: error = AISLE_E_TOO_BIG; break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		/* A page, not a row: nothing to set aside, but to be counted and told. */
		store->damaged++;
		store->corrupt = true;
		break;
	case SQLITE_IOERR: store->broken = !store->memory; break;
	}
	if (store->tx_error == 0)
		log_warning("store: %s code=%d", sqlite3_errmsg(store->db), rc);
	return store_doom(store, error);
}

sqlite3_stmt *
store_stmt(struct store *store, int statement, int *ret_error)
{
	if (store->in_tx && store->tx_error != 0) {
		*ret_error = store->tx_error;
		return NULL;
	}
	sqlite3_stmt **stmt = &store->stmt[statement];
	if (*stmt == NULL) {
		int rc = sqlite3_prepare_v3(store->db, statements[statement], -1,
		    SQLITE_PREPARE_PERSISTENT, stmt, NULL);
		if (rc != SQLITE_OK) {
			*ret_error = store_error(store, rc);
			return NULL;
		}
	}
	/* Asked for again inside its own rows: the callback broke the header's promise. */
	CHECK(!sqlite3_stmt_busy(*stmt));
	return *stmt;
}

int
store_run(struct store *store, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : store_error(store, rc);
}

void
store_bind_id(sqlite3_stmt *stmt, int column, const struct id *id)
{
	if (id == NULL || id_is_zero(id))
		sqlite3_bind_null(stmt, column);
	else
		sqlite3_bind_blob(stmt, column, id->b, sizeof(id->b), SQLITE_STATIC);
}

void
store_bind_blob(sqlite3_stmt *stmt, int column, const void *bytes, size_t len)
{
	/* Not NULL even when empty: a NULL body is a forgotten one. */
	sqlite3_bind_blob64(stmt, column, len > 0 ? bytes : "", len, SQLITE_STATIC);
}

struct id
store_column_id(sqlite3_stmt *stmt, int column)
{
	struct id id = { 0 };
	const void *bytes = sqlite3_column_blob(stmt, column);
	if (bytes != NULL && sqlite3_column_bytes(stmt, column) == (int)sizeof(id.b))
		memcpy(id.b, bytes, sizeof(id.b));
	return id;
}

static uint64_t
be64(const uint8_t *b)
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | b[i];
	return v;
}

int64_t
store_slot(const struct id *key)
{
	int64_t slot = (int64_t)(be64(key->b) ^ UINT64_C(1) << 63);
	return slot <= INT64_MAX - (STORE_WINDOW - 1) ? slot : INT64_MAX - (STORE_WINDOW - 1);
}

int64_t
store_rest(const struct id *key)
{
	return (int64_t)be64(key->b + 8);
}

struct id
store_key(int64_t slot, int64_t rest)
{
	uint64_t front = (uint64_t)slot ^ UINT64_C(1) << 63, back = (uint64_t)rest;
	struct id key;

	for (int i = 0; i < 8; i++) {
		key.b[i] = (uint8_t)(front >> (56 - 8 * i));
		key.b[8 + i] = (uint8_t)(back >> (56 - 8 * i));
	}
	return key;
}

int64_t
store_sum(const char *table, const void *bytes, size_t len)
{
	uint8_t sum[8];
	hash_bytes(sum, sizeof(sum), bytes, len, table, strlen(table));
	return (int64_t)be64(sum);
}

/* ---- room ---- */

void
store_max_pages(struct store *store, bool reserve_too)
{
	if (store->pages_max == 0)
		return;
	char sql[64];
	sqlite3_snprintf(sizeof(sql), sql, "PRAGMA max_page_count = %lld",
	    (long long)store->pages_max + (reserve_too ? store->pages_reserve : 0));
	sqlite3_exec(store->db, sql, NULL, NULL, NULL);
}

int64_t
store_pages_used(struct store *store)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_PAGES, &error);
	if (stmt == NULL)
		return 0;
	int64_t used = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_reset(stmt);
	return used;
}

bool
store_pressed(struct store *store)
{
	return store->pages_max > 0 && store_pages_used(store) > store->pages_max / 8 * 7;
}
