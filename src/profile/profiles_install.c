/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_install.c - a transport bundle to profiles-N.db, a few rows between two turns.
 *
 * DESIGN
 *   The new file is written aside, synced slice by slice (one sync of the
 *   whole at the end would stall a turn), then renamed: a crash anywhere
 *   leaves the old one. Keys are durable before the rows they seal. The old
 *   file is cut down in slices as well: to unlink 50 MB at once takes the
 *   kernel as long as a hundred slices.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/id.h"
#include "core/log.h"
#include "profile/profiles_internal.h"
#include "profile/vault.h"

#define BODY_MAX (256 << 10)
#define CUT_BYTES (4 << 20) /* of the old file, a step */

struct install {
	sqlite3 *from, *to;
	sqlite3_stmt *read, *write;
	/* of the new file, to sync it; after the swap of the old one, to cut it */
	int fd;
	bool swapped;
	int64_t number, rows;
	char path[4096], tmp[4200]; /* after the swap path is the old file's */
};

void
profiles_install_drop(struct profiles *profiles)
{
	struct install *install = profiles->install;
	if (install == NULL)
		return;
	sqlite3_finalize(install->read);
	sqlite3_finalize(install->write);
	sqlite3_close(install->from);
	sqlite3_close(install->to);
	if (install->fd >= 0)
		close(install->fd);
	if (install->tmp[0] != '\0')
		unlink(install->tmp);
	free(install);
	profiles->install = NULL;
}

/* Is it for this store, and of this chain's pepper? */
static int
check_bundle(const struct profiles *profiles, sqlite3 *db, const char *path, const char *store,
    struct err *err)
{
	char mark[9];
	char *kind = profiles_meta(db, "kind"), *for_store = profiles_meta(db, "store");
	char *pepper = profiles_meta(db, "pepper");
	int error = 0;
	profiles_pepper_mark(keys_pepper(profiles->keys), mark);
	if (kind == NULL || strcmp(kind, "profiles") != 0)
		error =
		    err_set(err, AISLE_E_INVALID, "%s: expected a bundle of kind profiles", path);
	else if (for_store == NULL || strcmp(for_store, store) != 0)
		error = err_set(err, AISLE_E_REFUSED, "%s: profiles of store %s, expected %s", path,
		    for_store != NULL ? for_store : "?", store);
	else if (pepper != NULL && strcmp(pepper, mark) != 0)
		error = err_set(err, AISLE_E_REFUSED,
		    "%s: built with another pepper (mark %s, this store's is %s)", path, pepper,
		    mark);
	free(kind);
	free(for_store);
	free(pepper);
	return error;
}

