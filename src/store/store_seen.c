/* SPDX-License-Identifier: Apache-2.0
 *
 * store_seen.c - names of events that were here, for days: written behind each other, found through memory.
 *
 * DESIGN
 *   A name is a hash. In a table ordered by it each event would be a block of the disk of its own, in the log and again at
 *   the checkpoint. So the names that a fold brings are one row, behind those that were there, and the oldest leave from the
 *   front. Which row a name may be in stands in memory only, and is read at each start.
 *
 *   The index is a list of tables, each with twice the slots of the one before up to SLOTS_MAX; the last one takes what is
 *   new, and one whose rows have all left goes. A slot holds a part of the name's hash and a row; what it points to is read
 *   and compared. So a slot may be wrong, of a row that was rolled back or has left: that costs a read and no more.
 *
 * BYTES of a row's body
 *   names, each: 16 name, 16 digest, i64 time, i64 sum of these (store_sum), little-endian. Its column at: the newest time.
 *
 * LIMITS
 *   NAMES_MAX names a row. In memory five to eleven bytes a name: 200,000 of four days are 1.5 MB.
 */
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "store/store_internal.h"

#define NAME_BYTES 48
#define SUMMED_BYTES 40
#define NAMES_MAX 64
#define SLOTS_MIN (1 << 12)
#define SLOTS_MAX (1 << 18)
#define ROW_BITS \
	18 /* of a slot: 1 and the distance from the table's first row; the bits above are the hash's */
#define ROWS_MAX ((1 << ROW_BITS) - 2)
#define PRUNE_ROWS 32

/* ---- which row ---- */

static uint64_t
hash_of(const struct store_seen *seen, const uint8_t *name)
{
	uint64_t front, back;

	memcpy(&front, name, sizeof(front));
	memcpy(&back, name + 8, sizeof(back));
	/* Whoever chooses names does not know where they come to lie. */
	return ((front ^ seen->salt) + back) * UINT64_C(0x9e3779b97f4a7c15);
}

static uint32_t
place_of(const struct seen_table *table, uint64_t hash)
{
	return (uint32_t)(hash >> 40) & (table->size - 1);
}

static uint32_t
mark_of(uint64_t hash)
{
	return (uint32_t)(hash >> 20) << ROW_BITS;
}

static struct seen_table *
add_table(struct store_seen *seen, uint32_t former_size, int64_t base)
{
	uint32_t size = former_size == 0 ? SLOTS_MIN : former_size * 2;
	struct seen_table *table;

	seen->tables = mem_realloc(seen->tables, (seen->count + 1) * sizeof(*seen->tables));
	table = &seen->tables[seen->count++];
	*table = (struct seen_table){ .base = base, .last = base };
	table->size = size < SLOTS_MAX ? size : SLOTS_MAX;
	table->slots = mem_calloc(table->size, sizeof(uint32_t));
	return table;
}

static void
note(struct store_seen *seen, const uint8_t *name, int64_t row)
{
	struct seen_table *table = seen->count > 0 ? &seen->tables[seen->count - 1] : NULL;
	uint64_t hash = hash_of(seen, name);

	if (table == NULL || table->used >= table->size / 4 * 3 || row < table->base ||
	    row - table->base >= ROWS_MAX)
		table = add_table(seen, table != NULL ? table->size : 0, row);
	uint32_t slot = mark_of(hash) | (uint32_t)(row - table->base + 1);
	uint32_t i = place_of(table, hash);
	/* A turn that is tried again folds the same names into the same row. */
	for (; table->slots[i] != 0; i = (i + 1) & (table->size - 1))
		if (table->slots[i] == slot)
			return;
	table->slots[i] = slot;
	table->used++;
	if (table->last < row)
		table->last = row;
}

/* The newest row before that one which may hold it; 0: none. */
static int64_t
row_before(const struct seen_table *table, uint64_t hash, int64_t before)
{
	uint32_t mark = mark_of(hash);
	int64_t newest = 0;

	for (uint32_t i = place_of(table, hash); table->slots[i] != 0;
	     i = (i + 1) & (table->size - 1)) {
		int64_t row = table->base + (table->slots[i] & ((1 << ROW_BITS) - 1)) - 1;

		if ((table->slots[i] >> ROW_BITS) == mark >> ROW_BITS && row < before &&
		    row > newest)
			newest = row;
	}
	return newest;
}

/* What has left for good: not what this transaction removed. */
static void
let_tables_go(struct store *store)
{
	struct store_seen *seen = &store->seen;
	size_t gone = 0;

	while (gone < seen->count && seen->tables[gone].last < store->saved.seen_first)
		free(seen->tables[gone++].slots);
	if (gone == 0)
		return;
	seen->count -= gone;
	memmove(seen->tables, seen->tables + gone, seen->count * sizeof(*seen->tables));
}

/* ---- names ---- */

static void
put64(uint8_t out[static 8], int64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)((uint64_t)value >> (8 * i));
}

static int64_t
get64(const uint8_t at[static 8])
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return (int64_t)value;
}

