/* SPDX-License-Identifier: Apache-2.0
 *
 * text_prefix.h - the first eight bytes of a text as a number: most texts that differ, differ there.
 */
#ifndef AISLE_CORE_TEXT_PREFIX_H
#define AISLE_CORE_TEXT_PREFIX_H

#include <stddef.h>
#include <stdint.h>

/* NULL: 0, as "". The first byte is the lowest. */
static inline uint64_t
text_prefix(const char *text)
{
	uint64_t prefix = 0;

	for (int i = 0; text != NULL && i < 8 && text[i] != '\0'; i++)
		prefix |= (uint64_t)(unsigned char)text[i] << (8 * i);
	return prefix;
}

#endif
