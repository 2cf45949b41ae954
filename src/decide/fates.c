/* SPDX-License-Identifier: Apache-2.0
 *
 * fates.c - the words for what became of a candidate.
 */
#include "decide/run.h"

/* clang-format off */
const char *const fate_names[FATE_COUNT] = {
#define X(constant, name) [FATE_##constant] = name,
	FATES(X)
#undef X
};
/* clang-format on */

bool
decision_withholds(const struct decision *decision, const struct action *action)
{
	const unsigned kinds = (1u << KIND_OFFER) | (1u << KIND_RECOMMEND) | (1u << KIND_REMIND) |
	    (1u << KIND_COACH) | (1u << KIND_RETAIN);

	return decision->withheld != NULL && !action->mandatory &&
	    (kinds & (1u << action->kind)) != 0;
}
