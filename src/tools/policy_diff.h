/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_diff.h - what one policy means after another, in words: for whoever is to sign it.
 */
#ifndef AISLE_TOOLS_POLICY_DIFF_H
#define AISLE_TOOLS_POLICY_DIFF_H

#include "core/json.h"
#include "policy/policy_load.h"

#define POLICY_DIFF_CHANGES_MAX 1000
#define POLICY_DIFF_LINES_MAX 200  /* of one change */
#define POLICY_DIFF_TEXT_BYTES 400 /* of one side of a line */

/* New reference: [{"of":"card"|"cap"|…,"name","is":"came"|"went"|"changed","says"?,"lines":[{"what","was"?,"now"?}]},…],
 * cards first, by name. Both are of policy_compile(), with the parts that they are from. */
json_t *policy_diff(const struct policy *was, const struct policy_parts *was_parts,
    const struct policy *now, const struct policy_parts *now_parts);

#endif
