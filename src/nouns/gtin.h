/* SPDX-License-Identifier: Apache-2.0
 *
 * gtin.h - GTIN-8/12/13/14 to 14 digits (GS1 General Specifications, 7.9 check digit).
 */
#ifndef AISLE_NOUNS_GTIN_H
#define AISLE_NOUNS_GTIN_H

#include <stdbool.h>

/* out gets 14 digits; false: wrong length, not digits, or check digit. */
bool gtin_normalise(const char *text, char out[static 15]);
/* Restricted circulation: GTIN-13 prefixes 02 and 20-29 (weight or price inside). */
bool gtin_restricted(const char gtin14[static 15]);

#endif
