/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle.c - open a bundle, read its parts.
 *
 * DESIGN
 *   The file is read once into memory, hashed there, and SQLite is given those very
 *   bytes (sqlite3_deserialize, read-only): what was hashed is what is parsed, whoever
 *   changes the file meanwhile, and no journal beside it is ever looked at. Opening
 *   the path with immutable=1 was rejected: it reads the file a second time.
 *
 * INVARIANTS
 *   The header is compared before SQLite sees the file, the schema before any row.
 *   parts are ascending by name, each name once, bytes followed by a zero byte.
 */
#include "sync/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "sync/bundle_internal.h"

struct bundle {
	char hash[65];
	int64_t bytes;
	struct bundle_meta_row meta[BUNDLE_META_MAX];
	size_t meta_count;
	struct folder folder;
};

static int
read_bytes(int fd, uint8_t *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(fd, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return AISLE_E_IO;
		done += (size_t)n;
	}
	return 0;
}

/* The whole file in SQLite's own memory. */
int
bundle_slurp(const char *path, uint8_t **ret_bytes, size_t *ret_len, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	uint8_t *bytes = NULL;

	if (fd < 0)
		return err_at(err, errno == ENOENT ? AISLE_E_NONE : AISLE_E_IO, path, 0, 0,
		    "cannot open: %s", strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		err_at(err, AISLE_E_INVALID, path, 0, 0, "not a regular file, expected a bundle");
	} else if (st.st_size < 100 || (uint64_t)st.st_size > BUNDLE_BYTES_MAX) {
		err_at(err, AISLE_E_INVALID, path, 0, 0,
		    "file of %lld bytes, expected a bundle of 100 to %u", (long long)st.st_size,
		    BUNDLE_BYTES_MAX);
	} else if ((bytes = sqlite3_malloc64((sqlite3_uint64)st.st_size)) == NULL) {
		err_at(err, AISLE_E_FULL, path, 0, 0, "no memory for %lld bytes",
		    (long long)st.st_size);
	} else if (read_bytes(fd, bytes, (size_t)st.st_size) != 0) {
		err_at(err, AISLE_E_IO, path, 0, 0, "cannot read in full");
		sqlite3_free(bytes);
		bytes = NULL;
	}
	close(fd);
	if (bytes == NULL)
		return err->code;
	*ret_bytes = bytes;
	*ret_len = (size_t)st.st_size;
	return 0;
}

/* Takes over bytes. */
int
bundle_open_memory(uint8_t *bytes, size_t len, const char *path, sqlite3 **ret_db, struct err *err)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
		sqlite3_free(bytes);
		sqlite3_close(db);
		return err_at(err, AISLE_E_IO, path, 0, 0, "cannot open a database in memory");
	}
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, BUNDLE_BYTES_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 4096);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	if (sqlite3_exec(db, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0", NULL, NULL, NULL) !=
		SQLITE_OK ||
	    sqlite3_deserialize(db, "main", bytes, (sqlite3_int64)len, (sqlite3_int64)len,
		SQLITE_DESERIALIZE_READONLY | SQLITE_DESERIALIZE_FREEONCLOSE) != SQLITE_OK) {
		sqlite3_close(db);
		return err_at(err, AISLE_E_INVALID, path, 0, 0,
		    "SQLite does not read the file, expected a bundle");
	}
	*ret_db = db;
	return 0;
}

/* A text without zero bytes, as long as SQLite says it is. NULL: not one. */
static const char *
column_text(sqlite3_stmt *stmt, int column, size_t max)
{
	const char *text;
	size_t len;

	if (sqlite3_column_type(stmt, column) != SQLITE_TEXT)
		return NULL;
	text = (const char *)sqlite3_column_text(stmt, column);
	len = (size_t)sqlite3_column_bytes(stmt, column);
	return text != NULL && len <= max && strlen(text) == len ? text : NULL;
}

static int
read_meta(struct bundle *bundle, sqlite3_stmt *stmt)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *name = column_text(stmt, 0, BUNDLE_NAME_MAX),
			   *value = column_text(stmt, 1, 4096);
		struct bundle_meta_row *row = &bundle->meta[bundle->meta_count];

		if (name == NULL || value == NULL || bundle->meta_count == BUNDLE_META_MAX ||
		    (bundle->meta_count > 0 && strcmp(row[-1].name, name) >= 0))
			return AISLE_E_INVALID;
		*row = (struct bundle_meta_row){ mem_strdup(name), mem_strdup(value) };
		bundle->meta_count++;
	}
	return rc == SQLITE_DONE ? 0 : AISLE_E_INVALID;
}

