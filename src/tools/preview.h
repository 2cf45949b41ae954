/* SPDX-License-Identifier: Apache-2.0
 *
 * preview.h - the cards of a policy as a tablet will show them, in one HTML file.
 */
#ifndef AISLE_TOOLS_PREVIEW_H
#define AISLE_TOOLS_PREVIEW_H

#include "aisle/policy.h"
#include "core/buf.h"
#include "policy/policy_load.h"

/* parts: of the bundle that the policy is from, for its images. */
void preview_page(const struct policy *policy, const struct policy_parts *parts, struct buf *out);

#endif
