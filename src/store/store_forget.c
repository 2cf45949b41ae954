/* SPDX-License-Identifier: Apache-2.0
 *
 * store_forget.c - what leaves: a person on their word, the rest by its age.
 *
 * The subject's key is destroyed by keys_destroy(), which makes every sealed
 * body noise wherever it lies. This takes away the bodies and the subject's
 * name beside them as well; secure_delete overwrites what they leave.
 */
#include "store/ballast.h"
#include "store/pack.h"
#include "store/store_internal.h"

#define PRESSED_HALVINGS 31 /* of a quarter of the 35 days: to nothing, if it must be */
#define SWEEP_PER_ROW 8	    /* rows looked at for each that may be removed */

/* On a full disk the room comes from the reserve; the next checkpoint closes it again. */
void
store_open_reserve(struct store *store)
{
	store_max_pages(store, true);
	if (store->real_disk)
		ballast_release(store->dir);
	store->erased = true;
}

int
store_forget(struct store *store, const struct id *subject)
{
	store_open_reserve(store);
	int error = 0;
	/* The ring's rows, old ones too, and those that were set aside: who they are about stands beside each section. First of
	 * all: on a full disk what is folded next, which is in memory, has their room. */
	sqlite3_stmt *turns = store_stmt(store, ST_TURN_FORGET, &error);
	if (turns == NULL)
		return error;
	error = store_run(store, turns);
	if (error == 0)
		error = store_settle(store);
	pack_wipe();
	buf_wipe(&store->packed_body);
	sqlite3_stmt *aside = error == 0 ? store_stmt(store, ST_DAMAGED_FORGET, &error) : NULL;
	if (aside == NULL)
		return error;
	error = store_run(store, aside);
	buf_wipe(&store->turn_plain);
	buf_wipe(&store->turn_row);
	if (error == 0)
		error = store_blank(store, STORE_VISIT, subject);
	if (error == 0)
		error = store_blank(store, STORE_DECISION, subject);
	/* What was decided for a stranger who was then known by their card. */
	if (error == 0)
		error = store_log_blank_of(store, STORE_LOG_OUTCOME, subject);
	if (error == 0)
		error = store_log_forget(store, STORE_LOG_SUBJECT, subject);
	if (error == 0)
		error = store_delete(store, STORE_SUBJECT, subject);
	if (error == 0)
		error = store_dead_forget(store, subject);
	if (error == 0)
		error = store_recording_forget(store, subject);
	sqlite3_stmt *stmt = error == 0 ? store_stmt(store, ST_OUTBOX_FORGET, &error) : NULL;
	if (stmt == NULL)
		return error;
	store_bind_id(stmt, 1, subject);
	error = store_run(store, stmt);
	/* Sealed, its records can no longer be read and go up as gaps; a scan of the queue is not needed. */
	if (error == 0 && !store->sealed)
		error = store_uplink_blank(store, subject);
	return error;
}

/* Visits and decisions: their keys are ULIDs, so what is old lies in front. */
static int
prune_bodies(struct store *store, enum store_table table, int64_t before_ms, int max_rows)
{
	int error;
	if (before_ms <= 0 || max_rows <= 0)
		return 0;
	sqlite3_stmt *stmt = store_stmt(store, ST_BODY(table, BODY_PRUNE), &error);
	if (stmt == NULL)
		return error;
	struct id edge = { 0 };
	for (int i = 0; i < 6; i++)
		edge.b[i] = (uint8_t)((uint64_t)before_ms >> (40 - 8 * i));
	sqlite3_bind_int64(stmt, 1, store_slot(&edge));
	sqlite3_bind_int64(stmt, 2, before_ms);
	sqlite3_bind_int(stmt, 3, max_rows);
	error = store_run(store, stmt);
	return error != 0 ? error : sqlite3_changes(store->db);
}

static int
prune_refs(struct store *store, int64_t before_ms, int max_rows)
{
	if (max_rows <= 0)
		return 0;
	return store_sweep(store, ST_REF_SCAN, ST_REF_DROP, &store->sweep[STORE_LOG_COUNT],
	    before_ms, max_rows, SWEEP_PER_ROW);
}

/* Is there room in the tables for what is recent? A row takes up to about twice of it there. */
static bool
recent_fits(struct store *store)
{
	int64_t bytes = (store->pages_max - store_pages_used(store)) * store->page_size;

	return store->pages_max == 0 ||
	    bytes > 2 * (int64_t)(store->recent.bytes + store->pending.bytes);
}

int
store_prune(struct store *store, int64_t now_ms, int64_t seen_ms, int64_t visit_ms,
    int64_t decision_ms, int max_rows)
{
	/* What is recent is younger, unless nothing happens for long. Without room for it, the rest goes first. */
	if (store_recent_older(store, now_ms - D_MS) && recent_fits(store)) {
		int error = store_settle(store);
		if (error != 0)
			return error;
	}
	/* With little room left, what headquarters has by now goes earlier; seen ids never do. */
	bool pressed = store_pressed(store);
	if (pressed) {
		visit_ms /= 4;
		decision_ms /= 4;
	}
	int total = store_seen_prune(store, now_ms - seen_ms, max_rows);
	int removed = total < 0
	    ? total
	    : prune_bodies(store, STORE_DECISION, now_ms - decision_ms, max_rows - total);
	/* A store that decides much fills its file with younger ones: without room it could not go on at all. */
	for (int halved = 1; pressed && removed == 0 && halved <= PRESSED_HALVINGS; halved++)
		removed = prune_bodies(store, STORE_DECISION, now_ms - (decision_ms >> halved),
		    max_rows - total);
	if (removed < 0)
		return removed;
	total += removed;
	removed = prune_bodies(store, STORE_VISIT, now_ms - visit_ms, max_rows - total);
	if (removed < 0)
		return removed;
	total += removed;
	removed = prune_refs(store, now_ms - visit_ms, max_rows - total);
	return removed < 0 ? removed : total + removed;
}
