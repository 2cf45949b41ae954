/* SPDX-License-Identifier: Apache-2.0
 *
 * decimal.h - decimal text to minor units, digit by digit: 4.35 is 435, never 434.
 */
#ifndef AISLE_INGEST_DECIMAL_H
#define AISLE_INGEST_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

/* text: -?digits[.digits]. digits: decimals of the currency, 0-4. round: half up on the magnitude;
 * else a digit other than 0 beyond the minor unit is refused. false: not such a text, or over 10^12
 * minor units. */
bool decimal_minor(const char *text, int digits, bool round, int64_t *ret_minor);
/* A double as such a text of at most 15 significant digits: what a decimal of that many digits was
 * before it became a double, and what a product of two (3 * 4.35) was meant to be. false: 10^13 or
 * more. */
bool decimal_text(double number, char out[static 40]);

#endif
