/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles.h - HQ's part of the profiles: the transport bundle, and
 * profiles-N.db with each row sealed under a key of its own.
 */
#ifndef AISLE_PROFILE_PROFILES_H
#define AISLE_PROFILE_PROFILES_H

#include "core/buf.h"
#include "profile/keys.h"

/* ---- build (HQ side): JSON lines to a transport bundle, an SQLite file of kind "profiles" ---- */
struct profiles_build {
	const char *input, *store, *output;
	const uint8_t *pepper; /* NULL: a line with "card" is an error (78) */
	int64_t from;	       /* a delta upon this version; 0: a snapshot */
	int64_t version;       /* that the store has then; 0: 1 */
	const uint8_t *to;     /* the store's X25519 key, 32 bytes; NULL: in the clear */
	bool somebody;	       /* a snapshot of nobody is refused: an export that failed */
};
int profiles_build(const struct profiles_build *what, int64_t *ret_rows, struct err *err)
    AISLE_MUST_CHECK;

/* ---- read a transport bundle straight (replay, decide): rows by subject; a plain snapshot ---- */
struct profiles_bundle;
int profiles_bundle_open(const char *path, struct profiles_bundle **ret, struct err *err)
    AISLE_MUST_CHECK;
void profiles_bundle_close(struct profiles_bundle *bundle);
const char *profiles_bundle_store(const struct profiles_bundle *bundle);
/* the row's JSON; AISLE_E_NONE */
int profiles_bundle_get(struct profiles_bundle *bundle, const struct id *subject, struct buf *out)
    AISLE_MUST_CHECK;

/* ---- the gateway's own file ---- */
struct profiles;
/* Opens the current dir/profiles-N.db (the highest N that is whole); none: an empty set. One that cannot be used, being
 * damaged or of another version, stays until another one serves, or somebody is forgotten. */
int profiles_open(const char *dir, struct keys *keys, struct profiles **ret, struct err *err)
    AISLE_MUST_CHECK;
void profiles_close(struct profiles *profiles);
/* AISLE_E_NONE, AISLE_E_DAMAGED */
int profiles_get(struct profiles *profiles, const struct id *subject, struct buf *out)
    AISLE_MUST_CHECK;
/* Looks at the next rows (64 at most), from the first again after the last: a row that nobody would find is noticed. */
void profiles_walk(struct profiles *profiles, int rows);
int64_t profiles_count(const struct profiles *profiles);
/* The last install was a delta upon another version than this one: a snapshot is needed. */
bool profiles_gap(const struct profiles *profiles);
int64_t profiles_version(const struct profiles *profiles); /* as headquarters counts; 0: none */
/* Why a newer set that lies there cannot be used; "": there is none. A snapshot is needed then too. */
const char *profiles_trouble(const struct profiles *profiles);
bool profiles_is_snapshot(const struct profiles *profiles); /* the set that serves was one */

/* An install: a child process makes the new set beside the one that serves; begin, then step each
 * time that something can be read from fd, until it returns 1 (swapped, and the old one gone) or
 * < 0 (err; the old set serves on). step waits for the child where nothing can be read yet. Those
 * who are forgotten are left out, also who is it meanwhile. One install at a time: another begin
 * abandons it. */
struct profiles_install_what {
	const char *bundle, *store;
	bool sealed; /* only an encrypted bundle is taken */
	bool whole;  /* no delta is: a gap */
	bool take;   /* the bundle's file goes, once the set serves */
};
int profiles_install_begin(struct profiles *profiles, const struct profiles_install_what *what,
    struct err *err) AISLE_MUST_CHECK;
int profiles_install_fd(const struct profiles *profiles);
int profiles_install_step(struct profiles *profiles, bool *ret_swapped, struct err *err)
    AISLE_MUST_CHECK; /* *ret_swapped: in this step the new set began to serve */
void profiles_tidy(struct profiles
	*profiles); /* now and then: what is left of an install's child */
int profiles_forget(struct profiles *profiles, const struct id *subject) AISLE_MUST_CHECK;

#endif
