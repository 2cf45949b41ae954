/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles.c - HQ's part of the profiles: a plain bundle read straight, and the gateway's own set.
 *
 * BYTES
 *   A set is profiles-N.db and profiles-N.keys. In its table row body is the row's index in .keys as
 *   u32, little-endian, then the row's JSON, sealed with that key and version N, so that a row of an
 *   older set does not open in a newer one. meta has number (N), rows, store, and from and to, the
 *   versions of the bundle that it was made from.
 */
#include "profile/profiles.h"

#include <dirent.h>
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
#include "core/metrics.h"
#include "profile/profiles_internal.h"
#include "profile/vault.h"

/* ---- the transport bundle ---- */

struct profiles_bundle {
	sqlite3 *db;
	sqlite3_stmt *get;
	char *store;
};

int
profiles_bundle_open(const char *path, struct profiles_bundle **ret, struct err *err)
{
	struct profiles_bundle *bundle = mem_zero(sizeof(*bundle));
	int error = profiles_open_file(path, PROFILES_PLAIN, &bundle->db, err);
	char *kind = error == 0 ? profiles_meta(bundle->db, "kind") : NULL;
	if (error == 0 && (kind == NULL || strcmp(kind, "profiles") != 0))
		error =
		    err_set(err, AISLE_E_INVALID, "%s: expected a bundle of kind profiles", path);
	free(kind);
	if (error == 0 && (bundle->store = profiles_meta(bundle->db, "store")) == NULL)
		error = err_set(err, AISLE_E_INVALID, "%s: names no store", path);
	if (error == 0 && profiles_meta_number(bundle->db, "from") > 0)
		error = err_set(err, AISLE_E_INVALID, "%s: a delta, expected a snapshot", path);
	if (error == 0 &&
	    sqlite3_prepare_v3(bundle->db, PROFILES_GET_SQL, TO_ZERO, SQLITE_PREPARE_PERSISTENT,
		&bundle->get, NULL) != SQLITE_OK)
		error = err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(bundle->db));
	if (error != 0) {
		profiles_bundle_close(bundle);
		return error;
	}
	*ret = bundle;
	return 0;
}

void
profiles_bundle_close(struct profiles_bundle *bundle)
{
	if (bundle == NULL)
		return;
	sqlite3_finalize(bundle->get);
	sqlite3_close(bundle->db);
	free(bundle->store);
	free(bundle);
}

const char *
profiles_bundle_store(const struct profiles_bundle *bundle)
{
	return bundle->store;
}

int
profiles_bundle_get(struct profiles_bundle *bundle, const struct id *subject, struct buf *out)
{
	const void *body;
	size_t len;
	int error = profiles_find_body(bundle->get, subject, &body, &len);
	if (error == 0)
		buf_add(out, body, len);
	sqlite3_reset(bundle->get);
	return error;
}

/* ---- the gateway's own set ---- */

static void
close_current(struct profiles *profiles)
{
	sqlite3_finalize(profiles->get);
	sqlite3_close(profiles->db);
	if (profiles->words >= 0)
		close(profiles->words);
	profiles->get = NULL;
	profiles->db = NULL;
	profiles->words = -1;
	profiles->number = 0;
	profiles->version = 0;
	profiles->from = 0;
	profiles->count = 0;
}

