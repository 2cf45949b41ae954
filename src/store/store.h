/* SPDX-License-Identifier: Apache-2.0
 *
 * store.h - state.db: everything the store learned, one SQLite file, one
 * connection for the life of the process, WAL, synchronous=FULL.
 *
 * DESIGN
 *   Few generic tables of sealed bodies instead of many columns: what a row
 *   means is the business of the stage that encodes it, and a row that cannot
 *   be read in clear needs no columns. All bodies go through a sealer (the
 *   vault over keys.db); replay uses none. The disk is SQLite's VFS: a
 *   simulated disk is another vfs name.
 *
 * Every function that can fail returns 0 or AISLE_E_IO, AISLE_E_FULL (disk or
 * max_mib), AISLE_E_TOO_BIG (a body over 8 MiB, no id left beside its
 * neighbours), AISLE_E_NONE, AISLE_E_DAMAGED: a row does not open, and is to be
 * treated as absent. Inside a transaction it is set aside into the table
 * `damaged` and counted; outside of one reading changes nothing. A page that
 * cannot be read is AISLE_E_IO, and store_suspect() from then on.
 * A failed write dooms its transaction, whatever it failed of: every later call returns the same
 * error and store_commit cannot succeed; roll back. After AISLE_E_IO close and
 * open again. AISLE_E_NONE from a put or add: the subject is forgotten, nothing
 * was written, and the transaction is not doomed. fn of an each-function may
 * not write to the table that is read, nor read it by another each.
 */
#ifndef AISLE_STORE_STORE_H
#define AISLE_STORE_STORE_H

#include "aisle/base.h"
#include "aisle/lane.h"
#include "core/buf.h"

struct store;

/* How bodies are sealed; implemented by profile/sealer.c over vault and keys, NULL ops in replay. */
struct sealer {
	/* Appends to out. subject NULL: a row about no subject. */
	int (*seal)(void *ctx, const char *table, const void *row_key, size_t row_key_len,
	    const struct id *subject, const void *plain, size_t len, struct buf *out);
	int (*open)(void *ctx, const char *table, const void *row_key, size_t row_key_len,
	    const struct id *subject, const void *sealed, size_t len, struct buf *out);
	/* Is there a key, or can one be made? AISLE_E_NONE: the subject is forgotten (or, without make, nobody's). */
	int (*ready)(void *ctx, const struct id *subject, bool make);
	int (*commit)(void *ctx); /* new keys durable, before the rows that need them */
	void *ctx;
};

#define STORE_BODY_MAX (8u << 20) /* bytes of a row's body; more are AISLE_E_TOO_BIG */
#define STORE_SCHEMA \
	5 /* user_version; the one before is taken over, another one refused unharmed */
#define STORE_SCHEMA_BEFORE 4 /* without a recording, and with a row in each table in each turn */
/* AISLE_E_REFUSED: the state in dir is of a schema that is neither. Nothing is opened or changed, damaged or not. */
int store_refuse_other(const char *dir, struct err *err) AISLE_MUST_CHECK;
#define STORE_OWNER_SIZE 16
struct store_options {
	const char *dir;	     /* dir/state.db; NULL: in memory */
	const char *vfs;	     /* NULL: default */
	int max_mib;		     /* 0: no limit */
	int recording_mib;	     /* 0: nothing is recorded; at most a quarter of max_mib */
	const struct sealer *sealer; /* NULL: bodies are stored as they are */
	const uint8_t *owner; /* STORE_OWNER_SIZE bytes: whose it is; NULL: that is not asked */
};
/* AISLE_E_CONFIG: somebody else's, unchanged: its records would bear numbers that headquarters knows of another store, and
 * of its customers nobody here could be read. One that does not say whose it is becomes its opener's.
 * AISLE_E_IO: "state folder is in use" among others; AISLE_E_REFUSED: newer state. A file that cannot be
 * read is moved to state.db.damaged and a new one begun; one with damaged pages is copied as far as it goes. */
int store_open(const struct store_options *options, struct store **ret_store, struct err *err)
    AISLE_MUST_CHECK;
void store_close(struct store *store);
int store_begin(struct store *store) AISLE_MUST_CHECK;
int store_commit(struct store *store) AISLE_MUST_CHECK; /* seals keys first, then durable */
void store_rollback(struct store *store);
bool store_is_new(const struct store *store); /* created by this open */
/* 16 hex digits, random at creation */
void store_epoch(const struct store *store, char out[static 17]);
int store_new_epoch(struct store *store)
    AISLE_MUST_CHECK; /* in a transaction: this state is a copy of another */
