/* SPDX-License-Identifier: Apache-2.0
 *
 * currency.h - ISO 4217: which codes are money, and how many decimals each has.
 */
#ifndef AISLE_CORE_CURRENCY_H
#define AISLE_CORE_CURRENCY_H

/* Decimals of the minor unit (0, 2, 3 or 4); -1: not a current code of money (metals and test codes
 * are none). */
int currency_digits(const char *code);

#endif
