/* SPDX-License-Identifier: Apache-2.0
 *
 * settled.h - what came of the actions on shortlists, and from it how far their chances may be
 * believed.
 */
#ifndef AISLE_HQ_SETTLED_H
#define AISLE_HQ_SETTLED_H

#include "core/buf.h"
#include "hq/records.h"
#include "learn/shrink.h"

#define SETTLED_MAX 50000000

struct settled_row {
	struct id key; /* of visit, placement, slot and action */
	uint32_t action;
	uint32_t order; /* in which it was read */
	int64_t rev;
	double p1, p0;
	bool random; /* 0 < p < 1, and known whether it was treated and what came */
	bool treated, y;
};
struct settled_action {
	char *name;
	struct shrink_fit fit; /* rows and outcomes of those that were randomised */
	size_t rows;	       /* of any kind */
	bool estimated;
	bool constant; /* p0 is always one share of p1: no second model */
};
struct settled {
	int64_t since_ms;
	struct settled_row *rows; /* after settled_estimate(): the last word of each */
	size_t row_count, row_capacity;
	struct settled_action *actions; /* after settled_estimate(): by name */
	size_t action_count, action_capacity;
	long long unread;
	bool full;
};
/* since_ms: of what was listed before nothing is taken. */
void settled_init(struct settled *settled, int64_t since_ms);
void settled_take(void *ctx, const struct record *record); /* a record_fn; ctx: struct settled */
void settled_estimate(struct settled *settled);
void settled_done(struct settled *settled);

/* shrink.json, and a line for each action. */
void settled_json(const struct settled *settled, struct buf *out);
void settled_text(const struct settled *settled, struct buf *out);

#endif
