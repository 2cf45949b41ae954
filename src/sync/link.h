/* SPDX-License-Identifier: Apache-2.0
 *
 * link.h - the process that faces the WAN: bytes between HQ's broker and aisled, nothing else.
 *
 * Frames over a stream socket, both ways: u32 little-endian length of the rest (≤ 1 MiB + 1 KiB),
 * u8 type, u16 topic length, topic, payload.
 */
#ifndef AISLE_SYNC_LINK_H
#define AISLE_SYNC_LINK_H

#include "core/buf.h"
#include "core/conf.h"

enum frame_type {
	FRAME_PUBLISH = 1, /* aisled → link: publish QoS 1 · link → aisled: arrived */
	FRAME_UP = 2,	   /* link → aisled: connected to HQ's broker and subscribed */
	FRAME_DOWN = 3,	   /* link → aisled: no connection; the topic says why */
	FRAME_SUBSCRIBE =
	    4, /* aisled → link: topic filter, kept over reconnects; once more: what is
				retained there comes again */
	FRAME_UNSUBSCRIBE = 5, /* aisled → link */
	FRAME_ALIVE =
	    6, /* link → aisled: the topic says for how many seconds nothing may be heard */
	FRAME_LAST = FRAME_ALIVE
};
#define LINK_SILENCE_S 15      /* it is alive and says so more often than that */
#define LINK_SILENCE_MAX_S 120 /* while it looks up names and connects */
#define FRAME_BYTES_MAX ((1u << 20) + 1024)
void frame_write(struct buf *out, enum frame_type type, const char *topic, const void *payload,
    size_t len);
/* One frame from the front of bytes: its whole length, 0 = not complete yet, < 0 = broken. Topic is
 * copied, payload borrowed. */
int64_t frame_read(const void *bytes, size_t len, enum frame_type *ret_type,
    char ret_topic[static 256], const void **ret_payload, size_t *ret_len);

/* The link process: runs until fd closes or SIGTERM. Returns a sysexits code. Drops nothing it was
 * not able to send: aisled sends again. Reconnects with back-off and jitter. */
int link_main(const struct conf *conf, int fd);

#endif