/* A kill while a row was taken out left a journal: the immutable reader would not look at it. */
static void
recover(const char *path)
{
	char journal[4200];
	sqlite3 *db = NULL;
	snprintf(journal, sizeof(journal), "%s-journal", path);
	if (access(journal, F_OK) < 0)
		return;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK ||
	    sqlite3_exec(db, "SELECT COUNT(*) FROM meta", NULL, NULL, NULL) != SQLITE_OK)
		log_warning("profiles: journal not rolled back: %s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

int
profiles_use(struct profiles *profiles, int64_t number, struct err *err)
{
	char path[4096], words_path[4096];
	sqlite3 *db;
	sqlite3_stmt *get = NULL;
	profiles_path(profiles->dir, number, ".db", path, sizeof(path));
	profiles_path(profiles->dir, number, ".keys", words_path, sizeof(words_path));
	recover(path);
	int error = profiles_open_file(path, PROFILES_SET, &db, err);
	if (error != 0)
		return error;
	int64_t rows = profiles_meta_number(db, "rows");
	int words = -1;
	if (profiles_meta_number(db, "number") != number || rows < 0)
		error = err_set(err, AISLE_E_DAMAGED, "%s: not the file it is named", path);
	else if ((words = profiles_keys_open(words_path, number)) < 0)
		error =
		    err_set(err, AISLE_E_DAMAGED, "%s: not there, or of another set", words_path);
	/* An open read transaction: a look-up is then a walk down a tree, nothing more. */
	else if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v3(db, PROFILES_GET_SQL, TO_ZERO, SQLITE_PREPARE_PERSISTENT, &get,
		NULL) != SQLITE_OK)
		error = err_set(err, AISLE_E_IO, "%s: %s", path, sqlite3_errmsg(db));
	if (error != 0) {
		sqlite3_finalize(get);
		sqlite3_close(db);
		if (words >= 0)
			close(words);
		return error;
	}
	close_current(profiles);
	profiles->db = db;
	profiles->get = get;
	profiles->words = words;
	profiles->number = number;
	if (number > profiles->highest)
		profiles->highest = number;
	profiles->version = profiles_meta_number(db, "to");
	profiles->from = profiles_meta_number(db, "from");
	profiles->count = rows;
	profiles->walk_id = INT64_MIN;
	profiles->walk_index = 0;
	return 0;
}

/* N of "profiles-N" and one of our tails, 0: another name. *ret_left: a leftover of an install;
 * *ret_set: the file that makes it a set. */
static int64_t
number_of(const char *name, bool *ret_left, bool *ret_set)
{
	static const char *const tails[] = { ".db", ".db-journal", ".keys", ".db.tmp",
		".db.tmp-journal", ".keys.tmp" };
	int64_t number = 0;
	size_t tail = 0;
	int end = 0;
	if (sscanf(name, "profiles-%18" SCNd64 "%n", &number, &end) != 1 || number <= 0 ||
	    name[9] < '0' || name[9] > '9')
		return 0;
	while (tail < ARRAY_LEN(tails) && strcmp(name + end, tails[tail]) != 0)
		tail++;
	*ret_set = tail == 0;
	*ret_left = tail >= 3;
	return tail < ARRAY_LEN(tails) ? number : 0;
}

/* The highest number below limit; leftovers, and files below keep, are removed. */
static int64_t
scan_dir(const char *dir, int64_t limit, int64_t keep)
{
	int64_t highest = 0;
	DIR *entries = opendir(dir);
	if (entries == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
		bool left = false, set = false;
		int64_t number = number_of(entry->d_name, &left, &set);
		if (number == 0)
			continue;
		if (left || number < keep)
			unlinkat(dirfd(entries), entry->d_name, 0);
		else if (set && number < limit && number > highest)
			highest = number;
	}
	closedir(entries);
	return highest;
}

void
profiles_remove_below(const char *dir, int64_t number, void (*gone)(const char *path))
{
	DIR *entries = opendir(dir);

	for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
		bool left, set;
		int64_t n = number_of(entry->d_name, &left, &set);
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (n > 0 && n < number)
			gone(path);
	}
	if (entries != NULL)
		closedir(entries);
}

/* The word is what forgetting destroys; the row that is noise by then goes too, where the disk
 * allows it. */
static int
forget_row(struct profiles *profiles, const struct id *subject)
{
	int64_t number = profiles->number;
	const void *sealed;
	size_t len;
	uint32_t index;
	int found = number > 0 ? profiles_find(profiles->get, subject, &index, &sealed, &len)
			       : AISLE_E_NONE;
	if (profiles->get != NULL)
		sqlite3_reset(profiles->get);
	if (found != 0)
		return found == AISLE_E_NONE ? 0 : found;
	char path[4096];
	struct err err = { 0 };
	profiles_path(profiles->dir, number, ".db", path, sizeof(path));
	int words = dup(profiles->words);
	close_current(profiles);
	int error = words >= 0 ? profiles_wipe_row(path, words, subject) : AISLE_E_IO;
	if (words >= 0)
		close(words);
	int used = profiles_use(profiles, number, &err);
	return error != 0 ? error : used;
}

