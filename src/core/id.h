/* SPDX-License-Identifier: Apache-2.0
 *
 * id.h - ids and chance: keyed hashes instead of random sources, so that the
 * same input gives the same id and the same draw on every machine.
 */
#ifndef AISLE_CORE_ID_H
#define AISLE_CORE_ID_H

#include "aisle/base.h"

/* BLAKE2b of bytes. key NULL with key_len 0: unkeyed. out_len 1..64. */
void hash_bytes(void *out, size_t out_len, const void *bytes, size_t len, const void *key,
    size_t key_len);
/* BLAKE2b-128 of n strings joined by a zero byte (no zero after the last), unkeyed. */
struct id hash_parts(const char *const *parts, size_t count);
void hash_hex(char *out /* 2*len+1 */, const void *bytes, size_t len);
/* exactly 2*len lower- or upper-case digits */
bool hash_unhex(void *out, size_t len, const char *hex);

/* A ULID: 48 bits of ms, then the first 80 bits of BLAKE2b-256(key, source 0 id 0 purpose). */
struct id id_derive(const uint8_t key[static 32], int64_t now_ms, const char *source,
    const char *id, const char *purpose);
void id_text(const struct id *id, char out[static ID_TEXT_SIZE]);
/* 26 Crockford characters, upper case */
bool id_parse(const char *text, struct id *ret_id);
int64_t id_time_ms(const struct id *id);
bool id_is_zero(const struct id *id);
bool id_equal(const struct id *a, const struct id *b);
int id_compare(const struct id *a, const struct id *b);

/* Subject of a card: BLAKE2b-128(key = pepper, the card's bytes). */
struct id subject_of_card(const uint8_t pepper[static 32], const char *card, size_t len);
void subject_text(const struct id *subject, char out[static SUBJECT_TEXT_SIZE]);
bool subject_parse(const char *text, struct id *ret_subject); /* 32 lower-case hex digits */

/* U(purpose, x) in [0,1): (first 8 bytes, little-endian, of BLAKE2b-256(key = salt,
 * purpose 0 part 0 part …) >> 11) * 2^-53. */
double chance(const uint8_t salt[static 32], const char *purpose, const char *const *parts,
    size_t count);

#endif
