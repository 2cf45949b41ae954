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
#include <wchar.h>

#include "core/id.h"
#include "deliver/http_private.h"

void
ring_init(struct sse_ring *ring, int64_t last_id)
{
	memset(ring, 0, sizeof(*ring));
	ring->events = mem_calloc(SSE_RING_EVENTS, sizeof(*ring->events));
	ring->abouts = mem_calloc(SSE_RING_EVENTS, sizeof(*ring->abouts));
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
	ring->abouts[event - ring->events] = 0;
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
	free(ring->abouts);
	ring->events = NULL;
	ring->abouts = NULL;
}

/* Guidance and withdraw both begin with the member that names what they are about: its name, its value of an
 * id, and the five bytes around them. */
#define ABOUT "guidance"

#define ABOUT_BYTES (5 + sizeof(ABOUT) - 1 + ID_TEXT_SIZE - 1)

static bool
says_guidance(const char *json, size_t len)
{
	return len > ABOUT_BYTES && memcmp(json + 2, ABOUT, sizeof(ABOUT) - 1) == 0;
}

/* The end of the id, which is chance: else all texts of the ring would be looked at for each guidance. 0: none. */
static wchar_t
about_of(const char *json, size_t len)
{
	wchar_t about = 0;

	if (says_guidance(json, len))
		memcpy(&about, json + ABOUT_BYTES - sizeof(about), sizeof(about));
	return about;
}

static void
forget_former(struct sse_ring *ring, const char *json, size_t len)
{
	wchar_t about = about_of(json, len), *at = ring->abouts;
	const wchar_t *end = at + SSE_RING_EVENTS;

	while (about != 0 && (at = wmemchr(at, about, (size_t)(end - at))) != NULL) {
		struct ring_event *event = &ring->events[at++ - ring->abouts];

		if (memcmp(event->json, json, ABOUT_BYTES) == 0)
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
	ring->abouts[event - ring->events] = about_of(json, len);
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
