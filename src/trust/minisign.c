/* SPDX-License-Identifier: Apache-2.0
 *
 * minisign.c - public keys and signatures, in minisign's formats.
 *
 * BYTES (of the lines of base64)
 *   public key   "Ed" ‖ id[8] ‖ key[32]
 *   signature    "ED" ‖ id[8] ‖ Ed25519(BLAKE2b-512(file))[64]
 *   global       Ed25519(signature[64] ‖ trusted comment)[64]
 *
 * A file is lines: an untrusted comment, the base64; of a signature also "trusted comment: …" and the global one. The
 * older form of signature ("Ed", over the bytes themselves) is not taken: minisign has not made it by default since 0.11.
 */
#include "trust/minisign_internal.h"

#include <stdio.h>
#include <string.h>

#define UNTRUSTED "untrusted comment: "
#define TRUSTED "trusted comment: "
#define COMMENT_LINE_MAX 1024

bool
minisign_line(const char **at, const char *end, const char **ret_line, size_t *ret_len)
{
	if (*at >= end)
		return false;
	const char *stop = memchr(*at, '\n', (size_t)(end - *at));
	const char *next = stop != NULL ? stop + 1 : end;
	size_t len = (size_t)((stop != NULL ? stop : end) - *at);

	if (len > 0 && (*at)[len - 1] == '\r')
		len--;
	*ret_line = *at;
	*ret_len = len;
	*at = next;
	return true;
}

bool
minisign_comment_line(const char **at, const char *end)
{
	const char *line;
	size_t len;

	return minisign_line(at, end, &line, &len) && len <= COMMENT_LINE_MAX &&
	    len >= strlen(UNTRUSTED) && memcmp(line, UNTRUSTED, strlen(UNTRUSTED)) == 0;
}

bool
minisign_base64(const char *line, size_t len, void *out, size_t out_len)
{
	size_t got;

	return len == sodium_base64_encoded_len(out_len, sodium_base64_VARIANT_ORIGINAL) - 1 &&
	    sodium_base642bin(out, out_len, line, len, NULL, &got, NULL,
		sodium_base64_VARIANT_ORIGINAL) == 0 &&
	    got == out_len;
}

/* ---- public keys ---- */

struct pub_bytes {
	uint8_t alg[2], id[8], key[32];
};

int
minisign_pub_read(const char *text, size_t len, const char *name, struct minisign_pub *ret,
    struct err *err)
{
	const char *at = text, *end = text + len, *line;
	struct pub_bytes bytes;
	size_t line_len;

	if (len >= strlen(UNTRUSTED) && memcmp(text, UNTRUSTED, strlen(UNTRUSTED)) == 0 &&
	    !minisign_comment_line(&at, end))
		at = end;
	if (!minisign_line(&at, end, &line, &line_len) || at != end ||
	    !minisign_base64(line, line_len, &bytes, sizeof(bytes)) ||
	    memcmp(bytes.alg, "Ed", 2) != 0)
		return err_at(err, AISLE_E_INVALID, name, 0, 0,
		    "not a public key, expected minisign's: a comment and 56 characters of base64, "
		    "or these alone");
	memcpy(ret->id, bytes.id, sizeof(ret->id));
	memcpy(ret->key, bytes.key, sizeof(ret->key));
	return 0;
}

void
minisign_pub_text(const struct minisign_pub *pub, char out[static MINISIGN_PUB_TEXT])
{
	struct pub_bytes bytes = { .alg = "Ed" };

	memcpy(bytes.id, pub->id, sizeof(bytes.id));
	memcpy(bytes.key, pub->key, sizeof(bytes.key));
	sodium_bin2base64(out, MINISIGN_PUB_TEXT, (const uint8_t *)&bytes, sizeof(bytes),
	    sodium_base64_VARIANT_ORIGINAL);
}

void
minisign_pub_write(const struct minisign_pub *pub, struct buf *out)
{
	char id[MINISIGN_ID_TEXT], text[MINISIGN_PUB_TEXT];

	minisign_id_text(pub->id, id);
	minisign_pub_text(pub, text);
	buf_addf(out, UNTRUSTED "minisign public key %s\n%s\n", id, text);
}

/* A little-endian number in hex, without leading zeros in minisign; here always of 16 digits. */
void
minisign_id_text(const uint8_t id[static 8], char out[static MINISIGN_ID_TEXT])
{
	for (int i = 0; i < 8; i++)
		snprintf(out + 2 * i, 3, "%02X", id[7 - i]);
}

bool
minisign_pub_same(const struct minisign_pub *a, const struct minisign_pub *b)
{
	return memcmp(a->id, b->id, sizeof(a->id)) == 0 &&
	    memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

/* ---- signatures ---- */

struct sig_bytes {
	uint8_t alg[2], id[8], signature[64];
};

static bool
comment_ok(const char *comment, size_t len)
{
	if (len > MINISIGN_COMMENT_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)comment[i] < 0x20 && comment[i] != '\t') || comment[i] == 0x7f)
			return false;
	return true;
}

