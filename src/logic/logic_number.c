/* SPDX-License-Identifier: Apache-2.0
 *
 * logic_number.c - numbers as JavaScript reads and writes them.
 *
 * DESIGN
 *   ECMA-262 (2023) 6.1.6.1.20 Number::toString, 7.1.4.1 StringToNumber and
 *   19.2.4 parseFloat. What the grammar accepts is found here, and only that is
 *   given to strtod, which knows more spellings ("0x1p3", "inf", "nan") than
 *   JavaScript. The process never calls setlocale, so the point is a point.
 */
#include "logic/logic_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 17	 /* enough for any double to come back as itself */
#define SPELLING_MAX 120 /* of one decimal; longer ones go through the heap */

/* Digits and exponent of 0.DIGITS × 10^exponent, as few as come back as number. */
struct decimal {
	char digits[DIGITS_MAX + 8];
	int count, exponent;
};

static bool
is_power_of_two(double number)
{
	uint64_t bits;
	memcpy(&bits, &number, sizeof(bits));
	return (bits & ((UINT64_C(1) << 52) - 1)) == 0;
}

/* "d.ddde±x" of %.*e into digits and exponent; true if the digits come back as number. */
static bool
decimal_try(const char *text, double number, struct decimal *ret)
{
	ret->count = 0;
	const char *at = text;
	for (; *at != 'e' && *at != '\0'; at++)
		if (*at != '.')
			ret->digits[ret->count++] = *at;
	ret->exponent = *at == 'e' ? atoi(at + 1) + 1 : 1;
	while (ret->count > 1 && ret->digits[ret->count - 1] == '0')
		ret->count--;
	ret->digits[ret->count] = '\0';
	return strtod(text, NULL) == number;
}

static void
decimal_shortest(double number, struct decimal *ret)
{
	char text[48];
	for (int precision = 0; precision < DIGITS_MAX; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, number);
		if (decimal_try(text, number, ret))
			return;
		if (!is_power_of_two(number) || precision < 15)
			continue;
		/* Below a power of two doubles lie twice as dense, so the nearest
		 * decimal of this length may miss while its upper neighbour hits. */
		char digits[DIGITS_MAX + 8];
		memcpy(digits, ret->digits, sizeof(digits));
		int exponent = ret->exponent, count = ret->count;
		while (count < precision + 1)
			digits[count++] = '0';
		digits[count] = '\0';
		uint64_t up = strtoull(digits, NULL, 10) + 1;
		snprintf(text, sizeof(text), "%" PRIu64 "e%d", up, exponent - count);
		if (strtod(text, NULL) == number) {
			ret->count = snprintf(ret->digits, sizeof(ret->digits), "%" PRIu64, up);
			ret->exponent = exponent + (ret->count - count);
			return;
		}
	}
}

void
number_text(double number, char out[static NUMBER_TEXT_SIZE])
{
	if (number != number) {
		memcpy(out, "NaN", sizeof("NaN"));
		return;
	}
	char *at = out;
	if (number < 0) {
		*at++ = '-';
		number = -number;
	}
	if (number > 1.7976931348623157e308) {
		memcpy(at, "Infinity", sizeof("Infinity"));
		return;
	}
	if (number < 9007199254740992.0 && (double)(int64_t)number == number) {
		sprintf(at, "%" PRId64, (int64_t)number);
		return;
	}
	struct decimal d;
	decimal_shortest(number, &d);
	int k = d.count, n = d.exponent;
	if (k <= n && n <= 21) {
		sprintf(at, "%s%.*s", d.digits, n - k, "000000000000000000000");
	} else if (0 < n && n <= 21) {
		sprintf(at, "%.*s.%s", n, d.digits, d.digits + n);
	} else if (-6 < n && n <= 0) {
		sprintf(at, "0.%.*s%s", -n, "000000", d.digits);
	} else {
		sprintf(at, "%.1s%s%se%+d", d.digits, k > 1 ? "." : "", d.digits + 1, n - 1);
	}
}