static int
create_file(struct install *install)
{
	int rc = sqlite3_open_v2(install->tmp, &install->to,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	/* No journal: a half-made file is thrown away, never repaired. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(install->to,
		    "PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
		    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA secure_delete = ON;"
		    "PRAGMA application_id = 0x4149534c; PRAGMA user_version = 1; "
		    "BEGIN; " PROFILES_META_DDL "; " PROFILES_ROW_DDL "; COMMIT",
		    NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v3(install->to,
		    "INSERT INTO row(id, subject, body) VALUES(?1, ?2, ?3)", TO_ZERO,
		    SQLITE_PREPARE_PERSISTENT, &install->write, NULL);
	return rc;
}

int
profiles_install_begin(struct profiles *profiles, const char *bundle, const char *store,
    struct err *err)
{
	profiles_install_drop(profiles);
	struct install *install = mem_zero(sizeof(*install));
	profiles->install = install;
	install->fd = -1;
	int error = profiles_open_file(bundle, &install->from, err);
	if (error == 0)
		error = check_bundle(profiles, install->from, bundle, store, err);
	if (error != 0) {
		profiles_install_drop(profiles);
		return error;
	}
	install->number = profiles->number + 1;
	profiles_path(profiles->dir, install->number, install->path, sizeof(install->path));
	snprintf(install->tmp, sizeof(install->tmp), "%s.tmp", install->path);
	unlink(install->tmp);
	install->fd = open(install->tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (install->fd < 0)
		error = err_set(err, AISLE_E_IO, "%s: %s", install->tmp, strerror(errno));
	else if (create_file(install) != SQLITE_OK)
		error =
		    err_set(err, AISLE_E_IO, "%s: %s", install->tmp, sqlite3_errmsg(install->to));
	else if (sqlite3_prepare_v2(install->from, "SELECT id, subject, body FROM row ORDER BY id",
		     TO_ZERO, &install->read, NULL) != SQLITE_OK)
		error =
		    err_set(err, AISLE_E_INVALID, "%s: %s", bundle, sqlite3_errmsg(install->from));
	if (error != 0)
		profiles_install_drop(profiles);
	return error;
}

/* Seals the row under the read cursor. 0, AISLE_E_NONE: left out (forgotten). */
static int
copy_row(struct profiles *profiles, struct install *install, struct buf *sealed, struct err *err)
{
	struct id subject;
	uint8_t key[32];
	int64_t id = sqlite3_column_int64(install->read, 0);
	const void *bytes = sqlite3_column_blob(install->read, 1),
		   *body = sqlite3_column_blob(install->read, 2);
	size_t len = (size_t)sqlite3_column_bytes(install->read, 2);
	if (bytes == NULL || sqlite3_column_bytes(install->read, 1) != 16 || body == NULL ||
	    len > BODY_MAX)
		return err_set(err, AISLE_E_INVALID, "profiles: row %" PRId64 " is not a profile",
		    id);
	memcpy(subject.b, bytes, 16);
	int64_t slot = profiles_slot(&subject);
	if (id < slot || id - slot >= PROFILES_WINDOW)
		return err_set(err, AISLE_E_INVALID,
		    "profiles: row %" PRId64 " is not where its subject belongs", id);
	int error = keys_subject(profiles->keys, &subject, true, key);
	if (error == AISLE_E_NONE)
		return error;
	if (error != 0)
		return err_set(err, error, "profiles: no key could be made");
	buf_clear(sealed);
	vault_seal(key, PROFILES_TABLE, subject.b, 16, (uint32_t)install->number, body, len,
	    sealed);
	sodium_memzero(key, sizeof(key));
	sqlite3_bind_int64(install->write, 1, id);
	sqlite3_bind_blob(install->write, 2, subject.b, 16, SQLITE_STATIC);
	sqlite3_bind_blob64(install->write, 3, sealed->data, sealed->len, SQLITE_STATIC);
	int rc = sqlite3_step(install->write);
	sqlite3_reset(install->write);
	if (rc == SQLITE_DONE)
		return 0;
	return err_set(err, (rc & 0xff) == SQLITE_FULL ? AISLE_E_FULL : AISLE_E_IO, "%s: %s",
	    install->tmp, sqlite3_errmsg(install->to));
}

static int
finish(struct profiles *profiles, struct install *install, struct err *err)
{
	char text[24];
	int64_t old = profiles->number;
	snprintf(text, sizeof(text), "%" PRId64, install->number);
	int rc = profiles_insert_meta(install->to, "number", text);
	snprintf(text, sizeof(text), "%" PRId64, install->rows);
	if (rc == SQLITE_OK)
		rc = profiles_insert_meta(install->to, "rows", text);
	static const char *const names[] = { "store", "from", "to" };
	for (size_t i = 0; rc == SQLITE_OK && i < ARRAY_LEN(names); i++) {
		char *value = profiles_meta(install->from, names[i]);
		rc = value != NULL ? profiles_insert_meta(install->to, names[i], value) : SQLITE_OK;
		free(value);
	}
	if (rc != SQLITE_OK)
		return err_set(err, AISLE_E_IO, "%s: %s", install->tmp,
		    sqlite3_errmsg(install->to));
	sqlite3_finalize(install->write);
	sqlite3_close(install->to);
	install->write = NULL;
	install->to = NULL;
	if (fsync(install->fd) < 0 || rename(install->tmp, install->path) < 0 ||
	    profiles_sync_path(profiles->dir, O_DIRECTORY) != 0)
		return err_set(err, AISLE_E_IO, "%s: %s", install->path, strerror(errno));
	install->tmp[0] = '\0';
	int error = profiles_use(profiles, install->number, err);
	if (error != 0) {
		unlink(install->path);
		return error;
	}
	close(install->fd);
	install->fd = -1;
	if (old > 0) {
		profiles_path(profiles->dir, old, install->path, sizeof(install->path));
		install->fd = open(install->path, O_RDWR | O_CLOEXEC);
	}
	install->swapped = true;
	return 0;
}

/* A piece off the end of the old file. 1: it is gone. */
static int
cut_old(struct install *install)
{
	struct stat st;
	if (install->fd < 0)
		return 1;
	if (fstat(install->fd, &st) == 0 && st.st_size > CUT_BYTES &&
	    ftruncate(install->fd, st.st_size - CUT_BYTES) == 0)
		return 0;
	unlink(install->path);
	return 1;
}

/* Up to max_rows rows. 1: that was the last. */
static int
copy_slice(struct profiles *profiles, struct install *install, int max_rows, struct err *err)
{
	struct buf sealed = { 0 };
	int rc = SQLITE_ROW, error = 0;
	for (int i = 0;
	     error == 0 && i < max_rows && (rc = sqlite3_step(install->read)) == SQLITE_ROW; i++) {
		error = copy_row(profiles, install, &sealed, err);
		install->rows += error == 0;
		if (error == AISLE_E_NONE)
			error = 0;
	}
	buf_done(&sealed);
	if (error == 0 && rc != SQLITE_ROW && rc != SQLITE_DONE)
		error = err_set(err, AISLE_E_INVALID, "profiles: the bundle cannot be read: %s",
		    sqlite3_errmsg(install->from));
	return error != 0 ? error : rc == SQLITE_DONE;
}

int
profiles_install_step(struct profiles *profiles, int max_rows, struct err *err)
{
	struct install *install = profiles->install;
	CHECK(install != NULL && max_rows > 0);
	if (install->swapped) {
		int gone = cut_old(install);
		if (gone == 1)
			profiles_install_drop(profiles);
		return gone;
	}
	int done = 0, error = 0;
	if (sqlite3_exec(install->to, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		error =
		    err_set(err, AISLE_E_IO, "%s: %s", install->tmp, sqlite3_errmsg(install->to));
	if (error == 0) {
		done = copy_slice(profiles, install, max_rows, err);
		error = done < 0 ? done : 0;
	}
	if (error == 0) {
		error = keys_commit(profiles->keys);
		if (error != 0)
			err_set(err, error, "profiles: keys could not be written");
	}
	if (error == 0 &&
	    (sqlite3_exec(install->to, "COMMIT", NULL, NULL, NULL) != SQLITE_OK ||
		fdatasync(install->fd) < 0))
		error =
		    err_set(err, AISLE_E_IO, "%s: %s", install->tmp, sqlite3_errmsg(install->to));
	if (error == 0 && done == 1)
		error = finish(profiles, install, err);
	if (error == 0)
		return 0;
	profiles_install_drop(profiles);
	return error;
}

void
profiles_install_forget(struct profiles *profiles, const struct id *subject)
{
	sqlite3_stmt *stmt = NULL;
	if (profiles->install == NULL || profiles->install->swapped)
		return;
	/* Its key is gone, so the row would be noise; a failure leaves just that. */
	if (sqlite3_prepare_v2(profiles->install->to,
		"DELETE FROM row WHERE id BETWEEN ?1 AND ?1 + 7 AND subject = ?2", TO_ZERO, &stmt,
		NULL) == SQLITE_OK) {
		sqlite3_bind_int64(stmt, 1, profiles_slot(subject));
		sqlite3_bind_blob(stmt, 2, subject->b, 16, SQLITE_STATIC);
		if (sqlite3_step(stmt) == SQLITE_DONE)
			profiles->install->rows -= sqlite3_changes(profiles->install->to);
	}
	sqlite3_finalize(stmt);
}
