/* SPDX-License-Identifier: Apache-2.0
 *
 * keys_open.c - keys.db opened, made, mended and closed.
 *
 * DESIGN
 *   Before SQLite opens the file its head is looked at: one of a newer aisled is
 *   left as it is, whatever else is the matter with it; one of before there were
 *   sums is copied into one with them, in the way in which a damaged one is
 *   (keys_salvage.c); a log with damage in it is a damaged file, since SQLite
 *   would drop what lies behind that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/log.h"
#include "core/random.h"
#include "profile/keys_internal.h"
#include "store/store_vfs.h"

#define KEYS_SCHEMA 1
#define HEADER_BYTES 100 /* of SQLite's file: fileformat2.html, 1.3 */
#define HEADER_PAGE_SIZE 16
#define HEADER_RESERVED 20
#define PAGE_BYTES_BEFORE 4096 /* and nothing reserved */
/* Few among many, and asked for at each install. */
#define STONE_DDL "CREATE INDEX IF NOT EXISTS stone ON subject(id) WHERE key IS NULL;"

/* clang-format off */
static const char *const statements[KEYS_COUNT] = {
	[KEYS_GET] = "SELECT key FROM subject WHERE id = ?1",
	[KEYS_PUT] = "INSERT INTO subject(id, key) VALUES(?1, ?2)",
	[KEYS_KEEP] = "INSERT OR IGNORE INTO subject(id, key) VALUES(?1, ?2)",
	[KEYS_STONE] = "INSERT OR REPLACE INTO subject(id, key) VALUES(?1, NULL)",
	[KEYS_STONES] = "SELECT id FROM subject WHERE key IS NULL ORDER BY id",
	[KEYS_PAGES] = "PRAGMA page_count",
	[KEYS_SECRET_GET] = "SELECT value FROM secret WHERE name = ?1",
	[KEYS_SECRET_PUT] = "INSERT OR REPLACE INTO secret(name, value) VALUES(?1, ?2)",
	[KEYS_SECRET_DROP] = "DELETE FROM secret WHERE name = ?1",
};
/* clang-format on */

/* A file that another process holds is not broken: say what is the matter. */
static int
open_error(struct keys *keys, int rc, struct err *err)
{
	/* A table whose name is not found: damage, if its rows are there. */
	keys->suspect = keys->suspect || keys_damage(rc) || (rc & 0xff) == SQLITE_ERROR;
	if ((rc & 0xff) == SQLITE_BUSY)
		return err_set(err, AISLE_E_IO, "%s: the state folder is in use by another process",
		    keys->dir);
	return err_set(err, (rc & 0xff) == SQLITE_FULL ? AISLE_E_FULL : AISLE_E_IO,
	    "%s/keys.db: %s", keys->dir != NULL ? keys->dir : "", sqlite3_errmsg(keys->db));
}

