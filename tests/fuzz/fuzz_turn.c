/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_turn.c - any bytes as rows of turns, read at a start. The first byte chooses: rows whose sections are the input's own,
 * as if they had opened, or turns that a store wrote, sealed, and the disk gives back otherwise.
 *
 * What must hold: a row is taken or set aside, nothing that it says breaks what reads the rows, folds them, or goes on
 * writing, and the next start reads what this one left. Of a row that the disk changed what is read is what was written, or
 * it is missing and counted, and who is forgotten is not read at all.
 */
#include "fuzz.h"

#include "core/log.h"
#include "profile/vault.h"
#include "store/store_check.h"
#include "store/store_internal.h"

#define ROWS_MAX 16
#define VISITS 6

/* ---- a store in memory that writes its turns as one on a disk does ---- */

struct world {
	struct store *store;
	bool forgotten; /* who has the subject 2 */
};

static struct id
number_id(uint8_t n)
{
	return (struct id){ { 1, [7] = n, [15] = n } };
}

static void
key_of(const struct id *subject, uint8_t out[static VAULT_KEY_SIZE])
{
	memset(out, subject != NULL ? subject->b[15] : 0, VAULT_KEY_SIZE);
}

static bool
is_gone(const struct world *world, const struct id *subject)
{
	return world->forgotten && subject != NULL && subject->b[15] == 2;
}

static int
seal(void *ctx, const char *table, const void *row_key, size_t row_key_len,
    const struct id *subject, const void *plain, size_t len, struct buf *out)
{
	uint8_t key[VAULT_KEY_SIZE];

	if (is_gone(ctx, subject))
		return AISLE_E_NONE;
	key_of(subject, key);
	vault_seal(key, table, row_key, row_key_len, 1, plain, len, out);
	return 0;
}

static int
unseal(void *ctx, const char *table, const void *row_key, size_t row_key_len,
    const struct id *subject, const void *sealed, size_t len, struct buf *out)
{
	uint8_t key[VAULT_KEY_SIZE];

	if (is_gone(ctx, subject))
		return AISLE_E_NONE;
	key_of(subject, key);
	return vault_open(key, table, row_key, row_key_len, 1, sealed, len, out);
}

static int
ready(void *ctx, const struct id *subject, bool make)
{
	(void)make;
	return is_gone(ctx, subject) ? AISLE_E_NONE : 0;
}

static int
commit_keys(void *ctx)
{
	(void)ctx;
	return 0;
}

static void
open_world(struct world *world, bool sealed)
{
	struct sealer sealer = {
		.seal = seal, .open = unseal, .ready = ready, .commit = commit_keys, .ctx = world
	};
	struct store_options options = { .recording_mib = 1, .sealer = sealed ? &sealer : NULL };
	struct err err = { 0 };

	memset(world, 0, sizeof(*world));
	CHECK(store_open(&options, &world->store, &err) == 0);
	world->store->memory = false;
}

static void
close_world(struct world *world)
{
	world->store->memory = true;
	store_close(world->store);
}

/* What a kill leaves is in the tables; all else is read again. */
static void
start_again(struct world *world)
{
	struct store *store = world->store;
	struct err err = { 0 };
	int64_t floor = 0;
	bool lost = false;

	store_recent_done(store);
	store->now = (struct store_counters){ 0 };
	store_timer_doubt(store);
	CHECK(store_begin(store) == 0);
	CHECK(store_floor_load(store, &floor) == 0);
	CHECK(store_seen_load(store) == 0);
	CHECK(store_turn_load(store, floor, &lost) == 0);
	CHECK(store_counters_load(store, lost, &err) == 0);
	CHECK(store->tx_error == 0);
}

static void
run(struct store *store, const char *sql, int64_t slot, int64_t n, const void *body, size_t len)
{
	sqlite3_stmt *stmt = NULL;

	CHECK(sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) == SQLITE_OK);
	sqlite3_bind_int64(stmt, 1, slot);
	sqlite3_bind_int64(stmt, 2, n);
	sqlite3_bind_blob64(stmt, 3, len > 0 ? body : "", len, SQLITE_STATIC);
	CHECK(sqlite3_step(stmt) == SQLITE_DONE);
	sqlite3_finalize(stmt);
}

