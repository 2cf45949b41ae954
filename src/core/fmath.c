/* SPDX-License-Identifier: Apache-2.0
 *
 * fmath.c - exp, log and 2^x with the same bits on every machine.
 *
 * DESIGN
 *   Only IEEE additions, multiplications and one division, in a fixed order,
 *   rounded to nearest: these are the same everywhere, provided that nothing
 *   is fused (-ffp-contract=off) and nothing is kept wider (FLT_EVAL_METHOD 0).
 *   Series instead of tables: the coefficients are 1/n! and 2/(2n+1), so there is
 *   nothing to mistype, and the time does not matter beside a model's trees.
 *
 *   exp:  x = k ln2 + r with |r| <= ln2/2 (Cody and Waite: ln2 in two parts,
 *         the first short enough that k times it is exact), then the series to r^13.
 *   log:  x = 2^k (1+f) with sqrt(1/2) <= 1+f < sqrt(2), s = f/(2+f), and
 *         log(1+f) = 2 artanh(s) = f - s (f - R), R = s^2 (2/3 + 2/5 s^2 + …).
 */
#include "core/fmath.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "floating point is kept wider than its type: results would differ between machines"
#endif

#define LN2_HIGH 0x1.62e42fefap-1 /* 36 bits: times 1,100 is exact */
#define LN2_LOW 0x1.cf79abc9e3b3ap-40
#define LOG2_E 0x1.71547652b82fep0
#define ROUNDER 0x1.8p52 /* adding and taking it away rounds to an integer */

static uint64_t
to_bits(double x)
{
	uint64_t bits;
	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static double
from_bits(uint64_t bits)
{
	double x;
	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* x 2^k, rounded once; |x| in [1/2, 2), k from -1100 to 1024. */
static double
scale(double x, int k)
{
	if (k > 1000)
		return x * 0x1p1000 * from_bits((uint64_t)(k - 1000 + 1023) << 52);
	if (k < -1000)
		return x * from_bits((uint64_t)(k + 1000 + 1023) << 52) * 0x1p-1000;
	return x * from_bits((uint64_t)(k + 1023) << 52);
}

/* e^(r + low) 2^k, |r| <= 0.35 and low far below r. */
static double
exp_series(double r, double low, int k)
{
	double q = 1.0 / 6227020800;
	q = q * r + 1.0 / 479001600;
	q = q * r + 1.0 / 39916800;
	q = q * r + 1.0 / 3628800;
	q = q * r + 1.0 / 362880;
	q = q * r + 1.0 / 40320;
	q = q * r + 1.0 / 5040;
	q = q * r + 1.0 / 720;
	q = q * r + 1.0 / 120;
	q = q * r + 1.0 / 24;
	q = q * r + 1.0 / 6;
	double square = r * r;
	/* The small parts first; low enters with the slope 1 + r. */
	double rest = square * 0.5 + (square * r * q + (low + low * r));
	return scale(1.0 + (r + rest), k);
}

double
fmath_exp(double x)
{
	if (x != x)
		return x;
	if (x > 0x1.62e42fefa39efp9) /* log(DBL_MAX) */
		return from_bits(UINT64_C(0x7ff) << 52);
	if (x < -745.2) /* below half of the least number */
		return 0;
	double k = x * LOG2_E + ROUNDER - ROUNDER;
	double high = x - k * LN2_HIGH, low = k * LN2_LOW;
	double r = high - low;
	return exp_series(r, (high - r) - low, (int)k);
}

double
fmath_exp2(double x)
{
	if (x != x)
		return x;
	if (x >= 1024)
		return from_bits(UINT64_C(0x7ff) << 52);
	if (x < -1076)
		return 0;
	double k = x + ROUNDER - ROUNDER;
	double f = x - k; /* exact */
	/* f ln2 in two parts, without a fused multiply: 24 bits times 27 bits is exact. */
	double head = (float)f, tail = f - head;
	double product = head * 0x1.62e42fcp-1;
	double rest = tail * 0x1.62e42fcp-1 + f * 0x1.7d1cf79abc9e4p-28;
	double r = product + rest;
	return exp_series(r, (product - r) + rest, (int)k);
}

double
fmath_log(double x)
{
	uint64_t bits = to_bits(x);
	int k = 0;
	if (x != x)
		return x;
	if (x == 0)
		return -from_bits(UINT64_C(0x7ff) << 52);
	if (x < 0)
		return from_bits(UINT64_C(0x7ff8) << 48);
	if (bits >> 52 == 0x7ff)
		return x;
	if (bits >> 52 == 0) { /* subnormal */
		bits = to_bits(x * 0x1p54);
		k = -54;
	}
	k += (int)(bits >> 52) - 1023;
	double m = from_bits((bits & ~(UINT64_C(0x7ff) << 52)) | UINT64_C(1023) << 52);
	if (m >= 0x1.6a09e667f3bcdp0) { /* sqrt(2) */
		m *= 0.5;
		k++;
	}
	double f = m - 1.0, s = f / (2.0 + f), z = s * s;
	double p = 2.0 / 25;
	p = p * z + 2.0 / 23;
	p = p * z + 2.0 / 21;
	p = p * z + 2.0 / 19;
	p = p * z + 2.0 / 17;
	p = p * z + 2.0 / 15;
	p = p * z + 2.0 / 13;
	p = p * z + 2.0 / 11;
	p = p * z + 2.0 / 9;
	p = p * z + 2.0 / 7;
	p = p * z + 2.0 / 5;
	p = p * z + 2.0 / 3;
	/* f - s (f - R) with f - R split, so that the large f^2/2 is taken off exactly last. */
	double half = 0.5 * f * f;
	double small = s * (half + z * p) + k * LN2_LOW;
	return k * LN2_HIGH + (f - (half - small));
}

double
fmath_signed_log1p(double x)
{
	return x < 0 ? -fmath_log(1 - x) : fmath_log(1 + x);
}

float
fmath_expf(float x)
{
	return (float)fmath_exp((double)x);
}
