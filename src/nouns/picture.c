/* SPDX-License-Identifier: Apache-2.0
 *
 * picture.c - an image that a card shows: which format, how large.
 *
 * PNG: W3C PNG 5.2, 11.2.1. JPEG: ITU T.81 annex B. WebP: RFC 9649.
 */
#include "nouns/picture.h"

#include <string.h>

static uint32_t
big(const uint8_t *p, int bytes)
{
	uint32_t n = 0;

	for (int i = 0; i < bytes; i++)
		n = n << 8 | p[i];
	return n;
}

static uint32_t
little(const uint8_t *p, int bytes)
{
	uint32_t n = 0;

	for (int i = bytes; i-- > 0;)
		n = n << 8 | p[i];
	return n;
}

static bool
read_png(const uint8_t *p, size_t len, struct picture_head *head)
{
	static const uint8_t begin[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13,
		'I', 'H', 'D', 'R' };

	if (len < 33 || memcmp(p, begin, sizeof(begin)) != 0)
		return false;
	*head = (struct picture_head){ "image/png", big(p + 16, 4), big(p + 20, 4) };
	return true;
}

/* C0 to CF begin a frame and say its size; of them C4, C8 and CC are something else. */
static bool
is_frame(uint8_t marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	    marker != 0xcc;
}

static bool
read_jpeg(const uint8_t *p, size_t len, struct picture_head *head)
{
	if (len < 4 || p[0] != 0xff || p[1] != 0xd8)
		return false;
	for (size_t at = 2; at + 9 <= len && p[at] == 0xff;) {
		uint32_t size = big(p + at + 2, 2);

		if (p[at + 1] == 0xff) { /* filling */
			at++;
			continue;
		}
		if (size < 2 || p[at + 1] == 0xda)
			return false;
		if (is_frame(p[at + 1])) {
			*head = (struct picture_head){ "image/jpeg", big(p + at + 7, 2),
				big(p + at + 5, 2) };
			return size >= 8;
		}
		at += 2 + (size_t)size;
	}
	return false;
}

static bool
read_webp(const uint8_t *p, size_t len, struct picture_head *head)
{
	if (len < 30 || memcmp(p, "RIFF", 4) != 0 || memcmp(p + 8, "WEBP", 4) != 0)
		return false;
	head->type = "image/webp";
	if (memcmp(p + 12, "VP8X", 4) == 0) {
		head->width = little(p + 24, 3) + 1;
		head->height = little(p + 27, 3) + 1;
		return true;
	}
	if (memcmp(p + 12, "VP8L", 4) == 0 && p[20] == 0x2f) {
		uint32_t sides = little(p + 21, 4);

		head->width = (sides & 0x3fff) + 1;
		head->height = (sides >> 14 & 0x3fff) + 1;
		return true;
	}
	if (memcmp(p + 12, "VP8 ", 4) == 0 && memcmp(p + 23, "\x9d\x01\x2a", 3) == 0) {
		head->width = little(p + 26, 2) & 0x3fff;
		head->height = little(p + 28, 2) & 0x3fff;
		return true;
	}
	return false;
}

bool
picture_read(const void *bytes, size_t len, struct picture_head *ret_head)
{
	struct picture_head head = { 0 };

	if (!read_png(bytes, len, &head) && !read_jpeg(bytes, len, &head) &&
	    !read_webp(bytes, len, &head))
		return false;
	*ret_head = head;
	return true;
}
