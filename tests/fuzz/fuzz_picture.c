/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_picture.c - any bytes as an image.
 *
 * What must hold: no look past the end; what is taken has one of three types; what is not leaves
 * nothing behind.
 */
#include <string.h>

#include "nouns/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct picture_head head = { 0 };

	if (picture_read(data, size, &head))
		CHECK(strcmp(head.type, "image/png") == 0 || strcmp(head.type, "image/jpeg") == 0 ||
		    strcmp(head.type, "image/webp") == 0);
	else
		CHECK(head.type == NULL && head.width == 0 && head.height == 0);
	return 0;
}
