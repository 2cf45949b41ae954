/* SPDX-License-Identifier: Apache-2.0
 *
 * store_schema.c - the file itself: its folder, lock, tables and version.
 *
 * A file that SQLite cannot read at all is moved to state.db.damaged and a new
 * one is begun, with a new epoch, so that headquarters sees the break: a store
 * that does not sell because its memory is gone helps nobody. One with single
 * damaged pages is mended by store_salvage.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "store/ballast.h"
#include "store/store_internal.h"

#define RESERVE_BYTES (2 * STORE_RECENT_BYTES) /* of pages, for erasures, which fold first */
#define WAL_RESERVE_BYTES (4 << 20)

/* Strict: a flipped bit can make a text into bytes that read like it and are not found by it; no such row is copied out of a
 * damaged page. body last: the columns before it are read without its overflow pages. */
#define BODY_DDL(name, text) \
	"CREATE TABLE " text \
	"(id INTEGER PRIMARY KEY, key BLOB NOT NULL, subject BLOB, at INTEGER NOT NULL," \
	" flag INTEGER NOT NULL, body BLOB) STRICT;"
#define LOG_DDL(name, text) \
	"CREATE TABLE " text \
	"(id INTEGER PRIMARY KEY, key BLOB NOT NULL, subject BLOB, kind INTEGER NOT NULL," \
	" at INTEGER NOT NULL, body BLOB) STRICT;"
#define SEEN_DDL \
	"CREATE TABLE seen(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL) " \
	"STRICT;"
/* recording has none on subject either: see decision. */
#define RECORDING_DDL \
	"CREATE TABLE recording(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, subject BLOB, body " \
	"BLOB) STRICT;"
#define TURN_DDL \
	"CREATE TABLE turn(slot INTEGER PRIMARY KEY, n INTEGER NOT NULL, body BLOB NOT NULL) " \
	"STRICT;"
/* decision has no index on subject: it would be a page in every turn, for a walk
 * through the table on the rare day that somebody is forgotten. */
/* clang-format off */
static const char ddl[] =
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID, STRICT;"
	BODY_TABLES(BODY_DDL) LOG_TABLES(LOG_DDL) SEEN_DDL
	"CREATE TABLE ref(id INTEGER PRIMARY KEY, rest INTEGER NOT NULL, value BLOB NOT NULL,"
	" at INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT;"
	"CREATE INDEX visit_flag ON visit(flag) WHERE flag <> 0;"
	"CREATE INDEX visit_subject ON visit(subject) WHERE subject IS NOT NULL;"
	"CREATE TABLE timer(due INTEGER NOT NULL, id TEXT NOT NULL, sum INTEGER NOT NULL,"
	" PRIMARY KEY(due, id)) WITHOUT ROWID, STRICT;"
	TURN_DDL
	"CREATE TABLE outbox(id INTEGER PRIMARY KEY, topic TEXT NOT NULL, subject BLOB, retain INTEGER NOT NULL,"
	" body BLOB NOT NULL) STRICT;"
	"CREATE TABLE uplink(id INTEGER PRIMARY KEY, type TEXT NOT NULL, at INTEGER NOT NULL, subject BLOB,"
	" body BLOB NOT NULL) STRICT;"
	"CREATE TABLE waiting(id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, events INTEGER NOT NULL,"
	" subject BLOB, body BLOB NOT NULL) STRICT;"
	RECORDING_DDL
	"CREATE TABLE dead(n INTEGER PRIMARY KEY, at INTEGER NOT NULL, topic TEXT NOT NULL, reason TEXT NOT NULL,"
	" detail TEXT NOT NULL, subject BLOB, body BLOB NOT NULL) STRICT;"
	"CREATE TABLE damaged(n INTEGER PRIMARY KEY, tab TEXT NOT NULL, id INTEGER NOT NULL, body BLOB NOT NULL) STRICT;";
/* clang-format on */

/* ---- the folder ---- */

static int
take_lock(struct store *store, struct err *err)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/lock", store->dir);
	if (mkdir(store->dir, 0700) < 0 && errno != EEXIST)
		return err_set(err, AISLE_E_IO, "%s: cannot be made: %s", store->dir,
		    strerror(errno));
	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock_fd < 0)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(err, AISLE_E_IO, "%s: state folder is in use by another process",
		    store->dir);
	return err_set(err, AISLE_E_IO, "%s: cannot be locked: %s", path, strerror(errno));
}

/* SQLite would make it by the umask; its WAL takes the mode of the file. */
static int
make_private(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	close(fd);
	return 0;
}

