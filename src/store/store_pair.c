/* SPDX-License-Identifier: Apache-2.0
 *
 * store_pair.c - seen events, references and timers: small rows that say
 * nothing about a person, not sealed but summed.
 */
#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "core/log.h"
#include "store/store_internal.h"

#define PAIR_BYTES 40
#define SWEEP_MAX 1024

/* ---- seen and ref: a 16-byte name to 16 bytes and a time ---- */

static int64_t
pair_sum(enum store_pair pair, const struct id *name, const struct id *value, int64_t at_ms)
{
	uint8_t bytes[PAIR_BYTES];
	memcpy(bytes, name->b, 16);
	memcpy(bytes + 16, value->b, 16);
	for (int i = 0; i < 8; i++)
		bytes[32 + i] = (uint8_t)((uint64_t)at_ms >> (8 * i));
	return store_sum(store_pair_names[pair], bytes, sizeof(bytes));
}

static int
pair_slot(struct store *store, enum store_pair pair, const struct id *name, int64_t *ret_slot)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_PAIR(pair, PAIR_TAKEN), &error);
	if (stmt == NULL)
		return error;
	int64_t base = store_slot(name), slot = base;
	sqlite3_bind_int64(stmt, 1, base);
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(stmt, 0);
		if (sqlite3_column_int64(stmt, 1) == store_rest(name)) {
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

static int
insert(struct store *store, enum store_pair pair, enum pair_op op, int64_t slot,
    const struct id *name, const struct id *value, int64_t at_ms)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_PAIR(pair, op), &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, slot);
	sqlite3_bind_int64(stmt, 2, store_rest(name));
	sqlite3_bind_blob(stmt, 3, value->b, 16, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 4, at_ms);
	sqlite3_bind_int64(stmt, 5, pair_sum(pair, name, value, at_ms));
	return store_run(store, stmt);
}

static int
pair_put(struct store *store, enum store_pair pair, const struct id *name, const struct id *value,
    int64_t at_ms)
{
	int64_t slot = store_slot(name);
	int error = 0;
	/* Nearly always it is new, and its place free. */
	if (!store->now.collided[STORE_COUNT + pair]) {
		error = insert(store, pair, PAIR_ADD, slot, name, value, at_ms);
		if (error != 0 || sqlite3_changes(store->db) > 0)
			return error;
	}
	error = pair_slot(store, pair, name, &slot);
	if (error == 0 && slot != store_slot(name))
		error = store_note_collision(store, STORE_COUNT + pair);
	return error != 0 ? error : insert(store, pair, PAIR_PUT, slot, name, value, at_ms);
}

static int
pair_get(struct store *store, enum store_pair pair, const struct id *name, struct id *ret_value,
    int64_t *ret_at_ms)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_PAIR(pair, PAIR_FIND), &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, store_slot(name));
	sqlite3_bind_int64(stmt, 2, store_rest(name));
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		sqlite3_reset(stmt);
		return rc == SQLITE_DONE ? AISLE_E_NONE : store_error(store, rc);
	}
	int64_t id = sqlite3_column_int64(stmt, 0), at_ms = sqlite3_column_int64(stmt, 2);
	struct id value = store_column_id(stmt, 1);
	bool good = sqlite3_column_int64(stmt, 3) == pair_sum(pair, name, &value, at_ms);
	sqlite3_reset(stmt);
	if (!good) {
		store_set_aside(store, store_pair_names[pair], id, ST_DAMAGED_NOTE,
		    ST_PAIR(pair, PAIR_DROP));
		return AISLE_E_DAMAGED;
	}
	*ret_value = value;
	*ret_at_ms = at_ms;
	return 0;
}

int
store_seen_get(struct store *store, const struct id *name, struct id *ret_digest,
    int64_t *ret_now_ms)
{
	return pair_get(store, PAIR_SEEN, name, ret_digest, ret_now_ms);
}

