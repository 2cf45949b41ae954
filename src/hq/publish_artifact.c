/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_artifact.c - a bundle file: its hash, what it says it is, its chunks as they are sent.
 */
#include "hq/publish_artifact.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <zstd.h>

#include "core/id.h"
#include "hq/batch.h"
#include "sync/bundle.h"

#define LEVEL 9 /* packed once, fetched by thousands */

struct artifact_hash {
	crypto_generichash_state state;
};

struct artifact_hash *
artifact_hash_new(void)
{
	void *hash = NULL;

	/* The library wants it on 64 bytes. */
	CHECK(posix_memalign(&hash, 64, sizeof(struct artifact_hash)) == 0);
	crypto_generichash_init(&((struct artifact_hash *)hash)->state, NULL, 0, 32);
	return hash;
}

void
artifact_hash_add(struct artifact_hash *hash, const void *bytes, size_t len)
{
	crypto_generichash_update(&hash->state, bytes, len);
}

void
artifact_hash_end(struct artifact_hash *hash, char ret_hex[static 65])
{
	uint8_t digest[32];

	crypto_generichash_final(&hash->state, digest, sizeof(digest));
	hash_hex(ret_hex, digest, sizeof(digest));
	free(hash);
}

int
artifact_open(const char *path, struct artifact_file *ret, struct err *err)
{
	struct bundle_look look;
	int rc = bundle_look(path, &look, err);

	if (rc != 0)
		return rc;
	*ret =
	    (struct artifact_file){ .path = mem_strdup(path), .bytes = look.bytes, .packed = -1 };
	memcpy(ret->hash, look.hash, sizeof(ret->hash));
	memcpy(ret->kind, look.kind, sizeof(ret->kind));
	memcpy(ret->name, look.name, sizeof(ret->name));
	memcpy(ret->version, look.version, sizeof(ret->version));
	return 0;
}

int64_t
artifact_chunks(int64_t bytes)
{
	return (bytes + PUBLISH_CHUNK - 1) / PUBLISH_CHUNK;
}

int
artifact_plain(const struct artifact_file *artifact, int64_t n, void *out, size_t *ret_len)
{
	int fd = open(artifact->path, O_RDONLY | O_CLOEXEC);
	int64_t from = n * PUBLISH_CHUNK, rest = artifact->bytes - from;
	size_t len = rest < PUBLISH_CHUNK ? (size_t)rest : PUBLISH_CHUNK, done = 0;
	struct stat st;
	bool same = fd >= 0 && fstat(fd, &st) == 0 && (int64_t)st.st_size == artifact->bytes;

	while (same && done < len) {
		ssize_t got =
		    pread(fd, (char *)out + done, len - done, (off_t)(from + (int64_t)done));

		if (got <= 0)
			break;
		done += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	*ret_len = len;
	return same && done == len ? 0 : AISLE_E_IO;
}

int
artifact_chunk(const struct artifact_file *artifact, int64_t n, struct buf *out, struct err *err)
{
	static char plain[PUBLISH_CHUNK];
	size_t len, room = ZSTD_compressBound(PUBLISH_CHUNK), packed;

	CHECK(n >= 0 && n < artifact_chunks(artifact->bytes));
	if (artifact_plain(artifact, n, plain, &len) != 0)
		return err_set(err, AISLE_E_REFUSED,
		    "%s: is not the file that it was, expected %" PRId64 " bytes", artifact->path,
		    artifact->bytes);
	buf_clear(out);
	buf_reserve(out, room + 1);
	packed = ZSTD_compress(out->data, room, plain, len, LEVEL);
	CHECK(!ZSTD_isError(packed));
	out->len = packed;
	out->data[packed] = '\0';
	return 0;
}

int
artifact_pack(struct artifact_file *artifact, struct err *err)
{
	struct buf chunk = { 0 };
	int rc = 0;

	if (artifact->packed >= 0)
		return 0;
	artifact->packed = 0;
	for (int64_t n = 0; rc == 0 && n < artifact_chunks(artifact->bytes); n++) {
		rc = artifact_chunk(artifact, n, &chunk, err);
		artifact->packed += (int64_t)chunk.len;
	}
	if (rc != 0)
		artifact->packed = -1;
	buf_done(&chunk);
	return rc;
}

int
chunk_unpack(const void *packed, size_t len, struct buf *out)
{
	buf_clear(out);
	return batch_unzip(packed, len, PUBLISH_CHUNK, out);
}
