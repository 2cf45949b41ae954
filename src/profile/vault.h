/* SPDX-License-Identifier: Apache-2.0
 *
 * vault.h - seal and open one record: XChaCha20-Poly1305 with what the row is
 * (table, key, version) as associated data, so that a flipped bit, a row of
 * another customer or of another table never opens. Pure but for the nonce.
 */
#ifndef AISLE_PROFILE_VAULT_H
#define AISLE_PROFILE_VAULT_H

#include "core/buf.h"

#define VAULT_KEY_SIZE 32
#define VAULT_OVERHEAD (24 + 16) /* nonce, tag */

/* Appends nonce ‖ ciphertext ‖ tag to out. */
void vault_seal(const uint8_t key[static VAULT_KEY_SIZE], const char *table, const void *row_key,
    size_t row_key_len, uint32_t version, const void *plain, size_t len, struct buf *out);
/* Appends the plain bytes to out; 0 or AISLE_E_DAMAGED (out untouched). */
int vault_open(const uint8_t key[static VAULT_KEY_SIZE], const char *table, const void *row_key,
    size_t row_key_len, uint32_t version, const void *sealed, size_t len, struct buf *out)
    AISLE_MUST_CHECK;

/* In a forked child, before it seals: it must not have the parent's next nonces. */
void vault_forked(void);

#endif
