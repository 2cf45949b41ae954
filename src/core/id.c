/* SPDX-License-Identifier: Apache-2.0
 *
 * id.c - ids and chance as keyed BLAKE2b hashes.
 *
 * Byte layout of an id: 48 bits of milliseconds, big-endian, then 80 bits of
 * hash. Its text is Crockford's base 32 of those 128 bits, so that ids sort
 * as bytes and as text in the order of their time.
 */
#include "core/id.h"

#include <string.h>

#include <sodium.h>

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

struct hash {
	crypto_generichash_blake2b_state state;
};

static void
hash_start(struct hash *hash, const void *key, size_t key_len, size_t out_len)
{
	CHECK(crypto_generichash_blake2b_init(&hash->state, key, key_len, out_len) == 0);
}

static void
hash_add(struct hash *hash, const void *bytes, size_t len)
{
	crypto_generichash_blake2b_update(&hash->state, bytes, len);
}

/* A string and the zero that keeps it apart from what comes next. */
static void
hash_add_part(struct hash *hash, const char *part)
{
	hash_add(hash, part, strlen(part) + 1);
}

static void
hash_end(struct hash *hash, void *out, size_t out_len)
{
	crypto_generichash_blake2b_final(&hash->state, out, out_len);
}

void
hash_bytes(void *out, size_t out_len, const void *bytes, size_t len, const void *key,
    size_t key_len)
{
	CHECK(out_len >= 1 && out_len <= crypto_generichash_blake2b_BYTES_MAX);
	CHECK(crypto_generichash_blake2b(out, out_len, bytes, len, key, key_len) == 0);
}

struct id
hash_parts(const char *const *parts, size_t count)
{
	struct id id;
	struct hash hash;
	hash_start(&hash, NULL, 0, sizeof(id.b));
	for (size_t i = 0; i < count; i++)
		hash_add(&hash, parts[i], strlen(parts[i]) + (i + 1 < count ? 1 : 0));
	hash_end(&hash, id.b, sizeof(id.b));
	return id;
}

void
hash_hex(char *out, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = bytes;
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[at[i] >> 4];
		out[2 * i + 1] = digits[at[i] & 15];
	}
	out[2 * len] = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
hash_unhex(void *out, size_t len, const char *hex)
{
	if (strlen(hex) != 2 * len || strspn(hex, "0123456789abcdefABCDEF") != 2 * len)
		return false;
	uint8_t *to = out;
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)((unsigned)hex_digit(hex[2 * i]) << 4 |
		    (unsigned)hex_digit(hex[2 * i + 1]));
	return true;
}

struct id
id_derive(const uint8_t key[static 32], int64_t now_ms, const char *source, const char *id,
    const char *purpose)
{
	uint8_t digest[32];
	struct hash hash;
	hash_start(&hash, key, 32, sizeof(digest));
	hash_add_part(&hash, source);
	hash_add_part(&hash, id);
	hash_add(&hash, purpose, strlen(purpose));
	hash_end(&hash, digest, sizeof(digest));

	struct id out;
	uint64_t ms = now_ms > 0 ? (uint64_t)now_ms : 0;
	for (int i = 0; i < 6; i++)
		out.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	memcpy(out.b + 6, digest, 10);
	return out;
}

void
id_text(const struct id *id, char out[static ID_TEXT_SIZE])
{
	/* 26 digits of 5 bits hold 130: two zero bits lead. So the first six bytes are ten
	 * digits, and then each five bytes are eight. */
	uint64_t bits = 0;
	for (int i = 0; i < 6; i++)
		bits = bits << 8 | id->b[i];
	for (int i = 9; i >= 0; i--, bits >>= 5)
		out[i] = crockford[bits & 31];
	for (int group = 0; group < 2; group++) {
		const uint8_t *at = id->b + 6 + 5 * group;
		bits = 0;
		for (int i = 0; i < 5; i++)
			bits = bits << 8 | at[i];
		for (int i = 7; i >= 0; i--, bits >>= 5)
			out[10 + 8 * group + i] = crockford[bits & 31];
	}
	out[26] = '\0';
}

/* -1: it is none. The digits ascend as their characters do. */
static int
digit_value(char c)
{
	static const int8_t letters[26] = { 10, 11, 12, 13, 14, 15, 16, 17, -1, 18, 19, -1, 20, 21,
		-1, 22, 23, 24, 25, 26, -1, 27, 28, 29, 30, 31 };
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'Z' ? letters[c - 'A'] : -1;
}

bool
id_parse(const char *text, struct id *ret_id)
{
	/* As id_text, backwards: ten digits of six bytes, of whose 50 bits the first two are zero, then twice
	 * eight of five. A first digit above 7 would not fit. */
	static const uint8_t digits[] = { 10, 8, 8 }, bytes[] = { 6, 5, 5 };
	if (strlen(text) != 26 || text[0] > '7')
		return false;
	struct id id = { { 0 } };
	uint8_t *end = id.b;
	for (size_t group = 0; group < ARRAY_LEN(digits); group++) {
		uint64_t bits = 0;
		for (int i = 0; i < digits[group]; i++, text++) {
			int value = digit_value(*text);
			if (value < 0)
				return false;
			bits = bits << 5 | (uint64_t)value;
		}
		end += bytes[group];
		for (int i = 1; i <= bytes[group]; i++, bits >>= 8)
			end[-i] = (uint8_t)bits;
	}
	*ret_id = id;
	return true;
}

int64_t
id_time_ms(const struct id *id)
{
	int64_t ms = 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->b[i];
	return ms;
}

bool
id_is_zero(const struct id *id)
{
	static const struct id zero;
	return id_equal(id, &zero);
}

bool
id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

int
id_compare(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

struct id
subject_of_card(const uint8_t pepper[static 32], const char *card, size_t len)
{
	struct id subject;
	hash_bytes(subject.b, sizeof(subject.b), card, len, pepper, 32);
	return subject;
}

void
subject_text(const struct id *subject, char out[static SUBJECT_TEXT_SIZE])
{
	hash_hex(out, subject->b, sizeof(subject->b));
}

bool
subject_parse(const char *text, struct id *ret_subject)
{
	/* One spelling only: a subject is compared as text in more than one place. */
	if (strpbrk(text, "ABCDEF") != NULL)
		return false;
	return hash_unhex(ret_subject->b, sizeof(ret_subject->b), text);
}

double
chance(const uint8_t salt[static 32], const char *purpose, const char *const *parts, size_t count)
{
	uint8_t digest[32];
	struct hash hash;
	hash_start(&hash, salt, 32, sizeof(digest));
	hash_add_part(&hash, purpose);
	for (size_t i = 0; i < count; i++)
		hash_add(&hash, parts[i], strlen(parts[i]) + (i + 1 < count ? 1 : 0));
	hash_end(&hash, digest, sizeof(digest));

	uint64_t first = 0;
	for (int i = 7; i >= 0; i--)
		first = first << 8 | digest[i];
	return (double)(first >> 11) * 0x1p-53;
}
