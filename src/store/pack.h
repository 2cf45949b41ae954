/* SPDX-License-Identifier: Apache-2.0
 *
 * pack.h - bodies made smaller before they are sealed: a record of a decision
 * takes a quarter of its room.
 */
#ifndef AISLE_STORE_PACK_H
#define AISLE_STORE_PACK_H

#include "aisle/base.h"
#include "core/buf.h"

/* Appends to out; at most one byte longer than the plain bytes. */
void pack(const void *plain, size_t len, struct buf *out);
/* Appends to out. AISLE_E_DAMAGED: not what pack made, or more than plain_max bytes; out is as before. */
int unpack(const void *packed, size_t len, size_t plain_max, struct buf *out) AISLE_MUST_CHECK;
/* Nothing that was packed or unpacked is left in memory of this module. */
void pack_wipe(void);

#endif
