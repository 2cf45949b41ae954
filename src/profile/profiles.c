/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles.c - HQ's part of the profiles: the transport bundle read straight,
 * and the gateway's own file.
 *
 * BYTES
 *   Both are SQLite files with application_id "AISL", user_version 1, and
 *   nothing but
 *     meta(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID
 *     row(id INTEGER PRIMARY KEY, subject BLOB, body BLOB)
 *   id is the first 8 bytes of the subject as a signed big-endian number, or
 *   the next free one of the seven after it. In a bundle body is the row's
 *   JSON; in profiles-N.db it is sealed under the subject's key with version
 *   N, so that a row of an older file does not open in a newer one.
 */
#include "profile/profiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "core/id.h"
#include "core/log.h"
#include "profile/profiles_internal.h"
#include "profile/vault.h"

#define GET_SQL "SELECT body FROM row WHERE id BETWEEN ?1 AND ?1 + 7 AND subject = ?2"
#define URI_MAX 8192

/* ---- shared ---- */

int64_t
profiles_slot(const struct id *subject)
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | subject->b[i];
	int64_t slot = (int64_t)v;
	return slot <= INT64_MAX - (PROFILES_WINDOW - 1) ? slot : INT64_MAX - (PROFILES_WINDOW - 1);
}

void
profiles_pepper_mark(const uint8_t pepper[static 32], char out[static 9])
{
	uint8_t hash[32];
	hash_bytes(hash, sizeof(hash), pepper, 32, NULL, 0);
	hash_hex(out, hash, 4);
}

void
profiles_path(const char *dir, int64_t number, char *path, size_t size)
{
	snprintf(path, size, "%s/profiles-%" PRId64 ".db", dir, number);
}

int
profiles_sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return AISLE_E_IO;
	int error = fsync(fd) < 0 ? AISLE_E_IO : 0;
	close(fd);
	return error;
}

/* "file:" URI with everything but plain characters percent-encoded. */
static int
immutable_uri(const char *path, char out[static URI_MAX])
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
	size_t at = (size_t)snprintf(out, URI_MAX, "file:");
	for (const char *p = path; *p != '\0'; p++) {
		if (at + 32 > URI_MAX)
			return AISLE_E_INVALID;
		if (strchr(plain, *p) != NULL)
			out[at++] = *p;
		else
			at += (size_t)snprintf(out + at, 4, "%%%02X", (unsigned char)*p);
	}
	snprintf(out + at, URI_MAX - at, "?mode=ro&immutable=1");
	return 0;
}

/* The schema, as text: any trigger, view, index or other table makes another text. */
static bool
schema_fits(sqlite3 *db)
{
	static const char sql[] =
	    "SELECT COUNT(*), SUM(type = 'table' AND name = 'meta' AND sql = ?1),"
	    " SUM(type = 'table' AND name = 'row' AND sql = ?2) FROM sqlite_schema";
	sqlite3_stmt *stmt = NULL;
	bool fits = false;
	if (sqlite3_prepare_v2(db, sql, TO_ZERO, &stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_text(stmt, 1, PROFILES_META_DDL, TO_ZERO, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, PROFILES_ROW_DDL, TO_ZERO, SQLITE_STATIC);
		fits = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) == 2 &&
		    sqlite3_column_int(stmt, 1) == 1 && sqlite3_column_int(stmt, 2) == 1;
	}
	sqlite3_finalize(stmt);
	return fits;
}

static int
pragma_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int n = -1;
	if (sqlite3_prepare_v2(db, sql, TO_ZERO, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int(stmt, 0);
	sqlite3_finalize(stmt);
	return n;
}

int
profiles_open_file(const char *path, sqlite3 **ret_db, struct err *err)
{
	char uri[URI_MAX];
	sqlite3 *db = NULL;
	if (access(path, R_OK) < 0)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	if (immutable_uri(path, uri) != 0)
		return err_set(err, AISLE_E_INVALID, "%s: path too long", path);
	int rc = sqlite3_open_v2(uri, &db,
	    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(db));
		sqlite3_close(db);
		return AISLE_E_IO;
	}
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_exec(db,
	    "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
	    "PRAGMA locking_mode = EXCLUSIVE",
	    NULL, NULL, NULL);
	if (pragma_number(db, "PRAGMA application_id") != PROFILES_APPLICATION_ID ||
	    pragma_number(db, "PRAGMA user_version") != PROFILES_FORMAT || !schema_fits(db)) {
		sqlite3_close(db);
		return err_set(err, AISLE_E_INVALID, "%s: not a profiles file", path);
	}
	*ret_db = db;
	return 0;
}

