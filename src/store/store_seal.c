/* SPDX-License-Identifier: Apache-2.0
 *
 * store_seal.c - bodies packed and through the sealer, and rows that do not open.
 */
#include <string.h>

#include "core/id.h"
#include "core/log.h"
#include "store/pack.h"
#include "store/store_internal.h"

/* Rows that are records of decisions, or have some in them. A turn's row is written over some hundred turns later. */
static bool
is_turn(const char *table)
{
	return strcmp(table, "turn") == 0;
}

static bool
has_words(const char *table)
{
	return is_turn(table) || strcmp(table, "decision") == 0 || strcmp(table, "uplink") == 0;
}

int
store_seal(struct store *store, const char *table, const void *row_key, size_t row_key_len,
    const struct id *subject, const void *plain, size_t len, const void **ret_body, size_t *ret_len)
{
	if (len > STORE_SECTION_MAX)
		return store_doom(store, AISLE_E_TOO_BIG);
	if (!store->sealed) {
		*ret_body = plain;
		*ret_len = len;
		return 0;
	}
	if (subject != NULL && id_is_zero(subject))
		subject = NULL;
	buf_clear(&store->packed_body);
	buf_clear(&store->sealed_body);
	pack_with(has_words(table) ? store->words_now : NULL, !is_turn(table), plain, len,
	    &store->packed_body);
	int error = store->sealer.seal(store->sealer.ctx, table, row_key, row_key_len, subject,
	    store->packed_body.data, store->packed_body.len, &store->sealed_body);
	/* A row written outside a transaction is on disk at once: its key goes first. */
	if (error == 0 && !store->in_tx)
		error = store->sealer.commit(store->sealer.ctx);
	if (error != 0)
		return error == AISLE_E_NONE ? error : store_doom(store, error);
	*ret_body = store->sealed_body.data;
	*ret_len = store->sealed_body.len;
	return 0;
}

int
store_unseal_bytes(struct store *store, const char *table, const void *row_key, size_t row_key_len,
    const struct id *subject, const void *body, size_t len, struct buf *out)
{
	if (!store->sealed) {
		buf_add(out, body, len);
		return 0;
	}
	const struct pack_words *words = NULL;
	uint32_t number;
	buf_clear(&store->packed_body);
	int error = store->sealer.open(store->sealer.ctx, table, row_key, row_key_len,
	    subject != NULL && !id_is_zero(subject) ? subject : NULL, body, len,
	    &store->packed_body);
	if (error == 0 && unpack_needs(store->packed_body.data, store->packed_body.len, &number)) {
		words = store_words_find(store, number);
		error = words != NULL ? 0 : AISLE_E_DAMAGED;
	}
	return error != 0 ? error
			  : unpack_with(words, store->packed_body.data, store->packed_body.len,
				STORE_SECTION_MAX, out);
}

int
store_unseal(struct store *store, const char *table, const void *row_key, size_t row_key_len,
    const struct id *subject, sqlite3_stmt *stmt, int column, struct buf *out)
{
	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return AISLE_E_NONE;
	const void *body = sqlite3_column_blob(stmt, column);
	size_t len = (size_t)sqlite3_column_bytes(stmt, column);
	if (body == NULL && len > 0)
		return store_doom(store, AISLE_E_IO);
	return store_unseal_bytes(store, table, row_key, row_key_len, subject, body, len, out);
}

void
store_set_aside(struct store *store, const char *table, int64_t id, int copy, int drop)
{
	/* Whoever only reads changes nothing. */
	if (!store->in_tx)
		return;
	store->damaged++;
	log_error("store: a row does not open and is set aside table=%s", table);
	int error;
	sqlite3_stmt *add = store_stmt(store, copy, &error);
	if (add == NULL)
		return;
	sqlite3_bind_int64(add, 1, store->damaged);
	sqlite3_bind_int64(add, 2, id);
	if (store_run(store, add) != 0)
		return;
	sqlite3_stmt *trim = store_stmt(store, ST_DAMAGED_TRIM, &error);
	if (trim != NULL) {
		sqlite3_bind_int64(trim, 1, store->damaged - STORE_DAMAGED_KEPT);
		error = store_run(store, trim);
	}
	sqlite3_stmt *del = drop >= 0 ? store_stmt(store, drop, &error) : NULL;
	if (del != NULL) {
		sqlite3_bind_int64(del, 1, id);
		error = store_run(store, del);
	}
}

void
store_aside_note(struct store_aside *aside, int64_t id)
{
	if (aside->count < STORE_ASIDE_MAX)
		aside->ids[aside->count++] = id;
}

void
store_aside_done(struct store *store, struct store_aside *aside, const char *table, int copy,
    int drop)
{
	for (size_t i = 0; i < aside->count; i++)
		store_set_aside(store, table, aside->ids[i], copy, drop);
	aside->count = 0;
}
