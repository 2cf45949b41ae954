/* SPDX-License-Identifier: Apache-2.0
 *
 * store_uplink.c - records for headquarters, numbered by lane.
 *
 * INVARIANTS
 *   The rows of a lane are first … next-1, every one of them, so how many wait
 *   is a subtraction. Rows leave at the front only: by an acknowledgement, or
 *   when there is no room, and then one row "gap" {"lane","from","to"} with
 *   the last sequence that went takes their place. Telemetry goes before
 *   decisions; consent and money never go.
 *   A row that does not open (its subject is forgotten, or it is damaged) is
 *   given out as a gap of its own sequence: the numbers have no holes.
 */
#include <stdio.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/log.h"
#include "store/store_internal.h"

#define ROW_KEY_SIZE 32
#define PRESSURE_EVERY 16 /* rows added between two looks at the room left */

static void
uplink_row_key(uint8_t out[static ROW_KEY_SIZE], int64_t id, const char *type, int64_t at_ms)
{
	struct id hash = hash_parts(&type, 1);
	for (int i = 0; i < 8; i++) {
		out[i] = (uint8_t)((uint64_t)id >> (8 * i));
		out[8 + i] = (uint8_t)((uint64_t)at_ms >> (8 * i));
	}
	memcpy(out + 16, hash.b, 16);
}

static int
write_uplink(struct store *store, int64_t id, const char *type, int64_t at_ms,
    const struct id *subject, const void *body, size_t len)
{
	uint8_t row_key[ROW_KEY_SIZE];
	const void *sealed;
	size_t sealed_len;
	uplink_row_key(row_key, id, type, at_ms);
	int error = store_seal(store, "uplink", row_key, sizeof(row_key), subject, body, len,
	    &sealed, &sealed_len);
	sqlite3_stmt *stmt = error == 0 ? store_stmt(store, ST_UPLINK_ADD, &error) : NULL;
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, id);
	sqlite3_bind_text(stmt, 2, type, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, at_ms);
	store_bind_id(stmt, 4, subject);
	store_bind_blob(stmt, 5, sealed, sealed_len);
	return store_run(store, stmt);
}

int
store_fold_uplink(struct store *store, const struct recent_row *row)
{
	const char *type = recent_body(row);
	size_t type_len = strlen(type) + 1;

	return write_uplink(store, recent_key64_read(row->bytes), type, row->at_ms, &row->subject,
	    type + type_len, row->len - type_len);
}

static int
write_row(struct store *store, enum lane lane, int64_t seq, const char *type, int64_t at_ms,
    const struct id *subject, const void *body, size_t len)
{
	uint8_t key[8];
	recent_key64(key, STORE_LANE_ID(lane, seq));
	return store_recent_put2(store, RECENT_UPLINK, key, sizeof(key), subject, at_ms, 0, type,
	    body, len);
}

static void
gap_json(enum lane lane, int64_t from, int64_t to, struct buf *out)
{
	struct json_writer *w = JSON_OBJECT(out);

	json_add_str(w, "lane", lane_names[lane]);
	json_add_int(w, "from", from);
	json_add_int(w, "to", to);
	json_end(w);
}

static int
write_gap(struct store *store, enum lane lane, int64_t from, int64_t to, int64_t at_ms)
{
	struct buf body = { 0 };
	gap_json(lane, from, to, &body);
	int error = write_row(store, lane, to, "gap", at_ms, NULL, body.data, body.len);
	buf_done(&body);
	return error;
}

/* Rows from … to go, and the next sequence is on disk, for when no row is left to tell it. */
static int
delete_rows(struct store *store, enum lane lane, int64_t from, int64_t to)
{
	char name[32], text[24];
	uint8_t first[8], last[8];
	int error;
	sqlite3_stmt *stmt = store_stmt(store, ST_UPLINK_DELETE, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, STORE_LANE_ID(lane, from));
	sqlite3_bind_int64(stmt, 2, STORE_LANE_ID(lane, to));
	error = store_run(store, stmt);
	if (error != 0)
		return error;
	recent_key64(first, STORE_LANE_ID(lane, from));
	recent_key64(last, STORE_LANE_ID(lane, to));
	store_recent_leave(store, RECENT_UPLINK, first, last, sizeof(first));
	snprintf(name, sizeof(name), "uplink/%s", lane_names[lane]);
	int len = snprintf(text, sizeof(text), "%lld", (long long)store->now.lanes[lane].next);
	return store_meta_set(store, name, text, (size_t)len);
}

/* ---- eviction ---- */

struct head {
	int64_t from, at_ms;
};

static int
read_at(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	(void)seq, (void)type, (void)body, (void)len;
	*(int64_t *)ctx = at_ms;
	return 1;
}

