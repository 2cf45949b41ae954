/* SPDX-License-Identifier: Apache-2.0
 *
 * keys.c - keys.db: the data key, the pepper, one random key per subject.
 *
 * DESIGN
 *   A file of its own, never in a backup of the rows: a restored state.db
 *   meets today's keys, and who was forgotten since stays forgotten. The data
 *   key seals everything else in the file; it lies there in clear (0600)
 *   unless a systemd credential brings it, and then it lies nowhere.
 *
 *   New keys wait in an open transaction until keys_commit(); the store
 *   commits after it, so a row never outlives a key that was not written. Keys
 *   that a full disk rolled back are counted (keys_losses), and such as could
 *   not be read just now: the sealer then fails the commit of the rows that
 *   were sealed with them, or left out without them.
 *
 *   The subjects of the open baskets come again with every event, for each of
 *   their rows and outputs: a small direct-mapped cache, in locked memory, saves
 *   the look-up. Whatever takes keys away empties it.
 *
 * TABLES
 *   secret(name, value): "data" 32 bytes, absent with a credential; "check"
 *   a sealed constant that tells a wrong data key; "pepper" sealed.
 *   subject(id, key): key sealed under the data key with the subject as row
 *   key; NULL is a tombstone.
 */
#include "profile/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <sqlite3.h>

#include "store/ballast.h"
#include "core/buf.h"
#include "core/id.h"
#include "core/log.h"
#include "core/random.h"
#include "profile/keys_internal.h"
#include "profile/vault.h"

#define KEYS_SCHEMA 1

/* clang-format off */
static const char *const statements[KEYS_COUNT] = {
	[KEYS_GET] = "SELECT key FROM subject WHERE id = ?1",
	[KEYS_PUT] = "INSERT INTO subject(id, key) VALUES(?1, ?2)",
	[KEYS_STONE] = "INSERT OR REPLACE INTO subject(id, key) VALUES(?1, NULL)",
	[KEYS_STONES] = "SELECT id FROM subject WHERE key IS NULL ORDER BY id",
	[KEYS_SECRET_GET] = "SELECT value FROM secret WHERE name = ?1",
	[KEYS_SECRET_PUT] = "INSERT OR REPLACE INTO secret(name, value) VALUES(?1, ?2)",
	[KEYS_SECRET_DROP] = "DELETE FROM secret WHERE name = ?1",
};
/* clang-format on */

int
keys_error(struct keys *keys, int rc)
{
	log_warning("keys: %s code=%d", sqlite3_errmsg(keys->db), rc);
	if (keys->in_tx) {
		keys->in_tx = false;
		keys->losses++;
		sodium_memzero(keys->secrets->cache, sizeof(keys->secrets->cache));
		if (!sqlite3_get_autocommit(keys->db))
			sqlite3_exec(keys->db, "ROLLBACK", NULL, NULL, NULL);
	}
	return (rc & 0xff) == SQLITE_FULL ? AISLE_E_FULL : AISLE_E_IO;
}

/* Steps a statement without rows. */
int
keys_run(struct keys *keys, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_DONE ? 0 : keys_error(keys, rc);
}

static int
begin(struct keys *keys)
{
	if (keys->in_tx)
		return 0;
	int rc = sqlite3_exec(keys->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return keys_error(keys, rc);
	keys->in_tx = true;
	return 0;
}

/* ---- open and close ---- */

/* A file that another process holds is not broken: say what is the matter. */
static int
open_error(struct keys *keys, int rc, struct err *err)
{
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
		return err_set(err, AISLE_E_REFUSED,
		    "%s/keys.db: made by a newer aisled (schema %d, this one knows %d); unchanged",
		    keys->dir, *ret_version, KEYS_SCHEMA);
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
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, vfs) != SQLITE_OK)
		return err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(keys->db));
	sqlite3_db_config(keys->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* The log stays, empty, when it is closed: on a file system without a free inode no start could make one. */
	sqlite3_file_control(keys->db, NULL, SQLITE_FCNTL_PERSIST_WAL, &(int){ 1 });
	return sql(keys, "PRAGMA locking_mode = EXCLUSIVE", err);
}

