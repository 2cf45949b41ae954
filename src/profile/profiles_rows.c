/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_rows.c - the row of one customer: found, and taken out.
 */
#include "core/id.h"
#include "core/log.h"
#include "profile/profiles_internal.h"

/* As ids are given out: by the first eight bytes as a signed number, then by all of them. */
int
profiles_order(const struct id *a, const struct id *b)
{
	int64_t p = profiles_slot(a), q = profiles_slot(b);
	if (p != q)
		return p < q ? -1 : 1;
	return id_compare(a, b);
}

/* The body of subject's row as it is in the file, borrowed until the statement is reset. */
int
profiles_find_body(sqlite3_stmt *get, const struct id *subject, const void **ret_body,
    size_t *ret_len)
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

int
profiles_find(sqlite3_stmt *get, const struct id *subject, uint32_t *ret_index,
    const void **ret_sealed, size_t *ret_len)
{
	const void *body = NULL;
	size_t len = 0;
	int error = profiles_find_body(get, subject, &body, &len);
	if (error != 0)
		return error;
	struct rd rd = rd_init(body, len);
	*ret_index = rd_u32(&rd);
	if (body == NULL || !rd.ok)
		return AISLE_E_DAMAGED;
	*ret_sealed = (const uint8_t *)body + 4;
	*ret_len = len - 4;
	return 0;
}

/* ---- somebody is forgotten ---- */

int
profiles_wipe_row(const char *db_path, int words, const struct id *subject)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *get = NULL, *drop = NULL;
	const void *sealed;
	size_t len;
	uint32_t index;
	int rc = sqlite3_open_v2(db_path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "PRAGMA secure_delete = ON; PRAGMA journal_mode = DELETE",
		    NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, PROFILES_GET_SQL, TO_ZERO, &get, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db,
		    "DELETE FROM row WHERE id BETWEEN ?1 AND ?1 + 7 AND subject = ?2", TO_ZERO,
		    &drop, NULL);
	int found =
	    rc == SQLITE_OK ? profiles_find(get, subject, &index, &sealed, &len) : AISLE_E_IO;
	sqlite3_finalize(get);
	if (found == 0)
		found = profiles_keys_destroy(words, index);
	/* What is left is noise: that it stays is no failure. */
	if (found == 0) {
		sqlite3_bind_int64(drop, 1, profiles_slot(subject));
		sqlite3_bind_blob(drop, 2, subject->b, 16, SQLITE_STATIC);
		if (sqlite3_step(drop) != SQLITE_DONE)
			log_warning("profiles: a forgotten row stays as noise: %s",
			    sqlite3_errmsg(db));
	}
	sqlite3_finalize(drop);
	sqlite3_close(db);
	return found == AISLE_E_NONE ? 0 : found;
}
