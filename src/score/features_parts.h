/* SPDX-License-Identifier: Apache-2.0
 *
 * features_parts.h - the parts of features.c: basket, visit, local, history; scores of many.
 */
#ifndef AISLE_SCORE_FEATURES_PARTS_H
#define AISLE_SCORE_FEATURES_PARTS_H

#include "aisle/features.h"
#include "core/arena.h"

/* What a function of "from" needs to know of the rows that match. With a half-life sum,
 * qty, count, visits and total are weighted. */
struct tally {
	double sum, qty, count, visits, total;
	size_t times;		   /* visits (or contacts) with it */
	int64_t first_ms, last_ms; /* of those; meaningful when times > 0 */
};
struct value tally_value(const struct tally *tally, enum feature_fn fn, int64_t now_ms);

/* basket.FN: never missing for want of a customer. */
struct value basket_value(const struct sources *sources, const struct feature *feature);
/* The till's own total once there is one, as it knows of discounts on the whole basket, less the
 * lines that are marked, unless all are asked for; never below zero for it. */
int64_t features_total(const struct sources *sources, bool all);

/* visit.NAME, missing without a visit (but visit.known), and store.NAME. */
struct value visit_value(const struct sources *sources, enum visit_field field);
struct value store_value(const struct sources *sources, enum store_field field);

/* local.FN over the closed baskets of sources->subject, which must be known. */
struct local;
struct local *local_new(struct arena *arena, const struct sources *sources);
struct value local_value(struct local *local, const struct feature *feature);
struct value incidents_value(const struct sources *sources, const struct feature *feature);

/* wallet.FIELD, contacts.count(…), journeys.count of sources->subject, which must be known. */
struct value told_value(const struct sources *sources, const struct feature *feature);

/* history.FN over the contacts of sources->subject, which must be known. */
struct history;
struct history *history_new(struct arena *arena, const struct sources *sources);
struct value history_value(struct history *history, const struct feature *feature,
    const struct candidate_context *candidate);

/* An action.* feature, as features_get() has it. */
struct value features_action(const struct feature *feature,
    const struct candidate_context *candidate);

/* Scores of those that features_expect() was told of. */
struct ahead;
struct ahead *ahead_new(struct arena *arena, struct features *features,
    const struct sources *sources);
void ahead_expect(struct ahead *ahead, const struct expected *expected, size_t count);
/* false: this candidate was not expected, or not for this model. */
bool ahead_score(struct ahead *ahead, unsigned model, const struct candidate_context *about,
    double *ret);

#endif
