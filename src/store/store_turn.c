/* SPDX-License-Identifier: Apache-2.0
 *
 * store_turn.c - a turn is one row: what it wrote is sealed into the table `turn`, and folded into the other
 * tables some hundred turns later.
 *
 * DESIGN
 *   What a commit costs is how many pages it changes. A turn changes a visit, a decision, a timer, a record for headquarters,
 *   what is to be sent, two or three names: each would be a row in a page of its own, sealed by itself. Here they are one
 *   row, packed together (they say much of the same) and sealed once for each subject. Most of it is written over or done
 *   with before its table would hear of it.
 *
 *   The fold goes behind at a distance: TURNS_KEPT rows are kept, and every TURNS_FOLDED turns the oldest of them go into
 *   their tables, in the transaction of the turn that is at hand. So no turn pays for many, and a start reads a bounded
 *   number of rows.
 *
 *   The table is a ring: row n lies in slot n mod STORE_TURNS_RING and is written over. Nothing but a long row is deleted, which
 *   would cost as many pages again. Which rows still count is in each of them: the newest one says the number of the oldest.
 *
 * BYTES of a row
 *   sections, each: 16 subject (zeros: nobody), u32 length, sealed; its row key: i64 row, u32 section, subject. Plain, the first section, which is nobody's: varints floor, then first and next of each lane; then, as in every
 *   section, rows: u8 table and 128 if it is gone, varint key length, key; if it is not: varints time, flag, body length;
 *   body.
 */
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/log.h"
#include "store/store_internal.h"

#define TURNS_KEPT 256
#define TURNS_FOLDED 16
#define SLOT_BYTES (4 << 10)
#define SECTION_BYTES (256 << 10)
#define ROW_BYTES (1 << 20)

/* ---- the fold ---- */

/* Whoever wrote it was asked whether it will find a place. If it has none after all, it is not to hold up the rest for ever. */
static void
no_place(struct store *store)
{
	store->tx_error = 0;
	store_set_aside(store, "turn", 0, ST_DAMAGED_NOTE, -1);
}

static int
fold_row(struct store *store, const struct recent_row *row)
{
	int error = store->folds[row->table](store, row);

	if (error == AISLE_E_TOO_BIG) {
		no_place(store);
		return 0;
	}
	/* Who it is about was forgotten meanwhile. */
	return error == AISLE_E_NONE ? 0 : error;
}

/* A long row gives its room back, a short one is written over in its time. */
static int
empty_slot(struct store *store, int64_t n)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_TURN_EMPTY, &error);

	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, n % STORE_TURNS_RING);
	sqlite3_bind_int64(stmt, 2, SLOT_BYTES);
	return store_run(store, stmt);
}

/* Beside the newest row, which may be damaged: what was folded is not to be folded again. */
static int
write_floor(struct store *store)
{
	char text[24];
	struct recent_row *row;
	int error;

	sqlite3_snprintf(sizeof(text), text, "%lld", (long long)store->now.turn_floor);
	row = recent_row_new(RECENT_META, STORE_FLOOR_NAME, strlen(STORE_FLOOR_NAME), strlen(text));
	memcpy(row->bytes + row->key_len, text, row->len);
	error = fold_row(store, row);
	recent_row_free(row);
	return error;
}

/* What the rows before that one wrote, and nobody has written over since, goes into its tables. */
static int
fold(struct store *store, int64_t before)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < store->recent.count; i++) {
		struct recent_row *row = store->recent.rows[i];

		if (row->leaves || row->turn >= before)
			continue;
		if (!store_recent_overwritten(store, row))
			error = fold_row(store, row);
		store_recent_folded(store, row);
	}
	if (error == 0)
		error = store->folds[RECENT_SEEN](store, NULL);
	for (int64_t n = store->now.turn_floor; error == 0 && !store->memory && n < before; n++)
		error = empty_slot(store, n);
	store->now.turn_floor = before;
	store->floor_moved = true;
	return error == 0 && !store->memory ? write_floor(store) : error;
}

/* A bound in rows and in bytes; the oldest go first. */
static int
fold_due(struct store *store)
{
	int error = 0;

	while (error == 0 && store->now.turn_floor < store->now.turn_next &&
	    (store->now.turn_next - store->now.turn_floor >= TURNS_KEPT ||
		store->recent.bytes + store->pending.bytes > (size_t)store->recent_max)) {
		int64_t before = store->now.turn_floor + TURNS_FOLDED;

		error = fold(store, before < store->now.turn_next ? before : store->now.turn_next);
	}
	return error;
}

static int
settle(struct store *store)
{
	int error = fold(store, store->now.turn_next);

	for (size_t i = 0; error == 0 && i < store->pending.count; i++)
		error = fold_row(store, store->pending.rows[i]);
	if (error == 0)
		error = store->folds[RECENT_SEEN](store, NULL);
	if (error == 0)
		store_recent_settled(store);
	return error;
}

int
store_settle(struct store *store)
{
	bool own = !store->in_tx;
	int error;

	if (store->recent.count == 0 && store->pending.count == 0)
		return 0;
	error = own ? store_begin(store) : store->tx_error;
	if (error != 0)
		return error;
	error = settle(store);
	if (!own)
		return error;
	if (error == 0)
		error = store_commit(store);
	if (error != 0)
		store_rollback(store);
	return error;
}

/* ---- a row is written ---- */

