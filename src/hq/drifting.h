/* SPDX-License-Identifier: Apache-2.0
 *
 * drifting.h - have what models read, and what they say, become other than they were when a bundle came
 * into force?
 */
#ifndef AISLE_HQ_DRIFTING_H
#define AISLE_HQ_DRIFTING_H

#include "core/buf.h"
#include "core/json_write.h"
#include "hq/records.h"
#include "learn/drift.h"

#define DRIFTING_MAX 20000000 /* values */
#define DRIFTING_SERIES_MAX 4000
#define DRIFTING_BASE_WEEKS 4 /* from the bundle's first record on */

/* A feature, or an action's p1. */
struct drifting_series {
	char of[128];
	int64_t base, now; /* customers; of the base each once a week */
	size_t bins;	   /* 0: all are alike, nothing is told */
	struct drift drift;
};
struct drifting_value;
struct drifting {
	const char *bundle; /* whose records count */
	struct drifting_value *values;
	size_t value_count, value_capacity;
	struct drifting_series *series; /* after drifting_settle(): by name */
	size_t series_count, series_capacity;
	int64_t first_ms, last_ms; /* of that bundle's records; first 0: there are none */
	int64_t now_ms; /* after drifting_settle(): when the last whole week began; 0: too early */
	long long unread;
	bool full;
};
/* record_fns; ctx: struct drifting */
void drifting_take_decision(void *ctx, const struct record *record); /* those with features */
void drifting_take_settled(void *ctx, const struct record *record);
void drifting_settle(struct drifting *drifting);
void drifting_done(struct drifting *drifting);

extern const char *const drift_verdict_names[];
void drifting_json(const struct drifting *drifting, struct json_writer *w); /* an object "drift" */
void drifting_csv(const struct drifting *drifting, struct buf *out);

#endif