static int
read_head(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	struct head *head = ctx;
	json_t *gap = strcmp(type, "gap") == 0 ? json_loadb(body, len, 0, NULL) : NULL;
	head->from = seq;
	(void)json_int(json_object_get(gap, "from"), &head->from);
	json_decref(gap);
	head->at_ms = at_ms;
	return 1;
}

static int
evict(struct store *store, enum lane lane)
{
	int64_t first = store->now.lanes[lane].first, last = store->now.lanes[lane].next - 1;
	int64_t to = last - first < STORE_EVICT_ROWS ? last : first + STORE_EVICT_ROWS;
	int64_t given = store->given[lane];
	struct head head = { .from = first };
	/* An older gap at the front grows. */
	int error = store_uplink_each(store, lane, first - 1, 1, read_head, &head);
	/* The gap has the time of the record in whose place it stands: that may be at headquarters under this number and
	 * this time already, where both are the key. */
	if (error == 0)
		error = store_uplink_each(store, lane, to - 1, 1, read_at, &head.at_ms);
	store->given[lane] = given;
	if (error == 0)
		error = delete_rows(store, lane, first, to);
	if (error == 0)
		error = write_gap(store, lane, head.from, to, head.at_ms);
	if (error != 0)
		return error;
	store->now.lanes[lane].first = to;
	log_warning("store: uplink records given up lane=%s from=%lld to=%lld", lane_names[lane],
	    (long long)head.from, (long long)to);
	return 0;
}

static int
make_room(struct store *store, int64_t next)
{
	bool full = store_uplink_count(store) >= STORE_UPLINK_ROWS_MAX;
	if (!full && (next % PRESSURE_EVERY != 0 || !store_pressed(store)))
		return 0;
	static const enum lane order[] = { LANE_TELEMETRY, LANE_DECISION };
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (store->now.lanes[order[i]].next - store->now.lanes[order[i]].first > 1)
			return evict(store, order[i]);
	}
	return 0;
}

/* ---- add, read, acknowledge ---- */

int
store_uplink_add(struct store *store, enum lane lane, const char *type, int64_t at_ms,
    const struct id *subject, const void *body, size_t len)
{
	CHECK((unsigned)lane < LANE_COUNT);
	int64_t seq = store->now.lanes[lane].next;
	int error = make_room(store, seq);
	if (error == 0)
		error = write_row(store, lane, seq, type, at_ms, subject, body, len);
	if (error == 0)
		store->now.lanes[lane].next++;
	return error;
}

struct reading {
	enum lane lane;
	int64_t expect; /* the sequence that comes next */
	int rows, max_rows;
	store_uplink_fn fn;
	void *ctx;
	struct {
		int64_t seq, at_ms;
		bool in_place;
	} bad[STORE_ASIDE_MAX];
	size_t bad_count;
};

static int
give(struct store *store, struct reading *reading, int64_t seq, const char *type, int64_t at_ms,
    const void *body, size_t len)
{
	struct buf gap = { 0 };
	if (body == NULL) {
		gap_json(reading->lane, reading->expect, seq, &gap);
		body = gap.data;
		len = gap.len;
		type = "gap";
	}
	reading->expect = seq + 1;
	reading->rows++;
	if (store->given[reading->lane] < seq)
		store->given[reading->lane] = seq;
	int stop = reading->fn(reading->ctx, seq, type, at_ms, body, len);
	buf_done(&gap);
	return stop != 0 || reading->rows >= reading->max_rows;
}

/* A row that opened, or did not. Non-zero: stop. */
static int
give_opened(struct store *store, struct reading *reading, int error, int64_t seq, const char *type,
    int64_t at_ms, const void *body, size_t len)
{
	if (error != 0)
		/* Its number is not proven either: out of turn, it is part of a hole that the next one ends. */
		return seq == reading->expect ? give(store, reading, seq, NULL, at_ms, NULL, 0) : 0;
	if (seq < reading->expect)
		return 0;
	/* Rows that are not there were damaged pages, unless an eviction says so itself. */
	if (seq > reading->expect && strcmp(type, "gap") != 0 &&
	    give(store, reading, seq - 1, NULL, at_ms, NULL, 0) != 0)
		return 1;
	return give(store, reading, seq, type, at_ms, len > 0 ? body : "", len);
}

