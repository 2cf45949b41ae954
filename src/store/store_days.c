/* SPDX-License-Identifier: Apache-2.0
 *
 * store_days.c - how many days of decisions fit.
 *
 * What a day costs is told by the days that are there: all that the file has over the time since the oldest decision, but
 * for the recording, which has a bound of its own. Nothing is counted or looked through.
 */
#include "store/store_internal.h"

int
store_oldest_decision(struct store *store, int64_t *ret_ms)
{
	int error, rc;
	sqlite3_stmt *stmt = store_stmt(store, ST_DECISION_OLDEST, &error);

	if (stmt == NULL)
		return error;
	rc = sqlite3_step(stmt);
	*ret_ms = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : INT64_MAX;
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

double
store_days_fit(struct store *store, int64_t now_ms)
{
	int64_t oldest_ms = 0, pages = store->pages_max / 8 * 7;
	double used, most, recorded, age, days;

	if (store->pages_max == 0 || store_oldest_decision(store, &oldest_ms) != 0 ||
	    oldest_ms > now_ms - D_MS)
		return -1;
	age = (double)(now_ms - oldest_ms) / D_MS;
	recorded = (double)(store->now.recording_next - store->now.recording_first);
	used = (double)(store_pages_used(store) * store->page_size);
	most = (double)(pages * store->page_size);
	days = age * most / used;
	/* The recording grows up to its own bound. */
	if (recorded * days / age <= (double)store->recording_bytes)
		return days;
	most -= (double)store->recording_bytes;
	used -= recorded;
	return used > 0 && most > 0 ? age * most / used : -1;
}
