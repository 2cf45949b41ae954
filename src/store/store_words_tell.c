/* SPDX-License-Identifier: Apache-2.0
 *
 * store_words_tell.c - the words of the policy in force are told; those that no record needs any more go.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "store/pack.h"
#include "store/store_internal.h"

#define WORDS_KEPT 32 /* sets; with more than that another policy's records are packed without */

struct kept {
	uint32_t number;
	int64_t at_ms;
};

static int
later(const void *a, const void *b)
{
	const struct kept *one = a, *other = b;

	return (one->at_ms > other->at_ms) - (one->at_ms < other->at_ms);
}

/* In the order of their times. */
static int
read_kept(struct store *store, struct kept kept[static WORDS_KEPT], size_t *ret_count)
{
	int error, rc;
	sqlite3_stmt *stmt = store_stmt(store, ST_META_WORDS, &error);

	*ret_count = 0;
	if (stmt == NULL)
		return error;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && *ret_count < WORDS_KEPT) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		const void *time = sqlite3_column_blob(stmt, 1);
		struct rd rd = rd_init(time, (size_t)sqlite3_column_bytes(stmt, 1));
		struct kept *one = &kept[*ret_count];

		one->at_ms = rd_i64(&rd);
		*ret_count += name != NULL && sscanf(name, "words/%8x", &one->number) == 1;
	}
	sqlite3_reset(stmt);
	qsort(kept, *ret_count, sizeof(*kept), later);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_error(store, rc);
}

static int
drop(struct store *store, uint32_t number)
{
	char name[STORE_META_NAME_SIZE];
	int error = 0;

	for (int copy = 0; error == 0 && copy < STORE_WORDS_COPIES; copy++) {
		sqlite3_stmt *stmt = store_stmt(store, ST_META_DROP, &error);

		if (stmt == NULL)
			return error;
		store_words_name(copy, number, name);
		sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
		error = store_run(store, stmt);
	}
	return error;
}

/* What waits for headquarters may be older than every decision: of a lane the first is the oldest. */
static int
oldest_needed(struct store *store, int64_t *ret_ms)
{
	int error = store_oldest_decision(store, ret_ms);

	for (int lane = 0; error == 0 && lane < LANE_COUNT; lane++) {
		sqlite3_stmt *stmt = store_stmt(store, ST_UPLINK_OLDEST, &error);

		if (stmt == NULL)
			return error;
		sqlite3_bind_int64(stmt, 1, STORE_LANE_ID(lane, 0));
		sqlite3_bind_int64(stmt, 2, STORE_LANE_ID(lane + 1, 0) - 1);
		int rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW && sqlite3_column_int64(stmt, 0) < *ret_ms)
			*ret_ms = sqlite3_column_int64(stmt, 0);
		sqlite3_reset(stmt);
		if (rc != SQLITE_ROW && rc != SQLITE_DONE)
			error = store_error(store, rc);
	}
	return error;
}

/* Those that no record needs any more go. AISLE_E_NONE: too many are needed. */
static int
make_place(struct store *store, int64_t now_ms, uint32_t number)
{
	struct kept kept[WORDS_KEPT];
	int64_t oldest_ms = 0;
	size_t count, left;
	int error = store_settle(store);

	if (error == 0)
		error = read_kept(store, kept, &count);
	if (error == 0)
		error = oldest_needed(store, &oldest_ms);
	if (error != 0)
		return error;
	left = count;
	for (size_t i = 0; error == 0 && i < count; i++) {
		int64_t until_ms = i + 1 < count ? kept[i + 1].at_ms : now_ms;

		if (kept[i].number == number)
			left--;
		else if (until_ms < oldest_ms) {
			error = drop(store, kept[i].number);
			left--;
		}
	}
	return error == 0 && left >= WORDS_KEPT - 1 ? AISLE_E_NONE : error;
}

static int
write_copies(struct store *store, const struct pack_words *words, int64_t now_ms)
{
	char name[STORE_META_NAME_SIZE];
	struct buf row = { 0 };
	size_t len;
	const char *text = pack_words_text(words, &len);
	int error = make_place(store, now_ms, pack_words_number(words));

	buf_i64(&row, now_ms);
	buf_add(&row, text, len);
	for (int copy = 0; error == 0 && copy < STORE_WORDS_COPIES; copy++) {
		store_words_name(copy, pack_words_number(words), name);
		error = store_meta_write(store, name, row.data, row.len);
	}
	buf_done(&row);
	return error;
}

/* Is it the newest, and are both its rows there? */
static bool
is_written(struct store *store, const struct pack_words *words)
{
	struct kept kept[WORDS_KEPT];
	uint32_t number = pack_words_number(words);
	size_t count, there = 0;

	if (read_kept(store, kept, &count) != 0 || count == 0 || kept[count - 1].number != number)
		return false;
	for (int copy = 0; copy < STORE_WORDS_COPIES; copy++) {
		struct pack_words *one = store_words_read(store, copy, number);

		there += one != NULL;
		pack_words_free(one);
	}
	return there == STORE_WORDS_COPIES;
}

static int
write_words(struct store *store, const struct pack_words *words, int64_t now_ms)
{
	int error = store_begin(store);

	if (error != 0)
		return error;
	if (!is_written(store, words))
		error = write_copies(store, words, now_ms);
	if (error == 0)
		error = store_commit(store);
	if (error != 0)
		store_rollback(store);
	return error;
}

void
store_words(struct store *store, int64_t now_ms, const void *text, size_t len)
{
	struct pack_words *words;
	int error;

	CHECK(!store->in_tx);
	store->words_now = NULL;
	if (store->memory || !store->sealed || len == 0 || len > STORE_WORDS_MAX)
		return;
	words = pack_words_new(text, len);
	error = write_words(store, words, now_ms);
	if (error != 0) {
		log_warning("store: records of decisions are packed without their words code=%d",
		    error);
		pack_words_free(words);
		return;
	}
	store->words_now = store_words_at_hand(store, pack_words_number(words));
	if (store->words_now != NULL) {
		pack_words_free(words);
		return;
	}
	store_words_take_up(store, words);
	store->words_now = words;
}