static int
prepare(struct keys *keys, struct err *err)
{
	for (int i = 0; i < KEYS_COUNT; i++) {
		if (sqlite3_prepare_v3(keys->db, statements[i], TO_ZERO, SQLITE_PREPARE_PERSISTENT,
			&keys->stmt[i], NULL) != SQLITE_OK)
			return err_set(err, AISLE_E_IO, "keys.db: %s", sqlite3_errmsg(keys->db));
	}
	return 0;
}

static int
set_up(struct keys *keys, struct err *err)
{
	int version = 0;
	int error = read_version(keys, &version, err);
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
		error = sql(keys,
		    "CREATE TABLE secret(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
		    "CREATE TABLE subject(id BLOB PRIMARY KEY, key BLOB) WITHOUT ROWID;"
		    "PRAGMA user_version = 1",
		    err);
	/* Few among many, and asked for at each install. */
	if (error == 0)
		error = sql(keys,
		    "CREATE INDEX IF NOT EXISTS stone ON subject(id) WHERE key IS NULL", err);
	if (error == 0)
		error = prepare(keys, err);
	if (error == 0 && keys->dir != NULL)
		error = keys_load_secrets(keys, version == 0, err);
	if (error == 0)
		error = sql(keys, "COMMIT", err);
	if (error == 0 && keys->dir != NULL)
		sqlite3_wal_checkpoint_v2(keys->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return error;
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
	int error = open_file(keys, dir, vfs, err);
	if (error == 0)
		error = set_up(keys, err);
	if (error != 0) {
		keys_close(keys);
		return error;
	}
	*ret_keys = keys;
	return 0;
}

void
keys_close(struct keys *keys)
{
	if (keys == NULL)
		return;
	for (int i = 0; i < KEYS_COUNT; i++)
		sqlite3_finalize(keys->stmt[i]);
	sqlite3_close(keys->db);
	sodium_free(keys->secrets);
	free(keys->dir);
	free(keys);
}

const uint8_t *
keys_data(const struct keys *keys)
{
	return keys->secrets->data;
}

const uint8_t *
keys_pepper(const struct keys *keys)
{
	return keys->secrets->pepper;
}

void
keys_set_pepper(struct keys *keys, const uint8_t pepper[static 32])
{
	memcpy(keys->secrets->pepper, pepper, 32);
}

/* ---- subjects ---- */

static struct cached *
cached_of(struct keys *keys, const struct id *subject)
{
	return &keys->secrets->cache[subject->b[15] & (KEYS_CACHED - 1)];
}

static bool
is_cached(struct keys *keys, const struct id *subject)
{
	const struct cached *cached = cached_of(keys, subject);
	return cached->used && id_equal(&cached->subject, subject);
}

static void
remember(struct keys *keys, const struct id *subject, const uint8_t key[static 32])
{
	struct cached *cached = cached_of(keys, subject);
	cached->used = true;
	cached->subject = *subject;
	memcpy(cached->key, key, 32);
}

/* 0: ret_key; AISLE_E_NONE with *ret_stone: destroyed, or never made. */
static int
find_key(struct keys *keys, const struct id *subject, uint8_t ret_key[static 32], bool *ret_stone)
{
	sqlite3_stmt *stmt = keys->stmt[KEYS_GET];
	sqlite3_bind_blob(stmt, 1, subject->b, 16, SQLITE_STATIC);
	int rc = sqlite3_step(stmt), error = AISLE_E_NONE;
	*ret_stone = rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) == SQLITE_NULL;
	if (rc == SQLITE_ROW && !*ret_stone) {
		struct buf plain = { 0 };
		error = vault_open(keys->secrets->data, "subject", subject->b, 16, KEYS_VERSION,
		    sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0), &plain);
		if (error == 0 && plain.len == 32)
			memcpy(ret_key, plain.data, 32);
		else
			error = AISLE_E_DAMAGED;
		buf_wipe(&plain);
	}
	sqlite3_reset(stmt);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return error;
	/* Who asks takes the person for one who was forgotten. If it is only the disk, the turn is taken back and done again. */
	bool damaged = (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
	keys->losses += !keys->in_tx && !damaged;
	return keys_error(keys, rc);
}

