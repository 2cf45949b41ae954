/* SPDX-License-Identifier: Apache-2.0
 *
 * vault.c - seal and open one record.
 *
 * BYTES
 *   nonce[24] ‖ ciphertext[len] ‖ tag[16]
 *   associated data: u32 len(table) ‖ table ‖ u32 len(row_key) ‖ row_key ‖ u32 version,
 *   all little-endian. The lengths keep ("ab","c") apart from ("a","bc").
 *
 * The nonce is random: 192 bits do not repeat, whatever a restored backup or a
 * cloned card has used before. A counter would.
 */
#include "profile/vault.h"

#include <string.h>

#include <sodium.h>

#define NONCE_SIZE 24
#define TAG_SIZE 16
#define TABLE_MAX 64
#define ROW_KEY_MAX 256
#define AAD_MAX (4 + TABLE_MAX + 4 + ROW_KEY_MAX + 4)

_Static_assert(NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(VAULT_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(VAULT_OVERHEAD == NONCE_SIZE + TAG_SIZE, "overhead");

/* From the kernel many at a time: a call for each row costs as much as the sealing. */
static uint8_t pool[NONCE_SIZE * 64];
static size_t pool_used = sizeof(pool);

static void
next_nonce(uint8_t nonce[static NONCE_SIZE])
{
	if (pool_used == sizeof(pool)) {
		randombytes_buf(pool, sizeof(pool));
		pool_used = 0;
	}
	memcpy(nonce, pool + pool_used, NONCE_SIZE);
	pool_used += NONCE_SIZE;
}

void
vault_forked(void)
{
	pool_used = sizeof(pool);
}

static size_t
put32(uint8_t *at, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(n >> (8 * i));
	return 4;
}

static size_t
associated(uint8_t out[static AAD_MAX], const char *table, const void *row_key, size_t row_key_len,
    uint32_t version)
{
	size_t table_len = strlen(table), at = 0;
	CHECK(table_len <= TABLE_MAX && row_key_len <= ROW_KEY_MAX);
	at += put32(out + at, (uint32_t)table_len);
	memcpy(out + at, table, table_len);
	at += table_len;
	at += put32(out + at, (uint32_t)row_key_len);
	if (row_key_len > 0)
		memcpy(out + at, row_key, row_key_len);
	at += row_key_len;
	return at + put32(out + at, version);
}

void
vault_seal(const uint8_t key[static VAULT_KEY_SIZE], const char *table, const void *row_key,
    size_t row_key_len, uint32_t version, const void *plain, size_t len, struct buf *out)
{
	uint8_t aad[AAD_MAX];
	size_t aad_len = associated(aad, table, row_key, row_key_len, version);
	buf_reserve(out, len + VAULT_OVERHEAD);
	uint8_t *at = (uint8_t *)out->data + out->len;
	unsigned long long sealed_len;
	next_nonce(at);
	crypto_aead_xchacha20poly1305_ietf_encrypt(at + NONCE_SIZE, &sealed_len, plain, len, aad,
	    aad_len, NULL, at, key);
	out->len += NONCE_SIZE + (size_t)sealed_len;
	out->data[out->len] = '\0';
}

int
vault_open(const uint8_t key[static VAULT_KEY_SIZE], const char *table, const void *row_key,
    size_t row_key_len, uint32_t version, const void *sealed, size_t len, struct buf *out)
{
	if (len < VAULT_OVERHEAD)
		return AISLE_E_DAMAGED;
	uint8_t aad[AAD_MAX];
	size_t aad_len = associated(aad, table, row_key, row_key_len, version);
	buf_reserve(out, len - VAULT_OVERHEAD);
	const uint8_t *nonce = sealed;
	unsigned long long plain_len;
	/* Checked before a byte is decrypted: nothing of a bad record reaches out. */
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)out->data + out->len, &plain_len,
		NULL, nonce + NONCE_SIZE, len - NONCE_SIZE, aad, aad_len, nonce, key) != 0) {
		out->data[out->len] = '\0';
		return AISLE_E_DAMAGED;
	}
	out->len += (size_t)plain_len;
	out->data[out->len] = '\0';
	return 0;
}
