/* SPDX-License-Identifier: Apache-2.0
 *
 * features.h - the feature vector of one decision, computed lazily.
 *
 * Implemented by src/score/features.c. Pure: everything it reads is in
 * struct sources. Each slot is computed once a decision (per_action slots once
 * a candidate), models included, and remembered together with the fact that
 * it was read, so that the record can name exactly what the decision saw.
 */
#ifndef AISLE_FEATURES_H
#define AISLE_FEATURES_H

#include "aisle/event.h"
#include "aisle/policy.h"
#include "aisle/subject.h"
#include "aisle/visit.h"

struct arena;
struct zone;

/* What one decision may look at. NULL subject: unknown customer, or no consent
 * to personalise (decisioning step 0: forbidden sources do not exist). */
struct sources {
	const struct policy *policy;
	const struct visit *visit;
	const struct subject *subject;
	/* for caps: kept whatever the consent. Features use subject->contacts */
	const struct contacts *contacts;
	const struct event *event; /* the trigger; NULL: a timer */
	int64_t now_ms;
	const char *store;	 /* [store] id */
	const struct zone *zone; /* NULL: UTC */
	bool has_queue;
	double queue;	    /* last queue reading at the station */
	int64_t owed_minor; /* promised in this visit, and not taken off */
	/* what the store's country leaves of the product's own marks (nouns/marks.h); 0: all */
	uint32_t marks_off;
};

/* What an action of a family is about here and now: an article, or a category. */
struct family_item {
	const char *text; /* as lines have it */
	bool is_category;
	const char *name; /* in no language; NULL: none */
	double chance;
};

/* The candidate that per_action features are about. */
struct candidate_context {
	const struct action *action;
	int64_t depth;
	double worth_minor, margin_minor;
	bool has_line_margin; /* each line that qualifies now states one */
	double line_margin_minor;
	const struct family_item *item; /* NULL: none */
	uint32_t expected;		/* 1 + its place in features_expect(); 0: none */
};

struct features;
/* All memory comes from arena; valid until it is reset. */
struct features *features_new(struct arena *arena, const struct sources *sources);
/* Value of a slot for this candidate (NULL: none; per_action slots are then missing).
 * The default is applied; VALUE_MISSING when there is none. */
struct value features_get(struct features *features, unsigned slot,
    const struct candidate_context *candidate);
/* All slots as they are known so far, for who reads many of them: FEATURE_UNREAD (or above) where
 * features_get() has to be asked, as always for what depends on the candidate. */
#define FEATURE_UNREAD ((enum value_tag)(VALUE_JSON + 1))
const struct value *features_known(const struct features *features);
/* Score of a model after link and calibration, e.g. a probability. VALUE_MISSING if it cannot be scored. */
struct value features_model(struct features *features, unsigned model,
    const struct candidate_context *candidate);
/* Candidates whose scores are asked for next, with a bit for each model that may be asked of them:
 * once one is, all that wait for that model are scored at once, with the same bits. Borrowed and
 * not changed until the next call; count 0: none. */
struct expected {
	struct candidate_context about; /* about.expected: 1 + its own place */
	uint64_t models;
};
void features_expect(struct features *features, const struct expected *expected, size_t count);
/* Was this slot read so far (by a rule, a model or a text)? For per_action slots always false. */
bool features_was_read(const struct features *features, unsigned slot);

#endif
