/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle.h - one read-only SQLite file that HQ sends: build, open, compare, inspect.
 *
 * application_id 0x4149534c ("AISL"), user_version 1, tables
 * meta(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID and
 * part(name TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID; nothing else: any
 * trigger, view, index or other table is refused.
 */
#ifndef AISLE_SYNC_BUNDLE_H
#define AISLE_SYNC_BUNDLE_H

#include "aisle/policy.h"
#include "core/buf.h"
#include "policy/policy_load.h"

#define BUNDLE_APPLICATION_ID 0x4149534c
#define BUNDLE_BYTES_MAX (256u << 20)

struct bundle;
/* Opens immutable, compares the schema, reads the parts. expect_kind NULL: any. */
int bundle_open(const char *path, const char *expect_kind, struct bundle **ret, struct err *err)
    AISLE_MUST_CHECK;
void bundle_close(struct bundle *bundle);
const char *bundle_meta(const struct bundle *bundle,
    const char *name);				      /* "kind", "name", "version"; NULL */
const char *bundle_hash(const struct bundle *bundle); /* BLAKE2b-256 of the file, 64 hex digits */
int64_t bundle_bytes(const struct bundle *bundle);
const struct policy_parts *bundle_parts(const struct bundle *bundle);
/* Its policy, compiled; owned by the caller. */
int bundle_policy(const struct bundle *bundle, struct policy **ret_policy, struct buf *report)
    AISLE_MUST_CHECK;
/* What a file of any kind says it is. */
struct bundle_look {
	char kind[16], name[65], version[65];
	char hash[65]; /* BLAKE2b-256 of the file */
	int64_t bytes;
};
int bundle_look(const char *path, struct bundle_look *ret, struct err *err) AISLE_MUST_CHECK;

/* Its image with this hash (64 hex digits), of the file at path, appended to out; name is its part's,
 * NULL: not known, all are looked at. AISLE_E_NONE: it has none. */
int bundle_picture(const char *path, const char *name, const char *hash, struct buf *out)
    AISLE_MUST_CHECK;

/* A folder to a bundle file (temp, fsync, rename): the same bytes for the same folder. Runs policy_compile first. */
int bundle_build(const char *dir, const char *output, struct buf *report, struct err *err)
    AISLE_MUST_CHECK;
/* policy check DIR: mistakes as of the build, and what is dead or senseless at now_ms. */
int policy_check_dir(const char *dir, int64_t now_ms, const struct policy_goods *goods,
    struct buf *report, struct err *err) AISLE_MUST_CHECK;
void bundle_inspect(const struct bundle *bundle, bool json, struct buf *out);
/* Every model against its exam rows: 0, or AISLE_E_REFUSED with the first that fails. */
int bundle_examine(const struct bundle *bundle, struct buf *report, struct err *err)
    AISLE_MUST_CHECK;
/* The same of a policy that was compiled from it already. */
int bundle_examine_policy(const struct bundle *bundle, const struct policy *policy,
    struct buf *report, struct err *err) AISLE_MUST_CHECK;

#endif
