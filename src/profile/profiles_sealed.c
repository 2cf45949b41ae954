/* SPDX-License-Identifier: Apache-2.0
 *
 * profiles_sealed.c - a bundle of profiles that one store alone can read.
 *
 * DESIGN
 *   Each bundle has a content key of its own, in a sealed box (X25519) to the store's key. Rows come
 *   in chunks, packed and then sealed (XChaCha20-Poly1305), bound to store, versions, number of
 *   rows, number of chunks, and which of them it is: none can be swapped, left out, put in twice or
 *   brought to another store or version. Who it is from the release says, not this file: anyone
 *   can encrypt to a public key.
 *
 *   A changed bit in what SQLite does not read (a page's free room) is found too: a MAC over the
 *   whole file, which stands in its table meta, in the file itself; for its own place there it
 *   counts zeros.
 *
 * BYTES
 *   meta: kind, store, from, to, rows, pepper as in the clear, and
 *     key     the store's key that it is for, hex
 *     box     crypto_box_seal of the content key, hex
 *     chunks  how many
 *     mac     BLAKE2b-256 of the file, keyed, hex
 *   chunk(n, body): vault_seal of a zstd frame; in it rows, ascending: subject[16] ‖ u32 len,
 *   little-endian ‖ body; len 0xffffffff: the customer's row is removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <zstd.h>

#include "core/id.h"
#include "profile/profiles_internal.h"
#include "profile/vault.h"

#define TABLE "profiles-chunk"
#define PACK_LEVEL 3

void
profiles_seal_bind(struct profiles_seal *seal, const char *store, int64_t from, int64_t to,
    int64_t rows, int64_t chunks)
{
	char text[256];
	int len = snprintf(text, sizeof(text),
	    "aisle-profiles-1\n%s\n%" PRId64 "\n%" PRId64 "\n%" PRId64 "\n%" PRId64, store, from,
	    to, rows, chunks);

	CHECK(len > 0 && (size_t)len < sizeof(text));
	hash_bytes(seal->context, sizeof(seal->context), text, (size_t)len, NULL, 0);
}

void
profiles_chunk_seal(const struct profiles_seal *seal, uint32_t n, const struct buf *rows,
    struct buf *out)
{
	struct buf packed = { 0 };
	size_t len;

	buf_reserve(&packed, ZSTD_compressBound(rows->len));
	len = ZSTD_compress(packed.data, packed.cap, rows->data, rows->len, PACK_LEVEL);
	CHECK(!ZSTD_isError(len));
	vault_seal(seal->key, TABLE, seal->context, sizeof(seal->context), n, packed.data, len,
	    out);
	packed.len = len;
	buf_wipe(&packed);
}

/* What it says it will become is a bound before anything is unpacked. */
static int
unpack(const struct buf *packed, struct buf *out)
{
	unsigned long long size = ZSTD_getFrameContentSize(packed->data, packed->len);
	size_t len;

	if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
	    size > PROFILES_CHUNK_MAX)
		return AISLE_E_DAMAGED;
	buf_reserve(out, (size_t)size + 1);
	len = ZSTD_decompress(out->data + out->len, (size_t)size, packed->data, packed->len);
	if (ZSTD_isError(len) || len != size)
		return AISLE_E_DAMAGED;
	out->len += len;
	out->data[out->len] = '\0';
	return 0;
}

int
profiles_chunk_open(const struct profiles_seal *seal, uint32_t n, const void *sealed, size_t len,
    struct buf *out)
{
	struct buf packed = { 0 };
	int rc;

	if (sealed == NULL || len > PROFILES_CHUNK_MAX + VAULT_OVERHEAD)
		return AISLE_E_DAMAGED;
	rc = vault_open(seal->key, TABLE, seal->context, sizeof(seal->context), n, sealed, len,
	    &packed);
	if (rc == 0)
		rc = unpack(&packed, out);
	buf_wipe(&packed);
	return rc;
}

/* ---- the whole file ---- */

static int
hash_file(const char *bytes, size_t len, const struct profiles_seal *seal, const char *mac,
    char ret[static PROFILES_MAC + 1], off_t *ret_at)
{
	static const char zeros[PROFILES_MAC];
	crypto_generichash_state hashing;
	uint8_t hash[PROFILES_MAC / 2];
	const char *at = memmem(bytes, len, mac, PROFILES_MAC), *behind;

	if (at == NULL)
		return AISLE_E_DAMAGED;
	behind = at + PROFILES_MAC;
	if (memmem(at + 1, len - (size_t)(at + 1 - bytes), mac, PROFILES_MAC) != NULL)
		return AISLE_E_DAMAGED;
	CHECK(crypto_generichash_init(&hashing, seal->key, sizeof(seal->key), sizeof(hash)) == 0);
	crypto_generichash_update(&hashing, seal->context, sizeof(seal->context));
	crypto_generichash_update(&hashing, (const uint8_t *)bytes, (size_t)(at - bytes));
	crypto_generichash_update(&hashing, (const uint8_t *)zeros, sizeof(zeros));
	crypto_generichash_update(&hashing, (const uint8_t *)behind,
	    len - (size_t)(behind - bytes));
	crypto_generichash_final(&hashing, hash, sizeof(hash));
	hash_hex(ret, hash, sizeof(hash));
	*ret_at = at - bytes;
	return 0;
}

int
profiles_mac(const char *path, const struct profiles_seal *seal,
    const char mac[static PROFILES_MAC], char ret[static PROFILES_MAC + 1], off_t *ret_at,
    struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	struct stat st;
	char *bytes;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0) {
		rc = err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
	rc = hash_file(bytes, (size_t)st.st_size, seal, mac, ret, ret_at);
	munmap(bytes, (size_t)st.st_size);
	return rc == 0
	    ? 0
	    : err_set(err, rc, "%s: changed on its way: its check value is not there", path);
}
