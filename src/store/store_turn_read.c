/* SPDX-License-Identifier: Apache-2.0
 *
 * store_turn_read.c - at open: the turns' rows that are not folded yet are recent again.
 */
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "store/store_internal.h"

#define NUMBER_MAX (INT64_C(1) << 62)

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

/* What is counted from: one more can be said of it. */
static bool
is_number(int64_t n)
{
	return n >= 0 && n < NUMBER_MAX;
}

/* What the fold and the readers take for granted of a key and a body. */
static bool
is_sound(const struct recent_row *row)
{
	bool has_text = row->deleted || memchr(recent_body(row), 0, row->len) != NULL;
	bool has_number = row->key_len == 8 && is_number(recent_key64_read(row->bytes));

	if (row->table < RECENT_LOG)
		return row->key_len == 16;
	if (row->table < RECENT_SEEN)
		return row->key_len == 24 && !row->deleted &&
		    is_number(recent_key64_read(row->bytes + 16));
	if (row->table <= RECENT_REF)
		return row->key_len == 16 && row->len == 16;
	if (row->table == RECENT_META)
		return row->key_len > 0 && row->key_len < STORE_META_NAME_SIZE && !row->deleted;
	if (row->table == RECENT_TIMER)
		return row->key_len > 8 && row->key_len < 8 + STORE_TIMER_ID_SIZE;
	if (row->table == RECENT_RECORDING)
		return has_number && !row->deleted;
	return has_number && has_text && !(row->table == RECENT_UPLINK && row->deleted);
}

static struct recent_row *
decode(struct rd *rd, const struct id *subject, int64_t turn)
{
	uint8_t table = rd_u8(rd);
	int64_t key_len = rd_i64(rd), at_ms = 0, flag = 0, len = 0;
	const uint8_t *key = take(rd, key_len), *body = NULL;

	if ((table & STORE_TURN_GONE) == 0) {
		at_ms = rd_i64(rd);
		flag = rd_i64(rd);
		len = rd_i64(rd);
		body = take(rd, len);
	}
	if (!rd->ok || (table & ~STORE_TURN_GONE) >= RECENT_TABLES)
		return NULL;
	struct recent_row *row =
	    recent_row_new(table & ~STORE_TURN_GONE, key, (size_t)key_len, (size_t)len);
	row->deleted = (table & STORE_TURN_GONE) != 0;
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

/* false: no store says that. */
static bool
decode_counters(struct rd *rd, int64_t n, struct counters *counters)
{
	bool good = true;

	counters->floor = rd_i64(rd);
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		counters->first[lane] = rd_i64(rd);
		counters->next[lane] = rd_i64(rd);
		good = good && counters->first[lane] >= 0 &&
		    counters->first[lane] <= counters->next[lane] &&
		    counters->next[lane] < STORE_LANE_ID(1, 0);
	}
	return good && rd->ok && counters->floor >= 0 && counters->floor <= n &&
	    n - counters->floor < STORE_TURNS_RING;
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
	uint32_t section = 0, used = rd_u32(&rd);
	int result = 0;

	if (!rd.ok || used > (size_t)(rd.end - rd.at))
		return AISLE_E_DAMAGED;
	rd.end = rd.at + used;

	do {
		uint8_t row_key[STORE_TURN_KEY_SIZE];
		struct id subject = rd_id(&rd);
		uint32_t len = rd_u32(&rd);
		const uint8_t *sealed = take(&rd, len);

		if (sealed == NULL || (section == 0 && !id_is_zero(&subject)))
			return AISLE_E_DAMAGED;
		store_turn_key(row_key, n, section, &subject);
		buf_clear(&store->turn_plain);
		int error = store_unseal_bytes(store, "turn", row_key, sizeof(row_key), &subject,
		    sealed, len, &store->turn_plain);
		/* Who it is about is forgotten. */
		if (error == AISLE_E_NONE && section++ > 0)
			continue;
		if (error != 0 && error != AISLE_E_DAMAGED)
			return error;
		struct rd plain = rd_init(store->turn_plain.data, store->turn_plain.len);
		if (error == 0 &&
		    ((section == 0 && !decode_counters(&plain, n, counters)) ||
			(take_them && !take_rows(store, &plain, &subject, n))))
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
	sqlite3_bind_int64(stmt, 1, n % STORE_TURNS_RING);
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
list_rows(struct store *store, int64_t numbers[static STORE_TURNS_RING], size_t *ret_count)
{
	int error, rc;
	size_t count = 0;
	sqlite3_stmt *stmt = store_stmt(store, ST_TURN_NUMBERS, &error);

	if (stmt == NULL)
		return error;
	memset(store->turn_room, 0, sizeof(store->turn_room));
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && count < STORE_TURNS_RING) {
		int64_t slot = sqlite3_column_int64(stmt, 0), n = sqlite3_column_int64(stmt, 1);

		if (!is_number(n) || slot != n % STORE_TURNS_RING)
			continue;
		numbers[count++] = n;
		store->turn_room[slot] = sqlite3_column_int(stmt, 2);
	}
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
	store_set_aside(store, "turn", n % STORE_TURNS_RING, ST_TURN_ASIDE, ST_TURN_DROP);
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
store_turn_load(struct store *store, int64_t floor, bool *ret_lost)
{
	int64_t numbers[STORE_TURNS_RING];
	struct counters newest = { 0 }, any;
	struct buf body = { 0 };
	size_t count = 0, last;
	int error = list_rows(store, numbers, &count);

	for (last = count; error == 0 && last > 0; last--) {
		error = read_row(store, numbers[last - 1], &body);
		if (error == 0)
			error = read_sections(store, numbers[last - 1], &body, false, &newest);
		if (error != AISLE_E_DAMAGED)
			break;
		set_turn_aside(store, numbers[last - 1]);
		newest = (struct counters){ 0 };
		*ret_lost = true;
		error = 0;
	}
	/* The row that said so is not there: a copy of a damaged file may lack the last ones. */
	if (newest.floor < floor) {
		newest.floor = floor;
		*ret_lost = true;
	}
	/* Behind what opens, whatever a damaged row says of itself, and not below the floor, where nobody would look for it. A
	 * number may be given twice: what is sealed under it has another nonce. */
	store->now.turn_next = last > 0 ? numbers[last - 1] + 1 : 1;
	if (store->now.turn_next < newest.floor)
		store->now.turn_next = newest.floor;
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
