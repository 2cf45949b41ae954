/* SPDX-License-Identifier: Apache-2.0
 *
 * fmath.h - exp, log and pow with the same bits on every machine: fixed order
 * of IEEE operations, no fused multiply-add, no libm.
 */
#ifndef AISLE_CORE_FMATH_H
#define AISLE_CORE_FMATH_H

/* ≤ 1 ulp of libm over its range; overflow inf, underflow 0 */
double fmath_exp(double x);
double fmath_log(double x);	     /* x < 0: NaN; 0: -inf */
double fmath_exp2(double x);	     /* 2^x, for half-lives */
double fmath_signed_log1p(double x); /* log(1 + x); -log(1 - x) below 0 */
float fmath_expf(float x);

#endif
