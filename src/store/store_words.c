/* SPDX-License-Identifier: Apache-2.0
 *
 * store_words.c - what records of decisions have in common, by policy: each set of words is kept as long as a
 * record that was packed with it.
 *
 * DESIGN
 *   A record names the actions and rules of its policy; with them told before, it takes a quarter of its room. They lie in
 *   `meta` under their number, twice, for without them those records do not open; what is in force
 *   is told at each start and written again where damage took it. Nobody is named in them.
 *
 *   A set's time is when it was last put into force. It served until the next one's, so it may go when that is older than
 *   every decision that is kept and every record that waits for headquarters.
 *
 * BYTES of a row
 *   i64 time; the text of pack_words_text().
 */
#include <stdio.h>

#include "store/pack.h"
#include "store/store_internal.h"

void
store_words_name(int copy, uint32_t number, char out[static STORE_META_NAME_SIZE])
{
	snprintf(out, STORE_META_NAME_SIZE, copy == 0 ? "words/%08x" : "copy/words/%08x", number);
}

/* ---- those that are at hand ---- */

struct pack_words *
store_words_at_hand(const struct store *store, uint32_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(store->words); i++)
		if (store->words[i] != NULL && pack_words_number(store->words[i]) == number)
			return store->words[i];
	return NULL;
}

/* In the place of the one that has been at hand for longest; what is in force stays. */
void
store_words_take_up(struct store *store, struct pack_words *words)
{
	size_t place = store->words_next++ % ARRAY_LEN(store->words);

	if (store->words[place] != NULL && store->words[place] == store->words_now)
		place = store->words_next++ % ARRAY_LEN(store->words);
	pack_words_free(store->words[place]);
	store->words[place] = words;
}

void
store_words_done(struct store *store)
{
	for (size_t i = 0; i < ARRAY_LEN(store->words); i++) {
		pack_words_free(store->words[i]);
		store->words[i] = NULL;
	}
	store->words_now = NULL;
}

/* Its number says whether it is whole. */
struct pack_words *
store_words_read(struct store *store, int copy, uint32_t number)
{
	struct pack_words *words = NULL;
	char name[STORE_META_NAME_SIZE];
	int error, rc;
	sqlite3_stmt *stmt = store_stmt(store, ST_META_GET, &error);

	if (stmt == NULL)
		return NULL;
	store_words_name(copy, number, name);
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		const void *value = sqlite3_column_blob(stmt, 0);
		struct rd rd = rd_init(value, (size_t)sqlite3_column_bytes(stmt, 0));

		(void)rd_i64(&rd);
		if (rd.ok)
			words = pack_words_again(rd.at, (size_t)(rd.end - rd.at));
	}
	sqlite3_reset(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		(void)store_error(store, rc);
	if (words == NULL || pack_words_number(words) == number)
		return words;
	pack_words_free(words);
	return NULL;
}

const struct pack_words *
store_words_find(struct store *store, uint32_t number)
{
	struct pack_words *words = store_words_at_hand(store, number);

	for (int copy = 0; words == NULL && copy < STORE_WORDS_COPIES; copy++) {
		words = store_words_read(store, copy, number);
		if (words != NULL)
			store_words_take_up(store, words);
	}
	return words;
}