/* Is a checkpoint due of a store at which nothing happened for so long? Each writes again, a block for every page, what
 * the log has by then: so it has more than one turn, or waits for a quiet half minute; somebody who is forgotten does not wait. */
bool store_checkpoint_due(const struct store *store, int64_t idle_ms);
void store_checkpoint(struct store *store); /* when idle; passive unless the WAL is over 8 MiB */
/* When idle: looks at the next pages of the file, round and round: store_suspect() says what it found. */
void store_scrub(struct store *store, int max_pages);
int64_t store_wal_bytes(const struct store *store);
/* Days of decisions that fit into the state at the pace of those that are kept, beside all else that is; < 0: not known
 * yet, not a day of them is there, or the state has no bound. */
double store_days_fit(struct store *store, int64_t now_ms);
/* A damaged page was met: close and open again, which copies what can be read. */
bool store_suspect(const struct store *store);
int64_t store_damaged(const struct store *store); /* rows set aside and pages met so far */
/* So much was met elsewhere, in the keys. Not in a transaction. */
void store_note_damage(struct store *store, int64_t count);

/* meta: small named values, not sealed (sequence numbers, floors, current bundle). */
int store_meta_get(struct store *store, const char *name, struct buf *out)
    AISLE_MUST_CHECK; /* AISLE_E_NONE */
int store_meta_set(struct store *store, const char *name, const void *value, size_t len)
    AISLE_MUST_CHECK;

/* What the decisions to come have in common, the policy's names and rules: what holds their records is packed with it. Nobody
 * may be named in it. Between two transactions, again after each open; without it, or without room, they take more room. */
#define STORE_WORDS_MAX (64u << 10)
void store_words(struct store *store, int64_t now_ms, const void *text, size_t len);

/* Bodies by id. flag 0 is a row at rest: only those are pruned. Any other flag is cheap to find by store_each. */
enum store_table {
	STORE_VISIT,
	STORE_SUBJECT,
	STORE_DECISION,
	STORE_TABLET,
	STORE_RETURN,
	STORE_COUNT
};
int store_put(struct store *store, enum store_table table, const struct id *key,
    const struct id *subject, int64_t at_ms, int flag, const void *body, size_t len)
    AISLE_MUST_CHECK;
/* Appends the body to out. ret_subject (may be NULL) is zero for none. */
int store_get(struct store *store, enum store_table table, const struct id *key, struct buf *out,
    struct id *ret_subject) AISLE_MUST_CHECK;
int store_delete(struct store *store, enum store_table table, const struct id *key)
    AISLE_MUST_CHECK;
/* Rows with this flag (-1: all), ascending by key. fn returns non-zero to stop. Rows that do not open are passed over. */
typedef int (*store_row_fn)(void *ctx, const struct id *key, const struct id *subject,
    int64_t at_ms, const void *body, size_t len);
int store_each(struct store *store, enum store_table table, int flag, store_row_fn fn, void *ctx)
    AISLE_MUST_CHECK;

/* The newest rows, whatever their flag, descending by the time of their keys: at most max, from *cursor on, which is
 * INT64_MAX at first and is moved. How many were looked at: 0: there are no more; < 0: an error. Not of subjects. */
int store_back(struct store *store, enum store_table table, int64_t *cursor, int max,
    store_row_fn fn, void *ctx) AISLE_MUST_CHECK;

/* Log of a subject (or of an outcome's decision): rows appended, read in order. Each row is sealed for the subject
 * that it was added for and read by that; rows of a subject's log are the subject's. */
enum store_log { STORE_LOG_SUBJECT, STORE_LOG_OUTCOME, STORE_LOG_COUNT };
/* Rows that do not open are passed over. */
typedef int (*store_log_fn)(void *ctx, int64_t n, int kind, int64_t at_ms, const void *body,
    size_t len);
int store_log_add(struct store *store, enum store_log log, const struct id *key,
    const struct id *subject, int kind, int64_t at_ms, const void *body, size_t len)
    AISLE_MUST_CHECK;
int store_log_each(struct store *store, enum store_log log, const struct id *key, store_log_fn fn,
    void *ctx) AISLE_MUST_CHECK;
