/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_look.c - what a bundle of any kind says it is: enough for a release to name it.
 *
 * Profiles have neither name nor version in their table: theirs are the store and the number that they lead to.
 */
#include "sync/bundle_internal.h"

#include <stdio.h>
#include <string.h>

#include "core/id.h"

/* The value of this name, or of the other one, as printable text. */
static bool
read_value(sqlite3 *db, const char *name, const char *other, char *ret, size_t size)
{
	sqlite3_stmt *stmt = NULL;
	bool found = false;

	if (sqlite3_prepare_v2(db,
		"SELECT value FROM meta WHERE name IN (?, ?) ORDER BY name = ? DESC LIMIT 1", -1,
		&stmt, NULL) == SQLITE_OK) {
		sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 2, other, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 3, name, -1, SQLITE_STATIC);
		if (sqlite3_step(stmt) == SQLITE_ROW &&
		    sqlite3_column_type(stmt, 0) == SQLITE_TEXT) {
			const char *text = (const char *)sqlite3_column_text(stmt, 0);

			found = text != NULL && text[0] != '\0' && strlen(text) < size;
			if (found)
				snprintf(ret, size, "%s", text);
		}
	}
	sqlite3_finalize(stmt);
	return found;
}

int
bundle_look(const char *path, struct bundle_look *ret, struct err *err)
{
	struct bundle_look look = { 0 };
	uint8_t *bytes = NULL, hash[32];
	sqlite3 *db = NULL;
	size_t len = 0;
	int rc = bundle_slurp(path, &bytes, &len, err);

	if (rc != 0)
		return rc;
	hash_bytes(hash, sizeof(hash), bytes, len, NULL, 0);
	hash_hex(look.hash, hash, sizeof(hash));
	look.bytes = (int64_t)len;
	rc = bundle_check_header(bytes, len, path, err);
	if (rc != 0) {
		sqlite3_free(bytes);
		return rc;
	}
	rc = bundle_open_memory(bytes, len, path, &db, err);
	if (rc == 0 &&
	    (!read_value(db, "kind", "kind", look.kind, sizeof(look.kind)) ||
		!read_value(db, "name", "store", look.name, sizeof(look.name)) ||
		!read_value(db, "version", "to", look.version, sizeof(look.version))))
		rc = err_at(err, AISLE_E_INVALID, path, 0, 0,
		    "the bundle does not say what it is, expected kind, name and version of at "
		    "most 64 bytes");
	sqlite3_close(db);
	if (rc == 0)
		*ret = look;
	return rc;
}