static void
move_damaged(struct store *store)
{
	static const char *const suffixes[] = { "", "-wal", "-journal" };
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char from[4200], to[4200];
		snprintf(from, sizeof(from), "%s%s", store->path, suffixes[i]);
		snprintf(to, sizeof(to), "%s.damaged%s", store->path, suffixes[i]);
		unlink(to);
		if (rename(from, to) < 0 && errno != ENOENT)
			log_error("store: %s: %s", from, strerror(errno));
	}
	log_error("store: the file was damaged and is set aside file=%s.damaged", store->path);
}

/* ---- the tables ---- */

static int
run_sql(struct store *store, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		return 0;
	int error = store_error(store, rc);
	return err_set(err, error, "%s: %s", store->path, sqlite3_errmsg(store->db));
}

int
store_read_number(struct store *store, const char *sql, int64_t *ret, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	if (rc == SQLITE_ROW)
		return 0;
	int error = store_error(store, rc);
	return err_set(err, error, "%s: %s", store->path, sqlite3_errmsg(store->db));
}

int
store_schema_create(sqlite3 *db)
{
	char sql[128];
	snprintf(sql, sizeof(sql),
	    "PRAGMA page_size = %d; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
	    "PRAGMA user_version = %d; BEGIN",
	    STORE_PAGE_BYTES, STORE_SCHEMA);
	int rc = store_vfs_reserve(db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? sqlite3_exec(db, ddl, NULL, NULL, NULL) : rc;
}

static int
create_tables(struct store *store, struct err *err)
{
	char sql[64];
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", STORE_SCHEMA);
	int error = run_sql(store, "BEGIN", err);
	if (error == 0)
		error = run_sql(store, ddl, err);
	if (error == 0)
		error = store_epoch_begin(store, err);
	if (error == 0)
		error = run_sql(store, sql, err);
	if (error == 0)
		error = run_sql(store, "COMMIT", err);
	store->is_new = error == 0;
	return error;
}

static int
take_over_once(struct store *store, struct err *err)
{
	char sql[64];
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", STORE_SCHEMA);
	int error = run_sql(store, "BEGIN IMMEDIATE", err);
	if (error != 0)
		return error;
	/* A floor would say that rows were lost. */
	error = run_sql(store,
	    RECORDING_DDL TURN_DDL "DELETE FROM meta WHERE name = '" STORE_FLOOR_NAME
				   "'; ALTER TABLE seen RENAME TO seen_before;" SEEN_DDL,
	    err);
	if (error == 0 && (error = store_seen_take_over(store)) != 0)
		err_set(err, error, "%s: %s", store->path, sqlite3_errmsg(store->db));
	if (error == 0)
		error = run_sql(store, "DROP TABLE seen_before", err);
	if (error == 0)
		error = run_sql(store, sql, err);
	if (error == 0)
		error = run_sql(store, "COMMIT", err);
	if (error != 0)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return error;
}

/* From the schema before, in one transaction: a kill leaves the one or the other. */
static int
take_over(struct store *store, struct err *err)
{
	int error = take_over_once(store, err);
	if (error == AISLE_E_FULL && store->real_disk) {
		ballast_release(store->dir);
		*err = (struct err){ 0 };
		error = take_over_once(store, err);
	}
	if (error == 0)
		log_info("store: the state of an older aisled is taken over schema=%d",
		    STORE_SCHEMA);
	return error;
}

/* Other state is refused before anything is written: WAL mode alone would change the file. */
static int
check_version(struct store *store, int64_t *ret_version, struct err *err)
{
	int error = store_read_number(store, "PRAGMA user_version", ret_version, err);
	if (error != 0)
		return error;
	if (*ret_version == 0 || *ret_version == STORE_SCHEMA ||
	    *ret_version == STORE_SCHEMA_BEFORE)
		return 0;
	return err_set(err, AISLE_E_REFUSED,
	    "%s: made by %s aisled (schema %lld, this one knows %d); unchanged", store->path,
	    *ret_version > STORE_SCHEMA ? "a newer" : "an older", (long long)*ret_version,
	    STORE_SCHEMA);
}

static int
set_pragmas(struct store *store, bool fresh, struct err *err)
{
	char sql[400];
	if (store->memory)
		return run_sql(store,
		    "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = "
		    "MEMORY",
		    err);
	/* The log stays, empty, when it is closed: on a file system without a free inode no start could make one. */
	sqlite3_file_control(store->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &(int){ 1 });
	if (fresh && store_vfs_reserve(store->db) != SQLITE_OK)
		return err_set(err, AISLE_E_IO, "%s: %s", store->path, sqlite3_errmsg(store->db));
	snprintf(sql, sizeof(sql), "PRAGMA page_size = %d", STORE_PAGE_BYTES);
	int error = fresh ? run_sql(store, sql, err) : 0;
	if (error != 0)
		return error;
	return run_sql(store,
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
	    "PRAGMA journal_size_limit = 8388608; PRAGMA foreign_keys = OFF; PRAGMA trusted_schema "
	    "= OFF;"
	    "PRAGMA cell_size_check = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY",
	    err);
}

static int
on_commit(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct store *store = ctx;
	(void)db, (void)name;
	store->wal_pages = pages;
	return SQLITE_OK;
}

static int
open_database(struct store *store, const struct store_options *options, struct err *err)
{
	int rc = sqlite3_open_v2(store->path, &store->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	    store_vfs(options->vfs));
	if (rc != SQLITE_OK)
		return err_set(err, store_error(store, rc), "%s: %s", store->path,
		    sqlite3_errmsg(store->db));
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, STORE_SECTION_MAX + (64 << 10));
	/* No shared memory: one process, one connection, for life. */
	int error = run_sql(store, "PRAGMA locking_mode = EXCLUSIVE", err);
	int64_t version = 0, page_size = 0;
	if (error == 0)
		error = check_version(store, &version, err);
	if (error == 0)
		error = set_pragmas(store, version == 0, err);
	/* After wal_autocheckpoint, which has this place for itself. */
	if (!store->memory)
		sqlite3_wal_hook(store->db, on_commit, store);
	if (error == 0 && version == 0)
		error = create_tables(store, err);
	if (error == 0 && version == STORE_SCHEMA_BEFORE)
		error = take_over(store, err);
	if (error == 0)
		error = store_read_number(store, "PRAGMA page_size", &page_size, err);
	store->page_size = (int)page_size;
	return error;
}

