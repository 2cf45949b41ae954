/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_write.c - rows to a transport bundle, in the clear or encrypted to a store, at headquarters.
 *
 * The same rows in the clear give the same bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "core/id.h"
#include "core/random.h"
#include "profile/profiles_internal.h"

struct writer {
	const struct profiles_build *what;
	const struct profiles_line_row *rows;
	size_t count;
	const char *bodies, *path;
	sqlite3 *db;
	int64_t to;
	struct profiles_seal seal;
	char mac[PROFILES_MAC +
	    1]; /* until the true one is known: a word that stands nowhere else */
	struct err *err;
};

static int put(const struct writer *writer, const char *name, const char *format, ...)
    AISLE_PRINTF(3, 4);

static int
put(const struct writer *writer, const char *name, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return profiles_insert_meta(writer->db, name, text);
}

static int
write_meta(const struct writer *writer)
{
	char mark[9];
	int rc = put(writer, "from", "%" PRId64, writer->what->from);

	if (rc == SQLITE_OK)
		rc = put(writer, "kind", "profiles");
	if (rc == SQLITE_OK && writer->what->pepper != NULL) {
		profiles_pepper_mark(writer->what->pepper, mark);
		rc = put(writer, "pepper", "%s", mark);
	}
	if (rc == SQLITE_OK)
		rc = put(writer, "rows", "%zu", writer->count);
	if (rc == SQLITE_OK)
		rc = put(writer, "store", "%s", writer->what->store);
	return rc == SQLITE_OK ? put(writer, "to", "%" PRId64, writer->to) : rc;
}

/* Subjects that share their first 8 bytes take the next ids. false: no room in the window. */
static bool
next_id(const struct writer *writer, size_t i, int64_t *last)
{
	int64_t slot = profiles_slot(&writer->rows[i].subject);
	int64_t id = i > 0 && slot <= *last ? *last + 1 : slot;

	*last = id;
	return id - slot < PROFILES_WINDOW;
}

static int
write_rows(const struct writer *writer)
{
	sqlite3_stmt *stmt = NULL;
	int64_t id = INT64_MIN;
	int rc = sqlite3_prepare_v2(writer->db,
	    "INSERT INTO row(id, subject, body) VALUES(?1, ?2, ?3)", TO_ZERO, &stmt, NULL);

	for (size_t i = 0; rc == SQLITE_OK && i < writer->count; i++) {
		const struct profiles_line_row *row = &writer->rows[i];

		if (!next_id(writer, i, &id)) {
			rc = SQLITE_CONSTRAINT;
			break;
		}
		sqlite3_bind_int64(stmt, 1, id);
		sqlite3_bind_blob(stmt, 2, row->subject.b, 16, SQLITE_STATIC);
		if (row->len == PROFILES_REMOVED)
			sqlite3_bind_null(stmt, 3);
		else
			sqlite3_bind_blob(stmt, 3, writer->bodies + row->at, (int)row->len,
			    SQLITE_STATIC);
		rc = sqlite3_step(stmt) == SQLITE_DONE ? sqlite3_reset(stmt)
						       : sqlite3_errcode(writer->db);
	}
	sqlite3_finalize(stmt);
	return rc;
}

/* ---- encrypted ---- */

static size_t
bytes_of(const struct profiles_line_row *row)
{
	return 16 + 4 + (row->len == PROFILES_REMOVED ? 0 : row->len);
}

/* The rows of the next chunk, from first on: until it is full. */
static size_t
chunk_end(const struct writer *writer, size_t first)
{
	size_t bytes = 0, i = first;

	while (i < writer->count &&
	    (i == first || bytes + bytes_of(&writer->rows[i]) <= PROFILES_CHUNK_BYTES))
		bytes += bytes_of(&writer->rows[i++]);
	return i;
}

static int64_t
count_chunks(const struct writer *writer)
{
	int64_t chunks = 0;

	for (size_t i = 0; i < writer->count; chunks++)
		i = chunk_end(writer, i);
	return chunks;
}

static int
begin_seal(struct writer *writer)
{
	uint8_t box[PROFILES_BOX], word[PROFILES_MAC / 2];
	char hex[2 * PROFILES_BOX + 1], key[65];
	int64_t chunks = count_chunks(writer);
	int rc;

	randombytes_buf(writer->seal.key, sizeof(writer->seal.key));
	profiles_seal_bind(&writer->seal, writer->what->store, writer->what->from, writer->to,
	    (int64_t)writer->count, chunks);
	if (crypto_box_seal(box, writer->seal.key, sizeof(writer->seal.key), writer->what->to) != 0)
		return SQLITE_MISUSE;
	hash_hex(hex, box, sizeof(box));
	hash_hex(key, writer->what->to, 32);
	randombytes_buf(word, sizeof(word));
	hash_hex(writer->mac, word, sizeof(word));
	rc = put(writer, "box", "%s", hex);
	if (rc == SQLITE_OK)
		rc = put(writer, "key", "%s", key);
	if (rc == SQLITE_OK)
		rc = put(writer, "chunks", "%" PRId64, chunks);
	return rc == SQLITE_OK ? put(writer, "mac", "%s", writer->mac) : rc;
}

