/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_check.c - is this file a bundle, and only a bundle? Asked before anything in it is read.
 */
#include "sync/bundle_internal.h"

#include <string.h>

#include "core/id.h"

static uint32_t
be32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	    bytes[3];
}

/* SQLite's file format, section 1.3: magic, format versions, page count, user_version,
 * application_id. */
int
bundle_check_header(const uint8_t *bytes, size_t len, const char *path, struct err *err)
{
	uint32_t page = len >= 100 ? (uint32_t)(bytes[16] << 8 | bytes[17]) : 0;

	if (len < 100 || memcmp(bytes, "SQLite format 3", 16) != 0)
		return err_at(err, AISLE_E_INVALID, path, 0, 0,
		    "not a bundle, expected an SQLite file");
	if (be32(bytes + 68) != BUNDLE_APPLICATION_ID)
		return err_at(err, AISLE_E_INVALID, path, 0, 0,
		    "application_id is %08x, expected %08x of a bundle", be32(bytes + 68),
		    BUNDLE_APPLICATION_ID);
	if (be32(bytes + 60) != 1)
		return err_at(err, AISLE_E_INVALID, path, 0, 0, "bundle format %u, expected 1",
		    be32(bytes + 60));
	if (bytes[18] != 1 || bytes[19] != 1)
		return err_at(err, AISLE_E_INVALID, path, 0, 0,
		    "the file has a write-ahead log, expected none");
	if (page != 4096 || (uint64_t)be32(bytes + 28) * page != len)
		return err_at(err, AISLE_E_INVALID, path, 0, 0,
		    "the file has not the length that it names, expected all "
		    "of its pages");
	return 0;
}

/* Exactly our two tables, word for word: no trigger, view, index or virtual table has a row to
 * stand in. */
int
bundle_check_schema(sqlite3 *db, const char *path, struct err *err)
{
	static const char *const expected[2][3] = {
		{ "table", "meta", BUNDLE_META_SQL },
		{ "table", "part", BUNDLE_PART_SQL },
	};
	sqlite3_stmt *stmt = NULL;
	size_t row = 0;
	int rc;
	bool same = sqlite3_prepare_v2(db,
			"SELECT type, name, sql, tbl_name FROM sqlite_schema ORDER BY name", -1,
			&stmt, NULL) == SQLITE_OK;

	while (same && (rc = sqlite3_step(stmt)) != SQLITE_DONE) {
		same = rc == SQLITE_ROW && row < 2;
		for (int i = 0; same && i < 4; i++) {
			const char *text = (const char *)sqlite3_column_text(stmt, i);

			same = text != NULL && strcmp(text, expected[row][i == 3 ? 1 : i]) == 0;
		}
		row++;
	}
	sqlite3_finalize(stmt);
	if (same && row == 2)
		return 0;
	return err_at(err, AISLE_E_INVALID, path, 0, 0,
	    "the schema is not a bundle's, expected the tables meta and part "
	    "and nothing else");
}

static void
add_sized(struct buf *out, const void *bytes, size_t len)
{
	buf_i64(out, (int64_t)len);
	buf_add(out, bytes, len);
}

void
bundle_digest(const struct bundle_meta_row *meta, size_t meta_count,
    const struct policy_parts *parts, char ret_hex[static 65])
{
	struct buf all = { 0 };
	uint8_t hash[32];

	for (size_t i = 0; i < meta_count; i++) {
		if (strcmp(meta[i].name, "digest") == 0)
			continue;
		add_sized(&all, meta[i].name, strlen(meta[i].name));
		add_sized(&all, meta[i].value, strlen(meta[i].value));
	}
	buf_addc(&all, '\0');
	for (size_t i = 0; i < parts->count; i++) {
		add_sized(&all, parts->part[i].name, strlen(parts->part[i].name));
		/* The hash of a part, not the part: this buffer stays small. */
		hash_bytes(hash, sizeof(hash), parts->part[i].bytes, parts->part[i].len, NULL, 0);
		buf_add(&all, hash, sizeof(hash));
	}
	hash_bytes(hash, sizeof(hash), all.data, all.len, NULL, 0);
	hash_hex(ret_hex, hash, sizeof(hash));
	buf_done(&all);
}
