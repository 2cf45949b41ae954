/* SPDX-License-Identifier: Apache-2.0
 *
 * store_sweep.c - rows go by their age, of tables that have no order of time.
 *
 * An index would cost a page in every turn. Instead each call walks on a bit from where the last one stopped, and begins
 * again at the end. Where little is found to be old it walks slower, so that what a second costs hangs on how much
 * goes out of date and not on how much there is; where much is, faster, so that it does not become more.
 */
#include "store/store_internal.h"

#define SWEEP_MAX 1024
#define LEAST_ROWS 64 /* are looked at in a call */
#define MANY 16	      /* more than one row of so many is old: faster */
#define FEW 64	      /* less than one of so many: slower */
#define SLOWER_MAX 16

static int
rows_of_call(const struct store_sweep *sweep, int most)
{
	int rows = most >> sweep->slower;

	return rows > LEAST_ROWS ? rows : most < LEAST_ROWS ? most : LEAST_ROWS;
}

static void
set_pace(struct store_sweep *sweep, int looked, int old, int most)
{
	if (old * MANY > looked)
		sweep->slower -= sweep->slower > 0;
	else if (old * FEW < looked && most >> sweep->slower > LEAST_ROWS)
		sweep->slower += sweep->slower < SLOWER_MAX;
}

int
store_sweep(struct store *store, int scan, int drop, struct store_sweep *sweep, int64_t before_ms,
    int max_rows, int scan_per_row)
{
	int64_t old[SWEEP_MAX];
	int count = 0, looked = 0, error;
	if (max_rows > SWEEP_MAX)
		max_rows = SWEEP_MAX;
	sqlite3_stmt *stmt = store_stmt(store, scan, &error);
	if (stmt == NULL)
		return error;
	int most = max_rows * scan_per_row, limit = rows_of_call(sweep, most);
	sqlite3_bind_int64(stmt, 1, sweep->cursor != 0 ? sweep->cursor : INT64_MIN);
	sqlite3_bind_int(stmt, 2, limit);
	int rc = SQLITE_DONE;
	while (count < max_rows && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		sweep->cursor = sqlite3_column_int64(stmt, 0);
		looked++;
		if (sqlite3_column_int64(stmt, 1) < before_ms)
			old[count++] = sweep->cursor;
	}
	sqlite3_reset(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_error(store, rc);
	if (rc == SQLITE_DONE && looked < limit)
		sweep->cursor = 0;
	set_pace(sweep, looked, count, most);
	for (int i = 0; i < count; i++) {
		sqlite3_stmt *del = store_stmt(store, drop, &error);
		if (del == NULL)
			return error;
		sqlite3_bind_int64(del, 1, old[i]);
		error = store_run(store, del);
		if (error != 0)
			return error;
	}
	return count;
}
