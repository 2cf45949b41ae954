/* SPDX-License-Identifier: Apache-2.0
 *
 * minisign.h - keys and signatures in minisign's formats: stock minisign reads what is written here, and the other way
 * round. Ed25519 over the BLAKE2b-512 of the bytes ("ED"), a trusted comment, and a second signature over both.
 */
#ifndef AISLE_TRUST_MINISIGN_H
#define AISLE_TRUST_MINISIGN_H

#include "aisle/base.h"
#include "core/buf.h"

#define MINISIGN_PUB_TEXT 57	    /* the line of a .pub file: 56 characters of base64 and NUL */
#define MINISIGN_ID_TEXT 17	    /* "B2B7E3F1D5C15E9E", as minisign prints it */
#define MINISIGN_COMMENT_MAX 1024   /* bytes of a trusted comment */
#define MINISIGN_FILE_MAX (8 << 10) /* bytes of a key or signature file */

struct minisign_pub {
	uint8_t id[8]; /* random; says which key, proves nothing */
	uint8_t key[32];
};
struct minisign_secret; /* in memory that is wiped and not swapped */

struct minisig {
	uint8_t id[8];
	uint8_t signature[64];
	uint8_t global[64]; /* over signature and comment */
	char comment[MINISIGN_COMMENT_MAX + 1];
};

/* The file's text, or its line of base64 alone. */
int minisign_pub_read(const char *text, size_t len, const char *name, struct minisign_pub *ret,
    struct err *err) AISLE_MUST_CHECK;
void minisign_pub_text(const struct minisign_pub *pub, char out[static MINISIGN_PUB_TEXT]);
void minisign_pub_write(const struct minisign_pub *pub, struct buf *out); /* a .pub file */
void minisign_id_text(const uint8_t id[static 8], char out[static MINISIGN_ID_TEXT]);
bool minisign_pub_same(const struct minisign_pub *a, const struct minisign_pub *b);

struct minisign_secret *minisign_generate(void);
void minisign_secret_free(struct minisign_secret *secret); /* wipes; NULL is fine */
void minisign_secret_pub(const struct minisign_secret *secret, struct minisign_pub *ret);
/* Is the key of this .key file under a password? -1: it is no key file. */
int minisign_protected(const char *text, size_t len);
/* password NULL: none. AISLE_E_INVALID: not a key. AISLE_E_REFUSED: another password, or one is needed.
 * AISLE_E_FULL: not enough memory for what the key asks. */
int minisign_secret_read(const char *text, size_t len, const char *name, const char *password,
    struct minisign_secret **ret, struct err *err) AISLE_MUST_CHECK;
/* A .key file into out, to be wiped by the caller. work: 0 as minisign does it (1 GiB, some seconds), else less by so
 * many halvings, for tests and small machines. */
int minisign_secret_write(const struct minisign_secret *secret, const char *password, int work,
    struct buf *out, struct err *err) AISLE_MUST_CHECK;

/* comment: one line of UTF-8 without control characters but tabs, at most MINISIGN_COMMENT_MAX bytes. */
void minisign_sign(const struct minisign_secret *secret, const void *bytes, size_t len,
    const char *comment, struct minisig *ret);
/* Both signatures, of the key's own id. */
bool minisign_verify(const struct minisign_pub *pub, const struct minisig *sig, const void *bytes,
    size_t len);
int minisign_sig_read(const char *text, size_t len, const char *name, struct minisig *ret,
    struct err *err) AISLE_MUST_CHECK;
void minisign_sig_write(const struct minisig *sig, struct buf *out); /* a .minisig file */

#endif