static int
give_row(struct store *store, struct reading *reading, sqlite3_stmt *stmt, struct buf *body)
{
	uint8_t row_key[ROW_KEY_SIZE], key[8];
	int64_t id = sqlite3_column_int64(stmt, 0), seq = STORE_LANE_SEQ(id),
		at_ms = sqlite3_column_int64(stmt, 2);
	const char *type = (const char *)sqlite3_column_text(stmt, 1);
	struct id subject = store_column_id(stmt, 3);
	if (type == NULL)
		type = "";
	recent_key64(key, id);
	/* It was written over. */
	if (store_recent_find(store, RECENT_UPLINK, key, sizeof(key)) != NULL)
		return 0;
	uplink_row_key(row_key, id, type, at_ms);
	buf_clear(body);
	int error =
	    store_unseal(store, "uplink", row_key, sizeof(row_key), &subject, stmt, 4, body);
	if (error == AISLE_E_DAMAGED && reading->bad_count < ARRAY_LEN(reading->bad)) {
		reading->bad[reading->bad_count].seq = seq;
		reading->bad[reading->bad_count].in_place = seq == reading->expect;
		reading->bad[reading->bad_count++].at_ms = at_ms;
	}
	return give_opened(store, reading, error, seq, type, at_ms, body->data, body->len);
}

/* Those before id (and of the lane) that are recent. */
static int
give_recent(struct store *store, struct reading *reading, int64_t before, struct buf *body)
{
	uint8_t from[8];
	const struct recent_row *row;
	int stop = 0;
	recent_key64(from, STORE_LANE_ID(reading->lane, reading->expect));
	for (row = store_recent_next(store, RECENT_UPLINK, from, sizeof(from), false);
	     stop == 0 && row != NULL && recent_key64_read(row->bytes) < before;
	     row = store_recent_next(store, RECENT_UPLINK, row->bytes, row->key_len, true)) {
		int64_t seq = STORE_LANE_SEQ(recent_key64_read(row->bytes));
		buf_clear(body);
		int error = store_recent_read(store, row, body);
		size_t type_len = error == 0 ? strlen(body->data) + 1 : 0;
		stop = give_opened(store, reading, error, seq, body->data, row->at_ms,
		    error == 0 ? body->data + type_len : "", body->len - type_len);
	}
	return stop;
}

/* Damaged rows in their turn become gaps on the disk, others are moved away. */
static int
mend_rows(struct store *store, const struct reading *reading)
{
	for (size_t i = 0; i < reading->bad_count; i++) {
		int64_t seq = reading->bad[i].seq;
		store_set_aside(store, "uplink", STORE_LANE_ID(reading->lane, seq), ST_UPLINK_ASIDE,
		    reading->bad[i].in_place ? -1 : ST_UPLINK_DROP);
		int error = reading->bad[i].in_place
		    ? write_gap(store, reading->lane, seq, seq, reading->bad[i].at_ms)
		    : 0;
		if (error != 0)
			return error;
	}
	return 0;
}

static int
mend(struct store *store, const struct reading *reading)
{
	bool own;
	int error = store_aside_begin(store, &own);
	if (error != 0)
		return error;
	error = mend_rows(store, reading);
	if (error == 0)
		return store_aside_end(store, own);
	if (own)
		store_rollback(store);
	return error;
}

int
store_uplink_each(struct store *store, enum lane lane, int64_t after, int max_rows,
    store_uplink_fn fn, void *ctx)
{
	CHECK((unsigned)lane < LANE_COUNT);
	int error;
	int64_t first = store->now.lanes[lane].first;
	struct reading reading = { .lane = lane,
		.expect = after + 1 > first ? after + 1 : first,
		.max_rows = max_rows,
		.fn = fn,
		.ctx = ctx };
	sqlite3_stmt *stmt = max_rows > 0 ? store_stmt(store, ST_UPLINK_EACH, &error) : NULL;
	if (stmt == NULL)
		return max_rows > 0 ? error : 0;
	sqlite3_bind_int64(stmt, 1, STORE_LANE_ID(lane, reading.expect));
	sqlite3_bind_int64(stmt, 2, STORE_LANE_ID(lane + 1, 0) - 1);
	struct buf body = { 0 };
	int rc, stop = 0;
	while (stop == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		stop = give_recent(store, &reading, sqlite3_column_int64(stmt, 0), &body);
		if (stop == 0)
			stop = give_row(store, &reading, stmt, &body);
	}
	sqlite3_reset(stmt);
	if (stop == 0 && rc == SQLITE_DONE)
		stop = give_recent(store, &reading, STORE_LANE_ID(lane + 1, 0), &body);
	buf_wipe(&body);
	if (stop == 0 && rc != SQLITE_DONE)
		return store_error(store, rc);
	/* The last rows are not there any more. */
	int64_t last = store->now.lanes[lane].next - 1;
	if (stop == 0 && reading.expect <= last)
		give(store, &reading, last, NULL, 0, NULL, 0);
	return reading.bad_count > 0 ? mend(store, &reading) : 0;
}

int
store_uplink_ack(struct store *store, enum lane lane, int64_t upto)
{
	CHECK((unsigned)lane < LANE_COUNT);
	if (upto > store->given[lane])
		return AISLE_E_REFUSED;
	int64_t first = store->now.lanes[lane].first;
	if (upto < first)
		return 0;
	int error = delete_rows(store, lane, first, upto);
	if (error == 0)
		store->now.lanes[lane].first = upto + 1;
	return error;
}

