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
 *   The table is a ring: row n lies in slot n mod TURNS_RING and is written over. Nothing but a long row is deleted, which
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

#define TURNS_RING 512
#define TURNS_KEPT 256
#define TURNS_FOLDED 16
#define SLOT_BYTES (4 << 10)
#define SECTION_BYTES (256 << 10)
#define ROW_BYTES (1 << 20)
#define ROW_KEY_SIZE 28
#define GONE 0x80

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
	sqlite3_bind_int64(stmt, 1, n % TURNS_RING);
	sqlite3_bind_int64(stmt, 2, SLOT_BYTES);
	return store_run(store, stmt);
}

/* Beside the newest row, which may be damaged: what was folded is not to be folded again. */
static int
write_floor(struct store *store)
{
	char text[24];

	sqlite3_snprintf(sizeof(text), text, "%lld", (long long)store->now.turn_floor);
	return store_meta_write(store, "turn", text, strlen(text));
}

static int
read_floor(struct store *store, int64_t *ret_floor)
{
	struct buf text = { 0 };
	int error = store_meta_get(store, "turn", &text);

	*ret_floor = error == 0 ? strtoll(text.data, NULL, 10) : 0;
	buf_done(&text);
	return error == AISLE_E_NONE || error == AISLE_E_DAMAGED ? 0 : error;
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
		error = fold_row(store, row);
		store_recent_folded(store, row);
	}
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
	buf_u8(out, (uint8_t)(row->table | (row->deleted ? GONE : 0)));
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

static void
section_key(uint8_t out[static ROW_KEY_SIZE], int64_t n, uint32_t section, const struct id *subject)
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
	uint8_t row_key[ROW_KEY_SIZE];
	const void *sealed;
	size_t len;
	int error;

	section_key(row_key, store->now.turn_next, section, subject);
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
	if (store->now.turn_next - store->now.turn_floor >= TURNS_RING)
		return store_doom(store, AISLE_E_TOO_BIG);
	sqlite3_bind_int64(stmt, 1, store->now.turn_next % TURNS_RING);
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
	int error = fold_due(store);

	if (pending->count == 0 && !store->floor_moved)
		return error;
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

/* ---- rows are read, at open ---- */

/* Takes the next bytes; NULL: there are not as many. */
static const uint8_t *
take(struct rd *rd, int64_t len)
{
	const uint8_t *at = rd->at;

	if (!rd->ok || len < 0 || len > rd->end - rd->at) {
		rd->ok = false;
		return NULL;
	}
	rd->at += len;
	return at;
}

/* What the fold and the readers take for granted of a key and a body. */
static bool
is_sound(const struct recent_row *row)
{
	bool has_text = row->deleted || memchr(recent_body(row), 0, row->len) != NULL;

	if (row->table < RECENT_LOG)
		return row->key_len == 16;
	if (row->table < RECENT_SEEN)
		return row->key_len == 24 && !row->deleted;
	if (row->table <= RECENT_REF)
		return row->key_len == 16 && row->len == 16;
	if (row->table == RECENT_META)
		return row->key_len > 0 && row->key_len < STORE_META_NAME_SIZE && !row->deleted;
	if (row->table == RECENT_TIMER)
		return row->key_len > 8 && row->key_len < 8 + STORE_TIMER_ID_SIZE;
	if (row->table == RECENT_RECORDING)
		return row->key_len == 8 && !row->deleted;
	return row->key_len == 8 && has_text && !(row->table == RECENT_UPLINK && row->deleted);
}

static struct recent_row *
decode(struct rd *rd, const struct id *subject, int64_t turn)
{
	uint8_t table = rd_u8(rd);
	int64_t key_len = rd_i64(rd), at_ms = 0, flag = 0, len = 0;
	const uint8_t *key = take(rd, key_len), *body = NULL;

	if ((table & GONE) == 0) {
		at_ms = rd_i64(rd);
		flag = rd_i64(rd);
		len = rd_i64(rd);
		body = take(rd, len);
	}
	if (!rd->ok || (table & ~GONE) >= RECENT_TABLES)
		return NULL;
	struct recent_row *row = recent_row_new(table & ~GONE, key, (size_t)key_len, (size_t)len);
	row->deleted = (table & GONE) != 0;
	row->subject = *subject;
	row->turn = turn;
	row->at_ms = at_ms;
	row->flag = (int)flag;
	if (len > 0)
		memcpy(row->bytes + row->key_len, body, row->len);
	if (is_sound(row))
		return row;
	recent_row_free(row);
	return NULL;
}

struct counters {
	int64_t floor, first[LANE_COUNT], next[LANE_COUNT];
};

static void
decode_counters(struct rd *rd, struct counters *counters)
{
	counters->floor = rd_i64(rd);
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		counters->first[lane] = rd_i64(rd);
		counters->next[lane] = rd_i64(rd);
	}
}

static bool
take_rows(struct store *store, struct rd *rd, const struct id *subject, int64_t n)
{
	while (rd->ok && rd->at < rd->end) {
		struct recent_row *row = decode(rd, subject, n);

		if (row == NULL)
			return false;
		if (row->table >= RECENT_LOG && row->table < RECENT_SEEN) {
			int64_t number = recent_key64_read(row->bytes + 16);

			if (store->now.log_next <= number)
				store->now.log_next = number + 1;
		}
		store_recent_load(store, row);
	}
	return rd->ok;
}

