/* SPDX-License-Identifier: Apache-2.0
 *
 * minisign_secret.c - secret keys, in minisign's format.
 *
 * BYTES (of the line of base64)
 *   "Ed" ‖ "Sc" or 0,0 ‖ "B2" ‖ salt[32] ‖ u64 opslimit ‖ u64 memlimit ‖ (id[8] ‖ key[64] ‖ checksum[32])
 *   checksum = BLAKE2b-256("Ed" ‖ id ‖ key); under a password what is in brackets is XORed with 104 bytes of
 *   scrypt(password, salt, opslimit, memlimit).
 *
 * minisign leaves the checksum of a key without a password zero. A key is therefore also held against itself: its second
 * half is the public key of its first.
 */
#include "trust/minisign_internal.h"

#include <string.h>

#define OPSLIMIT crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE
#define MEMLIMIT crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE
/* A key file may ask for so much of us. */
#define OPSLIMIT_MAX (UINT64_C(4) * OPSLIMIT)
#define MEMLIMIT_MAX (UINT64_C(2) * MEMLIMIT)
#define HALVINGS_MAX 12

struct locked {
	uint8_t id[8], key[64], checksum[32];
};
struct secret_bytes {
	uint8_t alg[2], kdf[2], checksum_alg[2], salt[32], opslimit[8], memlimit[8];
	struct locked locked;
};
_Static_assert(sizeof(struct secret_bytes) == 158, "no gaps");

static struct minisign_secret *
secret_new(void)
{
	CHECK(sodium_init() >= 0);
	struct minisign_secret *secret = sodium_malloc(sizeof(*secret));

	CHECK(secret != NULL);
	return secret;
}

struct minisign_secret *
minisign_generate(void)
{
	struct minisign_secret *secret = secret_new();
	uint8_t pub[32];

	randombytes_buf(secret->id, sizeof(secret->id));
	crypto_sign_keypair(pub, secret->key);
	return secret;
}

void
minisign_secret_free(struct minisign_secret *secret)
{
	sodium_free(secret);
}

void
minisign_secret_pub(const struct minisign_secret *secret, struct minisign_pub *ret)
{
	memcpy(ret->id, secret->id, sizeof(ret->id));
	memcpy(ret->key, secret->key + 32, sizeof(ret->key));
}

static uint64_t
get64(const uint8_t bytes[static 8])
{
	uint64_t n = 0;

	for (int i = 7; i >= 0; i--)
		n = n << 8 | bytes[i];
	return n;
}

static void
put64(uint8_t bytes[static 8], uint64_t n)
{
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(n >> (8 * i));
}

static void
checksum(const struct locked *locked, uint8_t out[static 32])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, 32);
	crypto_generichash_update(&state, (const uint8_t *)"Ed", 2);
	crypto_generichash_update(&state, locked->id, sizeof(locked->id));
	crypto_generichash_update(&state, locked->key, sizeof(locked->key));
	crypto_generichash_final(&state, out, 32);
	sodium_memzero(&state, sizeof(state));
}

/* Locks or unlocks. false: not enough memory. */
static bool
mask(struct secret_bytes *bytes, const char *password)
{
	uint8_t stream[sizeof(struct locked)], *at = (uint8_t *)&bytes->locked;
	bool done =
	    crypto_pwhash_scryptsalsa208sha256(stream, sizeof(stream), password, strlen(password),
		bytes->salt, get64(bytes->opslimit), (size_t)get64(bytes->memlimit)) == 0;

	for (size_t i = 0; done && i < sizeof(stream); i++)
		at[i] ^= stream[i];
	sodium_memzero(stream, sizeof(stream));
	return done;
}

static bool
read_bytes(const char *text, size_t len, struct secret_bytes *ret)
{
	const char *at = text, *end = text + len, *line;
	size_t line_len;

	return minisign_comment_line(&at, end) && minisign_line(&at, end, &line, &line_len) &&
	    at == end && minisign_base64(line, line_len, ret, sizeof(*ret)) &&
	    memcmp(ret->alg, "Ed", 2) == 0 && memcmp(ret->checksum_alg, "B2", 2) == 0 &&
	    (memcmp(ret->kdf, "Sc", 2) == 0 || memcmp(ret->kdf, "\0\0", 2) == 0);
}

int
minisign_protected(const char *text, size_t len)
{
	struct secret_bytes bytes;
	int protected = read_bytes(text, len, &bytes) ? bytes.kdf[0] != '\0' : -1;

	sodium_memzero(&bytes, sizeof(bytes));
	return protected;
}