int
store_seen_put(struct store *store, const struct id *name, const struct id *digest, int64_t now_ms)
{
	return pair_put(store, PAIR_SEEN, name, digest, now_ms);
}

int
store_ref_put(struct store *store, const struct id *name, const struct id *visit, int64_t at_ms)
{
	return pair_put(store, PAIR_REF, name, visit, at_ms);
}

int
store_ref_get(struct store *store, const struct id *name, struct id *ret_visit)
{
	int64_t at_ms;
	return pair_get(store, PAIR_REF, name, ret_visit, &at_ms);
}

/* A row's name is its place, unless others had taken it. */
static bool
pair_sound(const struct store *store, enum store_pair pair, int64_t id, int64_t rest,
    const struct id *value, int64_t at_ms, int64_t sum)
{
	int64_t most = store->now.collided[STORE_COUNT + pair] ? STORE_WINDOW : 1;
	struct id name;

	for (int64_t off = 0; off < most && id >= INT64_MIN + off; off++) {
		uint64_t front = (uint64_t)(id - off) ^ UINT64_C(1) << 63, back = (uint64_t)rest;

		for (int i = 0; i < 8; i++) {
			name.b[i] = (uint8_t)(front >> (56 - 8 * i));
			name.b[8 + i] = (uint8_t)(back >> (56 - 8 * i));
		}
		if (pair_sum(pair, &name, value, at_ms) == sum)
			return true;
	}
	return false;
}

int
store_pair_check(struct store *store, enum store_pair pair)
{
	struct store_aside aside = { .count = 0 };
	int rc, error;
	sqlite3_stmt *stmt = store_stmt(store, ST_PAIR(pair, PAIR_EACH), &error);

	if (stmt == NULL)
		return error;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct id value = store_column_id(stmt, 2);

		if (!pair_sound(store, pair, sqlite3_column_int64(stmt, 0),
			sqlite3_column_int64(stmt, 1), &value, sqlite3_column_int64(stmt, 3),
			sqlite3_column_int64(stmt, 4)))
			store_aside_note(&aside, sqlite3_column_int64(stmt, 0));
	}
	sqlite3_reset(stmt);
	store_aside_done(store, &aside, store_pair_names[pair], ST_DAMAGED_NOTE,
	    ST_PAIR(pair, PAIR_DROP));
	return rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

/* ---- pruning without an index on time ---- */

/* An index would cost a page in every turn. Instead each call walks on a bit
 * from where the last one stopped, and begins again at the end. */
