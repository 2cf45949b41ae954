/* SPDX-License-Identifier: Apache-2.0
 *
 * fates.c - the words for what became of a candidate.
 */
#include "aisle/decision.h"

/* clang-format off */
const char *const fate_names[FATE_COUNT] = {
#define X(constant, name) [FATE_##constant] = name,
	FATES(X)
#undef X
};
/* clang-format on */
