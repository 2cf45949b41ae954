/* SPDX-License-Identifier: Apache-2.0
 *
 * store_ref.c - references and timers: small rows that say nothing about a
 * person, not sealed but summed.
 */
#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "core/log.h"
#include "store/store_internal.h"

#define REF_BYTES 40

/* ---- references: a 16-byte name to a visit and a time ---- */

static int64_t
ref_sum(const struct id *name, const struct id *value, int64_t at_ms)
{
	uint8_t bytes[REF_BYTES];
	memcpy(bytes, name->b, 16);
	memcpy(bytes + 16, value->b, 16);
	for (int i = 0; i < 8; i++)
		bytes[32 + i] = (uint8_t)((uint64_t)at_ms >> (8 * i));
	return store_sum("ref", bytes, sizeof(bytes));
}

static int
ref_slot(struct store *store, const struct id *name, int64_t *ret_slot)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_REF_TAKEN, &error);
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
insert(struct store *store, int statement, int64_t slot, const struct id *name,
    const struct id *value, int64_t at_ms)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, statement, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, slot);
	sqlite3_bind_int64(stmt, 2, store_rest(name));
	sqlite3_bind_blob(stmt, 3, value->b, 16, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 4, at_ms);
	sqlite3_bind_int64(stmt, 5, ref_sum(name, value, at_ms));
	return store_run(store, stmt);
}

static int
write_ref(struct store *store, const struct id *name, const struct id *value, int64_t at_ms)
{
	int64_t slot = store_slot(name);
	int error = 0;
	/* Nearly always it is new, and its place free. */
	if (!store->now.collided[STORE_COUNT]) {
		error = insert(store, ST_REF_ADD, slot, name, value, at_ms);
		if (error != 0 || sqlite3_changes(store->db) > 0)
			return error;
	}
	error = ref_slot(store, name, &slot);
	if (error == 0 && slot != store_slot(name))
		error = store_note_collision(store, STORE_COUNT);
	return error != 0 ? error : insert(store, ST_REF_PUT, slot, name, value, at_ms);
}

int
store_fold_ref(struct store *store, const struct recent_row *row)
{
	struct id name, value;

	memcpy(name.b, row->bytes, sizeof(name.b));
	memcpy(value.b, recent_body(row), sizeof(value.b));
	return write_ref(store, &name, &value, row->at_ms);
}

int
store_ref_put(struct store *store, const struct id *name, const struct id *visit, int64_t at_ms)
{
	int error =
	    store_window(store, RECENT_REF, ST_REF_TAKEN, store->now.collided[STORE_COUNT], name);
	return error != 0 ? error
			  : store_recent_put(store, RECENT_REF, name->b, sizeof(name->b), NULL,
				at_ms, 0, visit->b, sizeof(visit->b));
}

int
store_ref_get(struct store *store, const struct id *name, struct id *ret_visit)
{
	int error;
	const struct recent_row *row =
	    store_recent_find(store, RECENT_REF, name->b, sizeof(name->b));
	if (row != NULL) {
		memcpy(ret_visit->b, recent_body(row), sizeof(ret_visit->b));
		return 0;
	}
	sqlite3_stmt *stmt = store_stmt(store, ST_REF_FIND, &error);
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
	bool good = sqlite3_column_int64(stmt, 3) == ref_sum(name, &value, at_ms);
	sqlite3_reset(stmt);
	if (!good) {
		store_set_aside(store, "ref", id, ST_DAMAGED_NOTE, ST_REF_DROP);
		return AISLE_E_DAMAGED;
	}
	*ret_visit = value;
	return 0;
}

/* A row's name is its place, unless others had taken it. */
static bool
ref_sound(const struct store *store, int64_t id, int64_t rest, const struct id *value,
    int64_t at_ms, int64_t sum)
{
	int64_t most = store->now.collided[STORE_COUNT] ? STORE_WINDOW : 1;
	struct id name;

	for (int64_t off = 0; off < most && id >= INT64_MIN + off; off++) {
		name = store_key(id - off, rest);
		if (ref_sum(&name, value, at_ms) == sum)
			return true;
	}
	return false;
}

