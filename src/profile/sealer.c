/* SPDX-License-Identifier: Apache-2.0
 *
 * sealer.c - the store's bodies through the vault, under the keys of keys.db.
 *
 * A row about a subject is sealed with the subject's own key, any other with
 * the data key.
 */
#include "profile/sealer.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "profile/vault.h"

#define ROW_VERSION 1

struct sealing {
	struct keys *keys;
	int64_t losses; /* keys_losses of the last commit */
};

static int
key_of(const struct sealing *sealing, const struct id *subject, bool make,
    uint8_t ret_key[static 32])
{
	if (subject != NULL)
		return keys_subject(sealing->keys, subject, make, ret_key);
	memcpy(ret_key, keys_data(sealing->keys), 32);
	return 0;
}

static int
seal(void *ctx, const char *table, const void *row_key, size_t row_key_len,
    const struct id *subject, const void *plain, size_t len, struct buf *out)
{
	uint8_t key[32];
	int error = key_of(ctx, subject, true, key);
	if (error == 0)
		vault_seal(key, table, row_key, row_key_len, ROW_VERSION, plain, len, out);
	sodium_memzero(key, sizeof(key));
	return error;
}

static int
unseal(void *ctx, const char *table, const void *row_key, size_t row_key_len,
    const struct id *subject, const void *sealed, size_t len, struct buf *out)
{
	uint8_t key[32];
	int error = key_of(ctx, subject, false, key);
	if (error == 0)
		error = vault_open(key, table, row_key, row_key_len, ROW_VERSION, sealed, len, out);
	sodium_memzero(key, sizeof(key));
	return error;
}

static int
ready(void *ctx, const struct id *subject, bool make)
{
	uint8_t key[32];
	int error = key_of(ctx, subject, make, key);
	sodium_memzero(key, sizeof(key));
	return error;
}

static int
commit(void *ctx)
{
	struct sealing *sealing = ctx;
	int error = keys_commit(sealing->keys);
	int64_t losses = keys_losses(sealing->keys);
	/* Keys that did not reach the disk sealed rows of this transaction, and must not seal
	 * another. */
	if (losses != sealing->losses) {
		sealing->losses = losses;
		return error != 0 ? error : AISLE_E_IO;
	}
	return error;
}

void
sealer_init(struct sealer *sealer, struct keys *keys)
{
	struct sealing *sealing = mem_zero(sizeof(*sealing));
	sealing->keys = keys;
	sealing->losses = keys_losses(keys);
	*sealer = (struct sealer){
		.seal = seal, .open = unseal, .ready = ready, .commit = commit, .ctx = sealing
	};
}

void
sealer_done(struct sealer *sealer)
{
	struct sealing *sealing = sealer->ctx;
	if (sealing == NULL)
		return;
	free(sealing);
	*sealer = (struct sealer){ 0 };
}
