/* SPDX-License-Identifier: Apache-2.0
 *
 * partitions.h - the partitions of PostgreSQL's table `record`: one a day, in it one a lane.
 */
#ifndef AISLE_HQ_PARTITIONS_H
#define AISLE_HQ_PARTITIONS_H

#include "hq/keep.h"
#include "hq/pg.h"

#define PARTITIONS_BACK 400 /* what is older, or further ahead, is in the default partition */
#define PARTITIONS_AHEAD 3

struct partitions {
	struct partition {
		int32_t day;
		uint8_t lanes; /* bits */
	} * items;	       /* ascending */
	size_t count, capacity;
};
/* The tables, where they are missing. 0, AISLE_E_IO. */
int partitions_setup(PGconn *pg) AISLE_MUST_CHECK;
/* What there is. */
int partitions_load(PGconn *pg, struct partitions *days) AISLE_MUST_CHECK;
/* Makes the partition of a day and lane, if there is none. */
int partitions_need(PGconn *pg, struct partitions *days, int32_t day, int lane) AISLE_MUST_CHECK;
/* Drops what is no longer kept. */
int partitions_drop(PGconn *pg, struct partitions *days, const struct keep *keep, int32_t today)
    AISLE_MUST_CHECK;
void partitions_done(struct partitions *days);

#endif