char *
profiles_meta(sqlite3 *db, const char *name)
{
	sqlite3_stmt *stmt = NULL;
	char *value = NULL;
	if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = ?1", TO_ZERO, &stmt,
		NULL) == SQLITE_OK) {
		sqlite3_bind_text(stmt, 1, name, TO_ZERO, SQLITE_STATIC);
		if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_text(stmt, 0) != NULL)
			value = mem_strdup((const char *)sqlite3_column_text(stmt, 0));
	}
	sqlite3_finalize(stmt);
	return value;
}

int
profiles_insert_meta(sqlite3 *db, const char *name, const char *value)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, "INSERT INTO meta(name, value) VALUES(?1, ?2)", TO_ZERO,
	    &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_text(stmt, 1, name, TO_ZERO, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, value, TO_ZERO, SQLITE_STATIC);
		rc = sqlite3_step(stmt);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The body of subject's row as it is in the file, borrowed until the statement is reset. */
static int
find_row(sqlite3_stmt *get, const struct id *subject, const void **ret_body, size_t *ret_len)
{
	sqlite3_bind_int64(get, 1, profiles_slot(subject));
	sqlite3_bind_blob(get, 2, subject->b, 16, SQLITE_STATIC);
	int rc = sqlite3_step(get);
	if (rc == SQLITE_DONE)
		return AISLE_E_NONE;
	if (rc != SQLITE_ROW)
		return (rc & 0xff) == SQLITE_CORRUPT ? AISLE_E_DAMAGED : AISLE_E_IO;
	*ret_body = sqlite3_column_blob(get, 0);
	*ret_len = (size_t)sqlite3_column_bytes(get, 0);
	return 0;
}

/* ---- the transport bundle ---- */

struct profiles_bundle {
	sqlite3 *db;
	sqlite3_stmt *get;
	char *store;
};

int
profiles_bundle_open(const char *path, struct profiles_bundle **ret, struct err *err)
{
	struct profiles_bundle *bundle = mem_zero(sizeof(*bundle));
	int error = profiles_open_file(path, &bundle->db, err);
	char *kind = error == 0 ? profiles_meta(bundle->db, "kind") : NULL;
	if (error == 0 && (kind == NULL || strcmp(kind, "profiles") != 0))
		error =
		    err_set(err, AISLE_E_INVALID, "%s: expected a bundle of kind profiles", path);
	free(kind);
	if (error == 0 && (bundle->store = profiles_meta(bundle->db, "store")) == NULL)
		error = err_set(err, AISLE_E_INVALID, "%s: names no store", path);
	if (error == 0 &&
	    sqlite3_prepare_v3(bundle->db, GET_SQL, TO_ZERO, SQLITE_PREPARE_PERSISTENT,
		&bundle->get, NULL) != SQLITE_OK)
		error = err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(bundle->db));
	if (error != 0) {
		profiles_bundle_close(bundle);
		return error;
	}
	*ret = bundle;
	return 0;
}

void
profiles_bundle_close(struct profiles_bundle *bundle)
{
	if (bundle == NULL)
		return;
	sqlite3_finalize(bundle->get);
	sqlite3_close(bundle->db);
	free(bundle->store);
	free(bundle);
}

const char *
profiles_bundle_store(const struct profiles_bundle *bundle)
{
	return bundle->store;
}

int
profiles_bundle_get(struct profiles_bundle *bundle, const struct id *subject, struct buf *out)
{
	const void *body;
	size_t len;
	int error = find_row(bundle->get, subject, &body, &len);
	if (error == 0)
		buf_add(out, body, len);
	sqlite3_reset(bundle->get);
	return error;
}

/* ---- the gateway's own file ---- */

static void
close_current(struct profiles *profiles)
{
	sqlite3_finalize(profiles->get);
	sqlite3_close(profiles->db);
	profiles->get = NULL;
	profiles->db = NULL;
	profiles->number = 0;
	profiles->count = 0;
}

/* A kill inside profiles_forget left a journal: the immutable reader would not look at it. */
static void
recover(const char *path)
{
	char journal[4200];
	sqlite3 *db = NULL;
	snprintf(journal, sizeof(journal), "%s-journal", path);
	if (access(journal, F_OK) < 0)
		return;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK ||
	    sqlite3_exec(db, "SELECT COUNT(*) FROM meta", NULL, NULL, NULL) != SQLITE_OK)
		log_warning("profiles: journal not rolled back: %s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

int
profiles_use(struct profiles *profiles, int64_t number, struct err *err)
{
	char path[4096];
	sqlite3 *db;
	sqlite3_stmt *get = NULL;
	profiles_path(profiles->dir, number, path, sizeof(path));
	recover(path);
	int error = profiles_open_file(path, &db, err);
	if (error != 0)
		return error;
	char *n = profiles_meta(db, "number"), *rows = profiles_meta(db, "rows");
	if (n == NULL || rows == NULL || strtoll(n, NULL, 10) != number)
		error = err_set(err, AISLE_E_DAMAGED, "%s: not the file it is named", path);
	/* An open read transaction: a look-up is then a walk down a tree and no system call. */
	else if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v3(db, GET_SQL, TO_ZERO, SQLITE_PREPARE_PERSISTENT, &get, NULL) !=
		SQLITE_OK)
		error = err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(db));
	if (error == 0) {
		close_current(profiles);
		profiles->db = db;
		profiles->get = get;
		profiles->number = number;
		profiles->count = strtoll(rows, NULL, 10);
	} else {
		sqlite3_finalize(get);
		sqlite3_close(db);
	}
	free(n);
	free(rows);
	return error;
}

