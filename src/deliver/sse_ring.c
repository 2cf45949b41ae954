/* SPDX-License-Identifier: Apache-2.0
 *
 * sse_ring.c - the newest events, so that a tablet which slept resumes where it was.
 *
 * DESIGN
 *   One ring for the store, not one a station: ids are the store's, memory has
 *   one bound whatever the number of stations, and a tablet that slept longer
 *   than the ring reaches back begins anew, which is always right.
 *
 *   A guidance that was replaced or withdrawn says nothing any more to whoever
 *   comes back, and what it said of a customer must not outlive them here: its
 *   text goes, its id keeps its place.
 *
 * INVARIANTS
 *   ids rise. Every event with base < id <= last is in the ring, but for texts that were forgotten. Who has seen
 *   all up to an id in [base, last] may therefore go on from there; who names
 *   another id (older, or of a state that is gone) may not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "deliver/http_private.h"

void
ring_init(struct sse_ring *ring, int64_t last_id)
{
	memset(ring, 0, sizeof(*ring));
	ring->events = mem_calloc(SSE_RING_EVENTS, sizeof(*ring->events));
	ring->base = last_id;
	ring->last = last_id;
}

static void
forget_text(struct sse_ring *ring, struct ring_event *event)
{
	ring->bytes -= event->len;
	if (event->json != NULL)
		explicit_bzero(event->json, event->len);
	free(event->json);
	event->json = NULL;
	event->len = 0;
}

static void
drop_oldest(struct sse_ring *ring)
{
	struct ring_event *event = &ring->events[ring->head];

	ring->base = event->id;
	forget_text(ring, event);
	ring->head = (ring->head + 1) % SSE_RING_EVENTS;
	ring->count--;
}

void
ring_done(struct sse_ring *ring)
{
	while (ring->count > 0)
		drop_oldest(ring);
	free(ring->events);
	ring->events = NULL;
}

/* Guidance and withdraw both begin with the member that names what they are about: its name, its value of an
 * id, and the five bytes around them. */
#define ABOUT "guidance"

static bool
same_guidance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t len = 5 + strlen(ABOUT) + ID_TEXT_SIZE - 1;

	return a_len > len && b_len > len && memcmp(a + 2, ABOUT, strlen(ABOUT)) == 0 &&
	    memcmp(a, b, len) == 0;
}

static void
forget_former(struct sse_ring *ring, const char *json, size_t len)
{
	for (size_t i = 0; i < ring->count; i++) {
		struct ring_event *event = &ring->events[(ring->head + i) % SSE_RING_EVENTS];

		if (same_guidance(event->json, event->len, json, len))
			forget_text(ring, event);
	}
}

void
ring_add(struct sse_ring *ring, const char *station, int64_t id, const char *name, const char *json,
    size_t len)
{
	struct ring_event *event;

	if (id <= ring->last)
		return; /* sent again after a restart: nobody can resume from before it */
	if (ring->base < 0)
		ring->base = id - 1;
	ring->last = id;
	forget_former(ring, json, len);
	while (ring->count > 0 &&
	    (ring->count == SSE_RING_EVENTS || ring->bytes + len > SSE_RING_BYTES))
		drop_oldest(ring);
	if (len > SSE_RING_BYTES) {
		ring->base = id;
		return;
	}
	event = &ring->events[(ring->head + ring->count) % SSE_RING_EVENTS];
	event->id = id;
	snprintf(event->station, sizeof(event->station), "%s", station != NULL ? station : "");
	snprintf(event->event, sizeof(event->event), "%s", name);
	event->json = mem_alloc(len + 1);
	memcpy(event->json, json, len);
	event->json[len] = '\0';
	event->len = len;
	ring->bytes += len;
	ring->count++;
}

bool
ring_covers(const struct sse_ring *ring, int64_t id)
{
	return ring->base >= 0 && id >= ring->base && id <= ring->last;
}

const struct ring_event *
ring_at(const struct sse_ring *ring, size_t i)
{
	return i < ring->count ? &ring->events[(ring->head + i) % SSE_RING_EVENTS] : NULL;
}
