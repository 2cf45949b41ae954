/* SPDX-License-Identifier: Apache-2.0
 *
 * pack.h - bodies made smaller before they are sealed: a record of a decision
 * takes a quarter of its room, and a twelfth with the words of its policy.
 */
#ifndef AISLE_STORE_PACK_H
#define AISLE_STORE_PACK_H

#include "aisle/base.h"
#include "core/buf.h"

/* Appends to out; at most one byte longer than the plain bytes. */
void pack(const void *plain, size_t len, struct buf *out);
/* Appends to out. AISLE_E_DAMAGED: not what pack made, or more than plain_max bytes; out is as before. */
int unpack(const void *packed, size_t len, size_t plain_max, struct buf *out) AISLE_MUST_CHECK;

/* What many bodies of one kind have in common, to be told before the first of them; nobody may be named in it. A body that
 * was packed with words is unpacked with the same. */
struct pack_words;
struct pack_words *pack_words_new(const void *text, size_t len);
/* Of pack_words_text(): also after the dictionary that all bodies have was changed. */
struct pack_words *pack_words_again(const void *text, size_t len);
void pack_words_free(struct pack_words *words);		    /* NULL is fine */
uint32_t pack_words_number(const struct pack_words *words); /* of its text, by which it is found */
const char *pack_words_text(const struct pack_words *words, size_t *ret_len); /* all of it */
/* words NULL: without. kept: for weeks, so that it may take three times as long to be a quarter smaller. */
void pack_with(struct pack_words *words, bool kept, const void *plain, size_t len, struct buf *out);
/* Was it packed with words? Then with those of this number. */
bool unpack_needs(const void *packed, size_t len, uint32_t *ret_number);
int unpack_with(const struct pack_words *words, const void *packed, size_t len, size_t plain_max,
    struct buf *out) AISLE_MUST_CHECK;

/* Nothing that was packed or unpacked is left in memory of this module. */
void pack_wipe(void);

#endif
