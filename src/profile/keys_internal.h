/* SPDX-License-Identifier: Apache-2.0
 *
 * keys_internal.h - what keys.c and keys_secrets.c share.
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
	bool has_device;
	uint8_t device[32]; /* X25519 */
	struct cached cache[KEYS_CACHED];
};

enum keys_statement {
	KEYS_GET,
	KEYS_PUT,
	KEYS_STONE,
	KEYS_STONES,
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
	bool in_tx;	/* new keys wait for keys_commit */
	int64_t losses; /* how often they were rolled back, or a key could not be read */
};

/* An SQLite result as one of ours; new keys that waited are rolled back and counted as lost. */
int keys_error(struct keys *keys, int rc);
/* Steps a statement without rows, and resets it. */
int keys_run(struct keys *keys, sqlite3_stmt *stmt);
/* Data key and pepper, found or (fresh) made; inside an open transaction. */
int keys_load_secrets(struct keys *keys, bool fresh, struct err *err);

#endif
