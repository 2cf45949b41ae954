/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_reader.c - the rows of a bundle, in order, in the clear or out of chunks.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/id.h"
#include "profile/profiles_internal.h"

struct profiles_reader {
	sqlite3 *db;
	sqlite3_stmt *stmt;
	enum profiles_format format;
	int64_t from, to;
	bool begun;	/* a row was given */
	struct id last; /* that one's */
	/* of an encrypted one */
	struct profiles_seal seal;
	int64_t chunks, rows, chunk, given;
	struct buf plain; /* the chunk at hand */
	size_t at;
};

/* ---- is it ours? ---- */

/* Is it for this store, and of this chain's pepper? */
static int
check_bundle(const struct profiles_install_what *what, const struct keys *keys, sqlite3 *db,
    struct err *err)
{
	char mark[9];
	char *kind = profiles_meta(db, "kind"), *for_store = profiles_meta(db, "store");
	char *pepper = profiles_meta(db, "pepper");
	int error = 0;
	profiles_pepper_mark(keys_pepper(keys), mark);
	if (kind == NULL || strcmp(kind, "profiles") != 0)
		error = err_set(err, AISLE_E_INVALID, "%s: expected a bundle of kind profiles",
		    what->bundle);
	else if (for_store == NULL || strcmp(for_store, what->store) != 0)
		error = err_set(err, AISLE_E_REFUSED, "%s: profiles of store %s, expected %s",
		    what->bundle, for_store != NULL ? for_store : "?", what->store);
	else if (pepper != NULL && strcmp(pepper, mark) != 0)
		error = err_set(err, AISLE_E_REFUSED,
		    "%s: built with another pepper (mark %s, this store's is %s)", what->bundle,
		    pepper, mark);
	free(kind);
	free(for_store);
	free(pepper);
	return error;
}

/* The content key, with the store's own. */
static int
open_box(struct profiles_reader *reader, const struct profiles_install_what *what,
    const struct keys *keys, struct err *err)
{
	uint8_t public[32], secret[32], box[PROFILES_BOX];
	char *hex = profiles_meta(reader->db, "box");
	int rc = keys_device(keys, public, secret);

	_Static_assert(PROFILES_BOX == crypto_box_SEALBYTES + 32, "box");
	if (rc != 0)
		err_set(err, AISLE_E_REFUSED,
		    "%s: encrypted, and this store has no key yet; expected aislectl enroll first",
		    what->bundle);
	else if (hex == NULL || !hash_unhex(box, sizeof(box), hex) ||
	    crypto_box_seal_open(reader->seal.key, box, sizeof(box), public, secret) != 0)
		err_set(err, AISLE_E_REFUSED,
		    "%s: encrypted to another key than this store's, or changed on its way",
		    what->bundle);
	sodium_memzero(secret, sizeof(secret));
	free(hex);
	return err->code;
}

static int
check_whole(const struct profiles_reader *reader, const struct profiles_install_what *what,
    struct err *err)
{
	char *mac = profiles_meta(reader->db, "mac"), made[PROFILES_MAC + 1];
	off_t at;
	int rc = mac == NULL || strlen(mac) != PROFILES_MAC
	    ? err_set(err, AISLE_E_DAMAGED, "%s: has no check value", what->bundle)
	    : profiles_mac(what->bundle, &reader->seal, mac, made, &at, err);

	if (rc == 0 && sodium_memcmp(made, mac, PROFILES_MAC) != 0)
		rc = err_set(err, AISLE_E_DAMAGED,
		    "%s: changed on its way: its check value is another", what->bundle);
	free(mac);
	return rc;
}

static int
open_sealed(struct profiles_reader *reader, const struct profiles_install_what *what,
    const struct keys *keys, struct err *err)
{
	int rc;

	reader->chunks = profiles_meta_number(reader->db, "chunks");
	reader->rows = profiles_meta_number(reader->db, "rows");
	if (reader->chunks < 0 || reader->rows < 0 || reader->chunks > UINT32_MAX)
		return err_set(err, AISLE_E_INVALID, "%s: says not how many rows it has",
		    what->bundle);
	profiles_seal_bind(&reader->seal, what->store, reader->from, reader->to, reader->rows,
	    reader->chunks);
	rc = open_box(reader, what, keys, err);
	return rc == 0 ? check_whole(reader, what, err) : rc;
}

static int
open_rows(struct profiles_reader *reader, const struct profiles_install_what *what,
    const struct keys *keys, struct err *err)
{
	int rc = check_bundle(what, keys, reader->db, err);

	if (rc != 0)
		return rc;
	reader->from = profiles_meta_number(reader->db, "from");
	reader->to = profiles_meta_number(reader->db, "to");
	if (reader->from < 0 || reader->to <= reader->from)
		return err_set(err, AISLE_E_INVALID,
		    "%s: not from one version to a later one, expected \"from\" and \"to\"",
		    what->bundle);
	if (what->sealed && reader->format != PROFILES_SEALED)
		return err_set(err, AISLE_E_REFUSED,
		    "[hq] root is set: a plain profiles file is not accepted");
	if (reader->format == PROFILES_SEALED && (rc = open_sealed(reader, what, keys, err)) != 0)
		return rc;
	if (sqlite3_prepare_v2(reader->db,
		reader->format == PROFILES_SEALED ? "SELECT n, body FROM chunk ORDER BY n"
						  : "SELECT id, subject, body FROM row ORDER BY id",
		TO_ZERO, &reader->stmt, NULL) != SQLITE_OK)
		return err_set(err, AISLE_E_INVALID, "%s: %s", what->bundle,
		    sqlite3_errmsg(reader->db));
	return 0;
}

