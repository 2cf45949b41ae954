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
 *   Each page has a sum (store_vfs.c), so none that is damaged hides a customer,
 *   or that they were forgotten. One that is met, or a key that does not open,
 *   makes the file suspect: the turn that met the page is taken back, the file
 *   mended (keys_salvage.c), and the turn done again.
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

#include <string.h>

#include <sodium.h>
#include <sqlite3.h>

#include "store/ballast.h"
#include "store/store_vfs.h"
#include "core/buf.h"
#include "core/id.h"
#include "core/log.h"
#include "profile/keys_internal.h"
#include "profile/vault.h"

bool
keys_damage(int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

/* In memory, or on a disk of a test, there is nothing to mend it from. */
static bool
mendable(const struct keys *keys)
{
	return keys->real_disk && !keys->unmended;
}

int
keys_error(struct keys *keys, int rc)
{
	log_warning("keys: %s code=%d", sqlite3_errmsg(keys->db), rc);
	keys->suspect = keys->suspect || keys_damage(rc);
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
	keys->secrets->pepper_given = true;
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
		keys->suspect = keys->suspect || error != 0;
		buf_wipe(&plain);
	}
	sqlite3_reset(stmt);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return error;
	if (keys_damage(rc) && !mendable(keys)) {
		keys->suspect = true;
		return AISLE_E_DAMAGED;
	}
	/* Who asks takes the person for one who was forgotten. If it is only the disk, or can be mended, the turn is taken
	 * back and done again. */
	keys->losses += !keys->in_tx;
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

static int64_t
count_pages(struct keys *keys)
{
	sqlite3_stmt *stmt = keys->stmt[KEYS_PAGES];
	int64_t pages = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_reset(stmt);
	return pages;
}

void
keys_scrub(struct keys *keys, int max_pages)
{
	int64_t bad = 0;
	if (!keys->real_disk || keys->suspect)
		return;
	if (keys->scrubbed >= keys->pages) {
		keys->scrubbed = 0;
		keys->pages = count_pages(keys);
	}
	int rc = store_vfs_check(keys->db, keys->scrubbed, max_pages, &bad);
	keys->scrubbed += max_pages;
	if (bad == 0 && rc == SQLITE_OK)
		return;
	log_error("keys: damaged pages were found by looking pages=%lld code=%d", (long long)bad,
	    rc);
	keys->suspect = bad > 0;
}

int64_t
keys_losses(const struct keys *keys)
{
	return keys->losses;
}