int
minisign_sig_read(const char *text, size_t len, const char *name, struct minisig *ret,
    struct err *err)
{
	const char *at = text, *end = text + len, *line, *comment, *global;
	size_t line_len, comment_len, global_len;
	struct sig_bytes bytes;

	if (!minisign_comment_line(&at, end) || !minisign_line(&at, end, &line, &line_len) ||
	    !minisign_line(&at, end, &comment, &comment_len) ||
	    !minisign_line(&at, end, &global, &global_len) || at != end ||
	    !minisign_base64(line, line_len, &bytes, sizeof(bytes)) ||
	    !minisign_base64(global, global_len, ret->global, sizeof(ret->global)) ||
	    comment_len < strlen(TRUSTED) || memcmp(comment, TRUSTED, strlen(TRUSTED)) != 0)
		return err_at(err, AISLE_E_INVALID, name, 0, 0,
		    "not a signature, expected the four lines of a minisig file");
	if (memcmp(bytes.alg, "ED", 2) != 0)
		return err_at(err, AISLE_E_INVALID, name, 0, 0,
		    "a signature of the form \"%.2s\", expected \"ED\" (of the hash: minisign -S "
		    "-H before 0.11)",
		    comment_ok((const char *)bytes.alg, 2) ? (const char *)bytes.alg : "?");
	comment += strlen(TRUSTED);
	comment_len -= strlen(TRUSTED);
	if (!comment_ok(comment, comment_len))
		return err_at(err, AISLE_E_INVALID, name, 3, 0,
		    "a trusted comment that is too long or has control characters, expected at "
		    "most %d bytes of text",
		    MINISIGN_COMMENT_MAX);
	memcpy(ret->id, bytes.id, sizeof(ret->id));
	memcpy(ret->signature, bytes.signature, sizeof(ret->signature));
	memcpy(ret->comment, comment, comment_len);
	ret->comment[comment_len] = '\0';
	return 0;
}

void
minisign_sig_write(const struct minisig *sig, struct buf *out)
{
	struct sig_bytes bytes = { .alg = "ED" };
	char first[128], second[128], id[MINISIGN_ID_TEXT];

	memcpy(bytes.id, sig->id, sizeof(bytes.id));
	memcpy(bytes.signature, sig->signature, sizeof(bytes.signature));
	sodium_bin2base64(first, sizeof(first), (const uint8_t *)&bytes, sizeof(bytes),
	    sodium_base64_VARIANT_ORIGINAL);
	sodium_bin2base64(second, sizeof(second), sig->global, sizeof(sig->global),
	    sodium_base64_VARIANT_ORIGINAL);
	minisign_id_text(sig->id, id);
	buf_addf(out, UNTRUSTED "signature of key %s\n%s\n" TRUSTED "%s\n%s\n", id, first,
	    sig->comment, second);
}

/* What the global signature is over. */
static size_t
global_bytes(const struct minisig *sig, uint8_t out[static 64 + MINISIGN_COMMENT_MAX])
{
	size_t len = strlen(sig->comment);

	CHECK(len <= MINISIGN_COMMENT_MAX);
	memcpy(out, sig->signature, 64);
	memcpy(out + 64, sig->comment, len);
	return 64 + len;
}

void
minisign_sign(const struct minisign_secret *secret, const void *bytes, size_t len,
    const char *comment, struct minisig *ret)
{
	uint8_t hash[64], all[64 + MINISIGN_COMMENT_MAX];

	CHECK(comment_ok(comment, strlen(comment)));
	memcpy(ret->id, secret->id, sizeof(ret->id));
	memcpy(ret->comment, comment, strlen(comment) + 1);
	crypto_generichash(hash, sizeof(hash), bytes, len, NULL, 0);
	crypto_sign_detached(ret->signature, NULL, hash, sizeof(hash), secret->key);
	crypto_sign_detached(ret->global, NULL, all, global_bytes(ret, all), secret->key);
}

bool
minisign_verify(const struct minisign_pub *pub, const struct minisig *sig, const void *bytes,
    size_t len)
{
	uint8_t hash[64], all[64 + MINISIGN_COMMENT_MAX];

	if (memcmp(pub->id, sig->id, sizeof(pub->id)) != 0)
		return false;
	crypto_generichash(hash, sizeof(hash), bytes, len, NULL, 0);
	return crypto_sign_verify_detached(sig->signature, hash, sizeof(hash), pub->key) == 0 &&
	    crypto_sign_verify_detached(sig->global, all, global_bytes(sig, all), pub->key) == 0;
}