static bool
is_sound(const uint8_t *name)
{
	return get64(name + SUMMED_BYTES) == store_sum("seen", name, SUMMED_BYTES);
}

/* The names that a fold brought become a row. */
static int
write_batch(struct store *store)
{
	struct store_seen *seen = &store->seen;
	int64_t row = store->now.seen_next;
	int error;

	if (seen->batch.len == 0)
		return 0;
	sqlite3_stmt *stmt = store_stmt(store, ST_SEEN_ADD, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, row);
	sqlite3_bind_int64(stmt, 2, seen->batch_ms);
	store_bind_blob(stmt, 3, seen->batch.data, seen->batch.len);
	error = store_run(store, stmt);
	if (error != 0)
		return error;
	for (size_t at = 0; at < seen->batch.len; at += NAME_BYTES)
		note(seen, (const uint8_t *)seen->batch.data + at, row);
	store->now.seen_next++;
	buf_clear(&seen->batch);
	return 0;
}

static int
add(struct store *store, const struct id *name, const struct id *digest, int64_t at_ms)
{
	struct store_seen *seen = &store->seen;
	uint8_t bytes[NAME_BYTES];

	memcpy(bytes, name->b, 16);
	memcpy(bytes + 16, digest->b, 16);
	put64(bytes + 32, at_ms);
	put64(bytes + SUMMED_BYTES, store_sum("seen", bytes, SUMMED_BYTES));
	if (seen->batch.len == 0 || seen->batch_ms < at_ms)
		seen->batch_ms = at_ms;
	buf_add(&seen->batch, bytes, sizeof(bytes));
	return seen->batch.len < NAMES_MAX * NAME_BYTES ? 0 : write_batch(store);
}

int
store_fold_seen(struct store *store, const struct recent_row *row)
{
	struct id name, digest;

	if (row == NULL)
		return write_batch(store);
	memcpy(name.b, row->bytes, sizeof(name.b));
	memcpy(digest.b, recent_body(row), sizeof(digest.b));
	return add(store, &name, &digest, row->at_ms);
}

int
store_seen_put(struct store *store, const struct id *name, const struct id *digest, int64_t now_ms)
{
	return store_recent_put(store, RECENT_SEEN, name->b, sizeof(name->b), NULL, now_ms, 0,
	    digest->b, sizeof(digest->b));
}

/* AISLE_E_NONE: it is not in that row. AISLE_E_DAMAGED: what stands beside it is not what was written. */
static int
read_in_row(struct store *store, int64_t row, const struct id *name, struct id *ret_digest,
    int64_t *ret_now_ms)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_SEEN_GET, &error);

	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, row);
	int rc = sqlite3_step(stmt);
	const uint8_t *body = rc == SQLITE_ROW ? sqlite3_column_blob(stmt, 0) : NULL;
	int len = body != NULL ? sqlite3_column_bytes(stmt, 0) : 0;
	error = AISLE_E_NONE;
	for (int at = 0; error == AISLE_E_NONE && at + NAME_BYTES <= len; at += NAME_BYTES) {
		if (memcmp(body + at, name->b, sizeof(name->b)) != 0)
			continue;
		error = is_sound(body + at) ? 0 : AISLE_E_DAMAGED;
		memcpy(ret_digest->b, body + at + 16, sizeof(ret_digest->b));
		*ret_now_ms = get64(body + at + 32);
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? error : store_error(store, rc);
}

int
store_seen_get(struct store *store, const struct id *name, struct id *ret_digest,
    int64_t *ret_now_ms)
{
	const struct recent_row *recent =
	    store_recent_find(store, RECENT_SEEN, name->b, sizeof(name->b));
	uint64_t hash = hash_of(&store->seen, name->b);
	int error = AISLE_E_NONE;

	if (recent != NULL) {
		memcpy(ret_digest->b, recent_body(recent), sizeof(ret_digest->b));
		*ret_now_ms = recent->at_ms;
		return 0;
	}
	for (size_t i = store->seen.count; error == AISLE_E_NONE && i-- > 0;) {
		const struct seen_table *table = &store->seen.tables[i];
		int64_t row = INT64_MAX;

		while (error == AISLE_E_NONE && (row = row_before(table, hash, row)) != 0)
			error = read_in_row(store, row, name, ret_digest, ret_now_ms);
	}
	/* It stays where it is: whoever asked writes it down anew, and the newest counts. */
	if (error == AISLE_E_DAMAGED)
		store_set_aside(store, "seen", 0, ST_DAMAGED_NOTE, -1);
	return error;
}

/* ---- all of them ---- */

static int
first_row(struct store *store, int64_t *ret_first)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_SEEN_FIRST, &error);

	if (stmt == NULL)
		return error;
	int rc = sqlite3_step(stmt);
	*ret_first = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : store->now.seen_next;
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

int
store_seen_prune(struct store *store, int64_t before_ms, int max_rows)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_SEEN_PRUNE, &error);

	if (stmt == NULL)
		return error;
	let_tables_go(store);
	sqlite3_bind_int64(stmt, 1, before_ms);
	sqlite3_bind_int(stmt, 2, max_rows < PRUNE_ROWS ? max_rows : PRUNE_ROWS);
	error = store_run(store, stmt);
	int removed = error == 0 ? sqlite3_changes(store->db) : 0;
	if (removed > 0)
		error = first_row(store, &store->now.seen_first);
	return error != 0 ? error : removed;
}

