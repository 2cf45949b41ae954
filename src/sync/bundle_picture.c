/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_picture.c - one image out of a bundle, by the hash of its bytes.
 *
 * DESIGN
 *   Images are not kept in memory, and a bundle is not read whole for one of them: SQLite
 *   looks up the row. The file was hashed when it was activated; that it still says the
 *   same is seen by the image's own hash, which is what was asked for.
 */
#include "sync/bundle_internal.h"

#include <string.h>

#include "core/id.h"
#include "nouns/picture.h"

static bool
is_it(const void *bytes, size_t len, const char *hash)
{
	uint8_t found[32];
	char hex[65];

	hash_bytes(found, sizeof(found), bytes, len, NULL, 0);
	hash_hex(hex, found, sizeof(found));
	return strcmp(hex, hash) == 0;
}

static int
find(sqlite3_stmt *stmt, const char *hash, struct buf *out)
{
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const void *bytes = sqlite3_column_blob(stmt, 0);
		size_t len = (size_t)sqlite3_column_bytes(stmt, 0);

		if (bytes == NULL || len > PICTURE_BYTES_MAX || !is_it(bytes, len, hash))
			continue;
		buf_add(out, bytes, len);
		return 0;
	}
	return rc == SQLITE_DONE ? AISLE_E_NONE : AISLE_E_IO;
}

int
bundle_picture(const char *path, const char *name, const char *hash, struct buf *out)
{
	static const char
	    *const one = "SELECT body FROM part WHERE name = ?",
		   *const any = "SELECT body FROM part WHERE name > 'images/' AND name < 'images0'";
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	int status = AISLE_E_IO;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) ==
		SQLITE_OK &&
	    sqlite3_prepare_v2(db, name != NULL ? one : any, -1, &stmt, NULL) == SQLITE_OK &&
	    (name == NULL || sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) == SQLITE_OK))
		status = find(stmt, hash, out);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return status;
}
