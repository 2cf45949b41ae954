/* SPDX-License-Identifier: Apache-2.0
 *
 * envelope.h - {"manifest": base64 of the exact bytes, "signatures": [text of a minisig file, …]}: what a root, a release,
 * an order and a device come in.
 */
#ifndef AISLE_TRUST_ENVELOPE_H
#define AISLE_TRUST_ENVELOPE_H

#include "trust/minisign.h"
#include "trust/refusal.h"

#define SIGNED_BYTES_MAX (256u << 10) /* of an envelope's text */
#define SIGNED_SIGNATURES_MAX 16

/* One envelope, read. */
struct signed_text {
	char *manifest; /* the exact bytes; a NUL behind them */
	size_t len;
	struct minisig *signatures;
	size_t count;
};

/* Strict: one text for each content, which is the one that signed_write() makes (a line feed behind it may be missing).
 * Signatures are read, not verified. name: the file or topic. */
int signed_read(const char *text, size_t len, const char *name, struct signed_text *ret,
    enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
int signed_read_file(const char *path, struct signed_text *ret, enum refusal *ret_refusal,
    struct err *err) AISLE_MUST_CHECK;
void signed_init(struct signed_text *envelope, const void *manifest,
    size_t len); /* no signature yet */
void signed_done(struct signed_text *envelope);
/* Beside those there are, or in the place of an older one of the same key. AISLE_E_FULL: there are 16. */
int signed_add(struct signed_text *envelope, const struct minisig *sig, struct err *err)
    AISLE_MUST_CHECK;
void signed_write(const struct signed_text *envelope, struct buf *out); /* and a line feed */
void signed_digest(const struct signed_text *envelope,
    uint8_t ret[static 32]); /* BLAKE2b-256 of the manifest */

/* Keys of one role, and those that were it once. */
struct signers {
	const struct minisign_pub *keys;
	size_t count;
	const struct minisign_pub *revoked;
	size_t revoked_count;
	int threshold;	   /* of different keys; at least 1 */
	const char *whose; /* "release": for the error's text */
};
/* Every signature is one of these keys', and valid, and so many different keys signed. */
int signed_verify(const struct signed_text *envelope, const struct signers *signers,
    enum refusal *ret_refusal, struct err *err) AISLE_MUST_CHECK;
/* Refuses a signature of none of these keys: revoked-key, wrong-key. */
int signed_stranger(const struct signers *signers, const struct minisig *sig,
    enum refusal *ret_refusal, struct err *err);

#endif