/* Sections of a row; *counters are of the first one. Without rows to take it stops behind that. AISLE_E_DAMAGED. */
static int
read_sections(struct store *store, int64_t n, const struct buf *body, bool take_them,
    struct counters *counters)
{
	struct rd rd = rd_init(body->data, body->len);
	uint32_t section = 0;
	int result = 0;

	do {
		uint8_t row_key[ROW_KEY_SIZE];
		struct id subject = rd_id(&rd);
		uint32_t len = rd_u32(&rd);
		const uint8_t *sealed = take(&rd, len);

		if (sealed == NULL || (section == 0 && !id_is_zero(&subject)))
			return AISLE_E_DAMAGED;
		section_key(row_key, n, section, &subject);
		buf_clear(&store->turn_plain);
		int error = store_unseal_bytes(store, "turn", row_key, sizeof(row_key), &subject,
		    sealed, len, &store->turn_plain);
		/* Who it is about is forgotten. */
		if (error == AISLE_E_NONE && section++ > 0)
			continue;
		if (error != 0 && error != AISLE_E_DAMAGED)
			return error;
		struct rd plain = rd_init(store->turn_plain.data, store->turn_plain.len);
		if (error == 0 && section == 0)
			decode_counters(&plain, counters);
		if (error == 0 &&
		    (!plain.ok || (take_them && !take_rows(store, &plain, &subject, n))))
			error = AISLE_E_DAMAGED;
		if (section == 0 && (error != 0 || !take_them))
			return error;
		result = error != 0 ? error : result;
		section++;
	} while (rd.at < rd.end);
	return result;
}

/* AISLE_E_NONE: another row lies there. */
static int
read_row(struct store *store, int64_t n, struct buf *body)
{
	int error, rc;
	sqlite3_stmt *stmt = store_stmt(store, ST_TURN_GET, &error);

	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, n % TURNS_RING);
	buf_clear(body);
	rc = sqlite3_step(stmt);
	error = rc == SQLITE_ROW && sqlite3_column_int64(stmt, 0) == n ? 0 : AISLE_E_NONE;
	if (error == 0)
		buf_add(body, sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1));
	sqlite3_reset(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? error : store_error(store, rc);
}

static int
by_number(const void *a, const void *b)
{
	int64_t mine = *(const int64_t *)a, other = *(const int64_t *)b;

	return (mine > other) - (mine < other);
}

/* The numbers of the rows, rising. */
static int
list_rows(struct store *store, int64_t numbers[static TURNS_RING], size_t *ret_count)
{
	int error, rc;
	size_t count = 0;
	sqlite3_stmt *stmt = store_stmt(store, ST_TURN_NUMBERS, &error);

	if (stmt == NULL)
		return error;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && count < TURNS_RING)
		if (sqlite3_column_int64(stmt, 0) == sqlite3_column_int64(stmt, 1) % TURNS_RING)
			numbers[count++] = sqlite3_column_int64(stmt, 1);
	sqlite3_reset(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_error(store, rc);
	qsort(numbers, count, sizeof(int64_t), by_number);
	*ret_count = count;
	return 0;
}

static void
set_turn_aside(struct store *store, int64_t n)
{
	/* What it said of the counters is said by another. */
	store->floor_moved = true;
	store_set_aside(store, "turn", n % TURNS_RING, ST_TURN_ASIDE, ST_TURN_DROP);
}

/* What headquarters has does not come again. */
static void
drop_acknowledged(struct store *store, const struct counters *counters)
{
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		uint8_t from[8], to[8];

		recent_key64(from, STORE_LANE_ID(lane, 0));
		recent_key64(to, STORE_LANE_ID(lane, counters->first[lane]) - 1);
		store_recent_leave(store, RECENT_UPLINK, from, to, sizeof(from));
		store->now.lanes[lane].first = counters->first[lane];
		store->now.lanes[lane].next = counters->next[lane];
	}
	store->lanes_known = true;
}

int
store_turn_load(struct store *store, bool *ret_lost)
{
	int64_t numbers[TURNS_RING];
	struct counters newest = { 0 }, any;
	struct buf body = { 0 };
	size_t count = 0, last;
	int64_t floor = 0;
	int error = list_rows(store, numbers, &count);

	if (error == 0)
		error = read_floor(store, &floor);

	store->now.turn_next = count > 0 ? numbers[count - 1] + 1 : 1;
	for (last = count; error == 0 && last > 0; last--) {
		error = read_row(store, numbers[last - 1], &body);
		if (error == 0)
			error = read_sections(store, numbers[last - 1], &body, false, &newest);
		if (error != AISLE_E_DAMAGED)
			break;
		set_turn_aside(store, numbers[last - 1]);
		*ret_lost = true;
		error = 0;
	}
	if (newest.floor < floor)
		newest.floor = floor;
	store->now.turn_floor = last > 0 ? newest.floor : store->now.turn_next;
	for (size_t i = 0; error == 0 && i < last; i++) {
		if (numbers[i] < newest.floor)
			continue;
		error = read_row(store, numbers[i], &body);
		if (error == 0)
			error = read_sections(store, numbers[i], &body, true, &any);
		if (error == AISLE_E_DAMAGED) {
			set_turn_aside(store, numbers[i]);
			error = 0;
		}
	}
	if (error == 0 && last > 0)
		drop_acknowledged(store, &newest);
	buf_wipe(&body);
	return error;
}