int
store_ref_check(struct store *store)
{
	struct store_aside aside = { .count = 0 };
	int rc, error;
	sqlite3_stmt *stmt = store_stmt(store, ST_REF_EACH, &error);

	if (stmt == NULL)
		return error;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct id value = store_column_id(stmt, 2);

		if (!ref_sound(store, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
			&value, sqlite3_column_int64(stmt, 3), sqlite3_column_int64(stmt, 4)))
			store_aside_note(&aside, sqlite3_column_int64(stmt, 0));
	}
	sqlite3_reset(stmt);
	store_aside_done(store, &aside, "ref", ST_DAMAGED_NOTE, ST_REF_DROP);
	return rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

/* ---- timers ---- */

static int64_t
timer_sum(int64_t due_ms, const char *id)
{
	char text[160];
	int len = snprintf(text, sizeof(text), "%lld/%s", (long long)due_ms, id);
	return store_sum("timer", text, (size_t)len);
}

static size_t
timer_key(uint8_t out[static STORE_TIMER_KEY_SIZE], int64_t due_ms, const char *id)
{
	size_t len = strlen(id);
	CHECK(len < STORE_TIMER_ID_SIZE);
	recent_key64(out, due_ms);
	memcpy(out + 8, id, len);
	return 8 + len;
}

static int
write_timer(struct store *store, int64_t due_ms, const char *id)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_TIMER_ADD, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, due_ms);
	sqlite3_bind_text(stmt, 2, id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, timer_sum(due_ms, id));
	store_timer_doubt(store);
	return store_run(store, stmt);
}

int
store_timer_erase(struct store *store, int64_t due_ms, const char *id)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_TIMER_DELETE, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, due_ms);
	sqlite3_bind_text(stmt, 2, id, -1, SQLITE_STATIC);
	store_timer_doubt(store);
	return store_run(store, stmt);
}

int
store_fold_timer(struct store *store, const struct recent_row *row)
{
	char id[STORE_TIMER_ID_SIZE];
	size_t len = row->key_len - 8;

	CHECK(len < sizeof(id));
	memcpy(id, row->bytes + 8, len);
	id[len] = '\0';
	return row->deleted ? store_timer_erase(store, recent_key64_read(row->bytes), id)
			    : write_timer(store, recent_key64_read(row->bytes), id);
}

/* ---- the first one: of the table, or of what is recent ---- */

static void
cache_timer(struct store *store, int64_t due_ms, const char *id)
{
	store->timer_any = true;
	store->timer_due_ms = due_ms;
	memcpy(store->timer_id, id, strlen(id) + 1);
	store->timer_in_table = false;
}

static bool
is_before(int64_t due_ms, const char *id, int64_t other_ms, const char *other)
{
	return due_ms < other_ms || (due_ms == other_ms && strcmp(id, other) < 0);
}

/* A timer that was read a moment ago is not found: the order of the rows is broken. */
static int
not_found(struct store *store)
{
	log_error("store: a timer is read but not found");
	return store_error(store, SQLITE_CORRUPT);
}

