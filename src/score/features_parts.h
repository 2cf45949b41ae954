/* SPDX-License-Identifier: Apache-2.0
 *
 * features_parts.h - the sources of features.c: basket, local, history.
 */
#ifndef AISLE_SCORE_FEATURES_PARTS_H
#define AISLE_SCORE_FEATURES_PARTS_H

#include "aisle/features.h"
#include "core/arena.h"

/* What a function of "from" needs to know of the rows that match. With a half-life sum,
 * qty, count, visits and total are weighted. */
struct tally {
	double sum, qty, count, visits, total;
	size_t times;			/* visits (or contacts) with it */
	int64_t first_ms, last_ms;	/* of those; meaningful when times > 0 */
};
struct value tally_value(const struct tally *tally, enum feature_fn fn, int64_t now_ms);

/* Is this path the category itself, or below it? */
bool category_within(const char *path, const char *category);

/* basket.FN: never missing for want of a customer. */
struct value basket_value(const struct sources *sources, const struct feature *feature);

/* local.FN over the closed baskets of sources->subject, which must be known. */
struct local;
struct local *local_new(struct arena *arena, const struct sources *sources);
struct value local_value(struct local *local, const struct feature *feature);
struct value incidents_value(const struct sources *sources, const struct feature *feature);

/* history.FN over the contacts of sources->subject, which must be known. */
struct history;
struct history *history_new(struct arena *arena, const struct sources *sources);
struct value history_value(struct history *history, const struct feature *feature,
    const struct candidate_context *candidate);

#endif
