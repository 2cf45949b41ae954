/* SPDX-License-Identifier: Apache-2.0
 *
 * placements.c - the rows of placement.h.
 */
#include "aisle/placement.h"

const char *const placement_names[PLACE_COUNT] = {
#define X(constant, name, ...) name,
	PLACEMENTS(X)
#undef X
};

const struct placement_traits placement_table[PLACE_COUNT] = {
#define X(constant, name, ...) { __VA_ARGS__ },
	PLACEMENTS(X)
#undef X
};
