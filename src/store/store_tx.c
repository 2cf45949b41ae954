/* SPDX-License-Identifier: Apache-2.0
 *
 * store_tx.c - the transaction: begun, committed, rolled back; doomed by the first write that fails.
 *
 * DESIGN
 *   A transaction with a failed write is doomed: SQLite may have rolled it
 *   back by itself (a full disk does that), and what comes after would be
 *   committed alone. So the first error sticks, every later call returns it,
 *   and store_commit() cannot succeed.
 *
 *   After a failed sync nobody knows what is on the disk: the kernel drops the
 *   dirty pages and the next sync succeeds. The store then refuses to begin
 *   until it is closed and opened again, which reads what is really there.
 */
#include "store/store_internal.h"

int
store_begin(struct store *store)
{
	CHECK(!store->in_tx);
	if (store->broken)
		return AISLE_E_IO;
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_BEGIN, &error);
	if (stmt == NULL)
		return error;
	error = store_run(store, stmt);
	if (error != 0)
		return error;
	store->in_tx = true;
	store->tx_error = 0;
	store->saved = store->now;
	return 0;
}

int
store_commit(struct store *store)
{
	CHECK(store->in_tx);
	if (store->tx_error != 0)
		return store->tx_error;
	int error = store_turn_write(store);
	if (error != 0)
		return store_doom(store, error);
	if (store->sealed)
		error = store->sealer.commit(store->sealer.ctx);
	if (error != 0)
		return store_doom(store, error);
	sqlite3_stmt *stmt = store_stmt(store, ST_COMMIT, &error);
	if (stmt == NULL)
		return error;
	error = store_run(store, stmt);
	if (error != 0)
		return error;
	store->in_tx = false;
	store_recent_commit(store);
	return 0;
}

void
store_rollback(struct store *store)
{
	if (!store->in_tx)
		return;
	store->in_tx = false;
	store->tx_error = 0;
	store->now = store->saved;
	store->floor_moved = false;
	store_recent_rollback(store);
	buf_clear(&store->seen.batch);
	store_timer_doubt(store);
	int error;
	sqlite3_stmt *stmt =
	    sqlite3_get_autocommit(store->db) ? NULL : store_stmt(store, ST_ROLLBACK, &error);
	/* A rollback that fails leaves a connection that is good for nothing. */
	if (stmt != NULL && store_run(store, stmt) != 0)
		store->broken = true;
}

int
store_aside_begin(struct store *store, bool *ret_own)
{
	*ret_own = !store->in_tx;
	return *ret_own ? store_begin(store) : 0;
}

int
store_aside_end(struct store *store, bool own)
{
	int error = own ? store_commit(store) : 0;
	if (error != 0)
		store_rollback(store);
	return error;
}
