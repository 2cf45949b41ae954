/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_image.h - a compiled policy as bytes that need no compiling. Pure.
 */
#ifndef AISLE_POLICY_POLICY_IMAGE_H
#define AISLE_POLICY_POLICY_IMAGE_H

#include "aisle/policy.h"
#include "core/arena.h"
#include "core/buf.h"

/* Two policies that were compiled from the same parts, both still there, to the bytes of one: its
 * memory (a multiple of 16) and what belongs to it. AISLE_E_INVALID: something in it points to
 * where another process has nothing. */
int policy_image_write(const struct policy *a, const struct policy *b, struct buf *memory,
    struct buf *rest, struct err *err) AISLE_MUST_CHECK;
/* memory (arena_room of the arena, with the bytes in it) becomes the policy, without source; takes
 * over the arena, also when it fails. The bytes must be ones that policy_image_write of this very
 * build of the program wrote: authenticate them before. */
int policy_image_read(struct arena *arena, void *memory, size_t len, const void *rest,
    size_t rest_len, struct policy **ret_policy, struct err *err) AISLE_MUST_CHECK;

#endif
