/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_kept.c - what a broker retains, by topic.
 */
#include "hq/publish_kept.h"

#include <stdlib.h>
#include <string.h>

/* Where the topic is, or would be. */
static size_t
place_of(const struct kept *kept, const char *topic)
{
	size_t from = 0, to = kept->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (strcmp(kept->texts[middle].topic, topic) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

const struct kept_text *
kept_get(const struct kept *kept, const char *topic)
{
	size_t at = place_of(kept, topic);

	return at < kept->count && strcmp(kept->texts[at].topic, topic) == 0 ? &kept->texts[at]
									     : NULL;
}

void
kept_put(struct kept *kept, const char *topic, const void *bytes, size_t len)
{
	size_t at = place_of(kept, topic);
	bool there = at < kept->count && strcmp(kept->texts[at].topic, topic) == 0;
	struct kept_text *text;

	if ((!there && kept->count == KEPT_TOPICS_MAX) || len > KEPT_BYTES_MAX - kept->bytes) {
		kept->full = true;
		return;
	}
	if (!there) {
		kept->texts = mem_grow(kept->texts, kept->count, &kept->room, sizeof(*kept->texts));
		memmove(kept->texts + at + 1, kept->texts + at,
		    (kept->count - at) * sizeof(*kept->texts));
		kept->texts[at] = (struct kept_text){ .topic = mem_strdup(topic) };
		kept->count++;
	}
	text = &kept->texts[at];
	kept->bytes += len - text->len;
	free(text->bytes);
	text->bytes = mem_alloc(len + 1);
	if (len > 0)
		memcpy(text->bytes, bytes, len);
	text->bytes[len] = '\0';
	text->len = len;
}

void
kept_done(struct kept *kept)
{
	for (size_t i = 0; i < kept->count; i++) {
		free(kept->texts[i].topic);
		free(kept->texts[i].bytes);
	}
	free(kept->texts);
	*kept = (struct kept){ 0 };
}