int64_t
store_uplink_count(const struct store *store)
{
	int64_t count = 0;
	for (int lane = 0; lane < LANE_COUNT; lane++)
		count += store->now.lanes[lane].next - store->now.lanes[lane].first;
	return count;
}

/* ---- changed while they wait ---- */

struct rewrite {
	int64_t seq, at_ms;
	struct buf body;
};
#define REWRITE_ROWS 64

/* Looks from seq on until some are changed; where it stopped. */
static int
collect_changes(struct store *store, enum lane lane, const char *type, store_rewrite_fn fn,
    void *ctx, int64_t *seq, struct rewrite *rows, size_t *ret_count)
{
	int error, rc = SQLITE_ROW;
	*ret_count = 0;
	sqlite3_stmt *stmt = store_stmt(store, ST_UPLINK_EACH, &error);
	if (stmt == NULL)
		return error;
	sqlite3_bind_int64(stmt, 1, STORE_LANE_ID(lane, *seq));
	sqlite3_bind_int64(stmt, 2, STORE_LANE_ID(lane + 1, 0) - 1);
	struct buf body = { 0 };
	while (*ret_count < REWRITE_ROWS && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		uint8_t row_key[ROW_KEY_SIZE];
		int64_t id = sqlite3_column_int64(stmt, 0), at_ms = sqlite3_column_int64(stmt, 2);
		const char *text = (const char *)sqlite3_column_text(stmt, 1);
		struct id none = { 0 };
		struct rewrite *row = &rows[*ret_count];
		*seq = STORE_LANE_SEQ(id) + 1;
		if (text == NULL || strcmp(text, type) != 0)
			continue;
		uplink_row_key(row_key, id, type, at_ms);
		buf_clear(&body);
		*row = (struct rewrite){ .seq = STORE_LANE_SEQ(id), .at_ms = at_ms };
		/* What does not open is a gap already. */
		if (store_unseal(store, "uplink", row_key, sizeof(row_key), &none, stmt, 4,
			&body) == 0 &&
		    fn(ctx, body.data, body.len, &row->body))
			++*ret_count;
	}
	sqlite3_reset(stmt);
	buf_wipe(&body);
	return *ret_count == REWRITE_ROWS || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

int
store_uplink_rewrite(struct store *store, enum lane lane, const char *type, store_rewrite_fn fn,
    void *ctx)
{
	CHECK((unsigned)lane < LANE_COUNT);
	struct rewrite rows[REWRITE_ROWS];
	int64_t seq = store->now.lanes[lane].first;
	size_t count;
	int error = store_settle(store);
	if (error != 0)
		return error;
	do {
		error = collect_changes(store, lane, type, fn, ctx, &seq, rows, &count);
		for (size_t i = 0; i < count; i++) {
			if (error == 0)
				error = write_row(store, lane, rows[i].seq, type, rows[i].at_ms,
				    NULL, rows[i].body.data, rows[i].body.len);
			buf_wipe(&rows[i].body);
		}
	} while (error == 0 && count == REWRITE_ROWS);
	return error;
}

/* ---- forgetting, where nothing is sealed ---- */

int
store_uplink_blank(struct store *store, const struct id *subject)
{
	struct {
		int64_t id, at_ms;
	} rows[256];
	size_t count;
	do {
		int error = 0;
		sqlite3_stmt *stmt = store_stmt(store, ST_UPLINK_OF, &error);
		if (stmt == NULL)
			return error;
		store_bind_id(stmt, 1, subject);
		int rc = SQLITE_DONE;
		count = 0;
		while (count < ARRAY_LEN(rows) && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
			rows[count].id = sqlite3_column_int64(stmt, 0);
			rows[count++].at_ms = sqlite3_column_int64(stmt, 1);
		}
		sqlite3_reset(stmt);
		if (rc != SQLITE_ROW && rc != SQLITE_DONE)
			return store_error(store, rc);
		for (size_t i = 0; error == 0 && i < count; i++) {
			enum lane lane = (enum lane)(rows[i].id >> 48);
			int64_t seq = STORE_LANE_SEQ(rows[i].id);
			/* A row id is what the disk says it is. */
			if (rows[i].id < 0 || (unsigned)lane >= LANE_COUNT)
				return store_error(store, SQLITE_CORRUPT);
			/* Into the table, where it was found and is looked for again. */
			struct buf gap = { 0 };
			gap_json(lane, seq, seq, &gap);
			error = write_uplink(store, rows[i].id, "gap", rows[i].at_ms, NULL,
			    gap.data, gap.len);
			buf_done(&gap);
			if (error != 0)
				return error;
		}
	} while (count == ARRAY_LEN(rows));
	return 0;
}
