/* SPDX-License-Identifier: Apache-2.0
 *
 * store_internal.h - what the store_*.c files share: the statements, the
 * counters a rollback restores, sealing, set-aside. Included by nobody else.
 *
 * ROW IDS
 *   A 16-byte key is found by an integer: its first 8 bytes, big-endian, top
 *   bit flipped so that signed order is byte order. Integer keys make rows of
 *   one table append at one page (ULIDs rise) and are looked up four times
 *   faster than a blob index. Two keys with the same 8 bytes take neighbouring
 *   ids within STORE_WINDOW; the whole key is in the row and is compared. Keys
 *   that somebody else may choose (subjects, names) are hashed first.
 *
 *   A log row's id is the first 40 bits of its key and a 24-bit number, so
 *   that the rows of one subject lie together.
 */
#ifndef AISLE_STORE_STORE_INTERNAL_H
#define AISLE_STORE_STORE_INTERNAL_H

#include <sqlite3.h>

#include "store/store.h"
#include "store/store_vfs.h"
#include "store/store_recent.h"

/* Ids a key may take; in the SQL below as + 1023. Of two keys of one millisecond only 16 bits differ in the first
 * 8 bytes, and a till that knows the salt, as everybody does until there is a policy, can make them the same: a
 * turn's worth of such keys must find room, for a turn without room for one row is tried again for ever. */
#define STORE_WINDOW 1024
#define STORE_LOG_ROWS_MAX ((1 << 24) - 2) /* per 40-bit prefix */
#define STORE_DAMAGED_KEPT 1000
#define STORE_DEAD_ROWS_MAX 10000
#define STORE_DEAD_BYTES_MAX (8 << 20)
#define STORE_UPLINK_ROWS_MAX 1000000
#define STORE_EVICT_ROWS 1024	/* uplink rows given up at once */
#define STORE_OUTBOX_LEASE 1024 /* ids taken from the disk at once */

#define BODY_TABLES(X) \
	X(VISIT, "visit") \
	X(SUBJECT, "subject") X(DECISION, "decision") X(TABLET, "tablet") X(RETURN, "return")
#define LOG_TABLES(X) X(LOG_SUBJECT, "log_subject") X(LOG_OUTCOME, "log_outcome")

