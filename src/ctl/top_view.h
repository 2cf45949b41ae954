/* SPDX-License-Identifier: Apache-2.0
 *
 * top_view.h - looks at a store, one a second, and what they say together.
 */
#ifndef AISLE_CTL_TOP_VIEW_H
#define AISLE_CTL_TOP_VIEW_H

#include "core/buf.h"
#include "core/json.h"

#define TOP_LOOKS_MAX 60

struct top_view {
	json_t *looks[TOP_LOOKS_MAX]; /* the oldest first */
	size_t count;
};

void top_view_add(struct top_view *view, json_t *look); /* takes it over */
void top_view_done(struct top_view *view);
/* Of at least one look; lines of at most so many columns. away: why there was no newer one; NULL. */
void top_view_text(const struct top_view *view, const char *away, int columns, int rows,
    struct buf *out);
void top_view_json(const struct top_view *view, struct buf *out);
/* The time in ms that a share of turns did not take longer than, of [[at most µs, turns], …] less
 * those of since (NULL: none); < 0: there were no turns. */
double top_quantile(const json_t *turns, const json_t *since, double share);

#endif
