/* SPDX-License-Identifier: Apache-2.0
 *
 * goods_seen.h - which categories and brands the lines of recorded events are of.
 */
#ifndef AISLE_TOOLS_GOODS_SEEN_H
#define AISLE_TOOLS_GOODS_SEEN_H

#include <stdio.h>

#include "aisle/base.h"
#include "policy/policy_load.h"

struct arena;

/* Every category with those above it, sorted; in the arena. AISLE_E_INVALID: a line is too long, or
 * no event has a category. */
int goods_seen(FILE *events, struct arena *arena, struct policy_goods *ret_goods, struct err *err)
    AISLE_MUST_CHECK;

#endif
