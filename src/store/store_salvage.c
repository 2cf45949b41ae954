/* SPDX-License-Identifier: Apache-2.0
 *
 * store_salvage.c - a file with a damaged page, copied row by row into a whole one.
 *
 * DESIGN
 *   SQLite goes on beside a damaged page, but every turn that meets it fails,
 *   and the broker would deliver the same event for ever. So a store that met
 *   one leaves a mark when it is closed, and the next open copies each table
 *   from its front up to the damage and from its back down to it.
 *
 *   The copy becomes the state in two steps that can be repeated: it is
 *   complete as state.db.salvaged; then the old log is removed and the copy
 *   renamed. A power cut between them finds state.db.salvaged and goes on.
 *
 *   The copy has a new epoch: the last uplink numbers may be among what was
 *   lost, and must not be used twice. The mark says how much damage was
 *   counted until then, and the copy goes on counting from there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/log.h"
#include "store/ballast.h"
#include "store/store_internal.h"

#define COLUMNS_MAX 8

struct table {
	const char *name, *forth, *back;
};

/* clang-format off */
static const struct table tables[] = {
#define T(constant, text) {text, "id", "id DESC"},
	BODY_TABLES(T) LOG_TABLES(T)
#undef T
	{"meta", "name", "name DESC"},
	{"seen", "id", "id DESC"},
	{"ref", "id", "id DESC"},
	{"timer", "due, id", "due DESC, id DESC"},
	{"turn", "slot", "slot DESC"},
	{"outbox", "id", "id DESC"},
	{"uplink", "id", "id DESC"},
	{"waiting", "id", "id DESC"},
	{"recording", "id", "id DESC"},
	{"dead", "n", "n DESC"},
	{"damaged", "n", "n DESC"},
};
/* clang-format on */

static void
file_name(const struct store *store, const char *suffix, char path[static 4200])
{
	snprintf(path, 4200, "%s%s", store->path, suffix);
}