static int
make_key(struct keys *keys, const struct id *subject, uint8_t ret_key[static 32])
{
	uint8_t key[32];
	struct buf sealed = { 0 };
	int error = begin(keys);
	if (error != 0)
		return error;
	randombytes_buf(key, sizeof(key));
	vault_seal(keys->secrets->data, "subject", subject->b, 16, KEYS_VERSION, key, sizeof(key),
	    &sealed);
	sqlite3_stmt *stmt = keys->stmt[KEYS_PUT];
	sqlite3_bind_blob(stmt, 1, subject->b, 16, SQLITE_STATIC);
	sqlite3_bind_blob64(stmt, 2, sealed.data, sealed.len, SQLITE_STATIC);
	error = keys_run(keys, stmt);
	if (error == 0)
		memcpy(ret_key, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
	buf_done(&sealed);
	return error;
}

int
keys_subject(struct keys *keys, const struct id *subject, bool make, uint8_t ret_key[static 32])
{
	bool stone = false;
	int error = 0;
	if (is_cached(keys, subject)) {
		memcpy(ret_key, cached_of(keys, subject)->key, 32);
		return 0;
	}
	error = find_key(keys, subject, ret_key, &stone);
	if (error == AISLE_E_NONE && !stone && keys->dir == NULL) {
		hash_bytes(ret_key, 32, subject->b, 16, keys->secrets->data, 32);
		error = 0;
	} else if (error == AISLE_E_NONE && !stone && make) {
		error = make_key(keys, subject, ret_key);
	}
	if (error == 0)
		remember(keys, subject, ret_key);
	return error;
}

bool
keys_forgotten(struct keys *keys, const struct id *subject)
{
	uint8_t key[32];
	bool stone;
	if (is_cached(keys, subject))
		return false;
	int error = find_key(keys, subject, key, &stone);
	if (error == 0)
		remember(keys, subject, key);
	sodium_memzero(key, sizeof(key));
	/* Not readable is not known: the safe answer about a person is that they are not to be
	 * kept. */
	return stone || (error != 0 && error != AISLE_E_NONE);
}

int
keys_forgotten_each(struct keys *keys, keys_each_fn fn, void *ctx)
{
	sqlite3_stmt *stmt = keys->stmt[KEYS_STONES];
	int rc, stop = 0;
	while (stop == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct id subject = { { 0 } };
		if (sqlite3_column_bytes(stmt, 0) == 16)
			memcpy(subject.b, sqlite3_column_blob(stmt, 0), 16);
		stop = fn(ctx, &subject);
	}
	sqlite3_reset(stmt);
	return stop != 0 ? stop : rc == SQLITE_DONE ? 0 : keys_error(keys, rc);
}

int
keys_destroy(struct keys *keys, const struct id *subject)
{
	sodium_memzero(cached_of(keys, subject), sizeof(struct cached));
	if (keys->real_disk)
		ballast_release(keys->dir);
	int error = begin(keys);
	if (error != 0)
		return error;
	sqlite3_stmt *stmt = keys->stmt[KEYS_STONE];
	sqlite3_bind_blob(stmt, 1, subject->b, 16, SQLITE_STATIC);
	error = keys_run(keys, stmt);
	if (error == 0)
		error = keys_commit(keys);
	if (error != 0 || keys->dir == NULL)
		return error;
	/* The page with the key in it is overwritten in the file, and the log that had it is cut to
	 * nothing. */
	int rc = sqlite3_wal_checkpoint_v2(keys->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return rc == SQLITE_OK ? 0 : keys_error(keys, rc);
}

int
keys_commit(struct keys *keys)
{
	if (!keys->in_tx)
		return 0;
	int rc = sqlite3_exec(keys->db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return keys_error(keys, rc);
	keys->in_tx = false;
	return 0;
}

int64_t
keys_losses(const struct keys *keys)
{
	return keys->losses;
}
