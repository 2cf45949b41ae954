/* SPDX-License-Identifier: Apache-2.0
 *
 * random.c - a source of random numbers, and of all that libsodium does.
 */
#include "core/random.h"

#include <sodium.h>

int
random_begin(struct err *err)
{
	return sodium_init() >= 0 ? 0 : err_set(err, AISLE_E_IO, "no source of random numbers");
}
