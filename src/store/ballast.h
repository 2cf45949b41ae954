/* SPDX-License-Identifier: Apache-2.0
 *
 * ballast.h - a file that is only there to be thrown overboard: on a full disk
 * even a DELETE needs room in the log, and an erasure must not wait for room.
 */
#ifndef AISLE_STORE_BALLAST_H
#define AISLE_STORE_BALLAST_H

#include "aisle/base.h"

#define BALLAST_BYTES (1 << 20)
/* dir/ballast, if it is not there and the disk has plenty of room. Best effort. */
void ballast_make(const char *dir);
/* Gives its room free: before each erasure, whether the disk is full or not, because a quota
 * that is used up does not show beforehand. It is made again when there is plenty of room. */
void ballast_release(const char *dir);

#endif
