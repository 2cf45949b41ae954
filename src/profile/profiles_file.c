/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_file.c - a file of profiles: is it one, and which? Its table meta.
 *
 * BYTES
 *   SQLite with application_id "AISL" and nothing but
 *     meta(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID
 *   and one table more. A bundle has user_version 1 and
 *     row(id INTEGER PRIMARY KEY, subject BLOB, body BLOB)	in the clear: body is the row's JSON, of
 *							a delta NULL where it is removed
 *     chunk(n INTEGER PRIMARY KEY, body BLOB)		encrypted to a store: profiles_sealed.c
 *   The gateway's own set has user_version 2 and row: see profiles.c. id is the first 8 bytes of
 *   the subject as a signed big-endian number, or the next free one of the seven after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/id.h"
#include "profile/profiles_internal.h"

#define URI_MAX 8192

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
profiles_path(const char *dir, int64_t number, const char *tail, char *path, size_t size)
{
	snprintf(path, size, "%s/profiles-%" PRId64 "%s", dir, number, tail);
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
schema_fits(sqlite3 *db, const char *ddl, const char *table)
{
	static const char sql[] =
	    "SELECT COUNT(*), SUM(type = 'table' AND name = 'meta' AND sql = ?1),"
	    " SUM(type = 'table' AND name = ?3 AND sql = ?2) FROM sqlite_schema";
	sqlite3_stmt *stmt = NULL;
	bool fits = false;
	if (sqlite3_prepare_v2(db, sql, TO_ZERO, &stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_text(stmt, 1, PROFILES_META_DDL, TO_ZERO, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, ddl, TO_ZERO, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 3, table, TO_ZERO, SQLITE_STATIC);
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

static bool
is_format(sqlite3 *db, enum profiles_format format)
{
	bool chunks = format == PROFILES_SEALED;
	return pragma_number(db, "PRAGMA application_id") == PROFILES_APPLICATION_ID &&
	    pragma_number(db, "PRAGMA user_version") == (format == PROFILES_SET ? 2 : 1) &&
	    schema_fits(db, chunks ? PROFILES_CHUNK_DDL : PROFILES_ROW_DDL,
		chunks ? "chunk" : "row");
}

static int
open_path(const char *path, sqlite3 **ret_db, struct err *err)
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
	*ret_db = db;
	return 0;
}

int
profiles_open_file(const char *path, enum profiles_format format, sqlite3 **ret_db, struct err *err)
{
	sqlite3 *db = NULL;
	int rc = open_path(path, &db, err);
	if (rc != 0)
		return rc;
	if (!is_format(db, format)) {
		rc = format == PROFILES_PLAIN && is_format(db, PROFILES_SEALED)
		    ? err_set(err, AISLE_E_INVALID,
			  "%s: encrypted to a store, which alone can read it", path)
		    : err_set(err, AISLE_E_INVALID, "%s: not a profiles file", path);
		sqlite3_close(db);
		return rc;
	}
	*ret_db = db;
	return 0;
}

int
profiles_open_any(const char *path, enum profiles_format *ret_format, sqlite3 **ret_db,
    struct err *err)
{
	sqlite3 *db = NULL;
	int rc = open_path(path, &db, err);
	if (rc != 0)
		return rc;
	*ret_format = is_format(db, PROFILES_SEALED) ? PROFILES_SEALED : PROFILES_PLAIN;
	if (*ret_format == PROFILES_PLAIN && !is_format(db, PROFILES_PLAIN)) {
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

int64_t
profiles_meta_number(sqlite3 *db, const char *name)
{
	char *text = profiles_meta(db, name), *end = text;
	int64_t number = -1;
	if (text != NULL && text[0] >= '0' && text[0] <= '9') {
		errno = 0;
		number = strtoll(text, &end, 10);
		if (*end != '\0' || errno != 0)
			number = -1;
	}
	free(text);
	return number;
}
