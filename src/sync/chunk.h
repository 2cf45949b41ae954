/* SPDX-License-Identifier: Apache-2.0
 *
 * chunk.h - a chunk of an artifact as it is sent: one zstd frame that holds exactly its bytes.
 */
#ifndef AISLE_SYNC_CHUNK_H
#define AISLE_SYNC_CHUNK_H

#include <zstd.h>

#include "aisle/base.h"
#include "aisle/refusal.h"

/* Into content, exactly size bytes of the room there. AISLE_E_REFUSED: bad-chunk, bomb if it would be more than fits, or
 * wrong-size; number is what err calls it. */
int chunk_unzip(ZSTD_DCtx *unzip, int64_t number, const void *frame, size_t len, void *content,
    size_t room, size_t size, enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;

#endif
