/* SPDX-License-Identifier: Apache-2.0
 *
 * error.h - what a function that can fail returns: 0, or one of these.
 */
#ifndef AISLE_ERROR_H
#define AISLE_ERROR_H

enum {
	AISLE_E_INVALID = -1, /* input is wrong: the text says where, and what was expected */
	AISLE_E_IO = -2,      /* the world: disk, socket, SQLite */
	AISLE_E_FULL = -3,    /* a bound was reached */
	AISLE_E_NONE = -4,    /* no such thing */
	AISLE_E_REFUSED = -5, /* understood, not allowed */
	AISLE_E_DAMAGED = -6, /* sealed bytes do not open: flipped bit, wrong key, swapped row */
	AISLE_E_CONFIG = -7,  /* configuration */
	AISLE_E_TOO_BIG = -8, /* larger than a row may be: the writer's own fault, not the disk's */
};

#endif
