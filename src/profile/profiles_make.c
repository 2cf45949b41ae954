/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_make.c - a bundle to the files of the next set, beside the one that serves. Run in a child process: nothing of
 * the parent's but its keys and the current set is read, nothing of it is written.
 *
 * DESIGN
 *   Written under .tmp names and handed to the disk piece by piece: a sync of the whole at the end would
 *   hold up the turns' own syncs, on the same disk, for as long. (Rejected: a sync of each piece, which is a
 *   commit of the file system's journal each time, that the turns' syncs wait for.) What is left is synced at the
 *   end, and then named, the words first: a set without its words would be none. A crash anywhere leaves the old
 *   set or the new one.
 *
 *   A delta goes over the current set, row by row in the order of both: all rows are sealed anew, for
 *   a set is one version throughout.
 */
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

#define SLICE_ROWS 1000 /* a transaction, and handed to the disk */

struct maker {
	struct profiles_make *make;
	const struct profiles *current;
	struct profiles_reader *reader;
	sqlite3_stmt *old; /* rows of the current set; NULL: a snapshot */
	sqlite3 *db;
	sqlite3_stmt *write;
	int db_fd, words_fd;
	int64_t number, last_id;
	uint32_t index;
	uint8_t words[SLICE_ROWS * PROFILES_WORD];
	size_t word_count;
	struct buf plain, body;
	char db_path[4096], words_path[4096];
	struct err *err;
};

static int
db_error(struct maker *maker, int rc)
{
	return err_set(maker->err, (rc & 0xff) == SQLITE_FULL ? AISLE_E_FULL : AISLE_E_IO, "%s: %s",
	    maker->db_path, sqlite3_errmsg(maker->db));
}

static int
file_error(struct maker *maker, const char *path)
{
	return err_set(maker->err, errno == ENOSPC ? AISLE_E_FULL : AISLE_E_IO, "%s: %s", path,
	    strerror(errno));
}

/* ---- slices ---- */