/* Deletes the newest row of this kind whose body begins with these bytes. AISLE_E_NONE: there is none. */
int store_log_drop(struct store *store, enum store_log log, const struct id *key, int kind,
    const void *begin, size_t len) AISLE_MUST_CHECK;
/* All rows of a key. */
int store_log_forget(struct store *store, enum store_log log, const struct id *key)
    AISLE_MUST_CHECK;
/* Looks at a bounded number of rows from where the last call stopped; 0 or an error. */
int store_log_prune(struct store *store, enum store_log log, int64_t before_ms, int max_rows)
    AISLE_MUST_CHECK;

/* seen: events by hash of source and id, for 72 h and more. */
int store_seen_get(struct store *store, const struct id *name, struct id *ret_digest,
    int64_t *ret_now_ms) AISLE_MUST_CHECK;
int store_seen_put(struct store *store, const struct id *name, const struct id *digest,
    int64_t now_ms) AISLE_MUST_CHECK;

/* ref: a name (prompt, token, basket) to the visit that it belongs to. */
int store_ref_put(struct store *store, const struct id *name, const struct id *visit, int64_t at_ms)
    AISLE_MUST_CHECK;
int store_ref_get(struct store *store, const struct id *name, struct id *ret_visit)
    AISLE_MUST_CHECK;

/* timer: (due, id) unique, in that order. id: "KIND/OBJECT-ID/DUE-MS". */
int store_timer_add(struct store *store, int64_t due_ms, const char *id) AISLE_MUST_CHECK;
int store_timer_delete(struct store *store, int64_t due_ms, const char *id) AISLE_MUST_CHECK;
/* The first one; AISLE_E_NONE when there is none. Cached: cheap to ask before each input. AISLE_E_DAMAGED, only
 * outside of a transaction: the first one is damaged, and goes when it is asked for inside of one. */
int store_timer_first(struct store *store, int64_t *ret_due_ms, char ret_id[static 128])
    AISLE_MUST_CHECK;

/* outbox: what must arrive at a local receiver, until its acknowledgement. Ids rise for ever. */
int store_outbox_add(struct store *store, const char *topic, const struct id *subject, bool retain,
    const void *payload, size_t len, int64_t *ret_id) AISLE_MUST_CHECK;
int store_outbox_delete(struct store *store, int64_t id) AISLE_MUST_CHECK;
/* Who reads a queue sends it, and nobody else looks at it: its damaged rows are set aside in any case. */
typedef int (*store_outbox_fn)(void *ctx, int64_t id, const char *topic, bool retain,
    const void *payload, size_t len);
int store_outbox_each(struct store *store, int64_t after_id, store_outbox_fn fn, void *ctx)
    AISLE_MUST_CHECK;
int64_t store_outbox_last(const struct store *store); /* highest id ever given */

/* uplink: records for HQ by lane, sequences from 1 without gaps, until HQ acknowledges. */
int store_uplink_add(struct store *store, enum lane lane, const char *type, int64_t at_ms,
    const struct id *subject, const void *body, size_t len) AISLE_MUST_CHECK;
typedef int (*store_uplink_fn)(void *ctx, int64_t seq, const char *type, int64_t at_ms,
    const void *body, size_t len);
/* Rows with seq > after. A row that does not open (forgotten subject) is given as type "gap" with body
 * {"lane","from","to"}. So are rows given up for want of room: one gap stands at seq = to and covers from … to,
 * the only case where sequences jump. */
int store_uplink_each(struct store *store, enum lane lane, int64_t after, int max_rows,
    store_uplink_fn fn, void *ctx) AISLE_MUST_CHECK;
int store_uplink_ack(struct store *store, enum lane lane, int64_t upto)
    AISLE_MUST_CHECK; /* beyond what was given out: AISLE_E_REFUSED, nothing changes */
int64_t store_uplink_count(const struct store *store); /* rows waiting, all lanes; kept in memory */
/* Each row of a type that waits in the lane: fn appends another body to out and says true, or false:
 * it stays. Its subject, which a row that is changed must not have, is none. */
typedef bool (*store_rewrite_fn)(void *ctx, const char *body, size_t len, struct buf *out);
int store_uplink_rewrite(struct store *store, enum lane lane, const char *type, store_rewrite_fn fn,
    void *ctx) AISLE_MUST_CHECK;

