/* SPDX-License-Identifier: Apache-2.0
 *
 * archive_internal.h - one entry of an archive's file: a skippable frame of zstd that says what follows, and the batch.
 */
#ifndef AISLE_HQ_ARCHIVE_INTERNAL_H
#define AISLE_HQ_ARCHIVE_INTERNAL_H

#include "hq/archive.h"

#define ARCHIVE_TOPIC_SIZE 100

void archive_entry(const char *topic, const void *payload, size_t len, struct buf *out);
/* The entry at *at; false: what is there is none, or not whole. Moves *at behind it. */
bool archive_next(const struct buf *file, size_t *at, char topic[static ARCHIVE_TOPIC_SIZE],
    const void **ret_payload, size_t *ret_len);
/* The batch without them: its lines, zstd'd anew; empty where none is left. How many records changed; 0: nothing is made. */
long long archive_clear(const struct erasures *erasures, const struct batch *batch,
    struct buf *ret_payload);
/* DIR/lock, shared by collectors, alone for who rewrites. -1: err is filled. */
int archive_lock(const char *dir, bool alone, struct err *err);
/* A whole file of at most ARCHIVE_FILE_BYTES and a batch. */
int archive_read(const char *path, struct buf *out, struct err *err) AISLE_MUST_CHECK;
/* Every file of the archive, in the order of their names. */
typedef int (*archive_file_fn)(void *ctx, const char *path, struct err *err);
int archive_files(const char *dir, archive_file_fn each, void *ctx, struct err *err)
    AISLE_MUST_CHECK;

#endif
