/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.c - frames between aisled and the link, which is not trusted: every length is checked.
 */
#include "sync/link.h"

#include <string.h>

#define HEAD_BYTES 3 /* type and topic length, behind the length of the rest */

void
frame_write(struct buf *out, enum frame_type type, const char *topic, const void *payload,
    size_t len)
{
	size_t topic_len = topic != NULL ? strlen(topic) : 0;
	CHECK(topic_len < 256 && len <= FRAME_BYTES_MAX &&
	    HEAD_BYTES + topic_len + len <= FRAME_BYTES_MAX);
	buf_u32(out, (uint32_t)(HEAD_BYTES + topic_len + len));
	buf_u8(out, (uint8_t)type);
	buf_u8(out, (uint8_t)topic_len);
	buf_u8(out, 0);
	if (topic_len > 0)
		buf_add(out, topic, topic_len);
	if (len > 0)
		buf_add(out, payload, len);
}

int64_t
frame_read(const void *bytes, size_t len, enum frame_type *ret_type, char ret_topic[static 256],
    const void **ret_payload, size_t *ret_len)
{
	if (len < 4)
		return 0;
	struct rd rd = rd_init(bytes, len);
	uint32_t rest = rd_u32(&rd);
	/* A wrong length is known from its first four bytes: never wait for the others. */
	if (rest < HEAD_BYTES || rest > FRAME_BYTES_MAX)
		return AISLE_E_INVALID;
	if (len - 4 < rest)
		return 0;
	uint8_t type = rd_u8(&rd);
	size_t topic_len = rd_u8(&rd);
	topic_len |= (size_t)rd_u8(&rd) << 8;
	if (type < FRAME_PUBLISH || type > FRAME_LAST || topic_len > 255 ||
	    topic_len > rest - HEAD_BYTES || memchr(rd.at, 0, topic_len) != NULL)
		return AISLE_E_INVALID;
	*ret_type = (enum frame_type)type;
	memcpy(ret_topic, rd.at, topic_len);
	ret_topic[topic_len] = '\0';
	*ret_payload = rd.at + topic_len;
	*ret_len = rest - HEAD_BYTES - topic_len;
	return 4 + (int64_t)rest;
}
