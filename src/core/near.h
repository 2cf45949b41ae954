/* SPDX-License-Identifier: Apache-2.0
 *
 * near.h - what somebody may have meant: of known names, those that are a slip of the finger away.
 */
#ifndef AISLE_CORE_NEAR_H
#define AISLE_CORE_NEAR_H

#include <stddef.h>

#include "core/buf.h"

#define NEAR_MAX 3	  /* names that are offered */
#define NEAR_NAME_MAX 128 /* bytes: longer ones are near to nothing */

struct near {
	const char *word;
	/* The nearest first; of equally near ones what came first. */
	char name[NEAR_MAX][NEAR_NAME_MAX + 1];
	int slips[NEAR_MAX];
	size_t count;
};

static inline struct near
near_to(const char *word)
{
	return (struct near){ .word = word };
}

/* Letters that were put in, left out, changed, or swapped with their neighbour, between two texts of at most
 * NEAR_NAME_MAX bytes (the optimal string alignment distance); -1: one is longer. Upper and lower case are one. */
int near_slips(const char *a, const char *b);

/* A name that exists. Kept, as a copy, if it is near: one slip, and one more for each four bytes of the word. */
void near_offer(struct near *near, const char *name);

/* `; is "a", "b" or "c" meant?`, or nothing where none is near. */
void near_say(const struct near *near, struct buf *out);

#endif
