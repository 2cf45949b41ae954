/* SPDX-License-Identifier: Apache-2.0
 *
 * sessions.c - the visits in memory, by id, basket and station.
 *
 * DESIGN
 *   One array ascending by id, with the hashes of basket and station beside
 *   each pointer. A store has tens of open baskets, so a scan over hashes in
 *   a row beats an index that every change of a visit has to keep right; new
 *   ids are the largest, so adding is appending. Rejected: hash tables.
 *
 * INVARIANTS
 *   entries ascend by visit id, and no id is there twice.
 *
 * LIMITS
 *   None of its own: the spine puts away visits that are over or idle.
 */
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"

struct entry {
	struct visit *visit;
	uint64_t basket, station; /* hashes; basket 0: none */
};

struct sessions {
	struct entry *entries;
	size_t count, capacity;
};

/* FNV-1a; never 0. */
static uint64_t
text_hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text != '\0'; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return hash | 1;
}

/* Index of the first entry whose id is not below. */
static size_t
find(const struct sessions *sessions, const struct id *id)
{
	size_t low = 0, high = sessions->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (id_compare(&sessions->entries[middle].visit->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct sessions *
sessions_new(void)
{
	return mem_zero(sizeof(struct sessions));
}

void
sessions_free(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	for (size_t i = 0; i < sessions->count; i++)
		visit_free(sessions->entries[i].visit);
	free(sessions->entries);
	free(sessions);
}

static struct entry
entry_of(struct visit *visit)
{
	return (struct entry){
		.visit = visit,
		.basket = visit->basket == NULL ? 0 : text_hash(visit->basket),
		.station = text_hash(visit->station),
	};
}

void
sessions_add(struct sessions *sessions, struct visit *visit)
{
	size_t at = find(sessions, &visit->id);

	if (at < sessions->count && id_equal(&sessions->entries[at].visit->id, &visit->id)) {
		if (sessions->entries[at].visit != visit)
			visit_free(sessions->entries[at].visit);
		sessions->entries[at] = entry_of(visit);
		return;
	}
	sessions->entries = mem_grow(sessions->entries, sessions->count, &sessions->capacity,
	    sizeof(*sessions->entries));
	memmove(sessions->entries + at + 1, sessions->entries + at,
	    (sessions->count - at) * sizeof(*sessions->entries));
	sessions->entries[at] = entry_of(visit);
	sessions->count++;
}

void
sessions_remove(struct sessions *sessions, struct visit *visit)
{
	size_t at = find(sessions, &visit->id);

	CHECK(at < sessions->count && sessions->entries[at].visit == visit);
	sessions->count--;
	memmove(sessions->entries + at, sessions->entries + at + 1,
	    (sessions->count - at) * sizeof(*sessions->entries));
	visit_free(visit);
}

void
sessions_touch(struct sessions *sessions, const struct visit *visit)
{
	size_t at = find(sessions, &visit->id);

	CHECK(at < sessions->count && sessions->entries[at].visit == visit);
	sessions->entries[at] = entry_of(sessions->entries[at].visit);
}

struct visit *
sessions_by_id(const struct sessions *sessions, const struct id *id)
{
	size_t at = find(sessions, id);

	if (at < sessions->count && id_equal(&sessions->entries[at].visit->id, id))
		return sessions->entries[at].visit;
	return NULL;
}

/* The later begun of two; began at once: the larger id. Entries ascend by id, so "not earlier" is
 * enough. NULL is earlier than all. */
static struct visit *
later_begun(struct visit *best, struct visit *visit)
{
	return best == NULL || visit->began_at_ms >= best->began_at_ms ? visit : best;
}

struct visit *
sessions_of_number(const struct sessions *sessions, const char *number,
    bool (*want)(const void *ctx, const struct visit *visit), const void *ctx)
{
	uint64_t hash = text_hash(number);
	struct visit *best = NULL, *visit;

	for (size_t i = 0; i < sessions->count; i++) {
		visit = sessions->entries[i].visit;
		if (sessions->entries[i].basket == hash && strcmp(visit->basket, number) == 0 &&
		    (want == NULL || want(ctx, visit)))
			best = later_begun(best, visit);
	}
	return best;
}

struct visit *
sessions_by_basket(const struct sessions *sessions, const char *basket)
{
	return sessions_of_number(sessions, basket, NULL, NULL);
}

/* A till's word: whose, and when. */
struct word {
	const char *terminal;
	int64_t at_ms;
};

/* A card that waits, or waited, for a basket of this number is none. */
static bool
has_begun(const struct visit *visit)
{
	return visit->state != VISIT_WAITING && visit->began_at_ms != 0;
}

static bool
was_there(const void *ctx, const struct visit *visit)
{
	const struct word *word = ctx;

	return has_begun(visit) && visit_at(visit, word->terminal, word->at_ms);
}

static bool
had_begun(const void *ctx, const struct visit *visit)
{
	const struct word *word = ctx;

	return was_there(ctx, visit) && visit->began_at_ms <= word->at_ms;
}

struct visit *
sessions_basket(const struct sessions *sessions, const char *terminal, const char *number,
    int64_t at_ms)
{
	struct word word = { terminal, at_ms };
	struct visit *found = sessions_of_number(sessions, number, had_begun, &word), *visit;

	if (found != NULL)
		return found;
	for (size_t i = 0; i < sessions->count; i++) {
		visit = sessions->entries[i].visit;
		if (visit->basket != NULL && strcmp(visit->basket, number) == 0 &&
		    was_there(&word, visit) &&
		    (found == NULL || visit->began_at_ms < found->began_at_ms))
			found = visit;
	}
	return found;
}

static bool
is_at(const void *station, const struct visit *visit)
{
	return has_begun(visit) && strcmp(visit->station, station) == 0;
}

struct visit *
sessions_number_at(const struct sessions *sessions, const char *station, const char *number)
{
	return sessions_of_number(sessions, number, is_at, station);
}

static bool
in_front(const struct visit *visit)
{
	return visit->state == VISIT_WAITING || visit->state == VISIT_OPEN ||
	    visit->state == VISIT_TENDER;
}

/* The later opened of two; of the same instant the larger id. Entries ascend
 * by id, so "not earlier" is enough. NULL is earlier than all. */
static struct visit *
newer(struct visit *best, struct visit *visit)
{
	return best == NULL || visit->opened_ms >= best->opened_ms ? visit : best;
}

struct visit *
sessions_at_station(const struct sessions *sessions, const char *station)
{
	return sessions_newest(sessions, station, in_front);
}

struct visit *
sessions_at_terminal(const struct sessions *sessions, const char *terminal)
{
	struct visit *best = NULL, *visit;

	for (size_t i = 0; i < sessions->count; i++) {
		visit = sessions->entries[i].visit;
		if (in_front(visit) && strcmp(visit->terminal, terminal) == 0)
			best = newer(best, visit);
	}
	return best;
}

struct visit *
sessions_newest(const struct sessions *sessions, const char *station,
    bool (*want)(const struct visit *visit))
{
	uint64_t hash = text_hash(station);
	struct visit *best = NULL, *visit;

	for (size_t i = 0; i < sessions->count; i++) {
		visit = sessions->entries[i].visit;
		if (sessions->entries[i].station == hash && want(visit) &&
		    strcmp(visit->station, station) == 0)
			best = newer(best, visit);
	}
	return best;
}

struct visit *
sessions_by_subject(const struct sessions *sessions, const struct id *subject)
{
	struct visit *best = NULL, *visit;

	for (size_t i = 0; i < sessions->count; i++) {
		visit = sessions->entries[i].visit;
		if (visit->has_subject && !visit_over(visit) && id_equal(&visit->subject, subject))
			best = newer(best, visit);
	}
	return best;
}

size_t
sessions_count(const struct sessions *sessions)
{
	return sessions->count;
}

void
sessions_each(const struct sessions *sessions, void (*fn)(void *ctx, struct visit *visit),
    void *ctx)
{
	for (size_t i = 0; i < sessions->count; i++)
		fn(ctx, sessions->entries[i].visit);
}
