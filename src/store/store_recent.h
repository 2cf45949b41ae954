/* SPDX-License-Identifier: Apache-2.0
 *
 * store_recent.h - what the last turns wrote, in memory and in key order, in place of what the tables say.
 *
 * DESIGN
 *   A turn is one sealed row of the table `turn` (store_turn.c). What it wrote stands here as well until it is folded into
 *   its own table: a visit that changes with every line is written to its table once in some hundred turns, and what is sent
 *   and acknowledged meanwhile never.
 *
 *   Two arrays sorted by table and key: what this transaction wrote (pending), and what those before it did (recent). A
 *   commit merges one into the other, a rollback drops it. Sorted arrays of pointers, because a few thousand of them are
 *   searched faster than a tree, and because each-functions and the fold want the order.
 *
 * INVARIANTS
 *   Whoever reads a table looks here first: pending, then recent, then the table. A row that is here is what counts, also
 *   one that says that it is gone.
 *   What is here is on disk, or its transaction is not committed.
 */
#ifndef AISLE_STORE_STORE_RECENT_H
#define AISLE_STORE_STORE_RECENT_H

#include "store/store.h"

/* Tables whose rows come here first, in the order in which they are folded. */
enum recent_table {
	RECENT_BODY, /* + enum store_table; key: the id */
	RECENT_LOG =
	    RECENT_BODY + STORE_COUNT, /* + enum store_log; key: the id, then a number that rises */
	RECENT_SEEN = RECENT_LOG + STORE_LOG_COUNT, /* key: the name; body: its value */
	RECENT_REF,
	RECENT_META,	  /* key: the name */
	RECENT_TIMER,	  /* key: due, then id; no body */
	RECENT_OUTBOX,	  /* key: id; flag: retain; body: topic, 0, payload */
	RECENT_UPLINK,	  /* key: lane and sequence as in the table; body: type, 0, the record */
	RECENT_RECORDING, /* key: its number */
	RECENT_TABLES
};

struct recent_row {
	int64_t turn; /* the number of the row on disk that has it */
	int64_t at_ms;
	struct id subject; /* under whose key it is sealed; zero: nobody's */
	int flag;
	uint8_t table;
	bool deleted; /* it is gone, whatever the table says */
	bool leaves;  /* with this transaction: its table has it, or nobody needs it */
	size_t key_len, len;
	uint8_t bytes[]; /* the key, then the body */
};

struct store_recent {
	struct recent_row **rows;
	size_t count, cap;
	size_t bytes; /* of those that do not leave */
	size_t leaving;
};

/* Integers in keys: their order is that of the bytes. */
void recent_key64(uint8_t out[static 8], int64_t n);
int64_t recent_key64_read(const uint8_t bytes[static 8]);
const void *recent_body(const struct recent_row *row);

/* In a transaction of its own unless there is one. AISLE_E_NONE: the subject is forgotten, nothing was written;
 * AISLE_E_TOO_BIG. body is copied. */
int store_recent_put(struct store *store, int table, const void *key, size_t key_len,
    const struct id *subject, int64_t at_ms, int flag, const void *body, size_t len)
    AISLE_MUST_CHECK;
/* The same of two parts that lie one behind the other, with a zero byte between them. */
int store_recent_put2(struct store *store, int table, const void *key, size_t key_len,
    const struct id *subject, int64_t at_ms, int flag, const char *text, const void *body,
    size_t len) AISLE_MUST_CHECK;
/* It is gone from now on. */
int store_recent_drop(struct store *store, int table, const void *key, size_t key_len)
    AISLE_MUST_CHECK;
/* NULL: ask the table. The row lives until its table is written to, or the transaction ends. */
const struct recent_row *store_recent_find(struct store *store, int table, const void *key,
    size_t key_len);
/* The first one at key or, if after, behind it, also of those that are gone; NULL: there is none. */
const struct recent_row *store_recent_next(struct store *store, int table, const void *key,
    size_t key_len, bool after);
/* Appends the body. AISLE_E_NONE: it is gone, or who it is about is forgotten. */
int store_recent_read(struct store *store, const struct recent_row *row, struct buf *out);
/* All from key first to key last leave with this transaction; their table, and the row on disk, know it otherwise. */
void store_recent_leave(struct store *store, int table, const void *first, const void *last,
    size_t key_len);

void store_recent_folded(struct store *store,
    struct recent_row *row); /* it leaves: its table has it */
/* Of a row of a turn before: this transaction says something else of its key, which is what its table will hear. */
bool store_recent_overwritten(const struct store *store, const struct recent_row *row);
/* Is anything of before that time among what is recent? */
bool store_recent_older(const struct store *store, int64_t before_ms);

/* Of a row on disk, at open: as if its turn were over. */
void store_recent_load(struct store *store, struct recent_row *row);
struct recent_row *recent_row_new(int table, const void *key, size_t key_len, size_t len);
void recent_row_free(struct recent_row *row);

void store_recent_settled(struct store *store); /* what is pending is in its tables */
void store_recent_commit(struct store *store);
void store_recent_rollback(struct store *store);
void store_recent_done(struct store *store);

#endif