/* ---- open ---- */

static void
set_room(struct store *store, int max_mib)
{
	store->wal_reserve = WAL_RESERVE_BYTES;
	if (max_mib <= 0 || store->memory)
		return;
	if (store->wal_reserve > ((int64_t)max_mib << 20) / 32)
		store->wal_reserve = ((int64_t)max_mib << 20) / 32;
	/* A sixteenth is for the WAL, a little more for erasures when the rest is used. */
	int64_t bytes = ((int64_t)max_mib << 20) / 16 * 15;
	int64_t reserve = bytes / 16 < RESERVE_BYTES ? bytes / 16 : RESERVE_BYTES;
	store->pages_reserve = reserve / store->page_size;
	store->pages_max = (bytes - reserve) / store->page_size;
	if (store->recent_max > reserve / 2)
		store->recent_max = reserve / 2;
	store_max_pages(store, false);
}

/* What a power cut left half of a transaction goes before anything is written: behind the first commit that a second cut
 * tears it would look like one that was there. Best effort. */
static void
cut_off_log(struct store *store)
{
	int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (rc != SQLITE_OK)
		log_warning("store: what a power cut left in the log stays there code=%d", rc);
}

static int
load(struct store *store, const uint8_t *owner, struct err *err)
{
	bool lost = store->wal_lost > 0, told = true;
	int error = store_damaged_load(store, err);
	if (error == 0 && owner != NULL)
		error = store_owner_check(store, owner, &told);
	int64_t floor = 0, damaged = store->damaged;
	if (error == 0)
		error = store_floor_load(store, &floor);
	if (error == 0)
		error = store_seen_load(store);
	if (error == 0)
		error = store_turn_load(store, floor, &lost);
	if (error == 0)
		error = store_counters_load(store, lost, err);
	/* What could be read of a row that was set aside lies nowhere else. */
	if (error == 0 && store->damaged > damaged)
		error = store_settle(store);
	if (error == 0 && !told)
		error = store_owner_write(store, owner);
	return error;
}

static int
open_and_load(struct store *store, const struct store_options *options, struct err *err)
{
	int error = open_database(store, options, err);
	if (error == 0 && store->wal_lost == 1)
		cut_off_log(store);
	if (error == 0)
		error = store_begin(store);
	if (error != 0)
		return error;
	/* Inside a transaction: what is damaged is set aside. */
	error = load(store, options->owner, err);
	if (error == 0)
		error = store_commit(store);
	if (error != 0)
		store_rollback(store);
	return error;
}

