/* SPDX-License-Identifier: Apache-2.0
 *
 * merged.h - what stores learned by one bundle, week by week, added up: as one store with all their rows
 * would have it.
 */
#ifndef AISLE_HQ_MERGED_H
#define AISLE_HQ_MERGED_H

#include "core/buf.h"
#include "hq/records.h"
#include "learn/cells.h"

#define MERGED_WEEKS_MAX 520
#define MERGED_RECORDS_MAX 5200000 /* ten years of 10,000 stores */
#define MERGED_STORES_MAX 20000

/* What a store told of a week. */
struct merged_week {
	struct id epoch;
	uint32_t store;
	int32_t week; /* of its Monday: whole weeks since that of 1 January 1970 */
	int64_t rev, seq;
	unsigned bad;			 /* of single cells; enum federation_odd */
	struct federation_store arms[2]; /* untreated, treated */
	bool out;
};
/* Begins as zeros but for the bundle. */
struct merged {
	const char *bundle; /* whose records count */
	char **stores;
	size_t store_count, store_capacity, last_store;
	bool judged;
	struct merged_week *weeks; /* after merged_judge(): by week, store, epoch; each once */
	size_t week_count, week_capacity;
	int32_t first; /* week */
	struct cells *by_week;
	size_t by_week_count;
	struct cells cells;	  /* after merged_conclude(): as of the end of the last week */
	long long unread, others; /* records that are none; of other bundles */
	bool full;
	const char *(*group)(void *ctx, const char *action); /* NULL: it has none */
	void *ctx;
};

/* Records are read twice, for they are large: first each is looked at, then weeks are judged, then the cells
 * of those that stay are added. record_fns; ctx: struct merged. */
void merged_look(void *ctx, const struct record *record);
void merged_judge(struct merged *merged);
void merged_take(void *ctx, const struct record *record);
void merged_conclude(struct merged *merged);
void merged_done(struct merged *merged);

void merged_json(const struct merged *merged, struct buf *out);
void merged_text(const struct merged *merged, struct buf *out);

#endif
