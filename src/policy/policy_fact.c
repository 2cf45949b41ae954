/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_fact.c - what a feature can still be, after the tests that it has passed.
 */
#include "policy/policy_lint.h"

#include <math.h>
#include <string.h>

bool
feature_always_known(const struct feature *feature)
{
	if (feature->dflt.tag != VALUE_MISSING)
		return true;
	switch (feature->source) {
	case FEATURE_TIME:
	case FEATURE_VISIT: return true;
	case FEATURE_BASKET:
		return feature->fn == FN_COUNT || feature->fn == FN_SUM || feature->fn == FN_QTY ||
		    feature->fn == FN_TOTAL || feature->fn == FN_LINES;
	default: return false;
	}
}

static bool
counts(const struct feature *feature)
{
	bool counted =
	    feature->fn == FN_COUNT || feature->fn == FN_VISITS || feature->fn == FN_LINES;

	switch (feature->source) {
	case FEATURE_LOCAL:
	case FEATURE_BASKET: return counted && feature->half_life_ms == 0;
	case FEATURE_INCIDENTS:
	case FEATURE_CONTACTS:
	case FEATURE_JOURNEYS: return true;
	case FEATURE_WALLET: return feature->field == WALLET_COUNT;
	case FEATURE_HISTORY: return feature->fn == FN_COUNT;
	case FEATURE_VISIT:
		return feature->field == VISIT_VOIDS || feature->field == VISIT_DECLINES ||
		    feature->field == VISIT_RETURNS || feature->field == VISIT_PROMPTS;
	default: return false;
	}
}

/* What a feature's source allows, whatever else is tested. */
static void
fact_begin(struct fact *fact, const struct facts *facts, const struct feature *feature)
{
	bool of_customer = feature->source == FEATURE_LOCAL &&
	    (feature->fn == FN_RECENCY || feature->fn == FN_GAP || feature->fn == FN_OVERDUE);

	fact->low = -INFINITY;
	fact->high = INFINITY;
	if (feature->type == VALUE_BOOL) {
		json_t *both[] = { json_true(), json_false() };

		fact_is(fact, both,
		    !facts->surely && facts->action->personal && feature->source == FEATURE_VISIT &&
			    feature->field == VISIT_KNOWN
			? 1
			: 2);
	} else if (counts(feature) || of_customer) {
		fact->whole = counts(feature) && feature->dflt.tag == VALUE_MISSING;
		fact->low = feature->dflt.tag == VALUE_NUMBER && feature->dflt.number < 0
		    ? feature->dflt.number
		    : 0;
	} else if (feature->source == FEATURE_TIME && feature->field != TIME_DAYS_TO) {
		static const double low[] = { 0, 1, 0, 1 }, high[] = { 23, 7, 59, 366 };

		fact->whole = true;
		fact->low = low[feature->field];
		fact->high = high[feature->field];
	}
}

struct fact *
fact_of(struct facts *facts, unsigned slot)
{
	struct fact *fact;

	for (size_t i = 0; i < facts->count; i++)
		if (facts->fact[i].slot == slot)
			return &facts->fact[i];
	if (facts->count == FACTS_MAX)
		return NULL;
	fact = &facts->fact[facts->count++];
	*fact = (struct fact){ .slot = slot };
	fact_begin(fact, facts, &facts->policy->features[slot]);
	return fact;
}

static bool
same(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	return json_equal(a, b) == 1;
}

static bool
in_range(const struct fact *fact, const json_t *value)
{
	double number = json_number_value(value);

	if (!json_is_number(value))
		return true;
	if (fact->whole && floor(number) != number)
		return false;
	return (fact->low_open ? number > fact->low : number >= fact->low) &&
	    (fact->high_open ? number < fact->high : number <= fact->high);
}

static bool
is_among(json_t *const *values, size_t count, const json_t *value)
{
	for (size_t i = 0; i < count; i++)
		if (same(values[i], value))
			return true;
	return false;
}

static bool
fits(const struct fact *fact, const json_t *value)
{
	return in_range(fact, value) && !is_among(fact->nots, fact->not_count, value) &&
	    (!fact->listed || is_among(fact->values, fact->count, value));
}

bool
fact_is(struct fact *fact, json_t *const *values, size_t count)
{
	json_t *left[VALUES_MAX];
	size_t n = 0, all = 0;

	for (size_t i = 0; i < count; i++) {
		if (!fits(fact, values[i]))
			continue;
		if (n < VALUES_MAX)
			left[n++] = values[i];
		all++;
	}
	if (all > VALUES_MAX)
		return true; /* too many to remember */
	memcpy(fact->values, left, n * sizeof(left[0]));
	fact->count = n;
	fact->listed = true;
	return n > 0;
}

/* The listed ones, of which some may have gone since. */
static bool
fact_again(struct fact *fact)
{
	json_t *values[VALUES_MAX];

	if (!fact->listed)
		return fact->low < fact->high ||
		    (fact->low == fact->high && !fact->low_open && !fact->high_open);
	memcpy(values, fact->values, sizeof(values));
	return fact_is(fact, values, fact->count);
}

bool
fact_is_not(struct fact *fact, json_t *value)
{
	if (fact->not_count < VALUES_MAX)
		fact->nots[fact->not_count++] = value;
	if (!fact->listed && json_is_number(value) && fact->low == fact->high &&
	    json_number_value(value) == fact->low)
		return false;
	return fact_again(fact);
}

bool
fact_above(struct fact *fact, double bound, bool open)
{
	if (fact->whole && isfinite(bound)) {
		bound = open ? floor(bound) + 1 : ceil(bound);
		open = false;
	}
	if (bound > fact->low || (bound == fact->low && open)) {
		fact->low = bound;
		fact->low_open = open;
	}
	return fact_again(fact);
}

bool
fact_below(struct fact *fact, double bound, bool open)
{
	if (fact->whole && isfinite(bound)) {
		bound = open ? ceil(bound) - 1 : floor(bound);
		open = false;
	}
	if (bound < fact->high || (bound == fact->high && open)) {
		fact->high = bound;
		fact->high_open = open;
	}
	return fact_again(fact);
}
