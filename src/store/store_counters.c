/* SPDX-License-Identifier: Apache-2.0
 *
 * store_counters.c - the numbers that are given out, and the epoch in which they count.
 *
 * What is not readable begins a new epoch: numbers may start again below what
 * headquarters has seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/log.h"
#include "store/store_internal.h"

/* ---- the epoch ---- */

static int
save_lease(struct store *store, int64_t lease)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld", (long long)lease);
	return store_meta_write(store, "outbox", text, (size_t)len);
}

int
store_epoch_begin(struct store *store, struct err *err)
{
	uint8_t bytes[8] = { 0 };
	/* A store in memory is a replay: nothing in it is random. */
	if (!store->memory)
		sqlite3_randomness(sizeof(bytes), bytes);
	hash_hex(store->epoch, bytes, sizeof(bytes));
	store->epoch_begun = true;
	int error = store_meta_write(store, "epoch", store->epoch, 16);
	/* Whoever finds an epoch finds the lease of the outbox too, or it was lost. */
	if (error == 0)
		error =
		    save_lease(store, store->now.outbox_lease > 0 ? store->now.outbox_lease : 1);
	return error == 0 ? 0
			  : err_set(err, error, "%s: %s", store->path, sqlite3_errmsg(store->db));
}

int
store_new_epoch(struct store *store)
{
	struct err err = { 0 };
	return store_epoch_begin(store, &err);
}

/* ---- the counters ---- */

static int
meta_number(struct store *store, const char *name, int64_t *ret)
{
	struct buf text = { 0 };
	int error = store_meta_get(store, name, &text);
	*ret = error == 0 ? strtoll(text.data, NULL, 10) : 0;
	buf_done(&text);
	return error == AISLE_E_NONE ? 0 : error;
}

int
store_floor_load(struct store *store, int64_t *ret_floor)
{
	int error = meta_number(store, STORE_FLOOR_NAME, ret_floor);
	return error == AISLE_E_DAMAGED ? 0 : error;
}

static int
lane_end(struct store *store, enum lane lane, int statement, int64_t *ret_seq)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, statement, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, STORE_LANE_ID(lane, 0));
	sqlite3_bind_int64(stmt, 2, STORE_LANE_ID(lane + 1, 0) - 1);
	int rc = sqlite3_step(stmt);
	*ret_seq = rc == SQLITE_ROW ? STORE_LANE_SEQ(sqlite3_column_int64(stmt, 0)) : 0;
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

static int
load_lane(struct store *store, enum lane lane, bool *ret_lost)
{
	char name[32];
	int64_t first = 0, last = 0, next = 0;
	snprintf(name, sizeof(name), "uplink/%s", lane_names[lane]);
	int error = meta_number(store, name, &next);
	if (error == AISLE_E_DAMAGED) {
		*ret_lost = true;
		error = 0;
	}
	if (error == 0)
		error = lane_end(store, lane, ST_UPLINK_FIRST, &first);
	if (error == 0)
		error = lane_end(store, lane, ST_UPLINK_LAST, &last);
	if (error != 0)
		return error;
	if (next < last + 1)
		next = last + 1;
	/* What the newest turn says, unless the tables know more: of rows that are about somebody who is forgotten only it does. */
	if (store->lanes_known && store->now.lanes[lane].next >= next) {
		next = store->now.lanes[lane].next;
		first = store->now.lanes[lane].first;
	}
	store->now.lanes[lane].next = next;
	store->now.lanes[lane].first = first > 0 ? first : next;
	store->given[lane] = next - 1;
	return 0;
}

/* Not there, or not readable: the ids begin again below those that tablets have seen. */
static int
load_lease(struct store *store, int64_t *ret_lease, bool *ret_lost)
{
	struct buf text = { 0 };
	int error = store_meta_get(store, "outbox", &text);
	*ret_lease = error == 0 ? strtoll(text.data, NULL, 10) : 0;
	buf_done(&text);
	if (error != AISLE_E_DAMAGED && error != AISLE_E_NONE)
		return error;
	*ret_lost = true;
	return 0;
}

int
store_damaged_load(struct store *store, struct err *err)
{
	int64_t last = 0;
	int error = store_read_number(store, "SELECT COALESCE(MAX(n), 0) FROM damaged", &last, err);
	if (error == 0 && store->damaged < last)
		store->damaged = last;
	return error;
}

void
store_note_damage(struct store *store, int64_t count)
{
	int error = 0;
	CHECK(!store->in_tx);
	store->damaged += count;
	sqlite3_stmt *stmt = count > 0 ? store_stmt(store, ST_DAMAGED_NOTE, &error) : NULL;
	if (stmt != NULL) {
		sqlite3_bind_int64(stmt, 1, store->damaged);
		sqlite3_bind_int64(stmt, 2, 0);
		error = store_run(store, stmt);
	}
	if (error != 0)
		log_warning("store: damage is not on record code=%d", error);
}

int
store_counters_load(struct store *store, bool lost, struct err *err)
{
	struct buf epoch = { 0 };
	int64_t last = 0, lease = 0;
	int error = store_meta_get(store, "epoch", &epoch);
	if (error == 0 && epoch.len == 16)
		memcpy(store->epoch, epoch.data, 17);
	else
		lost = true;
	buf_done(&epoch);
	error = 0;
	for (int lane = 0; error == 0 && lane < LANE_COUNT; lane++)
		error = load_lane(store, lane, &lost);
	if (error == 0)
		error =
		    store_read_number(store, "SELECT COALESCE(MAX(id), 0) FROM outbox", &last, err);
	if (error == 0)
		error = load_lease(store, &lease, &lost);
	if (last < store_outbox_recent(store))
		last = store_outbox_recent(store);
	store->now.outbox_next = store->now.outbox_lease = lease > last ? lease : last + 1;
	if (error == 0)
		error = store_read_number(store, "SELECT COALESCE(MAX(n), 0) FROM dead",
		    &store->now.dead_last, err);
	if (error == 0)
		error = store_recording_load(store);
	for (int table = 0; error == 0 && table <= STORE_COUNT; table++) {
		char name[32];
		int64_t collided = 0;
		snprintf(name, sizeof(name), "collided/%s", store_collision_name(table));
		/* Not readable: the slow order is right in any case. */
		store->now.collided[table] =
		    meta_number(store, name, &collided) != 0 || collided != 0;
	}
	/* Numbers may start again below what headquarters has seen: only a new epoch keeps them apart. */
	if (error == 0 && lost)
		error = store_epoch_begin(store, err);
	return error == 0 ? 0
			  : err_set(err, error, "%s: %s", store->path, sqlite3_errmsg(store->db));
}

void
store_counters_save(struct store *store)
{
	if (store->now.outbox_next >= store->now.outbox_lease)
		return;
	/* Without it the ids jump to the end of the lease, which is allowed. */
	if (save_lease(store, store->now.outbox_next) != 0)
		log_debug("store: outbox id not saved");
}
