/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_plan.h - what is to be done on one broker, so that it holds what it should: pure, of files and of what the broker
 * retains.
 */
#ifndef AISLE_HQ_PUBLISH_PLAN_H
#define AISLE_HQ_PUBLISH_PLAN_H

#include "hq/publish_goods.h"
#include "hq/publish_kept.h"

#define PLAN_RETAINED_MAX (INT64_C(64) << 20) /* all that a broker retains */

enum step_kind {
	STEP_TEXT,     /* payload onto topic, retained */
	STEP_ARTIFACT, /* the chunks of artifact that are not there */
	STEP_CHECK,    /* no file of it was given: its chunks must be there, whole */
	STEP_FORGET,   /* chunks that no release in force names */
};
struct step {
	enum step_kind kind;
	char topic[PUBLISH_TOPIC_SIZE];
	char *payload;
	size_t len;
	const struct artifact_file *artifact;
	char hash[65];
	int64_t bytes;
	char needs[BUNDLE_KINDS][65]; /* of a release: bundles without which it does not go out */
};
/* Who may ask for what. */
struct grant {
	char store[TRUST_NAME_SIZE]; /* "": every one */
	const struct artifact_file *artifact;
};
struct plan {
	struct step
	    *steps; /* in this order: a store never sees a release whose chunks are not there */
	size_t count, room;
	struct grant *grants;
	size_t grant_count, grant_room;
	int64_t retained;     /* bytes, afterwards */
	int64_t root_version; /* 0: none */
	struct left_out wrong;
};

/* AISLE_E_REFUSED, AISLE_E_FULL: nothing may be sent; ret is empty. Of a folder what is right goes, and first of all its
 * orders; what is wrong is left out. notes: lines of what was left out. goods and kept must outlive the plan. */
int plan_make(struct goods *goods, const struct kept *kept, int64_t now_ms, struct plan *ret,
    struct buf *notes, struct err *err) AISLE_MUST_CHECK;
void plan_done(struct plan *plan);
const struct artifact_file *plan_grant(const struct plan *plan, const char *store,
    const char *hash); /* NULL: not for them */

#endif
