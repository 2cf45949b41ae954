/* SPDX-License-Identifier: Apache-2.0
 *
 * random.h - a source of random numbers, and of all that libsodium does.
 */
#ifndef AISLE_CORE_RANDOM_H
#define AISLE_CORE_RANDOM_H

#include "aisle/base.h"
#include "aisle/error.h"

/* Before any use of libsodium; again does no harm. 0, or AISLE_E_IO. */
int random_begin(struct err *err) AISLE_MUST_CHECK;

#endif
