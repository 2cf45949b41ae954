/* SPDX-License-Identifier: Apache-2.0
 *
 * test_fmath.c - exp, log and 2^x against libm, and their bits against a digest.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/fmath.h"

static uint64_t seed = 88172645463325252u;

static uint64_t
next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static double
between(double low, double high)
{
	return low + (high - low) * ((double)(next_random() >> 11) * 0x1p-53);
}

/* Steps from one double to the other. */
static int64_t
steps(double a, double b)
{
	int64_t i, j;
	memcpy(&i, &a, 8);
	memcpy(&j, &b, 8);
	if (i < 0)
		i = INT64_MIN - i;
	if (j < 0)
		j = INT64_MIN - j;
	return i > j ? i - j : j - i;
}

static void
assert_close(double x, double ours, double libm)
{
	if (steps(ours, libm) > 1)
		fail_msg("x=%a ours=%a libm=%a", x, ours, libm);
}

static void
exp_is_within_one_step_of_libm(void **state)
{
	(void)state;
	for (int i = 0; i < 300000; i++) {
		double x = between(-745, 709.7), small = between(-1, 1),
		       tiny = between(-1e-8, 1e-8);
		assert_close(x, fmath_exp(x), exp(x));
		assert_close(small, fmath_exp(small), exp(small));
		assert_close(tiny, fmath_exp(tiny), exp(tiny));
	}
}

static void
exp2_is_within_one_step_of_libm(void **state)
{
	(void)state;
	for (int i = 0; i < 300000; i++) {
		double x = between(-1074, 1023.99), small = between(-1, 1);
		assert_close(x, fmath_exp2(x), exp2(x));
		assert_close(small, fmath_exp2(small), exp2(small));
	}
	for (int k = -1074; k < 1024; k++)
		assert_true(fmath_exp2(k) == ldexp(1, k));
}

static void
log_is_within_one_step_of_libm(void **state)
{
	(void)state;
	for (int i = 0; i < 300000; i++) {
		uint64_t bits = next_random() >> 1;
		double any, near = between(0.5, 2), close = 1 + between(-1e-6, 1e-6);
		memcpy(&any, &bits, 8);
		if (isfinite(any))
			assert_close(any, fmath_log(any), log(any));
		assert_close(near, fmath_log(near), log(near));
		assert_close(close, fmath_log(close), log(close));
	}
}

static void
expf_is_within_one_step_of_libm(void **state)
{
	(void)state;
	for (int i = 0; i < 300000; i++) {
		float x = (float)between(-103, 88.7), ours = fmath_expf(x), libm = expf(x);
		int32_t a, b;
		memcpy(&a, &ours, 4);
		memcpy(&b, &libm, 4);
		assert_true(a - b <= 1 && b - a <= 1);
	}
}

static void
the_ends_of_the_range_are_exact(void **state)
{
	(void)state;
	assert_true(fmath_exp(0) == 1 && fmath_exp(-0.0) == 1 && fmath_exp2(0) == 1 &&
	    fmath_log(1) == 0);
	assert_true(isfinite(fmath_exp(709.782712893384)));
	assert_true(isinf(fmath_exp(709.782712893385)) && fmath_exp(709.782712893385) > 0);
	assert_true(fmath_exp(-745.13) > 0);
	assert_true(fmath_exp(-745.14) == 0);
	assert_true(isinf(fmath_exp(INFINITY)) && fmath_exp(-INFINITY) == 0);
	assert_true(isfinite(fmath_exp2(1023.9999)) && isinf(fmath_exp2(1024)));
	assert_true(fmath_exp2(-1074) > 0 && fmath_exp2(-1076) == 0 && fmath_exp2(-INFINITY) == 0);
	assert_true(isinf(fmath_log(0)) && fmath_log(0) < 0 && isinf(fmath_log(-0.0)));
	assert_true(isnan(fmath_log(-1)) && isnan(fmath_log(NAN)) && isnan(fmath_exp(NAN)));
	assert_true(isnan(fmath_exp2(NAN)) && isinf(fmath_log(INFINITY)));
	assert_true(isinf(fmath_expf(89)) && fmath_expf(-104) == 0 && isnan(fmath_expf(NAN)));
}

/* Made once on x86-64; the same program says the same on arm64 and armhf. */
static void
the_bits_are_the_same_on_every_machine(void **state)
{
	(void)state;
	uint64_t digest = 14695981039346656037u;
	seed = 42;
	for (int i = 0; i < 100000; i++) {
		double x = between(-700, 700);
		const double results[4] = { fmath_exp(x), fmath_exp2(x), fmath_log(x < 0 ? -x : x),
			(double)fmath_expf((float)x / 10) };
		for (size_t k = 0; k < 4; k++) {
			uint64_t bits;
			memcpy(&bits, &results[k], 8);
			digest = (digest ^ bits) * 1099511628211u;
			digest ^= digest >> 29;
		}
	}
	assert_int_equal(digest, UINT64_C(0xb0bed2a9dcbb184a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exp_is_within_one_step_of_libm),
		cmocka_unit_test(exp2_is_within_one_step_of_libm),
		cmocka_unit_test(log_is_within_one_step_of_libm),
		cmocka_unit_test(expf_is_within_one_step_of_libm),
		cmocka_unit_test(the_ends_of_the_range_are_exact),
		cmocka_unit_test(the_bits_are_the_same_on_every_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
