/* SPDX-License-Identifier: Apache-2.0
 *
 * simulate_people.h - whom a simulated store has met, and what was said in which visit.
 */
#ifndef AISLE_TOOLS_SIMULATE_PEOPLE_H
#define AISLE_TOOLS_SIMULATE_PEOPLE_H

#include "tools/simulate.h"

struct simulate_people {
	struct simulate_outcome *outcome; /* whose people they are */
	size_t *places;			  /* of them, open addressing: index + 1 */
	size_t place_room;
	uint64_t *said; /* visit and action, likewise; 0: free */
	size_t said_room, said_count;
};
/* Until another one is met. */
struct simulate_person *simulate_person(struct simulate_people *people, const struct id *key,
    bool known);
/* Is it the first time in this visit? */
bool simulate_say(struct simulate_people *people, const struct id *visit, const char *action);
void simulate_people_done(struct simulate_people *people); /* not the outcome */

#endif
