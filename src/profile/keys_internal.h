/* SPDX-License-Identifier: Apache-2.0
 *
 * keys_internal.h - what the files of keys.db share.
 */
#ifndef AISLE_PROFILE_KEYS_INTERNAL_H
#define AISLE_PROFILE_KEYS_INTERNAL_H

#include <sqlite3.h>

#include "profile/keys.h"

#define KEYS_VERSION 1 /* of sealed values, bound into them */

#define KEYS_CACHED 128 /* power of two */

/* A subject's key as it was last looked up; key that is not there yet, or no more, is not here. */
struct cached {
	bool used;
	struct id subject;
	uint8_t key[32];
};

/* In locked, guarded pages of its own. */
struct secrets {
	uint8_t data[32], pepper[32];
	bool has_device, pepper_given, credential;
	uint8_t device[32]; /* X25519 */
	struct cached cache[KEYS_CACHED];
};

enum keys_statement {
	KEYS_GET,
	KEYS_PUT,
	KEYS_KEEP,
	KEYS_STONE,
	KEYS_STONES,
	KEYS_PAGES,
	KEYS_SECRET_GET,
	KEYS_SECRET_PUT,
	KEYS_SECRET_DROP,
	KEYS_COUNT
};
struct keys {
	sqlite3 *db;
	sqlite3_stmt *stmt[KEYS_COUNT];
	struct secrets *secrets;
	char *dir; /* NULL: in memory */
	bool real_disk;
	bool in_tx;		 /* new keys wait for keys_commit */
	int64_t losses;		 /* how often they were rolled back, or a key could not be read */
	bool suspect;		 /* damage was met */
	bool unmended;		 /* and there was no room, or nothing to mend it with */
	int64_t scrubbed, pages; /* how far the walk has come, and how far it goes */
	int64_t mended; /* what did not open, at least one each time; keys_mended() takes it */
};

/* Is an SQLite result that of a damaged page? */
bool keys_damage(int rc);
/* An SQLite result as one of ours; new keys that waited are rolled back and counted as lost. */
int keys_error(struct keys *keys, int rc);
/* Steps a statement without rows, and resets it. */
int keys_run(struct keys *keys, sqlite3_stmt *stmt);
/* ---- keys_open.c ---- */
/* Before there are tables: pages with room for their sum. */
int keys_reserve(struct keys *keys, struct err *err);
/* Empty tables and the statements over them. */
int keys_create(struct keys *keys, struct err *err);
int keys_prepare(struct keys *keys, struct err *err);

/* ---- keys_secrets.c ---- */
/* Data key and pepper, found or (fresh) made; inside an open transaction. */
int keys_load_secrets(struct keys *keys, bool fresh, struct err *err);
/* 32 raw bytes or 64 hex digits (a newline may follow). AISLE_E_NONE: no credential. */
int keys_read_credential(uint8_t out[static 32], struct err *err);
/* The names of secrets, ended by NULL; all but KEYS_DATA are sealed. */
#define KEYS_DATA "data"
extern const char *const keys_secret_names[];
#define KEYS_SECRET_MAX 32 /* bytes of one, and of its name */
int keys_put_secret(struct keys *keys, const char *name, const void *value, size_t len);

/* ---- keys_salvage.c ---- */
/* Of a copy that was made and not put in place any more: that is done now. true: it was. */
bool keys_salvage_finish(const struct keys *keys);
/* keys->db is closed: what can be read of the file becomes a whole one in its place. before: it is not damaged as far as
 * anybody knows, but of before there were sums. */
int keys_salvage(struct keys *keys, bool before);

#endif