/* ---- everything is read ---- */

static int
any_row(void *ctx, const struct id *key, const struct id *subject, int64_t at_ms, const void *body,
    size_t len)
{
	int64_t *sum = ctx;

	(void)key, (void)subject, (void)at_ms;
	for (size_t i = 0; i < len; i++)
		*sum += ((const uint8_t *)body)[i];
	return 0;
}

static int
any_record(void *ctx, int64_t n, const char *type, int64_t at_ms, const void *body, size_t len)
{
	(void)n;
	*(int64_t *)ctx += (int64_t)strlen(type);
	return any_row(ctx, NULL, NULL, at_ms, body, len);
}

static int
any_message(void *ctx, int64_t id, const char *topic, bool retain, const void *body, size_t len)
{
	(void)id, (void)retain;
	*(int64_t *)ctx += (int64_t)strlen(topic);
	return any_row(ctx, NULL, NULL, 0, body, len);
}

static void
read_all(struct store *store)
{
	int64_t sum = 0, due_ms;
	char id[128];
	int rc;

	for (int table = 0; table < STORE_COUNT; table++)
		CHECK(store_each(store, (enum store_table)table, -1, any_row, &sum) == 0);
	for (int lane = 0; lane < LANE_COUNT; lane++)
		CHECK(store_uplink_each(store, (enum lane)lane, 0, 100, any_record, &sum) == 0);
	CHECK(store_outbox_each(store, 0, any_message, &sum) == 0);
	rc = store_timer_first(store, &due_ms, id);
	CHECK(rc == 0 || rc == AISLE_E_NONE || rc == AISLE_E_DAMAGED);
	CHECK(store_uplink_count(store) >= 0);
}

static void
go_on(struct world *world)
{
	struct store_checked checked = { 0 };
	struct err err = { 0 };
	struct buf body = { 0 };

	read_all(world->store);
	CHECK(store_commit(world->store) == 0);
	CHECK(store_begin(world->store) == 0);
	CHECK(store_meta_set(world->store, "on", "yes", 3) == 0);
	CHECK(store_commit(world->store) == 0);
	CHECK(store_check_rows(world->store, &checked, &err) == 0);
	start_again(world);
	CHECK(store_meta_get(world->store, "on", &body) == 0);
	CHECK(body.len == 3 && memcmp(body.data, "yes", 3) == 0);
	buf_done(&body);
	CHECK(store_settle(world->store) == 0);
	read_all(world->store);
	CHECK(store_commit(world->store) == 0);
}

/* ---- rows as they come ---- */

/* Each: how far behind the one before it, two bytes of length, and its sections without what is around them: the subject's
 * number, two bytes of length, the bytes. */
static void
put_row(struct store *store, int64_t n, const uint8_t *data, size_t size)
{
	struct buf row = { 0 };

	buf_u32(&row, 0);
	while (size >= 3) {
		struct id subject = data[0] == 0 ? (struct id){ { 0 } } : number_id(data[0]);
		size_t len = (size_t)data[1] | (size_t)data[2] << 8;

		data += 3, size -= 3;
		len = len < size ? len : size;
		buf_id(&row, &subject);
		buf_u32(&row, (uint32_t)len);
		buf_add(&row, data, len);
		data += len, size -= len;
	}
	/* What is left is half of a head. */
	buf_add(&row, data, size);
	for (int i = 0; i < STORE_TURN_HEAD; i++)
		row.data[i] = (char)((row.len - STORE_TURN_HEAD) >> (8 * i));
	run(store, "INSERT OR REPLACE INTO turn(slot, n, body) VALUES(?1, ?2, ?3)",
	    n % STORE_TURNS_RING, n, row.data, row.len);
	buf_done(&row);
}