/* Rows of one subject, one behind the other. */
static int
by_subject(const void *a, const void *b)
{
	const struct recent_row *const *mine = a, *const *other = b;
	int order = memcmp((*mine)->subject.b, (*other)->subject.b, sizeof((*mine)->subject.b));

	if (order != 0)
		return order;
	return (*mine)->turn < (*other)->turn ? -1 : 1;
}

static void
encode(const struct recent_row *row, struct buf *out)
{
	buf_u8(out, (uint8_t)(row->table | (row->deleted ? STORE_TURN_GONE : 0)));
	buf_i64(out, (int64_t)row->key_len);
	buf_add(out, row->bytes, row->key_len);
	if (row->deleted)
		return;
	buf_i64(out, row->at_ms);
	buf_i64(out, row->flag);
	buf_i64(out, (int64_t)row->len);
	buf_add(out, recent_body(row), row->len);
}

static void
encode_counters(const struct store *store, struct buf *out)
{
	buf_i64(out, store->now.turn_floor);
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		buf_i64(out, store->now.lanes[lane].first);
		buf_i64(out, store->now.lanes[lane].next);
	}
}

void
store_turn_key(uint8_t out[static STORE_TURN_KEY_SIZE], int64_t n, uint32_t section,
    const struct id *subject)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)((uint64_t)n >> (8 * i));
	for (int i = 0; i < 4; i++)
		out[8 + i] = (uint8_t)(section >> (8 * i));
	memcpy(out + 12, subject->b, sizeof(subject->b));
}

/* AISLE_E_NONE: forgotten; there is no such section. */
static int
add_section(struct store *store, uint32_t section, const struct id *subject)
{
	uint8_t row_key[STORE_TURN_KEY_SIZE];
	const void *sealed;
	size_t len;
	int error;

	store_turn_key(row_key, store->now.turn_next, section, subject);
	error = store_seal(store, "turn", row_key, sizeof(row_key), subject, store->turn_plain.data,
	    store->turn_plain.len, &sealed, &len);
	if (error == 0) {
		buf_id(&store->turn_row, subject);
		buf_u32(&store->turn_row, (uint32_t)len);
		buf_add(&store->turn_row, sealed, len);
	}
	/* Not before: what is not sealed lies there still. */
	buf_clear(&store->turn_plain);
	return error;
}

static int
write_row(struct store *store)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_TURN_PUT, &error);

	if (stmt == NULL)
		return error;
	if (store->now.turn_next - store->now.turn_floor >= STORE_TURNS_RING)
		return store_doom(store, AISLE_E_TOO_BIG);
	sqlite3_bind_int64(stmt, 1, store->now.turn_next % STORE_TURNS_RING);
	sqlite3_bind_int64(stmt, 2, store->now.turn_next);
	store_bind_blob(stmt, 3, store->turn_row.data, store->turn_row.len);
	store->now.turn_next++;
	return store_run(store, stmt);
}

/* Rows of one subject from *at on, as many as go into a section; a long one has it for itself. */
static void
fill_section(struct store *store, struct recent_row **rows, size_t count, size_t *at,
    const struct id *subject)
{
	bool any = false;

	while (*at < count && id_equal(&rows[*at]->subject, subject) &&
	    (!any || store->turn_plain.len + rows[*at]->len <= SECTION_BYTES)) {
		rows[*at]->turn = store->now.turn_next;
		encode(rows[(*at)++], &store->turn_plain);
		any = true;
	}
}

/* Sections from row *at on, until the disk's row is long enough: it is the last of the turn, or another follows. */
static int
fill_row(struct store *store, struct recent_row **rows, size_t count, size_t *at)
{
	static const struct id nobody;
	uint32_t section = 0;
	size_t begin = *at;
	int error = 0;

	buf_clear(&store->turn_row);
	buf_clear(&store->turn_plain);
	encode_counters(store, &store->turn_plain);
	do {
		struct id subject = section > 0 ? rows[*at]->subject : nobody;

		fill_section(store, rows, count, at, &subject);
		error = add_section(store, section, &subject);
		section += error == 0;
		error = error == AISLE_E_NONE ? 0 : error;
	} while (error == 0 && *at < count &&
	    (*at == begin || store->turn_row.len + rows[*at]->len <= ROW_BYTES));
	return error;
}

int
store_turn_write(struct store *store)
{
	struct store_recent *pending = &store->pending;
	size_t at = 0;
	int error;

	/* Whoever adds nothing folds nothing: on a full disk what makes room must not need some first. */
	if (pending->count == 0 && !store->floor_moved)
		return 0;
	error = fold_due(store);
	store->floor_moved = false;
	if (store->memory) {
		for (size_t i = 0; i < pending->count; i++)
			pending->rows[i]->turn = store->now.turn_next;
		store->now.turn_next++;
		return error;
	}
	struct recent_row **rows = mem_alloc((pending->count + 1) * sizeof(struct recent_row *));
	for (size_t i = 0; i < pending->count; i++) {
		rows[i] = pending->rows[i];
		rows[i]->turn = (int64_t)i; /* their order, until they have their row's number */
	}
	qsort(rows, pending->count, sizeof(struct recent_row *), by_subject);
	do {
		if (error == 0)
			error = fill_row(store, rows, pending->count, &at);
		if (error == 0)
			error = write_row(store);
	} while (error == 0 && at < pending->count);
	free(rows);
	return error;
}
