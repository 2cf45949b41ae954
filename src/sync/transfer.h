/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer.h - one artifact of headquarters on its way in: chunks into a file, resumed after a restart or a power cut,
 * and the hash of the whole at the end.
 */
#ifndef AISLE_SYNC_TRANSFER_H
#define AISLE_SYNC_TRANSFER_H

#include "aisle/base.h"
#include "aisle/refusal.h"

#define TRANSFER_CHUNK_MIN 1024
#define TRANSFER_CHUNK_MAX (512 << 10) /* its frame fits a message of the link */
#define TRANSFER_CHUNKS_MAX 65536
#define TRANSFER_BYTES_MAX (INT64_C(256) << 20) /* of one */
#define TRANSFER_SLICE_BYTES (256 << 10)	/* that transfer_step() reads at once */
#define TRANSFER_TRIES 3 /* from the start, when the whole is not what its hash says */

/* Of all in the folder. */
#define TRANSFER_FILES_MAX \
	3 /* of each kind of bundle one: the profiles that nobody serves hold up no policy */
#define TRANSFER_FOLDER_BYTES_MAX (INT64_C(320) << 20)

struct transfer;
/* What is here of the artifact whose BLAKE2b-256 is hash (64 lower-case hex digits), of so many bytes, in chunks of so
 * many, the last of the rest: in DIR/{hash}.part, with the tags of its chunks in {hash}.map. now_ms is kept as the time
 * since when it is wanted, if it is new. 0, AISLE_E_REFUSED (malformed, wrong-size, disk-full) or AISLE_E_IO (io). */
int transfer_open(const char *dir, const char *hash, int64_t bytes, int chunk, int64_t now_ms,
    struct transfer **ret, enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
void transfer_close(struct transfer
	*transfer); /* what came stays for the next time; NULL: nothing */
void transfer_remove(struct transfer
	*transfer); /* closed, and nothing stays but a file that was renamed */

enum transfer_state {
	TRANSFER_WORKS, /* call transfer_step() again */
	TRANSFER_WAITS, /* for chunks */
	TRANSFER_AGAIN, /* it was all here and not what its hash says: it waits for all chunks anew */
	TRANSFER_WHOLE, /* it is here, on disk, and what its hash says */
};
/* A slice of what takes longer than a turn may: what was here is compared with its tags, what is whole is hashed and
 * brought to disk. A state, or AISLE_E_REFUSED (wrong-hash for the last time: nothing is left of it), AISLE_E_IO (io). */
int transfer_step(struct transfer *transfer, enum refusal *ret_refusal, struct err *err)
    AISLE_MUST_CHECK;
/* A chunk came: one zstd frame that holds exactly its bytes. 0 with *ret_new, whether it is one that was missing;
 * AISLE_E_REFUSED (bad-chunk, wrong-size, bomb, disk-full): it is as if it had not come; AISLE_E_IO (io). */
int transfer_chunk(struct transfer *transfer, int64_t number, const void *frame, size_t len,
    bool *ret_new, enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;

int transfer_missing(const struct transfer *transfer,
    int from); /* the next from there on; < 0: none */
int transfer_chunks(const struct transfer *transfer);
int64_t transfer_have_bytes(const struct transfer *transfer);
int64_t transfer_since_ms(const struct transfer *transfer); /* since when it is wanted */
const char *transfer_path(const struct transfer *transfer);

/* Makes room: of what is in the folder only these (which may not be there yet, and become so many bytes) and the newest
 * beside them stay, TRANSFER_FILES_MAX in all. */
void transfer_sweep(const char *dir, const char *const *keep, size_t keep_count,
    int64_t keep_bytes);

#endif
