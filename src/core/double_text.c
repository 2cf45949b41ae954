/* SPDX-License-Identifier: Apache-2.0
 *
 * double_text.c - a double as the text that printf's %.17g gives, byte by byte.
 *
 * DESIGN
 *   A decision's record holds a hundred doubles, and printing them was a third of a replay. A
 *   double is m × 2^e. Of 1e-11 ≤ d < 1e17, which is nearly all that a store computes, the
 *   seventeen digits are the whole part of m × 5^k × 2^(e+k) for a k of 0 to 27: 5^27 fits 64 bits
 *   and the product 116, so the digits, the rounding and the ties (to even) are exact. Anything
 *   else is left to printf. Rejected: shortest digits (Ryu, Grisu); the contract says %.17g.
 *
 *   128 bits are two words of 64: the 32-bit machines have no __int128.
 */
#include "core/double_text.h"

#include <stdio.h>
#include <string.h>

#define DIGITS 17
#define K_MAX 27
#define TEN_16 UINT64_C(10000000000000000)
#define TEN_17 UINT64_C(100000000000000000)
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1075 /* of m as a whole number */

/* clang-format off */
static const uint64_t fives[K_MAX + 1] = {
	UINT64_C(1), UINT64_C(5), UINT64_C(25), UINT64_C(125), UINT64_C(625), UINT64_C(3125),
	UINT64_C(15625), UINT64_C(78125), UINT64_C(390625), UINT64_C(1953125), UINT64_C(9765625),
	UINT64_C(48828125), UINT64_C(244140625), UINT64_C(1220703125), UINT64_C(6103515625),
	UINT64_C(30517578125), UINT64_C(152587890625), UINT64_C(762939453125),
	UINT64_C(3814697265625), UINT64_C(19073486328125), UINT64_C(95367431640625),
	UINT64_C(476837158203125), UINT64_C(2384185791015625), UINT64_C(11920928955078125),
	UINT64_C(59604644775390625), UINT64_C(298023223876953125), UINT64_C(1490116119384765625),
	UINT64_C(7450580596923828125),
};
/* clang-format on */

struct scaled {
	uint64_t whole;
	int rest; /* of what is left out: -1 nothing, 0 below a half, 1 a half, 2 above */
};

static void
multiply(uint64_t a, uint64_t b, uint64_t *ret_high, uint64_t *ret_low)
{
	uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
	uint64_t low = al * bl, mid = ah * bl + (low >> 32), mid2 = al * bh + (uint32_t)mid;

	*ret_low = mid2 << 32 | (uint32_t)low;
	*ret_high = ah * bh + (mid >> 32) + (mid2 >> 32);
}

/* Of d × 10^k, which the caller's k keeps inside 64 bits: so 0 ≤ shift ≤ 63, or a few bits to the
 * left. */
static struct scaled
scale(uint64_t mantissa, int exponent, int k)
{
	int shift = -(exponent + k);
	uint64_t high, low, rest, half;

	multiply(mantissa, fives[k], &high, &low);
	if (shift <= 0)
		return (struct scaled){ low << -shift, -1 };
	half = UINT64_C(1) << (shift - 1);
	rest = low & ((half << 1) - 1);
	return (struct scaled){ high << (64 - shift) | low >> shift,
		rest == 0	   ? -1
		    : rest < half  ? 0
		    : rest == half ? 1
				   : 2 };
}

/* Seventeen digits of d > 0 and the power of ten of the first. false: out of reach. */
static bool
seventeen(double d, uint64_t *ret_digits, int *ret_power)
{
	uint64_t bits, mantissa;
	int exponent, power, k;
	struct scaled scaled;

	memcpy(&bits, &d, sizeof(bits));
	mantissa = (bits & ((UINT64_C(1) << MANTISSA_BITS) - 1)) | UINT64_C(1) << MANTISSA_BITS;
	exponent = (int)(bits >> MANTISSA_BITS) - EXPONENT_BIAS;
	/* log10 of 2^(exponent+52), at most one too small. 1233/4096 is just under log10(2). */
	power = (exponent + MANTISSA_BITS) * 1233 >> 12;
	k = DIGITS - 1 - power;
	if (k > K_MAX || k < 1)
		return false;
	scaled = scale(mantissa, exponent, k);
	if (scaled.whole >= TEN_17) {
		power++;
		scaled = scale(mantissa, exponent, --k);
	}
	if (scaled.rest == 2 || (scaled.rest == 1 && (scaled.whole & 1) != 0))
		scaled.whole++;
	if (scaled.whole == TEN_17) {
		scaled.whole = TEN_16;
		power++;
	}
	*ret_digits = scaled.whole;
	*ret_power = power;
	return scaled.whole >= TEN_16;
}

static void
put_eight(uint32_t n, char *out)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	uint32_t high = n / 10000, low = n % 10000;

	memcpy(out, pairs + 2 * (high / 100), 2);
	memcpy(out + 2, pairs + 2 * (high % 100), 2);
	memcpy(out + 4, pairs + 2 * (low / 100), 2);
	memcpy(out + 6, pairs + 2 * (low % 100), 2);
}

/* The digits without the zeros at their end; returns how many there are. */
static int
write_digits(uint64_t digits, char out[static DIGITS])
{
	uint64_t high = digits / 100000000;
	int count = DIGITS;

	out[0] = (char)('0' + high / 100000000);
	put_eight((uint32_t)(high % 100000000), out + 1);
	put_eight((uint32_t)(digits % 100000000), out + 9);
	while (count > 1 && out[count - 1] == '0')
		count--;
	return count;
}

/* %g: an exponent below -4 or above 16 is written out. */
static size_t
layout(const char *digits, int count, int power, char *out)
{
	char *at = out;

	if (power < -4) {
		*at++ = digits[0];
		if (count > 1) {
			*at++ = '.';
			memcpy(at, digits + 1, (size_t)count - 1);
			at += count - 1;
		}
		*at++ = 'e';
		*at++ = '-';
		*at++ = (char)('0' - power / 10);
		*at++ = (char)('0' - power % 10);
	} else if (power < 0) {
		memcpy(at, "0.000", 5);
		at += 1 - power;
		memcpy(at, digits, (size_t)count);
		at += count;
	} else {
		int whole = power + 1;

		memcpy(at, digits, (size_t)whole); /* the zeros at their end are still there */
		at += whole;
		if (count > whole) {
			*at++ = '.';
			memcpy(at, digits + whole, (size_t)(count - whole));
			at += count - whole;
		}
	}
	*at = '\0';
	return (size_t)(at - out);
}

size_t
double_text(double d, char out[static DOUBLE_TEXT_SIZE])
{
	char digits[DIGITS];
	size_t sign = d < 0;
	uint64_t number;
	int power;

	if (!seventeen(sign ? -d : d, &number, &power))
		return (size_t)snprintf(out, DOUBLE_TEXT_SIZE, "%.17g", d);
	out[0] = '-';
	return sign + layout(digits, write_digits(number, digits), power, out + sign);
}