int
profiles_reader_open(const struct profiles_install_what *what, const struct keys *keys,
    struct profiles_reader **ret, struct err *err)
{
	struct profiles_reader *reader = mem_zero(sizeof(*reader));
	int rc = profiles_open_any(what->bundle, &reader->format, &reader->db, err);

	if (rc == 0)
		rc = open_rows(reader, what, keys, err);
	if (rc != 0) {
		profiles_reader_close(reader);
		return rc;
	}
	*ret = reader;
	return 0;
}

void
profiles_reader_close(struct profiles_reader *reader)
{
	if (reader == NULL)
		return;
	sqlite3_finalize(reader->stmt);
	sqlite3_close(reader->db);
	buf_wipe(&reader->plain);
	sodium_memzero(reader, sizeof(*reader));
	free(reader);
}

int64_t
profiles_reader_from(const struct profiles_reader *reader)
{
	return reader->from;
}

int64_t
profiles_reader_to(const struct profiles_reader *reader)
{
	return reader->to;
}

/* ---- rows ---- */

static int
unreadable(const struct profiles_reader *reader, struct err *err)
{
	return err_set(err, AISLE_E_INVALID, "profiles: the bundle cannot be read: %s",
	    sqlite3_errmsg(reader->db));
}

static int
next_plain(struct profiles_reader *reader, struct profiles_row *ret, struct err *err)
{
	int rc = sqlite3_step(reader->stmt);

	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return unreadable(reader, err);
	int64_t id = sqlite3_column_int64(reader->stmt, 0);
	const void *bytes = sqlite3_column_blob(reader->stmt, 1);

	bool removed = sqlite3_column_type(reader->stmt, 2) == SQLITE_NULL;

	ret->body = sqlite3_column_blob(reader->stmt, 2);
	ret->len = (size_t)sqlite3_column_bytes(reader->stmt, 2);
	if (bytes == NULL || sqlite3_column_bytes(reader->stmt, 1) != 16 ||
	    (removed ? reader->from == 0 : ret->body == NULL) || ret->len > PROFILES_BODY_MAX)
		return err_set(err, AISLE_E_INVALID, "profiles: row %" PRId64 " is not a profile",
		    id);
	memcpy(ret->subject.b, bytes, 16);
	int64_t slot = profiles_slot(&ret->subject);
	if (id < slot || id - slot >= PROFILES_WINDOW)
		return err_set(err, AISLE_E_INVALID,
		    "profiles: row %" PRId64 " is not where its subject belongs", id);
	return 1;
}

static int
next_chunk(struct profiles_reader *reader, struct err *err)
{
	int rc = sqlite3_step(reader->stmt);

	if (rc == SQLITE_DONE)
		return reader->chunk == reader->chunks && reader->given == reader->rows
		    ? 0
		    : err_set(err, AISLE_E_DAMAGED,
			  "profiles: %" PRId64 " rows in %" PRId64 " chunks, expected %" PRId64
			  " in %" PRId64,
			  reader->given, reader->chunk, reader->rows, reader->chunks);
	if (rc != SQLITE_ROW)
		return unreadable(reader, err);
	buf_clear(&reader->plain);
	reader->at = 0;
	if (sqlite3_column_int64(reader->stmt, 0) != reader->chunk ||
	    profiles_chunk_open(&reader->seal, (uint32_t)reader->chunk,
		sqlite3_column_blob(reader->stmt, 1), (size_t)sqlite3_column_bytes(reader->stmt, 1),
		&reader->plain) != 0)
		return err_set(err, AISLE_E_DAMAGED, "profiles: chunk %" PRId64 " does not open",
		    reader->chunk);
	reader->chunk++;
	return 1;
}

static int
next_sealed(struct profiles_reader *reader, struct profiles_row *ret, struct err *err)
{
	while (reader->at == reader->plain.len) {
		int rc = next_chunk(reader, err);

		if (rc <= 0)
			return rc;
	}
	struct rd rd = rd_init(reader->plain.data + reader->at, reader->plain.len - reader->at);
	ret->subject = rd_id(&rd);
	uint32_t len = rd_u32(&rd);
	bool removed = len == PROFILES_REMOVED;

	ret->body = removed ? NULL : rd.at;
	ret->len = removed ? 0 : len;
	if (!rd.ok || len == 0 || (removed && reader->from == 0) || ret->len > PROFILES_BODY_MAX ||
	    ret->len > (size_t)(rd.end - rd.at))
		return err_set(err, AISLE_E_DAMAGED,
		    "profiles: a row of chunk %" PRId64 " is not a profile", reader->chunk - 1);
	reader->at += 16 + 4 + ret->len;
	reader->given++;
	return 1;
}

int
profiles_reader_next(struct profiles_reader *reader, struct profiles_row *ret, struct err *err)
{
	int rc = reader->format == PROFILES_SEALED ? next_sealed(reader, ret, err)
						   : next_plain(reader, ret, err);

	if (rc != 1)
		return rc;
	if (reader->begun && profiles_order(&reader->last, &ret->subject) >= 0)
		return err_set(err, AISLE_E_INVALID,
		    "profiles: rows are not in the order of their subjects, each once");
	reader->begun = true;
	reader->last = ret->subject;
	return 1;
}