static int
unlock(struct secret_bytes *bytes, const char *name, const char *password, struct err *err)
{
	if (get64(bytes->opslimit) > OPSLIMIT_MAX || get64(bytes->memlimit) > MEMLIMIT_MAX)
		return err_at(err, AISLE_E_INVALID, name, 0, 0,
		    "its password costs more than is taken, expected at most 2 GiB and four times "
		    "minisign's work");
	if (password == NULL)
		return err_at(err, AISLE_E_REFUSED, name, 0, 0,
		    "the key is under a password, expected it on stdin");
	if (!mask(bytes, password))
		return err_at(err, AISLE_E_FULL, name, 0, 0,
		    "not enough memory for its password, expected %llu MiB to be free",
		    (unsigned long long)(get64(bytes->memlimit) >> 20));
	return 0;
}

/* Is what was unlocked a key? */
static bool
sound(const struct secret_bytes *bytes, bool protected)
{
	static const uint8_t zero[32];
	uint8_t sum[32], pub[32], key[64];

	checksum(&bytes->locked, sum);
	crypto_sign_seed_keypair(pub, key, bytes->locked.key);
	bool good = sodium_memcmp(sum, bytes->locked.checksum, sizeof(sum)) == 0 ||
	    (!protected && sodium_memcmp(zero, bytes->locked.checksum, sizeof(zero)) == 0);

	good = good && sodium_memcmp(key, bytes->locked.key, sizeof(key)) == 0;
	sodium_memzero(key, sizeof(key));
	sodium_memzero(sum, sizeof(sum));
	return good;
}

int
minisign_secret_read(const char *text, size_t len, const char *name, const char *password,
    struct minisign_secret **ret, struct err *err)
{
	struct secret_bytes bytes;
	int rc = 0;

	CHECK(sodium_init() >= 0);
	if (!read_bytes(text, len, &bytes))
		return err_at(err, AISLE_E_INVALID, name, 0, 0,
		    "not a secret key, expected the two lines of minisign's");
	bool protected = bytes.kdf[0] != '\0';

	if (protected)
		rc = unlock(&bytes, name, password, err);
	if (rc == 0 && !sound(&bytes, protected))
		rc = protected ? err_at(err, AISLE_E_REFUSED, name, 0, 0, "not its password")
			       : err_at(err, AISLE_E_INVALID, name, 0, 0,
				     "the key does not agree with its checksum");
	if (rc == 0) {
		struct minisign_secret *secret = secret_new();

		memcpy(secret->id, bytes.locked.id, sizeof(secret->id));
		memcpy(secret->key, bytes.locked.key, sizeof(secret->key));
		*ret = secret;
	}
	sodium_memzero(&bytes, sizeof(bytes));
	return rc;
}

int
minisign_secret_write(const struct minisign_secret *secret, const char *password, int work,
    struct buf *out, struct err *err)
{
	struct secret_bytes bytes = { .alg = "Ed", .checksum_alg = "B2" };
	char text[256];

	CHECK(work >= 0 && work <= HALVINGS_MAX);
	memcpy(bytes.locked.id, secret->id, sizeof(bytes.locked.id));
	memcpy(bytes.locked.key, secret->key, sizeof(bytes.locked.key));
	checksum(&bytes.locked, bytes.locked.checksum);
	if (password != NULL) {
		memcpy(bytes.kdf, "Sc", 2);
		randombytes_buf(bytes.salt, sizeof(bytes.salt));
		put64(bytes.opslimit, (uint64_t)OPSLIMIT >> work);
		put64(bytes.memlimit, (uint64_t)MEMLIMIT >> work);
		if (!mask(&bytes, password)) {
			sodium_memzero(&bytes, sizeof(bytes));
			return err_set(err, AISLE_E_FULL,
			    "not enough memory for a password, expected %llu MiB to be free "
			    "(--memory asks for less)",
			    (unsigned long long)(MEMLIMIT >> work >> 20));
		}
	}
	sodium_bin2base64(text, sizeof(text), (const uint8_t *)&bytes, sizeof(bytes),
	    sodium_base64_VARIANT_ORIGINAL);
	buf_reserve(out, 512); /* at once: a buffer that grows leaves copies behind */
	buf_addf(out, "untrusted comment: minisign encrypted secret key\n%s\n", text);
	sodium_memzero(text, sizeof(text));
	sodium_memzero(&bytes, sizeof(bytes));
	return 0;
}