/* The same statements for each table of a shape; their order is enum body_op, log_op. */
/* clang-format off */
#define BODY_OPS(X, T, t) \
	X(T##_FIND, "SELECT id, subject, at, flag, body FROM " t " WHERE id BETWEEN ?1 AND ?1 + 1023 AND key = ?2") \
	X(T##_TOUCH, "UPDATE " t " SET at = ?3, body = ?4 WHERE id BETWEEN ?1 AND ?1 + 1023 AND key = ?2" \
	    " AND flag = ?5 AND subject IS ?6") \
	X(T##_TAKEN, "SELECT id, key FROM " t " WHERE id BETWEEN ?1 AND ?1 + 1023 ORDER BY id") \
	X(T##_ADD, "INSERT OR IGNORE INTO " t "(id, key, subject, at, flag, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6)") \
	X(T##_PUT, "INSERT OR REPLACE INTO " t "(id, key, subject, at, flag, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6)") \
	X(T##_DELETE, "DELETE FROM " t " WHERE id BETWEEN ?1 AND ?1 + 1023 AND key = ?2") \
	X(T##_EACH, "SELECT id, key, subject, at, flag, body FROM " t " WHERE ?1 < 0 OR flag = ?1 ORDER BY id") \
	X(T##_FLAGGED, "SELECT id, key, subject, at, flag, body FROM " t " WHERE flag = ?1 AND flag <> 0 ORDER BY id") \
	X(T##_SORTED, "SELECT id, key, subject, at, flag, body FROM " t " WHERE ?1 < 0 OR flag = ?1 ORDER BY key") \
	X(T##_BACK, "SELECT id, key, subject, at, flag, body FROM " t " WHERE id < ?1 ORDER BY id DESC LIMIT ?2") \
	X(T##_OF, "SELECT id, key FROM " t " WHERE subject = ?1") \
	X(T##_BLANK, "UPDATE " t " SET subject = NULL, body = NULL WHERE id = ?1") \
	X(T##_ASIDE, "INSERT INTO damaged(n, tab, id, body) SELECT ?1, '" t "', id, body FROM " t " WHERE id = ?2") \
	X(T##_DROP, "DELETE FROM " t " WHERE id = ?1") \
	X(T##_PRUNE, "DELETE FROM " t " WHERE id IN (SELECT id FROM " t " WHERE id < ?1 AND at < ?2 AND flag = 0" \
	    " ORDER BY id LIMIT ?3)")
/* clang-format on */
enum body_op {
	BODY_FIND,
	BODY_TOUCH,
	BODY_TAKEN,
	BODY_ADD,
	BODY_PUT,
	BODY_DELETE,
	BODY_EACH,
	BODY_FLAGGED,
	BODY_SORTED,
	BODY_BACK,
	BODY_OF,
	BODY_BLANK,
	BODY_ASIDE,
	BODY_DROP,
	BODY_PRUNE,
	BODY_OP_COUNT
};

/* clang-format off */
#define LOG_OPS(X, T, t) \
	X(T##_LAST, "SELECT id FROM " t " WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1") \
	X(T##_ADD, "INSERT INTO " t "(id, key, subject, kind, at, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6)") \
	X(T##_EACH, "SELECT id, key, kind, at, body, subject FROM " t " WHERE id BETWEEN ?1 AND ?2 ORDER BY id") \
	X(T##_FORGET, "DELETE FROM " t " WHERE id BETWEEN ?1 AND ?2 AND key = ?3") \
	X(T##_BLANK, "UPDATE " t " SET subject = NULL, body = NULL WHERE id BETWEEN ?1 AND ?2 AND key = ?3") \
	X(T##_SCAN, "SELECT id, at FROM " t " WHERE id > ?1 ORDER BY id LIMIT ?2") \
	X(T##_ASIDE, "INSERT INTO damaged(n, tab, id, body) SELECT ?1, '" t "', id, body FROM " t " WHERE id = ?2") \
	X(T##_DROP, "DELETE FROM " t " WHERE id = ?1") \
	X(T##_NEWEST, "SELECT id, key, at, body, subject FROM " t " WHERE id BETWEEN ?1 AND ?2 AND kind = ?3 ORDER BY id DESC") \
	X(T##_BLANK_OF, "UPDATE " t " SET subject = NULL, body = NULL WHERE subject = ?1")
/* clang-format on */
enum log_op {
	LOG_LAST,
	LOG_ADD,
	LOG_EACH,
	LOG_FORGET,
	LOG_BLANK,
	LOG_SCAN,
	LOG_ASIDE,
	LOG_DROP,
	LOG_NEWEST,
	LOG_BLANK_OF,
	LOG_OP_COUNT
};

/* clang-format off */
#define STORE_STATEMENTS(X) \
	X(BEGIN, "BEGIN IMMEDIATE") \
	X(COMMIT, "COMMIT") \
	X(ROLLBACK, "ROLLBACK") \
	X(PAGE_COUNT, "SELECT page_count FROM pragma_page_count") \
	X(PAGES, "SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count") \
	X(META_GET, "SELECT value, sum FROM meta WHERE name = ?1") \
	X(META_SET, "INSERT OR REPLACE INTO meta(name, value, sum) VALUES(?1, ?2, ?3)") \
	X(META_DROP, "DELETE FROM meta WHERE name = ?1") \
	X(META_WORDS, "SELECT name, substr(value, 1, 10) FROM meta WHERE name >= 'words/' AND name < 'words0'") \
	X(DECISION_OLDEST, "SELECT at FROM decision ORDER BY id LIMIT 1") \
	X(TURN_SET, "UPDATE turn SET n = ?2, body = ?3 WHERE slot = ?1") \
	X(TURN_PUT, "INSERT OR REPLACE INTO turn(slot, n, body) VALUES(?1, ?2, ?3)") \
	X(TURN_GET, "SELECT n, body FROM turn WHERE slot = ?1") \
	X(TURN_NUMBERS, "SELECT slot, n, length(body) FROM turn") \
	X(TURN_FORGET, "DELETE FROM turn") \
	X(TURN_DROP, "DELETE FROM turn WHERE slot = ?1") \
	X(TURN_ASIDE, "INSERT INTO damaged(n, tab, id, body) SELECT ?1, 'turn', slot, body FROM turn WHERE slot = ?2") \
	X(DAMAGED_NOTE, "INSERT INTO damaged(n, tab, id, body) VALUES(?1, '', ?2, x'')") \
	X(DAMAGED_FORGET, "UPDATE damaged SET body = x'' WHERE tab = 'turn' AND length(body) > 0") \
	X(DAMAGED_TRIM, "DELETE FROM damaged WHERE n <= ?1") \
	X(SEEN_ADD, "INSERT INTO seen(id, at, body) VALUES(?1, ?2, ?3)") \
	X(SEEN_GET, "SELECT body FROM seen WHERE id = ?1") \
	X(SEEN_SET, "UPDATE seen SET body = ?2 WHERE id = ?1") \
	X(SEEN_FROM, "SELECT id, body FROM seen WHERE id > ?1 ORDER BY id") \
	X(SEEN_FIRST, "SELECT id FROM seen ORDER BY id LIMIT 1") \
	X(SEEN_BYTES, "SELECT COALESCE(SUM(length(body)), 0) FROM seen") \
	X(SEEN_PRUNE, "DELETE FROM seen WHERE id IN (SELECT id FROM" \
	    " (SELECT id, at FROM seen ORDER BY id LIMIT ?2) WHERE at < ?1)") \
	X(REF_FIND, "SELECT id, value, at, sum FROM ref WHERE id BETWEEN ?1 AND ?1 + 1023 AND rest = ?2") \
	X(REF_TAKEN, "SELECT id, rest FROM ref WHERE id BETWEEN ?1 AND ?1 + 1023 ORDER BY id") \
	X(REF_ADD, "INSERT OR IGNORE INTO ref(id, rest, value, at, sum) VALUES(?1, ?2, ?3, ?4, ?5)") \
	X(REF_PUT, "INSERT OR REPLACE INTO ref(id, rest, value, at, sum) VALUES(?1, ?2, ?3, ?4, ?5)") \
	X(REF_SCAN, "SELECT id, at FROM ref WHERE id > ?1 ORDER BY id LIMIT ?2") \
	X(REF_DROP, "DELETE FROM ref WHERE id = ?1") \
	X(REF_EACH, "SELECT id, rest, value, at, sum FROM ref ORDER BY id") \
	X(TIMER_ADD, "INSERT OR IGNORE INTO timer(due, id, sum) VALUES(?1, ?2, ?3)") \
	X(TIMER_DELETE, "DELETE FROM timer WHERE due = ?1 AND id = ?2") \
	X(TIMER_DROP_FIRST, "DELETE FROM timer WHERE (due, id) IN (SELECT due, id FROM timer ORDER BY due, id LIMIT 1)") \
	X(TIMER_FIND, "SELECT 1 FROM timer WHERE due = ?1 AND id = ?2") \
	X(TIMER_NEXT, "SELECT due, id, sum FROM timer WHERE (due, id) > (?1, ?2) ORDER BY due, id") \
	X(OUTBOX_ADD, "INSERT OR REPLACE INTO outbox(id, topic, subject, retain, body) VALUES(?1, ?2, ?3, ?4, ?5)") \
	X(OUTBOX_DELETE, "DELETE FROM outbox WHERE id = ?1") \
	X(OUTBOX_EACH, "SELECT id, topic, subject, retain, body FROM outbox WHERE id > ?1 ORDER BY id") \
	X(OUTBOX_ASIDE, "INSERT INTO damaged(n, tab, id, body) SELECT ?1, 'outbox', id, body FROM outbox WHERE id = ?2") \
	X(OUTBOX_FORGET, "DELETE FROM outbox WHERE subject = ?1") \
	X(UPLINK_ADD, "INSERT OR REPLACE INTO uplink(id, type, at, subject, body) VALUES(?1, ?2, ?3, ?4, ?5)") \
	X(UPLINK_EACH, "SELECT id, type, at, subject, body FROM uplink WHERE id BETWEEN ?1 AND ?2 ORDER BY id") \
	X(UPLINK_DELETE, "DELETE FROM uplink WHERE id BETWEEN ?1 AND ?2") \
	X(UPLINK_FIRST, "SELECT id FROM uplink WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1") \
	X(UPLINK_OLDEST, "SELECT at FROM uplink WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1") \
	X(UPLINK_LAST, "SELECT id FROM uplink WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1") \
	X(UPLINK_ASIDE, "INSERT INTO damaged(n, tab, id, body) SELECT ?1, 'uplink', id, body FROM uplink WHERE id = ?2") \
	X(UPLINK_DROP, "DELETE FROM uplink WHERE id = ?1") \
	X(UPLINK_OF, "SELECT id, at FROM uplink WHERE subject = ?1") \
	X(WAITING_ADD, "INSERT INTO waiting(id, bytes, events, subject, body) VALUES(?1, ?2, ?3, ?4, ?5)") \
	X(WAITING_OLDEST, "SELECT id, bytes, events, subject, body FROM waiting WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1") \
	X(WAITING_NEWEST, "SELECT id, bytes, events, subject, body FROM waiting WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1") \
	X(WAITING_EACH, "SELECT id, bytes, events FROM waiting ORDER BY id") \
	X(WAITING_ASIDE, "INSERT INTO damaged(n, tab, id, body) SELECT ?1, 'waiting', id, body FROM waiting WHERE id = ?2") \
	X(WAITING_DROP, "DELETE FROM waiting WHERE id = ?1") \
	X(RECORDING_ADD, "INSERT INTO recording(id, at, subject, body) VALUES(?1, ?2, ?3, ?4)") \
	X(RECORDING_EACH, "SELECT id, at, subject, body FROM recording WHERE id >= ?1 ORDER BY id LIMIT ?2") \
	X(RECORDING_FROM, "SELECT id, at FROM recording WHERE id >= ?1 ORDER BY id LIMIT 1") \
	X(RECORDING_ENDS, "SELECT (SELECT MIN(id) FROM recording), (SELECT MAX(id) FROM recording)") \
	X(RECORDING_OLDEST, "SELECT at FROM recording WHERE at > 0 ORDER BY id LIMIT 1") \
	X(RECORDING_PRUNE, "DELETE FROM recording WHERE id IN (SELECT id FROM" \
	    " (SELECT id, at FROM recording ORDER BY id LIMIT ?2) WHERE id < ?1 OR at < ?3)") \
	X(RECORDING_FORGET, "UPDATE recording SET subject = NULL, body = NULL WHERE subject = ?1") \
	X(RECORDING_ASIDE, "INSERT INTO damaged(n, tab, id, body) SELECT ?1, 'recording', id, COALESCE(body, x'') FROM recording WHERE id = ?2") \
	X(RECORDING_DROP, "DELETE FROM recording WHERE id = ?1") \
	X(DEAD_ADD, "INSERT INTO dead(n, at, topic, reason, detail, subject, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)") \
	X(DEAD_OLDEST, "SELECT n, length(body) FROM dead ORDER BY n LIMIT 1") \
	X(DEAD_BYTES, "SELECT COUNT(*), COALESCE(SUM(length(body)), 0) FROM dead") \
	X(DEAD_ASIDE, "INSERT INTO damaged(n, tab, id, body) SELECT ?1, 'dead', n, body FROM dead WHERE n = ?2") \
	X(DEAD_DROP, "DELETE FROM dead WHERE n = ?1") \
	X(DEAD_FORGET, "DELETE FROM dead WHERE subject = ?1") \
	X(DEAD_PRUNE, "DELETE FROM dead WHERE n IN (SELECT n FROM dead WHERE at < ?1 ORDER BY n LIMIT ?2)") \
	X(DEAD_EACH, "SELECT n, at, topic, reason, detail, subject, body FROM dead ORDER BY n DESC LIMIT ?1")
/* clang-format on */

enum store_statement {
#define X(name, sql) ST_##name,
	STORE_STATEMENTS(X)
#define T(name, text) BODY_OPS(X, name, text)
	    BODY_TABLES(T)
#undef T
#define T(name, text) LOG_OPS(X, name, text)
		LOG_TABLES(T)
#undef T
#undef X
		    ST_COUNT
};
/* Of table n of its shape. */
#define ST_BODY(table, op) (ST_VISIT_FIND + (int)(table)*BODY_OP_COUNT + (op))
#define ST_LOG(log, op) (ST_LOG_SUBJECT_LAST + (int)(log)*LOG_OP_COUNT + (op))

#define STORE_TIMER_ID_SIZE 128
#define STORE_TIMER_KEY_SIZE (8 + STORE_TIMER_ID_SIZE)
#define STORE_TURNS_RING 320 /* rows of turns */
#define STORE_META_NAME_SIZE 64
#define STORE_SECTION_MAX (STORE_BODY_MAX + (64 << 10)) /* a body, and what a turn says beside it */
#define STORE_RECENT_BYTES (512 << 10)			/* more is folded */

/* An uplink row's id: its lane, then its sequence. */
#define STORE_LANE_ID(lane, seq) ((int64_t)(lane) << 48 | (seq))
#define STORE_LANE_SEQ(id) ((id) & ((INT64_C(1) << 48) - 1))

/* Known from the disk at open, kept in step by each write, put back by a rollback. */
struct store_counters {
	struct {
		int64_t first, next; /* rows first … next-1 wait; equal: none */
	} lanes[LANE_COUNT];
	int64_t outbox_next, outbox_lease;
	int64_t recording_first, recording_last, recording_next; /* 0: no row, not known */
	int64_t turn_floor, turn_next; /* rows of `turn` from floor on are not folded yet */
	int64_t log_next; /* the number of the next row of a log among what is recent */
	int64_t dead_last, dead_rows, dead_bytes;
	bool dead_known;	       /* dead_rows and dead_bytes were read from the disk */
	int64_t seen_first, seen_next; /* rows of names that were here; 0: none, not known */
	bool collided[STORE_COUNT +
	    1]; /* some key is, or was, not at its own id: id order is not key order */
};

#define STORE_WORDS_AT_HAND 3
struct pack_words;

struct store_sweep {
	int64_t cursor; /* where pruning goes on */
	int slower;	/* looks at a half, a quarter, … at once */
};

typedef int (*store_fold_fn)(struct store *store, const struct recent_row *row);

/* store_seen.c: which row a name may be in, and names on their way into one. */
struct seen_table {
	int64_t base, last; /* rows */
	uint32_t size, used;
	uint32_t *slots; /* 0: free */
};
struct store_seen {
	struct seen_table *tables;
	size_t count;
	uint64_t salt;
	struct buf batch;
	int64_t batch_ms; /* the newest of them */
};

struct store {
	sqlite3 *db;
	struct sealer sealer;
	bool sealed, memory, real_disk, is_new, in_tx;
	bool corrupt;	  /* a damaged page was met: the next open copies what can be read */
	bool epoch_begun; /* by this open */
	bool broken;	  /* a sync failed: nothing may be written until reopened */
	int tx_error;	  /* first failed write of this transaction; it can only roll back */
	int lock_fd;
	char *dir, *path;
	char epoch[17];
	int page_size;
	int64_t pages_max, pages_reserve; /* 0: no limit */
	int64_t recording_bytes;	  /* at most; 0: nothing is recorded */
	int64_t wal_pages;
	int64_t wal_reserve; /* bytes of WAL file kept ready */
	bool erased;	     /* somebody was forgotten since the last checkpoint */
	int64_t damaged;
	int wal_lost;	  /* transactions that were lost with the log, at open */
	int64_t scrubbed; /* pages of the file looked at in this round */
	struct store_counters now, saved;
	int64_t given[LANE_COUNT];	     /* highest sequence handed out by store_uplink_each */
	struct store_recent pending, recent; /* what this transaction wrote, and those before it */
	int64_t recent_max;		     /* bytes */
	bool floor_moved;		     /* by this transaction */
	bool lanes_known; /* the counters of the lanes are those of the newest row */
	struct buf turn_plain, turn_row;
	int32_t turn_room[STORE_TURNS_RING]; /* bytes of the row in each slot, as far as is known */
	struct store_seen seen;
	const store_fold_fn *folds;		     /* by enum recent_table */
	bool timer_known, timer_any, timer_in_table; /* the cached first timer */
	int64_t timer_due_ms;
	char timer_id[STORE_TIMER_ID_SIZE];
	int64_t timer_from_ms; /* in the table all before it, and itself, are gone */
	char timer_from[STORE_TIMER_ID_SIZE];
	uint8_t timer_gone[STORE_TIMER_KEY_SIZE]; /* among what is recent all before it are gone */
	size_t timer_gone_len;			  /* 0: not known */
	struct store_sweep sweep[STORE_LOG_COUNT + 1];		   /* of references last */
	struct buf packed_body, sealed_body;			   /* scratch of one put or get */
	struct pack_words *words[STORE_WORDS_AT_HAND], *words_now; /* NULL; now: of those at hand */
	size_t words_next;
	sqlite3_stmt *stmt[ST_COUNT];
};

/* The first timer is to be looked for again. */
static inline void
store_timer_doubt(struct store *store)
{
	store->timer_known = false;
	store->timer_from_ms = INT64_MIN;
	store->timer_from[0] = '\0';
	store->timer_gone_len = 0;
}

extern const char *const store_body_names[STORE_COUNT];
extern const char *const store_log_names[STORE_LOG_COUNT];

/* ---- store_row.c ---- */
/* The statement, reset, ready to bind; NULL: *ret_error is what to return. */
sqlite3_stmt *store_stmt(struct store *store, int statement, int *ret_error);
/* The transaction can only roll back from now on: what every write that fails returns. */
int store_doom(struct store *store, int error);
/* An SQLite result as one of ours; a failed write dooms the transaction. */
int store_error(struct store *store, int rc);
/* Steps a statement that returns no rows, and resets it. */
int store_run(struct store *store, sqlite3_stmt *stmt);
int store_dead_forget(struct store *store, const struct id *subject);
void store_bind_id(sqlite3_stmt *stmt, int column, const struct id *id); /* NULL or zero: NULL */
void store_bind_blob(sqlite3_stmt *stmt, int column, const void *bytes, size_t len);
struct id store_column_id(sqlite3_stmt *stmt, int column); /* zero unless 16 bytes */
int64_t store_slot(const struct id *key);		   /* the id a key would like */
int64_t store_rest(const struct id *key);		   /* the other 8 bytes */
struct id store_key(int64_t slot, int64_t rest);	   /* the key of both */
/* 64 bits over a table's name and a row's bytes: rows that are not sealed carry it. */
int64_t store_sum(const char *table, const void *bytes, size_t len);

void store_max_pages(struct store *store, bool reserve_too);
int64_t store_pages_used(struct store *store);
/* Nearly full: time to give up what may be given up. */
bool store_pressed(struct store *store);

/* ---- store_days.c ---- */
/* INT64_MAX: there is none in its table. */
int store_oldest_decision(struct store *store, int64_t *ret_ms);

/* ---- store_words.c ---- */
#define STORE_WORDS_COPIES 2
/* NULL: they are not there. */
const struct pack_words *store_words_find(struct store *store, uint32_t number);
struct pack_words *store_words_at_hand(const struct store *store, uint32_t number);
void store_words_take_up(struct store *store, struct pack_words *words);
struct pack_words *store_words_read(struct store *store, int copy, uint32_t number);
void store_words_name(int copy, uint32_t number, char out[static STORE_META_NAME_SIZE]);
void store_words_done(struct store *store);

/* ---- store_seal.c ---- */
/* The body as it goes on disk, borrowed until the next call. */
int store_seal(struct store *store, const char *table, const void *row_key, size_t row_key_len,
    const struct id *subject, const void *plain, size_t len, const void **ret_body,
    size_t *ret_len);
/* Appends the plain body of column. AISLE_E_NONE: its key is destroyed. */
int store_unseal(struct store *store, const char *table, const void *row_key, size_t row_key_len,
    const struct id *subject, sqlite3_stmt *stmt, int column, struct buf *out);
/* The same of bytes that are no column. */
int store_unseal_bytes(struct store *store, const char *table, const void *row_key,
    size_t row_key_len, const struct id *subject, const void *body, size_t len, struct buf *out);
/* Inside a transaction: counts a damaged row and moves it away: copy puts row id into `damaged` (ST_DAMAGED_NOTE: only that
 * there was one), drop deletes it by id (-1: the caller does). Not while a statement reads the table. */
void store_set_aside(struct store *store, const char *table, int64_t id, int copy, int drop);
/* Rows found damaged while reading, for when the statement is over. */
#define STORE_ASIDE_MAX 64 /* the next pass finds the rest */
struct store_aside {
	int64_t ids[STORE_ASIDE_MAX];
	size_t count;
};
void store_aside_note(struct store_aside *aside, int64_t id);
void store_aside_done(struct store *store, struct store_aside *aside, const char *table, int copy,
    int drop);

/* ---- store_tx.c ---- */
/* For who reads a queue: a transaction of its own around what is set aside, unless there is one. */
int store_aside_begin(struct store *store, bool *ret_own);
int store_aside_end(struct store *store, bool own);

/* ---- store_recent.c ---- */
/* Before a key is written: will it find a place in its table? AISLE_E_TOO_BIG: no, and the transaction is doomed. taken: the
 * statement that lists the ids and keys of a window, of whose keys the last 8 bytes are compared. */
int store_window(struct store *store, int table, int taken, bool collided, const struct id *key);

/* ---- store_turn.c ---- */
/* At open: rows that are not folded are recent again. *ret_lost: numbers of headquarters' records may be lost. */
int store_turn_load(struct store *store, int64_t floor, bool *ret_lost);
#define STORE_TURN_KEY_SIZE 28
#define STORE_TURN_HEAD 4 /* bytes of a row before its sections: how many bytes those are */
#define STORE_TURN_GONE 0x80
#define STORE_FLOOR_NAME "turn" /* in meta: as the newest row's floor, should that be damaged */
void store_turn_key(uint8_t out[static STORE_TURN_KEY_SIZE], int64_t n, uint32_t section,
    const struct id *subject);
/* Before a commit: folds what is due, and writes what is pending as a row. */
int store_turn_write(struct store *store);
/* A row goes into its table: one for each of enum recent_table, of its file. AISLE_E_NONE: the subject is forgotten. */
int store_fold_body(struct store *store, const struct recent_row *row);
int store_fold_log(struct store *store, const struct recent_row *row);
/* row NULL: there is no more of this fold; the names that it brought become a row. */
int store_fold_seen(struct store *store, const struct recent_row *row);
int store_fold_ref(struct store *store, const struct recent_row *row);
int store_fold_meta(struct store *store, const struct recent_row *row);
int store_fold_timer(struct store *store, const struct recent_row *row);
int store_fold_outbox(struct store *store, const struct recent_row *row);
int store_fold_uplink(struct store *store, const struct recent_row *row);
int store_fold_recording(struct store *store, const struct recent_row *row);
/* What no turn writes goes there at once. */
int store_meta_write(struct store *store, const char *name, const void *value, size_t len);
int store_timer_erase(struct store *store, int64_t due_ms, const char *id);

/* ---- store_meta.c ---- */
/* Of table STORE_COUNT: references. A key there takes another id than its own from now on. */
int store_note_collision(struct store *store, int table);
const char *store_collision_name(int table);
/* AISLE_E_CONFIG: somebody else's. *ret_told: both tags say what they should. */
int store_owner_check(struct store *store, const uint8_t *owner, bool *ret_told);
/* At once, not with a turn's row: of another gateway's none can be read. */
int store_owner_write(struct store *store, const uint8_t *owner);

/* ---- store_schema.c ---- */
int store_schema_open(struct store *store, const struct store_options *options, struct err *err);
/* empty tables, inside an open transaction; an SQLite result */
int store_schema_create(sqlite3 *db);
int store_read_number(struct store *store, const char *sql, int64_t *ret, struct err *err)
    AISLE_MUST_CHECK;

/* ---- store_counters.c ---- */

int store_epoch_begin(struct store *store, struct err *err) AISLE_MUST_CHECK;
/* 0: not known. */
int store_floor_load(struct store *store, int64_t *ret_floor) AISLE_MUST_CHECK;
/* First of all: what is found damaged counts on from there. */
int store_damaged_load(struct store *store, struct err *err) AISLE_MUST_CHECK;
/* lost: numbers may be, a new epoch begins. */
int store_counters_load(struct store *store, bool lost, struct err *err) AISLE_MUST_CHECK;
void store_counters_save(struct store *store); /* on a clean close: ids go on without a jump */

/* ---- store_wal.c ---- */
/* Bytes of SQLite's log: its head, and each page with a head of its own. */
#define STORE_WAL_HEAD 32
#define STORE_WAL_FRAME_HEAD 24
#define STORE_WAL_FRAME (STORE_WAL_FRAME_HEAD + STORE_PAGE_BYTES)
/* The number (from 0) of the frame whose page lies there; -1: none does. */
int64_t store_wal_frame(int64_t page_at);
/* Is a frame, its head and its page, what was written? before: the sum of what lies before it. */
bool store_wal_holds(const uint8_t before[static 8], const uint8_t *frame);

/* ---- store_salvage.c ---- */
void store_salvage_mark(const struct store *store);
/* Before the file is opened: if the last close left the mark, a copy takes its place. true: it did. */
bool store_salvage(struct store *store);

/* ---- store_body.c ---- */
/* Rows about subject lose their body and their subject. */
int store_blank(struct store *store, enum store_table table, const struct id *subject);

/* ---- store_log.c ---- */
/* rows stay, bodies go */
int store_log_blank(struct store *store, enum store_log log, const struct id *key);
/* As store_log_blank, of all rows about subject, whatever their key: a walk through the table. */
int store_log_blank_of(struct store *store, enum store_log log, const struct id *subject);

/* ---- store_queue.c ---- */
int64_t store_outbox_recent(struct store *store); /* the highest id that is not in its table yet */

/* ---- store_recording.c ---- */
int store_recording_load(struct store *store) AISLE_MUST_CHECK;		   /* its ends */
int store_recording_forget(struct store *store, const struct id *subject); /* a walk through it */

/* ---- store_uplink.c ---- */
int store_uplink_blank(struct store *store, const struct id *subject); /* its rows become gaps */

/* ---- store_seen.c ---- */
/* Reads which names are there; again after whatever changed the table by itself. */
int store_seen_load(struct store *store);
/* Rows of names removed, of the oldest, or < 0. */
int store_seen_prune(struct store *store, int64_t before_ms, int max_rows);
/* From rows by name, of the schema before, in the table seen_before. */
int store_seen_take_over(struct store *store);
/* Inside a transaction: all names read; those that are not what was written are counted and go. */
int store_seen_check(struct store *store);
/* How many names there are. */
int store_seen_count(struct store *store, int64_t *ret);
void store_seen_done(struct store *store);

/* ---- store_ref.c ---- */
/* Inside a transaction: all rows read; those that are not what was written are set aside, a bounded number of them. */
int store_ref_check(struct store *store);
/* The same of timers, which are gone then. */
int store_timer_check(struct store *store);

/* ---- store_sweep.c ---- */
/* Deletes up to max_rows rows older than before_ms among the next max_rows * scan_per_row ones, or fewer, from where it
 * stopped. Rows removed, or < 0. */
int store_sweep(struct store *store, int scan, int drop, struct store_sweep *sweep,
    int64_t before_ms, int max_rows, int scan_per_row);

#endif