static int
read_parts(struct bundle *bundle, sqlite3_stmt *stmt)
{
	struct policy_parts *parts = &bundle->folder.parts;
	struct err err = { 0 };
	int rc;

	parts->built = true;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *name = column_text(stmt, 0, BUNDLE_NAME_MAX);
		size_t len = (size_t)sqlite3_column_bytes(stmt, 1);
		const void *blob = sqlite3_column_blob(stmt, 1);
		char *bytes;

		if (name == NULL || sqlite3_column_type(stmt, 1) != SQLITE_BLOB ||
		    (blob == NULL && len > 0) ||
		    (parts->count > 0 && strcmp(parts->part[parts->count - 1].name, name) >= 0))
			return AISLE_E_INVALID;
		bytes = mem_alloc(len + 1);
		if (len > 0)
			memcpy(bytes, blob, len);
		bytes[len] = '\0';
		if (folder_add(&bundle->folder, name, bytes, len, &err) != 0)
			return err.code;
	}
	return rc == SQLITE_DONE ? 0 : AISLE_E_INVALID;
}

static int
read_table(struct bundle *bundle, sqlite3 *db, const char *sql,
    int (*fn)(struct bundle *, sqlite3_stmt *))
{
	sqlite3_stmt *stmt = NULL;
	int status = AISLE_E_INVALID;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK)
		status = fn(bundle, stmt);
	sqlite3_finalize(stmt);
	return status;
}

static int
read_rows(struct bundle *bundle, sqlite3 *db, const char *path, struct err *err)
{
	char digest[65];
	const char *said;

	if (read_table(bundle, db, "SELECT name, value FROM meta ORDER BY name", read_meta) != 0 ||
	    read_table(bundle, db, "SELECT name, body FROM part ORDER BY name", read_parts) != 0)
		return err_at(err, AISLE_E_DAMAGED, path, 0, 0,
		    "the bundle's rows cannot be read, expected an undamaged file");
	bundle_digest(bundle->meta, bundle->meta_count, &bundle->folder.parts, digest);
	said = bundle_meta(bundle, "digest");
	if (said == NULL || strcmp(said, digest) != 0)
		return err_at(err, AISLE_E_DAMAGED, path, 0, 0,
		    "the bundle's parts are not those it was built from, expected "
		    "an undamaged file");
	return 0;
}

static int
check_kind(const struct bundle *bundle, const char *expect_kind, const char *path, struct err *err)
{
	const char *kind = bundle_meta(bundle, "kind");

	if (kind == NULL || bundle_meta(bundle, "name") == NULL ||
	    bundle_meta(bundle, "version") == NULL)
		return err_at(err, AISLE_E_INVALID, path, 0, 0,
		    "the bundle does not say what it is, expected kind, name and "
		    "version");
	if (expect_kind != NULL && strcmp(kind, expect_kind) != 0)
		return err_at(err, AISLE_E_INVALID, path, 0, 0,
		    "a bundle of kind %.32s, expected %s", kind, expect_kind);
	return 0;
}

int
bundle_open(const char *path, const char *expect_kind, struct bundle **ret, struct err *err)
{
	struct bundle *bundle = mem_zero(sizeof(*bundle));
	uint8_t *bytes = NULL, hash[32];
	sqlite3 *db = NULL;
	size_t len = 0;
	int status = bundle_slurp(path, &bytes, &len, err);

	if (status != 0)
		goto out;
	hash_bytes(hash, sizeof(hash), bytes, len, NULL, 0);
	hash_hex(bundle->hash, hash, sizeof(hash));
	bundle->bytes = (int64_t)len;
	status = bundle_check_header(bytes, len, path, err);
	if (status != 0) {
		sqlite3_free(bytes);
		goto out;
	}
	status = bundle_open_memory(bytes, len, path, &db, err);
	if (status == 0)
		status = bundle_check_schema(db, path, err);
	if (status == 0)
		status = read_rows(bundle, db, path, err);
	if (status == 0)
		status = check_kind(bundle, expect_kind, path, err);
out:
	sqlite3_close(db);
	if (status == 0)
		*ret = bundle;
	else
		bundle_close(bundle);
	return status;
}

void
bundle_close(struct bundle *bundle)
{
	if (bundle == NULL)
		return;
	for (size_t i = 0; i < bundle->meta_count; i++) {
		free(bundle->meta[i].name);
		free(bundle->meta[i].value);
	}
	folder_done(&bundle->folder);
	free(bundle);
}

const char *
bundle_meta(const struct bundle *bundle, const char *name)
{
	for (size_t i = 0; i < bundle->meta_count; i++)
		if (strcmp(bundle->meta[i].name, name) == 0)
			return bundle->meta[i].value;
	return NULL;
}

const char *
bundle_hash(const struct bundle *bundle)
{
	return bundle->hash;
}

int64_t
bundle_bytes(const struct bundle *bundle)
{
	return bundle->bytes;
}

const struct policy_parts *
bundle_parts(const struct bundle *bundle)
{
	return &bundle->folder.parts;
}

int
bundle_policy(const struct bundle *bundle, struct policy **ret_policy, struct buf *report)
{
	int status = policy_compile(&bundle->folder.parts, ret_policy, report);

	if (status == 0)
		memcpy((*ret_policy)->hash, bundle->hash, sizeof(bundle->hash));
	return status;
}
