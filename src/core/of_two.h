/* SPDX-License-Identifier: Apache-2.0
 *
 * of_two.h - of two amounts, or two times.
 */
#ifndef AISLE_CORE_OF_TWO_H
#define AISLE_CORE_OF_TWO_H

#include <stdint.h>

static inline int64_t
smaller_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t
larger_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

#endif
