/* SPDX-License-Identifier: Apache-2.0
 *
 * mask_digits.h - runs of digits that may be the number of a card.
 */
#ifndef AISLE_CORE_MASK_DIGITS_H
#define AISLE_CORE_MASK_DIGITS_H

/* at is the first of a row of digits in this text. They become asterisks where they may be a card's, in one row
 * of 12 and more or in groups. Where reading goes on. */
char *mask_digits(const char *text, const char *end, char *at);

#endif