/* White space and line ends of ECMA-262, in UTF-8; 0 when s does not begin with one. */
static size_t
space_len(const char *s)
{
	static const char *const wide[] = { "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80",
		"\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85",
		"\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a",
		"\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
		"\xef\xbb\xbf" };
	if (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		return 1;
	if ((unsigned char)*s < 0x80)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (strncmp(s, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	return 0;
}

static const char *
skip_space(const char *s)
{
	for (size_t len; (len = space_len(s)) > 0;)
		s += len;
	return s;
}

static const char *
skip_digits(const char *s)
{
	while (*s >= '0' && *s <= '9')
		s++;
	return s;
}

/* End of the longest decimal literal at s, without sign and Infinity; s itself if there is none. */
static const char *
decimal_end(const char *s)
{
	const char *end = skip_digits(s);
	size_t digits = (size_t)(end - s);
	if (*end == '.') {
		const char *fraction = skip_digits(end + 1);
		digits += (size_t)(fraction - end - 1);
		end = fraction;
	}
	if (digits == 0)
		return s;
	if (*end == 'e' || *end == 'E') {
		const char *exponent = end + 1;
		if (*exponent == '+' || *exponent == '-')
			exponent++;
		const char *after = skip_digits(exponent);
		if (after > exponent)
			end = after;
	}
	return end;
}

/* A number at s with optional sign; *ret_end == s when there is none. */
static double
signed_decimal(const char *s, const char **ret_end)
{
	const char *at = s + (*s == '+' || *s == '-');
	double sign = *s == '-' ? -1 : 1;
	if (strncmp(at, "Infinity", 8) == 0) {
		*ret_end = at + 8;
		return sign * __builtin_inf();
	}
	const char *end = decimal_end(at);
	*ret_end = end == at ? s : end;
	if (end == at)
		return __builtin_nan("");

	char spelling[SPELLING_MAX + 1];
	if (end - at <= SPELLING_MAX) {
		/* Copied: in "1e5x10" or "0x1" strtod would read on or otherwise. */
		memcpy(spelling, at, (size_t)(end - at));
		spelling[end - at] = '\0';
		return sign * strtod(spelling, NULL);
	}
	char *whole = mem_alloc((size_t)(end - at) + 1);
	memcpy(whole, at, (size_t)(end - at));
	whole[end - at] = '\0';
	double number = strtod(whole, NULL);
	free(whole);
	return sign * number;
}

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

static int
radix_of(const char *s)
{
	if (s[0] != '0')
		return 0;
	switch (s[1]) {
	case 'x':
	case 'X': return 16;
	case 'o':
	case 'O': return 8;
	case 'b':
	case 'B': return 2;
	default: return 0;
	}
}

/* 0x, 0o, 0b: no sign, at least one digit, nothing but digits. */
static bool
radix_number(const char *s, double *ret)
{
	int radix = radix_of(s);
	if (radix == 0)
		return false;
	double number = 0;
	const char *at = s + 2;
	for (; digit_of(*at) < radix; at++)
		number = number * radix + digit_of(*at);
	*ret = at > s + 2 && *skip_space(at) == '\0' ? number : __builtin_nan("");
	return true;
}

double
number_of_text(const char *s)
{
	s = skip_space(s);
	if (*s == '\0')
		return 0;
	double number;
	if (radix_number(s, &number))
		return number;
	const char *end;
	number = signed_decimal(s, &end);
	return end > s && *skip_space(end) == '\0' ? number : __builtin_nan("");
}

double
number_parse_float(const char *s)
{
	const char *end;
	return signed_decimal(skip_space(s), &end);
}

/* Exponent and 53-bit mantissa of a finite positive number: mantissa × 2^exponent. */
static uint64_t
split(double number, int *ret_exponent)
{
	uint64_t bits;
	memcpy(&bits, &number, sizeof(bits));
	int exponent = (int)(bits >> 52 & 0x7ff);
	uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
	*ret_exponent = exponent == 0 ? -1074 : exponent - 1075;
	return exponent == 0 ? mantissa : mantissa | UINT64_C(1) << 52;
}

/* The remainder is exact (it has the sign of a), so any exact way gives the same bits: here long
 * division. */
double
number_mod(double a, double b)
{
	double x = a < 0 ? -a : a, y = b < 0 ? -b : b;
	if (x != x || y != y || x > 1.7976931348623157e308 || y == 0)
		return __builtin_nan("");
	if (x < y)
		return a;
	if (x < 9007199254740992.0 && (double)(int64_t)x == x && (double)(int64_t)y == y) {
		double rest = (double)((int64_t)x % (int64_t)y);
		return a < 0 ? -rest : rest;
	}
	int ex, ey;
	uint64_t mx = split(x, &ex), my = split(y, &ey);
	mx %= my;
	for (; ex > ey && mx != 0; ex--)
		mx = (mx << 1) % my;
	/* mx is in units of y's last place; scaling by powers of two is exact. */
	double unit = 1, rest = (double)mx;
	for (int e = ey; e > 0; e--)
		unit *= 2;
	for (int e = ey; e < 0; e++)
		rest /= 2;
	rest *= unit;
	return a < 0 ? -rest : rest;
}
