/* SPDX-License-Identifier: Apache-2.0
 *
 * picture.h - an image that a card shows: which format, how large.
 *
 * "Image" is what people and the wire call it; in the code that word is taken by what a policy
 * compiled to (sync/bundle_image.h).
 */
#ifndef AISLE_NOUNS_PICTURE_H
#define AISLE_NOUNS_PICTURE_H

#include "aisle/base.h"

#define PICTURE_PATH "/v1/images/" /* then 64 hex digits: BLAKE2b-256 of its bytes */
#define PICTURE_BYTES_MAX (128u << 10)
/* Of a side, in pixels: few bytes can unpack to more than a tablet has memory for. */
#define PICTURE_SIDE_MAX 4096

struct picture_head {
	const char *type; /* "image/png" */
	uint32_t width, height;
};

/* By its first bytes, whatever its name: PNG, JPEG or WebP. false: none of them, or cut off in its
 * head. Pixels are not looked at. */
bool picture_read(const void *bytes, size_t len, struct picture_head *ret_head);

#endif
