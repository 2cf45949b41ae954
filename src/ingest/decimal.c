/* SPDX-License-Identifier: Apache-2.0
 *
 * decimal.c - decimal text to minor units, digit by digit: 4.35 is 435, never 434.
 */
#include "ingest/decimal.h"

#include <stdio.h>
#include <string.h>

#include "aisle/base.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits of one side of the point onto *minor; at most limit of them. false: too large. */
static bool
take_digits(const char **at, int limit, int64_t *minor)
{
	for (int i = 0; i < limit && is_digit(**at); i++, (*at)++) {
		*minor = *minor * 10 + (**at - '0');
		if (*minor > MONEY_MAX)
			return false;
	}
	return true;
}

bool
decimal_minor(const char *text, int digits, bool round, int64_t *ret_minor)
{
	bool negative = text[0] == '-';
	const char *at = text + (negative ? 1 : 0);
	int64_t minor = 0;
	int taken = 0;

	if (!is_digit(*at) || !take_digits(&at, 40, &minor))
		return false;
	if (*at == '.') {
		const char *fraction = ++at;

		if (!is_digit(*at) || !take_digits(&at, digits, &minor))
			return false;
		taken = (int)(at - fraction);
	}
	for (; taken < digits; taken++)
		minor *= 10;
	if (is_digit(*at) && round && *at >= '5')
		minor++;
	for (; is_digit(*at); at++) {
		if (*at != '0' && !round)
			return false;
	}
	if (*at != '\0' || minor > MONEY_MAX)
		return false;
	*ret_minor = negative ? -minor : minor;
	return true;
}

bool
decimal_text(double number, char out[static 40])
{
	double limit = 10.0;
	int decimals = 14;

	if (!(number > -1e13 && number < 1e13))
		return false;
	for (; decimals > 1 && (number >= limit || number <= -limit); decimals--)
		limit *= 10.0;
	snprintf(out, 40, "%.*f", decimals, number);
	return true;
}
