/* SPDX-License-Identifier: Apache-2.0
 *
 * bell_fixture.h - chance for tests of statistics: evenly in [0, 1), and about normal; the same each time from a seed.
 */
#ifndef AISLE_TESTS_BELL_FIXTURE_H
#define AISLE_TESTS_BELL_FIXTURE_H

#include <stdint.h>

static uint64_t seed;

static inline double
dice(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(seed >> 11) * 0x1p-53;
}

/* Twelve throws: mean 0, variance 1 (Irwin-Hall). */
static inline double
bell(void)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += dice();
	return sum;
}

#endif