int
store_seen_count(struct store *store, int64_t *ret)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_SEEN_BYTES, &error);

	if (stmt == NULL)
		return error;
	int rc = sqlite3_step(stmt);
	*ret = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) / NAME_BYTES : 0;
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW ? 0 : store_error(store, rc);
}

int
store_seen_load(struct store *store)
{
	int error, rc;
	sqlite3_stmt *stmt = store_stmt(store, ST_SEEN_FROM, &error);

	if (stmt == NULL)
		return error;
	store_seen_done(store);
	sqlite3_randomness(sizeof(store->seen.salt), &store->seen.salt);
	store->now.seen_next = 1;
	sqlite3_bind_int64(stmt, 1, 0);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const uint8_t *body = sqlite3_column_blob(stmt, 1);
		int64_t row = sqlite3_column_int64(stmt, 0);

		for (int at = 0; at + NAME_BYTES <= sqlite3_column_bytes(stmt, 1); at += NAME_BYTES)
			note(&store->seen, body + at, row);
		store->now.seen_next = row + 1;
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? first_row(store, &store->now.seen_first)
				 : store_error(store, rc);
}

/* The bad names of the next row behind *row that has any go; what is left is in the batch's buffer. *row 0: no more. */
static int
next_bad_row(struct store *store, int64_t *row, int *ret_bad)
{
	int error, rc;
	struct buf *good = &store->seen.batch;
	sqlite3_stmt *stmt = store_stmt(store, ST_SEEN_FROM, &error);

	if (stmt == NULL)
		return error;
	*ret_bad = 0;
	sqlite3_bind_int64(stmt, 1, *row);
	while (*ret_bad == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const uint8_t *body = sqlite3_column_blob(stmt, 1);
		int len = sqlite3_column_bytes(stmt, 1);

		*row = sqlite3_column_int64(stmt, 0);
		buf_clear(good);
		for (int at = 0; at + NAME_BYTES <= len; at += NAME_BYTES) {
			if (is_sound(body + at))
				buf_add(good, body + at, NAME_BYTES);
			else
				++*ret_bad;
		}
		*ret_bad += len % NAME_BYTES != 0;
	}
	sqlite3_reset(stmt);
	if (*ret_bad == 0)
		*row = 0;
	return *ret_bad > 0 || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

int
store_seen_check(struct store *store)
{
	int64_t row = 0;
	int error, bad;

	while ((error = next_bad_row(store, &row, &bad)) == 0 && row != 0) {
		sqlite3_stmt *stmt = store_stmt(store, ST_SEEN_SET, &error);

		if (stmt == NULL)
			break;
		sqlite3_bind_int64(stmt, 1, row);
		store_bind_blob(stmt, 2, store->seen.batch.data, store->seen.batch.len);
		error = store_run(store, stmt);
		for (int i = 0; error == 0 && i < bad; i++)
			store_set_aside(store, "seen", row, ST_DAMAGED_NOTE, -1);
	}
	buf_clear(&store->seen.batch);
	return error;
}

void
store_seen_done(struct store *store)
{
	for (size_t i = 0; i < store->seen.count; i++)
		free(store->seen.tables[i].slots);
	free(store->seen.tables);
	buf_done(&store->seen.batch);
	store->seen = (struct store_seen){ .count = 0 };
}

/* ---- the schema before ---- */

/* A row's name was its place, or one of the STORE_WINDOW before it if others had taken that. */
static int
take_over(struct store *store, sqlite3_stmt *stmt)
{
	int64_t place = sqlite3_column_int64(stmt, 0), rest = sqlite3_column_int64(stmt, 1);
	int64_t at_ms = sqlite3_column_int64(stmt, 3), sum = sqlite3_column_int64(stmt, 4);
	struct id digest = store_column_id(stmt, 2);

	for (int64_t off = 0; off < STORE_WINDOW && place >= INT64_MIN + off; off++) {
		struct id name = store_key(place - off, rest);
		uint8_t bytes[SUMMED_BYTES];

		memcpy(bytes, name.b, 16);
		memcpy(bytes + 16, digest.b, 16);
		put64(bytes + 32, at_ms);
		if (store_sum("seen", bytes, sizeof(bytes)) == sum)
			return add(store, &name, &digest, at_ms);
	}
	return 0;
}

int
store_seen_take_over(struct store *store)
{
	sqlite3_stmt *stmt = NULL;
	int error = 0;
	int rc = sqlite3_prepare_v2(store->db, "SELECT id, rest, value, at, sum FROM seen_before",
	    -1, &stmt, NULL);

	store->now.seen_next = 1;
	if (rc == SQLITE_OK)
		while (error == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
			error = take_over(store, stmt);
	sqlite3_finalize(stmt);
	if (error == 0 && rc != SQLITE_DONE)
		error = store_error(store, rc);
	return error != 0 ? error : write_batch(store);
}