/* Rows in this order until the end or the damage. *ret_whole: it was the end. */
static int
copy_until(sqlite3 *from, sqlite3 *to, const char *name, const char *order, int64_t *rows,
    bool *ret_whole)
{
	sqlite3_stmt *read = NULL, *write = NULL;
	char sql[256];
	*ret_whole = false;
	snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY %s", name, order);
	/* A table that cannot be read at all is an empty one. */
	if (sqlite3_prepare_v2(from, sql, -1, &read, NULL) != SQLITE_OK)
		return SQLITE_OK;
	int columns = sqlite3_column_count(read), rc;
	size_t len = (size_t)snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s VALUES(?", name);
	for (int i = 1; i < columns && i < COLUMNS_MAX; i++)
		len += (size_t)snprintf(sql + len, sizeof(sql) - len, ", ?");
	snprintf(sql + len, sizeof(sql) - len, ")");
	int written = sqlite3_prepare_v2(to, sql, -1, &write, NULL);
	rc = SQLITE_OK;
	while (written == SQLITE_OK && (rc = sqlite3_step(read)) == SQLITE_ROW) {
		for (int i = 0; i < columns; i++)
			sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
		written = sqlite3_step(write) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(to);
		*rows += written == SQLITE_OK ? sqlite3_changes(to) : 0;
		sqlite3_reset(write);
		/* A row that breaks a rule of the table is damage too; a full disk is not. */
		if ((written & 0xff) == SQLITE_CONSTRAINT || (written & 0xff) == SQLITE_MISMATCH)
			written = SQLITE_OK;
	}
	*ret_whole = rc == SQLITE_DONE;
	sqlite3_finalize(read);
	sqlite3_finalize(write);
	return written;
}

static int
copy_tables(sqlite3 *from, sqlite3 *to)
{
	/* Not a database at all, or not ours: it is moved away whole. */
	int rc = sqlite3_exec(from, "SELECT 1 FROM meta LIMIT 1", NULL, NULL, NULL);
	if (rc == SQLITE_NOTADB || rc == SQLITE_ERROR)
		return rc;
	rc = SQLITE_OK;
	for (size_t i = 0; rc == SQLITE_OK && i < ARRAY_LEN(tables); i++) {
		int64_t rows = 0;
		bool whole;
		rc = copy_until(from, to, tables[i].name, tables[i].forth, &rows, &whole);
		if (rc == SQLITE_OK && !whole) {
			rc = copy_until(from, to, tables[i].name, tables[i].back, &rows, &whole);
			log_error("store: damaged, rows saved table=%s rows=%lld", tables[i].name,
			    (long long)rows);
		}
	}
	return rc;
}

static int
sync_file(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags), rc;
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* Of the schema before, the copy is of it too: it is taken over as the file would have been. Its tables say so: a bit makes a
 * 4 of a 5. */
static int
copy_schema(sqlite3 *from, sqlite3 *to)
{
	sqlite3_stmt *stmt = NULL;
	char sql[400];
	bool before =
	    sqlite3_prepare_v2(from, "SELECT rest FROM seen", -1, &stmt, NULL) == SQLITE_OK;
	int rc = store_schema_create(to);

	sqlite3_finalize(stmt);
	if (rc != SQLITE_OK || !before)
		return rc;
	sqlite3_snprintf(sizeof(sql), sql,
	    "DROP TABLE recording; DROP TABLE turn; DROP TABLE seen; CREATE TABLE seen(id INTEGER "
	    "PRIMARY KEY, rest INTEGER NOT NULL, value BLOB NOT NULL, at INTEGER NOT NULL, "
	    "sum INTEGER NOT NULL) STRICT; PRAGMA user_version = %d",
	    STORE_SCHEMA_BEFORE);
	return sqlite3_exec(to, sql, NULL, NULL, NULL);
}

/* Room for a copy that is as long as the file: without it not a byte is written. */
static bool
has_room(const struct store *store)
{
	struct statvfs disk;
	struct stat file;
	ballast_release(store->dir);
	return stat(store->path, &file) != 0 || statvfs(store->dir, &disk) != 0 ||
	    (uint64_t)file.st_size <= (uint64_t)disk.f_bavail * disk.f_frsize;
}

/* The copy has a row for what was counted. */
static int
note(sqlite3 *to, int64_t damaged)
{
	char sql[200];
	snprintf(sql, sizeof(sql),
	    "INSERT INTO damaged(n, tab, id, body) SELECT max(%lld, coalesce(max(n), 0) + 1), '', "
	    "0, "
	    "x'' FROM damaged",
	    (long long)damaged);
	return sqlite3_exec(to, sql, NULL, NULL, NULL);
}

static int
make_copy(const struct store *store, const char *copy, int64_t damaged)
{
	sqlite3 *from = NULL, *to = NULL;
	char tmp[4300];
	snprintf(tmp, sizeof(tmp), "%s.tmp", copy);
	unlink(tmp);
	int rc =
	    sqlite3_open_v2(store->path, &from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_open_v2(tmp, &to,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		    store_vfs(NULL));
	if (rc == SQLITE_OK) {
		sqlite3_db_config(from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		sqlite3_exec(from, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF",
		    NULL, NULL, NULL);
		rc = copy_schema(from, to);
	}
	if (rc == SQLITE_OK)
		rc = copy_tables(from, to);
	if (rc == SQLITE_OK)
		rc = note(to, damaged);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(to, "DELETE FROM meta WHERE name = 'epoch'; COMMIT", NULL, NULL,
		    NULL);
	sqlite3_close(from);
	sqlite3_close(to);
	if (rc == SQLITE_OK && chmod(tmp, 0600) == 0 && sync_file(tmp, 0) == 0 &&
	    rename(tmp, copy) == 0 && sync_file(store->dir, O_DIRECTORY) == 0)
		return 0;
	log_error("store: the damaged file could not be copied: %s",
	    rc == SQLITE_OK ? strerror(errno) : sqlite3_errstr(rc));
	unlink(tmp);
	return AISLE_E_IO;
}

static int
put_in_place(const struct store *store, const char *copy)
{
	char wal[4200], kept[4200];
	file_name(store, "-wal", wal);
	file_name(store, ".damaged", kept);
	/* The old file stays beside, for whoever wants to look; its log would be taken for the copy's. */
	unlink(kept);
	if (link(store->path, kept) < 0)
		log_warning("store: the damaged file is not kept: %s", strerror(errno));
	if ((unlink(wal) < 0 && errno != ENOENT) || rename(copy, store->path) < 0 ||
	    sync_file(store->dir, O_DIRECTORY) != 0)
		return AISLE_E_IO;
	return 0;
}

void
store_salvage_mark(const struct store *store)
{
	char mark[4200];
	file_name(store, ".suspect", mark);
	int fd = open(mark, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		dprintf(fd, "%lld\n", (long long)store->damaged);
		close(fd);
	}
}

/* Reads and takes away the mark: how much damage was counted; 0: there is none. */
static int64_t
take_mark(const char *mark)
{
	char text[32] = "";
	int fd = open(mark, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	ssize_t len = read(fd, text, sizeof(text) - 1);
	close(fd);
	unlink(mark);
	int64_t damaged = len > 0 ? strtoll(text, NULL, 10) : 1;
	return damaged > 0 ? damaged : 1;
}

bool
store_salvage(struct store *store)
{
	char mark[4200], copy[4200];
	file_name(store, ".suspect", mark);
	file_name(store, ".salvaged", copy);
	bool ready = access(copy, F_OK) == 0;
	int64_t damaged = take_mark(mark);
	if (!ready && damaged == 0)
		return false;
	/* One try: without room for a copy the damaged file serves as well as it can. */
	if (!ready && !has_room(store)) {
		log_error("store: no room for a copy of the damaged file");
		return false;
	}
	if (!ready && make_copy(store, copy, damaged) != 0)
		return false;
	if (put_in_place(store, copy) != 0) {
		log_error("store: the copy could not take the damaged file's place: %s",
		    strerror(errno));
		return false;
	}
	log_error("store: a damaged page was found; what could be read was copied file=%s.damaged",
	    store->path);
	return true;
}
