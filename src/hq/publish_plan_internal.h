/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_plan_internal.h - what the files of the plan share.
 */
#ifndef AISLE_HQ_PUBLISH_PLAN_INTERNAL_H
#define AISLE_HQ_PUBLISH_PLAN_INTERNAL_H

#include "hq/publish_plan.h"

/* A release that is in force on its topic. */
struct in_force {
	char topic[PUBLISH_TOPIC_SIZE];
	struct release release;
	const struct goods_release *given; /* NULL: from the broker, and stays */
};
struct planning {
	struct goods *goods;
	const struct kept *kept;
	int64_t now_ms;
	struct root root;
	struct in_force *in_force;
	size_t count, room;
	struct plan *plan;
	struct buf *notes;
	struct err *err;
};

void plan_note(struct planning *p, const char *what, const char *why);
/* Of files that were named why is the end of it all; in a folder the one that is wrong is left out: 0. */
int plan_mistake(struct planning *p, const struct err *why);
struct step *plan_step(struct planning *p, enum step_kind kind);
/* Unless it is there already. */
void plan_text(struct planning *p, const char *topic, const char *text, size_t len);

/* From the first root to the newest that our files, or the broker's, lead to: p->root. */
int plan_roots(struct planning *p);
/* What is on the broker and HQ's, whether it has expired or not: a store may be fetching it. */
void plan_kept_releases(struct planning *p);
int plan_release(struct planning *p, const struct goods_release *given);
void plan_unverified(struct planning *p); /* of a folder: those that no key of now has signed */
void plan_put_releases(struct planning *p);
/* Are the files of a release what it says? */
int plan_check_bundles(struct planning *p, const struct release *release, struct err *why);
/* Of the releases in force: their chunks are to be there. */
void plan_bundles(struct planning *p);
void plan_forget(struct planning *p);

#endif
