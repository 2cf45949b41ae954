/* SPDX-License-Identifier: Apache-2.0
 *
 * chunk.c - a chunk of an artifact as it is sent.
 *
 * DESIGN
 *   It is written into memory of a chunk's size, whatever the frame says of itself: nothing grows. One that is whole
 *   and of another length than its place has is told from one that is none: its artifact is not of the size that was
 *   signed.
 */
#include "sync/chunk.h"

#include <zstd_errors.h>

#include "trust/refusal.h"

int
chunk_unzip(ZSTD_DCtx *unzip, int64_t number, const void *frame, size_t len, void *content,
    size_t room, size_t size, enum refusal *ret_refusal, struct err *err)
{
	long long n = (long long)number;
	size_t used = ZSTD_findFrameCompressedSize(frame, len);

	if (ZSTD_isError(used) || used != len)
		return refusal_say(REFUSED_BAD_CHUNK, ret_refusal, err,
		    "chunk %lld: %zu bytes that are not one zstd frame", n, len);
	unsigned long long said = ZSTD_getFrameContentSize(frame, len);
	if (said != ZSTD_CONTENTSIZE_UNKNOWN && said != ZSTD_CONTENTSIZE_ERROR && said > room)
		return refusal_say(REFUSED_BOMB, ret_refusal, err,
		    "chunk %lld: becomes %llu bytes, expected %zu", n, said, size);
	size_t got = ZSTD_decompressDCtx(unzip, content, room, frame, len);
	if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_dstSize_tooSmall)
		return refusal_say(REFUSED_BOMB, ret_refusal, err,
		    "chunk %lld: becomes more than %zu bytes", n, room);
	if (ZSTD_isError(got) || got == 0)
		return refusal_say(REFUSED_BAD_CHUNK, ret_refusal, err, "chunk %lld: %s", n,
		    got == 0 ? "holds nothing" : ZSTD_getErrorName(got));
	if (got != size)
		return refusal_say(REFUSED_WRONG_SIZE, ret_refusal, err,
		    "chunk %lld: becomes %zu bytes, expected %zu", n, got, size);
	return 0;
}
