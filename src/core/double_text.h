/* SPDX-License-Identifier: Apache-2.0
 *
 * double_text.h - a double as the text that printf's %.17g gives, byte by byte.
 */
#ifndef AISLE_CORE_DOUBLE_TEXT_H
#define AISLE_CORE_DOUBLE_TEXT_H

#include "aisle/base.h"

#define DOUBLE_TEXT_SIZE 32

/* Any finite d. Writes the text and a NUL; returns its length. */
size_t double_text(double d, char out[static DOUBLE_TEXT_SIZE]);

#endif
