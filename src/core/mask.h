/* SPDX-License-Identifier: Apache-2.0
 *
 * mask.h - card numbers and PINs that stand where they do not belong become asterisks.
 *
 * What is masked, in any text, whole or cut, JSON, XML or prose:
 *   - the value of a member, an element or a word that is named like a card or a PIN;
 *   - every run of 12 digits and more, also in groups of one length with a blank or dash between.
 * What is masked keeps its length: letters, digits and bytes beyond ASCII each become '*'.
 */
#ifndef AISLE_CORE_MASK_H
#define AISLE_CORE_MASK_H

#include "aisle/base.h"
#include "core/buf.h"

struct mask {
	/* A value of a member named like a card, or "subject", before it is masked. NULL: nobody asks. */
	void (*found)(void *ctx, const char *value, size_t len, bool is_subject);
	/* Is this the number of an article? Then it stays where the member is "gtin". NULL: it goes. */
	bool (*is_article)(const char *value);
	void *ctx;
};

/* In place. */
void mask_text(char *text, size_t len);
/* The same of a text of ours, that names members and says no value of them: only its numbers. */
void mask_numbers(char *text, size_t len);
/* A payload as it may be kept, into out. Letters and digits that JSON has escaped (\u0031) are read as
 * what they are, so it may be shorter. */
void mask_payload(const struct mask *mask, const void *payload, size_t len, struct buf *out);

#endif