static int
begin_slice(struct maker *maker)
{
	int rc = sqlite3_exec(maker->db, "BEGIN", NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : db_error(maker, rc);
}

/* All of the piece before must have reached the disk by then: no more than two are under way. */
static void
hand_to_disk(int fd)
{
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
}

static int
end_slice(struct maker *maker)
{
	size_t len = maker->word_count * PROFILES_WORD;
	if (write(maker->words_fd, maker->words, len) != (ssize_t)len)
		return file_error(maker, maker->words_path);
	maker->word_count = 0;
	int rc = sqlite3_exec(maker->db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return db_error(maker, rc);
	hand_to_disk(maker->words_fd);
	hand_to_disk(maker->db_fd);
	return 0;
}

static int
sync_files(struct maker *maker)
{
	if (fdatasync(maker->words_fd) < 0)
		return file_error(maker, maker->words_path);
	return fdatasync(maker->db_fd) == 0 ? 0 : file_error(maker, maker->db_path);
}

/* The next id in the window of the subject. */
static int
id_for(struct maker *maker, const struct id *subject, int64_t *ret_id)
{
	int64_t slot = profiles_slot(subject);
	*ret_id = maker->index > 0 && slot <= maker->last_id ? maker->last_id + 1 : slot;
	if (*ret_id - slot >= PROFILES_WINDOW)
		return err_set(maker->err, AISLE_E_INVALID,
		    "profiles: subjects lie too close together");
	maker->last_id = *ret_id;
	return 0;
}

static int
put_row(struct maker *maker, const struct id *subject, const void *body, size_t len)
{
	uint8_t *word = maker->words + maker->word_count * PROFILES_WORD, key[32];
	int64_t id;
	int rc = id_for(maker, subject, &id);
	if (rc != 0)
		return rc;
	randombytes_buf(word, PROFILES_WORD);
	profiles_keys_derive(keys_data(maker->current->keys), subject, word, key);
	buf_clear(&maker->body);
	buf_u32(&maker->body, maker->index);
	vault_seal(key, PROFILES_TABLE, subject->b, 16, (uint32_t)maker->number, body, len,
	    &maker->body);
	sodium_memzero(key, sizeof(key));
	sqlite3_bind_int64(maker->write, 1, id);
	sqlite3_bind_blob(maker->write, 2, subject->b, 16, SQLITE_STATIC);
	sqlite3_bind_blob64(maker->write, 3, maker->body.data, maker->body.len, SQLITE_STATIC);
	rc = sqlite3_step(maker->write);
	sqlite3_reset(maker->write);
	if (rc != SQLITE_DONE)
		return db_error(maker, rc);
	maker->index++;
	maker->word_count++;
	maker->make->rows++;
	if (maker->word_count < SLICE_ROWS)
		return 0;
	rc = end_slice(maker);
	return rc == 0 ? begin_slice(maker) : rc;
}

/* ---- the current set, row by row ---- */

/* 1: a row, its body in maker->plain; 0: no more. Who was forgotten is none of it. */
static int
next_old(struct maker *maker, struct id *ret_subject)
{
	const struct profiles *current = maker->current;
	int rc;
	while ((rc = sqlite3_step(maker->old)) == SQLITE_ROW) {
		uint8_t key[32];
		struct rd rd = rd_init(sqlite3_column_blob(maker->old, 1),
		    (size_t)sqlite3_column_bytes(maker->old, 1));
		uint32_t index = rd_u32(&rd);
		const void *subject = sqlite3_column_blob(maker->old, 0);
		if (subject == NULL || sqlite3_column_bytes(maker->old, 0) != 16 || !rd.ok)
			return err_set(maker->err, AISLE_E_DAMAGED,
			    "profiles: the current set is damaged, expected a snapshot");
		memcpy(ret_subject->b, subject, 16);
		int error = profiles_keys_row(current->words, keys_data(current->keys), ret_subject,
		    index, key);
		if (error == AISLE_E_NONE)
			continue;
		buf_clear(&maker->plain);
		if (error == 0)
			error = vault_open(key, PROFILES_TABLE, ret_subject->b, 16,
			    (uint32_t)current->number,
			    (const uint8_t *)sqlite3_column_blob(maker->old, 1) + 4,
			    (size_t)sqlite3_column_bytes(maker->old, 1) - 4, &maker->plain);
		sodium_memzero(key, sizeof(key));
		return error == 0
		    ? 1
		    : err_set(maker->err, AISLE_E_DAMAGED,
			  "profiles: the current set is damaged, expected a snapshot");
	}
	return rc == SQLITE_DONE
	    ? 0
	    : err_set(maker->err, AISLE_E_DAMAGED,
		  "profiles: the current set cannot be read, expected a snapshot");
}

static int
compare_ids(const void *a, const void *b)
{
	return id_compare(a, b);
}

static bool
forgotten(const struct maker *maker, const struct id *subject)
{
	return maker->make->forgotten_count > 0 &&
	    bsearch(subject, maker->make->forgotten, maker->make->forgotten_count, sizeof(*subject),
		compare_ids) != NULL;
}

static int
put_new(struct maker *maker, const struct profiles_row *row)
{
	return row->body == NULL || forgotten(maker, &row->subject)
	    ? 0
	    : put_row(maker, &row->subject, row->body, row->len);
}

/* Both in order: of one subject the bundle's row counts. */
static int
merge(struct maker *maker)
{
	struct profiles_row row = { 0 };
	struct id subject = { { 0 } };
	int old = maker->old != NULL ? next_old(maker, &subject) : 0, rc = 0;
	int new = old < 0 ? old : profiles_reader_next(maker->reader, &row, maker->err);
	while (rc == 0 && old >= 0 && new >= 0 && (old == 1 || new == 1)) {
		int order = old == 0 ? 1 : new == 0 ? -1 : profiles_order(&subject, &row.subject);
		if (order < 0 && !forgotten(maker, &subject))
			rc = put_row(maker, &subject, maker->plain.data, maker->plain.len);
		else if (order >= 0)
			rc = put_new(maker, &row);
		if (rc == 0 && order <= 0)
			old = next_old(maker, &subject);
		if (rc == 0 && old >= 0 && order >= 0)
			new = profiles_reader_next(maker->reader, &row, maker->err);
	}
	return rc != 0 ? rc : old < 0 ? old : new < 0 ? new : 0;
}

/* ---- the files ---- */

/* A new file, not one that lies there. */
static int
create(struct maker *maker, const char *path)
{
	unlink(path);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		file_error(maker, path);
	return fd;
}

static int
create_files(struct maker *maker)
{
	uint8_t head[PROFILES_KEYS_HEAD];
	maker->db_fd = create(maker, maker->db_path);
	maker->words_fd = maker->db_fd < 0 ? -1 : create(maker, maker->words_path);
	if (maker->words_fd < 0)
		return maker->err->code;
	profiles_keys_head(maker->number, head);
	if (write(maker->words_fd, head, sizeof(head)) != (ssize_t)sizeof(head))
		return file_error(maker, maker->words_path);
	int rc = sqlite3_open_v2(maker->db_path, &maker->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	/* No journal: a half-made file is thrown away, never repaired. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(maker->db,
		    PROFILES_BEGIN "PRAGMA user_version = 2; PRAGMA locking_mode = EXCLUSIVE;"
				   "PRAGMA secure_delete = ON; BEGIN; " PROFILES_META_DDL
				   "; " PROFILES_ROW_DDL "; COMMIT",
		    NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v3(maker->db,
		    "INSERT INTO row(id, subject, body) VALUES(?1, ?2, ?3)", TO_ZERO,
		    SQLITE_PREPARE_PERSISTENT, &maker->write, NULL);
	return rc == SQLITE_OK ? 0 : db_error(maker, rc);
}

static int
write_meta(struct maker *maker)
{
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
		{ "number", maker->number },
		{ "rows", maker->make->rows },
		{ "from", profiles_reader_from(maker->reader) },
		{ "to", profiles_reader_to(maker->reader) },
	};
	int rc = profiles_insert_meta(maker->db, "store", maker->make->what->store);
	for (size_t i = 0; rc == SQLITE_OK && i < ARRAY_LEN(numbers); i++) {
		char text[24];
		snprintf(text, sizeof(text), "%" PRId64, numbers[i].value);
		rc = profiles_insert_meta(maker->db, numbers[i].name, text);
	}
	return rc == SQLITE_OK ? 0 : db_error(maker, rc);
}

static int
fill(struct maker *maker)
{
	int rc = begin_slice(maker);
	if (rc == 0)
		rc = merge(maker);
	if (rc == 0)
		rc = write_meta(maker);
	if (rc == 0)
		rc = end_slice(maker);
	return rc == 0 ? sync_files(maker) : rc;
}

/* What the bundle is upon must be what there is. */
static int
check_version(struct maker *maker, sqlite3 **ret_old)
{
	int64_t from = profiles_reader_from(maker->reader);
	char path[4096];
	if (from == 0)
		return 0;
	maker->make->gap = maker->make->what->whole || from != maker->current->version;
	if (maker->make->what->whole)
		return err_set(maker->err, AISLE_E_REFUSED,
		    "profiles: a delta, and headquarters ordered a snapshot");
	if (maker->make->gap)
		return err_set(maker->err, AISLE_E_REFUSED,
		    "profiles: a delta upon version %" PRId64 ", and version %" PRId64
		    " is here; expected a snapshot",
		    from, maker->current->version);
	profiles_path(maker->current->dir, maker->current->number, ".db", path, sizeof(path));
	int rc = profiles_open_file(path, PROFILES_SET, ret_old, maker->err);
	if (rc == 0 &&
	    sqlite3_prepare_v2(*ret_old, "SELECT subject, body FROM row ORDER BY id", TO_ZERO,
		&maker->old, NULL) != SQLITE_OK)
		rc = err_set(maker->err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(*ret_old));
	return rc;
}

int
profiles_make(struct profiles_make *make, struct err *err)
{
	struct maker *maker = mem_zero(sizeof(*maker));
	sqlite3 *old = NULL;
	maker->make = make;
	maker->current = make->current;
	maker->err = err;
	maker->db_fd = maker->words_fd = -1;
	maker->number = profiles_next(make->current);
	profiles_path(make->current->dir, maker->number, ".db.tmp", maker->db_path,
	    sizeof(maker->db_path));
	profiles_path(make->current->dir, maker->number, ".keys.tmp", maker->words_path,
	    sizeof(maker->words_path));
	make->rows = 0;
	int rc = profiles_reader_open(make->what, make->current->keys, &maker->reader, err);
	if (rc == 0)
		rc = check_version(maker, &old);
	if (rc == 0)
		rc = create_files(maker);
	if (rc == 0)
		rc = fill(maker);
	if (rc == 0)
		make->version = profiles_reader_to(maker->reader);
	sqlite3_finalize(maker->old);
	sqlite3_finalize(maker->write);
	sqlite3_close(maker->db);
	sqlite3_close(old);
	if (maker->db_fd >= 0)
		close(maker->db_fd);
	if (maker->words_fd >= 0)
		close(maker->words_fd);
	profiles_reader_close(maker->reader);
	buf_wipe(&maker->plain);
	buf_wipe(&maker->body);
	sodium_memzero(maker, sizeof(*maker));
	free(maker);
	return rc;
}

/* ---- somebody is forgotten ---- */

int
profiles_make_forget(const struct profiles *current, const struct id *gone, size_t count,
    struct err *err)
{
	char db_path[4096], words_path[4096];
	int64_t number = profiles_next(current);
	int rc = 0;
	profiles_path(current->dir, number, ".db.tmp", db_path, sizeof(db_path));
	profiles_path(current->dir, number, ".keys.tmp", words_path, sizeof(words_path));
	int words = profiles_keys_open(words_path, number);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = words < 0 ? AISLE_E_IO : profiles_wipe_row(db_path, words, &gone[i]);
	if (words >= 0)
		close(words);
	return rc == 0 ? 0 : err_set(err, rc, "%s: who was forgotten cannot be taken out", db_path);
}

int
profiles_make_place(const struct profiles *current, struct err *err)
{
	static const char *const tails[] = { ".keys", ".db" };
	int64_t number = profiles_next(current);
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		char from[4096], to[4096], tail[16];
		snprintf(tail, sizeof(tail), "%s.tmp", tails[i]);
		profiles_path(current->dir, number, tail, from, sizeof(from));
		profiles_path(current->dir, number, tails[i], to, sizeof(to));
		if (rename(from, to) < 0)
			return err_set(err, AISLE_E_IO, "%s: %s", to, strerror(errno));
	}
	if (profiles_sync_path(current->dir, O_DIRECTORY) != 0)
		return err_set(err, AISLE_E_IO, "%s: %s", current->dir, strerror(errno));
	return 0;
}
