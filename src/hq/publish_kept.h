/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_kept.h - what a broker retains, by topic: bounded, for a broker may hold anything.
 */
#ifndef AISLE_HQ_PUBLISH_KEPT_H
#define AISLE_HQ_PUBLISH_KEPT_H

#include "aisle/base.h"

#define KEPT_TOPICS_MAX 40000
#define KEPT_BYTES_MAX (128u << 20)

struct kept_text {
	char *topic, *bytes; /* a NUL behind the bytes */
	size_t len;
};
struct kept {
	struct kept_text *texts; /* ascending by topic */
	size_t count, room, bytes;
	bool full; /* there was more than fits */
};
void kept_put(struct kept *kept, const char *topic, const void *bytes, size_t len);
const struct kept_text *kept_get(const struct kept *kept, const char *topic); /* NULL: nothing */
void kept_done(struct kept *kept);

#endif
