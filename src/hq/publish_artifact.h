/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_artifact.h - a bundle file: its hash, what it says it is, its chunks.
 */
#ifndef AISLE_HQ_PUBLISH_ARTIFACT_H
#define AISLE_HQ_PUBLISH_ARTIFACT_H

#include "hq/publish_goods.h"

int artifact_open(const char *path, struct artifact_file *ret, struct err *err) AISLE_MUST_CHECK;
/* Chunk n as it is in the file, of PUBLISH_CHUNK bytes or fewer. */
int artifact_plain(const struct artifact_file *artifact, int64_t n, void *out, size_t *ret_len)
    AISLE_MUST_CHECK;
/* A hash that is made piece by piece; _end frees. */
struct artifact_hash;
struct artifact_hash *artifact_hash_new(void);
void artifact_hash_add(struct artifact_hash *hash, const void *bytes, size_t len);
void artifact_hash_end(struct artifact_hash *hash, char ret_hex[static 65]);
/* A chunk as it came from a broker: its bytes into out, at most PUBLISH_CHUNK. */
int chunk_unpack(const void *packed, size_t len, struct buf *out) AISLE_MUST_CHECK;

#endif
