/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.h - one message of a store: zstd'd JSON lines, checked before anything is kept of it.
 */
#ifndef AISLE_HQ_BATCH_H
#define AISLE_HQ_BATCH_H

#include "core/buf.h"

#define BATCH_BYTES_MAX (8u << 20) /* what it may become */
#define BATCH_ROWS_MAX 65536

struct batch_row {
	int64_t seq, at_ms;
	char *type, *at, *body; /* body: JSON text */
};
struct batch {
	char store[33], lane[16], epoch[17];
	struct batch_row *rows; /* ascending by seq; at least one */
	size_t count;
	int64_t upto; /* the last seq before which nothing is missing inside the batch */
};

/* "aisle/v1/hq/store/{store}/up/{lane}". false: not such a topic. */
bool batch_topic(const char *topic, char ret_store[static 33], char ret_lane[static 16]);
/* 0, or AISLE_E_INVALID with err filled and nothing to release. */
int batch_read(const char *topic, const void *payload, size_t len, struct batch *ret_batch,
    struct err *err) AISLE_MUST_CHECK;
void batch_done(struct batch *batch);
/* zstd, bounded by max, into an empty buffer. 0 or AISLE_E_INVALID. */
int batch_unzip(const void *bytes, size_t len, size_t max, struct buf *out);

#endif
