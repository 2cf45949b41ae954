/* SPDX-License-Identifier: Apache-2.0
 *
 * gtin.c - GTIN-8/12/13/14 to 14 digits (GS1 General Specifications, 7.9 check digit).
 *
 * Eleven digits are a GTIN-12 that lost the zero before it in somebody's spreadsheet.
 */
#include "nouns/gtin.h"

#include <string.h>

#define GTIN_DIGITS 14

/* Digits from the right weigh 1 (the check digit), 3, 1, 3 …; a right number sums to a multiple of
 * ten. */
static bool
check_digit_fits(const char digits[static GTIN_DIGITS])
{
	int sum = 0;

	for (int i = 0; i < GTIN_DIGITS; i++)
		sum += (digits[i] - '0') * (i % 2 == 0 ? 3 : 1);
	return sum % 10 == 0;
}

bool
gtin_normalise(const char *text, char out[static 15])
{
	char digits[GTIN_DIGITS + 1];
	size_t len = strlen(text);

	if (len != 8 && len != 11 && len != 12 && len != 13 && len != 14)
		return false;
	if (strspn(text, "0123456789") != len)
		return false;
	memset(digits, '0', GTIN_DIGITS);
	memcpy(digits + GTIN_DIGITS - len, text, len + 1);
	/* All zeros passes the sum and names nothing: tills send it for "no code". */
	if (strspn(digits, "0") == GTIN_DIGITS || !check_digit_fits(digits))
		return false;
	memcpy(out, digits, sizeof(digits));
	return true;
}

bool
gtin_restricted(const char gtin14[static 15])
{
	/* A GTIN-13 stands behind one zero, a GTIN-8 behind six: GS1 keeps the
	 * 13-digit numbers that begin with five zeros for the short ones. */
	const char *prefix = strncmp(gtin14, "000000", 6) == 0 ? gtin14 + 6 : gtin14 + 1;

	if (gtin14[0] != '0')
		return false; /* a case or pallet number */
	return prefix[0] == '2' || (prefix[0] == '0' && prefix[1] == '2');
}
