/* SPDX-License-Identifier: Apache-2.0
 *
 * cells.h - what was expected of each action and what came, by arm and segment: a store's, or the sums of
 * many. The same code for both, so that many stores merged are one store with all their rows.
 */
#ifndef AISLE_LEARN_CELLS_H
#define AISLE_LEARN_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "learn/federation.h"
#include "learn/learner.h"

#define CELLS_MAX 8192
#define CELLS_SEGMENTS_MAX 16 /* of an action */

struct cell {
	char *action, *group, *segment; /* segment "": of all customers */
	bool treated;
	struct federation_sum sum; /* in force, and half forgotten in eleven weeks */
	struct federation_sum day; /* since then */
	/* in force: its own, and those of the levels above it, of its action's arm and of its action */
	int32_t ratio[LEARNER_KAPPAS], of_arm[LEARNER_KAPPAS], of_action[LEARNER_KAPPAS];
	/* for who keeps it: a number that stays, and whether it is to be written */
	uint32_t row;
	bool dirty;
};
struct cell_group {
	char *name; /* its own: a cell may change its group before the next turn; "": of all */
	int32_t ratio[LEARNER_KAPPAS];
};
/* Begins as zeros. */
struct cells {
	struct cell *list; /* by action, segment, arm */
	size_t count, capacity;
	struct cell_group *groups; /* the store's own first, then by name; after a turn */
	size_t group_count;
	int64_t scores[LEARNER_KAPPAS]; /* of LEARNER_80 and LEARNER_20 */
	enum learner_kappa kappa;	/* chosen by the past */
	struct learner_clip clip;	/* low 0: LEARNER_CLIP */
	bool full;			/* CELLS_MAX, something was left out */
};
/* The cell, made if it is new; NULL: no room. The group of an action is that of the last word. */
struct cell *cells_get(struct cells *cells, const char *action, const char *group,
    const char *segment, bool treated);
/* To the day's increments. */
void cells_add(struct cells *cells, const char *action, const char *group, const char *segment,
    bool treated, const struct federation_sum *more);
/* A day is over: it is judged by the ratios that were in force in it; then, if a week is over, all is a
 * sixteenth less, as often; the day's increments are added, and new ratios come into force. */
void cells_turn(struct cells *cells, int weeks);
/* New ratios and their groups from the sums as they stand. */
void cells_weigh(struct cells *cells);
/* The ratio in force, Q16: the cell's, or of what nobody saw yet its action's, its group's, the store's. */
int32_t cells_ratio(const struct cells *cells, const char *action, const char *group,
    const char *segment, bool treated);
void cells_done(struct cells *cells);

#endif
