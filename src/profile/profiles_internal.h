/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_internal.h - what the profiles_*.c files share.
 */
#ifndef AISLE_PROFILE_PROFILES_INTERNAL_H
#define AISLE_PROFILE_PROFILES_INTERNAL_H

#include <jansson.h>
#include <sqlite3.h>

#include "profile/profiles.h"

#define PROFILES_APPLICATION_ID 0x4149534c /* "AISL", as every bundle */
#define PROFILES_FORMAT 1
#define PROFILES_WINDOW 8	  /* ids a subject may take; in the SQL as + 7 */
#define PROFILES_TABLE "profiles" /* the vault's word for these rows */

#define PROFILES_META_DDL "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"
#define PROFILES_ROW_DDL "CREATE TABLE row(id INTEGER PRIMARY KEY, subject BLOB, body BLOB)"

/* Where a line stands, and what is needed to read it. */
struct profiles_line {
	const char *name;
	int line;
	const uint8_t *pepper; /* NULL: a card is an error */
	bool delta;
	struct err *err;
};
int profiles_line_check(const struct profiles_line *place, json_t *line, struct id *ret_subject,
    bool *ret_removed) AISLE_MUST_CHECK;

struct install;
struct profiles {
	char *dir;
	struct keys *keys;
	int64_t number; /* N of the current file; 0: none */
	int64_t count;
	sqlite3 *db; /* NULL: an empty set */
	sqlite3_stmt *get;
	struct install *install;
};

/* First 8 bytes of the subject, big-endian; lowered where the window would not fit. */
int64_t profiles_slot(const struct id *subject);
/* Read-only and immutable: nobody changes such a file, so no lock is taken for a look-up. */
int profiles_open_file(const char *path, sqlite3 **ret_db, struct err *err);
/* The value of a meta row, allocated; NULL: none. */
char *profiles_meta(sqlite3 *db, const char *name);
int profiles_insert_meta(sqlite3 *db, const char *name, const char *value);
/* "a1b2c3d4": tells peppers apart without telling the pepper. */
void profiles_pepper_mark(const uint8_t pepper[static 32], char out[static 9]);
void profiles_path(const char *dir, int64_t number, char *path, size_t size);
/* Opens file number as the current one, closing the one before. */
int profiles_use(struct profiles *profiles, int64_t number, struct err *err);
/* an install under way, if any, is abandoned */
void profiles_install_drop(struct profiles *profiles);
void profiles_install_forget(struct profiles *profiles, const struct id *subject);
int profiles_sync_path(const char *path, int flags); /* fsync of a file or folder */

#endif
