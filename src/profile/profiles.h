/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles.h - HQ's part of the profiles: the transport bundle, and
 * profiles-N.db with each row sealed under its subject's key.
 */
#ifndef AISLE_PROFILE_PROFILES_H
#define AISLE_PROFILE_PROFILES_H

#include "core/buf.h"
#include "profile/keys.h"

/* ---- build (HQ side): JSON lines to a transport bundle, an SQLite file of kind "profiles" ---- */
struct profiles_build {
	const char *input, *store, *output;
	const uint8_t *pepper; /* NULL: a line with "card" is an error (78) */
};
int profiles_build(const struct profiles_build *what, int64_t *ret_rows, struct err *err)
    AISLE_MUST_CHECK;

/* ---- read a transport bundle straight (replay, decide): rows by subject ---- */
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
/* Opens the current dir/profiles-N.db (the highest N that is whole); none: an empty set. */
int profiles_open(const char *dir, struct keys *keys, struct profiles **ret, struct err *err)
    AISLE_MUST_CHECK;
void profiles_close(struct profiles *profiles);
/* AISLE_E_NONE, AISLE_E_DAMAGED */
int profiles_get(struct profiles *profiles, const struct id *subject, struct buf *out)
    AISLE_MUST_CHECK;
int64_t profiles_count(const struct profiles *profiles);
/* An install, in bounded slices between turns: begin, then step until it returns 1 (done and
 * swapped) or < 0 (err). Forgotten subjects are left out. Abandoned files are removed by open and
 * begin. */
int profiles_install_begin(struct profiles *profiles, const char *bundle, const char *store,
    struct err *err) AISLE_MUST_CHECK;
int profiles_install_step(struct profiles *profiles, int max_rows, struct err *err)
    AISLE_MUST_CHECK;
int profiles_forget(struct profiles *profiles, const struct id *subject) AISLE_MUST_CHECK;

#endif
