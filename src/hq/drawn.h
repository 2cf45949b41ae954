/* SPDX-License-Identifier: Apache-2.0
 *
 * drawn.h - the draws of all stores, each with what came of every action that it could have shown.
 */
#ifndef AISLE_HQ_DRAWN_H
#define AISLE_HQ_DRAWN_H

#include "aisle/base.h"
#include "hq/records.h"

#define DRAWN_MAX 20000000

struct drawn_row {
	const char *action, *treatment; /* treatment NULL: none, or it was not drawn */
	int64_t depth, amount_minor;
	double p, p1, p0, margin, cost; /* as the models have the chances */
	bool nothing;			/* the row of `nothing`: action and p alone */
	bool drawn, shown, other, withheld;
	bool told, y; /* told: the till's lines say whether it came */
	/* of the list; private */
	size_t draw, order;
	int64_t rev;
};
struct drawn {
	const char *store, *placement, *bundle;
	struct id decision, visit, subject;
	bool has_subject, counted;
	int slot;
	int64_t at_ms;
	double cost_max;
	const struct drawn_row *rows; /* after drawn_settle(): by action, nothing last */
	size_t row_count;
	size_t order; /* in which it was read */
};
struct drawn_list {
	struct arena *memory;
	struct drawn *draws; /* after drawn_settle(): one each, in the order they were read */
	size_t draw_count, draw_capacity;
	struct drawn_row *rows;
	size_t row_count, row_capacity;
	struct drawn_names *names;
	long long unread;
	bool full;
};
void drawn_init(struct drawn_list *list);
void drawn_take(void *ctx, const struct record *record); /* a record_fn; ctx: struct drawn_list */
/* Of what was told again the last word; rows of one draw together. */
void drawn_settle(struct drawn_list *list);
void drawn_done(struct drawn_list *list);

#endif
