/* SPDX-License-Identifier: Apache-2.0
 *
 * sealer.c - the store's bodies through the vault, under the keys of keys.db.
 *
 * A row about a subject is sealed with the subject's own key, any other with
 * the data key. The subjects of the open baskets come again with every event:
 * a small direct-mapped cache of keys, in locked memory, saves the look-up.
 */
#include "profile/sealer.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/id.h"
#include "profile/vault.h"

#define CACHE_SLOTS 128		/* power of two */
#define ROW_VERSION 1

struct slot {
	bool used;
	struct id subject;
	uint8_t key[32];
};

struct sealing {
	struct keys *keys;
	struct slot *cache;	/* CACHE_SLOTS */
	int64_t losses;		/* keys_losses when the cache was last good */
};

static struct slot *
slot_of(struct sealing *sealing, const struct id *subject)
{
	return &sealing->cache[subject->b[15] & (CACHE_SLOTS - 1)];
}

/* *ret_key is borrowed until the next call. */
static int
key_of(struct sealing *sealing, const struct id *subject, bool make, const uint8_t **ret_key)
{
	if (subject == NULL) {
		*ret_key = keys_data(sealing->keys);
		return 0;
	}
	struct slot *slot = slot_of(sealing, subject);
	if (!slot->used || !id_equal(&slot->subject, subject)) {
		slot->used = false;
		int error = keys_subject(sealing->keys, subject, make, slot->key);
		if (error != 0)
			return error;
		slot->subject = *subject;
		slot->used = true;
	}
	*ret_key = slot->key;
	return 0;
}

static int
seal(void *ctx, const char *table, const void *row_key, size_t row_key_len, const struct id *subject,
    const void *plain, size_t len, struct buf *out)
{
	const uint8_t *key;
	int error = key_of(ctx, subject, true, &key);
	if (error == 0)
		vault_seal(key, table, row_key, row_key_len, ROW_VERSION, plain, len, out);
	return error;
}

static int
unseal(void *ctx, const char *table, const void *row_key, size_t row_key_len, const struct id *subject,
    const void *sealed, size_t len, struct buf *out)
{
	const uint8_t *key;
	int error = key_of(ctx, subject, false, &key);
	return error != 0 ? error : vault_open(key, table, row_key, row_key_len, ROW_VERSION, sealed, len, out);
}

static int
commit(void *ctx)
{
	struct sealing *sealing = ctx;
	int error = keys_commit(sealing->keys);
	int64_t losses = keys_losses(sealing->keys);
	/* Keys that did not reach the disk sealed rows of this transaction, and must not seal another. */
	if (losses != sealing->losses) {
		sodium_memzero(sealing->cache, CACHE_SLOTS * sizeof(*sealing->cache));
		sealing->losses = losses;
		return error != 0 ? error : AISLE_E_IO;
	}
	return error;
}

void
sealer_init(struct sealer *sealer, struct keys *keys)
{
	struct sealing *sealing = mem_calloc(1, sizeof(*sealing));
	sealing->keys = keys;
	sealing->losses = keys_losses(keys);
	sealing->cache = sodium_malloc(CACHE_SLOTS * sizeof(*sealing->cache));
	CHECK(sealing->cache != NULL);
	memset(sealing->cache, 0, CACHE_SLOTS * sizeof(*sealing->cache));
	*sealer = (struct sealer){.seal = seal, .open = unseal, .commit = commit, .ctx = sealing};
}

void
sealer_done(struct sealer *sealer)
{
	struct sealing *sealing = sealer->ctx;
	if (sealing == NULL)
		return;
	sodium_free(sealing->cache);
	free(sealing);
	*sealer = (struct sealer){0};
}

void
sealer_drop(struct sealer *sealer, const struct id *subject)
{
	struct slot *slot = slot_of(sealer->ctx, subject);
	sodium_memzero(slot, sizeof(*slot));
}
