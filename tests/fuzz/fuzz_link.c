/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_link.c - any bytes as what the link process says: frames one behind the other.
 *
 * What must hold: no crash; nothing is read behind the bytes; of a frame that is whole not one byte may be missing, and
 * what is read is written again as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "sync/link.h"

/* A copy of exactly that length: what is read behind it is found. */
static void
check_frame(const uint8_t *data, size_t took, enum frame_type type, const char *topic,
    const void *payload, size_t len)
{
	enum frame_type other_type;
	char other_topic[256];
	const void *other_payload;
	size_t other_len;
	struct buf again = { 0 };

	CHECK(type >= FRAME_PUBLISH && type <= FRAME_LAST && strlen(topic) < 256);
	CHECK((const uint8_t *)payload >= data && (const uint8_t *)payload + len == data + took);
	frame_write(&again, type, topic, payload, len);
	CHECK(again.len == took && memcmp(again.data, data, took) == 0);
	for (size_t cut = took < 64 ? 0 : took - 64; cut < took; cut++) {
		uint8_t *part = mem_alloc(cut + 1);

		memcpy(part, data, cut);
		CHECK(frame_read(part, cut, &other_type, other_topic, &other_payload, &other_len) ==
		    0);
		free(part);
	}
	buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum frame_type type;
	char topic[256];
	const void *payload;
	size_t len;
	int64_t took;

	while ((took = frame_read(data, size, &type, topic, &payload, &len)) > 0) {
		CHECK((size_t)took <= size && took >= 7);
		check_frame(data, (size_t)took, type, topic, payload, len);
		data += took;
		size -= (size_t)took;
	}
	CHECK(took == 0 || took == AISLE_E_INVALID);
	return 0;
}