/* N of "profiles-N.db" and of its journal, 0: another name. *ret_left: a leftover of an install. */
static int64_t
number_of(const char *name, bool *ret_left)
{
	int64_t number = 0;
	int end = 0;
	*ret_left = false;
	if (strncmp(name, "profiles-", 9) != 0)
		return 0;
	if (sscanf(name, "profiles-%18" SCNd64 ".db%n", &number, &end) != 1 || end == 0 ||
	    number <= 0)
		return 0;
	*ret_left = strcmp(name + end, ".tmp") == 0;
	return *ret_left || name[end] == '\0' || strcmp(name + end, "-journal") == 0 ? number : 0;
}

/* The highest number below limit; leftovers, and files below keep, are removed. */
static int64_t
scan_dir(const char *dir, int64_t limit, int64_t keep)
{
	int64_t highest = 0;
	DIR *entries = opendir(dir);
	if (entries == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
		bool left;
		int64_t number = number_of(entry->d_name, &left);
		if (number == 0)
			continue;
		if (left || number < keep)
			unlinkat(dirfd(entries), entry->d_name, 0);
		else if (number < limit && number > highest)
			highest = number;
	}
	closedir(entries);
	return highest;
}

int
profiles_open(const char *dir, struct keys *keys, struct profiles **ret, struct err *err)
{
	struct profiles *profiles = mem_zero(sizeof(*profiles));
	profiles->dir = mem_strdup(dir);
	profiles->keys = keys;
	(void)err;
	for (int64_t number = INT64_MAX; (number = scan_dir(dir, number, 0)) > 0;) {
		struct err why = { 0 };
		if (profiles_use(profiles, number, &why) == 0)
			break;
		/* Not whole: the one before serves, headquarters sends again. */
		log_warning("profiles: %s", why.text);
	}
	if (profiles->number > 0)
		scan_dir(dir, 0, profiles->number);
	*ret = profiles;
	return 0;
}

void
profiles_close(struct profiles *profiles)
{
	if (profiles == NULL)
		return;
	profiles_install_drop(profiles);
	close_current(profiles);
	free(profiles->dir);
	free(profiles);
}

int
profiles_get(struct profiles *profiles, const struct id *subject, struct buf *out)
{
	uint8_t key[32];
	const void *body;
	size_t len;
	if (profiles->db == NULL)
		return AISLE_E_NONE;
	int error = find_row(profiles->get, subject, &body, &len);
	if (error == 0)
		error = keys_subject(profiles->keys, subject, false, key);
	if (error == 0)
		error = vault_open(key, PROFILES_TABLE, subject->b, 16, (uint32_t)profiles->number,
		    body, len, out);
	sodium_memzero(key, sizeof(key));
	sqlite3_reset(profiles->get);
	return error;
}

int64_t
profiles_count(const struct profiles *profiles)
{
	return profiles->count;
}

/* The key is what forgetting destroys; the row that is noise by then goes too,
 * where the disk allows it. */
int
profiles_forget(struct profiles *profiles, const struct id *subject)
{
	profiles_install_forget(profiles, subject);
	int64_t number = profiles->number;
	const void *body;
	size_t len;
	int found = number > 0 ? find_row(profiles->get, subject, &body, &len) : AISLE_E_NONE;
	if (profiles->get != NULL)
		sqlite3_reset(profiles->get);
	if (found != 0)
		return found == AISLE_E_NONE ? 0 : found;
	char path[4096];
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	profiles_path(profiles->dir, number, path, sizeof(path));
	close_current(profiles);
	int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA secure_delete = ON; PRAGMA journal_mode = DELETE",
		    NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db,
		    "DELETE FROM row WHERE id BETWEEN ?1 AND ?1 + 7 AND subject = ?2", TO_ZERO,
		    &stmt, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, profiles_slot(subject));
		sqlite3_bind_blob(stmt, 2, subject->b, 16, SQLITE_STATIC);
		rc = sqlite3_step(stmt);
	}
	if (rc != SQLITE_DONE)
		log_warning("profiles: a forgotten row stays as noise: %s", sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	struct err err = { 0 };
	return profiles_use(profiles, number, &err);
}
