/* SPDX-License-Identifier: Apache-2.0
 *
 * features_basket.c - basket.FN over the lines that count; and what the functions mean.
 */
#include "score/features_parts.h"

#include <string.h>

#include "core/when.h"
#include "nouns/marks.h"
#include "nouns/match.h"

struct value
tally_value(const struct tally *tally, enum feature_fn fn, int64_t now_ms)
{
	double recency, gap;

	switch (fn) {
	case FN_SUM: return value_number(tally->sum);
	case FN_QTY: return value_number(tally->qty);
	case FN_COUNT:
	case FN_LINES: return value_number(tally->count);
	case FN_VISITS: return value_number(tally->visits);
	case FN_TOTAL: return value_number(tally->total);
	case FN_HAS: return value_bool(tally->times > 0);
	case FN_RECENCY:
	case FN_GAP:
	case FN_OVERDUE: break;
	case FN_BATCH:
	case FN_MARGIN:
	case FN_BEST_BEFORE_DAYS: return value_missing();
	}
	if (tally->times == 0)
		return value_missing();
	recency = (double)(now_ms - tally->last_ms) / (double)D_MS;
	if (fn == FN_RECENCY)
		return value_number(recency);
	if (tally->times < 2)
		return value_missing();
	/* The mean of the gaps between n visits: what lies between first and last, by n - 1. */
	gap =
	    (double)(tally->last_ms - tally->first_ms) / (double)(tally->times - 1) / (double)D_MS;
	if (fn == FN_GAP)
		return value_number(gap);
	return gap == 0 ? value_missing() : value_number(recency / gap);
}

static bool
matches(const struct line *line, const struct feature *feature)
{
	const char *item = line_item(line);

	if (line->voided)
		return false;
	switch (feature->key) {
	case KEY_NONE: return true;
	case KEY_CATEGORY: return category_within(line->category, feature->key_value);
	case KEY_BRAND: return line->brand != NULL && strcmp(line->brand, feature->key_value) == 0;
	case KEY_ITEM: return item != NULL && item_is(item, feature->key_value);
	}
	return false;
}

static bool
is_marked(const struct marks *marks, const struct line *line)
{
	return line_mark(marks, line) != MARK_NONE;
}

/* Is it one of the lines that the feature counts? */
static bool
counts(const struct marks *marks, const struct line *line, const struct feature *feature)
{
	return matches(line, feature) && (feature->compliance || !is_marked(marks, line));
}

int64_t
features_total(const struct sources *sources, bool all)
{
	const struct visit *visit = sources->visit;
	struct marks marks = marks_of(sources->policy, sources->marks_off);
	int64_t total = 0, marked = 0;

	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];

		if (line->voided)
			continue;
		total += line->amount_minor;
		if (!all && is_marked(&marks, line))
			marked += line->amount_minor;
	}
	if (visit->state != VISIT_CLOSED)
		return total - marked;
	return marked > 0 && visit->total_minor < marked ? 0 : visit->total_minor - marked;
}

/* What the code of its newest line says; of lines that came at once the last. */
static struct value
batch_value(const struct marks *marks, const struct visit *visit, const struct feature *feature)
{
	const struct line *newest = NULL;

	for (size_t i = 0; i < visit->line_count; i++) {
		if (counts(marks, &visit->lines[i], feature) &&
		    (newest == NULL || visit->lines[i].added_ms >= newest->added_ms))
			newest = &visit->lines[i];
	}
	return newest != NULL && newest->batch != NULL ? value_string(newest->batch)
						       : value_missing();
}

/* Until the first of them is past its date: 0 on that day, negative after it. */
static struct value
best_before_value(const struct sources *sources, const struct marks *marks,
    const struct feature *feature)
{
	const struct visit *visit = sources->visit;
	int first = 0;

	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];

		if (line->best_before != 0 && (first == 0 || line->best_before < first) &&
		    counts(marks, line, feature))
			first = line->best_before;
	}
	if (first == 0)
		return value_missing();
	return value_number((double)first -
	    (double)zone_local(sources->zone, sources->now_ms).days);
}

/* Missing where one of the lines has none, or there is no line. */
static struct value
margin_value(const struct marks *marks, const struct visit *visit, const struct feature *feature)
{
	int64_t margin = 0;
	bool any = false;

	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];

		if (!counts(marks, line, feature))
			continue;
		if (!line->has_margin)
			return value_missing();
		margin += line->margin_minor;
		any = true;
	}
	return any ? value_number((double)margin) : value_missing();
}

struct value
basket_value(const struct sources *sources, const struct feature *feature)
{
	const struct visit *visit = sources->visit;
	struct marks marks = marks_of(sources->policy, sources->marks_off);
	struct tally tally = { 0 };
	int64_t amount = 0, qty_milli = 0, count = 0;

	if (visit != NULL && feature->fn == FN_BATCH)
		return batch_value(&marks, visit, feature);
	if (visit != NULL && feature->fn == FN_MARGIN)
		return margin_value(&marks, visit, feature);
	if (visit != NULL && feature->fn == FN_BEST_BEFORE_DAYS)
		return best_before_value(sources, &marks, feature);
	for (size_t i = 0; visit != NULL && i < visit->line_count; i++) {
		const struct line *line = &visit->lines[i];

		if (!counts(&marks, line, feature))
			continue;
		amount += line->amount_minor;
		qty_milli += line->qty_milli;
		count++;
		if (line->added_ms > tally.last_ms)
			tally.last_ms = line->added_ms;
	}
	if (count > 0) {
		tally.times = 1;
		tally.first_ms = tally.last_ms;
		tally.sum = (double)amount;
		tally.qty = (double)qty_milli / 1000.0;
		tally.count = (double)count;
		tally.visits = 1;
		tally.total = (double)features_total(sources, feature->compliance);
	}
	return tally_value(&tally, feature->fn, sources->now_ms);
}
