/* SPDX-License-Identifier: Apache-2.0
 *
 * archive.h - batches as they came, in files: DIR/LANE/YYYY-MM-DD/COLLECTOR-START.zst, by the day of arrival (UTC).
 */
#ifndef AISLE_HQ_ARCHIVE_H
#define AISLE_HQ_ARCHIVE_H

#include "hq/batch.h"
#include "hq/erasure.h"
#include "hq/keep.h"

#define ARCHIVE_FILE_BYTES (64u << 20) /* then another is begun */

struct archive;
/* name: of the collector. DIR is made if it is not there. 0, AISLE_E_IO. */
int archive_open(const char *dir, const char *name, struct archive **ret_archive, struct err *err)
    AISLE_MUST_CHECK;
void archive_close(struct archive *archive); /* NULL: nothing */
/* Between begin and end nobody rewrites a file; end: on disk when it returns 0. */
int archive_begin(struct archive *archive, struct err *err) AISLE_MUST_CHECK;
/* The batch as it came in payload; without those who were forgotten, should it name one. */
int archive_add(struct archive *archive, const struct batch *batch, const struct buf *payload,
    const struct erasures *erasures, struct err *err) AISLE_MUST_CHECK;
int archive_end(struct archive *archive, struct err *err) AISLE_MUST_CHECK;
/* Days that are no longer kept go. */
int archive_tend(struct archive *archive, const struct keep *keep, int32_t today, struct err *err)
    AISLE_MUST_CHECK;

/* Every batch that is whole, file by file in their order; 0 goes on, else it ends with that. What a collector that was
 * killed left half written is passed over. */
typedef int (*archive_fn)(void *ctx, const char *topic, const void *payload, size_t len,
    struct err *err);
int archive_each(const char *dir, archive_fn each, void *ctx, struct err *err) AISLE_MUST_CHECK;
/* Rewrites the files that name somebody who was forgotten, each whole and in one step. *ret_records: how many changed. */
int archive_erase(const char *dir, const struct erasures *erasures, long long *ret_records,
    struct err *err) AISLE_MUST_CHECK;

#endif