static void
close_database(struct store *store)
{
	for (int i = 0; i < ST_COUNT; i++) {
		sqlite3_finalize(store->stmt[i]);
		store->stmt[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
}

/* After what was there could not be read and something else is in its place. */
static int
open_again(struct store *store, const struct store_options *options, struct err *err)
{
	store->now = (struct store_counters){ 0 };
	store_recent_done(store);
	store->broken = store->corrupt = false;
	store->wal_pages = 0;
	*err = (struct err){ 0 };
	int error = make_private(store->path, err);
	return error == 0 ? open_and_load(store, options, err) : error;
}

/* That there was damage is not forgotten with the next start, nor told again: what stands behind the damage in the
 * log is of no use to anybody. Best effort: on a full disk it is said once more. */
static void
note_loss(struct store *store)
{
	int error = 0;
	store->damaged += store->wal_lost > 1;
	sqlite3_stmt *stmt = store->damaged > 0 ? store_stmt(store, ST_DAMAGED_NOTE, &error) : NULL;
	if (stmt != NULL) {
		sqlite3_bind_int64(stmt, 1, store->damaged);
		sqlite3_bind_int64(stmt, 2, 0);
		error = store_run(store, stmt);
	}
	int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (rc == SQLITE_OK)
		store->wal_pages = 0;
	if (error != 0 || rc != SQLITE_OK)
		log_warning("store: damage is not on record code=%d", rc);
}

/* Before anybody opens the file, which takes the log in. */
static void
look_at_log(struct store *store)
{
	char path[4200];
	snprintf(path, sizeof(path), "%s-wal", store->path);
	store->wal_lost = store->real_disk ? store_wal_lost(path, &store->wal_pages) : 0;
	if (store->wal_lost > 1)
		log_error("store: the log is damaged; what was committed behind the damage is lost "
			  "transactions=%d",
		    store->wal_lost);
}

/* That there was a state here stands in the lock: a file that is empty now was not always. */
static bool
was_emptied(const struct store *store)
{
	struct stat lock, state;
	return store->real_disk && fstat(store->lock_fd, &lock) == 0 && lock.st_size > 0 &&
	    stat(store->path, &state) == 0 && state.st_size == 0;
}

static void
note_begun(const struct store *store)
{
	struct stat lock;
	if (store->real_disk && fstat(store->lock_fd, &lock) == 0 && lock.st_size == 0 &&
	    write(store->lock_fd, store->epoch, 16) != 16)
		log_debug("store: the lock does not say that there is a state");
}

static void
tell_foreign(int64_t before)
{
	if (store_vfs_foreign() > before)
		log_warning("store: another program, a sqlite3 perhaps, wrote into the file; its "
			    "pages are taken as they are pages=%lld",
		    (long long)(store_vfs_foreign() - before));
}

int
store_schema_open(struct store *store, const struct store_options *options, struct err *err)
{
	char path[4096] = ":memory:";
	int error = 0;
	if (!store->memory) {
		snprintf(path, sizeof(path), "%s/state.db", options->dir);
		store->dir = mem_strdup(options->dir);
	}
	store->path = mem_strdup(path);
	bool emptied = false;
	int64_t foreign = store_vfs_foreign();
	if (store->real_disk) {
		error = take_lock(store, err);
		if (error == 0)
			error = store_refuse_other(store->dir, err);
		emptied = error == 0 && was_emptied(store);
		if (error == 0)
			error = make_private(path, err);
	}
	if (error != 0)
		return error;
	struct err first = { 0 };
	bool moved = false;
	look_at_log(store);
	bool salvaged = store->real_disk && store_salvage(store);
	if (salvaged)
		store->wal_pages = 0;
	error = open_and_load(store, options, &first);
	if (store->corrupt && store->real_disk && !salvaged) {
		close_database(store);
		store_salvage_mark(store);
		if (store_salvage(store) || error == 0)
			error = open_again(store, options, &first);
	}
	if (error != 0 && store->corrupt && store->real_disk) {
		close_database(store);
		move_damaged(store);
		moved = true;
		error = open_again(store, options, &first);
	}
	if (error != 0)
		return err_set(err, error, "%s", first.text);
	if (emptied) {
		log_error("store: the file was emptied; what it held is lost, a new one is begun "
			  "file=%s",
		    store->path);
		store->damaged++;
	}
	if (moved || emptied || store->wal_lost > 0)
		note_loss(store);
	note_begun(store);
	tell_foreign(foreign);
	/* Room for the WAL is made by the first checkpoint: it is a thousand writes, and a start should be short. */
	set_room(store, options->max_mib);
	if (store->real_disk)
		ballast_make(store->dir);
	return 0;
}
