/* SPDX-License-Identifier: Apache-2.0
 *
 * simulate_people.c - whom a simulated store has met, and what was said in which visit.
 *
 * Two tables of open addressing, at most half full. A visit and action are known by 63 bits of both: two of a
 * million pairs meet once in ten million runs, and then one card earns nothing.
 */
#include "tools/simulate_people.h"

#include <stdlib.h>
#include <string.h>

#include "core/id.h"

static uint64_t
mix_id(const struct id *id)
{
	uint64_t a, b;

	memcpy(&a, id->b, sizeof(a));
	memcpy(&b, id->b + 8, sizeof(b));
	return (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
}

static size_t
place_of(const struct simulate_people *people, const struct id *key)
{
	size_t at = (size_t)(mix_id(key) >> 20) & (people->place_room - 1);

	while (people->places[at] != 0 &&
	    !id_equal(&people->outcome->people[people->places[at] - 1].key, key))
		at = (at + 1) & (people->place_room - 1);
	return at;
}

static void
grow_places(struct simulate_people *people)
{
	free(people->places);
	people->place_room = people->place_room > 0 ? 2 * people->place_room : 1024;
	people->places = mem_calloc(people->place_room, sizeof(*people->places));
	for (size_t i = 0; i < people->outcome->person_count; i++)
		people->places[place_of(people, &people->outcome->people[i].key)] = i + 1;
}

struct simulate_person *
simulate_person(struct simulate_people *people, const struct id *key, bool known)
{
	struct simulate_outcome *outcome = people->outcome;
	size_t at;

	if (2 * (outcome->person_count + 1) > people->place_room)
		grow_places(people);
	at = place_of(people, key);
	if (people->places[at] == 0) {
		outcome->people = mem_grow(outcome->people, outcome->person_count,
		    &outcome->person_capacity, sizeof(*outcome->people));
		outcome->people[outcome->person_count++] =
		    (struct simulate_person){ .key = *key, .known = known };
		people->places[at] = outcome->person_count;
	}
	return &outcome->people[people->places[at] - 1];
}

static void
grow_said(struct simulate_people *people)
{
	uint64_t *old = people->said;
	size_t room = people->said_room;

	people->said_room = room > 0 ? 2 * room : 1024;
	people->said = mem_calloc(people->said_room, sizeof(*people->said));
	for (size_t i = 0; i < room; i++) {
		size_t at = (size_t)(old[i] >> 20) & (people->said_room - 1);

		while (old[i] != 0 && people->said[at] != 0)
			at = (at + 1) & (people->said_room - 1);
		if (old[i] != 0)
			people->said[at] = old[i];
	}
	free(old);
}

bool
simulate_say(struct simulate_people *people, const struct id *visit, const char *action)
{
	uint64_t mix = mix_id(visit);
	size_t at;

	for (const char *p = action; *p != '\0'; p++)
		mix = (mix ^ (unsigned char)*p) * UINT64_C(1099511628211);
	mix |= 1;
	if (2 * (people->said_count + 1) > people->said_room)
		grow_said(people);
	at = (size_t)(mix >> 20) & (people->said_room - 1);
	while (people->said[at] != 0 && people->said[at] != mix)
		at = (at + 1) & (people->said_room - 1);
	if (people->said[at] == mix)
		return false;
	people->said[at] = mix;
	people->said_count++;
	return true;
}

void
simulate_people_done(struct simulate_people *people)
{
	free(people->places);
	free(people->said);
}
