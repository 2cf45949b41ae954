/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_internal.h - what the files of the bundle share.
 */
#ifndef AISLE_SYNC_BUNDLE_INTERNAL_H
#define AISLE_SYNC_BUNDLE_INTERNAL_H

#include "sync/bundle.h"

#include <sqlite3.h>

#define BUNDLE_PARTS_MAX 8192
#define BUNDLE_NAME_MAX 256
#define BUNDLE_META_MAX 64
#define FOLDER_FILE_BYTES_MAX (64u << 20)

#define BUNDLE_META_SQL "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"
#define BUNDLE_PART_SQL "CREATE TABLE part(name TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID"

struct bundle_meta_row {
	char *name, *value;
};

/* ---- bundle.c ---- */

/* The whole file, in memory of sqlite3_malloc(). */
int bundle_slurp(const char *path, uint8_t **ret_bytes, size_t *ret_len, struct err *err)
    AISLE_MUST_CHECK;
/* Takes over bytes. */
int bundle_open_memory(uint8_t *bytes, size_t len, const char *path, sqlite3 **ret_db,
    struct err *err) AISLE_MUST_CHECK;

/* ---- bundle_folder.c: parts that own their names and bytes, ascending by name ---- */

struct folder {
	struct policy_parts parts;
	size_t capacity, bytes;
};
int folder_read(const char *dir, struct folder *folder, struct err *err) AISLE_MUST_CHECK;
int folder_add(struct folder *folder, const char *name, void *bytes, size_t len, struct err *err)
    AISLE_MUST_CHECK;
void folder_sort(struct folder *folder);
void folder_done(struct folder *folder);

/* ---- bundle_build.c ---- */

/* A policy's folder, with what the build adds. Mistakes are in the report. */
int bundle_compile(const char *dir, struct folder *folder, struct policy **ret_policy,
    struct buf *report, struct err *err) AISLE_MUST_CHECK;
struct bundle_what {
	const char *kind, *name;
	int64_t version;
	uint64_t bytes_max; /* of the file */
};
int bundle_write(const char *output, const struct bundle_what *what,
    const struct policy_parts *parts, struct err *err) AISLE_MUST_CHECK;

/* ---- bundle_zones.c ---- */

/* zones.json: the POSIX rules of all zones, or of those that policy.json lists. */
int zones_build(const struct policy_parts *parts, struct buf *out, struct buf *report,
    struct err *err) AISLE_MUST_CHECK;

/* ---- bundle_check.c ---- */

/* BLAKE2b-256 over all meta rows but "digest" and all parts, in order of name, lengths before
 * bytes. */
void bundle_digest(const struct bundle_meta_row *meta, size_t meta_count,
    const struct policy_parts *parts, char ret_hex[static 65]);
int bundle_check_header(const uint8_t *bytes, size_t len, const char *path, struct err *err)
    AISLE_MUST_CHECK;
int bundle_check_schema(sqlite3 *db, const char *path, struct err *err) AISLE_MUST_CHECK;

/* ---- exam.c ---- */

/* Does every model give its exam's margins? */
int exam_margins(const struct policy *policy, const struct policy_parts *parts, struct buf *report,
    struct err *err) AISLE_MUST_CHECK;
/* p1 may not fall with the depth of a ladder, on any exam row of its model. */
int exam_ladders(const struct policy *policy, const struct policy_parts *parts, struct buf *report)
    AISLE_MUST_CHECK;
/* Both, for whoever writes the policy: what fails is in the report, with file and line. */
int exam_author(const struct policy *policy, const struct policy_parts *parts, struct buf *report)
    AISLE_MUST_CHECK;

#endif
