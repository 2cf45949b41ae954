/* SPDX-License-Identifier: Apache-2.0
 *
 * distribution.c - Student's t, χ² and the normal distribution.
 *
 * DESIGN
 *   ln Γ by Stirling's series behind x = 16, reached by Γ(x + 1) = x Γ(x). The
 *   tails are the incomplete beta and gamma functions: continued fractions
 *   (DLMF 8.17.22 and 8.9.2, evaluated forwards by Lentz's method) and, where
 *   those are slow, the power series DLMF 8.7.1. A quantile is the tail turned
 *   round by halving: forty lines that cannot fail instead of a fit with
 *   coefficients. Behind LARGE_DF t is the normal with three terms of its
 *   expansion in 1/df (Abramowitz and Stegun 26.7.5).
 *
 *   All on core/fmath.h: an interval is the same on every machine.
 */
#include "learn/distribution.h"

#include <math.h>

#include "aisle/base.h"
#include "core/fmath.h"

#define HALF_LOG_2PI 0.91893853320467274178
#define STEPS_MAX 10000
#define SMALL 1e-300
#define EXACT 1e-16
#define LARGE_DF 1e5

double
log_gamma(double x)
{
	/* B(2k) / (2k (2k - 1)) */
	static const double stirling[] = { 1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680,
		1.0 / 1188, -691.0 / 360360, 1.0 / 156 };
	double product = 1.0, sum = 0, square;

	CHECK(x > 0);
	while (x < 16) {
		product = product * x;
		x = x + 1.0;
	}
	square = 1.0 / (x * x);
	for (size_t i = ARRAY_LEN(stirling); i > 0; i--)
		sum = sum * square + stirling[i - 1];
	return (x - 0.5) * fmath_log(x) - x + HALF_LOG_2PI + sum / x - fmath_log(product);
}

static double
not_zero(double x)
{
	return fabs(x) < SMALL ? SMALL : x;
}

/* b₀ + a₁/(b₁ + a₂/(b₂ + …): its value so far, which begins as b₀, and Lentz's two ratios, b₀ and 0. */
struct fraction {
	double value, c, d;
};

static bool
fraction_settles(struct fraction *f, double a, double b)
{
	double step;

	f->d = 1.0 / not_zero(b + a * f->d);
	f->c = not_zero(b + a / f->c);
	step = f->c * f->d;
	f->value = f->value * step;
	return fabs(step - 1.0) < EXACT * 4;
}

/* I_x(a, b) for x < (a + 1) / (a + b + 2). */
static double
beta_fraction(double x, double a, double b)
{
	double front = log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * fmath_log(x) +
	    b * fmath_log(1.0 - x);
	struct fraction f = { 1.0, 1.0, 0 };

	for (int m = 0; m < STEPS_MAX; m++) {
		double even = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1));
		double k = m + 1.0;
		double odd = k * (b - k) * x / ((a + 2.0 * k - 1) * (a + 2.0 * k));

		(void)fraction_settles(&f, even, 1.0);
		if (fraction_settles(&f, odd, 1.0))
			break;
	}
	return fmath_exp(front) / (a * f.value);
}

static double
beta_regular(double x, double a, double b)
{
	if (!(x > 0))
		return 0;
	if (!(x < 1))
		return 1;
	return x < (a + 1.0) / (a + b + 2.0) ? beta_fraction(x, a, b)
					     : 1.0 - beta_fraction(1.0 - x, b, a);
}

double
student_tails(double t, double df)
{
	CHECK(df > 0);
	return beta_regular(df / (df + t * t), df / 2, 0.5);
}

double
chi2_tail(double x, double df)
{
	double a = df / 2, z = x / 2, front;

	CHECK(df > 0);
	if (!(z > 0))
		return 1;
	front = fmath_exp(a * fmath_log(z) - z - log_gamma(a));
	if (z < a + 1.0) {
		double term = 1.0 / a, sum = term;

		for (int n = 1; n < STEPS_MAX && term > sum * EXACT; n++) {
			term = term * z / (a + n);
			sum = sum + term;
		}
		return 1.0 - front * sum;
	} else {
		struct fraction f = { z + 1.0 - a, z + 1.0 - a, 0 };

		for (int n = 1; n < STEPS_MAX; n++)
			if (fraction_settles(&f, -n * (n - a), z + 1.0 - a + 2.0 * n))
				break;
		return front / f.value;
	}
}

/* Where a falling tail meets alpha. */
static double
turned_round(double (*tail)(double x, double df), double alpha, double df)
{
	double low = 0, high = 1;

	CHECK(alpha > 0 && alpha < 1);
	while (tail(high, df) > alpha && high < 1e300) {
		low = high;
		high = high * 2;
	}
	for (;;) {
		double middle = low + (high - low) / 2;

		if (!(middle > low && middle < high))
			return middle;
		if (tail(middle, df) > alpha)
			low = middle;
		else
			high = middle;
	}
}

double
chi2_quantile(double alpha, double df)
{
	return turned_round(chi2_tail, alpha, df);
}

double
normal_quantile(double alpha)
{
	return sqrt(chi2_quantile(alpha, 1));
}

double
student_quantile(double alpha, double df)
{
	double z, z2;

	if (!(df > LARGE_DF))
		return turned_round(student_tails, alpha, df);
	z = normal_quantile(alpha);
	z2 = z * z;
	return z +
	    z *
	    ((z2 + 1) / (4 * df) + ((5 * z2 + 16) * z2 + 3) / (96 * df * df) +
		(((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * df * df * df));
}