static int
find_in_table(struct store *store, int64_t due_ms, const char *id, bool *ret_found)
{
	int error, rc;
	sqlite3_stmt *stmt = store_stmt(store, ST_TIMER_FIND, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, due_ms);
	sqlite3_bind_text(stmt, 2, id, -1, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	*ret_found = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

static bool
is_key_before(const uint8_t *key, size_t len, const uint8_t *other, size_t other_len)
{
	int order = memcmp(key, other, len < other_len ? len : other_len);

	return order != 0 ? order < 0 : len < other_len;
}

int
store_timer_add(struct store *store, int64_t due_ms, const char *id)
{
	uint8_t key[STORE_TIMER_KEY_SIZE];
	size_t len = timer_key(key, due_ms, id);
	const struct recent_row *row = store_recent_find(store, RECENT_TIMER, key, len);
	bool there = row != NULL && !row->deleted;
	int error = row == NULL ? find_in_table(store, due_ms, id, &there) : 0;
	/* A start adds all that should be there: it writes nothing where nothing is lost. */
	if (error != 0 || there)
		return error;
	if (is_key_before(key, len, store->timer_gone, store->timer_gone_len))
		store->timer_gone_len = 0;
	error = store_recent_put(store, RECENT_TIMER, key, len, NULL, 0, 0, NULL, 0);
	if (error == 0 && store->timer_known &&
	    (!store->timer_any || is_before(due_ms, id, store->timer_due_ms, store->timer_id)))
		cache_timer(store, due_ms, id);
	return error;
}

int
store_timer_delete(struct store *store, int64_t due_ms, const char *id)
{
	uint8_t key[STORE_TIMER_KEY_SIZE];
	size_t len = timer_key(key, due_ms, id);
	int error = 0;
	if (store->timer_known && store->timer_any && due_ms == store->timer_due_ms &&
	    strcmp(id, store->timer_id) == 0) {
		bool found = true;
		store->timer_known = false;
		/* What is read in order and not found by its name would come again for ever. */
		if (store->timer_in_table)
			error = find_in_table(store, due_ms, id, &found);
		if (!found && error == 0)
			error = not_found(store);
	}
	return error != 0 ? error : store_recent_drop(store, RECENT_TIMER, key, len);
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

/* One that is damaged: inside a transaction it is the table's first, and goes. What is recent may stand before it, or say
 * that those before it are gone: it goes into the table, and the first one is asked for again. */
static int
set_timer_aside(struct store *store)
{
	int error = 0;
	if (store->in_tx)
		store_timer_doubt(store);
	if (store->in_tx && store->recent.bytes + store->pending.bytes > 0) {
		error = store_settle(store);
		return error != 0 ? error : AISLE_E_DAMAGED;
	}
	store_set_aside(store, "timer", 0, ST_DAMAGED_NOTE, -1);
	if (error == 0 && store->in_tx)
		error = drop_first(store);
	return error != 0 ? error : AISLE_E_DAMAGED;
}

/* Of the table: the first behind timer_from that is not gone, into the cache. AISLE_E_DAMAGED: ask again. */
static int
load_from_table(struct store *store)
{
	int error, rc;
	sqlite3_stmt *stmt = store_stmt(store, ST_TIMER_NEXT, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, store->timer_from_ms);
	sqlite3_bind_text(stmt, 2, store->timer_from, -1, SQLITE_TRANSIENT);
	bool good = true, gone = true;
	store->timer_any = false;
	while (gone && good && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		uint8_t key[STORE_TIMER_KEY_SIZE];
		int64_t due_ms = sqlite3_column_int64(stmt, 0);
		/* Bytes that read like the text are not found by it, and would be the first one for ever. */
		bool is_text = sqlite3_column_type(stmt, 1) == SQLITE_TEXT;
		const char *text = (const char *)sqlite3_column_text(stmt, 1);
		good = is_text && text != NULL && strlen(text) < sizeof(store->timer_id) &&
		    strlen(text) == (size_t)sqlite3_column_bytes(stmt, 1) &&
		    sqlite3_column_int64(stmt, 2) == timer_sum(due_ms, text);
		if (!good)
			break;
		const struct recent_row *row =
		    store_recent_find(store, RECENT_TIMER, key, timer_key(key, due_ms, text));
		gone = row != NULL && row->deleted;
		if (!gone) {
			cache_timer(store, due_ms, text);
			store->timer_in_table = true;
			break;
		}
		store->timer_from_ms = due_ms;
		memcpy(store->timer_from, text, strlen(text) + 1);
	}
	sqlite3_reset(stmt);
	if (!good)
		return set_timer_aside(store);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

static int
load_timer(struct store *store)
{
	const struct recent_row *row;
	int error = load_from_table(store);
	if (error != 0)
		return error;
	/* Thousands may fall due in one turn: who is gone is passed over once. */
	for (row = store_recent_next(store, RECENT_TIMER, store->timer_gone, store->timer_gone_len,
		 false);
	     row != NULL && row->deleted;
	     row = store_recent_next(store, RECENT_TIMER, row->bytes, row->key_len, true)) {
		memcpy(store->timer_gone, row->bytes, row->key_len);
		store->timer_gone_len = row->key_len;
	}
	if (row != NULL) {
		char id[STORE_TIMER_ID_SIZE];
		memcpy(id, row->bytes + 8, row->key_len - 8);
		id[row->key_len - 8] = '\0';
		if (!store->timer_any ||
		    is_before(recent_key64_read(row->bytes), id, store->timer_due_ms,
			store->timer_id))
			cache_timer(store, recent_key64_read(row->bytes), id);
	}
	store->timer_known = true;
	return 0;
}

int
store_timer_check(struct store *store)
{
	char id[STORE_TIMER_ID_SIZE];
	int64_t due_ms;
	int error = store_settle(store);

	/* Each is taken away behind itself; what is damaged, by who asks for the first. */
	while (error == 0 && (error = store_timer_first(store, &due_ms, id)) == 0)
		error = store_timer_erase(store, due_ms, id);
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