static void
as_rows(const uint8_t *data, size_t size)
{
	struct world world;
	int64_t n = 0;

	open_world(&world, false);
	for (int i = 0; i < ROWS_MAX && size >= 3; i++) {
		size_t len = (size_t)data[1] | (size_t)data[2] << 8;

		n += data[0] < 255 ? data[0] : INT64_C(1) << 40;
		data += 3, size -= 3;
		len = len < size ? len : size;
		put_row(world.store, n, data, len);
		data += len, size -= len;
	}
	start_again(&world);
	go_on(&world);
	close_world(&world);
}

/* ---- turns that the disk changed ---- */

static void
write_turns(struct world *world, int turns)
{
	for (int turn = 0; turn < turns; turn++) {
		CHECK(store_begin(world->store) == 0);
		for (uint8_t v = 0; v < VISITS; v++) {
			struct id visit = number_id((uint8_t)(64 + v)), who = number_id(v % 3);
			char text[40];
			int len = snprintf(text, sizeof(text), "visit %d of turn %d", v, turn);

			CHECK(store_put(world->store, STORE_VISIT, &visit, v % 3 > 0 ? &who : NULL,
				  1, 1, text, (size_t)len) == 0);
		}
		CHECK(store_uplink_add(world->store, LANE_MONEY, "sale", turn, NULL, "{}", 2) == 0);
		CHECK(store_commit(world->store) == 0);
	}
}

/* What is read is of some turn, whole. */
static void
check_visits(struct world *world, int turns, bool all)
{
	for (uint8_t v = 0; v < VISITS; v++) {
		struct id visit = number_id((uint8_t)(64 + v));
		struct buf body = { 0 };
		int rc = store_get(world->store, STORE_VISIT, &visit, &body, NULL), read_v = -1,
		    turn = -1;

		if (world->forgotten && v % 3 == 2) {
			CHECK(rc == AISLE_E_NONE);
		} else if (rc == 0) {
			buf_addc(&body, '\0');
			CHECK(sscanf(body.data, "visit %d of turn %d", &read_v, &turn) == 2);
			CHECK(read_v == v && turn >= 0 && turn < turns);
			CHECK(!all || turn == turns - 1);
		} else {
			CHECK(!all && rc == AISLE_E_NONE);
		}
		buf_wipe(&body);
	}
}

/* Triples: which row from the newest, where, which bits; 0 of them: it is cut there. */
static bool
damage(struct store *store, const uint8_t *data, size_t size)
{
	bool any = false;

	for (; size >= 4; data += 4, size -= 4) {
		int64_t n = store->now.turn_next - 1 - data[0] % 4;
		size_t at = (size_t)data[1] | (size_t)data[2] << 8;
		struct buf body = { 0 };
		int error;
		sqlite3_stmt *stmt = store_stmt(store, ST_TURN_GET, &error);

		CHECK(stmt != NULL);
		sqlite3_bind_int64(stmt, 1, n % STORE_TURNS_RING);
		if (sqlite3_step(stmt) == SQLITE_ROW)
			buf_add(&body, sqlite3_column_blob(stmt, 1),
			    (size_t)sqlite3_column_bytes(stmt, 1));
		sqlite3_reset(stmt);
		if (body.len > 0) {
			at %= body.len;
			body.data[at] ^= (char)data[3];
			run(store, "UPDATE turn SET n = ?2, body = ?3 WHERE slot = ?1",
			    n % STORE_TURNS_RING, n, body.data, data[3] == 0 ? at : body.len);
			any = true;
		}
		buf_done(&body);
	}
	return any;
}

static void
as_damage(const uint8_t *data, size_t size)
{
	struct world world;
	int turns = size > 0 ? 1 + data[0] % 5 : 1;
	int64_t before;
	bool damaged;

	open_world(&world, true);
	write_turns(&world, turns);
	before = world.store->damaged;
	damaged = size > 1 && damage(world.store, data + 1, size - 1);
	world.forgotten = size > 0 && (data[0] & 0x80) != 0;
	start_again(&world);
	check_visits(&world, turns, !damaged);
	CHECK(damaged || world.store->damaged == before);
	go_on(&world);
	close_world(&world);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	/* What is set aside is an error, and is logged. */
	log_set_level((enum log_level)0);
	(data[0] % 2 == 0 ? as_rows : as_damage)(data + 1, size - 1);
	return 0;
}
