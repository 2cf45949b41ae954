/* SPDX-License-Identifier: Apache-2.0
 *
 * store_recent.c - what the last turns wrote: two sorted arrays, and how they are read as one.
 */
#include "store/store_recent.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "store/store_internal.h"

/* ---- rows ---- */

struct recent_row *
recent_row_new(int table, const void *key, size_t key_len, size_t len)
{
	struct recent_row *row = mem_alloc(sizeof(*row) + key_len + len);

	*row = (struct recent_row){ .table = (uint8_t)table, .key_len = key_len, .len = len };
	memcpy(row->bytes, key, key_len);
	return row;
}

void
recent_row_free(struct recent_row *row)
{
	if (row != NULL)
		explicit_bzero(row, sizeof(*row) + row->key_len + row->len);
	free(row);
}

const void *
recent_body(const struct recent_row *row)
{
	return row->bytes + row->key_len;
}

static size_t
size_of(const struct recent_row *row)
{
	return sizeof(*row) + row->key_len + row->len;
}

void
recent_key64(uint8_t out[static 8], int64_t n)
{
	uint64_t v = (uint64_t)n ^ UINT64_C(1) << 63;

	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

int64_t
recent_key64_read(const uint8_t bytes[static 8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | bytes[i];
	return (int64_t)(v ^ UINT64_C(1) << 63);
}

/* ---- one sorted array ---- */

static int
compare(const struct recent_row *row, int table, const uint8_t *key, size_t key_len)
{
	size_t common = row->key_len < key_len ? row->key_len : key_len;
	int order;

	if (row->table != table)
		return row->table < table ? -1 : 1;
	order = memcmp(row->bytes, key, common);
	return order != 0 ? order : (row->key_len > key_len) - (row->key_len < key_len);
}

/* The first row that is not before it. */
static size_t
lower_bound(const struct store_recent *recent, int table, const void *key, size_t key_len)
{
	size_t low = 0, high = recent->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(recent->rows[middle], table, key, key_len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
make_room(struct store_recent *recent, size_t count)
{
	if (count <= recent->cap)
		return;
	recent->cap = count > 2 * recent->cap ? count : 2 * recent->cap;
	recent->rows = mem_realloc(recent->rows, recent->cap * sizeof(struct recent_row *));
}

static bool
is_at(const struct store_recent *recent, size_t at, int table, const void *key, size_t key_len)
{
	return at < recent->count && compare(recent->rows[at], table, key, key_len) == 0;
}

static void
insert(struct store_recent *recent, struct recent_row *row)
{
	size_t at = lower_bound(recent, row->table, row->bytes, row->key_len);

	recent->bytes += size_of(row);
	if (is_at(recent, at, row->table, row->bytes, row->key_len)) {
		recent->bytes -= recent->rows[at]->leaves ? 0 : size_of(recent->rows[at]);
		recent_row_free(recent->rows[at]);
		recent->rows[at] = row;
		return;
	}
	make_room(recent, recent->count + 1);
	memmove(recent->rows + at + 1, recent->rows + at,
	    (recent->count - at) * sizeof(struct recent_row *));
	recent->rows[at] = row;
	recent->count++;
}

static void
clear(struct store_recent *recent)
{
	for (size_t i = 0; i < recent->count; i++)
		recent_row_free(recent->rows[i]);
	recent->count = recent->bytes = recent->leaving = 0;
}

/* ---- read as one ---- */

const struct recent_row *
store_recent_find(struct store *store, int table, const void *key, size_t key_len)
{
	size_t at = lower_bound(&store->pending, table, key, key_len);

	if (is_at(&store->pending, at, table, key, key_len))
		return store->pending.rows[at];
	at = lower_bound(&store->recent, table, key, key_len);
	return is_at(&store->recent, at, table, key, key_len) && !store->recent.rows[at]->leaves
	    ? store->recent.rows[at]
	    : NULL;
}

static const struct recent_row *
next_of(const struct store_recent *recent, int table, const void *key, size_t key_len, bool after)
{
	size_t at = lower_bound(recent, table, key, key_len);

	if (after && is_at(recent, at, table, key, key_len))
		at++;
	while (at < recent->count && recent->rows[at]->leaves)
		at++;
	return at < recent->count && recent->rows[at]->table == table ? recent->rows[at] : NULL;
}

const struct recent_row *
store_recent_next(struct store *store, int table, const void *key, size_t key_len, bool after)
{
	const struct recent_row *mine = next_of(&store->pending, table, key, key_len, after),
				*row = next_of(&store->recent, table, key, key_len, after);

	if (mine == NULL || row == NULL)
		return mine != NULL ? mine : row;
	return compare(mine, table, row->bytes, row->key_len) <= 0 ? mine : row;
}

/* AISLE_E_NONE: forgotten. */
static int
ask_key(struct store *store, const struct id *subject, bool make)
{
	return store->sealed && !id_is_zero(subject)
	    ? store->sealer.ready(store->sealer.ctx, subject, make)
	    : 0;
}

int
store_recent_read(struct store *store, const struct recent_row *row, struct buf *out)
{
	int error = row->deleted ? AISLE_E_NONE : ask_key(store, &row->subject, false);

	if (error == 0)
		buf_add(out, recent_body(row), row->len);
	return error;
}

/* ---- written ---- */

static int
put(struct store *store, struct recent_row *row)
{
	int error, committed;

	if (store->in_tx) {
		insert(&store->pending, row);
		return 0;
	}
	error = store_begin(store);
	if (error != 0) {
		recent_row_free(row);
		return error;
	}
	insert(&store->pending, row);
	committed = store_commit(store);
	if (committed != 0)
		store_rollback(store);
	return committed;
}

int
store_recent_put2(struct store *store, int table, const void *key, size_t key_len,
    const struct id *subject, int64_t at_ms, int flag, const char *text, const void *body,
    size_t len)
{
	size_t text_len = text != NULL ? strlen(text) + 1 : 0;
	struct recent_row *row;
	int error;

	if (store->in_tx && store->tx_error != 0)
		return store->tx_error;
	if (text_len + len > STORE_BODY_MAX)
		return store_doom(store, AISLE_E_TOO_BIG);
	if (subject != NULL && (error = ask_key(store, subject, true)) != 0)
		return error == AISLE_E_NONE ? error : store_doom(store, error);
	row = recent_row_new(table, key, key_len, text_len + len);
	if (subject != NULL)
		row->subject = *subject;
	row->at_ms = at_ms;
	row->flag = flag;
	if (text_len > 0)
		memcpy(row->bytes + key_len, text, text_len);
	if (len > 0)
		memcpy(row->bytes + key_len + text_len, body, len);
	return put(store, row);
}

int
store_recent_put(struct store *store, int table, const void *key, size_t key_len,
    const struct id *subject, int64_t at_ms, int flag, const void *body, size_t len)
{
	return store_recent_put2(store, table, key, key_len, subject, at_ms, flag, NULL, body, len);
}

int
store_recent_drop(struct store *store, int table, const void *key, size_t key_len)
{
	struct recent_row *row;

	if (store->in_tx && store->tx_error != 0)
		return store->tx_error;
	row = recent_row_new(table, key, key_len, 0);
	row->deleted = true;
	return put(store, row);
}

static void
take_out(struct store_recent *recent, size_t at)
{
	recent->bytes -= size_of(recent->rows[at]);
	recent_row_free(recent->rows[at]);
	memmove(recent->rows + at, recent->rows + at + 1,
	    (--recent->count - at) * sizeof(struct recent_row *));
}

static void
leave(struct store_recent *recent, struct recent_row *row)
{
	if (row->leaves)
		return;
	recent->bytes -= size_of(row);
	recent->leaving++;
	row->leaves = true;
}

void
store_recent_leave(struct store *store, int table, const void *first, const void *last,
    size_t key_len)
{
	size_t from = lower_bound(&store->pending, table, first, key_len);

	while (from < store->pending.count &&
	    compare(store->pending.rows[from], table, last, key_len) <= 0)
		take_out(&store->pending, from);
	for (size_t i = lower_bound(&store->recent, table, first, key_len);
	     i < store->recent.count && compare(store->recent.rows[i], table, last, key_len) <= 0;
	     i++)
		leave(&store->recent, store->recent.rows[i]);
}

void
store_recent_folded(struct store *store, struct recent_row *row)
{
	leave(&store->recent, row);
}

bool
store_recent_overwritten(const struct store *store, const struct recent_row *row)
{
	size_t at = lower_bound(&store->pending, row->table, row->bytes, row->key_len);

	return is_at(&store->pending, at, row->table, row->bytes, row->key_len);
}

bool
store_recent_older(const struct store *store, int64_t before_ms)
{
	for (size_t i = 0; i < store->recent.count; i++) {
		const struct recent_row *row = store->recent.rows[i];

		if (!row->leaves && row->at_ms > 0 && row->at_ms < before_ms)
			return true;
	}
	return false;
}

/* ---- places ---- */

/* Keys among what is recent whose place lies in the window. */
static int64_t
recent_in_window(struct store *store, int table, const struct id *key)
{
	struct id from = { { 0 } };
	const struct recent_row *row;
	uint64_t base = (uint64_t)store_slot(key);
	int64_t count = 0;

	memcpy(from.b, key->b, 8);
	for (row = store_recent_next(store, table, from.b, sizeof(from.b), false);
	     row != NULL && count < STORE_WINDOW;
	     row = store_recent_next(store, table, row->bytes, row->key_len, true)) {
		struct id other;

		memcpy(other.b, row->bytes, sizeof(other.b));
		if ((uint64_t)store_slot(&other) - base >= STORE_WINDOW)
			break;
		count += !id_equal(&other, key);
	}
	return count;
}

/* The same of the table, but for those that are recent. */
static int
table_in_window(struct store *store, int table, int taken, const struct id *key, int64_t *count)
{
	int error, rc;
	sqlite3_stmt *stmt = store_stmt(store, taken, &error);

	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, store_slot(key));
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct id other = store_column_id(stmt, 1);

		if (sqlite3_column_type(stmt, 1) == SQLITE_INTEGER)
			*count += sqlite3_column_int64(stmt, 1) != store_rest(key);
		else if (!id_equal(&other, key) &&
		    store_recent_find(store, table, other.b, sizeof(other.b)) == NULL)
			++*count;
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

int
store_window(struct store *store, int table, int taken, bool collided, const struct id *key)
{
	int64_t count = recent_in_window(store, table, key);
	int error = 0;

	/* Nearly always nobody is near. */
	if (count > 0 || collided)
		error = table_in_window(store, table, taken, key, &count);
	if (error == 0 && count >= STORE_WINDOW)
		error = store_doom(store, AISLE_E_TOO_BIG);
	return error;
}

/* ---- the end of a transaction ---- */

void
store_recent_load(struct store *store, struct recent_row *row)
{
	insert(&store->recent, row);
}

static void
let_go(struct store_recent *recent)
{
	size_t kept = 0;

	if (recent->leaving == 0)
		return;
	for (size_t i = 0; i < recent->count; i++) {
		if (recent->rows[i]->leaves)
			recent_row_free(recent->rows[i]);
		else
			recent->rows[kept++] = recent->rows[i];
	}
	recent->count = kept;
	recent->leaving = 0;
}

/* From the back, so that both lie in one array all the time. */
static void
merge(struct store_recent *recent, struct store_recent *pending)
{
	size_t old = recent->count, mine = pending->count, to = old + mine, doubled = 0;

	if (mine == 0)
		return;
	make_room(recent, to);
	while (mine > 0) {
		struct recent_row *row = pending->rows[mine - 1];
		int order = old > 0
		    ? compare(recent->rows[old - 1], row->table, row->bytes, row->key_len)
		    : -1;

		if (order > 0) {
			recent->rows[--to] = recent->rows[--old];
			continue;
		}
		if (order == 0) {
			recent->bytes -= size_of(recent->rows[old - 1]);
			recent_row_free(recent->rows[--old]);
			doubled++;
		}
		recent->rows[--to] = row;
		recent->bytes += size_of(row);
		mine--;
	}
	/* Between the old ones that were not moved and the rest is a hole, as long as rows were there twice. */
	memmove(recent->rows + old, recent->rows + to,
	    (recent->count + pending->count - to) * sizeof(struct recent_row *));
	recent->count += pending->count - doubled;
	pending->count = pending->bytes = 0;
}

void
store_recent_settled(struct store *store)
{
	clear(&store->pending);
}

void
store_recent_commit(struct store *store)
{
	let_go(&store->recent);
	merge(&store->recent, &store->pending);
}

void
store_recent_rollback(struct store *store)
{
	clear(&store->pending);
	for (size_t i = 0; i < store->recent.count; i++) {
		struct recent_row *row = store->recent.rows[i];

		if (row->leaves)
			store->recent.bytes += size_of(row);
		row->leaves = false;
	}
	store->recent.leaving = 0;
}

void
store_recent_done(struct store *store)
{
	clear(&store->pending);
	clear(&store->recent);
	free(store->pending.rows);
	free(store->recent.rows);
	store->pending = store->recent = (struct store_recent){ 0 };
}