static int
sql(struct keys *keys, const char *text, struct err *err)
{
	int rc = sqlite3_exec(keys->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : open_error(keys, rc, err);
}

static int
refuse_newer(const struct keys *keys, int version, struct err *err)
{
	return err_set(err, AISLE_E_REFUSED,
	    "%s/keys.db: made by a newer aisled (schema %d, this one knows %d); unchanged",
	    keys->dir, version, KEYS_SCHEMA);
}

static int
read_version(struct keys *keys, int *ret_version, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(keys->db, "PRAGMA user_version", TO_ZERO, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	*ret_version = rc == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	if (rc != SQLITE_ROW)
		return open_error(keys, rc, err);
	if (*ret_version > KEYS_SCHEMA)
		return refuse_newer(keys, *ret_version, err);
	return 0;
}

/* Is it one that SQLite is not to open as it is? *ret_before: it is whole, of before there were sums. */
static int
look_at_file(struct keys *keys, bool *ret_before, struct err *err)
{
	uint8_t head[HEADER_BYTES];
	char path[4200];
	int64_t frames;
	snprintf(path, sizeof(path), "%s/keys.db", keys->dir);
	int version = store_file_version(path);
	if (version > KEYS_SCHEMA)
		return refuse_newer(keys, version, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t len = fd >= 0 ? read(fd, head, sizeof(head)) : 0;
	if (fd >= 0)
		close(fd);
	if (len < HEADER_BYTES)
		return 0;
	int page_bytes = head[HEADER_PAGE_SIZE] << 8 | head[HEADER_PAGE_SIZE + 1];
	*ret_before = page_bytes == PAGE_BYTES_BEFORE && head[HEADER_RESERVED] == 0;
	snprintf(path, sizeof(path), "%s/keys.db-wal", keys->dir);
	keys->suspect = *ret_before || page_bytes != STORE_PAGE_BYTES ||
	    head[HEADER_RESERVED] != STORE_PAGE_SUM || store_wal_lost(path, &frames) > 1;
	return 0;
}

static int
open_file(struct keys *keys, const char *dir, const char *vfs, struct err *err)
{
	char path[4096] = ":memory:";
	if (dir != NULL)
		snprintf(path, sizeof(path), "%s/keys.db", dir);
	if (keys->real_disk) {
		CHECK(dir != NULL);
		if (mkdir(dir, 0700) < 0 && errno != EEXIST)
			return err_set(err, AISLE_E_IO, "%s: %s", dir, strerror(errno));
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
		close(fd);
	}
	if (sqlite3_open_v2(path, &keys->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		dir != NULL ? store_vfs(vfs) : NULL) != SQLITE_OK)
		return err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(keys->db));
	sqlite3_db_config(keys->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* The log stays, empty, when it is closed: on a file system without a free inode no start could make one. */
	sqlite3_file_control(keys->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &(int){ 1 });
	return sql(keys, "PRAGMA locking_mode = EXCLUSIVE", err);
}

int
keys_prepare(struct keys *keys, struct err *err)
{
	for (int i = 0; i < KEYS_COUNT; i++) {
		int rc = sqlite3_prepare_v3(keys->db, statements[i], TO_ZERO,
		    SQLITE_PREPARE_PERSISTENT, &keys->stmt[i], NULL);
		if (rc != SQLITE_OK)
			return open_error(keys, rc, err);
	}
	return 0;
}

int
keys_reserve(struct keys *keys, struct err *err)
{
	char text[64];
	int rc = store_vfs_reserve(keys->db);
	snprintf(text, sizeof(text), "PRAGMA page_size = %d", STORE_PAGE_BYTES);
	return rc == SQLITE_OK ? sql(keys, text, err) : open_error(keys, rc, err);
}

int
keys_create(struct keys *keys, struct err *err)
{
	return sql(keys,
	    "CREATE TABLE secret(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	    "CREATE TABLE subject(id BLOB PRIMARY KEY, key BLOB) WITHOUT ROWID;" STONE_DDL
	    "PRAGMA user_version = 1",
	    err);
}

static int
set_up(struct keys *keys, struct err *err)
{
	int version = 0;
	int error = read_version(keys, &version, err);
	if (error == 0 && version == 0 && keys->dir != NULL)
		error = keys_reserve(keys, err);
	/* The old bytes of a destroyed key leave the file with the page (secure_delete) and the log
	 * with the checkpoint that keys_destroy runs. */
	if (error == 0)
		error = sql(keys,
		    keys->dir == NULL
			? "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF"
			: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			  "PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;"
			  "PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 0;"
			  "PRAGMA temp_store = MEMORY",
		    err);
	if (error == 0)
		error = sql(keys, "BEGIN IMMEDIATE", err);
	if (error == 0 && version == 0)
		error = keys_create(keys, err);
	else if (error == 0)
		error = sql(keys, STONE_DDL, err);
	if (error == 0)
		error = keys_prepare(keys, err);
	if (error == 0 && keys->dir != NULL)
		error = keys_load_secrets(keys, version == 0, err);
	if (error == 0)
		error = sql(keys, "COMMIT", err);
	if (error == 0 && keys->dir != NULL)
		sqlite3_wal_checkpoint_v2(keys->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return error;
}

static int
open_and_set_up(struct keys *keys, const char *vfs, struct err *err)
{
	int error = open_file(keys, keys->dir, vfs, err);
	return error == 0 ? set_up(keys, err) : error;
}

static void
close_file(struct keys *keys)
{
	for (int i = 0; i < KEYS_COUNT; i++) {
		sqlite3_finalize(keys->stmt[i]);
		keys->stmt[i] = NULL;
	}
	sqlite3_close(keys->db);
	keys->db = NULL;
}

static int
open_or_salvage(struct keys *keys, const char *vfs, struct err *err)
{
	struct err first = { 0 };
	bool before = false;
	int error = 0;
	if (keys->real_disk)
		error = look_at_file(keys, &before, err);
	if (error != 0)
		return error;
	if (keys->real_disk && keys_salvage_finish(keys))
		before = keys->suspect = false;
	if (keys->suspect)
		(void)keys_salvage(keys, before);
	keys->suspect = false;
	error = open_and_set_up(keys, vfs, &first);
	if (error != 0 && keys->suspect && keys->real_disk) {
		close_file(keys);
		if (keys_salvage(keys, false) == 0) {
			first = (struct err){ 0 };
			error = open_and_set_up(keys, vfs, &first);
		}
	}
	return error == 0 ? 0 : err_set(err, error, "%s", first.text);
}

int
keys_open(const char *dir, const char *vfs, struct keys **ret_keys, struct err *err)
{
	if (random_begin(err) != 0)
		return AISLE_E_IO;
	struct keys *keys = mem_zero(sizeof(*keys));
	keys->secrets = sodium_malloc(sizeof(*keys->secrets));
	if (keys->secrets == NULL) {
		free(keys);
		return err_set(err, AISLE_E_IO, "no locked memory for keys");
	}
	memset(keys->secrets, 0, sizeof(*keys->secrets));
	keys->dir = dir != NULL ? mem_strdup(dir) : NULL;
	keys->real_disk = dir != NULL && vfs == NULL;
	int error = open_or_salvage(keys, vfs, err);
	keys->suspect = false;
	if (error != 0) {
		keys_close(keys);
		return error;
	}
	*ret_keys = keys;
	return 0;
}

bool
keys_suspect(const struct keys *keys)
{
	return keys->suspect && keys->real_disk;
}

int64_t
keys_mended(struct keys *keys)
{
	int64_t mended = keys->mended;
	keys->mended = 0;
	return mended;
}

int
keys_mend(struct keys *keys, struct err *err)
{
	if (!keys_suspect(keys))
		return 0;
	/* Whoever got a key that was not committed lost the turn that needed it. */
	keys->losses += keys->in_tx;
	keys->in_tx = false;
	close_file(keys);
	keys->unmended = keys_salvage(keys, false) != 0;
	sodium_memzero(keys->secrets->cache, sizeof(keys->secrets->cache));
	int error = open_and_set_up(keys, NULL, err);
	keys->suspect = keys->unmended;
	return error;
}

void
keys_close(struct keys *keys)
{
	if (keys == NULL)
		return;
	close_file(keys);
	sodium_free(keys->secrets);
	free(keys->dir);
	free(keys);
}