static int
forget_again(void *ctx, const struct id *subject)
{
	/* A kill came between the tombstone and the row. */
	if (forget_row(ctx, subject) != 0)
		log_warning("profiles: a forgotten row stays: its word cannot be written");
	return 0;
}

int
profiles_open(const char *dir, struct keys *keys, struct profiles **ret, struct err *err)
{
	struct profiles *profiles = mem_zero(sizeof(*profiles));
	profiles->dir = mem_strdup(dir);
	profiles->keys = keys;
	profiles->words = -1;
	(void)err;
	for (int64_t number = INT64_MAX; (number = scan_dir(dir, number, 0)) > 0;) {
		struct err why = { 0 };
		if (profiles_use(profiles, number, &why) == 0)
			break;
		/* Not whole: the one before serves, headquarters sends again. Its number is not given once more: a
		 * set that is placed over it would lie between its old file and its new one after a kill. */
		log_warning("profiles: %s", why.text);
		if (profiles->highest == 0) {
			profiles->highest = number;
			snprintf(profiles->trouble, sizeof(profiles->trouble), "%.190s", why.text);
		}
	}
	if (profiles->number > 0)
		scan_dir(dir, 0, profiles->number);
	if (profiles->number > 0 && keys_forgotten_each(keys, forget_again, profiles) != 0)
		log_warning("profiles: who was forgotten cannot be read");
	*ret = profiles;
	return 0;
}

void
profiles_close(struct profiles *profiles)
{
	if (profiles == NULL)
		return;
	profiles_install_drop(profiles);
	profiles_tidy(profiles);
	close_current(profiles);
	free(profiles->dir);
	free(profiles);
}

/* Their customers are served as if headquarters had said nothing: a new set mends it. */
void
profiles_row_unreadable(struct profiles *profiles)
{
	metrics_add(METRIC_PROFILES_UNREADABLE, 1);
	if (profiles->trouble[0] != '\0')
		return;
	snprintf(profiles->trouble, sizeof(profiles->trouble), "a row of it does not open");
	log_error("profiles: a row does not open, the customer is served without; "
		  "headquarters is asked for a snapshot");
}

int
profiles_get(struct profiles *profiles, const struct id *subject, struct buf *out)
{
	uint8_t key[32];
	const void *sealed = NULL;
	size_t len = 0;
	uint32_t index = 0;
	if (profiles->db == NULL)
		return AISLE_E_NONE;
	int error = profiles_find(profiles->get, subject, &index, &sealed, &len);
	if (error == 0 && keys_forgotten(profiles->keys, subject))
		error = AISLE_E_NONE;
	if (error == 0)
		error = profiles_keys_row(profiles->words, keys_data(profiles->keys), subject,
		    index, key);
	if (error == 0)
		error = vault_open(key, PROFILES_TABLE, subject->b, 16, (uint32_t)profiles->number,
		    sealed, len, out);
	sodium_memzero(key, sizeof(key));
	sqlite3_reset(profiles->get);
	if (error != 0 && error != AISLE_E_NONE)
		profiles_row_unreadable(profiles);
	return error;
}

int64_t
profiles_count(const struct profiles *profiles)
{
	return profiles->count;
}

int64_t
profiles_version(const struct profiles *profiles)
{
	return profiles->version;
}

const char *
profiles_trouble(const struct profiles *profiles)
{
	return profiles->trouble;
}

bool
profiles_is_snapshot(const struct profiles *profiles)
{
	return profiles->number > 0 && profiles->from == 0;
}

/* Whose row is in a set that cannot be used is not known: all of their words go. */
static void
forget_unusable(const struct profiles *profiles)
{
	for (int64_t n = profiles->number + 1; n <= profiles->highest; n++) {
		char path[4096];
		profiles_path(profiles->dir, n, ".keys", path, sizeof(path));
		(void)unlink(path);
		profiles_path(profiles->dir, n, ".db", path, sizeof(path));
		(void)unlink(path);
	}
}

int
profiles_forget(struct profiles *profiles, const struct id *subject)
{
	profiles_install_forget(profiles, subject);
	forget_unusable(profiles);
	return forget_row(profiles, subject);
}