static void
fill_chunk(const struct writer *writer, size_t first, size_t end, struct buf *out)
{
	buf_clear(out);
	for (size_t i = first; i < end; i++) {
		const struct profiles_line_row *row = &writer->rows[i];

		buf_id(out, &row->subject);
		buf_u32(out, row->len);
		if (row->len != PROFILES_REMOVED)
			buf_add(out, writer->bodies + row->at, row->len);
	}
}

static int
write_chunks(const struct writer *writer)
{
	struct buf rows = { 0 }, sealed = { 0 };
	sqlite3_stmt *stmt = NULL;
	int64_t id = INT64_MIN;
	uint32_t n = 0;
	int rc = sqlite3_prepare_v2(writer->db, "INSERT INTO chunk(n, body) VALUES(?1, ?2)",
	    TO_ZERO, &stmt, NULL);

	for (size_t i = 0; rc == SQLITE_OK && i < writer->count; i++)
		rc = next_id(writer, i, &id) ? SQLITE_OK : SQLITE_CONSTRAINT;
	for (size_t i = 0; rc == SQLITE_OK && i < writer->count; n++) {
		size_t end = chunk_end(writer, i);

		fill_chunk(writer, i, end, &rows);
		buf_clear(&sealed);
		profiles_chunk_seal(&writer->seal, n, &rows, &sealed);
		sqlite3_bind_int64(stmt, 1, n);
		sqlite3_bind_blob64(stmt, 2, sealed.data, sealed.len, SQLITE_STATIC);
		rc = sqlite3_step(stmt) == SQLITE_DONE ? sqlite3_reset(stmt)
						       : sqlite3_errcode(writer->db);
		i = end;
	}
	sqlite3_finalize(stmt);
	buf_wipe(&rows);
	buf_done(&sealed);
	return rc;
}

/* The true one, in the place of the word. */
static int
write_mac(const struct writer *writer)
{
	char mac[PROFILES_MAC + 1];
	off_t at;
	int rc = profiles_mac(writer->path, &writer->seal, writer->mac, mac, &at, writer->err), fd;

	if (rc != 0)
		return rc;
	fd = open(writer->path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, mac, PROFILES_MAC, at) != PROFILES_MAC)
		rc = err_set(writer->err, AISLE_E_IO, "%s: %s", writer->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

/* ---- the file ---- */

static int
fill(struct writer *writer)
{
	bool sealed = writer->what->to != NULL;
	int rc = sqlite3_exec(writer->db,
	    sealed ? PROFILES_BEGIN "PRAGMA user_version = 1; BEGIN; " PROFILES_META_DDL
				    "; " PROFILES_CHUNK_DDL
		   : PROFILES_BEGIN "PRAGMA user_version = 1; BEGIN; " PROFILES_META_DDL
				    "; " PROFILES_ROW_DDL,
	    NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = write_meta(writer);
	if (rc == SQLITE_OK && sealed)
		rc = begin_seal(writer);
	if (rc == SQLITE_OK)
		rc = sealed ? write_chunks(writer) : write_rows(writer);
	return rc == SQLITE_OK ? sqlite3_exec(writer->db, "COMMIT", NULL, NULL, NULL) : rc;
}

int
profiles_write(const struct profiles_build *what, const struct profiles_line_row *rows,
    size_t count, const char *bodies, const char *path, struct err *err)
{
	struct writer writer = { .what = what,
		.rows = rows,
		.count = count,
		.bodies = bodies,
		.path = path,
		.to = what->version > 0 ? what->version : 1,
		.err = err };
	int rc, error = 0;

	if (what->to != NULL && random_begin(err) != 0)
		return AISLE_E_IO;
	unlink(path);
	rc = sqlite3_open_v2(path, &writer.db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = fill(&writer);
	if (rc != SQLITE_OK)
		error = err_set(err, AISLE_E_IO, "%s: %s", path,
		    rc == SQLITE_CONSTRAINT   ? "subjects lie too close together"
			: rc == SQLITE_MISUSE ? "not a key that can be encrypted to"
					      : sqlite3_errmsg(writer.db));
	sqlite3_close(writer.db);
	if (error == 0 && what->to != NULL)
		error = write_mac(&writer);
	sodium_memzero(&writer.seal, sizeof(writer.seal));
	return error;
}