/* waiting: events that wait for their turn, several a row. id: their queue in the bits from 40 on, their number in it
 * below. Read by whoever takes them: one that does not open is counted, and the caller drops it like the others. An id
 * may be damaged, too: what is between two of them is asked for, and not tried. */
int store_waiting_add(struct store *store, int64_t id, const struct id *subject, int64_t events,
    const void *body, size_t len) AISLE_MUST_CHECK;
/* Of the rows from first to last, both counted, the oldest or the newest; appends to out. AISLE_E_NONE: there is none
 * (id 0), or who it is about is forgotten. Its id and what it holds are told also of one that does not open. */
struct store_waiting {
	int64_t id, bytes, events;
};
int store_waiting_get(struct store *store, int64_t first, int64_t last, bool newest,
    struct store_waiting *ret_row, struct buf *out) AISLE_MUST_CHECK;
int store_waiting_drop(struct store *store, int64_t id) AISLE_MUST_CHECK;
typedef void (*store_waiting_fn)(void *ctx, int64_t id, int64_t bytes, int64_t events);
/* By id; bytes of the body. What no row can be is set aside. */
int store_waiting_each(struct store *store, store_waiting_fn fn, void *ctx) AISLE_MUST_CHECK;

/* recording (store_recording.c): what the turns were told, in its order; the newest recording_mib of it. Each row is
 * sealed for its subject: of one who is forgotten its place remains. Where nothing is recorded, nothing is done. */
int store_recording_add(struct store *store, int64_t at_ms, const struct id *subject,
    const void *body, size_t len) AISLE_MUST_CHECK;
/* n: its number, which rises. subject: zero for none. body NULL: it does not open, or who it was about is forgotten. */
typedef int (*store_recording_fn)(void *ctx, int64_t n, const struct id *subject, int64_t at_ms,
    const void *body, size_t len);
/* At most max_rows behind number after, of a time from from_ms to to_ms; fn returns non-zero to stop. */
int store_recording_each(struct store *store, int64_t after, int64_t from_ms, int64_t to_ms,
    int max_rows, store_recording_fn fn, void *ctx) AISLE_MUST_CHECK;
/* The number of the oldest and of the newest row; 0: there is none. */
int64_t store_recording_first(const struct store *store);
int64_t store_recording_last(const struct store *store);
int64_t store_recording_next(const struct store *store); /* of the row that comes next */
/* Of what is too much, or of before that time, or with little room left of all but the newest, at most so many rows,
 * oldest first: how many went, or an error. */
int store_recording_prune(struct store *store, int64_t before_ms, int max_rows);

/* dead letters: newest 10,000. subject: who it is about, whose key then seals the payload; NULL: nobody that
 * is known, the data key does. */
int store_dead_add(struct store *store, int64_t at_ms, const char *topic, const char *reason,
    const char *detail, const struct id *subject, const void *payload, size_t len) AISLE_MUST_CHECK;
typedef int (*store_dead_fn)(void *ctx, int64_t n, int64_t at_ms, const char *topic,
    const char *reason, const char *detail, const void *payload, size_t len);
int store_dead_each(struct store *store, int max_rows, store_dead_fn fn, void *ctx)
    AISLE_MUST_CHECK; /* newest first */
int store_dead_drop(struct store *store, int64_t n) AISLE_MUST_CHECK;
/* Those of before, oldest first, at most so many: how many went, or an error. */
int store_dead_prune(struct store *store, int64_t before_ms, int max_rows) AISLE_MUST_CHECK;

/* What is written next may use the room that is kept for erasures. */
void store_open_reserve(struct store *store);
/* All that is recent or pending goes into its tables; in a transaction of its own unless there is one. Before whatever
 * works on the tables themselves. */
int store_settle(struct store *store) AISLE_MUST_CHECK;
/* Everything about a subject: rows of visits and decisions lose their body, the log and header go. Counts stay. */
int store_forget(struct store *store, const struct id *subject) AISLE_MUST_CHECK;
/* Bounded: at most max_rows rows that are past their retention (seen, closed visits, decisions, refs). Returns rows removed or < 0.
 * seen and refs are walked through in slices: 0 does not mean that none is left. */
int store_prune(struct store *store, int64_t now_ms, int64_t seen_ms, int64_t visit_ms,
    int64_t decision_ms, int max_rows);

#endif