int
store_sweep(struct store *store, int scan, int drop, int64_t *cursor, int64_t before_ms,
    int max_rows, int scan_per_row)
{
	int64_t old[SWEEP_MAX];
	int count = 0, looked = 0, error;
	if (max_rows > SWEEP_MAX)
		max_rows = SWEEP_MAX;
	sqlite3_stmt *stmt = store_stmt(store, scan, &error);
	if (stmt == NULL)
		return error;
	int limit = max_rows * scan_per_row;
	sqlite3_bind_int64(stmt, 1, *cursor != 0 ? *cursor : INT64_MIN);
	sqlite3_bind_int(stmt, 2, limit);
	int rc = SQLITE_DONE;
	while (count < max_rows && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		*cursor = sqlite3_column_int64(stmt, 0);
		looked++;
		if (sqlite3_column_int64(stmt, 1) < before_ms)
			old[count++] = *cursor;
	}
	sqlite3_reset(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_error(store, rc);
	if (rc == SQLITE_DONE && looked < limit)
		*cursor = 0;
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

/* ---- timers ---- */

static int64_t
timer_sum(int64_t due_ms, const char *id)
{
	char text[160];
	int len = snprintf(text, sizeof(text), "%lld/%s", (long long)due_ms, id);
	return store_sum("timer", text, (size_t)len);
}

static void
cache_timer(struct store *store, int64_t due_ms, const char *id)
{
	store->timer_any = true;
	store->timer_due_ms = due_ms;
	memcpy(store->timer_id, id, strlen(id) + 1);
}

int
store_timer_add(struct store *store, int64_t due_ms, const char *id)
{
	CHECK(strlen(id) < sizeof(store->timer_id));
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_TIMER_ADD, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, due_ms);
	sqlite3_bind_text(stmt, 2, id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, timer_sum(due_ms, id));
	error = store_run(store, stmt);
	if (error == 0 && store->timer_known &&
	    (!store->timer_any || due_ms < store->timer_due_ms ||
		(due_ms == store->timer_due_ms && strcmp(id, store->timer_id) < 0)))
		cache_timer(store, due_ms, id);
	return error;
}

/* The first one was read a moment ago: if it is not found now, the order of the rows is broken. */
static int
not_found(struct store *store)
{
	log_error("store: a timer is read but not found");
	return store_error(store, SQLITE_CORRUPT);
}

int
store_timer_delete(struct store *store, int64_t due_ms, const char *id)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_TIMER_DELETE, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, due_ms);
	sqlite3_bind_text(stmt, 2, id, -1, SQLITE_STATIC);
	error = store_run(store, stmt);
	if (!store->timer_known || !store->timer_any || due_ms != store->timer_due_ms ||
	    strcmp(id, store->timer_id) != 0)
		return error;
	store->timer_known = false;
	return error == 0 && sqlite3_changes(store->db) == 0 ? not_found(store) : error;
}

static int
drop_first(struct store *store)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_TIMER_DROP_FIRST, &error);
	if (stmt == NULL)
		return error;
	error = store_run(store, stmt);
	return error == 0 && sqlite3_changes(store->db) == 0 ? not_found(store) : error;
}

/* Reads the first timer into the cache. AISLE_E_DAMAGED: inside a transaction it was set aside, ask again. */
static int
load_timer(struct store *store)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_TIMER_FIRST, &error);
	if (stmt == NULL)
		return error;
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		sqlite3_reset(stmt);
		if (rc != SQLITE_DONE)
			return store_error(store, rc);
		store->timer_known = true;
		store->timer_any = false;
		return 0;
	}
	int64_t due_ms = sqlite3_column_int64(stmt, 0);
	/* Bytes that read like the text are not found by it, and would be the first one for ever. */
	bool is_text = sqlite3_column_type(stmt, 1) == SQLITE_TEXT;
	const char *text = (const char *)sqlite3_column_text(stmt, 1);
	bool good = is_text && text != NULL && strlen(text) < sizeof(store->timer_id) &&
	    sqlite3_column_int64(stmt, 2) == timer_sum(due_ms, text);
	if (good)
		cache_timer(store, due_ms, text);
	sqlite3_reset(stmt);
	store->timer_known = good;
	if (good)
		return 0;
	store_set_aside(store, "timer", 0, ST_DAMAGED_NOTE, -1);
	error = store->in_tx ? drop_first(store) : 0;
	return error != 0 ? error : AISLE_E_DAMAGED;
}

int
store_timer_check(struct store *store)
{
	char id[128];
	int64_t due_ms;
	int error;

	/* Each is taken away behind itself; what is damaged, by who asks for the first. */
	while ((error = store_timer_first(store, &due_ms, id)) == 0)
		if ((error = store_timer_delete(store, due_ms, id)) != 0)
			return error;
	return error == AISLE_E_NONE ? 0 : error;
}

int
store_timer_first(struct store *store, int64_t *ret_due_ms, char ret_id[static 128])
{
	while (!store->timer_known) {
		int error = load_timer(store);
		if (error != 0 && !(error == AISLE_E_DAMAGED && store->in_tx))
			return error;
	}
	if (!store->timer_any)
		return AISLE_E_NONE;
	*ret_due_ms = store->timer_due_ms;
	memcpy(ret_id, store->timer_id, sizeof(store->timer_id));
	return 0;
}
