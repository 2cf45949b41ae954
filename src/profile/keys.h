/* SPDX-License-Identifier: Apache-2.0
 *
 * keys.h - keys.db: the data key, the pepper, one random key per subject.
 *
 * A subject's key is made when the first row about them is written and is on
 * disk before that row (keys_commit before store_commit). Destroying it is
 * what forgetting means: every row, log and backup sealed with it is noise.
 */
#ifndef AISLE_PROFILE_KEYS_H
#define AISLE_PROFILE_KEYS_H

#include "aisle/base.h"

#define TO_ZERO (-1) /* as a length to SQLite: the text ends where it ends */

struct keys;
/* dir/keys.db, mode 0600, made if absent. dir NULL: in memory, all keys derived
 * from zero bytes (replay: nothing is sealed for long, nothing is random).
 * vfs NULL: the default one. */
int keys_open(const char *dir, const char *vfs, struct keys **ret_keys, struct err *err)
    AISLE_MUST_CHECK;
void keys_close(struct keys *keys);		     /* wipes */
const uint8_t *keys_data(const struct keys *keys);   /* 32 bytes, for rows about no subject */
const uint8_t *keys_pepper(const struct keys *keys); /* 32 bytes */
/* Reads [privacy] pepper_file: 64 hex digits. AISLE_E_NONE: it cannot be read. AISLE_E_CONFIG: it
 * has something else in it. */
int keys_read_pepper(const char *path, uint8_t ret_pepper[static 32], struct err *err)
    AISLE_MUST_CHECK;
/* the chain's own: not stored */
void keys_set_pepper(struct keys *keys, const uint8_t pepper[static 32]);
/* The subject's key into ret_key. make: create it if there is none.
 * 0, AISLE_E_NONE (none, or destroyed: a tombstone), AISLE_E_IO. */
int keys_subject(struct keys *keys, const struct id *subject, bool make, uint8_t ret_key[static 32])
    AISLE_MUST_CHECK;
bool keys_forgotten(struct keys *keys, const struct id *subject); /* tombstone */
/* All of them, ascending; fn returns 0 to go on. AISLE_E_IO. */
typedef int (*keys_each_fn)(void *ctx, const struct id *subject);
int keys_forgotten_each(struct keys *keys, keys_each_fn fn, void *ctx) AISLE_MUST_CHECK;
/* key overwritten, tombstone kept; durable on return */
int keys_destroy(struct keys *keys, const struct id *subject) AISLE_MUST_CHECK;
/* The last session of the state that these keys were used with; 0: none yet. Set: durable on return.
 * A state that knows of fewer was put back from a copy. */
int keys_session(struct keys *keys, int64_t *ret_session) AISLE_MUST_CHECK;
int keys_set_session(struct keys *keys, int64_t session) AISLE_MUST_CHECK;
/* The store's own X25519 pair, for what headquarters encrypts to it; keys_make_device() makes it, once, durably. The
 * secret is the caller's to wipe. AISLE_E_NONE: it was not made yet. */
int keys_make_device(struct keys *keys, uint8_t ret_public[static 32]) AISLE_MUST_CHECK;
int keys_device(const struct keys *keys, uint8_t ret_public[static 32],
    uint8_t ret_secret[static 32]) AISLE_MUST_CHECK;
/* makes new keys durable; nothing to do: no sync */
int keys_commit(struct keys *keys) AISLE_MUST_CHECK;
/* How often new keys were rolled back by a failing disk, or one could not be read just now: when it has
 * risen, keys that were given out may be nowhere on the disk, and nothing sealed with them may be committed,
 * nor what was left out for want of one. */
int64_t keys_losses(const struct keys *keys);
/* Damage was met that keys_mend() may mend: what can be read of the file is copied into a whole one. Who has no key in it
 * is somebody new with their next event; who was forgotten stays forgotten. Between two turns; AISLE_E_IO: it is closed
 * for good. Where it cannot be mended, it serves as well as it can. keys_open() does it by itself. */
bool keys_suspect(const struct keys *keys);
int keys_mend(struct keys *keys, struct err *err) AISLE_MUST_CHECK;
/* When idle: looks at the next pages, round and round: keys_suspect() says what it found. */
void keys_scrub(struct keys *keys, int max_pages);
/* How much did not open when it was mended, at least one each time: since it was last asked. */
int64_t keys_mended(struct keys *keys);

#endif
