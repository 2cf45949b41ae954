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
 *   The table is a ring: row n lies in slot n mod STORE_TURNS_RING and is written over. A row as long as the one before it
 *   goes into the same pages, and pages that stay as they were are not written; so a short one is filled up with zeros.
 *   Nothing but a long row is deleted, which would cost as many pages again. Which rows still count is in each of them: the newest one says the number of the oldest.
 *
 * BYTES of a row
 *   u32 bytes of what follows, then zeros. Sections, each: 16 subject (zeros: nobody), u32 length, sealed; its row key: i64 row, u32 section, subject. Plain, the first section, which is nobody's: varints floor, then first and next of each lane; then, as in every
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
#define ROOM_STEP 64 /* bytes: a little more at once, for the next one */
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
	int64_t slot = n % STORE_TURNS_RING;
	int error;

	/* 0: none, or what emptied it was rolled back. */
	if (store->turn_room[slot] > 0 && store->turn_room[slot] <= SLOT_BYTES)
		return 0;
	sqlite3_stmt *stmt = store_stmt(store, ST_TURN_DROP, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, slot);
	error = store_run(store, stmt);
	store->turn_room[slot] = 0;
	return error;
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

/* How long the row becomes that lies in that slot: as the one that lies there, if it is short. */
static void
fill_room(struct store *store, int64_t slot)
{
	static const uint8_t zeros[ROOM_STEP];
	size_t len = store->turn_row.len, room = (size_t)store->turn_room[slot];

	for (int i = 0; i < STORE_TURN_HEAD; i++)
		store->turn_row.data[i] = (char)((len - STORE_TURN_HEAD) >> (8 * i));
	if (len >= SLOT_BYTES)
		return;
	if (room < len || room > SLOT_BYTES)
		room = (len + ROOM_STEP - 1) / ROOM_STEP * ROOM_STEP;
	for (; len < room; len = store->turn_row.len)
		buf_add(&store->turn_row, zeros, room - len < ROOM_STEP ? room - len : ROOM_STEP);
}

static int
put_row(struct store *store, int statement, int64_t slot)
{
	int error;
	sqlite3_stmt *stmt = store_stmt(store, statement, &error);

	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, slot);
	sqlite3_bind_int64(stmt, 2, store->now.turn_next);
	store_bind_blob(stmt, 3, store->turn_row.data, store->turn_row.len);
	return store_run(store, stmt);
}

static int
write_row(struct store *store)
{
	int64_t slot = store->now.turn_next % STORE_TURNS_RING;
	int error = 0;
	bool there = store->turn_room[slot] > 0;

	if (store->now.turn_next - store->now.turn_floor >= STORE_TURNS_RING)
		return store_doom(store, AISLE_E_TOO_BIG);
	fill_room(store, slot);
	if (there)
		error = put_row(store, ST_TURN_SET, slot);
	if (error == 0 && (!there || sqlite3_changes(store->db) == 0))
		error = put_row(store, ST_TURN_PUT, slot);
	store->turn_room[slot] = (int32_t)store->turn_row.len;
	store->now.turn_next++;
	return error;
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
	buf_u32(&store->turn_row, 0);
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
