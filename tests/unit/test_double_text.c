/* SPDX-License-Identifier: Apache-2.0
 *
 * test_double_text.c - the same bytes as printf's %.17g, over a few million doubles.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/double_text.h"

#include "random_fixture.h"

static struct dice dice = { 20261121 };

static void
same(double d)
{
	char mine[DOUBLE_TEXT_SIZE], theirs[64];
	size_t len = double_text(d, mine);

	snprintf(theirs, sizeof(theirs), "%.17g", d);
	if (strcmp(mine, theirs) != 0 || len != strlen(theirs))
		fail_msg("%s instead of %s", mine, theirs);
}

static void
both(double d)
{
	same(d);
	same(-d);
}

static void
bits_at_random(void **state)
{
	(void)state;
	for (int i = 0; i < 300000; i++) {
		uint64_t bits = dice_next(&dice);
		double d;

		memcpy(&d, &bits, sizeof(d));
		if (isfinite(d))
			same(d);
	}
}

/* Every size that the fast way takes, and what lies around it. */
static void
sizes_at_random(void **state)
{
	(void)state;
	for (int exponent = -45; exponent <= 62; exponent++) {
		for (int i = 0; i < 15000; i++)
			same(ldexp((double)((dice_next(&dice) >> 12) + (UINT64_C(1) << 52)),
			    exponent - 52));
	}
}

static void
money_and_chances(void **state)
{
	static const double by[] = { 1, 2, 3, 7, 10, 100, 1000, 1e6, 1e9 };

	(void)state;
	for (int i = 0; i < 50000; i++) {
		for (size_t b = 0; b < ARRAY_LEN(by); b++)
			both((double)(dice_next(&dice) % 2000000) / by[b]);
		both((double)(dice_next(&dice) >> 11) * 0x1p-53);
	}
}

/* Seventeen digits and then exactly a half: rounded to even. */
static void
ties(void **state)
{
	(void)state;
	for (int i = 0; i < 200000; i++) {
		both((double)((dice_next(&dice) >> 11) | 1) / 2);
		both((double)((dice_next(&dice) >> 12) | 1) / 4);
		both((double)((dice_next(&dice) >> 14) | 1) / 8);
		both((double)((dice_next(&dice) >> 20) | 1) / 512);
		both((double)((dice_next(&dice) >> 30) | 1) / 131072);
	}
	both(0.5);
	both(1234567890123456.5);
	both(12345678901234567.0);
}

static void
powers_and_their_neighbours(void **state)
{
	(void)state;
	for (int power = -320; power <= 308; power++) {
		char text[16];
		double d;

		snprintf(text, sizeof(text), "1e%d", power);
		assert_int_equal(sscanf(text, "%lf", &d), 1);
		both(d);
		both(nextafter(d, 0));
		both(nextafter(d, INFINITY));
		both(nextafter(nextafter(d, 0), 0));
		both(9.9999999999999999 * d);
		both(5 * d);
	}
	for (int power = -1074; power <= 1023; power++) {
		both(ldexp(1, power));
		both(nextafter(ldexp(1, power), 0));
		both(nextafter(ldexp(1, power), INFINITY));
	}
	same(0.0);
	same(-0.0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_at_random),
		cmocka_unit_test(sizes_at_random),
		cmocka_unit_test(money_and_chances),
		cmocka_unit_test(ties),
		cmocka_unit_test(powers_and_their_neighbours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
